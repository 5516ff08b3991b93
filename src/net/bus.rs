//! CAN buses: an interface of the kernel, a socket that carries the same, a log of `candump`.
//! Knows frames by their length alone.

#[cfg(feature = "in-can")]
mod kernel;
#[cfg(not(feature = "in-can"))]
#[path = "bus/no_kernel.rs"]
mod kernel;
mod listen_only;

pub use listen_only::is_listen_only;

use super::socket::Socket;
use super::watched::Watched;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::AddressFamily;
use rustix::net::SocketAddrUnix;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use rustix::net::connect;
use rustix::net::socket_with;
use smol::Async;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Where a bus is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// `can:can0`: an interface of the kernel.
    Interface(String),
    /// `can:/run/bus`: a Unix socket of type SEQPACKET that brings what an interface does, one
    /// frame a packet.
    Socket(PathBuf),
    /// `candump:/var/log/can.log`: lines of `candump -L` in a file, or through a FIFO.
    Log(PathBuf),
}

/// Frames that an interface brings: those whose id is `id` in the bits of `mask`, both as
/// `linux/can.h` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    /// With the flags above the id.
    pub id: u32,
    /// Which bits count.
    pub mask: u32,
}

/// Opens a bus. An interface brings what one of the filters names, all where there are none or too
/// many of them, and its errors. The second is whether its frames come when they are on the bus: a
/// file is there from the start.
///
/// # Errors
/// As the system says: not there, no right to, a kernel without CAN.
pub fn open(bus: &Bus, filters: &[Filter]) -> io::Result<(Socket, bool)> {
    match bus {
        Bus::Interface(name) => Ok((frames(kernel::open(name, filters)?)?, true)),
        Bus::Socket(path) => {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let kind = SocketType::SEQPACKET;
            let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
            connect(&socket, &SocketAddrUnix::new(path)?)?;
            Ok((frames(socket.into())?, true))
        }
        Bus::Log(path) => log(path),
    }
}

/// What reads and writes a frame with each call.
fn frames(socket: File) -> io::Result<Socket> {
    let socket = Async::new_nonblocking(socket)?;
    Ok(Socket::Frames(Watched::new(socket)))
}

/// A FIFO is opened to be written as well, so that it has no end when its writer goes; what has no
/// name in a folder cannot be.
fn log(path: &Path) -> io::Result<(Socket, bool)> {
    let kind = FileType::from_raw_mode(rustix::fs::stat(path)?.st_mode);
    let is_named = !path.starts_with("/dev") && !path.starts_with("/proc");
    let access = match kind == FileType::Fifo && is_named {
        true => OFlags::RDWR,
        false => OFlags::RDONLY,
    };
    let flags = access | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    Ok(match kind {
        FileType::RegularFile => (Socket::Stored(file), false),
        FileType::Directory => return Err(Errno::ISDIR.into()),
        _ => {
            let file = Async::new_nonblocking(file)?;
            (Socket::Serial(Watched::new(file)), true)
        }
    })
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => write!(f, "can:{name}"),
            Self::Socket(path) => write!(f, "can:{}", path.display()),
            Self::Log(path) => write!(f, "candump:{}", path.display()),
        }
    }
}

/// Most filters that the kernel takes.
pub const FILTERS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_there_is_an_error_and_a_folder_is_no_log() {
        let missing = Bus::Interface("nocan9".into());
        assert!(open(&missing, &[]).is_err());
        let error = open(&Bus::Log("/".into()), &[]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::ISDIR.raw_os_error()));
    }
}
