//! Channel protocols: their bytes in arbitrary pieces, through a daemon's side that checks what a
//! session may do.

use crate::bytes::Source;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use weir::channel::BatchRefusal;
use weir::channel::Disconnect;
use weir::channel::InputError;
use weir::channel::Intake;
use weir::channel::Refusal;
use weir::channel::Session;
use weir::channel::http::Posts;
use weir::channel::http_request::Requests;
use weir::channel::json::JsonLines;
use weir::channel::osmand::Reports;
use weir::channel::osmand::SpeedUnit;
use weir::channel::owntracks;
use weir::channel::teltonika;
use weir::clock::Now;
use weir::clock::Wall;
use weir::message::Message;
use weir::message::body;
use weir::message::json;
use weir::message::json::Names;
use weir::message::json::Sender;
use weir::wire::teltonika::Codec;
use weir::wire::teltonika::Packet;
use weir::wire::teltonika::encode_login;
use weir::wire::teltonika::encode_packet;

/// Lines, and each of them read the short way as the long one reads it.
pub(crate) fn json_lines(data: &[u8]) {
    stream(data, JsonLines::new(names()));
    let (kind, text) = data.split_first().unwrap_or((&0, data));
    let sender = match kind % 3 {
        0 => Sender::InText,
        1 => Sender::Is("a"),
        _ => Sender::Else("a"),
    };
    for line in text.split(|byte| *byte == b'\n') {
        let read = json::parse_many_of(line, &names(), sender);
        let expected = json::parse_many_thoroughly(line, &names(), sender);
        assert_eq!(read, expected, "{}", line.escape_ascii());
    }
}

pub(crate) fn json_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x06{\"ident\":\"352093081\",\"timestamp\":1763900000.250,\"x\":-54.680000,\"n\":true}\n"
            .to_vec(),
        b"\x07{\"ident\":\"a\",\"n\":[1,-2.5e3,null,\"\\u00e9\"],\"timestamp\":17.5}\n".to_vec(),
        b"\xff[{\"ident\":\"a\"},{\"ident\":7,\"timestamp\":\"2024-05-06T07:08:09Z\"}]\r\n!\n"
            .to_vec(),
    ]
}

pub(crate) fn http(data: &[u8]) {
    stream(data, Requests::new(Posts::new(names(), None)));
}

pub(crate) fn http_seeds() -> Vec<Vec<u8>> {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    vec![
        format!("\x20{head}Content-Length: 13\r\n\r\n{{\"ident\":\"a\"}}").into(),
        format!(
            "\x05{head}Transfer-Encoding: chunked\r\n\r\nd\r\n{{\"ident\":\"a\"}}\r\n0\r\n\r\n"
        )
        .into(),
        format!("\x40{head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n[]").into(),
    ]
}

pub(crate) fn osmand(data: &[u8]) {
    stream(data, Requests::new(Reports::new(SpeedUnit::Knots)));
}

pub(crate) fn osmand_seeds() -> Vec<Vec<u8>> {
    let json = "{\"device_id\":\"a\",\"location\":{\"timestamp\":\"2025-06-15T13:45:12.862Z\",\
                \"coords\":{\"latitude\":1,\"longitude\":2,\"speed\":-1},\
                \"battery\":{\"level\":0.5},\"extras\":{\"a\":[1]}}}";
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    vec![
        b"\xffGET /?id=a&lat=1.5&location=1,2&timestamp=1377177267&speed=7&batt=87&charge=true\
          &cell=257,02,16,2224,-90&wifi=00-14-22,-80&x=%C3%A9+1.0E-4 HTTP/1.1\r\nHost: a\r\n\r\n"
            .to_vec(),
        format!("\x40{head}Content-Length: {}\r\n\r\n{json}", json.len()).into(),
    ]
}

pub(crate) fn owntracks(data: &[u8]) {
    stream(data, Requests::new(owntracks::Reports::new(Rc::default())));
}

pub(crate) fn owntracks_seeds() -> Vec<Vec<u8>> {
    let location = "{\"_type\":\"location\",\"lat\":1.5,\"lon\":2,\"tst\":1773480413,\"tid\":\"7\",\
                    \"topic\":\"owntracks/a/b\",\"batt\":64,\"bs\":2,\"din1\":true,\"hmc\":7200}";
    let gone = "{\"_type\":\"transition\",\"event\":\"leave\",\"desc\":\"d\",\"tst\":1.5}";
    let head = "POST /pub?u=a&d=b HTTP/1.1\r\nHost: a\r\nX-Limit-U: jo\r\n\
                Authorization: Basic YTpi\r\n";
    [
        location,
        gone,
        "{\"_type\":\"encrypted\",\"data\":\"AAAA\"}",
        "",
    ]
    .map(|body| format!("\x40{head}Content-Length: {}\r\n\r\n{body}", body.len()).into())
    .into()
}

/// The first byte says whether it is a datagram.
pub(crate) fn teltonika(data: &[u8]) {
    let keys = Rc::new(teltonika::Keys::default());
    match data.split_first() {
        Some((0, datagram)) => one_datagram(datagram, teltonika::Udp::new(keys)),
        Some((_, rest)) => stream(rest, teltonika::Tcp::new(keys)),
        None => {}
    }
}

pub(crate) fn teltonika_seeds() -> Vec<Vec<u8>> {
    let mut login = vec![1, 40];
    encode_login("352093081452251", &mut login).expect("an ident that fits");
    let empty = Packet {
        codec: Codec::Eight,
        records: Vec::new(),
    };
    let mut packet = login.clone();
    encode_packet(&empty, &mut packet).expect("a packet that fits");
    vec![login, packet, vec![0, 0, 5, 0xca, 0xfe, 1, 5, 0, 0]]
}

/// A connection that this side made.
pub(crate) fn connected(data: &[u8], mut session: impl Session) {
    let mut out = Vec::new();
    session.opened(Daemon::default().now(), &mut out);
    assert!(out.len() <= OUT_MAX);
    stream(data, session);
}

/// Sends `data` behind its first byte, which says how large the pieces are. Behind each piece
/// time passes, as far as the session has something to do then.
pub(crate) fn stream(data: &[u8], mut session: impl Session) {
    let mut source = Source(data);
    let piece = usize::from(source.byte()) * 4 + 1;
    let mut daemon = Daemon::default();
    let mut input = Vec::new();
    while !source.is_empty() {
        input.extend_from_slice(source.take(piece));
        if daemon.turn(&mut session, &mut input).is_err() {
            return;
        }
        assert!(
            input.len() <= UNIT_MAX,
            "what is not understood must not pile up"
        );
        assert!(session.buffered_len() <= UNIT_MAX);
        if daemon.wait(&mut session).is_err() {
            return;
        }
    }
    session.on_eof(&mut daemon);
}

pub(crate) fn one_datagram(datagram: &[u8], mut session: impl Session) {
    let (mut daemon, mut out) = (Daemon::default(), Vec::new());
    let taken = session.receive(datagram, &mut daemon, &mut out);
    assert!(
        taken.is_err() || taken == Ok(datagram.len()),
        "a datagram is taken whole"
    );
    daemon.make_safe(&mut session, &mut out);
    assert!(out.len() <= OUT_MAX);
    session.on_eof(&mut daemon);
}

/// Takes most of what it gets, for no reason that a session could guess.
#[derive(Default)]
struct Daemon {
    asked: usize,
    waiting: VecDeque<u64>,
    last: Option<u64>,
    elapsed: Duration,
}

impl Daemon {
    /// As long as the session uses something or answers something.
    fn turn(&mut self, session: &mut impl Session, input: &mut Vec<u8>) -> Result<(), Disconnect> {
        for _ in 0..TURNS_MAX {
            let mut out = Vec::new();
            let used = session.receive(input, self, &mut out);
            assert!(out.len() <= OUT_MAX, "{} bytes at once", out.len());
            let used = used?;
            assert!(used <= input.len(), "{used} of {}", input.len());
            input.drain(..used);
            let before = out.len();
            let waited = self.waiting.len();
            self.make_safe(session, &mut out);
            if used == 0 && before == 0 && waited == 0 {
                return Ok(());
            }
        }
        panic!("the session goes on for ever without more input");
    }

    /// Until the session wants to be woken.
    fn wait(&mut self, session: &mut impl Session) -> Result<(), Disconnect> {
        let Some(at) = session.wake_at() else {
            return Ok(());
        };
        self.elapsed = self.elapsed.max(at.saturating_sub(START));
        let mut out = Vec::new();
        let woken = session.wake(self, &mut out);
        assert!(out.len() <= OUT_MAX);
        self.make_safe(session, &mut out);
        woken
    }

    fn make_safe(&mut self, session: &mut impl Session, out: &mut Vec<u8>) {
        let last_only = session.acks_cumulatively();
        let before = self.waiting.len().saturating_sub(1);
        for ack_token in self
            .waiting
            .drain(..)
            .skip(if last_only { before } else { 0 })
        {
            session.on_durable(ack_token, out);
        }
    }

    fn refuses(&mut self) -> Result<(), BatchRefusal> {
        self.asked += 1;
        match self.asked % 5 {
            4 => Err(BatchRefusal {
                index: 0,
                reason: Refusal::Unwanted,
            }),
            _ => Ok(()),
        }
    }
}

impl Intake for Daemon {
    fn now(&self) -> Now {
        Now {
            mono: START + self.elapsed,
            wall: Wall {
                since_1970: Duration::from_secs(1_800_000_000) + self.elapsed,
                trusted: true,
            },
            ages: true,
        }
    }

    fn check_ident(&mut self, ident: &str) -> Result<(), BatchRefusal> {
        assert!(
            Message::new(ident).is_ok(),
            "an ident that is none: {ident:?}"
        );
        self.refuses()
    }

    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
        for message in &*batch {
            let mut bytes = Vec::new();
            body::encode(message, &mut bytes);
            let read = body::Body::new(&bytes).expect("the present version");
            assert_eq!(
                read.fields().count(),
                message.fields().count(),
                "{message:?}"
            );
        }
        self.refuses()
    }

    fn ack_when_durable(&mut self, ack_token: u64) {
        assert!(self.last <= Some(ack_token), "ack tokens rise");
        self.last = Some(ack_token);
        self.waiting.push_back(ack_token);
    }

    fn malformed(&mut self, _: InputError, detail: &str) {
        assert!(!detail.is_empty() && detail.len() < 1000, "{detail}");
        assert!(
            !detail.contains(char::is_control),
            "{detail:?} would break a log"
        );
    }
}

fn names() -> Names {
    Names {
        ident: "ident".to_owned(),
        timestamp: "timestamp".to_owned(),
    }
}

/// On the clock that never goes back.
const START: Duration = Duration::from_secs(1);
/// More than the longest unit of any protocol, and one piece.
const UNIT_MAX: usize = 128 * 1024;
/// More than is ever answered at once.
const OUT_MAX: usize = 256 * 1024;
/// Steps for one piece: each unit has a byte at least.
const TURNS_MAX: usize = 256 * 1024;
