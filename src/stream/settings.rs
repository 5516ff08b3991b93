//! What the configuration says of a stream.

use super::Destination;
use super::Endpoint;
use super::texts::SharedTexts;
use crate::convert::Convert;
use crate::filter::Filter;
use crate::message::Value;
use crate::message::ValueRef;
use crate::net::Bind;
use crate::net::tls::Identity;
use crate::net::tls::Tls;
use crate::pattern::Pattern;
use crate::pattern::PatternIndex;
use crate::ring;
use crate::thinning;
use crate::traffic::Secrets;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// One `[[stream]]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Unique among channels and streams; at most 32 bytes, the ring keeps it.
    pub name: String,
    /// Off: nothing is appended for it, nothing sent, nothing cleared.
    pub enabled: bool,
    /// What it wants.
    pub subscription: Subscription,
    /// From where it starts when it is new.
    pub from: ring::From,
    /// What does not pass is skipped; none: all pass.
    pub filter: Option<Filter>,
    /// Older than this since it was received is skipped; none: for ever.
    pub ttl: Option<Duration>,
    /// Older than this by its own timestamp is skipped; none: for ever.
    pub max_age: Option<Duration>,
    /// Of each ident so many are taken; none: all.
    pub thinning: Option<thinning::Settings>,
    /// Between two messages that are sent, on the average; none: no limit.
    pub interval: Option<Duration>,
    /// What the destination is shown of a message.
    pub transform: Transform,
    /// Where messages that are given up are kept; none: nowhere.
    pub rejects: Option<Rejects>,
    /// How batches are cut and tried again.
    pub delivery: Delivery,
    /// Where connections leave from; none: as the routes say.
    pub bind: Option<Bind>,
    /// None: the destination is spoken to without TLS.
    pub tls: Option<Tls>,
    /// What raw traffic does not show.
    pub secrets: Secrets,
    /// Where to, with the keys of its own.
    pub destination: Rc<dyn Destination>,
}

impl Settings {
    /// A stream that takes all and wants nothing yet: what is left out of the configuration is as
    /// here.
    #[must_use]
    pub fn new(name: impl Into<String>, destination: impl Destination) -> Self {
        Self {
            name: name.into(),
            enabled: true,
            subscription: Subscription::default(),
            from: ring::From::New,
            filter: None,
            ttl: None,
            max_age: None,
            thinning: None,
            interval: None,
            transform: Transform::default(),
            rejects: None,
            delivery: Delivery::default(),
            bind: None,
            tls: None,
            secrets: Secrets::default(),
            destination: Rc::new(destination),
        }
    }

    /// As `type` has it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.destination.kind().name
    }

    /// Where its connections lead.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint<'_> {
        self.destination.endpoint()
    }

    /// What it shows to a destination that asks.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.tls.as_ref()?.identity.as_ref()
    }

    /// Messages that are read and not settled at most: the window, or two batches; never only one,
    /// so that there is another to try, and some where only that tells a receiver's fault.
    #[must_use]
    pub fn in_memory_max(&self) -> usize {
        self.destination.in_memory_max(&self.delivery).max(2)
    }
}

/// Field by field: what `derive` makes of it cannot compare what is behind a `dyn`.
impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        // names every field, so that none is forgotten
        let Self {
            name,
            enabled,
            subscription,
            from,
            filter,
            ttl,
            max_age,
            thinning,
            interval,
            transform,
            rejects,
            delivery,
            bind,
            tls,
            secrets,
            destination,
        } = self;
        (name, enabled, subscription, from)
            == (
                &other.name,
                &other.enabled,
                &other.subscription,
                &other.from,
            )
            && (filter, ttl, max_age, thinning, interval)
                == (
                    &other.filter,
                    &other.ttl,
                    &other.max_age,
                    &other.thinning,
                    &other.interval,
                )
            && (transform, rejects, delivery) == (&other.transform, &other.rejects, &other.delivery)
            && (bind, tls, secrets) == (&other.bind, &other.tls, &other.secrets)
            && **destination == *other.destination
    }
}

/// Where messages that are given up are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejects {
    /// JSON lines; one that was set aside lies beside it with `.1`.
    pub file: PathBuf,
    /// Bytes of both files at most, one message excepted.
    pub size: u64,
}

/// What the destination is shown of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transform {
    /// Which parameters, under which names.
    pub convert: Convert,
    /// An id that each message gets.
    pub stamp: Option<Stamp>,
    /// All devices, in their order: what templates and `wialon_uid` need of them.
    pub devices: Rc<Devices>,
    /// Shared by all streams that show messages alike.
    pub texts: SharedTexts,
}

/// An id that stays the same however often a message is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Of the parameter.
    pub name: String,
    /// What it identifies.
    pub of: StampOf,
}

/// What a stamp identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampOf {
    /// The record in the ring.
    Record,
    /// What the device said and when: also the same when it repeats itself.
    Content,
}

/// What the configuration knows of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// One ident, or many.
    pub ident: Pattern,
    /// Its `data`.
    pub data: Vec<(String, Value)>,
}

/// All that the configuration knows of, in order.
#[derive(Debug, Default, PartialEq)]
pub struct Devices {
    devices: Vec<Device>,
    /// Of their idents.
    index: PatternIndex,
}

impl Devices {
    /// Those of a configuration.
    #[must_use]
    pub fn new(devices: Vec<Device>) -> Self {
        let index = PatternIndex::new(devices.iter().map(|device| &device.ident));
        Self { devices, index }
    }

    /// The first of which `ident` is one.
    fn first(&self, ident: &str) -> Option<&Device> {
        let device = |place: usize| self.devices.get(place);
        let fits = |place| device(place).is_some_and(|it| it.ident.matches(ident));
        device(self.index.first(ident, &fits)?)
    }
}

impl Transform {
    /// Whether messages are shown alike.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.convert == other.convert && self.stamp == other.stamp
    }

    /// What the configuration says of the first device of which `ident` is one.
    #[must_use]
    pub fn data(&self, ident: &str, name: &str) -> Option<ValueRef<'_>> {
        let device = self.devices.first(ident)?;
        let found = device.data.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_ref())
    }
}

/// What a stream subscribes to; a message that matches twice is sent once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Names of channels, or `*`.
    pub channels: Vec<String>,
    /// Names of devices, or `*`.
    pub devices: Vec<String>,
    /// Names of groups, or `*`.
    pub groups: Vec<String>,
}

/// How batches are cut and tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Messages of a batch at most.
    pub max_messages: usize,
    /// Bytes of a batch at most, one message excepted.
    pub max_bytes: usize,
    /// How long to wait for a fuller batch.
    pub linger: Duration,
    /// How long to wait for an answer, and for a connection.
    pub timeout: Duration,
    /// Shortest wait before the next try.
    pub retry_min: Duration,
    /// Longest wait before the next try.
    pub retry_max: Duration,
    /// What becomes of a message that the destination refuses.
    pub on_reject: OnReject,
}

/// What is left out of the configuration is as here, where a type says no other.
impl Default for Delivery {
    fn default() -> Self {
        Self {
            max_messages: 100,
            max_bytes: 256 << 10,
            linger: Duration::ZERO,
            timeout: Duration::from_secs(30),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(300),
            on_reject: OnReject::Skip,
        }
    }
}

/// What becomes of a message that the destination refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReject {
    /// It is given up and counted.
    Skip,
    /// It is tried for ever.
    Retry,
}

/// How much may be on the way without an answer.
pub(crate) const WINDOW: RangeInclusive<u16> = 1..=10_000;
