//! URLs of destinations: `scheme://user:password@host:port/path?query`.
//!
//! Knows no scheme; callers bring those that they speak.

use super::address;
use super::context::ValueError;
use super::diagnostic::DiagnosticAt;
use super::phrase::list;
use super::phrase::shorten;
use super::reader::Reader;
use crate::hex;
use crate::net::Target;
use std::ops::Range;

/// A URL in its parts.
#[derive(Debug)]
pub(crate) struct Url<'a> {
    /// Host and port.
    pub(crate) target: Target,
    /// As decoded.
    pub(crate) user: Option<String>,
    /// As decoded.
    pub(crate) password: Option<String>,
    /// Path and query, from its `/` on; empty if there is none.
    pub(crate) path: &'a str,
    /// Where that begins in the URL.
    pub(crate) path_at: usize,
    /// Whether the scheme says so.
    pub(crate) tls: bool,
}

/// A scheme that a destination speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheme {
    /// Without `://`.
    pub(crate) name: &'static str,
    /// Where the URL names none.
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// Reads a URL.
pub(crate) fn parse<'a>(text: &'a str, schemes: &[Scheme]) -> Result<Url<'a>, ValueError> {
    let names: Vec<&str> = schemes.iter().map(|scheme| scheme.name).collect();
    let like = names
        .first()
        .map(|name| format!("write it like `{name}://example.com`"));
    let Some((name, rest)) = text.split_once("://") else {
        return Err(ValueError::new("not a URL").hint(like.unwrap_or_default()));
    };
    let scheme = scheme(name, schemes).map_err(|error| error.at(0..name.len()))?;
    if let Some((at, bad)) = text.char_indices().find(|(_, c)| !c.is_ascii_graphic()) {
        return Err(ValueError::new(format!("{bad:?} cannot be in a URL"))
            .at(at..at + bad.len_utf8())
            .hint("write it as `%XX`"));
    }
    if let Some(at) = text.find('#') {
        return Err(ValueError::new("`#` cannot be in the URL of a destination").at(at..text.len()));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user_info, host_port) = match authority.rsplit_once('@') {
        Some((user_info, host_port)) => (Some(user_info), host_port),
        None => (None, authority),
    };
    let host_at = text.len() - path.len() - host_port.len();
    let target = target(host_port, scheme.port).map_err(|error| {
        if user_info.is_none() && path.contains('@') {
            // what looks like a host is the head of a password
            return ValueError::new("neither a host nor a user and a password")
                .hint("write `/`, `?`, `@` and `%` of a password as `%XX`");
        }
        shifted(error, host_at, host_port)
    })?;
    // what is wrong is not shown: it may be a password
    let error = || ValueError::new("user and password of the URL are not UTF-8 in `%XX`");
    let decode = |text: &str| decode(text).ok_or_else(error);
    let (user, password) = match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
        Some((user, "")) => (Some(decode(user)?), None),
        Some((user, password)) => (Some(decode(user)?), Some(decode(password)?)),
        None => (None, None),
    };
    Ok(Url {
        target,
        user,
        password,
        path,
        path_at: text.len() - path.len(),
        tls: scheme.tls,
    })
}

/// The scheme of this name.
fn scheme(name: &str, schemes: &[Scheme]) -> Result<Scheme, ValueError> {
    if let Some(scheme) = schemes.iter().find(|scheme| scheme.name == name) {
        return Ok(*scheme);
    }
    let names: Vec<&str> = schemes.iter().map(|scheme| scheme.name).collect();
    Err(
        ValueError::new(format!("unknown scheme `{}`", shorten(name)))
            .hint(format!("known are {}", list(&names))),
    )
}

/// The wrong part of a host, as one of the URL.
fn shifted(error: ValueError, by: usize, whole: &str) -> ValueError {
    let at = error.at.clone().unwrap_or(0..whole.len());
    error.at(at.start + by..at.end + by)
}

/// The host of a platform that is spoken to by HTTPS, with or without `https://` and a port.
pub(crate) fn https_host(text: &str) -> Result<Target, ValueError> {
    let hint = "write a host: `name.example.com`, or `https://name.example.com`";
    let host = text.strip_prefix("https://").unwrap_or(text);
    let host = host.strip_suffix('/').unwrap_or(host);
    match host {
        _ if host.contains("://") => Err(ValueError::new("it is reached by HTTPS").hint(hint)),
        _ if host.contains(['/', '?', '@']) => {
            Err(ValueError::new("a host, and nothing more, is what stands here").hint(hint))
        }
        host => target(host, 443),
    }
}

/// Host and port; `default` where there is no port.
pub(crate) fn target(text: &str, default: u16) -> Result<Target, ValueError> {
    // the last `:` begins a port unless it is within brackets
    let colon = text
        .rfind(':')
        .filter(|colon| text.rfind(']').is_none_or(|end| end < *colon));
    let Some(colon) = colon else {
        return Ok(Target {
            host: address::host(text)?,
            port: default,
        });
    };
    let (host, port) = text.split_at(colon);
    let port_at: Range<usize> = colon + 1..text.len();
    let port = address::port(port.trim_start_matches(':')).map_err(|error| error.at(port_at))?;
    Ok(Target {
        host: address::host(host)?,
        port,
    })
}

/// The text with every `%XX` as its byte; none where that is no UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::try_from(hex::number(code)?).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Without TLS whoever is on the way reads what a login is made of.
pub(crate) fn warn_of_plain_text(reader: &Reader<'_>, target: &Target) {
    if !address::is_loopback(&target.host) {
        let message = "user and password go through the network as they are";
        let diagnostic = DiagnosticAt::warning(reader.value_place("url"), message);
        reader
            .context()
            .note(diagnostic.hint("without TLS use a private network or a tunnel"));
    }
}
