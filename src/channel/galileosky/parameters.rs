//! What a record of Galileosky's tags means: names and units of its parameters.
//!
//! What is not named here, nor in [`tags`], is left out, unless the channel's `io` table names it.

use super::PLACE;
use super::TEXT;
use super::TIME;
use super::tags;
use crate::channel::fix::degrees;
use crate::channel::io::IoTable;
use crate::channel::io::tell_numbered;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::message::Value;
use crate::wire::charset::utf8_or_bytes;
use crate::wire::element::Element;
use crate::wire::element::ElementValue;
use crate::wire::galileosky::Record;
use crate::wire::galileosky::Tag;
use crate::wire::galileosky::extended;

/// The message that says what `record` says.
///
/// # Errors
/// `ident` cannot be one.
pub(super) fn message(
    ident: &str,
    record: &Record<'_>,
    io: &IoTable,
) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    if let Some(time) = record.array(TIME) {
        let seconds = u64::from(u32::from_le_bytes(time));
        let millis = record.array(MILLIS).map_or(0, u16::from_le_bytes);
        let millis = Some(millis).filter(|millis| *millis < 1000).unwrap_or(0);
        message.set_timestamp(seconds * 1_000_000 + u64::from(millis) * 1000);
    }
    set_position(&mut message, record, io);
    for tag in &record.0 {
        let is_named = io.has(tag.id.into());
        if is_named || tags::is_told(tag) {
            let element = element(tag);
            io.tell(&element, &tags::BUILT_IN, &mut message);
        } else {
            set_several(tag, &mut message);
        }
    }
    Ok(message)
}

/// A tag as the number of its width that it is.
fn element<'a>(tag: &Tag<'a>) -> Element<'a> {
    let value = match *tag.value {
        [byte] => ElementValue::U8(byte),
        [low, high] => ElementValue::U16(u16::from_le_bytes([low, high])),
        [a, b, c, d] => ElementValue::U32(u32::from_le_bytes([a, b, c, d])),
        _ => ElementValue::Bytes(tag.value),
    };
    let id = tag.id.into();
    Element { id, value }
}

/// Without a fix there is nothing that comes of it: the device repeats the last ones.
fn set_position(message: &mut Message, record: &Record<'_>, io: &IoTable) {
    let place = unnamed(record, PLACE, io).map(Place::of);
    if let Some(place) = &place {
        if let Some((latitude, longitude)) = place.degrees {
            message.set("position.latitude", latitude);
            message.set("position.longitude", longitude);
        }
        message.set("position.satellites", u64::from(place.satellites));
        message.set("position.valid", place.degrees.is_some());
        if place.degrees.is_none() {
            return;
        }
    }
    if let Some([low, high, rest @ ..]) = unnamed::<4>(record, MOTION, io) {
        let tenths = |bytes| f64::from(u16::from_le_bytes(bytes)) / 10.0;
        message.set("position.speed", tenths([low, high]));
        message.set("position.direction", tenths(rest));
    }
    if let Some(altitude) = unnamed(record, ALTITUDE, io) {
        message.set("position.altitude", i64::from(i16::from_le_bytes(altitude)));
    }
    if let Some([error]) = unnamed(record, ERROR, io) {
        match place.is_some_and(|place| place.is_of_cells) {
            true => message.set("position.accuracy", u64::from(error) * 10),
            false => message.set("position.hdop", f64::from(error) / 10.0),
        }
    }
}

/// The value of a tag that has so many bytes, and that the channel does not name itself.
fn unnamed<const N: usize>(record: &Record<'_>, id: u8, io: &IoTable) -> Option<[u8; N]> {
    record.array(id).filter(|_| !io.has(id.into()))
}

/// Where, and how that is known.
struct Place {
    /// Latitude and longitude; none without a fix.
    degrees: Option<(f64, f64)>,
    satellites: u8,
    /// Of a phone network, and not from satellites.
    is_of_cells: bool,
}

impl Place {
    fn of([head, a, b, c, d, e, f, g, h]: [u8; 9]) -> Self {
        let latitude = i32::from_le_bytes([a, b, c, d]);
        let longitude = i32::from_le_bytes([e, f, g, h]);
        let (source, satellites) = (head >> 4, head & 0x0F);
        // a place of cells needs none
        let is_fix = source == CELLS || source == SATELLITES && satellites > 0;
        Self {
            degrees: degrees(latitude.into(), longitude.into(), UNITS).filter(|_| is_fix),
            satellites,
            is_of_cells: source == CELLS,
        }
    }
}

/// What is several values in one.
fn set_several(tag: &Tag<'_>, message: &mut Message) {
    match (tag.id, tag.value) {
        (0x63..=0x6F, [low, high, degrees]) => {
            let level = u16::from_le_bytes([*low, *high]);
            let number = tag.id.saturating_sub(0x5F);
            message.set(format!("lls.value.{number}"), u64::from(level));
            let degrees = i64::from(degrees.cast_signed());
            message.set(format!("lls.temperature.{number}"), degrees);
        }
        (0x70..=0x77, [sensor, degrees]) if [*sensor, *degrees] != NOT_THERE => {
            set_temperature(tag.id, tag.id.saturating_sub(0x6F), *degrees, message);
        }
        (0x80..=0x87, [sensor, degrees, humidity]) if [*sensor, *degrees] != NOT_THERE => {
            let number = tag.id.saturating_sub(0x7F);
            set_temperature(tag.id, number, *degrees, message);
            let percent = f64::from(u16::from(*humidity) * 100) / 255.0;
            message.set(format!("sensor.humidity.{number}"), percent);
        }
        (0xC1, [level, coolant, low, high]) => set_engine(*level, *coolant, [*low, *high], message),
        (TEXT, text) => {
            let text = utf8_or_bytes(text);
            message.set("text", text.trim_end_matches(char::is_control));
        }
        (0xFE, list) => set_extended(list, message),
        _ => {}
    }
}

/// Thermometers of two kinds have the same numbers: what comes second keeps its tag.
fn set_temperature(tag: u8, number: u8, degrees: u8, message: &mut Message) {
    let name = format!("sensor.temperature.{number}");
    let degrees = Value::from(i64::from(degrees.cast_signed()));
    if message.has(&name) {
        tell_numbered(tag.into(), &degrees, message);
    } else {
        message.set(name, &degrees);
    }
}

/// All bits set: the bus has no such value.
fn set_engine(level: u8, coolant: u8, rpm: [u8; 2], message: &mut Message) {
    if level != u8::MAX {
        message.set("can.fuel.level", f64::from(level) * 2.0 / 5.0);
    }
    if coolant != u8::MAX {
        let name = "can.engine.coolant.temperature";
        message.set(name, i64::from(coolant) - 40);
    }
    let rpm = u16::from_le_bytes(rpm);
    if rpm != u16::MAX {
        message.set("can.engine.rpm", f64::from(rpm) / 8.0);
    }
}

fn set_extended(list: &[u8], message: &mut Message) {
    for (id, value) in extended(list) {
        let name = match id {
            0x81 => "gsm.cellid",
            0x82 => "gsm.lac",
            0x83 => "gsm.mcc",
            0x84 => "gsm.mnc",
            _ => continue,
        };
        if let [low, high] = *value {
            message.set(name, u64::from(u16::from_le_bytes([low, high])));
        }
    }
}

/// Milliseconds of the second that [`TIME`] says.
const MILLIS: u8 = 0x21;
/// Speed and direction: tenths of km/h, tenths of a degree.
const MOTION: u8 = 0x33;
/// Metres above the sea.
const ALTITUDE: u8 = 0x34;
/// Tenths of HDOP, or tens of metres where the place is of cells.
const ERROR: u8 = 0x35;

/// The source of a place: satellites.
const SATELLITES: u8 = 0;
/// The source of a place: the cells of a phone network.
const CELLS: u8 = 2;

/// Of a degree.
const UNITS: i64 = 1_000_000;

/// Number and degrees of a thermometer that is not connected.
const NOT_THERE: [u8; 2] = [127, 0x80];
