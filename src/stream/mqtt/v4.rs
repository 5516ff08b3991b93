//! The packets of MQTT 3.1.1 and the books that a client has to keep of them, both by rumqttc.
//! Knows no message, no time and no window: the link next door does.

use super::Meaning;
use super::Publication;
use crate::stream::Fault;
use crate::stream::IN_MAX;
use crate::stream::engine::Repeat;
use crate::stream::settings;
use bytes::Bytes;
use bytes::BytesMut;
use rumqttc::ConnAck;
use rumqttc::Connect;
use rumqttc::ConnectReturnCode;
use rumqttc::MqttState;
use rumqttc::Packet;
use rumqttc::PingReq;
use rumqttc::Publish;
use rumqttc::QoS;
use rumqttc::Request;

/// One connection.
pub(super) struct Session {
    /// There from the login on, and then for this connection only.
    state: Option<MqttState>,
    window: u16,
    buffer: BytesMut,
}

impl Session {
    /// A session that keeps books of `window` publishes, from 1.
    pub(super) fn new(window: u16) -> Self {
        Self {
            state: None,
            window,
            buffer: BytesMut::new(),
        }
    }

    /// Appends the login.
    pub(super) fn connect(
        &mut self,
        settings: &settings::Mqtt,
        client_id: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let mut connect = Connect::new(client_id);
        connect.keep_alive = keep_alive(settings);
        connect.clean_session = settings.clean_session;
        let text = |secret: &Option<String>| secret.clone().unwrap_or_default();
        if settings.username.is_some() || settings.password.is_some() {
            connect.set_login(text(&settings.username), text(&settings.password));
        }
        self.write(&Packet::Connect(connect), out)
    }

    /// Takes the packet at the head of `input`: how long it was and what it means. None while it
    /// is not whole.
    pub(super) fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<(usize, Meaning)>, Fault> {
        let len = match rumqttc::check(input.iter(), PACKET_MAX) {
            Ok(header) => header.frame_length(),
            Err(rumqttc::Error::InsufficientBytes(_)) => return Ok(None),
            Err(error) => return Err(wrong(&error)),
        };
        self.buffer.clear();
        self.buffer
            .extend_from_slice(input.get(..len).unwrap_or(input));
        let packet = Packet::read(&mut self.buffer, PACKET_MAX).map_err(|error| wrong(&error))?;
        let meaning = self.understand(packet, out)?;
        Ok(Some((len, meaning)))
    }

    /// Appends one publish and returns its identifier, which is one more than the last, or 1
    /// after the window. Precondition: the publish that had it is acknowledged.
    pub(super) fn publish(
        &mut self,
        publication: &Publication<'_>,
        out: &mut Vec<u8>,
    ) -> Result<u16, Fault> {
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

    /// Appends a ping.
    pub(super) fn ping(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.tell(Request::PingReq(PingReq))? {
            Some(packet) => self.write(&packet, out),
            None => Ok(()),
        }
    }

    /// What a packet means; what has to be answered is answered, and the books are kept.
    fn understand(&mut self, packet: Packet, out: &mut Vec<u8>) -> Result<Meaning, Fault> {
        let meaning = match (&packet, &self.state) {
            (Packet::ConnAck(answer), None) => return self.log_in(answer),
            (Packet::PubAck(ack), Some(_)) => Meaning::Accepted(ack.pkid),
            (Packet::PingResp, Some(_)) => Meaning::Pong,
            // a session that is kept may hold subscriptions of whoever used it before
            (Packet::Publish(_) | Packet::PubRel(_), Some(_)) => Meaning::Nothing,
            _ => return Err(Fault::new(0, "the broker sent a packet out of turn")),
        };
        let Some(state) = &mut self.state else {
            return Ok(meaning);
        };
        let answer = state.handle_incoming_packet(packet);
        state.events.clear();
        if let Some(answer) = answer.map_err(|error| wrong(&error))? {
            self.write(&answer, out)?;
        }
        Ok(meaning)
    }

    /// A new state for each connection: what was in flight before is the engine's to repeat.
    fn log_in(&mut self, answer: &ConnAck) -> Result<Meaning, Fault> {
        let (code, reason) = match answer.code {
            ConnectReturnCode::Success => {
                self.state = Some(MqttState::new(self.window, false));
                return Ok(Meaning::LoggedIn);
            }
            ConnectReturnCode::RefusedProtocolVersion => (1, "unacceptable protocol version"),
            ConnectReturnCode::BadClientId => (2, "client identifier rejected"),
            ConnectReturnCode::ServiceUnavailable => (3, "server unavailable"),
            ConnectReturnCode::BadUserNamePassword => (4, "bad user name or password"),
            ConnectReturnCode::NotAuthorized => (5, "not authorized"),
        };
        let reason = format!("the broker refused the login: {reason}");
        Err(Fault::new(code, reason))
    }

    /// Lets the state book what is to be sent. Its events would grow for ever.
    fn tell(&mut self, request: Request) -> Result<Option<Packet>, Fault> {
        let Some(state) = &mut self.state else {
            return Err(Fault::new(0, "not logged in"));
        };
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

/// Seconds; 0 is never.
fn keep_alive(settings: &settings::Mqtt) -> u16 {
    let seconds = settings.keep_alive.as_millis().div_ceil(1000);
    u16::try_from(seconds).unwrap_or(u16::MAX)
}

fn wrong(error: &dyn std::error::Error) -> Fault {
    Fault::new(0, format!("MQTT: {error}"))
}

/// Longest packet that is taken from a broker, its fixed header of up to 5 bytes excepted.
const PACKET_MAX: usize = IN_MAX - 5;
