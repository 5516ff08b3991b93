//! The clock of a demo and its phase, which all its tasks share. Does nothing itself.

use super::outage::Outages;
use super::outage::Presence;
use super::snapshot::Phase;
use crate::clock::Clock;
use std::cell::Cell;
use std::time::Duration;

/// One demo from its start to its end.
pub(super) struct DemoClock {
    clock: Clock,
    started: Duration,
    /// How long vehicles drive; none: until somebody ends it.
    pub(super) length: Option<Duration>,
    phase: Cell<Phase>,
}

impl DemoClock {
    /// Starts now.
    pub(super) fn new(clock: Clock, length: Option<Duration>) -> Self {
        let started = clock.now().mono;
        Self {
            clock,
            started,
            length,
            phase: Cell::new(Phase::Driving),
        }
    }

    /// Since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.now().mono.saturating_sub(self.started)
    }

    /// Since 1970.
    pub(super) fn date(&self) -> Duration {
        self.clock.now().wall.since_1970
    }

    /// What the demo does now.
    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Goes on to another phase.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// How it is now with something that comes and goes; who drains can be reached.
    pub(super) fn presence(&self, plan: &Outages) -> Presence {
        match self.phase() {
            Phase::Driving => plan.at(self.elapsed()),
            Phase::Draining | Phase::Done => Presence::Here,
        }
    }

    /// Ends when something that comes and goes is as wanted.
    pub(super) async fn until(&self, plan: &Outages, wanted: Presence) {
        while self.presence(plan) != wanted {
            tick().await;
        }
    }
}

/// A short while.
pub(super) async fn tick() {
    smol::Timer::after(TICK).await;
}

/// So exactly are plans kept.
const TICK: Duration = Duration::from_millis(25);
