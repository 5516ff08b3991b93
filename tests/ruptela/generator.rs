//! Random packets after the layout, with what they mean, by a second and simpler writer than the
//! reader under test.

use crate::support::random::Random;
use crate::support::random::pick;
use std::collections::BTreeMap;
use weir::message::Message;
use weir::message::Value;

/// Who sends, where a test does not care.
pub(crate) const IMEI: u64 = 990_000_123_456_784;

/// A record as a device has it in mind; all bits set where it knows nothing.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) time_s: u32,
    pub(crate) extension: u8,
    pub(crate) longitude_e7: i32,
    pub(crate) latitude_e7: i32,
    pub(crate) altitude_dm: i16,
    pub(crate) direction_e2: u16,
    pub(crate) satellites: u8,
    pub(crate) speed_km_h: u16,
    pub(crate) hdop_e1: u8,
    pub(crate) event: u16,
    /// Id, number, width.
    pub(crate) elements: Vec<(u16, u64, usize)>,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            time_s: 1_700_000_000,
            extension: 0,
            longitude_e7: 252_562_916,
            latitude_e7: -546_676_016,
            altitude_dm: -12,
            direction_e2: 27_150,
            satellites: 9,
            speed_km_h: 63,
            hdop_e1: 9,
            event: 7,
            elements: Vec::new(),
        }
    }
}

/// So many bytes.
pub(crate) fn bytes(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| (random.next() >> 32) as u8).collect()
}

/// One that a device could send, and many that none would; each id once, and none that is a part
/// of a text.
pub(crate) fn make(random: &mut Random, command: u8) -> Sent {
    let bits = random.next();
    let ids = if command == 1 { 0xFF } else { 0x1FF };
    let mut elements = BTreeMap::new();
    for _ in 0..random.below(12) {
        let id = random.next() as u16 & ids;
        if matches!(id, 104..=106 | 126 | 127 | 155 | 156) {
            continue;
        }
        let width = pick(random, &[1, 2, 4, 8]);
        let number = random.next() >> pick(random, &[0, 20, 63]);
        let ones = pick(random, &[0, 0, 0, 0, u64::MAX]);
        let mask = u64::MAX >> (64 - 8 * width);
        elements.insert(id, (id, (number | ones) & mask, width));
    }
    let mut elements: Vec<_> = elements.into_values().collect();
    elements.sort_by_key(|(_, _, width)| *width);
    let has_place = random.below(4) > 0;
    let place = |most: i64, bits: u64| match has_place {
        true => (bits as i64).rem_euclid(2 * most + 1).wrapping_sub(most) as i32,
        false => i32::MIN,
    };
    Sent {
        time_s: 1_700_000_000 + (bits as u32 >> 4),
        extension: 0,
        longitude_e7: place(1_800_000_000, random.next()),
        latitude_e7: place(900_000_000, random.next()),
        altitude_dm: pick(random, &[-4000, -1, 0, 88_48, i16::MAX, i16::MIN]),
        direction_e2: pick(random, &[0, 1, 35_999, u16::MAX]),
        satellites: pick(random, &[0, 1, 4, 11, 254, u8::MAX]),
        speed_km_h: pick(random, &[0, 1, 90, 400, u16::MAX]),
        hdop_e1: pick(random, &[0, 9, 254, u8::MAX]),
        event: random.next() as u16 & ids,
        elements,
    }
}

/// Appends the last `len` bytes of `number`.
fn put(out: &mut Vec<u8>, number: u64, len: usize) {
    out.extend_from_slice(&number.to_be_bytes()[8 - len..]);
}

/// The payload of a packet of records.
pub(crate) fn records(command: u8, records: &[Sent]) -> Vec<u8> {
    let id_len = if command == 1 { 1 } else { 2 };
    let mut out = vec![0, records.len() as u8];
    for record in records {
        put(&mut out, record.time_s.into(), 4);
        out.push(0);
        if command == 68 {
            out.push(record.extension);
        }
        out.push(1);
        put(&mut out, record.longitude_e7 as u64, 4);
        put(&mut out, record.latitude_e7 as u64, 4);
        put(&mut out, record.altitude_dm as u64, 2);
        put(&mut out, record.direction_e2.into(), 2);
        out.push(record.satellites);
        put(&mut out, record.speed_km_h.into(), 2);
        out.push(record.hdop_e1);
        put(&mut out, record.event.into(), id_len);
        for wanted in [1, 2, 4, 8] {
            let group = record.elements.iter();
            let group = group.filter(|(_, _, width)| *width == wanted);
            put(&mut out, group.clone().count() as u64, 1);
            for (id, number, width) in group {
                put(&mut out, u64::from(*id), id_len);
                put(&mut out, *number, *width);
            }
        }
    }
    out
}

/// The payload of a packet of trouble codes.
pub(crate) fn codes(codes: &[&[u8; 5]]) -> Vec<u8> {
    let mut out = vec![codes.len() as u8];
    for code in codes {
        out.push(1);
        put(&mut out, 1_700_000_000, 4);
        put(&mut out, 15_000_000, 4);
        put(&mut out, -5_000_000_i64 as u64, 4);
        out.push(3);
        out.extend_from_slice(*code);
    }
    out
}

/// The packet that carries `payload`.
pub(crate) fn packet(imei: u64, command: u8, payload: &[u8]) -> Vec<u8> {
    let mut content = imei.to_be_bytes().to_vec();
    content.push(command);
    content.extend_from_slice(payload);
    let mut out = Vec::new();
    put(&mut out, content.len() as u64, 2);
    out.extend_from_slice(&content);
    put(&mut out, crc(&content).into(), 2);
    out
}

/// CRC-16/KERMIT, bit by bit.
pub(crate) fn crc(data: &[u8]) -> u16 {
    data.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0x8408
            } else {
                sum >> 1
            }
        })
    })
}

/// Fails unless `message` says what `record` says.
pub(crate) fn check(message: &Message, imei: u64, record: &Sent) {
    let get = |name: &str| message.get(name).map(Value::from);
    let has_fix = record.longitude_e7 != i32::MIN && record.satellites > 0;
    let over = |number: i64, by: u32, is_there: bool| {
        is_there
            .then(|| number as f64 / f64::from(by))
            .map(Value::F64)
    };
    let known = |number: i64, none: i64| (number != none).then_some(Value::U64(number as u64));
    let expected = [
        ("ident", Some(Value::from(format!("{imei:015}").as_str()))),
        ("timestamp", Some(Value::U64(record.time_s.into()))),
        (
            "position.latitude",
            over(record.latitude_e7.into(), 10_000_000, has_fix),
        ),
        (
            "position.longitude",
            over(record.longitude_e7.into(), 10_000_000, has_fix),
        ),
        (
            "position.altitude",
            over(
                record.altitude_dm.into(),
                10,
                has_fix && record.altitude_dm != i16::MIN,
            ),
        ),
        ("position.speed", known(record.speed_km_h.into(), 0xFFFF)),
        (
            "position.direction",
            over(
                record.direction_e2.into(),
                100,
                record.direction_e2 != 0xFFFF,
            ),
        ),
        (
            "position.hdop",
            over(record.hdop_e1.into(), 10, record.hdop_e1 != 0xFF),
        ),
        ("position.satellites", known(record.satellites.into(), 0xFF)),
        ("position.valid", Some(Value::Bool(has_fix))),
        ("event.enum", Some(Value::U64(record.event.into()))),
    ];
    for (name, expected) in expected {
        assert_eq!(get(name), expected, "`{name}` of {record:?}");
    }
    let mut seen = Vec::new();
    for (id, number, width) in &record.elements {
        let (name, value) = match named(*id, *number, *width) {
            Named::Nothing => continue,
            Named::As(name, value) if !seen.contains(&name) => (name, value),
            // what comes second under a name keeps its number
            Named::As(..) | Named::Not => (format!("custom.param.{id}"), Value::U64(*number)),
        };
        assert_eq!(get(&name), Some(value), "{id} of {record:?}");
        seen.push(name);
    }
    let others = message.fields().filter(|(name, _)| {
        let is_element = !name.starts_with("position.");
        is_element && !["ident", "timestamp", "event.enum"].contains(name)
    });
    assert_eq!(others.count(), seen.len(), "{message:?} of {record:?}");
}

/// What the documentation says of an element.
enum Named {
    As(String, Value),
    /// Left out.
    Nothing,
    Not,
}

/// After the table of `docs/ruptela.md`, by division where the code under test has fractions.
fn named(id: u16, number: u64, width: usize) -> Named {
    let is_all_ones = number == u64::MAX >> (64 - 8 * width);
    let signed = (number << (64 - 8 * width)).cast_signed() >> (64 - 8 * width);
    let divided_of = |times: u128, by: f64| Value::F64((u128::from(number) * times) as f64 / by);
    let divided = |by: f64| divided_of(1, by);
    let switch = Value::Bool(number != 0);
    let digits = 2 * width;
    let (name, value) = match id {
        163 | 165 | 166 | 197 | 207 | 208 if is_all_ones => return Named::Nothing,
        2..=5 => return Named::As(format!("din.{}", id - 1), switch),
        13 | 173 => ("movement.status", switch),
        20 => ("ain.3", divided(1000.0)),
        21 => ("ain.4", divided(1000.0)),
        22 => ("ain.1", divided(1000.0)),
        23 => ("ain.2", divided(1000.0)),
        29 => ("external.powersource.voltage", divided(1000.0)),
        30 => ("battery.voltage", divided(1000.0)),
        34 if number > 0 => (
            "driver.code",
            Value::from(format!("{number:0digits$x}").as_str()),
        ),
        65 => ("vehicle.mileage", divided(1000.0)),
        78..=80 => {
            let name = format!("sensor.temperature.{}", id - 77);
            return Named::As(name, Value::F64(signed as f64 / 10.0));
        }
        88 => ("gsm.jamming.alarm.status", switch),
        94 => ("can.engine.rpm", divided(4.0)),
        95 => ("can.vehicle.speed", Value::U64(number)),
        98 => ("can.fuel.level", divided_of(100, 255.0)),
        100 => ("can.engine.fuel.rate", divided(20.0)),
        134 if number == 1 => ("harsh.braking.event", switch),
        136 if number == 1 => ("harsh.acceleration.event", switch),
        150 if number > 0 => (
            "gsm.operator.code",
            Value::from(number.to_string().as_str()),
        ),
        163 => ("can.vehicle.mileage", divided(200.0)),
        165 => ("can.vehicle.speed", divided(256.0)),
        166 | 197 => ("can.engine.rpm", divided(8.0)),
        207 => ("can.fuel.level", divided_of(2, 5.0)),
        208 => ("can.fuel.consumed", divided(2.0)),
        251 | 409 => ("engine.ignition.status", switch),
        410 if number == 1 => ("towing.event", switch),
        411 if number == 1 => ("crash.event", switch),
        _ => return Named::Not,
    };
    Named::As(name.to_owned(), value)
}
