//! Ships made as M.1371 lays their messages out: thousands are read as they were meant.

use crate::ais::receiver;
use crate::number;
use crate::support::channel::value;
use crate::support::random::Random;
use crate::support::random::each_seed;
use weir::channel::nmea::Ships;
use weir::message::Message;
use weir::message::Value;

/// What a ship says, and its bits.
pub(crate) struct Said {
    pub(crate) bits: Bits,
    mmsi: u64,
    numbers: Vec<(&'static str, Option<f64>)>,
    texts: Vec<(&'static str, Option<String>)>,
}

/// As M.1371 lays it out: one of two kinds of transponders.
pub(crate) fn motion(random: &mut Random, kind: u64) -> Said {
    let mut bits = Bits::new(if kind == 19 { 312 } else { 168 });
    let mmsi = 1 + random.below(999_999_999) as u64;
    bits.put(0, 6, kind);
    bits.put(8, 30, mmsi);
    // speed, longitude, latitude, course and heading stand together
    let at = if kind < 4 { 50 } else { 46 };
    let mut known = || random.below(6) > 0;
    let (has_speed, has_place) = (known(), known());
    let (has_course, has_heading) = (known(), known());
    let (has_status, mut numbers) = (known() && kind < 4, Vec::new());
    let mut field = |start, len, has: bool, most: usize, unknown: u64| {
        let number = if has {
            random.below(most) as u64
        } else {
            unknown
        };
        bits.put(start, len, number);
        has.then_some(number as f64)
    };
    let speed = field(at, 10, has_speed, 1023, 1023);
    let course = field(at + 66, 12, has_course, 3600, 3600);
    let heading = field(at + 78, 9, has_heading, 360, 511);
    if kind < 4 {
        let status = field(38, 4, has_status, 15, 15);
        numbers.push(("vessel.navigation.status.enum", status));
    }
    let mut degrees = |start, len, most: i64| {
        let units = random.below(usize::try_from(most * 1_200_000).unwrap()) as i64;
        let units = if has_place {
            units - most * 600_000
        } else {
            (most + 1) * 600_000
        };
        bits.put(start, len, units as u64);
        has_place.then_some(units as f64 / 600_000.0)
    };
    numbers.push(("position.longitude", degrees(at + 11, 28, 180)));
    numbers.push(("position.latitude", degrees(at + 39, 27, 90)));
    let placed = |number: Option<f64>, scale| number.filter(|_| has_place).map(|it| it * scale);
    numbers.push(("position.speed", placed(speed, 0.1852)));
    numbers.push(("position.direction", placed(course, 0.1)));
    numbers.push(("vessel.heading", heading));
    let mut texts = Vec::new();
    if kind == 19 {
        texts.push(("vessel.name", text(random, &mut bits, 143, 20)));
        let kind = random.below(256) as u64;
        bits.put(263, 8, kind);
        numbers.push(("vessel.type.enum", (kind > 0).then_some(kind as f64)));
    }
    Said {
        bits,
        mmsi,
        numbers,
        texts,
    }
}

/// Type 5.
pub(crate) fn voyage(random: &mut Random) -> Said {
    let mut bits = Bits::new(420 + random.below(7));
    let mmsi = 1 + random.below(999_999_999) as u64;
    bits.put(0, 6, 5);
    bits.put(8, 30, mmsi);
    let mut number = |start, len: usize, scale: f64| {
        let number = if random.below(4) > 0 {
            random.below(1 << len) as u64
        } else {
            0
        };
        bits.put(start, len, number);
        (number > 0).then_some(number as f64 * scale)
    };
    let numbers = vec![
        ("vessel.imo", number(40, 30, 1.0)),
        ("vessel.type.enum", number(232, 8, 1.0)),
        ("vessel.draught", number(294, 8, 0.1)),
    ];
    let texts = vec![
        ("vessel.callsign", text(random, &mut bits, 70, 7)),
        ("vessel.name", text(random, &mut bits, 112, 20)),
        ("vessel.destination", text(random, &mut bits, 302, 19)),
    ];
    Said {
        bits,
        mmsi,
        numbers,
        texts,
    }
}

/// Type 24, one of its two parts.
fn small(random: &mut Random, part: u64) -> Said {
    let mut bits = Bits::new(if part == 0 { 160 } else { 168 });
    let mmsi = 1 + random.below(999_999_999) as u64;
    bits.put(0, 6, 24);
    bits.put(8, 30, mmsi);
    bits.put(38, 2, part);
    let (mut numbers, texts) = (
        Vec::new(),
        match part {
            0 => vec![("vessel.name", text(random, &mut bits, 40, 20))],
            _ => vec![("vessel.callsign", text(random, &mut bits, 90, 7))],
        },
    );
    if part == 1 {
        let kind = 1 + random.below(255) as u64;
        bits.put(40, 8, kind);
        numbers.push(("vessel.type.enum", Some(kind as f64)));
    }
    Said {
        bits,
        mmsi,
        numbers,
        texts,
    }
}

/// Some letters, then `@`, then anything; what is read is without blanks around it.
fn text(random: &mut Random, bits: &mut Bits, start: usize, most: usize) -> Option<String> {
    let len = random.below(most + 1);
    let mut text = String::new();
    for at in 0..most {
        let code = if at < len {
            1 + random.below(63) as u64
        } else {
            0
        };
        bits.put(start + at * 6, 6, code);
        // 1 to 31 are letters and what stands behind them in ASCII
        let letter = if code < 32 {
            code as u8 + 64
        } else {
            code as u8
        };
        if at < len {
            text.push(char::from(letter));
        }
    }
    if len < most {
        bits.put(
            start + len * 6 + 6,
            6 * (most - len - 1).min(10),
            random.below(64) as u64,
        );
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[test]
fn ships_of_all_types_are_read_as_they_were_meant() {
    each_seed(|random| {
        let mut line = receiver(None, Ships::All);
        let mut all = Vec::new();
        let mut sentences = Vec::new();
        for sequence in 0..1 + random.below(8) {
            let said = match random.below(8) {
                kind @ 0..3 => motion(random, 1 + kind as u64),
                3 => motion(random, 18),
                4 => motion(random, 19),
                5 => voyage(random),
                6 => small(random, 0),
                _ => small(random, 1),
            };
            let own = random.below(2) == 0;
            let parts = match said.bits.0.len() {
                0..=340 if random.below(4) > 0 => vec![whole(own, &said.bits)],
                _ => parts(own, &said.bits, sequence),
            };
            sentences.extend(parts);
            // what says nothing is passed over
            let is_motion = said
                .numbers
                .iter()
                .any(|(name, _)| name.starts_with("position"));
            let numbers = said.numbers.iter().any(|(_, it)| it.is_some());
            let texts = said.texts.iter().any(|(_, it)| it.is_some());
            if is_motion || numbers || texts {
                all.push(said);
            }
        }
        for text in &sentences {
            line.send(text.as_bytes());
        }
        assert_eq!(line.intake.malformed, [], "{sentences:?}");
        assert_eq!(line.intake.taken.len(), all.len(), "{sentences:?}");
        for (said, message) in all.iter().zip(&line.intake.taken) {
            said.assert_told(message);
        }
    });
}

impl Said {
    pub(crate) fn is_of(&self, message: &Message) -> bool {
        message.ident() == format!("{:09}", self.mmsi)
    }

    pub(crate) fn assert_told(&self, message: &Message) {
        assert_eq!(message.ident(), format!("{:09}", self.mmsi));
        for (name, wanted) in &self.numbers {
            match wanted {
                Some(wanted) => {
                    let found = number(message, name);
                    assert!(
                        (found - wanted).abs() < 1e-4,
                        "{name}: {found}, not {wanted}"
                    );
                }
                None => assert!(!message.has(name), "{name}: {message:?}"),
            }
        }
        for (name, wanted) in &self.texts {
            match wanted {
                Some(wanted) => assert_eq!(value(message, name), Value::from(wanted.as_str())),
                None => assert!(!message.has(name), "{name}: {message:?}"),
            }
        }
    }
}

/// Bits of a message, most significant first.
#[derive(Clone)]
pub(crate) struct Bits(Vec<bool>);

impl Bits {
    pub(crate) fn new(len: usize) -> Self {
        Self(vec![false; len])
    }

    pub(crate) fn put(&mut self, start: usize, len: usize, number: u64) {
        for at in 0..len {
            self.0[start + at] = number >> (len - 1 - at) & 1 == 1;
        }
    }

    /// In armour, and how many bits are only there to fill it.
    fn armoured(&self) -> (String, usize) {
        let codes = self.0.chunks(6).map(|six| {
            let code = (0..6).fold(0, |code, at| {
                code << 1 | u8::from(six.get(at) == Some(&true))
            });
            char::from(if code < 40 { code + 48 } else { code + 56 })
        });
        (codes.collect(), self.0.len().div_ceil(6) * 6 - self.0.len())
    }
}

/// One sentence, whatever its length.
pub(crate) fn whole(own: bool, bits: &Bits) -> String {
    let (payload, fill) = bits.armoured();
    let kind = if own { "VDO" } else { "VDM" };
    sentence(&format!("AI{kind},1,1,,A,{payload},{fill}"))
}

/// As many sentences as it takes with 56 characters in each.
pub(crate) fn parts(own: bool, bits: &Bits, sequence: usize) -> Vec<String> {
    let (payload, fill) = bits.armoured();
    let kind = if own { "VDO" } else { "VDM" };
    let pieces: Vec<&str> = (0..payload.len())
        .step_by(56)
        .map(|from| &payload[from..payload.len().min(from + 56)])
        .collect();
    let total = pieces.len();
    let all = pieces.iter().enumerate().map(|(at, piece)| {
        let fill = if at + 1 == total { fill } else { 0 };
        let number = at + 1;
        sentence(&format!(
            "AI{kind},{total},{number},{sequence},A,{piece},{fill}"
        ))
    });
    all.collect()
}

/// With its `!`, its checksum and its end.
pub(crate) fn sentence(body: &str) -> String {
    crate::sentence(body).replacen('$', "!", 1)
}
