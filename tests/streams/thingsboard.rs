//! ThingsBoard's gateway API, byte by byte, and what it grants.

use crate::mqtt_v5::publishes;
use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use serde_json::Value;
use weir::message::Message;
use weir::net::Target;
use weir::stream::settings::Settings;
use weir::stream::thingsboard::Mode;
use weir::stream::thingsboard::ThingsBoard;
use weir::template::Template;

fn settings(mode: Mode) -> Settings {
    let board = ThingsBoard {
        target: Target {
            host: "h".into(),
            port: 1883,
        },
        tls: false,
        token: "TOKEN123".into(),
        mode,
    };
    talk::settings(board, delivery())
}

fn gateway() -> Mode {
    Mode::Gateway {
        device: None,
        profile: Some("tracker".into()),
    }
}

fn message(name: &str, millis: u64, values: &[(&'static str, weir::message::Value)]) -> Message {
    let mut message = Message::new("352").unwrap();
    message.set_timestamp(millis * 1_000);
    message.set("device.name", name);
    message.set("channel.name", "in");
    for (name, value) in values {
        message.set(*name, value);
    }
    message
}

/// The answer to the question, QoS 0.
fn limits(text: &str) -> Vec<u8> {
    let topic = "v1/devices/me/rpc/response/1";
    let body = [&[0, 28][..], topic.as_bytes(), &[0], text.as_bytes()].concat();
    let mut head = vec![0x30];
    let mut len = body.len();
    while len >= 128 {
        head.push(u8::try_from(len % 128).unwrap() | 0x80);
        len /= 128;
    }
    head.push(u8::try_from(len).unwrap());
    [&head[..], &body].concat()
}

fn says(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// A connection up to the question.
fn asked<'a>(world: &mut World, settings: &'a Settings) -> (Talk<'a>, Vec<u8>, Vec<u8>) {
    let mut talk = Talk::new(world, settings);
    let login = talk.sent(world).unwrap();
    let question = talk.hears(world, &[0x20, 3, 0, 0, 0]).unwrap();
    talk.hears(world, &[0x90, 4, 0, 1, 0, 0]).unwrap();
    (talk, login, question)
}

const GRANTED: &str = "{\"maxPayloadSize\":65536,\"maxInflightMessages\":100,\
                       \"gatewayRateLimits\":{\"messages\":\"1000:1\"},\"rateLimits\":{}}";

/// What the vendor's own client (tb-mqtt-client 1.13.14) says for the same two messages, field by
/// field, as ThingsBoard's gateway API has it.
#[test]
fn what_is_said_is_what_the_vendors_own_client_says() {
    let (mut world, settings) = (World::new(), settings(gateway()));
    let first = [("position.speed", 1.5.into()), ("din.1", true.into())];
    world.append_message(&message("Truck 7", 1_483_228_800_000, &first));
    world.append_message(&message("Truck 7", 1_483_228_801_000, &[("x", "y".into())]));
    let (mut talk, login, question) = asked(&mut world, &settings);
    // user name and clean start, no password; 60 s
    let head = [b"MQTT\x05".as_slice(), &[0x82, 0, 60]].concat();
    assert!(login.windows(8).any(|part| part == head), "{login:02x?}");
    assert!(login.ends_with(b"\0\x08TOKEN123"));
    assert!(says(&question, "\0\u{1c}v1/devices/me/rpc/response/+"));
    let asks = "v1/devices/me/rpc/request/1\0{\"method\":\"getSessionLimits\",\"params\":{";
    assert!(says(&question, asks));
    assert_eq!(talk.sent(&mut world).unwrap(), b"", "not before the answer");
    talk.hears(&mut world, &limits(GRANTED)).unwrap();
    let sent = publishes(&talk.sent(&mut world).unwrap());
    let said = sent.iter().map(|it| {
        let payload: Value = serde_json::from_slice(&it.payload).unwrap();
        (str::from_utf8(&it.topic).unwrap(), it.retain, payload)
    });
    let expected = [
        (
            "v1/gateway/connect",
            r#"{"device":"Truck 7","type":"tracker"}"#,
        ),
        (
            "v1/gateway/telemetry",
            r#"{"Truck 7":[{"ts":1483228800000,"values":{"position.speed":1.5,"din.1":true}},
                {"ts":1483228801000,"values":{"x":"y"}}]}"#,
        ),
    ];
    let expected =
        expected.map(|(topic, text)| (topic, false, serde_json::from_str(text).unwrap()));
    assert_eq!(said.collect::<Vec<_>>(), expected);
    assert_eq!(sent[1].qos as u8, 1);
    let [high, low] = sent[1].pkid.to_be_bytes();
    talk.hears(&mut world, &[0x40, 2, high, low]).unwrap();
    assert_eq!(world.counters().accepted, 2);
}

#[test]
fn the_device_has_the_name_that_the_keys_say_and_one_publish_is_of_one_device() {
    let device = Some(Template::parse("T-{plate:-none}").unwrap());
    let profile = None;
    let named = Mode::Gateway { device, profile };
    let plain = Mode::Gateway {
        device: None,
        profile: None,
    };
    for (mode, names) in [
        (named, ["T-A\"1", "T-none", "T-A\"1"]),
        (plain, ["a", "b", "352"]),
    ] {
        let (mut world, settings) = (World::new(), settings(mode));
        world.append_message(&message("a", 1_000, &[("plate", "A\"1".into())]));
        world.append_message(&message("b", 1_001, &[("n", 1_u64.into())]));
        let mut nameless = Message::new("352").unwrap();
        nameless.set_timestamp(1_002_400);
        nameless.set("plate", "A\"1");
        world.append_message(&nameless);
        let (mut talk, ..) = asked(&mut world, &settings);
        talk.hears(&mut world, &limits(GRANTED)).unwrap();
        let sent = publishes(&talk.sent(&mut world).unwrap());
        let mut found = Vec::new();
        for publish in &sent {
            let payload: Value = serde_json::from_slice(&publish.payload).unwrap();
            let devices = payload.as_object().unwrap();
            assert_eq!(devices.len(), 1);
            for (name, timed) in devices {
                for one in timed.as_array().unwrap() {
                    found.push((one["ts"].as_u64().unwrap(), name.clone()));
                }
            }
        }
        found.sort();
        let expected = [1_000, 1_001, 1_002]
            .into_iter()
            .zip(names.map(String::from));
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

#[test]
fn one_device_tells_of_itself_in_arrays() {
    let (mut world, settings) = (World::new(), settings(Mode::Device));
    for millis in 0..5 {
        let values = [("n", millis.into())];
        world.append_message(&message("a", 1_000 + millis, &values));
    }
    let (mut talk, ..) = asked(&mut world, &settings);
    // one that is no gateway has only rates of its own
    talk.hears(
        &mut world,
        &limits("{\"maxPayloadSize\":100,\"rateLimits\":{}}"),
    )
    .unwrap();
    let sent = publishes(&talk.sent(&mut world).unwrap());
    let payloads = sent.iter().map(|it| str::from_utf8(&it.payload).unwrap());
    let payloads: Vec<_> = payloads.collect();
    assert!(payloads.len() > 2, "each is short: {payloads:?}");
    let expected = (0..5).map(|n| format!("{{\"ts\":{},\"values\":{{\"n\":{n}}}}}", 1_000 + n));
    let expected: Vec<_> = expected.collect();
    let said: Vec<_> = payloads
        .iter()
        .map(|it| it.trim_matches(['[', ']']))
        .collect();
    assert_eq!(said.join(","), expected.join(","));
}

#[test]
fn a_refused_publish_of_several_messages_is_halved_until_one_stands_alone() {
    let (mut world, settings) = (World::new(), settings(Mode::Device));
    for n in 0..20_u64 {
        world.append_message(&message("a", n, &[("n", n.into())]));
    }
    let (mut talk, ..) = asked(&mut world, &settings);
    talk.hears(&mut world, &limits(GRANTED)).unwrap();
    for _ in 0..40 {
        let sent = publishes(&talk.sent(&mut world).unwrap());
        for publish in sent {
            let is_bad = says(&publish.payload, "\"n\":13}");
            let [high, low] = publish.pkid.to_be_bytes();
            let code = if is_bad { 0x99 } else { 0 };
            talk.hears(&mut world, &[0x40, 3, high, low, code]).unwrap();
        }
    }
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (19, 1));
}

#[test]
fn what_a_reason_means_and_which_device_is_no_gateway() {
    for (code, is_lost) in [(0x97, false), (0x80, false), (0x83, false), (0x99, true)] {
        let (mut world, settings) = (World::new(), settings(gateway()));
        world.append_message(&message("a", 1, &[("n", 1_u64.into())]));
        let (mut talk, ..) = asked(&mut world, &settings);
        talk.hears(&mut world, &limits(GRANTED)).unwrap();
        let sent = publishes(&talk.sent(&mut world).unwrap());
        let [high, low] = sent[1].pkid.to_be_bytes();
        let heard = talk.hears(&mut world, &[0x40, 3, high, low, code]);
        assert_eq!(heard.is_ok(), is_lost, "{code:#x}");
        assert_eq!(world.counters().given_up, u64::from(is_lost), "{code:#x}");
    }
    let (mut world, settings) = (World::new(), settings(gateway()));
    let (mut talk, ..) = asked(&mut world, &settings);
    let none = limits("{\"maxPayloadSize\":65536,\"rateLimits\":{}}");
    let lost = talk.hears(&mut world, &none).unwrap_err();
    assert!(
        lost.error.reason.contains("not marked as a gateway"),
        "{lost:?}"
    );
}
