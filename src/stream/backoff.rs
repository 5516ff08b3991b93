//! How long to wait before the next try: doubling, with full jitter above the shortest wait, also
//! the first time: a broker that starts anew loses all gateways of a fleet in the same moment, and
//! without chance in the first wait they would all be back in the same moment, too.
//!
//! Success alone does not make the waits short again where a connection was lost: two gateways with
//! one name at a broker throw each other out, and each has success before that. The connection
//! after it has to last for several times the longest that the last wait could have been.

use std::time::Duration;

/// The waits of one stream or channel, reset only by success that lasts.
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    /// Whether the last failure was that of a connection.
    lost: bool,
    /// Success since the last failure.
    succeeded: bool,
    /// When what comes after the last failure has lasted.
    lasts_at: Duration,
    /// Nothing is sent before.
    paused_until: Option<Duration>,
    /// The same, where the destination itself said so.
    asked_until: Option<Duration>,
}

impl Backoff {
    /// Waits from `min` to `max`; the first is at most four times `min`.
    #[must_use]
    pub fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max: max.max(min),
            failures: 0,
            lost: false,
            succeeded: false,
            lasts_at: Duration::ZERO,
            paused_until: None,
            asked_until: None,
        }
    }

    /// The longest that the wait after one more failure can be.
    fn ceiling(&self) -> Duration {
        self.min
            .saturating_mul(FIRST << self.failures.min(20))
            .min(self.max)
    }

    /// The wait after one more failure: from `min` to four times `min` doubled with each failure
    /// before it, at most `max`; `random` decides where between.
    fn failed(&mut self, random: u32) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        let share = f64::from(random) / f64::from(u32::MAX);
        self.min + ceiling.saturating_sub(self.min).mul_f64(share)
    }

    /// Begins the wait after one more failure, which is not over before `after`: the same chance
    /// comes on top, since many may be asked to come back at the same time.
    pub fn pause(&mut self, now: Duration, after: Option<Duration>, random: u32) {
        self.forget(now);
        self.lost = false;
        let longer = after.unwrap_or_default().saturating_sub(self.min);
        let wait = self.failed(random) + longer;
        self.paused_until = Some(now + wait);
        self.asked_until = after.map(|after| now + after);
    }

    /// The same, where the failure is that of a connection.
    pub fn pause_lost(&mut self, now: Duration, random: u32) {
        self.forget(now);
        let lasts = LASTS * self.ceiling();
        let wait = self.failed(random);
        self.lost = true;
        self.lasts_at = now + wait + lasts;
        self.paused_until = Some(now + wait);
        self.asked_until = None;
    }

    /// The failures before success that lasts do not count.
    fn forget(&mut self, now: Duration) {
        let lasted = !self.lost || now >= self.lasts_at;
        if self.succeeded && lasted {
            self.failures = 0;
        }
        self.succeeded = false;
    }

    /// What failed until now was the fault of one message that is given up, and not of the way.
    pub fn explained(&mut self) {
        self.failures = 0;
    }

    /// The end of the wait, if that is not over.
    #[must_use]
    pub fn paused_until(&self, now: Duration) -> Option<Duration> {
        self.paused_until.filter(|until| *until > now)
    }

    /// The end of what the destination asked for, if that is not over.
    #[must_use]
    pub fn asked_until(&self, now: Duration) -> Option<Duration> {
        self.asked_until.filter(|until| *until > now)
    }

    /// Ends the wait, whoever asked for it.
    pub fn wake_now(&mut self) {
        (self.paused_until, self.asked_until) = (None, None);
    }

    /// Ends the wait; what the destination asked for goes on.
    pub fn wake(&mut self) {
        self.paused_until = self.asked_until;
    }

    /// The destination took something: a wait that goes on is over after the shortest one, unless
    /// the destination asked for it.
    pub fn succeeded(&mut self, now: Duration) {
        self.succeeded = true;
        let soon = Some(now + self.min).max(self.asked_until);
        self.paused_until = self.paused_until.min(soon);
    }
}

/// The longest first wait, in shortest waits: tests/fleet shows what it spares a destination.
const FIRST: u32 = 4;

/// A connection lasts that is there for so many times the longest wait before it.
const LASTS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = Duration::from_secs(300);

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_success() {
        let mut backoff = Backoff::new(MIN, MAX);
        let waits: Vec<u64> = (0..10)
            .map(|_| backoff.failed(u32::MAX).as_secs())
            .collect();
        assert_eq!(waits, [4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        backoff.succeeded(Duration::ZERO);
        backoff.pause(Duration::ZERO, None, u32::MAX);
        assert_eq!(backoff.paused_until(Duration::ZERO), Some(4 * MIN));
    }

    #[test]
    fn the_waits_after_lost_connections_grow_until_one_lasts() {
        let mut backoff = Backoff::new(MIN, MAX);
        let mut now = Duration::ZERO;
        let mut lose_after = |life: u32| {
            backoff.succeeded(now);
            now += life * MIN;
            backoff.pause_lost(now, u32::MAX);
            let until = backoff.paused_until(now).unwrap();
            let wait = until - now;
            now = until;
            wait.as_secs()
        };
        let waits: Vec<u64> = [0, 1, 1, 3].map(&mut lose_after).into();
        assert_eq!(waits, [4, 8, 16, 32]);
        assert_eq!(lose_after(4 * 32 - 1), 64, "not yet");
        assert_eq!(lose_after(4 * 64), 4, "that one lasted");
        assert_eq!(lose_after(4 * 4), 4);
    }

    #[test]
    fn success_cuts_a_wait_short_but_not_one_that_was_asked_for() {
        let (mut backoff, now) = (Backoff::new(MIN, MAX), Duration::ZERO);
        (0..9).for_each(|_| backoff.pause(now, None, u32::MAX));
        assert!(backoff.paused_until(now) > Some(200 * MIN));
        backoff.succeeded(10 * MIN);
        backoff.succeeded(11 * MIN);
        assert_eq!(backoff.paused_until(now), Some(11 * MIN));
        backoff.pause(now, Some(100 * MIN), 0);
        backoff.succeeded(now);
        assert_eq!(backoff.paused_until(now), Some(100 * MIN));
        let mut idle = Backoff::new(MIN, MAX);
        idle.succeeded(now);
        assert_eq!(idle.paused_until(now), None);
    }

    /// A server that names a time names it to all.
    #[test]
    fn what_was_asked_for_ends_at_different_times() {
        let end = |random| {
            let mut backoff = Backoff::new(MIN, MAX);
            backoff.pause(Duration::ZERO, Some(100 * MIN), random);
            assert_eq!(backoff.asked_until(Duration::ZERO), Some(100 * MIN));
            backoff.paused_until(Duration::ZERO).unwrap()
        };
        assert_eq!((end(0), end(u32::MAX)), (100 * MIN, 103 * MIN));
    }

    #[test]
    fn waking_ends_all_but_what_the_destination_asked_for() {
        let (mut backoff, now) = (Backoff::new(MAX, MAX), Duration::ZERO);
        backoff.pause(now, None, 0);
        assert_eq!(backoff.paused_until(now), Some(MAX));
        backoff.wake();
        assert_eq!(backoff.paused_until(now), None);
        backoff.pause(now, Some(MIN), 0);
        backoff.wake();
        assert_eq!(backoff.paused_until(now), Some(MIN));
        assert_eq!(backoff.asked_until(now), Some(MIN));
        assert_eq!(backoff.paused_until(MIN), None);
        assert_eq!(backoff.asked_until(MIN), None);
        backoff.wake_now();
        assert_eq!(backoff.paused_until(now), None);
        assert_eq!(backoff.asked_until(now), None);
    }

    #[test]
    fn a_wait_is_never_shorter_than_the_shortest() {
        let mut backoff = Backoff::new(MIN, MAX);
        assert!((0..100).all(|_| backoff.failed(0) == MIN));
    }
}
