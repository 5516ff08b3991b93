//! What the configuration says of a channel.

use crate::message::Value;
use crate::net::{Address, Network};
use crate::pattern::Pattern;
use std::time::Duration;

/// One `[[channel]]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Unique among channels and streams.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens; at least one.
    pub listen: Vec<Address>,
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
    /// Connections at once, over all its addresses.
    pub max_connections: usize,
    /// A connection that says nothing for so long is closed.
    pub idle_timeout: Duration,
    /// What happens to a message that no enabled stream subscribes to.
    pub unwanted: Unwanted,
}

/// A protocol with the keys of its own.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// JSON lines.
    Json(Fields),
    /// Teltonika codec 8, 8E and 16.
    Teltonika,
    /// POST of JSON.
    Http {
        /// Names of the two fields that every message has.
        fields: Fields,
        /// Asked for as `Authorization: Bearer`.
        token: Option<String>,
    },
}

/// Under which names a program sends the two fields that every message has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// `ident_field`.
    pub ident: String,
    /// `timestamp_field`.
    pub timestamp: String,
}

/// What happens to a message that no enabled stream subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwanted {
    /// Refused in the protocol's own way.
    Refuse,
    /// Taken and forgotten.
    Accept,
}
