//! Every vector of the shared files of CAN buses: none is passed over.

use crate::support::hex::hex;
use crate::support::vectors::vectors;
use serde_json::Value as Json;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use weir::channel::can::dbc as dbc_entries;
use weir::channel::can::j1939::J1939;
use weir::channel::can::nmea2000::Nmea2000;
use weir::channel::can::signal::Meaning;
use weir::channel::can::signal::Nothing;
use weir::channel::can::signal::Signal;
use weir::channel::can::signals::Entry;
use weir::channel::can::signals::Of;
use weir::channel::can::signals::Signals;
use weir::channel::can::signals::sorted;
use weir::message::Value;
use weir::wire::can::Frame;
use weir::wire::can::Id;
use weir::wire::can::Kind;
use weir::wire::can::bits::Bits;
use weir::wire::can::bits::Form;
use weir::wire::can::bits::Order;
use weir::wire::can::candump;
use weir::wire::can::candump::LineError;
use weir::wire::can::dbc;

/// What is known after all frames.
pub(crate) type Known = BTreeMap<String, Json>;

/// Takes what a frame tells.
pub(crate) fn keep(known: &mut Known, name: &str, value: &Value) {
    let value = match value {
        Value::Null => {
            known.remove(name);
            return;
        }
        Value::Bool(state) => json!(state),
        Value::U64(number) => json!(number),
        Value::I64(number) => json!(number),
        Value::F64(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Json(text) => serde_json::from_str(text).unwrap(),
    };
    known.insert(name.to_owned(), value);
}

fn list(file: &Json) -> &[Json] {
    file["vectors"].as_array().expect("vectors")
}

fn lines(vector: &Json) -> impl Iterator<Item = (Duration, Frame)> {
    let lines = vector["lines"].as_array().expect("lines").iter();
    lines.map(|line| {
        let line = candump::parse(line.as_str().unwrap().as_bytes()).expect("a line");
        (line.time, line.frame)
    })
}

/// Numbers compare as numbers, to what a vector writes of them.
fn assert_same(id: &Json, name: &str, found: Option<&Json>, expected: &Json) {
    let same = match (found.and_then(Json::as_f64), expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-6 * expected.abs().max(0.1),
        _ => found.unwrap_or(&Json::Null) == expected,
    };
    // large ones compare to the last digit
    let exact = found.and_then(Json::as_u64).zip(expected.as_u64());
    let same = same && exact.is_none_or(|(found, expected)| found == expected);
    assert!(same, "{id}: {name} is {found:?} and not {expected}");
}

fn assert_values(vector: &Json, known: &Known) {
    let values = vector["values"].as_object();
    for (name, expected) in values.into_iter().flatten() {
        assert_same(&vector["id"], name, known.get(name), expected);
    }
}

#[test]
fn every_line_of_candump_is_the_frame_that_it_says() {
    let Some(file) = vectors("candump.json") else {
        return;
    };
    for vector in list(&file) {
        let parsed = candump::parse(vector["text"].as_str().unwrap().as_bytes());
        let id = &vector["id"];
        if vector["valid"] == json!(false) {
            let reason = match vector["malformed"].as_str() {
                Some("syntax") => LineError::Syntax,
                Some("value") => LineError::Value,
                other => panic!("{other:?}"),
            };
            assert_eq!(parsed, Err(reason), "{id}");
            continue;
        }
        let (line, expected) = (parsed.unwrap(), &vector["frame"]);
        let (number, extended) = match line.frame.id {
            Id::Standard(number) => (u32::from(number), false),
            Id::Extended(number) => (number, true),
        };
        let mut found = json!({
            "interface": line.interface,
            "fd": line.frame.fd,
            "extended": extended,
            "error": line.frame.kind == Kind::Error,
            "id": number,
            "data": hex(line.frame.data()),
            "time": line.time.as_secs_f64(),
        });
        if line.frame.fd {
            found["flags"] = json!(line.frame.flags);
        }
        if line.frame.kind == Kind::Remote {
            found["remote"] = json!(true);
        }
        assert_eq!(&found, expected, "{id}");
    }
    assert!(list(&file).len() >= 12);
}

#[test]
fn every_signal_has_its_value() {
    let Some(file) = vectors("can_signals.json") else {
        return;
    };
    for vector in list(&file) {
        if vector["valid"] == json!(false) {
            let text = vector["dbc"].as_str().unwrap();
            let error = dbc::read(text.as_bytes(), &|_| true).unwrap_err();
            assert_ne!(error.line, 0, "{}", vector["id"]);
            continue;
        }
        let entries = match vector["table"].as_array() {
            Some(table) => table.iter().map(entry).collect(),
            None => of_dbc(file["dbc"].as_str().unwrap()),
        };
        let mut signals = Signals::new(sorted(entries));
        let mut known = Known::new();
        for (now, frame) in lines(vector) {
            signals.frame(now, &frame, &mut |name, value| {
                keep(&mut known, name, &value)
            });
        }
        assert_values(vector, &known);
    }
    assert!(list(&file).len() >= 14);
}

fn of_dbc(text: &str) -> Vec<Entry> {
    let file = dbc::read(text.as_bytes(), &|_| true).unwrap();
    assert_eq!(file.refused, []);
    dbc_entries::entries(&file, &|name| name.into())
}

/// One of a configuration.
fn entry(table: &Json) -> Entry {
    let number = |name: &str, default: f64| table[name].as_f64().unwrap_or(default);
    let whole = |name: &str| table[name].as_u64().unwrap();
    let order = match table["order"].as_str() {
        Some("be") => Order::HighFirst,
        _ => Order::LowFirst,
    };
    let start = u16::try_from(whole("start")).unwrap();
    let length = u8::try_from(whole("length")).unwrap();
    let codes = table["not_available"].as_array().into_iter().flatten();
    let meaning = Meaning {
        form: match table["signed"] == json!(true) {
            true => Form::Signed,
            false => Form::Unsigned,
        },
        scale: number("scale", 1.0),
        offset: number("offset", 0.0),
        nothing: Nothing::Listed(codes.map(|code| code.as_i64().unwrap()).collect()),
        switch: false,
    };
    let id = table["id"].as_str().unwrap().strip_prefix("0x").unwrap();
    let id = Id::standard(u32::from_str_radix(id, 16).unwrap()).unwrap();
    Entry {
        of: Of::Id(id),
        when: None,
        name: table["name"].as_str().unwrap().into(),
        signal: Signal::new(Bits::new(start, length, order).unwrap(), meaning).unwrap(),
    }
}

#[test]
fn every_vector_of_j1939_gives_its_values() {
    let Some(file) = vectors("j1939.json") else {
        return;
    };
    for vector in list(&file) {
        let (mut bus, mut known) = (J1939::default(), Known::new());
        for (now, frame) in lines(vector) {
            bus.frame(now, &frame, &mut |name, value| {
                keep(&mut known, name, &value)
            });
        }
        assert_values(vector, &known);
        for (lamp, name) in [
            ("mil", "can.mil.status"),
            ("red_stop", "can.stop.lamp.status"),
            ("amber", "can.warning.lamp.status"),
            ("protect", "can.protect.lamp.status"),
        ] {
            if let Some(state) = vector["lamps"][lamp].as_u64() {
                assert_eq!(known[name], json!(state == 1), "{} {lamp}", vector["id"]);
            }
        }
        if let Some(codes) = vector["dtc"].as_array() {
            let codes: Vec<_> = codes.iter().cloned().map(of_engine).collect();
            assert_eq!(known["can.dtc"], json!(codes), "{}", vector["id"]);
        }
        if vector["values"] == json!({}) {
            assert_eq!(known, Known::new(), "{}", vector["id"]);
        }
    }
    assert!(list(&file).len() >= 24);
}

/// All codes of the vectors are of the engine's unit.
fn of_engine(mut code: Json) -> Json {
    code["source"] = json!(0);
    code
}

#[test]
fn every_vector_of_nmea_2000_gives_its_values() {
    let Some(file) = vectors("nmea2000.json") else {
        return;
    };
    for vector in list(&file) {
        let (mut bus, mut known) = (Nmea2000::new(None), Known::new());
        for (now, frame) in lines(vector) {
            bus.frame(now, &frame, &mut |name, value| {
                keep(&mut known, name, &value)
            });
        }
        assert_values(vector, &known);
    }
    assert!(list(&file).len() >= 9);
}
