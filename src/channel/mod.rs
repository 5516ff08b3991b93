//! Channels: inputs. Each speaks one protocol to local trackers or programs and turns what they
//! say into messages.
//!
//! # One more protocol
//! It is one file here and one row. `tests/newcomer/channel.patch` adds one, in 100 lines:
//!
//! 1. Write the file. A [`kind::Kind`] says its name, the ways in which devices reach it and what
//!    reads the keys of its own; [`kind::Protocol`] makes a session of those keys; a [`Session`]
//!    sees bytes, times and an [`Intake`], never a socket. The smallest is `json.rs`. One that is
//!    reached by HTTP, as `osmand.rs`, says no more than what requests mean to it. What is bytes
//!    and not meaning goes to `wire/`.
//! 2. Add its `pub mod` below and its row to [`KINDS`]. Drivers for all ways are there; `weir
//!    check`, the API, the log and `protocol.name` take its name from the row.
//! 3. Put its vectors, a generator and a table of broken input beside the others in `tests/`, its
//!    keys into `docs/reference.md` (a test compares them).
//!
//! # A whole exchange
//! What the daemon does with a session, without a daemon: a device sends a line, the session
//! brings the message in, it becomes safe, the device hears of it.
//! ```
//! use std::time::Duration;
//! use weir::channel::{BatchRefusal, InputError, Intake, Session, json::JsonLines};
//! use weir::clock::{Now, Wall};
//! use weir::message::{Message, json::Names};
//!
//! /// Takes all, and remembers what waits until that is safe.
//! #[derive(Default)]
//! struct Daemon { taken: Vec<Message>, waiting: Vec<u64> }
//!
//! impl Intake for Daemon {
//!     fn now(&self) -> Now {
//!         let wall = Wall { since_1970: Duration::ZERO, trusted: false };
//!         Now { mono: Duration::ZERO, wall, ages: false }
//!     }
//!     fn check_ident(&mut self, _ident: &str) -> Result<(), BatchRefusal> { Ok(()) }
//!     fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
//!         self.taken.extend_from_slice(batch);
//!         Ok(())
//!     }
//!     fn ack_when_durable(&mut self, ack_token: u64) { self.waiting.push(ack_token) }
//!     fn malformed(&mut self, _reason: InputError, _detail: &str) {}
//! }
//!
//! let (mut session, mut daemon) = (JsonLines::new(Names::default()), Daemon::default());
//! let mut out = Vec::new();
//!
//! // Bytes come in pieces: half a line is no unit yet and is offered again with what follows.
//! let mut input = b"{\"ident\":\"352093081452251\",\"spe".to_vec();
//! assert_eq!(session.receive(&input, &mut daemon, &mut out), Ok(0));
//! input.extend_from_slice(b"ed\":50}\n");
//! assert_eq!(session.receive(&input, &mut daemon, &mut out), Ok(input.len()));
//!
//! // The message is taken, not safe: nothing is answered yet.
//! assert_eq!(daemon.taken[0].ident(), "352093081452251");
//! assert!(out.is_empty());
//!
//! // The ring has written it. Now the session may say so.
//! for ack_token in daemon.waiting.drain(..) {
//!     session.on_durable(ack_token, &mut out);
//! }
//! assert_eq!(out, b"{\"acked\":1}\n");
//! ```
//!
//! What every channel has (`allow`, `idents`, what a receiver's date is worth, thinning, bounds,
//! TLS, reconnecting, counting) is done around the session, in `daemon`.

mod bad_run;
pub mod can;
pub mod connect;
mod fitting;
mod fix;
pub mod galileosky;
pub mod gpsd;
pub mod gt06;
pub mod http;
pub mod http_request;
mod imei;
pub mod io;
pub mod json;
pub mod jt808;
pub mod kind;
pub mod measured;
pub mod mqtt;
pub mod nmea;
pub mod osmand;
mod owed;
pub mod owntracks;
pub mod passing;
pub mod queclink;
pub mod ruptela;
mod scale;
pub mod self_report;
pub mod settings;
pub mod teltonika;
mod users;
pub mod wialon_ips;
pub mod wialon_retranslator;
mod zone_check;

use crate::clock::Now;
use crate::message::Message;
use kind::Kind;
use passing::Passing;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// The types, by name; the first is the example where there is none.
pub static KINDS: &[&Kind] = &[
    #[cfg(feature = "in-teltonika")]
    &teltonika::KIND,
    #[cfg(feature = "in-gt06")]
    &gt06::KIND,
    #[cfg(feature = "in-jt808")]
    &jt808::KIND,
    #[cfg(feature = "in-json")]
    &json::KIND,
    #[cfg(feature = "in-http")]
    &http::KIND,
    #[cfg(feature = "in-mqtt")]
    &mqtt::KIND,
    #[cfg(feature = "in-wialon-ips")]
    &wialon_ips::KIND,
    #[cfg(feature = "in-wialon-retranslator")]
    &wialon_retranslator::KIND,
    #[cfg(feature = "in-ruptela")]
    &ruptela::KIND,
    #[cfg(feature = "in-galileosky")]
    &galileosky::KIND,
    #[cfg(feature = "in-osmand")]
    &osmand::KIND,
    #[cfg(feature = "in-owntracks")]
    &owntracks::KIND,
    #[cfg(feature = "in-queclink")]
    &queclink::KIND,
    #[cfg(feature = "in-nmea")]
    &nmea::KIND,
    #[cfg(feature = "in-gpsd")]
    &gpsd::KIND,
    #[cfg(feature = "in-can")]
    &can::KIND,
    #[cfg(feature = "in-self")]
    &self_report::KIND,
];

/// The types that this program was built without: in a configuration they are no slips.
pub(crate) static LEFT_OUT: &[&str] = &[
    #[cfg(not(feature = "in-teltonika"))]
    teltonika::KIND.name,
    #[cfg(not(feature = "in-gt06"))]
    gt06::KIND.name,
    #[cfg(not(feature = "in-jt808"))]
    jt808::KIND.name,
    #[cfg(not(feature = "in-json"))]
    json::KIND.name,
    #[cfg(not(feature = "in-http"))]
    http::KIND.name,
    #[cfg(not(feature = "in-mqtt"))]
    mqtt::KIND.name,
    #[cfg(not(feature = "in-wialon-ips"))]
    wialon_ips::KIND.name,
    #[cfg(not(feature = "in-wialon-retranslator"))]
    wialon_retranslator::KIND.name,
    #[cfg(not(feature = "in-ruptela"))]
    ruptela::KIND.name,
    #[cfg(not(feature = "in-galileosky"))]
    galileosky::KIND.name,
    #[cfg(not(feature = "in-osmand"))]
    osmand::KIND.name,
    #[cfg(not(feature = "in-owntracks"))]
    owntracks::KIND.name,
    #[cfg(not(feature = "in-queclink"))]
    queclink::KIND.name,
    #[cfg(not(feature = "in-nmea"))]
    nmea::KIND.name,
    #[cfg(not(feature = "in-gpsd"))]
    gpsd::KIND.name,
    #[cfg(not(feature = "in-can"))]
    can::KIND.name,
    #[cfg(not(feature = "in-self"))]
    self_report::KIND.name,
];

/// The protocol's side of one connection, or of one datagram socket.
pub trait Session {
    /// This side made the connection and it is there: appends what it says first.
    fn opened(&mut self, now: Now, out: &mut Vec<u8>) {
        let _ = (now, out);
    }

    /// It is a serial line: what comes began before anybody listened.
    fn resync(&mut self) {}

    /// Takes the whole units at the head of `input` (on a datagram socket: exactly one datagram)
    /// and returns how many bytes they had. What is left is offered again with more behind it.
    /// Answers that need no message to be safe are appended to `out`; a session stops early when
    /// they get long, so that the driver can send them. It is called again after it took something
    /// and after [`Session::on_durable`], with what is left, even if that is nothing.
    ///
    /// # Errors
    /// When no more of this connection can be understood: `out` is still sent, then it is closed,
    /// gently: what still arrives is read and dropped for a moment, as a reset would take the
    /// answer away.
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect>;

    /// All that was taken before [`Intake::ack_when_durable`] was given this ack token is safe now:
    /// appends the answer. They come back in the order in which they were given. A protocol without
    /// answers gives none.
    fn on_durable(&mut self, ack_token: u64, out: &mut Vec<u8>) {
        let _ = (ack_token, out);
    }

    /// The oldest ack token has waited for longer than a sender should: a protocol that can say so
    /// appends it and says whether the connection ends with it.
    fn on_ack_timeout(&mut self, out: &mut Vec<u8>) -> Option<Disconnect> {
        let _ = out;
        None
    }

    /// When [`Session::wake`] is due, as [`Now::mono`]: a ping, a message that nothing more comes
    /// to. Asked after each turn.
    fn wake_at(&self) -> Option<Duration> {
        None
    }

    /// The time that [`Session::wake_at`] named is there; called early it does nothing.
    ///
    /// # Errors
    /// As [`Session::receive`].
    fn wake(&mut self, intake: &mut dyn Intake, out: &mut Vec<u8>) -> Result<(), Disconnect> {
        let _ = (intake, out);
        Ok(())
    }

    /// Bytes of one unit at most: a connection that brings more and has nothing taken is closed.
    fn unit_max(&self) -> usize {
        UNIT_MAX
    }

    /// Bytes of what came that it keeps itself, until it has understood them.
    fn buffered_len(&self) -> usize {
        0
    }

    /// There is no memory for more of what it brings now: a protocol that can say so appends it.
    fn on_memory_limit(&mut self, out: &mut Vec<u8>) -> Disconnect {
        let _ = out;
        Disconnect {
            reason: "too much is on its way at once",
        }
    }

    /// The far end has sent its last: what waited for more is brought in.
    fn on_eof(&mut self, intake: &mut dyn Intake) {
        let _ = intake;
    }

    /// Whether nothing more is understood until the last ack token is answered.
    fn is_blocked(&self) -> bool {
        false
    }

    /// Another connection of the channel has got the name that this one has by [`Intake::claim`]:
    /// why it ends, and what is said before.
    fn superseded(&mut self, _intake: &mut dyn Intake, _out: &mut Vec<u8>) -> Disconnect {
        Disconnect {
            reason: "another connection has its name",
        }
    }

    /// The note that [`Intake::remember`] was told last, in this life or an earlier one; before
    /// [`Session::opened`], and only where there is one.
    fn recall(&mut self, _note: &str) {}

    /// Whether it is to be called when something passes, see [`Intake::look`].
    fn is_looking(&self) -> bool {
        false
    }

    /// Whether it has more to say of what passed than there was room for.
    fn has_more(&self) -> bool {
        false
    }

    /// After what came it need not be looked for more so long: what comes meanwhile waits in the
    /// system, and wakes nobody.
    fn lull(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether only the last of several ack tokens that are safe at once needs an answer.
    fn acks_cumulatively(&self) -> bool {
        false
    }
}

/// The daemon's side: where a session brings what it understood.
pub trait Intake {
    /// The time of this turn.
    fn now(&self) -> Now;

    /// Whether messages of this ident are taken at all, asked where a protocol has a login.
    ///
    /// # Errors
    /// Why not; already counted.
    fn check_ident(&mut self, ident: &str) -> Result<(), BatchRefusal>;

    /// Takes all of `batch`, or nothing of it; what is left of the messages means nothing.
    ///
    /// # Errors
    /// Which message is at fault and why; already counted and logged.
    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal>;

    /// Asks for [`Session::on_durable`] once all that was taken so far is safe. The ack token is
    /// any number by which the session knows what to answer then.
    fn ack_when_durable(&mut self, ack_token: u64);

    /// This connection has a name that only one of the channel may have: one that has it ends, as
    /// [`Session::superseded`] says.
    fn claim(&mut self, _name: &str) {}

    /// Keeps a note for the connections of this channel that come later, also after a restart: text
    /// of at most [`NOTE_MAX`] bytes.
    fn remember(&mut self, _note: &str) {}

    /// What passes, for those who subscribe here; none where nobody may.
    fn look(&mut self) -> Option<Rc<dyn Passing>> {
        None
    }

    /// Whether memory for what waits for others is short.
    fn is_tight(&self) -> bool {
        false
    }

    /// Says that what is listened to is not as it should be, or is again.
    fn trouble(&mut self, _why: Option<&'static str>) {}

    /// Counts messages that passed while a subscriber read too slowly.
    fn missed(&mut self, _count: u64) {}

    /// Says what is odd about a device whose messages are taken all the same.
    fn warn(&mut self, _detail: &str) {}

    /// Counts and logs bytes that are no message.
    fn malformed(&mut self, reason: InputError, detail: &str);
}

/// Why none of a batch of messages was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRefusal {
    /// Which message of the batch is at fault, counted from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: Refusal,
}

/// Why a message that was understood is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not among the channel's `idents`.
    Ident,
    /// No enabled stream subscribes to it.
    Unwanted,
    /// Longer than the ring can store.
    TooLong,
    /// The ring is full, and set to refuse; or the disk has failed.
    Full,
}

/// Why bytes are no message, as the counter `refused` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputError {
    /// Not the protocol's syntax.
    Syntax,
    /// A checksum that does not fit.
    Checksum,
    /// A length that cannot be, or more than is taken.
    Length,
    /// No ident, or none that can be one.
    Ident,
    /// A value out of its range.
    Value,
    /// Right, but of a kind that carries no message.
    Unsupported,
    /// A login with a wrong name or password, or without.
    Login,
    /// The same as before.
    Repeat,
    /// A bus tells of an error.
    Bus,
}

/// Why a session ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// What is wrong with what came, for the log; no data of the sender's.
    pub reason: &'static str,
}

impl Disconnect {
    /// The channel does not take messages of this device.
    const IDENT_NOT_TAKEN: Self = Self {
        reason: "the ident is not taken",
    };
}

impl Refusal {
    /// As the counter `refused` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ident => "ident not in idents",
            Self::Unwanted => "unwanted",
            Self::TooLong => "too long",
            Self::Full => "ring full",
        }
    }
}

impl InputError {
    /// As the counter `refused` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Checksum => "checksum",
            Self::Length => "length",
            Self::Ident => "ident",
            Self::Value => "value",
            Self::Unsupported => "unsupported",
            Self::Login => "login",
            Self::Repeat => "repeat",
            Self::Bus => "bus error",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ident => "`ident` is not one that this channel takes",
            Self::Unwanted => "no enabled stream subscribes to it",
            Self::TooLong => "longer than the ring can store",
            Self::Full => "the ring takes nothing now",
        })
    }
}

/// Longest note that a session leaves, in bytes: a few filters of MQTT.
pub const NOTE_MAX: usize = 4096;

/// For protocols that cut what is too long themselves.
const UNIT_MAX: usize = 128 * 1024;
