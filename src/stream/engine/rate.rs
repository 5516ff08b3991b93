//! The rate of a stream: how many messages may go, and when the next. Counts what is sent, also
//! what is sent again; knows no message.

use crate::clock::Now;
use std::time::Duration;

/// Each message that is sent moves the time of the next on. As many as fit into a second may go at
/// once, so that a batch is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Between two messages; none: no limit.
    interval: Option<Duration>,
    /// Nothing goes before.
    next: Duration,
}

impl Rate {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self {
            interval: interval.filter(|interval| !interval.is_zero()),
            next: Duration::ZERO,
        }
    }

    /// How many messages may go now.
    pub(super) fn room(&self, now: Now) -> usize {
        match self.interval {
            None => usize::MAX,
            Some(_) if now.mono < self.next => 0,
            Some(interval) => in_a_second(interval),
        }
    }

    /// So many go now.
    pub(super) fn spend(&mut self, count: usize, now: Now) {
        if let Some(interval) = self.interval {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.next = self.next.max(now.mono) + interval.saturating_mul(count);
        }
    }

    /// When the next may go.
    pub(super) fn next(&self) -> Duration {
        self.next
    }
}

/// At least one.
fn in_a_second(interval: Duration) -> usize {
    let count = (1_000_000_000 + ROUNDING) / interval.as_nanos().max(1);
    usize::try_from(count).unwrap_or(usize::MAX).max(1)
}

/// The interval of a rate is cut or rounded up by less than a nanosecond; over a second of at most
/// 100,000 messages that makes less than this, in nanoseconds.
const ROUNDING: u128 = 100_000;
