//! Batches: how they are cut, and how the one message is found that a destination refuses.

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
use weir::stream::engine::Fit;
use weir::stream::settings::Delivery;

/// A destination that refuses each batch with one of `poison` in it.
struct Destination {
    poison: BTreeSet<u64>,
    requests: usize,
    accepted: Vec<u64>,
}

impl Destination {
    fn new(poison: impl IntoIterator<Item = u64>) -> Self {
        Self {
            poison: poison.into_iter().collect(),
            requests: 0,
            accepted: Vec::new(),
        }
    }

    /// Takes the next batch; whether there was one.
    fn serve(&mut self, world: &mut World) -> bool {
        let now = world.now;
        let Some(batch) = world.engine.next_batch(now, |_| Fit::Taken) else {
            return false;
        };
        self.requests += 1;
        let numbers: Vec<u64> = world.engine.batch(&batch).map(|m| number(&m)).collect();
        let epoch = world.engine.epoch();
        if numbers.iter().any(|n| self.poison.contains(n)) {
            let error = DeliveryError::new(400, "no");
            world.engine.refused(epoch, &batch, &error, now, 0);
        } else {
            world.engine.accepted(epoch, &batch, now);
            self.accepted.extend(numbers);
        }
        world.serve();
        true
    }
}

fn sized(max_messages: usize) -> Delivery {
    Delivery {
        max_messages,
        ..delivery()
    }
}

/// For links that send one by one as well: a modem sleeps meanwhile, and then all goes.
#[test]
fn what_lingers_is_held_back_until_the_oldest_has_and_then_all_of_it_goes() {
    let mut world = World::with(Delivery {
        linger: Duration::from_secs(60),
        ..delivery()
    });
    world.append_many(2);
    assert!(world.take().is_empty());
    world.pass(Duration::from_secs(59));
    world.append_many(1);
    assert!(world.take().is_empty());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.take().len(), 3);
    world.append_many(1);
    assert!(world.take().is_empty(), "what comes later lingers anew");
    world.append_many(99);
    assert_eq!(world.take().len(), 100, "a full batch does not");
}

#[test]
fn a_destination_that_was_at_fault_recovers_though_the_next_message_is_never_taken() {
    for batch in [1, 4, 100] {
        let mut world = World::with(sized(batch));
        world.append_many(20);
        let mut destination = Destination::new(0..20);
        for _ in 0..200 {
            world.wait();
            destination.serve(&mut world);
        }
        assert_eq!(world.counters().given_up, 8);
        destination.poison = [8].into();
        for _ in 0..200 {
            world.wait();
            destination.serve(&mut world);
        }
        destination.accepted.sort_unstable();
        assert_eq!(destination.accepted, (9..20).collect::<Vec<_>>());
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.backlog), (9, 0));
    }
}

#[test]
fn one_poisonous_message_among_a_thousand_is_found_and_all_others_arrive() {
    // at most 2 · log2(batch) requests
    for (batch, most) in [(1000, 19), (500, 17), (100, 13), (64, 12), (16, 8)] {
        for poison in [0, 1, 499, 777, 999] {
            let mut world = World::with(sized(batch));
            world.append_many(1000);
            let mut destination = Destination::new([poison]);
            while destination.serve(&mut world) {}
            let others: Vec<u64> = (0..1000).filter(|n| *n != poison).collect();
            assert_eq!(destination.accepted, others, "in order, each once");
            let counters = world.counters();
            assert_eq!((counters.given_up, counters.backlog), (1, 0));
            let without_it = 1000_usize.div_ceil(batch) - 1;
            let spent = destination.requests - without_it;
            assert!(spent <= most, "{spent} requests for {poison} among {batch}");
        }
    }
}

#[test]
fn poison_by_chance_stops_nothing_else() {
    for seed in 1..=30 {
        let mut random = Random(seed);
        let poison: BTreeSet<u64> = (0..30).map(|_| random.next() % 300).collect();
        let mut world = World::with(sized(1 + random.below(100)));
        world.append_many(300);
        let mut destination = Destination::new(poison.clone());
        while destination.serve(&mut world) {
            if random.below(5) == 0 {
                world.engine.next_batch(world.now, |_| Fit::Taken);
                world.engine.disconnected(0, Retry::Paused, world.now, 0);
                world.wait();
            }
        }
        let others: Vec<u64> = (0..300).filter(|n| !poison.contains(n)).collect();
        assert_eq!(destination.accepted, others, "seed {seed}");
        assert_eq!(world.counters().given_up, poison.len() as u64);
    }
}

#[test]
fn after_eight_in_a_row_the_destination_is_at_fault_and_nothing_more_is_given_up() {
    let mut world = World::with(sized(10));
    world.append_many(100);
    let mut destination = Destination::new(0..100);
    while destination.serve(&mut world) {}
    assert_eq!(world.counters().given_up, 8);
    let error = Event::AtFault {
        reason: "no".into(),
    };
    assert!(world.events().contains(&error));
    for _ in 0..20 {
        world.wait();
        // the oldest, and another
        assert!(destination.serve(&mut world));
        assert!(destination.serve(&mut world));
        assert!(
            !destination.serve(&mut world),
            "it is asked without a pause"
        );
    }
    assert_eq!(world.counters().given_up, 8);
    destination.poison.clear();
    world.wait();
    while destination.serve(&mut world) {}
    let counters = world.counters();
    assert_eq!((counters.given_up, counters.accepted), (8, 92));
}

#[test]
fn a_batch_waits_for_a_fuller_one_only_while_it_lingers() {
    let mut world = World::with(Delivery {
        linger: Duration::from_secs(5),
        ..sized(3)
    });
    let mut destination = Destination::new([]);
    world.append_many(2);
    assert!(!destination.serve(&mut world));
    world.pass(Duration::from_secs(4));
    assert!(!destination.serve(&mut world));
    world.pass(Duration::from_secs(1));
    assert!(destination.serve(&mut world));
    world.append_many(3);
    assert!(destination.serve(&mut world), "a full one goes at once");
    assert_eq!(destination.accepted, [0, 1, 2, 3, 4]);
}

#[test]
fn once_the_poison_is_found_batches_linger_again() {
    let mut world = World::with(Delivery {
        linger: Duration::from_secs(5),
        ..sized(4)
    });
    let mut destination = Destination::new([1]);
    world.append_many(4);
    while destination.serve(&mut world) {}
    world.pass(Duration::from_secs(5));
    while destination.serve(&mut world) {}
    assert_eq!(world.counters().backlog, 0);
    world.append_many(1);
    assert!(!destination.serve(&mut world), "the search is over");
}

#[test]
fn what_is_in_flight_does_not_go_twice_and_nothing_goes_during_a_pause() {
    let mut world = World::with(sized(2));
    world.append_many(4);
    let take = |world: &mut World| world.engine.next_batch(world.now, |_| Fit::Taken);
    let first = take(&mut world).unwrap();
    assert!(take(&mut world).is_some_and(|second| first.last() < second.first()));
    assert_eq!(take(&mut world), None);
    let after = Some(Duration::from_secs(90));
    let error = DeliveryError::new(503, "busy");
    world.engine.faulty(0, error, after, world.now, 0);
    assert_eq!(take(&mut world), None);
    world.pass(Duration::from_secs(89));
    assert_eq!(take(&mut world), None);
    world.pass(Duration::from_secs(1));
    assert_eq!(take(&mut world), Some(first));
}

#[test]
fn a_link_decides_what_goes_with_a_batch() {
    let mut world = World::new();
    world.append_many(6);
    let mut offered = Vec::new();
    let batch = world.engine.next_batch(world.now, |message| {
        offered.push(number(message));
        match number(message) {
            1 => Fit::Unfit("odd".into()),
            4 => Fit::Full,
            _ => Fit::Taken,
        }
    });
    assert_eq!(offered, [0, 1, 2, 3, 4]);
    let batch = batch.unwrap();
    let taken = world.engine.batch(&batch).map(|m| number(&m));
    assert_eq!(taken.collect::<Vec<_>>(), [0, 2, 3]);
    world.engine.accepted(0, &batch, world.now);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.filtered), (3, 1));
    let skipped = |event: &Event| matches!(event, Event::Skipped { reason, .. } if reason == "odd");
    assert!(world.events().iter().any(skipped));
}

#[test]
fn batches_shrink_while_none_is_answered_and_grow_again() {
    let mut world = World::with(sized(8));
    world.append_many(100);
    let mut sizes = Vec::new();
    for round in 0..9 {
        let batch = world.engine.next_batch(world.now, |_| Fit::Taken);
        let batch = batch.unwrap();
        sizes.push(world.engine.batch(&batch).count());
        if round < 4 {
            world.engine.unanswered(0);
            world.engine.disconnected(0, Retry::Paused, world.now, 0);
        } else {
            world.engine.accepted(0, &batch, world.now);
        }
        world.serve();
        world.wait();
    }
    assert_eq!(sizes, [8, 4, 2, 1, 1, 2, 4, 8, 8]);
}

#[test]
fn the_engine_remembers_which_message_ended_connections_without_an_answer() {
    let mut world = World::new();
    world.append_many(2);
    for count in 1..=3 {
        let sent = world.take();
        world.engine.unanswered(0);
        assert_eq!(world.engine.unanswered_count(sent[0].0), count);
        assert_eq!(world.engine.unanswered_count(sent[1].0), 0);
        world.engine.disconnected(0, Retry::Paused, world.now, 0);
        world.wait();
    }
    assert_eq!(world.engine.unanswered_count(Seq(u64::MAX)), 0);
}
