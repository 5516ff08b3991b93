//! `weir send`: JSON lines from standard input into a running daemon. A client: it may block.

use super::Exit;
use crate::channel::json::Keys;
use crate::channel::settings::Settings;
use crate::message::json;
use crate::net::Address;
use serde::Deserialize;
use std::io;
use std::io::BufRead;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Sends until standard input ends and all is answered.
pub(super) fn send(file: Option<PathBuf>, channel: &str) -> Exit {
    let loaded = super::load(file);
    let Some(settings) = loaded
        .config
        .channels
        .iter()
        .find(|known| known.name == channel)
    else {
        eprintln!("error: no channel `{channel}` in the configuration");
        return Exit::Usage;
    };
    let Some(Keys { names }) = settings.protocol.keys() else {
        eprintln!("error: channel `{channel}` has another type than `json`");
        return Exit::Usage;
    };
    if settings.tls.is_some() {
        eprintln!(
            "error: channel `{channel}` wants TLS, which `weir send` does not speak\n\
             hint: give the programs of this machine a channel without it: \
             `listen = \"unix:/run/weir/in\"`"
        );
        return Exit::Usage;
    }
    match Client::connect(settings).and_then(|client| client.send_all(names)) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("error: channel `{channel}`: {error}\n{LOOK_AT}");
            Exit::Failed
        }
    }
}

/// A connection and what came back over it.
struct Client {
    socket: Box<dyn Socket>,
    input: Vec<u8>,
    acked: u64,
    refused: u64,
}

/// What both kinds of connection can do.
trait Socket: Read + Write {
    fn block(&self, blocking: bool) -> io::Result<()>;
    fn finish(&self) -> io::Result<()>;
}

/// An answer of the daemon.
#[derive(Deserialize)]
struct Answer {
    acked: Option<u64>,
    error: Option<String>,
    line: Option<u64>,
}

impl Client {
    fn connect(settings: &Settings) -> io::Result<Self> {
        let address = settings.listen.first().ok_or(ErrorKind::AddrNotAvailable)?;
        let socket = dial(address)?;
        Ok(Self {
            socket,
            input: Vec::new(),
            acked: 0,
            refused: 0,
        })
    }

    fn send_all(mut self, names: &json::Names) -> io::Result<Exit> {
        let mut sent = 0;
        for line in io::stdin().lock().split(b'\n') {
            let mut line = line?;
            sent += json::parse_many(&line, names).map_or(0, |messages| messages.len() as u64);
            line.push(b'\n');
            self.socket.write_all(&line)?;
            self.socket.block(false)?;
            self.hear()?;
            self.socket.block(true)?;
        }
        self.socket.finish()?;
        // to the end: a line that is refused may be answered after the last that is safe
        while self.hear()? {}
        if self.refused == 0 && self.acked >= sent {
            return Ok(Exit::Done);
        }
        let refused = match self.refused {
            0 => String::new(),
            1 => "1 line was refused, ".to_owned(),
            count => format!("{count} lines were refused, "),
        };
        eprintln!("error: {refused}{} of {sent} messages are safe", self.acked);
        Ok(Exit::Failed)
    }

    /// Reads what has come, tells what was refused; false at the end.
    fn hear(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        match self.socket.read(&mut chunk) {
            Ok(0) => return Ok(false),
            Ok(count) => self
                .input
                .extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
        while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            self.take(&line);
        }
        Ok(true)
    }

    fn take(&mut self, line: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Answer>(line) else {
            return;
        };
        self.acked = answer.acked.unwrap_or(self.acked);
        if let Some(error) = answer.error {
            self.refused += 1;
            eprintln!("error: line {}: {error}", answer.line.unwrap_or(0));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client has nothing else to do than to wait"
)]
fn dial(address: &Address) -> io::Result<Box<dyn Socket>> {
    match address {
        Address::Tcp(address) => Ok(Box::new(TcpStream::connect(super::reachable(*address))?)),
        Address::Unix(path) => Ok(Box::new(UnixStream::connect(path)?)),
        Address::Udp(_) | Address::Serial(_) | Address::Bus(_) => {
            Err(ErrorKind::Unsupported.into())
        }
    }
}

impl Socket for TcpStream {
    fn block(&self, blocking: bool) -> io::Result<()> {
        self.set_nonblocking(!blocking)
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(std::net::Shutdown::Write)
    }
}

impl Socket for UnixStream {
    fn block(&self, blocking: bool) -> io::Result<()> {
        self.set_nonblocking(!blocking)
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(std::net::Shutdown::Write)
    }
}

/// Who is not in `allow` sees the connection end, and no reason.
const LOOK_AT: &str = "hint: is the daemon running, and does `allow` let this machine in?";
