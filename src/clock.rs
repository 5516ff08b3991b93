//! Time: what the rest of weir takes as an argument, and the one place that reads it.
//!
//! Gateways boot in 1970 and learn the date minutes later, or never. So two times travel together
//! as [`Now`]: the monotonic one, which every wait and age goes by, and the wall one, which says
//! of itself whether it can be believed.

use std::fmt;
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

/// A date since 1970-01-01 UTC, shown as ISO 8601 has it, to the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub Duration);

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
        let (mono, since_1970) = read();
        let trusted = self.not_before <= since_1970 && since_1970 < BUILT + PLAUSIBLE;
        Now {
            mono,
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

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // years begin in March, so that the day that comes and goes is the last of its year
        let day = self.0.as_secs() / 86_400 + MARCH_0000_TO_1970;
        let (era, day) = (day / 146_097, day % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (next, month) = if month < 10 {
            (0, month + 3)
        } else {
            (1, month - 9)
        };
        write!(f, "{:04}-{month:02}-{day:02}", era * 400 + year + next)
    }
}

/// The time since the machine booted, and the date.
fn read() -> (Duration, Duration) {
    #[cfg(test)]
    if let Some(simulated) = SIMULATED.get() {
        return simulated;
    }
    let mono = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let date = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    (duration(mono), duration(date))
}

#[cfg(test)]
thread_local! {
    /// What the clocks of this thread show instead of the machine's.
    pub(crate) static SIMULATED: std::cell::Cell<Option<(Duration, Duration)>> =
        const { std::cell::Cell::new(None) };
}

fn duration(time: rustix::time::Timespec) -> Duration {
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(secs, nanos)
}

/// When this version was made; no gateway runs it earlier.
const BUILT: Duration = Duration::from_secs(1_793_491_200); // 2026-11-01

/// No date from here on is believed, 20 years after the build.
pub const SANE_UNTIL: Duration = BUILT.saturating_add(PLAUSIBLE);

/// How long after the build a date is still believed.
const PLAUSIBLE: Duration = Duration::from_secs(20 * 365 * 86_400);

/// Days from 0000-03-01 to 1970-01-01.
const MARCH_0000_TO_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (secs, date) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (1_735_689_600, "2025-01-01"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Date(Duration::from_secs(secs)).to_string(), date);
        }
    }
}
