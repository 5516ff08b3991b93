//! Trackers: each message in turn, so many unacknowledged at most, and what was acknowledged
//! counted.

mod http;
mod lines;
mod mqtt;
mod teltonika;

use crate::message::Maker;
use crate::program::Outcome;
use crate::program::PATIENCE;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// What trackers speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// MQTT 3.1.1, QoS 1.
    Mqtt,
    /// JSON lines; the answer `{"acked":N}` counts them.
    Lines,
    /// JSON lines that nobody answers.
    SilentLines,
    /// POSTs of an array of [`http::BATCH`] messages.
    Http,
    /// Codec 8 extended, [`teltonika::RECORDS`] records a packet.
    Teltonika,
}

/// Connections of trackers to one port.
pub struct Sender {
    input: Input,
    maker: Maker,
    connections: Vec<Connection>,
    out: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    /// Messages that were acknowledged, from the first of the connection on.
    acknowledged: u64,
}

/// Messages that wait for their acknowledgement at most.
const WINDOW: u64 = 1000;

/// So many have to be acknowledged before more are sent: the bursts that come in are short.
const STEP: u64 = 50;

/// Bytes that are written at once, about.
const CHUNK: usize = 16 << 10;

impl Sender {
    /// Connects so many devices to a port.
    pub fn connect(input: Input, port: u16, idents: u64) -> Outcome<Self> {
        let several = input == Input::Teltonika;
        let mut sender = Self {
            input,
            maker: Maker::new(idents),
            connections: vec![],
            out: vec![],
        };
        for index in 0..if several { teltonika::TRACKERS } else { 1 } {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(text)?;
            stream.set_nodelay(true).map_err(text)?;
            stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
            match input {
                Input::Mqtt => mqtt::login(&mut stream).map_err(text)?,
                Input::Teltonika => teltonika::login(&mut stream, index).map_err(text)?,
                Input::Lines | Input::SilentLines | Input::Http => {}
            }
            sender.connections.push(Connection {
                stream,
                unread: vec![],
                acknowledged: 0,
            });
        }
        Ok(sender)
    }

    /// Sends messages as fast as they are taken, and waits until all are acknowledged.
    pub fn send(&mut self, first: u64, count: u64) -> Outcome<()> {
        if self.input == Input::Teltonika {
            return teltonika::send(self, first, count).map_err(text);
        }
        let before = self.acknowledged();
        let mut sent = 0;
        while sent < count {
            let waiting = sent - self.done_of(before, sent);
            if waiting + STEP > WINDOW {
                self.read()?;
                continue;
            }
            let room = (WINDOW - waiting).min(count - sent);
            sent += self.write(first + sent, room)?;
        }
        while self.done_of(before, sent) < count {
            self.read()?;
        }
        Ok(())
    }

    /// Sends messages at a steady rate, and for each waits until it is acknowledged; how long each
    /// took.
    pub fn send_each(&mut self, first: u64, count: u64, rate: u64) -> Outcome<Vec<Duration>> {
        let mut took = vec![];
        let start = Instant::now();
        for index in 0..count {
            let due = start + Duration::from_secs_f64(index as f64 / rate as f64);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let (before, began) = (self.acknowledged(), Instant::now());
            self.write(first + index, 1)?;
            while self.done_of(before, 1) < 1 {
                self.read()?;
            }
            took.push(began.elapsed());
        }
        Ok(took)
    }

    /// Sends messages at a steady rate, in steps of a hundredth of a second, for as long as wanted;
    /// how many. Acknowledgements are read on the way.
    pub fn send_steadily(
        &mut self,
        first: u64,
        rate: u64,
        wanted: impl Fn() -> bool,
    ) -> Outcome<u64> {
        let (mut sent, before) = (0, self.acknowledged());
        let start = Instant::now();
        while wanted() {
            let due = (start.elapsed().as_secs_f64() * rate as f64) as u64;
            let waiting = sent - self.done_of(before, sent);
            let room = due.saturating_sub(sent).min(60_000 - waiting.min(60_000));
            if self.input == Input::Teltonika {
                self.send(first + sent, room)?;
                sent += room;
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            if room > 0 {
                sent += self.write(first + sent, room)?;
            }
            self.read_for(Duration::from_millis(10))?;
        }
        while self.done_of(before, sent) < sent {
            self.read()?;
        }
        Ok(sent)
    }

    /// Closes its connections.
    pub fn leave(&mut self) {
        self.connections.clear();
    }

    fn acknowledged(&self) -> u64 {
        self.connections.iter().map(|one| one.acknowledged).sum()
    }

    fn done_of(&self, before: u64, sent: u64) -> u64 {
        if self.input == Input::SilentLines {
            return sent;
        }
        self.acknowledged() - before
    }

    /// Writes up to so many messages from a number on; how many.
    fn write(&mut self, first: u64, room: u64) -> Outcome<u64> {
        self.out.clear();
        let mut written = 0;
        while written < room && self.out.len() < CHUNK {
            let next = first + written;
            written += match self.input {
                Input::Mqtt => mqtt::write(&self.maker, next, &mut self.out),
                Input::Lines | Input::SilentLines => lines::write(&self.maker, next, &mut self.out),
                Input::Http => http::write(&self.maker, next, room - written, &mut self.out),
                Input::Teltonika => return Err("one tracker waits for each packet".into()),
            };
        }
        let connection = self.connections.first_mut().ok_or("no connection")?;
        connection.stream.write_all(&self.out).map_err(text)?;
        Ok(written)
    }

    fn read(&mut self) -> Outcome<()> {
        self.read_for(PATIENCE)?
            .then_some(())
            .ok_or_else(|| format!("{:?}: no acknowledgement", self.input))
    }

    /// Reads what comes first in a while; whether anything came.
    fn read_for(&mut self, limit: Duration) -> Outcome<bool> {
        let input = self.input;
        let connection = self.connections.first_mut().ok_or("no connection")?;
        if limit != PATIENCE {
            let set = connection.stream.set_read_timeout(Some(limit));
            set.map_err(text)?;
        }
        let mut bytes = [0; 16 << 10];
        let read = connection.stream.read(&mut bytes);
        if limit != PATIENCE {
            let set = connection.stream.set_read_timeout(Some(PATIENCE));
            set.map_err(text)?;
        }
        match read {
            Ok(0) => Err(format!("{input:?}: the connection was closed")),
            Ok(len) => {
                connection.take(input, &bytes[..len])?;
                Ok(true)
            }
            Err(error) if is_timeout(error.kind()) => Ok(false),
            Err(error) => Err(text(error)),
        }
    }
}

impl Connection {
    fn take(&mut self, input: Input, bytes: &[u8]) -> Outcome<()> {
        self.unread.extend_from_slice(bytes);
        match input {
            Input::Mqtt => self.acknowledged += mqtt::answers(&mut self.unread),
            Input::Lines => lines::answers(&mut self.unread, &mut self.acknowledged)?,
            Input::Http => self.acknowledged += http::answers(&mut self.unread)?,
            Input::SilentLines | Input::Teltonika => self.unread.clear(),
        }
        Ok(())
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// An error in words.
pub fn text(error: std::io::Error) -> String {
    error.to_string()
}
