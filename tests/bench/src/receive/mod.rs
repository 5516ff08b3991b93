//! Destinations: they acknowledge all that comes, and count which numbers came and how often.

mod http;
mod lines;
mod mqtt;
mod wialon;

use crate::message::SEQ_BASE;
use crate::message::SEQ_KEY;
use crate::program::Outcome;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// What a destination speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// A broker, MQTT 3.1.1 and 5.
    Mqtt,
    /// A web server that answers 200.
    Http,
    /// Lines, without any answer.
    Lines,
    /// Wialon Retranslator: 0x11 for each packet.
    Wialon,
}

/// A destination that runs until it is dropped.
pub struct Receiver {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    output: Output,
    counts: Mutex<Counts>,
    open: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
}

/// What came.
#[derive(Clone, Default)]
pub struct Counts {
    seen: Vec<u64>,
    /// Different numbers.
    pub unique: u64,
    /// Numbers that came once more.
    pub doubled: u64,
    /// Numbers that came after a higher one.
    pub late: u64,
    /// Bytes, with all that is around messages.
    pub bytes: u64,
    /// Connections so far.
    pub connections: u64,
    highest: u64,
    /// When the last message came.
    pub last: Option<Instant>,
}

/// So long without a message, and nothing more is expected.
const SILENCE: Duration = Duration::from_secs(30);

impl Receiver {
    /// Listens on a port of its own choice, or on a given one.
    pub fn start(output: Output, port: u16) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .map_err(|error| format!("port {port}: {error}"))?;
        let port = listener
            .local_addr()
            .map_err(|error| error.to_string())?
            .port();
        let shared = Arc::new(Shared {
            output,
            counts: Mutex::default(),
            open: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let at_door = Arc::clone(&shared);
        thread::spawn(move || at_door.accept(&listener));
        Ok(Self { port, shared })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn counts(&self) -> Counts {
        self.shared.counts().clone()
    }

    pub fn connections(&self) -> u64 {
        self.shared.counts().connections
    }

    pub fn unique(&self) -> u64 {
        self.shared.counts().unique
    }

    /// Waits until so many different numbers came; gives up after a long silence.
    pub fn wait_for(&self, unique: u64) {
        let start = Instant::now();
        loop {
            let (count, last) = {
                let counts = self.shared.counts();
                (counts.unique, counts.last)
            };
            let quiet_since = last.map_or(start, |last| last.max(start));
            if count >= unique || quiet_since.elapsed() > SILENCE {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let mut open = self.shared.open.lock().unwrap_or_else(|e| e.into_inner());
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let _ = stream.set_nodelay(true);
            if let Ok(other) = stream.try_clone() {
                let mut open = self.open.lock().unwrap_or_else(|e| e.into_inner());
                open.push(other);
            }
            self.counts().connections += 1;
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.serve(stream));
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        let (mut unread, mut bytes) = (vec![], vec![0; 256 << 10]);
        let (mut found, mut answer) = (vec![], vec![]);
        let mut session = mqtt::Session::default();
        loop {
            let len = match stream.read(&mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(len) => len,
            };
            unread.extend_from_slice(&bytes[..len]);
            let used = match self.output {
                Output::Mqtt => session.take(&unread, &mut found, &mut answer),
                Output::Http => http::take(&unread, &mut found, &mut answer),
                Output::Lines => lines::take(&unread, &mut found),
                Output::Wialon => wialon::take(&unread, &mut found, &mut answer),
            };
            unread.drain(..used);
            self.counts().count(&found, used);
            found.clear();
            if stream.write_all(&answer).is_err() {
                return;
            }
            answer.clear();
        }
    }
}

impl Counts {
    fn count(&mut self, numbers: &[u64], bytes: usize) {
        self.bytes += bytes as u64;
        if !numbers.is_empty() {
            self.last = Some(Instant::now());
        }
        for number in numbers {
            let (place, bit) = ((number / 64) as usize, 1 << (number % 64));
            if self.seen.len() <= place {
                self.seen.resize(place * 2 + 1, 0);
            }
            if self.seen[place] & bit != 0 {
                self.doubled += 1;
                continue;
            }
            self.seen[place] |= bit;
            self.unique += 1;
            self.late += u64::from(*number < self.highest);
            self.highest = self.highest.max(*number);
        }
    }
}

/// The numbers of messages in JSON.
fn numbers(text: &[u8], found: &mut Vec<u64>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'q') {
        let key = rest.get(at.saturating_sub(3)..).unwrap_or(&[]);
        let after = &rest[at + 1..];
        if key.starts_with(SEQ_KEY) {
            let digits = after[2..].iter().take_while(|byte| byte.is_ascii_digit());
            let number = digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
            // what is smaller is none of ours, as a message of another's would be
            found.extend(number.checked_sub(SEQ_BASE));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;
    use super::numbers;

    #[test]
    fn numbers_are_found_wherever_they_stand_in_json() {
        let mut found = vec![];
        let text = br#"[{"seq":1000000007,"q":1},{"a":"seq","seq":1000000008},{"seq":5}]"#;
        numbers(text, &mut found);
        assert_eq!(found, [7, 8]);
    }

    #[test]
    fn what_comes_twice_or_late_is_counted() {
        let mut counts = Counts::default();
        counts.count(&[0, 1, 3, 2, 3], 10);
        counts.count(&[200], 1);
        assert_eq!((counts.unique, counts.doubled, counts.late), (5, 1, 1));
        assert_eq!(counts.bytes, 11);
    }
}
