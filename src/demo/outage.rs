//! Outages: when the receiver is away, and when a vehicle has no coverage. A plan, no clock.

use std::time::Duration;

/// Whether something can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It can.
    Here,
    /// It cannot.
    Away,
}

/// Comes and goes in a beat; times count from the start of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outages {
    /// When the first begins.
    first: Duration,
    /// How long each is.
    away: Duration,
    /// From one beginning to the next.
    every: Duration,
    /// None lasts longer than to this time.
    until: Duration,
}

impl Outages {
    /// Those of the receiver in a demo of some length, or without end: a third of the time, and
    /// early enough that all can be delivered before the end.
    pub(super) fn of_receiver(length: Option<Duration>) -> Self {
        let length = length.unwrap_or(Duration::MAX);
        let every = (length / 3).clamp(EVERY_MIN, EVERY_MAX);
        Self {
            first: every * 5 / 9,
            away: every / 3,
            every,
            until: length.saturating_sub(every / 3),
        }
    }

    /// Those of one vehicle, in each at another time.
    pub(super) fn of_vehicle(index: usize, length: Option<Duration>) -> Self {
        let index = u32::try_from(index).unwrap_or(0);
        Self {
            first: COVERAGE_FIRST + COVERAGE_SHIFT * index,
            away: COVERAGE_AWAY,
            every: COVERAGE_EVERY,
            until: length.unwrap_or(Duration::MAX),
        }
    }

    /// Of what is always there.
    pub(super) fn none() -> Self {
        Self {
            first: Duration::ZERO,
            away: Duration::ZERO,
            every: Duration::MAX,
            until: Duration::ZERO,
        }
    }

    /// How it is at a time.
    pub(super) fn at(&self, time: Duration) -> Presence {
        let Some(since_first) = time.checked_sub(self.first) else {
            return Presence::Here;
        };
        let into = since_first.as_millis() % self.every.as_millis().max(1);
        let into = Duration::from_millis(u64::try_from(into).unwrap_or(0));
        let end = (time - into).saturating_add(self.away);
        if into < self.away && end <= self.until {
            Presence::Away
        } else {
            Presence::Here
        }
    }
}

const EVERY_MIN: Duration = Duration::from_secs(3);
const EVERY_MAX: Duration = Duration::from_secs(9);

const COVERAGE_FIRST: Duration = Duration::from_millis(2_300);
const COVERAGE_SHIFT: Duration = Duration::from_millis(2_900);
const COVERAGE_AWAY: Duration = Duration::from_millis(1_500);
const COVERAGE_EVERY: Duration = Duration::from_millis(17_300);

#[cfg(test)]
mod tests {
    use super::*;

    /// In tenths of a second: when it goes, and when it comes back.
    fn changes(outages: Outages, seconds: u64) -> Vec<u64> {
        let at = |tenth| outages.at(Duration::from_millis(tenth * 100));
        (1..seconds * 10)
            .filter(|tenth| at(*tenth) != at(tenth - 1))
            .collect()
    }

    #[test]
    fn in_thirty_seconds_the_receiver_goes_and_comes_back_three_times() {
        let outages = Outages::of_receiver(Some(Duration::from_secs(30)));
        assert_eq!(changes(outages, 60), [50, 80, 140, 170, 230, 260]);
    }

    #[test]
    fn however_short_a_demo_is_no_outage_lasts_to_its_end() {
        for seconds in 1..120 {
            let length = Duration::from_secs(seconds);
            let outages = Outages::of_receiver(Some(length));
            let end = outages.until.max(Duration::from_millis(1));
            assert_eq!(outages.at(end), Presence::Here, "{seconds} s");
            assert_eq!(changes(outages, seconds).len() % 2, 0, "{seconds} s");
        }
    }

    #[test]
    fn without_an_end_it_goes_on() {
        let outages = Outages::of_receiver(None);
        assert_eq!(changes(outages, 9_000).len(), 2_000);
    }

    #[test]
    fn vehicles_lose_coverage_one_after_the_other() {
        let first = |index| changes(Outages::of_vehicle(index, None), 60)[0];
        assert_eq!([first(0), first(1), first(2)], [23, 52, 81]);
    }
}
