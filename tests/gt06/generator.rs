//! Random packets after the document, with what they mean, by a second and simpler writer than the
//! one under test.

use crate::support::random::Random;
use crate::support::random::pick;
use std::time::Duration;
use weir::clock::Date;
use weir::message::Value;

/// A packet of a device that has logged in.
pub(crate) struct Made {
    pub(crate) kind: u8,
    pub(crate) content: Vec<u8>,
    /// Without the ident, in their order.
    pub(crate) expected: Vec<(&'static str, Value)>,
}

/// The whole packet with this content.
pub(crate) fn packet(kind: u8, content: &[u8], serial: u16) -> Vec<u8> {
    let mut sealed = Vec::new();
    match content.len() + 5 {
        length @ ..=255 => sealed.push(length as u8),
        length => put(&mut sealed, length as u64, 2),
    }
    sealed.push(kind);
    sealed.extend_from_slice(content);
    put(&mut sealed, serial.into(), 2);
    let mark = if content.len() + 5 > 255 { 0x79 } else { 0x78 };
    let crc = crc(&sealed);
    let mut out = vec![mark; 2];
    out.extend(sealed);
    put(&mut out, crc.into(), 2);
    out.extend(b"\r\n");
    out
}

/// The same with two bytes of length, as some kinds are always sent.
pub(crate) fn long_packet(kind: u8, content: &[u8], serial: u16) -> Vec<u8> {
    let mut out = vec![0x79; 2];
    put(&mut out, content.len() as u64 + 5, 2);
    out.push(kind);
    out.extend_from_slice(content);
    put(&mut out, serial.into(), 2);
    let crc = crc(&out[2..]);
    put(&mut out, crc.into(), 2);
    out.extend(b"\r\n");
    out
}

/// A login; `zone`: hours and minutes as four digits, and whether they are west.
pub(crate) fn login(imei: &str, zone: Option<(u16, bool)>, serial: u16) -> Vec<u8> {
    let mut content = crate::support::hex::unhex(&format!("0{imei}"));
    if let Some((clock, is_west)) = zone {
        let field = clock << 4 | u16::from(is_west) << 3 | 1;
        content.extend([0x22, 0x27]);
        put(&mut content, field.into(), 2);
    }
    packet(0x01, &content, serial)
}

/// What a packet of this kind is answered.
pub(crate) fn answer(kind: u8, serial: u16) -> Vec<u8> {
    packet(kind, &[], serial)
}

/// Any packet whose content is a message; `zone_s` is the zone of the device's login.
pub(crate) fn make(random: &mut Random, zone_s: i64) -> Made {
    let kinds = [
        0x12, 0x22, 0x2D, 0xA0, 0x16, 0x26, 0x27, 0xA4, 0x13, 0x23, 0x28,
    ];
    let kind = pick(random, &kinds);
    let mut made = Made {
        kind,
        content: Vec::new(),
        expected: Vec::new(),
    };
    match kind {
        0x13 | 0x23 => made.heartbeat(random),
        0x28 => made.cells(random),
        0x16 | 0x26 | 0x27 | 0xA4 => made.alarm(random, zone_s),
        _ => made.location(random, zone_s),
    }
    made
}

impl Made {
    fn expect(&mut self, name: &'static str, value: impl Into<Value>) {
        self.expected.push((name, value.into()));
    }

    fn date(&mut self, random: &mut Random, zone_s: i64) {
        if random.below(8) == 0 {
            // before its first fix a device does not know the date
            self.content.extend([0; 6]);
            return;
        }
        let time_s = 946_800_000 + random.below(3_155_000_000) as u64;
        let local = time_s.checked_add_signed(zone_s).unwrap();
        self.content.extend(parts(local));
        self.expect("timestamp", time_s);
    }

    fn gps(&mut self, random: &mut Random, zone_s: i64) {
        let zone_s = if matches!(self.kind, 0x12 | 0x16) {
            zone_s
        } else {
            0
        };
        self.date(random, zone_s);
        let satellites = random.below(16) as u8;
        let [latitude, longitude] = [162_000_000, 324_000_000].map(|most| random.below(most + 1));
        let speed = random.below(256) as u8;
        let course = random.below(361) as u16;
        let [north, west, positioned] = [(); 3].map(|()| random.below(2) as u16);
        self.content.push(0xC0 | satellites);
        put(&mut self.content, latitude as u64, 4);
        put(&mut self.content, longitude as u64, 4);
        self.content.push(speed);
        let flags = course | north << 10 | west << 11 | positioned << 12;
        put(&mut self.content, flags.into(), 2);
        let is_valid = positioned == 1 && satellites > 0;
        if is_valid {
            self.expect("position.latitude", degrees(latitude, north == 0));
            self.expect("position.longitude", degrees(longitude, west == 1));
            self.expect("position.speed", f64::from(speed));
            self.expect("position.direction", f64::from(course));
        }
        self.expect("position.satellites", u64::from(satellites));
        self.expect("position.valid", is_valid);
    }

    /// Appends a cell and returns its length.
    fn cell(&mut self, random: &mut Random) -> usize {
        let start = self.content.len();
        let is_wide = matches!(self.kind, 0xA0 | 0xA4);
        let mcc = pick(random, &[0, 1, 262, 460, 901]);
        let (long, mnc) = pick(random, &[(0, 0), (0, 255), (0x8000, 7), (0x8000, 999)]);
        let lac = random.next() >> if is_wide { 32 } else { 48 };
        let id = random.next() >> if is_wide { 1 } else { 40 };
        put(&mut self.content, mcc | long, 2);
        put(&mut self.content, mnc, if long == 0 { 1 } else { 2 });
        put(&mut self.content, lac, if is_wide { 4 } else { 2 });
        put(&mut self.content, id, if is_wide { 8 } else { 3 });
        if mcc != 0 {
            self.expect("gsm.mcc", mcc);
            self.expect("gsm.mnc", mnc);
            self.expect("gsm.lac", lac);
            self.expect("gsm.cellid", id);
        }
        self.content.len() - start
    }

    fn location(&mut self, random: &mut Random, zone_s: i64) {
        self.gps(random, zone_s);
        self.cell(random);
        let tail = pick(random, &[0, 3, 4, 7, 1, 2, 5, 6, 8, 73]);
        if matches!(tail, 3 | 7) {
            let (on, why) = (random.below(2) == 1, random.below(16) as u8);
            self.content.extend([on.into(), why, random.below(2) as u8]);
            self.expect("engine.ignition.status", on);
            self.expect("event.enum", u64::from(why));
        }
        match tail {
            4 | 7 => self.mileage(random),
            0 | 3 => {}
            // another clone's
            other => self
                .content
                .extend(std::iter::repeat_n(0x78, other as usize)),
        }
    }

    fn mileage(&mut self, random: &mut Random) {
        let metres = random.word();
        put(&mut self.content, metres.into(), 4);
        let km = format!("{}.{:03}", metres / 1000, metres % 1000);
        self.expect("vehicle.mileage", km.parse::<f64>().unwrap());
    }

    fn alarm(&mut self, random: &mut Random, zone_s: i64) {
        self.gps(random, zone_s);
        match random.below(4) {
            0 => self.content.push(0),
            1 => self.content.extend([0; 9]),
            _ => {
                let at = self.content.len();
                self.content.push(0);
                let len = self.cell(random);
                self.content[at] = len as u8 + 1;
            }
        }
        let info = self.info(random);
        self.level(random);
        self.signal(random);
        let alarm = pick(random, &[0, 1, 2, 3, 0x13, 0xFE]);
        self.content.extend([alarm, random.below(3) as u8]);
        self.expect("event.enum", u64::from(alarm));
        if alarm == 1 || alarm == 0 && info & 0b11_1000 == 0b10_0000 {
            self.expect("alarm.status", true);
        }
        if matches!(self.kind, 0x27 | 0xA4) {
            self.content.push(random.below(256) as u8);
        }
        if random.below(2) == 0 {
            self.mileage(random);
        }
    }

    fn heartbeat(&mut self, random: &mut Random) {
        let info = self.info(random);
        if self.kind == 0x13 {
            self.level(random);
        } else {
            let hundredths = random.below(65_536);
            put(&mut self.content, hundredths as u64, 2);
            let volts = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            self.expect("battery.voltage", volts.parse::<f64>().unwrap());
        }
        self.signal(random);
        if info & 0b11_1000 == 0b10_0000 {
            self.expect("alarm.status", true);
        }
        self.content.extend([0, 2]);
    }

    fn info(&mut self, random: &mut Random) -> u8 {
        let info = random.below(256) as u8;
        self.content.push(info);
        self.expect("engine.ignition.status", info & 2 != 0);
        self.expect("battery.charging.status", info & 4 != 0);
        self.expect("armed.status", info & 1 != 0);
        info
    }

    fn level(&mut self, random: &mut Random) {
        let (level, percent) = pick(
            random,
            &[
                (0, Some(0)),
                (1, Some(17)),
                (2, Some(33)),
                (3, Some(50)),
                (4, Some(67)),
                (5, Some(83)),
                (6, Some(100)),
                (7, Some(7)),
                (99, Some(99)),
                (100, Some(100)),
                (101, None),
            ],
        );
        self.content.push(level);
        if let Some(percent) = percent {
            self.expect("battery.level", Value::U64(percent));
        }
    }

    fn signal(&mut self, random: &mut Random) {
        let signal = random.below(6) as u8;
        self.content.push(signal);
        if signal < 5 {
            self.expect("gsm.signal.level", u64::from(signal) * 25);
        }
    }

    fn cells(&mut self, random: &mut Random) {
        self.date(random, 0);
        let mcc_at = self.content.len();
        self.cell(random);
        let is_long = self.content[mcc_at] & 0x80 != 0;
        self.content.resize(mcc_at + 48 + usize::from(is_long), 0);
    }
}

/// Year of the century, month, day, hour, minute, second.
pub(crate) fn parts(time_s: u64) -> [u8; 6] {
    let text = Date(Duration::from_secs(time_s)).with_time();
    [2, 5, 8, 11, 14, 17].map(|at| text[at..at + 2].parse().unwrap())
}

/// 1,800,000ths of a degree: 5,000 ninths of a billionth, rounded.
fn degrees(units: usize, is_negative: bool) -> f64 {
    // more than 32 bits hold
    let billionths = (units as u64 * 10_000 + 9) / 18;
    let text = format!(
        "{}.{:09}",
        billionths / 1_000_000_000,
        billionths % 1_000_000_000
    );
    let degrees: f64 = text.parse().unwrap();
    if is_negative { -degrees } else { degrees }
}

/// Appends the last `len` bytes of `number`.
pub(crate) fn put(out: &mut Vec<u8>, number: u64, len: usize) {
    out.extend_from_slice(&number.to_be_bytes()[8 - len..]);
}

/// CRC-16/X-25, bit by bit.
pub(crate) fn crc(data: &[u8]) -> u16 {
    let crc = data.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0x8408
            } else {
                sum >> 1
            }
        })
    });
    !crc
}
