//! Whoever looks at the traffic of a channel, of whatever type, sees what came, and no secret of
//! those who send.

use crate::config;
use crate::file;
use crate::traffic::bytes;
use crate::traffic::packets;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;

/// One type of channel.
struct Row {
    name: &'static str,
    /// Beside `name`, `type` and `listen`.
    keys: &'static str,
    /// What is said to it, with a secret that no configuration has.
    said: &'static str,
    /// What is seen of that.
    seen: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        name: "http",
        keys: "",
        said: "POST /?token=My0Guess HTTP/1.1\r\nHost: h\r\nAuthorization: Basic My0Guess\r\n\r\n",
        seen: "POST /?token=******** HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ********\r\n\r\n",
    },
    Row {
        name: "osmand",
        keys: "",
        said: "GET /?id=1&lat=2&lon=3&key=My0Guess HTTP/1.1\r\nCookie: My0Guess\r\n\r\n",
        seen: "GET /?id=1&lat=2&lon=3&key=******** HTTP/1.1\r\nCookie: ********\r\n\r\n",
    },
    Row {
        name: "json",
        keys: "",
        said: "{\"ident\":\"1\",\"password\":\"My0Guess\",\"n\":1}\n",
        seen: "{\"ident\":\"1\",\"password\":\"********\",\"n\":1}\n",
    },
    Row {
        name: "mqtt",
        keys: "users = { a = \"Own0Secret\" }",
        said: "\u{10}\u{20}\0\u{4}MQTT\u{4}\u{c2}\0\u{3c}\0\u{2}id\0\u{6}My0Gue\0\u{8}My0Guess",
        seen: "\u{10}\u{20}\0\u{4}MQTT\u{4}\u{c2}\0\u{3c}\0\u{2}id\0\u{6}******\0\u{8}********",
    },
    Row {
        name: "wialon-ips",
        keys: "password = \"Own0Secret\"",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        // nobody logs in there, but one may come to the wrong port
        name: "teltonika",
        keys: "",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        name: "wialon-retranslator",
        keys: "",
        said: "#L#2.0;352;My0Guess;0000\r\n",
        seen: "#L#2.0;352;*************\r\n",
    },
    Row {
        name: "nmea",
        keys: "ident = \"n\"",
        said: "$FRLIN,,me,My0Guess*00\r\n",
        seen: "$FRLIN,,**************\r\n",
    },
    Row {
        name: "gpsd",
        keys: "ident = \"g\"",
        said: "{\"class\":\"VERSION\",\"release\":\"3\",\"token\":\"My0Guess\"}\n",
        seen: "{\"class\":\"VERSION\",\"release\":\"3\",\"token\":\"********\"}\n",
    },
    Row {
        name: "owntracks",
        keys: "",
        said: "POST /?token=My0Guess HTTP/1.1\r\nHost: h\r\nAuthorization: Basic My0Guess\r\n\r\n",
        seen: "POST /?token=******** HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ********\r\n\r\n",
    },
    Row {
        name: "gt06",
        keys: "",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        name: "ruptela",
        keys: "",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        name: "galileosky",
        keys: "",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        name: "jt808",
        keys: "",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        name: "queclink",
        keys: "",
        said: "#L#352;My0Guess\r\n",
        seen: "#L#352;********\r\n",
    },
    Row {
        // frames have no secrets, and nobody logs in
        name: "can",
        keys: "ident = \"c\"\nstandard = [\"j1939\"]",
        said: "",
        seen: "",
    },
    Row {
        // nobody sends: there is no traffic
        name: "self",
        keys: "ident = \"s\"",
        said: "",
        seen: "",
    },
];

/// What cannot be of these ends a connection before all of it has come.
const CUT: &[&str] = &[
    "galileosky",
    "jt808",
    "queclink",
    "ruptela",
    "teltonika",
    "wialon-retranslator",
];

/// Each byte of a row is one character below 256.
fn raw(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

#[test]
fn every_type_of_channel_has_a_row() {
    for kind in ::weir::channel::KINDS {
        assert!(
            ROWS.iter().any(|row| row.name == kind.name),
            "no row for `{}`",
            kind.name
        );
    }
}

#[test]
fn what_comes_is_seen_without_the_secrets_of_strangers() {
    let source = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut channels = String::new();
    let mut ports = Vec::new();
    for Row { name, keys, .. } in ROWS {
        let port = free_port();
        let way = match *name {
            "gpsd" => format!("connect = \"{}\"", source.local_addr().unwrap()),
            "can" => "connect = \"can:nowhere0\"".to_owned(),
            "self" => String::new(),
            _ => format!("listen = \"127.0.0.1:{port}\""),
        };
        channels +=
            &format!("[[channel]]\nname = \"c-{name}\"\ntype = \"{name}\"\n{way}\n{keys}\n");
        ports.push(port);
    }
    let weir = Weir::start(
        "types",
        &config(free_port(), &(file("archive") + &channels)),
    );
    let path = |row: &Row| format!("/channels/c-{}/packets", row.name);
    for row in ROWS {
        packets(&weir, &path(row));
    }
    for (row, port) in ROWS.iter().zip(ports) {
        let mut socket = match row.name {
            "can" | "self" => continue,
            "gpsd" => source.accept().unwrap().0,
            _ => TcpStream::connect(("127.0.0.1", port)).unwrap(),
        };
        let (said, seen) = (raw(row.said), raw(row.seen));
        assert_eq!(said.len(), seen.len(), "{}", row.name);
        let (first, second) = said.split_at(said.len() / 2);
        socket.write_all(first).unwrap();
        eventually("the first half", || {
            !bytes(&packets(&weir, &path(row)), "in").is_empty()
        });
        // who speaks what is not understood may be cut in the middle
        socket.write_all(second).ok();
        let is_cut = CUT.contains(&row.name);
        let wanted = String::from_utf8_lossy(&seen);
        eventually("all of it", || {
            let found = bytes(&packets(&weir, &path(row)), "in");
            assert!(!found.contains("Guess"), "{}: {found}", row.name);
            is_cut || found == wanted
        });
    }
}
