//! The commands as users type them.

use crate::config;
use crate::counts;
use crate::itself::certificate;
use crate::message;
use crate::mqtt;
use crate::servers::Mosquitto;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn without_a_word_it_explains_itself() {
    let help = weir(&[]);
    assert_eq!(help.status.code(), Some(0));
    for command in ["run", "check", "demo", "send", "ring info", "ring dump"] {
        assert!(said(&help).contains(command), "{command}");
        let page = weir(&[command, "--help"].join(" ").split(' ').collect::<Vec<_>>());
        assert_eq!(page.status.code(), Some(0), "{command}");
        assert!(said(&page).contains("Usage: weir"), "{command}");
    }
    assert!(said(&weir(&["--version"])).starts_with("weir 0."));
}

#[test]
fn a_wrong_word_is_told_and_exits_2() {
    for words in [
        &["rn"][..],
        &["run", "--fast"],
        &["send"],
        &["ring", "burn", "x"],
        &["stream", "pause", "cloud", "10"],
        &["stream", "rewind", "cloud", "newest"],
        &["logs", "--level", "loud"],
    ] {
        let told = weir(words);
        assert_eq!(told.status.code(), Some(2), "{words:?}");
        assert!(said(&told).contains("error: "), "{words:?}");
    }
}

#[test]
fn check_reports_five_different_mistakes_with_their_places() {
    let folder = Folder::new("check");
    let path = folder.write("weir.toml", FIVE_MISTAKES);
    let told = weir(&["-c", path.to_str().unwrap(), "check"]);
    assert_eq!(told.status.code(), Some(2));
    let text = said(&told);
    for place in ["2:8", "6:1", "7:8", "11:7", "14:13"] {
        let mistake = format!("weir.toml:{place}: error: ");
        assert!(text.contains(&mistake), "no {place} in\n{text}");
    }
    assert_eq!(text.matches(": error: ").count(), 5, "{text}");
    assert!(text.contains("hint: "), "{text}");
}

#[test]
fn run_leaves_out_what_is_wrong_and_runs_the_rest() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let wrong = "[[stream]]\nname = \"wrong\"\ntype = \"mqtt\"\nurl = \"http://x\"\n";
    let streams = mqtt("cloud", broker.port, "channels = [\"*\"]") + wrong;
    let weir = Weir::start("partly", &config(port, &streams));
    assert!(weir.log().contains("error: "), "{}", weir.log());
    let mut lines = crate::weir::Lines::connect(port);
    lines.send(&message(0));
    lines.await_acked(1);
    eventually("it arrives", || broker.received().len() == 1);
}

/// A ring that is there keeps its size, and what waits in it.
#[test]
fn run_leaves_out_what_is_wrong_with_the_ring() {
    let (port, away) = (free_port(), free_port());
    let good = config(port, &mqtt("cloud", away, "channels = [\"*\"]"));
    let good = good.replace("\"off\"", "\"unix:@/api\"");
    let mut weir = Weir::start("ring", &good);
    let mut lines = crate::weir::Lines::connect(port);
    lines.send(&message(0));
    lines.await_acked(1);
    let ring = weir.folder.join("ring");
    let size = std::fs::metadata(&ring).unwrap().len();
    assert_eq!(weir.stop(), Some(0));
    let file = weir.folder.join("weir.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let wrong = text.replace("[ring]\n", "[ring]\nsise = 1\n");
    let wrong = wrong.replace("64 MiB", "64 Mob");
    assert_ne!(wrong, text);
    std::fs::write(&file, wrong).unwrap();
    weir.restart();
    let log = weir.log();
    assert!(
        log.contains("defaults stand for what is wrong in `[ring]`"),
        "{log}"
    );
    assert!(
        log.contains("what is wrong is left out, and the rest runs"),
        "{log}"
    );
    assert_eq!(std::fs::metadata(&ring).unwrap().len(), size);
    eventually("what waited is there", || counts(&weir) == Some([1, 0, 1]));
}

#[test]
fn run_ends_with_2_when_nothing_can_run() {
    let folder = Folder::new("nothing");
    for text in ["", "[ring]\nsize = 7\n", "[[channel]\n", "[[[[ = \n"] {
        let path = folder.write("weir.toml", text);
        let ended = weir(&["-c", path.to_str().unwrap(), "run"]);
        assert_eq!(ended.status.code(), Some(2), "{text}: {}", said(&ended));
    }
}

#[test]
fn a_second_daemon_on_one_ring_is_told_so() {
    let port = free_port();
    let first = Weir::start("second", &config(port, ""));
    let path = first.folder.join("weir.toml");
    let second = weir(&["-c", path.to_str().unwrap(), "run"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        said(&second).contains("another process has it"),
        "{}",
        said(&second)
    );
}

#[test]
fn send_puts_lines_in_and_says_which_were_refused() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let streams = mqtt("cloud", broker.port, "channels = [\"*\"]");
    let text = config(port, &streams).replace("\"off\"", "\"unix:@/api\"");
    let daemon = Weir::start("send", &text);
    let path = daemon.folder.join("weir.toml");
    let good = pipe(
        &path,
        "programs",
        &format!("{}\n{}\n", message(0), message(1)),
    );
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    let bad = pipe(&path, "programs", &format!("{}\nnonsense\n", message(2)));
    assert_eq!(bad.status.code(), Some(1));
    assert!(said(&bad).contains("line 2"), "{}", said(&bad));
    assert!(
        said(&bad).contains("error: 1 line was refused, 1 of 1 messages are safe"),
        "{}",
        said(&bad)
    );
    assert_eq!(pipe(&path, "nobody", "").status.code(), Some(2));
    let api = format!("unix:{}", daemon.folder.join("api").display());
    let by_api = pipe_to(&["--api", &api], "programs", &format!("{}\n", message(3)));
    assert_eq!(by_api.status.code(), Some(0), "{}", said(&by_api));
    let bad = pipe_to(&["--api", &api], "programs", "nonsense\n");
    assert_eq!(bad.status.code(), Some(1), "{}", said(&bad));
    let nobody = pipe_to(&["--api", &api], "nobody", "");
    assert!(said(&nobody).contains("no channel `nobody`"));
    eventually("four arrive", || broker.received().len() == 4);
}

#[test]
fn send_hears_what_was_refused_after_all_else_was_safe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = Folder::new("late");
    let streams = mqtt("cloud", free_port(), "channels = [\"*\"]");
    let place = folder.join("").display().to_string();
    let text = config(port, &streams).replace("@/", &place);
    let path = folder.write("weir.toml", &text);
    let daemon = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.read_to_string(&mut String::new()).unwrap();
        socket.write_all(b"{\"acked\":1}\n").unwrap();
        // so that they are read apart
        thread::sleep(Duration::from_millis(100));
        socket
            .write_all(b"{\"error\":\"no\",\"line\":2}\n")
            .unwrap();
    });
    let bad = pipe(&path, "programs", &format!("{}\nnonsense\n", message(0)));
    assert_eq!(bad.status.code(), Some(1), "{}", said(&bad));
    daemon.join().unwrap();
    assert!(said(&bad).contains("line 2"), "{}", said(&bad));
}

#[test]
fn send_says_that_it_does_not_speak_tls() {
    let folder = Folder::new("send-tls");
    certificate(&folder, 2049);
    let keys = folder.join("").display().to_string();
    let tls = format!(
        "tls = {{ certificate = \"{keys}client.pem\", key = \"{keys}client.key\" }}\n[[stream]]"
    );
    let streams = mqtt("cloud", free_port(), "channels = [\"*\"]");
    let text = config(free_port(), &streams).replacen("[[stream]]", &tls, 1);
    let path = folder.write("weir.toml", &text.replace("@/", &keys));
    let told = pipe(&path, "programs", &message(0));
    assert_eq!(told.status.code(), Some(2), "{}", said(&told));
    assert!(
        said(&told).contains("channel `programs` wants TLS"),
        "{}",
        said(&told)
    );
}

/// A daemon whose stream goes nowhere, and its ring, in which ten messages wait.
fn with_ten_waiting(name: &str) -> (Weir, PathBuf) {
    let port = free_port();
    let streams = mqtt("cloud", free_port(), "channels = [\"*\"]");
    let daemon = Weir::start(name, &config(port, &streams));
    let mut lines = crate::weir::Lines::connect(port);
    (0..10).for_each(|number| lines.send(&message(number)));
    lines.await_acked(10);
    let ring = daemon.folder.join("ring");
    (daemon, ring)
}

fn repair(ring: &Path, fresh: &Path) -> Output {
    let [ring, fresh] = [ring, fresh].map(|path| path.to_str().unwrap());
    weir(&["ring", "repair", ring, fresh])
}

#[test]
fn ring_info_and_dump_look_into_a_live_ring() {
    let (daemon, ring) = with_ten_waiting("look");
    let dump = weir(&["ring", "dump", ring.to_str().unwrap()]);
    assert_eq!(dump.status.code(), Some(0), "{}", said(&dump));
    let text = String::from_utf8(dump.stdout).unwrap();
    assert_eq!(text.lines().count(), 10);
    for (number, line) in text.lines().enumerate() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&message["seq"], &message["ident"]),
            (&number.into(), &"352093081234567".into())
        );
    }
    let info = said(&weir(&["ring", "info", ring.to_str().unwrap()]));
    assert!(info.contains("cloud") && info.contains("10"), "{info}");
    assert!(info.contains("oldest    received 20"), "{info}");
    let taken = daemon.folder.write("taken", "");
    let refused = said(&repair(&ring, &taken));
    assert!(
        refused.contains("taken`: there is a file already"),
        "{refused}"
    );
    let nowhere = weir(&["ring", "info", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(
        said(&nowhere).contains("`/nowhere`: there is no such file"),
        "{}",
        said(&nowhere)
    );
}

#[test]
fn ring_repair_says_what_it_copied_and_which_file_cannot_be_made() {
    let (daemon, ring) = with_ten_waiting("repair");
    let nowhere = daemon.folder.join("nowhere/new");
    let told = repair(&ring, &nowhere);
    assert_eq!(told.status.code(), Some(1));
    assert!(said(&told).contains("nowhere/new`: "), "{}", said(&told));
    let told = repair(&ring, &daemon.folder.join("new"));
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let text = said(&told);
    assert!(
        text.contains("10 messages that wait were copied") && !text.contains("another size"),
        "{text}"
    );
}

#[test]
fn who_stops_reading_ends_no_command_with_a_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(said(&ended), "");
    assert_eq!(ended.status.code(), Some(0));
}

fn pipe(config: &Path, channel: &str, text: &str) -> Output {
    pipe_to(&["-c", config.to_str().unwrap()], channel, text)
}

/// Sends to the daemon that `words` name.
fn pipe_to(words: &[&str], channel: &str, text: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(words)
        .args(["send", channel])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take().unwrap().write_all(text.as_bytes()));
    child.wait_with_output().unwrap()
}

const FIVE_MISTAKES: &str = r#"[ring]
size = "64 Mib s"
[[channel]]
name = "trackers"
listen = "0.0.0.0:5027"
alow = ["10.0.0.0/8"]
type = "teltonica"
[[stream]]
name = "cloud"
type = "mqtt"
url = "mqtt:/broker"
topic = "weir/{ident}"
channels = ["*"]
on_reject = "maybe"
"#;

#[test]
fn a_configuration_that_is_not_there_is_not_a_daemon_that_does_not_run() {
    for command in [&["status"][..], &["logs"], &["wake"], &["stream", "list"]] {
        let arguments = [command, &["-c", "/nowhere/none.toml"]].concat();
        let done = weir(&arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        let expected = "/nowhere/none.toml: error: cannot be read: there is no such file";
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains("running?"), "{said}");
    }
}

/// Runs a text in a program that reads it from standard input; none where it is not installed.
fn fed(program: &str, arguments: &[&str], text: &[u8]) -> Option<Output> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: no {program}");
        return None;
    };
    child.stdin.take().unwrap().write_all(text).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[test]
fn bash_completes_commands_actions_and_options() {
    let script = weir(&["--completions", "bash"]).stdout;
    let asked = |words: &str, index: usize| {
        let ask = format!(
            "\nCOMP_WORDS=({words}); COMP_CWORD={index}; _weir\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let output = fed(
            "bash",
            &["--norc"],
            &[script.as_slice(), ask.as_bytes()].concat(),
        );
        let output = output.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(asked("weir st", 1), ["status", "stream"]);
    assert_eq!(asked("weir -c x.toml relo", 3), ["reload"]);
    assert_eq!(asked("weir stream dis", 2), ["disable"]);
    assert!(asked("weir check --", 2).contains(&"--show".to_owned()));
}

#[test]
fn zsh_and_fish_read_their_completions() {
    for shell in ["zsh", "fish"] {
        let script = weir(&["--completions", shell]).stdout;
        if let Some(output) = fed(shell, &["-n"], &script) {
            assert!(output.status.success(), "{shell}: {}", said(&output));
        }
    }
}

#[test]
fn the_manual_is_read_without_a_complaint_and_has_every_command() {
    let page = weir(&["--manual"]).stdout;
    let Some(output) = fed("groff", &["-man", "-Tutf8", "-ww", "-P-cbou"], &page) else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "weir ring repair",
        "--connect",
        "SIGHUP has the configuration read again",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}
