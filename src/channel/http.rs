//! HTTP: `POST /` with one object, or an array of them; answered once they are safe.
//!
//! It knows one path and one method. Requests are answered one after another: the next is looked
//! at when the answer to the one before is out.
//!
//! ```text
//! Head ──▶ Body ──▶ taken, Waiting ──▶ safe: 200 ─────────────▶ Head
//!  │        │                      └─▶ overdue: 503 ──▶ Closing
//!  │        └─▶ 400 ──▶ Head
//!  └─▶ 4xx ──▶ Head, or Closing where a body follows that nobody will read
//! ```

#![deny(clippy::arithmetic_side_effects)]

use super::json::{NotTaken, take};
use super::{Close, Intake, Malformed, Refusal, Session};
use crate::message::ValueRef;
use crate::message::json::{self, Names};
use crate::wire::http::{After, Body, CONTINUE, Framing, Head, Response, parse_head};

/// One connection. Its tickets are the numbers of messages of its requests.
#[derive(Debug)]
pub struct HttpPosts {
    names: Names,
    /// What `Authorization: Bearer` must say.
    token: Option<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    Head,
    Body {
        body: Body,
        content: Vec<u8>,
        after: After,
    },
    /// The messages of a request are to become safe.
    Waiting {
        after: After,
    },
    Closing(&'static str),
}

/// Why a request is not looked at further.
struct Rejection {
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    error: &'static str,
}

impl HttpPosts {
    /// A connection that has said nothing yet; with a `token`, only who knows it is served.
    #[must_use]
    pub fn new(names: Names, token: Option<String>) -> Self {
        Self {
            names,
            token,
            state: State::Head,
        }
    }

    /// Takes one step: bytes used, or `None` when there is nothing to be done now.
    fn step(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Close> {
        match self.state {
            State::Head => self.head(input, intake, out),
            State::Body { .. } => self.body(input, intake, out),
            State::Waiting { .. } => Ok(None),
            State::Closing(reason) => Err(Close { reason }),
        }
    }

    fn head(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Close> {
        let (head, used) = match parse_head(input) {
            Ok(Some(whole)) => whole,
            Ok(None) => return Ok(None),
            Err(error) => {
                intake.malformed(Malformed::Syntax, error.explain());
                push_error(error.status(), &[], error.explain(), After::Close, out);
                return Err(Close {
                    reason: error.explain(),
                });
            }
        };
        if let Err(rejection) = self.check(&head) {
            self.state = rejection.answer(&head, intake, out);
            return Ok(Some(used));
        }
        if head.expects_continue {
            out.extend_from_slice(CONTINUE);
        }
        let body = Body::new(head.framing);
        self.state = State::Body {
            body,
            content: Vec::new(),
            after: head.after,
        };
        Ok(Some(used))
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Rejection> {
        if self
            .token
            .as_deref()
            .is_some_and(|token| !knows(head, token))
        {
            let headers = &[("WWW-Authenticate", "Bearer")];
            return Err(Rejection {
                status: 401,
                headers,
                error: "token missing or wrong",
            });
        }
        if head.path() != "/" {
            return reject(404, "messages go to `/`");
        }
        if head.method != "POST" {
            let headers = &[("Allow", "POST")];
            return Err(Rejection {
                status: 405,
                headers,
                error: "messages come by `POST`",
            });
        }
        if !head.header("content-type").is_none_or(is_json) {
            return reject(415, "`Content-Type` must be `application/json`");
        }
        if !head
            .header("content-encoding")
            .is_none_or(|c| c.eq_ignore_ascii_case("identity"))
        {
            return reject(415, "`Content-Encoding` is not supported");
        }
        match head.framing {
            Framing::None => reject(411, "`Content-Length` is missing"),
            Framing::Length(length) if length > BODY_MAX as u64 => reject(413, TOO_LARGE),
            _ => Ok(()),
        }
    }

    fn body(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Close> {
        let State::Body {
            body,
            content,
            after,
        } = &mut self.state
        else {
            return Ok(None);
        };
        if body.is_done() {
            let (content, after) = (std::mem::take(content), *after);
            self.state = self.answer(&content, after, intake, out);
            return Ok(Some(0));
        }
        let Ok(piece) = body.next(input) else {
            let reason = "chunk size damaged";
            intake.malformed(Malformed::Syntax, reason);
            push_error(400, &[], reason, After::Close, out);
            return Err(Close { reason });
        };
        if content.len().saturating_add(piece.content.len()) > BODY_MAX {
            intake.malformed(Malformed::Length, TOO_LARGE);
            push_error(413, &[], TOO_LARGE, After::Close, out);
            return Err(Close { reason: TOO_LARGE });
        }
        content.extend_from_slice(piece.content);
        Ok((piece.used > 0 || body.is_done()).then_some(piece.used))
    }

    fn answer(
        &mut self,
        content: &[u8],
        after: After,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> State {
        match take(content, &self.names, intake) {
            Ok(0) => push_accepted(0, after, out),
            Ok(count) => {
                intake.when_safe(count);
                return State::Waiting { after };
            }
            Err(reason) => push_not_taken(&reason, after, out),
        }
        State::then(after)
    }
}

impl Session for HttpPosts {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Close> {
        let mut rest = input;
        let most = out.len().saturating_add(ANSWERS_MAX);
        while out.len() < most {
            let Some(used) = self.step(rest, intake, out)? else {
                break;
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn safe(&mut self, ticket: u64, out: &mut Vec<u8>) {
        if let State::Waiting { after } = self.state {
            push_accepted(ticket, after, out);
            self.state = State::then(after);
        }
    }

    fn waits(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    fn held(&self) -> usize {
        match &self.state {
            State::Body { content, .. } => content.capacity(),
            _ => 0,
        }
    }

    fn crowded(&mut self, out: &mut Vec<u8>) -> Close {
        let reason = "too many requests are on their way at once";
        self.state = State::Closing(reason);
        push_error(503, RETRY_AFTER, reason, After::Close, out);
        Close { reason }
    }

    /// What was taken may still become safe; the sender is told to bring it again.
    fn overdue(&mut self, out: &mut Vec<u8>) -> Option<Close> {
        if !self.waits() {
            return None;
        }
        let reason = "the messages did not become safe in time";
        self.state = State::Closing(reason);
        push_error(503, RETRY_AFTER, reason, After::Close, out);
        Some(Close { reason })
    }
}

impl State {
    fn then(after: After) -> Self {
        match after {
            After::KeepAlive => Self::Head,
            After::Close => Self::Closing("last request answered"),
        }
    }
}

impl Rejection {
    /// The connection goes on if no body follows that would have to be read first.
    fn answer(&self, head: &Head<'_>, intake: &mut dyn Intake, out: &mut Vec<u8>) -> State {
        let reason = match self.status {
            413 => Malformed::Length,
            _ => Malformed::Unsupported,
        };
        intake.malformed(reason, self.error);
        let has_body = !Body::new(head.framing).is_done();
        let after = if has_body { After::Close } else { head.after };
        let error = ("error", ValueRef::Text(self.error));
        respond(head.method, self.status, self.headers, error, after, out);
        if has_body {
            State::Closing(self.error)
        } else {
            State::then(after)
        }
    }
}

fn reject(status: u16, error: &'static str) -> Result<(), Rejection> {
    Err(Rejection {
        status,
        headers: &[],
        error,
    })
}

fn push_accepted(count: u64, after: After, out: &mut Vec<u8>) {
    respond(
        "POST",
        200,
        &[],
        ("accepted", ValueRef::U64(count)),
        after,
        out,
    );
}

fn push_error(status: u16, headers: Headers<'_>, error: &str, after: After, out: &mut Vec<u8>) {
    respond(
        "POST",
        status,
        headers,
        ("error", ValueRef::Text(error)),
        after,
        out,
    );
}

fn push_not_taken(reason: &NotTaken, after: After, out: &mut Vec<u8>) {
    let error = reason.to_string();
    match reason.refusal() {
        Some(Refusal::Full) => push_error(503, RETRY_AFTER, &error, after, out),
        _ => push_error(400, &[], &error, after, out),
    }
}

/// Answers with a JSON object of one field.
fn respond(
    method: &str,
    status: u16,
    headers: Headers<'_>,
    field: (&str, ValueRef<'_>),
    after: After,
    out: &mut Vec<u8>,
) {
    let mut body = Vec::new();
    json::write([field].into_iter(), &mut body);
    let content_type = "application/json";
    Response {
        status,
        content_type,
        headers,
        body: &body,
        after,
    }
    .write(method, out);
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim_ascii);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(is_utf8)
}

/// Whether a parameter of a content type leaves the text UTF-8.
fn is_utf8(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
            let charset = charset.trim_matches('"');
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        }
        _ => true,
    }
}

/// Takes as long for a wrong token as for one that is nearly right.
fn knows(head: &Head<'_>, token: &str) -> bool {
    let given = head
        .header("authorization")
        .and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let given = given.map_or("", |(_, token)| token.trim_ascii());
    let pairs = given.bytes().zip(token.bytes());
    let difference = pairs.fold(0, |sum, (given, token)| sum | (given ^ token));
    given.len() == token.len() && difference == 0
}

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Most content of one request, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;

const TOO_LARGE: &str = "more than 1 MiB";

/// In seconds: a commit or two later.
const RETRY_AFTER: Headers<'_> = &[("Retry-After", "5")];

/// After so many bytes of answers a call ends.
const ANSWERS_MAX: usize = 16 * 1024;
