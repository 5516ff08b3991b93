//! What happened: the events of the ring, of the daemon itself and of what is gone, the one row of
//! ids that all events are in, and what of them waits to be written. Streams and channels keep
//! their own journals.

use super::events_file::EventsFile;
use super::kept::Told;
use super::kept::Unwritten;
use super::kept::Whose;
use crate::api;
use crate::clock::Now;
use event_listener::Event;
use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

/// The journals that belong to nobody, and the ids of all.
#[derive(Default)]
pub(super) struct Journals {
    pub(super) ring: RefCell<api::Journal>,
    pub(super) daemon: RefCell<api::Journal>,
    /// Of streams and channels that are there no more.
    pub(super) gone: RefCell<Vec<Told>>,
    /// Of the last event. It only rises, also when all begins anew: whoever reads the journals of
    /// all page by page asks for what is after an id.
    last_id: Cell<u64>,
    /// The file says that no id is beyond.
    reserved: Cell<u64>,
    pub(super) unwritten: RefCell<Unwritten>,
    /// Some was written without a date.
    has_doubts: Cell<bool>,
    /// Notified when something is due to be written.
    pub(super) came: Event,
    /// None: nothing outlives the process.
    pub(super) file: RefCell<Option<EventsFile>>,
}

impl Journals {
    /// An event with an id of its own; in no journal yet.
    pub(super) fn event(&self, event_code: u16, now: Now) -> api::Event {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        if id + IDS / 8 > self.reserved.get() {
            self.set_due(now.mono);
        }
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

    /// Adds to a journal what is worth keeping, and has it written soon.
    pub(super) fn keep(
        &self,
        (whose, name): (Whose, &str),
        journal: &RefCell<api::Journal>,
        event: api::Event,
    ) {
        let now = event.mono.unwrap_or_default();
        let mut journal = journal.borrow_mut();
        let event = journal.keep(event);
        if self.file.borrow().is_some() {
            let told = Told::new(whose, name, event);
            if self.unwritten.borrow_mut().add(told, now) {
                self.came.notify(usize::MAX);
            }
        }
    }

    /// Has what waits written soon.
    pub(super) fn set_due(&self, now: Duration) {
        if self.file.borrow().is_some() && self.unwritten.borrow_mut().set_due(now) {
            self.came.notify(usize::MAX);
        }
    }

    /// Keeps events in a file from now on, with ids beyond those.
    pub(super) fn begin_keeping(&self, file: EventsFile, ids: u64) {
        self.file.replace(Some(file));
        self.last_id.set(self.last_id.get().max(ids));
        self.reserved.set(ids);
    }

    /// No id will be beyond, unless that is written first.
    pub(super) fn reserve_ids(&self) -> u64 {
        self.reserved.set(self.last_id.get() + IDS);
        self.reserved.get()
    }

    /// Whether some was written without a date.
    pub(super) fn has_doubts(&self) -> bool {
        self.has_doubts.get()
    }

    /// An event is written: one without a date may get one.
    pub(super) fn note_doubt(&self, event: &api::Event) {
        let is_open = !event.timestamp_valid && event.mono.is_some();
        self.has_doubts.set(self.has_doubts.get() || is_open);
    }

    /// All is written anew.
    pub(super) fn end_doubts(&self) {
        self.has_doubts.set(false);
    }

    /// What happened to a part that is there no more.
    pub(super) fn has_gone(&self, whose: Whose, name: &str, journal: &RefCell<api::Journal>) {
        let journal = journal.borrow();
        let told = journal.kept().map(|event| Told::new(whose, name, event));
        told.for_each(|told| self.add_gone(told));
    }

    /// What happened to parts that are there no more.
    pub(super) fn lines_of_gone(&self, page: api::Page, boot: Option<Duration>) -> Vec<api::Line> {
        let gone = self.gone.borrow();
        let later = gone.iter().filter(|told| told.event.id > page.after);
        let line = |told: &Told| api::Line {
            name: told.name.clone(),
            event: told.event.clone().dated(boot),
        };
        later.map(line).collect()
    }

    /// Adds what happened to a part that is there no more.
    pub(super) fn add_gone(&self, told: Told) {
        let mut gone = self.gone.borrow_mut();
        if gone.len() >= GONE_MAX {
            gone.remove(0);
        }
        gone.push(told);
    }

    /// The events that are not of a stream or channel, of which none is left here.
    pub(super) fn take(&self) -> Self {
        Self {
            ring: RefCell::new(self.ring.take()),
            daemon: RefCell::new(self.daemon.take()),
            gone: RefCell::new(self.gone.take()),
            last_id: Cell::new(self.last_id.get()),
            ..Self::default()
        }
    }

    /// Goes on where those before ended: what the file says of them is older.
    pub(super) fn continue_from(&self, before: Self) {
        self.ring.replace(before.ring.take());
        self.daemon.replace(before.daemon.take());
        self.gone.replace(before.gone.take());
        self.last_id
            .set(self.last_id.get().max(before.last_id.get()));
        if let Some(file) = self.file.borrow().as_ref() {
            file.renew();
        }
    }
}

/// What the clock that never goes back counts from, where the date is believed.
pub(super) fn boot(now: Now) -> Option<Duration> {
    let boot = now.wall.since_1970.checked_sub(now.mono);
    boot.filter(|_| now.wall.trusted)
}

/// So many ids are given before the file has to be written for their sake: one a second for eleven
/// days.
const IDS: u64 = 1_000_000;

/// Events of parts that are gone.
const GONE_MAX: usize = 50;

/// Whose events they are in `/logs`.
pub(super) const RING: &str = "ring";
pub(super) const DAEMON: &str = "weir";
