//! Real destinations: mosquitto, nginx, and a cable to them that can be pulled.

use crate::weir::Folder;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::program::Program;
use crate::weir::program::SAYS_WHO_SUBSCRIBES;
use crate::weir::program::SUBSCRIBED;
use crate::weir::program::mosquitto;
use crate::weir::program::nginx;
use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

/// mosquitto and a subscriber to all its topics.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    folder: Folder,
    broker: Program,
    _subscriber: Program,
}

impl Mosquitto {
    pub(crate) fn start() -> Self {
        let folder = Folder::new("mosquitto");
        let (mut broker, port) = Program::serve(|port| {
            let config = format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n\
                 max_queued_messages 0\nmax_inflight_messages 1000\nuser root\n\
                 {SAYS_WHO_SUBSCRIBES}"
            );
            mosquitto(&folder.write("mosquitto.conf", &config))
        });
        let subscriber = subscribe(port, &folder.join("received"));
        broker.await_said(SUBSCRIBED, 1);
        Self {
            port,
            folder,
            broker,
            _subscriber: subscriber,
        }
    }

    /// Sends the broker a signal by its name: `STOP`, `CONT`.
    #[allow(dead_code, reason = "not every test that shares this wants it")]
    pub(crate) fn signal(&self, name: &str) {
        self.broker.signal(name);
    }

    /// Waits until no daemon is connected any more, and what it had sent is with the subscriber,
    /// followed by a line with this number.
    #[allow(dead_code, reason = "not every test that shares this wants it")]
    pub(crate) fn settle(&self, number: usize) {
        eventually("the connections of before have ended", || {
            let said = self.broker.said();
            said.matches(" as weir-").count() == said.matches(": Client weir-").count()
        });
        let (port, number) = (self.port.to_string(), number.to_string());
        let mark = ["-p", &port, "-q", "1", "-t", "settled", "-m", &number];
        assert!(
            Command::new("mosquitto_pub")
                .args(mark)
                .status()
                .unwrap()
                .success()
        );
        eventually("the subscriber has all", || {
            self.text().ends_with(&format!("settled {number}\n"))
        });
    }

    /// What came, one `TOPIC PAYLOAD` a line.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.folder.join("received")).unwrap_or_default()
    }

    /// What came: (topic, payload), in order.
    pub(crate) fn received(&self) -> Vec<(String, String)> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        lines
            .map(|(topic, payload)| (topic.to_owned(), payload.to_owned()))
            .collect()
    }
}

/// mosquitto_sub that writes all that is published into a file, one `TOPIC PAYLOAD` a line.
pub(crate) fn subscribe(port: u16, received: &Path) -> Program {
    let mut command = Command::new("mosquitto_sub");
    command.args([
        "-i",
        "all",
        "-p",
        &port.to_string(),
        "-q",
        "1",
        "-t",
        "#",
        "-v",
    ]);
    Program::start(command.stdout(fs::File::create(received).unwrap()))
}

/// nginx that writes down the body of each request.
pub(crate) struct Nginx {
    pub(crate) port: u16,
    folder: Folder,
    _server: Program,
}

impl Nginx {
    pub(crate) fn start() -> Self {
        let folder = Folder::new("nginx");
        let place = folder.join("");
        let place = place.display();
        let config = |port: u16| {
            format!(
                "daemon off; master_process off; user root;\n\
                 pid {place}pid; error_log {place}error;\n\
                 events {{ worker_connections 64; }}\n\
                 http {{\n log_format body escape=none '$request_body';\n\
                 client_body_buffer_size 4m; client_max_body_size 4m;\n\
                 client_body_temp_path {place}body; proxy_temp_path {place}proxy;\n\
                 fastcgi_temp_path {place}f; uwsgi_temp_path {place}u; scgi_temp_path {place}s;\n\
                 server {{ listen 127.0.0.1:{port};\n\
                 location / {{ access_log {place}bodies body; \
                 proxy_pass http://127.0.0.1:{port}/taken/; }}\n\
                 location /taken/ {{ access_log off; return 200; }} }} }}\n"
            )
        };
        let (server, port) =
            Program::serve(|port| nginx(&folder.write("nginx.conf", &config(port))));
        Self {
            port,
            folder,
            _server: server,
        }
    }

    /// The bodies that came, in order.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("bodies")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// A Wialon receiver: each packet as it came, 0x11 for each.
pub(crate) struct WialonReceiver {
    pub(crate) port: u16,
    packets: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl WialonReceiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let packets = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&packets);
        thread::spawn(move || {
            for stream in listener.incoming() {
                receive_packets(stream.unwrap(), &kept);
            }
        });
        Self { port, packets }
    }

    pub(crate) fn packets(&self) -> Vec<Vec<u8>> {
        self.packets.lock().unwrap().clone()
    }
}

fn receive_packets(mut stream: TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut head = [0; 4];
    while stream.read_exact(&mut head).is_ok() {
        let mut packet = vec![0; u32::from_le_bytes(head) as usize];
        if stream.read_exact(&mut packet).is_err() {
            return;
        }
        kept.lock()
            .unwrap()
            .push([head.as_slice(), &packet].concat());
        if stream.write_all(&[0x11]).is_err() {
            return;
        }
    }
}

/// A cable between a port of its own and a destination: while it is pulled nobody listens there.
pub(crate) struct Cable {
    pub(crate) port: u16,
    to: u16,
    plugged: Arc<AtomicBool>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    /// A cable that is not plugged in.
    pub(crate) fn new(to: u16) -> Self {
        Self {
            port: free_port(),
            to,
            plugged: Arc::default(),
            ends: Arc::default(),
        }
    }

    pub(crate) fn plug(&self) {
        let mut listener = None;
        eventually("the socket of before is gone", || {
            listener = TcpListener::bind(("127.0.0.1", self.port)).ok();
            listener.is_some()
        });
        let listener = listener.unwrap();
        self.plugged.store(true, Ordering::SeqCst);
        let (plugged, ends, to) = (Arc::clone(&self.plugged), Arc::clone(&self.ends), self.to);
        thread::spawn(move || {
            for near in listener.incoming() {
                if !plugged.load(Ordering::SeqCst) {
                    return;
                }
                let (near, far) = (
                    near.unwrap(),
                    TcpStream::connect(("127.0.0.1", to)).unwrap(),
                );
                ends.lock()
                    .unwrap()
                    .extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
                thread::spawn(move || carry(near, far));
                thread::spawn(move || carry(back.0, back.1));
            }
        });
    }

    pub(crate) fn pull(&self) {
        self.plugged.store(false, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        self.cut();
    }

    /// Ends the connections; new ones are possible at once.
    pub(crate) fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            drop(end.shutdown(Shutdown::Both));
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    drop(std::io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}

/// First arrivals of the numbers after a key: in order, each; the repeats are counted.
pub(crate) struct Arrivals {
    pub(crate) first: Vec<u64>,
    pub(crate) repeats: usize,
}

impl Arrivals {
    pub(crate) fn of(texts: impl IntoIterator<Item = impl AsRef<str>>, key: &str) -> Self {
        let (mut seen, mut first, mut repeats) = (HashSet::new(), Vec::new(), 0);
        let key = format!("\"{key}\":");
        for text in texts {
            for rest in text.as_ref().split(&key).skip(1) {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if digits.len() == rest.len() {
                    // still being written
                    continue;
                }
                let number = digits.parse().unwrap();
                if seen.insert(number) {
                    first.push(number);
                } else {
                    repeats += 1;
                }
            }
        }
        Self { first, repeats }
    }

    /// Fails unless 0 to `count - 1` came, in order.
    pub(crate) fn assert_complete(&self, count: u64) {
        assert!(self.first.is_sorted(), "first arrivals are out of order");
        assert_eq!(self.first.len() as u64, count, "some are missing");
        assert_eq!(self.first.last(), Some(&(count - 1)));
    }
}
