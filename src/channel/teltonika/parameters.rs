//! What a Teltonika record means: names and units of its parameters.
//!
//! Ids that have a name are in [`elements`]; the others, and values that their name cannot hold,
//! come as `custom.param.N`, as they were sent. The channel's `io` table names more.

use super::elements;
use crate::channel::fix::degrees;
use crate::channel::io::IoTable;
use crate::hex;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::wire::teltonika::Record;
use crate::wire::teltonika::SerialData;

/// The message that says what `record` says.
///
/// Without a fix it has neither coordinates nor altitude: the device repeats the last ones. A time
/// that no calendar has is left out, and the time of arrival takes its place: to refuse the record
/// would make the device send it for ever.
///
/// # Errors
/// `ident` cannot be one.
pub(super) fn message(
    ident: &str,
    record: &Record<'_>,
    io: &IoTable,
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
        io.tell(element, &elements::BUILT_IN, &mut message);
    }
    Ok(message)
}

/// The message that says what came through a serial port: `text` where it is printable, `data` in
/// hex where it is not.
///
/// # Errors
/// `ident` cannot be one.
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
        None => message.set("data", hex::text(bytes).as_str()),
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
    let place = degrees(latitude.into(), longitude.into(), 10_000_000);
    let place = place.filter(|_| record.satellites > 0);
    if let Some((latitude, longitude)) = place {
        message.set("position.latitude", latitude);
        message.set("position.longitude", longitude);
        message.set("position.altitude", i64::from(record.altitude_m));
    }
    message.set("position.speed", u64::from(record.speed_km_h));
    message.set("position.direction", u64::from(record.direction_deg));
    message.set("position.satellites", u64::from(record.satellites));
    message.set("position.valid", place.is_some());
}

/// The year 10000, in milliseconds since 1970 UTC.
const TIME_END_MS: u64 = 253_402_300_800_000;
