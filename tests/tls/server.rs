//! A TLS server that does what a test wants, and the client under test before it.

use crate::certificates::Pair;
use rustls::HandshakeKind;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::server::WebPkiClientVerifier;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use weir::clock::Clock;
use weir::net::Connection;
use weir::net::Dialling;
use weir::net::Interest;
use weir::net::dial;
use weir::net::tls::Client;
use weir::net::tls::Tls;

/// What a server does with a connection after the handshake.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Then {
    /// Sends back what comes.
    Echo,
    /// Says one word and drops the socket, TLS not ended.
    Drop,
    /// Says one word, and that no more comes.
    Close,
}

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// How each handshake went: resumed, and whether the client showed a certificate.
    pub(crate) handshakes: Receiver<(HandshakeKind, bool)>,
    pair: Arc<Mutex<Arc<ServerConfig>>>,
}

impl Server {
    pub(crate) fn start(pair: &Pair, then: Then) -> Self {
        Self::with(config(pair, None), then)
    }

    /// A server that takes only clients whose certificate is from this issuer.
    pub(crate) fn asking(pair: &Pair, ca: &Path, then: Then) -> Self {
        Self::with(config(pair, Some(ca)), then)
    }

    fn with(config: ServerConfig, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let pair = Arc::new(Mutex::new(Arc::new(config)));
        let (sender, handshakes) = channel();
        let current = Arc::clone(&pair);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let config = Arc::clone(&current.lock().unwrap());
                let mut tls = ServerConnection::new(config).unwrap();
                let mut stream = stream.unwrap();
                while tls.is_handshaking() {
                    if tls.complete_io(&mut stream).is_err() {
                        break;
                    }
                }
                if tls.is_handshaking() {
                    continue;
                }
                let shown = tls.peer_certificates().is_some();
                sender.send((tls.handshake_kind().unwrap(), shown)).ok();
                thread::spawn(move || serve(StreamOwned::new(tls, stream), then));
            }
        });
        Self {
            address,
            handshakes,
            pair,
        }
    }

    /// A server that speaks this protocol, and no other.
    pub(crate) fn speaking(pair: &Pair, alpn: &str, then: Then) -> Self {
        let mut config = config(pair, None);
        config.alpn_protocols = vec![alpn.into()];
        Self::with(config, then)
    }

    /// Shows another certificate from now on.
    pub(crate) fn show(&self, pair: &Pair) {
        *self.pair.lock().unwrap() = Arc::new(config(pair, None));
    }
}

fn config(pair: &Pair, clients: Option<&Path>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            use rustls::pki_types::pem::PemObject;
            let mut roots = RootCertStore::empty();
            roots
                .add(rustls::pki_types::CertificateDer::from_pem_file(ca).unwrap())
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    builder.with_single_cert(pair.chain(), pair.key()).unwrap()
}

fn serve(mut stream: StreamOwned<ServerConnection, TcpStream>, then: Then) {
    if then != Then::Echo {
        stream.write_all(b"word").unwrap();
        if then == Then::Close {
            stream.conn.send_close_notify();
        }
        return drop(stream.flush());
    }
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..len]).is_err() {
            return;
        }
    }
}

/// One try to connect, by the name `localhost`.
pub(crate) fn connect(client: &mut Client, address: SocketAddr) -> std::io::Result<Connection> {
    smol::block_on(async {
        let dialling = Dialling {
            bind: None,
            timeout: Duration::from_secs(20),
            silence: Duration::ZERO,
        };
        let socket = dial(&[address], &dialling).await?;
        let socket = client.connect(socket, "localhost").await?;
        Ok(Connection::Tls(Box::new(socket)))
    })
}

/// A client that trusts by a file.
pub(crate) fn trusting(ca: &Path) -> Tls {
    Tls {
        ca: Some(ca.to_owned()),
        ..Tls::default()
    }
}

/// What a client says of a server that it does not want to talk to.
pub(crate) fn refusal(tls: Tls, address: SocketAddr) -> String {
    let mut client = Client::new(tls, Clock::new());
    let outcome = connect(&mut client, address).and_then(|mut connection| read(&mut connection));
    outcome.unwrap_err().to_string()
}

/// The next bytes; none at the end.
pub(crate) fn read(connection: &mut Connection) -> std::io::Result<Vec<u8>> {
    smol::block_on(async {
        let mut buffer = vec![];
        while connection.try_read(&mut buffer)?.is_none() {
            connection.ready(Interest::Read).await?;
        }
        Ok(buffer)
    })
}

/// Writes all, reading what comes meanwhile, until as much has come as was written.
pub(crate) fn exchange(connection: &mut Connection, bytes: &[u8]) -> Vec<u8> {
    smol::block_on(async {
        let (mut out, mut back) = (bytes.to_vec(), vec![]);
        while back.len() < bytes.len() {
            let wrote = connection.try_write(&mut out).unwrap();
            let read = connection.try_read(&mut back).unwrap();
            if wrote == 0 && read.is_none() {
                let interest = Interest::of(Some(()), (!out.is_empty()).then_some(()));
                connection.ready(interest).await.unwrap();
            }
        }
        back
    })
}
