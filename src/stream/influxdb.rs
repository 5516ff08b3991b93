//! `type = "influxdb"`: lines over HTTP, for InfluxDB 1.x, 2 and 3.
//!
//! The three differ in the path, in the login and in what an answer means: only its text tells
//! whether a line is at fault or the database. A write is idempotent by measurement, tags and
//! time, so a batch of which some lines were refused is halved until these stand alone, whatever
//! was stored of it.
//!
//! Sources: the documentation of the three versions, and what 1.6.7 answers.

mod keys;
mod line;

use super::Destination;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Outgoing;
use super::http::HttpLink;
use super::http::profile::Answer;
use super::http::profile::Frame;
use super::http::profile::Login;
use super::http::profile::Profile;
use super::http::profile::Verdict;
use super::render;
use super::render::MessageView;
use crate::clock::Now;
use crate::message::ValueRef;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use line::Numbers;
use std::rc::Rc;

/// `type = "influxdb"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Influxdb {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `https`.
    pub tls: bool,
    /// Which API is spoken.
    pub version: Version,
    /// Path and query of each request: where the lines go.
    pub path: String,
    /// The value of `Authorization`.
    pub authorization: Option<String>,
    /// What a line begins with.
    pub measurement: Template,
    /// Parameters that are tags; all others are fields.
    pub tags: Vec<String>,
    /// Whether integers are written as such.
    pub integers: bool,
    /// Whether bodies are compressed.
    pub gzip: bool,
}

/// Which API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.x: databases, users with passwords.
    One,
    /// 2: buckets of an organisation, tokens.
    Two,
    /// 3: databases, tokens.
    Three,
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("influxdb", |reader| Some(Rc::new(keys::read(reader)?)));

impl Destination for Influxdb {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "https://");
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        vec![("measurement", &self.measurement)]
    }
}

impl Profile for Influxdb {
    fn frame(&self) -> Frame {
        Frame {
            gzip: self.gzip,
            ..Frame::LINES
        }
    }

    fn fixed_path(&self) -> &str {
        &self.path
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut measurement = String::new();
        view.template(&self.measurement, Escape::None, message, &mut measurement)?;
        let time = nanoseconds(message).ok_or("`timestamp` is no time")?;
        let shown = view.fields(message);
        let tags = self.tags.iter().filter_map(|name| {
            // as it is shown; one that is not shown is a tag all the same
            let value = shown.find(name).or_else(|| render::find(message, name))?;
            Some((name.as_str(), value))
        });
        let fields = shown.iter().filter(|(name, _)| {
            !NO_FIELDS.contains(name) && !self.tags.iter().any(|tag| tag == name)
        });
        let numbers = match self.integers {
            true => Numbers::AsTheyAre,
            false => Numbers::Floats,
        };
        line::write(&measurement, tags, (fields, numbers), time, out)
    }

    fn authorize(&self, _now: Now) -> Login {
        Login {
            authorization: self.authorization.clone(),
            until: None,
        }
    }

    fn secrets(&self) -> Vec<String> {
        let login = self.authorization.iter().flat_map(|text| text.split(' '));
        login.skip(1).map(str::to_owned).collect()
    }

    fn needs_body(&self, status: u16) -> bool {
        // 201 may be a part of the lines
        status != 204 && status != 200
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        let said = reason(answer.body);
        match answer.status {
            201 if said.contains("partial") => Verdict::Refused,
            400 if blames_a_place(&said) => Verdict::Configuration,
            // the cloud of version 3 has it for what is older than its retention
            403 if said.contains("retention") => Verdict::Refused,
            // 2.x up to 2.0.4 answers so to lines that it will never take
            500..600 if OF_LINES.iter().any(|fault| said.contains(fault)) => Verdict::Refused,
            status => Verdict::usual(status),
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let said = reason(answer.body);
        let place = match self.version {
            Version::Two if said.starts_with("org") => "`org`",
            Version::Two => "`bucket`",
            Version::One | Version::Three => "`database`",
        };
        Some(match (self.verdict(answer), answer.status) {
            (Verdict::Configuration, 401) => format!("look at {}", self.login_key()),
            (Verdict::Configuration, 403) => {
                format!("look at {}, and what it may write to", self.login_key())
            }
            (Verdict::Configuration, 400) => format!("look at {place}"),
            (Verdict::Configuration, 404) if blames_a_place(&said) => {
                format!("look at {place}: make it there, and give the login the right to write")
            }
            (Verdict::Configuration, 404) => {
                "no such API there: look at `url` and `version`".to_owned()
            }
            (Verdict::Refused, _) if said.contains("type conflict") => {
                "a field keeps the type of its first value".to_owned()
            }
            (Verdict::Refused, _) if said.contains("retention") => {
                "`max_age` leaves out what is too old for the database".to_owned()
            }
            _ => return None,
        })
    }
}

impl Influxdb {
    /// Where the login comes from.
    fn login_key(&self) -> &'static str {
        match &self.authorization {
            Some(login) if login.starts_with("Basic ") => "`auth`",
            None if self.version == Version::One => "`auth`",
            _ => "`token`",
        }
    }
}

/// What an answer says, in small letters: `error` of 1.x and 3, `message` of 2.
fn reason(body: &[u8]) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let named = |key| parsed.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let text = named("error").or_else(|| named("message"));
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    text.to_lowercase()
}

/// Whether the database, not the lines, is said to be wrong. What a message holds never stands at
/// the beginning.
fn blames_a_place(said: &str) -> bool {
    PLACES.iter().any(|place| said.starts_with(place))
}

/// When it was measured, since 1970; none where the database knows no such time.
fn nanoseconds(message: &Outgoing<'_>) -> Option<u64> {
    let nanos = match render::find(message, "timestamp")? {
        ValueRef::U64(seconds) => seconds.checked_mul(1_000_000_000)?,
        ValueRef::F64(seconds) if (0.0..MICROSECONDS_MAX / 1e6).contains(&seconds) => {
            // stored to microseconds: what a float has behind them is not the sender's
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within the range that was just asked for"
            )]
            let micros = (seconds * 1e6).round() as u64;
            micros.checked_mul(1_000)?
        }
        _ => return None,
    };
    (nanos < i64::MAX as u64).then_some(nanos)
}

/// What the 64 bits of the database's time hold.
const MICROSECONDS_MAX: f64 = 9.2e15;

/// Said elsewhere in the line.
const NO_FIELDS: [&str; 2] = ["ident", "timestamp"];

/// What an answer begins with that blames no line.
const PLACES: [&str; 3] = ["database", "bucket", "org"];

/// What a 500 says of lines.
const OF_LINES: [&str; 4] = [
    "partial write",
    "field type conflict",
    "beyond retention",
    "outside retention",
];

#[cfg(test)]
mod tests;
