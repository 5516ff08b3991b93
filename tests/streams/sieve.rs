//! What a stream takes of what it reads.

use crate::talk;
use crate::world::World;
use crate::world::delivery;
use weir::filter::Filter;
use weir::message::Message;
use weir::stream::engine::Event;
use weir::stream::settings::Destination;
use weir::stream::settings::File;
use weir::stream::settings::Settings;

fn settings() -> Settings {
    let file = File {
        path: "/nowhere".into(),
        max_size: None,
        keep: 0,
    };
    talk::settings(Destination::File(file), delivery())
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
    let (first, last) = (taken[0].0, taken[1].0);
    world.engine.accepted(0, first..=last, world.now);
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
