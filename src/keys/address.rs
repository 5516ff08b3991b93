//! Addresses and networks as the configuration writes them.

use super::context::ValueError;
use super::phrase::shorten;
use crate::net::Address;
use crate::net::Network;
use crate::net::Target;
use crate::net::bus::Bus;
use crate::net::serial::Line;
use crate::net::serial::Parity;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Where to listen: `"0.0.0.0:5027"`, `"udp:0.0.0.0:5027"`, `"unix:/run/weir/in"` or
/// `"serial:/dev/ttyUSB0?baud=9600"`.
pub(crate) fn listen(text: &str) -> Result<Address, ValueError> {
    if let Some(rest) = text.strip_prefix("serial:") {
        return serial(text, rest).map(Address::Serial);
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path);
    }
    let udp = text.strip_prefix("udp:");
    let (prefix, address) = match udp.or_else(|| text.strip_prefix("tcp:")) {
        Some(address) => (text.get(..4).unwrap_or_default(), address),
        None => ("", text),
    };
    let socket: SocketAddr = address.parse().map_err(|_| no_socket(prefix, address))?;
    if socket.port() == 0 {
        return Err(
            ValueError::new("port 0 cannot be listened on").hint(format!(
                "write the port that trackers connect to: `{prefix}{}:5027`",
                socket.ip()
            )),
        );
    }
    Ok(if udp.is_some() {
        Address::Udp(socket)
    } else {
        Address::Tcp(socket)
    })
}

/// The path of a Unix socket.
fn unix(path: &str) -> Result<Address, ValueError> {
    if !path.starts_with('/') {
        return Err(ValueError::new("a socket has a path from the root")
            .hint("write it like `unix:/run/weir/in`"));
    }
    if path.len() > UNIX_PATH_MAX {
        return Err(ValueError::new(format!(
            "a socket's path has at most {UNIX_PATH_MAX} bytes"
        )));
    }
    Ok(Address::Unix(PathBuf::from(path)))
}

/// A device and what follows its `?`; a line has 9600 bits a second, no parity and one stop bit
/// unless that says otherwise.
fn serial(text: &str, rest: &str) -> Result<Line, ValueError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let hint = "write it like `serial:/dev/ttyUSB0?baud=9600`";
    if !path.starts_with("/dev/") || path.len() > SERIAL_PATH_MAX {
        let error = ValueError::new(format!("`{}` is not a device", shorten(path)));
        return Err(error.hint(hint));
    }
    let mut line = Line {
        path: PathBuf::from(path),
        baud: 9600,
        parity: Parity::None,
        two_stop_bits: false,
    };
    let mut start = text.len() - query.len();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let set = set(&mut line, pair.split_once('=').unwrap_or((pair, "")));
        set.map_err(|error| error.at(start..start + pair.len()))?;
        start += pair.len() + 1;
    }
    Ok(line)
}

/// One setting of a serial line.
fn set(line: &mut Line, (key, value): (&str, &str)) -> Result<(), ValueError> {
    match (key, value) {
        ("baud", baud) => {
            let baud = baud.parse().ok().filter(|baud| BAUD.contains(baud));
            line.baud = baud.ok_or_else(|| {
                let (least, most) = (BAUD.start(), BAUD.end());
                ValueError::new(format!("`baud` is from {least} to {most}"))
                    .hint("write `baud=9600`")
            })?;
        }
        ("parity", "none") => line.parity = Parity::None,
        ("parity", "even") => line.parity = Parity::Even,
        ("parity", "odd") => line.parity = Parity::Odd,
        ("parity", _) => {
            let error = ValueError::new("`parity` is `none`, `even` or `odd`");
            return Err(error.hint("leave it out where there is none"));
        }
        ("stop", "1") => line.two_stop_bits = false,
        ("stop", "2") => line.two_stop_bits = true,
        ("stop", _) => {
            let error = ValueError::new("`stop` is 1 or 2");
            return Err(error.hint("leave it out where it is 1"));
        }
        (unknown, _) => {
            let error = ValueError::new(format!("unknown setting `{}`", shorten(unknown)));
            return Err(error.hint("known are `baud`, `parity`, `stop`"));
        }
    }
    Ok(())
}

/// A bus: `"can:can0"`, `"can:/run/bus"`, `"candump:/var/log/can.log"`.
pub(crate) fn bus(text: &str) -> Result<Bus, ValueError> {
    let hint = "write it like `can:can0` or `candump:/var/log/can.log`";
    if let Some(path) = text.strip_prefix("candump:") {
        return match path.starts_with('/') {
            true => Ok(Bus::Log(PathBuf::from(path))),
            false => Err(ValueError::new("a log has a path from the root").hint(hint)),
        };
    }
    let name = text.strip_prefix("can:").unwrap_or(text);
    if name.starts_with('/') {
        return match unix(name)? {
            Address::Unix(path) => Ok(Bus::Socket(path)),
            _ => Err(ValueError::new("not a socket").hint(hint)),
        };
    }
    let of_name = |c: char| c.is_ascii_graphic() && c != '/' && c != ':';
    let fits = (1..=INTERFACE_MAX).contains(&name.len());
    if !fits || !name.chars().all(of_name) {
        let error = ValueError::new(format!("`{}` is not an interface", shorten(name)));
        return Err(error.hint(hint));
    }
    Ok(Bus::Interface(name.to_owned()))
}

/// That `address` is none, and the one that its author may have meant.
fn no_socket(prefix: &str, address: &str) -> ValueError {
    let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
    let port = if port == "0" { "5027" } else { port };
    let error = ValueError::new(format!(
        "`{}` is not an address with a port",
        shorten(address)
    ));
    let hint = match (host, port.parse::<u16>()) {
        ("" | "*", Ok(port)) => format!("write `{prefix}0.0.0.0:{port}`"),
        ("localhost", Ok(port)) => format!("write `{prefix}127.0.0.1:{port}`"),
        (host, Ok(port)) if host.contains(':') => format!("write `{prefix}[{host}]:{port}`"),
        _ if address.parse::<IpAddr>().is_ok() => format!("write `{prefix}{address}:5027`"),
        _ => "write it like `0.0.0.0:5027`, `[::]:5027` or `unix:/run/weir/in`".to_owned(),
    };
    error.hint(hint)
}

/// A network: `"192.168.1.0/24"`, or one address.
pub(crate) fn network(text: &str) -> Result<Network, ValueError> {
    let no_network = || {
        ValueError::new(format!("`{}` is not a network", shorten(text)))
            .hint("write it like `192.168.1.0/24` or `10.0.0.7`")
    };
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| no_network())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), |bits| {
        bits.parse::<u8>().map_err(|_| no_network())
    })?;
    if bits > most {
        return Err(ValueError::new(format!(
            "`{address}` has {most} bits, not {bits}"
        )));
    }
    Ok(Network { address, bits })
}

/// Loopback and private networks: who may connect unless `allow` says otherwise.
pub(crate) fn private_networks() -> Vec<Network> {
    PRIVATE
        .iter()
        .filter_map(|text| network(text).ok())
        .collect()
}

/// Where to connect to: `"host:port"`.
pub(crate) fn target(text: &str) -> Result<Target, ValueError> {
    let hint = "write it like `193.193.165.165:20332`";
    if text.contains("://") {
        return Err(ValueError::new("an address has no scheme").hint(hint));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(ValueError::new("an address has a port").hint(hint));
    };
    let port_at = host.len() + 1..text.len();
    let port = self::port(port).map_err(|error| error.at(port_at))?;
    Ok(Target {
        host: self::host(host)?,
        port,
    })
}

/// A port to connect to.
pub(crate) fn port(text: &str) -> Result<u16, ValueError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port > 0)
        .ok_or_else(|| {
            ValueError::new(format!("`{}` is not a port", shorten(text)))
                .hint("a port is from 1 to 65535")
        })
}

/// A host to connect to: a name, or an address, one of IP version 6 in brackets (which go).
pub(crate) fn host(text: &str) -> Result<String, ValueError> {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        let address: Result<std::net::Ipv6Addr, _> = inner.parse();
        let error = |_| ValueError::new(format!("`{}` is not an address", shorten(inner)));
        return address.map(|address| address.to_string()).map_err(error);
    }
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() {
        return Err(ValueError::new("there is no host"));
    }
    let like = "write it like `broker.example.com`";
    match text.char_indices().find(|(_, c)| !of_name(*c)) {
        Some((at, ':')) if text.get(at + 1..).is_some_and(is_digits) => {
            let host = text.get(..at).unwrap_or_default();
            Err(ValueError::new("there is no port here").hint(format!("write `{host}`")))
        }
        Some((at, ':')) => Err(ValueError::new("there are too many `:`")
            .at(at..at + 1)
            .hint("an address of IP version 6 stands in brackets: `[::1]:80`")),
        Some((at, bad)) => Err(
            ValueError::new(format!("{bad:?} cannot be in the name of a host"))
                .at(at..at + bad.len_utf8())
                .hint(like),
        ),
        None if text.len() > HOST_MAX => Err(ValueError::new(format!(
            "the name of a host has at most {HOST_MAX} bytes"
        ))),
        None => Ok(text.to_owned()),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is this machine, so that nobody else hears what is sent.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// RFC 1918, RFC 4193, and what never leaves a machine or a link.
const PRIVATE: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// What a bus begins with.
pub(crate) const BUS: [&str; 2] = ["can:", "candump:"];

/// Bytes of an interface's name: `IFNAMSIZ` is 16 with the NUL behind.
const INTERFACE_MAX: usize = 15;

/// Bytes of a socket's path: `sun_path` has 108 with the NUL behind.
const UNIX_PATH_MAX: usize = 107;

/// Bytes of the path of a device: there is none as long.
const SERIAL_PATH_MAX: usize = 255;

/// Bits a second, from teleprinters to the fastest USB adapters.
const BAUD: RangeInclusive<u32> = 50..=4_000_000;

/// Bytes of a host's name, as DNS has it.
const HOST_MAX: usize = 253;
