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
    /// Its name, unique among channels and streams.
    pub name: String,
    /// The row of its type: what it speaks.
    pub kind: &'static Kind,
    /// The keys that only its type has.
    pub protocol: AnyProtocol,
    /// Where it listens; empty where it connects, or needs neither.
    pub listen: Vec<Address>,
    /// Who may connect to the Unix sockets of `listen`.
    pub socket: SocketRights,
    /// Where it connects to; none where it listens, or needs neither.
    pub connect: Option<Connect>,
    /// TLS as it is spoken on the TCP and Unix addresses of `listen`; none: without it.
    pub tls: Option<ServerTls>,
    /// The networks from which somebody may connect, or send datagrams.
    pub allow: Vec<Network>,
    /// The ident of what names no device.
    pub ident: Option<String>,
    /// The idents that it takes; empty: all.
    pub idents: PatternSet,
    /// Parameters that each message gets, with their values.
    pub set: Vec<(String, Value)>,
    /// Parameters that get another name: (old, new).
    pub rename: Vec<(String, String)>,
    /// Of each ident so many are taken; none: all. Never where `every` is the protocol's own.
    pub thinning: Option<thinning::Settings>,
    /// Connections at once at most, over all its addresses.
    pub max_connections: usize,
    /// A connection that says nothing for so long is closed.
    pub idle_timeout: Duration,
    /// What happens to a message that no enabled stream subscribes to.
    pub unwanted: Unwanted,
    /// Texts that raw traffic shows as `***`.
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
