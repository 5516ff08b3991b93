//! What a stream or channel did in the last minutes: how many messages a second, how soon a
//! backlog is gone, how long acknowledgements take. Reads no clock, and takes the same room
//! whatever passes.

use super::Daemon;
use crate::ring::Counters;
use crate::stream::engine::Latencies;
use std::collections::VecDeque;
use std::time::Duration;

/// How it stood now and then.
#[derive(Debug, Default)]
pub(super) struct Figures {
    samples: VecDeque<Sample>,
    /// Latencies at the beginning of this spell, and of the one before.
    spells: [Latencies; 2],
    spell_since: Duration,
}

/// How it stood at one time.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    /// Messages that passed.
    passed: u64,
    /// Messages that waited.
    backlog: u64,
}

impl Figures {
    /// Whether the last note is so old that another one is worth its room.
    fn is_due(&self, now: Duration) -> bool {
        self.samples
            .back()
            .is_none_or(|last| now >= last.at + EVERY)
    }

    /// Notes how many messages have passed by now, and how many wait.
    fn note(&mut self, passed: u64, backlog: u64, now: Duration) {
        if self.samples.len() >= SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            at: now,
            passed,
            backlog,
        });
    }

    /// Notes all latencies by now.
    fn note_latencies(&mut self, latencies: &Latencies, now: Duration) {
        if now >= self.spell_since + SPELL {
            let [current, _] = self.spells;
            self.spells = [*latencies, current];
            self.spell_since = now;
        }
    }

    /// Messages a second in the last minutes.
    #[expect(clippy::cast_precision_loss, reason = "two digits are read of it")]
    pub(super) fn rate(&self, passed: u64, now: Duration) -> f64 {
        let recent = |sample: &&Sample| sample.at + WINDOW >= now;
        let Some(before) = self.samples.iter().find(recent) else {
            return 0.0;
        };
        let time = now.saturating_sub(before.at).max(EVERY);
        passed.saturating_sub(before.passed) as f64 / time.as_secs_f64()
    }

    /// How long it takes until nothing waits, at the pace of the last half minute; none where
    /// nothing waits, or does not get less.
    #[expect(clippy::cast_precision_loss, reason = "two digits are read of it")]
    pub(super) fn drain_time(&self, backlog: u64, now: Duration) -> Option<f64> {
        let old = |sample: &&Sample| sample.at + DRAIN_WINDOW <= now;
        let before = self.samples.iter().rev().find(old);
        let before = before.or(self.samples.front())?;
        let time = now.saturating_sub(before.at);
        let gone = before
            .backlog
            .checked_sub(backlog)
            .filter(|gone| *gone > 0)?;
        let known = backlog > 0 && time >= SHORTEST;
        known.then(|| backlog as f64 * time.as_secs_f64() / gone as f64)
    }

    /// The latencies of the last minutes, of all by now.
    pub(super) fn lately(&self, latencies: &Latencies) -> Latencies {
        let [_, before] = &self.spells;
        latencies.since(before)
    }
}

impl Daemon {
    /// Notes how streams and channels stand, where that is due.
    pub(super) fn note_figures(&self) {
        let now = self.shared.now().mono;
        let parts = self.parts.borrow();
        for stream in &parts.streams {
            let mut figures = stream.shown.figures.borrow_mut();
            if figures.is_due(now) {
                let Counters {
                    accepted, backlog, ..
                } = self.shared.ring.counters(stream.id);
                figures.note(accepted, backlog, now);
                figures.note_latencies(&stream.shown.tally.get().latencies, now);
            }
        }
        for channel in &parts.channels {
            let mut figures = channel.figures.borrow_mut();
            if figures.is_due(now) {
                figures.note(channel.received.get(), 0, now);
            }
        }
    }
}

/// Between two notes at least.
const EVERY: Duration = Duration::from_secs(10);

/// How long is looked back for a rate.
const WINDOW: Duration = Duration::from_mins(5);

/// Notes of that time.
const SAMPLES: usize = 31;

/// How long is looked back for the pace at which a backlog gets less: as it is now, not as it was
/// before the destination came back.
const DRAIN_WINDOW: Duration = Duration::from_secs(30);

/// In less time nothing is known.
const SHORTEST: Duration = Duration::from_secs(5);

/// Percentiles are of this spell and the one before.
const SPELL: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_rate_is_that_of_the_last_minutes() {
        let mut figures = Figures::default();
        assert_eq!(figures.rate(100, at(10)), 0.0);
        figures.note(0, 0, at(0));
        assert_eq!(figures.rate(100, at(1)), 10.0, "no more than it can be");
        assert_eq!(figures.rate(100, at(50)), 2.0);
        for note in 1..=60 {
            assert!(figures.is_due(at(10 * note)) && !figures.is_due(at(10 * note - 1)));
            figures.note(20 * note, 0, at(10 * note));
        }
        assert_eq!(figures.samples.len(), SAMPLES);
        assert_eq!(figures.rate(1_200, at(600)), 2.0);
        // nothing came since
        assert_eq!(figures.rate(1_200, at(750)), 1.0);
        assert_eq!(figures.rate(1_200, at(2_000)), 0.0);
    }

    #[test]
    fn a_backlog_is_gone_at_the_pace_of_the_last_half_minute() {
        let mut figures = Figures::default();
        assert_eq!(figures.drain_time(100, at(10)), None);
        (0..60).for_each(|note| figures.note(0, 100 * note, at(10 * note)));
        assert_eq!(figures.drain_time(6_000, at(600)), None, "it grows");
        figures.note(0, 6_000, at(600));
        assert_eq!(figures.drain_time(5_900, at(604)), None, "too soon");
        (61..65).for_each(|note| figures.note(0, 12_000 - 100 * note, at(10 * note)));
        assert_eq!(figures.drain_time(5_600, at(640)), Some(560.0));
        assert_eq!(figures.drain_time(0, at(640)), None);
    }

    #[test]
    fn latencies_of_an_hour_ago_are_of_no_interest() {
        let (slow, all) = (latencies(&[30]), latencies(&[30, 1, 1]));
        let mut figures = Figures::default();
        figures.note_latencies(&slow, at(3_000));
        assert_eq!(figures.lately(&slow), slow, "of the spell before");
        figures.note_latencies(&slow, at(3_300));
        assert_eq!(figures.lately(&all), all.since(&slow));
    }

    fn latencies(secs: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        secs.iter().for_each(|secs| latencies.count(at(*secs), 1));
        latencies
    }
}
