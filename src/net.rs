//! Addresses and sockets: the only place that opens one. Knows no protocol.

use std::net::{IpAddr, SocketAddr};
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
