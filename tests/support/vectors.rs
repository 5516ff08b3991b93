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
    assert_eq!(hex(&at_once), answers("at once"));
    assert_eq!(hex(&device.make_safe()), answers("safe"));
    assert_messages(&device.intake.taken, vector);
    let expected = vector["malformed"].as_str();
    assert_eq!(names(&device.intake.malformed), Vec::from_iter(expected));
    let ends = vector["connection"] == "ends";
    assert_eq!(device.closed.is_some(), ends, "{:?}", device.closed);
}

/// The names under which these are counted.
pub(crate) fn names(malformed: &[InputError]) -> Vec<&'static str> {
    malformed.iter().map(|reason| reason.name()).collect()
}

/// Fails unless the messages are those of the vector, no parameter more and none less; numbers
/// compare as numbers.
pub(crate) fn assert_messages(taken: &[Message], vector: &Json) {
    let expected = vector["messages"].as_array().expect("messages");
    let id = &vector["id"];
    assert_eq!(taken.len(), expected.len(), "{id}: {taken:?}");
    for (message, expected) in taken.iter().zip(expected) {
        let found: Json = serde_json::from_str(&written(message)).expect("JSON");
        let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
        let other = expected
            .iter()
            .filter(|(name, value)| !found.get(*name).is_some_and(|found| is_same(found, value)));
        assert_eq!(Vec::from_iter(other), [], "{id}: in {message:?}");
        assert_eq!(found.len(), expected.len(), "{id}: {message:?}");
    }
}

/// Numbers are the same however they are written.
fn is_same(found: &Json, expected: &Json) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => found == expected,
        _ => found == expected,
    }
}
