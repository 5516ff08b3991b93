//! What a Wialon IPS record means: names of its parameters.
//!
//! | field | parameter |
//! | --- | --- |
//! | latitude, longitude, speed, course, altitude, satellites, hdop | `position.…` |
//! | inputs, outputs | `din`, `dout`: one bit each, the first is the lowest |
//! | analogue inputs | `ain.N`, from 1 |
//! | ibutton | `driver.code` |
//! | parameter `SOS` | `alarm.status` |
//! | parameters `mcc`, `mnc`, `lac`, `cell_id` | `gsm.mcc`, `gsm.mnc`, `gsm.lac`, `gsm.cellid` |
//! | the same with a number behind | the same with `.N` |
//! | other parameters, and the words of `M` as `text` | under their own names |
//!
//! `position.valid` says whether there are coordinates, and a satellite where their number is told:
//! the protocol has no other sign of a fix. Without one there are no coordinates.
//! What every message has keeps its meaning: parameters of these names get `_` behind them.

use crate::message::Message;
use crate::message::Value;
use crate::wire::ips::Extended;
use crate::wire::ips::NETWORK;
use crate::wire::ips::Parameter;
use crate::wire::ips::Record;
use std::borrow::Cow;

/// The message that says what `record` says; none when `ident` is none.
pub(super) fn message(ident: &str, record: &Record<'_>) -> Option<Message> {
    let mut message = Message::new(ident).ok()?;
    if let Some(time_us) = record.time_us {
        message.set_timestamp(time_us);
    }
    let place = record
        .place
        .filter(|_| record.satellites != Some(Value::U64(0)));
    if let Some(place) = place {
        message.set("position.latitude", place.latitude);
        message.set("position.longitude", place.longitude);
    }
    for (name, value) in [
        ("position.altitude", &record.altitude),
        ("position.speed", &record.speed),
        ("position.direction", &record.direction),
        ("position.satellites", &record.satellites),
    ] {
        set(&mut message, name, value.clone());
    }
    message.set("position.valid", place.is_some());
    if let Some(extended) = &record.extended {
        extend(&mut message, extended);
    }
    Some(message)
}

/// The message of a driver's words; none when `ident` is none.
pub(super) fn words(ident: &str, text: &str) -> Option<Message> {
    let mut message = Message::new(ident).ok()?;
    message.set("text", text);
    Some(message)
}

fn extend(message: &mut Message, extended: &Extended<'_>) {
    set(message, "position.hdop", extended.hdop.map(Value::from));
    set(message, "din", extended.inputs.clone());
    set(message, "dout", extended.outputs.clone());
    for (number, volts) in (1_u32..).zip(&extended.adc) {
        set(message, format!("ain.{number}"), volts.map(Value::from));
    }
    set(message, "driver.code", extended.ibutton.map(Value::from));
    for parameter in &extended.parameters {
        let (name, value) = named(parameter);
        message.set(name, &value);
    }
}

fn set(message: &mut Message, name: impl AsRef<str>, value: Option<Value>) {
    if let Some(value) = &value {
        message.set(name, value);
    }
}

fn named(parameter: &Parameter<'_>) -> (Cow<'static, str>, Value) {
    let Parameter { name, value } = parameter;
    match (*name, value) {
        ("SOS", Value::U64(state)) => ("alarm.status".into(), Value::Bool(*state != 0)),
        ("ident" | "timestamp", _) => (format!("{name}_").into(), value.clone()),
        _ => (network(name), value.clone()),
    }
}

/// The name of a parameter, if it is of the mobile network under that of flespi.
fn network(name: &str) -> Cow<'static, str> {
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let Some((_, known)) = NETWORK.iter().find(|(wire, _)| *wire == word) else {
        return Cow::Owned(name.to_owned());
    };
    match name.strip_prefix(word) {
        Some("") | None => (*known).into(),
        Some(number) => format!("{known}.{number}").into(),
    }
}
