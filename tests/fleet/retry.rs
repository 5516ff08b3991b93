//! When a gateway tries again: weir's own code, and what others do.

use std::time::Duration;
use weir::stream::backoff::Backoff;

/// The waits of one gateway.
#[derive(Clone)]
pub(crate) enum Retry {
    /// As it is shipped.
    Weir(Backoff),
    /// The same wait each time.
    Fixed(Duration),
    /// Doubling, without chance.
    Doubling { first: Duration, failures: u32 },
    /// Doubling with full jitter, but for the first wait, which is the same for all.
    FirstAlike { failures: u32 },
}

impl Retry {
    /// With weir's defaults.
    pub(crate) fn weir() -> Self {
        Self::Weir(Backoff::new(MIN, MAX))
    }

    pub(crate) fn doubling() -> Self {
        let (first, failures) = (MIN, 0);
        Self::Doubling { first, failures }
    }

    pub(crate) fn first_alike() -> Self {
        Self::FirstAlike { failures: 0 }
    }

    /// The connection was lost, or none was made: the time of the next try.
    pub(crate) fn lost(&mut self, now: Duration, random: u32) -> Duration {
        let share = f64::from(random) / f64::from(u32::MAX);
        match self {
            Self::Weir(backoff) => {
                backoff.pause_lost(now, random);
                backoff.paused_until(now).unwrap_or(now)
            }
            Self::Fixed(wait) => now + *wait,
            Self::Doubling { first, failures } => now + doubled(*first, failures),
            Self::FirstAlike { failures } => {
                now + MIN + (doubled(MIN, failures) - MIN).mul_f64(share)
            }
        }
    }

    /// The destination took something.
    pub(crate) fn succeeded(&mut self, now: Duration) {
        match self {
            Self::Weir(backoff) => backoff.succeeded(now),
            Self::Fixed(_) => {}
            Self::Doubling { failures, .. } | Self::FirstAlike { failures } => *failures = 0,
        }
    }

    /// For waits that are all alike: the tries of an outage need not be counted one by one.
    pub(crate) fn period(&self) -> Option<Duration> {
        match self {
            Self::Fixed(wait) => Some(*wait),
            _ => None,
        }
    }
}

/// The wait after so many failures, one of which is this.
fn doubled(first: Duration, failures: &mut u32) -> Duration {
    let wait = first * (1 << (*failures).min(20));
    *failures += 1;
    wait.min(MAX)
}

/// weir's defaults.
pub(crate) const MIN: Duration = Duration::from_secs(1);
const MAX: Duration = Duration::from_mins(5);
