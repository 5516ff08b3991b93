//! What a report of a GT06 device means: names and units of its parameters.
//!
//! | report | parameter |
//! | --- | --- |
//! | gps | `position.…`; where it is not positioned the place is an old one and left out |
//! | cell | `gsm.mcc`, `gsm.mnc`, `gsm.lac`, `gsm.cellid` |
//! | why it was sent, alarm | `event.enum`: models do not agree on the numbers |
//! | alarm 1, or 0 while the device says SOS | `alarm.status` |
//! | info | `armed.status`, `engine.ignition.status`, `battery.charging.status` |
//! | level | `battery.level`: of 6, or percent from 7 on |
//! | signal | `gsm.signal.level`: of 4 |
//! | mileage | `vehicle.mileage`, metres on the wire |

use crate::channel::fix::Fix;
use crate::channel::fix::degrees;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::wire::gt06::Cell;
use crate::wire::gt06::Place;
use crate::wire::gt06::Report;
use crate::wire::gt06::Status;

/// The message that says what `report` says. `time` is when it was measured, microseconds since
/// 1970 UTC; none: when it came.
///
/// # Errors
/// `ident` cannot be one.
pub(super) fn message(
    ident: &str,
    report: &Report,
    time: Option<u64>,
) -> Result<Message, InvalidIdent> {
    let mut message = Message::new(ident)?;
    if let Some(time) = time {
        message.set_timestamp(time);
    }
    if let Some(place) = &report.place {
        fix(place).tell(&mut message);
    }
    if let Some(cell) = &report.cell {
        set_cell(&mut message, cell);
    }
    if let Some(on) = report.ignition {
        message.set("engine.ignition.status", on);
    }
    if let Some(mode) = report.mode {
        message.set("event.enum", u64::from(mode));
    }
    if let Some(status) = &report.status {
        set_status(&mut message, status);
    }
    if let Some(metres) = report.mileage_m {
        message.set("vehicle.mileage", f64::from(metres) / 1e3);
    }
    if let Some(hundredths) = report.external_cv {
        let volts = f64::from(hundredths) / 1e2;
        message.set("external.powersource.voltage", volts);
    }
    if let Some(doors) = report.doors {
        message.set("door.open.status", doors & 1 != 0);
    }
    if let Some(iccid) = &report.iccid {
        message.set("gsm.sim.iccid", iccid.as_str());
    }
    Ok(message)
}

fn fix(place: &Place) -> Fix {
    Fix {
        valid: place.is_positioned,
        position: degrees(place.latitude, place.longitude, UNITS),
        speed: Some(place.speed_km_h.into()),
        direction: Some(place.direction_deg.into()),
        satellites: place.satellites.map(u64::from),
        ..Fix::default()
    }
}

fn set_cell(message: &mut Message, cell: &Cell) {
    message.set("gsm.mcc", u64::from(cell.mcc));
    message.set("gsm.mnc", u64::from(cell.mnc));
    message.set("gsm.lac", u64::from(cell.lac));
    message.set("gsm.cellid", cell.id);
}

fn set_status(message: &mut Message, status: &Status) {
    let is_set = |bit: u8| status.info & bit != 0;
    message.set("engine.ignition.status", is_set(1 << 1));
    message.set("battery.charging.status", is_set(1 << 2));
    message.set("armed.status", is_set(1));
    if let Some(percent) = status.level.and_then(percent) {
        message.set("battery.level", u64::from(percent));
    }
    if let Some(hundredths) = status.battery_cv {
        message.set("battery.voltage", f64::from(hundredths) / 1e2);
    }
    if let Some(bars) = Some(status.signal).filter(|bars| *bars <= 4) {
        message.set("gsm.signal.level", u64::from(bars) * 25);
    }
    if let Some(alarm) = status.alarm {
        message.set("event.enum", u64::from(alarm));
    }
    let says_sos = status.info >> 3 & 7 == 4;
    if matches!((status.alarm.unwrap_or(0), says_sos), (1, _) | (0, true)) {
        message.set("alarm.status", true);
    }
}

/// Of six, or percent as clones send it.
fn percent(level: u8) -> Option<u8> {
    match level {
        0..=6 => Some((u16::from(level) * 100 + 3) / 6).and_then(|of| u8::try_from(of).ok()),
        7..=100 => Some(level),
        _ => None,
    }
}

/// Of a degree.
const UNITS: i64 = 1_800_000;
