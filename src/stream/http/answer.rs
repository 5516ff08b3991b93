//! What an answer of an HTTP server means for the batch that it answers. Knows no connection.

use crate::clock::Now;
use crate::stream::Fault;
use crate::stream::rules::Rule;
use crate::stream::rules::kept;
use std::time::Duration;
use std::time::UNIX_EPOCH;
use ureq_proto::http::HeaderMap;
use ureq_proto::http::Response;
use ureq_proto::http::StatusCode;
use ureq_proto::http::header;

/// An answer, as far as it has come.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    pub(super) verdict: Verdict,
    /// Not to be asked again before.
    pub(super) after: Option<Duration>,
    /// The head of its body, for the log.
    text: Vec<u8>,
    /// Bytes of its body.
    len: usize,
}

/// What becomes of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it was taken.
    Accepted,
    /// It is sent again later.
    Busy,
    /// One of its messages will never be taken.
    Refused,
    /// The same; or none like them will ever be taken.
    Doubted,
    /// Something else than the messages is wrong: it is sent again later.
    Misconfigured,
}

impl Answer {
    /// `success`: the answers that mean accepted; empty: 200 to 299.
    pub(super) fn new(response: &Response<()>, success: &[u16], now: Now) -> Self {
        Self {
            status: response.status(),
            verdict: match verdict(response.status().as_u16(), success) {
                Verdict::Refused if refuses_coding(response) => Verdict::Misconfigured,
                verdict => verdict,
            },
            after: retry_after(response.headers(), now),
            text: Vec::new(),
            len: 0,
        }
    }

    /// Takes a piece of its body.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.len = self.len.saturating_add(piece.len());
        let room = TEXT_MAX.saturating_sub(self.text.len()).min(piece.len());
        self.text
            .extend_from_slice(piece.get(..room).unwrap_or_default());
    }

    /// Whether more of its body is not worth reading.
    pub(super) fn is_too_long(&self) -> bool {
        self.len > BODY_MAX
    }

    /// What the log says of it.
    pub(super) fn fault(&self) -> Fault {
        let text = String::from_utf8_lossy(&self.text);
        let text = text.replace(char::is_control, " ");
        let reason = match text.trim() {
            "" => self.status.to_string(),
            text => format!("{}: {text}", self.status),
        };
        Fault::new(i32::from(self.status.as_u16()), reason)
    }
}

fn verdict(status: u16, success: &[u16]) -> Verdict {
    let accepted = match success {
        [] => (200..300).contains(&status),
        listed => listed.contains(&status),
    };
    match status {
        _ if accepted => Verdict::Accepted,
        408 | 425 | 429 | 500..600 => Verdict::Busy,
        400 | 409 | 415 | 422 => Verdict::Refused,
        // a limit of the server may be too small for all
        413 => Verdict::Doubted,
        401 if !kept(Rule::KeepWhenMisconfigured) => Verdict::Refused,
        _ => Verdict::Misconfigured,
    }
}

/// RFC 7694, section 3: of two things that 415 can mean, this is that it takes no `gzip`.
fn refuses_coding(response: &Response<()>) -> bool {
    response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE
        && response.headers().contains_key(header::ACCEPT_ENCODING)
}

/// A date counts from the server's own, so that no clock has to be right but that one.
fn retry_after(headers: &HeaderMap, now: Now) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let value = text(header::RETRY_AFTER)?.trim();
    let wait = if value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let ours = now.wall.trusted.then_some(now.wall.since_1970);
        let from = text(header::DATE).and_then(date).or(ours)?;
        date(value)?.saturating_sub(from)
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Since 1970, of a date in a header (RFC 9110, 5.6.7).
fn date(text: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(text).ok()?;
    date.duration_since(UNIX_EPOCH).ok()
}

/// So much of an answer's body is kept for the log, in bytes.
const TEXT_MAX: usize = 200;

/// So much of an answer's body is read and thrown away, in bytes; the connection of a longer one
/// is closed.
const BODY_MAX: usize = 64 * 1024;

/// No server is obeyed that wants to be left alone for longer: a captive portal says anything.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    fn after(headers: &[(&'static str, &str)], trusted: bool) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let now = Now {
            mono: Duration::ZERO,
            wall: Wall {
                since_1970: Duration::from_secs(784_111_700),
                trusted,
            },
            ages: true,
        };
        retry_after(&map, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn each_status_has_its_meaning() {
        for (meaning, statuses) in [
            (Verdict::Accepted, &[200, 201, 202, 204, 299][..]),
            (Verdict::Busy, &[408, 425, 429, 500, 502, 503, 599]),
            (Verdict::Refused, &[400, 409, 415, 422]),
            (Verdict::Doubted, &[413]),
            (
                Verdict::Misconfigured,
                &[101, 301, 304, 401, 403, 404, 405, 410, 426, 600],
            ),
        ] {
            for status in statuses {
                assert_eq!(verdict(*status, &[]), meaning, "{status}");
            }
        }
        assert_eq!(verdict(409, &[200, 409]), Verdict::Accepted);
        assert_eq!(verdict(204, &[200, 409]), Verdict::Misconfigured);
    }

    #[test]
    fn a_coding_that_is_not_taken_is_the_configurations_fault() {
        let now = Now {
            mono: Duration::ZERO,
            wall: Wall {
                since_1970: Duration::ZERO,
                trusted: false,
            },
            ages: true,
        };
        for (status, verdict) in [(415, Verdict::Misconfigured), (400, Verdict::Refused)] {
            let response = Response::builder().status(status);
            let response = response.header("accept-encoding", "identity");
            let answer = Answer::new(&response.body(()).unwrap(), &[], now);
            assert_eq!(answer.verdict, verdict, "{status}");
        }
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let date = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(after(&[("retry-after", "120")], false), Some(120));
        assert_eq!(after(&[date], true), Some(77));
        assert_eq!(after(&[date], false), None);
        let own = ("date", "Sun, 06 Nov 1994 08:49:07 GMT");
        assert_eq!(after(&[date, own], false), Some(30));
        assert_eq!(after(&[("retry-after", "soon")], true), None);
        assert_eq!(after(&[], true), None);
    }

    #[test]
    fn no_server_keeps_us_away_for_longer_than_an_hour() {
        for value in [
            "3601",
            "999999999",
            "99999999999999999999",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert_eq!(
                after(&[("retry-after", value)], true),
                Some(3600),
                "{value}"
            );
        }
    }

    #[test]
    fn the_log_is_told_the_head_of_the_body_without_control_characters() {
        let response = Response::builder().status(400).body(()).unwrap();
        let now = Now {
            mono: Duration::ZERO,
            wall: Wall {
                since_1970: Duration::ZERO,
                trusted: false,
            },
            ages: true,
        };
        let mut answer = Answer::new(&response, &[], now);
        answer.take(b"no\r\n\x1b[31msuch ");
        answer.take(&[b'x'; 500]);
        let fault = answer.fault();
        assert_eq!(fault.code, 400);
        assert!(
            fault
                .reason
                .starts_with("400 Bad Request: no   [31msuch xxx")
        );
        assert_eq!(fault.reason.len(), "400 Bad Request: ".len() + TEXT_MAX);
    }
}
