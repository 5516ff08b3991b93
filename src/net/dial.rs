//! Dialling: addresses raced as RFC 8305 has it, from where the configuration says, and dead ends
//! found in time. Finds no addresses and speaks no TLS.

use super::blame;
use super::socket::Socket;
use super::watched::Watched;
use crate::units::Period;
use smol::Async;
use smol::Timer;
use smol::future::or;
use smol::future::poll_fn;
use socket2::Domain;
use socket2::Protocol;
use socket2::TcpKeepalive;
use socket2::Type;
use std::fmt;
use std::future::Future;
use std::io;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// Where connections leave from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// An address of this machine; destinations of the other IP version are out of reach then.
    Address(IpAddr),
    /// An interface by name, whatever the routes say.
    Interface(String),
}

/// How to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialling {
    /// None: as the routes say.
    pub bind: Option<Bind>,
    /// For a connection to be made; afterwards, for what was written to be confirmed.
    pub timeout: Duration,
    /// How long nothing may be said before the far end is probed, where that is more than
    /// `SILENCE`: who says something that seldom has a modem that sleeps meanwhile.
    pub silence: Duration,
}

/// Connects to the first of these addresses that answers. They are tried in their order, each
/// 250 ms after the one before, or at once when that one failed.
///
/// # Errors
/// When none answered within `timeout`; of several failures, the one that tells most.
///
/// # Cancellation
/// All attempts end.
pub async fn dial(addresses: &[SocketAddr], dialling: &Dialling) -> io::Result<Socket> {
    let reachable = addresses.iter().filter(|address| match dialling.bind {
        Some(Bind::Address(from)) => from.is_ipv4() == address.is_ipv4(),
        _ => true,
    });
    or(race(reachable, dialling), async {
        Timer::after(dialling.timeout).await;
        let limit = Period(dialling.timeout);
        let message = format!("no answer within {limit} to the attempts to connect");
        Err(io::Error::new(ErrorKind::TimedOut, message))
    })
    .await
}

type Attempt<'a> = Pin<Box<dyn Future<Output = io::Result<Socket>> + 'a>>;

async fn race(
    addresses: impl Iterator<Item = &SocketAddr>,
    dialling: &Dialling,
) -> io::Result<Socket> {
    let mut waiting = addresses.peekable();
    let mut running: Vec<Attempt<'_>> = Vec::new();
    let mut worst: Option<io::Error> = None;
    loop {
        if let Some(address) = waiting.next() {
            running.push(Box::pin(connect(*address, dialling)));
        } else if running.is_empty() {
            return Err(worst.unwrap_or_else(nowhere));
        }
        let more = waiting.peek().is_some();
        match or(first(&mut running), stagger(more)).await {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(error)) => worst = Some(telling(worst, error)),
            None => {}
        }
    }
}

/// The first attempt that ends; it is taken out.
async fn first(running: &mut Vec<Attempt<'_>>) -> Option<io::Result<Socket>> {
    poll_fn(|context| {
        for index in 0..running.len() {
            let attempt = running.get_mut(index);
            let Some(Poll::Ready(ended)) = attempt.map(|it| it.as_mut().poll(context)) else {
                continue;
            };
            drop(running.swap_remove(index));
            return Poll::Ready(Some(ended));
        }
        Poll::Pending
    })
    .await
}

/// Ends when the next attempt is due, if there is one.
async fn stagger<T>(more: bool) -> Option<T> {
    match more {
        true => drop(Timer::after(STAGGER).await),
        false => std::future::pending().await,
    }
    None
}

async fn connect(address: SocketAddr, dialling: &Dialling) -> io::Result<Socket> {
    let attempt = async {
        let socket = open(address, dialling)?;
        match socket.connect(&address.into()) {
            Err(error) if !is_under_way(&error) => return Err(error),
            _ => {}
        }
        // registered only now: a socket that is not connecting says at once that it is ready
        let stream = Async::new_nonblocking(TcpStream::from(socket))?;
        stream.writable().await?;
        match stream.get_ref().take_error()? {
            Some(error) => Err(error),
            None => stream
                .get_ref()
                .peer_addr()
                .map(|_| Socket::Tcp(Watched::new(stream))),
        }
    };
    let named = |error: io::Error| {
        let why = blame::connecting(&error);
        io::Error::new(error.kind(), format!("{address}: {why}"))
    };
    attempt.await.map_err(named)
}

/// A socket that is not connected; what is written to it is a whole unit, so Nagle is off.
fn open(address: SocketAddr, dialling: &Dialling) -> io::Result<socket2::Socket> {
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    match &dialling.bind {
        Some(Bind::Address(from)) => socket.bind(&SocketAddr::new(*from, 0).into()),
        Some(Bind::Interface(name)) => socket.bind_device(Some(name.as_bytes())),
        None => Ok(()),
    }
    .map_err(|error| io::Error::new(error.kind(), format!("`bind`: {error}")))?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_user_timeout(Some(dialling.timeout))?;
    let probe = dialling.timeout.clamp(PROBE_MIN, PROBE_MAX);
    let silence = dialling.silence.max(SILENCE);
    let keep_alive = TcpKeepalive::new().with_time(silence).with_interval(probe);
    socket.set_tcp_keepalive(&keep_alive)?;
    Ok(socket)
}

fn is_under_way(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

/// The failure that tells more: that there is no way to one address says nothing of the others.
fn telling(one: Option<io::Error>, other: io::Error) -> io::Error {
    let says_little = |error: &io::Error| {
        let kind = error.kind();
        matches!(
            kind,
            ErrorKind::NetworkUnreachable
                | ErrorKind::HostUnreachable
                | ErrorKind::AddrNotAvailable
        )
    };
    match one {
        Some(one) if says_little(&other) => one,
        _ => other,
    }
}

fn nowhere() -> io::Error {
    let message = "no address of the IP version of `bind`";
    io::Error::new(ErrorKind::AddrNotAvailable, message)
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Interface(name) => f.write_str(name),
        }
    }
}

/// Between two attempts: RFC 8305, section 5.
const STAGGER: Duration = Duration::from_millis(250);

/// A connection that is silent for so long is probed: rarely enough for a SIM card that pays for
/// each byte. The probe has `timeout` for its answer, as all that is written has.
const SILENCE: Duration = Duration::from_secs(60);

/// What the system takes as the time between probes.
const PROBE_MIN: Duration = Duration::from_secs(1);
/// As before.
const PROBE_MAX: Duration = Duration::from_secs(32_767);
