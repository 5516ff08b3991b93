//! The packets of MQTT 5, by rumqttc: those of a client and the answers to them.

use super::RECEIVE_MAX;
use super::packet;
use super::packet::ConnackCode;
use super::packet::Connect;
use super::packet::DisconnectReason;
use super::packet::PACKET_MAX;
use super::packet::Packet;
use super::packet::Publish;
use super::packet::Verdict;
use super::v311;
use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5::ConnAck;
use rumqttc::v5::mqttbytes::v5::ConnAckProperties;
use rumqttc::v5::mqttbytes::v5::ConnectReturnCode;
use rumqttc::v5::mqttbytes::v5::DisconnectReasonCode;
use rumqttc::v5::mqttbytes::v5::Packet as Wire;
use rumqttc::v5::mqttbytes::v5::PubAck;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use rumqttc::v5::mqttbytes::v5::SubAck;
use rumqttc::v5::mqttbytes::v5::SubscribeReasonCode;
use rumqttc::v5::mqttbytes::v5::UnsubAck;
use rumqttc::v5::mqttbytes::v5::UnsubAckReason;

/// What a whole packet says.
pub(super) fn read(packet: &[u8]) -> Result<Packet<'_>, String> {
    // rumqttc does not know the short forms, which are the usual ones
    if packet.first() == Some(&DISCONNECT) {
        return Ok(Packet::Disconnect);
    }
    let plain = packet::is_publish(packet).then(|| packet::publish(packet));
    let plain = plain.flatten();
    if let Some(publish) = &plain
        && let Some((0, payload)) = publish.payload.split_first()
    {
        // no properties
        return Ok(Packet::Publish(Publish {
            payload,
            ..publish.clone()
        }));
    }
    let read = Wire::read(&mut BytesMut::from(packet), None);
    Ok(match read.map_err(|error| error.to_string())? {
        Wire::Connect(connect, will, login) => {
            let properties = connect.properties;
            Packet::Connect(Connect {
                keep_alive: connect.keep_alive,
                client_id: connect.client_id,
                is_clean: connect.clean_start,
                will_qos: will.map(|will| will.qos as u8),
                login: login.map(|login| (login.username, login.password)),
                has_method: properties.is_some_and(|all| all.authentication_method.is_some()),
            })
        }
        Wire::Publish(publish) => {
            let properties = publish.properties;
            str::from_utf8(&publish.topic).map_err(|error| error.to_string())?;
            let before = packet.len().saturating_sub(publish.payload.len());
            Packet::Publish(Publish {
                has_alias: properties.is_some_and(|all| all.topic_alias.is_some()),
                payload: packet.get(before..).unwrap_or_default(),
                ..plain.ok_or(packet::DAMAGED)?
            })
        }
        Wire::Subscribe(subscribe) => Packet::Subscribe(subscribe.pkid, subscribe.filters.len()),
        Wire::Unsubscribe(unsubscribe) => {
            Packet::Unsubscribe(unsubscribe.pkid, unsubscribe.filters.len())
        }
        Wire::PingReq(_) => Packet::PingReq,
        _ => Packet::Other,
    })
}

/// The answer to a login, with what a client may do.
pub(super) fn connack(answer: ConnackCode, subscribe: bool, out: &mut Vec<u8>) {
    let (code, name) = match answer {
        ConnackCode::Accepted(name) => (ConnectReturnCode::Success, name),
        ConnackCode::Version => (ConnectReturnCode::UnsupportedProtocolVersion, None),
        ConnackCode::ClientId => (ConnectReturnCode::ClientIdentifierNotValid, None),
        ConnackCode::Credentials => (ConnectReturnCode::BadUserNamePassword, None),
        ConnackCode::NotAuthorized => (ConnectReturnCode::NotAuthorized, None),
        ConnackCode::Method => (ConnectReturnCode::BadAuthenticationMethod, None),
        ConnackCode::Qos => (ConnectReturnCode::QoSNotSupported, None),
        ConnackCode::Malformed => (ConnectReturnCode::MalformedPacket, None),
        ConnackCode::Protocol(_) => (ConnectReturnCode::ProtocolError, None),
        ConnackCode::TooLong => (ConnectReturnCode::PacketTooLarge, None),
    };
    let accepted = code == ConnectReturnCode::Success;
    let answer = ConnAck {
        session_present: false,
        code,
        properties: accepted.then(|| properties(name, subscribe)),
    };
    write(&Wire::ConnAck(answer), out);
}

/// RETAIN is not forbidden: who could subscribe to what was kept so does not exist.
fn properties(name: Option<u64>, subscribe: bool) -> ConnAckProperties {
    ConnAckProperties {
        session_expiry_interval: Some(0),
        receive_max: Some(RECEIVE_MAX),
        max_qos: Some(1),
        retain_available: None,
        max_packet_size: u32::try_from(PACKET_MAX).ok(),
        assigned_client_identifier: name.map(|name| format!("weir-{name:x}")),
        topic_alias_max: Some(0),
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: Some(subscribe.into()),
        subscription_identifiers_available: Some(subscribe.into()),
        shared_subscription_available: Some(0),
        server_keep_alive: None,
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    }
}

/// What became of a message.
pub(super) fn acknowledge(id: u16, verdict: Verdict, out: &mut Vec<u8>) {
    if verdict == Verdict::Taken {
        return v311::acknowledge(id, out);
    }
    let mut answer = PubAck::new(id, None);
    answer.reason = match verdict {
        Verdict::Taken => PubAckReason::Success,
        Verdict::NotOurs => PubAckReason::NoMatchingSubscribers,
        Verdict::Unwanted => PubAckReason::ImplementationSpecificError,
        Verdict::NotAuthorized => PubAckReason::NotAuthorized,
        Verdict::Topic => PubAckReason::TopicNameInvalid,
        Verdict::Quota => PubAckReason::QuotaExceeded,
        Verdict::Payload => PubAckReason::PayloadFormatInvalid,
    };
    write(&Wire::PubAck(answer), out);
}

/// Nothing is sent from here, whatever is asked for.
pub(super) fn refuse_filters(id: u16, count: usize, out: &mut Vec<u8>) {
    let return_codes = vec![SubscribeReasonCode::NotAuthorized; count];
    let answer = SubAck {
        pkid: id,
        return_codes,
        properties: None,
    };
    write(&Wire::SubAck(answer), out);
}

/// Nothing was sent from here.
pub(super) fn unsubscribed(id: u16, count: usize, out: &mut Vec<u8>) {
    let answer = UnsubAck {
        pkid: id,
        reasons: vec![UnsubAckReason::NoSubscriptionExisted; count],
        properties: None,
    };
    write(&Wire::UnsubAck(answer), out);
}

/// The last word.
pub(super) fn disconnect(reason: DisconnectReason, out: &mut Vec<u8>) {
    let code = match reason {
        DisconnectReason::Malformed => DisconnectReasonCode::MalformedPacket,
        DisconnectReason::Protocol => DisconnectReasonCode::ProtocolError,
        DisconnectReason::Busy => DisconnectReasonCode::ServerBusy,
        DisconnectReason::Refused(_) => DisconnectReasonCode::UnspecifiedError,
        DisconnectReason::Silent => DisconnectReasonCode::KeepAliveTimeout,
        DisconnectReason::Topic => DisconnectReasonCode::TopicNameInvalid,
        DisconnectReason::ReceiveMaximum => DisconnectReasonCode::ReceiveMaximumExceeded,
        DisconnectReason::Alias => DisconnectReasonCode::TopicAliasInvalid,
        DisconnectReason::TooLong => DisconnectReasonCode::PacketTooLarge,
        DisconnectReason::Qos => DisconnectReasonCode::QoSNotSupported,
        DisconnectReason::TakenOver => DisconnectReasonCode::SessionTakenOver,
    };
    // rumqttc's own writing has a byte more than its length says
    out.extend_from_slice(&[DISCONNECT, 1, code as u8]);
}

fn write(packet: &Wire, out: &mut Vec<u8>) {
    let mut buffer = BytesMut::new();
    let written = packet.write(&mut buffer, None);
    debug_assert!(written.is_ok(), "{packet:?}: {written:?}");
    out.extend_from_slice(&buffer);
}

/// Type and flags of the last packet.
const DISCONNECT: u8 = 0xE0;
