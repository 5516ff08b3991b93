//! What an earlier life of the ring may have left wrong, as far as opening can tell.

use super::cursor::Cause;

/// What is not known for sure of records that were there when the ring was opened. Both numbers
/// stay as they are until the next opening, and everything that is written later is beyond them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubts {
    /// Below this number ordinals that opening found may be too small: nothing is skipped by them.
    counts_below: u64,
    /// Commits that opening cannot see may have begun to overwrite segments before this one.
    exposed_below: u64,
}

impl Doubts {
    /// Those of a ring that was opened.
    pub(super) fn new(counts_below: u64, exposed_below: u64) -> Self {
        Self {
            counts_below,
            exposed_below,
        }
    }

    /// From this number on what ordinals say is exact.
    pub(super) fn certain_from(&self) -> u64 {
        self.counts_below
    }

    /// Why records of this segment are not met that were written.
    pub(super) fn cause_of_loss(&self, generation: u64) -> Cause {
        match generation < self.exposed_below {
            true => Cause::Overwritten,
            false => Cause::Rot,
        }
    }
}
