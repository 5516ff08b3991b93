//! Routes and addresses that appear, as the kernel tells them over netlink. Reads no table and asks
//! the kernel for nothing.
//!
//! ```text
//! family u8 │ dst_len u8 │ src_len u8 │ tos u8 │ table u8 │ protocol u8 │ scope u8 │ type u8 │ …
//! ```
//! is the body of a message of a route (`linux/rtnetlink.h`); the rest of the layout is in
//! `net::netlink`.

use super::netlink;
use super::socket::unless_blocked;
use rustix::net::RecvFlags;
use rustix::net::netlink::SocketAddrNetlink;
use smol::Async;
use std::io;
use std::os::fd::OwnedFd;

/// A subscription to the kernel's news of routes, or of addresses of this machine.
#[derive(Debug)]
pub struct Routes(Async<OwnedFd>);

impl Routes {
    /// Subscribes; needs no rights.
    ///
    /// # Errors
    /// As the system says: a sandbox may allow no such socket.
    pub fn watch() -> io::Result<Self> {
        Self::subscribe(GROUP_IPV4_ROUTE | GROUP_IPV6_ROUTE)
    }

    /// The same for addresses.
    ///
    /// # Errors
    /// As the system says.
    pub fn watch_addresses() -> io::Result<Self> {
        Self::subscribe(GROUP_IPV4_ADDRESS | GROUP_IPV6_ADDRESS)
    }

    fn subscribe(groups: u32) -> io::Result<Self> {
        let socket = netlink::socket()?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups))?;
        Ok(Self(Async::new_nonblocking(socket)?))
    }

    /// Ends when a way to other machines, or an address, has appeared since the last call.
    ///
    /// # Errors
    /// As the system says.
    pub async fn appeared(&self) -> io::Result<()> {
        while !self.has_appeared()? {
            self.0.readable().await?;
        }
        Ok(())
    }

    /// Whether one has appeared since the last call; reads what there is.
    ///
    /// # Errors
    /// As the system says.
    pub fn has_appeared(&self) -> io::Result<bool> {
        let mut buffer = [0; DATAGRAM_MAX];
        let mut found = false;
        for _ in 0..DATAGRAMS_MAX {
            match rustix::net::recv(&self.0, &mut buffer, RecvFlags::empty()) {
                Ok((len, _)) => found |= tells_of_news(buffer.get(..len).unwrap_or_default()),
                // some were lost: one of them may have been it
                Err(rustix::io::Errno::NOBUFS) => found = true,
                Err(error) => {
                    unless_blocked::<()>(Err(error.into()))?;
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Whether one of the messages in a datagram says that there is a new route to other machines, or a
/// new address.
fn tells_of_news(datagram: &[u8]) -> bool {
    netlink::messages(datagram).any(|message| match message.kind {
        NEW_ADDRESS => true,
        NEW_ROUTE => is_way_out(message.body),
        _ => false,
    })
}

/// Addresses of this machine, and of all that listen, have routes too.
fn is_way_out(route: &[u8]) -> bool {
    let table = route.get(4);
    table.is_some_and(|table| *table != TABLE_LOCAL) && route.get(7) == Some(&UNICAST)
}

/// `RTMGRP_IPV4_ROUTE`.
const GROUP_IPV4_ROUTE: u32 = 0x40;
/// `RTMGRP_IPV6_ROUTE`.
const GROUP_IPV6_ROUTE: u32 = 0x400;
/// `RTMGRP_IPV4_IFADDR`.
const GROUP_IPV4_ADDRESS: u32 = 0x10;
/// `RTMGRP_IPV6_IFADDR`.
const GROUP_IPV6_ADDRESS: u32 = 0x100;
/// `RTM_NEWADDR`.
const NEW_ADDRESS: u16 = 20;
/// `RTM_NEWROUTE`.
const NEW_ROUTE: u16 = 24;
/// `RT_TABLE_LOCAL`.
const TABLE_LOCAL: u8 = 255;
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;

/// Of one datagram so much is read; of a longer one the rest is lost.
const DATAGRAM_MAX: usize = 8 * 1024;

/// Datagrams of one turn: who floods the machine with routes does not keep the loop.
const DATAGRAMS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, table: u8, of: u8) -> Vec<u8> {
        let route = [2, 0, 0, 0, table, 3, 0, of, 0, 0, 0, 0];
        netlink::made::message(kind, &route)
    }

    #[test]
    fn a_new_route_is_told_from_all_else() {
        assert!(tells_of_news(&message(NEW_ROUTE, 254, UNICAST)));
        assert!(!tells_of_news(&message(25, 254, UNICAST)), "it went");
        assert!(tells_of_news(&message(NEW_ADDRESS, 0, 0)));
        assert!(!tells_of_news(&message(21, 0, 0)), "an address went");
        assert!(!tells_of_news(&message(NEW_ROUTE, TABLE_LOCAL, 2)));
        assert!(!tells_of_news(&message(NEW_ROUTE, 254, 7)), "unreachable");
        let both = [message(NEW_ROUTE, 255, 2), message(NEW_ROUTE, 254, 1)].concat();
        assert!(tells_of_news(&both));
    }

    #[test]
    fn nonsense_is_no_route_and_no_endless_loop() {
        let whole = message(NEW_ROUTE, 254, UNICAST);
        (0..24).for_each(|len| assert!(!tells_of_news(&whole[..len]), "{len}"));
        assert!(!tells_of_news(&[0; 64]));
        assert!(!tells_of_news(&[255; 64]));
    }

    #[test]
    fn the_kernel_takes_the_subscription() {
        assert!(!Routes::watch().unwrap().has_appeared().unwrap());
        assert!(!Routes::watch_addresses().unwrap().has_appeared().unwrap());
    }
}
