//! Host names to addresses on the one thread: the driver of [`dns`]. Neither blocks the loop, but
//! for reading two small files, nor starts a thread, as the system's own resolver would.

use super::dns;
use super::dns::Config;
use super::dns::DATAGRAM_MAX;
use super::dns::Lookup;
use super::dns::Over;
use super::dns::STREAM_MAX;
use super::dns::Step;
use crate::clock::Clock;
use rustix::rand::GetRandomFlags;
use rustix::rand::getrandom;
use smol::Async;
use smol::Timer;
use smol::future::FutureExt;
use smol::future::poll_fn;
use smol::future::yield_now;
use smol::io::AsyncReadExt;
use smol::io::AsyncWriteExt;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::path::Path;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

/// Finds addresses, and remembers the last that it found for when no name server answers.
#[derive(Debug, Default)]
pub struct Resolver {
    files: Files,
    last: Option<Found>,
}

/// Where the machine says what it knows of names; both are read anew for each name.
#[derive(Clone, Debug)]
pub struct Files {
    /// Of the form of `/etc/hosts`; need not be there.
    pub hosts: PathBuf,
    /// Of the form of `/etc/resolv.conf`; need not be there.
    pub resolv_conf: PathBuf,
}

#[derive(Debug)]
struct Found {
    host: String,
    addresses: Vec<IpAddr>,
    at: Duration,
}

/// The addresses of a host, by the machine's usual files: [`Resolver::resolve`] without a memory.
///
/// # Errors
/// As [`Resolver::resolve`].
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Resolver::default().resolve(host, port).await
}

impl Resolver {
    /// A resolver by these files.
    #[must_use]
    pub fn new(files: Files) -> Self {
        Self { files, last: None }
    }

    /// The addresses of `host`, at least one and at most 16, in the order in which to try them.
    /// An address is its own; then `localhost`, the hosts file and DNS are asked, in this order.
    ///
    /// When the name servers fail, the last answer of this resolver for the same host is taken if
    /// it is at most three days old, and this is logged.
    ///
    /// # Errors
    /// `NotFound`: there is no such host. `InvalidInput`: there cannot be. `TimedOut`,
    /// `HostUnreachable`: the name servers do not work. Others: as the system says.
    ///
    /// # Cancellation
    /// Leaves nothing behind.
    pub async fn resolve(&mut self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let addresses = match self.known(host)? {
            Some(addresses) => addresses,
            None => self.ask(host).await?,
        };
        Ok(addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect())
    }

    fn known(&self, host: &str) -> io::Result<Option<Vec<IpAddr>>> {
        if let Ok(address) = host.parse() {
            return Ok(Some(vec![address]));
        }
        if is_localhost(host) {
            return Ok(Some(vec![
                Ipv6Addr::LOCALHOST.into(),
                Ipv4Addr::LOCALHOST.into(),
            ]));
        }
        match dns::hosts(&read(&self.files.hosts)?, host) {
            Some(blocked) if blocked.is_empty() => Err(dns::Error::Empty(host.to_string()).into()),
            found => Ok(found),
        }
    }

    async fn ask(&mut self, host: &str) -> io::Result<Vec<IpAddr>> {
        let config = Config::parse(&read(&self.files.resolv_conf)?);
        let result = match Lookup::new(host, &config, random_ids()?) {
            Ok(lookup) => run(lookup, &config.servers).await?,
            Err(error) => Err(error),
        };
        let at = now();
        match result {
            Ok(addresses) => {
                self.last = Some(Found {
                    host: host.to_string(),
                    addresses: addresses.clone(),
                    at,
                });
                Ok(addresses)
            }
            Err(error) => {
                let last = self.last(host, at).filter(|_| error.is_outage());
                let addresses = last.ok_or_else(|| error.clone())?.to_vec();
                log::warn!("{error}; the addresses that it had before are tried");
                Ok(addresses)
            }
        }
    }

    fn last(&self, host: &str, now: Duration) -> Option<&[IpAddr]> {
        let last = self.last.as_ref().filter(|last| last.host == host)?;
        (now.saturating_sub(last.at) <= LAST_AGE_MAX).then_some(&last.addresses)
    }
}

impl Default for Files {
    fn default() -> Self {
        Self {
            hosts: "/etc/hosts".into(),
            resolv_conf: "/etc/resolv.conf".into(),
        }
    }
}

/// Does what a lookup says until it is done. Waits on: one socket for each server that was asked,
/// connections to those whose answer was too long for it, and the lookup's next time.
async fn run(
    mut lookup: Lookup,
    servers: &[SocketAddr],
) -> io::Result<Result<Vec<IpAddr>, dns::Error>> {
    let mut sockets: Vec<Option<Async<UdpSocket>>> = servers.iter().map(|_| None).collect();
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut buffer = [0; DATAGRAM_MAX];
    loop {
        match lookup.next(now()) {
            Step::Done(result) => return Ok(result),
            Step::Send {
                server,
                over,
                message,
            } => {
                let Some((slot, address)) = sockets.get_mut(server).zip(servers.get(server)) else {
                    return Err(ErrorKind::InvalidInput.into());
                };
                match over {
                    Over::Tcp => exchanges.push((server, Box::pin(exchange(*address, message)))),
                    Over::Udp if send(slot, *address, &message).is_err() => {
                        lookup.unreachable(server);
                    }
                    Over::Udp => {}
                }
            }
            Step::Wait(until) => {
                let wait = until.saturating_sub(now());
                let datagram = async {
                    let (server, result) = receive(&sockets, &mut buffer).await?;
                    Some((server, result.map(News::Datagram)))
                };
                let news = datagram
                    .or(answered(&mut exchanges))
                    .or(timeout(wait))
                    .await;
                match news {
                    None => {}
                    Some((server, Ok(News::Datagram(message)))) => {
                        lookup.receive(server, Over::Udp, message, now());
                    }
                    Some((server, Ok(News::Answer(Ok(message))))) => {
                        lookup.receive(server, Over::Tcp, &message, now());
                    }
                    Some((server, Ok(News::Answer(Err(_))))) => lookup.broken(server),
                    Some((server, Err(_))) => lookup.unreachable(server),
                }
                // who floods this socket does not keep the loop from the others
                yield_now().await;
            }
        }
    }
}

/// A connection to a server, for one question: at most two for each server.
type Exchange = (usize, Pin<Box<dyn Future<Output = io::Result<Vec<u8>>>>>);

/// What came from a server.
enum News<'a> {
    Datagram(&'a [u8]),
    /// What a connection brought, or that it brought nothing.
    Answer(io::Result<Vec<u8>>),
}

/// Asks over a connection of its own; the answer. Waits on: the network, for as long as it is
/// asked.
async fn exchange(server: SocketAddr, message: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut socket = Async::<TcpStream>::connect(server).await?;
    let len = u16::try_from(message.len()).map_err(|_| ErrorKind::InvalidInput)?;
    // in one piece: there are servers that read no more
    let whole = [&len.to_be_bytes(), message.as_slice()].concat();
    socket.write_all(&whole).await?;
    let mut len = [0; 2];
    socket.read_exact(&mut len).await?;
    let len = usize::from(u16::from_be_bytes(len));
    if len > STREAM_MAX {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let mut answer = vec![0; len];
    socket.read_exact(&mut answer).await?;
    Ok(answer)
}

/// The first exchange that ends; it is taken out.
async fn answered<'a>(exchanges: &mut Vec<Exchange>) -> Option<(usize, io::Result<News<'a>>)> {
    poll_fn(|context| {
        for index in 0..exchanges.len() {
            let Some((server, exchange)) = exchanges.get_mut(index) else {
                continue;
            };
            if let Poll::Ready(result) = exchange.as_mut().poll(context) {
                let server = *server;
                drop(exchanges.swap_remove(index));
                return Poll::Ready(Some((server, Ok(News::Answer(result)))));
            }
        }
        Poll::Pending
    })
    .await
}

/// Sends without waiting: a full socket loses the datagram, and the next try sends it again.
fn send(
    slot: &mut Option<Async<UdpSocket>>,
    server: SocketAddr,
    datagram: &[u8],
) -> io::Result<()> {
    let socket = match slot {
        Some(socket) => socket,
        None => slot.insert(connect(server)?),
    };
    match socket.get_ref().send(datagram) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}

/// A socket on a port of the system's choice that takes datagrams from this server only.
fn connect(server: SocketAddr) -> io::Result<Async<UdpSocket>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = Async::<UdpSocket>::bind((any, 0))?;
    socket.get_ref().connect(server)?;
    Ok(socket)
}

/// The next datagram from any server, or what the system says of it.
async fn receive<'a>(
    sockets: &[Option<Async<UdpSocket>>],
    buffer: &'a mut [u8],
) -> Option<(usize, io::Result<&'a [u8]>)> {
    let open = sockets.iter().enumerate();
    let (server, result) = poll_fn(|context| {
        for (server, socket) in open.clone() {
            let Some(socket) = socket else { continue };
            if let Poll::Ready(result) = poll_receive(socket, buffer, context) {
                return Poll::Ready((server, result));
            }
        }
        Poll::Pending
    })
    .await;
    Some((
        server,
        result.map(|len| buffer.get(..len).unwrap_or_default()),
    ))
}

fn poll_receive(
    socket: &Async<UdpSocket>,
    buffer: &mut [u8],
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    loop {
        match socket.get_ref().recv(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => return Poll::Ready(result),
        }
        match socket.poll_readable(context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    }
}

async fn timeout<T>(wait: Duration) -> Option<T> {
    Timer::after(wait).await;
    None
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// The whole lines at the beginning of a file; empty where there is none.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let open = File::open(path);
    match open.and_then(|file| file.take(FILE_LEN_MAX).read_to_end(&mut text)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            return Err(io::Error::new(error.kind(), message));
        }
        Ok(len) if len as u64 == FILE_LEN_MAX => {
            let whole = text.iter().rposition(|byte| *byte == b'\n');
            text.truncate(whole.unwrap_or(0));
        }
        Ok(_) => {}
    }
    Ok(text)
}

/// Never waits for a machine that has just booted to gather randomness.
fn random_ids() -> io::Result<[u16; 2]> {
    let mut bytes = [0; 4];
    getrandom(&mut bytes, GetRandomFlags::NONBLOCK)
        .or_else(|_| getrandom(&mut bytes, GetRandomFlags::INSECURE))?;
    let [a, b, c, d] = bytes;
    Ok([u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])])
}

fn now() -> Duration {
    Clock::new().now().mono
}

/// How much of a file is read, for as long as a name is looked for; what stands later is not seen.
const FILE_LEN_MAX: u64 = 64 * 1024;

/// How old a remembered answer may be: the longest that RFC 8767, section 5 suggests.
const LAST_AGE_MAX: Duration = Duration::from_secs(3 * 86_400);
