//! Reading: each stream goes through disk, the commit under way and what waits, and settles what
//! it read. Never reads bytes of a commit under way from the storage.
//!
//! A stream finds its next record by number, and knows by counting when there is none. Between two
//! records that it wants there may be thousands for others, so most of the time is spent in passing
//! those; the counts that headers and the ring keep for each stream say when to stop, without a
//! look at what is left. The same counts say, at the end of each segment, how many records were
//! there and were not met: those are damaged, or gone.

pub(super) mod peek;

use super::IoError;
use super::Record;
use super::Ring;
use super::Seq;
use super::Settled;
use super::StreamId;
use super::StreamSet;
use super::cursor::Spot;
use super::format::Counts;
use super::record_iter::FoundRecord;
use super::record_iter::RecordIter;
use super::segments::SegmentSpan;
use super::times::Arrival;
use super::times::Boots;
use super::times::Received;
use crate::clock::Now;
use std::time::Duration;

impl Ring {
    /// Lends the stream its next record and moves its reading place on. Unsettled from here on:
    /// the ring counts it as backlog until it is settled. Reads at most one segment and the
    /// headers of others. None also while its next record cannot be read: see
    /// [`Ring::next_read`].
    pub fn read(&mut self, stream: StreamId, now: Now) -> Option<Record<'_>> {
        self.try_read(stream, now).ok().flatten()
    }

    /// The same for who sends it. With a [`Settings::hold`] of zero none also while its next
    /// record is not on disk: all are written then, however quick a destination is. A disk that
    /// fails or has no room holds nobody up.
    ///
    /// [`Settings::hold`]: super::Settings::hold
    pub fn read_to_send(&mut self, stream: StreamId, now: Now) -> Option<Record<'_>> {
        let is_written = !self.is_degraded() && self.pressure.lets_write();
        let waits = self.writes_first() && is_written;
        let from = if waits { ReadFrom::Disk } else { ReadFrom::All };
        self.read_from(stream, from, now).ok().flatten()
    }

    /// When what could not be read is worth another try: the earliest such moment after `after`,
    /// for whatever stream; none if everything could be read.
    #[must_use]
    pub fn next_read(&self, after: Duration) -> Option<Duration> {
        let again = self.table.attached().filter_map(|(_, s)| s.reads_again());
        again.filter(|again| *again > after).min()
    }

    /// The streams whose next record could not be read.
    #[must_use]
    pub fn unreadable(&self) -> StreamSet {
        let failing = self.table.attached().filter(|(_, s)| s.is_unreadable());
        failing.fold(StreamSet::default(), |mask, (id, _)| mask | id.mask())
    }

    /// Does the same as [`Ring::read`], and tells nothing left from not readable now.
    pub(super) fn try_read(
        &mut self,
        id: StreamId,
        now: Now,
    ) -> Result<Option<Record<'_>>, IoError> {
        self.read_from(id, ReadFrom::All, now)
    }

    fn read_from(
        &mut self,
        id: StreamId,
        from: ReadFrom,
        now: Now,
    ) -> Result<Option<Record<'_>>, IoError> {
        // A disk may need seconds to fail, and all of the gateway waits for it meanwhile.
        let stream = self.table.stream(id);
        if stream.is_some_and(|stream| stream.waits_to_read(now.mono)) {
            return Err(IoError::Io);
        }
        let place = self.seek(id, from);
        if let Some(stream) = self.table.stream_mut(id) {
            match place {
                Ok(_) => stream.read_succeeded(),
                Err(_) => stream.read_failed(now.mono),
            }
        }
        match place? {
            Some(RecordPlace::Disk { span, found }) => self.lend_from_disk(id, &span, &found, now),
            Some(RecordPlace::Memory { index }) => Ok(self.lend_from_memory(id, index, now)),
            None => Ok(None),
        }
    }

    fn lend_from_disk(
        &mut self,
        id: StreamId,
        span: &SegmentSpan,
        found: &FoundRecord,
        now: Now,
    ) -> Result<Option<Record<'_>>, IoError> {
        let arrival = Boots::arrival(found.base, found.header.elapsed_ms);
        let received = self.boots.resolve(arrival, now);
        let stream = self.table.stream(id);
        let subscribed = stream.is_none_or(|stream| stream.is_subscribed(found.seq));
        self.slots.note_bytes_read(usize::from(found.header.len));
        // It was looked at already: nothing is read again, and its check sum is known to be right.
        let body = self.volume.body_again(span, found)?;
        Ok(body.map(|body| lend(found.seq, (arrival, received), subscribed, body)))
    }

    fn lend_from_memory(&mut self, id: StreamId, index: usize, now: Now) -> Option<Record<'_>> {
        let entry = self.queue.entry(index)?;
        let arrival = self.boots.fresh(entry.received);
        let received = self.boots.resolve(arrival, now);
        let subscribed = self.table.stream(id)?.is_subscribed(entry.seq);
        let record = lend(entry.seq, (arrival, received), subscribed, &entry.body);
        Some(Record {
            shared: Some(&entry.body),
            ..record
        })
    }

    /// Moves the cursor of a stream over a record that was read. Precondition: in the order in
    /// which they were read.
    pub fn settle(&mut self, stream: StreamId, seq: Seq, how: Settled, now: Now) {
        let durable = self.durable();
        let begun = self.progress.begun_seq();
        let Some(found) = self.table.stream_mut(stream) else {
            return;
        };
        if !found.can_settle(seq.0) {
            debug_assert!(false, "only what was read is settled, once");
            return;
        }
        found.settle(seq.0, how, begun);
        // What the cursor has passed may be given up now: a full ring has room again.
        self.pressure.loosen();
        // Without a new slot a crash has a record that is on disk sent once more. One that never
        // was on disk is gone then, and the slot is only for the counters: there is no hurry.
        match seq.0 < durable {
            true => self.slots.note_cursor_moved(now.mono),
            false => self.slots.note_counter_changed(now.mono),
        }
        self.release();
    }

    /// Puts the reading place of a stream back to its cursor: what was unsettled is read again.
    pub fn reread(&mut self, stream: StreamId) {
        let durable = self.durable();
        // With no segment on disk there is nothing that could be gone.
        let oldest = self.oldest_mark(stream, 0);
        if let Some(stream) = self.table.stream_mut(stream) {
            stream.reread(durable);
            // The segment that the cursor is in may have been given up while its records were
            // unsettled: those were safe with their reader, who has forgotten them now.
            stream.drop_before(oldest);
        }
    }

    /// Settles by hand all that a stream has not settled; says how many that were.
    pub fn purge(&mut self, stream: StreamId, now: Now) -> u64 {
        self.reread(stream);
        let count = self.backlog(stream);
        let end = self.end_mark(stream);
        if let Some(stream) = self.table.stream_mut(stream) {
            stream.purge(count, end);
        }
        self.pressure.loosen();
        self.slots.note_cursor_moved(now.mono);
        self.release();
        count
    }

    /// Finds the next record of a stream and moves its reading place behind it.
    fn seek(&mut self, id: StreamId, from: ReadFrom) -> Result<Option<RecordPlace>, IoError> {
        match (self.seek_on_disk(id)?, from) {
            (Some(place), _) => Ok(Some(place)),
            (None, ReadFrom::Disk) => Ok(None),
            // Numbers in memory are larger than all on disk.
            (None, ReadFrom::All) => Ok(self.seek_in_memory(id)),
        }
    }

    fn seek_in_memory(&mut self, id: StreamId) -> Option<RecordPlace> {
        let durable = self.durable();
        let (begun, end) = (self.progress.begun_seq(), self.progress.next_seq());
        let stream = self.table.stream_mut(id)?;
        let from = stream.reading().seq.max(durable);
        let index = self
            .queue
            .find_wanted(from, id.bit(), stream.wants_all_below());
        let found = index.and_then(|index| Some((index, self.queue.entry(index)?.seq)));
        let Some((index, seq)) = found else {
            stream.leave_memory(end);
            return None;
        };
        stream.lend(seq, begun);
        Some(RecordPlace::Memory { index })
    }

    fn seek_on_disk(&mut self, id: StreamId) -> Result<Option<RecordPlace>, IoError> {
        loop {
            let durable = self.durable();
            let written = self.progress.durable().of(id);
            let certain_from = self.doubts.certain_from();
            let Some(stream) = self.table.stream_mut(id) else {
                return Ok(None);
            };
            // A stream that has met all that was written for it is done with the disk, however
            // much is there for others.
            if stream.reading().seq >= durable || stream.has_met(written, certain_from) {
                stream.leave_disk(durable, written);
                return Ok(None);
            }
            let Some((index, mut spot)) = self.find_spot(id)? else {
                return Ok(None);
            };
            let Some(span) = self.span(index) else {
                return Ok(None);
            };
            match self.seek_in_segment(id, index, &span, &mut spot) {
                Ok(Some(found)) => return Ok(Some(RecordPlace::Disk { span, found })),
                Ok(None) => self.leave_segment(id, index, spot),
                Err(error) => {
                    // The next try goes on where this one stopped.
                    if let Some(stream) = self.table.stream_mut(id) {
                        stream.stay_at(spot);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// The next record of a stream in the segment in which its reading place is.
    fn seek_in_segment(
        &mut self,
        id: StreamId,
        index: usize,
        span: &SegmentSpan,
        spot: &mut Spot,
    ) -> Result<Option<FoundRecord>, IoError> {
        // How many there are before the end stands in the next segment's header. If that cannot be
        // read now, what is here can be lent nevertheless.
        if !self.segments.is_newest(index) && spot.end_ord.is_none() && !spot.end_unread {
            let end = self.end_ord(id, index);
            spot.end_unread = end.is_err();
            spot.end_ord = end.unwrap_or_default();
        }
        let certain_from = self.doubts.certain_from();
        let begun = self.progress.begun_seq();
        loop {
            let Some(stream) = self.table.stream_mut(id) else {
                return Ok(None);
            };
            // The rest of the segment is for others.
            let has_met = |end| stream.has_met(end, certain_from);
            if spot.end_ord.is_some_and(has_met) {
                return Ok(None);
            }
            let mut iter = spot.iter;
            let Some(found) = self.volume.next_record(&mut iter, span)? else {
                spot.iter = iter;
                // At the end the count is needed: leaving without it, nobody would ever know what
                // was not met here.
                if spot.end_unread {
                    spot.end_ord = self.end_ord(id, index)?;
                    spot.end_unread = false;
                }
                return Ok(None);
            };
            let wanted = stream.wants(id, &found, span);
            let sound = wanted && self.volume.body(span, &found)?.is_some();
            // Not before: what cannot be read is met again.
            spot.iter = iter;
            if sound {
                stream.lend_from_disk(found.seq, begun, *spot);
                return Ok(Some(found));
            }
            if wanted {
                stream.pass_damaged(found.seq);
            }
        }
    }

    /// Moves the reading place behind a segment. What was written in it for the stream and not
    /// met is damaged, or was about to be given up when the power went away.
    fn leave_segment(&mut self, id: StreamId, index: usize, spot: Spot) {
        let next = self.segments.get(index + 1);
        let durable = self.durable();
        let cause = self.doubts.cause_of_loss(spot.generation);
        let (seq, written) = match next {
            Some(next) => (next.first_seq, spot.end_ord),
            None => (durable, Some(self.progress.durable().of(id))),
        };
        // What is appended to the active segment later begins where this one stopped.
        let spot = next.is_none().then_some(spot);
        if let Some(stream) = self.table.stream_mut(id) {
            stream.leave_segment(seq, spot, written, cause);
        }
    }

    /// Where the reading place of a stream is on disk: as it was left, or before the first record
    /// of its segment.
    fn find_spot(&mut self, id: StreamId) -> Result<Option<(usize, Spot)>, IoError> {
        let Some((index, generation)) = self.segment_of(id) else {
            return Ok(None);
        };
        let known = self.known_spot(id, generation);
        if let Some(spot) = known {
            return Ok(Some((index, spot)));
        }
        let Some(span) = self.span(index) else {
            return Ok(None);
        };
        // Without its header the records of a segment are sound all the same; when they were
        // received is not known.
        let base = self.volume.header(generation)?.map(|header| header.base);
        let spot = Spot::begin(generation, RecordIter::new(&span, base));
        Ok(Some((index, spot)))
    }

    /// A spot is of no use once the reading place is in another segment: it was put back, or what
    /// it was in is given up.
    fn known_spot(&self, id: StreamId, generation: u64) -> Option<Spot> {
        let spot = self.table.stream(id)?.spot();
        spot.filter(|spot| spot.generation == generation)
    }

    /// The segment in which the reading place of a stream is, and its generation.
    fn segment_of(&self, id: StreamId) -> Option<(usize, u64)> {
        let seq = self.table.stream(id)?.reading().seq;
        let index = self.segments.index_of(seq);
        Some((index, self.segments.get(index)?.generation))
    }

    /// Gives up what a stream has not read of the segment at its reading place: for a storage that
    /// will not come back. It counts as damaged.
    pub(super) fn pass_unreadable(&mut self, id: StreamId) {
        if let Some((index, generation)) = self.segment_of(id)
            && let Some(span) = self.span(index)
        {
            let begin = || Spot::begin(generation, RecordIter::new(&span, None));
            let spot = self.known_spot(id, generation).unwrap_or_else(begin);
            self.leave_segment(id, index, spot);
        }
        if let Some(stream) = self.table.stream_mut(id) {
            stream.read_succeeded();
        }
    }

    /// The segment at `index`, as far as it is on disk.
    pub(super) fn span(&self, index: usize) -> Option<SegmentSpan> {
        let (geometry, id) = (self.volume.geometry, self.volume.id);
        self.segments.span(index, geometry, id)
    }

    /// How many records of a stream lie before the end of a segment, if the next header says so.
    fn end_ord(&mut self, id: StreamId, index: usize) -> Result<Option<u64>, IoError> {
        let Some(next) = self.segments.get(index + 1) else {
            return Ok(None);
        };
        let before = self.counted_before(next.generation)?;
        Ok(before.map(|before| before.of(id)))
    }

    /// What was written for each stream before a segment, if its header says so. One that says more
    /// than was ever written says nothing: by it all that follows would be passed.
    pub(super) fn counted_before(&mut self, generation: u64) -> Result<Option<Counts>, IoError> {
        let header = self.volume.header(generation)?;
        let written = self.progress.durable();
        let counts = header.map(|header| header.cum);
        Ok(counts.filter(|counts| counts.is_within(written)))
    }
}

/// Where the next record may be.
#[derive(Clone, Copy)]
enum ReadFrom {
    Disk,
    All,
}

/// Where a record is.
#[derive(Clone, Copy)]
enum RecordPlace {
    Disk {
        span: SegmentSpan,
        found: FoundRecord,
    },
    Memory {
        index: usize,
    },
}

fn lend(
    seq: u64,
    (arrival, received): (Arrival, Received),
    subscribed: bool,
    body: &[u8],
) -> Record<'_> {
    Record {
        seq: Seq(seq),
        received: received.wall,
        arrival,
        age: received.age,
        subscribed,
        body,
        shared: None,
    }
}
