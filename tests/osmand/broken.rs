//! What broken requests get: the table of the channel's documentation, line by line.

use crate::FORM;
use crate::JSON;
use crate::answer;
use crate::get;
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

#[test]
fn each_broken_field_is_said_and_the_connection_stays() {
    for (query, reason, error) in FIELDS {
        refuses_query(query, *reason, error);
    }
    let long = format!("id={}", "a".repeat(65));
    refuses_query(&long, Ident, "`ident` has 65 bytes, at most 64 are taken");
    let many: String = (0..512).map(|number| format!("&f{number}=1")).collect();
    refuses_query(&format!("id=a{many}"), Length, "more than 512 fields");
}

fn refuses_query(query: &str, reason: InputError, error: &str) {
    for request in [
        get(query),
        post("/", query),
        post(&format!("/?{query}"), ""),
    ] {
        refuses(&request, reason, error);
    }
}

fn refuses(request: &str, reason: InputError, error: &str) {
    let mut phone = phone();
    let said = answer(phone.send(request.as_bytes()));
    assert_eq!(said, format!("400 {{\"error\":\"{error}\"}}"), "{request}");
    assert_eq!(phone.intake.malformed, [reason], "{request}");
    assert_eq!((phone.intake.taken.len(), &phone.closed), (0, &None));
    taken(&mut phone, &get("id=a"));
}

#[test]
fn each_broken_object_is_said_and_the_connection_stays() {
    for (body, reason, error) in OBJECTS {
        refuses(&post("/", body), *reason, error);
    }
    for (location, reason, error) in LOCATIONS {
        let body = format!("{{\"device_id\":\"a\",\"location\":{location}}}");
        refuses(&post("/", &body), *reason, error);
    }
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    let body = format!("{{\"device_id\":\"a\",\"location\":{{\"x\":{deep}}}}}");
    let error = "`location` is nested deeper than 32 levels";
    refuses(&post("/", &body), Value, error);
    let many: Vec<_> = (0..513).map(|number| format!("\"f{number}\":1")).collect();
    let body = format!(
        "{{\"device_id\":\"a\",\"location\":{{{}}}}}",
        many.join(",")
    );
    refuses(&post("/", &body), Length, "more than 512 fields");
}

#[test]
fn each_request_of_another_kind_gets_its_code() {
    for (name, request, code, ends, reason) in KINDS {
        gets(name, request, code, *ends, *reason);
    }
    let patch = post("/", "id=a").replace("POST", "PATCH");
    gets(
        "a method with a body",
        patch.as_bytes(),
        "405",
        true,
        Unsupported,
    );
    let text = post("/", "id=a").replace(FORM, "text/html");
    gets("text", text.as_bytes(), "415", true, Unsupported);
    let charset = post("/", "{}").replace(JSON, "application/json; charset=utf-16");
    gets(
        "another charset",
        charset.as_bytes(),
        "415",
        true,
        Unsupported,
    );
    let large = post("/", &format!("id=a&x={}", "x".repeat(64 * 1024)));
    gets("too much", large.as_bytes(), "413", true, Length);
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000)).repeat(2);
    let chunked =
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    gets(
        "too much in chunks",
        chunked.as_bytes(),
        "413",
        true,
        Length,
    );
    let long = get(&format!("id=a&x={}", "x".repeat(8 * 1024)));
    gets("a long head", long.as_bytes(), "431", true, Syntax);
}

fn gets(name: &str, request: &[u8], code: &str, ends: bool, reason: InputError) {
    let mut phone = phone();
    let said = phone.send(request);
    assert!(answer(said).starts_with(code), "{name}");
    assert_eq!(phone.intake.malformed, [reason], "{name}");
    assert_eq!(phone.closed.is_some(), ends, "{name}");
    assert_eq!(
        (phone.make_safe(), phone.intake.taken.len()),
        (SILENCE.into(), 0),
        "{name}"
    );
}

#[test]
fn what_is_missing_is_waited_for() {
    let json = r#"{"device_id":"a","location":{"extras":{"n":1}}}"#;
    for request in [
        get("id=a&lat=1&lon=2"),
        post("/", "id=a&lat=1&lon=2"),
        post("/", json),
    ] {
        for cut in 0..request.len() {
            let mut phone = phone();
            assert_eq!(phone.send(&request.as_bytes()[..cut]), SILENCE);
            assert_eq!(
                (phone.intake.taken.len(), &phone.closed),
                (0, &None),
                "{cut}"
            );
            taken(&mut phone, &request[cut..]);
        }
    }
}

#[test]
fn as_much_as_is_allowed_is_taken() {
    let fields: String = (0..511).map(|number| format!("&f{number}=1")).collect();
    let message = taken(&mut phone(), &post("/", &format!("id=a{fields}")));
    assert_eq!(message.fields().count(), 1 + 511 + 1);
    let text = "x".repeat(64 * 1024 - 8);
    let message = taken(&mut phone(), &post("/", &format!("id=a&x={text}")));
    assert_eq!(message.get("x"), Some(text.as_str().into()));
}

/// A query or form, what it counts as, the error.
#[rustfmt::skip]
const FIELDS: &[(&str, InputError, &str)] = &[
    ("", Ident, "`id` is missing"),
    ("timestamp=1377177267&lat=60.0&lon=30.0", Ident, "`id` is missing"),
    ("id=&deviceid=", Ident, "`id` is missing"),
    ("device_id=a", Ident, "`id` is missing"),
    ("id=a/b", Ident, "`ident` must not contain '/'"),
    ("id=a%0A", Ident, "`ident` must not contain '\\\\n'"),
    ("id=a&lat=90.1&lon=0", Value, "`lat` is not from -90 to 90"),
    ("id=a&lat=north&lon=0", Value, "`lat` is not a number"),
    ("id=a&lat=inf&lon=0", Value, "`lat` is not a number"),
    ("id=a&lat=0,5&lon=0", Value, "`lat` is not a number"),
    ("id=a&lat=0&lon=-180.1", Value, "`lon` is not from -180 to 180"),
    ("id=a&lat=1", Value, "latitude and longitude come together"),
    ("id=a&lon=1&lat=", Value, "latitude and longitude come together"),
    ("id=a&location=60", Value,
        "`location` is no latitude and longitude with a comma between them"),
    ("id=a&location=91,0", Value, "`location` is not from -90 to 90"),
    ("id=a&location=x,0", Value, "`location` is not a number"),
    ("id=a&timestamp=soon", Value, "`timestamp` is no time from 1970 to 9999"),
    ("id=a&timestamp=-1", Value, "`timestamp` is no time from 1970 to 9999"),
    ("id=a&timestamp=253402300800000", Value, "`timestamp` is no time from 1970 to 9999"),
    ("id=a&timestamp=2025-02-30T00:00:00Z", Value, "`timestamp` is no time from 1970 to 9999"),
    ("id=a&speed=fast", Value, "`speed` is not a number"),
    ("id=a&speed=1.0E305", Value, "`speed` is not up to 1000000"),
    ("id=a&heading=north", Value, "`heading` is not a number"),
    ("id=a&altitude=high", Value, "`altitude` is not a number"),
    ("id=a&accuracy=good", Value, "`accuracy` is not a number"),
    ("id=a&hdop=x", Value, "`hdop` is not a number"),
    ("id=a&valid=perhaps", Value, "`valid` is neither true nor false"),
    ("id=a&x%00=1", Value, "the name of a field is empty or has control characters"),
    ("id=a&=1", Value, "the name of a field is empty or has control characters"),
    ("id=a&x=%ff", Syntax, "not UTF-8"),
];

/// A body of JSON, what it counts as, the error.
#[rustfmt::skip]
const OBJECTS: &[(&str, InputError, &str)] = &[
    ("{", Syntax, "not JSON: EOF while parsing an object at column 1"),
    ("{}{}", Syntax, "not JSON: trailing characters at column 3"),
    ("{}", Ident, "`device_id` is missing"),
    (r#"{"id":"a","location":{}}"#, Ident, "`device_id` is missing"),
    (r#"{"device_id":1.5,"location":{}}"#, Ident, "`device_id` is missing"),
    (r#"{"device_id":"a#","location":{}}"#, Ident, "`ident` must not contain '#'"),
    (r#"{"device_id":"a"}"#, Syntax, "`location` is no object"),
];

/// The same of a `location`.
#[rustfmt::skip]
const LOCATIONS: &[(&str, InputError, &str)] = &[
    ("5", Syntax, "`location` is no object"),
    ("[]", Unsupported, "not an object"),
    (r#"{"coords":[]}"#, Syntax, "`coords` is no object"),
    (r#"{"coords":5}"#, Syntax, "`coords` is no object"),
    (r#"{"coords":{"latitude":1}}"#, Value, "latitude and longitude come together"),
    (r#"{"coords":{"latitude":"1","longitude":1}}"#, Value, "`coords.latitude` is not a number"),
    (r#"{"coords":{"latitude":1,"longitude":181}}"#, Value,
        "`coords.longitude` is not from -180 to 180"),
    (r#"{"timestamp":"yesterday"}"#, Value, "`timestamp` is no time from 1970 to 9999"),
    (r#"{"extras":{"":1}}"#, Value, "a parameter without a name"),
    (r#"{"extras":{"x":1e999}}"#, Value, "`x` is a number too large"),
];

/// Its name, a request, the code, whether the connection ends, what it counts as.
#[rustfmt::skip]
const KINDS: &[(&str, &[u8], &str, bool, InputError)] = &[
    ("another method", b"PATCH /?id=a HTTP/1.1\r\nHost: a\r\n\r\n", "405", false, Unsupported),
    ("compressed", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\
        Content-Length: 4\r\n\r\nid=a", "415", true, Unsupported),
    ("a damaged chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "400", true, Syntax),
    ("two hosts", b"GET /?id=a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", true, Syntax),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", true, Syntax),
    ("Wialon IPS", b"#L#1.1;imei;NA\r\n", "400", true, Syntax),
    ("NMEA", b"$GPRMC,205601,A,5544.6025,N,03739.6834,E,1,2,270413,,*00\r\n", "400", true, Syntax),
    ("JSON line", b"{\"ident\":\"a\"}\n", "400", true, Syntax),
    ("Teltonika", b"\x00\x0f356307042441013", "400", true, Syntax),
    ("MQTT", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "400", true, Syntax),
    ("TLS", &[0x16, 3, 1, 2, 0], "400", true, Syntax),
];
