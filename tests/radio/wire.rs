//! What goes over the air for the bytes of a connection: TLS really, TCP and IP by their rules.
//!
//! - A segment has 52 bytes around its data: 20 of IPv4, 20 of TCP and its 12 of timestamps; it
//!   carries 1,448 bytes at most.
//! - Each second segment is acknowledged, and the last one of a flight: with the answer where one
//!   comes at once, else by a segment without data.
//! - A connection begins with three segments, the first two of which have 60 bytes, and ends with
//!   four.
//! - A connection that is silent for a minute is probed: a segment each way.

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::Connection;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// What went over the air.
#[derive(Clone, Copy, Default)]
pub(crate) struct Traffic {
    /// Bytes of whole packets.
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// What the protocol itself said, before TLS.
    pub(crate) said: u64,
    pub(crate) connections: u64,
    /// Times that a modem which was asleep had to wake up.
    pub(crate) wakes: u64,
    /// How long it was awake.
    pub(crate) awake: Duration,
    last: Option<Duration>,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// The air, and what of it is not settled.
#[derive(Default)]
pub(crate) struct Air {
    pub(crate) traffic: Traffic,
    /// Who has not acknowledged the last flight of the other.
    owes: Option<Way>,
}

impl Air {
    /// Data go one way.
    pub(crate) fn flight(&mut self, way: Way, len: usize, now: Duration) {
        if len == 0 {
            return;
        }
        if self.owes != Some(way) {
            self.rest(now);
        }
        self.owes = None;
        let segments = len.div_ceil(SEGMENT) as u64;
        self.packets(way, segments, segments * HEAD + len as u64, now);
        let acks = (segments - 1) / 2;
        self.packets(way.back(), acks, acks * HEAD, now);
        self.owes = Some(way.back());
    }

    /// Nothing more comes at once: what is owed is acknowledged by itself.
    pub(crate) fn rest(&mut self, now: Duration) {
        if let Some(way) = self.owes.take() {
            self.packets(way, 1, HEAD, now);
        }
    }

    pub(crate) fn opens(&mut self, now: Duration) {
        self.packets(Way::Up, 2, OPTIONS + HEAD, now);
        self.packets(Way::Down, 1, OPTIONS, now);
        self.traffic.connections += 1;
    }

    /// What both say of the end beside its two segments without data.
    pub(crate) fn closes(&mut self, now: Duration) {
        self.rest(now);
        for way in [Way::Up, Way::Down] {
            self.packets(way, 2, 2 * HEAD, now);
        }
    }

    pub(crate) fn probe(&mut self, now: Duration) {
        for way in [Way::Up, Way::Down] {
            self.packets(way, 1, HEAD, now);
        }
    }

    fn packets(&mut self, way: Way, count: u64, len: u64, now: Duration) {
        if count == 0 {
            return;
        }
        let traffic = &mut self.traffic;
        match way {
            Way::Up => traffic.sent += len,
            Way::Down => traffic.received += len,
        }
        let since = traffic.last.map(|last| now.saturating_sub(last));
        traffic.awake += since.map_or(TAIL, |since| since.min(TAIL));
        if since.is_none_or(|since| since > TAIL) {
            traffic.wakes += 1;
        }
        traffic.last = Some(now);
    }
}

impl Way {
    pub(crate) fn back(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// A server and who connects to it: one for all connections, so that sessions are resumed.
pub(crate) struct TlsEnds {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    /// Bytes of the certificates that the server shows.
    pub(crate) chain_len: usize,
}

/// Both ends of one connection, with TLS or without.
pub(crate) struct Ends(Option<Box<(Connection, Connection)>>);

impl TlsEnds {
    /// A server that shows its certificate and the one of its issuer, as public ones do.
    pub(crate) fn new() -> Self {
        let (chain, root, key) = certificates();
        let chain_len = chain.iter().map(|one| one.len()).sum();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let server = server.with_safe_default_protocol_versions().unwrap();
        let server = server.with_no_client_auth();
        let server = server.with_single_cert(chain, key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        let client = ClientConfig::builder_with_provider(provider);
        let client = client.with_safe_default_protocol_versions().unwrap();
        let client = client.with_root_certificates(roots);
        Self {
            client: Arc::new(client.with_no_client_auth()),
            server: Arc::new(server),
            chain_len,
        }
    }

    /// A connection after its handshake.
    pub(crate) fn connect(&self, air: &mut Air, now: Duration) -> Ends {
        let client = ClientConnection::new(Arc::clone(&self.client), HOST.try_into().unwrap());
        let server = ServerConnection::new(Arc::clone(&self.server));
        let mut ends = (client.unwrap().into(), server.unwrap().into());
        loop {
            let up = records(&mut ends.0);
            air.flight(Way::Up, up.len(), now);
            takes(&mut ends.1, &up);
            let down = records(&mut ends.1);
            air.flight(Way::Down, down.len(), now);
            takes(&mut ends.0, &down);
            if up.is_empty() && down.is_empty() {
                return Ends(Some(Box::new(ends)));
            }
        }
    }
}

impl Ends {
    pub(crate) fn plain() -> Self {
        Self(None)
    }

    /// Bytes go one way; how many records and all that are.
    pub(crate) fn carry(&mut self, way: Way, bytes: &[u8]) -> usize {
        let Some(ends) = &mut self.0 else {
            return bytes.len();
        };
        let (from, to) = match way {
            Way::Up => (&mut ends.0, &mut ends.1),
            Way::Down => (&mut ends.1, &mut ends.0),
        };
        let (mut count, mut came) = (0, Vec::new());
        for piece in bytes.chunks(PIECE) {
            from.writer().write_all(piece).unwrap();
            let sealed = records(from);
            count += sealed.len();
            came.extend(takes(to, &sealed));
        }
        assert_eq!(came, bytes);
        count
    }

    /// What each says last.
    pub(crate) fn farewell(&mut self) -> usize {
        let Some(ends) = &mut self.0 else {
            return 0;
        };
        ends.0.send_close_notify();
        records(&mut ends.0).len()
    }
}

/// What an end has to say.
fn records(end: &mut Connection) -> Vec<u8> {
    let mut out = Vec::new();
    while end.wants_write() {
        end.write_tls(&mut out).unwrap();
    }
    out
}

/// What was in it for who listens.
fn takes(end: &mut Connection, mut sealed: &[u8]) -> Vec<u8> {
    let mut came = Vec::new();
    while !sealed.is_empty() {
        end.read_tls(&mut sealed).unwrap();
        end.process_new_packets().unwrap();
        // that there is no more is an error to it
        end.reader().read_to_end(&mut came).ok();
    }
    came
}

type Certificates = (
    Vec<CertificateDer<'static>>,
    CertificateDer<'static>,
    PrivateKeyDer<'static>,
);

/// What the server shows, whom the client believes, and the server's key.
fn certificates() -> Certificates {
    let params = |name: &str, is_issuer: bool| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if is_issuer {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params
    };
    let [root_key, between_key, own_key] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let root = params("root.example", true);
    let root_der = root.self_signed(&root_key).unwrap().der().clone();
    let root = Issuer::new(root, root_key);
    let between = params("between.example", true);
    let between_der = between
        .signed_by(&between_key, &root)
        .unwrap()
        .der()
        .clone();
    let between = Issuer::new(between, between_key);
    let own = params(HOST, false).signed_by(&own_key, &between).unwrap();
    let key = PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
    (vec![own.der().clone(), between_der], root_der, key)
}

/// The server's name.
const HOST: &str = "cloud.example.com";
/// Data of a segment at most.
const SEGMENT: usize = 1448;
/// What is around them.
const HEAD: u64 = 52;
/// A segment that opens a connection.
const OPTIONS: u64 = 60;
/// rustls keeps 64 KiB before it has written them.
const PIECE: usize = 16 * 1024;
/// How long a modem stays awake after the last packet.
pub(crate) const TAIL: Duration = Duration::from_secs(10);
