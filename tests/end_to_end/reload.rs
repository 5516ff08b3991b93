//! SIGHUP and `weir reload`: another configuration without another process.

use crate::config;
use crate::counts;
use crate::mqtt;
use crate::servers::Mosquitto;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::message;
use crate::weir::web::ask_socket;
use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::process::Command;
use std::process::Stdio;

/// With an API in the folder.
fn asked(config: String) -> String {
    config.replace("\"off\"", "\"unix:@/api\"")
}

fn all(port: u16) -> String {
    mqtt("cloud", port, "channels = [\"*\"]")
}

/// All that the API says.
fn status(weir: &Weir) -> serde_json::Value {
    let answer = get(weir, "/status");
    answer["result"][0].clone()
}

fn get(weir: &Weir, path: &str) -> serde_json::Value {
    let (_, text) = ask_socket(&weir.folder.join("api"), "GET", path, "");
    serde_json::from_str(&text).unwrap()
}

fn reload(weir: &Weir) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let output = command
        .arg("-c")
        .arg(weir.folder.join("weir.toml"))
        .arg("reload")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn another_configuration_goes_on_with_what_waited() {
    let (broker, port, away) = (Mosquitto::start(), free_port(), free_port());
    let weir = Weir::start("reload", &asked(config(port, &all(away))));
    let mut lines = Lines::connect(port);
    (0..3).for_each(|number| lines.send(&message(number)));
    lines.await_acked(3);
    assert_eq!(counts(&weir), Some([3, 0, 3]));
    let other = free_port();
    let second =
        format!("[[channel]]\nname = \"more\"\ntype = \"json\"\nlisten = \"127.0.0.1:{other}\"\n");
    weir.reload(&asked(config(port, &(second + &all(broker.port)))));
    eventually("what waited arrives", || broker.received().len() == 3);
    let mut lines = Lines::connect(other);
    lines.send(&message(3));
    lines.await_acked(1);
    eventually("it balances", || counts(&weir) == Some([4, 4, 0]));
    weir.reload("[ring]\nfile = 7\n");
    let mut lines = Lines::connect(other);
    lines.send(&message(4));
    lines.await_acked(1);
    eventually("it balances again", || counts(&weir) == Some([5, 5, 0]));
    eventually("all are received", || broker.received().len() == 5);
}

#[test]
fn a_configuration_with_an_error_changes_nothing_and_names_the_place() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let good = asked(config(port, &all(broker.port)));
    let weir = Weir::start("slip", &good);
    let mut lines = Lines::connect(port);
    lines.send(&message(0));
    lines.await_acked(1);
    eventually("it arrives", || broker.received().len() == 1);
    let slips = [
        good.replace("topic =", "topik ="),
        good.replace("type = \"json\"", "type = \"jsn\""),
        good.replace("[\"*\"]", "[\"*\", \"programms\"]"),
        good.replace("64 MiB", "64 Mob"),
        good.clone() + "[[stream]\n",
    ];
    for slip in &slips {
        weir.reload(slip);
        lines.send(&message(0));
    }
    lines.await_acked(6);
    eventually("all arrive", || broker.received().len() == 6);
    let log = weir.log();
    assert_eq!(
        log.matches("the old one goes on").count(),
        slips.len(),
        "{log}"
    );
    assert!(log.matches("weir.toml:").count() >= slips.len(), "{log}");
    let (code, said) = reload(&weir);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("weir.toml:") && said.contains(": error: "),
        "{said}"
    );
    let cloud = &status(&weir)["streams"][0];
    assert_eq!(
        (&cloud["connects"], &cloud["accepted"]),
        (&1.into(), &6.into()),
        "{cloud}"
    );
}

#[test]
fn what_has_not_changed_keeps_its_connections() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let first = asked(config(port, &all(broker.port)));
    let weir = Weir::start("stays", &first);
    let mut lines = Lines::connect(port);
    lines.send(&message(0));
    lines.await_acked(1);
    eventually("it arrives", || counts(&weir) == Some([1, 1, 0]));
    let archive = "[[stream]]\nname = \"archive\"\ntype = \"file\"\npath = \"@/archive\"\n\
                   channels = [\"*\"]\n";
    weir.reload(&(first.clone() + archive));
    lines.send(&message(1));
    lines.await_acked(2);
    let path = weir.folder.join("archive");
    eventually("the new stream writes", || {
        fs::read_to_string(&path).is_ok_and(|text| text.lines().count() == 1)
    });
    assert_eq!(status(&weir)["streams"][0]["connects"], 1);
    let (code, said) = reload(&weir);
    assert_eq!(code, Some(0), "{said}");
    weir.reload(&first);
    assert_eq!(status(&weir)["streams"].as_array().unwrap().len(), 1);
    lines.send(&message(2));
    lines.await_acked(3);
    eventually("all arrive", || counts(&weir) == Some([3, 3, 0]));
    eventually("all are received", || broker.received().len() == 3);
}

/// Counters, events and the uptime of a daemon with one stream and one channel.
fn kept(weir: &Weir) -> (u64, u64, u64, u64, f64, usize) {
    let status = status(weir);
    let (stream, channel) = (&status["streams"][0], &status["channels"][0]);
    let of = |value: &serde_json::Value| value.as_u64().unwrap();
    let events = get(weir, "/logs?count=1000");
    (
        of(&stream["connects"]),
        of(&stream["bytes_sent"]),
        of(&channel["received"]),
        of(&channel["refused"]["syntax"]),
        status["uptime"].as_f64().unwrap(),
        events["result"].as_array().unwrap().len(),
    )
}

#[test]
fn what_has_changed_keeps_its_counters_and_events() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let first = asked(config(port, &all(broker.port)));
    let weir = Weir::start("counters", &first);
    let mut lines = Lines::connect(port);
    lines.send("no json");
    lines.answer();
    lines.send(&message(0));
    lines.await_acked(1);
    eventually("it arrives", || counts(&weir) == Some([1, 1, 0]));
    let before = kept(&weir);
    let changed = first
        .replace("[\"*\"]", "[\"programs\"]")
        .replace("\"json\"", "\"json\"\nunwanted = \"accept\"");
    let ring = changed.replace("64 MiB", "32 MiB");
    for (text, connects) in [(&changed, 2), (&ring, 3)] {
        weir.reload(text);
        let port_is_there = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        eventually("it listens", port_is_there);
        eventually("it connects", || kept(&weir).0 == connects);
        let after = kept(&weir);
        assert!(
            after.1 > before.1 && after.4 > before.4 && after.5 > before.5,
            "{after:?}"
        );
        assert_eq!((after.2, after.3), (before.2, before.3));
    }
    // what is connected to a channel that has changed is let go
    assert_eq!(lines.answer(), "");
}

#[test]
fn a_channel_that_moves_leaves_its_port_to_another() {
    let (one, two) = (free_port(), free_port());
    let channel = |name: &str, port| {
        format!(
            "[[channel]]\nname = \"{name}\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
             unwanted = \"accept\"\nset = {{ by = \"{name}\" }}\n"
        )
    };
    let head = "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"unix:@/api\"\n";
    let weir = Weir::start(
        "move",
        &(head.to_owned() + &channel("a", one) + &channel("b", two)),
    );
    weir.reload(&(head.to_owned() + &channel("a", two) + &channel("b", one)));
    for port in [one, two] {
        let mut lines = Lines::connect(port);
        lines.send(&message(0));
        lines.await_acked(1);
    }
    assert!(!weir.log().contains("not listening"), "{}", weir.log());
    let status = status(&weir);
    assert_eq!(status["channels"][0]["received"], 1);
}

/// The daemon is held up in the reading of its configuration, a pipe, when the signal comes.
fn signalled_early(name: &str) -> std::process::Child {
    let folder = Folder::new("early");
    let path = folder.join("weir.toml");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("-c").arg(&path).arg("run");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let text = "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
                [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"unix:@/in\"\n";
    let text = text.replace("@/", &folder.join("").display().to_string());
    // opens once the other side does
    let mut pipe = fs::File::options().write(true).open(&path).unwrap();
    fs::rename(folder.write("later.toml", &text), &path).unwrap();
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
    std::io::Write::write_all(&mut pipe, text.as_bytes()).unwrap();
    drop(pipe);
    if name == "-HUP" {
        eventually("it listens", || folder.join("in").exists());
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }
    child.wait().unwrap();
    child
}

#[test]
fn a_signal_in_the_first_moment_is_heard_later() {
    for name in ["-HUP", "-TERM"] {
        let mut child = signalled_early(name);
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}: {said}");
        assert!(said.contains("weir is ready"), "{name}: {said}");
    }
}
