//! Random messages after the specification, with what they mean, by a second and simpler writer
//! than the one under test.

use crate::support::hex::hex;
use crate::support::hex::unhex;
use crate::support::random::Random;
use crate::support::random::pick;
use std::time::Duration;
use weir::clock::Date;
use weir::message::Value;

/// A terminal: its number, and whether it speaks the form of 2019.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    pub(crate) phone: &'static str,
    pub(crate) is_new: bool,
}

/// A location and what it means.
pub(crate) struct Made {
    pub(crate) body: Vec<u8>,
    /// Without the ident, sorted by name.
    pub(crate) expected: Vec<(String, Value)>,
}

impl Terminal {
    /// A message of this terminal.
    pub(crate) fn says(self, id: u16, serial: u16, body: &[u8]) -> Vec<u8> {
        self.framed(id, serial, body.len() as u16, body)
    }

    /// An answer to it: `serial` is the other side's.
    pub(crate) fn is_told(self, id: u16, serial: u16, body: &[u8]) -> Vec<u8> {
        self.says(id, serial, body)
    }

    /// The answer to a message of this id and serial.
    pub(crate) fn ack(self, own: u16, serial: u16, id: u16, result: u8) -> Vec<u8> {
        let mut body = Vec::new();
        put(&mut body, serial.into(), 2);
        put(&mut body, id.into(), 2);
        body.push(result);
        self.is_told(0x8001, own, &body)
    }

    /// With any attributes but that of 2019.
    pub(crate) fn framed(self, id: u16, serial: u16, attributes: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, id.into(), 2);
        let width = if self.is_new {
            put(&mut bytes, u64::from(attributes | 0x4000), 2);
            bytes.push(1);
            20
        } else {
            put(&mut bytes, attributes.into(), 2);
            12
        };
        bytes.extend(unhex(&format!("{:0>width$}", self.phone)));
        put(&mut bytes, serial.into(), 2);
        bytes.extend_from_slice(rest);
        sealed(&bytes)
    }
}

/// Escaped, with its checksum, between marks.
pub(crate) fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.push(bytes.iter().fold(0, |sum, byte| sum ^ byte));
    let text = hex(&out);
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        b"7d" => "7d01",
        b"7e" => "7d02",
        pair => str::from_utf8(pair).unwrap(),
    });
    unhex(&format!("7e{}7e", pairs.collect::<String>()))
}

/// The body of a message of several locations.
pub(crate) fn batch(locations: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, locations.len() as u64, 2);
    body.push(1);
    for location in locations {
        put(&mut body, location.len() as u64, 2);
        body.extend(location);
    }
    body
}

/// Any location, its time in a zone so many seconds ahead of UTC.
pub(crate) fn make(random: &mut Random, zone_s: i64) -> Made {
    let mut made = Made {
        body: Vec::new(),
        expected: Vec::new(),
    };
    let alarm: u32 = pick(random, &[0, 0, 1, 2, 0x8000_0001]);
    let status = random.word() & 0xFFF0 | random.below(16) as u32;
    put(&mut made.body, alarm.into(), 4);
    put(&mut made.body, status.into(), 4);
    let items = items(random);
    made.place(random, status, items.satellites);
    made.time(random, zone_s);
    made.expect("engine.ignition.status", status & 1 == 1);
    if alarm > 0 {
        made.expect("custom.param.alarm", u64::from(alarm));
    }
    if alarm & 1 == 1 {
        made.expect("alarm.status", true);
    }
    made.body.extend(items.bytes);
    made.expected.extend(items.expected);
    made.expected.sort_by(|a, b| a.0.cmp(&b.0));
    made
}

impl Made {
    fn expect(&mut self, name: &str, value: impl Into<Value>) {
        self.expected.push((name.to_owned(), value.into()));
    }

    fn place(&mut self, random: &mut Random, status: u32, satellites: Option<u8>) {
        let latitude = random.below(90_000_001) as u64;
        let longitude = random.below(180_000_001) as u64;
        let altitude = random.below(9_000) as i64 - 400;
        let (speed, direction) = (random.below(3_000) as u64, random.below(361) as u64);
        put(&mut self.body, latitude, 4);
        put(&mut self.body, longitude, 4);
        put(&mut self.body, altitude as u64, 2);
        put(&mut self.body, speed, 2);
        put(&mut self.body, direction, 2);
        let is_valid = status & 2 != 0 && satellites != Some(0);
        if is_valid {
            self.expect("position.latitude", degrees(latitude, status & 4 != 0));
            self.expect("position.longitude", degrees(longitude, status & 8 != 0));
            self.expect("position.altitude", altitude as f64);
            self.expect("position.speed", tenths(speed));
            self.expect("position.direction", direction as f64);
        }
        if let Some(satellites) = satellites {
            self.expect("position.satellites", u64::from(satellites));
        }
        self.expect("position.valid", is_valid);
    }

    fn time(&mut self, random: &mut Random, zone_s: i64) {
        let broken = [
            "000000000000",
            "251332000000",
            "2a0101000000",
            "250229000000",
        ];
        if random.below(8) == 0 {
            self.body.extend(unhex(pick(random, &broken)));
            return;
        }
        let time_s = 946_800_000 + random.below(3_155_000_000) as u64;
        let local = Duration::from_secs(time_s.checked_add_signed(zone_s).unwrap());
        let digits = Date(local).with_time();
        let digits = digits.replace(['-', 'T', ':'], "");
        self.body.extend(unhex(&digits[2..14]));
        self.expect("timestamp", time_s);
    }
}

/// Items of any kind, each once.
struct Items {
    bytes: Vec<u8>,
    expected: Vec<(String, Value)>,
    satellites: Option<u8>,
}

fn items(random: &mut Random) -> Items {
    let mut items = Items {
        bytes: Vec::new(),
        expected: Vec::new(),
        satellites: None,
    };
    for id in [
        0x01, 0x02, 0x03, 0x25, 0x2A, 0x2B, 0x30, 0x31, 0xE1, 0x04, 0xFF,
    ] {
        let number = random.next();
        match (id, random.below(10)) {
            (_, 0..5) => {}
            (0x31, count) => {
                let count = if count == 5 { 0 } else { number as u8 };
                items.satellites = Some(count);
                items.add(id, count.into(), 1);
            }
            // nothing, and another length than it should have
            (id, 5) => items.add(id, 0, 0),
            (id, 6) => items.unknown(id, number, 7),
            (id, _) => items.known(id, number),
        }
    }
    items
}

impl Items {
    fn add(&mut self, id: u8, number: u64, len: usize) {
        self.bytes.extend([id, len as u8]);
        put(&mut self.bytes, number, len);
    }

    fn expect(&mut self, name: &str, value: impl Into<Value>) {
        self.expected.push((name.to_owned(), value.into()));
    }

    fn unknown(&mut self, id: u8, number: u64, len: usize) {
        self.add(id, number, len);
        let bytes = hex(&number.to_be_bytes()[8 - len..]);
        self.expect(&format!("custom.param.{id}"), bytes.as_str());
    }

    fn known(&mut self, id: u8, number: u64) {
        let [low, high] = [number & 0xFFFF, number >> 16 & 0xFFFF];
        match id {
            0x01 => {
                self.add(id, number, 4);
                self.expect("vehicle.mileage", tenths(number & 0xFFFF_FFFF));
            }
            0x02 => {
                self.add(id, number, 2);
                self.expect("fuel.volume", tenths(low));
            }
            0x03 => {
                self.add(id, number, 2);
                self.expect("can.vehicle.speed", tenths(low));
            }
            0x25 => {
                self.add(id, number, 4);
                self.expect("custom.param.37", number & 0xFFFF_FFFF);
            }
            0x2A => {
                self.add(id, number, 2);
                self.expect("custom.param.42", low);
            }
            0x2B => {
                self.add(id, number, 4);
                self.expect("ain.1", low);
                self.expect("ain.2", high);
            }
            0x30 => {
                let levels = [(0, 0), (1, 3), (16, 52), (30, 97), (31, 100)];
                let (bars, percent) = levels[number as usize % levels.len()];
                self.add(id, bars, 1);
                self.expect("gsm.signal.level", Value::U64(percent));
            }
            id => self.unknown(id, number, 3),
        }
    }
}

fn tenths(number: u64) -> Value {
    let text = format!("{}.{}", number / 10, number % 10);
    Value::F64(text.parse().unwrap())
}

fn degrees(millionths: u64, is_negative: bool) -> Value {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    let degrees: f64 = text.parse().unwrap();
    Value::F64(if is_negative { -degrees } else { degrees })
}

/// Appends the last `len` bytes of `number`.
pub(crate) fn put(out: &mut Vec<u8>, number: u64, len: usize) {
    out.extend_from_slice(&number.to_be_bytes()[8 - len..]);
}
