//! The vectors that the projects share, read where they are.

use super::channel::Connection;
use super::hex::hex;
use super::hex::unhex;
use super::written;
use serde_json::Value as Json;
use std::path::Path;
use weir::channel::InputError;
use weir::channel::Session;
use weir::message::Message;

/// The vectors of one protocol, where they are; a line says so where they are not.
pub(crate) fn vectors(file: &str) -> Option<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors")
        .join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no `{}`", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("vectors are JSON"))
}

/// Sends the packet of a vector and looks at all that it says of it: answers and when they come,
/// messages, what is counted, whether the connection ends.
pub(crate) fn check<S: Session>(vector: &Json, device: &mut Connection<S>) {
    device.intake.taken.clear();
    let answers = |when| -> String {
        let all = vector["answers"].as_array().expect("answers").iter();
        let all = all.filter(|answer| answer["when"] == when);
        all.map(|answer| answer["hex"].as_str().expect("hex"))
            .collect()
    };
    let at_once = device.send(&unhex(vector["hex"].as_str().expect("hex")));
    let is_refusal = vector["negative"] == true && !at_once.is_empty();
    assert!(
        is_refusal || hex(&at_once) == answers("at once"),
        "{at_once:?}"
    );
    assert_eq!(hex(&device.make_safe()), answers("safe"));
    let messages: Vec<_> = device.intake.taken.iter().map(shown).collect();
    assert_eq!(messages.len(), vector["messages"].as_array().unwrap().len());
    for (found, expected) in messages.iter().zip(vector["messages"].as_array().unwrap()) {
        assert_same(found, expected);
    }
    let counted = device
        .intake
        .malformed
        .iter()
        .copied()
        .map(InputError::name);
    let expected = vector["malformed"].as_str();
    assert_eq!(counted.collect::<Vec<_>>(), Vec::from_iter(expected));
    let ends = vector["connection"] == "ends";
    assert_eq!(device.closed.is_some(), ends, "{:?}", device.closed);
}

/// As weir writes it in JSON.
pub(crate) fn shown(message: &Message) -> Json {
    serde_json::from_str(&written(message)).expect("JSON")
}

/// Fails unless both have the same parameters; numbers compare as numbers.
pub(crate) fn assert_same(found: &Json, expected: &Json) {
    let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
    let names = |object: &serde_json::Map<String, Json>| {
        let mut names: Vec<_> = object.keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(found), names(expected));
    for (name, value) in expected {
        let is_same = match (value.as_f64(), found[name].as_f64()) {
            (Some(one), Some(other)) => one == other,
            _ => *value == found[name],
        };
        assert!(is_same, "`{name}` is {}, not {value}", found[name]);
    }
}
