//! What all tasks of the daemon share, by subject. Each subject keeps its own invariants; here is
//! only where to find it. One thread, so cells, not locks: none is borrowed across an `await`.

use super::budget::Budget;
use super::daemon_clock::DaemonClock;
use super::devices::Devices;
use super::journals::DAEMON;
use super::journals::Journals;
use super::journals::RING;
use super::kept::Whose;
use super::lookers::Lookers;
use super::passing::Passing;
use super::read_room::ReadRoom;
use super::shared_ring::SharedRing;
use super::thinned::AllThinned;
use crate::api;
use crate::clock::Clock;
use crate::clock::Now;
use crate::ring::Ring;
use crate::route::Routes;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What all tasks share.
pub(super) struct SharedState {
    pub(super) clock: Rc<DaemonClock>,
    pub(super) ring: SharedRing,
    /// Who wants what. Only streams that are enabled are in it.
    pub(super) routes: RefCell<Routes>,
    /// What streams leave out of that.
    pub(super) thinned: RefCell<AllThinned>,
    pub(super) journals: Journals,
    /// Who looks at raw traffic.
    pub(super) lookers: Lookers,
    /// Messages, for whoever looks.
    pub(super) passing: Rc<Passing>,
    /// Who was heard of.
    pub(super) devices: RefCell<Devices>,
    /// Of all connections of all channels.
    pub(super) budget: Budget,
    /// Where connections read into.
    pub(super) read_room: ReadRoom,
}

/// What outlives it.
pub(super) struct Legacy {
    started: Duration,
    stall_max: Duration,
    journals: Journals,
    devices: Devices,
}

impl SharedState {
    pub(super) fn new(clock: Clock, ring: Ring, routes: Routes) -> Self {
        let clock = Rc::new(DaemonClock::new(clock));
        Self {
            ring: SharedRing::new(Rc::clone(&clock), ring),
            clock,
            routes: RefCell::new(routes),
            thinned: RefCell::default(),
            journals: Journals::default(),
            lookers: Lookers::default(),
            passing: Rc::default(),
            devices: RefCell::default(),
            budget: Budget::default(),
            read_room: ReadRoom::default(),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    /// An event that happens now, with an id of its own.
    pub(super) fn event(&self, event_code: u16) -> api::Event {
        self.journals.event(event_code, self.now())
    }

    /// Notes what happened to the ring.
    pub(super) fn note(&self, event_code: u16, text: &str) {
        let mut event = self.event(event_code);
        event.reason = Some(text.into());
        self.journals
            .keep((Whose::Ring, RING), &self.journals.ring, event);
    }

    /// Notes what happened to the daemon itself.
    pub(super) fn note_self(&self, event_code: u16, text: &str) {
        let mut event = self.event(event_code);
        event.reason = Some(text.into());
        self.journals
            .keep((Whose::Daemon, DAEMON), &self.journals.daemon, event);
    }

    /// What is left to the next one, when all begins anew.
    pub(super) fn legacy(&self) -> Legacy {
        Legacy {
            started: self.clock.started(),
            stall_max: self.ring.stall_max(),
            journals: self.journals.take(),
            devices: self.devices.take(),
        }
    }

    /// Goes on where one before ended.
    pub(super) fn continue_from(&self, legacy: Legacy) {
        self.clock.started_at(legacy.started);
        self.ring.stalled(legacy.stall_max);
        self.journals.continue_from(legacy.journals);
        self.devices.replace(legacy.devices);
    }
}
