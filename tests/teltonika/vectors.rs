//! Every vector of the shared file: none is passed over.

use crate::generator::expected;
use crate::generator::millis;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::hex::hex;
use crate::support::hex::unhex;
use crate::support::vectors::vectors;
use serde_json::Value as Json;
use std::rc::Rc;
use weir::channel::teltonika::Tcp;
use weir::message::Message;
use weir::message::Value;
use weir::wire::teltonika::ElementValue;

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("teltonika.json") else {
        return;
    };
    for (section, content) in file.as_object().unwrap() {
        if content.is_string() {
            continue;
        }
        for vector in content.as_array().expect("vectors, or words about them") {
            println!("{section} {}", vector["id"]);
            match section.as_str() {
                "handshake" => check_handshake(vector),
                "vectors" => check_packet(vector),
                "other_codecs" => check_other_codec(vector),
                _ => panic!("vectors that no test knows"),
            }
        }
    }
    assert!(file["vectors"].as_array().unwrap().len() >= 9);
}

fn check_handshake(vector: &Json) {
    let mut device = Connection::new(Tcp::new(Rc::default()));
    let sent = unhex(text(&vector["hex"]));
    let answer = vector["reply_accept_hex"].as_str().unwrap_or_default();
    assert_eq!(hex(&device.send(&sent)), answer);
    let ident = vector["decoded"]["imei"].as_str();
    assert_eq!(device.intake.admitted, Vec::from_iter(ident));
    assert_eq!(device.closed, None);
    if let Some(answer) = vector["reply_reject_hex"].as_str() {
        let mut device = Connection::new(Tcp::new(Rc::default()));
        device.intake.refusal = Some(weir::channel::Refusal::Ident);
        assert_eq!(hex(&device.send(&sent)), answer);
    }
}

fn check_packet(vector: &Json) {
    let sent = unhex(text(&vector["hex"]));
    let (answer, taken) = match text(&vector["transport"]) {
        "tcp" => {
            let mut device = crate::tcp();
            assert_eq!(device.send(&sent), SILENCE);
            (device.make_safe(), device.intake.taken)
        }
        "udp" => {
            let mut socket = crate::udp();
            assert_eq!(socket.send_datagram(&sent), SILENCE);
            (socket.make_safe(), socket.intake.taken)
        }
        other => panic!("transport {other}"),
    };
    assert_eq!(hex(&answer), vector["ack_hex"].as_str().unwrap_or_default());
    if vector["valid"] == Json::Bool(false) {
        assert_eq!(taken, []);
        return;
    }
    let records = vector["decoded"]["records"].as_array().unwrap();
    assert_eq!(taken.len(), records.len());
    for (message, record) in taken.iter().zip(records) {
        check_record(message, record);
    }
}

fn check_record(message: &Message, record: &Json) {
    let number = |name: &str| record[name].as_i64().unwrap();
    let get = |name: &str| message.get(name).map(Value::from);
    let has_fix = number("sats") > 0;
    let fixed = |value: Value| has_fix.then_some(value);
    let degrees = |name| Value::F64(number(name) as f64 / 1e7);
    assert_eq!(millis(message).cast_signed(), number("ts_ms"));
    assert_eq!(get("position.longitude"), fixed(degrees("lon_e7")));
    assert_eq!(get("position.latitude"), fixed(degrees("lat_e7")));
    assert_eq!(
        get("position.altitude"),
        fixed(Value::from(number("alt_m")))
    );
    assert_eq!(
        get("position.direction"),
        Some(Value::from(number("angle")))
    );
    assert_eq!(
        get("position.satellites"),
        Some(Value::from(number("sats")))
    );
    assert_eq!(
        get("position.speed"),
        Some(Value::from(number("speed_kmh")))
    );
    assert_eq!(get("position.valid"), Some(Value::Bool(has_fix)));
    assert_eq!(
        get("event.priority.enum"),
        Some(Value::from(number("priority")))
    );
    for (id, value) in record["io"].as_object().unwrap() {
        let id = id.parse().unwrap();
        let bytes = value
            .as_str()
            .map(|text| unhex(text.strip_prefix("0x").unwrap()));
        let sent = match &bytes {
            Some(bytes) => vec![ElementValue::Bytes(bytes)],
            None => widths(value.as_u64().unwrap()),
        };
        let is_there = |sent: ElementValue<'_>| {
            let (name, value) = expected(id, sent);
            get(&name) == Some(value)
        };
        assert!(sent.into_iter().any(is_there), "{id} in {message:?}");
    }
}

/// A number in all widths that hold it: the vectors do not say which it was.
fn widths(number: u64) -> Vec<ElementValue<'static>> {
    let narrow = u8::try_from(number).map(ElementValue::U8).ok();
    let middle = u16::try_from(number).map(ElementValue::U16).ok();
    let wide = u32::try_from(number).map(ElementValue::U32).ok();
    let all = [narrow, middle, wide, Some(ElementValue::U64(number))];
    all.into_iter().flatten().collect()
}

fn check_other_codec(vector: &Json) {
    let mut device = crate::tcp();
    assert_eq!(device.send(&unhex(text(&vector["hex"]))), SILENCE);
    assert_eq!((device.make_safe(), device.closed), (vec![], None));
    assert_eq!(device.intake.malformed, []);
    let sent = unhex(text(&vector["hex"]));
    let told = crate::support::channel::value(&device.intake.taken[0], "text");
    let Value::Text(told) = told else { panic!() };
    assert!(sent.windows(told.len()).any(|part| part == told.as_bytes()));
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap()
}
