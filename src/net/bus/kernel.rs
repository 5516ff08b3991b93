//! Sockets of an interface of the kernel, which nothing that weir is built of can bind or set.
//!
//! `bind` takes an address of a family that no crate here knows, and the options are a list of
//! numbers; so here, beside `clock/kernel.rs`, is the other place with `unsafe`.

#![expect(
    unsafe_code,
    reason = "bind and setsockopt of AF_CAN have no safe wrapper in a crate that is linked anyway"
)]

use super::FILTERS_MAX;
use super::Filter;
use rustix::net::AddressFamily;
use rustix::net::Protocol;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use rustix::net::netdevice::name_to_index;
use rustix::net::socket_with;
use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::AsRawFd;

/// A socket that brings the frames of an interface that one of the filters names, CAN FD as well,
/// and the errors of the bus that say how it stands.
pub(super) fn open(interface: &str, filters: &[Filter]) -> io::Result<File> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let protocol = NonZeroU32::new(CAN_RAW).map(Protocol::from_raw);
    let socket = socket_with(AddressFamily::CAN, SocketType::RAW, flags, protocol)?;
    let index = name_to_index(&socket, interface)?;
    let socket = File::from(socket);
    // a kernel without CAN FD has no such option, and no such frames
    drop(set(&socket, libc::CAN_RAW_FD_FRAMES, &[1]));
    set(&socket, libc::CAN_RAW_ERR_FILTER, &[ERRORS])?;
    if !filters.is_empty() && filters.len() <= FILTERS_MAX {
        let words = filters.iter().flat_map(|filter| [filter.id, filter.mask]);
        let words: Vec<u32> = words.collect();
        set(&socket, libc::CAN_RAW_FILTER, &words)?;
    }
    bind(&socket, index)?;
    Ok(socket)
}

/// Sets an option: one number, or pairs of them.
fn set(socket: &File, option: i32, words: &[u32]) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of_val(words)).map_err(io::Error::other)?;
    let value = words.as_ptr().cast();
    // SAFETY: `value` points to `len` bytes that the kernel only reads, and only during the call;
    // `socket` is open for as long as it is borrowed.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_CAN_RAW, option, value, len) };
    done(result)
}

/// `struct sockaddr_can` of `linux/can.h`; what follows the interface is for other protocols.
#[repr(C)]
struct Address {
    family: libc::sa_family_t,
    interface: u32,
    of_protocol: [u32; 4],
}

fn bind(socket: &File, interface: u32) -> io::Result<()> {
    let family = libc::sa_family_t::try_from(libc::AF_CAN).map_err(io::Error::other)?;
    let address = Address {
        family,
        interface,
        of_protocol: [0; 4],
    };
    let len = libc::socklen_t::try_from(size_of_val(&address)).map_err(io::Error::other)?;
    // SAFETY: the pointer is to `len` bytes, those of `address`, which the kernel only reads, and
    // only during the call; `socket` is open for as long as it is borrowed.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) };
    done(result)
}

fn done(result: libc::c_int) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The protocol of whole frames.
const CAN_RAW: u32 = 1;

/// Classes of errors: controller, bus-off, restarted.
const ERRORS: u32 = 0x004 | 0x040 | 0x100;

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn options_and_addresses_that_a_socket_does_not_have_are_errors_of_the_system() {
        let socket = File::open("/dev/null").unwrap();
        let no_socket = Some(Errno::NOTSOCK.raw_os_error());
        let error = set(&socket, libc::CAN_RAW_FILTER, &[1, 2]).unwrap_err();
        // an emulator of processors looks at the option first, and knows none of CAN
        let unknown = Some(Errno::NOPROTOOPT.raw_os_error());
        assert!(
            [no_socket, unknown].contains(&error.raw_os_error()),
            "{error}"
        );
        assert_eq!(bind(&socket, 1).unwrap_err().raw_os_error(), no_socket);
        // as `linux/can.h` has it
        assert_eq!(size_of::<Address>(), 24);
        assert_eq!(std::mem::offset_of!(Address, interface), 4);
    }
}
