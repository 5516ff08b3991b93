//! A sender as real ones are: so many messages without an answer, and after a lost connection
//! first those again that were not acknowledged.

use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Result;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::thread::JoinHandle;

/// What was sent on a JSON lines channel, over several connections.
pub(crate) struct Sender {
    port: u16,
    window: u64,
    message: fn(u64) -> String,
    /// All below were acknowledged.
    pub(crate) acked: u64,
    /// All below were sent at least once.
    pub(crate) sent: u64,
}

impl Sender {
    /// Has `window` messages without an answer at most; `message` makes one of its number.
    pub(crate) fn new(port: u16, window: u64, message: fn(u64) -> String) -> Self {
        Self {
            port,
            window,
            message,
            acked: 0,
            sent: 0,
        }
    }

    /// Sends until the connection is lost.
    pub(crate) fn start(mut self) -> JoinHandle<Self> {
        thread::spawn(move || {
            drop(self.send(u64::MAX));
            self
        })
    }

    /// Sends until all below `until` are acknowledged, over a new connection.
    pub(crate) fn send(&mut self, until: u64) -> Result<()> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        let mut answers = BufReader::new(socket.try_clone()?);
        let (before, mut next) = (self.acked, self.acked);
        while self.acked < until {
            let end = until.min(self.acked + self.window);
            let lines: String = (next..end)
                .map(|number| (self.message)(number) + "\n")
                .collect();
            next = end;
            self.sent = self.sent.max(next);
            socket.write_all(lines.as_bytes())?;
            let mut answer = String::new();
            answers.read_line(&mut answer)?;
            self.acked = before + acked(&answer)?;
        }
        Ok(())
    }
}

fn acked(answer: &str) -> Result<u64> {
    assert!(!answer.contains("error"), "{answer}");
    let digits = answer
        .strip_prefix("{\"acked\":")
        .and_then(|rest| rest.strip_suffix("}\n"));
    // Cut off in the middle where the daemon was killed.
    let count = digits.and_then(|digits| digits.parse().ok());
    count.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}
