//! Messages that are longer than their destination takes, which is known before they are sent: what
//! becomes of them is the same over HTTP and over MQTT.

use crate::http_profile::connect;
use crate::http_profile::says;
use crate::http_profile::sent;
use crate::http_profile::toy;
use crate::mqtt_profile::Platform;
use crate::mqtt_v5::publishes;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use crate::world::number;
use crate::world::number_of;
use weir::message::Message;
use weir::stream::engine::Event;
use weir::stream::http::profile::Frame;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;

/// Bytes of text in a message that is too long for either.
const LONG: usize = 400;

/// A message of this number comes in.
fn append(world: &mut World, number: u64) {
    let mut message = Message::new("a").unwrap();
    message.set("n", number);
    if number > 100 {
        message.set("text", "x".repeat(LONG).as_str());
    }
    world.append_message(&message);
}

fn of(on_reject: OnReject) -> Delivery {
    Delivery {
        on_reject,
        ..delivery()
    }
}

/// What the log is told, and what is kept in rejects.
fn told(world: &mut World) -> (Vec<String>, Vec<u64>) {
    let events = world.events().into_iter().filter_map(|event| match event {
        Event::NotDelivered(error) => Some(error.reason),
        Event::GivenUp { reason, .. } => Some(reason),
        _ => None,
    });
    let events = events.collect();
    let rejected = std::iter::from_fn(|| world.engine.take_rejected().map(|(it, _)| number(&it)));
    (events, rejected.collect())
}

/// The numbers that are sent next, each of which is taken.
fn over_http(talk: &mut Talk<'_>, world: &mut World) -> Vec<u64> {
    let request = sent(talk, world);
    let lines = request.lines().filter_map(|line| line.strip_prefix("n="));
    let numbers: Vec<u64> = lines
        .map(|n| n.trim_end_matches('x').parse().unwrap())
        .collect();
    if !numbers.is_empty() {
        talk.hears(world, &says(200, "all")).unwrap();
    }
    numbers
}

/// The same.
fn over_mqtt(talk: &mut Talk<'_>, world: &mut World) -> Vec<u64> {
    let sent = publishes(&talk.sent(world).unwrap());
    let mut numbers = Vec::new();
    for publish in sent {
        let [high, low] = publish.pkid.to_be_bytes();
        talk.hears(world, &[0x40, 3, high, low, 0]).unwrap();
        numbers.push(number_of(
            &serde_json::from_slice(&publish.payload).unwrap(),
        ));
    }
    numbers
}

type Send = fn(&mut Talk<'_>, &mut World) -> Vec<u64>;

/// Over each of the two, with what it says of a message that is too long.
fn over_both(on_reject: OnReject, mut test: impl FnMut(&mut Talk<'_>, &mut World, Send, &str)) {
    let mut http = toy(Frame {
        message_max: 300,
        ..Frame::LINES
    });
    http.delivery = of(on_reject);
    let mut world = World::with(of(on_reject));
    let mut talk = connect(&http, &world);
    test(
        &mut talk,
        &mut world,
        over_http,
        "the destination takes at most 300",
    );
    let mut platform = Platform::new();
    (platform.packet_max, platform.delivery) = (Some(300), of(on_reject));
    let mut world = World::with(of(on_reject));
    let (mut talk, _) = platform.ready(&mut world);
    test(
        &mut talk,
        &mut world,
        over_mqtt,
        "the broker takes at most 300",
    );
}

#[test]
fn it_is_given_up_and_the_others_go_on() {
    over_both(OnReject::Skip, |talk, world, send, why| {
        [0, 400, 1, 401, 2]
            .into_iter()
            .for_each(|n| append(world, n));
        assert_eq!(send(talk, world), [0, 1, 2]);
        let (events, _) = told(world);
        assert!(events.len() == 2 && events[0].ends_with(why), "{events:?}");
        let counters = world.counters();
        let found = (counters.accepted, counters.given_up, counters.backlog);
        assert_eq!(found, (3, 2, 0));
    });
}

#[test]
fn it_is_tried_for_ever_where_that_is_wanted_and_stops_no_other() {
    over_both(OnReject::Retry, |talk, world, send, why| {
        [0, 400, 1, 401, 2]
            .into_iter()
            .for_each(|n| append(world, n));
        assert_eq!(send(talk, world), [0, 1, 2]);
        let (events, kept) = told(world);
        assert_eq!(kept, [400, 401], "each is kept once");
        assert!(events.len() == 2 && events[0].ends_with(why), "{events:?}");
        for number in 3..60 {
            append(world, number);
            assert_eq!(send(talk, world), [number]);
            assert_eq!(send(talk, world), [0; 0]);
            world.wait();
        }
        assert_eq!(told(world), (vec![], vec![]), "it is said once");
        let counters = world.counters();
        let found = (counters.accepted, counters.given_up, counters.backlog);
        assert_eq!(found, (1, 0, 61), "the cursor waits before the oldest");
    });
}

#[test]
fn where_none_but_such_come_eight_are_given_up_and_no_more() {
    over_both(OnReject::Skip, |talk, world, send, why| {
        (400..420).for_each(|n| append(world, n));
        for _ in 0..50 {
            assert_eq!(send(talk, world), [0; 0]);
            world.wait();
        }
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.backlog), (8, 12));
        let (events, _) = told(world);
        assert!(
            events.iter().all(|event| event.ends_with(why)),
            "{events:?}"
        );
        append(world, 1);
        let mut taken = Vec::new();
        for _ in 0..50 {
            taken.extend(send(talk, world));
            world.wait();
        }
        assert_eq!(taken.first(), Some(&1), "one message stops no stream");
        assert!(
            taken.iter().all(|n| *n == 1),
            "but the canary, none goes twice: {taken:?}"
        );
        let counters = world.counters();
        let found = (counters.accepted, counters.given_up, counters.backlog);
        assert_eq!(found, (1, 20, 0));
    });
}
