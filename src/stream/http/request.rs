//! The head of a request: what weir says of a batch before the batch. Knows no connection.

use super::profile::Login;
use super::profile::Profile;
use super::target::LINE_MAX;
use crate::stream::NetworkEndpoint;
use crate::stream::TlsUse;
use ureq_proto::client::Call;
use ureq_proto::client::SendRequestResult;
use ureq_proto::client::state::Prepare;
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::state::SendBody;
use ureq_proto::http::HeaderMap;
use ureq_proto::http::HeaderName;
use ureq_proto::http::HeaderValue;
use ureq_proto::http::Method;
use ureq_proto::http::Request;
use ureq_proto::http::Uri;
use ureq_proto::http::header;

/// What follows the head of a request.
pub(super) enum Begun {
    /// Its body.
    Body(Call<SendBody>),
    /// The answer: it has none.
    Nothing(Call<RecvResponse>),
}

/// Appends the head of a request to `host`, with a body of `len` bytes, which goes next.
///
/// # Errors
/// What of the configuration cannot be sent; `out` is as before.
pub(super) fn begin(
    profile: &dyn Profile,
    (host, login): (&str, &Login),
    (path, len): (&str, usize),
    out: &mut Vec<u8>,
) -> Result<Begun, String> {
    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(profile.method().as_bytes()).map_err(|error| error.to_string())?;
    *request.uri_mut() = uri(path)?;
    *request.headers_mut() = headers(profile, (host, login), len)?;
    let call = Call::new(request).map_err(|error| error.to_string())?;
    let start = out.len();
    let begun = write(call, out);
    if begun.is_err() {
        out.truncate(start);
    }
    begun
}

fn write(call: Call<Prepare>, out: &mut Vec<u8>) -> Result<Begun, String> {
    let (mut call, start) = (call.proceed(), out.len());
    out.resize(start + HEAD_MAX, 0);
    let written = call.write(out.get_mut(start..).unwrap_or_default());
    let written = written.map_err(|error| error.to_string())?;
    out.truncate(start + written);
    match call.proceed() {
        Ok(Some(SendRequestResult::SendBody(call))) => Ok(Begun::Body(call)),
        Ok(Some(SendRequestResult::RecvResponse(call))) => Ok(Begun::Nothing(call)),
        Ok(None) => Err(format!("the headers have more than {HEADERS_MAX} bytes")),
        Ok(Some(_)) => Err("this method waits before it sends its body".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The path may be a secret: the error does not repeat it.
fn uri(path: &str) -> Result<Uri, String> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    Uri::builder()
        .path_and_query(format!("{slash}{path}"))
        .build()
        .map_err(|error| format!("the path cannot be sent: {error}"))
}

/// weir's own, each replaced by one of the same name in the configuration, but for those that
/// say where the request ends.
fn headers(
    profile: &dyn Profile,
    (host, login): (&str, &Login),
    len: usize,
) -> Result<HeaderMap, String> {
    let (mut headers, frame) = (HeaderMap::new(), profile.frame());
    headers.insert(header::HOST, value(host)?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if let Some(content_type) = frame.content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Some(authorization) = &login.authorization {
        headers.insert(header::AUTHORIZATION, value(authorization)?);
    }
    let mut own = HeaderMap::new();
    for (name, text) in profile.headers() {
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("`{name}` is no name of a header"))?;
        if !FRAMING.contains(&name) {
            own.append(name, value(text)?);
        }
    }
    headers.extend(own);
    if frame.content_type.is_some() {
        if frame.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    }
    Ok(headers)
}

/// The text may be a secret: the error does not repeat it.
fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "a header has control characters".to_owned())
}

/// How requests name the server: the port only where it is not that of the scheme (RFC 9110,
/// section 7.2). What is no server has no name.
pub(super) fn host(server: Option<&NetworkEndpoint<'_>>) -> String {
    let Some(NetworkEndpoint { target, tls, .. }) = server else {
        return String::new();
    };
    let of_scheme = match tls {
        TlsUse::Always => Some(443),
        TlsUse::Never { .. } => Some(80),
        TlsUse::WhereConfigured => None,
    };
    let host = match target.host.contains(':') {
        true => format!("[{}]", target.host),
        false => target.host.clone(),
    };
    match target.port {
        port if Some(port) == of_scheme => host,
        port => format!("{host}:{port}"),
    }
}

const USER_AGENT: &str = concat!("weir/", env!("CARGO_PKG_VERSION"));

/// Headers that say how a body is sent: weir's alone to set.
const FRAMING: [HeaderName; 4] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TRANSFER_ENCODING,
];

/// Longest headers of a request, in bytes.
const HEADERS_MAX: usize = 16 * 1024;

/// Longest head of a request, in bytes.
const HEAD_MAX: usize = LINE_MAX + HEADERS_MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Target;
    use crate::stream::Destination;
    use crate::stream::http::Http;

    fn head(path: &str, headers: &[(&str, &str)]) -> Result<String, String> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let target = Target {
            host: "example.com".into(),
            port: 8080,
        };
        let settings = Http {
            headers: headers.iter().map(own).collect(),
            ..Http::new(target)
        };
        let host = host(settings.endpoint().network());
        let mut out = b">".to_vec();
        let login = Login {
            authorization: Some("Bearer x".into()),
            until: None,
        };
        let result = begin(&settings, (&host, &login), (path, 7), &mut out);
        assert!(result.is_ok() || out == b">");
        result.map(|_| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_request_says_what_it_is() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            head("/in?a=b", &[]).unwrap(),
            format!(
                ">POST /in?a=b HTTP/1.1\r\nhost: example.com:8080\r\nuser-agent: weir/{version}\r\n\
                 content-type: application/json\r\nauthorization: Bearer x\r\n\
                 content-length: 7\r\n\r\n"
            )
        );
    }

    #[test]
    fn headers_of_the_configuration_replace_those_of_weir_but_never_the_length() {
        let text = head(
            "",
            &[
                ("Host", "other"),
                ("X-A", "1"),
                ("x-a", "2"),
                ("Content-Length", "9"),
                ("Transfer-Encoding", "chunked"),
            ],
        )
        .unwrap();
        assert!(
            text.starts_with(">POST / HTTP/1.1\r\nhost: other\r\n"),
            "{text}"
        );
        assert!(text.contains("x-a: 1\r\nx-a: 2\r\n"), "{text}");
        assert!(text.contains("content-length: 7\r\n"), "{text}");
        assert!(!text.contains("chunked") && !text.contains('9'), "{text}");
    }

    #[test]
    fn what_cannot_be_sent_is_said_without_secrets() {
        let path = head("/a b", &[]).unwrap_err();
        assert!(path.starts_with("the path cannot be sent: "), "{path}");
        assert!(!path.contains("/a b"), "{path}");
        assert!(head("/", &[("a b", "")]).unwrap_err().contains("`a b`"));
        let secret = head("/", &[("x", "top\nsecret")]).unwrap_err();
        assert!(!secret.contains("secret"), "{secret}");
        let long = "x".repeat(HEAD_MAX);
        assert!(head("/", &[("x", &long)]).is_err());
    }
}
