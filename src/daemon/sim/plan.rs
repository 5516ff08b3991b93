//! What a life begins with: a configuration, as a user would write it, and what it promises.

use super::destination::Kind;
use super::network::PORT;
use super::trace;
use crate::config;
use crate::config::Config;
use crate::config::Environment;
use crate::ring::sim::random::Random;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// What the configuration promises of a stream.
#[derive(Clone, Debug)]
pub(super) struct Promised {
    /// Of which senders it wants messages.
    pub(super) idents: u8,
    pub(super) speed_min: Option<u8>,
    pub(super) ttl: Option<Duration>,
    pub(super) max_age: Option<Duration>,
    pub(super) every: Option<Duration>,
    pub(super) linger: Duration,
    pub(super) timeout: Duration,
    pub(super) retry_min: Duration,
    pub(super) retry_max: Duration,
    pub(super) interval: Duration,
    pub(super) window: usize,
    pub(super) in_memory_max: usize,
    pub(super) max_bytes: usize,
    /// Connections that may end without an answer before a packet is doubted.
    pub(super) attempts: u32,
    /// Its destination shows a certificate.
    pub(super) dated: bool,
    /// A request carries messages of one sender; those of another may come before.
    pub(super) keyed: bool,
}

impl Promised {
    /// Whether there may be messages that it reads and does not send.
    pub(super) fn passes_over(&self) -> bool {
        self.speed_min.is_some()
    }

    /// Whether its filter takes a message of this speed.
    pub(super) fn passes(&self, speed: u8) -> bool {
        self.speed_min.is_none_or(|min| speed > min)
    }
}

/// One stream: what is written of it, and what that promises.
struct Draft {
    text: String,
    promised: Promised,
}

/// The configuration of a seed; `is_five`: it speaks MQTT 5.
pub(super) fn draw(random: &mut Random, is_five: bool) -> (Config, Vec<Promised>) {
    let full = pick(
        random,
        &["drop-oldest", "drop-oldest", "drop-oldest", "refuse"],
    );
    let hold = pick(random, &["2s", "2s", "2s", "0s"]);
    let mut text = format!(
        "[ring]\nfile = \"/ring\"\nsize = \"1 MiB\"\nfull = \"{full}\"\n\
         commit = {{ hold = \"{hold}\" }}\n[log]\nsummary = \"0s\"\n\
         [api]\nlisten = \"off\"\n[[channel]]\nname = \"trackers\"\ntype = \"json\"\n\
         listen = \"127.0.0.1:5027\"\n"
    );
    for (device, ident) in ["truck", "bus"].iter().zip(IDENTS) {
        let written = write!(
            text,
            "[[device]]\nname = \"{device}\"\nident = \"{ident}\"\n"
        );
        written.unwrap();
    }
    let mut promised = Vec::new();
    for (index, kind) in KINDS.iter().enumerate() {
        let mut draft = stream(index, *kind, random);
        if is_five && *kind == Kind::Mqtt {
            draft.write("version = \"5\"");
        }
        text.push_str(&draft.text);
        promised.push(draft.promised);
    }
    trace::tell(Duration::MAX, 0, format_args!("is of\n{text}"));
    (read(&text), promised)
}

/// What is written so, without a word of complaint.
pub(in crate::daemon) fn read(text: &str) -> Config {
    let loaded = config::load(Path::new("/weir.toml"), &Only(text));
    let complaints = &loaded.diagnostics;
    assert!(complaints.is_empty(), "{complaints:?}\n{text}");
    loaded.config
}

fn stream(index: usize, kind: Kind, random: &mut Random) -> Draft {
    let (max_messages, window) = (
        *one(random, &[1, 5, 20, 100]),
        *one(random, &[1, 5, 20, 100]),
    );
    let mut draft = Draft {
        text: format!("[[stream]]\nname = \"s{index}\"\n"),
        promised: Promised {
            idents: 0b111,
            speed_min: None,
            ttl: None,
            max_age: None,
            every: None,
            linger: Duration::ZERO,
            timeout: Duration::from_secs(*one(random, &[5, 30, 60])),
            retry_min: Duration::from_secs(*one(random, &[1, 1, 10])),
            retry_max: Duration::from_secs(*one(
                random,
                &[300, 3600, 21_600, 21_600, 21_600, 21_600],
            )),
            interval: Duration::ZERO,
            window,
            in_memory_max: match kind {
                Kind::Http => 2 * max_messages,
                Kind::Mqtt | Kind::Wialon => window.max(8),
            },
            max_bytes: 1024 * *one(random, &[4, 256, 256]),
            attempts: if kind == Kind::Mqtt { 5 } else { 0 },
            dated: false,
            keyed: false,
        },
    };
    draft.address(index, kind, random);
    draft.subscribe(random);
    draft.thin(random);
    draft.pace(kind, random);
    let of = &draft.promised;
    let (min, max) = (of.retry_min.as_secs(), of.retry_max.as_secs());
    let (timeout, bytes) = (of.timeout.as_secs(), of.max_bytes / 1024);
    let common = format!(
        "timeout = \"{timeout}s\"\nretry = {{ min = \"{min}s\", max = \"{max}s\" }}\n\
         max_bytes = \"{bytes} KiB\"\nmax_messages = {max_messages}\n"
    );
    draft.text.push_str(&common);
    draft
}

impl Draft {
    fn write(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn address(&mut self, index: usize, kind: Kind, random: &mut Random) {
        let host = format!("127.0.0.1:{}", usize::from(PORT) + index);
        let window = self.promised.window;
        let text = match kind {
            Kind::Http => {
                let path = one(random, &["in", "in", "in/{ident}"]);
                self.promised.keyed = path.ends_with('}');
                self.promised.dated = random.once_in(3);
                let scheme = if self.promised.dated { "https" } else { "http" };
                format!("type = \"http\"\nurl = \"{scheme}://{host}/{path}\"")
            }
            Kind::Mqtt => {
                let keep_alive = one(random, &["3h", "12h", "18h"]);
                format!(
                    "type = \"mqtt\"\nurl = \"mqtt://{host}\"\ntopic = \"weir/{{ident}}\"\n\
                     window = {window}\nkeep_alive = \"{keep_alive}\""
                )
            }
            Kind::Wialon => {
                let attempts = *one(random, &[2, 3, 5]);
                self.promised.attempts = attempts;
                format!(
                    "type = \"wialon-retranslator\"\naddress = \"{host}\"\nwindow = {window}\n\
                     attempts = {attempts}"
                )
            }
        };
        self.write(&text);
    }

    fn subscribe(&mut self, random: &mut Random) {
        match random.below(4) {
            0 => {
                self.promised.idents = 0b001;
                self.write("devices = [\"truck\"]");
            }
            1 => {
                self.promised.idents = 0b011;
                self.write("devices = [\"truck\", \"bus\"]");
            }
            _ => self.write("channels = [\"*\"]"),
        }
    }

    fn thin(&mut self, random: &mut Random) {
        if random.once_in(4) {
            self.promised.speed_min = Some(30);
            self.write("filter = \"position.speed > 30\"");
        }
        if random.once_in(6) {
            let days = 1 + random.next() % 20;
            self.promised.ttl = Some(Duration::from_secs(days * 86_400));
            self.write(&format!("ttl = \"{days}d\""));
        }
        if random.once_in(10) {
            let days = 1 + random.next() % 20;
            self.promised.max_age = Some(Duration::from_secs(days * 86_400));
            self.write(&format!("max_age = \"{days}d\""));
        }
        if random.once_in(8) {
            let seconds = 30 * self.promised.window as u64;
            self.promised.every = Some(Duration::from_secs(seconds));
            self.write(&format!("every = \"{seconds}s\""));
        }
    }

    fn pace(&mut self, kind: Kind, random: &mut Random) {
        if random.once_in(4) && kind == Kind::Http {
            let linger = *one(random, &[2, 60, 300]);
            self.promised.linger = Duration::from_secs(linger);
            self.write(&format!("linger = \"{linger}s\""));
        }
        if random.once_in(6) {
            let rate = *one(random, &[1, 2, 20]);
            self.promised.interval = Duration::from_secs(1);
            self.write(&format!("rate = {rate}"));
        }
    }
}

/// One file and nothing else.
struct Only<'a>(&'a str);

impl Environment for Only<'_> {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        match path == Path::new("/weir.toml") {
            true => Ok(self.0.as_bytes().to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

pub(super) fn one<'a, T>(random: &mut Random, of: &'a [T]) -> &'a T {
    &of[random.below(of.len())]
}

fn pick(random: &mut Random, of: &[&'static str]) -> &'static str {
    of[random.below(of.len())]
}

/// Each life has one stream of each kind.
pub(super) const KINDS: [Kind; 3] = [Kind::Http, Kind::Mqtt, Kind::Wialon];

/// Who sends messages; the last is no device.
pub(super) const IDENTS: [&str; 3] = ["352093081452251", "bus-2", "tablet"];
