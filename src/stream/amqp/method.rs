//! Methods and headers: the fields of each in their order, as the specification has them
//! (AMQP 0-9-1, chapter 1.2 of its reference). Those that only one side sends are written or read
//! alone.
//!
//! A table of the broker is a text of bytes here, and never looked into: what is read of it would
//! be as deep and as odd as the broker makes it.

use super::frame;
use super::frame::Frame;
use super::frame::malformed;
use crate::stream::DeliveryError;
use amqp_serde::Deserializer;
use amqp_serde::types::FieldTable;
use serde::Deserialize;
use serde::Serialize;

/// A text of at most 255 bytes behind its length. What a broker cuts there may be cut within a
/// letter, so it is bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Short<'a>(u8, #[serde(borrow)] &'a [u8]);

/// The same, of up to 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Long<'a>(u32, #[serde(borrow)] &'a [u8]);

/// A method that this side sends: its class and its number there.
pub(super) trait Method: Serialize {
    const CLASS: u16;
    const NUMBER: u16;
}

/// What the broker speaks.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Start<'a> {
    _major: u8,
    _minor: u8,
    #[serde(borrow)]
    _properties: Long<'a>,
    /// Ways to log in, with spaces between.
    pub(super) mechanisms: Long<'a>,
    _locales: Long<'a>,
}

/// Who logs in.
#[derive(Debug, Serialize)]
pub(super) struct StartOk<'a> {
    pub(super) properties: FieldTable,
    pub(super) mechanism: Short<'a>,
    pub(super) response: Long<'a>,
    pub(super) locale: Short<'a>,
}

/// What holds for the connection: what the broker wants, and what this side makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tune {
    /// Zero is any number.
    pub(super) channel_max: u16,
    /// Bytes; zero is any number.
    pub(super) frame_max: u32,
    /// Seconds; zero is never.
    pub(super) heartbeat: u16,
}

/// Which virtual host.
#[derive(Debug, Serialize)]
pub(super) struct Open<'a> {
    pub(super) vhost: Short<'a>,
    pub(super) reserved_1: Short<'a>,
    pub(super) reserved_2: u8,
}

/// A channel is wanted.
#[derive(Debug, Default, Serialize)]
pub(super) struct ChannelOpen<'a>(pub(super) Short<'a>);

/// Each publish is to be answered.
#[derive(Debug, Default, Serialize)]
pub(super) struct ConfirmSelect {
    pub(super) bits: u8,
}

/// Whether an exchange is there.
#[derive(Debug, Serialize)]
pub(super) struct ExchangeDeclare<'a> {
    pub(super) ticket: u16,
    pub(super) exchange: Short<'a>,
    pub(super) kind: Short<'a>,
    pub(super) bits: u8,
    pub(super) arguments: FieldTable,
}

/// Where the message goes whose header and body follow.
#[derive(Debug, Serialize)]
pub(super) struct Publish<'a> {
    pub(super) ticket: u16,
    pub(super) exchange: Short<'a>,
    pub(super) routing_key: Short<'a>,
    pub(super) bits: u8,
}

/// What a message is, as far as this side says it: its properties stand in the order of their
/// [`flags`].
#[derive(Debug, Serialize)]
pub(super) struct Header<'a> {
    pub(super) class: u16,
    pub(super) weight: u16,
    pub(super) body_len: u64,
    pub(super) flags: u16,
    pub(super) content_type: Short<'a>,
    pub(super) headers: FieldTable,
    pub(super) delivery_mode: u8,
    pub(super) message_id: Short<'a>,
    /// None: when it was measured is not known.
    pub(super) timestamp: Option<u64>,
    pub(super) app_id: Short<'a>,
}

/// What became of a publish, or with bit 0 of all up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Answer {
    pub(super) tag: u64,
    pub(super) bits: u8,
}

/// A message that no queue got: its header and body follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Return<'a> {
    pub(super) code: u16,
    #[serde(borrow)]
    pub(super) text: Short<'a>,
    pub(super) exchange: Short<'a>,
    pub(super) routing_key: Short<'a>,
}

/// The end of the connection or of the channel, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Close<'a> {
    pub(super) code: u16,
    #[serde(borrow)]
    pub(super) text: Short<'a>,
    pub(super) class: u16,
    pub(super) method: u16,
}

/// What the broker says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    Start(Start<'a>),
    Tune(Tune),
    Opened,
    ChannelOpened,
    Selected,
    Declared,
    Ack(Answer),
    Nack(Answer),
    Return(Return<'a>),
    /// Of a message that it returns: the id that this side gave it.
    Header(&'a [u8]),
    Blocked(Short<'a>),
    Unblocked,
    Close(Close<'a>),
    /// What needs no answer: a sign of life, the body of what is returned, what nobody asked for.
    Nothing,
}

impl<'a> Short<'a> {
    /// None: it is too long.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        let len = u8::try_from(text.len()).ok()?;
        Some(Self(len, text.as_bytes()))
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.1
    }
}

impl<'a> Long<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let len = u32::try_from(bytes.len()).ok()?;
        Some(Self(len, bytes))
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.1
    }
}

impl<'a> Incoming<'a> {
    /// What is in a frame.
    ///
    /// # Errors
    /// Fields that are not there, or too many.
    pub(super) fn of(frame: &Frame<'a>) -> Result<Self, DeliveryError> {
        let (class, number, fields) = match (frame.kind, frame.payload) {
            (frame::METHOD, [c0, c1, n0, n1, fields @ ..]) => (
                u16::from_be_bytes([*c0, *c1]),
                u16::from_be_bytes([*n0, *n1]),
                fields,
            ),
            (frame::METHOD, _) => return Err(malformed("a method without a name")),
            (frame::HEADER, header) => {
                let id = message_id(header).map_err(|error| codec(&error))?;
                return Ok(Self::Header(id));
            }
            _ => return Ok(Self::Nothing),
        };
        Ok(match (class, number) {
            (CONNECTION, 10) => Self::Start(fields_of(fields)?),
            (CONNECTION, 30) => Self::Tune(fields_of(fields)?),
            (CONNECTION, 41) => Self::Opened,
            (CONNECTION, 50) | (CHANNEL, 40) => Self::Close(fields_of(fields)?),
            (CONNECTION, 60) => Self::Blocked(fields_of(fields)?),
            (CONNECTION, 61) => Self::Unblocked,
            (CHANNEL, 11) => Self::ChannelOpened,
            (EXCHANGE, 11) => Self::Declared,
            (BASIC, 50) => Self::Return(fields_of(fields)?),
            (BASIC, 80) => Self::Ack(fields_of(fields)?),
            (BASIC, 120) => Self::Nack(fields_of(fields)?),
            (CONFIRM, 11) => Self::Selected,
            _ => Self::Nothing,
        })
    }
}

/// Appends a method in its frame.
///
/// # Errors
/// Never, for what is written here.
pub(super) fn write<M: Method>(
    channel: u16,
    method: &M,
    out: &mut Vec<u8>,
) -> Result<(), DeliveryError> {
    let mut written = Ok(0);
    frame::write(frame::METHOD, channel, out, |out| {
        out.extend_from_slice(&M::CLASS.to_be_bytes());
        out.extend_from_slice(&M::NUMBER.to_be_bytes());
        written = amqp_serde::to_buffer(method, out);
    });
    written.map(drop).map_err(|error| codec(&error))
}

/// Appends the header of a message in its frame.
///
/// # Errors
/// As [`write()`].
pub(super) fn write_header(
    channel: u16,
    header: &Header<'_>,
    out: &mut Vec<u8>,
) -> Result<(), DeliveryError> {
    let mut written = Ok(0);
    frame::write(frame::HEADER, channel, out, |out| {
        written = amqp_serde::to_buffer(header, out);
    });
    written.map(drop).map_err(|error| codec(&error))
}

/// Which properties this side gives a message.
pub(super) fn flags(has_timestamp: bool) -> u16 {
    let always = CONTENT_TYPE | HEADERS | DELIVERY_MODE | MESSAGE_ID | APP_ID;
    match has_timestamp {
        true => always | TIMESTAMP,
        false => always,
    }
}

fn fields_of<'a, T: Deserialize<'a>>(fields: &'a [u8]) -> Result<T, DeliveryError> {
    amqp_serde::from_bytes(fields).map_err(|error| codec(&error))
}

/// The `message-id` of a header; empty where it has none. Properties stand in the order of their
/// flags, from the highest on; a broker may have added some.
fn message_id(header: &[u8]) -> Result<&[u8], amqp_serde::Error> {
    let properties = &mut Deserializer::from_bytes(header);
    let (_class, _weight, _len) = <(u16, u16, u64)>::deserialize(&mut *properties)?;
    let flags = u16::deserialize(&mut *properties)?;
    for flag in (0..16).rev().map(|bit| 1 << bit) {
        match flags & flag {
            0 => {}
            HEADERS => drop(Long::deserialize(&mut *properties)?),
            DELIVERY_MODE | PRIORITY => drop(u8::deserialize(&mut *properties)?),
            MESSAGE_ID => return Ok(Short::deserialize(&mut *properties)?.bytes()),
            // those that follow are of no interest
            1..MESSAGE_ID => break,
            _ => drop(Short::deserialize(&mut *properties)?),
        }
    }
    Ok(b"")
}

fn codec(error: &amqp_serde::Error) -> DeliveryError {
    malformed(&error.to_string())
}

macro_rules! methods {
    ($($of:ty: $class:ident, $number:literal;)*) => {
        $(impl Method for $of {
            const CLASS: u16 = $class;
            const NUMBER: u16 = $number;
        })*
    };
}

methods! {
    StartOk<'_>: CONNECTION, 11;
    Tune: CONNECTION, 31;
    Open<'_>: CONNECTION, 40;
    Close<'_>: CONNECTION, 50;
    ChannelOpen<'_>: CHANNEL, 10;
    ExchangeDeclare<'_>: EXCHANGE, 10;
    Publish<'_>: BASIC, 40;
    ConfirmSelect: CONFIRM, 10;
}

const CONNECTION: u16 = 10;
const CHANNEL: u16 = 20;
const EXCHANGE: u16 = 40;
/// Messages.
pub(super) const BASIC: u16 = 60;
const CONFIRM: u16 = 85;

const CONTENT_TYPE: u16 = 1 << 15;
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;
const APP_ID: u16 = 1 << 3;

/// A publish that no queue gets comes back.
pub(super) const MANDATORY: u8 = 1;
/// An exchange is looked for, not made.
pub(super) const PASSIVE: u8 = 1;
/// An answer is that of all before it as well.
pub(super) const MULTIPLE: u8 = 1;
/// A message outlives the broker.
pub(super) const PERSISTENT: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in the header of a message that came back.
    fn id_in(flags: u16, properties: &[u8]) -> Result<Vec<u8>, DeliveryError> {
        let head = [&[0, 60, 0, 0][..], &[0; 8], &flags.to_be_bytes()].concat();
        let payload = &[&head, properties].concat();
        let frame = Frame {
            kind: frame::HEADER,
            channel: 1,
            payload,
        };
        match Incoming::of(&frame)? {
            Incoming::Header(id) => Ok(id.to_vec()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_id_of_a_message_is_found_among_all_that_it_can_have() {
        // content type and encoding, headers, delivery mode, priority, correlation id, reply to,
        // expiration, message id, timestamp, type
        let all = b"\x01a\x02bc\0\0\0\x03xyz\x02\x09\x01d\x01e\x01f\x027:tttttttt\x01t";
        assert_eq!(id_in(0b1111_1111_1110_0000, all), Ok(b"7:".to_vec()));
        assert_eq!(id_in(MESSAGE_ID, b"\x03abc"), Ok(b"abc".to_vec()));
        assert_eq!(
            id_in(TIMESTAMP | CONTENT_TYPE, b"\x01ctttttttt"),
            Ok(vec![])
        );
        assert_eq!(id_in(0, b""), Ok(vec![]));
        assert!(id_in(MESSAGE_ID, b"\x03ab").is_err());
        assert!(id_in(HEADERS | MESSAGE_ID, b"\xff\xff\xff\xff\x01a").is_err());
        assert!(id_in(DELIVERY_MODE, b"").is_err());
    }

    #[test]
    fn what_is_written_has_the_bytes_of_the_specification() {
        let mut out = Vec::new();
        let publish = Publish {
            ticket: 0,
            exchange: Short::new("x").unwrap_or_default(),
            routing_key: Short::new("k.1").unwrap_or_default(),
            bits: MANDATORY,
        };
        write(1, &publish, &mut out).unwrap();
        assert_eq!(
            out,
            b"\x01\0\x01\0\0\0\x0d\0\x3c\0\x28\0\0\x01x\x03k.1\x01\xce"
        );
        assert!(Short::new(&"x".repeat(255)).is_some() && Short::new(&"x".repeat(256)).is_none());
    }

    #[test]
    fn a_text_that_a_broker_has_cut_is_read_all_the_same() {
        let fields = b"\0\x0a\0\x32\x01\x94\x03ab\xc3\0\0\0\0";
        let frame = Frame {
            kind: frame::METHOD,
            channel: 0,
            payload: fields,
        };
        match Incoming::of(&frame) {
            Ok(Incoming::Close(close)) => assert_eq!(close.text.bytes(), b"ab\xc3"),
            other => panic!("{other:?}"),
        }
    }
}
