//! Packets as both versions have them: where they end, and what they say to a channel. The bytes
//! are rumqttc's business, next door; here is what it does not look at.

#![deny(clippy::arithmetic_side_effects)]

use super::Version;
use super::properties;
use super::properties::Improper;

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
pub(super) enum Packet<'a> {
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
    Publish(Publish<'a>),
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
pub(super) struct Publish<'a> {
    /// 0, 1 or 2.
    pub(super) qos: u8,
    /// It may have been sent before.
    pub(super) is_repeat: bool,
    /// The broker had kept it for whoever subscribes.
    pub(super) is_retained: bool,
    /// 0 with QoS 0.
    pub(super) id: u16,
    /// As it came; a text without NUL.
    pub(super) topic: &'a str,
    /// A number stands for the topic.
    pub(super) has_alias: bool,
    /// Any bytes.
    pub(super) payload: &'a [u8],
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
    let (mut rest, mut shift) = (0_usize, 0_u32);
    for byte in input.iter().skip(1).take(LEN_LEN_MAX) {
        rest |= usize::from(byte & 0x7F).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            let len = header_len(input).saturating_add(rest);
            return match rest > PACKET_MAX.saturating_sub(HEADER_LEN) {
                true => Head::TooLong(len),
                false => input.get(..len).map_or(Head::Part, Head::Whole),
            };
        }
        shift = shift.saturating_add(7);
    }
    match input.len() > LEN_LEN_MAX {
        true => Head::Nothing,
        false => Head::Part,
    }
}

/// What a whole publish says, read as both versions begin it; in version 5 the payload still has
/// the properties before it. None where it is damaged: rumqttc says how.
pub(super) fn publish(packet: &[u8]) -> Option<Publish<'_>> {
    let first = packet.first()?;
    let qos = (first >> 1) & 0b11;
    let (len, body) = packet.get(header_len(packet)..)?.split_first_chunk()?;
    let (topic, body) = body.split_at_checked(u16::from_be_bytes(*len).into())?;
    let (id, payload) = match qos {
        0 => (0, body),
        _ => {
            let (id, payload) = body.split_first_chunk()?;
            (u16::from_be_bytes(*id), payload)
        }
    };
    let is_right = qos < 3 && (qos == 0 || id != 0);
    is_right.then_some(Publish {
        qos,
        is_repeat: first & 0b1000 != 0,
        is_retained: first & 0b0001 != 0,
        id,
        topic: str::from_utf8(topic).ok()?,
        has_alias: false,
        payload,
    })
}

/// Whether it is a message.
pub(super) fn is_publish(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 3)
}

/// What is said of a message that only rumqttc understands.
pub(super) const DAMAGED: &str = "a damaged message";

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

/// Bytes of a length at most.
const LEN_LEN_MAX: usize = 4;

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use rumqttc::Packet as Wire;

    /// A packet, whole or damaged.
    fn bytes(random: &mut fastrand::Rng) -> Vec<u8> {
        let topic = [&b"a/b"[..], b"", b"\xff", "ü".as_bytes()][random.usize(..4)];
        let mut body = vec![0, u8::try_from(topic.len()).unwrap()];
        body.extend_from_slice(topic);
        body.extend((0..random.usize(..200)).map(|_| random.u8(..3)));
        body.truncate(random.usize(..300));
        let mut packet = vec![0x30 | random.u8(..16)];
        let mut len = body.len() + [0, 0, 1, 70_000][random.usize(..4)];
        while len >= 0x80 {
            packet.push(0x80 | u8::try_from(len & 0x7F).unwrap());
            len >>= 7;
        }
        packet.push(u8::try_from(len).unwrap());
        packet.extend(body);
        if random.u8(..20) == 0 {
            packet = vec![0xFF; random.usize(..8)];
        }
        packet.truncate(random.usize(..400));
        packet
    }

    #[test]
    fn packets_end_where_rumqttc_has_them_end_and_publishes_say_the_same() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut wholes = 0;
        for _ in 0..20_000 {
            let bytes = bytes(&mut random);
            let expected = match rumqttc::check(bytes.iter(), PACKET_MAX - HEADER_LEN) {
                _ if bytes.first().is_some_and(|first| !can_start(*first)) => Head::Nothing,
                Ok(header) => Head::Whole(&bytes[..header.frame_length()]),
                Err(rumqttc::Error::InsufficientBytes(_)) => Head::Part,
                Err(rumqttc::Error::PayloadSizeLimitExceeded(len)) => {
                    Head::TooLong(header_len(&bytes) + len)
                }
                Err(_) => Head::Nothing,
            };
            assert_eq!(head(&bytes), expected, "{bytes:x?}");
            let Head::Whole(packet) = expected else {
                continue;
            };
            let read = match Wire::read(&mut BytesMut::from(packet), usize::MAX) {
                Ok(Wire::Publish(read)) => Some(read),
                _ => None,
            };
            let ours = publish(packet);
            let same = ours.as_ref().zip(read.as_ref()).is_none_or(|(ours, read)| {
                (ours.qos, ours.id, ours.topic, ours.payload)
                    == (read.qos as u8, read.pkid, &read.topic, &read.payload)
                    && (ours.is_repeat, ours.is_retained) == (read.dup, read.retain)
            });
            assert!(same && ours.is_some() == read.is_some(), "{packet:x?}");
            wholes += u32::from(ours.is_some());
        }
        assert!(wholes > 1_000, "{wholes}");
    }
}
