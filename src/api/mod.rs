//! The API: what can be seen of a running daemon and done to it, as JSON over HTTP/1.1.
//!
//! It opens no socket and knows no daemon: a [`Session`] takes bytes and gives bytes, and asks
//! whoever is a [`Control`].
//!
//! ```text
//!  bytes ─▶ session ─▶ routes ─▶ Control ─▶ report ─▶ JSON
//!           head, body, method,   what is    shapes    metrics: Prometheus text
//!           token       path, act asked for
//! ```
//! One more path is one more row in `routes`.

mod by_hand;
pub mod device;
mod event;
mod health;
mod journal;
pub mod live;
mod log;
mod metrics;
mod openapi;
mod packet;
#[cfg(feature = "page")]
mod page;
mod passing;
mod report;
mod routes;
mod session;
mod streams;

pub use by_hand::ByHand;
pub use by_hand::NotTaken;
pub use by_hand::WAITING_MAX;
pub use by_hand::pause_time;
pub use event::BY_HAND;
pub use event::CONNECTED;
pub use event::CONNECTION_LOST;
pub use event::Event;
pub use event::FAULT;
pub use event::Line;
pub use event::MESSAGES_SENT;
pub use event::NOT_DELIVERED;
pub use event::Page;
pub use event::RECOVERED;
pub use event::RELOADED;
pub use event::STARTED;
pub use event::STOPPED;
pub use event::Sent;
pub use event::seconds;
pub use health::health;
pub use journal::Journal;
pub use log::LogReport;
pub use packet::Packet;
pub use packet::PacketLook;
pub use packet::Way;
pub use passing::Look;
pub use passing::Seen;
pub use report::ChannelReport;
pub use report::ClockReport;
pub use report::LatencyReport;
pub use report::PEERS_MAX;
pub use report::PeerReport;
pub use report::RingReport;
pub use report::Status;
pub use report::StreamReport;
pub use session::Access;
pub use session::Keep;
pub use session::Session;
pub use streams::Denial;
pub use streams::Finding;
pub use streams::Keys;
pub use streams::Run;
pub use streams::StreamSettings;
pub use streams::Streams;

use crate::message::timestamp::from_iso8601;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// Who goes on before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Not those whose destination asked for the wait.
    UnlessAsked,
    /// All.
    All,
}

/// What [`Control::wake`] did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Woken {
    /// Streams and channels that go on.
    pub streams: usize,
    /// Streams that wait on, because their destination asked for it.
    pub waiting: Vec<Waiting>,
}

/// What [`Control::reload`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What the configuration is warned of, each with its place.
    pub warnings: Vec<String>,
    /// What is another than before, in words: "stream `cloud` changed: `url`". None: nothing is.
    pub changes: Vec<String>,
}

/// A stream that waits on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Of the stream.
    pub name: String,
    /// Seconds until its next try.
    pub next_try: f64,
}

/// What the API needs of a daemon.
pub trait Control: ByHand + Streams {
    /// All of it, as of one moment.
    fn status(&self) -> Status;

    /// A channel with its connections; none where there is none of that name.
    fn channel(&self, name: &str) -> Option<ChannelReport>;

    /// Events of a stream or channel, or of all, in the order in which they happened; none where
    /// there is nothing of that kind and name.
    fn logs(&self, origin: Origin<'_>, page: Page) -> Option<Vec<Line>>;

    /// The raw traffic of a stream or channel, from now on and for a time after the last who asks;
    /// none where there is nothing of that kind and name.
    fn packets(&self, of: Origin<'_>, look: &PacketLook) -> Option<Vec<Packet>>;

    /// Messages as they pass, from now on and for a time after the last who asks; none where there
    /// is no channel or no stream of that name.
    fn messages(&self, look: &Look<'_>) -> Option<Seen>;

    /// Streams and channels that wait for their next try go now.
    fn wake(&self, whom: Wake) -> Woken;

    /// Switches a stream on or off, and keeps that over restarts.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn switch(&self, stream: &str, to: Switch) -> Result<(), Refusal>;

    /// Reads the configuration again.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place: then nothing has changed.
    fn reload(&self) -> Result<Reloaded, Vec<String>>;

    /// Settles by hand the oldest messages of a stream; how many that were.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn skip(&self, stream: &str, count: u64) -> Result<u64, Refusal>;

    /// Has a stream send again what it has sent; how many messages that are.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn rewind(&self, stream: &str, back: Back) -> Result<u64, Refusal>;

    /// How the daemon's own log stands.
    fn log(&self) -> LogReport;

    /// Another level of the log until the next start; none: the configured one again.
    fn set_log_level(&self, level: Option<::log::Level>) -> LogReport;
}

/// Whose events are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// Everybody's.
    All,
    /// A stream's.
    Stream(&'a str),
    /// A channel's.
    Channel(&'a str),
    /// The ring's.
    Ring,
    /// The daemon's own.
    Daemon,
}

/// How a stream is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It takes and sends.
    On,
    /// Nothing is appended for it, nothing sent, nothing cleared.
    Off,
}

/// How far a stream goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// To the oldest message that is on disk.
    Oldest,
    /// To the first one received at this date, since 1970, or after it.
    To(Duration),
}

impl Back {
    /// To the oldest one, or to a date as ISO 8601; none where it is neither.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        if text == "oldest" {
            return Some(Self::Oldest);
        }
        from_iso8601(text).map(|micros| Self::To(Duration::from_micros(micros)))
    }

    /// To a date in seconds since 1970; none where that is no date.
    #[must_use]
    pub fn of_seconds(seconds: f64) -> Option<Self> {
        Duration::try_from_secs_f64(seconds).ok().map(Self::To)
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no stream of that name.
    Unknown,
    /// It was done, and will not outlive a restart: why not.
    NotKept(String),
}

/// Messages that one request skips at most: the loop stands still meanwhile.
pub const SKIP_MAX: u64 = 10_000;
