//! A truck's bus: what one library sends by the transport of J1939 and another reads, read by weir.

use crate::library::channel::can::j1939::J1939;
use crate::library::message::Value;
use crate::library::wire::can::Frame;
use crate::library::wire::can::Id;
use crate::python;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_truck_is_read_as_pretty_j1939_reads_it() {
    let said = python("truck.py", &["19", "300"]);
    let (mut values, mut absent, mut codes) = (0, 0, 0);
    for line in said.lines() {
        let made: Json = serde_json::from_str(line).unwrap();
        let told = told(&made["frames"]);
        for (name, wanted) in made["said"].as_object().unwrap() {
            assert_eq!(same(told.get(name), wanted), Ok(()), "{name}: {line}");
            values += usize::from(!wanted.is_null());
            absent += usize::from(wanted.is_null());
            codes += wanted.as_array().map_or(0, Vec::len);
        }
    }
    assert!(values > 7_000, "{values}");
    assert!(absent > 1_000, "{absent}");
    assert!(codes > 3_000, "{codes}");
}

/// The last value of each name.
fn told(frames: &Json) -> BTreeMap<String, Value> {
    let mut bus = J1939::new(false);
    let mut told = BTreeMap::new();
    let mut now = Duration::from_secs(1);
    for frame in frames.as_array().unwrap() {
        let id = u32::try_from(frame[0].as_u64().unwrap()).unwrap();
        let data = frame[1].as_str().unwrap();
        let byte = |at: usize| u8::from_str_radix(&data[at..at + 2], 16).unwrap();
        let data: Vec<_> = (0..data.len()).step_by(2).map(byte).collect();
        let frame = Frame::new(Id::extended(id).unwrap(), &data).unwrap();
        bus.frame(now, &frame, &mut |name, value| {
            told.insert(name.to_owned(), value);
        });
        now += Duration::from_millis(10);
    }
    told
}

/// Else what was told.
fn same(told: Option<&Value>, wanted: &Json) -> Result<(), Option<Value>> {
    let is_same = match (told, wanted) {
        (None | Some(Value::Null), wanted) => wanted.is_null(),
        (Some(Value::Bool(told)), wanted) => wanted == *told,
        (Some(Value::Json(told)), wanted) => {
            serde_json::from_str::<Json>(told).is_ok_and(|told| told == *wanted)
        }
        (Some(told), wanted) => {
            let numbers = told.as_ref().number().zip(wanted.as_f64());
            numbers.is_some_and(|(told, wanted)| (told - wanted).abs() <= 1e-6 * wanted.abs())
        }
    };
    is_same.then_some(()).ok_or(told.cloned())
}
