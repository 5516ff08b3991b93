//! The hub: what all tasks of the daemon share. One thread, so cells, not locks.

use super::{first_of, sleep};
use crate::api;
use crate::clock::{Clock, Now};
use crate::ring::{AppendError, Counters, Mask, Ring, Seq, Stats, StreamId};
use crate::route::Routes;
use crate::stream::engine::Engine;
use crate::stream::rules::{Rule, kept};
use event_listener::{Event, EventListener};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// What all tasks share.
pub(super) struct Hub {
    clock: Clock,
    ring: RefCell<Ring>,
    pub(super) routes: RefCell<Routes>,
    /// Notified when a record came.
    appended: Event,
    /// Notified when the next commit may be due at another time.
    touched: Event,
    /// Notified when [`Hub::safe`] has risen.
    risen: Event,
    /// The watermark that `risen` was last notified of.
    told: Cell<Seq>,
    /// The longest commit.
    stall_max: Cell<Duration>,
    /// What happened to the ring.
    pub(super) journal: RefCell<api::Journal>,
    /// Of the last event.
    event_id: Cell<u64>,
    started: Cell<Duration>,
    /// Bytes that came through connections and are not understood yet.
    pub(super) buffered: Cell<usize>,
}

/// What outlives a hub.
pub(super) struct Legacy {
    started: Duration,
    stall_max: Duration,
    event_id: u64,
    journal: api::Journal,
}

impl Hub {
    pub(super) fn new(clock: Clock, ring: Ring, routes: Routes) -> Self {
        let (told, started) = (Cell::new(ring.safe()), Cell::new(clock.now().mono));
        let (appended, touched, risen) = (Event::new(), Event::new(), Event::new());
        Self {
            clock,
            ring: RefCell::new(ring),
            routes: RefCell::new(routes),
            appended,
            touched,
            risen,
            told,
            stall_max: Cell::default(),
            journal: RefCell::default(),
            event_id: Cell::default(),
            started,
            buffered: Cell::default(),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    /// What certificates are judged by.
    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Everything below is safe.
    pub(super) fn safe(&self) -> Seq {
        self.ring.borrow().safe()
    }

    /// The longest body that the ring takes.
    pub(super) fn body_max(&self) -> usize {
        self.ring
            .borrow()
            .record_max()
            .min(crate::message::BODY_MAX)
    }

    /// What became of what a stream wanted.
    pub(super) fn counters(&self, stream: StreamId) -> Counters {
        self.ring.borrow().counters(stream)
    }

    /// Messages that a stream has read and not settled.
    pub(super) fn in_flight(&self, stream: StreamId) -> u64 {
        self.ring.borrow().in_flight(stream)
    }

    /// What the ring did with its file.
    pub(super) fn stats(&self) -> Stats {
        self.ring.borrow().stats()
    }

    /// Appends; where both buffers are full, commits first.
    pub(super) fn append(&self, mask: Mask, body: &[u8]) -> Result<Seq, AppendError> {
        let now = self.now();
        let first = self.ring.borrow_mut().append(mask, now, body);
        let result = match first {
            Err(AppendError::Busy) if self.commit(now) => {
                self.ring.borrow_mut().append(mask, now, body)
            }
            other => other,
        };
        self.appended.notify(usize::MAX);
        self.touched.notify(usize::MAX);
        result
    }

    /// Moves the cursor over what the engine has settled, and gives it more to send. Says whether
    /// that made room, so that there may be more to read and to send, though nothing else happens.
    pub(super) fn serve(&self, engine: &mut Engine, wanted: &dyn Fn(&[u8]) -> bool) -> bool {
        let now = self.now();
        let mut ring = self.ring.borrow_mut();
        let mut settled = engine.settle(&mut ring, now);
        engine.fill(&mut ring, now, wanted);
        settled += engine.settle(&mut ring, now);
        drop(ring);
        if settled > 0 {
            self.touched.notify(usize::MAX);
            self.tell();
        }
        settled > 0 && kept(Rule::ReadOnAfterSkipping)
    }

    /// Has an engine forget what it read: its cursor was moved by hand.
    pub(super) fn restart(&self, engine: &mut Engine) {
        engine.restart(&mut self.ring.borrow_mut());
    }

    /// What is not kept by the ring: the start, on the clock that never goes back.
    pub(super) fn started(&self) -> Duration {
        self.started.get()
    }

    /// What is left to the next one, when all begins anew.
    pub(super) fn legacy(&self) -> Legacy {
        Legacy {
            started: self.started(),
            stall_max: self.stall_max(),
            event_id: self.event_id.get(),
            journal: self.journal.take(),
        }
    }

    /// Goes on where one before ended.
    pub(super) fn continue_from(&self, legacy: Legacy) {
        self.started.set(legacy.started);
        self.stall_max.set(legacy.stall_max);
        self.event_id.set(legacy.event_id);
        self.journal.replace(legacy.journal);
    }

    /// Has all connections look what has become of them.
    pub(super) fn nudge(&self) {
        self.risen.notify(usize::MAX);
    }

    /// The longest commit since the start.
    pub(super) fn stall_max(&self) -> Duration {
        self.stall_max.get()
    }

    /// An event that happens now, with an id of its own.
    pub(super) fn event(&self, event_code: u16) -> api::Event {
        let id = self.event_id.get() + 1;
        self.event_id.set(id);
        let micros = self.now().wall.since_1970.as_micros();
        api::Event {
            id,
            timestamp: Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64(),
            event_code,
            error_code: None,
            reason: None,
            sent: None,
        }
    }

    /// Works on the ring by hand; who waits for it is told.
    pub(super) fn with_ring<T>(&self, work: impl FnOnce(&mut Ring, Now) -> T) -> T {
        let result = work(&mut self.ring.borrow_mut(), self.now());
        self.touched.notify(usize::MAX);
        self.tell();
        result
    }

    /// Looks at the ring, and tells nobody.
    pub(super) fn with_ring_quietly<T>(&self, look: impl FnOnce(&mut Ring, Now) -> T) -> T {
        look(&mut self.ring.borrow_mut(), self.now())
    }

    /// Ends when something has happened to the ring.
    pub(super) fn touched(&self) -> EventListener {
        self.touched.listen()
    }

    /// Says whether a stream's destination is connected.
    pub(super) fn set_connected(&self, stream: StreamId, connected: bool) {
        self.ring.borrow_mut().set_connected(stream, connected);
        self.touched.notify(usize::MAX);
    }

    /// Commits; whether that worked.
    pub(super) fn commit(&self, now: Now) -> bool {
        let result = self.ring.borrow_mut().commit(now);
        let took = self.now().mono - now.mono;
        self.stall_max.set(self.stall_max.get().max(took));
        if took > STALL {
            log::warn!("ring: the disk took {} ms for a commit", took.as_millis());
        }
        if let Err(error) = result {
            log::error!("ring: commit failed: {error}");
        }
        self.tell();
        result.is_ok()
    }

    /// Writes what is left and how far each stream came.
    pub(super) fn close(&self) {
        if let Err(error) = self.ring.borrow_mut().close(self.now()) {
            log::error!("ring: not closed cleanly: {error}");
        }
    }

    /// Ends when a record comes.
    pub(super) fn appended(&self) -> EventListener {
        self.appended.listen()
    }

    /// Ends when more is safe than now.
    pub(super) fn risen(&self) -> EventListener {
        self.risen.listen()
    }

    /// Commits when it is due, for ever. Waits on: the ring's changes, its next commit.
    pub(super) async fn keep_committing(&self) {
        loop {
            let touched = self.touched.listen();
            let due = self.ring.borrow().next_commit();
            let now = self.now();
            if due.is_some_and(|due| due <= now.mono) {
                self.commit(now);
                futures_lite::future::yield_now().await;
            } else {
                first_of(touched, sleep(due.map(|due| due - now.mono))).await;
            }
        }
    }

    fn tell(&self) {
        let safe = self.safe();
        if self.told.replace(safe) != safe {
            self.risen.notify(usize::MAX);
        }
    }
}

/// A commit that takes longer is said: every sender waits for it.
const STALL: Duration = Duration::from_secs(1);
