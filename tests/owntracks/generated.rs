//! Thousands of reports after the booklet: values and answers come back, cut anywhere.

use crate::ACCEPTED;
use crate::answer;
use crate::number;
use crate::phone;
use crate::post;
use crate::support::channel::SILENCE;
use crate::support::channel::value;
use crate::support::random::Random;
use crate::support::random::each_seed;
use serde_json::Map;
use serde_json::Value as Json;
use weir::message::Message;
use weir::message::Value;

/// Field, parameter, the most it can be, and what it is divided by.
const NUMBERS: [(&str, &str, usize, f64); 10] = [
    ("acc", "position.accuracy", 5000, 1.0),
    ("alt", "position.altitude", 9000, 1.0),
    ("vel", "position.speed", 200, 1.0),
    ("cog", "position.direction", 361, 1.0),
    ("batt", "battery.level", 101, 1.0),
    ("uext", "external.powersource.voltage", 30, 1.0),
    ("ubatt", "battery.voltage", 5, 1.0),
    ("odometer", "vehicle.mileage", 999_999, 1.0),
    ("rpm", "engine.rpm", 6000, 1.0),
    ("hmc", "engine.motorhours", 999_999, 3600.0),
];

/// What is sent, and what comes of it.
struct Made {
    body: String,
    ident: String,
    numbers: Vec<(String, f64)>,
    others: Vec<(String, Value)>,
}

fn make(random: &mut Random) -> Made {
    let mut fields = Map::new();
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    let user = format!("user {}", random.below(50));
    let device = format!("d{}", random.below(50));
    fields.insert("topic".into(), format!("owntracks/{user}/{device}").into());
    let tst = random.below(2_000_000_000);
    fields.insert("tst".into(), tst.into());
    numbers.push(("timestamp".to_owned(), tst as f64));
    let is_transition = random.below(4) == 0;
    if !is_transition || random.below(2) == 0 {
        for (name, parameter, most) in [("lat", "latitude", 90), ("lon", "longitude", 180)] {
            let degrees = random.below(2 * most * 1_000_000) as f64 / 1e6 - most as f64;
            fields.insert(name.into(), degrees.into());
            numbers.push((format!("position.{parameter}"), degrees));
        }
        others.push(("position.valid".to_owned(), Value::Bool(true)));
    }
    if is_transition {
        let enters = random.below(2) == 0;
        fields.insert("_type".into(), "transition".into());
        fields.insert(
            "event".into(),
            if enters { "enter" } else { "leave" }.into(),
        );
        let desc = random.text(20);
        fields.insert("desc".into(), desc.as_str().into());
        others.push(("geofence.status".to_owned(), Value::Bool(enters)));
        others.push(("geofence.name".to_owned(), Value::from(desc.as_str())));
    } else {
        fields.insert("_type".into(), "location".into());
        for (name, parameter, most, divisor) in NUMBERS {
            if random.below(2) == 0 {
                let number = random.below(most);
                fields.insert(name.into(), number.into());
                numbers.push((parameter.to_owned(), number as f64 / divisor));
            }
        }
        for (name, parameter) in [("ign", "engine.ignition.status"), ("din1", "din.1")] {
            if random.below(2) == 0 {
                let state = random.below(2) == 0;
                let said = if random.below(2) == 0 {
                    Json::from(u8::from(state))
                } else {
                    state.into()
                };
                fields.insert(name.into(), said);
                others.push((parameter.to_owned(), Value::Bool(state)));
            }
        }
        let plug = random.below(4);
        fields.insert("bs".into(), plug.into());
        if plug > 0 {
            others.push(("battery.charging.status".to_owned(), Value::Bool(plug > 1)));
        }
    }
    for name in ["t", "m", "conn", "SSID", "created_at", "_id"] {
        if random.below(3) == 0 {
            fields.insert(name.into(), random.text(8).into());
        }
    }
    Made {
        body: Json::Object(fields).to_string(),
        ident: format!("{user}-{device}"),
        numbers,
        others,
    }
}

impl Made {
    fn assert_told(&self, message: &Message) {
        assert_eq!(message.ident(), self.ident);
        for (name, wanted) in &self.numbers {
            let found = number(message, name);
            assert!(
                (found - wanted).abs() < 1e-4,
                "{name}: {found}: {}",
                self.body
            );
        }
        for (name, wanted) in &self.others {
            assert_eq!(value(message, name), *wanted, "{name}: {}", self.body);
        }
        let wanted = 1 + self.numbers.len() + self.others.len();
        assert_eq!(
            message.fields().count(),
            wanted,
            "{message:?} of {}",
            self.body
        );
    }
}

#[test]
fn reports_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let mut phone = phone();
        for _ in 0..1 + random.below(4) {
            let made = make(random);
            let request = post("/pub", "", &made.body);
            let mut rest = request.as_bytes();
            while !rest.is_empty() {
                let (part, behind) = rest.split_at(1 + random.below(rest.len()));
                assert_eq!(phone.send(part), SILENCE, "{request}");
                rest = behind;
            }
            assert_eq!(phone.intake.taken.len(), 1, "{request}");
            made.assert_told(&phone.intake.taken.remove(0));
            assert_eq!(answer(phone.make_safe()), ACCEPTED);
        }
        assert_eq!((phone.unused(), &phone.closed), (0, &None));
        assert_eq!(phone.intake.malformed, []);
    });
}

/// Each answer of 200 belongs to a request whose message was taken, or that carries none.
#[test]
fn damaged_reports_neither_panic_nor_are_answered_as_taken() {
    each_seed(|random| {
        let made = make(random);
        let mut bytes = post("/pub", "", &made.body).into_bytes();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        let mut phone = phone();
        let said = phone.send(&bytes);
        if said.starts_with(b"HTTP/1.1 200") {
            assert!(phone.intake.taken.is_empty());
            assert!(phone.intake.malformed.len() <= 1);
        }
    });
}
