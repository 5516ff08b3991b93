//! Whether an interface of CAN only listens, which the kernel tells over netlink and nowhere else.
//!
//! ```text
//! │ len u32 │ type u16 │ flags u16 │ seq u32 │ port u32 │                     a message's head
//! │ family u8 │ - │ type u16 │ index u32 │ flags u32 │ change u32 │           of an interface
//! │ len u16 │ type u16 │ value, up to the next 4 bytes │ …                     attributes
//! ```
//! Numbers are in the machine's own order (`linux/rtnetlink.h`, `linux/can/netlink.h`).

use rustix::net::AddressFamily;
use rustix::net::RecvFlags;
use rustix::net::SendFlags;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use std::io;

/// Asks the kernel of the interface with this index; of one that is not of a controller of CAN it
/// is not so.
///
/// # Errors
/// As the system says: a sandbox may allow no such socket.
pub fn is_listen_only(index: u32) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // the protocol is NETLINK_ROUTE, which is 0
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    rustix::net::send(&socket, &question(index), SendFlags::empty())?;
    let mut answer = vec![0; ANSWER_MAX];
    // the kernel has answered before that returned
    let (len, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
    Ok(says_so(answer.get(..len).unwrap_or_default()).unwrap_or(false))
}

#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
fn question(index: u32) -> Vec<u8> {
    let head = [32, u32::from_ne_bytes(type_and_flags()), 1, 0];
    let interface = [0, index, 0, 0];
    let words = head.into_iter().chain(interface);
    words.flat_map(u32::to_ne_bytes).collect()
}

fn type_and_flags() -> [u8; 4] {
    let [[kind, more_kind], [flags, more_flags]] = [GET_LINK, REQUEST].map(u16::to_ne_bytes);
    [kind, more_kind, flags, more_flags]
}

/// None where it is no controller's.
#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
fn says_so(answer: &[u8]) -> Option<bool> {
    let kind = u16::from_ne_bytes(*answer.get(4..)?.first_chunk()?);
    let of_link = answer.get(HEADS_LEN..).filter(|_| kind == NEW_LINK)?;
    let info = attribute(of_link, LINK_INFO)?;
    if !attribute(info, INFO_KIND)?.starts_with(b"can\0") {
        return None;
    }
    let mode = attribute(attribute(info, INFO_DATA)?, CONTROL_MODE)?;
    // a mask, which counts only where it is set, and the flags
    let flags = u32::from_ne_bytes(*mode.get(4..)?.first_chunk()?);
    Some(flags & LISTEN_ONLY != 0)
}

/// The value of the first attribute of a type.
#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
fn attribute(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (len, behind) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_ne_bytes(*len));
        let kind = u16::from_ne_bytes(*behind.first_chunk()?);
        // shorter than its own head it would have no end
        let value = rest.get(..len)?.get(4..)?;
        if kind & TYPE_BITS == wanted {
            return Some(value);
        }
        rest = rest.get(len.next_multiple_of(4)..)?;
    }
}

/// `RTM_GETLINK`.
const GET_LINK: u16 = 18;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `RTM_NEWLINK`.
const NEW_LINK: u16 = 16;
/// `sizeof(struct nlmsghdr)` and `sizeof(struct ifinfomsg)`.
const HEADS_LEN: usize = 16 + 16;
/// `NLA_TYPE_MASK`.
const TYPE_BITS: u16 = 0x3FFF;
/// `IFLA_LINKINFO`.
const LINK_INFO: u16 = 18;
/// `IFLA_INFO_KIND`.
const INFO_KIND: u16 = 1;
/// `IFLA_INFO_DATA`.
const INFO_DATA: u16 = 2;
/// `IFLA_CAN_CTRLMODE`.
const CONTROL_MODE: u16 = 5;
/// `CAN_CTRLMODE_LISTENONLY`.
const LISTEN_ONLY: u32 = 2;

/// One interface takes about 2 KiB.
const ANSWER_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::host_endian_bytes, reason = "as the kernel does")]
    fn with(kind: u16, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(value.len() + 4).unwrap();
        let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// As the kernel has it: a name, then what the kind of the interface has.
    #[expect(clippy::host_endian_bytes, reason = "as the kernel does")]
    fn link(name: &[u8], flags: u32) -> Vec<u8> {
        let mode = [u32::MAX.to_ne_bytes(), flags.to_ne_bytes()].concat();
        let data = [with(4, &[0; 4]), with(CONTROL_MODE, &mode)].concat();
        let info = [with(INFO_KIND, name), with(0x8000 | INFO_DATA, &data)].concat();
        let mut bytes = vec![0; HEADS_LEN];
        bytes[4..6].copy_from_slice(&NEW_LINK.to_ne_bytes());
        bytes.extend(with(3, b"can10\0"));
        bytes.extend(with(LINK_INFO, &info));
        bytes
    }

    #[test]
    fn a_controller_says_whether_it_only_listens() {
        assert_eq!(says_so(&link(b"can\0", LISTEN_ONLY)), Some(true));
        assert_eq!(says_so(&link(b"can\0", 0x21)), Some(false));
        assert_eq!(says_so(&link(b"vcan\0", LISTEN_ONLY)), None);
    }

    #[test]
    fn an_answer_that_is_cut_says_nothing() {
        let whole = link(b"can\0", LISTEN_ONLY);
        for len in 0..whole.len() {
            assert_eq!(says_so(&whole[..len]), None, "{len}");
        }
        assert_eq!(says_so(&[0; 64]), None);
        assert_eq!(attribute(&[0; 64], 1), None, "no endless loop");
    }

    #[test]
    fn the_kernel_answers() {
        // `lo`
        assert!(!is_listen_only(1).unwrap());
        // there is none: the kernel says so, and not of what
        assert!(!is_listen_only(999_999).unwrap());
    }
}
