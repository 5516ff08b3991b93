//! Contract servers over TLS, for destinations that speak nothing else.

use crate::certificates::Authority;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use std::net::TcpStream;
use std::sync::Arc;

/// A server's certificate for `localhost`, and its issuer.
pub(crate) struct Issued {
    authority: Authority,
    config: Arc<ServerConfig>,
}

/// The server's side of a connection.
pub(crate) type Secure = StreamOwned<ServerConnection, TcpStream>;

impl Issued {
    pub(crate) fn new(name: &str) -> Self {
        let authority = Authority::new(name);
        let pair = authority.issue("localhost");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth();
        let config = config.with_single_cert(pair.chain(), pair.key()).unwrap();
        Self {
            authority,
            config: Arc::new(config),
        }
    }

    /// `tls` of a stream that believes in it.
    pub(crate) fn key(&self) -> String {
        format!("tls = {{ ca = \"{}\" }}", self.authority.ca().display())
    }

    /// Makes a server of one that speaks over what this returns.
    pub(crate) fn over(&self) -> impl Fn(TcpStream) -> Secure + Clone + Send + Sync + 'static {
        let config = Arc::clone(&self.config);
        move |socket| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            StreamOwned::new(connection, socket)
        }
    }
}
