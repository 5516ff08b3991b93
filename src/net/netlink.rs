//! Netlink: how the kernel is asked of routes, addresses and interfaces, and how what it says is
//! laid out.
//!
//! ```text
//! datagram   message, up to the next 4 bytes │ …
//! message    len u32, of all of it │ type u16 │ flags u16 │ seq u32 │ port u32 │ body
//! attribute  len u16, of all of it │ type u16 │ value
//! attributes attribute, up to the next 4 bytes │ …
//! ```
//! Numbers are in the machine's own order. Sources: `linux/netlink.h`, `linux/rtnetlink.h`.

use rustix::net::AddressFamily;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use std::io;
use std::os::fd::OwnedFd;

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// What its body is: an `RTM_…`.
    pub(super) kind: u16,
    /// What stands behind its head.
    pub(super) body: &'a [u8],
}

/// A socket to the kernel's routes, addresses and interfaces that does not block; needs no rights.
///
/// # Errors
/// As the system says: a sandbox may allow no such socket.
pub(super) fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // the protocol is NETLINK_ROUTE, which is 0
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    Ok(socket)
}

/// The messages of a datagram, up to the first that is not whole.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let (len, kind) = head(datagram)?;
        // shorter than its own head it would have no end
        let body = datagram.get(HEAD_LEN..len)?;
        let next = len.checked_next_multiple_of(ALIGN).unwrap_or(len);
        datagram = datagram.get(next..).unwrap_or_default();
        Some(Message { kind, body })
    })
}

/// Length, head included, and type of the first message.
#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
fn head(datagram: &[u8]) -> Option<(usize, u16)> {
    let (len, rest) = datagram.split_first_chunk()?;
    let kind = u16::from_ne_bytes(*rest.first_chunk()?);
    Some((usize::try_from(u32::from_ne_bytes(*len)).ok()?, kind))
}

/// A question to the kernel of this kind, with nothing but `body`: the first of its socket.
#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
pub(super) fn question(kind: u16, body: &[u8]) -> Vec<u8> {
    let len = HEAD_LEN.saturating_add(body.len());
    let mut bytes = Vec::with_capacity(len);
    bytes.extend(u32::try_from(len).unwrap_or(u32::MAX).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    bytes.extend(1_u32.to_ne_bytes());
    // the port: the kernel gives one
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The value of the first of these attributes that is of the type `wanted`; none where there is
/// none, or one before it is cut.
#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
pub(super) fn attribute(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (len, behind) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_ne_bytes(*len));
        let kind = u16::from_ne_bytes(*behind.first_chunk()?);
        // shorter than its own head it would have no end
        let value = rest.get(..len)?.get(4..)?;
        if kind & TYPE_BITS == wanted {
            return Some(value);
        }
        rest = rest.get(len.next_multiple_of(ALIGN)..)?;
    }
}

/// `sizeof(struct nlmsghdr)`.
const HEAD_LEN: usize = 16;
/// `NLMSG_ALIGNTO` and `NLA_ALIGNTO`.
const ALIGN: usize = 4;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLA_TYPE_MASK`.
const TYPE_BITS: u16 = 0x3FFF;

/// What the kernel says, as tests make it.
#[cfg(test)]
#[expect(clippy::host_endian_bytes, reason = "as the kernel does")]
pub(super) mod made {
    use super::*;

    /// A message of this type.
    pub(in crate::net) fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = question(kind, body);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes
    }

    /// An attribute of this type.
    pub(in crate::net) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(value.len() + 4).unwrap();
        let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(datagram: &[u8]) -> Vec<(u16, &[u8])> {
        let all = messages(datagram);
        all.map(|message| (message.kind, message.body)).collect()
    }

    #[test]
    fn a_datagram_has_several_messages_up_to_one_that_is_cut() {
        let both = [made::message(16, b"abcde"), made::message(20, b"")].concat();
        assert_eq!(kinds(&both), [(16, &b"abcde"[..]), (20, b"")]);
        for len in 24..both.len() {
            assert_eq!(kinds(&both[..len]), [(16, &b"abcde"[..])], "{len}");
        }
        for len in 0..21 {
            assert_eq!(kinds(&both[..len]), [], "{len}");
        }
    }

    #[test]
    fn nonsense_is_no_endless_loop() {
        for byte in [0, 255] {
            assert_eq!(kinds(&[byte; 64]), []);
            assert_eq!(attribute(&[byte; 64], 1), None);
        }
    }

    #[test]
    fn an_attribute_is_found_by_its_type_without_its_flags() {
        let all = [made::attribute(1, b"a"), made::attribute(0x8002, b"bc")].concat();
        assert_eq!(attribute(&all, 1), Some(&b"a"[..]));
        assert_eq!(attribute(&all, 2), Some(&b"bc"[..]));
        assert_eq!(attribute(&all, 3), None);
        assert_eq!(attribute(&all[..13], 2), None);
    }
}
