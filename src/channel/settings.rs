//! What the configuration says of a channel.

use super::mqtt;
use super::osmand;
use super::teltonika;
use super::wialon_ips::Charset;
use crate::message::Value;
use crate::message::json::Names;
use crate::net::tls::{Identity, ServerTls, Tls};
use crate::net::{Address, Network, Target};
use crate::pattern::Pattern;
use crate::thinning;
use std::rc::Rc;
use std::time::Duration;

/// One `[[channel]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Unique among channels and streams.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens; empty where it connects, or needs neither.
    pub listen: Vec<Address>,
    /// Where it connects to.
    pub connect: Option<Connect>,
    /// Spoken on the TCP and Unix addresses of `listen`.
    pub tls: Option<ServerTls>,
    /// Who may connect.
    pub allow: Vec<Network>,
    /// Who sent what names no device.
    pub ident: Option<String>,
    /// Whom it takes; empty: all.
    pub idents: Vec<Pattern>,
    /// Parameters that each message gets.
    pub set: Vec<(String, Value)>,
    /// Parameters that get another name: (old, new).
    pub rename: Vec<(String, String)>,
    /// Of each ident so many are taken; none: all. Never where `every` is the protocol's own.
    pub thinning: Option<thinning::Settings>,
    /// Connections at once, over all its addresses.
    pub max_connections: usize,
    /// A connection that says nothing for so long is closed.
    pub idle_timeout: Duration,
    /// What happens to a message that no enabled stream subscribes to.
    pub unwanted: Unwanted,
}

impl Settings {
    /// What it shows to who connects, or to what it connects to.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        let connect = || self.connect.as_ref()?.tls.as_ref()?.identity.as_ref();
        self.tls.as_ref().map(|tls| &tls.identity).or_else(connect)
    }
}

/// A source that weir connects to.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// Where it is.
    pub target: Target,
    /// None: without TLS.
    pub tls: Option<Tls>,
    /// Of a URL.
    pub user: Option<String>,
    /// Of a URL.
    pub password: Option<String>,
}

/// What the datagrams of a protocol are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datagrams {
    /// It has none.
    None,
    /// Each is whole in itself: one session serves all senders.
    Whole,
    /// What one says counts for the next: each sender has a session of its own.
    BySender,
}

/// A protocol with the keys of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Protocol {
    /// JSON lines.
    Json(Names),
    /// Teltonika codec 8, 8E and 16.
    Teltonika(Rc<teltonika::Settings>),
    /// POST of JSON.
    Http {
        /// Names of the two fields that every message has.
        names: Names,
        /// Asked for as `Authorization: Bearer`.
        token: Option<String>,
    },
    /// NMEA 0183.
    Nmea,
    /// gpsd, as its client.
    Gpsd {
        /// The receiver to listen to, as gpsd calls it; none: all.
        device: Option<String>,
    },
    /// MQTT, as a broker or as a client.
    Mqtt(Rc<mqtt::Settings>),
    /// Wialon IPS 1.1 and 2.0.
    WialonIps {
        /// Asked for at login.
        password: Option<Rc<str>>,
        /// How text is written.
        charset: Charset,
    },
    /// What OsmAnd and Traccar Client send.
    Osmand {
        /// What `speed` counts.
        speed_unit: osmand::SpeedUnit,
    },
    /// Wialon Retranslator, as its receiver.
    WialonRetranslator,
    /// None: weir's report of itself.
    Itself {
        /// From one report to the next.
        every: Duration,
    },
}

impl Protocol {
    /// As `type` and `protocol.name` have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Teltonika(_) => "teltonika",
            Self::Http { .. } => "http",
            Self::Nmea => "nmea",
            Self::Gpsd { .. } => "gpsd",
            Self::Mqtt(_) => "mqtt",
            Self::WialonIps { .. } => "wialon-ips",
            Self::Osmand { .. } => "osmand",
            Self::WialonRetranslator => "wialon-retranslator",
            Self::Itself { .. } => "self",
        }
    }

    /// What its datagrams are.
    #[must_use]
    pub fn datagrams(&self) -> Datagrams {
        match self {
            Self::Teltonika(_) | Self::WialonIps { .. } => Datagrams::Whole,
            Self::Nmea => Datagrams::BySender,
            Self::Json(_)
            | Self::Http { .. }
            | Self::Mqtt(_)
            | Self::Gpsd { .. }
            | Self::Osmand { .. }
            | Self::WialonRetranslator
            | Self::Itself { .. } => Datagrams::None,
        }
    }
}

/// What happens to a message that no enabled stream subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwanted {
    /// Refused in the protocol's own way.
    Refuse,
    /// Taken and forgotten.
    Accept,
}
