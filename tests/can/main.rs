//! The CAN channel, from lines and frames to messages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod channel;
mod generated;
mod load;
mod obd;
mod vectors;

#[path = "../support/mod.rs"]
mod support;
