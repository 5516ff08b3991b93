//! Trackers and buses through the whole daemon, by packets that are made as the specifications
//! have them. One more protocol is one more row; that no answer comes before its message is safe
//! is tried with the same rows in `safe.rs`.
//!
//! A tracker sends while the destination takes nothing, others send what is broken beside it, the
//! power goes, and it sends again. All that was answered arrives once, in the end; what was broken
//! is counted under its reason and costs nobody anything.

use crate::bus;
use crate::itself::status;
use crate::safe::Row;
use crate::safe::Sender;
use crate::safe::Way;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value as Json;
use serde_json::json;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

/// How one kind of trackers says a message, and what is no message.
pub(crate) struct Tracker {
    pub(crate) row: Row,
    ident: &'static str,
    broken: &'static [Broken],
}

/// What cannot be taken.
struct Broken {
    bytes: &'static [u8],
    /// The counter that tells of it.
    reason: &'static str,
    /// How the answer begins; empty: there is none.
    answer: &'static [u8],
}

/// An HTTP server that refuses what is posted, until it is opened.
#[derive(Clone, Default)]
struct Upstream {
    is_open: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<Json>>>,
}

impl Upstream {
    fn serve(self, listener: TcpListener) {
        thread::spawn(move || {
            for socket in listener.incoming() {
                let this = self.clone();
                thread::spawn(move || this.request(socket.unwrap()));
            }
        });
    }

    fn request(&self, mut socket: TcpStream) {
        let (mut request, mut bytes) = (Vec::new(), [0; 4096]);
        while !request.ends_with(b"]") {
            match socket.read(&mut bytes) {
                Ok(len @ 1..) => request.extend_from_slice(&bytes[..len]),
                _ => return,
            }
        }
        let request = String::from_utf8(request).unwrap();
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let is_open = self.is_open.load(Ordering::SeqCst);
        if is_open {
            let messages: Vec<Json> = serde_json::from_str(body).unwrap();
            self.taken.lock().unwrap().extend(messages);
        }
        let status = if is_open { "200 OK" } else { "503 Not Now" };
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        drop(socket.write_all(head.as_bytes()));
    }

    fn messages(&self) -> Vec<Json> {
        self.taken.lock().unwrap().clone()
    }
}

/// The daemon with one channel, and its destination.
struct Scene {
    weir: Weir,
    upstream: Upstream,
}

impl Scene {
    fn start(name: &str, channel: &str, prepare: impl FnOnce(&Path)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream = Upstream::default();
        upstream.clone().serve(listener);
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
             [[channel]]\nname = \"in\"\n{channel}\n\
             [[stream]]\nname = \"out\"\ntype = \"http\"\nchannels = [\"in\"]\n\
             url = \"http://127.0.0.1:{port}/\"\nretry = {{ min = \"100ms\", max = \"500ms\" }}\n"
        );
        let name = format!("vehicles-{}", name.replace(' ', "-"));
        let weir = Weir::start_with(&name, &config, |_, folder| prepare(&folder.join("")));
        Self { weir, upstream }
    }

    /// Opens the destination; what arrives, once nothing waits any more.
    fn arrived(&self, count: usize) -> Vec<Json> {
        self.upstream.is_open.store(true, Ordering::SeqCst);
        eventually("all arrive", || self.upstream.messages().len() >= count);
        eventually("nothing waits", || {
            status(&self.weir)["streams"][0]["backlog"] == 0
        });
        let stream = status(&self.weir)["streams"][0].take();
        for (counter, wanted) in [("accepted", count), ("dropped", 0), ("corrupt", 0)] {
            assert_eq!(stream[counter], wanted, "{counter} of {stream}");
        }
        self.upstream.messages()
    }
}

/// A tracker of its own says a message, and is answered.
fn acknowledged(row: &Row, place: SocketAddr) {
    let mut sender = Sender::open(row, place, None);
    sender.say(row.message);
    sender.assert_acknowledged(row);
}

fn what_is_answered_arrives(tracker: &Tracker) {
    let (row, place) = (
        &tracker.row,
        SocketAddr::from(([127, 0, 0, 1], free_port())),
    );
    let channel = row.channel.replace("PLACE", &place.to_string());
    let mut scene = Scene::start(row.name, &channel, |_| ());
    acknowledged(row, place);
    let mut sent = 1;
    let mut refused = serde_json::Map::new();
    for broken in tracker.broken {
        let mut sender = Sender::open(row, place, None);
        // another, in the middle of its connection
        let mut other = Sender::open(row, place, None);
        sender.say(broken.bytes);
        if broken.answer.is_empty() {
            // the first that it hears is of what it sends behind
            sender.say(row.message);
            sender.assert_acknowledged(row);
            sent += 1;
        } else {
            sender.assert_hears(row.name, broken.answer);
        }
        other.say(row.message);
        other.assert_acknowledged(row);
        sent += 1;
        refused.insert(broken.reason.to_owned(), json!(1));
    }
    let channel = status(&scene.weir)["channels"][0].take();
    assert_eq!(channel["received"], sent, "{channel}");
    assert_eq!(channel["refused"], Json::Object(refused), "{channel}");
    assert_eq!(scene.upstream.messages(), Vec::<Json>::new());
    scene.weir.kill();
    scene.weir.restart();
    acknowledged(row, place);
    let arrived = scene.arrived(sent + 1);
    assert_eq!(arrived.len(), sent + 1, "{arrived:?}");
    for message in &arrived {
        assert_eq!(message["ident"], tracker.ident, "{message}");
        assert_eq!(message["timestamp"], MEASURED, "{message}");
        let longitude = message["position.longitude"].as_f64().unwrap();
        assert!((longitude - 77.765_432).abs() < 1e-5, "{message}");
        let kind = row.name.trim_end_matches(" UDP");
        assert_eq!(message["protocol.name"], kind, "{message}");
    }
}

#[test]
fn what_is_answered_arrives_and_what_is_broken_harms_nobody() {
    let tries = TRACKERS
        .iter()
        .map(|tracker| thread::spawn(move || what_is_answered_arrives(tracker)));
    let tries: Vec<_> = tries.collect();
    let failed = tries.into_iter().filter_map(|each| each.join().err());
    assert_eq!(failed.count(), 0, "protocols failed");
}

/// It has nobody to answer: what it brought is on disk when it is told as written.
#[test]
fn what_a_log_of_candump_brought_outlives_the_power_and_the_log() {
    let channel = format!(
        "type = \"can\"\nident = \"truck\"\nconnect = \"candump:@/log.can\"\npace = \"none\"\n\
         signals = [{}]",
        bus::SPEED
    );
    let [first, second, third] = bus::LINES;
    let lines = [first, "what is no frame\n", second, third].concat();
    let mut scene = Scene::start("candump", &channel, |folder| {
        fs::write(folder.join("log.can"), lines).unwrap();
    });
    eventually("both messages are on disk", || {
        status(&scene.weir)["ring"]["written"] == 2
    });
    let refused = status(&scene.weir)["channels"][0]["refused"].take();
    assert_eq!(refused, json!({ "syntax": 1 }));
    scene.weir.kill();
    fs::remove_file(scene.weir.folder.join("log.can")).unwrap();
    scene.weir.restart();
    let arrived = scene.arrived(2);
    let speeds: Vec<_> = arrived.iter().map(|message| &message["speed"]).collect();
    assert_eq!(speeds, [&json!(80.0), &json!(81.0)]);
}

/// 2026-03-14T09:26:53Z.
const MEASURED: u64 = 1_773_480_413;

const RUPTELA: &str = "type = \"ruptela\"\nlisten = [\"PLACE\", \"udp:PLACE\"]";
const GT06: &str = "type = \"gt06\"\nlisten = [\"PLACE\", \"udp:PLACE\"]";
const JT808: &str = "type = \"jt808\"\nlisten = [\"PLACE\", \"udp:PLACE\"]";
const QUECLINK: &str = "type = \"queclink\"\nlisten = [\"PLACE\", \"udp:PLACE\"]\nsack = true";
const GALILEOSKY: &str = "type = \"galileosky\"\nlisten = \"PLACE\"";
const OWNTRACKS: &str = "type = \"owntracks\"\nlisten = \"PLACE\"";

pub(crate) const TRACKERS: &[Tracker] = &[
    RUPTELA_TCP,
    over_udp("ruptela UDP", RUPTELA_TCP),
    GT06_TCP,
    over_udp("gt06 UDP", GT06_TCP),
    JT808_TCP,
    over_udp("jt808 UDP", JT808_TCP),
    QUECLINK_TCP,
    over_udp("queclink UDP", QUECLINK_TCP),
    Tracker {
        row: Row {
            name: "galileosky",
            channel: GALILEOSKY,
            way: Way::Tcp,
            hello: &[],
            message: b"\x01C\x00\x03990000123456784\x042\x00\x10\x01\x00 \xdd)\xb5i0\x0b\
                \xb1\x9eC\xff8\x9b\xa2\x043=\x02L\x084\xf9\xff5\x08@\x00:A:kB\xac\
                \x0fC\xf6E\x03\x00F\x05\x00P\x02/\xe0$",
            acknowledgement: b"\x02\xe0$",
        },
        ident: "990000123456784",
        broken: &[
            Broken {
                bytes: b"\x01,\x00\x03990000123456784\x10\x01\x00 \xdd)\xb4i0\x0b\xb1\x9eC\
                    \xff8\x9b\xa2\x043=\x02L\x084\xf9\xff5\x08\xd9\x9b",
                reason: "checksum",
                answer: b"",
            },
            Broken {
                bytes: b"\x01\x12\x00\x03990000123456784\x9f\x018d",
                reason: "unsupported",
                answer: b"\x028d",
            },
        ],
    },
    Tracker {
        row: Row {
            name: "owntracks",
            channel: OWNTRACKS,
            way: Way::Tcp,
            hello: &[],
            message: b"POST /pub HTTP/1.1\r\nHost: gw\r\nContent-Length: 83\r\n\r\n{\"_ty\
                pe\":\"location\",\"lat\":-12.3456789,\"lon\":77.7654321,\"tst\":1\
                773480413,\"tid\":\"17\"}",
            acknowledgement: b"HTTP/1.1 200 ",
        },
        ident: "17",
        broken: &[
            Broken {
                bytes: b"POST /pub HTTP/1.1\r\nHost: gw\r\nContent-Length: 19\r\n\r\n{\"_ty\
                    pe\":\"location\"",
                reason: "syntax",
                answer: b"HTTP/1.1 400 ",
            },
            Broken {
                bytes: b"POST /pub HTTP/1.1\r\nHost: gw\r\nContent-Length: 35\r\n\r\n{\"_ty\
                    pe\":\"encrypted\",\"data\":\"AAAA\"}",
                reason: "unsupported",
                answer: b"HTTP/1.1 200 ",
            },
        ],
    },
];

const RUPTELA_TCP: Tracker = Tracker {
    row: Row {
        name: "ruptela",
        channel: RUPTELA,
        way: Way::Tcp,
        hello: &[],
        message: b"\x005\x00\x03\x84f]\xaf\xad\x10\x01\x00\x01i\xb5)\xdd\x00\x00.Z\
            \x101\xf8\xa42\xeb\x00}j\x0e\x09\x00?\x09\x07\x02\x05\x01\x1b\x15\
            \x02\x1dk:\x1e\x0f\xb4\x01A\x07[\xcd\x15\x00\x91\x8c",
        acknowledgement: b"\x00\x02d\x01\x13\xbc",
    },
    ident: "990000123456784",
    broken: &[
        Broken {
            bytes: b"\x005\x00\x03\x84f]\xaf\xad\x10\x01\x00\x01i\xb5)\xdd\x00\x00.[\
                \x101\xf8\xa42\xeb\x00}j\x0e\x09\x00?\x09\x07\x02\x05\x01\x1b\x15\
                \x02\x1dk:\x1e\x0f\xb4\x01A\x07[\xcd\x15\x00\x91\x8c",
            reason: "checksum",
            answer: b"",
        },
        Broken {
            bytes: b"\x00&\x00\x03\x84f]\xaf\xad\x10\x01\x00\x09i\xb5)\xdd\x00\x00.Z\
                \x101\xf8\xa42\xeb\x00}j\x0e\x09\x00?\x09\x07\x00\x00\x00\x00\x02\
                \x96",
            reason: "length",
            answer: b"\x00\x02d\x00\x025",
        },
    ],
};

const JT808_TCP: Tracker = Tracker {
    row: Row {
        name: "jt808",
        channel: JT808,
        way: Way::Tcp,
        hello: &[],
        message: b"~\x02\x00\x00\x1c\x019\x00\x00\x00\x17\x00\x04\x00\x00\x00\x00\x00\
            \x00\x00\x07\x00\xbcaO\x04\xa2\x9b8\x00#\x02d\x00\xb2&\x03\x14\x17\
            &S\x01~",
        acknowledgement: b"~\x80\x01\x00\x05\x019\x00\x00\x00\x17\x00\x00\x00\x04\x02\x00\x00\
            \xad~",
    },
    ident: "13900000017",
    broken: &[
        Broken {
            bytes: b"~\x02\x00\x00\x1c\x019\x00\x00\x00\x17\x00\x10\x00\x00\x00\x00\x00\
                \x00\x00\x06\x00\xbcaO\x04\xa2\x9b8\x00#\x02d\x00\xb2&\x03\x14\x17\
                &S\x15~",
            reason: "checksum",
            answer: b"",
        },
        Broken {
            bytes: b"~\x07\x04\x00!\x019\x00\x00\x00\x17\x00\x11\x00\x02\x00\x01,\x00\
                \x00\x00\x00\x00\x00\x00\x07\x00\xbcaO\x04\xa2\x9b8\x00#\x02d\x00\
                \xb2&\x03\x14\x17&S\x07~",
            reason: "length",
            answer: b"~\x80\x01\x00\x05\x019\x00\x00\x00\x17\x00\x00\x00\x11\x07\x04\x02\
                \xbb~",
        },
    ],
};

const GT06_TCP: Tracker = Tracker {
    row: Row {
        name: "gt06",
        channel: GT06,
        way: Way::Tcp,
        hello: &[b"xx\r\x01\x09\x90\x00\x01#Eg\x84\x00\x01\x80\xb2\r\n"],
        message: b"xx\x1f\x12\x1a\x03\x0e\x09\x1a5\xc9\x01S\x15\x8e\x08W\xe426\x10{\
            \x03\x85F\x124\n\xbc\xde\x00\x05z\xad\r\n",
        acknowledgement: b"xx\x05\x12\x00\x05\xf5\x09\r\n",
    },
    ident: "990000123456784",
    broken: &[
        Broken {
            bytes: b"xx\x1f\x12\x1a\x03\x0e\x09\x1a5\xc9\x01S\x15\x8e\x08W\xe426\x11{\
                \x03\x85F\x124\n\xbc\xde\x00\x05z\xad\r\n",
            reason: "checksum",
            answer: b"",
        },
        Broken {
            bytes: b"xx\x08\x99\x01\x02\x03\x00B\x8c\xbd\r\n",
            reason: "unsupported",
            answer: b"xx\x05\x99\x00B\xe6\xf8\r\n",
        },
    ],
};

const QUECLINK_TCP: Tracker = Tracker {
    row: Row {
        name: "queclink",
        channel: QUECLINK,
        way: Way::Tcp,
        hello: &[],
        message: b"+RESP:GTFRI,250504,990000123456784,gv300,27450,10,1,1,63.2,178,35.\
            4,77.765432,-12.345679,20260314092653,0901,0070,1234,0ABCDE,00,123\
            456.7,00123:45:06,0000,0000,,98,220100,,,,20260314092655,0017$",
        acknowledgement: b"+SACK:0017$",
    },
    ident: "990000123456784",
    broken: &[
        Broken {
            bytes: b"+RESP:GTFRI,250504,,gv300,27450,10,1,1,63.2,178,35.4,77.765432,-12\
                .345679,20260314092653,0901,0070,1234,0ABCDE,00,1.0,,,,,98,220100,\
                ,,,20260314092653,0029$",
            reason: "ident",
            answer: b"",
        },
        Broken {
            bytes: b"+RESP:GTINF,250504,990000123456784,gv300,21,89999000000000000017,2\
                2,0,1,27450,,4.12,0,1,,,20260314092653,1,79,,01,00,,,2026031409265\
                4,0027$",
            reason: "unsupported",
            answer: b"+SACK:0027$",
        },
    ],
};

/// The same device by datagrams.
const fn over_udp(name: &'static str, of: Tracker) -> Tracker {
    let row = Row {
        name,
        way: Way::Udp,
        ..of.row
    };
    Tracker { row, ..of }
}
