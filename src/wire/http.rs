//! HTTP/1.1, the server's side: heads and bodies of requests in, responses out.
//!
//! It answers nothing of its own accord and knows no path. One request is read at a time; what
//! could be read in two ways is refused, since it is how requests are smuggled.
//!
//! Source: RFC 9110 and 9112.

use httparse::EMPTY_HEADER;
use httparse::Header;
use httparse::Status;
use std::io::Write;

/// The head of a request, lent by the bytes that it was read from.
#[derive(Debug)]
pub struct Head<'a> {
    /// As sent: methods are case-sensitive.
    pub method: &'a str,
    /// How much of the connection belongs to the body.
    pub framing: Framing,
    /// What the client wants to be done with the connection.
    pub after: After,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    target: &'a str,
    headers: heapless::Vec<Header<'a>, HEADERS_MAX>,
}

/// How the length of a request's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Not at all: there is no body.
    None,
    /// By its `Content-Length`, in bytes.
    Length(u64),
    /// By the lengths of its pieces.
    Chunked,
}

/// What becomes of a connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The next request may come.
    KeepAlive,
    /// It is closed.
    Close,
}

/// Why a head cannot be obeyed; the connection ends with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// Not HTTP.
    Syntax,
    /// Another version than 1.0 and 1.1.
    Version,
    /// More than [`HEAD_MAX`] bytes or [`HEADERS_MAX`] headers.
    TooLong,
    /// Not exactly one `Host`, which HTTP/1.1 asks for.
    Host,
    /// The length of the body is told twice, or is no number.
    Framing,
    /// A transfer coding other than `chunked`.
    Coding,
    /// An expectation other than `100-continue`.
    Expectation,
}

/// Whether a request of HTTP/1.1 may come without a `Host`; two are never taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// As the standard demands.
    Required,
    /// For senders that were written by hand.
    Forgiven,
}

/// Reads the head of a request at the head of `input`: it and its length, or `None` while it is
/// not whole.
///
/// # Errors
/// See [`HeadError`].
pub fn parse_head(input: &[u8], host: HostRule) -> Result<Option<(Head<'_>, usize)>, HeadError> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let status = request
        .parse(input.get(..HEAD_MAX).unwrap_or(input))
        .map_err(|e| match e {
            httparse::Error::TooManyHeaders => HeadError::TooLong,
            httparse::Error::Version => HeadError::Version,
            _ => HeadError::Syntax,
        })?;
    let used = match status {
        Status::Complete(used) => used,
        Status::Partial if input.len() >= HEAD_MAX => return Err(HeadError::TooLong),
        Status::Partial => return Ok(None),
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(HeadError::Syntax);
    };
    let headers = heapless::Vec::from_slice(request.headers).map_err(|_| HeadError::TooLong)?;
    let mut head = Head {
        method,
        framing: Framing::None,
        after: After::Close,
        expects_continue: false,
        target,
        headers,
    };
    head.obey(minor, host)?;
    Ok(Some((head, used)))
}

impl<'a> Head<'a> {
    /// The target without its query; of an absolute one without its host.
    #[must_use]
    pub fn path(&self) -> &'a str {
        let (path, _) = self.target.split_once('?').unwrap_or((self.target, ""));
        let host = path
            .split_once("://")
            .map(|(_, host)| host)
            .filter(|_| !path.starts_with('/'));
        match host {
            Some(host) => host.find('/').and_then(|at| host.get(at..)).unwrap_or("/"),
            None => path,
        }
    }

    /// What stands behind the `?` of the target.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The first header of this name, in any case, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self
            .headers
            .iter()
            .filter(move |h| h.name.eq_ignore_ascii_case(name));
        // bytes that are no text stand for a value that is none of ours
        named.map(|header| {
            str::from_utf8(header.value)
                .unwrap_or("\u{FFFD}")
                .trim_ascii()
        })
    }

    /// Reads what the headers say of this connection and of the body.
    fn obey(&mut self, minor: u8, host: HostRule) -> Result<(), HeadError> {
        match self.all("host").count() {
            0 if host == HostRule::Forgiven => {}
            1 => {}
            _ if minor == 0 => {}
            _ => return Err(HeadError::Host),
        }
        self.framing = self.framing(minor)?;
        self.after = match minor {
            0 if !self.connection("keep-alive") => After::Close,
            _ if self.connection("close") => After::Close,
            _ => After::KeepAlive,
        };
        self.expects_continue = match self.header("expect") {
            Some(_) if minor == 0 => false,
            Some(what) if what.eq_ignore_ascii_case("100-continue") => true,
            Some(_) => return Err(HeadError::Expectation),
            None => false,
        };
        Ok(())
    }

    fn connection(&self, option: &str) -> bool {
        let mut options = self.all("connection").flat_map(|value| value.split(','));
        options.any(|found| found.trim_ascii().eq_ignore_ascii_case(option))
    }

    fn framing(&self, minor: u8) -> Result<Framing, HeadError> {
        let (mut lengths, mut codings) =
            (self.all("content-length"), self.all("transfer-encoding"));
        match (
            lengths.next(),
            lengths.next(),
            codings.next(),
            codings.next(),
        ) {
            (None, _, None, _) => Ok(Framing::None),
            (Some(length), None, None, _) => length_of(length).ok_or(HeadError::Framing),
            (None, _, Some(coding), None) if minor >= 1 => {
                let chunked = coding.eq_ignore_ascii_case("chunked");
                if chunked {
                    Ok(Framing::Chunked)
                } else {
                    Err(HeadError::Coding)
                }
            }
            _ => Err(HeadError::Framing),
        }
    }
}

/// Digits and nothing else: what Rust reads beyond that, as a sign, others read otherwise.
fn length_of(text: &str) -> Option<Framing> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(Framing::Length)
}

/// Where in its body a request is.
#[derive(Debug)]
pub struct Body(BodyState);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyState {
    /// So many bytes are to come.
    Length(u64),
    ChunkSize,
    /// So many bytes of the chunk are to come.
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Done,
}

/// A step through a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// How many bytes of the connection it took; 0: more must come first.
    pub used: usize,
    /// What of them is the body's content.
    pub content: &'a [u8],
}

/// The pieces of a body cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyError;

impl Body {
    /// The body that follows a head.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self(match framing {
            Framing::None | Framing::Length(0) => BodyState::Done,
            Framing::Length(length) => BodyState::Length(length),
            Framing::Chunked => BodyState::ChunkSize,
        })
    }

    /// Whether its last byte was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0 == BodyState::Done
    }

    /// Reads on at the head of `input`.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<Piece<'a>, BodyError> {
        if let BodyState::Length(left) | BodyState::Chunk(left) = self.0 {
            return Ok(self.content(input, left));
        }
        let step = match self.0 {
            BodyState::ChunkSize => chunk_size(input)?,
            BodyState::ChunkEnd => chunk_end(input)?,
            BodyState::Trailer => trailer(input)?,
            _ => None,
        };
        let (used, state) = step.unwrap_or((0, self.0));
        self.0 = state;
        Ok(Piece { used, content: &[] })
    }

    fn content<'a>(&mut self, input: &'a [u8], left: u64) -> Piece<'a> {
        let want = usize::try_from(left).unwrap_or(usize::MAX);
        let content = input.get(..want).unwrap_or(input);
        let used = content.len();
        let left = left.saturating_sub(used.try_into().unwrap_or(u64::MAX));
        self.0 = match self.0 {
            BodyState::Length(_) if left > 0 => BodyState::Length(left),
            BodyState::Length(_) => BodyState::Done,
            _ if left > 0 => BodyState::Chunk(left),
            _ => BodyState::ChunkEnd,
        };
        Piece { used, content }
    }
}

/// A step of a body: bytes used and where it is then; `None` while more must come.
type Step = Option<(usize, BodyState)>;

/// The line is cut out before httparse sees it: that takes a line without digits for 0, and an
/// extension on over the end of its line.
fn chunk_size(input: &[u8]) -> Result<Step, BodyError> {
    let window = input.get(..CHUNK_LINE_MAX).unwrap_or(input);
    let Some(line) = window.split_inclusive(|byte| *byte == b'\n').next() else {
        return Ok(None);
    };
    if !line.ends_with(b"\n") {
        return if line.len() < CHUNK_LINE_MAX {
            Ok(None)
        } else {
            Err(BodyError)
        };
    }
    let digits_first = line.first().is_some_and(u8::is_ascii_hexdigit);
    match httparse::parse_chunk_size(line) {
        Ok(Status::Complete((used, 0))) if digits_first => Ok(Some((used, BodyState::Trailer))),
        Ok(Status::Complete((used, n))) if digits_first => Ok(Some((used, BodyState::Chunk(n)))),
        _ => Err(BodyError),
    }
}

fn chunk_end(input: &[u8]) -> Result<Step, BodyError> {
    match input {
        [b'\r', b'\n', ..] => Ok(Some((2, BodyState::ChunkSize))),
        [] | [b'\r'] => Ok(None),
        _ => Err(BodyError),
    }
}

/// Headers behind a body; nobody asked for them.
fn trailer(input: &[u8]) -> Result<Step, BodyError> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    match httparse::parse_headers(input.get(..HEAD_MAX).unwrap_or(input), &mut headers) {
        Ok(Status::Complete((used, _))) => Ok(Some((used, BodyState::Done))),
        Ok(Status::Partial) if input.len() < HEAD_MAX => Ok(None),
        _ => Err(BodyError),
    }
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// Its status, 200 to 599.
    pub status: u16,
    /// The media type of its content.
    pub content_type: &'a str,
    /// Headers beside `Content-Type`, `Content-Length` and `Connection`.
    pub headers: &'a [(&'a str, &'a str)],
    /// Its content.
    pub body: &'a [u8],
    /// What becomes of the connection.
    pub after: After,
}

impl Response<'_> {
    /// Appends it as the answer to a request of this method; that to `HEAD` has no content.
    pub fn write(&self, method: &str, out: &mut Vec<u8>) {
        self.push_head(out);
        if method != "HEAD" {
            out.extend_from_slice(self.body);
        }
    }

    fn push_head(&self, out: &mut Vec<u8>) {
        let connection = match self.after {
            After::KeepAlive => "keep-alive",
            After::Close => "close",
        };
        let (status, reason, len) = (self.status, reason(self.status), self.body.len());
        let mut push = |line: std::fmt::Arguments<'_>| {
            let written = out.write_fmt(line);
            debug_assert!(written.is_ok(), "written to memory");
        };
        push(format_args!("HTTP/1.1 {status} {reason}\r\n"));
        for (name, value) in self.headers {
            push(format_args!("{name}: {value}\r\n"));
        }
        push(format_args!("Content-Type: {}\r\n", self.content_type));
        push(format_args!(
            "Content-Length: {len}\r\nConnection: {connection}\r\n\r\n"
        ));
    }
}

impl HeadError {
    /// The code that answers it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Syntax | Self::Host | Self::Framing => 400,
            Self::Expectation => 417,
            Self::TooLong => 431,
            Self::Coding => 501,
            Self::Version => 505,
        }
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::Syntax => "not an HTTP request",
            Self::Version => "HTTP/1.0 and 1.1 are spoken here",
            Self::TooLong => "more than 8 KiB or 64 headers before the body",
            Self::Host => "there must be one `Host` header",
            Self::Framing => "the length of the body is unclear",
            Self::Coding => "`Transfer-Encoding` other than `chunked`",
            Self::Expectation => "`Expect` other than `100-continue`",
        }
    }
}

/// The words behind a code.
fn reason(status: u16) -> &'static str {
    let known = REASONS.iter().find(|(known, _)| *known == status);
    known.map_or("", |(_, reason)| reason)
}

/// Sent to a client that waits before it sends its body.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Longest head of a request, in bytes, its first line included; also of a trailer.
pub const HEAD_MAX: usize = 8 * 1024;

/// Most headers of a request; they cost 2 KiB of stack while it is looked at.
pub const HEADERS_MAX: usize = 64;

/// Longest line with the size of a chunk.
const CHUNK_LINE_MAX: usize = 256;

#[rustfmt::skip]
const REASONS: &[(u16, &str)] = &[
    (200, "OK"), (201, "Created"), (204, "No Content"), (304, "Not Modified"),
    (400, "Bad Request"), (401, "Unauthorized"), (403, "Forbidden"), (404, "Not Found"),
    (405, "Method Not Allowed"), (409, "Conflict"), (411, "Length Required"),
    (413, "Content Too Large"), (415, "Unsupported Media Type"), (417, "Expectation Failed"),
    (422, "Unprocessable Content"), (431, "Request Header Fields Too Large"),
    (500, "Internal Server Error"), (501, "Not Implemented"), (503, "Service Unavailable"),
    (505, "HTTP Version Not Supported"),
];
