//! An answer of an HTTP server as it comes, and what of it does not depend on the platform: how
//! long to wait, what the log says. Knows no connection.

use super::profile::ANSWER_MAX;
use super::profile::Answer;
use super::profile::Profile;
use super::profile::Verdict;
use crate::clock::Now;
use crate::stream::DeliveryError;
use std::time::Duration;
use std::time::UNIX_EPOCH;
use ureq_proto::http::HeaderMap;
use ureq_proto::http::Response;
use ureq_proto::http::StatusCode;
use ureq_proto::http::header;

/// An answer, as far as it has come.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    /// Not to be asked again before.
    pub(super) after: Option<Duration>,
    refuses_coding: bool,
    /// The head of its body.
    body: Vec<u8>,
    /// Bytes of its body.
    len: usize,
    /// What it means was acted on.
    pub(super) is_settled: bool,
}

impl Reply {
    /// The head of an answer.
    pub(super) fn new(response: &Response<()>, now: Now) -> Self {
        Self {
            status: response.status(),
            after: retry_after(response.headers(), now),
            refuses_coding: refuses_coding(response),
            body: Vec::new(),
            len: 0,
            is_settled: false,
        }
    }

    /// Takes a piece of its body.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.len = self.len.saturating_add(piece.len());
        let room = ANSWER_MAX.saturating_sub(self.body.len()).min(piece.len());
        self.body
            .extend_from_slice(piece.get(..room).unwrap_or_default());
    }

    /// Whether more of its body is not worth reading.
    pub(super) fn is_too_long(&self) -> bool {
        self.len > BODY_MAX
    }

    /// Whether its head alone says what it means.
    pub(super) fn is_plain(&self, profile: &dyn Profile) -> bool {
        !profile.needs_body(self.status.as_u16())
    }

    /// What it means for a request of so many messages, and what the log says of it; `is_whole`:
    /// nothing more of it is to come.
    pub(super) fn judge(
        &self,
        profile: &dyn Profile,
        messages: usize,
        is_whole: bool,
    ) -> (Verdict, DeliveryError) {
        let answer = Answer {
            status: self.status.as_u16(),
            body: &self.body,
            is_whole: is_whole && self.len == self.body.len(),
            messages,
        };
        let connection = self.blames_connection();
        let verdict = match profile.verdict(&answer) {
            Verdict::Refused if self.refuses_coding || connection.is_some() => {
                Verdict::Configuration
            }
            verdict => verdict,
        };
        if verdict == Verdict::Taken {
            return (verdict, self.error(&[]));
        }
        let mut error = self.error(&profile.secrets());
        let hint = connection.map(str::to_owned);
        if let Some(hint) = hint.or_else(|| profile.hint(&answer)) {
            error.reason = format!("{}; {hint}", error.reason);
        }
        (verdict, error)
    }

    /// The key to look at where nginx says by 400 that it is not the request that it refuses, but
    /// how it came. Only its own page counts: an answer may repeat what a message says.
    fn blames_connection(&self) -> Option<&'static str> {
        let page = self.body.strip_prefix(b"<html>\r\n<head><title>400 ")?;
        let mut pages = OF_NGINX.iter();
        let found = pages.find(|(title, _)| page.starts_with(title.as_bytes()));
        found.map(|(_, hint)| *hint)
    }

    /// What came, in words, without secrets.
    fn error(&self, secrets: &[String]) -> DeliveryError {
        let text = String::from_utf8_lossy(&self.body).replace(char::is_control, " ");
        // cut behind that: of half a secret nobody would know what it is
        let text = secrets
            .iter()
            .filter(|secret| secret.len() >= SECRET_MIN)
            .fold(text, |text, secret| text.replace(secret, "***"));
        let text = text.get(..text.floor_char_boundary(TEXT_MAX));
        let text = text.unwrap_or_default();
        let reason = match text.trim() {
            "" => self.status.to_string(),
            text => format!("{}: {text}", self.status),
        };
        DeliveryError::new(i32::from(self.status.as_u16()), reason)
    }
}

/// Titles of the pages of nginx for its 495, 496 and 497, which go out as 400.
const OF_NGINX: [(&str, &str); 3] = [
    ("The SSL certificate error", "look at `tls.certificate`"),
    (
        "No required SSL certificate was sent",
        "it wants `tls.certificate`",
    ),
    (
        "The plain HTTP request was sent to HTTPS port",
        "write `https://` in `url`",
    ),
];

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

/// Shortest secret that is looked for in an answer, in bytes: a shorter one is in every word.
const SECRET_MIN: usize = 4;

/// So much of an answer's body is read, in bytes; the connection of a longer one
/// is closed.
const BODY_MAX: usize = 64 * 1024;

/// No server is obeyed that wants to be left alone for longer: a captive portal says anything.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::net::Target;
    use crate::stream::http::Http;

    fn at_no_date() -> Now {
        Now {
            mono: Duration::ZERO,
            wall: Wall {
                since_1970: Duration::ZERO,
                trusted: false,
            },
            ages: true,
        }
    }

    fn anything() -> Http {
        Http::new(Target {
            host: "localhost".into(),
            port: 80,
        })
    }

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
    fn a_coding_that_is_not_taken_is_the_configurations_fault() {
        for (status, verdict) in [(415, Verdict::Configuration), (400, Verdict::Refused)] {
            let response = Response::builder().status(status);
            let response = response.header("accept-encoding", "identity");
            let reply = Reply::new(&response.body(()).unwrap(), at_no_date());
            assert_eq!(reply.judge(&anything(), 1, true).0, verdict, "{status}");
        }
    }

    #[test]
    fn what_nginx_says_of_the_connection_is_the_configurations_fault() {
        let page = |title| format!("<html>\r\n<head><title>400 {title}</title></head>\r\n");
        let reply = |body: &str| {
            let response = Response::builder().status(400).body(()).unwrap();
            let mut reply = Reply::new(&response, at_no_date());
            reply.take(body.as_bytes());
            reply.judge(&anything(), 1, true)
        };
        for (title, hint) in OF_NGINX {
            let (verdict, error) = reply(&page(title));
            assert_eq!(verdict, Verdict::Configuration, "{title}");
            assert!(error.reason.ends_with(hint), "{}", error.reason);
            // a message may have it
            assert_eq!(reply(title).0, Verdict::Refused, "{title}");
        }
        assert_eq!(reply(&page("Bad Request")).0, Verdict::Refused);
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
        let mut answer = Reply::new(&response, at_no_date());
        answer.take(b"no\r\n\x1b[31msuch ");
        answer.take(&[b'x'; 500]);
        let error = answer.error(&[]);
        assert_eq!(error.code, 400);
        assert!(
            error
                .reason
                .starts_with("400 Bad Request: no   [31msuch xxx")
        );
        assert_eq!(error.reason.len(), "400 Bad Request: ".len() + TEXT_MAX);
    }

    #[test]
    fn a_secret_that_the_answer_repeats_is_not_told() {
        let response = Response::builder().status(404).body(()).unwrap();
        let mut answer = Reply::new(&response, at_no_date());
        answer.take(b"Cannot POST /api/v1/A1_TOKEN/telemetry");
        answer.take(&[b' '; 150]);
        answer.take(b"no A1_TOKEN");
        let error = answer.error(&["A1_TOKEN".into(), "a".into()]);
        let told = "404 Not Found: Cannot POST /api/v1/***/telemetry";
        assert!(error.reason.starts_with(told), "{}", error.reason);
        assert!(!error.reason.contains("A1"), "{}", error.reason);
    }
}
