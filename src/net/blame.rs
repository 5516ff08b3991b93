//! What an error of the system means for whoever has to do something about it. The kind stays.

use super::Address;
use super::bus::Bus;
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// Why there is no connection.
pub(super) fn connecting(error: &io::Error) -> io::Error {
    let words = match errno(error) {
        Some(Errno::CONNREFUSED) => "connection refused",
        Some(Errno::TIMEDOUT) => "no answer",
        Some(Errno::NETUNREACH) => "no route there",
        Some(Errno::HOSTUNREACH) => "no way to this host",
        Some(Errno::ACCESS | Errno::PERM) => "a rule of this machine's firewall forbids it",
        _ => return same(error),
    };
    io::Error::new(error.kind(), words)
}

/// Why nothing listens on an address.
#[must_use]
pub fn listening(address: &Address, error: &io::Error) -> io::Error {
    let denied = matches!(errno(error), Some(Errno::ACCESS | Errno::PERM));
    let words = match (address, errno(error)) {
        (Address::Tcp(at) | Address::Udp(at), _) if denied && at.port() < PRIVILEGED_END => {
            format!(
                "no permission: ports below {PRIVILEGED_END} need CAP_NET_BIND_SERVICE (in the \
                 unit's `AmbientCapabilities=` and `CapabilityBoundingSet=`), or take another port"
            )
        }
        (Address::Tcp(_) | Address::Udp(_), Some(Errno::ADDRNOTAVAIL)) => {
            "no interface of this machine has this address".to_owned()
        }
        (_, Some(Errno::ADDRINUSE)) => "in use by another program".to_owned(),
        (Address::Unix(path), _) => return file(path, error),
        (Address::Serial(line), _) if denied => {
            let line = line.path.display();
            format!("no permission: who runs weir has to be in the group of `{line}`")
        }
        (Address::Serial(_), Some(Errno::NOENT | Errno::NODEV | Errno::NXIO)) => {
            "there is no such device, or the unit hides it (`PrivateDevices=no` shows it)"
                .to_owned()
        }
        (Address::Serial(_), Some(Errno::NOTTY)) => "not a serial line".to_owned(),
        (Address::Bus(bus), errno) => match this_bus(bus, errno) {
            Some(words) => words.to_owned(),
            None => return same(error),
        },
        _ if denied => "no permission".to_owned(),
        _ => return same(error),
    };
    io::Error::new(error.kind(), words)
}

/// Why a bus is not heard.
fn this_bus(bus: &Bus, errno: Option<Errno>) -> Option<&'static str> {
    Some(match (bus, errno?) {
        (_, Errno::ACCESS | Errno::PERM) => "no permission",
        (Bus::Interface(_), Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT) => {
            "the kernel has no CAN, or the unit lacks `RestrictAddressFamilies=AF_CAN`"
        }
        (Bus::Interface(_), Errno::NODEV | Errno::NXIO) => "there is no such CAN interface",
        (Bus::Interface(_), Errno::NETDOWN) => "the interface is down",
        (Bus::Socket(_) | Bus::Log(_), Errno::NOENT) => "there is no such file",
        (Bus::Socket(_), Errno::CONNREFUSED) => "nobody listens there",
        (Bus::Log(_), Errno::ISDIR) => "it is a folder",
        _ => return None,
    })
}

/// Why a file, or a socket with a name, cannot be made or written.
#[must_use]
pub fn file(path: &Path, error: &io::Error) -> io::Error {
    let folder = path.parent().unwrap_or(Path::new("/")).display();
    let words = match errno(error) {
        Some(Errno::ACCESS | Errno::PERM) => {
            format!("no permission: who runs weir must be able to write to it and to `{folder}`")
        }
        Some(Errno::ROFS) => "the file system is read-only".to_owned(),
        Some(Errno::NOSPC | Errno::DQUOT) => "no space left".to_owned(),
        Some(Errno::NOENT | Errno::NOTDIR) => format!("there is no folder `{folder}`"),
        Some(Errno::ISDIR) => "it is a folder".to_owned(),
        Some(Errno::IO) => "the disk failed".to_owned(),
        _ => return same(error),
    };
    io::Error::new(error.kind(), words)
}

fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

/// As the system says.
fn same(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Where ports begin that everybody may bind, unless the system says otherwise.
const PRIVILEGED_END: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::serial::Line;
    use crate::net::serial::Parity;

    #[test]
    fn why_nobody_is_reached_tells_refused_from_silent_and_from_no_route() {
        for (errno, words) in [
            (Errno::CONNREFUSED, "connection refused"),
            (Errno::TIMEDOUT, "no answer"),
            (Errno::NETUNREACH, "no route there"),
            (Errno::HOSTUNREACH, "no way to this host"),
            (Errno::PERM, "a rule of this machine's firewall forbids it"),
            (Errno::CONNRESET, "Connection reset by peer (os error 104)"),
        ] {
            let error = io::Error::from(errno);
            let told = connecting(&error);
            assert_eq!((told.kind(), &*told.to_string()), (error.kind(), words));
        }
    }

    #[test]
    fn why_an_address_is_not_listened_on_says_who_can_mend_it() {
        let tcp = |port| Address::Tcp(([0, 0, 0, 0], port).into());
        let udp = Address::Udp(([0, 0, 0, 0], 162).into());
        let unix = Address::Unix("/run/weir/in".into());
        let serial = Address::Serial(Line {
            path: "/dev/ttyS1".into(),
            baud: 9600,
            parity: Parity::None,
            two_stop_bits: false,
        });
        for (address, errno, words) in [
            (&tcp(80), Errno::ACCESS, "need CAP_NET_BIND_SERVICE"),
            (&udp, Errno::ACCESS, "need CAP_NET_BIND_SERVICE"),
            (&tcp(5027), Errno::ACCESS, "no permission"),
            (&tcp(5027), Errno::ADDRINUSE, "in use by another program"),
            (&tcp(5027), Errno::ADDRNOTAVAIL, "no interface"),
            (&unix, Errno::ADDRINUSE, "in use by another program"),
            (&unix, Errno::NOENT, "there is no folder `/run/weir`"),
            (&unix, Errno::ACCESS, "write to it and to `/run/weir`"),
            (&unix, Errno::ROFS, "the file system is read-only"),
            (&serial, Errno::NOENT, "there is no such device"),
            (&serial, Errno::ACCESS, "in the group of `/dev/ttyS1`"),
            (&serial, Errno::NOTTY, "not a serial line"),
        ] {
            let told = listening(address, &errno.into()).to_string();
            assert!(told.contains(words), "{address}, {errno}: {told}");
            assert!(!told.contains("os error"), "{address}, {errno}: {told}");
        }
        let told = listening(&tcp(5027), &Errno::ACCESS.into()).to_string();
        assert_eq!(told, "no permission");
    }

    #[test]
    fn why_a_file_is_not_written_blames_what_is_at_fault() {
        for (errno, words) in [
            (Errno::ACCESS, "no permission"),
            (Errno::ROFS, "the file system is read-only"),
            (Errno::NOSPC, "no space left"),
            (Errno::DQUOT, "no space left"),
            (Errno::NOENT, "there is no folder `/data/out`"),
            (Errno::ISDIR, "it is a folder"),
            (Errno::IO, "the disk failed"),
        ] {
            let told = file(Path::new("/data/out/log.json"), &errno.into()).to_string();
            assert!(told.starts_with(words), "{errno}: {told}");
        }
    }
}
