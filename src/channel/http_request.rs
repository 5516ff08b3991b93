//! Requests of an HTTP connection, one after another: what channels that are reached by HTTP share.
//!
//! It reads heads and bodies, refuses what no channel would take, and answers; what a request means
//! is the business of its [`Meaning`]. The next request is looked at when the answer to the one
//! before is out. Answers are JSON objects of one field: `error`, or `accepted` unless a meaning
//! has another word for that.
//!
//! ```text
//! Head ──▶ Body ──▶ taken, Waiting ──▶ safe: 200 ─────────────▶ Head
//!  │        │                      └─▶ overdue: 503 ──▶ Closing
//!  │        └─▶ 400 ──▶ Head
//!  └─▶ 4xx ──▶ Head, or Closing where a body follows that nobody will read
//! ```

#![deny(clippy::arithmetic_side_effects)]

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Refusal;
use super::Session;
use crate::message::ValueRef;
use crate::message::json;
use crate::wire::http::After;
use crate::wire::http::Body;
use crate::wire::http::CONTINUE;
use crate::wire::http::Framing;
use crate::wire::http::Head;
use crate::wire::http::HostRule;
use crate::wire::http::Response;
use crate::wire::http::parse_head;

/// What requests mean to a channel.
pub trait Meaning {
    /// What it keeps of a head until the body is whole.
    type Request;

    /// Whether its senders may leave the `Host` out.
    const HOST: HostRule = HostRule::Required;

    /// Looks at a head: what is kept of it, and bytes that go ahead of the body's content.
    ///
    /// # Errors
    /// Why the request is not looked at further.
    fn begin(&self, head: &Head<'_>) -> Result<(Self::Request, Vec<u8>), HeadRefusal>;

    /// Brings the content of a request to the intake, whole or not at all. Returns how many
    /// messages were in it.
    ///
    /// # Errors
    /// Why nothing of it was taken; already counted and logged.
    fn take(
        &self,
        request: &Self::Request,
        content: &[u8],
        intake: &mut dyn Intake,
    ) -> Result<u64, BodyRefusal>;

    /// Most content of one request, in bytes, and what is said of more.
    fn most(&self) -> (usize, &'static str);

    /// The content of the answer, JSON, to a request of so many messages that are safe.
    fn accepted(count: u64) -> Vec<u8> {
        object("accepted", ValueRef::U64(count))
    }
}

/// One connection. Its ack tokens are the numbers of messages of its requests.
#[derive(Debug)]
pub struct Requests<M: Meaning> {
    meaning: M,
    state: State<M::Request>,
}

#[derive(Debug)]
enum State<R> {
    Head,
    Body {
        request: R,
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
#[derive(Clone, Copy, Debug)]
pub struct HeadRefusal {
    /// The status that answers it, 400 to 599.
    pub status: u16,
    /// Headers beside the usual ones.
    pub headers: Headers<'static>,
    /// What is wrong, for the answer and the log.
    pub error: &'static str,
}

/// Why nothing of a request was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyRefusal {
    /// What the intake said; none: it was not asked.
    pub refusal: Option<Refusal>,
    /// What is wrong, for the answer; printable and short.
    pub error: String,
}

impl<M: Meaning> Requests<M> {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(meaning: M) -> Self {
        Self {
            meaning,
            state: State::Head,
        }
    }

    /// Takes one step: bytes used, or `None` when there is nothing to be done now.
    fn step(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        match self.state {
            State::Head => self.head(input, intake, out),
            State::Body { .. } => self.body(input, intake, out),
            State::Waiting { .. } => Ok(None),
            State::Closing(reason) => Err(Disconnect { reason }),
        }
    }

    fn head(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        let (head, used) = match parse_head(input, M::HOST) {
            Ok(Some(whole)) => whole,
            Ok(None) => return Ok(None),
            Err(error) => {
                intake.malformed(InputError::Syntax, error.explain());
                push_error(error.status(), &[], error.explain(), After::Close, out);
                return Err(Disconnect {
                    reason: error.explain(),
                });
            }
        };
        let (request, content) = match self.begin(&head) {
            Ok(begun) => begun,
            Err(rejection) => {
                self.state = rejection.answer(&head, intake, out);
                return Ok(Some(used));
            }
        };
        if head.expects_continue {
            out.extend_from_slice(CONTINUE);
        }
        self.state = State::Body {
            request,
            body: Body::new(head.framing),
            content,
            after: head.after,
        };
        Ok(Some(used))
    }

    fn begin(&self, head: &Head<'_>) -> Result<(M::Request, Vec<u8>), HeadRefusal> {
        let begun = self.meaning.begin(head)?;
        if !head
            .header("content-encoding")
            .is_none_or(|c| c.eq_ignore_ascii_case("identity"))
        {
            return reject(415, "`Content-Encoding` is not supported");
        }
        let (most, too_large) = self.meaning.most();
        match head.framing {
            Framing::Length(length) if usize::try_from(length).is_ok_and(|len| len <= most) => {}
            Framing::Length(_) => return reject(413, too_large),
            Framing::None | Framing::Chunked => {}
        }
        Ok(begun)
    }

    fn body(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        let State::Body {
            request,
            body,
            content,
            after,
        } = &mut self.state
        else {
            return Ok(None);
        };
        if body.is_done() {
            let (taken, after) = (self.meaning.take(request, content, intake), *after);
            self.state = answer::<M>(taken, after, intake, out);
            return Ok(Some(0));
        }
        let Ok(piece) = body.next(input) else {
            let reason = "chunk size damaged";
            intake.malformed(InputError::Syntax, reason);
            push_error(400, &[], reason, After::Close, out);
            return Err(Disconnect { reason });
        };
        let (most, too_large) = self.meaning.most();
        if content.len().saturating_add(piece.content.len()) > most {
            intake.malformed(InputError::Length, too_large);
            push_error(413, &[], too_large, After::Close, out);
            return Err(Disconnect { reason: too_large });
        }
        content.extend_from_slice(piece.content);
        Ok((piece.used > 0 || body.is_done()).then_some(piece.used))
    }
}

impl<M: Meaning> Session for Requests<M> {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
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

    fn on_durable(&mut self, ack_token: u64, out: &mut Vec<u8>) {
        if let State::Waiting { after } = self.state {
            push_accepted::<M>(ack_token, after, out);
            self.state = State::then(after);
        }
    }

    fn is_blocked(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    fn buffered_len(&self) -> usize {
        match &self.state {
            State::Body { content, .. } => content.capacity(),
            _ => 0,
        }
    }

    fn on_memory_limit(&mut self, out: &mut Vec<u8>) -> Disconnect {
        let reason = "too many requests are on their way at once";
        self.state = State::Closing(reason);
        push_error(503, RETRY_AFTER, reason, After::Close, out);
        Disconnect { reason }
    }

    /// What was taken may still become safe; the sender is told to bring it again.
    fn on_ack_timeout(&mut self, out: &mut Vec<u8>) -> Option<Disconnect> {
        if !self.is_blocked() {
            return None;
        }
        let reason = "the messages did not become safe in time";
        self.state = State::Closing(reason);
        push_error(503, RETRY_AFTER, reason, After::Close, out);
        Some(Disconnect { reason })
    }
}

impl<R> State<R> {
    fn then(after: After) -> Self {
        match after {
            After::KeepAlive => Self::Head,
            After::Close => Self::Closing("last request answered"),
        }
    }
}

impl HeadRefusal {
    /// The connection goes on if no body follows that would have to be read first.
    fn answer<R>(&self, head: &Head<'_>, intake: &mut dyn Intake, out: &mut Vec<u8>) -> State<R> {
        let reason = match self.status {
            401 => InputError::Login,
            413 => InputError::Length,
            _ => InputError::Unsupported,
        };
        intake.malformed(reason, self.error);
        let has_body = !Body::new(head.framing).is_done();
        let after = if has_body { After::Close } else { head.after };
        let error = object("error", ValueRef::Text(self.error));
        respond(head.method, self.status, self.headers, &error, after, out);
        if has_body {
            State::Closing(self.error)
        } else {
            State::then(after)
        }
    }
}

/// A rejection without headers of its own.
pub(super) fn reject<T>(status: u16, error: &'static str) -> Result<T, HeadRefusal> {
    Err(HeadRefusal {
        status,
        headers: &[],
        error,
    })
}

/// Whether a content type is `kind`, and its text UTF-8.
pub(super) fn is_utf8_of(kind: &str, content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim_ascii);
    let is_kind = parts
        .next()
        .is_some_and(|found| found.eq_ignore_ascii_case(kind));
    is_kind && parts.all(is_utf8)
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

/// Answers now, unless there are messages that have to become safe first.
fn answer<M: Meaning>(
    taken: Result<u64, BodyRefusal>,
    after: After,
    intake: &mut dyn Intake,
    out: &mut Vec<u8>,
) -> State<M::Request> {
    match taken {
        Ok(0) => push_accepted::<M>(0, after, out),
        Ok(count) => {
            intake.ack_when_durable(count);
            return State::Waiting { after };
        }
        Err(failure) => match failure.refusal {
            Some(Refusal::Full) => push_error(503, RETRY_AFTER, &failure.error, after, out),
            _ => push_error(400, &[], &failure.error, after, out),
        },
    }
    State::then(after)
}

fn push_accepted<M: Meaning>(count: u64, after: After, out: &mut Vec<u8>) {
    respond("POST", 200, &[], &M::accepted(count), after, out);
}

fn push_error(status: u16, headers: Headers<'_>, error: &str, after: After, out: &mut Vec<u8>) {
    let error = object("error", ValueRef::Text(error));
    respond("POST", status, headers, &error, after, out);
}

/// A JSON object of one field.
fn object(name: &str, value: ValueRef<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    json::write([(name, value)].into_iter(), &mut body);
    body
}

fn respond(
    method: &str,
    status: u16,
    headers: Headers<'_>,
    body: &[u8],
    after: After,
    out: &mut Vec<u8>,
) {
    let content_type = "application/json";
    Response {
        status,
        content_type,
        headers,
        body,
        after,
    }
    .write(method, out);
}

/// Names and values of headers.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// In seconds: a commit or two later.
const RETRY_AFTER: Headers<'_> = &[("Retry-After", "5")];

/// After so many bytes of answers a call ends.
const ANSWERS_MAX: usize = 16 * 1024;
