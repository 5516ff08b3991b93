//! Whether an interface of CAN only listens, which the kernel tells over netlink and nowhere else.
//!
//! ```text
//! family u8 │ - │ type u16 │ index u32 │ flags u32 │ change u32 │ attributes
//! ```
//! is the body of a message of an interface, in a question and in its answer. Sources:
//! `linux/rtnetlink.h`, `linux/can/netlink.h`; the rest of the layout is in `net::netlink`.

use crate::net::netlink;
use crate::net::netlink::attribute;
use rustix::net::RecvFlags;
use rustix::net::SendFlags;
use std::io;

/// Asks the kernel of the interface with this index, as `if_nametoindex` has it; of one that is not
/// of a controller of CAN, or not there, it is not so.
///
/// # Errors
/// As the system says: a sandbox may allow no such socket.
pub fn is_listen_only(index: u32) -> io::Result<bool> {
    let socket = netlink::socket()?;
    let question = netlink::question(GET_LINK, &interface(index));
    rustix::net::send(&socket, &question, SendFlags::empty())?;
    let mut answer = vec![0; ANSWER_MAX];
    // the kernel has answered before that returned
    let (len, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
    Ok(says_so(answer.get(..len).unwrap_or_default()).unwrap_or(false))
}

fn interface(index: u32) -> Vec<u8> {
    let words = [0, index, 0, 0];
    words.into_iter().flat_map(u32::to_ne_bytes).collect()
}

/// None where it is no controller's.
#[expect(clippy::host_endian_bytes, reason = "netlink never leaves the machine")]
fn says_so(answer: &[u8]) -> Option<bool> {
    let link = netlink::messages(answer).find(|message| message.kind == NEW_LINK)?;
    let info = attribute(link.body.get(INTERFACE_LEN..)?, LINK_INFO)?;
    if !attribute(info, INFO_KIND)?.starts_with(b"can\0") {
        return None;
    }
    let mode = attribute(attribute(info, INFO_DATA)?, CONTROL_MODE)?;
    // a mask, which counts only where it is set, and the flags
    let flags = u32::from_ne_bytes(*mode.get(4..)?.first_chunk()?);
    Some(flags & LISTEN_ONLY != 0)
}

/// `RTM_GETLINK`.
const GET_LINK: u16 = 18;
/// `RTM_NEWLINK`.
const NEW_LINK: u16 = 16;
/// `sizeof(struct ifinfomsg)`.
const INTERFACE_LEN: usize = 16;
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
    use crate::net::netlink::made;

    /// As the kernel has it: a name, then what the kind of the interface has.
    #[expect(clippy::host_endian_bytes, reason = "as the kernel does")]
    fn link(name: &[u8], flags: u32) -> Vec<u8> {
        let mode = [u32::MAX.to_ne_bytes(), flags.to_ne_bytes()].concat();
        let data = [
            made::attribute(4, &[0; 4]),
            made::attribute(CONTROL_MODE, &mode),
        ]
        .concat();
        let info = [
            made::attribute(INFO_KIND, name),
            made::attribute(0x8000 | INFO_DATA, &data),
        ]
        .concat();
        let mut body = interface(10);
        body.extend(made::attribute(3, b"can10\0"));
        body.extend(made::attribute(LINK_INFO, &info));
        made::message(NEW_LINK, &body)
    }

    #[test]
    fn a_controller_says_whether_it_only_listens() {
        assert_eq!(says_so(&link(b"can\0", LISTEN_ONLY)), Some(true));
        assert_eq!(says_so(&link(b"can\0", 0x21)), Some(false));
        assert_eq!(says_so(&link(b"vcan\0", LISTEN_ONLY)), None);
    }

    #[test]
    fn an_answer_that_is_cut_or_of_something_else_says_nothing() {
        let whole = link(b"can\0", LISTEN_ONLY);
        for len in 0..whole.len() {
            assert_eq!(says_so(&whole[..len]), None, "{len}");
        }
        assert_eq!(says_so(&[0; 64]), None);
        let other = netlink::messages(&whole).next().unwrap();
        assert_eq!(says_so(&made::message(2, other.body)), None);
    }

    #[test]
    fn the_kernel_answers() {
        // `lo`
        assert!(!is_listen_only(1).unwrap());
        // there is none: the kernel says so, and not of what
        assert!(!is_listen_only(999_999).unwrap());
    }
}
