//! Programs on the gateway that subscribe to what passes: mosquitto's own client, and some that
//! read nothing.

use crate::sender::Sender;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::program::Program;
use crate::weir::web::ask_socket;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

/// Programs bring messages on one port and subscribe on the other.
fn config(port: u16, mqtt: u16, keys: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"4 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[channel]]\nname = \"local\"\ntype = \"mqtt\"\nlisten = \"127.0.0.1:{mqtt}\"\n\
         topic = \"trackers/{{ident}}/up\"\nsubscribe = true\n{keys}\n\
         [[stream]]\nname = \"archive\"\ntype = \"file\"\npath = \"@/archive.jsonl\"\n\
         max_size = \"1 MiB\"\nkeep = 1\nchannels = [\"*\"]\n"
    )
}

/// mosquitto_sub, and what it has printed: topics and payloads.
struct Subscriber {
    _program: Program,
    folder: Folder,
}

impl Subscriber {
    fn start(port: u16, more: &[&str]) -> Self {
        let folder = Folder::new("subscriber");
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F", "%r %t %p"]);
        command
            .args(more)
            .stdout(fs::File::create(folder.join("out")).unwrap());
        let program = Program::start(&mut command);
        Self {
            _program: program,
            folder,
        }
    }

    /// What came on a topic, and whether it was retained.
    fn told(&self, topic: &str) -> Vec<(bool, String)> {
        let text = fs::read_to_string(self.out()).unwrap_or_default();
        let lines = text.lines().filter_map(|line| {
            let (mark, rest) = line.split_once(' ')?;
            let (found, payload) = rest.split_once(' ')?;
            (found == topic).then(|| (mark == "1", payload.to_owned()))
        });
        lines.collect()
    }

    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }
}

fn channel(weir: &Weir, name: &str) -> Value {
    let path = format!("/channels/{name}");
    let (code, text) = ask_socket(&weir.folder.join("api"), "GET", &path, "");
    assert_eq!(code, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["result"][0].clone()
}

#[test]
fn mosquitto_sub_sees_what_passes_and_how_all_stands() {
    let (port, mqtt) = (free_port(), free_port());
    let _weir = Weir::start("passing", &config(port, mqtt, ""));
    let mut lines = Lines::connect(port);
    for version in ["mqttv311", "mqttv5"] {
        let more = ["-V", version, "-t", "weir/messages/+", "-t", "weir/state/#"];
        let all = Subscriber::start(mqtt, &more);
        let one = Subscriber::start(mqtt, &["-V", version, "-t", "weir/messages/gw-2"]);
        let ring = "weir/state/ring";
        eventually("the ring's state is retained", || {
            all.told(ring).first().is_some_and(|(mark, _)| *mark)
        });
        let retained = all.told("weir/state/channels/programs");
        let state: Value = serde_json::from_str(&retained[0].1).unwrap();
        let before = state["received"].as_u64().unwrap();
        assert!(all.told("weir/state/streams/archive")[0].0);
        // who has subscribed to nothing else has no state to wait for
        eventually("both are there", || {
            lines.send("{\"ident\":\"gw-2\",\"n\":0}");
            !one.told("weir/messages/gw-2").is_empty()
        });
        lines.send("{\"ident\":\"gw-1\",\"n\":7}");
        eventually("it is told", || all.told("weir/messages/gw-1").len() == 1);
        let (mark, payload) = all.told("weir/messages/gw-1").remove(0);
        let message: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!((mark, &message["n"]), (false, &7.into()));
        assert!(message["server.timestamp"].is_number(), "{message}");
        eventually("the change of a state is told", || {
            let told = all.told("weir/state/channels/programs");
            let last = told.last().unwrap();
            let state: Value = serde_json::from_str(&last.1).unwrap();
            !last.0 && state["received"].as_u64().unwrap() > before
        });
        assert!(one.told("weir/messages/gw-1").is_empty());
    }
}

#[test]
fn who_may_not_log_in_sees_nothing() {
    let (port, mqtt) = (free_port(), free_port());
    let users = "users = { ann = \"secret\" }";
    let _weir = Weir::start("passing-users", &config(port, mqtt, users));
    let ask = |more: &[&str]| {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &mqtt.to_string(), "-W", "60"]);
        command.args(["-t", "weir/state/ring", "-C", "1"]);
        command.args(more).output().unwrap()
    };
    let known = ask(&["-u", "ann", "-P", "secret"]);
    assert!(known.status.success() && known.stdout.starts_with(b"{"));
    let unknown = ask(&["-u", "ann", "-P", "guess"]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
}

/// Logs in, subscribes to all that passes, and reads nothing.
fn mute(port: u16) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let patience = Some(Duration::from_secs(60));
    socket.set_read_timeout(patience).unwrap();
    socket
        .write_all(b"\x10\x0C\0\x04MQTT\x04\x02\0\0\0\0")
        .unwrap();
    socket.read_exact(&mut [0; 4]).unwrap();
    socket.write_all(b"\x82\x0B\0\x01\0\x06weir/#\0").unwrap();
    let mut answer = [0; 5];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x90, 3, 0, 1, 0]);
    socket
}

#[test]
fn subscribers_that_read_nothing_delay_nobody_and_cost_their_bound() {
    let (port, mqtt) = (free_port(), free_port());
    let weir = Weir::start("passing-mute", &config(port, mqtt, ""));
    let mut sender = Sender::new(port, 100, message);
    let mut send = |count: u64| {
        let start = Instant::now();
        let until = sender.acked + count;
        sender.send(until).unwrap();
        (start.elapsed(), weir.memory_kib())
    };
    send(WARM);
    let (alone, before) = send(MESSAGES);
    let mute: Vec<_> = (0..MUTE).map(|_| mute(mqtt)).collect();
    // until the buffers of their connections are full, they are told all
    let (filling, _) = send(MESSAGES);
    let (beside, after) = send(MESSAGES);
    println!(
        "{MESSAGES} messages acknowledged in {alone:.2?}, {beside:.2?} beside {MUTE} subscribers \
         that read nothing ({filling:.2?} while their buffers filled); memory {before} KiB, \
         {after} KiB beside them"
    );
    let found = channel(&weir, "local");
    assert_eq!(found["connections"], MUTE, "{found}");
    assert!(found["missed"].as_u64().unwrap() > MESSAGES, "{found}");
    weir.await_log("reads too slowly what it has subscribed to");
    assert!(after <= before + FEED_KIB + MUTE * EACH_KIB + SLACK_KIB);
    drop(mute);
    eventually("they are gone", || {
        channel(&weir, "local")["connections"] == 0
    });
}

/// A message of 4 KiB.
fn message(number: u64) -> String {
    let text = "x".repeat(4000);
    format!("{{\"ident\":\"gw-1\",\"seq\":{number},\"text\":\"{text}\"}}")
}

const WARM: u64 = 500;
/// More than the system keeps of one connection.
const MESSAGES: u64 = 4_000;
const MUTE: u64 = 8;
/// What all lookers share.
const FEED_KIB: u64 = 256;
/// What waits for one that reads nothing, its buffer's rounding and its connection.
const EACH_KIB: u64 = 24;
/// The allocator's rounding.
const SLACK_KIB: u64 = 192;
