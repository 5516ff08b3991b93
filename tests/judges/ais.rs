//! Ships: what a library of others writes and reads, read by weir's channel.

use crate::library::channel::BatchRefusal;
use crate::library::channel::InputError;
use crate::library::channel::Intake;
use crate::library::channel::Session as _;
use crate::library::channel::nmea::Nmea;
use crate::library::channel::nmea::Ships;
use crate::library::channel::nmea::Units;
use crate::library::clock::Now;
use crate::library::clock::Wall;
use crate::library::message::Message;
use crate::library::message::ValueRef;
use crate::python;
use serde_json::Value;
use std::time::Duration;

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn ships_are_read_as_pyais_reads_them() {
    let said = python("ais.py", &["17", "5000"]);
    let mut heard = Heard::default();
    let mut nmea = Nmea::new(None, Units::Bytes).of_ships(Ships::All);
    let mut told = 0;
    for line in said.lines() {
        let wanted: Value = serde_json::from_str(line).unwrap();
        for sentence in wanted["lines"].as_array().unwrap() {
            let sentence = format!("{}\r\n", sentence.as_str().unwrap());
            let bytes = sentence.as_bytes();
            let taken = nmea.receive(bytes, &mut heard, &mut Vec::new());
            assert_eq!(taken, Ok(bytes.len()), "{line}");
        }
        let message = heard.0.pop();
        assert_eq!(heard.0, [], "{line}");
        compare(message.as_ref(), &wanted["said"], line);
        told += usize::from(message.is_some());
    }
    assert!(told > 4_000, "{told}");
}

/// Each parameter is what pyais says; one that is not there, what it says where nothing is known.
fn compare(message: Option<&Message>, said: &Value, line: &str) {
    let has_place = said["lat"].as_f64().is_some_and(|lat| lat <= 90.0);
    let numbers = [
        ("position.latitude", "lat", 1.0, 91.0),
        ("position.longitude", "lon", 1.0, 181.0),
        ("position.speed", "speed", 1.852, 102.3),
        ("position.direction", "course", 1.0, 360.0),
        ("vessel.heading", "heading", 1.0, 511.0),
        ("vessel.navigation.status.enum", "status", 1.0, 15.0),
        ("vessel.type.enum", "ship_type", 1.0, 0.0),
        ("vessel.imo", "imo", 1.0, 0.0),
        ("vessel.draught", "draught", 1.0, 0.0),
    ];
    for (name, theirs, scale, unknown) in numbers {
        let is_known = |number: &f64| {
            let here = !name.starts_with("position.") || has_place;
            here && (number - unknown).abs() > 1e-9
        };
        let wanted = said[theirs].as_f64().filter(is_known);
        let found = message.and_then(|message| message.get(name));
        match (found.and_then(|value| value.number()), wanted) {
            (Some(found), Some(wanted)) => {
                let wanted = wanted * scale;
                assert!((found - wanted).abs() < 1e-4, "{name}: {found}: {line}");
            }
            (found, wanted) => assert_eq!(found, wanted, "{name}: {line}"),
        }
    }
    for (name, theirs) in [
        ("vessel.name", "shipname"),
        ("vessel.callsign", "callsign"),
        ("vessel.destination", "destination"),
    ] {
        let wanted = said[theirs].as_str().filter(|text| !text.is_empty());
        let found = message.and_then(|message| message.get(name));
        assert_eq!(found, wanted.map(ValueRef::Text), "{name}: {line}");
    }
    let mmsi = said["mmsi"].as_u64().unwrap();
    assert!(
        message.is_none_or(|it| it.ident() == format!("{mmsi:09}")),
        "{line}"
    );
}

/// Takes all.
#[derive(Default)]
struct Heard(Vec<Message>);

impl Intake for Heard {
    fn now(&self) -> Now {
        let since_1970 = Duration::from_secs(1_700_000_000);
        Now {
            mono: Duration::ZERO,
            wall: Wall {
                since_1970,
                trusted: true,
            },
            ages: true,
        }
    }

    fn check_ident(&mut self, _: &str) -> Result<(), BatchRefusal> {
        Ok(())
    }

    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
        self.0.extend_from_slice(batch);
        Ok(())
    }

    fn ack_when_durable(&mut self, _: u64) {}

    fn malformed(&mut self, reason: InputError, detail: &str) {
        panic!("{reason:?}: {detail}");
    }
}
