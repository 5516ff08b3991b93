//! Phones and devices that speak OsmAnd's protocol against the channel: answers, values, and what
//! broken requests get.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "tests"
)]

mod broken;
mod generated;
mod generator;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

use support::channel::Connection;
use support::channel::SILENCE;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::Session;
use weir::channel::http_request::Requests;
use weir::channel::osmand::Reports;
use weir::channel::osmand::SpeedUnit;
use weir::message::Message;
use weir::message::Value;
use weir::message::ValueRef;

/// A phone that has just connected.
fn phone() -> Connection<Requests<Reports>> {
    speaking(SpeedUnit::Knots)
}

fn speaking(unit: SpeedUnit) -> Connection<Requests<Reports>> {
    Connection::new(Requests::new(Reports::new(unit)))
}

/// A request with a query alone.
fn get(query: &str) -> String {
    format!("GET /?{query} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// A request with a body; of a form unless it is an object.
fn post(target: &str, body: &str) -> String {
    let kind = if body.starts_with('{') { JSON } else { FORM };
    let len = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n\
         \r\n{body}"
    )
}

/// Sends a request whose message is taken, not answered before it is safe, and then accepted.
fn taken(phone: &mut Connection<Requests<Reports>>, request: &str) -> Message {
    assert_eq!(phone.send(request.as_bytes()), SILENCE, "{request}");
    assert_eq!(phone.intake.taken.len(), 1, "{request}");
    assert_eq!(answer(phone.make_safe()), ACCEPTED, "{request}");
    phone.intake.taken.remove(0)
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

/// All parameters but `ident`, in their order.
fn parameters(message: &Message) -> Vec<(&str, Value)> {
    let rest = message.fields().skip(1);
    rest.map(|(name, value)| (name, Value::from(value)))
        .collect()
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const ACCEPTED: &str = "200 {\"accepted\":1}";

#[test]
fn all_that_is_known_of_a_query_comes_under_its_name() {
    let query = "deviceid=7&id=a&timestamp=1377177267&lat=60.0&lon=-30&speed=10&bearing=7.5\
        &altitude=-5&accuracy=3.5&hdop=0.8&pdop=1&vdop=2&sat=9&batt=87&charge=false\
        &cell=257,02,16,2224&cell=257,2,16,2223,-90&wifi=00-14-22-01-23-45,-80\
        &driverUniqueId=0042&ignition=true&motion=0&odometer=1234567&rpm=933\
        &power=12.5&battery=3.9&alarm=sos&fuel=24&note=a+b%21&code=007&ident=x&hot=true&empty=";
    let message = taken(&mut phone(), &get(query));
    assert_eq!(message.ident(), "a");
    let expected = [
        ("timestamp", Value::U64(1_377_177_267)),
        ("position.speed", Value::F64(18.52)),
        ("position.direction", Value::F64(7.5)),
        ("position.altitude", Value::I64(-5)),
        ("position.accuracy", Value::F64(3.5)),
        ("position.hdop", Value::F64(0.8)),
        ("position.pdop", Value::U64(1)),
        ("position.vdop", Value::U64(2)),
        ("position.satellites", Value::U64(9)),
        ("battery.level", Value::F64(87.0)),
        ("battery.charging.status", Value::Bool(false)),
        ("gsm.mcc", Value::U64(257)),
        ("gsm.mnc", Value::U64(2)),
        ("gsm.lac", Value::U64(16)),
        ("gsm.cellid", Value::U64(2224)),
        ("gsm.mcc.2", Value::U64(257)),
        ("gsm.mnc.2", Value::U64(2)),
        ("gsm.lac.2", Value::U64(16)),
        ("gsm.cellid.2", Value::U64(2223)),
        ("gsm.signal.dbm.2", Value::I64(-90)),
        ("wifi.mac", Value::from("00:14:22:01:23:45")),
        ("wifi.signal.dbm", Value::I64(-80)),
        ("driver.code", Value::from("0042")),
        ("engine.ignition.status", Value::Bool(true)),
        ("movement.status", Value::Bool(false)),
        ("vehicle.mileage", Value::F64(1234.567)),
        ("engine.rpm", Value::U64(933)),
        ("external.powersource.voltage", Value::F64(12.5)),
        ("battery.voltage", Value::F64(3.9)),
        ("alarm.status", Value::Bool(true)),
        ("fuel", Value::U64(24)),
        ("note", Value::from("a b!")),
        ("code", Value::from("007")),
        ("ident_", Value::from("x")),
        ("hot", Value::Bool(true)),
        ("position.latitude", Value::F64(60.0)),
        ("position.longitude", Value::F64(-30.0)),
        ("position.valid", Value::Bool(true)),
    ];
    assert_eq!(parameters(&message), expected);
}

#[test]
fn all_that_is_known_of_json_comes_under_its_name() {
    let body = r#"{"device_id":48241179,"app":"x","location":{
        "timestamp":"2025-06-15T13:45:12.862Z",
        "coords":{"latitude":37.5,"longitude":-122,"accuracy":5,"speed":10,"heading":90,
        "altitude":5,"floor":2},"is_moving":true,"odometer":1500,"event":"motionchange",
        "battery":{"level":0.07,"is_charging":true},"activity":{"type":"still","confidence":80},
        "extras":{"n":1,"s":"a","b":false,"ident":"x","timestamp":5,"ignition":true,"o":{"a":[1]}},
        "mock":false,"alarm":"sos","_":"&id=1"}}"#;
    let message = taken(&mut phone(), &post("/?id=other&lat=1", body));
    assert_eq!(message.ident(), "48241179");
    let expected = [
        ("timestamp", Value::F64(1_749_995_112.862)),
        ("position.accuracy", Value::U64(5)),
        ("position.speed", Value::F64(36.0)),
        ("position.direction", Value::U64(90)),
        ("position.altitude", Value::U64(5)),
        ("coords.floor", Value::U64(2)),
        ("movement.status", Value::Bool(true)),
        ("vehicle.mileage", Value::F64(1.5)),
        ("event", Value::from("motionchange")),
        ("battery.level", Value::F64(7.0)),
        ("battery.charging.status", Value::Bool(true)),
        ("activity.type", Value::from("still")),
        ("activity.confidence", Value::U64(80)),
        ("n", Value::U64(1)),
        ("s", Value::from("a")),
        ("b", Value::Bool(false)),
        ("ident_", Value::from("x")),
        ("timestamp_", Value::U64(5)),
        ("engine.ignition.status", Value::Bool(true)),
        ("o", Value::Json(r#"{"a":[1]}"#.into())),
        ("mock", Value::Bool(false)),
        ("alarm.status", Value::Bool(true)),
        ("app", Value::from("x")),
        ("position.latitude", Value::F64(37.5)),
        ("position.longitude", Value::F64(-122.0)),
        ("position.valid", Value::Bool(true)),
    ];
    assert_eq!(parameters(&message), expected);
}

#[test]
fn what_is_not_known_is_left_out() {
    for request in [
        get("id=a&lat=&lon=&speed=-1.94&bearing=-1&accuracy=-1&hdop=NaN&batt=-1&altitude=null"),
        get("id=a&valid=true&timestamp=&odometer=-1"),
        post("/", r#"{"device_id":"a","location":{}}"#),
        post(
            "/",
            r#"{"device_id":"a","location":{"coords":null,"battery":{"level":-1},"extras":null}}"#,
        ),
        post(
            "/",
            r#"{"device_id":"a","location":{"timestamp":null,"coords":{"latitude":null,
            "longitude":null,"speed":-1,"heading":-1,"altitude":null,"accuracy":-1}}}"#,
        ),
    ] {
        let message = taken(&mut phone(), &request);
        assert_eq!(
            parameters(&message),
            [("position.valid", Value::Bool(false))],
            "{request}"
        );
    }
}

#[test]
fn a_bearing_that_is_none_costs_no_position() {
    for (bearing, direction) in [
        ("360", Some(Value::U64(360))),
        ("360.5", Some(Value::F64(0.5))),
        ("361", None),
        ("511", None),
        ("-90", None),
    ] {
        let request = get(&format!("id=a&lat=1.5&lon=2.5&bearing={bearing}"));
        let message = taken(&mut phone(), &request);
        assert_eq!(
            message.get("position.direction").map(Value::from),
            direction
        );
        assert!(message.has("position.latitude"), "{bearing}");
    }
}

#[test]
fn a_value_that_is_not_what_its_name_says_keeps_its_name() {
    for (query, name, value) in [
        ("batt=3700", "batt", Value::U64(3700)),
        ("charge=fast", "charge", Value::from("fast")),
        ("sat=many", "sat", Value::from("many")),
        ("cell=1,2,3", "cell", Value::from("1,2,3")),
        ("cell=1,2,3,x", "cell", Value::from("1,2,3,x")),
        ("wifi=home", "wifi", Value::from("home")),
        ("alarm=lowBattery", "alarm", Value::from("lowBattery")),
        ("odometer=far", "odometer", Value::from("far")),
        ("odometer=1.5E300", "odometer", Value::F64(1.5e300)),
        ("power=-1", "power", Value::I64(-1)),
        ("battery.level=50", "battery.level", Value::U64(50)),
    ] {
        let message = taken(&mut phone(), &get(&format!("id=a&{query}")));
        let expected = [(name, value), ("position.valid", Value::Bool(false))];
        assert_eq!(parameters(&message), expected, "{query}");
    }
    let body = r#"{"device_id":"a","location":{"battery":{"level":55}}}"#;
    let message = taken(&mut phone(), &post("/", body));
    assert_eq!(message.get("battery.level_"), Some(ValueRef::U64(55)));
}

#[test]
fn speed_is_in_the_unit_that_is_configured_and_in_json_in_metres_a_second() {
    for (unit, speed) in [
        (SpeedUnit::Knots, 74.08),
        (SpeedUnit::KilometresPerHour, 40.0),
        (SpeedUnit::MetresPerSecond, 144.0),
    ] {
        let message = taken(&mut speaking(unit), &get("id=a&speed=40"));
        assert_eq!(message.get("position.speed"), Some(ValueRef::F64(speed)));
        let body = r#"{"device_id":"a","location":{"coords":{"speed":0.1}}}"#;
        let message = taken(&mut speaking(unit), &post("/", body));
        assert_eq!(message.get("position.speed"), Some(ValueRef::F64(0.36)));
    }
}

#[test]
fn requests_in_other_words_are_taken() {
    let form = "id=a&n=1";
    let json = r#"{"device_id":"a","location":{"extras":{"n":1}}}"#;
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n8\r\n{form}\r\n0\r\n\r\n");
    for request in [
        get(form),
        get("&&id=%61&n=1&"),
        "GET /any/path?id=a&n=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned(),
        "GET http://gateway:5055/?id=a&n=1 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "POST /?id=a&n=1 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "POST /?id=a&n=1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\
         \r\n"
            .to_owned(),
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n{form}"),
        format!("POST / HTTP/1.1\r\nHost: a\r\n{chunked}"),
        // of hand-written senders
        format!("GET /?{form} HTTP/1.1\r\n\r\n"),
        get(form).replace("GET", "PUT"),
        post("/", form).replace("POST", "PUT"),
        post("/", form).replace(FORM, "text/plain"),
        post("/", form),
        post("/?n=1", "id=a"),
        post("/?id=a", "n=1"),
        post("/", form).replace(FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8"),
        post("/", json),
        post("/?id=b&n=2", json).replace(JSON, "application/json; charset=utf-8"),
    ] {
        let mut phone = phone();
        let message = taken(&mut phone, &request);
        assert_eq!(
            (message.ident(), message.get("n")),
            ("a", Some(ValueRef::U64(1))),
            "{request}"
        );
        assert_eq!((phone.unused(), &phone.closed), (0, &None), "{request}");
    }
}

#[test]
fn requests_are_answered_one_after_the_other() {
    let mut phone = phone();
    let requests = get("id=a") + &post("/", "id=b") + &get("id=c");
    assert_eq!(phone.send(requests.as_bytes()), SILENCE);
    for ident in ["a", "b", "c"] {
        let last = phone.intake.taken.last().unwrap();
        assert_eq!(last.ident(), ident);
        assert!(phone.session.is_blocked());
        assert_eq!(answer(phone.make_safe()), ACCEPTED);
        assert_eq!(phone.send(b""), SILENCE);
    }
    assert_eq!((phone.unused(), phone.intake.taken.len()), (0, 3));
}

#[test]
fn what_is_not_taken_is_said_and_only_a_full_ring_is_no_fault_of_the_sender() {
    for (refusal, expected) in [
        (
            Refusal::Full,
            "503 {\"error\":\"the ring takes nothing now\"}",
        ),
        (
            Refusal::Unwanted,
            "400 {\"error\":\"no enabled stream subscribes to it\"}",
        ),
        (
            Refusal::Ident,
            "400 {\"error\":\"`ident` is not one that this channel takes\"}",
        ),
        (
            Refusal::TooLong,
            "400 {\"error\":\"longer than the ring can store\"}",
        ),
    ] {
        let mut phone = phone();
        phone.intake.refusal = Some(refusal);
        assert_eq!(answer(phone.send(get("id=a").as_bytes())), expected);
        phone.intake.refusal = None;
        taken(&mut phone, &get("id=a"));
    }
}

#[test]
fn what_does_not_become_safe_in_time_is_said() {
    let mut phone = phone();
    assert_eq!(phone.send(get("id=a").as_bytes()), SILENCE);
    let mut out = Vec::new();
    assert!(phone.session.on_ack_timeout(&mut out).is_some());
    let text = String::from_utf8(out.clone()).unwrap();
    assert!(text.contains("\r\nRetry-After: 5\r\n"), "{text}");
    assert!(answer(out).starts_with("503 "));
    assert_eq!(phone.make_safe(), SILENCE, "it was answered");
    assert_eq!(phone.intake.malformed, [] as [InputError; 0]);
}
