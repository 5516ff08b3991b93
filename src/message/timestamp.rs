//! Dates as text, ISO 8601, or as seconds in; microseconds since 1970-01-01 UTC out.
//!
//! It knows no calendar but the Gregorian, no names of zones, and never what time it is now.
//!
//! ```text
//! 2009-11-24T15:27:44.5+02:00      date  T or blank  time  fraction  zone
//! 2009-11-24   20091124T152744Z    time, fraction and zone may be missing: midnight, UTC
//! ```

use super::ValueRef;

/// Microseconds since 1970-01-01 UTC of a date in ISO 8601; a date without zone is UTC.
///
/// `None` when the text is no date, or one before 1970. Digits beyond the microsecond are cut.
#[must_use]
pub fn from_iso8601(text: &str) -> Option<u64> {
    let mut rest = Rest(text.as_bytes());
    let days = date(&mut rest)?;
    let (mut seconds, mut micros) = (0, 0);
    if !rest.is_empty() {
        rest.any_of(b"Tt ")?;
        (seconds, micros) = time(&mut rest)?;
        seconds -= zone(&mut rest)?;
    }
    let total = (days * 86_400 + seconds) * 1_000_000 + micros;
    u64::try_from(total).ok().filter(|_| rest.is_empty())
}

/// Seconds since 1970-01-01, in the zone that they are in, of year, month and day and of hour,
/// minute and second; none where no calendar has them.
#[must_use]
pub fn from_calendar([year, month, day]: [i64; 3], time: [i64; 3]) -> Option<i64> {
    let days = (1970..=9999)
        .contains(&year)
        .then(|| day_of(year, month, day))??;
    Some(days * 86_400 + second_of(time)?)
}

/// Microseconds of a time in seconds.
///
/// # Errors
/// What is wrong with it.
pub(super) fn from_number(seconds: ValueRef<'_>) -> Result<u64, &'static str> {
    match seconds {
        ValueRef::U64(seconds) if seconds <= SECONDS_MAX => Ok(seconds * 1_000_000),
        ValueRef::F64(seconds) if (0.0..=LATEST).contains(&seconds) => Ok(micros(seconds)),
        ValueRef::I64(_) | ValueRef::F64(..0.0) => Err("before 1970"),
        ValueRef::U64(_) | ValueRef::F64(_) => Err("after the year 9999, it counts seconds"),
        _ => Err(NO_DATE),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to the year 9999"
)]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

/// What is no time at all.
pub(super) const NO_DATE: &str = "neither a number of seconds nor a date in ISO 8601";

/// [`SECONDS_MAX`] as a float, which it is exactly.
const LATEST: f64 = 253_402_300_799.0;

/// Latest second that is taken for a time in seconds: the end of the year 9999. What is beyond is
/// milliseconds, or nonsense.
pub const SECONDS_MAX: u64 = 253_402_300_799;

/// Days since 1970-01-01.
fn date(rest: &mut Rest<'_>) -> Option<i64> {
    let year = rest.digits(4)?;
    let dashes = rest.any_of(b"-").is_some();
    let month = rest.digits(2)?;
    if dashes {
        rest.any_of(b"-")?;
    }
    let day = rest.digits(2)?;
    day_of(year, month, day)
}

/// The day since 1970-01-01; none where no calendar has it.
fn day_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let known = (1..=12).contains(&month) && (1..=days_of(month, year)).contains(&day);
    known.then(|| days_since_1970(year, month, day))
}

/// The second of a day; none where no day has it. 60 is a leap second: the first one of the next
/// minute, as far as UNIX time can say it.
fn second_of([hour, minute, second]: [i64; 3]) -> Option<i64> {
    let range = |number, end| (0..=end).contains(&number);
    let known = range(hour, 23) && range(minute, 59) && range(second, 60);
    known.then_some(hour * 3600 + minute * 60 + second)
}

/// Seconds of the day and microseconds.
fn time(rest: &mut Rest<'_>) -> Option<(i64, i64)> {
    let hour = rest.digits(2)?;
    let colons = rest.any_of(b":").is_some();
    let minute = rest.digits(2)?;
    let seconds_follow = if colons {
        rest.any_of(b":").is_some()
    } else {
        rest.digit_follows()
    };
    let second = if seconds_follow { rest.digits(2)? } else { 0 };
    let micros = if rest.any_of(b".,").is_some() {
        fraction(rest)?
    } else {
        0
    };
    Some((second_of([hour, minute, second])?, micros))
}

/// Microseconds of the digits behind a decimal point; at least one must be there.
fn fraction(rest: &mut Rest<'_>) -> Option<i64> {
    let mut micros = rest.digits(1)?;
    for _ in 1..6 {
        micros = micros * 10 + rest.digits(1).unwrap_or(0);
    }
    while rest.digits(1).is_some() {}
    Some(micros)
}

/// Seconds that local time is ahead of UTC.
fn zone(rest: &mut Rest<'_>) -> Option<i64> {
    if rest.is_empty() || rest.any_of(b"Zz").is_some() {
        return Some(0);
    }
    let sign = if rest.any_of(b"+-")? == b'-' { -1 } else { 1 };
    let hours = rest.digits(2)?;
    rest.any_of(b":");
    let minutes = if rest.is_empty() { 0 } else { rest.digits(2)? };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_of(month: i64, year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts years from March, so that the day that comes and goes is the last one of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - MARCH_0000_TO_1970
}

/// Days from 0000-03-01 to 1970-01-01.
const MARCH_0000_TO_1970: i64 = 719_468;

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn digit_follows(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    /// Exactly `count` digits, or nothing is taken.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        let number = digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit & 0x0F));
        all.then(|| {
            self.0 = rest;
            number
        })
    }

    fn any_of(&mut self, set: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        set.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_microseconds() {
        for (text, seconds) in [
            ("1970-01-01", 0.0),
            ("2009-11-24T15:27:44Z", 1_259_076_464.0),
            ("2009-11-24 15:27:44", 1_259_076_464.0),
            ("2009-11-24t17:27:44.25+02:00", 1_259_076_464.25),
            ("2009-11-24T10:57:44,5-0430", 1_259_076_464.5),
            ("20091124T152744Z", 1_259_076_464.0),
            ("2009-11-24T15:27Z", 1_259_076_420.0),
            ("2009-11-24T15:27:44.1234569+00", 1_259_076_464.123_456),
            ("2000-02-29T00:00:00Z", 951_782_400.0),
            ("2016-12-31T23:59:60Z", 1_483_228_800.0),
            ("2038-01-19T03:14:08Z", 2_147_483_648.0),
            ("9999-12-31T23:59:59Z", 253_402_300_799.0),
        ] {
            let micros = from_iso8601(text).unwrap();
            assert!(
                (micros as f64 / 1e6 - seconds).abs() < 1e-7,
                "{text}: {micros}"
            );
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "now",
            "1700000000",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "2023-02-29",
            "2100-02-29",
            "2023-13-01",
            "2023-00-01",
            "2023-01-00",
            "2023-01-01T",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00ZZ",
            "2023-01-01T00:00:00+1",
            "2023-0101",
            "+023-01-01",
        ] {
            assert_eq!(from_iso8601(text), None, "{text}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut expected = 0;
        for year in 1970..2110 {
            for month in 1..=12 {
                for day in 1..=days_of(month, year) {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    assert_eq!(from_iso8601(&text), Some(expected), "{text}");
                    expected += 86_400_000_000;
                }
            }
        }
    }
}
