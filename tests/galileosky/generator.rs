//! Random packets after the layout, with what they mean, by a second and simpler writer than the
//! reader under test.

use crate::support::random::Random;
use crate::support::random::pick;
use std::collections::BTreeMap;
use weir::message::Message;
use weir::message::Value;

/// Who sends, where a test does not care.
pub(crate) const IDENT: &str = "990000123456784";

/// A tag with its value as bytes, with the length before it where it has one.
pub(crate) type Tag = (u8, Vec<u8>);

/// The tags of a record that is a whole report of its own, by their numbers.
pub(crate) type Tags = BTreeMap<u8, Vec<u8>>;

/// So many bytes.
pub(crate) fn bytes(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| (random.next() >> 32) as u8).collect()
}

/// Lengths of values, and the tags that have them: the table of the vendor.
pub(crate) const LENGTHS: &[(usize, &[(u8, u8)])] = &[
    (
        1,
        &[
            (0x01, 0x02),
            (0x35, 0x36),
            (0x43, 0x43),
            (0x49, 0x49),
            (0x88, 0x8C),
        ],
    ),
    (1, &[(0xA0, 0xAF), (0xC4, 0xD2), (0xD5, 0xD5)]),
    (
        2,
        &[
            (0x04, 0x04),
            (0x10, 0x10),
            (0x21, 0x21),
            (0x34, 0x34),
            (0x40, 0x42),
        ],
    ),
    (
        2,
        &[
            (0x45, 0x46),
            (0x48, 0x48),
            (0x50, 0x59),
            (0x60, 0x62),
            (0x70, 0x7D),
        ],
    ),
    (2, &[(0xB0, 0xB9), (0xD6, 0xDA)]),
    (3, &[(0x5D, 0x5D), (0x63, 0x6F), (0x80, 0x87), (0xFA, 0xFA)]),
    (
        4,
        &[
            (0x11, 0x11),
            (0x20, 0x20),
            (0x33, 0x33),
            (0x44, 0x44),
            (0x47, 0x47),
        ],
    ),
    (
        4,
        &[
            (0x5A, 0x5A),
            (0x90, 0x90),
            (0xC0, 0xC3),
            (0xD3, 0xD4),
            (0xDB, 0xDF),
        ],
    ),
    (4, &[(0xE0, 0xE0), (0xE2, 0xE9), (0xF0, 0xF9)]),
    (7, &[(0x5B, 0x5B)]),
    (8, &[(0xFD, 0xFD)]),
    (9, &[(0x30, 0x30)]),
    (15, &[(0x03, 0x03)]),
    (68, &[(0x5C, 0x5C)]),
];

/// Those of values whose length is that of their tag; none: no such tag is known.
pub(crate) fn len_of(tag: u8) -> Option<usize> {
    let row = LENGTHS.iter().find(|(_, ranges)| {
        let has = |(first, last): &(u8, u8)| (*first..=*last).contains(&tag);
        ranges.iter().any(has)
    });
    row.map(|(len, _)| *len)
}

/// A record that a device could send, and many that none would.
pub(crate) fn make(random: &mut Random) -> Tags {
    let mut tags = Tags::new();
    tags.insert(
        0x20,
        (1_700_000_000 + (random.word() >> 4)).to_le_bytes().into(),
    );
    if random.below(5) > 0 {
        tags.insert(0x30, place(random));
        tags.insert(0x33, bytes(random, 4));
        tags.insert(0x34, bytes(random, 2));
        tags.insert(0x35, bytes(random, 1));
    }
    for _ in 0..random.below(30) {
        let tag = random.next() as u8;
        let filling = pick(random, &[None, None, None, Some(0), Some(0xFF)]);
        let len = match tag {
            0x03 | 0x20 | 0x30 => continue,
            0xE1 | 0xEA => 1 + random.below(20),
            0xFE => {
                tags.insert(tag, extended(random));
                continue;
            }
            _ => match len_of(tag) {
                Some(len) => len,
                None => continue,
            },
        };
        let mut value = bytes(random, len);
        if let Some(byte) = filling {
            value.fill(byte);
        }
        if matches!(tag, 0xE1 | 0xEA) {
            value.iter_mut().for_each(|byte| *byte = b'A' + *byte % 26);
            value.insert(0, len as u8);
        }
        tags.insert(tag, value);
    }
    tags
}

fn place(random: &mut Random) -> Vec<u8> {
    let mut degrees = |most: i64| (random.next() as i64).rem_euclid(2 * most + 1) - most;
    let (latitude, longitude) = (degrees(90_000_000) as i32, degrees(180_000_000) as i32);
    let mut value = vec![pick(random, &[0x0B, 0x01, 0x20, 0x25, 0x10, 0x5F])];
    value.extend(latitude.to_le_bytes());
    value.extend(longitude.to_le_bytes());
    value
}

/// With nothing behind one that is not known.
fn extended(random: &mut Random) -> Vec<u8> {
    let mut list = Vec::new();
    let count = random.below(6);
    for id in (0x7F_u16..).take(count) {
        list.extend(id.to_le_bytes());
        list.extend(bytes(random, if id < 0x81 { 4 } else { 2 }));
    }
    list.extend(pick(random, &[&[][..], &[0x34, 0x12, 1, 2, 3], &[0x81]]));
    let mut value = (list.len() as u16).to_le_bytes().to_vec();
    value.extend(list);
    value
}

/// The packet that carries these tags.
pub(crate) fn packet(tags: &[Tag]) -> Vec<u8> {
    let all: Vec<u8> = tags
        .iter()
        .flat_map(|(tag, value)| [&[*tag][..], value].concat())
        .collect();
    let mut out = vec![0x01];
    out.extend((all.len() as u16 | 0x8000).to_le_bytes());
    out.extend(all);
    let crc = crc(&out);
    out.extend(crc.to_le_bytes());
    out
}

/// The packet by which a device says who it is.
pub(crate) fn head(ident: &str) -> Vec<u8> {
    packet(&[(0x01, vec![0x82]), (0x02, vec![0x10]), imei(ident)])
}

pub(crate) fn imei(ident: &str) -> Tag {
    (0x03, ident.as_bytes().to_vec())
}

/// What a device waits for.
pub(crate) fn answer(packet: &[u8]) -> Vec<u8> {
    [&[0x02], &packet[packet.len() - 2..]].concat()
}

/// CRC-16/MODBUS, bit by bit.
pub(crate) fn crc(data: &[u8]) -> u16 {
    data.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xA001
            } else {
                sum >> 1
            }
        })
    })
}

/// Fails unless `message` says what these tags say, and nothing else.
pub(crate) fn check(message: &Message, ident: &str, tags: &Tags) {
    let mut expected = BTreeMap::from([("ident".to_owned(), Value::from(ident))]);
    // as they come: of two that have one name the second keeps its number
    for (tag, value) in tags {
        for (name, value) in meaning(*tag, value, tags) {
            let is_taken = expected.contains_key(&name);
            let name = if is_taken {
                format!("custom.param.{tag}")
            } else {
                name
            };
            let value = match (is_taken, tag) {
                (true, 0xD3) => Value::U64(number(&tags[&0xD3])),
                _ => value,
            };
            expected.insert(name, value);
        }
    }
    let found: BTreeMap<_, _> = message
        .fields()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    assert_eq!(found, expected, "{tags:02x?}");
}

fn number(value: &[u8]) -> u64 {
    value
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// After the table of `docs/galileosky.md`.
fn meaning(tag: u8, value: &[u8], tags: &Tags) -> Vec<(String, Value)> {
    let number = number(value);
    let over = |by: f64| Value::F64(number as f64 / by);
    let all_ones = value.iter().all(|byte| *byte == 0xFF);
    let named: Vec<(&str, Value)> = match tag {
        0x20 => {
            let millis = tags.get(&0x21).map_or(0, |millis| self::number(millis));
            let micros = number * 1_000_000 + if millis < 1000 { millis * 1000 } else { 0 };
            let mut message = Message::new("x").unwrap();
            message.set_timestamp(micros);
            vec![("timestamp", Value::from(message.get("timestamp").unwrap()))]
        }
        0x30..=0x35 => position(tag, value, tags),
        0x41 => vec![("external.powersource.voltage", over(1000.0))],
        0x42 => vec![("battery.voltage", over(1000.0))],
        0x43 => vec![("device.temperature", signed(value[0]))],
        0x45 => vec![("dout", Value::U64(number))],
        0x46 => vec![("din", Value::U64(number))],
        0x90 | 0xD3 if number == 0 => vec![],
        0x90 | 0xD3 => vec![("driver.code", Value::from(format!("{number:08x}").as_str()))],
        0xC0 | 0xC2 if all_ones => vec![],
        0xC0 => vec![("can.fuel.consumed", over(2.0))],
        0xC1 => engine(value),
        0xC2 => vec![("can.vehicle.mileage", over(200.0))],
        0xD4 => vec![("vehicle.mileage", over(1000.0))],
        0xE1 => vec![("text", Value::from(str::from_utf8(&value[1..]).unwrap()))],
        0xFE => return phone(&value[2..]),
        _ => return numbered(tag, value),
    };
    let named = named.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn position(tag: u8, value: &[u8], tags: &Tags) -> Vec<(&'static str, Value)> {
    let tenths = |bytes: &[u8]| Value::F64(number(bytes) as f64 / 10.0);
    let source = tags.get(&0x30).map_or(0, |place| place[0] >> 4);
    let satellites = tags.get(&0x30).map_or(1, |place| place[0] & 15);
    let valid = source == 2 || (source == 0 && satellites > 0);
    let degrees = |bytes: &[u8]| {
        let degrees = i32::from_le_bytes(bytes.try_into().unwrap());
        Value::F64(f64::from(degrees) / 1e6)
    };
    match tag {
        0x30 => {
            let satellites = Value::U64((value[0] & 15).into());
            let mut all = vec![
                ("position.satellites", satellites),
                ("position.valid", Value::Bool(valid)),
            ];
            if valid {
                all.push(("position.latitude", degrees(&value[1..5])));
                all.push(("position.longitude", degrees(&value[5..])));
            }
            all
        }
        0x33 if valid => vec![
            ("position.speed", tenths(&value[..2])),
            ("position.direction", tenths(&value[2..])),
        ],
        0x34 if valid => {
            let altitude = i64::from(number(value) as i16);
            vec![("position.altitude", Value::from(altitude))]
        }
        0x35 if source == 2 => vec![("position.accuracy", Value::U64(number(value) * 10))],
        0x35 if valid => vec![("position.hdop", tenths(value))],
        _ => vec![],
    }
}

fn engine(value: &[u8]) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    if value[0] != 0xFF {
        let percent = f64::from(value[0]) * 2.0 / 5.0;
        all.push(("can.fuel.level", Value::F64(percent)));
    }
    if value[1] != 0xFF {
        let degrees = Value::from(i64::from(value[1]) - 40);
        all.push(("can.engine.coolant.temperature", degrees));
    }
    if value[2..] != [0xFF, 0xFF] {
        let rpm = number(&value[2..]) as f64 / 8.0;
        all.push(("can.engine.rpm", Value::F64(rpm)));
    }
    all
}

fn signed(byte: u8) -> Value {
    Value::from(i64::from(byte.cast_signed()))
}

/// Those whose names have numbers.
fn numbered(tag: u8, value: &[u8]) -> Vec<(String, Value)> {
    let number = number(value);
    match tag {
        0x50..=0x57 => vec![(
            format!("ain.{}", tag - 0x4F),
            Value::F64(number as f64 / 1000.0),
        )],
        0x60..=0x62 | 0xD6..=0xDB => vec![(format!("custom.param.{tag}"), Value::U64(number))],
        0x63..=0x6F => vec![
            (
                format!("lls.value.{}", tag - 0x5F),
                Value::U64(number & 0xFFFF),
            ),
            (format!("lls.temperature.{}", tag - 0x5F), signed(value[2])),
        ],
        0x70..=0x77 | 0x80..=0x87 if value[..2] == [127, 0x80] => vec![],
        0x70..=0x77 => vec![(
            format!("sensor.temperature.{}", tag - 0x6F),
            signed(value[1]),
        )],
        0x80..=0x87 => {
            let percent = Value::F64(f64::from(u32::from(value[2]) * 100) / 255.0);
            vec![
                (
                    format!("sensor.temperature.{}", tag - 0x7F),
                    signed(value[1]),
                ),
                (format!("sensor.humidity.{}", tag - 0x7F), percent),
            ]
        }
        _ => vec![],
    }
}

/// The cell of the extended tags that [`extended`] makes.
fn phone(list: &[u8]) -> Vec<(String, Value)> {
    let names = ["gsm.cellid", "gsm.lac", "gsm.mcc", "gsm.mnc"];
    let cells = list.get(12..).unwrap_or_default().chunks_exact(4);
    let cells = cells
        .zip(names)
        .filter(|(cell, _)| matches!(cell, [0x81..=0x84, 0, ..]));
    cells
        .map(|(cell, name)| (name.to_owned(), Value::U64(number(&cell[2..]))))
        .collect()
}
