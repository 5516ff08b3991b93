//! Queclink's trackers against the channel: values, answers, and what broken lines get.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod answers;
mod broken;
mod generated;

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value as Json;
use support::channel::Connection;
use support::hex::unhex;
use support::vectors::assert_messages;
use support::vectors::names;
use support::vectors::vectors;
use weir::channel::queclink::Keys;
use weir::channel::queclink::Queclink;
use weir::channel::queclink::Units;
use weir::message::Message;
use weir::message::ValueRef;

type Tracker = Connection<Queclink>;

/// A tracker that has just connected, its SACK on or off.
fn tracker(sack: bool) -> Tracker {
    let keys = Keys {
        sack,
        ..Keys::default()
    };
    Connection::new(Queclink::new(keys, Units::Bytes))
}

#[test]
fn every_vector_gives_its_messages_and_gets_its_answers() {
    let Some(file) = vectors("queclink.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    for vector in all {
        for sack in [true, false] {
            check(vector, sack);
        }
    }
    assert!(all.len() >= 13, "a vector is skipped");
}

fn check(vector: &Json, sack: bool) {
    let id = &vector["id"];
    let bytes = match vector["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => unhex(vector["text_hex"].as_str().unwrap()),
    };
    let mut tracker = tracker(sack);
    let at_once = tracker.send(&bytes);
    let safe = tracker.make_safe();
    let wanted = &vector["answers"][0];
    let is_owed = wanted["if"].is_null() || sack;
    let wanted_text = wanted["text"]
        .as_str()
        .filter(|_| is_owed)
        .unwrap_or_default();
    let is_at_once = wanted["when"] == "at once";
    let (first, then) = if is_at_once {
        (wanted_text, "")
    } else {
        ("", wanted_text)
    };
    assert_eq!(at_once, first.as_bytes(), "{id}");
    assert_eq!(safe, then.as_bytes(), "{id}");
    assert_messages(&tracker.intake.taken, vector);
    let wanted = vector["malformed"].as_str();
    let reasons = names(&tracker.intake.malformed);
    assert_eq!(reasons, Vec::from_iter(wanted), "{id}");
    assert_eq!(
        tracker.closed.is_some(),
        vector["connection"] == "ends",
        "{id}"
    );
}

fn number(message: &Message, name: &str) -> f64 {
    let number = message.get(name).and_then(ValueRef::number);
    number.unwrap_or_else(|| panic!("no number `{name}`: {message:?}"))
}

/// A line with this kind and count; a position, and nothing else that is known.
fn line(kind: &str, count: u16) -> String {
    format!(
        "+RESP:{kind},250504,990000123456784,gv,,00,1,{PLACE},0901,0070,1234,0ABCDE,00,\
         20260314092654,{count:04X}$"
    )
}

const PLACE: &str = "1,63.2,178,35.4,77.765432,-12.345679,20260314092653";
