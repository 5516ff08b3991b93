//! AMQP 0-9-1: what a broker does not take, and what no broker says.

use crate::amqp_broker::ALIVE;
use crate::amqp_broker::Broker;
use crate::amqp_broker::Publish;
use crate::amqp_broker::ack;
use crate::amqp_broker::blocked;
use crate::amqp_broker::close;
use crate::amqp_broker::frame;
use crate::amqp_broker::give_back;
use crate::amqp_broker::method;
use crate::amqp_broker::nack;
use crate::amqp_broker::numbers;
use crate::amqp_broker::settings;
use crate::amqp_broker::short;
use crate::amqp_broker::unblocked;
use crate::random::Random;
use crate::talk::lose;
use crate::world::World;
use weir::stream::Retry;
use weir::stream::settings::Settings;
use weir::template::Template;

#[test]
fn what_came_back_is_not_taken_however_it_is_acknowledged() {
    for multiple in [true, false] {
        let settings = settings(|_| {});
        let mut world = World::of(&settings);
        ["a", "b", "c"].iter().for_each(|ident| world.append(ident));
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        let sent = broker.hears(&mut talk, &mut world);
        talk.hears(&mut world, &give_back(&sent[1])).unwrap();
        assert_eq!(
            world.counters().backlog,
            3,
            "only the acknowledgement ends it"
        );
        let said = match multiple {
            true => ack(3, true),
            false => [ack(3, false), ack(2, false), ack(1, false)].concat(),
        };
        talk.hears(&mut world, &said).unwrap();
        let accepted = world.counters().accepted;
        assert_eq!(accepted, 1, "what lies behind it is not settled before it");
        // the others were taken: it has its second try
        let again = broker.hears(&mut talk, &mut world);
        assert_eq!(numbers(&again), [1]);
        let said = [give_back(&again[0]), ack(again[0].tag, false)].concat();
        talk.hears(&mut world, &said).unwrap();
        let counters = world.counters();
        assert_eq!((counters.accepted, counters.given_up), (2, 1));
    }
}

#[test]
fn where_all_come_back_nothing_is_lost() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    world.append_many(30);
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    for _ in 0..200 {
        for publish in broker.hears(&mut talk, &mut world) {
            let said = [give_back(&publish), ack(publish.tag, false)].concat();
            talk.hears(&mut world, &said).unwrap();
        }
        world.wait();
    }
    let counters = world.counters();
    assert_eq!((counters.backlog, counters.given_up), (30, 0));
}

#[test]
fn what_came_back_and_was_not_sent_ends_the_connection() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    world.append("a");
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    let sent = broker.hears(&mut talk, &mut world);
    for id in ["00000000:9", "9", "", "00000000:x"] {
        let mut odd = sent[0].clone();
        odd.header = [&[0, 60, 0, 0][..], &[0; 8], &[0, 0x80], &short(id)].concat();
        let mut talk = Broker::ready(&mut world, &settings).0;
        assert!(talk.hears(&mut world, &give_back(&odd)).is_err(), "{id}");
    }
    assert_eq!(world.counters().backlog, 1);
}

/// Ends connections with these words as soon as the oldest is published.
fn end_each(world: &mut World, settings: &Settings, said: &[u8], times: usize) -> Vec<u64> {
    let mut first = Vec::new();
    for _ in 0..times {
        let (mut talk, mut broker) = Broker::ready(world, settings);
        first.extend(numbers(&broker.hears(&mut talk, world)).first());
        let disconnect = talk.hears(world, said).unwrap_err();
        lose(world, &disconnect);
    }
    first
}

#[test]
fn what_is_not_of_one_message_costs_none_and_keeps_the_order() {
    for (code, text, named) in [
        (404, "NOT_FOUND - no exchange 'x'", "look at `exchange`"),
        (
            403,
            "ACCESS_REFUSED - access to exchange 'x'",
            "rights to write",
        ),
        (320, "CONNECTION_FORCED - shutdown", "CONNECTION_FORCED"),
        (541, "INTERNAL_ERROR", "INTERNAL_ERROR"),
        (506, "RESOURCE_ERROR", "RESOURCE_ERROR"),
    ] {
        let settings = settings(|_| {});
        let mut world = World::of(&settings);
        world.append_many(5);
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        broker.hears(&mut talk, &mut world);
        let disconnect = talk.hears(&mut world, &close(1, code, text)).unwrap_err();
        assert_eq!(disconnect.error.code, i32::from(code));
        assert!(disconnect.error.reason.contains(named), "{disconnect:?}");
        lose(&mut world, &disconnect);
        let said = close(0, code, text);
        let first = end_each(&mut world, &settings, &said, 20);
        assert_eq!(first, [0; 20], "{code}");
        assert_eq!(world.counters().given_up, 0, "{code}");
    }
}

#[test]
fn the_message_that_the_broker_speaks_of_is_set_aside_at_once() {
    for words in [
        |_: usize| "ACCESS_REFUSED - access to topic 'weir.bad' in exchange 'x' refused".into(),
        |len: usize| format!("PRECONDITION_FAILED - message size {len} is larger than 9"),
    ] {
        let settings = settings(|_| {});
        let mut world = World::of(&settings);
        ["a", "bad", "a", "a"]
            .iter()
            .for_each(|ident| world.append(ident));
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        let sent = broker.hears(&mut talk, &mut world);
        assert_eq!(numbers(&sent), [0, 1, 2, 3]);
        let said = close(1, 403, &words(sent[1].body.len()));
        let disconnect = talk.hears(&mut world, &said).unwrap_err();
        assert_eq!(disconnect.retry, Retry::AtOnce);
        lose(&mut world, &disconnect);
        // the others first, and it has its second try
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        assert_eq!(numbers(&broker.hears(&mut talk, &mut world)), [0, 2, 3]);
        talk.hears(&mut world, &ack(3, true)).unwrap();
        assert_eq!(numbers(&broker.hears(&mut talk, &mut world)), [1]);
        talk.hears(&mut world, &said).unwrap_err();
        let counters = world.counters();
        assert_eq!((counters.accepted, counters.given_up), (3, 1));
    }
}

#[test]
fn a_message_over_which_every_connection_ends_is_found() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    world.append("bad");
    world.append_many(20);
    for _ in 0..60 {
        if world.counters().backlog == 0 {
            break;
        }
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        let disconnect = loop {
            let sent = broker.hears(&mut talk, &mut world);
            if sent.is_empty() {
                break talk.closes(&mut world);
            }
            let is_bad = |it: &Publish| it.key == "weir.bad";
            let good = sent.iter().take_while(|it| !is_bad(it)).last();
            if let Some(good) = good {
                talk.hears(&mut world, &ack(good.tag, true)).unwrap();
            }
            if sent.iter().any(is_bad) {
                break talk
                    .hears(&mut world, &close(0, 501, "FRAME_ERROR"))
                    .unwrap_err();
            }
        };
        lose(&mut world, &disconnect);
    }
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (20, 1));
}

#[test]
fn a_routing_key_that_is_too_long_never_goes() {
    let settings = settings(|amqp| {
        let key = format!("{{ident}}{}", "x".repeat(250));
        amqp.routing_key = Template::parse(&key).unwrap();
    });
    let mut world = World::of(&settings);
    ["abcde", "abcdef", "abcd"]
        .iter()
        .for_each(|ident| world.append(ident));
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    assert_eq!(numbers(&broker.hears(&mut talk, &mut world)), [0, 2]);
    talk.hears(&mut world, &ack(2, true)).unwrap();
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (2, 1));
    let events = format!("{:?}", world.events());
    assert!(events.contains("a routing key of 256 bytes"), "{events}");
}

#[test]
fn what_no_broker_says_ends_the_connection_and_loses_nothing() {
    let odd = [
        frame(1, 1, &[0, 60]),
        frame(4, 0, &[]),
        method(1, 60, 80, &[0; 8]),
        method(1, 60, 80, &[0; 10]),
        method(0, 10, 60, b"\x05low"),
        method(0, 10, 50, b"\x01\x40\xffx"),
        frame(2, 1, &[0, 60, 0, 0]),
        frame(
            2,
            1,
            &[&[0, 60, 0, 0][..], &[0; 8], b"\x20\0\xff\xff\xff\xff"].concat(),
        ),
        frame(3, 1, &[0; 16_377]),
        b"\x01\0\0\xff\xff\xff\xff".to_vec(),
        [&ALIVE[..7], &[0]].concat(),
        b"AMQP\0\0\x09\x01".to_vec(),
    ];
    for (at, bytes) in odd.iter().enumerate() {
        let settings = settings(|_| {});
        let mut world = World::of(&settings);
        world.append_many(2);
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        broker.hears(&mut talk, &mut world);
        assert!(talk.hears(&mut world, bytes).is_err(), "{at}");
        assert_eq!(world.counters().backlog, 2, "{at}");
    }
    for fine in [
        frame(3, 1, &[0; 16_376]),
        method(1, 60, 60, b"what nobody asked for"),
        method(0, 99, 1, b""),
        // headers, priority, message id; nothing of it came back
        frame(
            2,
            1,
            &[&[0, 60, 0, 0][..], &[0; 8], b"\x28\x80\0\0\0\0\x05\x01x"].concat(),
        ),
    ] {
        let (mut world, settings) = (World::new(), settings(|_| {}));
        let (mut talk, _) = Broker::ready(&mut world, &settings);
        talk.hears(&mut world, &fine).unwrap();
    }
}

#[test]
fn no_byte_that_is_wrong_harms_more_than_its_connection() {
    for seed in 1..=400 {
        let mut random = Random(seed);
        let settings = settings(|amqp| amqp.window = 3);
        let mut world = World::of(&settings);
        ["a", "b", "c", "d"]
            .iter()
            .for_each(|ident| world.append(ident));
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        let sent = broker.hears(&mut talk, &mut world);
        let mut said = [
            give_back(&sent[1]),
            blocked("low"),
            ack(2, true),
            unblocked(),
            nack(3, false),
            close(1, 403, "access to topic 'weir.c' is refused"),
        ]
        .concat();
        for _ in 0..1 + random.below(3) {
            let at = random.below(said.len());
            said[at] = random.next().to_le_bytes()[0];
        }
        let heard = talk.hears_in_pieces(&mut world, &said, &mut random);
        let disconnect = heard.err().unwrap_or_else(|| talk.closes(&mut world));
        lose(&mut world, &disconnect);
        world.counters();
    }
}
