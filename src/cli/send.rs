//! `weir send`: JSON lines from standard input into a running daemon. A client: it may block.

use super::Exit;
use super::client;
use super::client::Target;
use crate::api::ChannelReport;
use crate::channel::json::Keys;
use crate::message::json;
use crate::net::Address;
use serde::Deserialize;
use serde_json::Value;
use std::io;
use std::io::BufRead;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Sends until standard input ends and all is answered.
pub(super) fn send(target: Target, channel: &str) -> Exit {
    let found = match target.api {
        Some(_) => asked(target, channel),
        None => configured(target.config, channel),
    };
    let inlet = match found {
        Ok(inlet) => inlet,
        Err(exit) => return exit,
    };
    if inlet.tls {
        eprintln!(
            "error: channel `{channel}` wants TLS, which `weir send` does not speak\n\
             hint: give the programs of this machine a channel without it: \
             `listen = \"unix:/run/weir/in\"`"
        );
        return Exit::Usage;
    }
    match Client::connect(&inlet).and_then(|client| client.send_all(inlet.names.as_ref())) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("error: channel `{channel}`: {error}\n{LOOK_AT}");
            Exit::Failed
        }
    }
}

/// Where a channel takes lines.
struct Inlet {
    address: Option<Address>,
    tls: bool,
    /// As the configuration calls ident and timestamp, where it is at hand.
    names: Option<json::Names>,
}

/// As the configuration has it.
fn configured(file: Option<PathBuf>, channel: &str) -> Result<Inlet, Exit> {
    let channels = super::load(file).config.channels;
    let Some(settings) = channels.iter().find(|known| known.name == channel) else {
        eprintln!("error: no channel `{channel}` in the configuration");
        return Err(Exit::Usage);
    };
    let Some(Keys { names }) = settings.protocol.keys() else {
        return Err(not_json(channel));
    };
    Ok(Inlet {
        address: settings.listen.first().cloned().map(here),
        tls: settings.tls.is_some(),
        names: Some(names.clone()),
    })
}

/// As a running daemon has it.
fn asked(target: Target, channel: &str) -> Result<Inlet, Exit> {
    let daemon = client::Client::find(target)?;
    let path = client::path_of("channels", channel, "");
    let reports = daemon.ask::<ChannelReport>("GET", &path, None);
    let report = match reports.map(|reports| reports.into_iter().next()) {
        Ok(report) => report.unwrap_or_default(),
        Err(trouble) => return Err(daemon.explain(&trouble)),
    };
    if report.kind != "json" {
        return Err(not_json(channel));
    }
    let seen = |text: &String| seen_from(daemon.address(), client::address(text)?);
    Ok(Inlet {
        address: report.listen.iter().find_map(seen),
        tls: report.tls,
        names: None,
    })
}

fn not_json(channel: &str) -> Exit {
    eprintln!("error: channel `{channel}` has another type than `json`");
    Exit::Usage
}

/// An address that a daemon listens on, reached on its own machine.
fn here(address: Address) -> Address {
    match address {
        Address::Tcp(address) => Address::Tcp(super::reachable(address)),
        other => other,
    }
}

/// An address that a daemon listens on, reached from where `api` is asked; none where it cannot be.
fn seen_from(api: &Address, address: Address) -> Option<Address> {
    let far = match api {
        Address::Tcp(api) if !api.ip().is_loopback() => api.ip(),
        _ => return Some(here(address)),
    };
    match address {
        Address::Tcp(found) if found.ip().is_loopback() => None,
        Address::Tcp(mut found) => {
            if found.ip().is_unspecified() {
                found.set_ip(far);
            }
            Some(Address::Tcp(found))
        }
        _ => None,
    }
}

/// How many messages are in a line; none in one that is refused.
fn count(line: &[u8], names: Option<&json::Names>) -> u64 {
    match (names, serde_json::from_slice(line)) {
        (Some(names), _) => {
            json::parse_many(line, names).map_or(0, |messages| messages.len() as u64)
        }
        (None, Ok(Value::Array(messages))) => messages.len() as u64,
        (None, Ok(Value::Object(_))) => 1,
        (None, _) => 0,
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
    fn connect(inlet: &Inlet) -> io::Result<Self> {
        let address = inlet.address.as_ref().ok_or(ErrorKind::AddrNotAvailable)?;
        let socket = dial(address)?;
        Ok(Self {
            socket,
            input: Vec::new(),
            acked: 0,
            refused: 0,
        })
    }

    fn send_all(mut self, names: Option<&json::Names>) -> io::Result<Exit> {
        let mut sent = 0;
        for line in io::stdin().lock().split(b'\n') {
            let mut line = line?;
            sent += count(&line, names);
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
        Address::Tcp(address) => Ok(Box::new(TcpStream::connect(address)?)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(api: &str, address: &str) -> Option<String> {
        let [api, address] = [api, address].map(|text| client::address(text).unwrap());
        seen_from(&api, address).map(|address| address.to_string())
    }

    #[test]
    fn a_channel_is_dialled_where_its_daemon_is() {
        for (api, address, wanted) in [
            (
                "unix:/run/weir/api",
                "unix:/run/weir/in",
                Some("unix:/run/weir/in"),
            ),
            ("127.0.0.1:8480", "0.0.0.0:7000", Some("127.0.0.1:7000")),
            ("10.0.0.2:8480", "0.0.0.0:7000", Some("10.0.0.2:7000")),
            ("10.0.0.2:8480", "10.1.0.2:7000", Some("10.1.0.2:7000")),
            ("10.0.0.2:8480", "127.0.0.1:7000", None),
            ("10.0.0.2:8480", "unix:/run/weir/in", None),
        ] {
            assert_eq!(seen(api, address).as_deref(), wanted, "{api} {address}");
        }
    }

    #[test]
    fn messages_of_a_line_are_counted_with_or_without_the_names_of_its_fields() {
        for (line, wanted) in [
            ("{\"ident\":\"a\"}", 1),
            ("[{\"ident\":\"a\"},{\"ident\":\"b\"}]", 2),
            ("", 0),
            ("7", 0),
        ] {
            assert_eq!(count(line.as_bytes(), None), wanted, "{line}");
        }
    }
}
