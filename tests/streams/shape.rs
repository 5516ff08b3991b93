//! What a destination is shown of a message.

use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use serde_json::Value;
use weir::convert::Convert;
use weir::message::Message;
use weir::net::Target;
use weir::pattern::Pattern;
use weir::stream::settings::Destination;
use weir::stream::settings::Http;
use weir::stream::settings::Settings;
use weir::stream::settings::Shape;
use weir::template::Template;

/// An HTTP stream.
fn settings(path: &str, shape: Shape) -> Settings {
    let http = Http {
        target: Target {
            host: "localhost".into(),
            port: 80,
        },
        tls: false,
        path: Template::parse(path).unwrap(),
        method: "POST".into(),
        headers: vec![],
        authorization: None,
        success: vec![],
    };
    Settings {
        shape,
        ..talk::settings(Destination::Http(http), delivery())
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
    let settings = settings("/{ident}/{position.speed}", Shape { convert });
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
