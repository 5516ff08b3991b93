//! The configuration from outside: files in, settings and exact messages out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod files;
mod hints;
mod messages;
mod mistakes;
mod mutation;
mod recipes;
mod reference;
mod secrets;
mod settings;
mod shipped;
mod told;
