//! Streams: outputs. Each reads the ring in order, sends batches to one destination, and moves
//! its cursor when the destination acknowledges.
//!
//! A destination is one file with a state machine ([`Link`]) that sees bytes and the [`Engine`],
//! never a socket.

mod backoff;
pub mod engine;
pub mod render;
pub mod settings;

use crate::clock::Now;
use engine::Engine;
use std::time::Duration;

/// The protocol's side of one connection to a destination.
///
/// The driver calls [`Link::receive`] when bytes come, [`Link::send`] when there is something to
/// send and all of `out` is written, [`Link::wake`] when the time that it named is there.
pub trait Link {
    /// Takes the whole units at the head of `input`, tells the engine what they mean, and returns
    /// how many bytes they had.
    ///
    /// # Errors
    /// When the connection is of no more use; what is in flight is lost then.
    fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost>;

    /// Takes from the engine what may go now and appends it to `turn.out`: at most
    /// [`OUT_MAX`] bytes more than one message.
    ///
    /// # Errors
    /// As [`Link::receive`].
    fn send(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost>;

    /// When [`Link::wake`] is due: a ping, an answer that does not come.
    fn wake_at(&self, engine: &Engine) -> Option<Duration>;

    /// The time that [`Link::wake_at`] named is there.
    ///
    /// # Errors
    /// As [`Link::receive`].
    fn wake(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost>;

    /// Whether the login is done and messages can go.
    fn is_ready(&self) -> bool;

    /// Whether a connection is kept while there is nothing to send.
    fn stays(&self) -> bool;
}

/// What a link works with in one turn.
pub struct Turn<'a> {
    /// The stream.
    pub engine: &'a mut Engine,
    /// The time.
    pub now: Now,
    /// What goes out.
    pub out: &'a mut Vec<u8>,
    /// For jitter.
    pub random: u32,
}

/// Why a connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// flespi's code: -99 certificate, -2 no answer, -1 no connection, 1 to 5 MQTT refusals, 100
    /// to 599 HTTP status; 0 where the far end closed without a word.
    pub code: i32,
    /// In words.
    pub reason: String,
}

/// A link stops filling its buffer here.
pub const OUT_MAX: usize = 64 * 1024;
