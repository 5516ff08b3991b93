//! weir: store and forward for vehicles.
//!
//! - Takes messages from local trackers and programs and acknowledges what is safe.
//! - Keeps them in a bounded ring on flash and forwards them, in order, to each destination.
//!
//! # The way of a message
//! ```text
//!  tracker ─▶ channel ─▶ message ─▶ ring ─▶ stream ─▶ destination
//!             bytes to    one        waits    batches,    acknowledges:
//!             messages    report     for all  retries     the cursor moves
//! ```
//! Modules stand in that order. All of them but the drivers are without I/O: bytes, time and
//! randomness go in, what to do comes out.

pub mod channel;
pub mod message;
pub mod route;

pub mod ring;

pub mod stream;

pub mod api;

pub mod cli;
pub mod config;
pub mod daemon;
#[cfg(feature = "demo")]
pub mod demo;

pub mod wire;

pub mod clock;
pub mod convert;
pub mod filter;
mod keys;
pub mod net;
pub mod pattern;
mod spelling;
pub mod template;
pub mod thinning;
pub mod units;
