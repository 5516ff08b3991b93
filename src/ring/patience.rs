//! How long to wait before what could not be read is tried again. Reads nothing itself.

use std::time::Duration;

/// What could not be read, since when, and when it is tried again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    since: Option<Duration>,
    again: Duration,
}

impl Patience {
    /// A read failed: the longer that lasts, the longer the pause.
    pub(super) fn failed(&mut self, mono: Duration) {
        let since = *self.since.get_or_insert(mono);
        let pause = (mono.saturating_sub(since) / PART).clamp(PAUSE_MIN, PAUSE_MAX);
        self.again = mono + pause;
    }

    /// It was read.
    pub(super) fn succeeded(&mut self) {
        self.since = None;
    }

    /// Whether the last read failed.
    pub(super) fn is_failing(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it is too early to try again.
    pub(super) fn waits(&self, mono: Duration) -> bool {
        self.again().is_some_and(|again| mono < again)
    }

    /// When to try again; none if nothing failed.
    pub(super) fn again(&self) -> Option<Duration> {
        self.since.map(|_| self.again)
    }
}

/// The pause is this part of the time that it has failed: a disturbance costs next to no time, and
/// a disk that needs seconds to fail does not stop the gateway each second.
const PART: u32 = 16;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_the_time_that_reads_fail_and_are_bounded() {
        let mut patience = Patience::default();
        let mut mono = Duration::from_secs(100);
        let mut pauses = Vec::new();
        for _ in 0..500 {
            patience.failed(mono);
            let again = patience.again().unwrap();
            assert!(patience.waits(mono) && !patience.waits(again));
            pauses.push(again - mono);
            mono = again;
        }
        assert!(pauses.is_sorted());
        assert_eq!((pauses[0], pauses[499]), (PAUSE_MIN, PAUSE_MAX));
        patience.succeeded();
        assert!(!patience.is_failing() && !patience.waits(mono));
    }
}
