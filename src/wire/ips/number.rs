//! Numbers as text: decimals, coordinates, dates. None of them rounds more than once.

use crate::clock::Date;
use crate::message::Value;
use crate::message::timestamp::from_iso8601;
use std::time::Duration;

/// A decimal number; without a point it stays an integer.
pub(super) fn decimal(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit());
    if !is_number {
        return None;
    }
    if digits.contains('.') {
        let number: f64 = text.parse().ok()?;
        return number.is_finite().then_some(Value::F64(number));
    }
    let signed = text.parse::<i64>().map(Value::from);
    signed.or_else(|_| text.parse().map(Value::U64)).ok()
}

/// A decimal number as a float.
pub(super) fn float(text: &str) -> Option<f64> {
    decimal(text)?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// An integer of 64 bits, with or without a sign.
pub(super) fn integer(text: &str) -> Option<Value> {
    decimal(text).filter(|value| !matches!(value, Value::F64(_)))
}

/// Degrees of `DDMM.m` with one to ten digits behind the point, or none; more are cut. Degrees may
/// have any number of digits: minutes are the last two.
pub(super) fn degrees(text: &str, most: f64) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.get(..10).unwrap_or(fraction);
    let split = whole.len().checked_sub(2)?;
    let (degrees, minutes) = whole.split_at_checked(split)?;
    let all = [degrees, minutes, fraction];
    let are_digits = all
        .iter()
        .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !are_digits || degrees.len() > 3 || minutes >= "60" {
        return None;
    }
    let unit = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let minutes = number(degrees)?
        .checked_mul(60)?
        .checked_add(number(minutes)?)?;
    let parts = minutes.checked_mul(unit)?.checked_add(number(fraction)?)?;
    let degrees = exact(parts) / exact(unit.checked_mul(60)?);
    (degrees <= most).then_some(degrees)
}

/// Microseconds since 1970 of `DDMMYY` and `HHMMSS`, the latter with or without a fraction.
pub(super) fn time(date: &str, time: &str) -> Option<u64> {
    let [day, month, year] = pairs(date.as_bytes())?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = pairs(whole.as_bytes())?;
    from_iso8601(&format!(
        "20{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z"
    ))
}

/// Appends `DDMMYY;HHMMSS` of seconds since 1970; none: not of the years 2000 to 2099.
pub(super) fn date_and_time(time_s: u64, out: &mut String) -> Option<()> {
    let date = Date(Duration::from_secs(time_s)).with_time();
    let date = date.strip_prefix("20").filter(|_| time_s < YEAR_2100)?;
    let parts = [6..8, 3..5, 0..2, 9..11, 12..14, 15..17].map(|part| date.get(part));
    let [day, month, year, hour, minute, second] = parts;
    out.extend([day?, month?, year?, ";", hour?, minute?, second?]);
    Some(())
}

/// Appends `DDMM.mmmmmm` of degrees without their sign, a millionth of a minute being 2 mm;
/// `width`: digits of the degrees.
pub(super) fn coordinate(degrees: f64, width: usize, out: &mut String) {
    let parts = parts(degrees.abs() * 60.0 * 1e6);
    let (minutes, fraction) = (parts / 1_000_000, parts % 1_000_000);
    let (degrees, minutes) = (minutes / 60, minutes % 60);
    let text = format!("{degrees:0width$}{minutes:02}.{fraction:06}");
    out.push_str(&text);
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "180 degrees have 10,800,000,000 parts; none is negative"
)]
fn parts(number: f64) -> u64 {
    number.round() as u64
}

fn pairs(digits: &[u8]) -> Option<[&str; 3]> {
    let [a, b, c] = [digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?];
    let pair = |bytes| str::from_utf8(bytes).ok();
    Some([pair(a)?, pair(b)?, pair(c).filter(|c| c.len() == 2)?])
}

/// Of digits, which may be none.
fn number(digits: &str) -> Option<u64> {
    match digits {
        "" => Some(0),
        digits => digits.parse().ok(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ten digits of a minute are below 2^53"
)]
fn exact(number: u64) -> f64 {
    number as f64
}

/// In seconds since 1970.
const YEAR_2100: u64 = 4_102_444_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_as_near_as_a_float_can_be() {
        let cases = [
            ("5544.6025", 55.743375),
            ("03739.6834", 37.66139),
            ("3644.670410", 36.744_506_833_333_33),
            ("0000", 0.0),
            ("00.5", 0.5 / 60.0),
            ("18000.0", 180.0),
            ("0130.00000000001", 1.5),
        ];
        for (text, degree) in cases {
            assert_eq!(degrees(text, 180.0), Some(degree), "{text}");
        }
        let wrong = [
            "", "5", "x544.6", "5560.0", "18000.1", "-0130", "1+30.0", "1.3.0", "ü30", "500030.0",
        ];
        for text in wrong {
            assert_eq!(degrees(text, 180.0), None, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_kind() {
        let cases = [
            ("7", Value::U64(7)),
            ("-7", Value::I64(-7)),
            ("18446744073709551615", Value::U64(u64::MAX)),
            ("7.0", Value::F64(7.0)),
            (".5", Value::F64(0.5)),
        ];
        for (text, value) in cases {
            assert_eq!(decimal(text), Some(value), "{text}");
        }
        for text in [
            "", "-", ".", "1e5", "inf", "nan", "1 ", "0x1", "1.2.3", "--1",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert_eq!(decimal("18446744073709551616"), None);
    }

    #[test]
    fn dates_are_of_this_century() {
        assert_eq!(time("270413", "205601"), Some(1_367_096_161_000_000));
        assert_eq!(time("270413", "205601.25"), Some(1_367_096_161_250_000));
        for (date, clock) in [
            ("310413", "205601"),
            ("270413", "245601"),
            ("2704133", "205601"),
            ("270413", "20560"),
            ("27041ü", "205601"),
            ("270413", "205601."),
        ] {
            assert_eq!(time(date, clock), None, "{date} {clock}");
        }
    }
}
