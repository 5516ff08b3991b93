//! What a Ruptela record means: names and units of its parameters.
//!
//! Ids that have a name are in [`elements`]; the others, and values that their name cannot hold,
//! come as `custom.param.N`, as they were sent. The channel's `io` table names more.

use super::elements;
use crate::channel::fix::degrees;
use crate::channel::io::IoTable;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::message::ValueRef;
use crate::wire::element::Element;
use crate::wire::ruptela::Place;
use crate::wire::ruptela::Record;
use crate::wire::ruptela::TroubleCode;

/// The message that says what `record` says.
///
/// # Errors
/// `ident` cannot be one.
pub(super) fn message(ident: &str, record: &Record, io: &IoTable) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    message.set_timestamp(u64::from(record.time_s).saturating_mul(1_000_000));
    set_position(&mut message, record);
    message.set("event.enum", u64::from(record.event));
    set_elements(&mut message, &record.elements, io);
    Ok(message)
}

/// The message that says what was wrong with the vehicle, and where.
///
/// # Errors
/// `ident` cannot be one.
pub(super) fn trouble_code(ident: &str, code: &TroubleCode<'_>) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    message.set_timestamp(u64::from(code.time_s).saturating_mul(1_000_000));
    set_place(&mut message, code.place);
    let text = code.code.escape_ascii().to_string();
    message.set("can.dtc", text.trim_end_matches("\\x00"));
    message.set("can.dtc.source.enum", u64::from(code.source));
    Ok(message)
}

/// Without a fix it has neither coordinates nor altitude. What is not known is left out.
fn set_position(message: &mut Message, record: &Record) {
    let satellites = record.satellites;
    // None in use: a device repeats the last place, or says zeros.
    let place = record.place.filter(|_| satellites != Some(0));
    if set_place(message, place)
        && let Some(altitude) = record.altitude_dm
    {
        message.set("position.altitude", f64::from(altitude) / 10.0);
    }
    if let Some(speed) = record.speed_km_h {
        message.set("position.speed", u64::from(speed));
    }
    if let Some(direction) = record.direction_e2 {
        message.set("position.direction", f64::from(direction) / 100.0);
    }
    if let Some(hdop) = record.hdop_e1 {
        message.set("position.hdop", f64::from(hdop) / 10.0);
    }
    if let Some(satellites) = satellites {
        message.set("position.satellites", u64::from(satellites));
    }
}

/// Says where, and whether that is known.
fn set_place(message: &mut Message, place: Option<Place>) -> bool {
    let place = place.and_then(|place| {
        let (latitude, longitude) = (place.latitude_e7, place.longitude_e7);
        degrees(latitude.into(), longitude.into(), 10_000_000)
    });
    if let Some((latitude, longitude)) = place {
        message.set("position.latitude", latitude);
        message.set("position.longitude", longitude);
    }
    message.set("position.valid", place.is_some());
    place.is_some()
}

fn set_elements(message: &mut Message, all: &[Element<'_>], io: &IoTable) {
    for element in all {
        let id = element.id;
        if !io.has(id) {
            if elements::is_nothing(element) {
                continue;
            }
            if let Some((name, text)) = spelled(id, all, io)
                && set_once(message, name, &text)
            {
                continue;
            }
        }
        io.tell(element, &elements::BUILT_IN, message);
    }
}

/// Whether `message` says this now; another parameter may have taken the name.
fn set_once(message: &mut Message, name: &str, text: &str) -> bool {
    if !message.has(name) {
        message.set(name, text);
    }
    message.get(name) == Some(ValueRef::Text(text))
}

/// The text that an element is a part of, if all its parts are there and the channel names none.
fn spelled(id: u16, all: &[Element<'_>], io: &IoTable) -> Option<(&'static str, String)> {
    let (name, ids) = elements::text_of(id)?;
    if ids.iter().any(|id| io.has(*id)) {
        return None;
    }
    let mut text = String::new();
    for id in ids {
        let part = all.iter().find(|element| element.id == *id)?;
        let bytes = part.value.unsigned()?.to_be_bytes();
        let part = str::from_utf8(&bytes).ok()?.trim_end_matches('\0');
        if !part.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return None;
        }
        text.push_str(part);
    }
    Some((name, text)).filter(|(_, text)| !text.is_empty())
}
