//! The ring: the bounded, append-only file in which every message waits until each stream that
//! wants it has settled it.
//!
//! The ring knows bytes, sequence numbers and streams by name; it knows no message, no socket and
//! no clock. Time and randomness are arguments, the file is behind [`Storage`].

mod storage;

pub use storage::{IoError, Storage};

use crate::clock::Now;
use std::time::Duration;

/// The number of a record, rising by at least one from each to the next; none that was ever
/// shown outside comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// A stream's place in the ring's table, and its bit in a [`Mask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u8);

/// The streams that want a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask(pub u32);

/// How a ring is made and when it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of the file, from 256 KiB.
    pub size: u64,
    /// How long a record waits for others before it is written.
    pub delay: Duration,
    /// How long a record whose streams are all connected waits for them instead.
    pub hold: Duration,
    /// This much waiting is written at once.
    pub bytes: u32,
    /// What happens when there is no room.
    pub full: Full,
}

/// What a full ring does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The oldest segment is given up, and counted for each stream that still wanted it.
    DropOldest,
    /// Nothing more is taken until the streams have made room.
    Refuse,
}

/// From where a stream that is attached for the first time wants records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Those received after it was attached.
    New,
    /// Also those that the ring still holds.
    Oldest,
}

/// A record, lent to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number.
    pub seq: Seq,
    /// When it was received; resolved, where the wall clock was learned later.
    pub received: crate::clock::Wall,
    /// How long ago that was, by the clocks that could be trusted.
    pub age: Duration,
    /// False below the place where a stream with [`From::Oldest`] was attached: whether the
    /// stream wants it was not decided when it was appended.
    pub subscribed: bool,
    /// The message, see [`crate::message::body`].
    pub body: &'a [u8],
}

/// How a stream settled a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The destination took it.
    Accepted,
    /// Not wanted after all: filter, conversion, thinning.
    Filtered,
    /// Too old.
    Expired,
    /// By hand.
    ByHand,
    /// The destination will never take it.
    GivenUp,
}

/// What became of the records that a stream wanted:
/// `stored = accepted + filtered + expired + by_hand + given_up + dropped + corrupt + backlog`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that it wanted.
    pub stored: u64,
    /// See [`Settled::Accepted`].
    pub accepted: u64,
    /// See [`Settled::Filtered`].
    pub filtered: u64,
    /// See [`Settled::Expired`].
    pub expired: u64,
    /// See [`Settled::ByHand`].
    pub by_hand: u64,
    /// See [`Settled::GivenUp`].
    pub given_up: u64,
    /// Overwritten before they were sent.
    pub dropped: u64,
    /// Damaged on disk.
    pub corrupt: u64,
    /// Waiting now, those in flight included.
    pub backlog: u64,
}

/// Why a record was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// Longer than this ring can hold: at most [`Ring::record_max`] bytes.
    TooLong,
    /// Both buffers wait for the disk: commit, then append again.
    Busy,
    /// The ring is full and drops nothing.
    Full,
}

/// Why a stream was not attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachError {
    /// Longer than 32 bytes, or empty.
    Name,
    /// There are 32 streams, removed ones whose records are still there included.
    TooMany,
    /// The table could not be written.
    Io(IoError),
}

/// The ring over its storage.
pub struct Ring {
    _storage: Box<dyn Storage>,
}

impl Ring {
    /// The longest record that fits, in bytes.
    pub fn record_max(&self) -> usize { todo!() }

    /// Gives the stream of this name its place: a new one, or, for a name that the ring
    /// remembers, the one where it stood. Durable before it returns.
    pub fn attach(&mut self, name: &str, from: From, now: Now) -> Result<StreamId, AttachError> { let _ = (name, from, now); todo!() }

    /// Forgets a stream; all that it had not settled is settled.
    pub fn remove(&mut self, name: &str, now: Now) -> Result<(), AttachError> { let _ = (name, now); todo!() }

    /// Says whether the destination is connected: a record whose streams all are waits `hold`.
    pub fn set_connected(&mut self, stream: StreamId, connected: bool) { let _ = (stream, connected); todo!() }

    /// Takes a record for the streams of `mask`, in memory. Never touches the disk.
    /// Precondition: mask is not empty.
    pub fn append(&mut self, mask: Mask, now: Now, body: &[u8]) -> Result<Seq, AppendError> { let _ = (mask, now, body); todo!() }

    /// Every record with a number below this one is safe: on disk, or settled by all that want it.
    pub fn safe(&self) -> Seq { todo!() }

    /// When [`Ring::commit`] is due; at once if in the past, never if none.
    pub fn next_commit(&self) -> Option<Duration> { todo!() }

    /// Writes all that waits and syncs. After it returned an error the records still wait (in
    /// memory, safe nowhere) and `next_commit` says when to try again.
    pub fn commit(&mut self, now: Now) -> Result<(), IoError> { let _ = now; todo!() }

    /// Lends the stream its next record and moves its reading place on. In flight from here on:
    /// the ring counts it as backlog until it is settled.
    pub fn read(&mut self, stream: StreamId, now: Now) -> Option<Record<'_>> { let _ = (stream, now); todo!() }

    /// Moves the cursor of a stream over a record that was read. Precondition: in the order in
    /// which they were read.
    pub fn settle(&mut self, stream: StreamId, seq: Seq, how: Settled, now: Now) { let _ = (stream, seq, how, now); todo!() }

    /// What became of what a stream wanted.
    pub fn counters(&self, stream: StreamId) -> Counters { let _ = stream; todo!() }

    /// Writes cursors and the exact next number; a clean stop.
    pub fn close(&mut self, now: Now) -> Result<(), IoError> { let _ = now; todo!() }
}
