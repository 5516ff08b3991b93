//! What a line means: one message a position, with what the line says of the device in the last.
//!
//! | what | parameter |
//! | --- | --- |
//! | a position | `position.*`, `timestamp` |
//! | HDOP 0, or a position left empty | `position.valid` false; `timestamp` is when it was sent |
//! | a VIN behind the IMEI | `vehicle.vin` |
//! | the kind, in each message, with the key `message_type` | `message.type` |
//! | `+BUFF` | `record.buffered.status` true |
//! | IGN, VGN; IGF, VGF | `engine.ignition.status` |
//! | MPN; MPF | `external.powersource.status` |
//! | SOS | `alarm.status` |
//! | FRI: the field before the report's number | `external.powersource.voltage`: mV, more than 10 |
//! | FRI, IGN, IGF, VGN, VGF: behind the cell | `vehicle.mileage`: km |
//! | FRI: before the device's status, or alone | `battery.level` |
//! | FRI: the device's status, 1x or 2x | `engine.ignition.status` |

use super::Keys;
use crate::channel::Intake;
use crate::channel::fix::Fix;
use crate::channel::fix::rounded;
use crate::message::Message;
use crate::wire::queclink::Block;
use crate::wire::queclink::Line;
use crate::wire::queclink::Position;
use crate::wire::queclink::Sending;
use crate::wire::queclink::number;

/// The messages of a line; none where nothing in it is known.
pub(super) fn messages(
    ident: &str,
    line: &Line<'_>,
    keys: Keys,
    intake: &mut dyn Intake,
) -> Vec<Message> {
    let blocks = line.blocks();
    let told = blocks
        .iter()
        .filter_map(|block| message(ident, line, block, intake));
    let mut told: Vec<Message> = told.collect();
    let has_state = state(line.kind()).is_some();
    if told.is_empty() && (has_state || keys.text) {
        told.extend(plain(ident, line));
    }
    for message in &mut told {
        if line.sending == Sending::Buffered {
            message.set("record.buffered.status", true);
        }
        if keys.message_type {
            message.set("message.type", line.kind());
        }
    }
    if let Some(last) = told.last_mut() {
        if let Some((name, on)) = state(line.kind()) {
            last.set(name, on);
        }
        if let Some((first, last_block)) = blocks.first().zip(blocks.last()) {
            of_vehicle(line, first, last_block, last);
        }
        if let Some(vin) = line.vin() {
            last.set("vehicle.vin", vin);
        }
        if keys.text {
            last.set("text", &*String::from_utf8_lossy(line.text));
        }
    }
    told
}

/// Of a position; without a fix it was measured when it was sent.
fn message(
    ident: &str,
    line: &Line<'_>,
    block: &Block,
    intake: &mut dyn Intake,
) -> Option<Message> {
    let known = block.position.as_ref().filter(|known| known.hdop > 0.0);
    let time = known.map(|known| known.time).or(line.sent());
    known
        .map_or_else(Fix::default, fix)
        .message(ident, time, intake)
}

/// Without a position.
fn plain(ident: &str, line: &Line<'_>) -> Option<Message> {
    let mut message = Message::new(ident).ok()?;
    if let Some(time) = line.sent() {
        message.set_timestamp(time);
    }
    Some(message)
}

fn fix(position: &Position) -> Fix {
    Fix {
        valid: true,
        position: Some((position.latitude, position.longitude)),
        altitude: position.altitude,
        speed: position.speed,
        direction: position.direction,
        hdop: Some(position.hdop),
        satellites: None,
    }
}

/// What a kind alone says.
fn state(kind: &str) -> Option<(&'static str, bool)> {
    Some(match kind {
        "GTIGN" | "GTVGN" => ("engine.ignition.status", true),
        "GTIGF" | "GTVGF" => ("engine.ignition.status", false),
        "GTMPN" => ("external.powersource.status", true),
        "GTMPF" => ("external.powersource.status", false),
        "GTSOS" => ("alarm.status", true),
        _ => return None,
    })
}

/// What stands before the first position and behind the last, where it has the shape of the GVs.
fn of_vehicle(line: &Line<'_>, first: &Block, last: &Block, message: &mut Message) {
    let tail = line.behind(last);
    match line.kind() {
        "GTFRI" => {
            let power = first.at.checked_sub(POWER).filter(|at| *at > 3);
            let power = power.and_then(|at| whole(line.field(at), POWER_MAX));
            if let Some(millivolts) = power.filter(|power| *power > 10.0) {
                let volts = rounded(millivolts / 1000.0, 1e4);
                message.set("external.powersource.voltage", &volts);
            }
            of_report(tail, message);
        }
        "GTIGN" | "GTIGF" | "GTVGN" | "GTVGF" => mileage(tail, message),
        _ => {}
    }
}

/// Mileage, hours, analog inputs, …, the battery's level, the device's status; or the level alone.
fn of_report(tail: &[&str], message: &mut Message) {
    if let [level] = tail {
        if let Some(level) = whole(level, 100.0) {
            message.set("battery.level", &rounded(level, 1.0));
        }
        return;
    }
    let pairs = tail.windows(2).skip(LEVEL_MIN);
    let found = pairs.filter_map(|pair| match pair {
        [level, status] => whole(level, 100.0).zip(ignition(status)),
        _ => None,
    });
    let Some((level, ignition)) = found.into_iter().next() else {
        return;
    };
    mileage(tail, message);
    message.set("battery.level", &rounded(level, 1.0));
    if let Some(on) = ignition {
        message.set("engine.ignition.status", on);
    }
}

fn mileage(tail: &[&str], message: &mut Message) {
    let text = tail.first().copied().unwrap_or_default();
    let has_tenth = text
        .split_once('.')
        .is_some_and(|(_, tenth)| tenth.len() == 1);
    if let Some(kilometres) = number(text).filter(|km| has_tenth && *km >= 0.0) {
        message.set("vehicle.mileage", &rounded(kilometres, 10.0));
    }
}

/// Six hex digits; what the first of them says of the ignition.
fn ignition(status: &str) -> Option<Option<bool>> {
    let is_status = status.len() == 6 && status.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ignition = match status.as_bytes() {
        [b'1', ..] => Some(false),
        [b'2', ..] => Some(true),
        _ => None,
    };
    is_status.then_some(ignition)
}

/// Digits alone, up to this.
fn whole(text: &str, most: f64) -> Option<f64> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    number(text).filter(|number| is_whole && *number <= most)
}

/// Fields from the voltage to the first position: the report's number, how many positions.
const POWER: usize = 3;

/// In mV.
const POWER_MAX: f64 = 99_999.0;

/// Fields that stand before the battery's level at least.
const LEVEL_MIN: usize = 4;
