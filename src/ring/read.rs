//! Reading: each stream goes through disk, the commit under way and what waits, and settles what
//! it read. Never reads bytes of a commit under way from the storage.

use super::Record;
use super::Ring;
use super::Seq;
use super::Settled;
use super::StreamId;
use super::older::Older;
use super::record::HEADER_LEN;
use super::recover::read_header;
use super::table::Cause;
use super::table::Spot;
use super::table::Stream;
use super::table::Written;
use super::times::Received;
use super::walk::Found;
use super::walk::Span;
use super::walk::Walk;
use super::walk::len_u32;
use crate::clock::Now;

impl Ring {
    /// Lends the stream its next record and moves its reading place on. In flight from here on:
    /// the ring counts it as backlog until it is settled. Reads at most one segment and the
    /// headers of others.
    pub fn read(&mut self, stream: StreamId, now: Now) -> Option<Record<'_>> {
        match self.seek(stream)? {
            Place::Disk { span, found } => {
                let received = self.boots.resolve(found.base, found.header.elapsed_ms, now);
                let subscribed = self.table.stream(stream)?.attach_seq <= found.seq;
                let offset = found.offset + len_u32(HEADER_LEN);
                let len = usize::from(found.header.len);
                self.slots.lend(len);
                let body = self.window.view(&mut *self.storage, &span, offset, len)?;
                Some(lend(found.seq, received, subscribed, body))
            }
            Place::Memory { index } => {
                let entry = self.queue.entry(index)?;
                let received = self.boots.resolve_fresh(entry.received, now);
                let subscribed = self.table.stream(stream)?.attach_seq <= entry.seq;
                Some(lend(entry.seq, received, subscribed, &entry.body))
            }
        }
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
    fn seek(&mut self, id: StreamId) -> Option<Place> {
        if let Some(place) = self.seek_on_disk(id) {
            return Some(place);
        }
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

    fn seek_on_disk(&mut self, id: StreamId) -> Option<Place> {
        loop {
            let durable = self.durable();
            let (all, doubt) = (self.cum_durable.of(id), self.doubt);
            let stream = self.table.stream_mut(id)?;
            let exact = stream.read_seq >= doubt && !stream.reads_older();
            if stream.read_seq >= durable || exact && stream.read_ord >= all {
                stream.leave_disk(durable, all);
                return None;
            }
            let (index, mut spot) = self.spot(id)?;
            let span = self.span(index)?;
            if let Some(found) = self.seek_in_segment(id, index, &span, &mut spot) {
                return Some(Place::Disk { span, found });
            }
            self.leave_segment(id, index, spot);
        }
    }

    /// The next record of a stream in the segment in which its reading place is.
    fn seek_in_segment(
        &mut self,
        id: StreamId,
        index: usize,
        span: &Span,
        spot: &mut Spot,
    ) -> Option<Found> {
        let head = index + 1 == self.segments.len();
        if !head && spot.end_ord.is_none() {
            spot.end_ord = self.end_ord(id, index);
        }
        let doubt = self.doubt;
        loop {
            let stream = self.table.stream_mut(id)?;
            let exact = stream.read_seq >= doubt && !stream.reads_older();
            if exact && spot.end_ord.is_some_and(|end| stream.read_ord >= end) {
                return None;
            }
            let found = spot.walk.next(span, &mut self.window, &mut *self.storage)?;
            if !stream.wants(id, &found, span) {
                continue;
            }
            if self.window.body(&mut *self.storage, span, &found).is_none() {
                stream.pass_damaged(found.seq);
                continue;
            }
            stream.lend(found.seq);
            stream.on_disk = true;
            stream.read_ord += u64::from(stream.attach_seq <= found.seq);
            stream.spot = Some(*spot);
            return Some(found);
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
    fn spot(&mut self, id: StreamId) -> Option<(usize, Spot)> {
        let stream = self.table.stream(id)?;
        let seq = stream.read_seq;
        let after = self
            .segments
            .partition_point(|segment| segment.first_seq <= seq);
        let index = after.saturating_sub(1);
        let generation = self.segments.get(index)?.generation;
        if let Some(spot) = stream.spot.filter(|spot| spot.generation == generation) {
            return Some((index, spot));
        }
        let span = self.span(index)?;
        let header = read_header(&mut *self.storage, span.at);
        let base = header
            .filter(|header| header.generation == generation)
            .map(|h| h.base);
        let walk = Walk::new(&span, base);
        Some((
            index,
            Spot {
                generation,
                walk,
                end_ord: None,
            },
        ))
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

    fn end_ord(&mut self, id: StreamId, index: usize) -> Option<u64> {
        let next = self.segments.get(index + 1)?;
        let (generation, at) = (next.generation, self.geometry.offset(next.generation));
        let header = read_header(&mut *self.storage, at)?;
        (header.generation == generation).then(|| header.cum.of(id))
    }
}

/// Where a record is.
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

fn lend(seq: u64, received: Received, subscribed: bool, body: &[u8]) -> Record<'_> {
    Record {
        seq: Seq(seq),
        received: received.wall,
        age: received.age,
        subscribed,
        body,
    }
}
