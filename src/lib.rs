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
//! # In scope
//! - Trackers, vehicle bus gateways and programs on one local network, and what they send: messages
//!   of parameters with an ident and a time.
//! - Delivery at least once, in order, over connections that come and go, by a machine whose power
//!   may go at any time, whose flash wears and whose clock may be wrong.
//! - Any number of messages in the ring in constant memory: a few MB, on ARM too.
//!
//! # Out of scope
//! - Maps, reports, users: that is for the platforms at the far end.
//! - Commands to trackers.
//! - A second machine: the ring is one file of one daemon.
//!
//! # Modules
//! ```text
//!  channel   inputs: one file a protocol, bytes to messages and answers
//!  message   what a message is: parameters, as bytes, as JSON
//!  route     which streams want a message
//!  ring      the bounded file that survives power cuts, and the cursor of each stream
//!  stream    outputs: one file a destination; order, batches, retries, refusals
//!
//!  config    which tables and keys there are        keys      how keys are read
//!  api       the HTTP API                            cli       the commands
//!  daemon    the drivers: sockets, timers, files     demo      a play for the screen
//!
//!  wire      layouts of bytes that both sides use    net       sockets, TLS, names
//!  logging   where the log goes, and that nobody can forge a line of it
//!  traffic   bytes of a connection without their secrets
//!  clock, convert, filter, hex, pattern, recent, spelling, template, thinning, units: what the
//!  name says
//! ```
//! All but the drivers are without I/O: bytes, time and randomness go in, what to do comes out. The
//! drivers are [`daemon`], which connects all of it in one thread, [`net`] below it, and the
//! storage of the ring. `tests/tidy` says who may name whom.
//!
//! To add a protocol see [`channel`], to add a destination see [`stream`].

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
mod hex;
mod keys;
pub mod logging;
pub mod net;
pub mod pattern;
pub mod recent;
mod spelling;
pub mod template;
pub mod thinning;
pub mod traffic;
pub mod units;
