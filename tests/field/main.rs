//! What a gateway does to the daemon in the field: no name server, no route, a state folder in
//! memory, flash that is read-only, a configuration that is, power that comes and goes, memory that
//! is short. Most in a network and mounts of their own, which needs root; what happens is written
//! down in docs/field.md.

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
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use weir::Folder;
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

/// Power that comes back for moments: each start is cut off one system call later than the one
/// before, until one gets through.
#[test]
fn brown_outs_while_it_starts_lose_nothing() {
    if Command::new("strace").arg("-V").output().is_err() {
        return println!("skipped: no strace");
    }
    let mut weir = Weir::start("field", &config("", "127.0.0.1:9"));
    (1..=100).for_each(|number| _ = send(&weir, number));
    weir.kill();
    let mut cut = 1;
    while !weir.gets_ready_with(|command, folder| cut_off(command, folder, cut)) {
        cut += 1;
        assert!(cut < 2000, "it never gets ready");
    }
    // it opens the configuration, the ring, sockets: so many are there at least
    assert!(cut > 20, "only {cut} starts were cut off");
    weir.kill();
    weir.restart();
    assert_eq!(stream(&weir)["backlog"], 100);
}

/// The program, ended at its n-th system call that has to do with files and sockets.
fn cut_off(command: &mut Command, folder: &Folder, cut: u32) {
    let log = fs::File::options().append(true).open(folder.join("log"));
    let mut traced = Command::new("strace");
    traced.args(["-D", "-o", "/dev/null", "-e", "trace=%file,%desc", "-e"]);
    traced.arg(format!("inject=%file,%desc:signal=KILL:when={cut}"));
    traced.arg(command.get_program()).args(command.get_args());
    traced.stdout(Stdio::null()).stderr(log.unwrap());
    *command = traced;
}

#[test]
fn what_was_acknowledged_outlives_the_kernels_want_of_memory() {
    let Some(group) = Group::new() else {
        return;
    };
    let join = format!(
        "echo $$ >{}/cgroup.procs && echo 1000 >/proc/self/oom_score_adj",
        group.0.display()
    );
    let Some(mut weir) = start(&join, "127.0.0.1:9") else {
        return;
    };
    (1..=100).for_each(|number| assert_eq!(send(&weir, number), "{\"acked\":1}"));
    // another program of the group wants more than is there; the kernel chooses the daemon
    let hog = format!(
        "echo $$ >{}/cgroup.procs; head -c 1G /dev/zero | tail -c 1G >/dev/null",
        group.0.display()
    );
    let mut hog = Command::new("sh").args(["-c", &hog]).spawn().unwrap();
    assert_eq!(weir.await_signal(), Some(9));
    _ = hog.kill();
    _ = hog.wait();
    let (etc, plain) = (weir.folder.join("etc"), weir.folder.join("weir.toml"));
    fs::rename(etc.join("weir.toml"), plain).unwrap();
    weir.restart();
    assert_eq!(stream(&weir)["backlog"], 100);
}

/// A group of processes with 32 MiB of memory together; none where groups cannot be made.
struct Group(PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let old = Path::new("/sys/fs/cgroup/memory");
        let (root, limit) = match old.exists() {
            true => (old, "memory.limit_in_bytes"),
            false => (Path::new("/sys/fs/cgroup"), "memory.max"),
        };
        let group = Self(root.join(format!("weir-{}", std::process::id())));
        let made = fs::create_dir(&group.0).is_ok() && group.0.join(limit).exists();
        if !made || fs::write(group.0.join(limit), "33554432").is_err() {
            println!("skipped: no groups with a limit of memory");
            return None;
        }
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(fs::remove_dir(&self.0));
    }
}

/// A daemon with its ring in `state` and its configuration in `etc`, behind a script that is run
/// in mounts and a network of its own; none where there is no root.
fn start(script: &str, host: &str) -> Option<Weir> {
    let tried = Command::new("unshare").args(["-n", "-m", "true"]).status();
    if !tried.is_ok_and(|status| status.success()) {
        println!("skipped: no mounts and network of its own without root");
        return None;
    }
    let config = config("state/", host);
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

fn config(state: &str, host: &str) -> String {
    format!(
        "[ring]\nfile = \"@/{state}ring\"\nsize = \"1 MiB\"\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"unix:@/in\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"http\"\nurl = \"http://{host}/in\"\n\
         channels = [\"*\"]\n"
    )
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
