//! Thousands of epochs, made from what the formats say and cut anywhere: each becomes one message
//! with their values.

use crate::number;
use crate::sentence;
use crate::support::channel::Connection;
use crate::support::random::Random;
use crate::support::random::each_seed;
use weir::channel::InputError;
use weir::channel::Session;
use weir::channel::gpsd::Gpsd;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Units;
use weir::message::Message;

/// What one epoch says; what it does not say is none.
#[derive(Debug, Default)]
struct Said {
    second: u64,
    latitude: f64,
    longitude: f64,
    altitude: Option<f64>,
    speed: Option<f64>,
    direction: Option<f64>,
    satellites: Option<u64>,
    hdop: Option<f64>,
}

impl Said {
    fn new(random: &mut Random, second: u64) -> Self {
        let signed = |random: &mut Random, most: usize| {
            let millionths = random.below(2 * most * 1_000_000) as f64 / 1e6;
            millionths - most as f64
        };
        Self {
            second,
            latitude: signed(random, 89),
            longitude: signed(random, 179),
            ..Self::default()
        }
    }

    fn assert_told(&self, message: &Message) {
        let near = |name: &str, wanted: Option<f64>, within: f64| match wanted {
            Some(wanted) => {
                let found = number(message, name);
                assert!((found - wanted).abs() < within, "{name} {found}: {self:?}");
            }
            None => assert!(!message.has(name), "{name}: {self:?}"),
        };
        near("timestamp", Some((MIDNIGHT + self.second) as f64), 1e-6);
        near("position.latitude", Some(self.latitude), 1e-7);
        near("position.longitude", Some(self.longitude), 1e-7);
        near("position.altitude", self.altitude, 1e-3);
        near("position.speed", self.speed, 1e-3);
        near("position.direction", self.direction, 1e-3);
        near(
            "position.satellites",
            self.satellites.map(|n| n as f64),
            0.1,
        );
        near("position.hdop", self.hdop, 1e-3);
    }
}

/// Degrees and minutes, and the side.
fn angle(degrees: f64, width: usize, sides: [&str; 2]) -> String {
    let side = sides[usize::from(degrees < 0.0)];
    // whole parts, so that 60 minutes never come of rounding
    let parts = (degrees.abs() * 60e6).round() as u64;
    let (whole, minutes, part) = (
        parts / 60_000_000,
        parts / 1_000_000 % 60,
        parts % 1_000_000,
    );
    format!("{whole:0width$}{minutes:02}.{part:06},{side}")
}

/// The sentences of an epoch: RMC, and any of the others in any order; or GGA and ZDA without it.
fn sentences(random: &mut Random, said: &mut Said, has_rmc: bool) -> String {
    let second = said.second;
    let clock = second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60;
    let place = format!(
        "{},{}",
        angle(said.latitude, 2, ["N", "S"]),
        angle(said.longitude, 3, ["E", "W"])
    );
    let tenths = |random: &mut Random, most: usize| random.below(most * 10) as f64 / 10.0;
    let (speed, direction) = (tenths(random, 200), tenths(random, 360));
    let mut others = Vec::new();
    if !has_rmc || random.below(2) == 0 {
        let altitude = tenths(random, 5000) - 400.0;
        let (satellites, hdop) = (1 + random.below(24) as u64, tenths(random, 20));
        others.push(format!(
            "GPGGA,{clock:06},{place},1,{satellites:02},{hdop:.1},{altitude:.1},M,46.9,M,,"
        ));
        (said.altitude, said.satellites) = (Some(altitude), Some(satellites));
        said.hdop = Some(hdop);
    }
    if random.below(2) == 0 {
        let knots = speed / 1.852;
        others.push(format!(
            "GPVTG,{direction:.1},T,,M,{knots:.5},N,{speed:.1},K"
        ));
        (said.speed, said.direction) = (Some(speed), Some(direction));
    }
    if random.below(2) == 0 {
        let hdop = said.hdop.unwrap_or_else(|| tenths(random, 20));
        others.push(format!("GPGSA,A,3,04,05,,,,,,,,,,,2.5,{hdop:.1},2.1"));
        said.hdop = Some(hdop);
    }
    let first = match has_rmc {
        true => {
            let knots = speed / 1.852;
            (said.speed, said.direction) = (Some(speed), Some(direction));
            let mut course = format!("{direction:.1}");
            if random.below(8) == 0 {
                // as some say that they do not know it
                "511.0".clone_into(&mut course);
                let has_vtg = others.iter().any(|body| body.contains("VTG"));
                said.direction = said.direction.filter(|_| has_vtg);
            }
            format!("GPRMC,{clock:06},A,{place},{knots:.5},{course},010225,,,A")
        }
        false => format!("GPZDA,{clock:06},01,02,2025,00,00"),
    };
    for index in (1..others.len()).rev() {
        others.swap(index, random.below(index + 1));
    }
    let sentences = std::iter::once(first).chain(others);
    sentences
        .map(|body| odd(random, &sentence(&body)))
        .collect()
}

/// A sentence as it comes, in one of the ways that cost nothing where there is an `ident`.
fn odd(random: &mut Random, sentence: &str) -> String {
    match random.below(8) {
        0 => sentence.replace('*', " * "),
        1 => format!("a/b#{sentence}"),
        2 => format!("3,09,15,30,050,47{sentence}"),
        3 => format!("IMEI 351467108700000\r\n{sentence}"),
        4 => crate::sentence("PCPTI,router,120000") + sentence,
        // its end is lost
        5 => sentence.trim_end().to_owned() + &crate::sentence("GPGSV,1,1,00"),
        _ => sentence.to_owned(),
    }
}

#[test]
fn epochs_of_many_sentences_become_one_message_each() {
    each_seed(|random| {
        let has_rmc = random.below(4) > 0;
        let mut line = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Bytes));
        let mut all = Vec::new();
        let mut text = String::new();
        for second in 0..1 + random.below(8) as u64 {
            let mut said = Said::new(random, 43_200 + second);
            text += &sentences(random, &mut said, has_rmc);
            all.push(said);
        }
        cut(random, &mut line, &text);
        assert_eq!(line.intake.malformed, [], "{text}");
        assert_eq!(line.intake.taken.len(), all.len(), "{text}");
        assert!(line.intake.taken.iter().all(|one| one.ident() == "gw"));
        let told = all.iter().zip(&line.intake.taken);
        told.for_each(|(said, message)| said.assert_told(message));
    });
}

#[test]
fn epochs_of_gpsd_become_one_message_each() {
    each_seed(|random| {
        let mut source = Connection::new(Gpsd::new("gw", None));
        let mut all = Vec::new();
        let mut text = String::new();
        let (mut satellites, mut hdop, mut sky) = (0, 0.0, false);
        let mut too_long = 0;
        for second in 0..1 + random.below(8) as u64 {
            let mut said = Said::new(random, 43_200 + second);
            let mut maybe = |most: usize| match random.below(3) {
                0 => None,
                _ => Some(random.below(most * 100) as f64 / 100.0),
            };
            (said.altitude, said.direction) = (maybe(5000), maybe(360));
            let metres = maybe(60);
            said.speed = metres.map(|metres| metres * 3.6);
            let clock = format!("2025-02-01T12:00:{second:02}.000Z");
            text += &format!(
                "{{\"class\":\"TPV\",\"mode\":3,\"time\":\"{clock}\",\"lat\":{},\"lon\":{}",
                said.latitude, said.longitude
            );
            let fields = [
                ("altMSL", said.altitude),
                ("track", said.direction),
                ("speed", metres),
            ];
            for (name, value) in fields {
                if let Some(value) = value {
                    text += &format!(",\"{name}\":{value}");
                }
            }
            text += "}\r\n";
            too_long += passed_over(random, &mut text);
            if random.below(3) == 0 {
                (satellites, hdop) = (1 + random.below(24) as u64, random.below(90) as f64);
                text += &format!("{{\"class\":\"SKY\",\"uSat\":{satellites},\"hdop\":{hdop}}}\r\n");
                sky = true;
            }
            if sky {
                (said.satellites, said.hdop) = (Some(satellites), Some(hdop));
            }
            all.push(said);
        }
        cut(random, &mut source, &text);
        assert_eq!(source.closed, None, "{text}");
        assert_eq!(source.intake.malformed, vec![InputError::Length; too_long]);
        assert_eq!(source.intake.taken.len(), all.len(), "{text}");
        let told = all.iter().zip(&source.intake.taken);
        told.for_each(|(said, message)| said.assert_told(message));
    });
}

/// Adds a line that says nothing, whatever its fields are, or is too long: so many of those.
fn passed_over(random: &mut Random, text: &mut String) -> usize {
    let class = ["RAW", "PPS", "TOFF", "DEVICE", "AIS", "SKY", "new"][random.below(7)];
    let value = ["1795971956", "\"x\"", "[]", "{}", "null", "[[1],{}]"][random.below(6)];
    let name = ["time", "mode", "lat", "rawdata", "satellites", "message"][random.below(6)];
    if class == "SKY" && name == "satellites" {
        return 0;
    }
    let len = if random.below(16) == 0 { 20_000 } else { 10 };
    let blanks = " ".repeat(len);
    *text += &format!("{{\"class\":\"{class}\",{blanks}\"{name}\":{value}}}\r\n");
    usize::from(len > 10)
}

/// Sends a text in pieces, and then nothing for a while.
fn cut(random: &mut Random, line: &mut Connection<impl Session>, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(1 + random.below(rest.len().min(200)));
        line.send(piece);
        rest = behind;
    }
    line.pass(std::time::Duration::from_secs(1));
}

/// 2025-02-01, seconds since 1970.
const MIDNIGHT: u64 = 1_738_368_000;
