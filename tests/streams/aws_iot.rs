//! AWS IoT Core: what it is known not to take, and what its silence means.

use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use weir::message::Message;
use weir::net::Target;
use weir::stream::Endpoint;
use weir::stream::aws_iot::AwsIot;
use weir::stream::settings::Settings;
use weir::template::Template;

fn settings(port: u16, topic: &str) -> Settings {
    let host = "a-ats.iot.eu-central-1.amazonaws.com".into();
    let thing = AwsIot {
        target: Target { host, port },
        thing: "gateway-7".into(),
        topic: Template::parse(topic).unwrap(),
        is_try: false,
    };
    talk::settings(thing, delivery())
}

fn ready<'a>(world: &mut World, settings: &'a Settings) -> (Talk<'a>, Vec<u8>) {
    let mut talk = Talk::new(world, settings);
    let login = talk.sent(world).unwrap();
    talk.hears(world, &[0x20, 3, 0, 0, 0]).unwrap();
    (talk, login)
}

fn says(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn the_thing_logs_in_by_mqtt_5_and_by_alpn_where_the_port_is_shared() {
    let (mut world, settings) = (World::new(), settings(443, "weir/{ident}"));
    let (_, login) = ready(&mut world, &settings);
    assert!(
        says(&login, "MQTT\u{5}\u{2}\0\u{3c}"),
        "clean, no user: {login:02x?}"
    );
    assert!(says(&login, "\0\u{9}gateway-7"));
    for (port, alpn) in [(443, &["x-amzn-mqtt-ca"][..]), (8883, &[])] {
        let settings = self::settings(port, "t");
        let Endpoint::Network(network) = settings.endpoint() else {
            panic!("a server");
        };
        assert_eq!(network.alpn, alpn);
        assert!(network.needs_certificate);
    }
}

#[test]
fn what_is_tried_takes_no_session_from_a_daemon_that_runs() {
    let (mut world, mut settings) = (World::new(), settings(8883, "weir/{ident}"));
    settings.destination = settings.destination.for_check().unwrap();
    let mut talk = Talk::new(&world, &settings);
    let login = talk.sent(&mut world).unwrap();
    assert!(says(&login, "gateway-7-weir-1"));
    let lost = talk.hears(&mut world, &[0x20, 3, 0, 0x87, 0]).unwrap_err();
    for words in [
        "`tls.certificate`",
        "iot:Connect",
        "`thing`",
        "tried under another",
    ] {
        assert!(lost.error.reason.contains(words), "{lost:?}");
    }
}

#[test]
fn a_topic_that_is_too_deep_or_too_long_costs_its_message_alone_however_many_there_are() {
    let (mut world, settings) = (World::new(), settings(8883, "{level}"));
    for round in 0..30_u64 {
        let deep = "x/".repeat(8);
        let long = "x".repeat(257);
        for level in [deep.as_str(), &long, "a/b"] {
            let mut message = Message::new("a").unwrap();
            message.set("level", level);
            message.set("n", round);
            world.append_message(&message);
        }
    }
    let (mut talk, _) = ready(&mut world, &settings);
    let mut sent = crate::mqtt_v5::publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(sent.len(), 30, "none waits for one that is too deep");
    while !sent.is_empty() {
        for publish in &sent {
            let [high, low] = publish.pkid.to_be_bytes();
            talk.hears(&mut world, &[0x40, 2, high, low]).unwrap();
        }
        sent = crate::mqtt_v5::publishes(&talk.sent(&mut world).unwrap());
    }
    let told = format!("{:?}", world.events());
    assert!(!told.contains("AtFault"), "{told}");
    let counters = world.counters();
    assert_eq!((counters.given_up, counters.accepted), (60, 30));
}

#[test]
fn a_publish_that_is_not_answered_may_have_been_one_too_many() {
    let (mut world, settings) = (World::new(), settings(8883, "weir/{ident}"));
    world.append_many(3);
    let (mut talk, _) = ready(&mut world, &settings);
    talk.sent(&mut world).unwrap();
    let lost = talk.wakes(&mut world).unwrap_err();
    assert!(
        lost.error
            .reason
            .contains("no answer within 30s to a publish"),
        "{lost:?}"
    );
    assert!(lost.error.reason.contains("look at `rate`"), "{lost:?}");
    assert_eq!(world.counters().backlog, 3);
}
