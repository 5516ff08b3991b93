//! A broker of MQTT 3.1.1 that counts what has no acknowledgement, and gives them as it is told.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// What it saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Payloads in the order of their first arrival.
    pub(crate) payloads: Vec<String>,
    /// The most that ever had no acknowledgement at once.
    pub(crate) most: usize,
    pub(crate) connections: usize,
    /// Publishes marked as repeated.
    pub(crate) repeats: usize,
}

/// A broker on a port of its own.
pub(crate) struct Broker {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Broker {
    /// The first `mute` connections get no acknowledgement and end once `window` publishes are
    /// there; later ones get theirs a while after.
    pub(crate) fn start(mute: usize, window: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let number = {
                    let mut seen = kept.lock().unwrap();
                    seen.connections += 1;
                    seen.connections
                };
                let answers = number > mute;
                serve(socket.unwrap(), &kept, answers, window);
            }
        });
        Self { port, seen }
    }

    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }
}

fn serve(mut socket: TcpStream, seen: &Mutex<Seen>, answers: bool, window: usize) {
    socket
        .set_read_timeout(Some(Duration::from_millis(30)))
        .unwrap();
    let (mut input, mut chunk, mut open) = (Vec::new(), [0; 4096], Vec::new());
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => input.extend_from_slice(&chunk[..count]),
            // nothing more comes: what is open is all that the client dares to send
            Err(_) => {
                if !answers && open.len() >= window {
                    return;
                }
                for identifier in open.drain(..).filter(|_| answers) {
                    let [high, low] = u16::to_be_bytes(identifier);
                    drop(socket.write_all(&[0x40, 2, high, low]));
                }
            }
        }
        while let Some((kind, body, used)) = packet(&input) {
            match kind >> 4 {
                1 => socket.write_all(&[0x20, 2, 0, 0]).unwrap(),
                3 => {
                    let (identifier, payload) = publish(&body);
                    open.push(identifier);
                    note(seen, kind, payload, open.len());
                }
                12 => socket.write_all(&[0xd0, 0]).unwrap(),
                _ => {}
            }
            input.drain(..used);
        }
    }
}

fn note(seen: &Mutex<Seen>, kind: u8, payload: String, open: usize) {
    let mut seen = seen.lock().unwrap();
    seen.most = seen.most.max(open);
    seen.repeats += usize::from(kind & 8 != 0);
    if !seen.payloads.contains(&payload) {
        seen.payloads.push(payload);
    }
}

/// The first byte and the body of a whole packet, and how many bytes that was.
fn packet(input: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (mut len, mut at) = (0_usize, 1);
    loop {
        let byte = *input.get(at)?;
        len |= usize::from(byte & 127) << (7 * (at - 1));
        at += 1;
        if byte & 128 == 0 {
            break;
        }
    }
    let body = input.get(at..at + len)?;
    Some((input[0], body.to_vec(), at + len))
}

/// Identifier and payload.
fn publish(body: &[u8]) -> (u16, String) {
    let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let rest = &body[2 + topic..];
    let payload = String::from_utf8(rest[2..].to_vec()).unwrap();
    (u16::from_be_bytes([rest[0], rest[1]]), payload)
}
