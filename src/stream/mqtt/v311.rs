//! The packets of MQTT 3.1.1, by rumqttc.

use super::reason;
use super::session::Meaning;
use super::session::Publication;
use super::session::Session;
use super::session::Terms;
use super::session::Verdict;
use super::session::keep_alive;
use super::session::out_of_turn;
use super::session::wrong;
use crate::stream::Fault;
use crate::stream::IN_MAX;
use crate::stream::engine::Repeat;
use crate::stream::settings;
use bytes::Bytes;
use bytes::BytesMut;
use rumqttc::ConnAck;
use rumqttc::Connect;
use rumqttc::ConnectReturnCode;
use rumqttc::LastWill;
use rumqttc::Packet;
use rumqttc::PubAck;
use rumqttc::PubComp;
use rumqttc::PubRec;
use rumqttc::Publish;
use rumqttc::QoS;

/// One connection.
pub(super) struct V311 {
    logged_in: bool,
    window: u16,
    buffer: BytesMut,
}

impl V311 {
    /// A session of `window` publishes without an acknowledgement at most, from 1.
    pub(super) fn new(window: u16) -> Self {
        Self {
            logged_in: false,
            window,
            buffer: BytesMut::new(),
        }
    }

    fn log_in(&mut self, answer: &ConnAck) -> Result<Meaning, Fault> {
        let code = match answer.code {
            ConnectReturnCode::Success => {
                self.logged_in = true;
                return Ok(Meaning::LoggedIn(Terms {
                    in_flight_max: self.window,
                    packet_max: usize::MAX,
                    keep_alive: None,
                }));
            }
            ConnectReturnCode::RefusedProtocolVersion => 1,
            ConnectReturnCode::BadClientId => 2,
            ConnectReturnCode::ServiceUnavailable => 3,
            ConnectReturnCode::BadUserNamePassword => 4,
            ConnectReturnCode::NotAuthorized => 5,
        };
        Err(reason::login(code, None))
    }

    fn write(&mut self, packet: &Packet, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.buffer.clear();
        packet
            .write(&mut self.buffer, usize::MAX)
            .map_err(|error| wrong(&error))?;
        out.extend_from_slice(&self.buffer);
        Ok(())
    }
}

impl Session for V311 {
    fn connect(
        &mut self,
        settings: &settings::Mqtt,
        client_id: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let mut connect = Connect::new(client_id);
        connect.keep_alive = keep_alive(settings);
        connect.clean_session = settings.clean_session;
        if let Some(will) = &settings.will {
            let (topic, payload) = (will.topic.as_str(), will.payload.as_str());
            let will = LastWill::new(topic, payload, QoS::AtLeastOnce, settings.retain);
            connect.last_will = Some(will);
        }
        let text = |secret: &Option<String>| secret.clone().unwrap_or_default();
        if settings.username.is_some() || settings.password.is_some() {
            connect.set_login(text(&settings.username), text(&settings.password));
        }
        self.write(&Packet::Connect(connect), out)
    }

    fn receive(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<Meaning, Fault> {
        self.buffer.clear();
        self.buffer.extend_from_slice(packet);
        let packet = Packet::read(&mut self.buffer, IN_MAX).map_err(|error| wrong(&error))?;
        let answer = match (&packet, self.logged_in) {
            (Packet::ConnAck(answer), false) => return self.log_in(answer),
            (Packet::PubAck(ack), true) => return Ok(Meaning::Answered(ack.pkid, Verdict::Taken)),
            (Packet::PingResp, true) => return Ok(Meaning::Pong),
            // A session that is kept may bring what whoever used it before had subscribed to, and
            // the rest of it: each is answered by itself, without books.
            (Packet::Publish(publish), true) => match publish.qos {
                QoS::AtMostOnce => return Ok(Meaning::Nothing),
                QoS::AtLeastOnce => Packet::PubAck(PubAck::new(publish.pkid)),
                QoS::ExactlyOnce => Packet::PubRec(PubRec::new(publish.pkid)),
            },
            (Packet::PubRel(release), true) => Packet::PubComp(PubComp::new(release.pkid)),
            _ => return Err(out_of_turn()),
        };
        self.write(&answer, out)?;
        Ok(Meaning::Nothing)
    }

    fn publish(&mut self, publication: &Publication<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let payload = Bytes::copy_from_slice(publication.payload);
        let mut publish = Publish::from_bytes(publication.topic, QoS::AtLeastOnce, payload);
        publish.pkid = publication.identifier;
        publish.retain = publication.retain;
        publish.dup = publication.repeat == Repeat::Again;
        self.write(&Packet::Publish(publish), out)
    }

    fn ping(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.write(&Packet::PingReq, out)
    }
}
