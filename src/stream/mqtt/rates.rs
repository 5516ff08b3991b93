//! What a platform allows in a time, kept to four fifths of it: publishes and what they carry, of
//! the whole connection and of each key.
//!
//! A bucket for each limit: what goes takes out of it, and it fills again within its time, so that
//! in no time of that length more goes than is allowed.

use super::profile::Allowance;
use super::profile::Limit;
use super::profile::Rates;
use crate::clock::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// The rates of one connection.
#[derive(Debug, Default)]
pub(super) struct Meter {
    whole: Buckets,
    each: Allowance,
    /// By the digest of a key: at most [`KEYS_MAX`].
    keys: BTreeMap<u64, Buckets>,
    /// When the first of what was held back may go.
    due: Option<Duration>,
}

/// What stands in the way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing.
    No,
    /// What its key is allowed is spent: those of others may go.
    Key,
    /// What all together are allowed is spent.
    Whole,
}

/// Publishes, and data points in them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) publishes: u32,
    pub(super) points: u32,
}

impl Meter {
    /// Nothing was sent yet in this connection.
    pub(super) fn new(rates: Rates, now: Now) -> Self {
        Self {
            whole: Buckets::new(&rates.whole, now),
            each: rates.each,
            ..Self::default()
        }
    }

    /// All that is held back is asked for again.
    pub(super) fn begin(&mut self) {
        self.due = None;
    }

    /// When something that was held back may go.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Takes what a message costs, unless it is held back.
    pub(super) fn spend(&mut self, key: u64, cost: Cost, now: Now) -> Held {
        let whole = self.whole.due(cost, now);
        let has_limits = self.each != Allowance::default();
        let each = has_limits
            .then(|| self.of_key(key, now))
            .map(|it| it.due(cost, now));
        let due = each.unwrap_or(now.mono).max(whole);
        if due > now.mono {
            self.due = Some(self.due.map_or(due, |other| other.min(due)));
            return match whole > now.mono {
                true => Held::Whole,
                false => Held::Key,
            };
        }
        self.whole.take(cost);
        if has_limits {
            self.of_key(key, now).take(cost);
        }
        Held::No
    }

    fn of_key(&mut self, key: u64, now: Now) -> &mut Buckets {
        if self.keys.len() >= KEYS_MAX && !self.keys.contains_key(&key) {
            self.keys.retain(|_, buckets| !buckets.is_full(now));
            if self.keys.len() >= KEYS_MAX {
                self.keys.clear();
            }
        }
        let each = &self.each;
        self.keys
            .entry(key)
            .or_insert_with(|| Buckets::new(each, now))
    }
}

/// Of one key, or of all together.
#[derive(Debug, Default)]
struct Buckets {
    publishes: Vec<Bucket>,
    points: Vec<Bucket>,
}

impl Buckets {
    fn new(allowed: &Allowance, now: Now) -> Self {
        let buckets = |limits: &[Limit]| {
            limits
                .iter()
                .map(|limit| Bucket::new(*limit, now))
                .collect()
        };
        Self {
            publishes: buckets(&allowed.publishes),
            points: buckets(&allowed.points),
        }
    }

    /// When it may go.
    fn due(&mut self, cost: Cost, now: Now) -> Duration {
        let publishes = self
            .publishes
            .iter_mut()
            .map(|it| it.due(cost.publishes, now));
        let points = self.points.iter_mut().map(|it| it.due(cost.points, now));
        publishes.chain(points).fold(now.mono, Duration::max)
    }

    fn take(&mut self, cost: Cost) {
        let publishes = self.publishes.iter_mut();
        publishes.for_each(|it| it.level -= f64::from(cost.publishes));
        let points = self.points.iter_mut();
        points.for_each(|it| it.level -= f64::from(cost.points));
    }

    fn is_full(&mut self, now: Now) -> bool {
        let mut all = self.publishes.iter_mut().chain(&mut self.points);
        all.all(|it| it.fill(now) >= it.size)
    }
}

#[derive(Debug)]
struct Bucket {
    size: f64,
    per_second: f64,
    level: f64,
    filled_at: Duration,
}

impl Bucket {
    fn new(limit: Limit, now: Now) -> Self {
        let size = f64::from(limit.count) * SHARE;
        Self {
            size,
            per_second: size / limit.period.as_secs_f64().max(0.001),
            // the connection before may have spent the rest just now
            level: size * AT_FIRST,
            filled_at: now.mono,
        }
    }

    fn fill(&mut self, now: Now) -> f64 {
        let passed = now.mono.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = now.mono;
        self.level = (self.level + passed * self.per_second).min(self.size);
        self.level
    }

    /// When so much may be taken. What is more than all of it goes when it is full.
    fn due(&mut self, cost: u32, now: Now) -> Duration {
        let lacks = f64::from(cost).min(self.size) - self.fill(now);
        match lacks > TINY {
            // a moment later than it is exact, so that it is enough then
            true => now.mono + Duration::from_secs_f64(lacks / self.per_second) + MOMENT,
            false => now.mono,
        }
    }
}

/// Of what is allowed so much is used: the platform's clock is not ours.
const SHARE: f64 = 0.8;

/// And of that so much at the beginning of a connection.
const AT_FIRST: f64 = 0.25;

/// What arithmetic leaves.
const TINY: f64 = 1e-6;

/// The clock ticks in these at least.
const MOMENT: Duration = Duration::from_millis(1);

/// Keys whose spending is remembered.
const KEYS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    fn at(millis: u64) -> Now {
        let mono = Duration::from_millis(millis);
        let wall = Wall {
            since_1970: mono,
            trusted: false,
        };
        let ages = false;
        Now { mono, wall, ages }
    }

    fn allowed(publishes: &str, points: &str) -> Allowance {
        Allowance {
            publishes: Limit::list(publishes),
            points: Limit::list(points),
        }
    }

    /// Sends as fast as it may, for so many seconds; when each went, in milliseconds.
    fn sends(meter: &mut Meter, points: u32, seconds: u64) -> Vec<u64> {
        let (mut now, mut sent) = (0, Vec::new());
        while now < 1000 * seconds {
            meter.begin();
            let publishes = 1;
            match meter.spend(7, Cost { publishes, points }, at(now)) {
                Held::No => sent.push(now),
                _ => now = u64::try_from(meter.due().unwrap().as_millis()).unwrap(),
            }
        }
        sent
    }

    #[test]
    fn in_no_time_of_a_limit_more_goes_than_it_allows() {
        for (publishes, points, each) in [
            ("10:1,300:60", "", 1),
            ("", "300:60", 20),
            ("1:1", "", 1),
            ("10:1,60:60", "300:60", 7),
        ] {
            let limits = [(publishes, 1), (points, each)];
            for whole in [true, false] {
                let limit = allowed(publishes, points);
                let rates = match whole {
                    true => Rates {
                        whole: limit,
                        ..Rates::default()
                    },
                    false => Rates {
                        each: limit,
                        ..Rates::default()
                    },
                };
                let sent = sends(&mut Meter::new(rates, at(0)), each, 600);
                for (text, cost) in limits {
                    for limit in Limit::list(text) {
                        let period = u64::try_from(limit.period.as_millis()).unwrap();
                        let most = sent.iter().map(|from| {
                            let within = |it: &&u64| (*from..from + period).contains(*it);
                            sent.iter().filter(within).count() as u64 * u64::from(cost)
                        });
                        let most = most.max().unwrap();
                        let count = u64::from(limit.count);
                        assert!(most <= count.max(u64::from(cost)), "{text}: {most}");
                    }
                }
                let tightest = limits.iter().flat_map(|(text, cost)| {
                    let limits = Limit::list(text).into_iter();
                    limits
                        .map(|it| f64::from(it.count) / it.period.as_secs_f64() / f64::from(*cost))
                });
                let tightest = tightest.fold(f64::MAX, f64::min) * 600.0;
                let share = sent.len() as f64 / tightest;
                assert!(
                    (0.75..=0.82).contains(&share),
                    "{publishes} {points}: {share}"
                );
            }
        }
    }

    #[test]
    fn one_key_that_has_spent_its_share_holds_no_other_up() {
        let rates = Rates {
            each: allowed("10:1", ""),
            ..Rates::default()
        };
        let mut meter = Meter::new(rates, at(0));
        let cost = Cost {
            publishes: 1,
            points: 0,
        };
        assert_eq!(meter.spend(1, cost, at(0)), Held::No);
        assert_eq!(meter.spend(1, cost, at(0)), Held::No);
        assert_eq!(meter.spend(1, cost, at(0)), Held::Key);
        assert_eq!(meter.spend(2, cost, at(0)), Held::No);
        let rates = Rates {
            whole: allowed("5:1", ""),
            ..Rates::default()
        };
        let mut meter = Meter::new(rates, at(0));
        assert_eq!(meter.spend(1, cost, at(0)), Held::No);
        assert_eq!(meter.spend(2, cost, at(0)), Held::Whole);
    }

    #[test]
    fn a_message_that_costs_more_than_is_ever_allowed_goes_alone() {
        let rates = Rates {
            whole: allowed("", "10:1"),
            ..Rates::default()
        };
        let sent = sends(&mut Meter::new(rates, at(0)), 100, 60);
        assert!((4..=6).contains(&sent.len()), "{sent:?}");
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let rates = Rates {
            each: allowed("10:1", ""),
            ..Rates::default()
        };
        let mut meter = Meter::new(rates, at(0));
        for key in 0..10_000 {
            meter.spend(
                key,
                Cost {
                    publishes: 1,
                    points: 0,
                },
                at(0),
            );
            assert!(meter.keys.len() <= KEYS_MAX);
        }
    }

    #[test]
    fn limits_are_read_as_the_platform_writes_them() {
        let limit = |count, seconds| Limit {
            count,
            period: Duration::from_secs(seconds),
        };
        for (text, expected) in [
            ("10:1,300:60", vec![limit(10, 1), limit(300, 60)]),
            (" 5:1 ", vec![limit(5, 1)]),
            ("", vec![]),
            ("0:1,x,3,4:y,:,1:0", vec![]),
            (
                "1:1,2:2,3:3,4:4,5:5",
                vec![limit(1, 1), limit(2, 2), limit(3, 3), limit(4, 4)],
            ),
        ] {
            assert_eq!(Limit::list(text), expected, "{text}");
        }
    }
}
