//! How long destinations took to acknowledge: counts in buckets of a logarithmic scale, which
//! take the same room whatever comes.

use std::time::Duration;

/// How many messages were acknowledged after how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    counts: [u64; BUCKETS],
    sum: Duration,
}

impl Latencies {
    /// Upper bounds of the buckets, but of the last, which has none.
    pub fn bounds() -> impl Iterator<Item = Duration> {
        (0..BUCKETS - 1).map(bound)
    }

    /// Messages in each bucket.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Of all messages together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Counts messages that were acknowledged after so long.
    pub fn count(&mut self, latency: Duration, messages: usize) {
        let millis = latency.as_micros().div_ceil(1000);
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        // the smallest power of two that is not less
        let index = u64::BITS - millis.saturating_sub(1).leading_zeros();
        let index = (index as usize).min(BUCKETS - 1);
        if let Some(count) = self.counts.get_mut(index) {
            *count += messages as u64;
        }
        let times = u32::try_from(messages).unwrap_or(u32::MAX);
        self.sum = self.sum.saturating_add(latency.saturating_mul(times));
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&mut self, other: &Self) {
        for (own, other) in self.counts.iter_mut().zip(other.counts) {
            *own += other;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// What came since an earlier count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut rest = *self;
        for (own, before) in rest.counts.iter_mut().zip(before.counts) {
            *own = own.saturating_sub(before);
        }
        rest.sum = rest.sum.saturating_sub(before.sum);
        rest
    }

    /// So many percent took no longer; between two bounds it is a straight line. None of nothing;
    /// beyond the last bound that one, since there is no better.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a bucket is no more exact")]
    pub fn percentile(&self, percent: u32) -> Option<Duration> {
        let total: u64 = self.counts.iter().sum();
        let wanted = total as f64 * f64::from(percent) / 100.0;
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            let within = wanted - below as f64;
            below += count;
            if *count > 0 && below as f64 >= wanted {
                let floor = index.checked_sub(1).map_or(Duration::ZERO, bound);
                let width = bound(index.min(BUCKETS - 2)).saturating_sub(floor);
                let share = (within / *count as f64).clamp(0.0, 1.0);
                return Some(floor + width.mul_f64(share));
            }
        }
        None
    }
}

/// The upper bound of a bucket.
fn bound(index: usize) -> Duration {
    Duration::from_millis(1 << index.min(BUCKETS))
}

/// From 1 ms to 65 s, each twice the one before, and all that is longer.
const BUCKETS: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for (latency, wanted) in [
            (Duration::ZERO, 0),
            (millis(1), 0),
            (Duration::from_micros(1001), 1),
            (millis(2), 1),
            (millis(3), 2),
            (millis(4), 2),
            (millis(65_536), 16),
            (millis(65_537), 17),
            (Duration::MAX, 17),
        ] {
            let mut latencies = Latencies::default();
            latencies.count(latency, 3);
            let found = latencies.counts().iter().position(|count| *count == 3);
            assert_eq!(found, Some(wanted), "{latency:?}");
        }
        assert_eq!(Latencies::bounds().last(), Some(millis(65_536)));
        assert_eq!(Latencies::bounds().count() + 1, BUCKETS);
    }

    #[test]
    fn percentiles_lie_within_the_bucket_of_what_they_are_of() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        latencies.count(millis(60), 90);
        latencies.count(millis(3_000), 10);
        let p50 = latencies.percentile(50).unwrap();
        assert!(p50 > millis(32) && p50 <= millis(64), "{p50:?}");
        let p95 = latencies.percentile(95).unwrap();
        assert!(p95 > millis(2_048) && p95 <= millis(4_096), "{p95:?}");
        assert_eq!(latencies.percentile(100), Some(millis(4_096)));
        assert_eq!(latencies.sum(), millis(90 * 60 + 10 * 3_000));
        let before = latencies;
        latencies.count(millis(70_000), 1);
        let lately = latencies.since(&before);
        assert_eq!(lately.percentile(50), Some(millis(65_536)));
        assert_eq!(lately.counts().iter().sum::<u64>(), 1);
    }
}
