//! Receivers of positions: serial lines, NMEA over UDP and TCP, and gpsd.

use crate::mqtt;
use crate::servers::Mosquitto;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::program::Program;
use crate::weir::web::ask_socket;
use rustix::pty::OpenptFlags;
use rustix::pty::grantpt;
use rustix::pty::openpt;
use rustix::pty::ptsname;
use rustix::pty::unlockpt;
use serde_json::Value as Json;
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// One channel between its source and mosquitto.
pub(crate) struct Gateway {
    broker: Mosquitto,
    pub(crate) weir: Weir,
}

impl Gateway {
    /// `@` in the keys of the channel is the folder.
    pub(crate) fn start(name: &str, channel: &str) -> Self {
        let broker = Mosquitto::start();
        let stream = mqtt("cloud", broker.port, "channels = [\"*\"]");
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
             [[channel]]\nname = \"gnss\"\n{channel}\n{stream}"
        );
        let weir = Weir::start(name, &config);
        Self { broker, weir }
    }

    /// What arrived, in order.
    pub(crate) fn messages(&self) -> Vec<Json> {
        let received = self.broker.received().into_iter();
        let parse = |(_, text): (_, String)| serde_json::from_str(&text).unwrap();
        received.map(parse).collect()
    }

    /// Times of measurement, in order of arrival.
    pub(crate) fn times(&self) -> Vec<u64> {
        let messages = self.messages().into_iter();
        let time = |message: Json| message["timestamp"].as_u64().unwrap();
        messages.map(time).collect()
    }

    /// Waits until the channel has so many connections.
    pub(crate) fn await_connections(&self, count: u64) {
        eventually(&format!("{count} connections"), || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
            let config = self.weir.folder.join("weir.toml");
            command.arg("-c").arg(config).args(["status", "--json"]);
            let output = command.output().unwrap();
            let status: Json = serde_json::from_slice(&output.stdout).unwrap();
            status["channels"][0]["connections"] == count
        });
    }
}

/// A sentence with its checksum and its end.
pub(crate) fn sentence(body: &str) -> String {
    let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}

/// What a receiver says of a second after noon: where it is, how high, how exactly.
pub(crate) fn epoch(second: u64, altitude: u32) -> String {
    let time = format!("12{:02}{:02}.00", second / 60, second % 60);
    let place = "5441.2320,N,02516.7820,E";
    [
        format!("GPRMC,{time},A,{place},022.4,084.4,231125,,,A"),
        format!("GPGGA,{time},{place},1,08,0.9,{altitude}.5,M,25.0,M,,"),
        "GPGSA,A,3,04,05,09,12,24,25,29,31,,,,,1.8,0.9,1.6".to_owned(),
    ]
    .map(|body| sentence(&body))
    .concat()
}

fn assert_fix(message: &Json, ident: &str) {
    let number = |name: &str| message[name].as_f64().unwrap_or(f64::NAN);
    assert_eq!(message["ident"], ident, "{message}");
    assert_eq!(message["channel.name"], "gnss", "{message}");
    assert_eq!(message["position.valid"], true, "{message}");
    for (name, expected, slack) in [
        ("position.latitude", 54.6872, 1e-6),
        ("position.longitude", 25.2797, 1e-6),
        ("position.altitude", 112.5, 0.01),
        ("position.speed", 22.4 * 1.852, 0.01),
        ("position.direction", 84.4, 0.01),
    ] {
        assert!((number(name) - expected).abs() < slack, "{name}: {message}");
    }
}

/// 2025-11-23 12:00:00 UTC, which the sentences count from.
pub(crate) const NOON: u64 = 1_763_899_200;

/// A receiver on a pseudo-terminal, plugged in under a name of its own.
pub(crate) struct Receiver {
    pub(crate) wire: File,
    name: PathBuf,
    said: u64,
}

impl Receiver {
    pub(crate) fn plug(name: &Path, said: u64) -> Self {
        // what other tests start must not keep it open
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let wire = openpt(flags).unwrap();
        grantpt(&wire).unwrap();
        unlockpt(&wire).unwrap();
        let device = ptsname(&wire, Vec::new()).unwrap();
        symlink(device.to_str().unwrap(), name).unwrap();
        let (wire, name) = (File::from(wire), name.to_owned());
        Self { wire, name, said }
    }

    /// Says where it is; a second later each time.
    fn speak(&mut self) {
        let text = epoch(self.said, 112);
        self.wire.write_all(text.as_bytes()).unwrap();
        self.said += 1;
    }

    /// How many it has said.
    fn unplug(self) -> u64 {
        self.said
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.name));
    }
}

#[test]
fn a_serial_line_that_comes_late_and_goes_and_comes_is_read() {
    // a name in `/dev` that needs no rights
    let tty = PathBuf::from(format!("/dev/shm/weir-{}", std::process::id()));
    let listen = format!("listen = \"serial:{}?baud=9600\"", tty.display());
    let gateway = Gateway::start(
        "serial",
        &format!("type = \"nmea\"\nident = \"truck\"\n{listen}"),
    );
    let missing = format!(
        "serial:{}?baud=9600: there is no such device",
        tty.display()
    );
    gateway.weir.await_log(&missing);

    let mut receiver = Receiver::plug(&tty, 0);
    gateway.await_connections(1);
    // who is plugged in while it speaks is heard from the middle of a sentence on
    receiver
        .wire
        .write_all(b"8,0.9,99.9,M,25.0,M,,*61\r\n")
        .unwrap();
    (0..3).for_each(|_| receiver.speak());
    eventually("a late device is read", || gateway.times().len() == 3);
    let said = receiver.unplug();
    gateway.await_connections(0);

    let mut receiver = Receiver::plug(&tty, said);
    gateway.await_connections(1);
    let packets = || {
        let api = gateway.weir.folder.join("api");
        let (_, text) = ask_socket(&api, "GET", "/channels/gnss/packets", "");
        serde_json::from_str::<Json>(&text).unwrap()["result"].take()
    };
    assert_eq!(packets(), serde_json::json!([]), "nobody has looked");
    // what a modem says when it starts is no name either
    receiver.wire.write_all(b"RDY\r\n").unwrap();
    (0..3).for_each(|_| receiver.speak());
    eventually("a device that is back is read", || {
        gateway.times().len() == 6
    });
    let first = &packets()[0];
    assert_eq!(first["peer"], tty.display().to_string());
    assert_eq!(first["ident"], "truck");
    assert!(
        first["data"].as_str().unwrap().starts_with("UkRZDQ"),
        "{first}"
    );
    assert_eq!(gateway.times(), (NOON..NOON + 6).collect::<Vec<_>>());
    for message in gateway.messages() {
        assert_fix(&message, "truck");
        assert_eq!(message["peer"], tty.display().to_string());
        assert_eq!(message["position.satellites"], 8);
        assert_eq!(message["position.hdop"], 0.9);
    }
}

/// Each names itself once, in a datagram of its own, and speaks of the same seconds as the other.
#[test]
fn two_senders_of_nmea_over_udp_have_a_session_each() {
    let port = free_port();
    let listen = format!("type = \"nmea\"\nlisten = \"udp:127.0.0.1:{port}\"");
    let gateway = Gateway::start("nmea-udp", &listen);
    let senders = [("ann", 100), ("bob", 200)].map(|(name, altitude)| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        (name, altitude, socket)
    });
    for (name, _, socket) in &senders {
        socket.send(name.as_bytes()).unwrap();
    }
    for second in 0..5 {
        let mut halves = senders.each_ref().map(|(_, altitude, socket)| {
            let text = epoch(second, *altitude);
            let (rmc, rest) = text.split_once('\n').unwrap();
            socket.send(rmc.as_bytes()).unwrap();
            (socket, rest.to_owned())
        });
        halves.reverse();
        for (socket, rest) in &halves {
            socket.send(rest.as_bytes()).unwrap();
        }
    }
    eventually("all arrive", || gateway.messages().len() == 10);
    for (name, altitude, socket) in &senders {
        let of_it = |message: &Json| message["ident"] == *name;
        let (messages, address) = (gateway.messages(), socket.local_addr().unwrap());
        let own: Vec<_> = messages.into_iter().filter(of_it).collect();
        assert_eq!(own.len(), 5, "{own:?}");
        for (message, second) in own.iter().zip(0..) {
            assert_eq!(message["timestamp"], NOON + second);
            assert_eq!(message["position.altitude"], f64::from(*altitude) + 0.5);
            assert_eq!(message["peer"], address.to_string());
        }
    }
}

#[test]
fn nmea_over_tcp_is_connected_to_again_when_its_peer_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!("type = \"nmea\"\nident = \"truck\"\nconnect = \"127.0.0.1:{port}\"");
    let gateway = Gateway::start("nmea-tcp", &connect);
    for round in 1..=3_u64 {
        let (mut receiver, _) = listener.accept().unwrap();
        // the epoch is not over: it counts nevertheless when the connection ends
        receiver.write_all(epoch(round, 112).as_bytes()).unwrap();
        drop(receiver);
        eventually("it arrives", || gateway.times().len() as u64 == round);
    }
    assert_eq!(gateway.times(), [NOON + 1, NOON + 2, NOON + 3]);
    gateway
        .messages()
        .iter()
        .for_each(|message| assert_fix(message, "truck"));
    let log = gateway.weir.log();
    // the third time is a repeat of the second, and those are only counted
    assert!(log.matches("connected to 127.0.0.1:").count() >= 2, "{log}");
    assert!(log.contains("closed by the far end; next try in"), "{log}");
}

/// The satellites that the position comes from.
pub(crate) const SKY: [&str; 2] = [
    "GPGSV,2,1,08,04,40,083,46,05,17,308,41,09,07,344,39,12,22,228,45",
    "GPGSV,2,2,08,24,33,120,40,25,51,201,43,29,62,045,47,31,28,155,38",
];

/// gpsfake, which feeds a gpsd of its own from a log file.
pub(crate) struct Gpsd(Program);

impl Gpsd {
    /// Where the logs are: each is one receiver.
    pub(crate) fn start(port: u16, logs: &[&Path]) -> Self {
        let mut command = Command::new("gpsfake");
        command.args(["-n", "-q", "-c", "0.03", "-P", &port.to_string()]);
        // gpsd is of its group
        Self(Program::serve_on(port, command.args(logs).process_group(0)))
    }
}

impl Drop for Gpsd {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        drop(
            Command::new("kill")
                .args(["-s", "KILL", "--", &group])
                .status(),
        );
        drop(std::fs::remove_file(format!(
            "/tmp/gpsfake-{}.sock",
            self.0.id()
        )));
    }
}

#[test]
fn gpsd_brings_one_message_an_epoch_and_is_connected_to_again() {
    let port = free_port();
    let connect = format!("type = \"gpsd\"\nident = \"truck\"\nconnect = \"127.0.0.1:{port}\"");
    let gateway = Gateway::start("gpsd", &connect);
    gateway.weir.await_log("onnection refused");
    let log_of = |seconds: Range<u64>| {
        let sky = SKY.map(sentence).concat();
        let lines = seconds.map(|second| epoch(second, 112) + &sky);
        lines.collect::<String>()
    };
    let folder = &gateway.weir.folder;
    let later = folder.write("later.nmea", &log_of(1800..3600));
    let log = folder.write("log.nmea", &log_of(0..1800));

    let gpsd = Gpsd::start(port, &[&later]);
    eventually("messages arrive", || gateway.times().len() >= 5);
    drop(gpsd);
    let _gpsd = Gpsd::start(port, &[&log]);
    // however late it is connected to again, its time is an earlier one
    let runs = || {
        let times = gateway.times();
        let runs = times.chunk_by(|a, b| a <= b);
        runs.map(<[u64]>::to_vec).collect::<Vec<_>>()
    };
    eventually("the next gpsd is heard", || {
        runs().get(1).is_some_and(|run| run.len() >= 5)
    });
    let runs = runs();
    assert_eq!(runs.len(), 2, "{runs:?}");
    for run in runs {
        assert!(
            run.is_sorted_by(|a, b| a + 1 == *b),
            "one an epoch: {run:?}"
        );
    }
    let messages = gateway.messages();
    for message in &messages {
        assert_fix(message, "truck");
    }
    let last = messages.last().unwrap();
    assert_eq!(last["position.satellites"], 8, "{last}");
    assert_eq!(last["position.hdop"], 0.9, "{last}");
}
