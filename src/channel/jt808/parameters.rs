//! What a location of a JT/T 808 terminal means: names and units of its parameters.
//!
//! | item | parameter |
//! | --- | --- |
//! | status | `engine.ignition.status`, `position.valid` |
//! | alarm, where it is not 0 | `custom.param.alarm`; its lowest bit is `alarm.status` |
//! | 01, 02, 03 | `vehicle.mileage`, `fuel.volume`, `can.vehicle.speed`: tenths on the wire |
//! | 25, 2A | `custom.param.37`, `custom.param.42`: numbers, bits of signals and of inputs |
//! | 2B | `ain.1`, `ain.2`: as they were sent |
//! | 30, 31 | `gsm.signal.level`: of 31; `position.satellites` |
//! | others, and those of another length | `custom.param.N`, hex |

use crate::channel::fix::Fix;
use crate::channel::fix::degrees;
use crate::hex;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::wire::jt808::Item;
use crate::wire::jt808::Location;

/// The message that says what `location` says. `time` is when it was measured, microseconds since
/// 1970 UTC; none: when it came.
///
/// # Errors
/// `ident` cannot be one.
pub(super) fn message(
    ident: &str,
    location: &Location<'_>,
    time: Option<u64>,
) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    if let Some(time) = time {
        message.set_timestamp(time);
    }
    fix(location).tell(&mut message);
    message.set("engine.ignition.status", location.is_ignition_on());
    if location.alarm != 0 {
        message.set("custom.param.alarm", u64::from(location.alarm));
    }
    if location.alarm & 1 != 0 {
        message.set("alarm.status", true);
    }
    for item in location.items {
        set(&mut message, item);
    }
    Ok(message)
}

fn fix(location: &Location<'_>) -> Fix {
    let satellites = |item: Item<'_>| match (item.id, item.value) {
        (0x31, [count]) => Some(u64::from(*count)),
        _ => None,
    };
    Fix {
        valid: location.is_positioned(),
        position: degrees(location.latitude, location.longitude, UNITS),
        altitude: Some(location.altitude_m.into()),
        speed: Some(f64::from(location.speed_tenths) / 10.0),
        direction: Some(location.direction_deg.into()),
        satellites: location.items.filter_map(satellites).last(),
        hdop: None,
    }
}

fn set(message: &mut Message, item: Item<'_>) {
    let tenths = |number: u32| f64::from(number) / 10.0;
    match (item.id, item.value) {
        (0x01, &[a, b, c, d]) => {
            message.set("vehicle.mileage", tenths(u32::from_be_bytes([a, b, c, d])));
        }
        (0x02, &[a, b]) => message.set("fuel.volume", tenths(word(a, b))),
        (0x03, &[a, b]) => message.set("can.vehicle.speed", tenths(word(a, b))),
        (0x25, &[a, b, c, d]) => {
            let bits = u32::from_be_bytes([a, b, c, d]);
            message.set("custom.param.37", u64::from(bits));
        }
        (0x2A, &[a, b]) => message.set("custom.param.42", u64::from(word(a, b))),
        (0x2B, &[a, b, c, d]) => {
            message.set("ain.1", u64::from(word(c, d)));
            message.set("ain.2", u64::from(word(a, b)));
        }
        (0x30, &[bars @ 0..=31]) => {
            message.set("gsm.signal.level", (u64::from(bars) * 100 + 15) / 31);
        }
        // a part of the fix; zeros that fill a message up
        (0x31, [_]) | (_, []) => {}
        (id, value) => message.set(format!("custom.param.{id}"), hex::text(value).as_str()),
    }
}

fn word(high: u8, low: u8) -> u32 {
    u16::from_be_bytes([high, low]).into()
}

/// Of a degree.
const UNITS: i64 = 1_000_000;
