//! Every vector of the shared file: none is passed over.

use crate::ACCEPTED;
use crate::answer;
use crate::phone;
use crate::support::vectors::vectors;
use serde_json::Value as Json;
use weir::message::Message;
use weir::message::ValueRef;

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("osmand_http.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    for vector in all {
        check(vector);
    }
    assert!(all.len() >= 12, "a vector is skipped");
}

fn check(vector: &Json) {
    println!("{}", vector["id"]);
    let text = |name: &str| vector[name].as_str();
    let (method, target) = (text("method").unwrap(), text("target").unwrap());
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n");
    if let Some(kind) = text("content_type") {
        request += &format!("Content-Type: {kind}\r\n");
    }
    if let Some(body) = text("body") {
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    } else {
        request += "\r\n";
    }
    let mut phone = phone();
    let mut given = phone.send(request.as_bytes());
    given.extend(phone.make_safe());
    let given = answer(given);
    let code = vector["expect_status"].as_u64().unwrap();
    assert!(given.starts_with(&code.to_string()), "{given}");
    match &vector["expect"] {
        Json::Null => assert_eq!(phone.intake.taken, []),
        expected => {
            assert_eq!(given, ACCEPTED);
            let [message] = &phone.intake.taken[..] else {
                panic!("{:?}", phone.intake.taken);
            };
            for (name, expected) in expected.as_object().unwrap() {
                compare(message, name, expected);
            }
        }
    }
}

/// Every name that occurs must be known here.
fn compare(message: &Message, name: &str, expected: &Json) {
    let same = |parameter: &str, scale: f64| match expected.as_f64() {
        Some(expected) => {
            let given = number(message, parameter) * scale;
            assert!((given - expected).abs() < 1e-6, "{name}: {given}");
        }
        None => assert!(expected.is_null() && !message.has(parameter), "{name}"),
    };
    let count = |parameter: &str| {
        let found = message
            .fields()
            .filter(|(name, _)| name.starts_with(parameter));
        assert_eq!(Some(found.count() as u64), expected.as_u64(), "{name}");
    };
    match name {
        "id" => assert_eq!(Some(message.ident()), expected.as_str()),
        "time_ms" => same("timestamp", 1000.0),
        "lat" => same("position.latitude", 1.0),
        "lon" => same("position.longitude", 1.0),
        "speed_knots" => same("position.speed", 1.0 / 1.852),
        "speed_kmh" => same("position.speed", 1.0),
        "course" => same("position.direction", 1.0),
        "alt_m" => same("position.altitude", 1.0),
        "hdop" => same("position.hdop", 1.0),
        "accuracy_m" => same("position.accuracy", 1.0),
        "batt" | "batt_pct" => same("battery.level", 1.0),
        "cells" => count("gsm.cellid"),
        "wifi" => count("wifi.mac"),
        "extra" => {
            for (name, expected) in expected.as_object().unwrap() {
                extra(message, name, expected);
            }
        }
        _ => panic!("no test knows `{name}`"),
    }
}

fn extra(message: &Message, name: &str, expected: &Json) {
    let parameter = match name {
        "ignition" => "engine.ignition.status",
        "rpm" => "engine.rpm",
        name => name,
    };
    match expected {
        Json::Bool(state) => assert_eq!(message.get(parameter), Some(ValueRef::Bool(*state))),
        Json::String(text) => assert_eq!(message.get(parameter), Some(text.as_str().into())),
        number => assert_eq!(
            Some(self::number(message, parameter)),
            number.as_f64(),
            "{name}"
        ),
    }
}

fn number(message: &Message, name: &str) -> f64 {
    match message.get(name) {
        Some(ValueRef::U64(number)) => number as f64,
        Some(ValueRef::I64(number)) => number as f64,
        Some(ValueRef::F64(number)) => number,
        other => panic!("{name}: {other:?}"),
    }
}
