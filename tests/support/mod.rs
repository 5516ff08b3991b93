//! What several tests share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::missing_panics_doc,
    reason = "tests, and not each of them needs all of it"
)]

pub(crate) mod channel;
pub(crate) mod hex;
pub(crate) mod intake;
pub(crate) mod naive_retranslator;
pub(crate) mod random;
pub(crate) mod vectors;
