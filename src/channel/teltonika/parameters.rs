//! What a Teltonika record means: names and units of its parameters.
//!
//! Ids that have a name are in [`elements`]; the others, and values that their name cannot hold,
//! come as `custom.param.N`, as they were sent. The channel's `io` table names more.

use super::elements;
use super::elements::{ONE, TENTH};
use crate::message::{InvalidIdent, Message, Value};
use crate::wire::teltonika::{Element, ElementValue, Record, SerialData};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

/// What a channel knows of its devices' elements beyond the built-in names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    io: BTreeMap<u16, Named>,
}

/// What the `io` table says of an element.
#[derive(Clone, Debug, PartialEq)]
struct Named {
    name: String,
    meaning: Meaning,
    /// Numbers, with or without their sign, that say that nothing was measured.
    not: Box<[i64]>,
}

/// One entry of the `io` table: what an element means.
#[derive(Clone, Debug, PartialEq)]
pub struct Io {
    /// Of its parameter.
    pub name: String,
    /// What one step of the number is worth. With a whole scale integers stay integers.
    pub scale: f64,
    /// Whether the number is in two's complement of its width.
    pub signed: bool,
    /// Whether it is text, and no number: ASCII, filled up with zeros.
    pub text: bool,
    /// Numbers as they were sent that mean that nothing was measured: the parameter is left out.
    pub not: Vec<i64>,
}

/// Why an entry of the `io` table cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidIo {
    /// The name is empty, or one that every message has.
    Name(u16),
    /// The scale is zero or not a number.
    Scale(u16),
    /// What is text has neither a scale, nor a sign, nor numbers that mean nothing.
    Text(u16),
}

impl Settings {
    /// Takes the `io` table.
    ///
    /// # Errors
    /// The first id whose entry cannot be.
    pub fn new(io: BTreeMap<u16, Io>) -> Result<Self, InvalidIo> {
        let entries = io.into_iter().map(|(id, io)| {
            if matches!(io.name.as_str(), "" | "ident" | "timestamp") {
                return Err(InvalidIo::Name(id));
            }
            let scale = Scale::new(io.scale).ok_or(InvalidIo::Scale(id))?;
            let meaning = match (io.text, io.signed) {
                (false, false) => Meaning::Unsigned(scale),
                (false, true) => Meaning::Signed(scale),
                (true, false) if scale == ONE && io.not.is_empty() => Meaning::Text,
                (true, _) => return Err(InvalidIo::Text(id)),
            };
            let (name, not) = (io.name, io.not.into());
            Ok((id, Named { name, meaning, not }))
        });
        Ok(Self {
            io: entries.collect::<Result<_, _>>()?,
        })
    }
}

/// The message that says what `record` says.
///
/// Without a fix it has neither coordinates nor altitude: the device repeats the last ones. A time
/// that no calendar has is left out, and the time of arrival takes its place: to refuse the record
/// would make the device send it for ever.
pub(super) fn message(
    ident: &str,
    record: &Record<'_>,
    settings: &Settings,
) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    if record.time_ms < TIME_END_MS {
        message.set_timestamp(record.time_ms.saturating_mul(1000));
    }
    set_position(&mut message, record);
    message.set("event.priority.enum", u64::from(record.priority));
    if record.event != 0 {
        message.set("event.enum", u64::from(record.event));
    }
    if let Some(generation) = record.generation {
        message.set("custom.generation.type", u64::from(generation));
    }
    for element in &record.elements {
        if let Some((name, value)) = parameter(element, settings, &message) {
            message.set(name, value);
        }
    }
    Ok(message)
}

/// The message that says what came through a serial port: `text` where it is printable, `data` in
/// hex where it is not.
pub(super) fn serial_message(
    ident: &str,
    serial: &SerialData<'_>,
) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    if let Some(time_s) = serial.time_s {
        message.set_timestamp(u64::from(time_s).saturating_mul(1_000_000));
    }
    let bytes = serial.bytes;
    match str::from_utf8(bytes).ok().filter(|text| is_printable(text)) {
        Some(text) => message.set("text", text.trim_end_matches(['\0', '\r', '\n'])),
        None => message.set("data", text(hex(bytes))),
    }
    Ok(message)
}

/// Whether a person can read all of it: lines, tabs, and the zeros and line ends behind them.
fn is_printable(text: &str) -> bool {
    let text = text.trim_end_matches('\0');
    !text.trim().is_empty() && !text.contains(|c: char| c.is_control() && !"\t\r\n".contains(c))
}

fn set_position(message: &mut Message, record: &Record<'_>) {
    let (latitude, longitude) = (record.latitude_e7, record.longitude_e7);
    let is_on_earth = latitude.unsigned_abs() <= 900_000_000;
    let is_on_earth = is_on_earth && longitude.unsigned_abs() <= 1_800_000_000;
    let valid = record.satellites > 0 && is_on_earth;
    if valid {
        message.set("position.latitude", f64::from(latitude) / 1e7);
        message.set("position.longitude", f64::from(longitude) / 1e7);
        message.set("position.altitude", i64::from(record.altitude_m));
    }
    message.set("position.speed", u64::from(record.speed_km_h));
    message.set("position.direction", u64::from(record.direction_deg));
    message.set("position.satellites", u64::from(record.satellites));
    message.set("position.valid", valid);
}

/// The name and the value of an element that comes after all that `message` has; none where the
/// `io` table says that nothing was measured. A name that is built in is given once: what would
/// come second under it keeps its number.
pub(super) fn parameter(
    element: &Element<'_>,
    settings: &Settings,
    message: &Message,
) -> Option<(Cow<'static, str>, Value)> {
    let Element { id, value } = *element;
    if let Some(named) = settings.io.get(&id) {
        let value = (!named.is_nothing(value)).then(|| named.meaning.or_as_sent(value))?;
        return Some((Cow::Owned(named.name.clone()), value));
    }
    let known =
        elements::known(id, value).and_then(|(name, meaning)| Some((name, meaning.of(value)?)));
    Some(match known.filter(|(name, _)| !message.has(name)) {
        Some((name, value)) => (Cow::Borrowed(name), value),
        None => {
            let meaning = elements::unnamed(id, value);
            let name = Cow::Owned(format!("custom.param.{id}"));
            (name, meaning.or_as_sent(value))
        }
    })
}

impl Named {
    fn is_nothing(&self, value: ElementValue<'_>) -> bool {
        let unsigned = value
            .unsigned()
            .and_then(|number| i64::try_from(number).ok());
        let sent = [unsigned, value.signed()];
        self.not.iter().any(|code| sent.contains(&Some(*code)))
    }
}

/// Numbers as they are, bytes as lower-case hex.
fn as_sent(value: ElementValue<'_>) -> Value {
    match (value, value.unsigned()) {
        (_, Some(number)) => Value::U64(number),
        (ElementValue::Bytes(bytes), None) => Value::Text(hex(bytes).into()),
        (_, None) => Value::Null,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// How the value of a parameter follows from what was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
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
    fn or_as_sent(self, value: ElementValue<'_>) -> Value {
        self.of(value).unwrap_or_else(|| as_sent(value))
    }

    /// None: it cannot mean this.
    fn of(self, value: ElementValue<'_>) -> Option<Value> {
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
pub(super) enum Scale {
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
    fn new(scale: f64) -> Option<Self> {
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

impl fmt::Display for InvalidIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(id) => write!(f, "the name of element `{id}` is empty or taken"),
            Self::Scale(id) => write!(f, "the scale of element `{id}` is zero or not a number"),
            Self::Text(id) => write!(f, "element `{id}` is text and has no numbers"),
        }
    }
}

impl std::error::Error for InvalidIo {}

/// From so many bytes on, what is printable is taken for text: numbers have 8 at most.
const TEXT_MIN: usize = 8;

/// Whole numbers below are exact as doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The year 10000, in milliseconds since 1970 UTC.
const TIME_END_MS: u64 = 253_402_300_800_000;

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

    #[test]
    fn an_entry_must_not_rename_the_device() {
        let io = |name: &str, scale| Io {
            name: name.into(),
            scale,
            signed: false,
            text: false,
            not: Vec::new(),
        };
        let settings = |io| Settings::new(BTreeMap::from([(72, io)])).unwrap_err();
        assert_eq!(settings(io("ident", 1.0)), InvalidIo::Name(72));
        assert_eq!(
            settings(io("sensor.temperature.1", 0.0)),
            InvalidIo::Scale(72)
        );
    }
}
