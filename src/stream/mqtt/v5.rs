//! The packets of MQTT 5, by rumqttc. Reason codes are read here: it knows not all of them, and
//! leaves out what they mean.

use super::codec::Answer;
use super::codec::Codec;
use super::codec::How;
use super::codec::Incoming;
use super::codec::PUBCOMP;
use super::codec::SUBSCRIPTION;
use super::codec::Terms;
use super::codec::answer;
use super::codec::answer_publish;
use super::codec::append;
use super::codec::append_publish;
use super::codec::fill;
use super::codec::out_of_turn;
use super::codec::seconds;
use super::codec::short_acknowledgement;
use super::codec::wrong;
use super::profile;
use super::profile::Limits;
use super::reason;
use crate::stream::DeliveryError;
use crate::stream::IN_MAX;
use bytes::Bytes;
use bytes::BytesMut;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::ConnAckProperties;
use rumqttc::v5::mqttbytes::v5::Connect;
use rumqttc::v5::mqttbytes::v5::ConnectProperties;
use rumqttc::v5::mqttbytes::v5::Filter;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::v5::mqttbytes::v5::Login;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::mqttbytes::v5::Publish;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rumqttc::v5::mqttbytes::v5::Subscribe;
use rumqttc::v5::mqttbytes::v5::SubscribeReasonCode;
use std::time::Duration;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct V5 {
    logged_in: bool,
    /// Whether messages are sent that the broker is to keep.
    retain: bool,
    buffer: BytesMut,
}

impl V5 {
    /// What the broker allows now.
    fn log_in(&mut self, packet: &[u8]) -> Result<Incoming, DeliveryError> {
        let read = self.read(packet);
        let properties = match &read {
            Ok(Packet::ConnAck(answer)) => answer.properties.as_ref(),
            _ => None,
        };
        let code = body(packet).get(1).copied().ok_or_else(out_of_turn)?;
        if body(packet).len() == 2 && code == 0 {
            // it has let in a client of 3.1.1, without a look at what was said
            let said = Some("the answer is one of 3.1.1");
            return Err(reason::login(UNSUPPORTED_VERSION, said));
        }
        if code != 0 {
            let said = properties.and_then(|with| with.reason_string.as_deref());
            return Err(reason::login(code, said));
        }
        let terms = properties.map_or(Ok(Terms::default()), |with| self.terms(with))?;
        read?;
        self.logged_in = true;
        Ok(Incoming::LoggedIn(terms))
    }

    fn terms(&self, with: &ConnAckProperties) -> Result<Terms, DeliveryError> {
        let lacks = |what: Option<u8>| what == Some(0);
        let wrong = if with.max_packet_size == Some(0) {
            "protocol error: a Maximum Packet Size of 0"
        } else if with.receive_max == Some(0) {
            "the broker allows no publish in flight"
        } else if lacks(with.max_qos) {
            "the broker acknowledges nothing: no QoS 1"
        } else if lacks(with.retain_available) && self.retain {
            "the broker keeps nothing: no `retain`"
        } else {
            let seconds = with.server_keep_alive.map(u64::from);
            return Ok(Terms {
                receive_max: with.receive_max.unwrap_or(u16::MAX),
                packet_max: with.max_packet_size.map_or(usize::MAX, |max| max as usize),
                keep_alive: seconds.map(Duration::from_secs),
            });
        };
        Err(DeliveryError::new(0, wrong))
    }

    /// What a PUBACK says.
    fn acknowledge(&mut self, packet: &[u8]) -> Result<Incoming, DeliveryError> {
        if let Some(identifier) = short_acknowledgement(packet) {
            return Ok(Incoming::Answered(identifier, Answer::TAKEN));
        }
        let body = body(packet);
        let [high, low, ..] = *body else {
            return Err(out_of_turn());
        };
        let identifier = u16::from_be_bytes([high, low]);
        let said = match self.read(packet) {
            Ok(Packet::PubAck(ack)) => ack.properties.and_then(|with| with.reason_string),
            _ => None,
        };
        let code = body.get(2).copied().unwrap_or(0);
        Ok(Incoming::Answered(identifier, Answer { code, said }))
    }

    fn read(&mut self, packet: &[u8]) -> Result<Packet, DeliveryError> {
        let buffer = fill(&mut self.buffer, packet);
        Packet::read(buffer, None).map_err(|error| wrong(&error))
    }

    fn write(&mut self, packet: &Packet, out: &mut Vec<u8>) -> Result<(), DeliveryError> {
        append(&mut self.buffer, out, |buffer| packet.write(buffer, None))
    }

    /// What a DISCONNECT says, which may have no reason and no properties.
    fn end(&mut self, packet: &[u8]) -> DeliveryError {
        let code = body(packet).first().copied().unwrap_or(0);
        let said = match self.read(packet) {
            Ok(Packet::Disconnect(end)) => end.properties.and_then(|with| with.reason_string),
            _ => None,
        };
        reason::end(code, said.as_deref())
    }
}

impl Codec for V5 {
    fn connect(
        &mut self,
        login: &profile::Login,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), DeliveryError> {
        self.retain = limits.retain;
        let mut properties = ConnectProperties::new();
        // a session that is kept is kept for ever, as in 3.1.1; the broker may shorten that
        properties.session_expiry_interval = (!login.clean_session).then_some(u32::MAX);
        properties.max_packet_size = u32::try_from(IN_MAX).ok();
        let connect = Connect {
            keep_alive: seconds(limits.keep_alive),
            client_id: login.client_id.clone(),
            clean_start: login.clean_session,
            properties: Some(properties),
        };
        let will = login.will.as_ref().map(|will| {
            let (topic, payload) = (will.topic.as_str(), will.payload.as_str());
            LastWill::new(topic, payload, QoS::AtLeastOnce, limits.retain, None)
        });
        let text = |secret: &Option<String>| secret.clone().unwrap_or_default();
        let known = login.user.is_some() || login.password.is_some();
        let known = known.then(|| Login::new(text(&login.user), text(&login.password)));
        self.write(&Packet::Connect(connect, will, known), out)
    }

    fn receive(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<Incoming, DeliveryError> {
        let kind = packet.first().map_or(0, |first| first >> 4);
        match kind {
            DISCONNECT => return Err(self.end(packet)),
            CONNACK if !self.logged_in => return self.log_in(packet),
            _ if !self.logged_in => return Err(out_of_turn()),
            ACKNOWLEDGEMENT => return self.acknowledge(packet),
            _ => {}
        }
        match self.read(packet)? {
            Packet::PingResp(_) => Ok(Incoming::Pong),
            Packet::SubAck(answer) if answer.pkid == SUBSCRIPTION => {
                let agreed = |code: &_| matches!(code, SubscribeReasonCode::Success(_));
                Ok(Incoming::Subscribed(answer.return_codes.iter().all(agreed)))
            }
            Packet::Publish(publish) => {
                answer_publish(publish.qos as u8, publish.pkid, out);
                Ok(Incoming::Message {
                    topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                    payload: publish.payload.to_vec(),
                })
            }
            Packet::PubRel(release) => {
                answer(PUBCOMP, release.pkid, out);
                Ok(Incoming::Nothing)
            }
            _ => Err(out_of_turn()),
        }
    }

    fn publish(
        &mut self,
        publish: &profile::Publish,
        how: How,
        out: &mut Vec<u8>,
    ) -> Result<(), DeliveryError> {
        let Some(properties) = properties(publish) else {
            append_publish(publish, how, NO_PROPERTIES, out);
            return Ok(());
        };
        let (pkid, retain, dup) = how.fields();
        let packet = Publish {
            dup,
            qos: match how {
                How::Unanswered => QoS::AtMostOnce,
                How::Answered { .. } => QoS::AtLeastOnce,
            },
            retain,
            topic: Bytes::copy_from_slice(publish.topic.as_bytes()),
            pkid,
            payload: Bytes::copy_from_slice(&publish.payload),
            properties: Some(properties),
        };
        self.write(&Packet::Publish(packet), out)
    }

    fn subscribe(&mut self, filter: &str, out: &mut Vec<u8>) -> Result<(), DeliveryError> {
        let mut subscribe = Subscribe::new(Filter::new(filter, QoS::AtMostOnce), None);
        subscribe.pkid = SUBSCRIPTION;
        self.write(&Packet::Subscribe(subscribe), out)
    }

    fn goodbye_with_will(&self) -> &'static [u8] {
        &GOODBYE_WITH_WILL
    }
}

/// What is said of the payload beside it; none where there is nothing.
fn properties(publish: &profile::Publish) -> Option<PublishProperties> {
    let is_plain = publish.content_type.is_none() && publish.properties.is_empty();
    (!is_plain).then(|| PublishProperties {
        content_type: publish.content_type.map(str::to_owned),
        user_properties: publish.properties.clone(),
        ..PublishProperties::default()
    })
}

/// A whole packet without its fixed header.
fn body(packet: &[u8]) -> &[u8] {
    let len_len = packet.iter().skip(1).take_while(|byte| **byte >= 0x80);
    packet.get(2 + len_len.count()..).unwrap_or_default()
}

/// The reason code of a broker that does not speak 5.
const UNSUPPORTED_VERSION: u8 = 0x84;

/// Properties of a publish that has none.
const NO_PROPERTIES: &[u8] = &[0];

/// Types of packets, without flags.
const CONNACK: u8 = 2;
const ACKNOWLEDGEMENT: u8 = 4;
const DISCONNECT: u8 = 14;

/// A whole packet: all is well, and the will is to be published (3.14.2.1).
const GOODBYE_WITH_WILL: [u8; 3] = [0xe0, 1, 4];
