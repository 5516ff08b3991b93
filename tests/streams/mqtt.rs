//! MQTT 3.1.1: the link against a broker that a test plays.

use crate::random::Random;
use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number_of;
use bytes::BytesMut;
use rumqttc::Packet;
use rumqttc::Publish;
use std::collections::BTreeMap;
use std::time::Duration;
use weir::message::Message;
use weir::net::Target;
use weir::stream::Disconnect;
use weir::stream::Retry;
use weir::stream::mqtt::Mqtt;
use weir::stream::mqtt::Payload;
use weir::stream::mqtt::profile::Version;
use weir::stream::mqtt::profile::Will;
use weir::stream::settings::Settings;
use weir::template::Template;

const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
const PONG: [u8; 2] = [0xd0, 0];
const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn settings(change: impl FnOnce(&mut Mqtt)) -> Settings {
    let target = Target {
        host: "localhost".into(),
        port: 1883,
    };
    let mut mqtt = Mqtt::new(target, Template::parse("weir/{ident}").unwrap());
    mqtt.version = Version::V311;
    change(&mut mqtt);
    talk::settings(mqtt, delivery())
}

/// A connection after the login.
fn ready<'a>(world: &mut World, settings: &'a Settings) -> Talk<'a> {
    let mut talk = Talk::new(world, settings);
    let login = talk.sent(world).unwrap();
    assert_eq!(login[0], 0x10, "{login:02x?}");
    assert!(!talk.is_ready());
    talk.hears(world, &ACCEPTED).unwrap();
    assert!(talk.is_ready());
    talk
}

fn publishes(bytes: &[u8]) -> Vec<Publish> {
    let mut rest = BytesMut::from(bytes);
    let mut all = Vec::new();
    while !rest.is_empty() {
        match Packet::read(&mut rest, 1 << 20).unwrap() {
            Packet::Publish(publish) => all.push(publish),
            other => panic!("{other:?}"),
        }
    }
    all
}

fn ack(identifier: u16) -> [u8; 4] {
    let [high, low] = identifier.to_be_bytes();
    [0x40, 2, high, low]
}

fn number(publish: &Publish) -> u64 {
    number_of(&serde_json::from_slice(&publish.payload).unwrap())
}

fn is_no_answer(result: Result<Vec<u8>, Disconnect>) -> bool {
    result.is_err_and(|disconnect| disconnect.error.code == -2)
}

#[test]
fn a_login_says_who_we_are() {
    let mut world = World::new();
    let settings = settings(|mqtt| {
        mqtt.username = Some("u".into());
        mqtt.password = Some("pw".into());
        mqtt.keep_alive = Duration::from_millis(1500);
        mqtt.clean_session = false;
        mqtt.will = Some(Will {
            topic: "gone".into(),
            payload: "yes".into(),
        });
    });
    let login = Talk::new(&world, &settings).sent(&mut world).unwrap();
    let expected = b"\x10\x24\x00\x04MQTT\x04\xcc\x00\x02\x00\x06weir-1\
                     \x00\x04gone\x00\x03yes\x00\x01u\x00\x02pw";
    assert_eq!(login, expected);
}

#[test]
fn nothing_is_published_before_the_login_is_accepted() {
    let mut world = World::new();
    world.append_many(3);
    let settings = settings(|mqtt| mqtt.client_id = Some("mine".into()));
    let mut talk = Talk::new(&world, &settings);
    let login = talk.sent(&mut world).unwrap();
    assert!(login.ends_with(b"\x00\x04mine"));
    assert_eq!(talk.sent(&mut world).unwrap(), b"");
    talk.hears(&mut world, &ACCEPTED).unwrap();
    let sent = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(sent.iter().map(number).collect::<Vec<_>>(), [0, 1, 2]);
    let first = &sent[0];
    assert_eq!(
        (first.topic.as_str(), first.dup, first.retain),
        ("weir/a", false, false)
    );
    let text = str::from_utf8(&first.payload).unwrap();
    assert!(
        text.starts_with(r#"{"ident":"a","timestamp":1700000000,"n":0,"server"#),
        "{text}"
    );
}

#[test]
fn a_refused_login_is_told_by_its_code() {
    for code in 1..=5 {
        let mut world = World::new();
        let settings = settings(|_| {});
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        let disconnect = talk.hears(&mut world, &[0x20, 2, 0, code]).unwrap_err();
        assert_eq!(disconnect.error.code, i32::from(code));
    }
}

#[test]
fn what_is_only_tried_takes_no_session_from_a_daemon_and_says_so_where_that_is_refused() {
    for (configured, tried) in [
        (Some("truck"), "truck-weir-1"),
        (Some(""), ""),
        (None, "weir-1"),
    ] {
        let mut world = World::new();
        let mut settings = settings(|mqtt| {
            mqtt.client_id = configured.map(Into::into);
            mqtt.clean_session = configured == Some("");
            mqtt.will = Some(Will {
                topic: "gone".into(),
                payload: "yes".into(),
            });
        });
        settings.destination = settings.destination.for_check().unwrap();
        let mut talk = Talk::new(&world, &settings);
        let login = talk.sent(&mut world).unwrap();
        assert_eq!(login[9], 2, "a clean session, and nothing else");
        assert_eq!(&login[14..], tried.as_bytes());
        let disconnect = talk.hears(&mut world, &[0x20, 2, 0, 5]).unwrap_err();
        let explains = disconnect
            .error
            .reason
            .contains("another client id than `truck`");
        assert_eq!(explains, configured == Some("truck"), "{disconnect:?}");
    }
}

#[test]
fn the_window_is_kept_and_acknowledgements_may_come_in_any_order() {
    for seed in 1..=20 {
        let mut random = Random(seed);
        let mut world = World::new();
        let window = 1 + random.below(9);
        let settings = settings(|mqtt| mqtt.window = u16::try_from(window).unwrap());
        let mut talk = ready(&mut world, &settings);
        world.append_many(300);
        let (mut open, mut next) = (BTreeMap::new(), 0);
        while world.counters().backlog > 0 {
            for publish in publishes(&talk.sent(&mut world).unwrap()) {
                assert_eq!(number(&publish), next);
                next += 1;
                assert_eq!(open.insert(publish.pkid, ()), None, "identifier in use");
            }
            assert!(open.len() <= window);
            let chosen = *open.keys().nth(random.below(open.len())).unwrap();
            open.remove(&chosen);
            talk.hears(&mut world, &ack(chosen)).unwrap();
        }
        assert_eq!(world.counters().accepted, 300, "seed {seed}");
    }
}

#[test]
fn what_has_no_acknowledgement_goes_again_in_order_marked_as_repeated() {
    let mut world = World::new();
    let settings = settings(|mqtt| mqtt.window = 4);
    world.append_many(6);
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    talk.hears(&mut world, &ack(sent[1].pkid)).unwrap();
    let disconnect = talk.ends(&mut world);
    assert_eq!(
        disconnect.retry,
        Retry::Paused,
        "two of one name would chase each other"
    );
    lose(&mut world, &disconnect);
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    let shown: Vec<_> = sent.iter().map(|p| (number(p), p.dup)).collect();
    assert_eq!(shown, [(0, true), (2, true), (3, true), (4, false)]);
}

#[test]
fn an_acknowledgement_too_many_belongs_to_nothing_and_ends_nothing() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings(|mqtt| mqtt.window = 1);
    let mut talk = ready(&mut world, &settings);
    // a stale one after the login
    talk.hears(&mut world, &ack(1)).unwrap();
    let first = publishes(&talk.sent(&mut world).unwrap())[0].pkid;
    for wrong in [first + 1, 0, 101, 65_535] {
        talk.hears(&mut world, &ack(wrong)).unwrap();
        assert_eq!(world.counters().accepted, 0, "{wrong}");
    }
    talk.hears(&mut world, &ack(first)).unwrap();
    for accepted in 1..300 {
        world.append_many(1);
        let sent = publishes(&talk.sent(&mut world).unwrap());
        talk.hears(&mut world, &ack(first)).unwrap();
        assert_eq!(world.counters().accepted, accepted, "that one comes again");
        talk.hears(&mut world, &ack(sent[0].pkid)).unwrap();
    }
}

#[test]
fn what_is_sent_again_keeps_its_packet_identifier() {
    let mut world = World::new();
    world.append_many(5);
    let settings = settings(|mqtt| mqtt.clean_session = false);
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    talk.hears(&mut world, &ack(sent[1].pkid)).unwrap();
    talk.hears(&mut world, &ack(sent[3].pkid)).unwrap();
    let disconnect = talk.ends(&mut world);
    lose(&mut world, &disconnect);
    world.append_many(2);
    let mut talk = ready(&mut world, &settings);
    let again = publishes(&talk.sent(&mut world).unwrap());
    let same = |(one, other): (usize, usize)| again[one].pkid == sent[other].pkid;
    assert!([(0, 0), (1, 2), (2, 4)].into_iter().all(same));
    assert!(again[..3].iter().all(|publish| publish.dup));
    let used: Vec<u16> = sent.iter().map(|publish| publish.pkid).collect();
    assert!(again[3..].iter().all(|new| !used.contains(&new.pkid)));
    for publish in again {
        talk.hears(&mut world, &ack(publish.pkid)).unwrap();
    }
    assert_eq!(world.counters().accepted, 7);
}

#[test]
fn a_packet_out_of_turn_ends_the_connection() {
    let suback = [0x90, 3, 0, 1, 0];
    let long = [0x40, 0xff, 0xff, 0x7f];
    for wrong in [
        &ACCEPTED[..],
        &suback,
        &[0x50, 2, 0, 1],
        &[0xe0, 0],
        &[0; 2],
        &long,
    ] {
        let mut world = World::new();
        world.append_many(1);
        let settings = settings(|_| {});
        let mut talk = ready(&mut world, &settings);
        talk.sent(&mut world).unwrap();
        assert!(talk.hears(&mut world, wrong).is_err(), "{wrong:?}");
    }
    let mut world = World::new();
    let settings = settings(|_| {});
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    assert!(talk.hears(&mut world, &PONG).is_err(), "before the login");
}

#[test]
fn messages_of_somebody_elses_subscription_are_acknowledged_and_thrown_away() {
    let mut world = World::new();
    let settings = settings(|_| {});
    let mut talk = ready(&mut world, &settings);
    let answer = talk
        .hears(&mut world, b"\x32\x05\x00\x01t\x00\x07")
        .unwrap();
    assert_eq!(answer, ack(7));
    assert_eq!(talk.hears(&mut world, b"\x30\x03\x00\x01t").unwrap(), b"");
}

#[test]
fn silence_is_broken_by_a_ping_that_has_to_be_answered() {
    let mut world = World::new();
    let settings = settings(|_| {});
    let mut talk = ready(&mut world, &settings);
    let began = world.now.mono;
    for round in 1..=3 {
        assert_eq!(talk.wakes(&mut world).unwrap(), [0xc0, 0]);
        assert_eq!(world.now.mono, began + round * 60 * SECOND);
        talk.hears(&mut world, &PONG).unwrap();
    }
    talk.wakes(&mut world).unwrap();
    assert!(is_no_answer(talk.wakes(&mut world)));
    assert_eq!(world.now.mono, began + (240 + 30) * SECOND);
}

#[test]
fn a_publish_is_as_good_as_a_ping() {
    let mut world = World::new();
    let settings = settings(|_| {});
    let mut talk = ready(&mut world, &settings);
    world.pass(50 * SECOND);
    world.append_many(1);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    talk.hears(&mut world, &ack(sent[0].pkid)).unwrap();
    let published = world.now.mono;
    assert_eq!(talk.wakes(&mut world).unwrap(), [0xc0, 0]);
    assert_eq!(world.now.mono, published + 60 * SECOND);
}

#[test]
fn without_a_keep_alive_there_is_no_ping() {
    let world = &mut World::new();
    let settings = settings(|mqtt| mqtt.keep_alive = Duration::ZERO);
    let talk = ready(world, &settings);
    assert!(!talk.wants_to_be_woken(world));
}

#[test]
fn a_login_or_publish_without_an_answer_ends_the_connection() {
    let mut world = World::new();
    world.append_many(2);
    let settings = settings(|_| {});
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    assert!(is_no_answer(talk.wakes(&mut world)));
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    world.pass(20 * SECOND);
    talk.hears(&mut world, &ack(sent[0].pkid)).unwrap();
    let heard = world.now.mono;
    assert!(is_no_answer(talk.wakes(&mut world)));
    assert_eq!(world.now.mono, heard + 30 * SECOND);
}

#[test]
fn a_message_without_a_topic_is_skipped_with_its_reason() {
    let mut world = World::new();
    for topic in ["a/b", "", "a+b", "#", "x\0y"] {
        let mut message = Message::new("a").unwrap();
        message.set("topic", topic);
        world.append_message(&message);
    }
    world.append("nothing");
    let mut long = Message::new("a").unwrap();
    long.set("topic", "x".repeat(30_000).as_str());
    world.append_message(&long);
    let settings = settings(|mqtt| mqtt.topic = Template::parse("{topic}{topic}{topic}").unwrap());
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].topic, "a/ba/ba/b");
    talk.hears(&mut world, &ack(sent[0].pkid)).unwrap();
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.filtered), (1, 6));
    let told = format!("{:?}", world.events());
    for reason in [
        "is empty",
        "contain '+'",
        "contain '#'",
        "has no `topic`",
        "90000 bytes",
    ] {
        assert!(told.contains(reason), "{reason}: {told}");
    }
}

#[test]
fn a_payload_can_be_an_array_and_be_kept_by_the_broker() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings(|mqtt| {
        mqtt.payload = Payload::Array;
        mqtt.retain = true;
    });
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    let payload: serde_json::Value = serde_json::from_slice(&sent[0].payload).unwrap();
    assert_eq!(number_of(&payload[0]), 0);
    assert!(sent[0].retain);
}

#[test]
fn a_backlog_that_is_read_anew_ends_the_connection() {
    let mut world = World::new();
    world.append_many(2);
    let settings = settings(|_| {});
    let mut talk = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    world.restart();
    talk.hears(&mut world, &ack(sent[0].pkid)).unwrap();
    assert_eq!(world.counters().accepted, 0, "a late answer");
    let disconnect = talk.sent(&mut world).unwrap_err();
    lose(&mut world, &disconnect);
    assert_eq!(world.engine.paused_until(world.now), None);
}

#[test]
fn bytes_may_come_in_any_pieces() {
    for seed in 1..=20 {
        let (mut random, mut world) = (Random(seed), World::new());
        world.append_many(40);
        let settings = settings(|_| {});
        let mut talk = ready(&mut world, &settings);
        let sent = publishes(&talk.sent(&mut world).unwrap());
        let mut answers: Vec<u8> = sent.iter().flat_map(|p| ack(p.pkid)).collect();
        answers.extend(PONG);
        talk.hears_in_pieces(&mut world, &answers, &mut random)
            .unwrap();
        assert_eq!(world.counters().accepted, 40);
    }
}

#[test]
fn random_bytes_never_panic() {
    for seed in 1..=3000 {
        let (mut random, mut world) = (Random(seed), World::new());
        world.append_many(3);
        let settings = settings(|_| {});
        let mut talk = ready(&mut world, &settings);
        talk.sent(&mut world).unwrap();
        let kinds = [
            0x20, 0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x70, 0x90, 0xb0, 0xd0,
        ];
        let mut bytes = vec![
            kinds[random.below(kinds.len())],
            u8::try_from(random.below(8)).unwrap(),
        ];
        bytes.extend((0..random.below(12)).map(|_| u8::try_from(random.below(256)).unwrap()));
        let _lost = talk.hears(&mut world, &bytes);
        world.counters();
    }
}
