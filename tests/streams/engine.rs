//! The engine by itself: order, the closed prefix, epochs, pauses.

use crate::moment::at;
use crate::random::Random;
use crate::world::World;
use crate::world::delivery;
use crate::world::number;
use std::collections::BTreeSet;
use std::time::Duration;
use weir::ring::Seq;
use weir::stream::DeliveryError;
use weir::stream::Retry;
use weir::stream::engine::Event;
use weir::stream::engine::Repeat;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn messages_go_in_order_and_the_cursor_moves_over_a_closed_prefix_only() {
    let mut world = World::new();
    world.append_many(5);
    let sent = world.take();
    assert!(sent.is_sorted_by_key(|(seq, _)| *seq) && sent.len() == 5);
    assert!(sent.iter().all(|(_, repeat)| *repeat == Repeat::First));
    for (answered, moved) in [(2, 0), (1, 0), (0, 3), (4, 3), (3, 5)] {
        let seq = sent[answered].0;
        world.engine.accepted(0, &[seq], world.now);
        assert_eq!(world.counters().accepted, moved);
    }
}

#[test]
fn what_was_lost_goes_again_in_order_after_a_pause() {
    let mut world = World::new();
    world.append_many(4);
    let sent = world.take();
    let second = sent[1].0;
    world.engine.accepted(0, &[second], world.now);
    world.engine.disconnected(0, Retry::Paused, world.now, 0);
    assert_eq!(world.take(), []);
    world.append_many(1);
    world.pass(SECOND);
    let again = world.take();
    let expected = [sent[0].0, sent[2].0, sent[3].0].map(|seq| (seq, Repeat::Again));
    assert_eq!(again[..3], expected);
    assert_eq!(again[3].1, Repeat::First);
    assert_eq!(again.len(), 4);
}

#[test]
fn an_answer_of_an_earlier_epoch_changes_nothing() {
    let mut world = World::new();
    world.append_many(2);
    let seq = world.take()[0].0;
    world.restart();
    assert_eq!(world.take().len(), 2);
    let error = DeliveryError::new(400, "no");
    world.engine.accepted(0, &[seq], world.now);
    world.engine.refused(0, &[seq], &error, world.now, 0);
    world.engine.disconnected(0, Retry::Paused, world.now, 0);
    world.engine.faulty(0, error, None, world.now, 0);
    world.engine.unanswered(0);
    assert_eq!(world.counters().backlog, 2);
    assert_eq!(world.engine.in_flight(), 2);
    assert_eq!(world.events(), []);
    world.engine.accepted(1, &[seq], world.now);
    assert_eq!(world.counters().accepted, 1);
}

#[test]
fn a_message_that_waited_too_long_is_expired_and_counted() {
    let mut world = World::limited(delivery(), Some(60 * SECOND));
    world.append_many(2);
    world.pass(59 * SECOND);
    world.append_many(1);
    assert_eq!(world.engine.next(world.now).map(|m| number(&m)), Some(0));
    world.pass(2 * SECOND);
    assert_eq!(world.engine.next(world.now).map(|m| number(&m)), Some(2));
    world.engine.disconnected(0, Retry::AtOnce, world.now, 0);
    world.take();
    assert_eq!(world.counters().expired, 2);
}

#[test]
fn pauses_grow_until_something_is_accepted_and_the_connection_lasts() {
    let mut world = World::new();
    world.append_many(1);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        world.wait();
        world.take();
        world
            .engine
            .disconnected(0, Retry::Paused, world.now, u32::MAX);
        let until = world.engine.paused_until(world.now).unwrap();
        pauses.push((until - world.now.mono).as_secs());
    }
    assert_eq!(pauses, [4, 8, 16, 32]);
    world.wait();
    let seq = world.take()[0].0;
    world.engine.accepted(0, &[seq], world.now);
    world.pass(4 * 32 * SECOND);
    world
        .engine
        .disconnected(0, Retry::Paused, world.now, u32::MAX);
    let until = world.engine.paused_until(world.now).unwrap();
    assert_eq!(until - world.now.mono, 4 * SECOND);
    world.engine.wake();
    assert_eq!(world.engine.paused_until(world.now), None);
}

/// Two gateways with one client id throw each other out, and each has something accepted before.
#[test]
fn two_clients_of_one_name_throw_each_other_out_less_and_less_often() {
    let mut world = World::new();
    let began = world.now.mono;
    let mut times = 0;
    while world.now.mono < began + 24 * 3600 * SECOND {
        world.append_many(1);
        let seq = world.take()[0].0;
        world.engine.accepted(0, &[seq], world.now);
        world.pass(SECOND);
        world
            .engine
            .disconnected(0, Retry::Paused, world.now, u32::MAX / 2);
        world.wait();
        times += 1;
    }
    assert!(times < 600, "{times}");
}

#[test]
fn at_once_is_once_when_the_destination_said_nothing_between() {
    let mut world = World::new();
    world.append_many(2);
    world.take();
    world.engine.disconnected(0, Retry::AtOnce, world.now, 0);
    assert_eq!(world.take().len(), 2);
    world.engine.disconnected(0, Retry::AtOnce, world.now, 0);
    assert_eq!(world.take(), []);
    world.wait();
    let seq = world.take()[0].0;
    world.engine.accepted(0, &[seq], world.now);
    world.engine.disconnected(0, Retry::AtOnce, world.now, 0);
    assert_eq!(world.take().len(), 1);
}

#[test]
fn a_slow_way_is_not_taken_for_a_dead_one() {
    let mut world = World::new();
    world.append_many(3);
    let sent = world.take();
    let due = world.engine.overdue_at().unwrap();
    assert_eq!(due, world.now.mono + delivery().timeout);
    world.pass(20 * SECOND);
    world.engine.accepted(0, &[sent[0].0], world.now);
    assert_eq!(world.engine.overdue_at(), Some(due + 20 * SECOND));
    world.pass(5 * SECOND);
    // that a later one is answered says nothing of the oldest
    world.engine.accepted(0, &[sent[2].0], world.now);
    assert_eq!(world.engine.overdue_at(), Some(due + 20 * SECOND));
}

#[test]
fn a_refused_message_is_held_where_none_may_be_given_up() {
    let mut world = World::with(Delivery {
        on_reject: OnReject::Retry,
        ..delivery()
    });
    world.append_many(2);
    for _ in 0..20 {
        world.wait();
        let seq = world.engine.next(world.now).unwrap().seq;
        let error = DeliveryError::new(400, "no");
        world.engine.refused(0, &[seq], &error, world.now, 0);
        assert_eq!(world.events(), [Event::NotDelivered(error)]);
        assert_eq!(world.take(), []);
    }
    assert_eq!(world.counters().backlog, 2);
}

#[test]
fn a_message_that_was_in_doubt_and_is_taken_asks_for_no_more_proofs() {
    let mut world = World::new();
    world.append_many(11);
    let take = |world: &mut World| world.engine.next(world.now).unwrap().seq;
    let first = take(&mut world);
    world.engine.accepted(0, &[first], world.now);
    let sent: Vec<Seq> = (0..9).map(|_| take(&mut world)).collect();
    let (refused, silent) = (&sent[..8], sent[8]);
    let error = DeliveryError::new(0x87, "not authorized");
    let doubt = |world: &mut World, seq| {
        world.engine.doubted(0, &[seq], &error, world.now, 0);
    };
    refused.iter().for_each(|seq| doubt(&mut world, *seq));
    world.engine.silent(0, 1, &error, world.now, 0);
    world.engine.disconnected(0, Retry::Paused, world.now, 0);
    world.wait();
    let canary = take(&mut world);
    world.engine.accepted(0, &[canary], world.now);
    for seq in &refused[..7] {
        assert_eq!(take(&mut world), *seq);
        doubt(&mut world, *seq);
    }
    // the eighth has no second try yet, and stands before the one that is taken
    assert_eq!((canary, take(&mut world)), (first, silent));
    world.engine.accepted(0, &[silent], world.now);
    assert_eq!(take(&mut world), refused[7]);
}

#[test]
fn events_that_nobody_takes_are_bounded() {
    let mut world = World::new();
    world.append_many(100);
    while let Some(seq) = world.engine.next(world.now).map(|m| m.seq) {
        world.engine.skip(seq, "no".into());
    }
    assert_eq!(world.events().len(), weir::stream::engine::EVENTS_MAX);
    assert_eq!(world.counters().filtered, 100);
}

/// Whatever happens in whatever order: nothing is lost, nothing accepted twice, the first time
/// that messages are sent is in order, and the counters balance.
#[test]
fn by_chance_nothing_is_lost() {
    for seed in 1..=40 {
        let mut random = Random(seed);
        let mut world = World::new();
        let (mut seen, mut flight) = (BTreeSet::new(), Vec::new());
        for _ in 0..400 {
            step(&mut world, &mut random, &mut seen, &mut flight);
        }
        while world.counters().backlog > 0 {
            world.wait();
            flight.extend(world.take().into_iter().map(|(seq, _)| seq));
            for seq in flight.drain(..) {
                world
                    .engine
                    .accepted(world.engine.epoch(), &[seq], world.now);
            }
        }
        let counters = world.counters();
        assert_eq!(
            counters.stored,
            counters.accepted + counters.given_up,
            "seed {seed}"
        );
    }
}

fn step(world: &mut World, random: &mut Random, seen: &mut BTreeSet<u64>, flight: &mut Vec<Seq>) {
    let (epoch, now) = (world.engine.epoch(), world.now);
    match random.below(12) {
        0..3 => world.append_many(random.below(4)),
        3..6 => {
            if let Some(message) = world.engine.next(now) {
                let n = number(&message);
                let first = message.repeat == Repeat::First;
                assert!(!first || seen.last().is_none_or(|last| *last < n) || seen.contains(&n));
                seen.insert(n);
                flight.push(message.seq);
            }
        }
        6..10 if !flight.is_empty() => {
            let seq = flight.swap_remove(random.below(flight.len()));
            match random.below(10) {
                0 => world
                    .engine
                    .refused(epoch, &[seq], &DeliveryError::new(1, "no"), now, 0),
                _ => world.engine.accepted(epoch, &[seq], now),
            }
        }
        10 if random.below(3) == 0 => {
            world
                .engine
                .disconnected(epoch, Retry::Paused, now, random.word());
            flight.clear();
        }
        11 if random.below(9) == 0 => {
            world.restart();
            flight.clear();
        }
        _ => world.pass(SECOND),
    }
    world.counters();
}

#[test]
fn what_was_read_in_1970_goes_out_with_the_date_that_was_learned_since() {
    let then = at(Duration::from_secs(100));
    let mut early = then;
    early.wall.since_1970 = early.mono;
    (early.wall.trusted, early.ages) = (false, false);
    let mut world = World::starting(early, delivery(), None);
    world.append_many(3);
    world.now = at(Duration::from_secs(200));
    world.serve();
    for _ in 0..3 {
        let sent = world.engine.next(world.now).unwrap();
        assert_eq!(sent.received, then.wall);
    }
}
