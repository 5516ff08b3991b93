//! Streams: outputs. Each reads the ring in order, sends batches to one destination, and moves
//! its cursor when the destination acknowledges.
//!
//! # One more destination
//! It is one file here and one row:
//!
//! 1. Write the file. Its type holds what its keys say, and is a [`Destination`]: where it is, and
//!    the [`Link`] that speaks to it. Nearly every platform speaks HTTP or MQTT: it implements
//!    [`http::profile::Profile`] or [`mqtt::profile::Profile`] by what is its own, and its link is
//!    an [`http::HttpLink`] or [`mqtt::MqttLink`] over that; one that speaks either, by the scheme
//!    of its URL, is two types with one row. One with a protocol of its own is a [`Link`]: bytes,
//!    times and the [`Engine`], never a socket; the smallest is `file.rs`, the next
//!    `wialon_retranslator.rs`.
//! 2. Give it a `KIND` that reads the keys of its own, as `file.rs` does. Those of every stream
//!    (`tls`, `bind`, `rate`, `retry` …) are read for it; what it wants of them it says in
//!    [`NetworkEndpoint`] (TLS, ALPN, a certificate, the date) and in `Kind::defaults`. A key that
//!    holds a secret has a word of secrets in its name (`token`, `shared_key`): it is never shown.
//! 3. Add its `pub mod` below and its row to `KINDS`. `weir check`, the API, the log and the hint
//!    to a slip in `type` take its name from there. A feature that leaves it out is a line before
//!    the row, a name in `LEFT_OUT` and one in `Cargo.toml`.
//! 4. Put its keys into `docs/reference.md`, and a row for them into `tests/config/reference.rs` (a
//!    test asks for it); its tests beside the others in `tests/streams`.
//! 5. Add its row to `tests/destinations`, whose head has the recipe: what every type has to stand,
//!    with the real daemon. A test asks for it.
//!
//! What every stream has (filter, thinning, batches, order, retries, what is refused, pauses,
//! reconnecting, counting) is done around the link, by the [`Engine`] and in `daemon`.
//!
//! # A whole exchange
//! What the daemon does with a link, without a daemon: a message waits in the ring, the link sends
//! it, the receiver acknowledges it, the ring may forget it.
//! ```
//! use std::time::Duration;
//! use weir::clock::{Now, Wall};
//! use weir::message::{Message, body};
//! use weir::net::Target;
//! use weir::ring::{self, From, Full, Memory, Ring};
//! use weir::stream::engine::{Engine, Limits};
//! use weir::stream::settings::Settings;
//! use weir::stream::wialon_retranslator::WialonRetranslator;
//! use weir::stream::{LinkContext, link};
//!
//! // What the configuration says: a receiver that answers 0x11 to each packet.
//! let target = Target { host: "receiver.example".into(), port: 20332 };
//! let settings = Settings::new("cloud", WialonRetranslator::new(target));
//!
//! // A ring in memory, a stream that reads it, and a message that waits.
//! let wall = Wall { since_1970: Duration::from_secs(1_800_000_000), trusted: true };
//! let now = Now { mono: Duration::from_secs(100), wall, ages: true };
//! let sizes = ring::Settings {
//!     size: 1 << 20,
//!     delay: Duration::ZERO,
//!     hold: Duration::from_secs(2),
//!     bytes: 64 * 1024,
//!     full: Full::DropOldest,
//! };
//! let (mut ring, _) = Ring::open(Box::new(Memory::new(1 << 20)), sizes, now, 7).unwrap();
//! let stream = ring.attach(&settings.name, From::New, now).unwrap();
//! let mut message = Message::new("352093081452251").unwrap();
//! message.set_timestamp(1_700_000_000_000_000);
//! let mut bytes = Vec::new();
//! body::encode(&message, &mut bytes);
//! ring.append(stream.mask(), now, &bytes).unwrap();
//! ring.commit(now).unwrap();
//!
//! // The engine reads what it may hold; nothing is sent yet.
//! let mut engine = Engine::new(stream, settings.delivery.clone(), Limits::of(&settings));
//! engine.fill(&mut ring, now, &|_| true);
//!
//! // A connection is there: the link says what goes out. Here that is one packet.
//! let (mut link, mut out) = (link(&settings, "weir-1", &engine, now), Vec::new());
//! let mut context = LinkContext { engine: &mut engine, now, out: &mut out, random: 0 };
//! link.send(&mut context).unwrap();
//! assert!(context.out.windows(15).any(|part| part == b"352093081452251"));
//! context.out.clear();
//!
//! // Nothing more goes, and nothing is settled, until the receiver answers.
//! link.send(&mut context).unwrap();
//! assert!(context.out.is_empty());
//! assert_eq!(link.receive(&[0x11], &mut context), Ok(1));
//!
//! // What was answered is settled: the ring may forget it.
//! drop(link);
//! engine.settle(&mut ring, now);
//! let counters = ring.counters(stream);
//! assert_eq!((counters.accepted, counters.backlog), (1, 0));
//! ```

pub mod amqp;
pub mod aws_iot;
pub mod azure_event_hubs;
pub mod azure_iot_hub;
pub mod backoff;
mod dialect;
pub mod e_toll;
mod endpoint;
pub mod engine;
mod failure;
pub mod file;
pub mod flespi;
pub mod google_pubsub;
pub mod gpsgate;
pub mod http;
pub mod influxdb;
pub mod jwt;
mod lease;
pub mod mqtt;
mod opening;
pub mod osmand;
mod outgoing;
pub mod rejects;
pub mod render;
pub mod sas;
pub mod selection;
pub mod settings;
pub mod texts;
pub mod thingsboard;
pub mod wialon_ips;
pub mod wialon_retranslator;

pub use endpoint::Endpoint;
pub use endpoint::NetworkEndpoint;
pub use endpoint::TlsUse;
pub use failure::CERTIFICATE;
pub use failure::DeliveryError;
pub use failure::Disconnect;
pub use failure::NO_ANSWER;
pub use failure::Retry;

use crate::clock::Now;
use crate::keys::reader::Reader;
use crate::keys::same::Same;
use crate::template::Template;
use engine::Engine;
use render::MessageView;
use settings::Delivery;
use settings::Settings;
use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// The types that weir speaks: the rows of the table.
pub(crate) static KINDS: &[&Kind] = &[
    #[cfg(feature = "out-mqtt")]
    &mqtt::KIND,
    #[cfg(feature = "out-http")]
    &http::KIND,
    #[cfg(feature = "out-wialon-retranslator")]
    &wialon_retranslator::KIND,
    #[cfg(feature = "out-wialon-ips")]
    &wialon_ips::KIND,
    #[cfg(feature = "out-aws-iot")]
    &aws_iot::KIND,
    #[cfg(feature = "out-flespi")]
    &flespi::KIND,
    #[cfg(feature = "out-thingsboard")]
    &thingsboard::KIND,
    #[cfg(feature = "out-influxdb")]
    &influxdb::KIND,
    #[cfg(feature = "out-gpsgate")]
    &gpsgate::KIND,
    #[cfg(feature = "out-e-toll")]
    &e_toll::KIND,
    #[cfg(feature = "out-azure-iot-hub")]
    &azure_iot_hub::KIND,
    #[cfg(feature = "out-azure-event-hubs")]
    &azure_event_hubs::KIND,
    #[cfg(feature = "out-osmand")]
    &osmand::KIND,
    #[cfg(feature = "out-google-pubsub")]
    &google_pubsub::KIND,
    #[cfg(feature = "out-amqp")]
    &amqp::KIND,
    #[cfg(feature = "out-file")]
    &file::KIND,
];

/// The types that this program was built without: in a configuration they are no slips.
pub(crate) static LEFT_OUT: &[&str] = &[
    #[cfg(not(feature = "out-mqtt"))]
    mqtt::KIND.name,
    #[cfg(not(feature = "out-http"))]
    http::KIND.name,
    #[cfg(not(feature = "out-wialon-retranslator"))]
    wialon_retranslator::KIND.name,
    #[cfg(not(feature = "out-wialon-ips"))]
    wialon_ips::KIND.name,
    #[cfg(not(feature = "out-aws-iot"))]
    aws_iot::KIND.name,
    #[cfg(not(feature = "out-flespi"))]
    flespi::KIND.name,
    #[cfg(not(feature = "out-thingsboard"))]
    thingsboard::KIND.name,
    #[cfg(not(feature = "out-influxdb"))]
    influxdb::KIND.name,
    #[cfg(not(feature = "out-gpsgate"))]
    gpsgate::KIND.name,
    #[cfg(not(feature = "out-e-toll"))]
    e_toll::KIND.name,
    #[cfg(not(feature = "out-azure-iot-hub"))]
    azure_iot_hub::KIND.name,
    #[cfg(not(feature = "out-azure-event-hubs"))]
    azure_event_hubs::KIND.name,
    #[cfg(not(feature = "out-osmand"))]
    osmand::KIND.name,
    #[cfg(not(feature = "out-google-pubsub"))]
    google_pubsub::KIND.name,
    #[cfg(not(feature = "out-amqp"))]
    amqp::KIND.name,
    #[cfg(not(feature = "out-file"))]
    file::KIND.name,
];

/// The names of all types that weir speaks, as `type` has them.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

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
    /// `max_age`; none: for ever.
    pub(crate) max_age: Option<Duration>,
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

    /// Whom to ask why this one ends connections without a word; what is asked there is no message.
    /// None: nobody knows.
    fn inquiry(&self) -> Option<Rc<dyn Destination>> {
        None
    }

    /// What its connections must not show and no key says: parts of a URL that look like words.
    fn secrets_of_path(&self) -> Vec<String> {
        Vec::new()
    }

    /// Its templates, each with the key that it is the value of.
    fn templates(&self) -> Vec<(&'static str, &Template)> {
        Vec::new()
    }
}

/// What a link begins with.
pub struct Open<'a> {
    /// Where the destination is.
    pub endpoint: Endpoint<'a>,
    /// What the destination is shown of a message.
    pub view: MessageView<'a>,
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
/// [`Engine::disconnected`] and makes a new link for a new connection.
pub trait Link {
    /// Takes the whole units at the head of `input`, tells the engine what they mean, and returns
    /// how many bytes they had. No unit is longer than [`IN_MAX`].
    ///
    /// # Errors
    /// When the connection is of no more use; what is in flight is lost then.
    fn receive(&mut self, input: &[u8], context: &mut LinkContext<'_>)
    -> Result<usize, Disconnect>;

    /// Takes from the engine what may go now and appends it to `context.out`: at most
    /// [`OUT_MAX`] bytes more than one message.
    ///
    /// # Errors
    /// As [`Link::receive`].
    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect>;

    /// When [`Link::wake`] is due: a ping, an answer that does not come.
    fn wake_at(&self, engine: &Engine) -> Option<Duration>;

    /// The time that [`Link::wake_at`] named is there; called early it does nothing.
    ///
    /// # Errors
    /// As [`Link::receive`].
    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect>;

    /// The socket ended, by the far end or by an error: what that means here. A failure, if a
    /// link knows no better.
    fn closed(&mut self, disconnect: Disconnect, _turn: &mut LinkContext<'_>) -> Disconnect {
        disconnect.error.into()
    }

    /// Says goodbye, where the protocol has a word for it. The connection ends then, whatever
    /// comes.
    fn leave(&mut self, _out: &mut Vec<u8>) {}

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
        endpoint: settings.endpoint(),
        view: MessageView::new(&settings.transform),
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

/// What a link works with in one call.
pub struct LinkContext<'a> {
    /// The stream.
    pub engine: &'a mut Engine,
    /// The time.
    pub now: Now,
    /// What goes out.
    pub out: &'a mut Vec<u8>,
    /// For jitter.
    pub random: u32,
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
        max_age: None,
    };
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

impl LinkContext<'_> {
    /// Ends the connection when the engine began anew: what is on its way has lost its meaning.
    fn check_epoch(&self, epoch: u32) -> Result<(), Disconnect> {
        match self.engine.epoch() == epoch {
            true => Ok(()),
            false => Err(Disconnect::renewed("the backlog is read anew")),
        }
    }
}

/// A link stops filling its buffer here.
pub const OUT_MAX: usize = 64 * 1024;

/// Longest unit that a link waits for: the driver's buffer holds at least as much.
pub const IN_MAX: usize = 16 * 1024;

/// Where a window is smaller, messages of which one is looked for that the receiver takes.
const SEARCH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Target;

    #[test]
    fn every_type_has_one_name() {
        for (at, kind) in KINDS.iter().enumerate() {
            let mut before = KINDS.iter().take(at);
            assert!(before.all(|other| other.name != kind.name), "{kind:?}");
            assert!(!LEFT_OUT.contains(&kind.name), "{kind:?} is there");
        }
    }

    #[test]
    fn destinations_are_equal_only_as_the_same_type() {
        let target = || Target {
            host: "h".to_owned(),
            port: 1,
        };
        let http: Rc<dyn Destination> = Rc::new(http::Http::new(target()));
        let same: Rc<dyn Destination> = Rc::new(http::Http::new(target()));
        let other: Rc<dyn Destination> =
            Rc::new(wialon_retranslator::WialonRetranslator::new(target()));
        assert!(*http == *same && *http != *other);
        assert!(http.downcast_ref::<http::Http>().is_some());
        assert!(other.downcast_ref::<http::Http>().is_none());
    }
}
