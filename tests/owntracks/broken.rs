//! What broken requests get: the table of the channel's documentation, line by line.

use crate::SHORT;
use crate::answer;
use crate::phone;
use crate::post;
use crate::support::channel::SILENCE;
use crate::taken;
use weir::channel::InputError;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;
use weir::channel::InputError::Value;
use weir::channel::Refusal;
use weir::channel::Session as _;

/// A body, what it counts as, what is said.
#[rustfmt::skip]
const BODIES: &[(&str, InputError, &str)] = &[
    (r#"{"_type":"location","lat":1,"lon":2,"tst":3}"#, Ident, "nothing names a device"),
    (r#"{"_type":"location","lat":1,"lon":2,"tst":3,"tid":5}"#, Ident, "nothing names a device"),
    (r#"{"lat":1,"lon":2,"tst":3,"tid":"a"}"#, Syntax, "`_type` is missing"),
    (r#"{"_type":5,"lat":1,"lon":2,"tst":3,"tid":"a"}"#, Syntax, "`_type` is missing"),
    (r#"{"_type":"location","lat":1,"lon":2,"tid":"a"}"#, Value, "`tst` is missing"),
    (r#"{"_type":"location","lat":1,"lon":2,"tst":"3","tid":"a"}"#, Value, NO_TIME),
    (r#"{"_type":"location","lat":1,"lon":2,"tst":-3,"tid":"a"}"#, Value, NO_TIME),
    (r#"{"_type":"location","lat":1,"lon":2,"tst":1773480413000,"tid":"a"}"#, Value, NO_TIME),
    (r#"{"_type":"location","lat":1,"lon":2,"tst":-0.5,"tid":"a"}"#, Value, NO_TIME),
    (r#"{"_type":"location","lon":2,"tst":3,"tid":"a"}"#, Value, "`lat` or `lon` is missing"),
    (r#"{"_type":"location","lat":1,"lon":null,"tst":3,"tid":"a"}"#, Value,
        "`lat` or `lon` is missing"),
    (r#"{"_type":"location","lat":90.1,"lon":2,"tst":3,"tid":"a"}"#, Value, "`lat` is no latitude"),
    (r#"{"_type":"location","lat":"1","lon":2,"tst":3,"tid":"a"}"#, Value, "`lat` is no latitude"),
    (r#"{"_type":"location","lat":1,"lon":-181,"tst":3,"tid":"a"}"#, Value,
        "`lon` is no longitude"),
    (r#"{"_type":"transition","event":"stay","tst":3,"tid":"a"}"#, Value,
        "`event` is neither `enter` nor `leave`"),
    (r#"{"_type":"transition","event":"enter","tst":3,"lat":91,"lon":0,"tid":"a"}"#, Value,
        "`lat` is no latitude"),
    (r#"{"_type":"transition","event":"enter","tid":"a"}"#, Value, "`tst` is missing"),
    ("[]", Unsupported, "not an object"),
    ("5", Unsupported, "not an object"),
];

const NO_TIME: &str = "`tst` is no time from 1970 to 9999";

#[test]
fn each_broken_object_is_said_and_the_connection_stays() {
    for (body, reason, error) in BODIES {
        let mut phone = phone();
        let said = answer(phone.send(post("/", "", body).as_bytes()));
        assert_eq!(said, format!("400 {{\"error\":\"{error}\"}}"), "{body}");
        assert_eq!(phone.intake.malformed, [*reason], "{body}");
        assert_eq!((phone.intake.taken.len(), &phone.closed), (0, &None));
        taken(&mut phone, &post("/", "", SHORT));
    }
}

#[test]
fn what_is_too_much_or_no_text_is_refused() {
    let deep = format!("{}1{}", "[".repeat(99), "]".repeat(99));
    let name = "a".repeat(65);
    for (body, reason) in [
        (SHORT.replace('}', &format!(",\"x\":{deep}}}")), Value),
        (SHORT.replace("\"17\"", &format!("\"{name}\"")), Ident),
        (SHORT.replace("\"17\"", "\"\\u0007\""), Ident),
        (SHORT.replace('}', ""), Syntax),
        (SHORT.replace("\"17\"", "\"\\ud800\""), Syntax),
    ] {
        let mut phone = phone();
        let said = answer(phone.send(post("/", "", &body).as_bytes()));
        assert!(said.starts_with("400 "), "{said}");
        assert_eq!(phone.intake.malformed, [reason], "{said}");
    }
    let mut sender = phone();
    let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n";
    assert!(answer(sender.send(length.as_bytes())).starts_with("413 "));
    assert_eq!(sender.intake.malformed, [Length]);
    let mut sender = phone();
    let mut chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for _ in 0..17 {
        chunks += &format!("1000\r\n{}\r\n", " ".repeat(4096));
    }
    assert!(answer(sender.send(chunks.as_bytes())).starts_with("413 "));
    assert!(sender.session.buffered_len() <= 2 * 64 * 1024);
}

#[test]
fn each_request_of_another_kind_gets_its_code() {
    let put = post("/", "", SHORT).replacen("POST", "PUT", 1);
    let packed = post("/", "Content-Encoding: gzip\r\n", SHORT);
    for (request, code) in [
        ("GET /pub HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        (&put, "405"),
        (&packed, "415"),
        ("POST / HTTP/1.1\r\n\r\n", "400"),
        ("\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0", "400"),
        ("+RESP:GTFRI,250504,990000123456784$\r\n", "400"),
    ] {
        let mut phone = phone();
        let said = answer(phone.send(request.as_bytes()));
        assert!(said.starts_with(code), "{request}: {said}");
        assert_eq!(phone.intake.taken, []);
        assert_eq!(phone.intake.malformed.len(), 1);
    }
}

#[test]
fn what_the_intake_refuses_gets_the_codes_that_a_phone_understands() {
    for (refusal, code) in [
        (Refusal::Full, "503"),
        (Refusal::Ident, "400"),
        (Refusal::Unwanted, "400"),
        // it would come for ever, and all behind it never
        (Refusal::TooLong, "200"),
    ] {
        let mut phone = phone();
        phone.intake.refusal = Some(refusal);
        let said = answer(phone.send(post("/", "", SHORT).as_bytes()));
        assert!(said.starts_with(code), "{said}");
    }
    let mut phone = phone();
    assert_eq!(phone.send(post("/", "", SHORT).as_bytes()), SILENCE);
    let mut out = Vec::new();
    assert!(phone.session.on_ack_timeout(&mut out).is_some());
    assert!(answer(out).starts_with("503"));
}
