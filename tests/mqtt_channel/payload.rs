//! What a topic and a payload become.

use crate::wire::{publish, publish1};
use crate::{V4, V5, device_of};
use weir::channel::Malformed;
use weir::channel::mqtt::{Settings, Topic};
use weir::message::json::{Names, write};

/// The messages that a publish becomes, and what is counted.
fn become_of(
    topic: &str,
    ident: Option<&str>,
    at: &str,
    payload: &[u8],
) -> (String, Vec<Malformed>) {
    let settings = Settings {
        topic: Topic::new(topic).unwrap(),
        ident: ident.map(str::to_owned),
        names: Names {
            ident: "imei".into(),
            timestamp: "ts".into(),
        },
        ..Settings::default()
    };
    let mut device = device_of(V5, settings);
    device.send(&publish(V5, 0, at, 0, payload));
    let mut out = Vec::new();
    for message in &device.intake.taken {
        write(
            message.fields().map(|(name, value)| (name, value.as_ref())),
            &mut out,
        );
    }
    (String::from_utf8(out).unwrap(), device.intake.malformed)
}

#[test]
fn topic_and_payload_become_messages() {
    for (topic, ident, at, payload, expected) in [
        (
            "t/{ident}",
            None,
            "t/a",
            "{\"n\":1}",
            "{\"ident\":\"a\",\"n\":1}",
        ),
        // the topic's word counts
        (
            "t/{ident}",
            Some("z"),
            "t/a",
            "{\"imei\":\"b\",\"n\":1}",
            "{\"ident\":\"a\",\"n\":1}",
        ),
        (
            "t/{ident}",
            None,
            "t/a",
            "{\"imei\":[],\"n\":1}",
            "{\"ident\":\"a\",\"n\":1}",
        ),
        ("t/+", None, "t/x", "{\"imei\":\"b\"}", "{\"ident\":\"b\"}"),
        (
            "t/+",
            Some("z"),
            "t/x",
            "{\"imei\":\"b\"}",
            "{\"ident\":\"b\"}",
        ),
        (
            "t/+",
            Some("z"),
            "t/x",
            "{\"n\":1}",
            "{\"ident\":\"z\",\"n\":1}",
        ),
        (
            "t/{ident}",
            None,
            "t/a",
            "{\"ts\":5,\"n\":[1]}",
            "{\"ident\":\"a\",\"timestamp\":5,\"n\":[1]}",
        ),
        (
            "t/{ident}",
            None,
            "t/a",
            "[{\"n\":1}, {\"n\":2}]",
            "{\"ident\":\"a\",\"n\":1}{\"ident\":\"a\",\"n\":2}",
        ),
        ("t/{ident}", None, "t/a", "[]", ""),
        (
            "{ident}/speed",
            None,
            "a/speed",
            "61.5",
            "{\"ident\":\"a\",\"speed\":61.5}",
        ),
        (
            "{ident}/#",
            None,
            "a/din/1",
            " true\n",
            "{\"ident\":\"a\",\"din.1\":true}",
        ),
        (
            "{ident}/+",
            None,
            "a/note",
            "\"x y\"",
            "{\"ident\":\"a\",\"note\":\"x y\"}",
        ),
        (
            "{ident}/+",
            None,
            "a/state",
            "ON",
            "{\"ident\":\"a\",\"state\":\"ON\"}",
        ),
        (
            "{ident}/+",
            None,
            "a/at",
            "12:30",
            "{\"ident\":\"a\",\"at\":\"12:30\"}",
        ),
        (
            "{ident}/+",
            None,
            "a/n",
            "null",
            "{\"ident\":\"a\",\"n\":null}",
        ),
        (
            "t/{ident}",
            None,
            "t/a",
            "-7",
            "{\"ident\":\"a\",\"payload\":-7}",
        ),
        (
            "t/+",
            Some("z"),
            "t/ident",
            "7",
            "{\"ident\":\"z\",\"payload\":7}",
        ),
    ] {
        let (got, malformed) = become_of(topic, ident, at, payload.as_bytes());
        assert_eq!(got, expected, "{topic} {at} {payload}");
        assert_eq!(malformed, []);
    }
}

#[test]
fn what_is_no_message_is_counted_by_its_reason() {
    let long = format!("t/{}", "a".repeat(65));
    for (topic, at, payload, reason) in [
        ("t/{ident}", "t/a", &b"{\"n\":1"[..], Malformed::Syntax),
        ("t/{ident}", "t/a", b"[{\"n\":1},2]", Malformed::Unsupported),
        ("t/{ident}", "t/a", b"\"half", Malformed::Syntax),
        ("t/{ident}", "t/a", b"\xFF\xFE", Malformed::Syntax),
        ("t/{ident}", "t/a", b"a\x00b", Malformed::Syntax),
        (
            "t/{ident}",
            "t/a",
            b"99999999999999999999",
            Malformed::Value,
        ),
        ("t/{ident}", "t/a", b"{\"ts\":-1}", Malformed::Value),
        ("t/{ident}", "t/", b"{\"n\":1}", Malformed::Ident),
        ("t/{ident}", &long, b"{\"n\":1}", Malformed::Ident),
        ("t/+", "t/a", b"{\"n\":1}", Malformed::Ident),
        ("t/+", "t/a", b"7", Malformed::Ident),
        ("t/+", "t/a", b"{\"imei\":\"a/b\"}", Malformed::Ident),
        ("t/+", "u/a", b"{\"imei\":\"b\"}", Malformed::Unsupported),
        ("#", "$SYS/a", b"{\"imei\":\"b\"}", Malformed::Unsupported),
    ] {
        let (got, malformed) = become_of(topic, None, at, payload);
        assert_eq!(
            (got.as_str(), &malformed[..]),
            ("", &[reason][..]),
            "{at} {payload:?}"
        );
    }
}

#[test]
fn an_array_is_taken_whole_or_not_at_all() {
    let settings = || Settings {
        topic: Topic::new("t/{ident}").unwrap(),
        ..Settings::default()
    };
    let mut device = device_of(V4, settings());
    device.send(&publish1(V4, "t/a", 1, "[{\"n\":1},{\"n\":2},{\"n\":3}]"));
    assert_eq!(device.intake.batches, [3]);
    let mut device = device_of(V4, settings());
    device.send(&publish1(V4, "t/a", 1, "[{\"n\":1},{\"n\":1e999}]"));
    assert_eq!(device.intake.batches, [0; 0]);
}
