//! Ports for programs that cannot say which one the kernel gave them.
//!
//! Who can bind port 0 and read back which it is, does that. All others get theirs here. A port is
//! held until the process of the tests ends, by a socket with an abstract name: names and ports
//! belong to the same network, a name is bound once, and the kernel gives both back whatever way
//! the process ends. So no two tests have the same port, neither of one run nor of several at
//! once. No port is one that the kernel takes for a connection to somewhere.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::ops::RangeInclusive;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;

/// A port that nobody listens on and nobody else is given, for TCP and UDP. It is this process's
/// for as long as it lives.
pub(crate) fn free_port() -> u16 {
    static HELD: Mutex<Vec<UnixDatagram>> = Mutex::new(Vec::new());
    let taken_by_kernel = kernels_range();
    let mut ports: Vec<u16> = (LOWEST..=u16::MAX)
        .filter(|port| !taken_by_kernel.contains(port))
        .collect();
    if ports.len() < FEW {
        ports = (LOWEST..=u16::MAX).collect();
    }
    let start = RandomState::new().hash_one(()) % ports.len() as u64;
    ports.rotate_left(usize::try_from(start).unwrap());
    for port in ports {
        if let Some(name) = hold(port)
            && nobody_has(port)
        {
            HELD.lock().unwrap().push(name);
            return port;
        }
    }
    panic!("each port is taken");
}

/// The ports that the kernel takes where none is asked for.
pub(crate) fn kernels_range() -> RangeInclusive<u16> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().map(str::parse);
    match (ends.next(), ends.next()) {
        (Some(Ok(first)), Some(Ok(last))) => first..=last,
        _ => 32_768..=60_999,
    }
}

/// The right to use a port; none where somebody has it.
pub(crate) fn hold(port: u16) -> Option<UnixDatagram> {
    let name = format!("weir-test-port-{port}");
    let address = SocketAddr::from_abstract_name(name).unwrap();
    UnixDatagram::bind_addr(&address).ok()
}

/// Programs that are no tests know nothing of the names. Asks the kernel and binds nothing: a
/// program that another thread starts at that moment would hold the port as well, until its `exec`.
fn nobody_has(port: u16) -> bool {
    let tables = ["tcp", "tcp6", "udp", "udp6"];
    let mut tables = tables
        .iter()
        .filter_map(|table| fs::read_to_string(format!("/proc/net/{table}")).ok());
    let local = format!(":{port:04X}");
    let has = |line: &str| {
        let mut words = line.split_whitespace();
        words
            .nth(1)
            .is_some_and(|address| address.ends_with(&local))
    };
    !tables.any(|table| table.lines().skip(1).any(has))
}

/// Below are those that programs are known by.
const LOWEST: u16 = 10_000;

/// So few ports outside the kernel's range are worse than those inside.
const FEW: usize = 1_000;
