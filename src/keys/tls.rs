//! `tls`: certificates, keys and who is believed.

use super::address;
use super::context::Text;
use super::context::ValueError;
use super::named::Named;
use super::reader::Reader;
use super::text::path;
use crate::hex;
use crate::net::tls::Identity;
use crate::net::tls::Roots;
use crate::net::tls::Tls;
use std::path::PathBuf;

/// The keys of whoever connects.
pub(crate) fn client(mut table: Reader<'_>) -> Tls {
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
pub(crate) fn identity(table: &mut Reader<'_>, role: &str) -> Option<Identity> {
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
pub(crate) fn issuers(table: &mut Reader<'_>, key: &'static str) -> Option<PathBuf> {
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
        let error = || ValueError::new(format!("a protocol has 1 to {ALPN_LEN_MAX} bytes"));
        table.parse(text, |name| fits.then(|| name.to_owned()).ok_or_else(error))
    };
    texts.iter().filter_map(name).collect()
}

fn fingerprint(text: &str) -> Result<[u8; 32], ValueError> {
    let error = || {
        ValueError::new("a fingerprint is SHA-256 in 64 hex digits").hint(
            "`openssl x509 -in FILE -noout -fingerprint -sha256` prints it; `:` may stay in it",
        )
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return Err(error());
    }
    let (pairs, _) = digits.as_chunks();
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = hex::byte(*pair).ok_or_else(error)?;
    }
    Ok(bytes)
}

/// The mistake of who asks for TLS where there is none, and what to do.
pub(crate) const LEFT_OUT: &str = "this program was built without TLS";
pub(crate) const INSTEAD: &str = "take one that was built with the feature `tls`";

/// Bytes of a protocol's name in ALPN: RFC 7301, section 3.1.
const ALPN_LEN_MAX: usize = 255;

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
}
