//! The head of an answer that breaks the rules: of what can be read of it, the status counts.
//! Knows no connection.
//!
//! A server that has taken a batch and writes its headers badly would be sent the same batch for
//! ever otherwise. Where its body ends cannot be told then, so the connection is of no more use.

use crate::stream::Disconnect;
use ureq_proto::http::HeaderName;
use ureq_proto::http::HeaderValue;
use ureq_proto::http::Response;
use ureq_proto::http::header;

/// The status line at the head of `input` and the headers that matter, as far as they can be read;
/// none while the line has not come or where it is none.
pub(super) fn read(input: &[u8]) -> Option<Response<()>> {
    let mut lines = head(input).split_inclusive(|byte| *byte == b'\n');
    let status = status(lines.next()?)?;
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(header) {
        response = response.header(name, value);
    }
    response.body(()).ok()
}

/// How long the head at the head of `input` is; none while it is not whole.
pub(super) fn len(input: &[u8]) -> Option<usize> {
    let mut len = 0;
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        len += line.len();
        if matches!(line, b"\r\n" | b"\n") {
            return Some(len);
        }
    }
    None
}

/// A head that breaks the rules or is too long: how many bytes it has, and what can be read of it.
pub(super) fn broken(
    input: &[u8],
    error: Option<ureq_proto::Error>,
) -> Result<(usize, Response<()>), Disconnect> {
    match read(input) {
        // the answer stands behind it, if it can be told where it ends
        Some(response) if is_interim(&response) => len(input).map(|len| (len, response)),
        Some(response) => Some((0, response)),
        None => None,
    }
    .ok_or_else(|| match error {
        Some(error) => super::exchange::wrong(&error),
        None => Disconnect::new(0, "the head of the answer is too long"),
    })
}

/// Whether the answer itself is still to come.
pub(super) fn is_interim(response: &Response<()>) -> bool {
    response.status().is_informational() && response.status().as_u16() != 101
}

fn head(input: &[u8]) -> &[u8] {
    let len = len(input).unwrap_or(input.len());
    input.get(..len).unwrap_or(input)
}

/// `HTTP/1.1 200 OK`, or 1.0; the line must be whole.
fn status(line: &[u8]) -> Option<u16> {
    let line = line.strip_suffix(b"\n").map(|_| line)?;
    let line = str::from_utf8(line.get(..STATUS_LEN)?).ok()?;
    let (version, rest) = line.split_at_checked("HTTP/1.x ".len())?;
    let (status, end) = rest.split_at_checked(3)?;
    let known = matches!(version, "HTTP/1.1 " | "HTTP/1.0 ");
    let digits = status.bytes().all(|byte| byte.is_ascii_digit());
    let ends = end.chars().all(char::is_whitespace);
    let status = status.parse().ok().filter(|_| known && digits && ends);
    status.filter(|status| *status >= 100)
}

/// A header that changes what a status means, if this line is one.
fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let line = line.strip_suffix(b"\n")?;
    let (name, value) = str::from_utf8(line).ok()?.split_once(':')?;
    let known = KNOWN
        .iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(name.trim()))?;
    let value = HeaderValue::from_str(value.trim()).ok()?;
    Some((known.clone(), value))
}

/// `HTTP/1.1 200` and what ends it, a blank or the end of the line.
const STATUS_LEN: usize = "HTTP/1.1 200 ".len();

const KNOWN: [HeaderName; 3] = [header::RETRY_AFTER, header::DATE, header::ACCEPT_ENCODING];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read_whatever_follows() {
        for (text, wanted) in [
            ("HTTP/1.1 200 OK\r\nA : b\r\n", Some(200)),
            ("HTTP/1.0 503\r\n", Some(503)),
            ("HTTP/1.1 503 X\r\nDate: \u{1}\r\n", Some(503)),
            ("HTTP/1.1 204\n\u{1}é", Some(204)),
            ("HTTP/1.1 503 X\r\nRetry-After: 3", Some(503)),
            ("HTTP/1.1 200", None),
            ("HTTP/1.1 200 O", None),
            ("HTTP/1.1 2000 OK\r\n", None),
            ("HTTP/1.1 099 OK\r\n", None),
            ("HTTP/1.1 +20 OK\r\n", None),
            ("HTTP/2.0 200 OK\r\n", None),
            ("ICY 200 OK\r\n", None),
            ("", None),
        ] {
            let found = read(text.as_bytes()).map(|response| response.status().as_u16());
            assert_eq!(found, wanted, "{text:?}");
        }
    }

    #[test]
    fn of_the_headers_those_are_read_that_change_its_meaning() {
        let cut = read(b"HTTP/1.1 503 X\r\nRetry-After: 3").unwrap();
        assert!(cut.headers().is_empty(), "who knows what was to follow");
        let text = "HTTP/1.1 503 X\r\nA: b\r\nretry-after : 7\r\nDATE:x\r\n\r\nDate: no\r\n";
        let response = read(text.as_bytes()).unwrap();
        let headers = response.headers();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers[header::RETRY_AFTER], "7");
        assert_eq!(len(text.as_bytes()), text.find("Date"));
        assert_eq!(len(b"HTTP/1.1 200 OK\r\nA: b\r\n"), None);
    }
}
