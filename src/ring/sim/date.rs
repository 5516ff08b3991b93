//! The clocks of the simulated machine: right, of 1970, of weeks ago after a start, or of years to
//! come for a while; and what the daemon's clock would make of them.

use super::random::Random;
use crate::clock::Now;
use crate::clock::Wall;
use std::time::Duration;

/// What the machine's clocks show.
#[derive(Debug)]
pub(super) struct Clocks {
    random: Random,
    lie: Lie,
    /// The kernel says that its clock is synchronised.
    warranted: bool,
    /// The date did not go on as was expected, and has not been steady for an hour since.
    surprising: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    /// So many milliseconds ago.
    Stale(u64),
    /// So many from now.
    Future(u64),
}

impl Clocks {
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            lie: Lie::None,
            warranted: false,
            surprising: false,
        }
    }

    /// Both clocks, for a daemon that remembers a date.
    pub(super) fn now(
        &self,
        (time_ms, booted_ms): (u64, u64),
        known: bool,
        remembered: u64,
    ) -> Now {
        let mono_ms = time_ms - booted_ms;
        let date_ms = match (known, self.lie) {
            (false, _) => mono_ms,
            (true, Lie::None) => BEGIN_MS + time_ms,
            (true, Lie::Stale(ago)) => BEGIN_MS + time_ms - ago,
            (true, Lie::Future(ahead)) => BEGIN_MS + time_ms + ahead,
        };
        let trusted = known && (date_ms + 30_000 >= remembered || self.warranted);
        Now {
            mono: Duration::from_millis(mono_ms),
            wall: Wall {
                since_1970: Duration::from_millis(date_ms),
                trusted,
            },
            ages: trusted && !self.surprising,
        }
    }

    /// The machine starts, some time after the date that is remembered.
    pub(super) fn boot(&mut self, time_ms: u64, remembered: u64) {
        self.warranted = false;
        self.surprising = false;
        self.lie = Lie::None;
        if remembered > 0 && self.random.once_in(3) {
            let since = (BEGIN_MS + time_ms).saturating_sub(remembered);
            self.lie = Lie::Stale(since + HOUR_MS + self.random.next() % (20 * DAY_MS));
        } else if self.random.once_in(10) {
            self.begin_future();
        }
    }

    /// Somebody sets the clock, or does not.
    pub(super) fn set(&mut self) {
        match self.lie {
            Lie::None if self.random.once_in(20) => self.begin_future(),
            Lie::None if self.random.once_in(4) => self.surprising = false,
            Lie::Stale(_) | Lie::Future(_) if self.random.once_in(2) => self.lie = Lie::None,
            _ => {}
        }
        self.warranted = self.lie == Lie::None && self.random.once_in(2);
    }

    pub(super) fn shows_future(&self) -> bool {
        matches!(self.lie, Lie::Future(_))
    }

    pub(super) fn is_stale(&self) -> bool {
        matches!(self.lie, Lie::Stale(_))
    }

    fn begin_future(&mut self) {
        self.lie = Lie::Future(DAY_MS * (30 + self.random.next() % 3000));
        self.surprising = true;
    }
}

/// The true date at the beginning of a life.
pub(super) const BEGIN_MS: u64 = 1_800_000_000_000;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
