//! A client of the API of a running daemon. It may block. It follows no redirect and keeps no
//! connection.

use super::Exit;
use crate::config;
use crate::config::Unusable;
use crate::net::Address;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Where the daemon is, and what opens its door.
#[derive(Debug)]
pub(super) struct Client {
    address: Address,
    token: Option<String>,
    /// There was no configuration to find it by.
    guessed: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody was reached.
    Connection(io::Error),
    /// What the daemon said instead.
    Refused(String),
    /// All that is wrong with the configuration.
    Mistakes(Vec<Mistake>),
    /// What came is no answer of a daemon.
    Answer,
}

/// Something that is wrong with the configuration, or only odd.
#[derive(Debug, Deserialize)]
pub(super) struct Mistake {
    /// All of it, with its place.
    pub(super) reason: String,
    /// Of a stream that is written; none where it is about something else.
    pub(super) key: Option<String>,
    pub(super) message: Option<String>,
    pub(super) hint: Option<String>,
}

/// Which daemon is meant: by its configuration, or by `--api`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) config: Option<PathBuf>,
    pub(super) api: Option<String>,
}

impl Client {
    /// Finds the daemon, without asking it anything.
    pub(super) fn find(target: Target) -> Result<Self, Exit> {
        let own_token = std::env::var(TOKEN_VARIABLE).ok();
        if let Some(text) = &target.api {
            let Some(address) = address(text) else {
                eprintln!(
                    "error: `{text}` is not an address\n\
                     hint: write it like `unix:/run/weir/api` or `127.0.0.1:8480`"
                );
                return Err(Exit::Usage);
            };
            let token = own_token;
            return Ok(Self {
                address,
                token,
                guessed: false,
            });
        }
        let named = target.config.is_some();
        let loaded = super::load(target.config);
        let guessed = loaded.unusable == Some(Unusable::File);
        if guessed && named {
            eprint!("{}", config::render(&loaded.diagnostics));
            eprintln!("hint: name the file that the daemon was started with, or `--api ADDRESS`");
            return Err(Exit::Usage);
        }
        let api = loaded.config.api;
        let Some(address) = api.listen else {
            eprintln!("error: the configuration has no `[api]` that could be asked");
            eprintln!(
                "hint: `weir check` says what is wrong with it; `--api ADDRESS` does without"
            );
            return Err(Exit::Usage);
        };
        let token = own_token.or(api.token);
        Ok(Self {
            address,
            token,
            guessed,
        })
    }

    /// Where the daemon is asked.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Asks, and reads `result`.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Vec<T>, Trouble> {
        let answer: Answer<T> = self.fetch(method, path, body)?;
        Ok(answer.result)
    }

    /// Asks, and reads all of the answer.
    pub(super) fn fetch<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Trouble> {
        let answer = self
            .exchange(method, path, body)
            .map_err(Trouble::Connection)?;
        let (status, body) = read(&answer).ok_or(Trouble::Answer)?;
        if status < 300 {
            return serde_json::from_slice(body).map_err(|_| Trouble::Answer);
        }
        let mut answer: Value = serde_json::from_slice(body).map_err(|_| Trouble::Answer)?;
        if status == 422 {
            let errors = answer.get_mut("errors").map(Value::take);
            let mistakes = serde_json::from_value(errors.unwrap_or_default());
            return Err(mistakes.map_or(Trouble::Answer, Trouble::Mistakes));
        }
        let reason = answer.pointer("/errors/0/reason").and_then(Value::as_str);
        let reason = reason.unwrap_or("no reason given");
        Err(Trouble::Refused(reason.to_owned()))
    }

    /// Says what went wrong.
    pub(super) fn explain(&self, trouble: &Trouble) -> Exit {
        match trouble {
            Trouble::Connection(error) => {
                eprintln!("error: {}: {error}", self.address);
                eprintln!("hint: {}", self.hint(error));
            }
            Trouble::Refused(reason) => eprintln!("error: {reason}"),
            Trouble::Mistakes(mistakes) => {
                let lines = mistakes.iter().map(|mistake| &mistake.reason);
                lines.for_each(|line| eprintln!("{line}"));
                return Exit::Usage;
            }
            Trouble::Answer => eprintln!("error: {}: that is no weir", self.address),
        }
        Exit::Failed
    }

    /// The same in one line.
    pub(super) fn words(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Connection(error) => format!("{}: {error}", self.address),
            Trouble::Refused(reason) => reason.clone(),
            Trouble::Mistakes(_) => "the configuration is wrong".to_owned(),
            Trouble::Answer => format!("{}: that is no weir", self.address),
        }
    }

    /// What to do about a daemon that was not reached.
    fn hint(&self, error: &io::Error) -> &'static str {
        match error.kind() {
            ErrorKind::PermissionDenied => {
                "only the daemon's own user and group may ask: be one of them, or root"
            }
            _ if self.guessed => {
                "there is no `/etc/weir/weir.toml`: name the daemon's file by `-c FILE`"
            }
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => "is the daemon running?",
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                "something listens there and does not answer"
            }
            _ => "is the daemon running, and can it be reached from here?",
        }
    }

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Vec<u8>> {
        let mut socket = self.dial()?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let token = match &self.token {
            Some(token) => format!("Authorization: Bearer {token}\r\n"),
            None => String::new(),
        };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{token}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        match socket.take(ANSWER_MAX).read_to_end(&mut answer) {
            // a daemon that refuses early may not have read all of it
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !answer.is_empty() => {}
            result => drop(result?),
        }
        Ok(answer)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a client has nothing else to do than to wait"
    )]
    fn dial(&self) -> io::Result<Box<dyn Socket>> {
        match &self.address {
            Address::Tcp(address) => {
                let socket = TcpStream::connect(super::reachable(*address))?;
                socket.set_read_timeout(Some(PATIENCE))?;
                Ok(Box::new(socket))
            }
            Address::Unix(path) => {
                let socket = UnixStream::connect(path)?;
                socket.set_read_timeout(Some(PATIENCE))?;
                Ok(Box::new(socket))
            }
            Address::Udp(_) | Address::Serial(_) | Address::Bus(_) => {
                Err(ErrorKind::Unsupported.into())
            }
        }
    }
}

/// What most answers are.
#[derive(Deserialize)]
struct Answer<T> {
    result: Vec<T>,
}

/// What both kinds of connection can do.
trait Socket: Read + Write {}

impl Socket for TcpStream {}
impl Socket for UnixStream {}

/// The path of a stream or channel, or of something of it.
pub(super) fn path_of(kind: &str, name: &str, rest: &str) -> String {
    format!("/{kind}/{}{rest}", encoded(name))
}

/// A name as a part of a path or a value of a query.
pub(super) fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(byte.into()),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

pub(super) fn address(text: &str) -> Option<Address> {
    if let Some(path) = text.strip_prefix("unix:") {
        return Some(Address::Unix(path.into()));
    }
    let text = text.strip_prefix("http://").unwrap_or(text);
    let text = text
        .trim_end_matches('/')
        .replace("localhost:", "127.0.0.1:");
    let address: SocketAddr = text.parse().ok()?;
    Some(Address::Tcp(address))
}

/// The code and the body of an answer.
fn read(answer: &[u8]) -> Option<(u16, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer).ok()? else {
        return None;
    };
    Some((head.code?, answer.get(length..)?))
}

/// Asked for by `--api`; the configuration has its own.
const TOKEN_VARIABLE: &str = "WEIR_API_TOKEN";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest answer, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_socket_or_a_port() {
        assert_eq!(address("unix:/run/x"), Some(Address::Unix("/run/x".into())));
        let tcp = Some(Address::Tcp("127.0.0.1:8480".parse().unwrap()));
        assert_eq!(address("127.0.0.1:8480"), tcp);
        assert_eq!(address("http://localhost:8480/"), tcp);
        assert_eq!(address("8480"), None);
    }

    #[test]
    fn any_name_fits_into_a_path() {
        assert_eq!(
            path_of("streams", "a b/ä", "/skip"),
            "/streams/a%20b%2F%C3%A4/skip"
        );
    }
}
