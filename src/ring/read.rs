//! Reading: each stream goes through disk, the commit under way and what waits, and settles what
//! it read. Never reads bytes of a commit under way from the storage.

use super::IoError;
use super::Mask;
use super::Record;
use super::Ring;
use super::Seq;
use super::Settled;
use super::StreamId;
use super::older::Older;
use super::patience::Patience;
use super::read_buffer::read_header;
use super::record::HEADER_LEN;
use super::segments::Span;
use super::table::Cause;
use super::table::Spot;
use super::table::Stream;
use super::table::Written;
use super::times::Arrival;
use super::times::Boots;
use super::times::Received;
use super::walk::Found;
use super::walk::Walk;
use super::walk::len_u32;
use crate::clock::Now;
use std::time::Duration;

impl Ring {
    /// Lends the stream its next record and moves its reading place on. In flight from here on:
    /// the ring counts it as backlog until it is settled. Reads at most one segment and the
    /// headers of others. None also while its next record cannot be read: see
    /// [`Ring::next_read`].
    pub fn read(&mut self, stream: StreamId, now: Now) -> Option<Record<'_>> {
        self.try_read(stream, now).ok().flatten()
    }

    /// When what could not be read is worth another try: the earliest such moment after `after`,
    /// for whatever stream; none if everything could be read.
    #[must_use]
    pub fn next_read(&self, after: Duration) -> Option<Duration> {
        let again = self.table.attached().filter_map(|(_, s)| s.unread.again());
        again.filter(|again| *again > after).min()
    }

    /// The streams whose next record could not be read.
    #[must_use]
    pub fn unreadable(&self) -> Mask {
        let failing = self.table.attached().filter(|(_, s)| s.unread.is_failing());
        failing.fold(Mask::default(), |mask, (id, _)| mask | id.mask())
    }

    /// Does the same as [`Ring::read`], and tells nothing left from not readable now.
    pub(super) fn try_read(
        &mut self,
        id: StreamId,
        now: Now,
    ) -> Result<Option<Record<'_>>, IoError> {
        if self.unread(id).is_some_and(|unread| unread.waits(now.mono)) {
            return Err(IoError::Io);
        }
        let place = self.seek(id);
        if let Some(stream) = self.table.stream_mut(id) {
            match place {
                Ok(_) => stream.unread.succeeded(),
                Err(_) => stream.unread.failed(now.mono),
            }
        }
        match place? {
            Some(Place::Disk { span, found }) => self.lend_from_disk(id, &span, &found, now),
            Some(Place::Memory { index }) => Ok(self.lend_from_memory(id, index, now)),
            None => Ok(None),
        }
    }

    fn unread(&mut self, id: StreamId) -> Option<&mut Patience> {
        self.table.stream_mut(id).map(|stream| &mut stream.unread)
    }

    fn lend_from_disk(
        &mut self,
        id: StreamId,
        span: &Span,
        found: &Found,
        now: Now,
    ) -> Result<Option<Record<'_>>, IoError> {
        let arrival = Boots::arrival(found.base, found.header.elapsed_ms);
        let received = self.boots.resolve(arrival, now);
        let attached = self.table.stream(id).map_or(0, |stream| stream.attach_seq);
        let offset = found.offset + len_u32(HEADER_LEN);
        let len = usize::from(found.header.len);
        self.slots.lend(len);
        // It was looked at already: nothing is read again.
        let body = self.window.view(&mut *self.storage, span, offset, len)?;
        Ok(body.map(|body| lend(found.seq, (arrival, received), attached <= found.seq, body)))
    }

    fn lend_from_memory(&mut self, id: StreamId, index: usize, now: Now) -> Option<Record<'_>> {
        let entry = self.queue.entry(index)?;
        let arrival = self.boots.fresh(entry.received);
        let received = self.boots.resolve(arrival, now);
        let subscribed = self.table.stream(id)?.attach_seq <= entry.seq;
        Some(lend(
            entry.seq,
            (arrival, received),
            subscribed,
            &entry.body,
        ))
    }

    /// Moves the cursor of a stream over a record that was read. Precondition: in the order in
    /// which they were read.
    pub fn settle(&mut self, stream: StreamId, seq: Seq, how: Settled, now: Now) {
        let durable = self.durable();
        let begun = self.begun_seq;
        let Some(found) = self.table.stream_mut(stream) else {
            return;
        };
        if found.in_flight == 0 || seq.0 < found.cursor_seq {
            debug_assert!(false, "only what was read is settled, once");
            return;
        }
        let written = match seq.0 {
            older if older < found.attach_seq => Written::BeforeAttached,
            taken if taken < begun => Written::Yes,
            _ => Written::No,
        };
        found.settle(seq.0, how, written);
        self.health.stuck = false;
        match seq.0 < durable {
            true => self.slots.moved(now.mono),
            false => self.slots.touch(now.mono),
        }
        self.release();
    }

    /// Puts the reading place of a stream back to its cursor: what was in flight is read again.
    pub fn reread(&mut self, stream: StreamId) {
        let first_seq = self.segments.front().map_or(0, |segment| segment.first_seq);
        let tail_ord = self.tail.of(stream);
        let durable = self.durable();
        if let Some(stream) = self.table.stream_mut(stream) {
            stream.reread(durable);
            stream.drop_before(first_seq, tail_ord);
        }
    }

    /// Settles by hand all that a stream has not settled; says how many that were.
    pub fn purge(&mut self, stream: StreamId, now: Now) -> u64 {
        self.reread(stream);
        let count = self.backlog(stream);
        let (next_seq, cum) = (self.next_seq, self.cum.of(stream));
        if let Some(stream) = self.table.stream_mut(stream) {
            stream.tally.by_hand += count;
            stream.read_seq = next_seq;
            stream.read_ord = cum;
            stream.cursor_ord = cum;
            stream.waiting = 0;
            stream.older = Older::default();
            stream.on_disk = false;
            stream.follow();
        }
        self.health.stuck = false;
        self.slots.moved(now.mono);
        self.release();
        count
    }

    /// Finds the next record of a stream and moves its reading place behind it.
    fn seek(&mut self, id: StreamId) -> Result<Option<Place>, IoError> {
        match self.seek_on_disk(id)? {
            Some(place) => Ok(Some(place)),
            None => Ok(self.seek_in_memory(id)),
        }
    }

    fn seek_in_memory(&mut self, id: StreamId) -> Option<Place> {
        let durable = self.durable();
        let begun = self.begun_seq;
        let end = self.next_seq;
        let stream = self.table.stream_mut(id)?;
        let attached = if stream.from_oldest {
            stream.attach_seq
        } else {
            0
        };
        let from = stream.read_seq.max(durable);
        let index = self.queue.find(from, id.bit(), attached);
        let Some((index, seq)) = index.and_then(|i| Some((i, self.queue.entry(i)?.seq))) else {
            stream.read_seq = end;
            stream.follow_if_idle();
            return None;
        };
        stream.lend(seq);
        match seq {
            older if older < stream.attach_seq => {}
            taken if taken < begun => stream.read_ord += 1,
            _ => stream.waiting_read += 1,
        }
        Some(Place::Memory { index })
    }

    fn seek_on_disk(&mut self, id: StreamId) -> Result<Option<Place>, IoError> {
        loop {
            let durable = self.durable();
            let (all, doubt) = (self.cum_durable.of(id), self.doubt);
            let Some(stream) = self.table.stream_mut(id) else {
                return Ok(None);
            };
            let exact = stream.read_seq >= doubt && !stream.reads_older();
            if stream.read_seq >= durable || exact && stream.read_ord >= all {
                stream.leave_disk(durable, all);
                return Ok(None);
            }
            let Some((index, mut spot)) = self.spot(id)? else {
                return Ok(None);
            };
            let Some(span) = self.span(index) else {
                return Ok(None);
            };
            match self.seek_in_segment(id, index, &span, &mut spot) {
                Ok(Some(found)) => return Ok(Some(Place::Disk { span, found })),
                Ok(None) => self.leave_segment(id, index, spot),
                Err(error) => {
                    // The next try goes on where this one stopped.
                    if let Some(stream) = self.table.stream_mut(id) {
                        stream.spot = Some(spot);
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
        span: &Span,
        spot: &mut Spot,
    ) -> Result<Option<Found>, IoError> {
        let head = index + 1 == self.segments.len();
        if !head && spot.end_ord.is_none() && !spot.end_unread {
            let end = self.end_ord(id, index);
            spot.end_unread = end.is_err();
            spot.end_ord = end.unwrap_or_default();
        }
        let doubt = self.doubt;
        loop {
            let Some(stream) = self.table.stream_mut(id) else {
                return Ok(None);
            };
            let exact = stream.read_seq >= doubt && !stream.reads_older();
            if exact && spot.end_ord.is_some_and(|end| stream.read_ord >= end) {
                return Ok(None);
            }
            let mut walk = spot.walk;
            let Some(found) = walk.next(span, &mut self.window, &mut *self.storage)? else {
                spot.walk = walk;
                if spot.end_unread {
                    spot.end_ord = self.end_ord(id, index)?;
                    spot.end_unread = false;
                }
                return Ok(None);
            };
            let wanted = stream.wants(id, &found, span);
            let storage = &mut *self.storage;
            let sound = wanted && found.body(span, &mut self.window, storage)?.is_some();
            // Not before: what cannot be read is met again.
            spot.walk = walk;
            if wanted && !sound {
                stream.pass_damaged(found.seq);
            }
            if !sound {
                continue;
            }
            stream.lend(found.seq);
            stream.on_disk = true;
            stream.read_ord += u64::from(stream.attach_seq <= found.seq);
            stream.spot = Some(*spot);
            return Ok(Some(found));
        }
    }

    /// Moves the reading place behind a segment. What was written in it for the stream and not
    /// met is damaged, or was about to be given up when the power went away.
    fn leave_segment(&mut self, id: StreamId, index: usize, spot: Spot) {
        let next = self.segments.get(index + 1).map(|next| next.first_seq);
        let durable = self.durable();
        let cause = match spot.generation < self.exposed_below {
            true => Cause::Overwritten,
            false => Cause::Rot,
        };
        let (seq, written) = match next {
            Some(first_seq) => (first_seq, spot.end_ord),
            None => (durable, Some(self.cum_durable.of(id))),
        };
        let Some(stream) = self.table.stream_mut(id) else {
            return;
        };
        stream.read_seq = stream.read_seq.max(seq);
        // What is appended to the head later begins where this walk ended.
        stream.spot = next.is_none().then_some(spot);
        if let Some(written) = written.filter(|_| stream.attach_seq <= seq) {
            stream.believe(seq, written, cause);
        }
        stream.follow_if_idle();
    }

    /// Where the reading place of a stream is on disk.
    fn spot(&mut self, id: StreamId) -> Result<Option<(usize, Spot)>, IoError> {
        let Some((index, generation)) = self.place_of(id) else {
            return Ok(None);
        };
        let known = self.table.stream(id).and_then(|stream| stream.spot);
        if let Some(spot) = known.filter(|spot| spot.generation == generation) {
            return Ok(Some((index, spot)));
        }
        let Some(span) = self.span(index) else {
            return Ok(None);
        };
        let header = read_header(&mut *self.storage, span.at)?;
        let base = header
            .filter(|header| header.generation == generation)
            .map(|h| h.base);
        let walk = Walk::new(&span, base);
        let spot = Spot {
            generation,
            walk,
            end_ord: None,
            end_unread: false,
        };
        Ok(Some((index, spot)))
    }

    /// The segment in which the reading place of a stream is.
    fn place_of(&self, id: StreamId) -> Option<(usize, u64)> {
        let seq = self.table.stream(id)?.read_seq;
        let after = self
            .segments
            .partition_point(|segment| segment.first_seq <= seq);
        let index = after.saturating_sub(1);
        Some((index, self.segments.get(index)?.generation))
    }

    /// Gives up what a stream has not read of the segment at its reading place: for a storage that
    /// will not come back. It counts as damaged.
    pub(super) fn pass_unreadable(&mut self, id: StreamId) {
        let place = self.place_of(id);
        let known = self.table.stream(id).and_then(|stream| stream.spot);
        if let Some((index, generation)) = place
            && let Some(span) = self.span(index)
        {
            let known = known.filter(|spot| spot.generation == generation);
            let spot = known.unwrap_or_else(|| Spot {
                generation,
                walk: Walk::new(&span, None),
                end_ord: None,
                end_unread: false,
            });
            self.leave_segment(id, index, spot);
        }
        if let Some(unread) = self.unread(id) {
            unread.succeeded();
        }
    }

    /// The segment at `index`, as far as it is on disk.
    pub(super) fn span(&self, index: usize) -> Option<Span> {
        let segment = self.segments.get(index)?;
        let next = self.segments.get(index + 1);
        Some(segment.span(
            self.geometry,
            self.id,
            next.map_or(u64::MAX, |next| next.first_seq),
        ))
    }

    fn end_ord(&mut self, id: StreamId, index: usize) -> Result<Option<u64>, IoError> {
        let Some(next) = self.segments.get(index + 1).copied() else {
            return Ok(None);
        };
        let at = self.geometry.offset(next.generation);
        let header = read_header(&mut *self.storage, at)?;
        let header = header.filter(|header| header.generation == next.generation);
        Ok(header.map(|header| header.cum.of(id)))
    }
}

/// Where a record is.
#[derive(Clone, Copy)]
enum Place {
    Disk { span: Span, found: Found },
    Memory { index: usize },
}

impl Stream {
    /// Whether a record on disk is one that it has yet to read.
    fn wants(&self, id: StreamId, found: &Found, span: &Span) -> bool {
        let ahead = self.read_seq <= found.seq && found.seq < span.seq_end;
        let subscribed = match self.attach_seq <= found.seq {
            true => found.header.mask & id.bit() != 0,
            false => self.from_oldest,
        };
        found.is_data() && ahead && subscribed
    }

    fn lend(&mut self, seq: u64) {
        if self.in_flight == 0 {
            self.cursor_seq = self.cursor_seq.max(seq);
        }
        self.in_flight += 1;
        self.read_seq = seq + 1;
    }

    /// Nothing is left on disk, where `all` were written: what was not met is damaged.
    fn leave_disk(&mut self, durable: u64, all: u64) {
        self.read_seq = self.read_seq.max(durable);
        if std::mem::take(&mut self.on_disk) && self.attach_seq <= durable {
            self.believe(durable, all, Cause::Rot);
        }
        self.follow_if_idle();
    }

    /// A damaged record is not counted here: at the end of the segment what was written and not
    /// met is known, and so what a power cut tore before it was ever safe does not count.
    fn pass_damaged(&mut self, seq: u64) {
        self.read_seq = seq + 1;
        self.follow_if_idle();
    }

    fn follow_if_idle(&mut self) {
        if self.in_flight == 0 {
            self.follow();
        }
    }
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
    }
}
