//! A segment that holds records: which it is, from which number on, and how far it may be read.
//! Not its header, see [`super::segment`].

use super::format::Geometry;
use super::format::seed;

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
    pub(super) fn span(&self, geometry: Geometry, ring_id: u64, seq_end: u64) -> Span {
        Span {
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
pub(super) struct Span {
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
