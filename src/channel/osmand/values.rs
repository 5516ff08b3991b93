//! What values of fields can be read as.

use crate::message::Value;
use crate::message::timestamp::SECONDS_MAX;
use crate::message::timestamp::from_iso8601;

/// What the text of a field is: a switch, a number as JSON or Java writes it, or text. What would
/// lose a digit as a number, as a code with zeros ahead, stays text.
pub(super) fn read(text: &str) -> Value {
    match text {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    let trimmed = text.trim_ascii();
    let digits = trimmed.strip_prefix('-').unwrap_or(trimmed);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = match is_integer {
        true if digits.len() > 1 && digits.starts_with('0') => None,
        true if digits.len() < trimmed.len() => trimmed.parse::<i64>().ok().map(Value::from),
        true => digits.parse().ok().map(Value::U64),
        false => fraction(trimmed, digits),
    };
    number.unwrap_or_else(|| Value::from(text))
}

/// Only with a point: what has an exponent alone may as well be a code.
fn fraction(text: &str, digits: &str) -> Option<Value> {
    let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text.parse().ok()?;
    let is_number = begins && digits.contains('.') && number.is_finite();
    is_number.then_some(Value::F64(number))
}

pub(super) fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(state) => Some(*state),
        Value::U64(0) => Some(false),
        Value::U64(1) => Some(true),
        _ => None,
    }
}

/// A code is text, if it looks like a number as well.
pub(super) fn code(value: &Value) -> Option<Value> {
    match value {
        Value::Text(_) => Some(value.clone()),
        Value::U64(number) => Some(Value::from(number.to_string().as_str())),
        _ => None,
    }
}

/// Microseconds since 1970.
pub(super) fn micros(value: &Value) -> Option<u64> {
    match value {
        Value::U64(number) if *number < SECONDS_END => number.checked_mul(1_000_000),
        Value::U64(millis) => millis.checked_mul(1000),
        Value::F64(number) => from_fraction(*number),
        Value::Text(text) => from_iso8601(text).or_else(|| from_iso8601(&with_plus(text)?)),
        Value::Null | Value::Bool(_) | Value::I64(_) | Value::Json(_) => None,
    }
    .filter(|micros| *micros <= MICROS_MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "from 0 to the year 9999"
)]
fn from_fraction(number: f64) -> Option<u64> {
    let seconds = number < SECONDS_END as f64;
    let micros = (number * if seconds { 1e6 } else { 1e3 }).round();
    let fits = (0.0..=MICROS_MAX as f64).contains(&micros);
    fits.then_some(micros as u64)
}

/// A `+` that was sent as it is has become a blank.
fn with_plus(text: &str) -> Option<String> {
    let (time, zone) = text.rsplit_once(' ')?;
    time.contains('T').then(|| format!("{time}+{zone}"))
}

pub(super) fn place(value: &Value) -> Option<(Value, Value)> {
    let Value::Text(text) = value else {
        return None;
    };
    let (latitude, longitude) = text.split_once(',')?;
    Some((read(latitude.trim()), read(longitude.trim())))
}

/// From here on a number counts milliseconds.
const SECONDS_END: u64 = 2_147_483_647;

const MICROS_MAX: u64 = SECONDS_MAX * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_number_is_one_unless_a_digit_would_be_lost() {
        for (text, value) in [
            ("0", Value::U64(0)),
            ("-0", Value::U64(0)),
            ("18446744073709551615", Value::U64(u64::MAX)),
            ("-9223372036854775808", Value::I64(i64::MIN)),
            (" 60.5", Value::F64(60.5)),
            ("-.5", Value::F64(-0.5)),
            ("1.0E-4", Value::F64(1e-4)),
            ("true", Value::Bool(true)),
            ("18446744073709551616", "18446744073709551616".into()),
            ("007", "007".into()),
            ("-", "-".into()),
            ("12e5", "12e5".into()),
            ("1.0e999", "1.0e999".into()),
            ("inf", "inf".into()),
            ("--5", "--5".into()),
            (" a", " a".into()),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn times_come_in_many_forms() {
        let micros = |text| micros(&read(text));
        for (text, expected) in [
            ("0", 0),
            ("2147483646", 2_147_483_646_000_000),
            ("2147483647", 2_147_483_647_000),
            ("1442068686579", 1_442_068_686_579_000),
            ("1377177267.25", 1_377_177_267_250_000),
            ("1.442068686579E12", 1_442_068_686_579_000),
            ("2016-01-27T18:55:47Z", 1_453_920_947_000_000),
            ("2016-01-27T20:55:47 02:00", 1_453_920_947_000_000),
            ("2016-01-27 18:55:47", 1_453_920_947_000_000),
            ("253402300799999", 253_402_300_799_999_000),
        ] {
            let expected = Some(expected).filter(|micros| *micros <= MICROS_MAX);
            assert_eq!(micros(text), expected, "{text}");
        }
        for text in [
            "-1",
            "-1.5",
            "253402300800000",
            "99999999999999999",
            "now",
            "true",
            "12:00",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
