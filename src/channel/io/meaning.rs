//! What the value of an element means: numbers of some scale, switches, keys, text.

use crate::message::Value;
use crate::wire::element::ElementValue;
use std::fmt::Write as _;

/// How the value of a parameter follows from what was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// Not 0 is on.
    Switch,
    /// A number without a sign.
    Unsigned(Scale),
    /// A number in two's complement of its width.
    Signed(Scale),
    /// Tenths of a degree; codes for faults lie outside of what can be measured, and 85 degrees is
    /// what a thermometer says that is not ready.
    Thermometer,
    /// A number in two's complement of its width; below 0 are codes for faults.
    Level,
    /// 0 to 5 bars, in percent.
    Bars,
    /// The number of a key, 16 hex digits; 0 is no key.
    Key,
    /// A number that nobody counts with, as text; 0 is none.
    Digits,
    /// ASCII, filled up with zeros.
    Text,
    /// As it was sent, but what can only be text: printable ASCII of 8 bytes or more.
    Unknown,
}

impl Meaning {
    /// What it means, or as it was sent where it cannot mean that.
    pub(crate) fn or_as_sent(self, value: ElementValue<'_>) -> Value {
        self.of(value).unwrap_or_else(|| as_sent(value))
    }

    /// None: it cannot mean this.
    pub(crate) fn of(self, value: ElementValue<'_>) -> Option<Value> {
        let number = value.unsigned();
        match self {
            Self::Switch => number.map(|number| Value::Bool(number != 0)),
            Self::Unsigned(scale) => number.map(|number| scale.apply(number.into())),
            Self::Signed(scale) => value.signed().map(|number| scale.apply(number.into())),
            Self::Thermometer => value
                .signed()
                .filter(|tenths| (-550..=1150).contains(tenths) && *tenths != 850)
                .map(|tenths| TENTH.apply(tenths.into())),
            Self::Level => value
                .signed()
                .filter(|level| *level >= 0)
                .map(|level| ONE.apply(level.into())),
            Self::Bars => number
                .filter(|bars| *bars <= 5)
                .map(|bars| Value::U64(bars * 20)),
            Self::Key => number
                .filter(|key| *key != 0)
                .map(|key| text(format!("{key:016x}"))),
            Self::Digits => number
                .filter(|code| *code != 0)
                .map(|code| text(code.to_string())),
            Self::Text => ascii(value, 1),
            Self::Unknown => ascii(value, TEXT_MIN),
        }
    }
}

fn text(text: String) -> Value {
    Value::Text(text.into())
}

/// The value as text, if it is nothing but printable ASCII, of at least so many bytes before the
/// zeros that fill it up.
fn ascii(value: ElementValue<'_>, least: usize) -> Option<Value> {
    let number;
    let bytes = match value {
        ElementValue::Bytes(bytes) => bytes,
        _ => {
            number = value.unsigned()?.to_be_bytes();
            number.get(number.len().checked_sub(value.width())?..)?
        }
    };
    let text = str::from_utf8(bytes).ok()?.trim_end_matches('\0');
    let is_text = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    (is_text && text.len() >= least).then(|| Value::from(text))
}

/// What one step of a number is worth.
///
/// Decimal scales are kept as a fraction: 24079 thousandths are then 24.079 and nothing beside it,
/// as they would not be after a multiplication by the nearest double to 0.001.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// `numerator` (below 2⁵³) over a power of ten.
    Decimal { numerator: i64, divisor: u64 },
    /// Any other.
    Factor(f64),
}

impl Scale {
    /// None for 0 and what is no number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "powers of ten up to 10^15 are exact"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    pub(crate) fn new(scale: f64) -> Option<Self> {
        if !scale.is_finite() || scale == 0.0 {
            return None;
        }
        let decimal = (0..=15)
            .map(|digits| 10u64.pow(digits))
            .find_map(|divisor| {
                let numerator = (scale * divisor as f64).round();
                let is_exact = numerator.abs() < EXACT && numerator / divisor as f64 == scale;
                is_exact.then_some(Self::Decimal {
                    numerator: numerator as i64,
                    divisor,
                })
            });
        Some(decimal.unwrap_or(Self::Factor(scale)))
    }

    #[expect(clippy::cast_precision_loss, reason = "a scaled number is a double")]
    fn apply(self, number: i128) -> Value {
        match self {
            Self::Decimal { numerator, divisor } => {
                let product = number.saturating_mul(numerator.into());
                match whole(product) {
                    Some(whole) if divisor == 1 => whole,
                    _ => Value::from(product as f64 / divisor as f64),
                }
            }
            Self::Factor(factor) => Value::from(number as f64 * factor),
        }
    }
}

fn whole(number: i128) -> Option<Value> {
    let unsigned = u64::try_from(number).map(Value::U64);
    unsigned
        .or_else(|_| i64::try_from(number).map(Value::I64))
        .ok()
}

/// Numbers as they are, bytes as lower-case hex.
fn as_sent(value: ElementValue<'_>) -> Value {
    match (value, value.unsigned()) {
        (_, Some(number)) => Value::U64(number),
        (ElementValue::Bytes(bytes), None) => Value::Text(hex(bytes).into()),
        (_, None) => Value::Null,
    }
}

/// Two digits a byte, in small letters.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

pub(crate) const ONE: Scale = Scale::Decimal {
    numerator: 1,
    divisor: 1,
};
pub(crate) const TENTH: Scale = Scale::Decimal {
    numerator: 1,
    divisor: 10,
};
pub(crate) const THOUSANDTH: Scale = Scale::Decimal {
    numerator: 1,
    divisor: 1000,
};

/// From so many bytes on, what is printable is taken for text: numbers have 8 at most.
const TEXT_MIN: usize = 8;

/// Whole numbers below are exact as doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_numbers_print_as_short_as_they_were_meant() {
        let cases = [
            (24079, 0.001, "24.079"),
            (-119, 0.1, "-11.9"),
            (3, 0.3, "0.9"),
            (7, 0.025, "0.175"),
            (123_456_789, 1e-7, "12.3456789"),
        ];
        for (number, scale, printed) in cases {
            let Value::F64(value) = Scale::new(scale).unwrap().apply(number) else {
                panic!()
            };
            assert_eq!(value.to_string(), printed);
        }
    }

    #[test]
    fn a_whole_scale_keeps_integers() {
        assert_eq!(
            Scale::new(1.0).unwrap().apply(u64::MAX.into()),
            Value::U64(u64::MAX)
        );
        assert_eq!(Scale::new(20.0).unwrap().apply(-5), Value::I64(-100));
        assert_eq!(
            Scale::new(2.0).unwrap().apply(u64::MAX.into()),
            Value::F64(2f64.powi(65))
        );
    }

    #[test]
    fn a_scale_that_is_no_short_decimal_is_a_factor() {
        assert_eq!(Scale::new(1.0 / 3.0), Some(Scale::Factor(1.0 / 3.0)));
        assert_eq!(Scale::new(0.0), None);
        assert_eq!(Scale::new(f64::NAN), None);
    }
}
