//! Durations, sizes and zones as the configuration writes them: `"200ms"`, `"7d"`, `"64 KiB"`,
//! `"+08:00"`.
//!
//! Knows no range and no default; those belong to the keys.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration: a whole number of `ms`, `s`, `m`, `h` or `d`. Prints in the largest unit that
/// divides it; what is under a millisecond is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A size in bytes: a whole number of `B`, `KiB`, `MiB`, `GiB` or `TiB`. Prints in the largest
/// unit that divides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Seconds that a clock is ahead of UTC: whole minutes, at most 14 hours. Prints as `+08:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtcOffset(pub i32);

/// Why a text is no duration or size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It does not begin with a whole number.
    Number,
    /// A number with no unit behind it.
    NoUnit,
    /// What stands behind the number is no unit.
    Unit,
    /// More than 64 bits hold.
    TooLarge,
}

impl FromStr for Period {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text, &TIME_UNITS).map(|millis| Self(Duration::from_millis(millis)))
    }
}

impl FromStr for Size {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text, &SIZE_UNITS).map(Self)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return write!(f, "0s");
        }
        let (number, unit) = in_units(millis, &TIME_UNITS);
        write!(f, "{number}{unit}")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = in_units(self.0, &SIZE_UNITS);
        write!(f, "{number} {unit}")
    }
}

impl UtcOffset {
    /// None where no zone of the earth is so far from UTC.
    #[must_use]
    pub fn new(seconds: i32) -> Option<Self> {
        let is_zone = seconds % 60 == 0 && seconds.abs() <= UTC_OFFSET_MAX;
        is_zone.then_some(Self(seconds))
    }

    /// Of `+08:00` or `-03:30`; none of any other text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (sign, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let number = |digits: &str| -> Option<i32> {
            let is_pair = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_pair)
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let seconds = sign * (hours * 60 + minutes) * 60;
        Self::new(seconds).filter(|_| minutes < 60)
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "it does not begin with a whole number",
            Self::NoUnit => "it has no unit",
            Self::Unit => "its unit is not known",
            Self::TooLarge => "it is too large",
        })
    }
}

impl std::error::Error for ParseError {}

fn parse(text: &str, units: &[(&str, u64)]) -> Result<u64, ParseError> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(ParseError::Number);
    }
    let number: u64 = number.parse().map_err(|_| ParseError::TooLarge)?;
    match unit.trim_start() {
        "" => Err(ParseError::NoUnit),
        unit => match units.iter().find(|(name, _)| *name == unit) {
            Some((_, factor)) => number.checked_mul(*factor).ok_or(ParseError::TooLarge),
            None => Err(ParseError::Unit),
        },
    }
}

/// The same amount in the largest unit that divides it. `units` rise and begin with 1.
fn in_units(amount: u64, units: &[(&'static str, u64)]) -> (u64, &'static str) {
    let whole = |(_, factor): &&(&str, u64)| amount != 0 && amount.is_multiple_of(*factor);
    match units.iter().rev().find(whole) {
        Some((unit, factor)) => (amount / factor, unit),
        None => (amount, units.first().map_or("", |(unit, _)| unit)),
    }
}

/// The clocks of Kiribati are the farthest ahead.
const UTC_OFFSET_MAX: i32 = 14 * 3600;

const TIME_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZE_UNITS: [(&str, u64); 5] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_unit() {
        for (text, millis) in [
            ("200ms", 200),
            ("30s", 30_000),
            ("15m", 900_000),
            ("2h", 7_200_000),
            (" 1 d ", 86_400_000),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Period(Duration::from_millis(millis))),
                "{text}"
            );
        }
    }

    #[test]
    fn sizes_are_read_with_and_without_a_space() {
        assert_eq!("64 KiB".parse(), Ok(Size(65_536)));
        assert_eq!("64MiB".parse(), Ok(Size(64 << 20)));
        assert_eq!("512 B".parse(), Ok(Size(512)));
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        assert_eq!("".parse::<Period>(), Err(ParseError::Number));
        assert_eq!("-1s".parse::<Period>(), Err(ParseError::Number));
        assert_eq!("30".parse::<Period>(), Err(ParseError::NoUnit));
        assert_eq!("1.5s".parse::<Period>(), Err(ParseError::Unit));
        assert_eq!("64 MB".parse::<Size>(), Err(ParseError::Unit));
        assert_eq!(
            "99999999999999999999s".parse::<Period>(),
            Err(ParseError::TooLarge)
        );
        assert_eq!(
            "18446744073709551615 KiB".parse::<Size>(),
            Err(ParseError::TooLarge)
        );
    }

    #[test]
    fn zones_are_read_as_they_are_printed() {
        for (text, seconds) in [
            ("+00:00", 0),
            ("+08:00", 28_800),
            ("-03:30", -12_600),
            ("+05:45", 20_700),
            ("+14:00", 50_400),
        ] {
            assert_eq!(UtcOffset::read(text), Some(UtcOffset(seconds)), "{text}");
            assert_eq!(UtcOffset(seconds).to_string(), text);
        }
        for text in [
            "", "8", "+8", "+8:00", "08:00", "+08:60", "+14:01", "+0800", "+-8:00", "é1:00",
        ] {
            assert_eq!(UtcOffset::read(text), None, "{text}");
        }
        assert_eq!((UtcOffset::new(30), UtcOffset::new(-50_460)), (None, None));
    }

    #[test]
    fn what_is_printed_is_read_back_as_the_same() {
        let mut random = 1_u64;
        for shift in (0..64).cycle().take(10_000) {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let amount = random >> shift;
            let period = Period(Duration::from_millis(amount));
            assert_eq!(period.to_string().parse(), Ok(period), "{amount}");
            assert_eq!(
                Size(amount).to_string().parse(),
                Ok(Size(amount)),
                "{amount}"
            );
        }
    }

    #[test]
    fn the_largest_unit_that_divides_is_printed() {
        assert_eq!(Period(Duration::from_secs(90)).to_string(), "90s");
        assert_eq!(Period(Duration::from_secs(120)).to_string(), "2m");
        assert_eq!(Period(Duration::ZERO).to_string(), "0s");
        assert_eq!(Size(1536).to_string(), "1536 B");
        assert_eq!(Size(0).to_string(), "0 B");
    }
}
