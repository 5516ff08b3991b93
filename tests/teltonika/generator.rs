//! Random packets after the specification, with what they mean, by a second and simpler writer
//! than the one under test.

use crate::support::hex::hex;
use crate::support::random::Random;
use crate::support::random::pick;
use std::collections::BTreeMap;
use std::collections::HashSet;
use weir::message::Message;
use weir::message::Value;
use weir::message::ValueRef;
use weir::wire::teltonika::Codec;
use weir::wire::teltonika::Element;
use weir::wire::teltonika::ElementValue;
use weir::wire::teltonika::Packet;
use weir::wire::teltonika::Record;

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
    let get = |name: &str| message.get(name).map(Value::from);
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
    let mut seen = HashSet::new();
    for element in &record.elements {
        let (mut name, mut value) = expected(element.id, element.value);
        if !seen.insert(name.clone()) {
            name = format!("custom.param.{}", element.id);
            value = Value::U64(element.value.unsigned().unwrap());
        }
        assert_eq!(get(&name), Some(value), "`{name}` of {element:?}");
    }
}

/// The `timestamp` in milliseconds.
pub(crate) fn millis(message: &Message) -> u64 {
    match message.get("timestamp") {
        Some(ValueRef::U64(secs)) => secs * 1000,
        Some(ValueRef::F64(secs)) => (secs * 1000.0).round() as u64,
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
    let width = match value {
        ElementValue::U8(_) => 1,
        ElementValue::U16(_) => 2,
        ElementValue::U32(_) => 4,
        _ => 8,
    };
    let decimal = |text: String, divisor: f64| match number {
        // More digits than a double has: rounded twice.
        0x20_0000_0000_0000.. => number as f64 / divisor,
        _ => text.parse().unwrap(),
    };
    let thousandth = decimal(format!("{}.{:03}", number / 1000, number % 1000), 1000.0);
    let tenth = decimal(format!("{}.{}", number / 10, number % 10), 10.0);
    let signed = (number << (64 - 8 * width)).cast_signed() >> (64 - 8 * width);
    if let Some(name) = thousandths(id, width) {
        return (name.to_owned(), Value::F64(thousandth));
    }
    if let Some(name) = switch(id, width) {
        return (name, Value::Bool(number > 0));
    }
    match (id, width) {
        (21, _) if number <= 5 => ("gsm.signal.level".into(), Value::U64(number * 20)),
        (78 | 207, 8) if number > 0 => (
            if id == 78 {
                "ibutton.code"
            } else {
                "rfid.code"
            }
            .into(),
            format!("{number:016x}").as_str().into(),
        ),
        (181, _) => ("position.pdop".into(), Value::F64(tenth)),
        (182, _) => ("position.hdop".into(), Value::F64(tenth)),
        (241, _) | (11 | 14, 8) if number > 0 => (
            match id {
                11 => "gsm.sim.iccid.1".into(),
                14 => "gsm.sim.iccid.2".into(),
                _ => "gsm.operator.code".into(),
            },
            number.to_string().as_str().into(),
        ),
        (17..=19, 2) => {
            let axis = ["x", "y", "z"][usize::from(id) - 17];
            let (sign, size) = (if signed < 0 { "-" } else { "" }, signed.abs());
            let text = format!("{sign}{}.{:03}", size / 1000, size % 1000);
            (
                format!("{axis}.acceleration"),
                Value::F64(text.parse().unwrap()),
            )
        }
        (253, 1) if (1..=3).contains(&number) => {
            let which = ["acceleration", "braking", "cornering"][number as usize - 1];
            (format!("harsh.{which}.event"), Value::Bool(true))
        }
        _ => sensor(id, width, signed).unwrap_or_else(|| {
            let name = plain(id, width).map_or(custom, str::to_owned);
            let bytes = &number.to_be_bytes()[8 - width as usize..];
            let text = printable(bytes, if is_text(id) && width == 8 { 1 } else { 8 });
            let value = text.map_or(Value::U64(number), Value::from);
            (name, value)
        }),
    }
}

/// The name of what is sent in thousandths.
fn thousandths(id: u16, width: u32) -> Option<&'static str> {
    Some(match (id, width) {
        (9, 2) => "ain.1",
        (6 | 10, 2) => "ain.2",
        (11, 2) => "ain.3",
        (245, 2) => "ain.4",
        (16 | 216, 4) => "vehicle.mileage",
        (199, 4) => "segment.vehicle.mileage",
        (66, 2) | (800, 4) => "external.powersource.voltage",
        (67, 2) => "battery.voltage",
        (68, _) => "battery.current",
        _ => return None,
    })
}

/// The name of what is on or off.
fn switch(id: u16, width: u32) -> Option<String> {
    Some(match (id, width) {
        (1..=3, _) | (4, 1) => format!("din.{id}"),
        (179 | 180, _) => format!("dout.{}", id - 178),
        (236, 1) => "alarm.status".into(),
        (239, _) => "engine.ignition.status".into(),
        (240, _) => "movement.status".into(),
        (243, 1) => "idle.status".into(),
        (249, 1) => "gsm.jamming.alarm.status".into(),
        _ => return None,
    })
}

/// What sensors of temperature and fuel say, if it is no fault.
fn sensor(id: u16, width: u32, signed: i64) -> Option<(String, Value)> {
    let place = [201, 203, 210, 212, 214]
        .iter()
        .position(|level| id == *level || id == level + 1);
    match (id, width, place) {
        (72..=75, 2 | 4, _) if (-550..=1150).contains(&signed) && signed != 850 => {
            let text = format!("{}.{}", signed.abs() / 10, signed.abs() % 10);
            let degrees: f64 = text.parse().unwrap();
            let name = format!("sensor.temperature.{}", id - 71);
            Some((name, Value::F64(degrees.copysign(signed as f64))))
        }
        (201 | 203 | 210 | 212 | 214, 2, Some(place)) if signed >= 0 => {
            Some((format!("lls.value.{}", place + 1), Value::from(signed)))
        }
        (202 | 204 | 211 | 213 | 215, 1, Some(place)) => Some((
            format!("lls.temperature.{}", place + 1),
            Value::from(signed),
        )),
        _ => None,
    }
}

/// The name of what is a number as it was sent.
fn plain(id: u16, width: u32) -> Option<&'static str> {
    Some(match (id, width) {
        (24, 2) => "gnss.speed",
        (636, 4) => "lte.cellid",
        (69, 1) => "gnss.state.enum",
        (113, 1) => "battery.level",
        (200, _) => "sleep.mode.enum",
        (205, _) => "gsm.cellid",
        (206, _) => "gsm.lac",
        (247, 1) => "crash.event.enum",
        (250, 1) => "trip.state.enum",
        (255, 1) => "overspeeding.speed",
        _ => return None,
    })
}

/// Bytes that can only be text are text, all others are hex.
fn expected_text(custom: String, id: u16, bytes: &[u8]) -> (String, Value) {
    match printable(bytes, if is_text(id) || id == 256 { 1 } else { 8 }) {
        Some(vin) if id == 256 => ("vehicle.vin".into(), vin.into()),
        Some(text) => (custom, text.into()),
        None => (custom, Value::from(hex(bytes).as_str())),
    }
}

fn is_text(id: u16) -> bool {
    [105, 106, 107, 195, 196, 233, 234, 235, 281, 325].contains(&id)
}

/// What stands before the zeros at the end, if it is ASCII of at least so many bytes.
fn printable(bytes: &[u8], least: usize) -> Option<&str> {
    let len = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let is_text = bytes[..len].iter().all(|byte| (0x20..0x7F).contains(byte));
    let text = str::from_utf8(&bytes[..len]).ok();
    text.filter(|_| is_text && len >= least)
}
