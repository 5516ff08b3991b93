//! What the link one floor up needs of a version of MQTT, and what a packet of the broker means.

use super::profile::Limits;
use super::profile::Login;
use super::profile::Publish;
use crate::stream::DeliveryError;
use crate::stream::engine::Repeat;
use bytes::BytesMut;
use std::error::Error;
use std::time::Duration;

/// The packets of one version. Knows no message and no time.
pub(super) trait Codec {
    /// Appends the login.
    fn connect(
        &mut self,
        login: &Login,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), DeliveryError>;

    /// What one whole packet means; what has to be answered is answered.
    fn receive(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<Incoming, DeliveryError>;

    /// Appends one publish. Precondition: no other that has no acknowledgement has its identifier.
    fn publish(
        &mut self,
        publish: &Publish,
        how: How,
        out: &mut Vec<u8>,
    ) -> Result<(), DeliveryError>;

    /// Appends a subscription to one filter.
    fn subscribe(&mut self, filter: &str, out: &mut Vec<u8>) -> Result<(), DeliveryError>;

    /// The last words where there is a will, which is to be published all the same.
    fn goodbye_with_will(&self) -> &'static [u8];
}

/// What a packet of the broker means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// Messages can go.
    LoggedIn(Terms),
    /// The publish with this identifier has its answer.
    Answered(u16, Answer),
    /// Whether the broker agreed to the subscription.
    Subscribed(bool),
    /// Somebody published something that this side has subscribed to, or whoever had the session
    /// before.
    Message {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// The ping is answered.
    Pong,
    /// It is of no concern to us.
    Nothing,
}

/// The answer to a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 in MQTT 3.1.1.
    pub(super) code: u8,
    /// In words of the broker.
    pub(super) said: Option<String>,
}

impl Answer {
    /// All is well.
    pub(super) const TAKEN: Self = Self {
        code: 0,
        said: None,
    };
}

/// What the broker allows. It may say less the next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Publishes without an acknowledgement at most, from 1.
    pub(super) receive_max: u16,
    /// Bytes of a packet at most.
    pub(super) packet_max: usize,
    /// What it wants instead of ours; zero is never.
    pub(super) keep_alive: Option<Duration>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            receive_max: u16::MAX,
            packet_max: usize::MAX,
            keep_alive: None,
        }
    }
}

/// How a publish goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// As QoS 0: nobody answers.
    Unanswered,
    /// As QoS 1.
    Answered {
        /// From 1.
        identifier: u16,
        /// Whether the broker keeps it for whoever subscribes later.
        retain: bool,
        repeat: Repeat,
    },
}

impl How {
    /// The identifier, RETAIN and DUP, as a publish has them.
    pub(super) fn fields(self) -> (u16, bool, bool) {
        match self {
            Self::Unanswered => (0, false, false),
            Self::Answered {
                identifier,
                retain,
                repeat,
            } => (identifier, retain, repeat == Repeat::Again),
        }
    }
}

/// Answers what a session that is kept may bring: what whoever used it before had subscribed to,
/// and the rest of it. Each is answered by itself, without books; the same in both versions, where
/// the answer is yes.
pub(super) fn answer(kind: u8, identifier: u16, out: &mut Vec<u8>) {
    let [high, low] = identifier.to_be_bytes();
    out.extend_from_slice(&[kind, 2, high, low]);
}

/// Answers a publish of the broker with this QoS.
pub(super) fn answer_publish(qos: u8, identifier: u16, out: &mut Vec<u8>) {
    match qos {
        0 => {}
        1 => answer(PUBACK, identifier, out),
        _ => answer(PUBREC, identifier, out),
    }
}

/// Appends a publish, with those properties as they stand in its version.
pub(super) fn append_publish(publish: &Publish, how: How, properties: &[u8], out: &mut Vec<u8>) {
    let (topic, payload) = (publish.topic.as_bytes(), publish.payload.as_slice());
    let (identifier, retain, repeat) = how.fields();
    let (qos, id) = match how {
        How::Unanswered => (0, &[][..]),
        How::Answered { .. } => (QOS_1, &identifier.to_be_bytes()[..]),
    };
    out.push(PUBLISH | u8::from(repeat) << 3 | qos | u8::from(retain));
    let mut len = 2 + topic.len() + id.len() + properties.len() + payload.len();
    while len >= 0x80 {
        out.push(0x80 | low(len) & 0x7F);
        len >>= 7;
    }
    out.push(low(len));
    out.extend_from_slice(&[low(topic.len() >> 8), low(topic.len())]);
    out.extend_from_slice(topic);
    out.extend_from_slice(id);
    out.extend_from_slice(properties);
    out.extend_from_slice(payload);
}

/// The last eight bits.
fn low(number: usize) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}

/// The identifier of an acknowledgement in its short form, which says that all is well.
pub(super) fn short_acknowledgement(packet: &[u8]) -> Option<u16> {
    match packet {
        [PUBACK, 2, high, low] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// Appends what rumqttc writes, by way of `buffer`.
pub(super) fn append<E: Error>(
    buffer: &mut BytesMut,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut BytesMut) -> Result<usize, E>,
) -> Result<(), DeliveryError> {
    buffer.clear();
    write(buffer).map_err(|error| wrong(&error))?;
    out.extend_from_slice(buffer);
    Ok(())
}

/// Fills `buffer` with what rumqttc reads.
pub(super) fn fill<'b>(buffer: &'b mut BytesMut, packet: &[u8]) -> &'b mut BytesMut {
    buffer.clear();
    buffer.extend_from_slice(packet);
    buffer
}

/// A packet that has no place where it came.
pub(super) fn out_of_turn() -> DeliveryError {
    DeliveryError::new(0, "the broker sent a packet out of turn")
}

/// What rumqttc did not like.
pub(super) fn wrong(error: &dyn Error) -> DeliveryError {
    DeliveryError::new(0, format!("MQTT: {error}"))
}

/// Seconds; 0 is never.
pub(super) fn seconds(keep_alive: Duration) -> u16 {
    let seconds = keep_alive.as_millis().div_ceil(1000);
    u16::try_from(seconds).unwrap_or(u16::MAX)
}

/// Of QoS 1.
const PUBACK: u8 = 0x40;

/// Type of a publish, and the flag of QoS 1.
const PUBLISH: u8 = 0x30;
const QOS_1: u8 = 0x02;
/// The first answer to QoS 2.
const PUBREC: u8 = 0x50;
/// The last answer to QoS 2.
pub(super) const PUBCOMP: u8 = 0x70;
/// A whole packet, in both versions.
pub(super) const PING: [u8; 2] = [0xc0, 0];
/// A whole packet: all is well, and no will is to be published. Shorter in 5 than rumqttc has it.
pub(super) const DISCONNECT: [u8; 2] = [0xe0, 0];
/// The identifier of the only subscription.
pub(super) const SUBSCRIPTION: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use rumqttc::Packet;
    use rumqttc::QoS;

    #[test]
    fn a_publish_is_written_as_rumqttc_writes_it() {
        let retained = How::Answered {
            identifier: 0x1234,
            retain: true,
            repeat: Repeat::Again,
        };
        let first = How::Answered {
            identifier: 7,
            retain: false,
            repeat: Repeat::First,
        };
        for len in [0, 1, 110, 120, 125, 16_370, 16_380, 2_097_140, 2_097_150] {
            for how in [retained, first, How::Unanswered] {
                let mut publish = Publish::default();
                publish.topic.push_str("trk/352093081452251");
                publish.payload.resize(len, b'x');
                let mut out = b">".to_vec();
                append_publish(&publish, how, b"", &mut out);
                let qos = match how {
                    How::Unanswered => QoS::AtMostOnce,
                    How::Answered { .. } => QoS::AtLeastOnce,
                };
                let payload = Bytes::from(publish.payload);
                let mut packet = rumqttc::Publish::from_bytes(publish.topic, qos, payload);
                (packet.pkid, packet.retain, packet.dup) = how.fields();
                let mut wanted = BytesMut::from(&b">"[..]);
                let written = Packet::Publish(packet).write(&mut wanted, usize::MAX);
                assert!(written.is_ok() && out == wanted, "{len}, {how:?}");
            }
        }
    }
}
