//! What a destination is shown of a message.

use crate::http::settings_to;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use serde_json::Value;
use std::rc::Rc;
use weir::convert::Convert;
use weir::message::Message;
use weir::pattern::Pattern;
use weir::stream::settings::Device;
use weir::stream::settings::Devices;
use weir::stream::settings::Settings;
use weir::stream::settings::Stamp;
use weir::stream::settings::StampOf;
use weir::stream::settings::Transform;

/// An HTTP stream.
fn settings(path: &str, transform: Transform) -> Settings {
    Settings {
        transform,
        ..settings_to(path, delivery())
    }
}

/// Two messages, measured and without a time.
fn world() -> World {
    let mut world = World::new();
    let mut message = Message::new("352").unwrap();
    message.set_timestamp(1_554_445_625_500_000);
    message.set("position.speed", 60_u64);
    message.set("peer", "10.0.0.1:5");
    world.append_message(&message);
    world
}

/// The first line of a request, and its body.
fn asked(world: &mut World, settings: &Settings) -> (String, String) {
    let mut talk = Talk::new(world, settings);
    let request = String::from_utf8(talk.sent(world).unwrap()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn parameters_are_converted_and_templates_see_them_as_they_were() {
    let convert = Convert {
        drop: vec![Pattern::new("ident"), Pattern::new("peer")],
        rename: vec![("position.speed".into(), "v".into())],
        set: vec![("site".into(), "north".into())],
        dots: Some("_".into()),
        ..Convert::default()
    };
    let transform = Transform {
        convert,
        ..Transform::default()
    };
    let settings = settings("/{ident}/{position.speed}", transform);
    let (line, body) = asked(&mut world(), &settings);
    assert_eq!(line, "POST /352/60 HTTP/1.1");
    let body: Value = serde_json::from_str(&body).unwrap();
    let received = body[0]["server_timestamp"].clone();
    assert!(received.is_number());
    let expected = serde_json::json!([{
        "timestamp": 1_554_445_625.5, "v": 60, "server_timestamp": received, "site": "north",
    }]);
    assert_eq!(body, expected);
}

fn stamped(of: StampOf) -> Settings {
    let stamp = Stamp {
        name: "message.id".into(),
        of,
    };
    let transform = Transform {
        stamp: Some(stamp),
        ..Transform::default()
    };
    settings("/", transform)
}

/// The stamps of all messages of a request.
fn stamps(world: &mut World, settings: &Settings) -> Vec<String> {
    let body: Vec<Value> = serde_json::from_str(&asked(world, settings).1).unwrap();
    let stamp = |message: &Value| message["message.id"].as_str().unwrap().to_owned();
    body.iter().map(stamp).collect()
}

/// The message of [`world`] once more, from elsewhere; then without a time, twice.
fn repeated() -> World {
    let mut world = world();
    let mut message = Message::new("352").unwrap();
    message.set("peer", "10.0.0.2:6");
    message.set("position.speed", 60_u64);
    let mut timeless = message.clone();
    timeless.set("message.id", "of the sender");
    message.set_timestamp(1_554_445_625_500_000);
    world.append_message(&message);
    world.append_message(&timeless);
    world.append_message(&timeless);
    world
}

#[test]
fn a_stamp_of_the_record_stays_the_same_however_often_it_is_sent() {
    let (settings, mut world) = (stamped(StampOf::Record), repeated());
    let first = stamps(&mut world, &settings);
    let (ring, seq) = first[0].split_once(':').unwrap();
    assert!(ring.len() == 8 && seq.parse::<u64>().is_ok(), "{first:?}");
    world.restart();
    assert_eq!(stamps(&mut world, &settings), first);
    let different: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(different.len(), 4);
}

#[test]
fn a_stamp_of_the_content_is_the_same_when_the_device_repeats_itself() {
    let (settings, mut world) = (stamped(StampOf::Content), repeated());
    let found = stamps(&mut world, &settings);
    assert_eq!(found[0], "841358978c3d356cef3e2467a4481eb9");
    assert_eq!(found[0], found[1]);
    // who gives no time cannot be told from who says the same again
    assert_ne!(found[2], found[3]);
}

#[test]
fn what_the_configuration_knows_of_a_device_is_in_templates() {
    let devices = [("9*", "other"), ("35*", "AB 1"), ("352", "hidden")];
    let devices = devices.map(|(ident, plate)| Device {
        ident: Pattern::new(ident),
        data: vec![("plate".into(), plate.into())],
    });
    let transform = Transform {
        devices: Rc::new(Devices::new(devices.into())),
        ..Transform::default()
    };
    let (line, _) = asked(&mut world(), &settings("/{device.data.plate}", transform));
    assert_eq!(line, "POST /AB%201 HTTP/1.1");
}
