//! What a stream takes of what it reads.

use crate::moment::at;
use crate::talk;
use crate::world::World;
use crate::world::delivery;
use std::time::Duration;
use weir::filter::Filter;
use weir::message::Message;
use weir::message::body;
use weir::pattern::Pattern;
use weir::ring::Seq;
use weir::stream::engine::Event;
use weir::stream::engine::Fit;
use weir::stream::file::File;
use weir::stream::selection::Arrival;
use weir::stream::selection::ArrivalThinner;
use weir::stream::settings::Settings;
use weir::thinning;

fn settings() -> Settings {
    talk::settings(File::new("/nowhere"), delivery())
}

fn filtered(text: &str) -> World {
    World::of(&Settings {
        filter: Some(Filter::parse(text).unwrap()),
        ..settings()
    })
}

fn message(ident: &str, fields: &[(&'static str, u64)]) -> Message {
    let mut message = Message::new(ident).unwrap();
    for (name, value) in fields {
        message.set(*name, *value);
    }
    message
}

#[test]
fn what_does_not_pass_the_filter_is_skipped_and_counted() {
    let mut world = filtered("speed > 5 && $server.timestamp && channel.name != 'b'");
    for speed in [0, 10, 5, 20] {
        let mut message = message("a", &[("speed", speed)]);
        message.set("channel.name", "a");
        world.append_message(&message);
    }
    world.append_message(&message("a", &[("speed", 30)]));
    world.serve();
    let taken = world.take();
    assert_eq!(taken.len(), 2);
    let taken: Vec<Seq> = taken.into_iter().map(|(seq, _)| seq).collect();
    world.engine.accepted(0, &taken, world.now);
    assert_eq!(world.counters().filtered, 3);
    assert_eq!(world.events(), []);
}

#[test]
fn a_filter_that_passes_nothing_is_told_of_once_with_what_was_never_seen() {
    let mut world = filtered("positon.speed > 5 && n >= 0");
    for _ in 0..999 {
        world.append("a");
        world.serve();
    }
    assert_eq!(world.events(), []);
    for _ in 0..500 {
        world.append("a");
        world.serve();
    }
    let never_seen = vec!["positon.speed".to_owned()];
    assert_eq!(world.events(), [Event::NothingPasses { never_seen }]);
    assert_eq!(world.counters().filtered, 1_499);
}

/// One a minute, or a change of `din`.
fn thinned() -> Settings {
    Settings {
        thinning: Some(thinning::Settings {
            every: Duration::from_secs(60),
            or_change: vec![Pattern::new("din")],
        }),
        filter: Some(Filter::parse("speed > 5").unwrap()),
        ..settings()
    }
}

/// One of ident `a`, measured at this second.
fn measured(second: u64, din: u64, speed: u64) -> Message {
    let mut message = message("a", &[("din", din), ("speed", speed)]);
    message.set_timestamp((1_700_000_000 + second) * 1_000_000);
    message
}

#[test]
fn of_what_comes_one_is_let_through_in_the_time_and_what_the_filter_skips_counts_for_nothing() {
    let mut thinner = ArrivalThinner::new(&thinned()).unwrap();
    let mut comes = |second, din, speed| {
        let mut body = Vec::new();
        body::encode(&measured(second, din, speed), &mut body);
        let arrival = thinner.judge(&body, at(Duration::from_secs(1)));
        if let Arrival::Passes(mark) = arrival {
            thinner.passed(&body, mark);
        }
        arrival
    };
    assert_eq!(comes(0, 0, 3), Arrival::Filtered);
    assert!(matches!(comes(1, 0, 10), Arrival::Passes(_)));
    assert_eq!(comes(60, 0, 10), Arrival::LeftOut);
    assert_eq!(comes(61, 0, 3), Arrival::Filtered);
    assert!(matches!(comes(61, 0, 10), Arrival::Passes(_)));
    assert!(matches!(comes(62, 1, 10), Arrival::Passes(_)));
    assert!(ArrivalThinner::new(&settings()).is_none());
}

#[test]
fn one_that_found_no_room_in_the_ring_is_no_reason_to_leave_out_the_next() {
    let thinner = ArrivalThinner::new(&thinned()).unwrap();
    let mut body = Vec::new();
    body::encode(&measured(0, 0, 10), &mut body);
    for _ in 0..2 {
        let arrival = thinner.judge(&body, at(Duration::from_secs(1)));
        assert!(matches!(arrival, Arrival::Passes(_)));
    }
}

#[test]
fn what_a_new_stream_takes_over_from_the_ring_is_thinned_as_it_is_read() {
    let mut world = World::of(&settings());
    for (second, din) in [(0, 0), (30, 0), (40, 1), (60, 1), (100, 1), (101, 1)] {
        world.append_message(&measured(second, din, 10));
    }
    world.attach_another(&thinned());
    world.append_message(&measured(102, 1, 10));
    world.serve();
    let taken: Vec<Seq> = world.take().into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(taken, [1, 3, 5, 7].map(Seq));
    world.engine.accepted(0, &taken, world.now);
    world.serve();
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.filtered), (4, 3));
}

/// One that is 100 s old, one from a minute later, one without a time; all received now.
fn aging() -> World {
    let mut world = World::of(&Settings {
        max_age: Some(Duration::from_secs(120)),
        ..settings()
    });
    for age in [100, 40] {
        let mut message = message("a", &[]);
        let measured = world.now.wall.since_1970 - Duration::from_secs(age);
        message.set_timestamp(u64::try_from(measured.as_micros()).unwrap());
        world.append_message(&message);
    }
    world.append_message(&message("a", &[]));
    world.serve();
    world
}

#[test]
fn what_was_measured_too_long_ago_is_expired_while_it_waits() {
    for (passed, left) in [(19, 3), (21, 2), (81, 1), (121, 0)] {
        let mut world = aging();
        world.pass(Duration::from_secs(passed));
        assert_eq!(world.take().len(), left, "after {passed} s");
    }
}

#[test]
fn a_wrong_clock_expires_nothing() {
    let mut world = aging();
    world.pass(Duration::from_secs(100));
    world.now.wall.trusted = false;
    world.now.ages = false;
    assert_eq!(world.take().len(), 3);
}

#[test]
fn no_more_go_in_a_second_than_the_rate_allows_one_by_one_or_in_a_batch() {
    let settings = Settings {
        interval: Some(Duration::from_secs_f64(1.0 / 7.0)),
        ..settings()
    };
    let mut world = World::of(&settings);
    world.append_many(50);
    assert_eq!(world.take().len(), 1);
    let due = world.engine.rate_due(world.now).unwrap();
    assert_eq!((due - world.now.mono).as_millis(), 142);
    world.pass(due - world.now.mono);
    assert_eq!(world.take().len(), 1);

    let mut world = World::of(&settings);
    world.append_many(50);
    for _ in 0..3 {
        let now = world.now;
        let batch = world.engine.next_batch(now, |_| Fit::Taken).unwrap();
        assert_eq!(world.engine.batch(&batch).count(), 7);
        world.engine.accepted(0, &batch, now);
        assert_eq!(world.engine.next_batch(now, |_| Fit::Taken), None);
        let due = world.engine.batch_due().unwrap() - now.mono;
        assert!((999..=1_000).contains(&due.as_millis()), "{due:?}");
        world.pass(due);
    }
}

/// What a window of any length holds in memory: `max_bytes` and one message.
#[test]
fn memory_is_bounded_by_bytes_whatever_the_window() {
    for (len, count) in [(31 << 10, 40), (1_000, 2_000), (50, 4_000), (0, 6_000)] {
        let mut settings = settings();
        settings.delivery.max_messages = 10_000;
        let mut world = World::of(&settings);
        let mut message = message("a", &[]);
        message.set("text", "x".repeat(len).as_str());
        let stored = len + 64;
        for _ in 0..count {
            world.append_message(&message);
        }
        // what the ring needs to read is not the stream's
        world.serve();
        world.renew(&settings);
        let counted = allocation_counter::measure(|| world.serve());
        assert!(world.engine.has_waiting());
        let most = u64::try_from(settings.delivery.max_bytes + stored).unwrap();
        assert!(
            counted.bytes_max <= most,
            "{len}: {counted:?}, at most {most}"
        );
    }
}
