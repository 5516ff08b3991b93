//! The JSON form of messages: what is read as what, what is refused with which words, and that
//! whatever is written reads back the same.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::random::Random;
use support::written;
use weir::message::Message;
use weir::message::json;
use weir::message::json::Names;
use weir::message::json::PARAMETERS_MAX;

#[test]
fn what_is_read_is_written_back() {
    for (given, kept) in [
        (r#"{"ident":"a"}"#, r#"{"ident":"a"}"#),
        (
            r#" { "ident" : "a" , "n" : null }"#,
            r#"{"ident":"a","n":null}"#,
        ),
        (
            r#"{"b":true,"ident":"a","c":false}"#,
            r#"{"b":true,"ident":"a","c":false}"#,
        ),
        (
            r#"{"ident":352093081452251}"#,
            r#"{"ident":"352093081452251"}"#,
        ),
        (
            r#"{"ident":"a","n":0,"m":-0}"#,
            r#"{"ident":"a","n":0,"m":0}"#,
        ),
        (
            r#"{"ident":"a","n":18446744073709551615,"m":-9223372036854775808}"#,
            r#"{"ident":"a","n":18446744073709551615,"m":-9223372036854775808}"#,
        ),
        (
            r#"{"ident":"a","f":1.0,"g":1e3}"#,
            r#"{"ident":"a","f":1.0,"g":1000.0}"#,
        ),
        (
            r#"{"ident":"a","f":0.1,"g":1E-400}"#,
            r#"{"ident":"a","f":0.1,"g":0.0}"#,
        ),
        (
            r#"{"ident":"a","f":49.190364800000000001,"g":-2.5}"#,
            r#"{"ident":"a","f":49.1903648,"g":-2.5}"#,
        ),
        (
            r#"{"ident":"a","t":"\u00e9\ud83d\ude00\u0000\n\"\\"}"#,
            "{\"ident\":\"a\",\"t\":\"é😀\\u0000\\n\\\"\\\\\"}",
        ),
        (
            r#"{"ident":"a","j":[ 1 , { "x y" : "a \" b" , "z":[] } ]}"#,
            r#"{"ident":"a","j":[1,{"x y":"a \" b","z":[]}]}"#,
        ),
        (
            r#"{"ident":"a","j":{"n":1e999,"n":2}}"#,
            r#"{"ident":"a","j":{"n":1e999,"n":2}}"#,
        ),
        (
            r#"{"a":1,"ident":"a","a":2,"b":3,"a":4}"#,
            r#"{"a":4,"ident":"a","b":3}"#,
        ),
        (
            r#"{"a":1,"ident":"x","\u0061":2,"ident":"y"}"#,
            r#"{"a":2,"ident":"y"}"#,
        ),
        (r#"{"a":1e999,"ident":"a","a":2}"#, r#"{"a":2,"ident":"a"}"#),
    ] {
        let message = json::parse(given.as_bytes(), &Names::default()).unwrap();
        assert_eq!(written(&message), kept, "{given}");
    }
}

#[test]
fn a_timestamp_is_kept_to_microseconds() {
    for (given, kept) in [
        ("0", "0"),
        ("1700000000", "1700000000"),
        ("1700000000.0", "1700000000"),
        ("17e8", "1700000000"),
        ("1700000000.123456", "1700000000.123456"),
        ("1700000000.1234561", "1700000000.123456"),
        ("1700000000.9999999", "1700000001"),
        ("253402300799", "253402300799"),
        (r#""2009-11-24T15:27:44Z""#, "1259076464"),
        (r#""2009-11-24T17:27:44.5+02:00""#, "1259076464.5"),
        (r#""2009-11-24 15:27:44""#, "1259076464"),
        (r#""2009-11-24T15:27:44.000001Z""#, "1259076464.000001"),
    ] {
        let text = format!(r#"{{"ident":"a","timestamp":{given},"b":1}}"#);
        let message = json::parse(text.as_bytes(), &Names::default()).unwrap();
        let expected = format!(r#"{{"ident":"a","timestamp":{kept},"b":1}}"#);
        assert_eq!(written(&message), expected, "{given}");
    }
}

#[test]
fn a_timestamp_of_null_is_none() {
    let message = parse(r#"{"timestamp":null,"ident":"a"}"#).unwrap();
    assert!(!message.has("timestamp"));
}

#[test]
fn named_fields_are_renamed_in_their_place() {
    let names = Names {
        ident: "imei".into(),
        timestamp: "ts".into(),
    };
    for (given, kept) in [
        (
            r#"{"x":1,"ts":5,"imei":7}"#,
            r#"{"x":1,"timestamp":5,"ident":"7"}"#,
        ),
        (
            r#"{"ident":"no","timestamp":1,"imei":"a","ts":5}"#,
            r#"{"ident":"a","timestamp":5}"#,
        ),
        (
            r#"{"ident":"a","timestamp":1}"#,
            r#"{"ident":"a","timestamp":1}"#,
        ),
        (
            r#"{"imei":"a","ts":5,"ident":"no","timestamp":1}"#,
            r#"{"ident":"a","timestamp":5}"#,
        ),
        (r#"{"imei":"a","imei":"b"}"#, r#"{"ident":"b"}"#),
    ] {
        let message = json::parse(given.as_bytes(), &names).unwrap();
        assert_eq!(written(&message), kept, "{given}");
    }
    let error = json::parse(b"{}", &names).unwrap_err();
    assert_eq!(error.to_string(), "`imei` is missing");
}

#[test]
fn what_is_wrong_is_said() {
    let deep = format!(
        r#"{{"ident":"a","x":{}1{}}}"#,
        "[".repeat(33),
        "]".repeat(33)
    );
    let long = format!(r#"{{"ident":"{}"}}"#, "x".repeat(65));
    let computed = [
        (&*deep, "`x` is nested deeper than 32 levels"),
        (&*long, "`ident` has 65 bytes, at most 64 are taken"),
    ];
    for (given, said) in computed.iter().chain(WRONG) {
        let error = parse(given).unwrap_err();
        assert_eq!(error.to_string(), *said, "{given}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let error = json::parse(b"{\"ident\":\"\xFF\"}", &Names::default()).unwrap_err();
    assert_eq!(error.to_string(), "not UTF-8 from byte 10 on");
}

#[test]
fn thirty_two_levels_are_taken() {
    let text = format!(
        r#"{{"ident":"a","x":{}{}}}"#,
        "[".repeat(32),
        "]".repeat(32)
    );
    assert_eq!(written(&parse(&text).unwrap()), text);
}

#[test]
fn of_many_the_wrong_one_is_named() {
    let many = |text: &str| json::parse_many(text.as_bytes(), &Names::default());
    assert_eq!(many(r#" {"ident":"a"} "#).unwrap().len(), 1);
    assert_eq!(many(r#" [{"ident":"a"},{"ident":"b"}]"#).unwrap().len(), 2);
    assert_eq!(many("[]").unwrap().len(), 0);
    for (given, said) in [
        (
            r#"[{"ident":"a"},{"n":1},5]"#,
            "element 1: `ident` is missing",
        ),
        (r#"[{"ident":"a"},5]"#, "element 1: not an object"),
        (r#"[[{"ident":"a"}]]"#, "element 0: not an object"),
        (
            r#"[{"ident":"a"},]"#,
            "not JSON: trailing comma at column 16",
        ),
        (
            r#"[{"ident":"a"}"#,
            "not JSON: EOF while parsing a list at column 14",
        ),
        (r#"{"n":1}"#, "`ident` is missing"),
    ] {
        assert_eq!(many(given).unwrap_err().to_string(), said, "{given}");
    }
}

#[test]
fn more_parameters_than_can_be_stored_are_refused() {
    let object = |count: usize| {
        let more: String = (1..count).map(|n| format!(r#","p{n}":1"#)).collect();
        format!(r#"{{"ident":"a"{more}}}"#)
    };
    let message = parse(&object(PARAMETERS_MAX)).unwrap();
    assert_eq!(message.fields().count(), PARAMETERS_MAX);
    let error = parse(&object(PARAMETERS_MAX + 1)).unwrap_err();
    assert_eq!(error.to_string(), "more than 8192 parameters");
}

#[test]
fn errors_repeat_little_of_what_they_were_given() {
    let text = format!(r#"{{"ident":"a","{}":1e999}}"#, "é".repeat(10_000));
    let said = parse(&text).unwrap_err().to_string();
    assert_eq!(said.chars().count(), "`` is a number too large".len() + 65);
}

#[test]
fn what_is_written_reads_back_the_same() {
    let mut random = Random(0x5EED);
    for _ in 0..3_000 {
        let message = random.message();
        let text = written(&message);
        let back = json::parse(text.as_bytes(), &Names::default()).unwrap();
        assert_eq!(back, message, "{text}");
        let order = |m: &Message| {
            m.fields()
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&back), order(&message));
    }
}

#[test]
fn damaged_text_never_panics() {
    let mut random = Random(0xBAD);
    for _ in 0..5_000 {
        let mut text = written(&random.message()).into_bytes();
        for _ in 0..random.below(4) {
            let at = random.below(text.len());
            text[at] = random.next().to_le_bytes()[0];
        }
        text.truncate(random.below(text.len() * 4));
        drop(json::parse_many(&text, &Names::default()));
    }
}

fn parse(text: &str) -> Result<Message, json::Error> {
    json::parse(text.as_bytes(), &Names::default())
}

/// What is given, and what is said of it.
#[rustfmt::skip]
const WRONG: &[(&str, &str)] = &[
    ("", "not JSON: EOF while parsing a value at column 0"),
    ("hello", "not JSON: expected value at column 1"),
    ("5", "not an object"),
    (r#""text""#, "not an object"),
    (r#"{"ident":"a""#, "not JSON: EOF while parsing an object at column 12"),
    (r#"{"ident":"a"}x"#, "not JSON: trailing characters at column 14"),
    (r#"{"ident":"a",}"#, "not JSON: trailing comma at column 14"),
    (r#"{"ident":"a","n":01}"#, "not JSON: invalid number at column 19"),
    ("{\"ident\":\"a\",\n\"n\":nul}", "not JSON: expected ident at line 2 column 8"),
    ("{}", "`ident` is missing"),
    (r#"{"ident":null}"#, "`ident` must be text or an integer"),
    (r#"{"ident":1.5}"#, "`ident` must be text or an integer"),
    (r#"{"ident":{}}"#, "`ident` must be text or an integer"),
    (r#"{"ident":18446744073709551616}"#, "`ident` must be text or an integer"),
    (r#"{"ident":""}"#, "`ident` is empty"),
    (r#"{"ident":"a/b"}"#, "`ident` must not contain '/'"),
    (r#"{"ident":"a\u0000"}"#, r"`ident` must not contain '\0'"),
    (r#"{"ident":"a","":1}"#, "a parameter without a name"),
    (r#"{"ident":"a","x\ny":1}"#, "control character in the name `x\u{FFFD}y`"),
    (r#"{"ident":"a","n":18446744073709551616}"#, "`n` is a number too large"),
    (r#"{"ident":"a","n":-9223372036854775809}"#, "`n` is a number too large"),
    (r#"{"ident":"a","n":1e309}"#, "`n` is a number too large"),
    (r#"{"ident":"a","t":"\ud800"}"#, "`t` has an escape that is no character"),
    (r#"{"ident":"a","timestamp":"now"}"#, NO_DATE),
    (r#"{"ident":"a","timestamp":true}"#, NO_DATE),
    (r#"{"ident":"a","timestamp":-1}"#, "`timestamp` is before 1970"),
    (r#"{"ident":"a","timestamp":-0.5}"#, "`timestamp` is before 1970"),
    (r#"{"ident":"a","timestamp":1700000000000}"#,
        "`timestamp` is after the year 9999, it counts seconds"),
];

const NO_DATE: &str = "`timestamp` is neither a number of seconds nor a date in ISO 8601";
