//! What a Teltonika record means: names and units of its parameters.
//!
//! Ids that have a name are in [`elements`]; the others, and values that their name cannot hold,
//! come as `custom.param.N`, as they were sent. The channel's `io` table names more.

use super::elements;
use super::meaning::Meaning;
use super::meaning::ONE;
use super::meaning::Scale;
use super::meaning::hex;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::message::Value;
use crate::wire::teltonika::Element;
use crate::wire::teltonika::ElementValue;
use crate::wire::teltonika::Record;
use crate::wire::teltonika::SerialData;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

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
pub enum ElementError {
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
    pub fn new(io: BTreeMap<u16, Io>) -> Result<Self, ElementError> {
        let entries = io.into_iter().map(|(id, io)| {
            if matches!(io.name.as_str(), "" | "ident" | "timestamp") {
                return Err(ElementError::Name(id));
            }
            let scale = Scale::new(io.scale).ok_or(ElementError::Scale(id))?;
            let meaning = match (io.text, io.signed) {
                (false, false) => Meaning::Unsigned(scale),
                (false, true) => Meaning::Signed(scale),
                (true, false) if scale == ONE && io.not.is_empty() => Meaning::Text,
                (true, _) => return Err(ElementError::Text(id)),
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
            message.set(name, &value);
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
        None => message.set("data", hex(bytes).as_str()),
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

impl fmt::Display for ElementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(id) => write!(f, "the name of element `{id}` is empty or taken"),
            Self::Scale(id) => write!(f, "the scale of element `{id}` is zero or not a number"),
            Self::Text(id) => write!(f, "element `{id}` is text and has no numbers"),
        }
    }
}

impl std::error::Error for ElementError {}

/// The year 10000, in milliseconds since 1970 UTC.
const TIME_END_MS: u64 = 253_402_300_800_000;

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(settings(io("ident", 1.0)), ElementError::Name(72));
        assert_eq!(
            settings(io("sensor.temperature.1", 0.0)),
            ElementError::Scale(72)
        );
    }
}
