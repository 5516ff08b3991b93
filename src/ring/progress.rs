//! How far a ring has come: which numbers it has given away, and how much was written for each
//! stream.

use super::format::Counts;

/// Numbers and counts. What a commit has begun to write counts before it is on disk: once its mask
/// is fixed a record is written for a stream, or never will be.
///
/// Always: `begun_seq` is not beyond `next_seq`, and for each stream no more is on disk than was
/// begun.
#[derive(Debug)]
pub(super) struct Progress {
    /// The number of the next record.
    next_seq: u64,
    /// Records below were taken by a commit, or settled before one could.
    begun_seq: u64,
    /// What was written for each stream, the commit under way included.
    begun: Counts,
    /// What is on disk for each stream.
    durable: Counts,
    /// Keeps numbers apart where a reservation was lost.
    random: u64,
}

impl Progress {
    /// From this number on, with so much on disk.
    pub(super) fn new(next_seq: u64, durable: Counts, random: u64) -> Self {
        Self {
            next_seq,
            begun_seq: next_seq,
            begun: durable,
            durable,
            random,
        }
    }

    /// The number of the next record.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// A commit has taken all below that was unsettled when it did.
    pub(super) fn begun_seq(&self) -> u64 {
        self.begun_seq
    }

    /// What was written for each stream, the commit under way included.
    pub(super) fn begun(&self) -> &Counts {
        &self.begun
    }

    /// What is on disk for each stream.
    pub(super) fn durable(&self) -> &Counts {
        &self.durable
    }

    /// What the header of a new segment says was written before it. Not what was only begun: a
    /// commit that failed is written again behind that header, and would count twice.
    pub(super) fn before_next_segment(&self) -> &Counts {
        &self.durable
    }

    /// Gives a number away.
    pub(super) fn number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// A commit has taken the record `seq` for the streams of a mask.
    pub(super) fn begin(&mut self, seq: u64, mask: u32) {
        self.begun_seq = seq + 1;
        self.begun.count(mask);
    }

    /// A record that was written for these streams is on disk.
    pub(super) fn confirm(&mut self, mask: u32) {
        self.durable.count(mask);
    }

    /// Begins with these numbers: all before is on disk, or gone.
    pub(super) fn begin_at(&mut self, next_seq: u64) {
        self.next_seq = next_seq;
        self.begun_seq = next_seq;
    }

    /// Begins with these counts: all before is on disk, or gone.
    pub(super) fn begin_with(&mut self, durable: Counts) {
        self.begun = durable;
        self.durable = durable;
    }

    /// The next number is at least this one.
    pub(super) fn skip_to(&mut self, seq: u64) {
        self.next_seq = self.next_seq.max(seq);
    }

    /// Goes on with a number so far away that no other opening comes near it. `is_idle`: nothing
    /// is in memory.
    pub(super) fn jump(&mut self, is_idle: bool) {
        let far = (self.random % 255 + 1) << 40;
        self.next_seq = self.next_seq.saturating_add(far);
        if is_idle {
            self.begun_seq = self.next_seq;
        }
    }
}

#[cfg(test)]
impl Progress {
    /// Panics where one of them does not hold.
    pub(super) fn check_invariants(&self) {
        assert!(self.begun_seq <= self.next_seq, "{self:?}");
        assert_eq!(
            self.durable.less(&self.begun),
            Counts::default(),
            "{self:?}"
        );
    }
}
