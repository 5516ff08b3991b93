//! Which streams are read by an engine: one of each at most. What it has read is between the ring's
//! reading place and the cursor, so nobody else moves that place, and who moves the cursor says so.

use crate::ring::StreamId;
use crate::ring::StreamSet;
use std::cell::Cell;

/// Nobody, at first.
#[derive(Default)]
pub(super) struct Readers {
    reading: Cell<StreamSet>,
    /// The cursor was moved by hand: what was read is to be forgotten.
    moved: Cell<StreamSet>,
}

impl Readers {
    /// An engine begins to read, from the cursor on.
    pub(super) fn begins(&self, stream: StreamId) {
        add(&self.reading, stream);
        take(&self.moved, stream);
    }

    /// It has ended.
    pub(super) fn ends(&self, stream: StreamId) {
        take(&self.reading, stream);
    }

    /// Whether an engine reads it, or waits for the answers to what it has read.
    pub(super) fn has(&self, stream: StreamId) -> bool {
        self.reading.get().has(stream)
    }

    /// Whoever reads it begins anew.
    pub(super) fn move_cursor(&self, stream: StreamId) {
        add(&self.moved, stream);
    }

    /// Whether its cursor was moved since the last call.
    pub(super) fn take_moved(&self, stream: StreamId) -> bool {
        take(&self.moved, stream)
    }
}

fn add(streams: &Cell<StreamSet>, stream: StreamId) {
    streams.set(streams.get() | stream.mask());
}

fn take(streams: &Cell<StreamSet>, stream: StreamId) -> bool {
    let before = streams.replace(streams.get().without(stream.mask()));
    before.has(stream)
}
