//! Signals of DBC files: what a library of others writes and reads, read by weir.

use crate::library::channel::can::dbc::entries;
use crate::library::channel::can::signals::Signals;
use crate::library::channel::can::signals::sorted;
use crate::library::wire::can::Frame;
use crate::library::wire::can::Id;
use crate::library::wire::can::dbc;
use crate::python;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn signals_are_read_as_cantools_reads_them() {
    let said = python("dbc.py", &["17", "60"]);
    let mut compared = 0;
    for line in said.lines() {
        let made: Value = serde_json::from_str(line).unwrap();
        let text = made["dbc"].as_str().unwrap();
        let file = dbc::read(text.as_bytes(), &|_| true).unwrap();
        assert_eq!(file.refused, []);
        let mut signals = Signals::new(sorted(entries(&file, &|name| name.into())));
        for frame in made["frames"].as_array().unwrap() {
            compared += compare(&mut signals, frame);
        }
    }
    assert!(compared > 20_000, "{compared}");
}

/// How many values are the same: all.
fn compare(signals: &mut Signals, made: &Value) -> usize {
    let id = u32::try_from(made["id"].as_u64().unwrap()).unwrap();
    let id = match made["wide"] == true {
        true => Id::extended(id),
        false => Id::standard(id),
    };
    let frame = Frame::new(id.unwrap(), &bytes(made["data"].as_str().unwrap())).unwrap();
    let mut told = BTreeMap::new();
    signals.frame(Duration::ZERO, &frame, &mut |name, value| {
        told.insert(name.to_owned(), value.as_ref().number().unwrap());
    });
    let wanted = made["said"].as_object().unwrap();
    assert_eq!(told.len(), wanted.len(), "{told:?} {made}");
    for (name, value) in wanted {
        let (told, value) = (told[name], value.as_f64().unwrap());
        let near = (told - value).abs() <= 1e-9 * value.abs().max(1.0);
        assert!(near, "{name}: {told} and not {value}: {made}");
    }
    told.len()
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}
