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
use crate::units::Period;
use engine::Engine;
use file::FileLink;
use http::Http;
use mqtt::Mqtt;
use render::View;
use settings::Destination;
use settings::Settings;
use std::time::Duration;
use wialon_retranslator::WialonRetranslator;

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
    let (delivery, epoch) = (&settings.delivery, engine.epoch());
    let view = View::new(&settings.shape);
    match &settings.destination {
        Destination::Http(http) => Box::new(Http::new(http, view, delivery, epoch)),
        Destination::Mqtt(mqtt) => {
            Box::new(Mqtt::new((mqtt, client_id), view, delivery, epoch, now))
        }
        Destination::WialonRetranslator(wialon) => {
            Box::new(WialonRetranslator::new(wialon, view, delivery, epoch))
        }
        Destination::File(file) => Box::new(FileLink::new(file, view)),
    }
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
