//! Packets as both versions have them: where they end, and what they say to a channel. The bytes
//! are rumqttc's business, next door; here is what it does not look at.

#![deny(clippy::arithmetic_side_effects)]

use super::Version;
use super::properties;
use super::properties::Improper;
use bytes::Bytes;

/// What stands at the head of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// A packet is not whole yet.
    Part,
    /// One packet.
    Whole(&'a [u8]),
    /// A packet of this length in bytes, header and all, which is more than [`PACKET_MAX`].
    TooLong(usize),
    /// No packet can start so.
    Nothing,
}

/// What a packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// A client logs in.
    Connect(Connect),
    /// The broker answers the login.
    ConnAck {
        /// It knows the session.
        is_known: bool,
        /// Or why not.
        result: Result<(), &'static str>,
    },
    /// A message.
    Publish(Publish),
    /// The second half of a message of QoS 2.
    PubRel(u16),
    /// So many filters are asked for.
    Subscribe(u16, usize),
    /// Whether the broker agreed to the only filter that was asked for.
    SubAck(bool),
    /// So many filters are given up.
    Unsubscribe(u16, usize),
    /// The broker has given up the filters that it was asked to.
    UnsubAck,
    /// A sign of life.
    PingReq,
    /// The answer to it.
    PingResp,
    /// The end.
    Disconnect,
    /// None of these.
    Other,
}

/// The login of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connect {
    /// Seconds; 0 is never.
    pub(super) keep_alive: u16,
    /// Its name; empty: it has none.
    pub(super) client_id: String,
    /// Whether it starts anew.
    pub(super) is_clean: bool,
    /// The will's, if there is one.
    pub(super) will_qos: Option<u8>,
    /// Name and password; empty where they are not given.
    pub(super) login: Option<(String, String)>,
    /// It wants to prove itself in some other way.
    pub(super) has_method: bool,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publish {
    /// 0, 1 or 2.
    pub(super) qos: u8,
    /// It may have been sent before.
    pub(super) is_repeat: bool,
    /// The broker had kept it for whoever subscribes.
    pub(super) is_retained: bool,
    /// 0 with QoS 0.
    pub(super) id: u16,
    /// As it came; a text without NUL.
    pub(super) topic: String,
    /// A number stands for the topic.
    pub(super) has_alias: bool,
    /// Any bytes.
    pub(super) payload: Bytes,
}

/// What a client is told of its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnackCode {
    /// It is in, under its own name, or under one that it gets.
    Accepted(Option<u64>),
    /// The version is none that is spoken here.
    Version,
    /// A session that is kept needs a name.
    ClientId,
    /// Name or password are wrong.
    Credentials,
    /// There has to be a name and a password.
    NotAuthorized,
    /// Only names and passwords are understood.
    Method,
    /// A will of QoS 2.
    Qos,
    /// A login that is damaged.
    Malformed,
    /// A login that says what it may not.
    Protocol(&'static str),
    /// No answer fits into what the client takes.
    TooLong,
}

/// What a client is told of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is safe.
    Taken,
    /// Nobody asked for such messages; that is no fault of it.
    NotOurs,
    /// No stream wants it.
    Unwanted,
    /// Its ident is not taken.
    NotAuthorized,
    /// Its topic names no ident that can be one.
    Topic,
    /// It is too long.
    Quota,
    /// Its payload is none.
    Payload,
}

/// What a client is told at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DisconnectReason {
    /// A packet is damaged.
    Malformed,
    /// A packet is out of turn.
    Protocol,
    /// Nothing can be taken now.
    Busy,
    /// A message was refused.
    Refused(Verdict),
    /// It was silent for too long.
    Silent,
    /// A topic has wildcards.
    Topic,
    /// More messages at once than agreed.
    ReceiveMaximum,
    /// A number stands for a topic.
    Alias,
    /// The packet is too long.
    TooLong,
    /// QoS 2.
    Qos,
    /// Another connection has the name now.
    TakenOver,
}

impl ConnackCode {
    /// Whether the client is in.
    pub(super) fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}

/// Looks for the end of the packet at the head of `input`.
pub(super) fn head(input: &[u8]) -> Head<'_> {
    if input.first().is_some_and(|first| !can_start(*first)) {
        return Head::Nothing;
    }
    match rumqttc::check(input.iter(), PACKET_MAX.saturating_sub(HEADER_LEN)) {
        Ok(header) => input
            .get(..header.frame_length())
            .map_or(Head::Part, Head::Whole),
        Err(rumqttc::Error::InsufficientBytes(_)) => Head::Part,
        Err(rumqttc::Error::PayloadSizeLimitExceeded(len)) => {
            Head::TooLong(header_len(input).saturating_add(len))
        }
        Err(_) => Head::Nothing,
    }
}

/// How long the fixed header is: the type, and a length whose last byte has no high bit.
fn header_len(packet: &[u8]) -> usize {
    let more = packet.iter().skip(1).take_while(|byte| **byte & 0x80 != 0);
    more.count().saturating_add(2)
}

/// Whether a packet has this type and these flags (MQTT 3.1.1, 2.2.2; 5, 2.1.3).
fn can_start(first: u8) -> bool {
    match first >> 4 {
        0 => false,
        3 => first & 0b0110 != 0b0110,
        6 | 8 | 10 => first & 0x0F == 0b0010,
        _ => first.trailing_zeros() >= 4,
    }
}

/// Topic and id of a message that is longer than [`PACKET_MAX`]; none while they are not there.
///
/// # Errors
/// When that is not how a message begins.
pub(super) fn long_publish(input: &[u8]) -> Result<Option<(u8, u16)>, ()> {
    let Some(first) = input.first().filter(|first| **first >> 4 == 3) else {
        return Err(());
    };
    let qos = (first >> 1) & 0b11;
    let body = input.get(header_len(input)..).unwrap_or_default();
    let Some((len, body)) = body.split_first_chunk() else {
        return Ok(None);
    };
    let Some((_, body)) = body.split_at_checked(u16::from_be_bytes(*len).into()) else {
        return Ok(None);
    };
    if qos == 0 {
        return Ok(Some((qos, 0)));
    }
    match body.first_chunk().map(|id| u16::from_be_bytes(*id)) {
        Some(0) => Err(()),
        id => Ok(id.map(|id| (qos, id))),
    }
}

/// Longest packet that a client of version 5 takes, if it says so.
///
/// # Errors
/// What its properties are told.
pub(super) fn largest_taken(connect: &[u8]) -> Result<Option<u32>, ConnackCode> {
    let body = connect.get(header_len(connect)..).unwrap_or_default();
    properties::check_connect(body).map_err(|improper| match improper {
        Improper::Malformed => ConnackCode::Malformed,
        Improper::Protocol(what) => ConnackCode::Protocol(what),
    })
}

/// The version that a login speaks.
///
/// # Errors
/// [`NotUnderstood`].
pub(super) fn version(connect: &[u8]) -> Result<Version, NotUnderstood> {
    match connect.get(header_len(connect)..).unwrap_or_default() {
        [0, 4, b'M', b'Q', b'T', b'T', level, flags, ..] => match (level, flags) {
            (4 | 5, flags) if flags & 1 == 1 => Err(NotUnderstood::NotMqtt),
            // a password without a name
            (4, flags) if flags & 0b1100_0000 == 0b0100_0000 => Err(NotUnderstood::NotMqtt),
            (4, _) => Ok(Version::V311),
            (5, _) => Ok(Version::V5),
            _ => Err(NotUnderstood::Version),
        },
        // MQTT 3.1
        [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', ..] => Err(NotUnderstood::Version),
        _ => Err(NotUnderstood::NotMqtt),
    }
}

/// Who is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotUnderstood {
    /// A client of another version.
    Version,
    /// Somebody who does not speak MQTT.
    NotMqtt,
}

/// Longest packet that is taken, in bytes; so long may a list of messages be.
pub const PACKET_MAX: usize = 64 * 1024;

/// Of a packet that is nearly that long: its type, and 3 bytes of its length.
const HEADER_LEN: usize = 4;
