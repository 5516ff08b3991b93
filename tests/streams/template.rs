//! Templates: a message that none can be filled from is its own fault, in every place alike; what
//! comes behind it goes.

use crate::http;
use crate::mqtt;
use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use weir::message::Message;
use weir::stream::engine::Event;
use weir::stream::http::Http;
use weir::stream::settings::Settings;
use weir::template::Template;

/// What a broker answers to a login, and what it acknowledges.
const LOGGED_IN: [u8; 4] = [0x20, 2, 0, 0];
const TAKEN: [u8; 4] = [0x40, 2, 0, 2];

fn world(ident: &str, parameter: Option<&str>) -> World {
    let mut world = World::new();
    for (number, (ident, value)) in [(ident, parameter), ("b", Some("x"))].iter().enumerate() {
        let mut message = Message::new(ident).unwrap();
        message.set("n", number as u64);
        if let Some(value) = value {
            message.set("x", *value);
        }
        world.append_message(&message);
    }
    world.serve();
    world
}

fn body(template: &str) -> Settings {
    talk::changed(http::settings(), |http: &mut Http| {
        http.body = Some(Template::parse(template).unwrap());
    })
}

fn topic(template: &str) -> Settings {
    mqtt::settings(|mqtt| mqtt.topic = Template::parse(template).unwrap())
}

/// What the first message of two is skipped for, and kept with; the second must go.
fn reason(world: &mut World, settings: &Settings) -> String {
    let mut talk = Talk::new(world, settings);
    let is_http = settings.type_name() == "http";
    let sent = talk.write(world).unwrap();
    if !is_http {
        talk.hears(world, &LOGGED_IN).unwrap();
        talk.write(world).unwrap();
    }
    let (given_up, reason) = world.engine.take_rejected().unwrap();
    let (seq, reason) = (given_up.seq, String::from(reason));
    assert!(!given_up.body.is_empty(), "with all that it says");
    assert!(!sent.is_empty());
    talk.hears(world, if is_http { http::OK } else { &TAKEN })
        .unwrap();
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.filtered), (1, 1), "{reason}");
    let skipped = Event::Skipped {
        seq,
        reason: reason.clone(),
    };
    assert!(world.events().contains(&skipped));
    assert!(world.engine.take_rejected().is_none(), "once");
    assert!(reason.starts_with("template: "), "{reason}");
    reason
}

#[test]
fn a_message_that_lacks_a_parameter_is_kept_with_its_reason_wherever_the_template_stands() {
    let places = [
        http::settings_to("/dev/{x}", delivery()),
        http::settings_to("/dev?x={x}", delivery()),
        body("{{\"x\":\"{x}\"}}"),
        topic("dev/{x}"),
    ];
    for settings in places {
        let reason = reason(&mut world("a", None), &settings);
        assert_eq!(reason, "template: the message has no `x`");
    }
}

#[test]
fn a_default_stands_in_for_a_parameter_that_is_lacking() {
    for settings in [
        http::settings_to("/{x:-none}", delivery()),
        body("{{\"x\":\"{x:-none}\"}}"),
    ] {
        let mut world = world("a", None);
        let mut talk = Talk::new(&world, &settings);
        let request = String::from_utf8(talk.sent(&mut world).unwrap()).unwrap();
        assert!(request.contains("/none HTTP") || request.ends_with("{\"x\":\"none\"}"));
        talk.hears(&mut world, http::OK).unwrap();
        assert_eq!(world.counters().filtered, 0);
    }
}

#[test]
fn a_request_line_longer_than_servers_read_is_the_messages_own_fault() {
    for len in [8_000, 16_500, 30_000] {
        for path in ["/dev/{x}", "/dev?x={x}"] {
            let mut world = world("a", Some(&"x".repeat(len)));
            let reason = reason(&mut world, &http::settings_to(path, delivery()));
            assert!(reason.contains("at most 8000 are allowed"), "{reason}");
        }
    }
}

#[test]
fn a_segment_that_would_be_dots_is_the_messages_own_fault() {
    for (path, ident, value) in [
        ("/dev/{ident}", "..", "x"),
        ("/dev/{ident}", ".", "x"),
        ("/dev/{ident}/up", "..", "x"),
        ("/dev/{ident}?a=b", "..", "x"),
        ("/{ident}{x}", ".", "."),
        ("/.{x}/a", "a", "."),
        ("/%2e{x}", "a", "."),
        ("{ident}/{x}", "..", "x"),
    ] {
        let reason = reason(
            &mut world(ident, Some(value)),
            &http::settings_to(path, delivery()),
        );
        assert!(
            reason.contains("a segment of the path is `"),
            "{path}: {reason}"
        );
    }
}

#[test]
fn dots_that_are_part_of_a_segment_or_of_the_query_go() {
    for (path, ident, value) in [
        ("/a{x}", "a", ".."),
        ("/{ident}{x}", "..", "."),
        ("/dev?x={x}&y=/{x}/", "a", ".."),
        ("/{x}", "a", "%2e%2e"),
        ("/{x}", "a", "../.."),
    ] {
        let mut world = world(ident, Some(value));
        let settings = http::settings_to(path, delivery());
        let mut talk = Talk::new(&world, &settings);
        while !talk.sent(&mut world).unwrap().is_empty() {
            talk.hears(&mut world, http::OK).unwrap();
        }
        assert_eq!(world.counters().accepted, 2, "{path}");
    }
}

#[test]
fn a_topic_that_a_parameter_makes_impossible_is_the_messages_own_fault() {
    for value in ["+", "a/#", "\0", &"x".repeat(17_000)] {
        reason(&mut world("a", Some(value)), &topic("dev/{x}{x}{x}{x}"));
    }
    reason(&mut world("a", Some("")), &topic("{x}"));
}
