//! How a stream settles what it read, and how its cursor follows.

use super::Cause;
use super::Cursor;
use super::Hole;
use super::Mark;
use super::Waiting;
use super::Written;
use crate::ring::Settled;
use crate::ring::backfill::Backfill;
use crate::ring::slot::StreamTally;

impl Cursor {
    /// Whether it has read the record and not settled it.
    pub(in crate::ring) fn can_settle(&self, seq: u64) -> bool {
        self.unsettled.records > 0 && self.settled.seq <= seq
    }

    /// Settles a record that was read; a commit has taken all below `begun`.
    pub(in crate::ring) fn settle(&mut self, seq: u64, how: Settled, begun: u64) {
        self.unsettled.records = self.unsettled.records.saturating_sub(1);
        self.settled.seq = seq + 1;
        match self.written(seq, begun) {
            Written::Yes => self.settled.ord += 1,
            Written::No => {
                self.waiting.all = self.waiting.all.saturating_sub(1);
                self.waiting.read = self.waiting.read.saturating_sub(1);
            }
            Written::BeforeAttached => self.settle_older(seq, how),
        }
        self.tally.count(how);
        let passed = |hole: &mut Hole| hole.before <= seq + 1;
        while let Some(hole) = self.unsettled.holes.pop_front_if(passed) {
            self.count_hole(hole);
        }
        self.leave_older();
        self.follow_if_idle();
    }

    /// Settles all that it has not settled: `count`, up to the place `end`. Precondition: nothing
    /// is read and unsettled.
    pub(in crate::ring) fn purge(&mut self, count: u64, end: Mark) {
        self.tally.by_hand += count;
        self.reading.at = end;
        self.settled.ord = end.ord;
        self.waiting = Waiting::default();
        self.older = Backfill::default();
        self.reading.on_disk = false;
        self.follow();
    }

    /// Puts the cursor back. Precondition: it is read anew from there.
    pub(in crate::ring) fn put_back(&mut self, to: Mark) {
        self.settled.seq = to.seq;
        // What was dropped is behind it for ever, and may have been counted beyond that place.
        self.settled.ord = self.settled.ord.min(to.ord);
    }

    pub(super) fn follow_if_idle(&mut self) {
        if self.unsettled.records == 0 {
            self.follow();
        }
    }

    /// With nothing unsettled the cursor stands at the reading place.
    fn follow(&mut self) {
        self.settled.seq = self.settled.seq.max(self.reading.at.seq);
        while let Some(hole) = self.unsettled.holes.pop_front() {
            self.count_hole(hole);
        }
        self.leave_older();
    }

    /// All before the place `oldest` is gone. Those that were not read are counted; what is
    /// unsettled is in memory of its reader, and not touched. Says whether there were any.
    pub(in crate::ring) fn drop_before(&mut self, oldest: Mark) -> bool {
        let lost = oldest.ord.saturating_sub(self.reading.at.ord);
        self.tally.dropped += lost;
        self.settled.ord += lost;
        self.reading.at.ord += lost;
        self.drop_older(oldest.seq);
        if self.reading.at.seq < oldest.seq {
            self.reading.at.seq = oldest.seq;
            self.reading.spot = None;
        }
        self.follow_if_idle();
        lost > 0
    }

    /// What it passed because it is gone, and will count when the cursor passes it.
    pub(in crate::ring) fn passed(&self) -> StreamTally {
        let sum = |cause| {
            let holes = self.unsettled.holes.iter();
            let holes = holes.filter(|hole| hole.cause == cause);
            holes.map(|hole| hole.count).sum()
        };
        StreamTally {
            corrupt: sum(Cause::Rot),
            dropped: sum(Cause::Overwritten) + self.older.backlog(),
            ..StreamTally::default()
        }
    }
}
