//! When a record was received, said by clocks that started in 1970. Reads no clock.

use super::record::Base;
use super::slot::BOOTS_MAX;
use super::slot::Boot;
use crate::clock::Now;
use crate::clock::Wall;
use std::time::Duration;

/// The boots whose beginning is known, and the present one.
#[derive(Clone, Debug)]
pub(super) struct Boots {
    /// The present one.
    pub(super) current: u32,
    /// Oldest first.
    pub(super) known: Vec<Boot>,
    /// The last date that could be believed.
    pub(super) trusted_ms: u64,
}

impl Boots {
    /// Learns the beginning of this boot, once the date can be believed; says whether it did.
    pub(super) fn note(&mut self, now: Now) -> bool {
        if !now.wall.trusted {
            return false;
        }
        self.trusted_ms = self.trusted_ms.max(millis(now.wall.since_1970));
        if self.zero(self.current).is_some() {
            return false;
        }
        if self.known.len() >= BOOTS_MAX {
            self.known.remove(0);
        }
        let zero_ms = millis(now.wall.since_1970).saturating_sub(millis(now.mono));
        self.known.push(Boot {
            number: self.current,
            zero_ms,
        });
        true
    }

    /// What times of records that are received now count from.
    pub(super) fn base(&self, now: Now) -> Base {
        Base {
            boot: self.current,
            trusted: now.wall.trusted,
            mono_ms: millis(now.mono),
            wall_ms: millis(now.wall.since_1970),
        }
    }

    /// The date at which a record was received, and how long ago that was.
    pub(super) fn resolve(&self, base: Option<Base>, elapsed_ms: u32, now: Now) -> Received {
        let Some(base) = base else {
            return Received::unknown();
        };
        let mono = Duration::from_millis(base.mono_ms.saturating_add(elapsed_ms.into()));
        let wall = Duration::from_millis(base.wall_ms.saturating_add(elapsed_ms.into()));
        let dated = self.date(
            base.boot,
            mono,
            Wall {
                since_1970: wall,
                trusted: base.trusted,
            },
        );
        if base.boot == self.current {
            return Received {
                wall: dated,
                age: now.mono.saturating_sub(mono),
            };
        }
        let since = match dated.trusted {
            true => Some(dated.since_1970),
            // It came before a later boot whose beginning is known: at least as old as that.
            false => self
                .after(base.boot)
                .map(|boot| Duration::from_millis(boot.zero_ms)),
        };
        let age = since.filter(|_| now.wall.trusted);
        let age = age.map_or(Duration::ZERO, |since| {
            now.wall.since_1970.saturating_sub(since)
        });
        Received { wall: dated, age }
    }

    /// The same of a record that is still in memory.
    pub(super) fn resolve_fresh(&self, received: Now, now: Now) -> Received {
        let wall = self.date(self.current, received.mono, received.wall);
        Received {
            wall,
            age: now.mono.saturating_sub(received.mono),
        }
    }

    fn date(&self, boot: u32, mono: Duration, wall: Wall) -> Wall {
        match self.zero(boot).filter(|_| !wall.trusted) {
            Some(zero) => Wall {
                since_1970: zero + mono,
                trusted: true,
            },
            None => wall,
        }
    }

    fn zero(&self, boot: u32) -> Option<Duration> {
        let known = self.known.iter().find(|known| known.number == boot);
        known.map(|known| Duration::from_millis(known.zero_ms))
    }

    fn after(&self, boot: u32) -> Option<&Boot> {
        self.known.iter().find(|known| known.number > boot)
    }
}

/// When a record was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) wall: Wall,
    pub(super) age: Duration,
}

impl Received {
    /// Not known: as if it came now, so that nothing expires by mistake.
    fn unknown() -> Self {
        let wall = Wall {
            since_1970: Duration::ZERO,
            trusted: false,
        };
        Self {
            wall,
            age: Duration::ZERO,
        }
    }
}

/// Milliseconds after `base` at which something was received; none if it has to be said anew.
pub(super) fn elapsed(base: &Base, received: &Base) -> Option<u32> {
    let elapsed_ms = received.mono_ms.checked_sub(base.mono_ms)?;
    let expected_ms = base.wall_ms.saturating_add(elapsed_ms);
    let steady = received.wall_ms.abs_diff(expected_ms) <= STEP_MS || !base.trusted;
    let same = base.boot == received.boot && base.trusted == received.trusted && steady;
    u32::try_from(elapsed_ms)
        .ok()
        .filter(|elapsed_ms| same && *elapsed_ms < ELAPSED_MAX_MS)
}

/// Whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The date may drift by this much from the monotonic clock before a mark says it anew.
const STEP_MS: u64 = 1_000;
const ELAPSED_MAX_MS: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    fn now(mono_s: u64, wall: Option<u64>) -> Now {
        let since_1970 = Duration::from_secs(wall.unwrap_or(mono_s));
        let wall = Wall {
            since_1970,
            trusted: wall.is_some(),
        };
        Now {
            mono: Duration::from_secs(mono_s),
            wall,
        }
    }

    fn boots(current: u32) -> Boots {
        Boots {
            current,
            known: Vec::new(),
            trusted_ms: 0,
        }
    }

    #[test]
    fn a_date_learned_later_dates_what_came_before_it() {
        let mut boots = boots(1);
        let base = boots.base(now(10, None));
        assert!(!boots.resolve(Some(base), 0, now(20, None)).wall.trusted);
        assert!(boots.note(now(100, Some(2_000_000_100))));
        let received = boots.resolve(Some(base), 5_000, now(100, Some(2_000_000_100)));
        assert_eq!(received.wall.since_1970, Duration::from_secs(2_000_000_015));
        assert!(received.wall.trusted);
        assert_eq!(received.age, Duration::from_secs(85));
    }

    #[test]
    fn what_an_earlier_boot_never_dated_ages_from_the_first_trusted_moment() {
        let base = boots(1).base(now(10, None));
        let mut later = boots(2);
        assert_eq!(
            later.resolve(Some(base), 0, now(50, None)).age,
            Duration::ZERO
        );
        later.note(now(100, Some(2_000_000_100)));
        let received = later.resolve(Some(base), 0, now(700, Some(2_000_000_700)));
        assert_eq!(
            (received.age, received.wall.trusted),
            (Duration::from_secs(700), false)
        );
    }

    #[test]
    fn a_step_of_the_date_asks_for_a_mark() {
        let boots = boots(1);
        let base = boots.base(now(10, Some(1000)));
        assert_eq!(
            elapsed(&base, &boots.base(now(15, Some(1005)))),
            Some(5_000)
        );
        assert_eq!(elapsed(&base, &boots.base(now(15, Some(1000)))), None);
        assert_eq!(elapsed(&base, &boots.base(now(15, None))), None);
        assert_eq!(
            elapsed(&base, &boots.base(now(3_000_000, Some(3_000_990)))),
            None
        );
    }
}
