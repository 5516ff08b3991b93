//! What answers of OBD-II mean.

use crate::channel::scale::Scale;
use crate::message::Value;
use std::fmt::Write as _;

/// A reading of service 01.
struct Row {
    pid: u8,
    bytes: u8,
    scale: Scale,
    name: &'static str,
}

/// The name and the value of a reading; none where it has none here, or too little data.
pub(super) fn reading(pid: u8, data: &[u8]) -> Option<(&'static str, Value)> {
    let row = ROWS.iter().find(|row| row.pid == pid)?;
    let bytes = data.get(..row.bytes.into())?;
    let number = bytes
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Some((row.name, row.scale.apply(number.into())))
}

/// The readings that have a name.
pub(super) fn pids() -> impl Iterator<Item = u8> {
    ROWS.iter().map(|row| row.pid)
}

/// The text of what service 09 says: what cannot be read of it fills it up.
pub(super) fn text(data: &[u8]) -> Option<Value> {
    let printable = data.iter().copied().filter(u8::is_ascii_graphic);
    let text: String = printable.map(char::from).collect();
    (!text.is_empty()).then(|| Value::Text(text.into()))
}

/// Trouble codes as people write them: `["P0301"]`.
pub(super) fn codes(codes: &[u16]) -> Value {
    let mut text = String::from("[");
    for code in codes {
        let comma = if text.len() > 1 { "," } else { "" };
        let system = match code >> 14 {
            0 => 'P',
            1 => 'C',
            2 => 'B',
            _ => 'U',
        };
        let number = code & 0x3FFF;
        // Writing to a `String` does not fail.
        write!(text, "{comma}\"{system}{number:04X}\"").ok();
    }
    text.push(']');
    Value::Json(text.into())
}

/// `numerator` a step and `added`, over `divisor`.
const fn row(
    pid: u8,
    bytes: u8,
    (numerator, added, divisor): (i64, i64, u64),
    name: &'static str,
) -> Row {
    Row {
        pid,
        bytes,
        scale: Scale::Decimal {
            numerator,
            added,
            divisor,
        },
        name,
    }
}

#[rustfmt::skip]
static ROWS: &[Row] = &[
    row(0x04, 1, (100, 0, 255), "can.engine.load.level"),
    row(0x05, 1, (1, -40, 1), "can.engine.coolant.temperature"),
    row(0x0C, 2, (1, 0, 4), "can.engine.rpm"),
    row(0x0D, 1, (1, 0, 1), "can.vehicle.speed"),
    row(0x0F, 1, (1, -40, 1), "can.intake.air.temperature"),
    row(0x10, 2, (1, 0, 100), "can.intake.air.flow"),
    row(0x11, 1, (100, 0, 255), "can.throttle.level"),
    row(0x1F, 2, (1, 0, 1), "can.engine.run.time"),
    row(0x21, 2, (1, 0, 1), "can.mil.mileage"),
    row(0x2F, 1, (100, 0, 255), "can.fuel.level"),
    row(0x31, 2, (1, 0, 1), "can.dtc.cleared.mileage"),
    row(0x33, 1, (1, 0, 1), "can.barometric.pressure"),
    row(0x42, 2, (1, 0, 1000), "can.module.voltage"),
    row(0x46, 1, (1, -40, 1), "can.ambient.air.temperature"),
    row(0x51, 1, (1, 0, 1), "can.fuel.type.enum"),
    row(0x5C, 1, (1, -40, 1), "can.engine.oil.temperature"),
    row(0x5E, 2, (1, 0, 20), "can.engine.fuel.rate"),
    row(0xA6, 4, (1, 0, 10), "can.vehicle.mileage"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_have_their_units() {
        for (pid, data, name, value) in [
            (
                0x05,
                &[0x7B][..],
                "can.engine.coolant.temperature",
                Value::U64(83),
            ),
            (0x0C, &[0x15, 0x7C], "can.engine.rpm", Value::F64(1375.0)),
            (0x42, &[0x36, 0xB0], "can.module.voltage", Value::F64(14.0)),
            (
                0xA6,
                &[0, 1, 0, 1],
                "can.vehicle.mileage",
                Value::F64(6553.7),
            ),
        ] {
            assert_eq!(reading(pid, data), Some((name, value)));
        }
        assert_eq!(reading(0x0C, &[1]), None);
        assert_eq!(reading(0x01, &[1, 2, 3, 4]), None);
    }

    #[test]
    fn codes_and_texts_are_as_people_write_them() {
        let four = [0x0301, 0x4123, 0x9ABC, 0xC123];
        let expected = Value::Json("[\"P0301\",\"C0123\",\"B1ABC\",\"U0123\"]".into());
        assert_eq!(codes(&four), expected);
        assert_eq!(codes(&[]), Value::Json("[]".into()));
        assert_eq!(text(b"\0\0WVW\xff12"), Some(Value::from("WVW12")));
        assert_eq!(text(b"\0"), None);
    }
}
