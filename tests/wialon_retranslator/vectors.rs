//! Every vector of the shared file: none is passed over.

use crate::support::channel::SILENCE;
use crate::support::hex::hex;
use crate::support::hex::unhex;
use crate::support::vectors::vectors;
use serde_json::Value as Json;
use weir::message::Message;
use weir::message::Value;
use weir::message::ValueRef;

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("wialon_retranslator.json") else {
        return;
    };
    let vectors = file["vectors"].as_array().unwrap();
    for vector in vectors {
        println!("{}", vector["id"]);
        check(vector);
    }
    assert!(vectors.len() >= 10);
}

fn check(vector: &Json) {
    let sent = unhex(vector["hex"].as_str().unwrap());
    let answer = vector["ack_hex"].as_str().unwrap_or_default();
    let mut sender = crate::connection();
    assert_eq!(sender.send(&sent), SILENCE);
    assert_eq!(hex(&sender.make_safe()), answer);
    if vector["valid"] == Json::Bool(false) {
        return assert_eq!(sender.intake.taken, []);
    }
    let (message, decoded) = (&sender.intake.taken[0], &vector["decoded"]);
    assert_eq!(message.ident(), decoded["uid"]);
    assert_eq!(unsigned(message, "timestamp"), decoded["time"].as_u64());
    let alarm = decoded["flags"].as_u64().unwrap() & 0x10 != 0;
    assert_eq!(message.has("alarm.status"), alarm);
    for block in decoded["blocks"].as_array().unwrap() {
        check_block(message, block);
    }
}

fn check_block(message: &Message, block: &Json) {
    let (value, float) = (&block["value"], |name: &str| match message.get(name) {
        Some(ValueRef::F64(number)) => Some(number),
        _ => None,
    });
    let name = match block["name"].as_str().unwrap() {
        "posinfo" => {
            for (name, field) in [
                ("longitude", "lon"),
                ("latitude", "lat"),
                ("altitude", "alt_m"),
            ] {
                assert_eq!(float(&format!("position.{name}")), value[field].as_f64());
            }
            for (name, field) in [
                ("speed", "speed_kmh"),
                ("direction", "course"),
                ("satellites", "sats"),
            ] {
                let found = unsigned(message, &format!("position.{name}"));
                assert_eq!(found, value[field].as_u64());
            }
            return;
        }
        "image" => return assert!(!message.has("image")),
        "avl_inputs" | "avl_outputs" => {
            let name = if block["name"] == "avl_inputs" {
                "din"
            } else {
                "dout"
            };
            let bits = value.as_i64().unwrap() as u32;
            return assert_eq!(unsigned(message, name), Some(bits.into()));
        }
        "ign" => {
            let on = message.get("engine.ignition.status");
            return assert_eq!(on, Some(ValueRef::Bool(value == 1)));
        }
        "pwr_ext" => "external.powersource.voltage",
        name => name,
    };
    let expected = match value {
        Json::String(text) => Value::from(text.as_str()),
        number if block["data_type"] == 4 => Value::F64(number.as_f64().unwrap()),
        number => Value::from(number.as_i64().unwrap()),
    };
    assert_eq!(message.get(name), Some(expected.as_ref()), "{name}");
}

fn unsigned(message: &Message, name: &str) -> Option<u64> {
    match message.get(name) {
        Some(ValueRef::U64(number)) => Some(number),
        _ => None,
    }
}
