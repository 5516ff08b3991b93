//! The packets of MQTT 5, by rumqttc. Reason codes are read here: it knows not all of them, and
//! leaves out what they mean.

use super::reason;
use super::session::Meaning;
use super::session::Publication;
use super::session::Session;
use super::session::Terms;
use super::session::keep_alive;
use super::session::out_of_turn;
use super::session::wrong;
use crate::stream::Fault;
use crate::stream::IN_MAX;
use crate::stream::engine::Repeat;
use crate::stream::settings;
use bytes::Bytes;
use bytes::BytesMut;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Connect;
use rumqttc::v5::mqttbytes::v5::ConnectProperties;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::v5::mqttbytes::v5::Login;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::mqttbytes::v5::PingReq;
use rumqttc::v5::mqttbytes::v5::PubAck;
use rumqttc::v5::mqttbytes::v5::PubComp;
use rumqttc::v5::mqttbytes::v5::PubRec;
use rumqttc::v5::mqttbytes::v5::Publish;
use std::time::Duration;

/// One connection.
pub(super) struct V5 {
    logged_in: bool,
    window: u16,
    /// Whether messages are sent that the broker is to keep.
    retain: bool,
    buffer: BytesMut,
}

impl V5 {
    /// A session of `window` publishes without an acknowledgement at most, from 1.
    pub(super) fn new(window: u16) -> Self {
        Self {
            logged_in: false,
            window,
            retain: false,
            buffer: BytesMut::new(),
        }
    }

    /// What the broker allows now.
    fn log_in(&mut self, packet: &[u8]) -> Result<Meaning, Fault> {
        let read = self.read(packet);
        let properties = match &read {
            Ok(Packet::ConnAck(answer)) => answer.properties.as_ref(),
            _ => None,
        };
        let code = body(packet).get(1).copied().ok_or_else(out_of_turn)?;
        if code != 0 {
            let said = properties.and_then(|with| with.reason_string.as_deref());
            return Err(reason::login(code, said));
        }
        let mut terms = Terms {
            in_flight_max: self.window,
            packet_max: usize::MAX,
            keep_alive: None,
        };
        if let Some(with) = properties {
            let max = with.receive_max.unwrap_or(u16::MAX);
            terms.in_flight_max = terms.in_flight_max.min(max);
            terms.packet_max = with.max_packet_size.map_or(usize::MAX, |max| max as usize);
            let seconds = with.server_keep_alive.map(u64::from);
            terms.keep_alive = seconds.map(Duration::from_secs);
            let lacks = |what: Option<u8>| what == Some(0);
            if with.max_packet_size == Some(0) {
                return Err(Fault::new(0, "protocol error: a Maximum Packet Size of 0"));
            }
            if terms.in_flight_max == 0 {
                return Err(Fault::new(0, "the broker allows no publish in flight"));
            }
            if lacks(with.max_qos) {
                return Err(Fault::new(0, "the broker acknowledges nothing: no QoS 1"));
            }
            if lacks(with.retain_available) && self.retain {
                return Err(Fault::new(0, "the broker keeps nothing: no `retain`"));
            }
        }
        read?;
        self.logged_in = true;
        Ok(Meaning::LoggedIn(terms))
    }

    /// What a PUBACK says.
    fn acknowledge(&mut self, packet: &[u8]) -> Result<Meaning, Fault> {
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
        let verdict = reason::verdict(code, said.as_deref())?;
        Ok(Meaning::Answered(identifier, verdict))
    }

    fn read(&mut self, packet: &[u8]) -> Result<Packet, Fault> {
        self.buffer.clear();
        self.buffer.extend_from_slice(packet);
        Packet::read(&mut self.buffer, None).map_err(|error| wrong(&error))
    }

    fn write(&mut self, packet: &Packet, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.buffer.clear();
        packet
            .write(&mut self.buffer, None)
            .map_err(|error| wrong(&error))?;
        out.extend_from_slice(&self.buffer);
        Ok(())
    }
}

impl Session for V5 {
    fn connect(
        &mut self,
        settings: &settings::Mqtt,
        client_id: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        self.retain = settings.retain;
        let mut properties = ConnectProperties::new();
        // a session that is kept is kept for ever, as in 3.1.1; the broker may shorten that
        properties.session_expiry_interval = (!settings.clean_session).then_some(u32::MAX);
        properties.max_packet_size = u32::try_from(IN_MAX).ok();
        let connect = Connect {
            keep_alive: keep_alive(settings),
            client_id: client_id.to_owned(),
            clean_start: settings.clean_session,
            properties: Some(properties),
        };
        let will = settings.will.as_ref().map(|will| {
            let (topic, payload) = (will.topic.as_str(), will.payload.as_str());
            LastWill::new(topic, payload, QoS::AtLeastOnce, settings.retain, None)
        });
        let text = |secret: &Option<String>| secret.clone().unwrap_or_default();
        let known = settings.username.is_some() || settings.password.is_some();
        let login = known.then(|| Login::new(text(&settings.username), text(&settings.password)));
        self.write(&Packet::Connect(connect, will, login), out)
    }

    fn receive(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<Meaning, Fault> {
        let kind = packet.first().map_or(0, |first| first >> 4);
        match kind {
            DISCONNECT => return Err(self.end(packet)),
            CONNACK if !self.logged_in => return self.log_in(packet),
            _ if !self.logged_in => return Err(out_of_turn()),
            PUBACK => return self.acknowledge(packet),
            _ => {}
        }
        let packet = self.read(packet)?;
        let answer = match &packet {
            Packet::PingResp(_) => return Ok(Meaning::Pong),
            // A session that is kept may bring what whoever used it before had subscribed to, and
            // the rest of it: each is answered by itself, without books.
            Packet::Publish(publish) => match publish.qos {
                QoS::AtMostOnce => return Ok(Meaning::Nothing),
                QoS::AtLeastOnce => Packet::PubAck(PubAck::new(publish.pkid, None)),
                QoS::ExactlyOnce => Packet::PubRec(PubRec::new(publish.pkid, None)),
            },
            Packet::PubRel(release) => Packet::PubComp(PubComp::new(release.pkid, None)),
            _ => return Err(out_of_turn()),
        };
        self.write(&answer, out)?;
        Ok(Meaning::Nothing)
    }

    fn publish(&mut self, publication: &Publication<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let publish = Publish {
            dup: publication.repeat == Repeat::Again,
            qos: QoS::AtLeastOnce,
            retain: publication.retain,
            topic: Bytes::copy_from_slice(publication.topic.as_bytes()),
            pkid: publication.identifier,
            payload: Bytes::copy_from_slice(publication.payload),
            properties: None,
        };
        self.write(&Packet::Publish(publish), out)
    }

    fn ping(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.write(&Packet::PingReq(PingReq), out)
    }
}

impl V5 {
    /// What a DISCONNECT says, which may have no reason and no properties.
    fn end(&mut self, packet: &[u8]) -> Fault {
        let code = body(packet).first().copied().unwrap_or(0);
        let said = match self.read(packet) {
            Ok(Packet::Disconnect(end)) => end.properties.and_then(|with| with.reason_string),
            _ => None,
        };
        reason::end(code, said.as_deref())
    }
}

/// Bytes of the packet of a publish.
pub(super) fn publish_len(topic: &str, payload: &[u8]) -> usize {
    // the topic and the identifier with two bytes each, and properties, of which there are none
    let rest = 2 + topic.len() + 2 + 1 + payload.len();
    let len_len = match rest {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    };
    1 + len_len + rest
}

/// A whole packet without its fixed header.
fn body(packet: &[u8]) -> &[u8] {
    let len_len = packet.iter().skip(1).take_while(|byte| **byte >= 0x80);
    packet.get(2 + len_len.count()..).unwrap_or_default()
}

const CONNACK: u8 = 2;
const PUBACK: u8 = 4;
const DISCONNECT: u8 = 14;
