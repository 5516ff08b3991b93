//! `weir check --connect` and `--send`, and `weir stream test`, against real destinations.

use crate::config;
use crate::message;
use crate::mqtt;
use crate::servers::Mosquitto;
use crate::servers::Nginx;
use crate::servers::WialonReceiver;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// Runs a command with this configuration: its exit code and what it said.
fn run(file: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let output = command.arg("-c").arg(file).args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn http(name: &str, port: u16) -> String {
    format!(
        "[[stream]]\nname = \"{name}\"\ntype = \"http\"\nchannels = [\"*\"]\n\
         url = \"http://127.0.0.1:{port}/in\"\ntimeout = \"20s\"\n"
    )
}

fn wialon(name: &str, port: u16) -> String {
    format!(
        "[[stream]]\nname = \"{name}\"\ntype = \"wialon-retranslator\"\nchannels = [\"*\"]\n\
         address = \"127.0.0.1:{port}\"\n"
    )
}

#[test]
fn every_stream_is_dialled_and_nothing_is_sent() {
    let (broker, web, receiver) = (Mosquitto::start(), Nginx::start(), WialonReceiver::start());
    let folder = Folder::new("dial");
    let place = folder.join("").display().to_string();
    // a will is left by a daemon, not by one who only tries
    let will = "channels = [\"*\"]\nwill = { topic = \"weir/will\", payload = \"gone\" }";
    let streams = mqtt("cloud", broker.port, will)
        + &http("web", web.port)
        + &wialon("far", receiver.port)
        + "[[stream]]\nname = \"log\"\ntype = \"file\"\nchannels = [\"*\"]\n"
        + "path = \"@/lines\"\n";
    let text = config(free_port(), &streams).replace("@/", &place);
    let file = folder.write("weir.toml", &text);
    let (code, said) = run(&file, &["check", "--connect"]);
    assert_eq!(code, Some(0), "{said}");
    for name in ["cloud", "web", "far", "log"] {
        assert_eq!(
            said.matches(&format!("stream `{name}`: ")).count(),
            1,
            "{said}"
        );
    }
    assert!(!folder.join("ring").exists(), "the ring was touched");
    assert!(broker.received().is_empty() && web.bodies().is_empty());

    let (code, said) = run(&file, &["check", "--send"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("took a test message").count(), 4, "{said}");
    eventually("it arrives", || broker.received().len() == 1);
    assert_eq!(broker.received()[0].0, "weir/weir-check");
    eventually("nginx has logged it", || {
        web.bodies()
            .first()
            .is_some_and(|body| body.contains("\"test\":true"))
    });
    assert_eq!(receiver.packets().len(), 1);
    assert!(!folder.join("ring").exists(), "the ring was touched");
}

#[test]
fn what_does_not_answer_is_named_and_exits_1() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (web, refused) = (Nginx::start(), free_port());
    let folder = Folder::new("deaf");
    let silent_port = silent.local_addr().unwrap().port();
    let streams = mqtt("mute", silent_port, "channels = [\"*\"]\ntimeout = \"1s\"")
        + &http("closed", refused)
        + &http("web", web.port);
    let place = folder.join("").display().to_string();
    let text = config(free_port(), &streams).replace("@/", &place);
    let file = folder.write("weir.toml", &text);
    let (code, said) = run(&file, &["check", "--connect"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stream `mute`: failed: 127.0.0.1:"), "{said}");
    assert!(
        said.contains("stream `closed`: failed: 127.0.0.1:"),
        "{said}"
    );
    assert!(said.contains("onnection refused"), "{said}");
    assert!(said.contains("stream `web`: 127.0.0.1:"), "{said}");
    let (code, said) = run(&file, &["stream", "test", "web"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&file, &["stream", "test", "nobody"]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn a_daemon_that_runs_keeps_its_session() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let more = "channels = [\"*\"]\nclient_id = \"truck\"";
    let streams = mqtt("cloud", broker.port, more);
    let weir = Weir::start("session", &config(port, &streams));
    weir.await_log("stream `cloud`: connected");
    let file = weir.folder.join("weir.toml");
    for words in [&["check", "--send"][..], &["stream", "test", "cloud"]] {
        let (code, said) = run(&file, words);
        assert_eq!(code, Some(0), "{said}");
    }
    let mut lines = Lines::connect(port);
    lines.send(&message(0));
    lines.await_acked(1);
    eventually("all arrive", || broker.received().len() == 3);
    assert!(!weir.log().contains("connection lost"), "{}", weir.log());
}

/// Each of three mistakes in one filter has its line with carets.
#[test]
fn a_filter_that_is_wrong_in_three_ways_is_shown_with_three_carets() {
    let folder = Folder::new("carets");
    let place = folder.join("").display().to_string();
    let stream = mqtt(
        "cloud",
        1883,
        "channels = [\"*\"]\nfilter = \"position.speed = 5 && exist('a.b') || substr(note) > 1\"",
    );
    let text = config(free_port(), &stream).replace("@/", &place);
    let file = folder.write("weir.toml", &text);
    let (code, said) = run(&file, &["check"]);
    assert_eq!(code, Some(2), "{said}");
    let carets: Vec<&str> = said
        .lines()
        .filter(|line| line.contains('^') && line.trim_matches(['^', ' ']).is_empty())
        .map(str::trim)
        .collect();
    assert_eq!(carets, ["^", "^^^^^", "^^^^^^^^^^^^"], "{said}");
    for mistake in [
        "`=` is no operator",
        "no function `exist`",
        "`substr` takes",
    ] {
        assert!(said.contains(mistake), "{mistake}: {said}");
    }
}
