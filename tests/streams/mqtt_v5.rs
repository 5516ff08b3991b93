//! MQTT 5: what a broker may say beside its acknowledgements, and what becomes of it.

use crate::mqtt::settings;
use crate::random::Random;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number_of;
use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::mqttbytes::v5::Publish;
use std::collections::BTreeMap;
use std::time::Duration;
use weir::stream::Disconnect;
use weir::stream::engine::Event;
use weir::stream::mqtt::profile::Version;
use weir::stream::mqtt::profile::Will;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;
use weir::stream::settings::Settings;

const SECOND: Duration = Duration::from_secs(1);

fn five() -> Settings {
    settings(|mqtt| mqtt.version = Version::V5)
}

/// A login that is accepted, with properties.
fn accepted(properties: &[u8]) -> Vec<u8> {
    answer(0, properties)
}

fn answer(code: u8, properties: &[u8]) -> Vec<u8> {
    let len = u8::try_from(properties.len()).unwrap();
    [&[0x20, 3 + len, 0, code, len], properties].concat()
}

fn receive_maximum(max: u16) -> Vec<u8> {
    let [high, low] = max.to_be_bytes();
    vec![0x21, high, low]
}

fn ready<'a>(world: &mut World, settings: &'a Settings, properties: &[u8]) -> Talk<'a> {
    let mut talk = Talk::new(world, settings);
    talk.sent(world).unwrap();
    talk.hears(world, &accepted(properties)).unwrap();
    assert!(talk.is_ready());
    talk
}

pub(crate) fn publishes(bytes: &[u8]) -> Vec<Publish> {
    let mut rest = BytesMut::from(bytes);
    let mut all = Vec::new();
    while !rest.is_empty() {
        match Packet::read(&mut rest, None).unwrap() {
            Packet::Publish(publish) => all.push(publish),
            other => panic!("{other:?}"),
        }
    }
    all
}

fn number(publish: &Publish) -> u64 {
    number_of(&serde_json::from_slice(&publish.payload).unwrap())
}

fn numbers(bytes: &[u8]) -> Vec<(u64, bool)> {
    let sent = publishes(bytes);
    sent.iter().map(|p| (number(p), p.dup)).collect()
}

fn ack(identifier: u16, code: u8) -> [u8; 5] {
    let [high, low] = identifier.to_be_bytes();
    [0x40, 3, high, low, code]
}

#[test]
fn a_login_says_who_we_are_how_long_the_session_lasts_and_what_we_take() {
    let mut world = World::new();
    let settings = settings(|mqtt| {
        mqtt.version = Version::V5;
        mqtt.username = Some("u".into());
        mqtt.password = Some("pw".into());
        mqtt.keep_alive = 2 * SECOND;
        mqtt.clean_session = false;
        mqtt.retain = true;
        mqtt.will = Some(Will {
            topic: "gone".into(),
            payload: "yes".into(),
        });
    });
    let login = Talk::new(&world, &settings).sent(&mut world).unwrap();
    let expected = b"\x10\x30\x00\x04MQTT\x05\xec\x00\x02\
                     \x0a\x11\xff\xff\xff\xff\x27\x00\x00\x40\x00\
                     \x00\x06weir-1\x00\x00\x04gone\x00\x03yes\x00\x01u\x00\x02pw";
    assert_eq!(login, expected);
    let settings = five();
    let login = Talk::new(&world, &settings).sent(&mut world).unwrap();
    let expected = b"\x10\x18\x00\x04MQTT\x05\x02\x00\x3c\x05\x27\x00\x00\x40\x00\x00\x06weir-1";
    assert_eq!(login, expected);
}

#[test]
fn receive_maximum_is_never_exceeded_in_whatever_order_acknowledgements_come() {
    for seed in 1..=30 {
        let (mut random, mut world) = (Random(seed), World::new());
        let (window, max) = (1 + random.below(9), 1 + random.below(9));
        let settings = settings(|mqtt| {
            mqtt.version = Version::V5;
            mqtt.window = u16::try_from(window).unwrap();
        });
        let properties = receive_maximum(u16::try_from(max).unwrap());
        let mut talk = ready(&mut world, &settings, &properties);
        world.append_many(300);
        let (mut open, mut next) = (BTreeMap::new(), 0);
        while world.counters().backlog > 0 {
            for publish in publishes(&talk.sent(&mut world).unwrap()) {
                assert_eq!(number(&publish), next);
                next += 1;
                assert_eq!(open.insert(publish.pkid, ()), None, "identifier in use");
            }
            assert!(open.len() <= window.min(max), "seed {seed}");
            let chosen = *open.keys().nth(random.below(open.len())).unwrap();
            open.remove(&chosen);
            talk.hears(&mut world, &ack(chosen, 0)).unwrap();
        }
        assert_eq!(world.counters().accepted, 300, "seed {seed}");
    }
}

#[test]
fn receive_maximum_may_be_another_after_each_login() {
    let mut world = World::new();
    world.append_many(40);
    let settings = settings(|mqtt| {
        mqtt.version = Version::V5;
        mqtt.window = 20;
    });
    let mut first = 0;
    for (properties, allowed) in [
        (receive_maximum(65_535), 20),
        (receive_maximum(3), 3),
        (vec![], 20),
        (receive_maximum(1), 1),
        (receive_maximum(5), 5),
    ] {
        let mut talk = ready(&mut world, &settings, &properties);
        for _ in 0..3 {
            let sent = publishes(&talk.sent(&mut world).unwrap());
            assert_eq!(
                sent.len(),
                allowed.min(40 - usize::try_from(first).unwrap())
            );
            for publish in sent {
                assert_eq!(number(&publish), first, "in order");
                first += 1;
                talk.hears(&mut world, &ack(publish.pkid, 0)).unwrap();
            }
        }
        let sent = numbers(&talk.sent(&mut world).unwrap());
        assert_eq!(
            sent.first().map(|sent| sent.0),
            (first < 40).then_some(first)
        );
        let disconnect = talk.ends(&mut world);
        lose(&mut world, &disconnect);
    }
    assert_eq!(world.counters().accepted, first);
}

#[test]
fn an_acknowledgement_that_was_had_or_not_asked_for_is_passed_over() {
    for wrong in [2, 0, 6, 101, 65_535] {
        let mut world = World::new();
        world.append_many(5);
        let settings = five();
        let mut talk = ready(&mut world, &settings, &[]);
        talk.sent(&mut world).unwrap();
        talk.hears(&mut world, &ack(2, 0)).unwrap();
        talk.hears(&mut world, &ack(wrong, 0x99)).unwrap();
        assert_eq!(world.counters().backlog, 5);
    }
}

#[test]
fn a_refused_message_is_given_up_and_those_after_it_arrive() {
    for (code, known, tries) in [
        (0x80, true, 2),
        (0x83, true, 2),
        (0x99, true, 1),
        (0x95, false, 2),
        (0xff, false, 2),
    ] {
        let mut world = World::new();
        world.append_many(3);
        let settings = five();
        let mut talk = ready(&mut world, &settings, &[]);
        assert_eq!(publishes(&talk.sent(&mut world).unwrap()).len(), 3);
        talk.hears(&mut world, &ack(1, 0)).unwrap();
        let said = [0x40, 8, 0, 2, code, 4, 0x1f, 0, 1, b'!'];
        talk.hears(&mut world, &said).unwrap();
        talk.hears(&mut world, &ack(3, 0)).unwrap();
        for again in publishes(&talk.sent(&mut world).unwrap()) {
            let [high, low] = again.pkid.to_be_bytes();
            let said = [0x40, 8, high, low, code, 4, 0x1f, 0, 1, b'!'];
            talk.hears(&mut world, &said).unwrap();
        }
        let counters = world.counters();
        assert_eq!((counters.accepted, counters.given_up), (2, 1), "{code:#x}");
        assert_eq!(world.engine.take_tally().rejected, tries, "{code:#x}");
        let told = format!("{:?}", world.events());
        let said = if known { ": !" } else { "" };
        assert!(told.contains(&format!("(0x{code:02x}){said}\"")), "{told}");
    }
}

#[test]
fn a_refused_message_is_tried_for_ever_where_that_is_wanted() {
    let delivery = Delivery {
        on_reject: OnReject::Retry,
        ..delivery()
    };
    let mut world = World::with(delivery.clone());
    world.append_many(50);
    let mut settings = five();
    settings.delivery = delivery;
    let mut talk = ready(&mut world, &settings, &[]);
    let mut pauses = vec![];
    for _ in 0..4 {
        let sent = publishes(&talk.sent(&mut world).unwrap());
        assert_eq!(sent.len(), 50);
        for publish in sent {
            talk.hears(&mut world, &ack(publish.pkid, 0x99)).unwrap();
        }
        let until = world.engine.paused_until(world.now).unwrap();
        pauses.push((until - world.now.mono).as_secs());
        world.wait();
    }
    assert_eq!(pauses, [1, 1, 1, 1], "one failure each, shortest by chance");
    for publish in publishes(&talk.sent(&mut world).unwrap()) {
        talk.hears(&mut world, &ack(publish.pkid, 0)).unwrap();
    }
    assert_eq!(world.counters().accepted, 50);
}

#[test]
fn eight_refusals_in_a_row_mean_that_the_broker_is_at_fault() {
    let mut world = World::new();
    world.append_many(50);
    let settings = five();
    let mut talk = ready(&mut world, &settings, &[]);
    for publish in publishes(&talk.sent(&mut world).unwrap()) {
        talk.hears(&mut world, &ack(publish.pkid, 0x99)).unwrap();
    }
    let counters = world.counters();
    assert_eq!((counters.given_up, counters.backlog), (8, 42));
    let events = world.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::AtFault { .. }))
    );
    world.wait();
    let sent = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(number(&sent[0]), 8);
}

#[test]
fn what_is_for_want_of_room_costs_no_message() {
    for (code, told) in [(0x97, 0)] {
        let mut world = World::new();
        world.append_many(10);
        let settings = five();
        for _ in 0..3 {
            let mut talk = ready(&mut world, &settings, &[]);
            assert_eq!(numbers(&talk.sent(&mut world).unwrap()).len(), 10);
            let disconnect = talk.hears(&mut world, &ack(1, code)).unwrap_err();
            let until = world.engine.paused_until(world.now);
            lose(&mut world, &disconnect);
            assert_eq!(until, Some(world.now.mono), "one pause, not two");
        }
        let events = world.events();
        let errors = events.iter().filter_map(|event| match event {
            Event::NotDelivered(error) => Some(error.code),
            _ => None,
        });
        assert_eq!(errors.collect::<Vec<_>>(), [told; 3]);
        let mut talk = ready(&mut world, &settings, &[]);
        for (index, publish) in (0..).zip(publishes(&talk.sent(&mut world).unwrap())) {
            assert_eq!((number(&publish), publish.dup), (index, true));
            talk.hears(&mut world, &ack(publish.pkid, 0)).unwrap();
        }
        assert_eq!(world.counters().accepted, 10);
    }
}

#[test]
fn an_identifier_that_the_broker_has_in_use_ends_the_connection() {
    let mut world = World::new();
    world.append_many(1);
    let settings = five();
    let mut talk = ready(&mut world, &settings, &[]);
    talk.sent(&mut world).unwrap();
    let disconnect = talk.hears(&mut world, &ack(1, 0x91)).unwrap_err();
    assert!(
        disconnect.error.reason.contains("identifier in use"),
        "{disconnect:?}"
    );
    assert_eq!(world.counters().backlog, 1);
}

#[test]
fn what_nobody_subscribed_to_is_accepted_and_that_is_said_once() {
    let mut world = World::new();
    world.append_many(5);
    let settings = five();
    let mut talk = ready(&mut world, &settings, &[]);
    for publish in publishes(&talk.sent(&mut world).unwrap()) {
        talk.hears(&mut world, &ack(publish.pkid, 0x10)).unwrap();
    }
    assert_eq!(world.counters().accepted, 5);
    assert_eq!(world.events(), [Event::NoSubscribers]);
}

#[test]
fn the_broker_may_set_the_keep_alive_or_turn_it_off() {
    for (seconds, expected) in [(5, Some(5 * SECOND)), (0, None)] {
        let mut world = World::new();
        let settings = five();
        let mut talk = ready(&mut world, &settings, &[0x13, 0, seconds]);
        assert_eq!(talk.wants_to_be_woken(&world), expected.is_some());
        if let Some(expected) = expected {
            let before = world.now.mono;
            assert_eq!(talk.wakes(&mut world).unwrap(), [0xc0, 0]);
            assert_eq!(world.now.mono - before, expected);
            talk.hears(&mut world, &[0xd0, 0]).unwrap();
        }
    }
}

fn login_fails(settings: &Settings, answer: &[u8]) -> Disconnect {
    let mut world = World::new();
    let mut talk = Talk::new(&world, settings);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, answer).unwrap_err()
}

#[test]
fn a_refused_login_is_told_by_its_code_and_in_words() {
    let settings = five();
    let reason = [0x1f, 0, 2, b'n', b'o'];
    for (code, number, words) in [
        (0x84, 1, "unsupported protocol version (0x84): no"),
        (0x85, 2, "client identifier not valid"),
        (0x88, 3, "server unavailable"),
        (0x86, 4, "bad user name or password"),
        (0x87, 5, "not authorized"),
        (0x97, 0, "quota exceeded"),
        (0xfe, 0, "unknown reason (0xfe)"),
    ] {
        let disconnect = login_fails(&settings, &answer(code, &reason));
        assert_eq!(disconnect.error.code, number, "{disconnect:?}");
        assert!(disconnect.error.reason.contains(words), "{disconnect:?}");
    }
    let old = login_fails(&settings, &[0x20, 2, 0, 1]);
    assert_eq!(old.error.code, 1, "a broker that knows 3.1.1 only");
}

#[test]
fn a_broker_that_cannot_do_what_is_wanted_is_left_with_its_reason() {
    let keeping = settings(|mqtt| {
        mqtt.version = Version::V5;
        mqtt.retain = true;
    });
    for (properties, words) in [
        (&[0x21, 0, 0][..], "no publish in flight"),
        (&[0x27, 0, 0, 0, 0], "a Maximum Packet Size of 0"),
        (&[0x24, 0], "no QoS 1"),
        (&[0x25, 0], "no `retain`"),
    ] {
        let disconnect = login_fails(&keeping, &accepted(properties));
        assert!(disconnect.error.reason.contains(words), "{disconnect:?}");
    }
    let mut world = World::new();
    let settings = five();
    ready(&mut world, &settings, &[0x24, 1, 0x25, 0]);
}

#[test]
fn the_reason_of_a_disconnect_is_told() {
    for (packet, words) in [
        (&[0xe0, 0][..], "normal disconnection"),
        (
            &[0xe0, 1, 0x8e],
            "session taken over (0x8e); another client uses this client id",
        ),
        (&[0xe0, 2, 0x93, 0], "receive maximum exceeded"),
        (
            &[0xe0, 7, 0x8b, 5, 0x1f, 0, 2, b'b', b'y'],
            "server shutting down (0x8b): by",
        ),
        (&[0xe0, 3, 0xee, 9, 9], "unknown reason (0xee)"),
    ] {
        let mut world = World::new();
        world.append_many(2);
        let settings = five();
        let mut talk = ready(&mut world, &settings, &[]);
        talk.sent(&mut world).unwrap();
        let disconnect = talk.hears(&mut world, packet).unwrap_err();
        assert!(disconnect.error.reason.contains(words), "{disconnect:?}");
        assert!(
            disconnect
                .error
                .reason
                .starts_with("the broker ended the connection")
        );
        assert_eq!(world.counters().backlog, 2);
    }
}

#[test]
fn random_bytes_never_panic() {
    for seed in 1..=5000 {
        let (mut random, mut world) = (Random(seed), World::new());
        world.append_many(3);
        let settings = five();
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        if seed % 4 > 0 {
            talk.hears(&mut world, &accepted(&[])).unwrap();
            talk.sent(&mut world).unwrap();
        }
        let kinds = [
            0x20, 0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x70, 0x90, 0xb0, 0xd0, 0xe0, 0xf0,
        ];
        let properties = [0x21, 0x27, 0x13, 0x12, 0x1f, 0x26, 0x0b, 0x23];
        let len = u8::try_from(random.below(16)).unwrap();
        let mut bytes = vec![kinds[random.below(kinds.len())], len, 0];
        for _ in 1..len {
            bytes.push(match random.below(3) {
                0 => properties[random.below(properties.len())],
                1 => u8::try_from(random.below(8)).unwrap(),
                _ => u8::try_from(random.below(256)).unwrap(),
            });
        }
        let _lost = talk.hears(&mut world, &bytes);
        world.counters();
    }
}
