//! Vectors of trackers: what a packet brings, and what is answered when.

use serde_json::Value as Json;
use weir::channel::InputError;
use weir::message::Message;

/// The answers of a vector that come `"at once"` or when all is `"safe"`, in hex.
pub(crate) fn answers(vector: &Json, when: &str) -> String {
    let all = vector["answers"].as_array().expect("answers");
    let chosen = all.iter().filter(|answer| answer["when"] == when);
    chosen
        .map(|answer| answer["hex"].as_str().unwrap())
        .collect()
}

/// What of a vector is counted as no message, by its name in the counter `refused`.
pub(crate) fn malformed(vector: &Json) -> Vec<&str> {
    Vec::from_iter(vector["malformed"].as_str())
}

/// The names under which these are counted.
pub(crate) fn names(malformed: &[InputError]) -> Vec<&'static str> {
    malformed.iter().map(|reason| reason.name()).collect()
}

/// Fails unless the messages are those of the vector, no parameter more and none less.
pub(crate) fn assert_brought(taken: &[Message], vector: &Json) {
    let expected = vector["messages"].as_array().expect("messages");
    assert_eq!(taken.len(), expected.len(), "{taken:?}");
    for (message, expected) in taken.iter().zip(expected) {
        let found: Json = serde_json::from_str(&super::written(message)).unwrap();
        let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
        let missing = expected
            .iter()
            .filter(|(name, value)| !found.get(*name).is_some_and(|found| is_same(found, value)));
        assert_eq!(Vec::from_iter(missing), [], "in {message:?}");
        assert_eq!(found.len(), expected.len(), "{message:?}");
    }
}

/// Numbers are the same however they are written.
fn is_same(found: &Json, expected: &Json) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => found == expected,
        _ => found == expected,
    }
}
