//! What happened: the events of the ring and of the daemon itself, and the one row of ids that all
//! events are in, whosever they are. Streams and channels keep their own journals.

use crate::api;
use crate::clock::Now;
use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

/// The ring's journal, the daemon's, and the ids of all.
#[derive(Default)]
pub(super) struct Journals {
    pub(super) ring: RefCell<api::Journal>,
    pub(super) daemon: RefCell<api::Journal>,
    /// Of the last event. It only rises, also when all begins anew: whoever reads the journals of
    /// all page by page asks for what is after an id.
    last_id: Cell<u64>,
}

impl Journals {
    /// An event with an id of its own; in no journal yet.
    pub(super) fn event(&self, event_code: u16, now: Now) -> api::Event {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        api::Event {
            id,
            timestamp: api::seconds(now.wall.since_1970),
            timestamp_valid: now.wall.trusted,
            event_code,
            first_id: id,
            mono: Some(now.mono),
            ..api::Event::default()
        }
    }

    /// The events that are not of a stream or channel, of which none is left here.
    pub(super) fn take(&self) -> Self {
        Self {
            ring: RefCell::new(self.ring.take()),
            daemon: RefCell::new(self.daemon.take()),
            last_id: Cell::new(self.last_id.get()),
        }
    }

    /// Goes on where those before ended.
    pub(super) fn continue_from(&self, before: Self) {
        self.ring.replace(before.ring.take());
        self.daemon.replace(before.daemon.take());
        self.last_id.set(before.last_id.get());
    }
}

/// What the clock that never goes back counts from, where the date is believed.
pub(super) fn boot(now: Now) -> Option<Duration> {
    let boot = now.wall.since_1970.checked_sub(now.mono);
    boot.filter(|_| now.wall.trusted)
}
