//! Wialon IPS 1.1 and 2.0 over TCP and UDP: logins, packets, and answers once they are safe.
//!
//! What the bytes are is said in [`crate::wire::ips`]; what a record means as a message, in
//! `parameters`.
//!
//! # Answers
//! They have no number, so a device takes them in the order of its packets, and so they come.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | `L` | `#AL#1`; `01` for a wrong password, `0` if it is none or not taken | ends but for 1 |
//! | `L` with a wrong checksum | `#AL#10` | stays |
//! | `SD`, `D`, `M` | `1`, once it is safe; at once the code of what is wrong | stays |
//! | `B` | how many of it were taken, once they are safe; nothing for a wrong checksum | stays |
//! | the same again, its answer still owed | none of its own | stays |
//! | `P` | `#AP#` | stays |
//! | `I`, `T`, `IT` | `0`, not received; its bytes are passed over by their size | stays |
//! | `US`, `UC`, others | none; bytes of the first two are passed over | stays |
//! | what nobody wants any more, or the ring cannot take now | none | ends |
//! | what is too long for the ring | the code of its parameters: never again | stays |
//! | no login before, no packet, a line or size over its bound, damaged zlib | none | ends |
//!
//! Over UDP each datagram names its device and there is no login, so none is taken where a
//! `password` is asked for. The specification shows no answers over UDP; they are the same here,
//! but each goes out when it can: datagrams have no order.

mod answers;
mod keys;
mod parameters;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use crate::message::check_ident;
pub use crate::wire::charset::Charset;
use crate::wire::ips;
use crate::wire::ips::Frame;
use crate::wire::ips::FrameError;
use crate::wire::ips::Kind;
use crate::wire::ips::LoginError;
use crate::wire::ips::Packet;
use crate::wire::ips::Version;
use answers::Answers;
pub use keys::KIND;
use std::borrow::Cow;
use std::rc::Rc;
use subtle::ConstantTimeEq as _;

/// One TCP connection of a device.
#[derive(Debug)]
pub struct Tcp {
    password: Option<Rc<str>>,
    charset: Charset,
    /// Who it is, once it has logged in.
    device: Option<Device>,
    answers: Answers,
    /// How much of the line that is under way is known to have no end in it.
    searched: usize,
    /// Bytes that are passed over, and what is answered behind them.
    passing: Option<Passing>,
}

/// Datagrams, of one sender or of many.
#[derive(Debug)]
pub struct Udp {
    is_closed: bool,
    charset: Charset,
    answers: Answers,
}

#[derive(Clone, Debug)]
struct Device {
    ident: Rc<str>,
    version: Version,
    charset: Charset,
}

#[derive(Debug)]
struct Passing {
    left: u64,
    answer: Option<String>,
}

impl Tcp {
    /// A connection that has said nothing yet; with a `password`, only who knows it is served.
    #[must_use]
    pub fn new(password: Option<Rc<str>>) -> Self {
        Self {
            password,
            charset: Charset::default(),
            device: None,
            answers: Answers::default(),
            searched: 0,
            passing: None,
        }
    }

    /// The same for devices that write their text so.
    #[must_use]
    pub fn with_charset(self, charset: Charset) -> Self {
        Self { charset, ..self }
    }

    /// Takes one packet, or bytes that are passed over, from the head of `input`; none: it is not
    /// whole yet.
    fn unit(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        if let Some(len) = self.pass(input) {
            return Ok(Some(len).filter(|len| *len > 0));
        }
        let most = self.line_max(input);
        let frame = ips::frame(input, &mut self.searched, most);
        let Some((frame, len)) = frame.map_err(|bad| unframed(bad, intake))? else {
            return Ok(None);
        };
        match frame {
            Frame::Line([]) => {}
            Frame::Line(line) => self.line(line, intake, out)?,
            Frame::Compressed(data) => {
                let line = inflated(data, self.inflated_max(), intake)?;
                self.line(&line, intake, out)?;
                // what is passed over was in the compressed packet
                if let Some(passing) = self.passing.take() {
                    self.answers.in_turn(passing.answer);
                }
            }
        }
        self.answers.pay(out);
        Ok(Some(len))
    }

    /// How many bytes of `input` are passed over; none: they are packets.
    fn pass(&mut self, input: &[u8]) -> Option<usize> {
        let passing = self.passing.as_mut()?;
        let len = usize::try_from(passing.left).map_or(input.len(), |left| left.min(input.len()));
        passing.left = passing.left.saturating_sub(u64::try_from(len).ok()?);
        if passing.left == 0 {
            let answer = self.passing.take().and_then(|passing| passing.answer);
            self.answers.in_turn(answer);
        }
        Some(len)
    }

    fn line_max(&self, input: &[u8]) -> usize {
        match self.device {
            None => LOGIN_MAX,
            Some(_) if input.starts_with(b"#B#") => ips::BLACK_BOX_MAX,
            Some(_) => ips::LINE_MAX,
        }
    }

    fn inflated_max(&self) -> usize {
        match self.device {
            None => LOGIN_MAX,
            Some(_) => ips::BLACK_BOX_MAX,
        }
    }

    fn line(
        &mut self,
        line: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        let packet = ips::packet(line).filter(|packet| packet.prefix.is_empty());
        let packet = packet.ok_or_else(|| no_packet(line, intake))?;
        match (packet.kind, &self.device) {
            (Kind::Login, _) => self.login(packet.body, intake, out),
            (Kind::Ping, _) => {
                self.answers.in_turn(Some("#AP#\r\n".into()));
                Ok(())
            }
            (_, None) => {
                intake.malformed(InputError::Syntax, "a packet before the login");
                Err(Disconnect {
                    reason: "a packet before the login",
                })
            }
            (Kind::Photo | Kind::FileBlock | Kind::Firmware | Kind::Configuration, Some(_)) => {
                self.file(&packet, intake)
            }
            (_, Some(device)) => {
                let device = device.clone();
                self.answers.packet(&device, &packet, intake)
            }
        }
    }

    fn login(
        &mut self,
        body: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        self.device = None;
        let refusal = match self.known(body, intake) {
            Ok(device) => {
                self.device = Some(device);
                self.answers.in_turn(Some("#AL#1\r\n".into()));
                return Ok(());
            }
            Err(WRONG_CHECKSUM) => {
                self.answers.in_turn(Some("#AL#10\r\n".into()));
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        // what is owed is lost with the connection; this must not be taken for it
        if self.answers.is_empty() {
            out.extend_from_slice(format!("#AL#{refusal}\r\n").as_bytes());
        }
        Err(Disconnect {
            reason: "the login is not taken",
        })
    }

    /// Who logs in, or the code that refuses it.
    fn known(&self, body: &[u8], intake: &mut dyn Intake) -> Result<Device, &'static str> {
        let login = ips::login(body).map_err(|bad| match bad {
            LoginError::Structure => {
                intake.malformed(InputError::Syntax, "a login of an unknown form or version");
                "0"
            }
            LoginError::Checksum => {
                intake.malformed(InputError::Checksum, "the checksum of a login does not fit");
                WRONG_CHECKSUM
            }
        })?;
        let ident = ident_of(login.ident, intake).ok_or("0")?;
        let password = self.password.as_deref();
        if password.is_some_and(|known| !bool::from(known.as_bytes().ct_eq(login.password))) {
            intake.malformed(InputError::Login, &format!("wrong password of `{ident}`"));
            return Err("01");
        }
        intake.check_ident(ident).map_err(|_| "0")?;
        Ok(Device {
            ident: ident.into(),
            version: login.version,
            charset: self.charset,
        })
    }

    /// A packet that is followed by bytes.
    fn file(&mut self, packet: &Packet<'_>, intake: &mut dyn Intake) -> Result<(), Disconnect> {
        let body = String::from_utf8_lossy(packet.body);
        let fields: Vec<&str> = body.split(';').take(4).map(str::trim_ascii).collect();
        let (size, index) = match (packet.kind, &fields[..]) {
            (Kind::FileBlock, [_, size, index, ..]) => (size.parse().ok(), *index),
            (Kind::Photo, [size, index, ..]) => (size.parse().ok(), *index),
            (_, [size, ..]) => (size.parse().ok(), ""),
            _ => (None, ""),
        };
        let size = size.filter(|size: &u64| *size <= FILE_MAX);
        let left = size.ok_or_else(|| {
            intake.malformed(InputError::Length, "a file without a size, or a huge one");
            Disconnect {
                reason: "a file without a size, or a huge one",
            }
        })?;
        intake.malformed(InputError::Unsupported, "a photo or another file");
        let index = index.get(..10).unwrap_or(index);
        let answer = match packet.kind {
            Kind::Photo => Some(format!("#AI#{index};0\r\n")),
            Kind::FileBlock => Some(format!("#AT#{index};0\r\n")),
            _ => None,
        };
        match left {
            0 => self.answers.in_turn(answer),
            left => self.passing = Some(Passing { left, answer }),
        }
        Ok(())
    }
}

impl Session for Tcp {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while !self.is_blocked() && out.len() < ANSWERS_MAX {
            let Some(len) = self.unit(rest, intake, out)? else {
                break;
            };
            rest = rest.get(len..).unwrap_or_default();
        }
        self.answers.pay(out);
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        self.answers.on_durable(out);
    }

    /// It cuts shorter lines by itself; the driver must not cut a black box.
    fn unit_max(&self) -> usize {
        ips::BLACK_BOX_MAX
    }

    fn is_blocked(&self) -> bool {
        self.answers.is_full()
    }
}

impl Udp {
    /// A socket that has received nothing yet; with a `password`, which no datagram has, nothing is
    /// taken.
    #[must_use]
    pub fn new(password: Option<&str>) -> Self {
        Self {
            is_closed: password.is_some(),
            charset: Charset::default(),
            answers: Answers::default(),
        }
    }

    /// The same for devices that write their text so.
    #[must_use]
    pub fn with_charset(self, charset: Charset) -> Self {
        Self { charset, ..self }
    }

    fn datagram(&mut self, input: &[u8], intake: &mut dyn Intake) -> Result<(), Disconnect> {
        let line = match *input {
            [0xFF, low, high, ref data @ ..] => {
                let len = usize::from(u16::from_le_bytes([low, high]));
                let data = data.get(..len).unwrap_or_default();
                Cow::Owned(inflated(data, ips::LINE_MAX, intake)?)
            }
            _ => Cow::Borrowed(input.trim_ascii_end()),
        };
        let packet = ips::packet(&line).ok_or_else(|| no_packet(&line, intake))?;
        let sender = ips::sender(packet.prefix);
        let (version, ident) = sender.ok_or_else(|| no_packet(&line, intake))?;
        let Some(ident) = ident_of(ident, intake) else {
            return Ok(());
        };
        if self.is_closed {
            intake.malformed(InputError::Login, "a datagram has no password");
            return Ok(());
        }
        let device = Device {
            ident: ident.into(),
            version,
            charset: self.charset,
        };
        self.answers.packet(&device, &packet, intake)
    }
}

impl Session for Udp {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        if self.answers.is_full() {
            intake.malformed(InputError::Length, "too many datagrams wait for an answer");
        } else {
            // the next datagram stands for itself
            self.datagram(input, intake).ok();
            self.answers.pay_at_once(out);
        }
        Ok(input.len())
    }

    /// Ack tokens come back in order, each to its own sender.
    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        self.answers.safe_at_once(out);
    }
}

fn inflated(data: &[u8], most: usize, intake: &mut dyn Intake) -> Result<Vec<u8>, Disconnect> {
    ips::inflate(data, most).ok_or_else(|| {
        let reason = "a compressed packet that is damaged or too long";
        intake.malformed(InputError::Syntax, reason);
        Disconnect { reason }
    })
}

fn unframed(bad: FrameError, intake: &mut dyn Intake) -> Disconnect {
    let reason = match bad {
        FrameError::Start(_) => InputError::Syntax,
        FrameError::TooLong(_) => InputError::Length,
    };
    intake.malformed(reason, &bad.to_string());
    Disconnect {
        reason: "no packet can start with what came",
    }
}

fn no_packet(line: &[u8], intake: &mut dyn Intake) -> Disconnect {
    let head = line.get(..SHOWN_MAX).unwrap_or(line);
    let detail = format!("`{}` is no packet", head.escape_ascii());
    intake.malformed(InputError::Syntax, &detail);
    Disconnect {
        reason: "a line that is no packet",
    }
}

fn ident_of<'a>(bytes: &'a [u8], intake: &mut dyn Intake) -> Option<&'a str> {
    let ident = str::from_utf8(bytes).ok();
    let ident = ident.filter(|ident| check_ident(ident).is_ok());
    if ident.is_none() {
        let head = bytes.get(..SHOWN_MAX).unwrap_or(bytes);
        let detail = format!("`{}` is no ident", head.escape_ascii());
        intake.malformed(InputError::Ident, &detail);
    }
    ident
}

const WRONG_CHECKSUM: &str = "10";

/// Longest line of who has not logged in, in bytes.
const LOGIN_MAX: usize = 1024;

/// Longest part of a file, in bytes; 50 KiB are recommended. A larger size is a lie, and would
/// swallow all that comes.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// After so many bytes of answers a call ends.
const ANSWERS_MAX: usize = 16 * 1024;

/// How much of foreign text a log line has.
const SHOWN_MAX: usize = 32;
