//! Servers of ours, for destinations of which there is no real one: threads and `std`, behind a
//! cable that is pulled while they are away.

use crate::row::Counterpart;
use crate::servers::Cable;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// A server, and what it took.
pub(crate) struct Contract {
    cable: Cable,
    taken: Taken,
}

/// `seq` of each message that was taken, in order.
#[derive(Clone, Default)]
pub(crate) struct Taken(Arc<Mutex<Vec<u64>>>);

/// A server with the keys of a stream to it.
struct FarEnd<K> {
    server: Contract,
    keys: K,
}

impl<K: Fn(u16) -> String> Counterpart for FarEnd<K> {
    fn keys(&self) -> String {
        (self.keys)(self.server.port())
    }

    fn leave(&mut self) {
        self.server.leave();
    }

    fn come_back(&mut self) {
        self.server.come_back();
    }

    fn taken(&self) -> Vec<u64> {
        self.server.taken()
    }
}

impl Contract {
    /// The far end of a row, of whose stream these are the keys with the server's port.
    pub(crate) fn with_keys(self, keys: impl Fn(u16) -> String + 'static) -> Box<dyn Counterpart> {
        Box::new(FarEnd { server: self, keys })
    }

    /// Speaks to each connection by `serve`, until that returns.
    pub(crate) fn start(serve: impl Fn(TcpStream, &Taken) + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cable = Cable::new(listener.local_addr().unwrap().port());
        let (taken, serve) = (Taken::default(), Arc::new(serve));
        let kept = taken.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (kept, serve) = (kept.clone(), Arc::clone(&serve));
                thread::spawn(move || serve(socket.unwrap(), &kept));
            }
        });
        cable.plug();
        Self { cable, taken }
    }

    /// Where it listens: on this machine.
    pub(crate) fn port(&self) -> u16 {
        self.cable.port
    }

    pub(crate) fn leave(&self) {
        self.cable.pull();
    }

    pub(crate) fn come_back(&self) {
        self.cable.plug();
    }

    pub(crate) fn taken(&self) -> Vec<u64> {
        self.taken.0.lock().unwrap().clone()
    }
}

impl Taken {
    pub(crate) fn add(&self, number: u64) {
        self.0.lock().unwrap().push(number);
    }

    /// Those that stand in JSON, in order.
    pub(crate) fn add_json(&self, text: &str) {
        self.0.lock().unwrap().extend(numbers(text));
    }
}

/// The numbers of messages that stand in JSON: `"seq":17`.
pub(crate) fn numbers(text: &str) -> Vec<u64> {
    let behind = text.split("\"seq\":").skip(1);
    let digits = behind.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        &rest[..end.unwrap_or(rest.len())]
    });
    digits.map(|digits| digits.parse().unwrap()).collect()
}

/// A request of HTTP.
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Lines of the head behind the first, in lower case.
    pub(crate) head: String,
    /// The same as they came.
    lines: Vec<String>,
    pub(crate) body: String,
}

impl Request {
    /// The value of a header, whose name is in lower case.
    #[allow(dead_code, reason = "not every test that shares this wants it")]
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut lines = self.lines.iter().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// A server of HTTP: `answer` says the status and the body of each answer.
pub(crate) fn web(
    answer: impl Fn(&Request, &Taken) -> (u16, String) + Clone + Send + Sync + 'static,
) -> Contract {
    Contract::start(move |socket, taken| serve(socket, |request| answer(request, taken)))
}

/// The same over TLS, which `over` makes of a socket.
#[allow(dead_code, reason = "not every test that shares this wants it")]
pub(crate) fn secure_web<S: Read + Write>(
    over: impl Fn(TcpStream) -> S + Clone + Send + Sync + 'static,
    answer: impl Fn(&Request, &Taken) -> (u16, String) + Clone + Send + Sync + 'static,
) -> Contract {
    Contract::start(move |socket, taken| serve(over(socket), |request| answer(request, taken)))
}

fn serve(mut socket: impl Read + Write, answer: impl Fn(&Request) -> (u16, String)) {
    let mut input = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        while let Some((request, used)) = request(&input) {
            input.drain(..used);
            let (status, body) = answer(&request);
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            if socket.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
        match socket.read(&mut chunk) {
            Ok(count) if count > 0 => input.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

/// A whole request, and how many bytes that was.
fn request(input: &[u8]) -> Option<(Request, usize)> {
    let end = input.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = str::from_utf8(&input[..end]).unwrap();
    let (first, head) = head.split_once("\r\n").unwrap();
    let lines = head.lines().map(str::to_owned).collect();
    let (mut words, head) = (first.split(' ').map(str::to_owned), head.to_lowercase());
    let len = head.split("content-length: ").nth(1);
    let len = len.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
    let body = input.get(end..end + len)?;
    let request = Request {
        method: words.next().unwrap(),
        path: words.next().unwrap(),
        head,
        lines,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    Some((request, end + len))
}
