//! Thousands of lines, made as samples of the family have them and cut anywhere: values and answers
//! come back.

use crate::number;
use crate::support::channel::value;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::tracker;
use weir::message::Message;
use weir::message::Value;

/// What a position says.
#[derive(Debug)]
struct Place {
    numbers: Vec<(&'static str, f64)>,
    is_valid: bool,
}

/// A position's fields with its cell behind them.
fn place(random: &mut Random, sent: u64) -> (String, Place) {
    let tenths = |random: &mut Random, most: usize| random.below(most * 10) as f64 / 10.0;
    let degrees = |random: &mut Random, most: usize| {
        random.below(2 * most * 1_000_000) as f64 / 1e6 - most as f64
    };
    let second = random.below(60) as u64;
    let cell = "0901,0070,1234,0ABCDE,00";
    match random.below(8) {
        0 => {
            let numbers = vec![("timestamp", sent as f64)];
            let is_valid = false;
            (format!("0,,,,,,,{cell}"), Place { numbers, is_valid })
        }
        kind => {
            let hdop = if kind == 1 { 0 } else { 1 + random.below(50) };
            let (speed, direction) = (tenths(random, 250), random.below(360));
            let altitude = tenths(random, 5000) - 400.0;
            let (longitude, latitude) = (degrees(random, 180), degrees(random, 90));
            let text = format!(
                "{hdop},{speed:.1},{direction},{altitude:.1},{longitude:.6},{latitude:.6},\
                 202603140926{second:02},{cell}"
            );
            let numbers = match hdop {
                0 => vec![("timestamp", sent as f64)],
                _ => vec![
                    ("timestamp", (MINUTE + second) as f64),
                    ("position.hdop", hdop as f64),
                    ("position.speed", speed),
                    ("position.direction", direction as f64),
                    ("position.altitude", altitude),
                    ("position.longitude", longitude),
                    ("position.latitude", latitude),
                ],
            };
            let is_valid = hdop > 0;
            (text, Place { numbers, is_valid })
        }
    }
}

/// A line, what each of its messages says, and what the last one says beside.
struct Made {
    line: String,
    places: Vec<Place>,
    numbers: Vec<(&'static str, f64)>,
    states: Vec<(&'static str, bool)>,
}

fn make(random: &mut Random, count: usize) -> Made {
    let second = random.below(60) as u64;
    let sent = MINUTE + 60 + second;
    let buffered = random.below(3) == 0;
    let (mut numbers, mut states) = (Vec::new(), Vec::new());
    let positions = 1 + random.below(3);
    let kind = [
        "GTFRI", "GTIGN", "GTIGF", "GTSOS", "GTMPN", "GTMPF", "GTGEO",
    ][random.below(7)];
    let positions = if kind == "GTFRI" { positions } else { 1 };
    let all: Vec<_> = (0..positions).map(|_| place(random, sent)).collect();
    let (texts, places): (Vec<String>, Vec<Place>) = all.into_iter().unzip();
    let mileage = random.below(9_999_999) as f64 / 10.0;
    let (head, tail) = if kind == "GTFRI" {
        let (power, level) = (random.below(40_000), random.below(101));
        let status = ["11", "12", "21", "22", "16", "41"][random.below(6)];
        if power > 10 {
            numbers.push(("external.powersource.voltage", power as f64 / 1000.0));
        }
        numbers.push(("battery.level", level as f64));
        match random.below(2) {
            0 => (format!("{power},10,{positions}"), format!("{level}")),
            _ => {
                numbers.push(("vehicle.mileage", mileage));
                let ignition = [("1", false), ("2", true)];
                let known = ignition.iter().find(|(digit, _)| status.starts_with(digit));
                states.extend(known.map(|(_, on)| ("engine.ignition.status", *on)));
                let tail = format!("{mileage:.1},00123:45:06,0000,,,{level},{status}0100,,,");
                (format!("{power},10,{positions}"), tail)
            }
        }
    } else {
        states.extend(match kind {
            "GTIGN" => Some(("engine.ignition.status", true)),
            "GTIGF" => Some(("engine.ignition.status", false)),
            "GTSOS" => Some(("alarm.status", true)),
            "GTMPN" => Some(("external.powersource.status", true)),
            "GTMPF" => Some(("external.powersource.status", false)),
            _ => None,
        });
        if kind.starts_with("GTIG") {
            numbers.push(("vehicle.mileage", mileage));
        }
        ("3519".to_owned(), format!("{mileage:.1}"))
    };
    let line = format!(
        "+{}:{kind},250504,990000123456784,gv {},{head},{},{tail},202603140927{second:02},\
         {count:04X}$",
        if buffered { "BUFF" } else { "RESP" },
        random.below(100),
        texts.join(","),
    );
    Made {
        line,
        places,
        numbers,
        states,
    }
}

impl Made {
    fn assert_told(&self, messages: &[Message]) {
        assert_eq!(messages.len(), self.places.len(), "{}", self.line);
        for (place, message) in self.places.iter().zip(messages) {
            let found = value(message, "position.valid");
            assert_eq!(found, Value::Bool(place.is_valid), "{}", self.line);
            assert_eq!(message.has("position.latitude"), place.is_valid);
            let buffered = self.line.starts_with("+BUFF");
            assert_eq!(message.has("record.buffered.status"), buffered);
            self.assert_numbers(message, &place.numbers);
        }
        let last = messages.last().unwrap();
        self.assert_numbers(last, &self.numbers);
        for (name, on) in &self.states {
            assert_eq!(value(last, name), Value::Bool(*on), "{name}: {}", self.line);
        }
        let last_place = &self.places.last().unwrap().numbers;
        let others = 2 + usize::from(self.line.starts_with("+BUFF"));
        let wanted = others + last_place.len() + self.numbers.len() + self.states.len();
        assert_eq!(last.fields().count(), wanted, "{last:?} of {}", self.line);
    }

    fn assert_numbers(&self, message: &Message, numbers: &[(&str, f64)]) {
        for (name, wanted) in numbers {
            let found = number(message, name);
            assert!(
                (found - wanted).abs() < 1e-4,
                "{name}: {found}: {}",
                self.line
            );
        }
    }
}

#[test]
fn lines_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let mut tracker = tracker(true);
        let made: Vec<_> = (0..1 + random.below(4))
            .map(|count| make(random, count))
            .collect();
        let lines: Vec<_> = made.iter().map(|made| made.line.as_str()).collect();
        let text = lines.join(["", "\r\n", "\0"][random.below(3)]);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(1 + random.below(rest.len()));
            tracker.send(part);
            rest = behind;
        }
        assert_eq!(tracker.intake.malformed, [], "{text}");
        let mut taken = &tracker.intake.taken[..];
        for made in &made {
            let (messages, behind) = taken.split_at(made.places.len());
            made.assert_told(messages);
            taken = behind;
        }
        assert!(taken.is_empty());
        let answers: String = (0..made.len())
            .map(|count| format!("+SACK:{count:04X}$"))
            .collect();
        assert_eq!(String::from_utf8(tracker.make_safe()).unwrap(), answers);
        assert_eq!((tracker.unused(), &tracker.closed), (0, &None));
    });
}

/// 2026-03-14T09:26:00Z.
const MINUTE: u64 = 1_773_480_360;
