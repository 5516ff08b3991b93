//! Addresses and networks as the configuration writes them.

use super::context::Wrong;
use super::context::shorten;
use super::later;
use crate::net::Address;
use crate::net::Network;
use crate::net::Target;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where to listen: `"0.0.0.0:5027"`, `"udp:0.0.0.0:5027"` or `"unix:/run/weir/in"`.
pub(super) fn listen(text: &str) -> Result<Address, Wrong> {
    if text.starts_with("serial:") && later::is_value("listen", "serial:") {
        return Err(Wrong::new("`serial:` is not supported yet")
            .at(0..7)
            .hint("listen on TCP, UDP or a Unix socket"));
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
        return Err(Wrong::new("port 0 cannot be listened on").hint(format!(
            "write the port that trackers connect to: `{prefix}{}:5027`",
            socket.ip()
        )));
    }
    Ok(if udp.is_some() {
        Address::Udp(socket)
    } else {
        Address::Tcp(socket)
    })
}

/// The path of a Unix socket.
fn unix(path: &str) -> Result<Address, Wrong> {
    if !path.starts_with('/') {
        return Err(Wrong::new("a socket has a path from the root")
            .hint("write it like `unix:/run/weir/in`"));
    }
    if path.len() > UNIX_PATH_MAX {
        return Err(Wrong::new(format!(
            "a socket's path has at most {UNIX_PATH_MAX} bytes"
        )));
    }
    Ok(Address::Unix(PathBuf::from(path)))
}

/// That `address` is none, and the one that its author may have meant.
fn no_socket(prefix: &str, address: &str) -> Wrong {
    let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
    let wrong = Wrong::new(format!(
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
    wrong.hint(hint)
}

/// A network: `"192.168.1.0/24"`, or one address.
pub(super) fn network(text: &str) -> Result<Network, Wrong> {
    let no_network = || {
        Wrong::new(format!("`{}` is not a network", shorten(text)))
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
        return Err(Wrong::new(format!(
            "`{address}` has {most} bits, not {bits}"
        )));
    }
    Ok(Network { address, bits })
}

/// Loopback and private networks: who may connect unless `allow` says otherwise.
pub(super) fn private_networks() -> Vec<Network> {
    PRIVATE
        .iter()
        .filter_map(|text| network(text).ok())
        .collect()
}

/// Where to connect to: `"host:port"`.
pub(super) fn target(text: &str) -> Result<Target, Wrong> {
    let hint = "write it like `193.193.165.165:20332`";
    if text.contains("://") {
        return Err(Wrong::new("an address has no scheme").hint(hint));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Wrong::new("an address has a port").hint(hint));
    };
    let port_at = host.len() + 1..text.len();
    let port = self::port(port).map_err(|wrong| wrong.at(port_at))?;
    Ok(Target {
        host: self::host(host)?,
        port,
    })
}

/// A port to connect to.
pub(super) fn port(text: &str) -> Result<u16, Wrong> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port > 0)
        .ok_or_else(|| {
            Wrong::new(format!("`{}` is not a port", shorten(text)))
                .hint("a port is from 1 to 65535")
        })
}

/// A host to connect to: a name, or an address, one of IP version 6 in brackets (which go).
pub(super) fn host(text: &str) -> Result<String, Wrong> {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        let address: Result<std::net::Ipv6Addr, _> = inner.parse();
        let wrong = |_| Wrong::new(format!("`{}` is not an address", shorten(inner)));
        return address.map(|address| address.to_string()).map_err(wrong);
    }
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() {
        return Err(Wrong::new("there is no host"));
    }
    match text.char_indices().find(|(_, c)| !of_name(*c)) {
        Some((at, ':')) => Err(Wrong::new("there are too many `:`")
            .at(at..at + 1)
            .hint("an address of IP version 6 stands in brackets: `[::1]:80`")),
        Some((at, bad)) => Err(
            Wrong::new(format!("{bad:?} cannot be in the name of a host"))
                .at(at..at + bad.len_utf8()),
        ),
        None if text.len() > HOST_MAX => Err(Wrong::new(format!(
            "the name of a host has at most {HOST_MAX} bytes"
        ))),
        None => Ok(text.to_owned()),
    }
}

/// Whether it is this machine, so that nobody else hears what is sent.
pub(super) fn is_loopback(host: &str) -> bool {
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

/// Bytes of a socket's path: `sun_path` has 108 with the NUL behind.
const UNIX_PATH_MAX: usize = 107;

/// Bytes of a host's name, as DNS has it.
const HOST_MAX: usize = 253;
