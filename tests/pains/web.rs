//! An HTTP server that answers as a test tells it to, and remembers what it was asked and when.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// What a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Status(u16),
    /// The connection ends without a word.
    Nothing,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) body: String,
    pub(crate) reply: Reply,
}

/// A server on a port of its own or a given one.
pub(crate) struct Web {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    /// Answers request number N, from 0, with this body as `script` says.
    pub(crate) fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(0, script)
    }

    pub(crate) fn listen(
        port: u16,
        script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (kept, script) = (Arc::clone(&asked), Arc::new(script));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
                thread::spawn(move || serve(socket.unwrap(), &kept, &*script));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The bodies that were accepted, in order.
    pub(crate) fn accepted(&self) -> Vec<String> {
        let asked = self.asked().into_iter();
        let accepted = asked.filter(|asked| asked.reply == Reply::Status(200));
        accepted.map(|asked| asked.body).collect()
    }
}

fn serve(
    mut socket: TcpStream,
    kept: &Mutex<Vec<Asked>>,
    script: &(dyn Fn(usize, &str) -> Reply + Send + Sync),
) {
    let mut input = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        while let Some((body, used)) = request(&input) {
            input.drain(..used);
            let mut all = kept.lock().unwrap();
            let reply = script(all.len(), &body);
            all.push(Asked {
                at: Instant::now(),
                body,
                reply,
            });
            drop(all);
            let Reply::Status(status) = reply else {
                return;
            };
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            if socket.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match socket.read(&mut chunk) {
            Ok(count) if count > 0 => input.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

/// The body of a whole request, and how many bytes that was.
fn request(input: &[u8]) -> Option<(String, usize)> {
    let end = input.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = str::from_utf8(&input[..end]).unwrap().to_lowercase();
    let len = head.split("content-length: ").nth(1).unwrap();
    let len: usize = len.lines().next().unwrap().parse().unwrap();
    let body = input.get(end..end + len)?;
    Some((String::from_utf8(body.to_vec()).unwrap(), end + len))
}
