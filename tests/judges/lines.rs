//! Lines and sentences that weir writes, read by parsers that others wrote.

use crate::library::clock::Wall;
use crate::library::message::Message;
use crate::library::message::body;
use crate::library::net::Target;
use crate::library::ring::Seq;
use crate::library::stream::engine::Outgoing;
use crate::library::stream::engine::Repeat;
use crate::library::stream::gpsgate::sentence;
use crate::library::stream::http::profile::Profile;
use crate::library::stream::influxdb::Influxdb;
use crate::library::stream::influxdb::Version;
use crate::library::stream::render::MessageView;
use crate::library::stream::settings::Transform;
use crate::library::template::Template;
use crate::python;
use crate::weir_run::Folder;
use serde_json::Value;
use std::time::Duration;

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_line_says_what_the_message_says() {
    let influxdb = Influxdb {
        target: Target {
            host: "h".into(),
            port: 8086,
        },
        tls: false,
        version: Version::Two,
        path: "/".into(),
        authorization: None,
        measurement: Template::parse("{m}").unwrap(),
        tags: vec!["ident".into(), "a, =tag".into()],
        integers: true,
        gzip: false,
    };
    let transform = Transform::default();
    let (mut lines, mut wanted) = (Vec::new(), Vec::new());
    for hostile in [
        "plain",
        "a b,c=d",
        "\"q\"",
        "back\\slash",
        "\u{e4}\u{1f69a}",
    ] {
        let mut message = Message::new("47 11,=").unwrap();
        message.set_timestamp(1_700_000_000_123_457);
        message.set("m", hostile);
        message.set("a, =tag", hostile);
        message.set("f, =x", hostile);
        message.set("din.1", 7_u64);
        message.set("n", -3_i64);
        message.set("speed", 12.5);
        message.set("on", true);
        let mut bytes = Vec::new();
        body::encode(&message, &mut bytes);
        let outgoing = Outgoing {
            seq: Seq(1),
            ring: 7,
            received: Wall {
                since_1970: Duration::from_secs(1_700_000_001),
                trusted: true,
            },
            body: &bytes,
            repeat: Repeat::First,
        };
        let mut line = Vec::new();
        let mut view = MessageView::new(&transform);
        influxdb.write(&mut view, &outgoing, &mut line).unwrap();
        lines.push(String::from_utf8(line).unwrap());
        wanted.push(serde_json::json!({
            "measurement": hostile,
            "tags": { "ident": "47 11,=", "a, =tag": hostile },
            "fields": {
                "m": hostile, "f, =x": hostile, "din.1": 7, "n": -3, "speed": 12.5, "on": true,
                "server.timestamp": 1_700_000_001.0,
            },
            "time": 1_700_000_000_123_457_000_u64,
        }));
    }
    let folder = Folder::new("lines");
    let file = folder.write("lines", &lines.join("\0"));
    let said = python("lines.py", &[file.to_str().unwrap()]);
    let read: Vec<Value> = said
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(read, wanted, "{lines:?}");
}

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_sentence_has_the_checksum_of_nmea() {
    let message = "FRCMD,353857014816785,_SendMessage,,4748.0000,N,03530.0000,E,34.6,234.00,90.0,\
                   170109,120523.65,1,SosButton=1";
    let login = sentence::login("weir", "Secret7");
    let sentences = [message, &login].map(|text| {
        let mut out = Vec::new();
        sentence::put(text, &mut out);
        String::from_utf8(out).unwrap()
    });
    let said = python("sentences.py", &[&sentences[0], &sentences[1]]);
    assert_eq!(said, "True\nTrue\n", "{sentences:?}");
}
