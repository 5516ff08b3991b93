//! One connection to the API: bytes of requests in, bytes of answers out. No socket, no time.

use super::Control;
#[cfg(feature = "page")]
use super::page;
use super::routes;
use super::routes::Answer;
use super::routes::Request;
use crate::wire::http::After;
use crate::wire::http::Body;
use crate::wire::http::CONTINUE;
use crate::wire::http::Framing;
use crate::wire::http::Head;
use crate::wire::http::HostRule;
use crate::wire::http::Response;
use crate::wire::http::parse_head;
use std::net::IpAddr;
use subtle::ConstantTimeEq as _;

/// Who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever may open the Unix socket; web pages of others as little as with `Loopback`.
    Socket,
    /// Programs of this machine. Not web pages that a browser here shows: a request has to name
    /// an address, or `localhost`, and must not come from a page of somewhere else.
    Loopback,
    /// Who knows the token.
    Token(String),
}

/// One connection.
#[derive(Debug, Default)]
pub struct Session {
    /// The client was told to send its body.
    continued: bool,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The request has so many bytes and is answered; the next may come.
    Answered(usize),
    /// More must come first.
    Waiting,
    /// It is closed once all is written.
    Closing,
    /// The client listens from now on, to what happened after the event of this id.
    Listening(u64),
}

impl Session {
    /// Answers the request at the head of `input`.
    pub fn receive(
        &mut self,
        input: &[u8],
        access: &Access,
        control: &dyn Control,
        out: &mut Vec<u8>,
    ) -> Keep {
        let (head, head_len) = match parse_head(input, HostRule::Required) {
            Ok(None) => return Keep::Waiting,
            Ok(Some(found)) => found,
            Err(error) => {
                return closing("GET", &Answer::error(error.status(), error.explain()), out);
            }
        };
        // it has no secret, and asks for the token that what it asks for needs
        #[cfg(feature = "page")]
        if head.path() == "/" {
            return match page::write(&head, out) {
                Ok(()) => Keep::Closing,
                Err(answer) => closing(head.method, &answer, out),
            };
        }
        if let Err(refused) = admit(&head, access) {
            return closing(head.method, &refused, out);
        }
        let rest = input.get(head_len..).unwrap_or_default();
        let (body, body_len) = match gather(head.framing, rest) {
            Ok(Some(found)) => found,
            Ok(None) => {
                if head.expects_continue && !std::mem::replace(&mut self.continued, true) {
                    out.extend_from_slice(CONTINUE);
                }
                return Keep::Waiting;
            }
            Err(refused) => return closing(head.method, &refused, out),
        };
        self.continued = false;
        if let Some(last) = live_from(&head) {
            return Keep::Listening(last);
        }
        let request = Request {
            method: head.method,
            path: head.path(),
            query: head.query().unwrap_or_default(),
            body: &body,
        };
        write(
            head.method,
            &routes::answer(control, &request),
            head.after,
            out,
        );
        match head.after {
            After::KeepAlive => Keep::Answered(head_len.saturating_add(body_len)),
            After::Close => Keep::Closing,
        }
    }
}

pub(super) fn closing(method: &str, answer: &Answer, out: &mut Vec<u8>) -> Keep {
    write(method, answer, After::Close, out);
    Keep::Closing
}

fn write(method: &str, answer: &Answer, after: After, out: &mut Vec<u8>) {
    let mut headers = vec![("Cache-Control", "no-store")];
    if let Some(allow) = &answer.allow {
        headers.push(("Allow", allow));
    }
    if answer.status == 401 {
        headers.push(("WWW-Authenticate", "Bearer"));
    }
    let response = Response {
        status: answer.status,
        content_type: answer.content_type,
        headers: &headers,
        body: &answer.body,
        after,
    };
    response.write(method, out);
}

fn admit(head: &Head<'_>, access: &Access) -> Result<(), Answer> {
    match access {
        // a page in a browser comes here too, where somebody forwards a port to the socket
        Access::Socket if head.header("origin").is_none() => Ok(()),
        Access::Token(token) => match bearer(head) {
            Some(given) if given.as_bytes().ct_eq(token.as_bytes()).into() => Ok(()),
            _ => Err(Answer::error(
                401,
                "send `Authorization: Bearer` and the token",
            )),
        },
        Access::Socket | Access::Loopback => {
            let host = head.header("host").unwrap_or_default();
            let origin = head.header("origin");
            let own = origin.is_none_or(|origin| origin == format!("http://{host}"));
            match own && (host.is_empty() || is_here(host)) {
                true => Ok(()),
                false => Err(Answer::error(403, "not for web pages of others")),
            }
        }
    }
}

/// From where on a client wants to listen, if that is what it asks for.
fn live_from(head: &Head<'_>) -> Option<u64> {
    if head.path() != "/live" || head.method != "GET" {
        return None;
    }
    let last = head.header("last-event-id");
    Some(last.and_then(|id| id.parse().ok()).unwrap_or(0))
}

fn bearer<'a>(head: &Head<'a>) -> Option<&'a str> {
    let (scheme, token) = head.header("authorization")?.split_once(' ')?;
    let token = token.trim_ascii();
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// Whether a `Host` is an address or this machine; a name could be anybody's.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    name.is_some_and(|name| name == "localhost" || name.parse::<IpAddr>().is_ok())
}

/// The body of a request and how many bytes of `rest` it had; none while it is not whole.
fn gather(framing: Framing, rest: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Answer> {
    let too_long = || Answer::error(413, "more than 16 KiB");
    if matches!(framing, Framing::Length(length) if length > BODY_MAX as u64) {
        return Err(too_long());
    }
    let (mut body, mut content, mut used) = (Body::new(framing), Vec::new(), 0);
    while !body.is_done() {
        let piece = body
            .next(rest.get(used..).unwrap_or_default())
            .map_err(|_| Answer::error(400, "the pieces of the body cannot be told apart"))?;
        if piece.used == 0 {
            let pending = rest.len() > IN_MAX;
            return if pending { Err(too_long()) } else { Ok(None) };
        }
        content.extend_from_slice(piece.content);
        used = used.saturating_add(piece.used);
        if content.len() > BODY_MAX || used > IN_MAX {
            return Err(too_long());
        }
    }
    Ok(Some((content, used)))
}

/// Longest body of a request, in bytes.
const BODY_MAX: usize = 16 * 1024;

/// The same, with what lies between its pieces.
const IN_MAX: usize = 2 * BODY_MAX;

#[cfg(test)]
mod tests {
    mod by_hand;
    mod fake_streams;

    use super::*;
    use crate::api::Back;
    use crate::api::ChannelReport;
    use crate::api::Line;
    use crate::api::LogReport;
    use crate::api::Look;
    use crate::api::Origin;
    use crate::api::Packet;
    use crate::api::PacketLook;
    use crate::api::Page;
    use crate::api::Refusal;
    use crate::api::Reloaded;
    use crate::api::Seen;
    use crate::api::Status;
    use crate::api::StreamReport;
    use crate::api::Switch;
    use crate::api::Wake;
    use crate::api::Woken;

    struct Fake;

    impl Control for Fake {
        fn status(&self) -> Status {
            let name = "cloud".to_owned();
            let streams = vec![StreamReport {
                name,
                ..StreamReport::default()
            }];
            Status {
                streams,
                ..Status::default()
            }
        }
        fn channel(&self, _: &str) -> Option<ChannelReport> {
            None
        }
        fn logs(&self, _: Origin<'_>, _: Page) -> Option<Vec<Line>> {
            None
        }
        fn packets(&self, of: Origin<'_>, _: &PacketLook) -> Option<Vec<Packet>> {
            (of == Origin::Channel("in 1")).then(Vec::new)
        }
        fn messages(&self, look: &Look<'_>) -> Option<Seen> {
            look.channel
                .is_none_or(|name| name == "in 1")
                .then(Seen::default)
        }
        fn wake(&self, _: Wake) -> Woken {
            Woken::default()
        }
        fn switch(&self, name: &str, _: Switch) -> Result<(), Refusal> {
            match name {
                "cloud" => Ok(()),
                "stuck" => Err(Refusal::NotKept("no space left".to_owned())),
                _ => Err(Refusal::Unknown),
            }
        }
        fn reload(&self) -> Result<Reloaded, Vec<String>> {
            Err(vec![
                "a:1:2: error: b".to_owned(),
                "a:2:2: error: c".to_owned(),
            ])
        }
        fn skip(&self, _: &str, count: u64) -> Result<u64, Refusal> {
            Ok(count)
        }
        fn rewind(&self, _: &str, _: Back) -> Result<u64, Refusal> {
            Ok(9)
        }
        fn log(&self) -> LogReport {
            LogReport::default()
        }
        fn set_log_level(&self, level: Option<log::Level>) -> LogReport {
            LogReport {
                level: level.map(|level| level.to_string()).unwrap_or_default(),
                ..LogReport::default()
            }
        }
    }

    fn ask(access: &Access, request: &str) -> (Keep, String) {
        let mut out = Vec::new();
        let keep = Session::default().receive(request.as_bytes(), access, &Fake, &mut out);
        (keep, String::from_utf8(out).unwrap())
    }

    fn code(request: &str) -> String {
        let (_, answer) = ask(&Access::Socket, request);
        answer.get(9..12).unwrap_or_default().to_owned()
    }

    fn send(line: &str, body: &str) -> String {
        let length = body.len();
        code(&format!(
            "{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    #[test]
    fn each_path_answers_as_it_should() {
        for (line, body, wanted) in [
            ("GET /status", "", "200"),
            ("GET /streams", "", "200"),
            ("HEAD /streams/cloud", "", "200"),
            ("GET /streams/nobody", "", "404"),
            ("GET /nothing", "", "404"),
            ("DELETE /streams", "", "405"),
            ("POST /wake", "", "200"),
            ("POST /reload", "", "422"),
            ("GET /reload", "", "405"),
            ("POST /wake", "{\"now\":true}", "200"),
            ("POST /wake", "{\"now\":1}", "400"),
            ("PATCH /streams/cloud", "{\"enabled\":false}", "200"),
            ("PATCH /streams/cloud", "{}", "400"),
            ("PATCH /streams/cloud", "[]", "400"),
            ("PATCH /streams/cloud", "{\"ttl\":\"7d\"}", "200"),
            ("PATCH /streams/nobody", "{\"ttl\":\"7d\"}", "404"),
            (
                "PATCH /streams/stuck?dry_run=1",
                "{\"enabled\":true}",
                "500",
            ),
            ("POST /streams", "{\"name\":\"x\"}", "200"),
            ("POST /streams", "{}", "422"),
            ("POST /streams?dry_run=1", "{}", "409"),
            ("POST /streams", "[", "400"),
            ("DELETE /streams/cloud", "", "200"),
            ("DELETE /streams/nobody", "", "404"),
            ("GET /streams/nobody/settings", "", "404"),
            ("GET /types", "", "200"),
            ("PATCH /streams/x", "{\"enabled\":true}", "404"),
            ("PATCH /streams/stuck", "{\"enabled\":true}", "500"),
            ("POST /streams/cloud/skip", "", "200"),
            ("POST /streams/cloud/skip", "{\"count\":0}", "400"),
            ("POST /streams/cloud/skip", "{\"count\":10001}", "400"),
            ("POST /streams/cloud/rewind", "{\"to\":\"oldest\"}", "200"),
            ("POST /streams/cloud/rewind", "{\"to\":1800000000.5}", "200"),
            ("POST /streams/cloud/rewind", "{\"to\":\"soon\"}", "400"),
            ("GET /logs?count=x", "", "400"),
            ("GET /channels/in%201/packets?ident=a%20b&conn=1", "", "200"),
            ("GET /channels/in%201/packets?conn=x", "", "400"),
            ("GET /streams/in%201/packets", "", "404"),
            ("GET /messages", "", "200"),
            ("GET /messages?channel=in%201&after=7", "", "200"),
            ("GET /messages?channel=in", "", "404"),
            ("GET /messages?channel=%ff", "", "400"),
            ("GET /messages?after=x", "", "400"),
        ] {
            assert_eq!(send(line, body), wanted, "{line} {body}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let request = "PUT /streams/a HTTP/1.1\r\nHost: x\r\n\r\n";
        let (keep, answer) = ask(&Access::Socket, request);
        assert!(
            answer.contains("\r\nAllow: GET, PATCH, DELETE\r\n"),
            "{answer}"
        );
        assert_eq!(keep, Keep::Answered(request.len()));
    }

    #[test]
    fn only_who_knows_the_token_is_answered() {
        let access = Access::Token("secret".to_owned());
        let with = |line: &str| {
            ask(
                &access,
                &format!("GET /ring HTTP/1.1\r\nHost: x\r\n{line}\r\n"),
            )
        };
        for wrong in [
            "",
            "Authorization: Bearer secre\r\n",
            "Authorization: Basic secret\r\n",
        ] {
            let (keep, answer) = with(wrong);
            assert_eq!(keep, Keep::Closing);
            assert!(answer.starts_with("HTTP/1.1 401 ") && !answer.contains("secret"));
        }
        let (_, answer) = with("Authorization: bearer secret\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "));
    }

    #[test]
    fn a_web_page_of_somebody_else_is_refused() {
        let with = |lines: &str| {
            let request = format!("POST /wake HTTP/1.1\r\n{lines}\r\n");
            ask(&Access::Loopback, &request)
                .1
                .get(9..12)
                .map(str::to_owned)
        };
        for (lines, wanted) in [
            ("Host: 127.0.0.1:8480\r\n", "200"),
            ("Host: [::1]:8480\r\n", "200"),
            ("Host: localhost\r\nOrigin: http://localhost\r\n", "200"),
            ("Host: rebound.example\r\n", "403"),
            ("Host: localhost\r\nOrigin: http://evil.example\r\n", "403"),
            ("Host: localhost\r\nOrigin: null\r\n", "403"),
        ] {
            assert_eq!(with(lines).as_deref(), Some(wanted), "{lines}");
        }
    }

    #[test]
    fn the_socket_is_for_programs_and_for_the_page_that_came_from_it() {
        let with = |lines: &str| {
            let request = format!("POST /wake HTTP/1.1\r\n{lines}\r\n");
            let answer = ask(&Access::Socket, &request).1;
            answer.get(9..12).map(str::to_owned)
        };
        let own = "Host: localhost:8480\r\nOrigin: http://localhost:8480\r\n";
        let rebound = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
        for (lines, wanted) in [
            ("Host: anything\r\n", "200"),
            (own, "200"),
            (
                "Host: localhost:8480\r\nOrigin: http://evil.example\r\n",
                "403",
            ),
            (rebound, "403"),
        ] {
            assert_eq!(with(lines).as_deref(), Some(wanted), "{lines}");
        }
    }

    #[test]
    fn a_request_in_pieces_is_answered_once_it_is_whole() {
        let request = "POST /streams/cloud/skip HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\
                       Transfer-Encoding: chunked\r\n\r\n6\r\n{\"coun\r\n5\r\nt\":4}\r\n0\r\n\r\n";
        let (mut session, mut out) = (Session::default(), Vec::new());
        for end in 0..request.len() {
            let piece = &request.as_bytes()[..end];
            let keep = session.receive(piece, &Access::Socket, &Fake, &mut out);
            assert_eq!(keep, Keep::Waiting);
        }
        assert_eq!(out, CONTINUE);
        let keep = session.receive(request.as_bytes(), &Access::Socket, &Fake, &mut out);
        assert_eq!(keep, Keep::Answered(request.len()));
        assert!(String::from_utf8(out).unwrap().contains("\"skipped\":4"));
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_comes() {
        let long = "PATCH /streams/a HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\n";
        assert_eq!(code(long), "413");
        let chunks = "1\r\nx\r\n".repeat(20_000);
        let head = "PATCH /streams/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(code(&format!("{head}{chunks}")), "413");
        assert_eq!(
            code(&format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000))),
            "431"
        );
        assert_eq!(code("\u{16}\u{3}\u{1}\u{2}\r\n\r\n"), "400");
    }
}
