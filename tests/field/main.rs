//! What a gateway does to the daemon in the field: no name server, no route, a state folder in
//! memory, flash that is read-only, a configuration that is. Each in a network and mounts of its
//! own, which needs root; what happens is written down in docs/field.md.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests from end to end"
)]
#[path = "../end_to_end/weir.rs"]
mod weir;

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::process::Stdio;

use weir::Weir;
use weir::ask_unix;
use weir::eventually;

#[test]
fn without_a_name_server_messages_are_safe_and_the_status_says_why_they_wait() {
    let Some(weir) = start("mount --bind /dev/null /etc/resolv.conf", "cloud.invalid") else {
        return;
    };
    assert_eq!(send(&weir, 1), "{\"acked\":1}");
    await_error(&weir, "name server");
}

#[test]
fn without_a_route_messages_are_safe_and_the_status_says_why_they_wait() {
    let Some(weir) = start("true", "192.0.2.1") else {
        return;
    };
    assert_eq!(send(&weir, 1), "{\"acked\":1}");
    await_error(&weir, "no route");
}

#[test]
fn a_state_folder_in_memory_is_said_and_nothing_is_acknowledged_that_could_be_lost() {
    let Some(weir) = start("mount -t tmpfs tmpfs \"$place/state\"", "127.0.0.1:9") else {
        return;
    };
    is_not_durable(&weir, "a file system in memory");
}

#[test]
fn read_only_flash_is_said_and_nothing_is_acknowledged_that_could_be_lost() {
    let script = "mount --bind \"$place/state\" \"$place/state\" && \
                  mount -o remount,ro,bind \"$place/state\"";
    let Some(weir) = start(script, "127.0.0.1:9") else {
        return;
    };
    is_not_durable(&weir, "the file system is read-only");
}

#[test]
fn what_is_switched_by_hand_holds_until_the_next_start_where_etc_is_read_only() {
    let script = "mount --bind \"$place/etc\" \"$place/etc\" && \
                  mount -o remount,ro,bind \"$place/etc\"";
    let Some(weir) = start(script, "127.0.0.1:9") else {
        return;
    };
    assert_eq!(send(&weir, 1), "{\"acked\":1}");
    let (code, said) = command(&weir, &["stream", "disable", "cloud"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("done until the next start"), "{said}");
    assert_eq!(asking::stream(&weir, "cloud")["enabled"], false);
}

/// A daemon with its ring in `state` and its configuration in `etc`, behind a script that is run
/// in mounts and a network of its own; none where there is no root.
fn start(script: &str, host: &str) -> Option<Weir> {
    let tried = Command::new("unshare").args(["-n", "-m", "true"]).status();
    if !tried.is_ok_and(|status| status.success()) {
        println!("skipped: no mounts and network of its own without root");
        return None;
    }
    let config = format!(
        "[ring]\nfile = \"@/state/ring\"\nsize = \"1 MiB\"\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"unix:@/in\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"http\"\nurl = \"http://{host}/in\"\n\
         channels = [\"*\"]\n"
    );
    let script = format!(
        "place=$1; ip link set lo up; {script} && exec \"$2\" -c \"$place/etc/weir.toml\" run"
    );
    Some(Weir::start_with("field", &config, |command, folder| {
        fs::create_dir_all(folder.join("state")).unwrap();
        fs::create_dir_all(folder.join("etc")).unwrap();
        fs::rename(folder.join("weir.toml"), folder.join("etc/weir.toml")).unwrap();
        let log = fs::File::options()
            .append(true)
            .open(folder.join("log"))
            .unwrap();
        let program = command.get_program().to_owned();
        *command = Command::new("unshare");
        command.args(["-n", "-m", "sh", "-c", &script, "sh"]);
        command.arg(folder.join("")).arg(program);
        command.stdout(Stdio::null()).stderr(log);
    }))
}

/// Sends a message; the answer.
fn send(weir: &Weir, number: u64) -> String {
    let line = format!("{{\"ident\":\"a\",\"n\":{number}}}");
    ask_unix(&weir.folder.join("in"), &line)
}

fn stream(weir: &Weir) -> Value {
    asking::stream(weir, "cloud")
}

fn await_error(weir: &Weir, words: &str) {
    eventually(words, || {
        stream(weir)["last_error"].to_string().contains(words)
    });
    assert_eq!(stream(weir)["backlog"], 1);
}

/// It says so, takes messages, and lets their senders wait: nobody has them yet.
fn is_not_durable(weir: &Weir, why: &str) {
    weir.await_log(why);
    assert_eq!(asking::one(weir, "/ring")["durable"], false);
    let mut socket = UnixStream::connect(weir.folder.join("in")).unwrap();
    socket.write_all(b"{\"ident\":\"a\",\"n\":1}\n").unwrap();
    eventually("it waits", || stream(weir)["backlog"] == 1);
    await_error(weir, "refused");
    socket.set_nonblocking(true).unwrap();
    let answer = std::io::Read::read(&mut socket, &mut [0; 64]);
    assert!(answer.is_err(), "{answer:?}");
}

/// A command to the daemon: its exit code and what it said.
fn command(weir: &Weir, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let api = format!("unix:{}", weir.folder.join("api").display());
    let output = command.args(["--api", &api]).args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}
