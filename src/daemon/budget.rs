//! The memory that all connections together may fill with what is not understood yet, and with
//! answers that are not read or not due yet.

use std::cell::Cell;

/// What all have of it: the sum of all [`Share`]s.
#[derive(Default)]
pub(super) struct Budget {
    bytes: Cell<usize>,
}

/// What one connection has of it; given back when it ends.
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Budget {
    /// What is left is for those who bring messages.
    pub(super) fn is_tight(&self) -> bool {
        self.bytes.get() > BUDGET / 2
    }
}

impl<'a> Share<'a> {
    /// Has nothing yet.
    pub(super) fn of(budget: &'a Budget) -> Self {
        Self { budget, bytes: 0 }
    }

    /// It has so much now; whether that is too much: all that is there is taken, and this
    /// connection has more than what each may have.
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        let others = self.budget.bytes.get().saturating_sub(self.bytes);
        self.budget.bytes.set(others + bytes);
        self.bytes = bytes;
        bytes > FREE && others + bytes > BUDGET
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Of all connections of all channels: two HTTP requests of the largest kind, or 2,000 of 1 KiB.
const BUDGET: usize = 2 * 1024 * 1024;

/// A connection that has no more is never cut: a packet of a tracker.
const FREE: usize = 1024;
