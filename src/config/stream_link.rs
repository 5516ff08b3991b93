//! `[[stream]]`: how the connection is made: `bind` and `tls`.

use super::address;
use super::context::Text;
use super::context::Wrong;
use super::premises::Named;
use super::reader::Reader;
use super::section::path;
use crate::net::Bind;
use crate::net::tls::Identity;
use crate::net::tls::Roots;
use crate::net::tls::Tls;
use crate::stream::settings::Destination;
use std::net::IpAddr;
use std::path::PathBuf;

/// `bind`; none for what makes no connection, and noted.
pub(super) fn bind(reader: &mut Reader<'_>, destination: Option<&Destination>) -> Option<Bind> {
    let bind = reader.parsed("bind", local);
    if let Some(Destination::File(_)) = destination {
        refuse(reader, "bind", "a file is not connected to");
    }
    bind
}

/// TLS where it is spoken, with the keys of `tls`.
pub(super) fn tls(reader: &mut Reader<'_>, destination: Option<&Destination>) -> Option<Tls> {
    let table = reader.table("tls");
    let has_table = table.is_some();
    let tls = table.map_or_else(Tls::default, keys);
    let speaks = match destination? {
        Destination::Http(http) => http.tls,
        Destination::Mqtt(mqtt) => mqtt.tls,
        Destination::WialonRetranslator(_) => return has_table.then_some(tls),
        Destination::File(_) => {
            refuse(reader, "tls", "a file is not connected to");
            false
        }
    };
    if has_table && !speaks && reader.has("url") {
        let scheme = match destination {
            Some(Destination::Mqtt(_)) => "mqtts://",
            _ => "https://",
        };
        let hint = format!("write `{scheme}` in `url`, or leave `tls` out");
        reader.error(reader.place_of("tls"), "`url` says no TLS", hint);
    }
    speaks.then_some(tls)
}

fn refuse(reader: &Reader<'_>, key: &'static str, why: &str) {
    if reader.has(key) {
        reader.error(reader.place_of(key), why, format!("leave `{key}` out"));
    }
}

/// The keys of whoever connects.
pub(super) fn keys(mut table: Reader<'_>) -> Tls {
    let roots = [("system", Roots::System), ("built-in", Roots::BuiltIn)];
    let tls = Tls {
        ca: issuers(&mut table, "ca"),
        roots: table.choice("roots", &roots),
        identity: identity(&mut table, "client"),
        server_name: table.parsed("server_name", address::host),
        alpn: alpn(&mut table),
        fingerprint: table.parsed("fingerprint", fingerprint),
    };
    table.finish();
    tls
}

/// `certificate` and `key`, which go together, of a `"client"` or a `"server"`.
pub(super) fn identity(table: &mut Reader<'_>, role: &str) -> Option<Identity> {
    let certificate = table.parsed("certificate", path);
    let key = table.parsed("key", path);
    for (one, other, ending) in [("certificate", "key", "key"), ("key", "certificate", "pem")] {
        if table.has(one) && !table.has(other) {
            let message = format!("`{one}` needs `{other}`");
            let hint = format!("write `{other} = \"/etc/weir/{role}.{ending}\"` as well");
            table.error(table.place_of(one), message, hint);
        }
    }
    let identity = Identity {
        certificate: certificate?,
        key: key?,
    };
    table.context().name(Named::Identity {
        identity: identity.clone(),
        certificate: table.value_place("certificate"),
        key: table.value_place("key"),
    });
    Some(identity)
}

/// A file of issuers.
pub(super) fn issuers(table: &mut Reader<'_>, key: &'static str) -> Option<PathBuf> {
    let file = table.parsed(key, path)?;
    table.context().name(Named::Issuers {
        key,
        file: file.clone(),
        place: table.value_place(key),
    });
    Some(file)
}

fn alpn(table: &mut Reader<'_>) -> Vec<String> {
    let texts = table.texts("alpn").unwrap_or_default();
    let name = |text: &Text| {
        let fits = (1..=ALPN_LEN_MAX).contains(&text.value.len());
        let wrong = || Wrong::new(format!("a protocol has 1 to {ALPN_LEN_MAX} bytes"));
        table.parse(text, |name| fits.then(|| name.to_owned()).ok_or_else(wrong))
    };
    texts.iter().filter_map(name).collect()
}

fn fingerprint(text: &str) -> Result<[u8; 32], Wrong> {
    let wrong = || {
        Wrong::new("a fingerprint is SHA-256 in 64 hex digits").hint(
            "`openssl x509 -in FILE -noout -fingerprint -sha256` prints it; `:` may stay in it",
        )
    };
    let digits: Vec<char> = text.chars().filter(|c| *c != ':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return Err(wrong());
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let number = pair.iter().try_fold(0, |number, digit| {
            digit.to_digit(16).map(|digit| number * 16 + digit)
        });
        *byte = number
            .and_then(|number| u8::try_from(number).ok())
            .ok_or_else(wrong)?;
    }
    Ok(bytes)
}

/// An address of this machine, or the name of an interface.
fn local(text: &str) -> Result<Bind, Wrong> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return match address.is_unspecified() {
            true => Err(Wrong::new("that is every address").hint("leave `bind` out")),
            false => Ok(Bind::Address(address)),
        };
    }
    let of_name = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    if text.is_empty() || text.len() > INTERFACE_LEN_MAX || !text.chars().all(of_name) {
        return Err(Wrong::new("neither an address nor an interface")
            .hint("write it like `10.0.0.7` or `wwan0`"));
    }
    Ok(Bind::Interface(text.to_owned()))
}

/// Bytes of a protocol's name in ALPN: RFC 7301, section 3.1.
const ALPN_LEN_MAX: usize = 255;

/// Bytes of an interface's name: `IFNAMSIZ` without the NUL behind.
const INTERFACE_LEN_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_colons_and_without() {
        let plain = "00ff".repeat(16);
        let colons = "00:FF:".repeat(16);
        let bytes: Vec<u8> = [0, 255].repeat(16);
        assert_eq!(fingerprint(&plain).unwrap(), *bytes);
        assert_eq!(fingerprint(colons.trim_end_matches(':')).unwrap(), *bytes);
        assert!(fingerprint(&plain[1..]).is_err());
        assert!(fingerprint(&"0g".repeat(32)).is_err());
    }

    #[test]
    fn a_connection_leaves_from_an_address_or_an_interface() {
        let address = "fd00::7".parse().unwrap();
        assert_eq!(local("fd00::7"), Ok(Bind::Address(address)));
        assert_eq!(local("wwan0"), Ok(Bind::Interface("wwan0".into())));
        assert!(local("0.0.0.0").is_err());
        assert!(local("an interface").is_err());
        assert!(local("10.0.0.7:80").is_err());
    }
}
