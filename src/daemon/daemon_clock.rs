//! The clock as all tasks read it. Whoever reads it finds out whether the date was set meanwhile or
//! is believed now, and the ring is told though no message comes: it dates what it has by that.

use crate::clock::Clock;
use crate::clock::Date;
use crate::clock::Doubt;
use crate::clock::Now;
use event_listener::Event;
use event_listener::EventListener;
use std::cell::Cell;
use std::time::Duration;

/// The clock, and what was read of it last.
pub(super) struct DaemonClock {
    clock: Clock,
    /// Whether the date was believed last, and what it made of the boot: the date less the time
    /// since. That stays the same as long as nobody sets the date.
    seen: Cell<(bool, Duration)>,
    /// Notified when one of the two has changed.
    stepped: Event,
    /// When the process began, or the first of those before it whose counters it goes on with.
    started: Cell<Duration>,
}

impl DaemonClock {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            started: Cell::new(clock.now().mono),
            clock,
            // until it is known to be wrong
            seen: Cell::new((true, Duration::ZERO)),
            stepped: Event::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        let now = self.clock.now();
        let boot = now.wall.since_1970.saturating_sub(now.mono);
        let (trusted, before) = self.seen.replace((now.wall.trusted, boot));
        if trusted != now.wall.trusted {
            self.tell_doubt(now.wall.since_1970);
        }
        if trusted != now.wall.trusted || before.abs_diff(boot) > STEP {
            self.stepped.notify(usize::MAX);
        }
        now
    }

    /// Ends when the date was set, is believed, or is no more.
    pub(super) fn stepped_event(&self) -> EventListener {
        self.stepped.listen()
    }

    fn tell_doubt(&self, date: Duration) {
        let date = Date(date);
        match self.clock.doubt() {
            None => log::info!("the clock says {date}, and is believed"),
            Some(Doubt::Insane) => log::warn!("the clock says {date}, and is not believed"),
            Some(Doubt::Before(remembered)) => log::warn!(
                "the clock says {date}, and it was {} before: it is not believed until the kernel \
                 says that its clock is synchronised, or until it is later than that",
                Date(remembered)
            ),
        }
    }

    /// The clock itself, by which certificates are judged.
    pub(super) fn source(&self) -> Clock {
        self.clock.clone()
    }

    /// On the clock that never goes back: it is not kept by the ring.
    pub(super) fn started(&self) -> Duration {
        self.started.get()
    }

    /// Goes on with the uptime of one before.
    pub(super) fn started_at(&self, started: Duration) {
        self.started.set(started);
    }
}

/// The date goes another way than the monotonic clock.
const STEP: Duration = Duration::from_secs(60);
