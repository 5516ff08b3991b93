//! The cursor of one stream: how far it has settled, where it reads next, and what became of what
//! it wanted. Knows no bytes of records and no disk.
//!
//! ```text
//!  settled      │ read, and not settled yet    │ not read yet
//!  ─────────────┼──────────────────────────────┼──────────────────────────────────────────────
//!            settled                        reading
//! ```
//! Of each of these two places a [`Mark`] says two things: the number of the next record, which
//! finds it, and how many records that were written for this stream lie before it. The second is
//! what makes counting exact without reading: headers of segments say how many were written, so
//! what was written before a place and was not met on the way there is gone.

mod reading;
mod settling;

use super::backfill::Backfill;
use super::patience::Patience;
use super::record_iter::RecordIter;
use super::slot;
use super::slot::BitState;
use super::slot::StreamTally;
use std::collections::VecDeque;

/// One stream in the ring.
///
/// Always: `reading` is not before `settled`, neither by its number nor by its count; and it is
/// before no more than what is `unsettled`:
/// `reading.ord = settled.ord + unsettled records that were written + holes between them`.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub(super) name: String,
    attached: Attachment,
    /// The first record that it has not settled, or one before. Its count runs ahead of its number
    /// by what was dropped unread while older records were unsettled.
    settled: Mark,
    reading: Reading,
    unsettled: Unsettled,
    waiting: Waiting,
    /// What is older than itself and it has not settled.
    pub(super) older: Backfill,
    pub(super) tally: StreamTally,
    /// Whether its destination can be reached.
    pub(super) connected: bool,
}

/// Whose bit it is, and since when.
#[derive(Clone, Debug)]
struct Attachment {
    state: BitState,
    /// Whether it reads below `seq`, where its subscription was not decided.
    from_oldest: bool,
    /// The number that was next when it was attached: of older records none was written for it.
    seq: u64,
}

/// A place between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The record behind it has at least this number.
    pub(super) seq: u64,
    /// So many records that were written for the stream lie before it.
    pub(super) ord: u64,
}

/// Where a stream reads next.
#[derive(Clone, Debug)]
struct Reading {
    at: Mark,
    /// Where that is on disk, if it is known: always a place in the segment that `at.seq` is in,
    /// or one that was left.
    spot: Option<Spot>,
    /// Whether it has yet to learn how many of its records on disk it did not meet.
    on_disk: bool,
    /// What it wants and cannot be read.
    unread: Patience,
}

/// What lies between the cursor and the reading place. With no record there is no hole: the
/// cursor stands at the reading place then.
#[derive(Clone, Debug, Default)]
struct Unsettled {
    /// Read, and not settled.
    records: u64,
    /// Records that are gone and were passed with others unsettled: counted when the cursor passes
    /// them, since only then they are settled also for a slot, which a crash goes back to.
    holes: VecDeque<Hole>,
}

/// Unsettled records that are in memory only: no commit has taken them, and they count in no
/// ordinal. Those that were `read` are among all, and among the unsettled ones.
#[derive(Clone, Debug, Default)]
struct Waiting {
    all: u64,
    read: u64,
}

/// A place on disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) generation: u64,
    pub(super) iter: RecordIter,
    /// How many records of the stream lie before the end of the segment, if it is sealed and the
    /// next one's header can be read.
    pub(super) end_ord: Option<u64>,
    /// That header could not be read: it is needed when all before it were read.
    pub(super) end_unread: bool,
}

impl Spot {
    /// Before the first record of the segment of this generation.
    pub(super) fn begin(generation: u64, iter: RecordIter) -> Self {
        Self {
            generation,
            iter,
            end_ord: None,
            end_unread: false,
        }
    }
}

/// Records that are gone.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// The first number behind them.
    before: u64,
    count: u64,
    cause: Cause,
}

/// Why records that were written are not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The medium damaged them.
    Rot,
    /// A commit that was cut short had begun to overwrite them.
    Overwritten,
}

/// Whether a record counts among a stream's ordinals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// A commit took it while it was unsettled.
    Yes,
    /// It is only in memory.
    No,
    /// It is older than the stream.
    BeforeAttached,
}

impl Cursor {
    /// A stream that begins here.
    pub(super) fn new(name: &str, at: Mark) -> Self {
        Self::remembered(slot::SavedStream {
            name: name.to_owned(),
            state: BitState::Attached,
            from_oldest: false,
            attach_seq: at.seq,
            cursor_seq: at.seq,
            cursor_ord: at.ord,
            tally: StreamTally::default(),
        })
    }

    /// The same stream, which reads from the older record `seq` on.
    pub(super) fn reading_from(mut self, seq: u64) -> Self {
        self.attached.from_oldest = true;
        self.settled.seq = seq;
        self.reading.at.seq = seq;
        self
    }

    /// A stream as a slot has it; it reads on from its cursor.
    pub(super) fn remembered(stream: slot::SavedStream) -> Self {
        let settled = Mark {
            seq: stream.cursor_seq,
            ord: stream.cursor_ord,
        };
        Self {
            name: stream.name,
            attached: Attachment {
                state: stream.state,
                from_oldest: stream.from_oldest,
                seq: stream.attach_seq,
            },
            settled,
            reading: Reading {
                at: settled,
                spot: None,
                on_disk: true,
                unread: Patience::default(),
            },
            unsettled: Unsettled::default(),
            waiting: Waiting::default(),
            older: Backfill::default(),
            tally: stream.tally,
            connected: false,
        }
    }

    /// What a slot keeps of it, nothing of it beyond `durable`, before which `durable_ord` lie.
    pub(super) fn remember(&self, durable: u64, durable_ord: u64) -> slot::SavedStream {
        slot::SavedStream {
            name: self.name.clone(),
            state: self.attached.state,
            from_oldest: self.attached.from_oldest,
            attach_seq: self.attached.seq,
            cursor_seq: self.saved_seq(durable),
            cursor_ord: self.settled.ord.min(durable_ord),
            tally: self.tally,
        }
    }

    /// A number that is not on disk may be given away anew after a power cut, to another record: a
    /// cursor that was saved beyond it would have that one settled unsent.
    fn saved_seq(&self, durable: u64) -> u64 {
        match self.attached.state {
            BitState::Attached => self.settled.seq.min(durable),
            BitState::Removed => self.settled.seq,
        }
    }

    /// Whether it has its bit.
    pub(super) fn is_attached(&self) -> bool {
        self.attached.state == BitState::Attached
    }

    /// Whether nothing on disk has its bit any more, the oldest segment being `oldest`.
    pub(super) fn is_forgotten(&self, oldest: u64) -> bool {
        !self.is_attached() && self.settled.seq < oldest
    }

    /// Takes its bit away; masks from the segment `head` on do not have it. That is kept in the
    /// place of the cursor, see the format of slots.
    pub(super) fn remove(&mut self, head: u64) {
        self.attached.state = BitState::Removed;
        self.settled.seq = head;
    }

    /// The first record that it has not settled, or one before; and how many lie before that.
    pub(super) fn settled(&self) -> Mark {
        self.settled
    }

    /// Where it reads next.
    pub(super) fn reading(&self) -> Mark {
        self.reading.at
    }

    /// Where that is on disk, if it is known.
    pub(super) fn spot(&self) -> Option<Spot> {
        self.reading.spot
    }

    /// The number that was next when it was attached.
    pub(super) fn attach_seq(&self) -> u64 {
        self.attached.seq
    }

    /// Whether it wants what is older than itself.
    pub(super) fn is_from_oldest(&self) -> bool {
        self.attached.from_oldest
    }

    /// Whether it was decided, when the record came, whether the stream wants it.
    pub(super) fn is_subscribed(&self, seq: u64) -> bool {
        self.attached.seq <= seq
    }

    /// Whether a record that it wants is still before it.
    pub(super) fn is_before(&self, seq: u64) -> bool {
        self.settled.seq <= seq && self.is_subscribed(seq)
    }

    /// Whether records below the place where it was attached are still before it.
    pub(super) fn reads_older(&self) -> bool {
        self.attached.from_oldest && self.reading.at.seq < self.attached.seq
    }

    /// What it has not settled, where `written` records were written for it in all.
    pub(super) fn backlog(&self, written: u64) -> u64 {
        let known =
            written.saturating_sub(self.settled.ord) + self.waiting.all + self.older.backlog();
        // older records are read before the pass has counted them: what is in flight waits as well
        known.max(self.unsettled.records)
    }

    /// Records that were read and not settled.
    pub(super) fn unsettled(&self) -> u64 {
        self.unsettled.records
    }

    /// A record that it wants waits in memory.
    pub(super) fn append(&mut self) {
        self.waiting.all += 1;
    }

    /// A commit has taken the record `seq`, unsettled, out of what waits: it counts from now on.
    pub(super) fn taken(&mut self, seq: u64) {
        self.waiting.all = self.waiting.all.saturating_sub(1);
        if seq < self.reading.at.seq {
            self.waiting.read = self.waiting.read.saturating_sub(1);
            self.reading.at.ord += 1;
        }
    }

    fn written(&self, seq: u64, begun: u64) -> Written {
        match seq {
            older if older < self.attached.seq => Written::BeforeAttached,
            taken if taken < begun => Written::Yes,
            _ => Written::No,
        }
    }
}

#[cfg(test)]
impl Cursor {
    /// Panics where one of them does not hold; `written` records were written for it in all, and
    /// `waiting` unsettled ones wait in memory.
    pub(super) fn check_invariants(&self, written: u64, waiting: u64) {
        let (settled, reading) = (self.settled, self.reading.at);
        assert!(settled.seq <= reading.seq, "{self:?}");
        assert!(settled.ord <= reading.ord, "{self:?}");
        assert!(settled.ord <= written, "{self:?}");
        assert_eq!(self.waiting.all, waiting, "{self:?}");
        assert!(self.waiting.read <= self.waiting.all, "{self:?}");
        assert!(self.waiting.read <= self.unsettled.records, "{self:?}");
        if self.unsettled.records == 0 {
            assert!(self.unsettled.holes.is_empty(), "{self:?}");
            assert_eq!(settled, reading, "{self:?}");
        }
        // Older ones are unsettled and in no ordinal, and how many those are is not kept.
        if settled.seq >= self.attached.seq {
            let holes: u64 = self.unsettled.holes.iter().map(|hole| hole.count).sum();
            let counted = self.unsettled.records - self.waiting.read + holes;
            assert_eq!(reading.ord, settled.ord + counted, "{self:?}");
        }
    }
}
