//! Phones that speak OwnTracks over HTTP against the channel: answers, values, who sent it, and
//! what broken requests get.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod broken;
mod generated;
mod senders;

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value as Json;
use std::rc::Rc;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use support::vectors::assert_messages;
use support::vectors::names;
use support::vectors::vectors;
use weir::channel::http_request::Requests;
use weir::channel::owntracks::Keys;
use weir::channel::owntracks::Reports;
use weir::message::Message;
use weir::message::Value;

type Phone = Connection<Requests<Reports>>;

/// A phone that has just connected.
fn phone() -> Phone {
    served_as(Keys::default())
}

fn served_as(keys: Keys) -> Phone {
    Connection::new(Requests::new(Reports::new(Rc::new(keys))))
}

/// A request; a header is a line with its end.
fn post(target: &str, headers: &str, body: &str) -> String {
    let len = body.len();
    format!("POST {target} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {len}\r\n\r\n{body}")
}

/// Code and content of one whole answer, whose length must be right.
fn answer(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).unwrap();
    let (head, content) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let length = format!("\r\nContent-Length: {}\r\n", content.len());
    assert!(head.contains(&length), "{text}");
    let code = head.strip_prefix("HTTP/1.1 ").unwrap();
    format!("{} {content}", &code[..3])
}

/// Sends a request whose message is taken, not answered before it is safe, and then accepted.
fn taken(phone: &mut Phone, request: &str) -> Message {
    assert_eq!(phone.send(request.as_bytes()), SILENCE, "{request}");
    assert_eq!(phone.intake.taken.len(), 1, "{request}");
    assert_eq!(answer(phone.make_safe()), ACCEPTED, "{request}");
    phone.intake.taken.remove(0)
}

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("owntracks.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    for vector in all {
        let id = &vector["id"];
        let text = |name: &str| vector[name].as_str().unwrap();
        let mut headers = String::new();
        for (name, value) in vector["headers"].as_object().unwrap() {
            headers += &format!("{name}: {}\r\n", value.as_str().unwrap());
        }
        let mut phone = phone();
        let at_once = phone.send(post(text("target"), &headers, text("body")).as_bytes());
        let when = vector["answers"][0]["when"].as_str().unwrap();
        assert_eq!(at_once.is_empty(), when == "safe", "{id}");
        let given = answer([at_once, phone.make_safe()].concat());
        let status = vector["expect_status"].as_u64().unwrap().to_string();
        let body = vector["expect_body"].as_str();
        assert!(given.starts_with(&status), "{id}: {given}");
        assert!(
            body.is_none_or(|body| given.ends_with(body)),
            "{id}: {given}"
        );
        assert_messages(&phone.intake.taken, vector);
        let reasons = names(&phone.intake.malformed);
        let is_passed_over = vector["unsupported"] == Json::Bool(true);
        let wanted = vector["malformed"].as_str();
        let wanted = wanted.or(is_passed_over.then_some("unsupported"));
        assert_eq!(reasons, Vec::from_iter(wanted), "{id}");
    }
    assert!(all.len() >= 13, "a vector is skipped");
}

fn number(message: &Message, name: &str) -> f64 {
    let number = message.get(name).and_then(weir::message::ValueRef::number);
    number.unwrap_or_else(|| panic!("no number `{name}`: {message:?}"))
}

const ACCEPTED: &str = "200 []";

/// The shortest that is taken.
const SHORT: &str = r#"{"_type":"location","lat":1.5,"lon":-2,"tst":1773480413,"tid":"17"}"#;

#[test]
fn nothing_is_answered_before_it_is_safe_and_the_next_waits_for_that() {
    let mut phone = phone();
    let two = post("/", "", SHORT) + &post("/any/where?at=all", "", SHORT);
    assert_eq!(phone.send(two.as_bytes()), SILENCE);
    assert_eq!(phone.intake.taken.len(), 1);
    assert_eq!(answer(phone.make_safe()), ACCEPTED);
    // the second was not looked at before
    assert_eq!(phone.send(b""), SILENCE);
    assert_eq!(phone.intake.taken.len(), 2);
    assert_eq!(answer(phone.make_safe()), ACCEPTED);
}

#[test]
fn nothing_and_what_carries_no_message_are_answered_at_once() {
    for body in ["", " \r\n"] {
        let mut phone = phone();
        assert_eq!(
            answer(phone.send(post("/pub", "", body).as_bytes())),
            ACCEPTED
        );
        assert_eq!(phone.intake.malformed, []);
    }
    // without a length there is none, either
    let bare = "POST /pub HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(answer(phone().send(bare.as_bytes())), ACCEPTED);
    for kind in [
        "waypoint",
        "waypoints",
        "card",
        "cmd",
        "lwt",
        "status",
        "steps",
        "beacon",
        "request",
        "dump",
        "configuration",
        "encrypted",
        "what-comes-next",
    ] {
        let mut phone = phone();
        let body = format!("{{\"_type\":\"{kind}\",\"x\":1}}");
        assert_eq!(
            answer(phone.send(post("/", "", &body).as_bytes())),
            ACCEPTED
        );
        assert_eq!(phone.intake.malformed.len(), 1, "{kind}");
        assert_eq!(phone.intake.taken, []);
    }
}

#[test]
fn what_is_not_said_is_not_invented_and_what_cannot_be_is_left_out() {
    let odd = r#"{"_type":"location","lat":1.5,"lon":-2,"tst":1773480413,"tid":"17","acc":-1,
        "alt":1e99,"vel":-1,"cog":361,"batt":101,"bs":0,"uext":-5,"odometer":"far","ign":2,
        "din0":true,"din33":true,"din":true,"dinx":1,"vin":5,"hmc":-1,"rpm":null,"SSID":"home",
        "inregions":["a"],"position.speed":9}"#;
    for body in [SHORT, odd] {
        let message = taken(&mut phone(), &post("/", "", body));
        let names: Vec<_> = message.fields().map(|(name, _)| name.to_owned()).collect();
        let wanted = [
            "ident",
            "timestamp",
            "position.latitude",
            "position.longitude",
            "position.valid",
        ];
        assert_eq!(names, wanted);
    }
    let gone = r#"{"_type":"transition","event":"leave","tst":1.25,"tid":"17","acc":5}"#;
    let message = taken(&mut phone(), &post("/", "", gone));
    assert_eq!(number(&message, "timestamp"), 1.25);
    assert_eq!(value(&message, "geofence.status"), Value::Bool(false));
    assert_eq!(message.fields().count(), 3, "{message:?}");
}
