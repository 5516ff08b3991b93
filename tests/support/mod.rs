//! What several tests share.
//!
//! How a test gets a port: what is in the process binds port 0 and reads back which it got. Who
//! has to be told a port, as the daemon and a cable that is plugged in later, gets
//! `free_port()` of [`ports`](ports.rs); no other test has it, now or later. mosquitto, nginx and
//! gpsd are started with `Program::serve` of [`program`](program.rs), which waits until the very
//! program that it started listens, and with `serve_on` where one comes back to its old port.
//! Those two files are modules of `end_to_end/weir.rs`, with the daemon.
//!
//! A test waits for a fact (`eventually`, `await_log`, `await_said`) and never for a time.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::missing_panics_doc,
    reason = "tests, and not each of them needs all of it"
)]

pub(crate) mod can_frame;
pub(crate) mod channel;
pub(crate) mod hex;
pub(crate) mod intake;
pub(crate) mod naive_retranslator;
pub(crate) mod random;
pub(crate) mod vectors;

use std::time::Duration;
use weir::clock::Now;
use weir::clock::Wall;
use weir::message::Message;
use weir::message::json;

/// An hour after the boot, on 2026-01-01, by a clock that is right.
pub(crate) fn a_moment() -> Now {
    Now {
        mono: Duration::from_secs(3600),
        wall: Wall {
            since_1970: Duration::from_secs(1_767_225_600),
            trusted: true,
        },
        ages: true,
    }
}

/// A message as weir writes it in JSON.
pub(crate) fn written(message: &Message) -> String {
    let mut out = Vec::new();
    json::write(message.fields(), &mut out);
    String::from_utf8(out).unwrap()
}
