//! The packets of MQTT 3.1.1, by rumqttc.

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
use super::profile::Login;
use super::reason;
use crate::stream::DeliveryError;
use crate::stream::IN_MAX;
use bytes::BytesMut;
use rumqttc::ConnAck;
use rumqttc::Connect;
use rumqttc::ConnectReturnCode;
use rumqttc::LastWill;
use rumqttc::Packet;
use rumqttc::QoS;
use rumqttc::Subscribe;
use rumqttc::SubscribeReasonCode;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct V311 {
    logged_in: bool,
    buffer: BytesMut,
}

impl V311 {
    fn log_in(&mut self, answer: &ConnAck) -> Result<Incoming, DeliveryError> {
        let code = match answer.code {
            ConnectReturnCode::Success => {
                self.logged_in = true;
                // the broker cannot say what it allows
                return Ok(Incoming::LoggedIn(Terms::default()));
            }
            ConnectReturnCode::RefusedProtocolVersion => 1,
            ConnectReturnCode::BadClientId => 2,
            ConnectReturnCode::ServiceUnavailable => 3,
            ConnectReturnCode::BadUserNamePassword => 4,
            ConnectReturnCode::NotAuthorized => 5,
        };
        Err(reason::login(code, None))
    }

    fn write(&mut self, packet: &Packet, out: &mut Vec<u8>) -> Result<(), DeliveryError> {
        append(&mut self.buffer, out, |buffer| {
            packet.write(buffer, usize::MAX)
        })
    }
}

impl Codec for V311 {
    fn connect(
        &mut self,
        login: &Login,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), DeliveryError> {
        let mut connect = Connect::new(&login.client_id);
        connect.keep_alive = seconds(limits.keep_alive);
        connect.clean_session = login.clean_session;
        if let Some(will) = &login.will {
            let (topic, payload) = (will.topic.as_str(), will.payload.as_str());
            let will = LastWill::new(topic, payload, QoS::AtLeastOnce, limits.retain);
            connect.last_will = Some(will);
        }
        let text = |secret: &Option<String>| secret.clone().unwrap_or_default();
        if login.user.is_some() || login.password.is_some() {
            connect.set_login(text(&login.user), text(&login.password));
        }
        self.write(&Packet::Connect(connect), out)
    }

    fn receive(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<Incoming, DeliveryError> {
        if let Some(identifier) = short_acknowledgement(packet).filter(|_| self.logged_in) {
            return Ok(Incoming::Answered(identifier, Answer::TAKEN));
        }
        let buffer = fill(&mut self.buffer, packet);
        let packet = Packet::read(buffer, IN_MAX).map_err(|error| wrong(&error))?;
        match (packet, self.logged_in) {
            (Packet::ConnAck(answer), false) => self.log_in(&answer),
            (Packet::PubAck(ack), true) => Ok(Incoming::Answered(ack.pkid, Answer::TAKEN)),
            (Packet::SubAck(answer), true) if answer.pkid == SUBSCRIPTION => {
                let refused = answer.return_codes.contains(&SubscribeReasonCode::Failure);
                Ok(Incoming::Subscribed(!refused))
            }
            (Packet::PingResp, true) => Ok(Incoming::Pong),
            (Packet::Publish(publish), true) => {
                answer_publish(publish.qos as u8, publish.pkid, out);
                Ok(Incoming::Message {
                    topic: publish.topic,
                    payload: publish.payload.to_vec(),
                })
            }
            (Packet::PubRel(release), true) => {
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
        append_publish(publish, how, b"", out);
        Ok(())
    }

    fn subscribe(&mut self, filter: &str, out: &mut Vec<u8>) -> Result<(), DeliveryError> {
        let mut subscribe = Subscribe::new(filter, QoS::AtMostOnce);
        subscribe.pkid = SUBSCRIPTION;
        self.write(&Packet::Subscribe(subscribe), out)
    }

    fn goodbye_with_will(&self) -> &'static [u8] {
        // any word would take it back
        &[]
    }
}
