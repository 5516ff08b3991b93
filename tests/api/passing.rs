//! Messages as they pass: over the API, and with `weir tail`.

use crate::asking::ask;
use crate::asking::one;
use crate::config;
use crate::file;
use crate::send;
use crate::weir::Lines;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use std::fs;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

/// `weir tail`, until the test ends.
pub(crate) struct Tail {
    child: Child,
    out: std::path::PathBuf,
}

impl Tail {
    pub(crate) fn start(weir: &Weir, name: &str, words: &[&str]) -> Self {
        let out = weir.folder.join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.arg("-c").arg(weir.folder.join("weir.toml"));
        command.arg("tail").args(words).stdin(Stdio::null());
        command.stdout(fs::File::create(&out).unwrap());
        command.stderr(fs::File::create(weir.folder.join("tail-errors")).unwrap());
        let child = command.spawn().unwrap();
        Self { child, out }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.out).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn messages(weir: &Weir, query: &str) -> Value {
    let (code, answer) = ask(weir, "GET", &format!("/messages?{query}"), "");
    assert_eq!(code, 200, "{answer}");
    answer
}

fn numbers(answer: &Value) -> Vec<u64> {
    let items = answer["result"].as_array().unwrap().iter();
    items
        .map(|item| item["message"]["n"].as_u64().unwrap())
        .collect()
}

/// Messages are held for a stream that takes them at once, and never written.
fn held(port: u16, more: &str) -> String {
    let text = config(port, &(file("archive") + more));
    text.replace("hold = \"0s\"", "hold = \"60s\"")
        .replace("delay = \"1ms\"", "delay = \"60s\"")
}

#[test]
fn what_is_delivered_from_memory_is_seen_as_well() {
    let port = free_port();
    let other = file("other").replace("channels = [\"*\"]", "devices = [\"truck\"]");
    let device = "[[device]]\nname = \"truck\"\nident = \"352*\"\n";
    let weir = Weir::start("passing", &held(port, &(other + device)));
    send(port, 0..3);
    // nobody has looked: nothing is kept
    let first = messages(&weir, "");
    assert_eq!((numbers(&first).len(), &first["missed"]), (0, &0.into()));
    let next = first["next"].as_u64().unwrap();
    let mut lines = Lines::connect(port);
    for (number, ident) in [(3, "gw-1"), (4, "3521"), (5, "gw-1")] {
        lines.send(&format!("{{\"ident\":\"{ident}\",\"n\":{number}}}"));
    }
    lines.await_acked(3);
    assert_eq!(one(&weir, "/ring")["written"], 0);
    let all = messages(&weir, &format!("after={next}"));
    assert_eq!(numbers(&all), [3, 4, 5]);
    let message = &all["result"][0]["message"];
    assert_eq!(message["channel.name"], "programs");
    assert!(message["server.timestamp"].is_number() && message["timestamp"].is_number());
    assert_eq!(numbers(&messages(&weir, "stream=other")), [4]);
    assert_eq!(
        numbers(&messages(&weir, "channel=programs&ident=gw-*")),
        [3, 5]
    );
    let page = messages(&weir, &format!("after={next}&count=2"));
    assert_eq!(numbers(&page), [3, 4]);
    let after = page["next"].as_u64().unwrap();
    assert_eq!(numbers(&messages(&weir, &format!("after={after}"))), [5]);
    for wrong in ["channel=nobody", "stream=programs"] {
        let (code, _) = ask(&weir, "GET", &format!("/messages?{wrong}"), "");
        assert_eq!(code, 404, "{wrong}");
    }
}

#[test]
fn who_looks_rarely_delays_nobody_and_is_told_what_it_missed() {
    let port = free_port();
    let weir = Weir::start("passing-slow", &held(port, ""));
    let next = messages(&weir, "")["next"].as_u64().unwrap();
    send(port, 0..2500);
    let all = messages(&weir, &format!("after={next}&count=10"));
    let missed = all["missed"].as_u64().unwrap();
    assert!((1500..2490).contains(&missed), "{missed}");
    assert_eq!(numbers(&all)[0], missed);
}

#[test]
fn tail_shows_each_message_in_a_line() {
    let port = free_port();
    let weir = Weir::start("tail", &held(port, ""));
    let text = Tail::start(&weir, "text", &["archive"]);
    let json = Tail::start(&weir, "json", &["--json", "programs", "gw-1"]);
    let start = Instant::now();
    let mut sent = 0;
    // both have to look before they see
    while text.lines().is_empty() || json.lines().is_empty() {
        assert!(start.elapsed() < PATIENCE, "nothing is seen");
        send(port, sent..sent + 1);
        sent += 1;
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut lines = Lines::connect(port);
    lines.send("{\"ident\":\"other\",\"n\":9000,\"text\":\"a\\nb\"}");
    lines.await_acked(1);
    eventually("it is shown", || {
        text.lines().iter().any(|line| line.contains("n=9000"))
    });
    let shown = text.lines();
    let line = shown.iter().find(|line| line.contains("n=9000")).unwrap();
    let rest = line.split_once(' ').unwrap().1;
    assert!(rest.starts_with("programs other  n=9000 text=\"a\\nb\" protocol.name=json"));
    assert!(!line.contains('\u{1b}'), "{line}");
    for line in json.lines() {
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["ident"], "gw-1");
    }
    let (code, said) = crate::run(&weir, &["tail", "nobody"]);
    assert_eq!(code, 1);
    assert!(said.contains("no stream and no channel `nobody`"), "{said}");
}
