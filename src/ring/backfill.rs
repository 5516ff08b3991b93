//! What lies before the place where a stream was attached: how much of it the stream wants,
//! counted in one pass over the ring, a little at a time. Not how it is read for sending.
//!
//! Nobody counted these records for the stream when they were written. Until the pass is through,
//! what is told is an estimate. Should room be made meanwhile, the pass begins again; what was
//! known stands until it is through, and what it then did not meet was dropped.

use super::IoError;
use super::Ring;
use super::Settled;
use super::StreamId;
use super::cursor::Cursor;
use super::format::BODY_MAX;
use super::read_buffer::ReadBuffer;
use super::record_iter::RecordIter;
use crate::clock::Now;

/// How many older records a stream has not settled, as far as the pass came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backfill {
    /// As an earlier pass knew it.
    known: u64,
    /// Those that this pass has met.
    met: u64,
    /// Where this pass began; it waits until all before are settled.
    from: u64,
    /// It has met all before this number.
    seq: u64,
    /// Where that is, and in which segment.
    place: Option<(u64, RecordIter)>,
    through: bool,
}

impl Backfill {
    /// What is told.
    pub(super) fn backlog(&self) -> u64 {
        self.known.max(self.met)
    }

    fn settle(&mut self, seq: u64, how: Settled) {
        let wanted = u64::from(how != Settled::Unwanted);
        self.known = self.known.saturating_sub(wanted);
        self.met = self.met.saturating_sub(wanted);
        self.seq = self.seq.max(seq + 1);
    }

    fn begin_again(&mut self, seq: u64) {
        *self = Self {
            known: self.backlog(),
            from: seq,
            seq,
            ..Self::default()
        };
    }
}

impl Cursor {
    /// Settles a record that is older than the stream.
    pub(super) fn settle_older(&mut self, seq: u64, how: Settled) {
        self.older.settle(seq, how);
    }

    /// Records before `seq` are gone.
    pub(super) fn drop_older(&mut self, seq: u64) {
        if self.reads_older() && self.reading().seq.min(self.older.seq) < seq {
            self.older.begin_again(seq);
        }
    }

    /// Whether records of the ring up to `seq` are older ones that it has not settled.
    pub(super) fn waits_for_older(&self, seq: u64) -> bool {
        self.is_from_oldest() && self.settled().seq < seq.min(self.attach_seq())
    }

    /// Behind the older ones: of those that were known and did not come nothing is left.
    pub(super) fn leave_older(&mut self) {
        if self.settled().seq < self.attach_seq() {
            return;
        }
        let older = std::mem::take(&mut self.older);
        match older.through {
            true => self.tally.corrupt += older.backlog(),
            false => self.tally.dropped += older.backlog(),
        }
    }

    fn counts_older(&self) -> bool {
        let open = self.is_from_oldest() && self.settled().seq < self.attach_seq();
        open && !self.older.through && self.older.from <= self.settled().seq
    }

    fn counted_older(&mut self) {
        self.tally.dropped += self.older.known.saturating_sub(self.older.met);
        self.older.known = self.older.met;
        self.older.through = true;
    }
}

impl Ring {
    /// Counts on what waits for a stream that was attached with [`super::From::Oldest`] and is
    /// older than the stream; `wanted` decides as it does when reading. Says whether there is
    /// more to count. Reads at most 64 KiB, and a hole, which is shorter than a segment; what
    /// cannot be read is tried again later.
    pub fn count_older(
        &mut self,
        stream: StreamId,
        now: Now,
        wanted: &dyn Fn(&[u8]) -> bool,
    ) -> bool {
        let Some(found) = self.table.stream(stream).filter(|s| s.counts_older()) else {
            return false;
        };
        if found.waits_to_read(now.mono) {
            return true;
        }
        let (mut older, end) = (found.older, found.attach_seq());
        // What was settled meanwhile is behind the cursor and not met a second time.
        older.seq = older.seq.max(found.settled().seq);
        let Ok(turn) = self.count_older_once(&mut older, end, wanted) else {
            if let Some(found) = self.table.stream_mut(stream) {
                found.older = older;
                found.read_failed(now.mono);
            }
            return true;
        };
        // What is still in memory is counted when it is on disk: it has to be met there once.
        let through = turn == Pass::Through && end <= self.durable();
        if let Some(found) = self.table.stream_mut(stream) {
            found.older = older;
            if through {
                found.counted_older();
            }
        }
        turn == Pass::More
    }

    fn count_older_once(
        &mut self,
        older: &mut Backfill,
        end: u64,
        wanted: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Pass, IoError> {
        let index = self.segments.index_of(older.seq);
        let (Some(segment), Some(span)) = (self.segments.get(index), self.span(index)) else {
            return Ok(Pass::Through);
        };
        let generation = segment.generation;
        let place = older.place.filter(|(at, _)| *at == generation);
        let mut iter = place.map_or_else(|| RecordIter::new(&span, None), |(_, iter)| iter);
        // A buffer of its own: the pass goes elsewhere than the streams that read now.
        let mut buffer = ReadBuffer::default();
        while buffer.bytes_read() < COUNT_BYTES {
            let Some(found) = iter.next_record(&span, &mut buffer, &mut *self.volume.storage)?
            else {
                let next = self.segments.get(index + 1);
                older.seq = next.map_or(older.seq, |next| next.first_seq.max(older.seq));
                older.place = Some((generation, iter));
                return Ok(next.map_or(Pass::Through, |_| Pass::More));
            };
            if found.seq >= end {
                return Ok(Pass::Through);
            }
            if found.is_data() && (older.seq..span.seq_end).contains(&found.seq) {
                let body = found.body(&span, &mut buffer, &mut *self.volume.storage)?;
                older.met += u64::from(body.is_some_and(wanted));
                older.seq = found.seq + 1;
            }
            older.place = Some((generation, iter));
        }
        Ok(Pass::More)
    }
}

/// How far a turn came.
#[derive(PartialEq, Eq)]
enum Pass {
    More,
    Through,
}

/// A turn ends behind the record that reaches this: in all at most 64 KiB.
const COUNT_BYTES: u64 = 64 * 1024 - BODY_MAX as u64 - 8 * 1024;
