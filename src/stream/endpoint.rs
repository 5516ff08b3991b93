//! Where a destination is, and what it wants of the connections to it.

use super::file::File;
use crate::net::Target;
use std::fmt;

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
