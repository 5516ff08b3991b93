//! Dates for people: seconds since 1970 as ISO 8601 in UTC.

use crate::clock::Date;
use std::time::Duration;

/// Rounded to the millisecond; nothing sensible before 1970 and after 9999.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
#[expect(clippy::cast_sign_loss, reason = "saturates at 0")]
pub(super) fn date(seconds: f64) -> String {
    Date(Duration::from_millis((seconds * 1000.0).round() as u64)).with_time()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::timestamp::from_iso8601;

    #[test]
    fn a_date_reads_as_the_seconds_that_it_was() {
        assert_eq!(date(0.0), "1970-01-01T00:00:00.000Z");
        assert_eq!(date(951_782_400.25), "2000-02-29T00:00:00.250Z");
        for day in 0..60_000_u32 {
            let seconds = f64::from(day) * 86_400.0 + 1.0;
            let micros = u64::from(day) * 86_400_000_000 + 1_000_000;
            assert_eq!(from_iso8601(&date(seconds)), Some(micros));
        }
    }
}
