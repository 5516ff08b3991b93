//! Wialon Retranslator: the link against a receiver that a test plays.

use crate::random::Random;
use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use std::collections::BTreeSet;
use std::time::Duration;
use weir::filter::Filter;
use weir::message::Message;
use weir::net::Target;
use weir::ring::Seq;
use weir::stream::Disconnect;
use weir::stream::Retry;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;
use weir::stream::settings::Settings;
use weir::stream::wialon_retranslator::Ack;
use weir::stream::wialon_retranslator::WialonRetranslator;
use weir::wire::retranslator;
use weir::wire::retranslator::BlockValue;

pub(crate) fn settings(window: u16, ack: Ack) -> Settings {
    let target = Target {
        host: "localhost".into(),
        port: 20163,
    };
    let wialon = WialonRetranslator {
        window,
        ack,
        ..WialonRetranslator::new(target)
    };
    talk::settings(wialon, delivery())
}

/// The numbers of the messages in these packets.
pub(crate) fn packets(bytes: &[u8]) -> Vec<u64> {
    let (mut rest, mut all) = (bytes, Vec::new());
    while let Some((packet, len)) = retranslator::decode(rest).unwrap() {
        let numbered = packet.blocks().find(|block| block.name == "n").unwrap();
        match numbered.value {
            BlockValue::I32(n) => all.push(u64::try_from(n).unwrap()),
            other => panic!("{other:?}"),
        }
        rest = &rest[len..];
    }
    assert_eq!(rest, b"");
    all
}

/// A receiver that says nothing of the packets that it does not take.
struct Receiver<'a> {
    takes: &'a dyn Fn(u64) -> bool,
    taken: Vec<u64>,
    connections: usize,
}

impl<'a> Receiver<'a> {
    fn new(takes: &'a dyn Fn(u64) -> bool) -> Self {
        Self {
            takes,
            taken: Vec::new(),
            connections: 0,
        }
    }

    /// One connection, until it is lost or nothing is left to send.
    fn serve(&mut self, world: &mut World, settings: &Settings) -> Option<Disconnect> {
        let mut talk = Talk::new(world, settings);
        self.connections += 1;
        let mut sent = packets(&talk.sent(world).unwrap());
        while !sent.is_empty() || talk.wants_to_be_woken(world) {
            let taken: Vec<u64> = sent.into_iter().filter(|n| (self.takes)(*n)).collect();
            if taken.is_empty() {
                return talk.wakes(world).err();
            }
            let mut bytes = talk.hears(world, &vec![0x11; taken.len()]).unwrap();
            self.taken.extend(taken);
            bytes.extend(talk.sent(world).unwrap());
            sent = packets(&bytes);
        }
        None
    }

    /// What was taken, without what was taken before.
    fn first_arrivals(&self) -> Vec<u64> {
        let mut seen = BTreeSet::new();
        let taken = self.taken.iter().copied();
        taken.filter(|n| seen.insert(*n)).collect()
    }

    /// Connections until everything is settled, at most `most`.
    fn serve_all(&mut self, world: &mut World, settings: &Settings, most: usize) {
        let most = self.connections + most;
        while self.connections < most {
            match self.serve(world, settings) {
                Some(disconnect) => lose(world, &disconnect),
                None => return,
            }
        }
    }
}

#[test]
fn packets_go_in_order_and_a_flight_lands_when_all_of_it_is_answered() {
    let mut world = World::new();
    world.append_many(5);
    let settings = settings(3, Ack::Byte);
    let mut talk = Talk::new(&world, &settings);
    assert_eq!(packets(&talk.sent(&mut world).unwrap()), [0, 1, 2]);
    talk.hears(&mut world, &[0x11, 0x11]).unwrap();
    assert_eq!(talk.sent(&mut world).unwrap(), b"");
    assert_eq!(
        world.counters().accepted,
        0,
        "whose they are is not known yet"
    );
    talk.hears(&mut world, &[0x11]).unwrap();
    assert_eq!(world.counters().accepted, 3);
    assert_eq!(packets(&talk.sent(&mut world).unwrap()), [3, 4]);
}

#[test]
fn a_packet_says_what_the_message_says() {
    let mut world = World::new();
    let mut message = Message::new("352093081452251").unwrap();
    message.set_timestamp(1_700_000_000_999_999);
    message.set("position.latitude", 54.5);
    message.set("position.longitude", -3.25);
    message.set("channel.name", "trackers");
    world.append_message(&message);
    let settings = settings(1, Ack::Byte);
    let sent = Talk::new(&world, &settings).sent(&mut world).unwrap();
    let (packet, _) = retranslator::decode(&sent).unwrap().unwrap();
    assert_eq!(
        (packet.uid, packet.time_s),
        ("352093081452251", 1_700_000_000)
    );
    assert_eq!(packet.blocks().count(), 1);
}

#[test]
fn the_packet_that_is_never_answered_is_given_up_and_all_others_arrive_in_order() {
    for (window, poison) in [(1, 0), (1, 7), (10, 0), (10, 7), (100, 99), (4, 61)] {
        let mut world = World::new();
        world.append_many(100);
        let takes = |n| n != poison;
        let mut receiver = Receiver::new(&takes);
        receiver.serve_all(&mut world, &settings(window, Ack::Byte), 20);
        let expected: Vec<u64> = (0..100).filter(|n| takes(*n)).collect();
        assert_eq!(receiver.first_arrivals(), expected);
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.accepted), (1, 99));
        assert!(receiver.connections <= 10, "{}", receiver.connections);
    }
}

#[test]
fn poison_by_chance_stops_nothing_else_and_is_never_taken_for_accepted() {
    for seed in 1..=30 {
        let mut random = Random(seed);
        let poison: Vec<u64> = (0..6).map(|_| random.next() % 100).collect();
        let mut world = World::new();
        world.append_many(100);
        let window = u16::try_from(1 + random.below(40)).unwrap();
        let takes = |n| !poison.contains(&n);
        let mut receiver = Receiver::new(&takes);
        receiver.serve_all(&mut world, &settings(window, Ack::Byte), 100);
        let expected: Vec<u64> = (0..100).filter(|n| takes(*n)).collect();
        assert_eq!(receiver.first_arrivals(), expected, "seed {seed}");
        let counters = world.counters();
        assert_eq!(counters.accepted, expected.len() as u64, "seed {seed}");
        assert_eq!(counters.given_up, 100 - counters.accepted);
    }
}

/// A stream whose receiver is known to live: it has acknowledged a message.
fn acknowledged_once() -> (World, Settings) {
    let (mut world, settings) = (World::new(), settings(10, Ack::Byte));
    world.append_many(1);
    Receiver::new(&|_| true).serve_all(&mut world, &settings, 1);
    (world, settings)
}

#[test]
fn a_receiver_that_answers_nothing_for_a_while_costs_no_message() {
    let (mut world, settings) = acknowledged_once();
    world.append_many(20);
    Receiver::new(&|_| false).serve_all(&mut world, &settings, 60);
    assert_eq!(world.counters().backlog, 20);
    let mut receiver = Receiver::new(&|_| true);
    receiver.serve_all(&mut world, &settings, 10);
    assert_eq!(world.counters().accepted, 21);
    assert!(receiver.first_arrivals().is_sorted());
}

#[test]
fn a_receiver_that_never_answered_anything_costs_no_message() {
    for window in [1, 10] {
        let settings = settings(window, Ack::Byte);
        let mut world = World::of(&settings);
        world.append_many(20);
        Receiver::new(&|_| false).serve_all(&mut world, &settings, 100);
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.backlog), (0, 20));
        let mut receiver = Receiver::new(&|_| true);
        receiver.serve_all(&mut world, &settings, 20);
        assert_eq!(world.counters().accepted, 20);
    }
}

#[test]
fn where_all_else_in_memory_is_passed_over_a_packet_that_is_never_answered_is_given_up() {
    let mut settings = settings(1, Ack::Byte);
    settings.filter = Some(Filter::parse("n < 1").unwrap());
    let mut world = World::of(&settings);
    world.append_many(20);
    let mut receiver = Receiver::new(&|_| false);
    receiver.serve_all(&mut world, &settings, 6);
    assert_eq!(world.counters().given_up, 0);
    receiver.serve_all(&mut world, &settings, 1);
    assert_eq!(world.counters().given_up, 1);
}

#[test]
fn answers_to_some_of_a_flight_blame_none_of_it() {
    let mut world = World::new();
    world.append_many(3);
    let settings = settings(10, Ack::Byte);
    for _ in 0..2 {
        let mut talk = Talk::new(&world, &settings);
        assert_eq!(packets(&talk.sent(&mut world).unwrap())[0], 0);
        talk.hears(&mut world, &[0x11]).ok();
        let first = (0..=3).find_map(|seq| world.engine.message(Seq(seq)));
        if let Some(first) = first.map(|message| message.seq) {
            let disconnect = talk.ends(&mut world);
            assert_eq!(world.engine.unanswered_count(first), 0);
            lose(&mut world, &disconnect);
        }
    }
    assert!(world.counters().accepted > 0, "alone it was answered");
}

#[test]
fn a_byte_too_many_is_not_the_answer_of_a_packet_on_trial() {
    let (mut world, settings) = acknowledged_once();
    world.append_many(1);
    Receiver::new(&|_| false).serve_all(&mut world, &settings, 5);
    let mut talk = Talk::new(&world, &settings);
    assert_eq!(packets(&talk.sent(&mut world).unwrap()), [0], "the proof");
    assert!(talk.hears(&mut world, &[0x11, 0x11]).is_err());
    assert_eq!(world.counters().backlog, 1);
}

#[test]
fn what_is_rewound_has_all_its_attempts_again() {
    let (mut world, settings) = acknowledged_once();
    world.append_many(1);
    Receiver::new(&|_| false).serve_all(&mut world, &settings, 5);
    world.restart();
    let sent = Talk::new(&world, &settings).sent(&mut world).unwrap();
    assert_eq!(packets(&sent), [1], "and no proof");
}

#[test]
fn a_receiver_that_closes_at_a_packet_does_not_stop_the_others() {
    let mut world = World::new();
    world.append_many(10);
    let settings = settings(4, Ack::Byte);
    for _ in 0..30 {
        let mut talk = Talk::new(&world, &settings);
        let mut sent = packets(&talk.sent(&mut world).unwrap());
        let disconnect = loop {
            let whole = sent.iter().take_while(|n| **n != 5).count();
            let mut bytes = talk.hears(&mut world, &vec![0x11; whole]).unwrap();
            if whole < sent.len() || sent.is_empty() {
                break talk.ends(&mut world);
            }
            bytes.extend(talk.sent(&mut world).unwrap());
            sent = packets(&bytes);
        };
        lose(&mut world, &disconnect);
    }
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (9, 1));
}

#[test]
fn where_none_may_be_given_up_the_packet_is_sent_for_ever() {
    let mut world = World::with(Delivery {
        on_reject: OnReject::Retry,
        ..delivery()
    });
    world.append_many(10);
    let mut settings = settings(4, Ack::Byte);
    settings.delivery.on_reject = OnReject::Retry;
    let mut receiver = Receiver::new(&|n| n != 2);
    receiver.serve_all(&mut world, &settings, 50);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.backlog), (2, 8));
}

#[test]
fn any_other_byte_and_any_byte_too_many_ends_the_connection() {
    for wrong in [&[0x10][..], &[0x11, 0x11, 0x11], &[0x11, 0]] {
        let mut world = World::new();
        world.append_many(2);
        let settings = settings(10, Ack::Byte);
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        assert!(talk.hears(&mut world, wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn answers_have_to_come_one_by_one_in_time() {
    let mut world = World::new();
    world.append_many(3);
    let settings = settings(10, Ack::Byte);
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    world.pass(Duration::from_secs(29));
    talk.hears(&mut world, &[0x11]).unwrap();
    let heard = world.now.mono;
    assert_eq!(talk.wakes(&mut world).unwrap_err().error.code, -2);
    assert_eq!(world.now.mono, heard + Duration::from_secs(30));
}

#[test]
fn without_acknowledgements_what_is_written_is_accepted() {
    let mut world = World::new();
    world.append_many(5);
    let settings = settings(2, Ack::None);
    let mut talk = Talk::new(&world, &settings);
    assert_eq!(packets(&talk.write(&mut world).unwrap()), [0, 1]);
    assert_eq!(world.counters().accepted, 0);
    talk.hears(&mut world, b"whatever").unwrap();
    assert_eq!(packets(&talk.sent(&mut world).unwrap()), [2, 3, 4]);
    assert_eq!(world.counters().accepted, 5);
    assert!(!talk.wants_to_be_woken(&world));
}

#[test]
fn an_idle_connection_may_end_without_being_a_failure() {
    let mut world = World::new();
    let settings = settings(2, Ack::Byte);
    let talk = Talk::new(&world, &settings);
    assert_eq!(talk.ends(&mut world).retry, Retry::AtOnce);
    world.append_many(1);
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    assert_eq!(talk.ends(&mut world).retry, Retry::Paused);
}

#[test]
fn a_message_that_cannot_be_a_packet_is_skipped() {
    let mut world = World::new();
    let mut message = Message::new("a").unwrap();
    message.set("timestamp", "yesterday");
    world.append_message(&message);
    let settings = settings(2, Ack::Byte);
    assert_eq!(Talk::new(&world, &settings).sent(&mut world).unwrap(), b"");
    assert_eq!(world.counters().filtered, 1);
}
