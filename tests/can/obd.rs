//! Scripts of OBD-II: what is sent, and what its answers tell.

use crate::support::hex::unhex;
use crate::support::vectors::vectors;
use crate::vectors::Known;
use crate::vectors::keep;
use serde_json::Value as Json;
use serde_json::json;
use std::time::Duration;
use weir::channel::can::manners::Asks;
use weir::channel::can::obd::Obd;
use weir::channel::can::obd::Settings;
use weir::wire::can::Frame;
use weir::wire::can::Id;

/// A car that is awake, and the one that asks.
struct Car {
    obd: Obd,
    now: Duration,
    known: Known,
}

impl Car {
    fn hear(&mut self, frame: &Frame) {
        let known = &mut self.known;
        let told = &mut |name: &str, value| keep(known, name, &value);
        self.obd.frame(self.now, frame, told);
    }

    /// The next frame that is sent, within some more than a minute.
    fn sent(&mut self) -> Option<Frame> {
        for _ in 0..700 {
            self.hear(&Frame::new(Id::Standard(0x123), &[0]).unwrap());
            let mut out = Vec::new();
            self.obd.poll(self.now, &mut out);
            if let Some(frame) = out.first() {
                return Some(*frame);
            }
            self.now += Duration::from_millis(100);
        }
        None
    }

    /// Says that it has all readings, and has nothing else, until it is asked for `wanted`.
    fn asked(&mut self, wanted: &Frame) {
        for _ in 0..200 {
            let sent = self.sent().expect("a question");
            if sent == *wanted {
                return;
            }
            let (service, pid) = (sent.data()[1], sent.data()[2]);
            let answer = match (service, pid) {
                (1, range) if range.is_multiple_of(0x20) => {
                    vec![6, 0x41, range, 255, 255, 255, 255]
                }
                _ => vec![3, 0x7F, service, 0x22],
            };
            self.hear(&Frame::new(Id::Standard(0x7E8), &answer).unwrap());
        }
        panic!("it never asked {wanted:?}");
    }
}

/// `7DF#02010C5555555555`
fn frame(text: &str) -> Frame {
    let (id, data) = text.split_once('#').unwrap();
    let id = Id::standard(u32::from_str_radix(id, 16).unwrap()).unwrap();
    Frame::new(id, &unhex(data)).unwrap()
}

#[test]
fn every_script_is_kept_to() {
    let Some(file) = vectors("obd2.json") else {
        return;
    };
    let scripts = file["vectors"].as_array().unwrap();
    for vector in scripts {
        println!("{}", vector["id"]);
        let mut car = Car {
            obd: Obd::new(Settings::default()),
            now: Duration::from_secs(1000),
            known: Known::new(),
        };
        for line in vector["script"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            match line.split_at(2) {
                ("> ", sent) => car.asked(&frame(sent)),
                ("< ", heard) => car.hear(&frame(heard)),
                _ => is_silent_for(&mut car),
            }
        }
        check(vector, &car);
    }
    assert!(scripts.len() >= 11);
}

/// Nobody answers any more, though others are heard: soon there is a pause.
fn is_silent_for(car: &mut Car) {
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.extend(car.sent().map(|_| car.now));
    }
    let pauses = sent.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(
        pauses
            .max()
            .is_some_and(|longest| longest >= Duration::from_secs(50)),
        "{sent:?}"
    );
}

fn check(vector: &Json, car: &Car) {
    for (name, expected) in vector["values"].as_object().unwrap() {
        let found = &car.known[name];
        let same = match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-5,
            _ => found == expected,
        };
        assert!(same, "{}: {name} is {found}", vector["id"]);
    }
    if vector["values"] == json!({}) {
        assert_eq!(car.known, Known::new(), "{}", vector["id"]);
    }
    if vector["id"] == "not-supported" {
        assert!(!car.obd.asks(1, 0xA6));
    }
    if let Some(supported) = vector["supported"].as_array() {
        // of those that have a name
        for pid in [0x04, 0x05, 0x0C, 0x0D, 0x0F, 0x10, 0x11, 0x1F] {
            let has = supported.contains(&json!(pid));
            assert_eq!(car.obd.asks(1, pid), has, "{pid:02x}");
        }
        assert!(car.obd.asks(1, 0x20));
    }
}
