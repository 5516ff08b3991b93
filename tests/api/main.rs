//! The real daemon, seen and led from outside: its API and the commands that ask it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod asking;
mod by_hand;
mod conditions;
mod devices;
mod every_path;
mod figures;
mod last_error;
mod life;
mod listening;
mod live;
mod log;
mod passing;
mod pausing;
mod reloading;
mod silent;
mod sockets;
mod stream_file;
mod thinning;
mod traffic;
mod traffic_types;
mod waking;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;
mod writing;

use asking::Server;
use asking::ask;
use asking::count;
use asking::one;
use asking::request;
use asking::run;
use asking::stream;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use weir::Lines;
use weir::PATIENCE;
use weir::Weir;
use weir::eventually;
use weir::free_port;
use weir::web::ask_port;

/// One JSON channel, the API on a socket in the folder, and whatever streams a test needs.
fn config(port: u16, streams: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
         commit = {{ delay = \"1ms\", hold = \"0s\" }}\n\
         [log]\nsummary = \"1s\"\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\n\
         listen = \"127.0.0.1:{port}\"\n{streams}"
    )
}

fn file(name: &str) -> String {
    format!(
        "[[stream]]\nname = \"{name}\"\ntype = \"file\"\npath = \"@/{name}.jsonl\"\n\
         channels = [\"*\"]\n"
    )
}

/// A stream to a port where nobody listens yet.
fn http(name: &str, port: u16, more: &str) -> String {
    format!(
        "[[stream]]\nname = \"{name}\"\ntype = \"http\"\nurl = \"http://127.0.0.1:{port}/\"\n\
         channels = [\"*\"]\n{more}\n"
    )
}

const IMPATIENT: &str = "retry = { min = \"50ms\", max = \"100ms\" }";
const PATIENT: &str = "retry = { min = \"1h\", max = \"1h\" }";

fn send(port: u16, numbers: std::ops::Range<u64>) {
    let (mut lines, sent) = (Lines::connect(port), numbers.end - numbers.start);
    numbers.for_each(|number| lines.send(&format!("{{\"ident\":\"gw-1\",\"n\":{number}}}")));
    lines.await_acked(sent);
}

#[test]
fn every_path_is_there_and_wrong_ones_are_said_to_be() {
    let port = free_port();
    let streams = file("archive") + &http("far away", free_port(), IMPATIENT);
    let weir = Weir::start("paths", &config(port, &streams));
    send(port, 0..10);
    eventually("written", || count(&weir, "archive", "accepted") == 10);
    for (method, path, wanted) in [
        ("GET", "/status", 200),
        ("GET", "/streams", 200),
        ("GET", "/streams/archive", 200),
        ("GET", "/streams/far%20away", 200),
        ("GET", "/streams/archive/logs?count=3", 200),
        ("GET", "/streams/archive/packets", 200),
        ("GET", "/channels/programs/packets?count=3", 200),
        ("GET", "/channels", 200),
        ("GET", "/channels/programs", 200),
        ("GET", "/channels/programs/logs", 200),
        ("GET", "/ring", 200),
        ("GET", "/logs", 200),
        ("GET", "/messages", 200),
        ("GET", "/metrics", 200),
        ("POST", "/wake", 200),
        ("GET", "/streams/nobody", 404),
        ("PATCH", "/streams/nobody", 400),
        ("GET", "/streams/nobody/logs", 404),
        ("GET", "/channels/archive", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/ring", 405),
        ("GET", "/wake", 405),
    ] {
        let (code, answer) = ask(&weir, method, path, "");
        assert_eq!(code, wanted, "{method} {path}: {answer}");
        let key = if code == 200 { "result" } else { "errors" };
        assert!(path == "/metrics" || answer[key].is_array(), "{answer}");
    }
    let mode = weir.folder.join("api").metadata().unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o660);
}

#[test]
fn the_counters_say_what_happened() {
    let port = free_port();
    let streams = file("archive") + &http("cloud", free_port(), IMPATIENT);
    let weir = Weir::start("counters", &config(port, &streams));
    send(port, 0..10);
    let mut bad = Lines::connect(port);
    bad.send("no json");
    bad.answer();
    eventually("written", || count(&weir, "archive", "accepted") == 10);
    let archive = stream(&weir, "archive");
    assert_eq!(archive["read"], 10);
    assert!(archive["ack_latency"].is_number(), "{archive}");
    let cloud = stream(&weir, "cloud");
    assert_eq!(
        (&cloud["backlog"], &cloud["connected"]),
        (&10.into(), &false.into())
    );
    assert!(cloud["oldest_age"].as_f64().unwrap() < 60.0, "{cloud}");
    let channel = one(&weir, "/channels/programs");
    assert_eq!(
        (&channel["received"], &channel["refused"]["syntax"]),
        (&10.into(), &1.into())
    );
    eventually("one connection is left", || {
        one(&weir, "/channels/programs")["connections"] == 1
    });
    let ring = one(&weir, "/ring");
    assert!(
        ring["used"].as_u64() > Some(0) && ring["syncs"].as_u64() > Some(0),
        "{ring}"
    );
    assert!(ring["write_amplification"].as_f64() > Some(1.0), "{ring}");
    for (name, value) in [("degraded", false), ("full", false), ("refusing", false)] {
        assert_eq!(ring[name], value, "{name}: {ring}");
    }
    assert_eq!(
        (&ring["size_wanted"], &ring["dropping"]),
        (&(1 << 20).into(), &serde_json::Value::Null)
    );
    assert_eq!(ring["read_failures"], 0, "{ring}");
    let (_, metrics) = ask(&weir, "GET", "/metrics", "");
    let metrics = metrics.as_str().unwrap();
    for line in [
        "weir_stream_accepted_total{stream=\"archive\"} 10",
        "weir_stream_backlog{stream=\"cloud\"} 10",
        "weir_channel_refused_total{channel=\"programs\",reason=\"syntax\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{metrics}");
    }
    weir.await_log("stream `archive`: connected; 0 stored");
}

#[test]
fn the_sum_holds_after_kill_9_and_restart() {
    let (port, away) = (free_port(), free_port());
    let streams = file("archive") + &http("cloud", away, IMPATIENT);
    let mut weir = Weir::start("balance", &config(port, &streams));
    for round in 1..=3 {
        send(port, 0..50);
        stream(&weir, "archive");
        weir.kill();
        weir.restart();
        stream(&weir, "archive");
        assert_eq!(count(&weir, "cloud", "backlog"), 50 * round);
    }
    let server = Server::listen(away);
    eventually("all is delivered", || {
        count(&weir, "cloud", "accepted") == 150
    });
    assert!(server.messages().len() >= 150);
    let cloud = stream(&weir, "cloud");
    assert!(cloud["bytes_sent"].as_u64() > Some(1000), "{cloud}");
    assert!(cloud["bytes_received"].as_u64() > Some(0), "{cloud}");
    assert_eq!(
        (&cloud["connected"], &cloud["oldest_age"]),
        (&true.into(), &().into())
    );
    assert_eq!(weir.stop(), Some(0));
    weir.restart();
    assert_eq!(count(&weir, "cloud", "accepted"), 150);
    assert_eq!(count(&weir, "cloud", "stored"), 150);
}

#[test]
fn a_disabled_stream_takes_nothing_clears_nothing_and_stays_so() {
    let (port, away) = (free_port(), free_port());
    let mut weir = Weir::start("disable", &config(port, &http("cloud", away, IMPATIENT)));
    send(port, 0..5);
    let (code, said) = run(&weir, &["stream", "disable", "cloud"]);
    assert_eq!((code, said.as_str()), (0, "disabled, 5 waiting\n"));
    let mut lines = Lines::connect(port);
    lines.send("{\"ident\":\"gw-1\"}");
    assert!(lines.answer().contains("error"), "nobody wants it");
    let server = Server::listen(away);
    weir.kill();
    weir.restart();
    let cloud = stream(&weir, "cloud");
    assert_eq!(
        (&cloud["enabled"], &cloud["backlog"]),
        (&false.into(), &5.into())
    );
    assert!(cloud["oldest_age"].is_number(), "{cloud}");
    assert!(server.messages().is_empty());
    let (code, answer) = ask(&weir, "PATCH", "/streams/cloud", "{\"enabled\":true}");
    assert_eq!((code, &answer["result"][0]["enabled"]), (200, &true.into()));
    eventually("the backlog is delivered", || {
        count(&weir, "cloud", "accepted") == 5
    });
    send(port, 5..6);
    eventually("new ones too", || server.messages().len() == 6);
    weir.kill();
    weir.restart();
    assert_eq!(stream(&weir, "cloud")["enabled"], true);
}

#[test]
fn switching_off_and_on_while_messages_flow_loses_none() {
    let (port, away) = (free_port(), free_port());
    let server = Server::listen(away);
    let streams = file("archive") + &http("cloud", away, IMPATIENT);
    let weir = Weir::start("switch", &config(port, &streams));
    for round in 0..10 {
        send(port, round * 20..round * 20 + 20);
        for to in ["false", "true"] {
            ask(
                &weir,
                "PATCH",
                "/streams/cloud",
                &format!("{{\"enabled\":{to}}}"),
            );
        }
        stream(&weir, "cloud");
    }
    eventually("all is delivered", || count(&weir, "cloud", "backlog") == 0);
    let mut numbers: Vec<_> = server.messages().iter().map(|m| m["n"].as_u64()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 200);
    assert_eq!(count(&weir, "cloud", "accepted"), 200);
}

#[test]
fn wake_ends_the_pause() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("wake", &config(port, &http("cloud", away, PATIENT)));
    send(port, 0..3);
    eventually("it waits", || {
        stream(&weir, "cloud")["next_try"].as_f64() > Some(3000.0)
    });
    let (code, page) = run(&weir, &["stream", "list"]);
    assert_eq!(code, 0);
    assert!(
        page.contains("3 waiting  NOT CONNECTED, next try in"),
        "{page}"
    );
    let server = Server::listen(away);
    assert_eq!(run(&weir, &["wake"]), (0, "1 stream goes on\n".to_owned()));
    eventually("it arrives", || server.messages().len() == 3);
}

#[test]
fn skipping_passes_over_the_oldest() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("skip", &config(port, &http("cloud", away, IMPATIENT)));
    send(port, 0..6);
    assert_eq!(
        run(&weir, &["stream", "skip", "cloud"]),
        (0, "1 skipped\n".to_owned())
    );
    assert_eq!(
        run(&weir, &["stream", "skip", "cloud", "2"]),
        (0, "2 skipped\n".to_owned())
    );
    let cloud = stream(&weir, "cloud");
    assert_eq!(
        (&cloud["skipped_hand"], &cloud["backlog"]),
        (&3.into(), &3.into())
    );
    let server = Server::listen(away);
    eventually("the rest arrives", || {
        count(&weir, "cloud", "accepted") == 3
    });
    assert_eq!(server.messages()[0]["n"], 3);
    let (code, said) = run(&weir, &["stream", "skip", "nobody"]);
    assert_eq!((code, said.as_str()), (1, "error: no stream `nobody`\n"));
}

#[test]
fn a_rewound_stream_sends_again_what_was_written() {
    let (port, away) = (free_port(), free_port());
    let mut weir = Weir::start("rewind", &config(port, &http("cloud", away, IMPATIENT)));
    send(port, 0..10);
    let server = Server::listen(away);
    eventually("all is delivered", || {
        count(&weir, "cloud", "accepted") == 10
    });
    let rewind = |to| run(&weir, &["stream", "rewind", "cloud", to]);
    assert_eq!(rewind("oldest"), (0, "10 are sent again\n".to_owned()));
    eventually("it is sent again", || server.messages().len() == 20);
    eventually("it is accepted again", || {
        count(&weir, "cloud", "accepted") == 20
    });
    assert_eq!(rewind("2099-01-01"), (0, "0 are sent again\n".to_owned()));
    let (code, said) = rewind("soon");
    assert!(code == 2 && said.contains("neither `oldest`"), "{said}");
    weir.kill();
    weir.restart();
    stream(&weir, "cloud");
}

#[test]
fn events_tell_what_happened_in_order() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("events", &config(port, &http("cloud", away, IMPATIENT)));
    send(port, 0..3);
    let logs = |name: &str| run(&weir, &["logs", name]).1;
    eventually("it fails", || {
        logs("cloud").contains("cloud: not delivered: 127.0.0.1")
    });
    let _server = Server::listen(away);
    eventually("it is sent", || {
        logs("cloud").contains("cloud: sent: 3 accepted in ")
    });
    let (_, answer) = ask(&weir, "GET", "/streams/cloud/logs?count=100", "");
    let events = answer["result"].as_array().unwrap();
    let codes: Vec<_> = events
        .iter()
        .map(|event| event["event_code"].as_u64().unwrap())
        .collect();
    assert!(codes.is_sorted_by_key(|code| *code != 403), "{answer}");
    assert!(codes.ends_with(&[401, 404]), "{codes:?}");
    assert_eq!(events[0]["error_code"], -1);
    let sent = events.last().unwrap();
    assert_eq!((&sent["read"], &sent["accepted"]), (&3.into(), &3.into()));
    assert!(logs("programs").contains("programs: connected: 127.0.0.1:"));
    let (code, all) = run(&weir, &["logs"]);
    assert!(
        code == 0 && all.contains(" programs: ") && all.contains(" cloud: "),
        "{all}"
    );
    assert_eq!(run(&weir, &["logs", "nobody"]).0, 1);
}

#[test]
fn status_is_for_people_and_programs() {
    let port = free_port();
    let weir = Weir::start("status", &config(port, &file("archive")));
    send(port, 0..10);
    eventually("written", || count(&weir, "archive", "accepted") == 10);
    let (code, page) = run(&weir, &["status"]);
    assert!(
        code == 0 && page.contains("stored 10 = accepted 10 + skipped 0"),
        "{page}"
    );
    let (code, json) = run(&weir, &["status", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["streams"][0]["accepted"]), (0, &10.into()));
    eventually("the rate is known", || {
        send(port, 0..1);
        run(&weir, &["status"]).1.contains("at the present rate")
    });
    let nobody = format!("unix:{}", weir.folder.join("nobody").display());
    let (code, said) = run(&weir, &["status", "--api", &nobody]);
    assert!(
        code == 1 && said.contains("is the daemon running"),
        "{said}"
    );
}

#[test]
fn over_tcp_a_token_is_asked_for() {
    let (port, api) = (free_port(), free_port());
    let config = config(port, &file("archive")).replace(
        "\"unix:@/api\"",
        &format!("\"127.0.0.1:{api}\"\ntoken = \"sesame\""),
    );
    let weir = Weir::start("token", &config);
    let get = |headers: &[(&str, &str)]| ask_port(api, "GET", "/ring", headers, "").0;
    assert_eq!(get(&[]), 401);
    assert_eq!(get(&[("authorization", "Bearer sesam")]), 401);
    assert_eq!(get(&[("authorization", "Bearer sesame")]), 200);
    assert_eq!(run(&weir, &["status"]).0, 0);
    let address = format!("127.0.0.1:{api}");
    let (code, said) = run(&weir, &["status", "--api", &address]);
    assert!(code == 1 && said.contains("Bearer"), "{said}");
    assert!(!weir.log().contains("sesame"));
}

#[test]
fn hostile_requests_harm_nobody() {
    let port = free_port();
    let weir = Weir::start("hostile", &config(port, &file("archive")));
    let connect = || UnixStream::connect(weir.folder.join("api")).unwrap();
    let say = |bytes: &[u8]| {
        let mut socket = connect();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // it may be closed before all is written
        drop(socket.write_all(bytes));
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(say(&[0x16, 3, 1, 2, 0, b'\n', b'\r', b'\n']).starts_with("HTTP/1.1 400"));
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(200_000));
    assert!(say(long.as_bytes()).starts_with("HTTP/1.1 431"));
    let huge = b"PATCH /streams/archive HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
    assert!(say(huge).starts_with("HTTP/1.1 413"));
    let deep = "[".repeat(10_000);
    assert_eq!(ask(&weir, "PATCH", "/streams/archive", &deep).0, 400);
    let mut slow: Vec<_> = (0..16).map(|_| connect()).collect();
    for socket in &mut slow {
        socket.write_all(b"GET /st").unwrap();
    }
    send(port, 0..10);
    let mut crowd: Vec<_> = (0..100).map(|_| connect()).collect();
    crowd
        .iter_mut()
        .for_each(|socket| drop(socket.write_all(b"GET /ring HTTP/1.1\r\n")));
    drop((slow, crowd));
    eventually("there is room again", || {
        let mut socket = connect();
        let asked = socket.write_all(request("GET", "/ring", "", "").as_bytes());
        let mut answer = String::new();
        asked.is_ok() && socket.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
    });
    eventually("messages went on", || {
        count(&weir, "archive", "accepted") == 10
    });
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let weir = Weir::start("alive", &config(free_port(), &file("archive")));
    let mut socket = UnixStream::connect(weir.folder.join("api")).unwrap();
    let ring = "GET /ring HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /streams HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    socket
        .write_all(format!("{ring}{ring}{last}").as_bytes())
        .unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3);
}

#[test]
fn a_socket_that_cannot_be_made_is_not_the_end() {
    let port = free_port();
    let config = config(port, &file("archive")).replace("unix:@/api", "unix:@/weir.toml/api");
    let mut weir = Weir::start("no-socket", &config);
    weir.await_log("cannot ask");
    send(port, 0..3);
    assert_eq!(weir.stop(), Some(0));
}
