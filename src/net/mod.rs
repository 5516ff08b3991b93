//! Addresses, sockets and files that are written to like a connection: the only place that opens
//! one. Knows no protocol.

pub mod blame;
pub mod bus;
mod connection;
mod dial;
pub mod dns;
mod file_connection;
mod file_series;
pub mod frames;
mod line_file;
mod netlink;
mod resolve;
mod routes;
pub mod serial;
mod socket;
mod socket_rights;
mod stored_file;
pub mod tls;
mod watched;

pub use connection::Connection;
#[cfg(test)]
pub use connection::Simulated;
pub use dial::Bind;
pub use dial::Dialling;
pub use dial::dial;
pub use file_connection::FileConnection;
pub use file_series::DATE;
pub use file_series::FileSeries;
pub use file_series::Rotation;
pub use line_file::LineFile;
pub use resolve::Files;
pub use resolve::Resolver;
pub use resolve::resolve;
pub use routes::Routes;
pub use socket::Listener;
pub use socket::READ_MAX;
pub use socket::Socket;
pub use socket::unless_blocked;
pub use socket_rights::Group;
pub use socket_rights::SocketRights;
pub use stored_file::open_stored;
pub(crate) use watched::Call;
pub use watched::Interest;
pub use watched::Watched;

use rustix::io::Errno;
use rustix::net::AddressFamily;
use rustix::net::SocketAddrUnix;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use rustix::net::connect;
use rustix::net::socket_with;
use smol::Async;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::path::PathBuf;

/// Where a channel listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `0.0.0.0:5027`.
    Tcp(SocketAddr),
    /// `udp:0.0.0.0:5027`.
    Udp(SocketAddr),
    /// `unix:/run/weir/in`.
    Unix(PathBuf),
    /// `serial:/dev/ttyUSB0?baud=9600`.
    Serial(serial::Line),
    /// What a channel that listens to a bus writes at `connect`.
    Bus(bus::Bus),
}

/// Addresses that share their first bits: `192.168.1.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Any address in it.
    pub address: IpAddr,
    /// How many bits are shared.
    pub bits: u8,
}

/// Where a stream connects to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Network {
    /// Whether an address is in it; an IPv4 address in IPv6's clothes counts as the former.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(host)) => {
                prefix(net.to_bits().into(), 32, self.bits)
                    == prefix(host.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(net), IpAddr::V6(host)) => {
                prefix(net.to_bits(), 128, self.bits) == prefix(host.to_bits(), 128, self.bits)
            }
            _ => false,
        }
    }
}

/// The first `bits` of a number that is `width` bits wide.
fn prefix(number: u128, width: u8, bits: u8) -> u128 {
    number
        .checked_shr(u32::from(width.saturating_sub(bits)))
        .unwrap_or(0)
}

/// Listens on a TCP or Unix address. A Unix socket that nobody listens on any more is replaced;
/// `rights` say who may connect to it.
///
/// # Errors
/// As the system says: in use, no right to.
pub fn listen(address: &Address, rights: &SocketRights) -> io::Result<Listener> {
    match address {
        Address::Tcp(address) => Ok(Listener::Tcp(Async::<TcpListener>::bind(*address)?)),
        Address::Unix(path) => {
            remove_stale(path)?;
            let listener = Async::<UnixListener>::bind(path)?;
            rights.give_to(path)?;
            Ok(Listener::Unix(listener))
        }
        Address::Udp(_) | Address::Serial(_) | Address::Bus(_) => {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

/// Opens a socket for datagrams.
///
/// # Errors
/// As the system says.
pub fn bind(address: SocketAddr) -> io::Result<Watched<UdpSocket>> {
    Async::<UdpSocket>::bind(address).map(Watched::new)
}

/// Removes a socket that nobody listens on: only the kernel's word for that counts. One that is
/// busy, or that this process may not ask, is somebody's.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = path
        .symlink_metadata()
        .is_ok_and(|found| found.file_type().is_socket());
    if is_socket && is_abandoned(path) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Whether nobody listens on a Unix socket. Never waits: a full queue is an answer as well.
fn is_abandoned(path: &Path) -> bool {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let asked = SocketAddrUnix::new(path).and_then(|address| {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &address)
    });
    asked == Err(Errno::CONNREFUSED)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Serial(line) => line.fmt(f),
            Self::Bus(bus) => bus.fmt(f),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str, bits: u8) -> Network {
        Network {
            address: address.parse().unwrap(),
            bits,
        }
    }

    #[test]
    fn a_network_holds_what_shares_its_bits() {
        let host = |text: &str| text.parse().unwrap();
        assert!(network("192.168.1.0", 24).contains(host("192.168.1.200")));
        assert!(!network("192.168.1.0", 24).contains(host("192.168.2.1")));
        assert!(network("0.0.0.0", 0).contains(host("8.8.8.8")));
        assert!(network("10.0.0.1", 32).contains(host("10.0.0.1")));
        assert!(network("10.0.0.0", 8).contains(host("::ffff:10.1.2.3")));
        assert!(network("fd00::", 8).contains(host("fd12::1")));
        assert!(!network("fd00::", 8).contains(host("10.0.0.1")));
    }
}
