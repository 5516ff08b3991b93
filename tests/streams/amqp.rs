//! AMQP 0-9-1: the link against a broker that a test plays.

use crate::amqp_broker::ALIVE;
use crate::amqp_broker::Broker;
use crate::amqp_broker::Publish;
use crate::amqp_broker::ack;
use crate::amqp_broker::blocked;
use crate::amqp_broker::give_back;
use crate::amqp_broker::long;
use crate::amqp_broker::nack;
use crate::amqp_broker::numbers;
use crate::amqp_broker::settings;
use crate::amqp_broker::short;
use crate::amqp_broker::tune;
use crate::amqp_broker::unblocked;
use crate::random::Random;
use crate::talk::lose;
use crate::world::World;
use std::time::Duration;
use weir::message::Message;
use weir::stream::Retry;

const SECOND: Duration = Duration::from_secs(1);

/// After so many answers, whether with a certificate: what the broker says then, and what is said
#[test]
fn a_message_is_published_with_what_those_who_read_it_need() {
    let mut world = World::new();
    world.append("352093081452251");
    let settings = settings(|amqp| amqp.exchange = "reports".into());
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    let sent = broker.hears(&mut talk, &mut world);
    let publish = &sent[0];
    assert_eq!(
        (publish.exchange.as_str(), publish.key.as_str()),
        ("reports", "weir.352093081452251")
    );
    let ident = [short("ident"), b"S".to_vec(), long(b"352093081452251")].concat();
    let properties = [
        // content type, headers, delivery mode, message id, timestamp, app id
        0b1011_0000_1100_1000u16.to_be_bytes().to_vec(),
        short("application/json"),
        long(&ident),
        vec![2],
        short("00000000:1"),
        1_700_000_000u64.to_be_bytes().to_vec(),
        short("weir"),
    ];
    let (head, rest) = publish.header.split_at(12);
    assert_eq!(
        (&head[..4], rest),
        (&[0, 60, 0, 0][..], &properties.concat()[..])
    );
    let text = str::from_utf8(&publish.body).unwrap();
    let expected = r#"{"ident":"352093081452251","timestamp":1700000000,"n":0,"server"#;
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_body_is_split_where_the_broker_wants_small_frames() {
    let mut world = World::new();
    let mut message = Message::new("a").unwrap();
    message.set("n", 0_u64);
    message.set("text", "x".repeat(20_000).as_str());
    world.append_message(&message);
    world.serve();
    for (frame_max, expected) in [(0, 2), (131_072, 2), (4096, 5), (9000, 3)] {
        let settings = settings(|_| {});
        let proposed = tune(0, frame_max, 0);
        let (mut talk, mut broker) = Broker::tuned(&mut world, &settings, &proposed);
        let sent = broker.hears(&mut talk, &mut world);
        assert_eq!(sent[0].number(), 0);
        let most = if frame_max == 0 {
            16_384
        } else {
            frame_max.min(16_384)
        };
        assert!(sent[0].lens.iter().all(|len| *len <= most as usize));
        assert_eq!(sent[0].lens.len(), expected, "{frame_max}");
        let disconnect = talk.ends(&mut world);
        lose(&mut world, &disconnect);
    }
}

#[test]
fn answers_come_in_any_order_together_and_in_pieces_and_each_counts_once() {
    for seed in 1..=20 {
        let mut random = Random(seed);
        let window = 1 + random.below(40);
        let settings = settings(|amqp| amqp.window = u16::try_from(window).unwrap());
        let mut world = World::of(&settings);
        let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
        for n in 0..300 {
            world.append(if n % 7 == 3 { "lost" } else { "a" });
        }
        let (mut open, mut taken): (Vec<Publish>, Vec<u64>) = Default::default();
        while world.counters().backlog > 0 {
            open.extend(broker.hears(&mut talk, &mut world));
            assert!(!open.is_empty() && open.len() <= window, "seed {seed}");
            let mut said = Vec::new();
            // a broker says what comes back before it says that it is done with it
            for publish in open.iter().filter(|it| it.key == "weir.lost") {
                said.extend(give_back(publish));
            }
            let chosen = open[random.below(open.len())].tag;
            let multiple = random.below(2) == 0;
            said.extend(ack(chosen, multiple));
            let is_done = |it: &Publish| it.tag == chosen || multiple && it.tag < chosen;
            let others = open
                .iter()
                .filter(|it| !is_done(it) && it.key == "weir.lost");
            // the rest of those that came back are done as well
            let others: Vec<u64> = others.map(|it| it.tag).collect();
            others.iter().for_each(|tag| said.extend(ack(*tag, false)));
            let is_done = |it: &mut Publish| is_done(it) || others.contains(&it.tag);
            let done: Vec<Publish> = open.extract_if(.., is_done).collect();
            taken.extend(
                done.iter()
                    .filter(|it| it.key != "weir.lost")
                    .map(Publish::number),
            );
            talk.hears_in_pieces(&mut world, &said, &mut random)
                .unwrap();
        }
        let counters = world.counters();
        let lost = (0..300).filter(|n| n % 7 == 3).count() as u64;
        assert_eq!(
            (counters.accepted, counters.given_up),
            (300 - lost, lost),
            "seed {seed}"
        );
        taken.sort_unstable();
        let expected: Vec<u64> = (0..300).filter(|n| n % 7 != 3).collect();
        taken.dedup();
        assert_eq!(taken, expected, "seed {seed}");
    }
}

#[test]
fn a_nack_is_later_and_the_oldest_goes_alone_first() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    world.append_many(5);
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    let sent = broker.hears(&mut talk, &mut world);
    assert_eq!(numbers(&sent), [0, 1, 2, 3, 4]);
    talk.hears(&mut world, &[ack(1, false), nack(4, true)].concat())
        .unwrap();
    assert_eq!(broker.hears(&mut talk, &mut world).len(), 0, "a pause");
    let pause = world.engine.paused_until(world.now).unwrap() - world.now.mono;
    assert!(pause <= 2 * SECOND, "one for all: {pause:?}");
    talk.hears(&mut world, &ack(5, false)).unwrap();
    world.wait();
    talk.hears(&mut world, &nack(9, false)).unwrap();
    assert_eq!(
        numbers(&broker.hears(&mut talk, &mut world)),
        [1, 2, 3],
        "some were taken"
    );
    talk.hears(&mut world, &nack(8, true)).unwrap();
    for _ in 0..3 {
        world.wait();
        let sent = broker.hears(&mut talk, &mut world);
        assert_eq!(numbers(&sent), [1]);
        talk.hears(&mut world, &nack(sent[0].tag, false)).unwrap();
    }
    world.wait();
    let sent = broker.hears(&mut talk, &mut world);
    assert_eq!(numbers(&sent), [1]);
    talk.hears(&mut world, &ack(sent[0].tag, false)).unwrap();
    assert_eq!(
        numbers(&broker.hears(&mut talk, &mut world)),
        [2, 3],
        "there is room"
    );
    assert_eq!(world.counters().given_up, 0);
}

#[test]
fn while_the_broker_is_blocked_nothing_goes_and_no_answer_is_missed() {
    let settings = settings(|amqp| amqp.window = 2);
    let mut world = World::of(&settings);
    world.append_many(5);
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    assert_eq!(broker.hears(&mut talk, &mut world).len(), 2);
    talk.hears(&mut world, &blocked("low on memory")).unwrap();
    let events = format!("{:?}", world.events());
    assert!(
        events.contains("takes no messages now: low on memory"),
        "{events}"
    );
    // ten minutes of signs of life, both ways
    for _ in 0..20 {
        assert_eq!(talk.wakes(&mut world).unwrap(), ALIVE);
        assert_eq!(talk.sent(&mut world).unwrap(), b"");
        talk.hears(&mut world, &ALIVE).unwrap();
    }
    talk.hears(&mut world, &unblocked()).unwrap();
    world.pass(29 * SECOND);
    talk.hears(&mut world, &ack(2, true)).unwrap();
    world.wait();
    assert_eq!(numbers(&broker.hears(&mut talk, &mut world)), [2, 3]);
    assert_eq!(world.counters().accepted, 2);
}

#[test]
fn an_answer_that_stays_away_ends_the_connection() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    let (mut talk, mut broker) = Broker::tuned(&mut world, &settings, &tune(0, 0, 600));
    world.append_many(1);
    broker.hears(&mut talk, &mut world);
    let sign = talk.wakes(&mut world).map(|_| ());
    let sign = sign.and_then(|()| talk.wakes(&mut world).map(|_| ()));
    let disconnect = sign.unwrap_err();
    assert_eq!(disconnect.error.code, -2);
    assert!(
        disconnect.error.reason.contains("a publish"),
        "{disconnect:?}"
    );
}

#[test]
fn signs_of_life_go_both_ways() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    let (mut talk, _) = Broker::tuned(&mut world, &settings, &tune(0, 0, 10));
    let start = world.now.mono;
    for _ in 0..3 {
        assert_eq!(talk.wakes(&mut world).unwrap(), ALIVE);
    }
    assert_eq!(world.now.mono - start, 15 * SECOND);
    let mut disconnect = None;
    while disconnect.is_none() {
        disconnect = talk.wakes(&mut world).err();
    }
    assert_eq!(world.now.mono - start, 20 * SECOND, "twice what was agreed");
    let reason = disconnect.unwrap().error.reason;
    assert!(
        reason.contains("no answer within 20s to a heartbeat"),
        "{reason}"
    );
}

#[test]
fn what_is_read_anew_has_a_connection_of_its_own() {
    let settings = settings(|_| {});
    let mut world = World::of(&settings);
    world.append_many(3);
    let (mut talk, mut broker) = Broker::ready(&mut world, &settings);
    broker.hears(&mut talk, &mut world);
    world.restart();
    talk.hears(&mut world, &ack(3, true)).unwrap();
    assert_eq!(talk.sent(&mut world).unwrap_err().retry, Retry::Renewed);
    assert_eq!(world.counters().backlog, 3);
}
