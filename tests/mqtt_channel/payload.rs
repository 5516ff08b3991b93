//! What a topic and a payload become.

use crate::V4;
use crate::V5;
use crate::device_of;
use crate::wire::publish;
use crate::wire::publish1;
use weir::channel::InputError;
use weir::channel::mqtt::Settings;
use weir::channel::mqtt::Topic;
use weir::message::json::Names;
use weir::message::json::write;

/// The messages that a publish becomes, and what is counted.
fn become_of(
    topic: &str,
    ident: Option<&str>,
    at: &str,
    payload: &[u8],
) -> (String, Vec<InputError>) {
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
        write(message.fields(), &mut out);
    }
    (String::from_utf8(out).unwrap(), device.intake.malformed)
}

#[test]
fn topic_and_payload_become_messages() {
    let rows = include_str!("payload.txt").lines();
    let mut checked = 0;
    for row in rows.filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [topic, ident, at, payload, expected] = columns[..] else {
            panic!("{row}");
        };
        let ident = Some(ident).filter(|ident| *ident != "-");
        let payload = payload.replace("\\n", "\n");
        let (got, malformed) = become_of(topic, ident, at, payload.as_bytes());
        assert_eq!((got.as_str(), &malformed[..]), (expected, &[][..]), "{row}");
        checked += 1;
    }
    assert!(checked > 15);
}

#[test]
fn what_is_no_message_is_counted_by_its_reason() {
    let long = format!("t/{}", "a".repeat(65));
    for (topic, at, payload, reason) in [
        ("t/{ident}", "t/a", &b"{\"n\":1"[..], InputError::Syntax),
        (
            "t/{ident}",
            "t/a",
            b"[{\"n\":1},2]",
            InputError::Unsupported,
        ),
        ("t/{ident}", "t/a", b"\"half", InputError::Syntax),
        ("t/{ident}", "t/a", b"\xFF\xFE", InputError::Syntax),
        ("t/{ident}", "t/a", b"a\x00b", InputError::Syntax),
        (
            "t/{ident}",
            "t/a",
            b"99999999999999999999",
            InputError::Value,
        ),
        ("t/{ident}", "t/a", b"{\"ts\":-1}", InputError::Value),
        ("t/{ident}", "t/", b"{\"n\":1}", InputError::Ident),
        ("t/{ident}", &long, b"{\"n\":1}", InputError::Ident),
        ("t/+", "t/a", b"{\"n\":1}", InputError::Ident),
        ("t/+", "t/a", b"7", InputError::Ident),
        ("t/+", "t/a", b"{\"imei\":\"a/b\"}", InputError::Ident),
        ("t/+", "u/a", b"{\"imei\":\"b\"}", InputError::Unsupported),
        ("#", "$SYS/a", b"{\"imei\":\"b\"}", InputError::Unsupported),
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
