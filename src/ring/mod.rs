//! The ring: the bounded, append-only file in which every message waits until each stream that
//! wants it has settled it.
//!
//! The ring knows bytes, sequence numbers and streams by name; it knows no message, no socket and
//! no clock. Time and randomness are arguments, the file is behind [`Storage`].
//!
//! # Regions
//! ```text
//!  on disk                                │ under way      │ waiting
//!  oldest segment … active segment        │ a commit has   │ in memory only; gone, unwritten,
//!  gone as a whole when the room is used  │ taken them     │ once settled by all that want it
//!  ───────────────────────────────────────┼────────────────┼──────────────────────────────────
//!                                      durable           begun                         next seq
//! ```
//! A stream reads through all three. It is counted as having a record written for it if it had
//! not settled it when a commit took it; its mask on disk says exactly that.
//!
//! # Promises
//! - Order: numbers rise, and none that was shown outside comes back, power cuts included.
//! - Safety: what is below [`Ring::safe`] is on disk or settled by all that want it.
//! - Space: a full ring gives up its oldest segment, and each stream counts what it had not read.
//! - Exactness: for every stream `stored = accepted + … + dropped + corrupt + backlog`, always.
//! - Opening reads the slots, the segments' headers and the active segment; it never truncates.

mod active;
mod active_scan;
mod attach;
mod backfill;
mod checksum;
mod commit;
mod copy;
mod cursor;
mod display;
mod doubts;
mod file;
mod format;
mod hole;
pub mod inspect;
#[cfg(test)]
mod invariants;
mod lost_headers;
mod memory;
mod migrate;
mod occupancy;
mod open;
mod patience;
mod picture;
mod pressure;
mod progress;
mod queue;
mod read;
mod read_buffer;
mod record;
mod record_iter;
mod recover;
mod safe;
mod schedule;
mod seek;
mod segment;
mod segments;
mod shared_body;
mod slot;
mod storage;
mod stream_set;
mod table;
mod tally;
mod times;
mod volatile;
mod volume;

pub use checksum::crc32c;
pub use commit::Commit;
pub use file::File;
pub use file::SIZE_MIN;
pub use format::STREAMS_MAX;
pub use memory::Memory;
pub use occupancy::Occupancy;
pub use open::OpenError;
pub use open::Report;
pub use open::RingPlace;
pub use read::peek::Look;
pub use seek::RewindTo;
pub use shared_body::SharedBody;
pub use storage::IoError;
pub use storage::Storage;
pub use stream_set::StreamId;
pub use stream_set::StreamSet;
pub use times::Arrival;
pub use times::Dates;

use crate::clock::Now;
use crate::clock::Wall;
use cursor::Mark;
use doubts::Doubts;
use pressure::Pressure;
use progress::Progress;
use queue::RecordQueue;
use schedule::SlotSchedule;
use schedule::StorageHealth;
use segments::Segments;
use shared_body::Rooms;
use std::time::Duration;
use table::Table;
use times::Boots;
use volume::Volume;

/// The number of a record, rising by at least one from each to the next; none that was ever
/// shown outside comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// How a ring is made and when it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of the file, from 256 KiB.
    pub size: u64,
    /// How long a record waits for others before it is written.
    pub delay: Duration,
    /// How long a record whose streams are all connected waits for them instead; zero: it is
    /// written before it is sent.
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
    pub received: Wall,
    /// What that was resolved from, for [`Ring::received`].
    pub arrival: Arrival,
    /// How long ago that was, by the clocks that could be trusted.
    pub age: Duration,
    /// False below the place where a stream with [`From::Oldest`] was attached: whether the
    /// stream wants it was not decided when it was appended.
    pub subscribed: bool,
    /// The message, see [`crate::message::body`].
    pub body: &'a [u8],
    /// The same where it is in memory: kept without being copied.
    pub shared: Option<&'a SharedBody>,
}

/// How a stream settled a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The destination took it.
    Accepted,
    /// Not wanted after all: filter, conversion.
    Filtered,
    /// Too old.
    Expired,
    /// By hand.
    ByHand,
    /// The destination will never take it.
    GivenUp,
    /// The stream never wanted it: for records that are lent with `subscribed` false. Counted
    /// nowhere.
    Unwanted,
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
    /// Waiting now, those included that were read and not settled.
    pub backlog: u64,
}

impl Counters {
    fn of(tally: &slot::StreamTally, backlog: u64) -> Self {
        Self {
            stored: tally.sum() + backlog,
            accepted: tally.accepted,
            filtered: tally.filtered,
            expired: tally.expired,
            by_hand: tally.by_hand,
            given_up: tally.given_up,
            dropped: tally.dropped,
            corrupt: tally.corrupt,
            backlog,
        }
    }
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
    /// The table could not be written; only removing says so.
    Io(IoError),
}

/// The ring over its storage. What is always true of a part stands at its fields; what is true
/// between the parts:
/// - What is in memory has numbers below the next one, and so has the first number of each segment.
/// - A cursor has not settled more than was written for its stream, and it has as much waiting as
///   there are records in memory that it wants and no commit has taken.
pub struct Ring {
    volume: Volume,
    settings: Settings,
    boots: Boots,
    table: Table,
    /// What is in memory: behind it is all on disk, see [`Ring::durable`].
    queue: RecordQueue,
    rooms: Rooms,
    segments: Segments,
    active: active::ActiveSegment,
    progress: Progress,
    doubts: Doubts,
    slots: SlotSchedule,
    under_way: Option<commit::UnderWay>,
    health: StorageHealth,
    pressure: Pressure,
    /// Since when as much waits in memory as is written at once; as of the last record.
    heavy_since: Option<Duration>,
    trust: safe::Trust,
    /// Its records come from another ring: they are written, whoever wants them.
    copying: bool,
    stats: Stats,
}

/// What the ring did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes given to the storage.
    pub bytes_written: u64,
    /// Successful syncs.
    pub syncs: u64,
    /// Commits that failed.
    pub failures: u64,
    /// Records that were settled by all before they were written.
    pub held: u64,
    /// Records that were written.
    pub written: u64,
    /// Bytes that all records that were taken would have on disk.
    pub taken_bytes: u64,
    /// Reads that failed, those that succeeded when they were tried again included.
    pub read_failures: u64,
}

impl Ring {
    /// What names the ring outside: half of its id. The other half stays secret, see the format.
    #[must_use]
    pub fn id(&self) -> u32 {
        format::low(self.volume.id >> 32)
    }

    /// The longest record that fits, in bytes.
    #[must_use]
    pub fn record_max(&self) -> usize {
        let room = self.volume.geometry.segment_len as usize - segment::HEADER_LEN;
        let marked = record::frame_len(record::BASE_LEN) + record::HEADER_LEN;
        room.saturating_sub(marked).min(format::BODY_MAX)
    }

    /// Takes a record for the streams of `mask`, in memory. Never touches the disk.
    /// Precondition: mask is not empty.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn append(&mut self, mask: StreamSet, now: Now, body: &[u8]) -> Result<Seq, AppendError> {
        if body.len() > self.record_max() {
            return Err(AppendError::TooLong);
        }
        self.note_date(now);
        self.append_received(mask, now, now.mono, body)
    }

    /// The same of a record that was received before.
    fn append_received(
        &mut self,
        mask: StreamSet,
        received: Now,
        mono: Duration,
        body: &[u8],
    ) -> Result<Seq, AppendError> {
        let room = self.check_room(body.len());
        self.pressure.answered(body.len(), room);
        room?;
        let seq = self.progress.number();
        // Streams that were removed since the mask was made want nothing.
        let wanted = self.table.unsettled(mask.0, seq);
        self.table.append(wanted);
        let entry = queue::QueueEntry {
            seq,
            mask: wanted,
            received,
            body: self.rooms.body(body),
        };
        self.queue.push(entry, mono);
        self.note_weight(mono);
        self.trust_if_degraded();
        self.stats.taken_bytes += record::frame_len(body.len()) as u64;
        self.release();
        Ok(Seq(seq))
    }

    /// Says whether the destination is connected: a record whose streams all are waits `hold`.
    pub fn set_connected(&mut self, stream: StreamId, connected: bool) {
        if let Some(stream) = self.table.stream_mut(stream) {
            stream.connected = connected;
        }
    }

    /// What became of what a stream wanted.
    #[must_use]
    pub fn counters(&self, stream: StreamId) -> Counters {
        let Some(found) = self.table.stream(stream) else {
            return Counters::default();
        };
        Counters::of(&found.tally, self.backlog(stream))
    }

    fn backlog(&self, id: StreamId) -> u64 {
        let written = self.progress.begun().of(id);
        let stream = self.table.stream(id);
        stream.map_or(0, |stream| stream.backlog(written))
    }

    /// Bytes of segments, and of those that hold what a stream has not settled.
    #[must_use]
    pub fn size_and_used(&self) -> (u64, u64) {
        let open = self
            .table
            .attached()
            .filter(|(id, _)| self.backlog(*id) > 0);
        let oldest = open.map(|(_, stream)| stream.settled().seq).min();
        let used = oldest.map_or(0, |oldest| {
            let count = self.segments.len();
            count - self.segments.index_of(oldest).min(count)
        });
        (
            self.volume.geometry.len(),
            used as u64 * u64::from(self.volume.geometry.segment_len),
        )
    }

    /// What it did since it was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            read_failures: self.stats.read_failures + self.volume.storage.read_failures(),
            ..self.stats
        }
    }

    /// Every record numbered below is on disk, or was settled before it had to be.
    fn durable(&self) -> u64 {
        let first = self.queue.first();
        first.map_or(self.progress.next_seq(), |entry| entry.seq)
    }

    /// Behind all records.
    fn end_mark(&self, id: StreamId) -> Mark {
        Mark {
            seq: self.progress.next_seq(),
            ord: self.progress.begun().of(id),
        }
    }

    /// Before all records that are on disk; before the number `otherwise`, where none are.
    fn oldest_mark(&self, id: StreamId, otherwise: u64) -> Mark {
        Mark {
            seq: self.segments.oldest_seq().unwrap_or(otherwise),
            ord: self.segments.tail().of(id),
        }
    }

    /// Lets go of what waits and was settled by all that wanted it.
    fn release(&mut self) {
        while !self.copying && self.queue.begun() == 0 {
            let Some(entry) = self.queue.first() else {
                return;
            };
            // Only from the front: what is behind an open one is let go when a commit comes by.
            if self.table.unsettled(entry.mask, entry.seq) != 0 {
                return;
            }
            if let Some(gone) = self.queue.pop() {
                self.rooms.take_back(gone.body);
            }
            self.stats.held += 1;
        }
    }
}

#[cfg(test)]
mod backfill_tests;
#[cfg(test)]
mod bound_tests;
#[cfg(test)]
mod crowd_tests;
#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod hold_tests;
#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod read_failure_tests;
#[cfg(test)]
pub(crate) mod sim;
#[cfg(test)]
mod tests;
