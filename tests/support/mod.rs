//! What several tests share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::missing_panics_doc,
    reason = "tests, and not each of them needs all of it"
)]

pub(crate) mod random;
