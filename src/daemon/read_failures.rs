//! Reads of the ring that fail: when that is said, and that it is over. Reads nothing.

use std::time::Duration;

/// What is known of reads that fail.
///
/// `told_count <= count`: the difference is what the next line says. `said` holds from a line that
/// they fail to the line that it is over, which nobody reads who has not read the first.
#[derive(Clone, Copy, Default)]
pub(super) struct ReadFailures {
    failing: bool,
    /// How many have failed, and how many of those were told of.
    count: u64,
    told_count: u64,
    /// That they fail was said, and not yet that it is over.
    said: bool,
    /// Nothing more is said before this moment, and how long that is.
    quiet_until: Duration,
    quiet: Duration,
    /// When streams were told to try again.
    told: Duration,
}

impl ReadFailures {
    /// So many failed while the ring was opened: that was said there.
    pub(super) fn after(count: u64) -> Self {
        Self {
            count,
            told_count: count,
            ..Self::default()
        }
    }

    /// Whether there are more than were known.
    pub(super) fn are_fewer_than(&self, count: u64) -> bool {
        self.count < count
    }

    /// There are `count` now, more than before.
    pub(super) fn failed(&mut self, count: u64, mono: Duration) {
        self.failing = true;
        self.count = count;
        if mono < self.quiet_until {
            return;
        }
        let new = count - self.told_count;
        log::warn!("ring: {new} reads failed: streams wait for what is on disk and try again");
        if mono > self.quiet_until + QUIET_MAX {
            self.quiet = Duration::ZERO;
        }
        self.quiet = (self.quiet * 2).clamp(QUIET_MIN, QUIET_MAX);
        self.quiet_until = mono + self.quiet;
        self.told_count = count;
        self.said = true;
    }

    /// Nothing waits for a read that failed.
    pub(super) fn succeeded(&mut self) {
        if std::mem::take(&mut self.failing) && std::mem::take(&mut self.said) {
            log::info!("ring: what is on disk can be read again");
        }
    }

    /// When streams were told to try again.
    pub(super) fn told(&self) -> Duration {
        self.told
    }

    /// Streams are told now.
    pub(super) fn tell(&mut self, mono: Duration) {
        self.told = mono;
    }
}

/// That reads fail is said at once, then at most once in this time, which grows.
const QUIET_MIN: Duration = Duration::from_secs(15);
const QUIET_MAX: Duration = Duration::from_secs(15 * 60);
