//! The packets of MQTT 3.1.1, by rumqttc: of both sides.

use super::packet;
use super::packet::ConnackCode;
use super::packet::Connect;
use super::packet::Packet;
use bytes::BytesMut;
use rumqttc::ConnAck;
use rumqttc::ConnectReturnCode;
use rumqttc::Login;
use rumqttc::Packet as Wire;
use rumqttc::PubComp;
use rumqttc::PubRec;
use rumqttc::QoS;
use rumqttc::SubAck;
use rumqttc::Subscribe;
use rumqttc::SubscribeReasonCode;
use rumqttc::UnsubAck;
use rumqttc::Unsubscribe;

/// What a whole packet says.
pub(super) fn read(packet: &[u8]) -> Result<Packet<'_>, String> {
    if packet::is_publish(packet)
        && let Some(publish) = packet::publish(packet)
    {
        return Ok(Packet::Publish(publish));
    }
    let packet = Wire::read(&mut BytesMut::from(packet), usize::MAX);
    Ok(match packet.map_err(|error| error.to_string())? {
        Wire::Connect(connect) => Packet::Connect(Connect {
            keep_alive: connect.keep_alive,
            client_id: connect.client_id,
            is_clean: connect.clean_session,
            will_qos: connect.last_will.map(|will| will.qos as u8),
            login: connect.login.map(|login| (login.username, login.password)),
            has_method: false,
        }),
        Wire::ConnAck(answer) => Packet::ConnAck {
            is_known: answer.session_present,
            result: result(answer.code),
        },
        Wire::Publish(_) => return Err(packet::DAMAGED.into()),
        Wire::PubRel(release) => Packet::PubRel(release.pkid),
        Wire::Subscribe(subscribe) => Packet::Subscribe(subscribe.pkid, subscribe.filters.len()),
        Wire::SubAck(answer) => {
            let agreed = |code: &SubscribeReasonCode| *code != SubscribeReasonCode::Failure;
            Packet::SubAck(answer.return_codes.iter().all(agreed))
        }
        Wire::Unsubscribe(unsubscribe) => {
            Packet::Unsubscribe(unsubscribe.pkid, unsubscribe.topics.len())
        }
        Wire::PingReq => Packet::PingReq,
        Wire::PingResp => Packet::PingResp,
        Wire::Disconnect => Packet::Disconnect,
        Wire::UnsubAck(_) => Packet::UnsubAck,
        Wire::PubAck(_) | Wire::PubRec(_) | Wire::PubComp(_) => Packet::Other,
    })
}

/// The answer to a login.
pub(super) fn connack(answer: ConnackCode, out: &mut Vec<u8>) {
    let code = match answer {
        ConnackCode::Accepted(_) => ConnectReturnCode::Success,
        ConnackCode::Version => ConnectReturnCode::RefusedProtocolVersion,
        ConnackCode::ClientId => ConnectReturnCode::BadClientId,
        ConnackCode::Credentials => ConnectReturnCode::BadUserNamePassword,
        ConnackCode::NotAuthorized
        | ConnackCode::Method
        | ConnackCode::Qos
        | ConnackCode::Malformed
        | ConnackCode::Protocol(_)
        | ConnackCode::TooLong => ConnectReturnCode::NotAuthorized,
    };
    write(&Wire::ConnAck(ConnAck::new(code, false)), out);
}

/// The message is safe.
pub(super) fn acknowledge(id: u16, out: &mut Vec<u8>) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[PUBACK, 2, high, low]);
}

/// The message of QoS 2 is safe.
pub(super) fn received(id: u16, out: &mut Vec<u8>) {
    write(&Wire::PubRec(PubRec::new(id)), out);
}

/// The message of QoS 2 is done with.
pub(super) fn complete(id: u16, out: &mut Vec<u8>) {
    write(&Wire::PubComp(PubComp::new(id)), out);
}

/// Nothing is sent from here, whatever is asked for.
pub(super) fn refuse_filters(id: u16, count: usize, out: &mut Vec<u8>) {
    let codes = vec![SubscribeReasonCode::Failure; count];
    write(&Wire::SubAck(SubAck::new(id, codes)), out);
}

/// Nothing was sent from here.
pub(super) fn unsubscribed(id: u16, out: &mut Vec<u8>) {
    write(&Wire::UnsubAck(UnsubAck::new(id)), out);
}

/// A sign of life, or the answer to it.
pub(super) fn pong(out: &mut Vec<u8>) {
    write(&Wire::PingResp, out);
}

/// A sign of life.
pub(super) fn ping(out: &mut Vec<u8>) {
    write(&Wire::PingReq, out);
}

/// A login whose session the broker keeps; `keep_alive` in seconds.
pub(super) fn connect(
    client_id: &str,
    login: Option<(&str, &str)>,
    keep_alive: u16,
    out: &mut Vec<u8>,
) {
    let mut connect = rumqttc::Connect::new(client_id);
    connect.clean_session = false;
    connect.keep_alive = keep_alive;
    connect.login = login.map(|(name, password)| Login::new(name, password));
    write(&Wire::Connect(connect), out);
}

/// Asks for one filter, QoS 1.
pub(super) fn subscribe(id: u16, filter: &str, out: &mut Vec<u8>) {
    let mut subscribe = Subscribe::new(filter, QoS::AtLeastOnce);
    subscribe.pkid = id;
    write(&Wire::Subscribe(subscribe), out);
}

/// Gives filters up.
pub(super) fn unsubscribe(id: u16, filters: &[String], out: &mut Vec<u8>) {
    let topics = filters.to_vec();
    write(&Wire::Unsubscribe(Unsubscribe { pkid: id, topics }), out);
}

fn result(code: ConnectReturnCode) -> Result<(), &'static str> {
    match code {
        ConnectReturnCode::Success => Ok(()),
        ConnectReturnCode::RefusedProtocolVersion => {
            Err("the broker refused the login: unacceptable protocol version")
        }
        ConnectReturnCode::BadClientId => {
            Err("the broker refused the login: client identifier rejected")
        }
        ConnectReturnCode::ServiceUnavailable => {
            Err("the broker refused the login: server unavailable")
        }
        ConnectReturnCode::BadUserNamePassword => {
            Err("the broker refused the login: bad user name or password")
        }
        ConnectReturnCode::NotAuthorized => Err("the broker refused the login: not authorized"),
    }
}

fn write(packet: &Wire, out: &mut Vec<u8>) {
    let mut buffer = BytesMut::new();
    let written = packet.write(&mut buffer, usize::MAX);
    debug_assert!(written.is_ok(), "{packet:?}: {written:?}");
    out.extend_from_slice(&buffer);
}

/// The first byte of an acknowledgement, in both versions.
pub(super) const PUBACK: u8 = 0x40;
