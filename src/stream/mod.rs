//! Streams: outputs. Each reads the ring in order, sends batches to one destination, and moves
//! its cursor when the destination acknowledges.
//!
//! A destination is one file with a state machine ([`Link`]) that sees bytes and the [`Engine`],
//! never a socket or a file.

pub mod backoff;
pub mod engine;
pub mod file;
pub mod http;
pub mod mqtt;
pub mod rejects;
pub mod render;
pub(crate) mod rules;
pub mod settings;
pub mod sieve;
pub mod wialon_retranslator;

use crate::clock::Now;
use crate::keys::reader::Reader;
use crate::net::Target;
use crate::template::Template;
use crate::units::Period;
use engine::Engine;
use file::File;
use render::View;
use settings::Delivery;
use settings::Settings;
use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// The types that weir speaks: the rows of the table.
pub(crate) static KINDS: [&Kind; 4] = [
    &mqtt::KIND,
    &http::KIND,
    &wialon_retranslator::KIND,
    &file::KIND,
];

/// A type of destination.
pub struct Kind {
    /// As `type` has it.
    pub name: &'static str,
    /// Reads the keys that only this type has; none if one that it needs is wrong or not there.
    pub(crate) read: fn(&mut Reader<'_>) -> Option<Rc<dyn Destination>>,
    /// What the keys of every stream are where they are left out.
    pub(crate) defaults: Defaults,
}

/// What keys of every stream are where they are left out, as far as types differ in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Defaults {
    /// `rate`, in messages a second; none: no limit.
    pub(crate) rate: Option<f64>,
    /// `retry.min`.
    pub(crate) retry_min: Duration,
    /// `max_messages`.
    pub(crate) max_messages: usize,
}

/// One destination, as its keys say: where it is, and who speaks to it.
///
/// Every type that is one is `Debug`, which shows no secret to anybody but the tests, and
/// `PartialEq`, by which a reload sees that nothing has changed.
pub trait Destination: Same + fmt::Debug {
    /// Its row.
    fn kind(&self) -> &'static Kind;

    /// Where it is.
    fn endpoint(&self) -> Endpoint<'_>;

    /// The protocol's side of a connection that is just made.
    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a>;

    /// Messages that are read and not settled at most: two batches, or what [`for_window`] says.
    fn in_memory_max(&self, delivery: &Delivery) -> usize {
        2 * delivery.max_messages
    }

    /// The same, as it is tried beside a daemon that runs: it takes nothing away from that one's
    /// session. None: as it is.
    fn for_check(&self) -> Option<Rc<dyn Destination>> {
        None
    }

    /// Its templates, each with the key that it is the value of.
    fn templates(&self) -> Vec<(&'static str, &Template)> {
        Vec::new()
    }
}

/// Where a destination is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// A server: a connection is made to it.
    Network(NetworkEndpoint<'a>),
    /// A file of this machine: it is appended to.
    File(&'a File),
}

/// A server, and how a connection to it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkEndpoint<'a> {
    /// Where it is.
    pub target: &'a Target,
    /// Whether TLS is spoken.
    pub tls: TlsUse,
    /// What is offered as the protocol in TLS where `tls.alpn` says nothing.
    pub alpn: &'static [&'static str],
    /// Whether it lets in only who shows a certificate: without `tls.certificate` the
    /// configuration is wrong.
    pub needs_certificate: bool,
    /// Whether a login is made from the date: without one that can be used no connection is made.
    pub needs_date: bool,
}

/// Whether TLS is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsUse {
    /// In any case.
    Always,
    /// Where the configuration has a table `tls`.
    WhereConfigured,
    /// Not with the URL that is configured: that would begin with this, as in `mqtts://`.
    Never {
        /// With `://`.
        instead: &'static str,
    },
}

/// What a link begins with.
pub struct Open<'a> {
    /// What the destination is shown of a message.
    pub view: View<'a>,
    /// How batches are cut, and how long an answer is awaited.
    pub delivery: &'a Delivery,
    /// The engine's when the connection was made.
    pub epoch: u32,
    /// When that was.
    pub now: Now,
    /// What weir calls this stream where the settings leave that to it.
    pub client_id: &'a str,
}

/// The protocol's side of one connection to a destination.
///
/// The driver calls [`Link::send`] once the connection is there and whenever all of `out` is
/// written and something may have changed, until it adds nothing; [`Link::receive`] when bytes
/// come; [`Link::wake`] when the time that it named is there; [`Link::closed`] when the socket
/// ended. Of what is sent after an error nothing is said: the driver tells the engine
/// [`Engine::lost`] and makes a new link for a new connection.
pub trait Link {
    /// Takes the whole units at the head of `input`, tells the engine what they mean, and returns
    /// how many bytes they had. No unit is longer than [`IN_MAX`].
    ///
    /// # Errors
    /// When the connection is of no more use; what is in flight is lost then.
    fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost>;

    /// Takes from the engine what may go now and appends it to `turn.out`: at most
    /// [`OUT_MAX`] bytes more than one message.
    ///
    /// # Errors
    /// As [`Link::receive`].
    fn send(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost>;

    /// When [`Link::wake`] is due: a ping, an answer that does not come.
    fn wake_at(&self, engine: &Engine) -> Option<Duration>;

    /// The time that [`Link::wake_at`] named is there; called early it does nothing.
    ///
    /// # Errors
    /// As [`Link::receive`].
    fn wake(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost>;

    /// The socket ended, by the far end or by an error: what that means here. A failure, if a
    /// link knows no better.
    fn closed(&mut self, lost: Lost, _turn: &mut Turn<'_>) -> Lost {
        lost.fault.into()
    }

    /// Whether the login is done and messages can go.
    fn is_ready(&self) -> bool;

    /// Whether a connection is made, or made again, while there is nothing to send. Without, one
    /// that is there is kept until the far end closes it.
    fn stays(&self) -> bool;
}

/// The link of a connection that is just made. `client_id` is for brokers, where the settings have
/// none.
#[must_use]
pub fn link<'a>(
    settings: &'a Settings,
    client_id: &'a str,
    engine: &Engine,
    now: Now,
) -> Box<dyn Link + 'a> {
    settings.destination.link(Open {
        view: View::new(&settings.shape),
        delivery: &settings.delivery,
        epoch: engine.epoch(),
        now,
        client_id,
    })
}

/// Messages in memory at most where `window` may be without an answer: some more where that is
/// small, so that one can be looked for that the receiver takes.
#[must_use]
pub fn for_window(window: u16) -> usize {
    usize::from(window).max(SEARCH_MAX)
}

/// What a link works with in one turn.
pub struct Turn<'a> {
    /// The stream.
    pub engine: &'a mut Engine,
    /// The time.
    pub now: Now,
    /// What goes out.
    pub out: &'a mut Vec<u8>,
    /// For jitter.
    pub random: u32,
}

/// Why something was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// flespi's code: -99 certificate, -2 no answer, -1 no connection, 1 to 5 MQTT refusals, 100
    /// to 599 HTTP status; 0 for all else.
    pub code: i32,
    /// In words.
    pub reason: String,
}

/// Why a connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What happened.
    pub fault: Fault,
    /// When the next connection is due.
    pub retry: Retry,
}

/// When the next try is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After a pause that grows with each failure.
    Paused,
    /// At once: the connection ended in good order, or between two requests.
    AtOnce,
}

impl Kind {
    /// A type with the defaults that most have.
    pub(crate) const fn new(
        name: &'static str,
        read: fn(&mut Reader<'_>) -> Option<Rc<dyn Destination>>,
    ) -> Self {
        Self {
            name,
            read,
            defaults: Defaults::COMMON,
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Defaults {
    /// Those of most types.
    pub(crate) const COMMON: Self = Self {
        rate: None,
        retry_min: Duration::from_secs(1),
        max_messages: 100,
    };
}

impl<'a> NetworkEndpoint<'a> {
    /// A server that asks for no certificate, and for no login that is made from the date.
    #[must_use]
    pub fn new(target: &'a Target, tls: TlsUse) -> Self {
        Self {
            target,
            tls,
            alpn: &[],
            needs_certificate: false,
            needs_date: false,
        }
    }
}

impl TlsUse {
    /// As the scheme of a URL says, of which the one with TLS is `secure`, as in `mqtts://`.
    #[must_use]
    pub fn by_scheme(has_tls: bool, secure: &'static str) -> Self {
        match has_tls {
            true => Self::Always,
            false => Self::Never { instead: secure },
        }
    }
}

impl Endpoint<'_> {
    /// The server, if it is one.
    #[must_use]
    pub fn network(&self) -> Option<&NetworkEndpoint<'_>> {
        match self {
            Self::Network(network) => Some(network),
            Self::File(_) => None,
        }
    }
}

/// As messages name it: `host:port`, or a path.
impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.target.fmt(f),
            Self::File(file) => file.path.display().fmt(f),
        }
    }
}

/// What can be compared with anything. Every type that is `PartialEq` has it.
pub trait Same: Any {
    /// Whether `other` is of the same type and equal.
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: Any + PartialEq> Same for T {
    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

impl PartialEq for dyn Destination {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl dyn Destination {
    /// As what it is, if it is a `T`.
    #[must_use]
    pub fn downcast_ref<T: Destination>(&self) -> Option<&T> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }
}

impl Turn<'_> {
    /// Ends the connection when the engine began anew: what is on its way has lost its meaning.
    fn check_epoch(&self, epoch: u32) -> Result<(), Lost> {
        match self.engine.epoch() == epoch {
            true => Ok(()),
            false => Err(Lost::ended("the backlog is read anew")),
        }
    }
}

impl Fault {
    /// A fault in words.
    pub fn new(code: i32, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { code, reason }
    }

    /// What was sent, and was not answered within this time.
    fn no_answer(limit: Duration, to: &str) -> Self {
        Self::new(
            NO_ANSWER,
            format!("no answer within {} to {to}", Period(limit)),
        )
    }
}

impl From<Fault> for Lost {
    fn from(fault: Fault) -> Self {
        let retry = Retry::Paused;
        Self { fault, retry }
    }
}

impl Lost {
    /// A connection that failed.
    pub fn new(code: i32, reason: impl Into<String>) -> Self {
        Fault::new(code, reason).into()
    }

    /// A connection that ended and did not fail.
    pub fn ended(reason: impl Into<String>) -> Self {
        Self {
            fault: Fault::new(0, reason),
            retry: Retry::AtOnce,
        }
    }
}

/// A link stops filling its buffer here.
pub const OUT_MAX: usize = 64 * 1024;

/// Longest unit that a link waits for: the driver's buffer holds at least as much.
pub const IN_MAX: usize = 16 * 1024;

/// flespi's code: a certificate is at fault, on either side.
pub const CERTIFICATE: i32 = -99;

/// No answer came in time.
pub const NO_ANSWER: i32 = -2;

/// Where a window is smaller, messages of which one is looked for that the receiver takes.
const SEARCH_MAX: usize = 8;
