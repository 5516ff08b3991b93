//! Dialling: which address wins, and from where.

use crate::weir_run::free_port;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;
use weir::net::Bind;
use weir::net::Dialling;
use weir::net::Socket;
use weir::net::dial;

fn dialling(bind: Option<Bind>) -> Dialling {
    Dialling {
        bind,
        timeout: Duration::from_secs(5),
        silence: Duration::ZERO,
    }
}

/// A busy machine may be slow, though not each time.
const TRIES: u32 = 20;

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address where nobody listens, and nobody will.
fn refusing() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

/// An address whose queue is full: what is sent there is dropped, as by a dead route.
struct BlackHole {
    address: SocketAddr,
    _kept: (socket2::Socket, Vec<socket2::Socket>),
}

impl BlackHole {
    fn new() -> Self {
        use socket2::Domain;
        use socket2::Socket;
        use socket2::Type;
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let knock = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap();
            drop(socket.connect(&address.into()));
            socket
        };
        let knocking = (0..4).map(knock).collect();
        Self {
            address,
            _kept: (listener, knocking),
        }
    }
}

fn race(addresses: &[SocketAddr], dialling: &Dialling) -> std::io::Result<SocketAddr> {
    let socket = smol::block_on(dial(addresses, dialling))?;
    let Socket::Tcp(stream) = socket else {
        panic!("not TCP")
    };
    stream.of().peer_addr()
}

#[test]
fn an_address_that_swallows_everything_holds_nobody_up() {
    let (hole, (_listener, good)) = (BlackHole::new(), listen());
    let took = || {
        let start = Instant::now();
        assert_eq!(race(&[hole.address, good], &dialling(None)).unwrap(), good);
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(240), "{took:?}");
        took
    };
    assert!((0..TRIES).any(|_| took() < Duration::from_secs(4)));
}

#[test]
fn the_first_address_wins_when_it_answers_and_a_refusal_is_not_waited_for() {
    let ((_one, first), (_two, second)) = (listen(), listen());
    assert_eq!(race(&[first, second], &dialling(None)).unwrap(), first);
    let took = || {
        let (start, addresses) = (Instant::now(), [refusing(), second]);
        assert_eq!(race(&addresses, &dialling(None)).unwrap(), second);
        start.elapsed()
    };
    assert!((0..TRIES).any(|_| took() < Duration::from_millis(240)));
}

#[test]
fn when_nobody_answers_the_error_says_who() {
    let refusing = refusing();
    let error = race(&[refusing], &dialling(None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with(&refusing.to_string()));
    let hole = BlackHole::new();
    let short = Dialling {
        bind: None,
        timeout: Duration::from_millis(300),
        silence: Duration::ZERO,
    };
    let error = race(&[hole.address], &short).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn a_connection_leaves_from_where_bind_says() {
    let (listener, address) = listen();
    let from = Bind::Address("127.0.0.9".parse().unwrap());
    race(&[address], &dialling(Some(from))).unwrap();
    assert_eq!(listener.accept().unwrap().1.ip().to_string(), "127.0.0.9");
    race(&[address], &dialling(Some(Bind::Interface("lo".into())))).unwrap();
    let none = Bind::Interface("none0".into());
    let error = race(&[address], &dialling(Some(none))).unwrap_err();
    assert!(error.to_string().contains("`bind`"), "{error}");
    let other = Bind::Address("::1".parse().unwrap());
    let error = race(&[address], &dialling(Some(other))).unwrap_err();
    assert!(
        error.to_string().contains("IP version of `bind`"),
        "{error}"
    );
}

#[test]
fn a_socket_is_set_up_so_that_a_dead_way_is_found() {
    let (_listener, address) = listen();
    let socket = smol::block_on(dial(&[address], &dialling(None))).unwrap();
    let Socket::Tcp(stream) = socket else {
        panic!("not TCP")
    };
    let stream: &TcpStream = stream.of();
    let socket = socket2::SockRef::from(stream);
    assert_eq!(
        socket.tcp_user_timeout().unwrap(),
        Some(Duration::from_secs(5))
    );
    assert!(rustix::net::sockopt::socket_keepalive(stream).unwrap());
    assert!(stream.nodelay().unwrap());
    assert_eq!(
        socket.tcp_keepalive_interval().unwrap(),
        Duration::from_secs(5)
    );
}
