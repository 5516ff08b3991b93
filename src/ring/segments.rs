//! The segments that hold records: which they are, from which number on, and how far each may be
//! read. Not their headers, see [`super::segment`].

use super::format::Counts;
use super::format::Geometry;
use super::format::seed;
use std::collections::VecDeque;

/// A segment that holds records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) generation: u64,
    pub(super) first_seq: u64,
    /// Bytes of it that are on disk.
    pub(super) end: u32,
}

impl Segment {
    /// What of it may be read, given the first number of the next one.
    pub(super) fn span(&self, geometry: Geometry, ring_id: u64, seq_end: u64) -> SegmentSpan {
        SegmentSpan {
            at: geometry.offset(self.generation),
            seed: seed(ring_id, self.generation, self.first_seq),
            first_seq: self.first_seq,
            seq_end,
            end: self.end,
        }
    }
}

/// A segment as far as it may be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentSpan {
    /// Where it begins, from the start of the file.
    pub(super) at: u64,
    /// What its records' check sums begin with.
    pub(super) seed: u32,
    /// No record of it has a smaller number.
    pub(super) first_seq: u64,
    /// No record of it counts from this number on: it stands again in a later segment.
    pub(super) seq_end: u64,
    /// Bytes that may be read.
    pub(super) end: u32,
}

/// All segments that hold records, oldest first; the last is the active one. Generations and first
/// numbers rise, and no two lie at one place: generations of all are within one lap.
#[derive(Debug, Default)]
pub(super) struct Segments {
    alive: VecDeque<Segment>,
    /// What was written for each stream before the oldest: no more than what is on disk in all.
    tail: Counts,
}

impl Segments {
    /// Those of a ring, before the oldest of which `tail` were written.
    pub(super) fn new(alive: VecDeque<Segment>, tail: Counts) -> Self {
        Self { alive, tail }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.alive.len()
    }

    /// That at `index`.
    pub(super) fn get(&self, index: usize) -> Option<Segment> {
        self.alive.get(index).copied()
    }

    /// The oldest.
    pub(super) fn oldest(&self) -> Option<Segment> {
        self.get(0)
    }

    /// The one that is written to, or was written to last.
    pub(super) fn newest(&self) -> Option<Segment> {
        self.alive.back().copied()
    }

    /// Whether this is the index of the active segment.
    pub(super) fn is_newest(&self, index: usize) -> bool {
        index + 1 == self.alive.len()
    }

    /// No record on disk has a smaller number; none where there is no segment.
    pub(super) fn oldest_seq(&self) -> Option<u64> {
        self.alive.front().map(|oldest| oldest.first_seq)
    }

    /// What was written for each stream before the oldest segment.
    pub(super) fn tail(&self) -> &Counts {
        &self.tail
    }

    /// The index of the segment in which the number `seq` would be.
    pub(super) fn index_of(&self, seq: u64) -> usize {
        let after = self.alive.partition_point(|it| it.first_seq <= seq);
        after.saturating_sub(1)
    }

    /// The segment at `index`, as far as it is on disk. What of it has numbers of the next segment
    /// stands there, too: a commit failed, and was written again.
    pub(super) fn span(
        &self,
        index: usize,
        geometry: Geometry,
        ring_id: u64,
    ) -> Option<SegmentSpan> {
        let next = self.alive.get(index + 1);
        let seq_end = next.map_or(u64::MAX, |next| next.first_seq);
        Some(self.alive.get(index)?.span(geometry, ring_id, seq_end))
    }

    /// Whether the segment `generation` has a place of its own, where there are `count` places.
    pub(super) fn has_place(&self, generation: u64, count: u32) -> bool {
        let oldest = self.alive.front();
        oldest.is_none_or(|oldest| oldest.generation + u64::from(count) > generation)
    }

    /// Makes this one the active segment.
    pub(super) fn open(&mut self, segment: Segment) {
        self.alive.push_back(segment);
    }

    /// The active segment was opened in vain: there is no record in it.
    pub(super) fn take_back_newest(&mut self) {
        self.alive.pop_back();
    }

    /// What is before `end` in the active segment is on disk.
    pub(super) fn extend_newest(&mut self, end: u32) {
        if let Some(head) = self.alive.back_mut() {
            head.end = end;
        }
    }

    /// Gives up the oldest, before the end of which `end` were written.
    pub(super) fn give_up_oldest(&mut self, end: &Counts) {
        self.alive.pop_front();
        self.tail = *end;
    }

    /// A copy begins: nothing is on disk yet, and `tail` is behind it.
    pub(super) fn begin_behind(&mut self, tail: &Counts) {
        self.tail = *tail;
    }
}

#[cfg(test)]
impl Segments {
    /// Panics where one of them does not hold.
    pub(super) fn check_invariants(&self, count: u32) {
        let generations = self.alive.iter().map(|it| it.generation);
        assert!(generations.is_sorted_by(|a, b| a < b), "{self:?}");
        let numbers = self.alive.iter().map(|it| it.first_seq);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{self:?}");
        let newest = self.newest().map_or(0, |head| head.generation);
        assert!(self.has_place(newest, count), "{self:?}");
    }
}
