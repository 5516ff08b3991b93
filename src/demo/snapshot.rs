//! The snapshot: all that there is to see at one moment, and how it came to that. Draws nothing.

use super::balance::Account;
use super::outage::Presence;
use super::road::Fix;
use super::vehicle::Protocol;
use std::collections::VecDeque;
use std::time::Duration;

/// All that there is to see at one moment.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Since the start of the demo.
    pub(super) elapsed: Duration,
    /// How long the vehicles drive; none: until somebody ends it.
    pub(super) length: Option<Duration>,
    pub(super) phase: Phase,
    pub(super) vehicles: Vec<Seen>,
    /// Messages that wait in the ring.
    pub(super) backlog: u64,
    /// Messages that the daemon took.
    pub(super) stored: u64,
    pub(super) receiver: Presence,
    /// Different messages that arrived.
    pub(super) delivered: u64,
    /// Arrivals of what had arrived before.
    pub(super) duplicated: u64,
}

/// A vehicle as one sees it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: &'static str,
    pub(super) protocol: Protocol,
    pub(super) fix: Fix,
    pub(super) account: Account,
    /// Whether it has a connection to the daemon.
    pub(super) link: Presence,
}

/// What the demo does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Vehicles drive and report.
    Driving,
    /// They are parked; what is under way is waited for.
    Draining,
    /// All is there, or it is not waited for any longer.
    Done,
}

/// The latest moments, at most [`MOMENTS_MAX`].
#[derive(Debug, Default)]
pub(super) struct History {
    moments: VecDeque<Moment>,
    /// The longest backlog ever.
    peak: u64,
}

/// What is remembered of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    elapsed: Duration,
    stored: u64,
    delivered: u64,
    pub(super) backlog: u64,
    pub(super) receiver: Presence,
}

/// Messages a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rates {
    /// Into the ring.
    pub(super) stored: u64,
    /// At the receiver.
    pub(super) delivered: u64,
}

impl History {
    /// Remembers a snapshot.
    pub(super) fn note(&mut self, snapshot: &Snapshot) {
        if self.moments.len() == MOMENTS_MAX {
            self.moments.pop_front();
        }
        let Snapshot {
            elapsed,
            stored,
            delivered,
            backlog,
            receiver,
            ..
        } = *snapshot;
        self.moments.push_back(Moment {
            elapsed,
            stored,
            delivered,
            backlog,
            receiver,
        });
        self.peak = self.peak.max(backlog);
    }

    /// The longest backlog ever, at least 1.
    pub(super) fn peak(&self) -> u64 {
        self.peak.max(1)
    }

    /// From the oldest to the latest.
    pub(super) fn moments(&self) -> impl Iterator<Item = &Moment> {
        self.moments.iter()
    }

    /// How long it goes back.
    pub(super) fn span(&self) -> Duration {
        let (first, last) = (self.moments.front(), self.moments.back());
        let elapsed = |moment: Option<&Moment>| moment.map_or(Duration::ZERO, |at| at.elapsed);
        elapsed(last).saturating_sub(elapsed(first))
    }

    /// Of the last second or a little more.
    pub(super) fn rates(&self) -> Rates {
        let Some(last) = self.moments.back() else {
            return Rates::default();
        };
        let since = last.elapsed.saturating_sub(RATE_SPAN);
        let mut earlier = self.moments.iter().rev();
        let Some(first) = earlier.find(|moment| moment.elapsed <= since) else {
            return Rates::default();
        };
        let millis = u64::try_from((last.elapsed - first.elapsed).as_millis()).unwrap_or(0);
        let rate = |more: u64| more.saturating_mul(1_000).checked_div(millis).unwrap_or(0);
        Rates {
            stored: rate(last.stored.saturating_sub(first.stored)),
            delivered: rate(last.delivered.saturating_sub(first.delivered)),
        }
    }
}

/// One for each column of the picture's curve.
pub(super) const MOMENTS_MAX: usize = 76;

const RATE_SPAN: Duration = Duration::from_secs(1);

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Some moment of a demo of 30 s.
    pub(in crate::demo) fn snapshot() -> Snapshot {
        let fix = Fix {
            latitude: 52.5145,
            longitude: 13.3501,
            heading: 266,
            speed: 48,
        };
        let account = Account {
            sent: 12_345,
            acked: 12_300,
        };
        let seen = |(name, protocol, link)| Seen {
            name,
            protocol,
            fix,
            account,
            link,
        };
        let vehicles = [
            ("bus 1", Protocol::Teltonika, Presence::Here),
            ("bus 2", Protocol::Teltonika, Presence::Away),
            ("van 1", Protocol::Json, Presence::Here),
        ];
        Snapshot {
            elapsed: Duration::from_millis(12_300),
            length: Some(Duration::from_secs(30)),
            phase: Phase::Driving,
            vehicles: vehicles.map(seen).to_vec(),
            backlog: 150,
            stored: 37_000,
            receiver: Presence::Away,
            delivered: 36_800,
            duplicated: 12,
        }
    }

    #[test]
    fn rates_are_those_of_the_last_second() {
        let mut history = History::default();
        for tick in 0..20 {
            let elapsed = Duration::from_millis(200 * tick);
            let delivered = if tick < 10 { 0 } else { (tick - 10) * 30 };
            history.note(&Snapshot {
                elapsed,
                stored: tick * 12,
                delivered,
                ..snapshot()
            });
        }
        assert_eq!(
            history.rates(),
            Rates {
                stored: 60,
                delivered: 150
            }
        );
    }

    #[test]
    fn what_is_old_is_forgotten_but_the_peak_is_not() {
        let mut history = History::default();
        history.note(&Snapshot {
            backlog: 500,
            ..snapshot()
        });
        (0..100).for_each(|_| history.note(&snapshot()));
        assert_eq!(history.moments().count(), MOMENTS_MAX);
        assert_eq!(history.peak(), 500);
        assert!(history.moments().all(|moment| moment.backlog == 150));
    }
}
