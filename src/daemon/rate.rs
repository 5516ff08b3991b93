//! The rate at which messages came in the last minutes. Reads no clock.

use std::collections::VecDeque;
use std::time::Duration;

/// What had come when, once a minute.
#[derive(Debug, Default)]
pub(super) struct Rate(VecDeque<(Duration, u64)>);

impl Rate {
    /// Notes how many bytes have come by now.
    pub(super) fn note(&mut self, bytes: u64, now: Duration) {
        if self.0.len() >= SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back((now, bytes));
    }

    /// Bytes a second since the oldest note; none where nothing came, or too little time passed.
    #[expect(clippy::cast_precision_loss, reason = "two digits are read of it")]
    pub(super) fn per_second(&self, bytes: u64, now: Duration) -> Option<f64> {
        let (since, before) = self.0.front()?;
        let time = now.saturating_sub(*since);
        let came = bytes.saturating_sub(*before);
        let known = time >= SHORTEST && came > 0;
        known.then(|| came as f64 / time.as_secs_f64())
    }
}

/// Minutes that are looked back.
const SAMPLES: usize = 15;

/// In less time nothing is known.
const SHORTEST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_minutes() {
        let at = Duration::from_secs;
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(100, at(10)), None);
        rate.note(0, at(0));
        assert_eq!(rate.per_second(100, at(1)), None);
        assert_eq!(rate.per_second(0, at(10)), None);
        assert_eq!(rate.per_second(100, at(10)), Some(10.0));
        (1..=20).for_each(|minute| rate.note(6000, at(60 * minute)));
        assert_eq!(rate.per_second(12_600, at(60 * 17)), Some(10.0));
    }
}
