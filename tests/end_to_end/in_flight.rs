//! What is in flight when a stream is changed, paused, disabled or removed: a destination that
//! answers within the second that it is given gets nothing twice, however quick the changes are.

use crate::config;
use crate::servers::Arrivals;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::message;
use crate::weir::web::ask_socket;
use serde_json::Value;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// A server that takes its time for each answer.
struct SlowServer {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    bodies: Vec<String>,
    answered: usize,
    /// An answer took so long on a busy machine that nobody has to have waited for it.
    was_late: bool,
}

/// Within one tenth of what is waited for.
const TAKES: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_millis(500);

impl SlowServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(connection, &kept));
            }
        });
        Self { port, seen }
    }

    fn stream(&self, more: &str) -> String {
        format!(
            "[[stream]]\nname = \"slow\"\ntype = \"http\"\nchannels = [\"*\"]\n\
             url = \"http://127.0.0.1:{}/\"\n{more}\n",
            self.port
        )
    }

    /// Requests that came, and how many of these were answered.
    fn counts(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.bodies.len(), seen.answered)
    }

    /// Waits until a request has come that has no answer yet.
    fn await_request(&self, before: usize) {
        eventually("a request is on its way", || self.counts().0 > before);
    }

    fn arrivals(&self) -> Arrivals {
        Arrivals::of(&self.seen.lock().unwrap().bodies, "seq")
    }

    /// Fails where messages came twice, though all were answered soon.
    fn assert_nothing_came_twice(&self) {
        let was_late = self.seen.lock().unwrap().was_late;
        assert!(self.arrivals().repeats == 0 || was_late, "came twice");
    }
}

fn serve(mut connection: TcpStream, seen: &Mutex<Seen>) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let mut len = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                len = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; len];
        reader.read_exact(&mut body).ok()?;
        let came = Instant::now();
        let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        lock().bodies.push(String::from_utf8(body).ok()?);
        thread::sleep(TAKES);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let sent = connection.write_all(answer);
        let mut seen = lock();
        seen.answered += 1;
        seen.was_late |= came.elapsed() > LATE;
        sent.ok()?;
    }
}

fn start(name: &str, port: u16, streams: &str) -> Weir {
    let text = config(port, streams).replace("\"off\"", "\"unix:@/api\"");
    Weir::start(name, &text)
}

fn ask(weir: &Weir, method: &str, path: &str, body: &str) -> Value {
    let (code, text) = ask_socket(&weir.folder.join("api"), method, path, body);
    assert_eq!(code, 200, "{method} {path}: {text}");
    serde_json::from_str(&text).unwrap()
}

fn stream(weir: &Weir, name: &str) -> Value {
    ask(weir, "GET", &format!("/streams/{name}"), "")["result"][0].clone()
}

/// Writes what the file says of streams, and has it read.
fn reload(weir: &Weir, port: u16, streams: &str) {
    let place = weir.folder.join("").display().to_string();
    let text = config(port, streams).replace("\"off\"", "\"unix:@/api\"");
    weir.folder.write("weir.toml", &text.replace("@/", &place));
    ask(weir, "POST", "/reload", "");
}

#[test]
fn reloads_without_a_rest_send_nothing_twice() {
    let (server, port) = (SlowServer::start(), free_port());
    let streams = |number: u64| {
        let slow = server.stream(&format!("max_messages = {}", 3 + number % 2));
        let copy = format!(
            "[[stream]]\nname = \"copy\"\ntype = \"file\"\npath = \"@/copy\"\n\
             channels = [\"*\"]\nmax_messages = {}\n",
            10 + number % 3
        );
        slow + &copy
    };
    let weir = start("at-once", port, &streams(0));
    let mut lines = Lines::connect(port);
    let mut sent = 0;
    for round in 0..40 {
        (sent..sent + 4).for_each(|seq| lines.send(&message(seq)));
        sent += 4;
        // some while a request is on its way, some between two, some before the first
        (0..=round % 5).for_each(|number| reload(&weir, port, &streams(number + 1)));
        lines.await_acked(sent);
    }
    eventually("all is delivered", || {
        stream(&weir, "slow")["accepted"] == sent && stream(&weir, "copy")["accepted"] == sent
    });
    server.arrivals().assert_complete(sent);
    server.assert_nothing_came_twice();
    let copy = fs::read_to_string(weir.folder.join("copy")).unwrap();
    let copied = Arrivals::of(copy.lines(), "seq");
    copied.assert_complete(sent);
    assert_eq!(copied.repeats, 0, "written twice");
    for name in ["slow", "copy"] {
        let report = stream(&weir, name);
        assert_eq!(report["stored"], sent, "{report}");
        assert_eq!(report["backlog"], 0, "{report}");
    }
}

/// What a hand does.
type Hand<'a> = &'a dyn Fn();

#[test]
fn what_hands_do_to_a_stream_waits_for_its_last_answer() {
    let (server, port) = (SlowServer::start(), free_port());
    let slow = server.stream("max_messages = 2");
    let weir = start("by-hand", port, &slow);
    let mut lines = Lines::connect(port);
    let reloaded = |streams: &str| reload(&weir, port, streams);
    let post = |path: &str| drop(ask(&weir, "POST", path, ""));
    let patch = |body: &str| drop(ask(&weir, "PATCH", "/streams/slow", body));
    let both: [(Hand<'_>, Hand<'_>); 4] = [
        (&|| post("/streams/slow/pause"), &|| {
            post("/streams/slow/resume")
        }),
        (&|| patch("{\"enabled\":false}"), &|| {
            patch("{\"enabled\":true}")
        }),
        (&|| patch("{\"max_messages\":3}"), &|| {
            patch("{\"max_messages\":2}")
        }),
        (&|| reloaded(""), &|| reloaded(&slow)),
    ];
    let mut sent = 0;
    for (does, undoes) in both.repeat(3) {
        let before = server.counts().0;
        (sent..sent + 6).for_each(|seq| lines.send(&message(seq)));
        sent += 6;
        lines.await_acked(sent);
        server.await_request(before);
        does();
        // a look takes nothing away from who awaits the answer
        drop(ask_socket(&weir.folder.join("api"), "GET", "/status", ""));
        eventually("what was on its way is answered", || {
            let (came, answered) = server.counts();
            came == answered
        });
        undoes();
        eventually("the rest follows", || {
            stream(&weir, "slow")["accepted"] == sent
        });
    }
    server.arrivals().assert_complete(sent);
    server.assert_nothing_came_twice();
}

#[test]
fn a_stream_that_is_made_again_at_once_begins_with_nothing() {
    let (server, port) = (SlowServer::start(), free_port());
    let weir = start("again", port, "");
    let made = format!(
        "{{\"name\":\"slow\",\"type\":\"http\",\"channels\":[\"*\"],\"max_messages\":2,\
         \"url\":\"http://127.0.0.1:{}/\"}}",
        server.port
    );
    ask(&weir, "POST", "/streams", &made);
    let mut lines = Lines::connect(port);
    let mut sent = 0;
    for round in 0..3 {
        let before = server.counts().0;
        (sent..sent + 6).for_each(|seq| lines.send(&message(seq)));
        sent += 6;
        lines.await_acked(sent);
        server.await_request(before);
        ask(&weir, "DELETE", "/streams/slow", "");
        ask(&weir, "POST", "/streams", &made);
        let report = stream(&weir, "slow");
        assert_eq!(report["stored"], 0, "{round}: {report}");
    }
    lines.send(&message(sent));
    eventually("what comes then is delivered", || {
        stream(&weir, "slow")["accepted"] == 1
    });
    let last = server.arrivals().first.last().copied();
    assert_eq!(last, Some(sent));
    server.assert_nothing_came_twice();
}
