//! Packets to messages: the way of `encode` back. What it restores stands in the module's text.

use super::BLOCKS_MAX;
use super::BlockValue;
use super::DRIVER_NAME;
use super::FLAG_ALARM;
use super::IMAGE_NAME;
use super::INPUTS_NAME;
use super::OUTPUTS_NAME;
use super::POSITION_NAME;
use super::Packet;
use super::Position;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::message::Value;
use crate::message::from_underscores;
use std::borrow::Cow;
use std::fmt;

/// Why a packet is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// The uid is no ident.
    Ident(InvalidIdent),
    /// More than [`BLOCKS_MAX`].
    Blocks,
}

/// The message that a packet stands for.
///
/// # Errors
/// See [`MessageError`].
pub fn message(packet: &Packet<'_>) -> Result<Message, MessageError> {
    let mut message = Message::new(packet.uid).map_err(MessageError::Ident)?;
    if packet.blocks().nth(BLOCKS_MAX).is_some() {
        return Err(MessageError::Blocks);
    }
    message.set_timestamp(u64::from(packet.time_s).saturating_mul(1_000_000));
    for block in packet.blocks() {
        match (&*block.name, block.value) {
            (_, BlockValue::Position(position)) => set_position(&mut message, &position),
            (_, BlockValue::Other { .. }) => {}
            (name, BlockValue::I32(bits)) if [INPUTS_NAME, OUTPUTS_NAME].contains(&name) => {
                let bits = u64::from(bits.cast_unsigned());
                message.set(if name == INPUTS_NAME { "din" } else { "dout" }, bits);
            }
            (name, value) => {
                let name = own_name(name);
                let value = own_value(&name, value);
                message.set(name, &value);
            }
        }
    }
    if packet.flags & FLAG_ALARM != 0 {
        message.set("alarm.status", true);
    }
    Ok(message)
}

/// A place that is none is left out, and what goes with it. Without a satellite there is no fix;
/// the place itself stays where it can be one, since senders write 0 also for a number that they
/// do not know.
fn set_position(message: &mut Message, position: &Position) {
    let is_nowhere = position.latitude == 0.0 && position.longitude == 0.0;
    let has_satellites = position.satellites > 0;
    let is_place = position.latitude.abs() <= 90.0
        && position.longitude.abs() <= 180.0
        && (has_satellites || !is_nowhere);
    if is_place {
        message.set("position.latitude", position.latitude);
        message.set("position.longitude", position.longitude);
        if position.altitude.is_finite() {
            message.set("position.altitude", position.altitude);
        }
        message.set("position.speed", u64::from(position.speed));
        message.set("position.direction", u64::from(position.direction));
        message.set("position.satellites", u64::from(position.satellites));
    }
    if !message.has("position.valid") {
        message.set("position.valid", is_place && has_satellites);
    }
}

fn own_name(name: &str) -> Cow<'static, str> {
    let known = match name {
        "pwr_ext" => "external.powersource.voltage",
        "pwr_int" => "battery.voltage",
        "gsm" => "gsm.signal.level",
        "ign" => "engine.ignition.status",
        DRIVER_NAME => "driver.code",
        "mcc" => "gsm.mcc",
        "mnc" => "gsm.mnc",
        "lac" => "gsm.lac",
        "cell_id" => "gsm.cellid",
        // who and when are told elsewhere; a parameter has neither word
        "ident" => "ident_",
        "timestamp" => "timestamp_",
        "" => "_",
        _ => return dotted(name),
    };
    Cow::Borrowed(known)
}

fn dotted(name: &str) -> Cow<'static, str> {
    if let Some(known) = from_underscores(name) {
        return known.into();
    }
    if let Some(own) = name.strip_suffix('_').filter(|own| WIALONS.contains(own)) {
        return own.to_owned().into();
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.strip_prefix(stem).unwrap_or_default();
    let numbered = NUMBERED.iter().find(|(written, _)| *written == stem);
    match numbered.filter(|_| !number.is_empty()) {
        Some((_, known)) => format!("{known}{number}").into(),
        None => name.replace(char::is_control, "_").into(),
    }
}

fn own_value(name: &str, value: BlockValue<'_>) -> Value {
    let number = match value {
        BlockValue::I32(number) => i64::from(number),
        BlockValue::I64(number) => number,
        BlockValue::F64(number) => return Value::from(number),
        BlockValue::Text(text) => return Value::from(text.as_ref()),
        BlockValue::Position(_) | BlockValue::Other { .. } => return Value::Null,
    };
    match number {
        0 | 1 if SWITCHES.contains(&name) => Value::Bool(number == 1),
        _ => Value::from(number),
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ident(invalid) => invalid.fmt(f),
            Self::Blocks => write!(f, "more than {BLOCKS_MAX} blocks"),
        }
    }
}

impl std::error::Error for MessageError {}

/// What `encode` puts a `_` behind.
const WIALONS: [&str; 5] = [
    POSITION_NAME,
    INPUTS_NAME,
    OUTPUTS_NAME,
    DRIVER_NAME,
    IMAGE_NAME,
];

/// Names with a number behind: as they are written, and as they are.
const NUMBERED: [(&str, &str); 12] = [
    ("adc", "ain."),
    ("ain_", "ain."),
    ("din_", "din."),
    ("dout_", "dout."),
    ("custom_param_", "custom.param."),
    ("sensor_temperature_", "sensor.temperature."),
    ("sensor_humidity_", "sensor.humidity."),
    ("ble_sensor_temperature_", "ble.sensor.temperature."),
    ("gsm_mcc_", "gsm.mcc."),
    ("gsm_mnc_", "gsm.mnc."),
    ("gsm_lac_", "gsm.lac."),
    ("gsm_cellid_", "gsm.cellid."),
];

/// What is on or off.
const SWITCHES: [&str; 6] = [
    "engine.ignition.status",
    "movement.status",
    "position.valid",
    "gnss.status",
    "trip.status",
    "timestamp.valid",
];
