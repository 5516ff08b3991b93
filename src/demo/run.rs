//! The run: starts all parts of a demo on one executor, moves the vehicles, shows snapshots, and
//! ends it in order. Waits for others, does none of their work.

use super::balance::Balance;
use super::balance::Ledger;
use super::clock::DemoClock;
use super::fixture::Fixture;
use super::outage::Outages;
use super::receiver::Receiver;
use super::road::Road;
use super::screen::Screen;
use super::snapshot::Phase;
use super::snapshot::Snapshot;
use super::tracker::Target;
use super::tracker::Tracker;
use super::vehicle::Kind;
use super::vehicle::Protocol;
use super::vehicle::Vehicle;
use crate::clock::Clock;
use crate::daemon::Daemon;
use crate::ring::Counters;
use async_signal::Signals;
use smol::LocalExecutor;
use smol::Task;
use smol::future::or;
use smol::stream::StreamExt;
use std::rc::Rc;
use std::time::Duration;

/// A demo that is ready to begin.
pub(super) struct Run {
    executor: Rc<LocalExecutor<'static>>,
    daemon: Daemon,
    clock: Rc<DemoClock>,
    road: Road,
    trackers: Vec<Rc<Tracker>>,
    receiver: Rc<Receiver>,
}

/// What ended a wait.
enum Heard {
    Time,
    Signal,
}

impl Run {
    pub(super) fn new(
        fixture: &Fixture,
        clock: Clock,
        daemon: Daemon,
        length: Option<Duration>,
    ) -> Self {
        let road = Road::new();
        let tracker = |(index, kind): (usize, &Kind)| {
            let target = match kind.protocol {
                Protocol::Teltonika => Target::Port(fixture.trackers),
                Protocol::Json => Target::Port(fixture.programs),
                Protocol::Can => Target::Fifo(fixture.bus()),
            };
            let plan = match kind.protocol {
                // a wire in the vehicle
                Protocol::Can => Outages::none(),
                Protocol::Teltonika | Protocol::Json => Outages::of_vehicle(index, length),
            };
            Rc::new(Tracker::new(Vehicle::new(kind, &road), target, plan))
        };
        let trackers = KINDS.iter().enumerate().map(tracker).collect();
        let ledger = Ledger::new(KINDS.iter().map(|kind| kind.ident));
        let receiver = Receiver::new(fixture.receiver, Outages::of_receiver(length), ledger);
        let executor = Rc::new(LocalExecutor::new());
        let clock = Rc::new(DemoClock::new(clock, length));
        Self {
            executor,
            daemon,
            clock,
            road,
            trackers,
            receiver: Rc::new(receiver),
        }
    }

    /// Plays to the end. The daemon runs as long as it is directed.
    pub(super) fn run(&self, signals: Signals) -> Balance {
        let mut balance = Balance::default();
        let directed = async { balance = self.direct(signals).await };
        let daemon = self.daemon.run(&self.executor, || {}, directed);
        smol::block_on(self.executor.run(daemon));
        balance
    }

    /// Waits on: its beat, signals.
    async fn direct(&self, mut signals: Signals) -> Balance {
        let tasks = self.start();
        let mut screen = Some(Screen::new());
        let (mut moved, mut draining) = (self.clock.elapsed(), None);
        while self.clock.phase() != Phase::Done {
            let heard = or(signal(&mut signals), beat()).await;
            let elapsed = self.clock.elapsed();
            if self.clock.phase() == Phase::Driving {
                moved = self.drive(moved, elapsed);
            }
            let snapshot = self.snapshot(elapsed);
            if screen
                .as_mut()
                .is_some_and(|screen| screen.show(&snapshot).is_err())
            {
                screen = None;
            }
            match self.clock.phase() {
                Phase::Driving if self.is_over(elapsed, &heard) || screen.is_none() => {
                    draining = Some(elapsed);
                    self.clock.enter(Phase::Draining);
                }
                Phase::Driving => {}
                Phase::Draining | Phase::Done => {
                    let is_late = draining.is_some_and(|since| elapsed > since + DRAIN_MAX);
                    if self.is_drained() || is_late || matches!(heard, Heard::Signal) {
                        self.clock.enter(Phase::Done);
                    }
                }
            }
        }
        drop(tasks);
        self.balance()
    }

    fn start(&self) -> Vec<Task<()>> {
        let receiver = Rc::clone(&self.receiver);
        let receiver = receiver.run(Rc::clone(&self.executor), Rc::clone(&self.clock));
        let mut tasks = vec![self.executor.spawn(receiver)];
        for tracker in &self.trackers {
            let tracker = Rc::clone(tracker).run(Rc::clone(&self.clock));
            tasks.push(self.executor.spawn(tracker));
        }
        tasks
    }

    /// Moves all vehicles in steps from `from` to `to`; returns how far that was. After a long
    /// stall they have stood still in between.
    fn drive(&self, from: Duration, to: Duration) -> Duration {
        let mut moved = from.max(to.saturating_sub(CATCH_UP_MAX));
        let date = self.clock.date();
        while moved + STEP <= to {
            moved += STEP;
            for tracker in &self.trackers {
                let date = date.saturating_sub(to - moved);
                tracker
                    .vehicle
                    .borrow_mut()
                    .advance(&self.road, moved, STEP, date);
            }
        }
        moved
    }

    fn is_over(&self, elapsed: Duration, heard: &Heard) -> bool {
        let is_signal = matches!(heard, Heard::Signal);
        is_signal || self.clock.length.is_some_and(|length| elapsed >= length)
    }

    fn is_drained(&self) -> bool {
        let all_done = self
            .trackers
            .iter()
            .all(|tracker| tracker.vehicle.borrow().is_done());
        // what is on its way through the FIFO is in no backlog
        all_done && self.counters().backlog == 0 && self.balance().lost == 0
    }

    fn counters(&self) -> Counters {
        let streams = self.daemon.streams();
        streams
            .first()
            .map_or_else(Counters::default, |stream| stream.counters)
    }

    fn snapshot(&self, elapsed: Duration) -> Snapshot {
        let Counters {
            stored, backlog, ..
        } = self.counters();
        let ledger = self.receiver.ledger.borrow();
        Snapshot {
            elapsed,
            length: self.clock.length,
            phase: self.clock.phase(),
            vehicles: self
                .trackers
                .iter()
                .map(|tracker| tracker.seen(&self.road))
                .collect(),
            backlog,
            stored,
            receiver: self.receiver.presence(),
            delivered: ledger.delivered(),
            duplicated: ledger.duplicated(),
        }
    }

    fn balance(&self) -> Balance {
        let account = |tracker: &Rc<Tracker>| {
            let vehicle = tracker.vehicle.borrow();
            (vehicle.ident, vehicle.account())
        };
        let accounts = self.trackers.iter().map(account);
        self.receiver
            .ledger
            .borrow()
            .balance(accounts, self.counters().stored)
    }
}

async fn signal(signals: &mut Signals) -> Heard {
    match signals.next().await {
        Some(_) => Heard::Signal,
        None => std::future::pending().await,
    }
}

async fn beat() -> Heard {
    smol::Timer::after(BEAT).await;
    Heard::Time
}

/// Who drives. The numbers are those of no real device.
const KINDS: [Kind; 7] = [
    Kind {
        name: "bus 1",
        ident: "990000000000017",
        protocol: Protocol::Teltonika,
        share: 0.02,
    },
    Kind {
        name: "bus 2",
        ident: "990000000000025",
        protocol: Protocol::Teltonika,
        share: 0.22,
    },
    Kind {
        name: "bus 3",
        ident: "990000000000033",
        protocol: Protocol::Teltonika,
        share: 0.47,
    },
    Kind {
        name: "van 1",
        ident: "van-1",
        protocol: Protocol::Json,
        share: 0.36,
    },
    Kind {
        name: "van 2",
        ident: "van-2",
        protocol: Protocol::Json,
        share: 0.63,
    },
    Kind {
        name: "van 3",
        ident: "van-3",
        protocol: Protocol::Json,
        share: 0.81,
    },
    Kind {
        name: "truck",
        ident: "truck-1",
        protocol: Protocol::Can,
        share: 0.11,
    },
];

/// Each vehicle moves and reports so often.
const STEP: Duration = Duration::from_millis(100);

/// A snapshot is shown so often.
const BEAT: Duration = Duration::from_millis(200);

/// Of a stall, or a laptop that slept, at most so much is driven after it.
const CATCH_UP_MAX: Duration = Duration::from_secs(5);

/// So long is waited for what is under way when the vehicles are parked.
const DRAIN_MAX: Duration = Duration::from_secs(15);
