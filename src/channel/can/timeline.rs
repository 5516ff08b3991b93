//! The time that a bus is counted by: that of this machine for what comes as it is on the bus, that
//! of its lines for a log, so that a log gives the same however fast it is read.

use std::time::Duration;

/// What the channel counts by; it never runs back.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The lines have it.
    is_log: bool,
    now: Duration,
    /// The last line that came.
    last: Option<Last>,
    base: Anchor,
}

/// A line and when it was: others are as far from it as they say.
#[derive(Clone, Copy, Debug, Default)]
struct Anchor {
    line: Duration,
    at: Duration,
}

impl Anchor {
    /// When this line was; one that is before the anchor was with it.
    fn of(self, line: Duration) -> Duration {
        self.at.saturating_add(line.saturating_sub(self.line))
    }
}

#[derive(Clone, Copy, Debug)]
struct Last {
    line: Duration,
    /// When it came, by this machine.
    mono: Duration,
    /// When it was.
    at: Duration,
}

impl Timeline {
    /// Of lines that say when they were, or of what comes.
    pub(super) fn new(is_log: bool) -> Self {
        Self {
            is_log,
            now: Duration::ZERO,
            last: None,
            base: Anchor::default(),
        }
    }

    /// A line came, or is due.
    pub(super) fn line(&mut self, line: Duration, mono: Duration) -> Duration {
        if !self.is_log {
            return self.tick(mono);
        }
        let last = self.last.map(|last| last.line);
        if !last.is_some_and(|last| follows(last, line, GAP_MAX)) {
            let at = self.now;
            self.base = Anchor { line, at };
        }
        let at = self.now.max(self.base.of(line));
        self.now = at;
        self.last = Some(Last { line, mono, at });
        at
    }

    /// Nothing came since; time passes.
    pub(super) fn tick(&mut self, mono: Duration) -> Duration {
        let now = match (self.is_log, self.last) {
            (false, _) => mono,
            (true, Some(last)) => last.at.saturating_add(mono.saturating_sub(last.mono)),
            (true, None) => self.now,
        };
        self.now = self.now.max(now);
        self.now
    }

    /// When it will be `then`, by this machine, if nothing comes before.
    pub(super) fn mono_of(&self, then: Duration) -> Duration {
        match self.last.filter(|_| self.is_log) {
            Some(last) => last.mono.saturating_add(then.saturating_sub(last.at)),
            None => then,
        }
    }
}

/// The pace of a log: its lines are taken when they were on the bus.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The last line.
    last: Option<Duration>,
    /// A line and when it was taken.
    base: Option<Anchor>,
}

impl Pace {
    /// When a line is to be taken. One that is before the one before it, or a minute behind it, is
    /// not waited for.
    pub(super) fn due(&mut self, line: Duration, mono: Duration) -> Duration {
        let follows = self.last.is_some_and(|last| follows(last, line, WAIT_MAX));
        let base = self.base.filter(|_| follows);
        let base = base.unwrap_or(Anchor { line, at: mono });
        self.base = Some(base);
        self.last = Some(line);
        base.of(line)
    }
}

/// Whether a line is behind the one before it, by `most` at most.
fn follows(last: Duration, line: Duration, most: Duration) -> bool {
    line.checked_sub(last).is_some_and(|gap| gap <= most)
}

/// A clock that goes further in one step was set.
const GAP_MAX: Duration = Duration::from_secs(86_400);

/// The longest silence of a log that is waited for.
const WAIT_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_log_counts_by_its_lines_and_goes_on_without_them() {
        let mut time = Timeline::new(true);
        assert_eq!(time.line(s(1_000_000), s(5)), s(0));
        assert_eq!(time.line(s(1_000_010), s(5)), s(10));
        assert_eq!(time.mono_of(s(12)), s(7));
        assert_eq!(time.tick(s(7)), s(12));
        // set back, and far ahead: it stands for a moment
        assert_eq!(time.line(s(900_000), s(8)), s(12));
        assert_eq!(time.line(s(900_003), s(8)), s(15));
        assert_eq!(time.line(s(2_000_000), s(9)), s(15));
        assert_eq!(time.line(s(2_000_001), s(9)), s(16));
    }

    #[test]
    fn what_comes_counts_by_the_clock_of_this_machine() {
        let mut time = Timeline::new(false);
        assert_eq!(time.line(s(1_000_000), s(5)), s(5));
        assert_eq!(time.mono_of(s(9)), s(9));
        assert_eq!(time.tick(s(9)), s(9));
    }

    #[test]
    fn a_log_keeps_its_pace_and_skips_long_silences() {
        let mut pace = Pace::default();
        assert_eq!(pace.due(s(100), s(5)), s(5));
        assert_eq!(pace.due(s(103), s(5)), s(8));
        // late by now: it catches up
        assert_eq!(pace.due(s(104), s(20)), s(9));
        assert_eq!(pace.due(s(165), s(21)), s(21));
        assert_eq!(pace.due(s(166), s(21)), s(22));
        assert_eq!(pace.due(s(50), s(30)), s(30));
    }
}
