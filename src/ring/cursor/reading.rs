//! Where a stream reads next, and what it learns of records that are gone on the way there.

use super::Cause;
use super::Cursor;
use super::Hole;
use super::Mark;
use super::Spot;
use super::Unsettled;
use super::Written;
use crate::ring::StreamId;
use crate::ring::record_iter::FoundRecord;
use crate::ring::segments::SegmentSpan;
use std::time::Duration;

impl Cursor {
    /// Whether a record on disk is one that it has yet to read.
    pub(in crate::ring) fn wants(
        &self,
        id: StreamId,
        found: &FoundRecord,
        span: &SegmentSpan,
    ) -> bool {
        // From `seq_end` on records stand again in the next segment, and count there.
        let ahead = self.reading.at.seq <= found.seq && found.seq < span.seq_end;
        let subscribed = match self.is_subscribed(found.seq) {
            true => found.header.mask & id.bit() != 0,
            // Nobody asked when it came: whoever reads it decides.
            false => self.attached.from_oldest,
        };
        found.is_data() && ahead && subscribed
    }

    /// Below this number it wants all that is in memory, whatever their masks say.
    pub(in crate::ring) fn wants_all_below(&self) -> u64 {
        match self.attached.from_oldest {
            true => self.attached.seq,
            false => 0,
        }
    }

    /// Whether it has met `ord` records, and by that all. Where numbers below `certain_from` may
    /// have been counted too low, and among older ones, which nobody counted, that says nothing.
    pub(in crate::ring) fn has_met(&self, ord: u64, certain_from: u64) -> bool {
        let certain = self.reading.at.seq >= certain_from && !self.reads_older();
        certain && self.reading.at.ord >= ord
    }

    /// It has read the record `seq`; a commit has taken all below `begun`.
    pub(in crate::ring) fn lend(&mut self, seq: u64, begun: u64) {
        // With nothing unsettled the cursor may stand anywhere between the last record and this.
        if self.unsettled.records == 0 {
            self.settled.seq = self.settled.seq.max(seq);
        }
        match self.written(seq, begun) {
            Written::Yes => self.reading.at.ord += 1,
            Written::No => self.waiting.read += 1,
            Written::BeforeAttached => {}
        }
        self.unsettled.records += 1;
        self.reading.at.seq = seq + 1;
    }

    /// The same of a record on disk, behind which `spot` is.
    pub(in crate::ring) fn lend_from_disk(&mut self, seq: u64, begun: u64, spot: Spot) {
        self.lend(seq, begun);
        self.reading.on_disk = true;
        self.reading.spot = Some(spot);
    }

    /// It reads on at this place, when it can be read.
    pub(in crate::ring) fn stay_at(&mut self, spot: Spot) {
        self.reading.spot = Some(spot);
    }

    /// A damaged record is not counted here: at the end of the segment what was written and not
    /// met is known, and so what a power cut tore before it was ever safe does not count.
    pub(in crate::ring) fn pass_damaged(&mut self, seq: u64) {
        self.reading.at.seq = seq + 1;
        self.follow_if_idle();
    }

    /// Behind a segment: it reads on at `seq`, or at `spot` in the active segment. If it is known,
    /// `written` records lie before that place.
    pub(in crate::ring) fn leave_segment(
        &mut self,
        seq: u64,
        spot: Option<Spot>,
        written: Option<u64>,
        cause: Cause,
    ) {
        self.reading.at.seq = self.reading.at.seq.max(seq);
        self.reading.spot = spot;
        if let Some(written) = written.filter(|_| self.is_subscribed(seq)) {
            self.reconcile(Mark { seq, ord: written }, cause);
        }
        self.follow_if_idle();
    }

    /// Nothing is left on disk, where `all` were written: what was not met is damaged.
    pub(in crate::ring) fn leave_disk(&mut self, durable: u64, all: u64) {
        self.reading.at.seq = self.reading.at.seq.max(durable);
        if std::mem::take(&mut self.reading.on_disk) && self.is_subscribed(durable) {
            let end = Mark {
                seq: durable,
                ord: all,
            };
            self.reconcile(end, Cause::Rot);
        }
        self.follow_if_idle();
    }

    /// Nothing is left in memory either.
    pub(in crate::ring) fn leave_memory(&mut self, next_seq: u64) {
        self.reading.at.seq = next_seq;
        self.follow_if_idle();
    }

    /// Exactly `known.ord` records lie before the reading place: more than were met are gone for
    /// this `cause`, fewer were counted twice.
    fn reconcile(&mut self, known: Mark, cause: Cause) {
        if self.reading.at.ord <= known.ord {
            return self.pass_hole(Hole {
                before: known.seq,
                count: known.ord - self.reading.at.ord,
                cause,
            });
        }
        let over = self.reading.at.ord - known.ord;
        self.reading.at.ord -= over;
        self.settled.ord = self.settled.ord.saturating_sub(over);
    }

    /// Passes records that are not there any more.
    fn pass_hole(&mut self, hole: Hole) {
        self.reading.at.ord += hole.count;
        if self.unsettled.records == 0 {
            self.count_hole(hole);
        } else if hole.count > 0 {
            self.unsettled.holes.push_back(hole);
        }
    }

    pub(super) fn count_hole(&mut self, hole: Hole) {
        self.settled.ord += hole.count;
        match hole.cause {
            Cause::Rot => self.tally.corrupt += hole.count,
            Cause::Overwritten => self.tally.dropped += hole.count,
        }
    }

    /// Puts the reading place back to the cursor; what is before `durable` is read from disk.
    pub(in crate::ring) fn reread(&mut self, durable: u64) {
        self.reading.on_disk = self.settled.seq < durable;
        self.reading.at = self.settled;
        self.reading.spot = None;
        self.unsettled = Unsettled::default();
        self.waiting.read = 0;
    }

    /// What could not be read was read.
    pub(in crate::ring) fn read_succeeded(&mut self) {
        self.reading.unread.succeeded();
    }

    /// What it wants could not be read.
    pub(in crate::ring) fn read_failed(&mut self, mono: Duration) {
        self.reading.unread.failed(mono);
    }

    /// Whether what it wants could not be read.
    pub(in crate::ring) fn is_unreadable(&self) -> bool {
        self.reading.unread.is_failing()
    }

    /// Whether it is too early to try that again.
    pub(in crate::ring) fn waits_to_read(&self, mono: Duration) -> bool {
        self.reading.unread.waits(mono)
    }

    /// When to try that again.
    pub(in crate::ring) fn reads_again(&self) -> Option<Duration> {
        self.reading.unread.again()
    }
}
