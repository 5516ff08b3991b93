//! Too many, too slow, too much, and nonsense: what strangers on the local network can do to a
//! daemon, and to a device that behaves. Needs mosquitto, which `tests/run` installs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod client;
#[path = "../end_to_end/servers.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod servers;
#[path = "../end_to_end/weir.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod weir;

use client::Client;
use client::PROTOCOLS;
use rustix::process::Resource;
use rustix::process::getrlimit;
use rustix::process::setrlimit;
use serde_json::Value as Json;
use servers::Mosquitto;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;
use std::fs::File;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;
use weir::Folder;
use weir::Lines;
use weir::Weir;
use weir::eventually;
use weir::free_port;
use weir::web::ask_port;

/// A daemon with a channel of each protocol that has sockets, and mosquitto behind it.
struct Gateway {
    ports: [u16; PROTOCOLS.len()],
    weir: Weir,
    _broker: Mosquitto,
}

impl Gateway {
    /// With so many connections a channel.
    fn start(name: &str, max_connections: usize) -> Self {
        let (broker, ports) = (Mosquitto::start(), PROTOCOLS.map(|_| free_port()));
        let channels = PROTOCOLS.iter().zip(ports).map(|(protocol, port)| {
            format!(
                "[[channel]]\nname = \"{0}\"\ntype = \"{0}\"\nlisten = \"127.0.0.1:{port}\"\n\
                 max_connections = {max_connections}\n",
                protocol.name
            )
        });
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"4 MiB\"\n[api]\nlisten = \"unix:@/api\"\n{}\
             [[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\n\
             topic = \"weir/{{ident}}\"\nchannels = [\"*\"]\n",
            channels.collect::<String>(),
            broker.port
        );
        let weir = Weir::start(name, &config);
        weir.await_log("stream `cloud`: connected");
        Self {
            ports,
            weir,
            _broker: broker,
        }
    }

    /// What a channel counted as refused for this reason.
    fn refused(&self, channel: &str, reason: &str) -> u64 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        let config = self.weir.folder.join("weir.toml");
        command.arg("-c").arg(config).args(["status", "--json"]);
        let status: Json = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let channels = status["channels"].as_array().unwrap();
        let channel = channels.iter().find(|one| one["name"] == channel).unwrap();
        channel["refused"][reason].as_u64().unwrap_or(0)
    }

    fn port(&self, name: &str) -> u16 {
        let mut pairs = PROTOCOLS.iter().zip(self.ports);
        let pair = pairs.find(|(protocol, _)| protocol.name == name);
        pair.unwrap().1
    }
}

/// One who behaves: a line on a connection of its own, and a request on a new one.
struct Good {
    lines: Lines,
    acked: u64,
    web: u16,
    /// The longest that an answer took.
    worst: Duration,
}

impl Good {
    fn connect(gateway: &Gateway) -> Self {
        let (lines, web) = (Lines::connect(gateway.port("json")), gateway.port("http"));
        Self {
            lines,
            acked: 0,
            web,
            worst: Duration::ZERO,
        }
    }

    fn ask(&mut self) {
        let start = Instant::now();
        self.lines.send(&weir::message(self.acked));
        self.acked += 1;
        self.lines.await_acked(self.acked);
        self.worst = self.worst.max(start.elapsed());
        let start = Instant::now();
        let body = weir::message(self.acked);
        let (code, answer) = ask_port(self.web, "POST", "/", &[], &body);
        assert_eq!(code, 200, "{answer}");
        self.worst = self.worst.max(start.elapsed());
    }
}

/// As many as this test has sockets for, and the daemon that it starts.
fn allow_files(count: u64) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        limit.current = Some(count);
        setrlimit(Resource::Nofile, limit).unwrap();
    }
}

#[test]
fn two_thousand_strangers_cost_little_and_one_who_behaves_is_answered() {
    allow_files(4096);
    let gateway = Gateway::start("crowd", 2 * CROWD / PROTOCOLS.len());
    let mut good = Good::connect(&gateway);
    good.ask();
    let empty = gateway.weir.memory_kib();
    let ways = PROTOCOLS.iter().zip(gateway.ports).cycle().take(CROWD);
    let mut crowd: Vec<_> = ways
        .map(|(protocol, port)| Client::new(protocol, port))
        .collect();
    let mut most = empty;
    let acts: [Act; 5] = [
        ("stall", 1, |_| {}),
        ("trickle", 5, Client::trickle),
        ("stuff", 1, Client::stuff),
        ("send rubbish", 3, Client::rubbish),
        ("stuff again", 1, Client::stuff),
    ];
    for (name, rounds, act) in acts {
        let mut here = 0;
        for _ in 0..rounds {
            for some in crowd.chunks_mut(100) {
                some.iter_mut().for_each(act);
                good.ask();
                here = here.max(gateway.weir.memory_kib());
            }
        }
        assert!(
            name != "stall" || here <= empty + CROWD as u64 * IDLE_KIB,
            "{here}"
        );
        most = most.max(here);
        let worst = good.worst.as_millis();
        println!("{CROWD} {name}: {here} KiB, {empty} without; answers within {worst} ms so far");
    }
    // on a busy machine memory runs short before rubbish of JSON is read
    for (channel, reason) in [
        ("json", "memory"),
        ("http", "memory"),
        ("mqtt", "memory"),
        ("wialon-ips", "memory"),
        ("teltonika", "checksum"),
    ] {
        assert!(gateway.refused(channel, reason) > 0, "{channel}: {reason}");
    }
    let bound = empty + BUDGET_KIB + CROWD as u64 * EACH_KIB;
    assert!(most <= bound, "{most} KiB, not {bound}");
    assert!(good.worst < NOT_FOR_A_STRANGER, "{:?}", good.worst);
}

/// An HTTP request whose content has so many bytes, the last of which is not sent yet.
fn request(port: u16, len: usize) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(weir::PATIENCE)).unwrap();
    let (head, tail) = ("[{\"ident\":\"large\"}", " ".repeat(len - 19));
    let request = format!(
        "POST / HTTP/1.1\r\nHost: gw\r\nContent-Type: application/json\r\n\
         Content-Length: {len}\r\n\r\n{head}{tail}"
    );
    // one that is cut may not take all
    drop(socket.write_all(request.as_bytes()));
    socket
}

/// The head of the answer.
fn answer(socket: &mut TcpStream) -> String {
    let mut bytes = [0; 1024];
    let len = socket.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

#[test]
fn who_brings_more_than_there_is_room_for_is_told_and_the_others_go_on() {
    let gateway = Gateway::start("budget", 64);
    let web = gateway.port("http");
    let mut good = Good::connect(&gateway);
    good.ask();
    let empty = gateway.weir.memory_kib();
    let mut first = [900_000, 500_000].map(|len| request(web, len));
    eventually("both are there", || {
        good.ask();
        gateway.weir.memory_kib() > empty + 1_300
    });

    let mut third = request(web, 900_000);
    let refusal = answer(&mut third);
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    assert!(refusal.contains("Retry-After: "), "{refusal}");
    assert_eq!(gateway.refused("http", "memory"), 1);
    let mut line = Lines::connect(gateway.port("json"));
    line.send(&format!(
        "{{\"ident\":\"a\",\"text\":\"{}\"}}",
        "x".repeat(900)
    ));
    line.await_acked(1);

    for socket in &mut first {
        socket.write_all(b"]").unwrap();
        let taken = answer(socket);
        assert!(taken.starts_with("HTTP/1.1 200 "), "{taken}");
    }
    let mut again = request(web, 900_000);
    again.write_all(b"]").unwrap();
    let taken = answer(&mut again);
    assert!(
        taken.starts_with("HTTP/1.1 200 "),
        "what they had is free: {taken}"
    );
    good.ask();
    assert_eq!(gateway.refused("http", "memory"), 1);
}

/// Pings without end whose answers are not read: after 30 s without a byte read they are cut.
#[test]
fn who_does_not_read_answers_is_cut() {
    let gateway = Gateway::start("slow", 64);
    let mut good = Good::connect(&gateway);
    good.ask();
    let empty = gateway.weir.memory_kib();
    let login = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04deaf";
    let clients = [
        (
            "wialon-ips",
            &b"#L#deaf;NA\r\n"[..],
            b"#P#\r\n".repeat(1000),
        ),
        ("mqtt", login, b"\xc0\x00".repeat(2500)),
    ];
    let mut deaf = clients.map(|(name, login, pings)| {
        let mut socket = connect_deaf(gateway.port(name));
        socket.write_all(login).unwrap();
        socket.set_nonblocking(true).unwrap();
        (name, socket, pings, 0)
    });
    eventually("both are cut", || {
        good.ask();
        let cut = deaf.iter_mut().map(|(_, socket, pings, at)| {
            loop {
                match socket.write(&pings[*at..]) {
                    Ok(len) => *at = (*at + len) % pings.len(),
                    Err(error) => break error.kind() != ErrorKind::WouldBlock,
                }
            }
        });
        cut.filter(|cut| *cut).count() == 2
    });
    for (name, ..) in &deaf {
        eventually("it is counted", || gateway.refused(name, "slow") == 1);
    }
    let kept = gateway.weir.memory_kib() - empty;
    assert!(kept < 512, "{kept} KiB");
}

/// With little room for answers, so that it is soon full.
fn connect_deaf(port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// More connections than a process is given files at first.
#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_goes() {
    let folder = Folder::new("files");
    let place = folder.join("").display().to_string();
    let channels: String = [("a", 300), ("b", 500)]
        .map(|(name, max)| {
            format!(
                "[[channel]]\nname = \"{name}\"\ntype = \"json\"\nlisten = \"unix:{place}{name}\"\n\
                 max_connections = {max}\n"
            )
        })
        .concat();
    let config = format!(
        "[ring]\nfile = \"{place}ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n{channels}\
         [[stream]]\nname = \"log\"\ntype = \"file\"\npath = \"{place}out\"\nchannels = [\"*\"]\n"
    );
    let file = folder.write("weir.toml", &config);
    for (hard, expected, warned) in [(4096, 928, false), (512, 512, true)] {
        let script = "ulimit -Sn 256 && ulimit -Hn \"$0\" && exec \"$@\"";
        let mut command = Command::new("sh");
        command.args([
            "-c",
            script,
            &hard.to_string(),
            env!("CARGO_BIN_EXE_weir"),
            "-c",
        ]);
        let log = File::create(folder.join("log")).unwrap();
        let mut daemon = command.arg(&file).arg("run").stderr(log).spawn().unwrap();
        let said = || std::fs::read_to_string(folder.join("log")).unwrap();
        eventually("it is ready", || said().contains("weir is ready"));
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.id())).unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        let mut lines = limits.lines();
        let line = lines
            .find_map(|line| line.strip_prefix("Max open files"))
            .unwrap();
        let soft = line.split_whitespace().next().unwrap();
        assert_eq!(soft, expected.to_string());
        assert_eq!(said().contains("`LimitNOFILE=`"), warned, "{}", said());
    }
}

/// What the crowd does, how often, and how it is done.
type Act = (&'static str, u8, fn(&mut Client));

/// An answer that takes so long was late for another reason than a busy machine: no stranger is
/// waited for.
const NOT_FOR_A_STRANGER: Duration = Duration::from_secs(10);

/// Connections at once.
const CROWD: usize = 2000;

/// What all that is not understood yet may take.
const BUDGET_KIB: u64 = 2048;

/// What docs/connections.md says that a connection takes beside it, and one that is silent.
const EACH_KIB: u64 = 6;
const IDLE_KIB: u64 = 4;
