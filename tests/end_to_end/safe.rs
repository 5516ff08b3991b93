//! No acknowledgement of any protocol is sent before its message is safe. What is safe is on disk,
//! or settled by every stream that wants it; so both are taken away, in two ways:
//!
//! 1. A disk that never finishes its sync, and a destination that never answers. Nothing but the
//!    message gives the disk anything to do, so that where the sync has begun it is taken, appended
//!    and written, and an acknowledgement that is sent at any of these is out: half a second lies
//!    before, as in the sync the daemon stands still, and silence from then on shows little. Then
//!    the sync ends, and it is acknowledged.
//! 2. A disk that fails, and the same destination. The daemon lives, has tried to write, and has
//!    sent the message, so that only rules keep it silent. Then the destination answers, and it is
//!    acknowledged though nothing is on disk.
//!
//! The disk is a small library in C, in front of the C library: it can be switched while the
//! daemon runs and stands in its way nowhere else. `strace -e inject` would do for all syncs or
//! none, and makes everything slow; a real disk cannot be told to fail.

use crate::itself::status;
use crate::vehicles::TRACKERS;
use crate::weir::Folder;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::json;
use std::fs;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// How one protocol says a message and hears that it is safe. One more protocol is one more row,
/// here or, of trackers, in `vehicles.rs`.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Keys of the channel; `PLACE` is where both meet.
    pub(crate) channel: &'static str,
    pub(crate) way: Way,
    /// What is said before, each part answered by something.
    pub(crate) hello: &'static [&'static [u8]],
    pub(crate) message: &'static [u8],
    /// How the acknowledgement begins.
    pub(crate) acknowledgement: &'static [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The sender connects.
    Tcp,
    /// It sends one datagram.
    Udp,
    /// The daemon connects to it and asks for messages: `hello` are the answers.
    Source,
}

/// The sender's end.
pub(crate) enum Sender {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Sender {
    /// Connects and says what comes before a message.
    pub(crate) fn open(row: &Row, place: SocketAddr, listener: Option<TcpListener>) -> Self {
        let mut sender = match (row.way, listener) {
            (Way::Tcp, _) => Self::Tcp(TcpStream::connect(place).unwrap()),
            (Way::Udp, _) => {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.connect(place).unwrap();
                Self::Udp(socket)
            }
            (Way::Source, listener) => Self::Tcp(listener.unwrap().accept().unwrap().0),
        };
        for part in row.hello {
            if row.way != Way::Source {
                sender.say(part);
            }
            assert!(!sender.hear(PATIENCE).is_empty(), "no answer to a greeting");
            if row.way == Way::Source {
                sender.say(part);
            }
        }
        sender
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        match self {
            Self::Tcp(socket) => socket.write_all(bytes).unwrap(),
            Self::Udp(socket) => assert_eq!(socket.send(bytes).unwrap(), bytes.len()),
        }
    }

    /// What comes within this time; nothing if nothing does.
    fn hear(&mut self, time: Duration) -> Vec<u8> {
        let mut bytes = [0; 1024];
        let heard = match self {
            Self::Tcp(socket) => {
                socket.set_read_timeout(Some(time)).unwrap();
                socket.read(&mut bytes)
            }
            Self::Udp(socket) => {
                socket.set_read_timeout(Some(time)).unwrap();
                socket.recv(&mut bytes)
            }
        };
        match heard {
            Ok(len) => {
                assert!(len > 0, "closed");
                bytes[..len].to_vec()
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn assert_acknowledged(&mut self, row: &Row) {
        self.assert_hears(row.name, row.acknowledgement);
    }

    /// What it hears next begins so.
    pub(crate) fn assert_hears(&mut self, name: &str, expected: &[u8]) {
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            let more = self.hear(PATIENCE);
            assert!(!more.is_empty(), "{name}: never answered");
            heard.extend(more);
        }
        let shown = heard.escape_ascii();
        assert!(heard.starts_with(expected), "{name}: {shown}");
    }

    fn assert_silent(&mut self, row: &Row, why: &str) {
        let heard = self.hear(SILENCE);
        let shown = heard.escape_ascii();
        assert!(heard.is_empty(), "{}: {why}: {shown}", row.name);
    }
}

/// An HTTP server that takes what is posted and answers when it is told to.
struct Destination {
    port: u16,
    asked: Arc<AtomicU32>,
    answers: Arc<AtomicBool>,
}

impl Destination {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
            answers: Arc::default(),
        };
        let (asked, answers) = (Arc::clone(&this.asked), Arc::clone(&this.answers));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
                thread::spawn(move || take(socket.unwrap(), &asked, &answers));
            }
        });
        this
    }

    fn has_message(&self) -> bool {
        self.asked.load(Ordering::SeqCst) > 0
    }
}

/// One request.
fn take(mut socket: TcpStream, asked: &AtomicU32, answers: &AtomicBool) {
    let (mut request, mut bytes) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"]") {
        match socket.read(&mut bytes) {
            Ok(len @ 1..) => request.extend_from_slice(&bytes[..len]),
            _ => return,
        }
    }
    asked.fetch_add(1, Ordering::SeqCst);
    while !answers.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(10));
    }
    drop(socket.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
}

/// The daemon with one channel, a disk that can be switched and a destination.
struct Scene {
    weir: Weir,
    sender: Sender,
    destination: Destination,
}

impl Scene {
    fn start(row: &Row, what: &str) -> Self {
        let destination = Destination::start();
        let place = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let source = (row.way == Way::Source).then(|| TcpListener::bind(place).unwrap());
        let channel = row.channel.replace("PLACE", &place.to_string());
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
             commit = {{ delay = \"700ms\", hold = \"700ms\" }}\n[api]\nlisten = \"unix:@/api\"\n\
             [[channel]]\nname = \"in\"\n{channel}\n\
             [[stream]]\nname = \"out\"\ntype = \"http\"\nchannels = [\"in\"]\n\
             url = \"http://127.0.0.1:{}/\"\ntimeout = \"10m\"\n",
            destination.port
        );
        let name = format!("safe-{what}-{}", row.name.replace(' ', "-"));
        let weir = Weir::start_with(&name, &config, |command, folder| {
            command.env("LD_PRELOAD", library());
            command.env("WEIR_DISK", folder.join(""));
        });
        let sender = Sender::open(row, place, source);
        Self {
            weir,
            sender,
            destination,
        }
    }

    /// What a sync does from now on.
    fn disk(&self, is: &str) {
        self.weir.folder.write(is, "");
    }
}

fn a_disk_that_never_finishes(row: &Row) {
    let mut scene = Scene::start(row, "stuck");
    let before = status(&scene.weir)["ring"]["syncs"].as_u64().unwrap();
    scene.disk("stuck");
    scene.sender.say(row.message);
    scene.sender.assert_silent(row, "before the sync");
    let waits = scene.weir.folder.join("waits");
    eventually("the sync has begun", || waits.exists());
    scene.sender.assert_silent(row, "in the middle of the sync");
    fs::remove_file(scene.weir.folder.join("stuck")).unwrap();
    scene.sender.assert_acknowledged(row);
    assert!(!scene.destination.answers.load(Ordering::SeqCst));
    let ring = status(&scene.weir)["ring"].clone();
    assert_eq!(
        (&ring["written"], &ring["syncs"]),
        (&1.into(), &(before + 1).into())
    );
}

fn a_disk_that_fails(row: &Row) {
    let mut scene = Scene::start(row, "broken");
    let syncs = status(&scene.weir)["ring"]["syncs"].clone();
    scene.disk("broken");
    scene.sender.say(row.message);
    eventually("the destination has it", || scene.destination.has_message());
    scene.weir.await_log("ring: commit failed");
    scene
        .sender
        .assert_silent(row, "neither on disk nor settled");
    let channel = status(&scene.weir)["channels"][0].clone();
    assert_eq!(channel["received"], 1, "{}: the daemon lives", row.name);
    scene.destination.answers.store(true, Ordering::SeqCst);
    scene.sender.assert_acknowledged(row);
    let ring = status(&scene.weir)["ring"].clone();
    assert_eq!((&ring["degraded"], &ring["syncs"]), (&true.into(), &syncs));
}

/// Tries it with each row at once: nearly all of it is waiting.
fn of_each(test: fn(&Row)) {
    if cfg!(not(target_env = "gnu")) {
        return println!("skipped: nothing can be loaded into a static program");
    }
    library();
    let rows = ROWS
        .iter()
        .chain(TRACKERS.iter().map(|tracker| &tracker.row));
    let tries = rows.map(|row| thread::spawn(move || test(row)));
    let tries: Vec<_> = tries.collect();
    let failed = tries.into_iter().filter_map(|each| each.join().err());
    assert_eq!(failed.count(), 0, "protocols failed");
}

#[test]
fn nothing_is_acknowledged_while_a_sync_lasts() {
    of_each(a_disk_that_never_finishes);
}

#[test]
fn nothing_is_acknowledged_by_memory_alone() {
    of_each(a_disk_that_fails);
}

/// By its answer it knows what it may forget; without it all comes again.
#[test]
fn a_sender_of_datagrams_that_is_owed_an_answer_keeps_its_place() {
    if cfg!(not(target_env = "gnu")) {
        return println!("skipped: nothing can be loaded into a static program");
    }
    let of_datagrams = |row: &&Row| row.name == "ruptela UDP";
    let row = TRACKERS
        .iter()
        .map(|tracker| &tracker.row)
        .find(of_datagrams);
    let row = Row {
        channel: "type = \"ruptela\"\nlisten = \"udp:PLACE\"\nmax_connections = 1",
        ..*row.unwrap()
    };
    let mut scene = Scene::start(&row, "place");
    let Sender::Udp(socket) = &scene.sender else {
        panic!("no datagrams");
    };
    let mut other = Sender::open(&row, socket.peer_addr().unwrap(), None);
    scene.disk("broken");
    scene.sender.say(row.message);
    eventually("the destination has it", || scene.destination.has_message());
    other.say(row.message);
    eventually("the other is counted", || {
        status(&scene.weir)["channels"][0]["refused"] == json!({ "connections": 1 })
    });
    scene.destination.answers.store(true, Ordering::SeqCst);
    scene.sender.assert_acknowledged(&row);
    // who waits for nothing makes room
    other.say(row.message);
    other.assert_acknowledged(&row);
}

/// The disk, built once.
fn library() -> PathBuf {
    static BUILT: OnceLock<(Folder, PathBuf)> = OnceLock::new();
    let build = || {
        let folder = Folder::new("disk");
        let source = folder.write("disk.c", include_str!("disk.c"));
        let made = folder.join("disk.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"]);
        let built = compiler.arg(&made).arg(source).status();
        assert!(built.unwrap().success());
        (folder, made)
    };
    BUILT.get_or_init(build).1.clone()
}

/// How long silence is listened to.
const SILENCE: Duration = Duration::from_millis(500);

const IPS: &str = "type = \"wialon-ips\"\nlisten = [\"PLACE\", \"udp:PLACE\"]";
const TELTONIKA: &str = "type = \"teltonika\"\nlisten = [\"PLACE\", \"udp:PLACE\"]";
const BROKER: &str = "type = \"mqtt\"\nlisten = \"PLACE\"\ntopic = \"in/{ident}\"";

const ROWS: &[Row] = &[
    Row {
        name: "json",
        channel: "type = \"json\"\nlisten = \"PLACE\"",
        way: Way::Tcp,
        hello: &[],
        message: b"{\"ident\":\"352\"}\n",
        acknowledgement: b"{\"acked\":1}\n",
    },
    Row {
        name: "http",
        channel: "type = \"http\"\nlisten = \"PLACE\"",
        way: Way::Tcp,
        hello: &[],
        message: b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 15\r\n\r\n{\"ident\":\"352\"}",
        acknowledgement: b"HTTP/1.1 200 ",
    },
    Row {
        name: "osmand",
        channel: "type = \"osmand\"\nlisten = \"PLACE\"",
        way: Way::Tcp,
        hello: &[],
        message: b"GET /?id=352&lat=54.68&lon=25.27&timestamp=1700000000 HTTP/1.1\r\n\
                   Host: gw\r\n\r\n",
        acknowledgement: b"HTTP/1.1 200 ",
    },
    Row {
        name: "teltonika TCP",
        channel: TELTONIKA,
        way: Way::Tcp,
        hello: &[b"\0\x0f356307042441013"],
        message:
            b"\0\0\0\0\0\0\0\x36\x08\x01\0\0\x01\x6b\x40\xd8\xea\x30\x01\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0\0\x01\x05\x02\x15\x03\x01\x01\x01\x42\x5e\x0f\x01\xf1\0\0\x60\x1a\x01\x4e\0\0\0\
            \0\0\0\0\0\x01\0\0\xc7\xcf",
        acknowledgement: b"\0\0\0\x01",
    },
    Row {
        name: "teltonika UDP",
        channel: TELTONIKA,
        way: Way::Udp,
        hello: &[],
        message: b"\0\x3d\xca\xfe\x01\x05\0\x0f352093086403655\x08\x01\0\0\x01\x6b\x4f\x81\x5b\x30\
            \x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x03\x02\x15\x03\x01\x01\x01\x42\x5d\xbc\0\0\x01",
        acknowledgement: b"\0\x05\xca\xfe\x01\x05\x01",
    },
    Row {
        name: "mqtt 3.1.1",
        channel: BROKER,
        way: Way::Tcp,
        hello: &[b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01d"],
        message: b"\x32\x0c\0\x06in/352\0\x07{}",
        acknowledgement: b"\x40\x02\0\x07",
    },
    Row {
        name: "mqtt 5",
        channel: BROKER,
        way: Way::Tcp,
        hello: &[b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01d"],
        message: b"\x32\x0d\0\x06in/352\0\x07\0{}",
        acknowledgement: b"\x40\x02\0\x07",
    },
    Row {
        name: "mqtt of a broker",
        channel: "type = \"mqtt\"\nconnect = \"PLACE\"\ntopic = \"in/{ident}\"",
        way: Way::Source,
        hello: &[b"\x20\x02\0\0", b"\x90\x03\0\x01\x01"],
        message: b"\x32\x0c\0\x06in/352\0\x07{}",
        acknowledgement: b"\x40\x02\0\x07",
    },
    Row {
        name: "wialon-ips TCP",
        channel: IPS,
        way: Way::Tcp,
        hello: &[b"#L#352;NA\r\n"],
        message: b"#SD#270413;205601;5544.6025;N;03739.6834;E;1;2;3;4\r\n",
        acknowledgement: b"#ASD#1\r\n",
    },
    Row {
        name: "wialon-ips UDP",
        channel: IPS,
        way: Way::Udp,
        hello: &[],
        message: b"352#SD#270413;205601;5544.6025;N;03739.6834;E;1;2;3;4\r\n",
        acknowledgement: b"#ASD#1\r\n",
    },
    Row {
        name: "wialon-retranslator",
        channel: "type = \"wialon-retranslator\"\nlisten = \"PLACE\"",
        way: Way::Tcp,
        hello: &[],
        message: b"\x39\0\0\x00352\0\x4b\x0b\xfb\x70\0\0\0\x01\x0b\xbb\0\0\0\x27\
            \x01\x02posinfo\0\xa0\x27\xaf\xdf\x5d\x98\x48\x40\x3a\xc7\x25\x33\x83\xdd\x4b\x40\0\0\
            \0\0\0\x80\x5a\x40\0\x36\x01\x46\x0b",
        acknowledgement: b"\x11",
    },
];
