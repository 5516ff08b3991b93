//! What expressions compute with: values that are lent by the message or the expression, or short
//! enough to be held in place.
//!
//! Never allocates. Says what a value is and what it becomes, not what operators do with it.

use super::Error;
use crate::message::ValueRef;
use std::fmt::Write as _;

/// A value while it is computed with, and the result.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing; counts as 0 where a number is wanted.
    Null,
    /// Counts as 0 or 1 where a number is wanted.
    Bool(bool),
    /// From `i64::MIN` to `u64::MAX`.
    Integer(i128),
    /// Finite.
    Float(f64),
    /// See [`Text`].
    Text(Text<'a>),
    /// A JSON array or object: it is there, no more is known of it.
    Nested,
}

/// Text that nobody had to allocate.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Of the message or the expression.
    Lent(&'a str),
    /// A number as text, or a piece of it.
    Made(heapless::String<MADE_MAX>),
}

/// A value that is, or counts as, a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// See [`Value::Integer`].
    Integer(i128),
    /// See [`Value::Float`].
    Float(f64),
}

impl<'a> Value<'a> {
    /// Whether it is neither zero nor false nor null. Text always is, the empty one too.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) | Self::Integer(0) => false,
            Self::Float(number) => *number != 0.0,
            Self::Bool(true) | Self::Integer(_) | Self::Text(_) | Self::Nested => true,
        }
    }

    /// As a number, for `operation`.
    pub(super) fn number(&self, operation: &'static str) -> Result<Number, Error<'a>> {
        match self {
            Self::Null => Ok(Number::Integer(0)),
            Self::Bool(state) => Ok(Number::Integer(i128::from(*state))),
            Self::Integer(number) => Ok(Number::Integer(*number)),
            Self::Float(number) => Ok(Number::Float(*number)),
            Self::Text(_) | Self::Nested => Err(self.unfit(operation)),
        }
    }

    /// As text, for `operation`.
    pub(super) fn text(&self, operation: &'static str) -> Result<&Text<'a>, Error<'a>> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.unfit(operation)),
        }
    }

    /// That `operation` does not take it.
    pub(super) fn unfit(&self, operation: &'static str) -> Error<'a> {
        let found = match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::Nested => "an array or object",
        };
        Error::Type { operation, found }
    }
}

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Made(text) => text,
        }
    }

    /// The text of a number: its shortest form; empty where it does not fit, which none does.
    pub(super) fn of(number: Number) -> Self {
        let mut text = heapless::String::new();
        let written = match number {
            Number::Integer(number) => write!(text, "{number}"),
            Number::Float(number) if PLAIN.contains(&number.abs()) || number == 0.0 => {
                write!(text, "{number}")
            }
            Number::Float(number) => write!(text, "{number:e}"),
        };
        if written.is_err() {
            text.clear();
        }
        Self::Made(text)
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Number {
    /// As a double: what is beyond 53 bits is rounded.
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// As an integer, if it has no fraction and 64 bits hold it.
    pub(super) fn integer(self) -> Option<i128> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Float(number) => whole(number),
        }
    }

    /// The number that `text` is: a decimal or hexadecimal integer that 64 bits hold, or decimal
    /// with a fraction or an exponent. A sign may lead.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let hex = digits
            .strip_prefix("0x")
            .or_else(|| digits.strip_prefix("0X"));
        let bare = hex.unwrap_or(digits);
        if !bare.starts_with(|c: char| c == '.' || c.is_ascii_hexdigit()) {
            return None;
        }
        let radix = if hex.is_some() { 16 } else { 10 };
        let integer = i128::from_str_radix(bare, radix).ok();
        let signed = integer.and_then(|n| if negative { n.checked_neg() } else { Some(n) });
        match signed.filter(|number| is_64_bit(*number)) {
            Some(number) => Some(Self::Integer(number)),
            None if hex.is_some() || !bare.contains(['.', 'e', 'E']) => None,
            None => text.parse().ok().and_then(Self::finite),
        }
    }

    /// A double, unless it is infinite or none.
    pub(super) fn finite(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Float(number))
    }
}

/// The integer that a double is, if 64 bits hold it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "without fraction and below 2^64, as was just asked"
)]
fn whole(number: f64) -> Option<i128> {
    let fits = number.fract() == 0.0 && number.abs() <= TWO_TO_64;
    fits.then_some(number as i128).filter(|n| is_64_bit(*n))
}

/// Whether 64 bits hold it, signed or unsigned.
pub(super) fn is_64_bit(number: i128) -> bool {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number)
}

impl<'a> From<ValueRef<'a>> for Value<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(state) => Self::Bool(state),
            ValueRef::U64(number) => Self::Integer(number.into()),
            ValueRef::I64(number) => Self::Integer(number.into()),
            ValueRef::F64(number) => Self::Float(number),
            ValueRef::Text(text) => Self::Text(Text::Lent(text)),
            ValueRef::Json(_) => Self::Nested,
        }
    }
}

impl From<Number> for Value<'_> {
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(number) => Self::Integer(number),
            Number::Float(number) => Self::Float(number),
        }
    }
}

/// What a place on the stack costs.
const _: () = assert!(size_of::<Value<'_>>() <= 48, "a value grew");

/// Bytes of a number as text at most: a sign, 17 digits, a point, `e-308`, and room.
const MADE_MAX: usize = 32;

/// Doubles of these sizes are written without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-5..1e16;

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Number::parse(text).map(|number| Text::of(number).as_str().to_owned())
    }

    #[test]
    fn numbers_are_read_and_written_in_their_shortest_form() {
        for (text, expected) in [
            ("0", Some("0")),
            ("-0x10", Some("-16")),
            ("0XfF", Some("255")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("-9223372036854775808", Some("-9223372036854775808")),
            ("18446744073709551616", None),
            ("-9223372036854775809", None),
            ("1.50", Some("1.5")),
            (".5", Some("0.5")),
            ("60.0", Some("60")),
            ("1e3", Some("1000")),
            ("1.7976931348623157e308", Some("1.7976931348623157e308")),
            ("-2.2250738585072014e-308", Some("-2.2250738585072014e-308")),
            ("0.00001", Some("0.00001")),
            ("0.000012345678901234567", Some("0.000012345678901234568")),
            ("1e999", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("0x", None),
            ("0x-1", None),
            ("inf", None),
            ("nan", None),
            ("e5", None),
            ("1 ", None),
        ] {
            assert_eq!(shown(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_doubles_that_64_bits_hold_are_integers() {
        for (number, expected) in [
            (3.0, Some(3)),
            (-0.0, Some(0)),
            (0.5, None),
            (TWO_TO_64, None),
            (-9_223_372_036_854_775_808.0, Some(i128::from(i64::MIN))),
            (-TWO_TO_64, None),
            (f64::MAX, None),
        ] {
            assert_eq!(Number::Float(number).integer(), expected, "{number}");
        }
    }
}
