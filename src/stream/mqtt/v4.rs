//! The packets of MQTT 3.1.1 and the books that a client has to keep of them, both by rumqttc.

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
use rumqttc::MqttState;
use rumqttc::Packet;
use rumqttc::PingReq;
use rumqttc::PubAck;
use rumqttc::PubComp;
use rumqttc::PubRec;
use rumqttc::Publish;
use rumqttc::QoS;
use rumqttc::Request;

/// One connection.
pub(super) struct V4 {
    /// There from the login on, and then for this connection only.
    state: Option<MqttState>,
    window: u16,
    buffer: BytesMut,
}

impl V4 {
    /// A session that keeps books of `window` publishes, from 1.
    pub(super) fn new(window: u16) -> Self {
        Self {
            state: None,
            window,
            buffer: BytesMut::new(),
        }
    }

    /// A new state for each connection: what was in flight before is the engine's to repeat,
    /// whether the broker has kept the session or not.
    fn log_in(&mut self, answer: &ConnAck) -> Result<Meaning, Fault> {
        let code = match answer.code {
            ConnectReturnCode::Success => {
                self.state = Some(MqttState::new(self.window, false));
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

    /// Has the state book a packet that came.
    fn book(&mut self, packet: Packet) -> Result<(), Fault> {
        let state = self.state.as_mut().ok_or_else(out_of_turn)?;
        let booked = state.handle_incoming_packet(packet);
        state.events.clear();
        booked.map(|_| ()).map_err(|error| wrong(&error))
    }

    /// Has the state book what is to be sent. Its events would grow for ever.
    fn tell(&mut self, request: Request) -> Result<Option<Packet>, Fault> {
        let state = self.state.as_mut().ok_or_else(out_of_turn)?;
        let packet = state.handle_outgoing_packet(request);
        state.events.clear();
        packet.map_err(|error| wrong(&error))
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

impl Session for V4 {
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
        let answer = match (&packet, &self.state) {
            (Packet::ConnAck(answer), None) => return self.log_in(answer),
            (Packet::PubAck(ack), Some(_)) => {
                let identifier = ack.pkid;
                self.book(packet)?;
                return Ok(Meaning::Answered(identifier, Verdict::Taken));
            }
            (Packet::PingResp, Some(_)) => return self.book(packet).map(|()| Meaning::Pong),
            // A session that is kept may bring what whoever used it before had subscribed to, and
            // the rest of it: each is answered by itself, without books.
            (Packet::Publish(publish), Some(_)) => match publish.qos {
                QoS::AtMostOnce => return Ok(Meaning::Nothing),
                QoS::AtLeastOnce => Packet::PubAck(PubAck::new(publish.pkid)),
                QoS::ExactlyOnce => Packet::PubRec(PubRec::new(publish.pkid)),
            },
            (Packet::PubRel(release), Some(_)) => Packet::PubComp(PubComp::new(release.pkid)),
            _ => return Err(out_of_turn()),
        };
        self.write(&answer, out)?;
        Ok(Meaning::Nothing)
    }

    fn publish(&mut self, publication: &Publication<'_>, out: &mut Vec<u8>) -> Result<u16, Fault> {
        // the state keeps a copy of what it is given until the acknowledgement: an empty one
        let bare = Publish::from_bytes(String::new(), QoS::AtLeastOnce, Bytes::new());
        let Some(Packet::Publish(mut publish)) = self.tell(Request::Publish(bare))? else {
            return Err(Fault::new(0, "a packet identifier is still in use"));
        };
        publish.topic = publication.topic.to_owned();
        publish.payload = Bytes::copy_from_slice(publication.payload);
        publish.retain = publication.retain;
        publish.dup = publication.repeat == Repeat::Again;
        let identifier = publish.pkid;
        self.write(&Packet::Publish(publish), out)?;
        Ok(identifier)
    }

    fn ping(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.tell(Request::PingReq(PingReq))? {
            Some(packet) => self.write(&packet, out),
            None => Ok(()),
        }
    }
}
