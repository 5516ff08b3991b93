//! What the configuration says of a channel.

use super::connect::Connect;
use super::kind::AnyProtocol;
use super::kind::Kind;
use crate::message::Value;
use crate::net::Address;
use crate::net::Network;
use crate::net::SocketRights;
use crate::net::tls::Identity;
use crate::net::tls::ServerTls;
use crate::pattern::PatternSet;
use crate::thinning;
use crate::traffic::Secrets;
use std::time::Duration;

/// One `[[channel]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Unique among channels and streams.
    pub name: String,
    /// What it speaks.
    pub kind: &'static Kind,
    /// The keys that only its type has.
    pub protocol: AnyProtocol,
    /// Where it listens; empty where it connects, or needs neither.
    pub listen: Vec<Address>,
    /// Who may connect to the Unix sockets of `listen`.
    pub socket: SocketRights,
    /// Where it connects to.
    pub connect: Option<Connect>,
    /// Spoken on the TCP and Unix addresses of `listen`.
    pub tls: Option<ServerTls>,
    /// Who may connect.
    pub allow: Vec<Network>,
    /// Who sent what names no device.
    pub ident: Option<String>,
    /// Whom it takes; empty: all.
    pub idents: PatternSet,
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
    /// What raw traffic does not show.
    pub secrets: Secrets,
}

impl Settings {
    /// What it shows to who connects, or to what it connects to.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        let connect = || self.connect.as_ref()?.tls.as_ref()?.identity.as_ref();
        self.tls.as_ref().map(|tls| &tls.identity).or_else(connect)
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
