//! Those who listen to the API instead of asking it.

use crate::asking::ask;
use crate::asking::one;
use crate::config;
use crate::file;
use crate::send;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixStream;

/// Somebody who listens.
struct Listener(BufReader<UnixStream>);

impl Listener {
    fn begin(weir: &Weir, headers: &str) -> Self {
        let mut socket = UnixStream::connect(weir.folder.join("api")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET /live HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(socket))
    }

    /// Up to the empty line; none at the end.
    fn lines(&mut self) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            match line.trim_end() {
                "" => return Some(lines),
                line => lines.push(line.to_owned()),
            }
        }
    }

    /// The first line of the answer.
    fn code(&mut self) -> String {
        self.lines().unwrap().swap_remove(0)
    }

    /// The next event of a kind.
    fn event(&mut self, kind: &str) -> Value {
        loop {
            let lines = self.lines().expect("it goes on");
            if lines.contains(&format!("event: {kind}")) {
                let data = lines.last().unwrap().strip_prefix("data: ").unwrap();
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}

#[test]
fn who_listens_is_told_the_status_each_second_and_what_happens() {
    let port = free_port();
    let weir = Weir::start("live", &config(port, &file("archive")));
    let mut listener = Listener::begin(&weir, "");
    assert_eq!(listener.code(), "HTTP/1.1 200 OK");
    let times: Vec<f64> = (0..3)
        .map(|_| listener.event("status")["uptime"].as_f64().unwrap())
        .collect();
    assert!(times.is_sorted() && times[2] - times[0] > 0.5, "{times:?}");
    send(port, 0..10);
    loop {
        let line = listener.event("log");
        if line["event_code"] == 404 {
            break assert_eq!(line["name"], "archive");
        }
    }
    let accepted = |status: Value| status["streams"][0]["accepted"].as_u64();
    while accepted(listener.event("status")) != Some(10) {}
}

#[test]
fn who_comes_back_is_told_what_it_missed_and_all_after_a_restart() {
    let port = free_port();
    let weir = Weir::start("live-again", &config(port, &file("archive")));
    send(port, 0..10);
    let sent = || ask(&weir, "GET", "/logs", "").1;
    eventually("sent", || sent().to_string().contains("404"));
    let first = one(&weir, "/logs")["id"].as_u64().unwrap();
    for (last, wanted) in [(0, first), (first, first + 1), (1_000_000, first)] {
        let mut listener = Listener::begin(&weir, &format!("Last-Event-ID: {last}\r\n"));
        assert_eq!(listener.event("log")["id"], wanted, "after {last}");
    }
}

#[test]
fn one_listener_too_many_is_refused_until_one_goes() {
    let weir = Weir::start("live-many", &config(free_port(), &file("archive")));
    let mut listeners: Vec<_> = (0..4).map(|_| Listener::begin(&weir, "")).collect();
    listeners
        .iter_mut()
        .for_each(|listener| assert_eq!(listener.code(), "HTTP/1.1 200 OK"));
    let mut refused = Listener::begin(&weir, "");
    assert_eq!(refused.code(), "HTTP/1.1 503 Service Unavailable");
    let mut why = String::new();
    refused.0.read_to_string(&mut why).unwrap();
    assert!(why.starts_with("{\"errors\":[{\"code\":503"), "{why}");
    listeners.pop();
    eventually("a place is free", || {
        Listener::begin(&weir, "").code() == "HTTP/1.1 200 OK"
    });
}

/// A listener that took nothing would hold the old ring's file for ever.
#[test]
fn listeners_go_with_the_daemon_that_they_listen_to() {
    let port = free_port();
    let weir = Weir::start("live-anew", &config(port, &file("archive")));
    let mut listener = Listener::begin(&weir, "");
    listener.event("status");
    weir.reload(&config(port, &file("archive")).replace("1 MiB", "2 MiB"));
    while listener.lines().is_some() {}
}
