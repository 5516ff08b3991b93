//! A message on its way out, as whoever filters, renders or sends it sees it.

use crate::clock::Wall;
use crate::ring::Record;
use crate::ring::Seq;

/// A message on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Its number, for the answer.
    pub seq: Seq,
    /// The id of the ring that gave it the number.
    pub ring: u32,
    /// When it was received.
    pub received: Wall,
    /// The message, see [`crate::message::body`].
    pub body: &'a [u8],
    /// Whether it has been sent before.
    pub repeat: Repeat,
}

/// Whether a message has been sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The first time.
    First,
    /// Sent before, and the answer was lost.
    Again,
}

impl<'a> Outgoing<'a> {
    /// A record that was just read.
    pub(super) fn of(record: &Record<'a>, ring: u32) -> Self {
        Self {
            seq: record.seq,
            ring,
            received: record.received,
            body: record.body,
            repeat: Repeat::First,
        }
    }
}

/// A message without a body.
#[cfg(test)]
pub(super) fn bare(seq: Seq, received: Wall) -> Outgoing<'static> {
    Outgoing {
        seq,
        ring: 7,
        received,
        body: &[],
        repeat: Repeat::First,
    }
}

/// Shows the message of a JSON object that was received then.
#[cfg(test)]
pub(super) fn with_outgoing<R>(
    text: &str,
    received: Wall,
    show: impl FnOnce(&Outgoing<'_>) -> R,
) -> R {
    let message = crate::message::json::parse(text.as_bytes(), &Default::default()).unwrap();
    let mut body = Vec::new();
    crate::message::body::encode(&message, &mut body);
    show(&Outgoing {
        seq: Seq(1),
        ring: 7,
        received,
        body: &body,
        repeat: Repeat::First,
    })
}
