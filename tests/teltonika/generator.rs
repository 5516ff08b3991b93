//! Random packets after the specification, with what they mean, by a second and simpler writer
//! than the one under test.

use crate::support::hex::hex;
use crate::support::random::{Random, pick};
use std::collections::BTreeMap;
use weir::message::{Message, Value};
use weir::wire::teltonika::{Codec, Element, ElementValue, Packet, Record};

/// A random packet and its data, from the codec to the second count.
pub(crate) struct Made {
    /// What the codec should find; elements are leaked bytes, it is only a test.
    pub(crate) packet: Packet<'static>,
    /// As the specification writes it.
    pub(crate) data: Vec<u8>,
}

/// So many bytes.
pub(crate) fn bytes(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| (random.next() >> 32) as u8).collect()
}

/// One that any device could send, and many that none would.
pub(crate) fn make(random: &mut Random) -> Made {
    let codec = pick(
        random,
        &[Codec::Eight, Codec::EightExtended, Codec::Sixteen],
    );
    let count = pick(random, &[1, 1, 2, 3, 10]);
    let packet = Packet {
        codec,
        records: (0..count).map(|_| record(codec, random)).collect(),
    };
    let data = write(&packet);
    Made { packet, data }
}

fn record(codec: Codec, random: &mut Random) -> Record<'static> {
    let bits = random.next();
    let mut elements = BTreeMap::new();
    for _ in 0..random.below(12) {
        let element = element(codec, random);
        elements.insert(element.id, element);
    }
    let mut elements: Vec<_> = elements.into_values().collect();
    elements.sort_by_key(|element| width(element.value));
    Record {
        time_ms: 1_700_000_000_000 + (random.next() >> 28),
        priority: pick(random, &[0, 1, 2]),
        longitude_e7: e7(1_800_000_000, random),
        latitude_e7: e7(900_000_000, random),
        altitude_m: pick(random, &[-400, -1, 0, 8848, i16::MIN, i16::MAX]),
        direction_deg: random.below(360) as u16,
        satellites: pick(random, &[0, 1, 4, 11, 255]),
        speed_km_h: random.below(400) as u16,
        event: bits as u16 & if codec == Codec::Eight { 0xFF } else { 0xFFFF },
        generation: (codec == Codec::Sixteen).then_some((bits >> 32) as u8 & 7),
        elements,
    }
}

/// Both ends of the range are in it.
fn e7(most: i32, random: &mut Random) -> i32 {
    let most = i64::from(most);
    (random.next() as i64)
        .rem_euclid(2 * most + 1)
        .wrapping_sub(most) as i32
}

fn element(codec: Codec, random: &mut Random) -> Element<'static> {
    let bits = random.next();
    let id = match codec {
        Codec::Eight => bits as u8 as u16,
        _ => pick(random, &[bits as u16, bits as u16 & 0x1FF]),
    };
    let number = random.next() >> pick(random, &[0, 20, 63]);
    let value = match (random.below(5), codec) {
        (0, _) => ElementValue::U8(number as u8),
        (1, _) => ElementValue::U16(number as u16),
        (2, _) => ElementValue::U32(number as u32),
        (4, Codec::EightExtended) => {
            let len = pick(random, &[0, 1, 17, 60]);
            ElementValue::Bytes(bytes(random, len).leak())
        }
        _ => ElementValue::U64(number),
    };
    Element { id, value }
}

/// Bytes of a value: 1, 2, 4, 8; 9 where they are free.
fn width(value: ElementValue<'_>) -> usize {
    match value {
        ElementValue::U8(_) => 1,
        ElementValue::U16(_) => 2,
        ElementValue::U32(_) => 4,
        ElementValue::U64(_) => 8,
        ElementValue::Bytes(_) => 9,
    }
}

/// Appends the last `len` bytes of `number`.
fn put(out: &mut Vec<u8>, number: u64, len: usize) {
    out.extend_from_slice(&number.to_be_bytes()[8 - len..]);
}

fn write(packet: &Packet<'_>) -> Vec<u8> {
    let (codec, id_len, count_len) = match packet.codec {
        Codec::Eight => (0x08, 1, 1),
        Codec::EightExtended => (0x8E, 2, 2),
        Codec::Sixteen => (0x10, 2, 1),
    };
    let count = packet.records.len() as u8;
    let mut out = vec![codec, count];
    for record in &packet.records {
        put(&mut out, record.time_ms, 8);
        put(&mut out, record.priority.into(), 1);
        put(&mut out, record.longitude_e7 as u64, 4);
        put(&mut out, record.latitude_e7 as u64, 4);
        put(&mut out, record.altitude_m as u64, 2);
        put(&mut out, record.direction_deg.into(), 2);
        put(&mut out, record.satellites.into(), 1);
        put(&mut out, record.speed_km_h.into(), 2);
        put(&mut out, record.event.into(), id_len);
        out.extend(record.generation);
        put(&mut out, record.elements.len() as u64, count_len);
        let widths: &[usize] = if codec == 0x8E {
            &[1, 2, 4, 8, 9]
        } else {
            &[1, 2, 4, 8]
        };
        for wanted in widths {
            let group = record
                .elements
                .iter()
                .filter(|element| width(element.value) == *wanted);
            put(&mut out, group.clone().count() as u64, count_len);
            for element in group {
                put(&mut out, element.id.into(), id_len);
                match element.value {
                    ElementValue::Bytes(bytes) => {
                        put(&mut out, bytes.len() as u64, 2);
                        out.extend_from_slice(bytes);
                    }
                    number => put(&mut out, number.unsigned().unwrap(), *wanted),
                }
            }
        }
    }
    out.push(count);
    out
}

/// The packet that carries `data` over TCP.
pub(crate) fn tcp(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4];
    put(&mut out, data.len() as u64, 4);
    out.extend_from_slice(data);
    put(&mut out, crc(data).into(), 4);
    out
}

/// The packet that carries `data` over UDP.
pub(crate) fn udp(packet_id: u16, avl_packet_id: u8, ident: &str, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(
        &mut out,
        (2 + 1 + 1 + 2 + ident.len() + data.len()) as u64,
        2,
    );
    put(&mut out, packet_id.into(), 2);
    out.extend_from_slice(&[1, avl_packet_id]);
    put(&mut out, ident.len() as u64, 2);
    out.extend_from_slice(ident.as_bytes());
    out.extend_from_slice(data);
    out
}

/// CRC-16/ARC, bit by bit.
pub(crate) fn crc(data: &[u8]) -> u16 {
    data.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xA001
            } else {
                sum >> 1
            }
        })
    })
}

/// Fails unless `message` says what `record` says.
pub(crate) fn check(message: &Message, ident: &str, record: &Record<'_>) {
    let get = |name: &str| message.get(name).cloned();
    let has_fix = record.satellites > 0;
    let degrees = |e7: i32| has_fix.then(|| Value::F64(f64::from(e7) / 1e7));
    assert_eq!(message.ident(), ident);
    assert_eq!(millis(message), record.time_ms);
    assert_eq!(get("position.latitude"), degrees(record.latitude_e7));
    assert_eq!(get("position.longitude"), degrees(record.longitude_e7));
    let altitude = has_fix.then(|| Value::from(i64::from(record.altitude_m)));
    assert_eq!(get("position.altitude"), altitude);
    assert_eq!(
        get("position.direction"),
        Some(Value::U64(record.direction_deg.into()))
    );
    assert_eq!(
        get("position.speed"),
        Some(Value::U64(record.speed_km_h.into()))
    );
    assert_eq!(
        get("position.satellites"),
        Some(Value::U64(record.satellites.into()))
    );
    assert_eq!(get("position.valid"), Some(Value::Bool(has_fix)));
    assert_eq!(
        get("event.priority.enum"),
        Some(Value::U64(record.priority.into()))
    );
    for element in &record.elements {
        let (name, value) = expected(element.id, element.value);
        assert_eq!(get(&name), Some(value), "`{name}` of {element:?}");
    }
}

/// The `timestamp` in milliseconds.
pub(crate) fn millis(message: &Message) -> u64 {
    match message.get("timestamp") {
        Some(Value::U64(secs)) => secs * 1000,
        Some(Value::F64(secs)) => (secs * 1000.0).round() as u64,
        other => panic!("timestamp {other:?}"),
    }
}

/// The parameter that an element becomes, by text where the code under test calculates.
pub(crate) fn expected(id: u16, value: ElementValue<'_>) -> (String, Value) {
    let custom = format!("custom.param.{id}");
    let number = match value {
        ElementValue::Bytes(bytes) => return expected_text(custom, id, bytes),
        number => number.unsigned().unwrap(),
    };
    let is_byte = matches!(value, ElementValue::U8(_));
    let decimal = |text: String, divisor: f64| match number {
        // More digits than a double has: rounded twice.
        0x20_0000_0000_0000.. => number as f64 / divisor,
        _ => text.parse().unwrap(),
    };
    let thousandth = decimal(format!("{}.{:03}", number / 1000, number % 1000), 1000.0);
    let tenth = decimal(format!("{}.{}", number / 10, number % 10), 10.0);
    let (name, value) = match id {
        1..=4 => (format!("din.{id}"), Value::Bool(number > 0)),
        6 if !is_byte => ("ain.2".into(), Value::F64(thousandth)),
        9 if !is_byte => ("ain.1".into(), Value::F64(thousandth)),
        10 if !is_byte => ("ain.3".into(), Value::F64(thousandth)),
        16 => ("vehicle.mileage".into(), Value::F64(thousandth)),
        21 if number <= 5 => ("gsm.signal.level".into(), Value::U64(number * 20)),
        66 if !is_byte => (
            "external.powersource.voltage".into(),
            Value::F64(thousandth),
        ),
        67 if !is_byte => ("battery.voltage".into(), Value::F64(thousandth)),
        68 => ("battery.current".into(), Value::F64(thousandth)),
        69 => ("gnss.state.enum".into(), Value::U64(number)),
        78 if number > 0 => (
            "driver.code".into(),
            format!("{number:016x}").as_str().into(),
        ),
        113 => ("battery.level".into(), Value::U64(number)),
        179 | 180 => (format!("dout.{}", id - 178), Value::Bool(number > 0)),
        181 => ("position.pdop".into(), Value::F64(tenth)),
        182 => ("position.hdop".into(), Value::F64(tenth)),
        200 => ("sleep.mode.enum".into(), Value::U64(number)),
        205 => ("gsm.cellid".into(), Value::U64(number)),
        206 => ("gsm.lac".into(), Value::U64(number)),
        239 => ("engine.ignition.status".into(), Value::Bool(number > 0)),
        240 => ("movement.status".into(), Value::Bool(number > 0)),
        241 if number > 0 => (
            "gsm.operator.code".into(),
            number.to_string().as_str().into(),
        ),
        _ => (custom, Value::U64(number)),
    };
    (name, value)
}

/// Bytes that a VIN could be are text, all others are hex.
fn expected_text(custom: String, id: u16, bytes: &[u8]) -> (String, Value) {
    let len = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let is_text = len > 0 && bytes[..len].iter().all(|byte| (0x20..0x7F).contains(byte));
    match str::from_utf8(&bytes[..len]) {
        Ok(vin) if id == 256 && is_text => ("vehicle.vin".into(), Value::from(vin)),
        _ => (custom, Value::from(hex(bytes).as_str())),
    }
}
