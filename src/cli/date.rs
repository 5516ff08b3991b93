//! Dates for people: seconds since 1970 as ISO 8601 in UTC.

/// Cut at the millisecond; nothing sensible before 1970 and after 9999.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
#[expect(clippy::cast_sign_loss, reason = "saturates at 0")]
pub(super) fn date(seconds: f64) -> String {
    let millis = (seconds * 1000.0).round() as u64;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day since 1970. Counts years from March, so that the odd day is the
/// last of a year, in turns of 400 years, which all have as many days.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (turn, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let day = day - (153 * march + 2) / 5 + 1;
    (turn * 400 + year + u64::from(month <= 2), month, day)
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
