//! TLS towards destinations, and on ports that channels listen on: what the configuration says of
//! it, and the connection. The state machine is that of rustls; sockets are those of
//! [`net`](super).
//!
//! Whom to trust, by the keys that are written:
//!
//! | `ca` | `roots` | `fingerprint` | trusted is |
//! | --- | --- | --- | --- |
//! | – | – | – | an issuer of the machine's roots; where there are none, of the built-in ones |
//! | – | yes | – | an issuer of these roots |
//! | yes | – | – | an issuer in `ca`, no other |
//! | yes | yes | – | an issuer in either |
//! | – | – | yes | this certificate, whatever its name, date and issuer say |
//! | any of both | | yes | this certificate, and by its issuer as above |

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod spoken;

#[cfg(not(feature = "tls"))]
pub use absent::*;
#[cfg(feature = "tls")]
pub use spoken::*;

use std::path::PathBuf;

/// What a stream says of TLS; all of it may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of issuers, PEM.
    pub ca: Option<PathBuf>,
    /// Roots beside those.
    pub roots: Option<Roots>,
    /// Who weir is, where the destination asks.
    pub identity: Option<Identity>,
    /// The name in the destination's certificate, where it is not the host.
    pub server_name: Option<String>,
    /// Protocols that are offered, the best first.
    pub alpn: Vec<String>,
    /// SHA-256 of the only certificate that is taken.
    pub fingerprint: Option<[u8; 32]>,
}

/// What a channel that listens says of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// What it shows.
    pub identity: Identity,
    /// Only clients with a certificate of an issuer in this file are served, PEM.
    pub client_ca: Option<PathBuf>,
}

/// Roots that come with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those of the machine.
    System,
    /// Mozilla's, of the time of the build.
    BuiltIn,
}

/// A certificate to show; its files are read again at each connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and its root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM, without a passphrase.
    pub key: PathBuf,
}

impl Tls {
    /// Whether the date counts: not for a certificate that is known by its fingerprint.
    #[must_use]
    pub fn needs_date(&self) -> bool {
        self.fingerprint.is_none() || self.checks_issuer()
    }

    fn checks_issuer(&self) -> bool {
        self.fingerprint.is_none() || self.ca.is_some() || self.roots.is_some()
    }
}
