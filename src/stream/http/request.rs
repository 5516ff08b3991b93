//! The head of a request: what weir says of a batch before the batch. Knows no connection.

use super::Http;
use super::target::LINE_MAX;
use ureq_proto::client::Call;
use ureq_proto::client::SendRequestResult;
use ureq_proto::client::state::Prepare;
use ureq_proto::client::state::SendBody;
use ureq_proto::http::HeaderMap;
use ureq_proto::http::HeaderName;
use ureq_proto::http::HeaderValue;
use ureq_proto::http::Method;
use ureq_proto::http::Request;
use ureq_proto::http::Uri;
use ureq_proto::http::header;

/// Appends the head of a request with a body of `len` bytes, which goes next.
///
/// # Errors
/// What of the configuration cannot be sent; `out` is as before.
pub(super) fn begin(
    settings: &Http,
    path: &str,
    len: usize,
    out: &mut Vec<u8>,
) -> Result<Call<SendBody>, String> {
    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(settings.method.as_bytes()).map_err(|error| error.to_string())?;
    *request.uri_mut() = uri(path)?;
    *request.headers_mut() = headers(settings, len)?;
    let call = Call::new(request).map_err(|error| error.to_string())?;
    let start = out.len();
    let begun = write(call, out);
    if begun.is_err() {
        out.truncate(start);
    }
    begun
}

fn write(call: Call<Prepare>, out: &mut Vec<u8>) -> Result<Call<SendBody>, String> {
    let (mut call, start) = (call.proceed(), out.len());
    out.resize(start + HEAD_MAX, 0);
    let written = call.write(out.get_mut(start..).unwrap_or_default());
    let written = written.map_err(|error| error.to_string())?;
    out.truncate(start + written);
    match call.proceed() {
        Ok(Some(SendRequestResult::SendBody(call))) => Ok(call),
        Ok(None) => Err(format!("the headers have more than {HEADERS_MAX} bytes")),
        Ok(Some(_)) => Err("this method sends no body".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn uri(path: &str) -> Result<Uri, String> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    Uri::builder()
        .path_and_query(format!("{slash}{path}"))
        .build()
        .map_err(|error| format!("`{path}` is no path: {error}"))
}

/// weir's own, each replaced by one of the same name in the configuration, but for those that
/// say where the request ends.
fn headers(settings: &Http, len: usize) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, value(&host(settings))?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(authorization) = &settings.authorization {
        headers.insert(header::AUTHORIZATION, value(authorization)?);
    }
    let mut own = HeaderMap::new();
    for (name, text) in &settings.headers {
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("`{name}` is no name of a header"))?;
        if !FRAMING.contains(&name) {
            own.append(name, value(text)?);
        }
    }
    headers.extend(own);
    if settings.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    Ok(headers)
}

/// The text may be a secret: the error does not repeat it.
fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "a header has control characters".to_owned())
}

fn host(settings: &Http) -> String {
    let target = &settings.target;
    let default_port = if settings.tls { 443 } else { 80 };
    let host = match target.host.contains(':') {
        true => format!("[{}]", target.host),
        false => target.host.clone(),
    };
    match target.port {
        port if port == default_port => host,
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

    fn head(path: &str, headers: &[(&str, &str)]) -> Result<String, String> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let target = Target {
            host: "example.com".into(),
            port: 8080,
        };
        let settings = Http {
            headers: headers.iter().map(own).collect(),
            authorization: Some("Bearer x".into()),
            ..Http::new(target)
        };
        let mut out = b">".to_vec();
        let result = begin(&settings, path, 7, &mut out);
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
        assert!(head("/a b", &[]).unwrap_err().contains("`/a b` is no path"));
        assert!(head("/", &[("a b", "")]).unwrap_err().contains("`a b`"));
        let secret = head("/", &[("x", "top\nsecret")]).unwrap_err();
        assert!(!secret.contains("secret"), "{secret}");
        let long = "x".repeat(HEAD_MAX);
        assert!(head("/", &[("x", &long)]).is_err());
    }
}
