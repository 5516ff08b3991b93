//! What happened: the events of the ring, and the one row of ids that all events are in, whosever
//! they are. Streams and channels keep their own journals.

use crate::api;
use crate::clock::Now;
use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

/// The ring's journal and the ids of all.
#[derive(Default)]
pub(super) struct Journals {
    pub(super) ring: RefCell<api::Journal>,
    /// Of the last event. It only rises, also when all begins anew: whoever reads the journals of
    /// all page by page asks for what is after an id.
    last_id: Cell<u64>,
}

impl Journals {
    /// An event with an id of its own; in no journal yet.
    pub(super) fn event(&self, event_code: u16, now: Now) -> api::Event {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        let micros = now.wall.since_1970.as_micros();
        api::Event {
            id,
            timestamp: Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64(),
            event_code,
            error_code: None,
            reason: None,
            sent: None,
        }
    }

    /// The events of the ring, of which none is left here.
    pub(super) fn take(&self) -> Self {
        Self {
            ring: RefCell::new(self.ring.take()),
            last_id: Cell::new(self.last_id.get()),
        }
    }

    /// Goes on where those before ended.
    pub(super) fn continue_from(&self, before: Self) {
        self.ring.replace(before.ring.take());
        self.last_id.set(before.last_id.get());
    }
}
