//! Those who ask a daemon: over its socket, and with the commands. And a destination to switch.

use crate::weir::Weir;
use crate::weir::web::ask_socket;
use serde_json::Value;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// Asks over the Unix socket, by a client that others wrote: the code and the JSON, or text, of the
/// answer.
pub(crate) fn ask(weir: &Weir, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (code, text) = ask_socket(&weir.folder.join("api"), method, path, body);
    let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text));
    (code, value)
}

/// A request byte by byte, for those who stop in the middle of it.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn exchange(socket: &mut (impl Read + Write), request: &str) -> (u16, Value) {
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let value = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
    (head[9..12].parse().unwrap(), value)
}

/// The one thing that a path has.
pub(crate) fn one(weir: &Weir, path: &str) -> Value {
    let (code, answer) = ask(weir, "GET", path, "");
    assert_eq!(code, 200, "{path}: {answer}");
    answer["result"][0].clone()
}

/// A stream, its sum checked.
pub(crate) fn stream(weir: &Weir, name: &str) -> Value {
    let found = one(weir, &format!("/streams/{name}"));
    let of = |key: &str| found[key].as_u64().unwrap();
    let skipped = of("skipped_filter") + of("skipped_age") + of("skipped_hand");
    assert_eq!(of("skipped"), skipped, "{found}");
    let settled = of("accepted") + skipped + of("given_up") + of("dropped") + of("corrupt");
    assert_eq!(of("stored"), settled + of("backlog"), "{found}");
    found
}

/// One of a stream's counters.
pub(crate) fn count(weir: &Weir, name: &str, key: &str) -> u64 {
    stream(weir, name)[key].as_u64().unwrap()
}

/// Runs a command against the daemon: its exit code and what it said.
pub(crate) fn run(weir: &Weir, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("-c").arg(weir.folder.join("weir.toml"));
    let output = command.args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

/// An HTTP server on a port: takes whatever comes, and keeps the bodies.
pub(crate) struct Server(Arc<Mutex<Vec<String>>>);

impl Server {
    pub(crate) fn listen(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(socket.unwrap(), &kept));
            }
        });
        Self(bodies)
    }

    /// Messages that came.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let bodies = self.0.lock().unwrap();
        let arrays = bodies
            .iter()
            .map(|body| serde_json::from_str(body).unwrap());
        arrays.flat_map(|array: Vec<Value>| array).collect()
    }
}

fn serve(mut socket: TcpStream, kept: &Mutex<Vec<String>>) {
    let mut input = String::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some((head, body)) = input.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                kept.lock().unwrap().push(body[..length].to_owned());
                input = body[length..].to_owned();
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                socket.write_all(answer).unwrap();
                continue;
            }
        }
        match socket.read(&mut chunk) {
            Ok(count) if count > 0 => {
                input.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
            }
            _ => return,
        }
    }
}
