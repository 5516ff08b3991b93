//! Batches of messages of one kind: those of another wait, and stand in nobody's way.

use crate::http::OK;
use crate::http::answer;
use crate::http::numbers;
use crate::http::parse;
use crate::http::settings_to;
use crate::random::Random;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;
use weir::message::ValueRef;
use weir::message::body::Body;
use weir::stream::engine::Fit;
use weir::stream::engine::Outgoing;
use weir::stream::settings::Delivery;
use weir::stream::settings::Settings;

/// Message `n` is of tracker `n % count`.
fn append_in_turns(world: &mut World, messages: u64, count: u64) {
    for n in 0..messages {
        world.append(&format!("t{}", n % count));
    }
    world.serve();
}

fn ident(message: &Outgoing<'_>) -> String {
    match Body::new(message.body).unwrap().find("ident") {
        Some(ValueRef::Text(ident)) => ident.to_owned(),
        other => panic!("no ident but {other:?}"),
    }
}

/// Batches of one tracker each, all taken: which numbers each had.
fn batches(world: &mut World) -> Vec<Vec<u64>> {
    let mut batches = Vec::new();
    loop {
        let mut of = None;
        let batch = world.engine.next_batch(world.now, |message| {
            let ident = ident(message);
            match of.get_or_insert_with(|| ident.clone()) == &ident {
                true => Fit::Taken,
                false => Fit::Later,
            }
        });
        let Some(batch) = batch else {
            return batches;
        };
        let taken = world.engine.batch(&batch).map(|m| number(&m));
        batches.push(taken.collect());
        let epoch = world.engine.epoch();
        world.engine.accepted(epoch, &batch, world.now);
        world.counters();
    }
}

/// Each number once, and those of each tracker in order.
fn assert_in_order(arrived: &[u64], trackers: u64, missing: &[u64]) {
    let mut last = BTreeMap::new();
    for n in arrived {
        let before = last.insert(n % trackers, *n);
        assert!(before.is_none_or(|before| before < *n), "{arrived:?}");
    }
    assert_eq!(arrived.len() + missing.len(), 300, "{arrived:?}");
    assert!(arrived.iter().all(|n| !missing.contains(n)));
}

#[test]
fn ten_trackers_that_take_turns_share_requests() {
    let mut world = World::of(&settings_to("/{ident}", delivery()));
    append_in_turns(&mut world, 300, 10);
    let batches = batches(&mut world);
    assert!(batches.len() <= 40, "{} requests", batches.len());
    assert_in_order(&batches.concat(), 10, &[]);
    assert_eq!(world.counters().backlog, 0);
}

#[test]
fn however_many_trackers_there_are_none_waits_for_ever() {
    for trackers in [1, 2, 7, 50, 150, 300] {
        let mut world = World::of(&settings_to("/{ident}", delivery()));
        append_in_turns(&mut world, 300, trackers);
        let batches = batches(&mut world);
        assert_in_order(&batches.concat(), trackers, &[]);
        let firsts = batches.iter().map(|batch| batch[0]);
        assert!(firsts.is_sorted(), "the oldest goes first");
    }
}

#[test]
fn the_cursor_moves_over_a_closed_prefix_only_and_a_restart_repeats_the_rest() {
    let mut world = World::of(&settings_to("/{ident}", delivery()));
    append_in_turns(&mut world, 300, 10);
    let settings = settings_to("/{ident}", delivery());
    let mut talk = Talk::new(&world, &settings);
    for _ in 0..3 {
        let request = talk.sent(&mut world).unwrap();
        assert_eq!(numbers(&request).len(), 20);
        talk.hears(&mut world, OK).unwrap();
    }
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.backlog), (3, 297));
    drop(talk);
    world.restart();
    let again = batches(&mut world).concat();
    assert_eq!(again.len(), 297);
    assert!(again.iter().all(|n| *n > 2));
    assert_eq!(world.counters().accepted, 300);
}

#[test]
fn all_the_room_there_is_taken_makes_a_batch_linger_no_longer() {
    let linger = Duration::from_secs(3600);
    let settings = settings_to(
        "/{ident}",
        Delivery {
            linger,
            ..delivery()
        },
    );
    let mut world = World::of(&settings);
    append_in_turns(&mut world, 300, 10);
    let before = batches(&mut world).concat();
    assert!(before.len() >= 200, "{before:?}");
    world.pass(linger);
    let all = [before, batches(&mut world).concat()].concat();
    assert_in_order(&all, 10, &[]);
}

/// A server that refuses requests with one of `poison` in it, over a way that loses some answers.
fn serve(
    world: &mut World,
    settings: &Settings,
    poison: &BTreeSet<u64>,
    random: &mut Random,
) -> (Vec<u64>, usize) {
    let (mut taken, mut requests) = (Vec::new(), 0);
    let mut talk = Talk::new(world, settings);
    while world.counters().backlog > 0 {
        let (path, messages) = parse(&talk.sent(world).unwrap());
        let sent: Vec<u64> = messages.iter().map(crate::world::number_of).collect();
        assert!(
            messages
                .iter()
                .all(|it| path == format!("/{}", it["ident"].as_str().unwrap()))
        );
        requests += 1;
        assert!(requests < 1000, "it goes on and on");
        if random.below(9) == 0 {
            let disconnect = talk.ends(world);
            lose(world, &disconnect);
            talk = Talk::new(world, settings);
            continue;
        }
        let refused = sent.iter().any(|n| poison.contains(n));
        let status = if refused { 400 } else { 200 };
        talk.hears(world, &answer(status, "")).unwrap();
        taken.extend(sent.into_iter().filter(|_| !refused));
    }
    (taken, requests)
}

#[test]
fn poison_of_one_tracker_is_found_and_costs_the_others_nothing() {
    for seed in 1..=40 {
        let mut random = Random(seed);
        let count = 1 + random.below(4);
        let poison: BTreeSet<u64> = (0..count).map(|_| random.next() % 300).collect();
        let settings = settings_to("/{ident}", delivery());
        let mut world = World::of(&settings);
        append_in_turns(&mut world, 300, 10);
        let (taken, requests) = serve(&mut world, &settings, &poison, &mut random);
        let missing: Vec<u64> = poison.iter().copied().collect();
        assert_in_order(&taken, 10, &missing);
        assert_eq!(world.counters().given_up, missing.len() as u64);
        assert!(requests < 130, "seed {seed}: {requests} requests");
    }
}
