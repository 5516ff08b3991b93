//! The daemon's own log: where it goes, what can stand in it, how much of it there is.

use crate::asking::ask;
use crate::asking::one;
use crate::asking::run;
use crate::config;
use crate::http;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::thread;

/// What a reader of lines or a terminal would obey, in the middle of what a peer says.
const FORGED: &str = "x\r\n<2>weir: forged\n2026-11-30T12:00:00.000Z [ERROR] forged\u{1b}[2J\
                      \u{9b}31m\u{202e}\u{2066}\u{2028}\0y";

/// One of each protocol of those that repeat what a peer said.
fn bad_input(ports: &[u16; 5]) -> String {
    let channel = |name: &str, port: u16, more: &str| {
        let named = format!("[[channel]]\nname = \"{name}\"\ntype = \"{name}\"\n");
        format!("{named}listen = \"127.0.0.1:{port}\"\n{more}")
    };
    channel("http", ports[0], "")
        + &channel("osmand", ports[1], "")
        + &channel("wialon-ips", ports[2], "")
        + &channel("mqtt", ports[3], "topic = \"{ident}/up\"\n")
        + &channel("nmea", ports[4], "")
}

/// Says bad things to all of them, each on a connection of its own, and waits for their end.
fn say_bad_things(ports: &[u16; 5], json: u16) {
    let escaped = serde_json::to_string(FORGED).unwrap();
    let byte = |length: usize| u8::try_from(length).unwrap();
    let name = char::from(byte(FORGED.len()));
    let login = format!("\0\x04MQTT\x04\x02\0\x3c\0{name}{FORGED}");
    let all: [(u16, Vec<u8>); 9] = [
        (
            json,
            format!("{{\"ident\":{escaped}}}\n{FORGED}\n").into_bytes(),
        ),
        (
            ports[0],
            format!("{FORGED} / HTTP/1.1\r\n\r\n").into_bytes(),
        ),
        (ports[0], {
            let body = format!("{{\"ident\":{escaped},{escaped}:1}}");
            format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        }),
        (
            ports[1],
            b"GET /?id=%0a%3c2%3eforged%1b%5b2J&lat=%0aforged&lon=1 HTTP/1.1\r\nHost: x\r\n\r\n"
                .to_vec(),
        ),
        (ports[2], format!("#L#{FORGED};NA\r\n").into_bytes()),
        (ports[2], format!("#{FORGED}#{FORGED}\r\n").into_bytes()),
        (
            ports[3],
            [&[0x10, byte(login.len())][..], login.as_bytes()].concat(),
        ),
        (ports[4], format!("$PGID,{FORGED}*00\r\n").into_bytes()),
        (ports[4], vec![0x1b; 3000]),
    ];
    for (port, bytes) in all {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        drop(socket.write_all(&bytes));
        drop(socket.shutdown(std::net::Shutdown::Write));
        // it may be reset: what was said was read before
        drop(socket.read_to_end(&mut Vec::new()));
    }
}

/// A destination whose every answer is a refusal in such words.
fn refuse_all(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = [0; 4096];
            drop(socket.read(&mut request));
            let length = FORGED.len();
            let answer = format!("HTTP/1.1 400 No\r\nContent-Length: {length}\r\n\r\n{FORGED}");
            drop(socket.write_all(answer.as_bytes()));
        }
    });
}

/// That each line is one of weir's own, and holds nothing but text.
fn assert_clean(lines: &[String], is_own: impl Fn(&str) -> bool) {
    for line in lines {
        let is_ready = line == "weir is ready";
        assert!(is_ready || is_own(line), "forged: {line:?} in {lines:#?}");
        let hidden = ['\u{202e}', '\u{2066}', '\u{2028}'];
        assert!(
            !line.contains(char::is_control) && !line.contains(hidden),
            "{line:?}"
        );
        assert!(line.len() <= 1024, "{line:?}");
    }
    let said = |text: &str| lines.iter().any(|line| line.contains(text));
    // what was said is there, and cannot do anything
    assert!(said("forged"), "{lines:#?}");
}

/// As in `2026-11-30T12:00:00.000Z [WARN] channel …`.
fn is_timed(line: &str) -> bool {
    let (date, rest) = line.split_once("Z [").unwrap_or_default();
    let has_date = date.len() == 23 && date.starts_with("20") && date.as_bytes()[10] == b'T';
    has_date && is_levelled(&format!("[{rest}"))
}

/// As in `[WARN] channel …`.
fn is_levelled(line: &str) -> bool {
    let levels = ["[ERROR] ", "[WARN] ", "[INFO] ", "[DEBUG] "];
    let text = levels.iter().find_map(|level| line.strip_prefix(level));
    text.is_some_and(is_text)
}

/// As in `<28>weir[123]: channel …`.
fn is_syslog(line: &str) -> bool {
    let (priority, rest) = line.split_once(">weir[").unwrap_or_default();
    let (process, text) = rest.split_once("]: ").unwrap_or_default();
    let numbers = process.parse::<u32>().is_ok();
    numbers && ["<27", "<28", "<30", "<31"].contains(&priority) && is_text(text)
}

/// Every line names first what it is about.
fn is_text(text: &str) -> bool {
    let begins = [
        "ring: ",
        "api: ",
        "channel `",
        "stream `",
        "the clock ",
        "stopping",
        "last line repeated ",
        "the log has level",
        "weir is ready",
        "a route has appeared",
        "127.0.0.1: ",
    ];
    begins.iter().any(|begin| text.starts_with(begin))
}

/// A daemon with this target, to which all that was said; then it stops.
fn badly_spoken_to(
    name: &str,
    target: &str,
    prepare: impl FnOnce(&mut std::process::Command, &Folder),
) -> Weir {
    let (json, destination) = (free_port(), free_port());
    let ports = [
        free_port(),
        free_port(),
        free_port(),
        free_port(),
        free_port(),
    ];
    refuse_all(destination);
    let streams = bad_input(&ports) + &http("cloud", destination, "");
    let log = format!("[log]\nlevel = \"debug\"\ntarget = {target}\n");
    let config = config(json, &streams).replace("[log]\n", &log);
    let mut weir = Weir::start_with(name, &config, prepare);
    say_bad_things(&ports, json);
    let mut lines = Lines::connect(json);
    lines.send("{\"ident\":\"gw-1\"}");
    let refused = || one(&weir, "/streams/cloud")["rejected"].as_u64() > Some(0);
    eventually("the destination has answered", refused);
    assert_eq!(weir.stop(), Some(0));
    weir
}

fn lines_of(text: &str) -> Vec<String> {
    text.split_terminator('\n').map(str::to_owned).collect()
}

#[test]
fn no_peer_forges_a_line_on_standard_error() {
    let weir = badly_spoken_to("forged-stderr", "\"stderr\"", |_, _| ());
    assert_clean(&lines_of(&weir.log()), is_timed);
}

#[test]
fn no_peer_forges_a_line_in_a_file() {
    let target = "{ file = \"@/own.log\", max_size = \"64 KiB\", keep = 1 }";
    let weir = badly_spoken_to("forged-file", target, |_, _| ());
    let log = fs::read_to_string(weir.folder.join("own.log")).unwrap();
    assert_clean(&lines_of(&log), is_timed);
    assert_eq!(weir.log(), "weir is ready\n");
}

#[test]
fn no_peer_forges_a_line_in_the_system_log() {
    let mut reader = None;
    let weir = badly_spoken_to("forged-syslog", "{ syslog = \"@/syslog\" }", |_, folder| {
        let socket = UnixDatagram::bind(folder.join("syslog")).unwrap();
        let heard = thread::spawn({
            let socket = socket.try_clone().unwrap();
            move || {
                let (mut lines, mut buffer) = (Vec::new(), [0; 4096]);
                loop {
                    let length = socket.recv(&mut buffer).unwrap();
                    let line = String::from_utf8(buffer[..length].to_vec()).unwrap();
                    if line == "end" {
                        return lines;
                    }
                    lines.push(line);
                }
            }
        });
        reader = Some(heard);
    });
    let last = UnixDatagram::unbound().unwrap();
    last.send_to(b"end", weir.folder.join("syslog")).unwrap();
    let lines = reader.unwrap().join().unwrap();
    assert_clean(&lines, is_syslog);
    assert_eq!(weir.log(), "weir is ready\n");
}

#[test]
fn the_journal_gets_priorities_and_no_time() {
    use std::os::unix::fs::MetadataExt;
    let port = free_port();
    let weir = Weir::start_with("journal", &config(port, ""), |command, folder| {
        let found = folder.join("log").metadata().unwrap();
        command.env("JOURNAL_STREAM", format!("{}:{}", found.dev(), found.ino()));
    });
    assert!(
        weir.log().contains("<6>channel `programs`: listening"),
        "{}",
        weir.log()
    );
    // what is wrong with the configuration has a priority as well
    weir.reload("[ring]\nfile = 7\n");
    let log = weir.log();
    assert!(
        log.lines()
            .any(|line| line.starts_with("<3>") && line.contains("weir.toml:2:")),
        "{log}"
    );
    assert!(
        log.lines()
            .all(|line| line == "weir is ready" || line.starts_with('<')),
        "{log}"
    );
}

#[test]
fn a_pipe_that_nobody_reads_stops_nobody() {
    let port = free_port();
    let config = config(port, &http("cloud", free_port(), ""))
        .replace("[log]\n", "[log]\nlevel = \"trace\"\n");
    let mut keep = None;
    let folder = Folder::new("pipe");
    let place = folder.join("").display().to_string();
    let file = folder.write("weir.toml", &config.replace("@/", &place));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("-c")
        .arg(file)
        .arg("run")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    keep.replace(child.stderr.take());
    eventually("it listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    // each connection that ends is a line of the log: more than the pipe holds
    for _ in 0..2000 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.write_all(b"{\"ident\":7}\n").unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        drop(socket.read_to_end(&mut Vec::new()));
    }
    let api = folder.join("api");
    let (_, text) = crate::weir::web::ask_socket(&api, "GET", "/log", "");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let lost = answer["result"][0]["lost"].as_u64().unwrap();
    drop(child.kill());
    drop(child.wait());
    drop(keep);
    assert!(lost > 0, "{answer}");
}

#[test]
fn the_level_changes_while_it_runs_and_a_reload_changes_the_target() {
    let port = free_port();
    let before = config(port, "");
    let weir = Weir::start("level", &before);
    assert_eq!(one(&weir, "/log")["level"], "info");
    let (code, said) = run(&weir, &["logs", "--level", "debug"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("log level `debug`, until the next start, then `info`"),
        "{said}"
    );
    drop(Lines::connect(port));
    weir.await_log("[DEBUG] channel `programs`: ");
    for bad in [
        "{\"level\":\"loud\"}",
        "{\"level\":\"off\"}",
        "{}x",
        "{\"levels\":1}",
        "",
    ] {
        assert_eq!(ask(&weir, "PATCH", "/log", bad).0, 400, "{bad}");
    }
    // what did not change in the file is left as it was set
    weir.reload(&before.replace("1s", "2s"));
    assert_eq!(one(&weir, "/log")["level"], "debug");
    let after = before.replace(
        "[log]\n",
        "[log]\nlevel = \"warn\"\ntarget = { file = \"@/own.log\" }\n",
    );
    weir.reload_unheard(&after);
    eventually("the level is another", || {
        one(&weir, "/log")["level"] == "warn"
    });
    let (_, said) = run(&weir, &["logs", "--level", "info"]);
    assert!(said.contains("it goes to file "), "{said}");
    let own = || fs::read_to_string(weir.folder.join("own.log")).unwrap_or_default();
    eventually("the file is written", || {
        own().contains("the log has level `info` now")
    });
    let (_, said) = run(&weir, &["logs", "--level", "configured"]);
    assert!(said.contains("`warn`, as configured"), "{said}");
}

#[test]
fn the_same_line_again_is_counted() {
    let port = free_port();
    let weir = Weir::start("folded", &config(port, ""));
    for _ in 0..38 {
        assert_eq!(ask(&weir, "PATCH", "/log", "{\"level\":\"info\"}").0, 200);
    }
    assert_eq!(ask(&weir, "PATCH", "/log", "{\"level\":\"warn\"}").0, 200);
    weir.await_log("the log has level `warn` now");
    let log = weir.log();
    assert_eq!(
        log.matches("the log has level `info` now").count(),
        1,
        "{log}"
    );
    assert!(
        log.contains("[ERROR] last line repeated 37 times\n"),
        "{log}"
    );
}
