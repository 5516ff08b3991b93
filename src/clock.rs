//! Time: what the rest of weir takes as an argument, and the one place that reads it.
//!
//! Gateways boot in 1970 and learn the date minutes later, or never. So two times travel together
//! as [`Now`]: the monotonic one, which every wait and age goes by, and the wall one, which says
//! of itself whether it can be believed.

use std::time::Duration;

/// The time of one turn of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since the machine booted, sleep included; never goes back.
    pub mono: Duration,
    /// The date, as far as it is known.
    pub wall: Wall,
}

/// A date and whether it can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    /// Since 1970-01-01 UTC.
    pub since_1970: Duration,
    /// Not before the build, not before the last trusted date in the ring, not 20 years after the
    /// build.
    pub trusted: bool,
}

/// Reads the machine's clocks.
#[derive(Clone, Debug)]
pub struct Clock {
    not_before: Duration,
}

impl Clock {
    /// A clock that believes no date before the build.
    #[must_use]
    pub fn new() -> Self {
        Self { not_before: BUILT }
    }

    /// Believes no date before `date` either: the last trusted one that the ring remembers.
    pub fn not_before(&mut self, date: Duration) {
        if date < BUILT + PLAUSIBLE {
            self.not_before = self.not_before.max(date);
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Now {
        let mono = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let date = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let since_1970 = duration(date);
        let trusted = self.not_before <= since_1970 && since_1970 < BUILT + PLAUSIBLE;
        Now {
            mono: duration(mono),
            wall: Wall {
                since_1970,
                trusted,
            },
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

fn duration(time: rustix::time::Timespec) -> Duration {
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(secs, nanos)
}

/// When this version was made; no gateway runs it earlier.
const BUILT: Duration = Duration::from_secs(1_793_491_200); // 2026-11-01

/// How long after the build a date is still believed.
const PLAUSIBLE: Duration = Duration::from_secs(20 * 365 * 86_400);
