//! The clock of the simulated gateway: right, off by hours, of 1970, of weeks ago after a start, or
//! of years to come for a while; and whether the kernel says that it is synchronised.

use super::plan::one;
use super::time;
use super::trace;
use super::world::Plan;
use super::world::World;
use super::world::date;
use crate::ring::inspect;
use crate::ring::sim::random::Random;
use std::time::Duration;

/// What the date is.
#[derive(Debug)]
pub(super) struct Clock {
    random: Random,
    shows: Shows,
    synchronised: bool,
    /// When it was set last, or began.
    set_at: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// What the monotonic clock counts from 1970 on.
    Nothing,
    /// The date, and so much more.
    After(Duration),
    /// The date, and so much less.
    Before(Duration),
}

impl Clock {
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            shows: Shows::After(Duration::ZERO),
            synchronised: false,
            set_at: Duration::ZERO,
        }
    }

    /// Whether it shows a date that nobody can know to be wrong.
    pub(super) fn deceives(&self) -> bool {
        matches!(self.shows, Shows::After(by) if by > Duration::from_secs(DAY))
    }

    /// Whether certificates have to be judged: it shows some date, steadily for an hour.
    pub(super) fn serves(&self, t: Duration) -> bool {
        self.shows != Shows::Nothing && t > self.set_at + Duration::from_secs(3600 + 60)
    }

    /// The daemon looks at it from now on.
    pub(super) fn is_met(&mut self, t: Duration) {
        self.set_at = t;
    }

    fn seconds(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_secs(least + self.random.next() % (most - least))
    }

    fn step(&mut self, calm: bool) {
        let by = self.seconds(0, CLOCK_OFF);
        self.shows = match self.random.below(8) {
            _ if calm || self.deceives() => Shows::After(Duration::ZERO),
            0 => Shows::Before(by),
            1 => Shows::After(by),
            2 => Shows::After(self.seconds(30 * DAY, 3000 * DAY)),
            _ => Shows::After(Duration::ZERO),
        };
        let is_right = self.shows == Shows::After(Duration::ZERO);
        self.synchronised = is_right && (calm || self.random.once_in(2));
    }
}

impl World {
    /// The first fix of a boot, or a step forward or back.
    pub(super) fn step_clock(&mut self) {
        let calm = self.calm;
        self.clock.step(calm);
        self.clock_was_set();
        if self.clock.deceives() {
            // one date from the future, soon corrected
            self.within(3000, Plan::SetClock);
        } else if !calm {
            self.within(60 * DAY, Plan::SetClock);
        }
    }

    /// The machine was started: its clock may be that of the last stop, or of no date at all.
    pub(super) fn boot_clock(&mut self) {
        self.clock.synchronised = false;
        match self.clock.random.below(8) {
            0..4 => {
                self.clock.shows = Shows::Nothing;
                self.within(1200, Plan::SetClock);
            }
            4 | 5 => {
                let ago = self.clock.seconds(DAY + 3600, 20 * DAY);
                let now = date(self.t());
                if let Some(remembered) = self.remembered() {
                    let since = now.saturating_sub(remembered);
                    self.clock.shows = Shows::Before(since + ago);
                    let longest = *one(&mut self.clock.random, &[600, 2 * 3600, DAY]);
                    self.within(longest, Plan::SetClock);
                }
            }
            _ => {}
        }
        self.clock_was_set();
    }

    /// The last date that the ring believed, as far as its disk knows.
    fn remembered(&self) -> Option<Duration> {
        let now = crate::clock::Clock::new().now();
        let info = inspect::info(&mut self.disk.clone(), now);
        info.ok().and_then(|info| info.remembered)
    }

    pub(super) fn clock_was_set(&mut self) {
        let t = self.t();
        self.clock.set_at = t;
        trace::tell(t, 9, format_args!("sees {:?}", self.clock));
        self.set_clock();
        // whoever waits for certificates waits from the first look on
        if let Some(running) = &self.running {
            running.daemon.shared.now();
        }
        let deceives = self.clock.deceives();
        self.network
            .borrow_mut()
            .oracle
            .deceive(self.first, deceives);
    }

    pub(super) fn set_clock(&self) {
        let t = self.t();
        let mono = t - self.booted;
        let shown = match self.clock.shows {
            Shows::Nothing => mono,
            Shows::Before(by) => date(t).saturating_sub(by),
            Shows::After(by) => date(t) + by,
        };
        time::set(mono, shown, self.clock.synchronised);
    }
}

/// Seconds.
const DAY: u64 = 86_400;

/// A clock that is set is off by so much at most, if it is not far off.
const CLOCK_OFF: u64 = 2 * 3600;
