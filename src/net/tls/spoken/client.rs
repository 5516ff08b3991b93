//! A stream's TLS from one connection to the next: the configuration of rustls, made again when a
//! file has changed, and the sessions to resume.

use super::Roots;
use super::Tls;
use super::TlsError;
use super::TlsSocket;
use super::files;
use super::files::Made;
use super::verify::Verifier;
use crate::clock::Clock;
use crate::net::socket::Socket;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What is kept between the connections of one stream: 20 KiB, with built-in roots 30 KiB, with
/// those of the machine 140 KiB.
#[derive(Debug)]
pub struct Client {
    tls: Tls,
    clock: Clock,
    made: Option<Made<Arc<ClientConfig>>>,
}

impl Client {
    /// Has read nothing yet; `clock` says by which date certificates are judged.
    #[must_use]
    pub fn new(tls: Tls, clock: Clock) -> Self {
        Self {
            tls,
            clock,
            made: None,
        }
    }

    /// Makes a connection of a socket to `host`. Files are read again where they have changed;
    /// where they have not, the session of the last connection is taken up. Waits on: the socket.
    ///
    /// # Errors
    /// A [`TlsError`] in an [`io::Error`], or as the system says; never that it takes too long.
    ///
    /// # Cancellation
    /// The socket is closed.
    pub async fn connect(&mut self, socket: Socket, host: &str) -> io::Result<TlsSocket> {
        let name = self.tls.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            TlsError::Certificate(format!("`{name}` is no name that a certificate can have"))
        })?;
        let config = self.config()?;
        let tls = ClientConnection::new(config, name).map_err(|error| TlsError::of(&error))?;
        let socket = TlsSocket::shake_hands(socket, tls, self.tls.identity.is_some()).await?;
        log::debug!("{host}: {}", socket.description());
        Ok(socket)
    }

    fn config(&mut self) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(made) = self.made.as_ref().filter(|made| made.is_current()) {
            return Ok(Arc::clone(&made.of));
        }
        self.made = None;
        let made = Made::new(self.files(), || self.make().map(Arc::new))?;
        let config = Arc::clone(&made.of);
        self.made = Some(made);
        Ok(config)
    }

    /// Every file that counts.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let identity = self.tls.identity.iter();
        let identity = identity.flat_map(|of| [of.certificate.clone(), of.key.clone()]);
        let system = self.wants_system().then(files::system_roots).flatten();
        self.tls.ca.iter().cloned().chain(identity).chain(system)
    }

    fn make(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(self.verifier(&provider)?);
        let time = Arc::new(Date {
            clock: self.clock.clone(),
            counts: self.tls.needs_date(),
        });
        let builder = ClientConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::of(&error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.tls.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (certificates, key) = files::identity(identity)?;
                let config = builder.with_client_auth_cert(certificates, key);
                config.map_err(|error| TlsError::of_identity(&error, identity))?
            }
        };
        config.alpn_protocols = self.tls.alpn.iter().map(|it| it.clone().into()).collect();
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(config)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, TlsError> {
        let issuers = match self.tls.checks_issuer() {
            true => {
                let roots = Arc::new(self.roots()?);
                let builder =
                    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
                Some(builder.build().map_err(|error| {
                    TlsError::Certificate(format!("no issuer is trusted: {error}"))
                })?)
            }
            false => None,
        };
        Ok(Verifier {
            issuers,
            fingerprint: self.tls.fingerprint,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn wants_system(&self) -> bool {
        match self.tls.roots {
            Some(roots) => roots == Roots::System,
            None => self.tls.ca.is_none() && self.tls.checks_issuer(),
        }
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &self.tls.ca {
            files::add_issuers(ca, "ca", &mut roots)?;
        }
        let mut built_in = self.tls.roots == Some(Roots::BuiltIn);
        if self.wants_system() {
            let place = files::system_roots();
            let found = place.map_or(0, |place| files::add_system_roots(&place, &mut roots));
            if found == 0 && self.tls.roots == Some(Roots::System) {
                let words = "this machine has no root certificates; install `ca-certificates` or \
                             write `tls = { roots = \"built-in\" }`";
                return Err(TlsError::Certificate(words.to_owned()));
            }
            built_in |= found == 0;
        }
        if built_in {
            add_built_in(&mut roots)?;
        }
        Ok(roots)
    }
}

#[cfg(feature = "tls-roots")]
#[expect(clippy::unnecessary_wraps, reason = "as its twin")]
fn add_built_in(roots: &mut RootCertStore) -> Result<(), TlsError> {
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Ok(())
}

#[cfg(not(feature = "tls-roots"))]
fn add_built_in(_roots: &mut RootCertStore) -> Result<(), TlsError> {
    let words = "this machine has no root certificates and this program has none built in; \
                 install `ca-certificates` or write `tls = { ca = \"/etc/weir/ca.pem\" }`";
    Err(TlsError::Certificate(words.to_owned()))
}

/// The date for certificates: none while the clock cannot be believed, unless no date counts.
#[derive(Debug)]
pub(super) struct Date {
    pub(super) clock: Clock,
    pub(super) counts: bool,
}

impl TimeProvider for Date {
    fn current_time(&self) -> Option<UnixTime> {
        let date = match self.clock.usable_date() {
            Ok(date) => Some(date),
            Err((shown, _)) => (!self.counts).then_some(shown.0),
        };
        date.map(UnixTime::since_unix_epoch)
    }
}

/// Tickets that are kept: what one server gives at once.
const SESSIONS: usize = 8;
