//! What the value of an element means: numbers of some scale, switches, keys, text.

use crate::channel::scale::ONE;
use crate::channel::scale::Scale;
use crate::channel::scale::TENTH;
use crate::channel::scale::THOUSANDTH;
use crate::hex;
use crate::message::Value;
use crate::wire::element::ElementValue;

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
    /// The number of a key, two hex digits a byte; 0 is no key.
    Key,
    /// A number that nobody counts with, as text; 0 is none.
    Digits,
    /// ASCII, filled up with zeros.
    Text,
    /// As it was sent, but what can only be text: printable ASCII of 8 bytes or more.
    Unknown,
}

impl Meaning {
    /// Volts of a number of thousandths, without a sign.
    pub(crate) const MILLIVOLTS: Self = Self::Unsigned(THOUSANDTH);

    /// A number without a sign, of which one step is worth `numerator` over `divisor`.
    pub(crate) const fn fraction(numerator: i64, divisor: u64) -> Self {
        Self::Unsigned(Scale::fraction(numerator, divisor))
    }

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
                .map(|key| text(hex_digits(key, value.width()))),
            Self::Digits => number
                .filter(|code| *code != 0)
                .map(|code| text(code.to_string())),
            Self::Text => ascii(value, 1),
            Self::Unknown => ascii(value, TEXT_MIN),
        }
    }
}

fn hex_digits(number: u64, width: usize) -> String {
    let digits = width.saturating_mul(2);
    format!("{number:0digits$x}")
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

/// Numbers as they are, bytes as lower-case hex.
fn as_sent(value: ElementValue<'_>) -> Value {
    match (value, value.unsigned()) {
        (_, Some(number)) => Value::U64(number),
        (ElementValue::Bytes(bytes), None) => Value::Text(hex::text(bytes).into()),
        (_, None) => Value::Null,
    }
}

/// From so many bytes on, what is printable is taken for text: numbers have 8 at most.
const TEXT_MIN: usize = 8;
