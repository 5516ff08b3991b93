//! TLS on the ports of a channel: the configuration of rustls, made again when a file has changed.
//! No session is kept, so that memory does not grow with clients.

use super::ServerTls;
use super::TlsError;
use super::TlsSocket;
use super::client::Date;
use super::files;
use super::files::Made;
use crate::clock::Clock;
use crate::net::socket::Socket;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::crypto::CryptoProvider;
use rustls::server::NoClientAuth;
use rustls::server::NoServerSessionStorage;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What is kept for all connections of one channel.
#[derive(Debug)]
pub struct Server {
    tls: ServerTls,
    clock: Clock,
    made: RefCell<Option<Made<Arc<ServerConfig>>>>,
}

impl Server {
    /// Has read nothing yet; `clock` says by which date certificates of clients are judged.
    #[must_use]
    pub fn new(tls: ServerTls, clock: Clock) -> Self {
        Self {
            tls,
            clock,
            made: RefCell::default(),
        }
    }

    /// Whether the files can be used now.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), TlsError> {
        self.config().map(drop)
    }

    /// Makes a connection of a socket that was accepted. Files are read again where they have
    /// changed. Waits on: the socket.
    ///
    /// # Errors
    /// A [`TlsError`] in an [`io::Error`], or as the system says; never that it takes too long.
    ///
    /// # Cancellation
    /// The socket is closed.
    pub async fn accept(&self, socket: Socket) -> io::Result<TlsSocket> {
        let config = self.config()?;
        let tls = ServerConnection::new(config).map_err(|error| TlsError::of_client(&error))?;
        TlsSocket::shake_hands(socket, tls, true).await
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let mut kept = self.made.borrow_mut();
        if let Some(made) = kept.as_ref().filter(|made| made.is_current()) {
            return Ok(Arc::clone(&made.of));
        }
        *kept = None;
        let made = Made::new(self.files(), || self.make().map(Arc::new))?;
        let config = Arc::clone(&made.of);
        *kept = Some(made);
        Ok(config)
    }

    /// Every file that counts.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let ServerTls {
            identity,
            client_ca,
        } = &self.tls;
        let own = [identity.certificate.clone(), identity.key.clone()];
        own.into_iter().chain(client_ca.clone())
    }

    fn make(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = self.verifier(&provider)?;
        let time = Arc::new(Date {
            clock: self.clock.clone(),
            counts: self.tls.client_ca.is_some(),
        });
        let identity = &self.tls.identity;
        let (certificates, key) = files::identity(identity)?;
        let mut config = ServerConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::of(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates, key)
            .map_err(|error| TlsError::of_identity(&error, identity))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let Some(client_ca) = &self.tls.client_ca else {
            return Ok(Arc::new(NoClientAuth));
        };
        let mut roots = RootCertStore::empty();
        files::add_issuers(client_ca, "client_ca", &mut roots)?;
        let provider = Arc::clone(provider);
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let wrong = |error| TlsError::Certificate(format!("no issuer is trusted: {error}"));
        builder.build().map_err(wrong)
    }
}
