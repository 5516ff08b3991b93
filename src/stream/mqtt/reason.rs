//! What a broker means by a reason code (MQTT 5.0, 2.4; the return codes of 3.1.1, 3.2.2.3).

use crate::stream::DeliveryError;

/// What a platform says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has it.
    Taken,
    /// It has it, and nobody there has subscribed to it.
    NoSubscribers,
    /// It will never take it.
    Refused,
    /// It does not take it, and whether it takes others is not said: these decide.
    Doubted,
    /// It has no room now, or is not set up for it: no message is lost, and the next try is a new
    /// connection after the pause.
    Later,
    /// What both sides know of the connection differs: it is of no more use.
    OutOfStep,
}

/// Why the broker did not take the login. The codes of 3.1.1 and of 5 do not overlap.
pub(super) fn login(code: u8, said: Option<&str>) -> DeliveryError {
    refusal("the broker refused the login", code, said)
}

/// Why the broker ended the connection.
pub(super) fn end(code: u8, said: Option<&str>) -> DeliveryError {
    let mut error = refusal("the broker ended the connection", code, said);
    if code == TAKEN_OVER {
        error
            .reason
            .push_str("; another client uses this client id");
    }
    error
}

/// What an acknowledgement means that does not say yes.
pub(super) fn publish(code: u8, said: Option<&str>) -> DeliveryError {
    refusal("the broker refused a publish", code, said)
}

/// What an acknowledgement says of its message. Only that of a payload which does not have the
/// form that it claims speaks of the message alone. All others may be meant for every message: for
/// these the others decide, and so for a code that nobody knows.
pub(super) fn verdict(code: u8) -> Verdict {
    match code {
        NO_SUBSCRIBERS => Verdict::NoSubscribers,
        ..0x80 => Verdict::Taken,
        QUOTA_EXCEEDED => Verdict::Later,
        IDENTIFIER_IN_USE => Verdict::OutOfStep,
        PAYLOAD_INVALID => Verdict::Refused,
        _ => Verdict::Doubted,
    }
}

fn refusal(what: &str, code: u8, said: Option<&str>) -> DeliveryError {
    let mut reason = format!("{what}: {}", name(code));
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        let said = said.chars().filter(|c| !c.is_control()).take(SAID_MAX);
        reason.push_str(": ");
        reason.extend(said);
    }
    DeliveryError::new(number(code), reason)
}

/// flespi's: those of 3.1.1 and what is the same in 5; 0 for all else.
fn number(code: u8) -> i32 {
    match code {
        1 | 0x84 => 1,
        2 | 0x85 => 2,
        3 | 0x88 | 0x89 => 3,
        4 | 0x86 => 4,
        5 | NOT_AUTHORIZED => 5,
        _ => 0,
    }
}

/// In words, with the code itself where it is one of MQTT 5.
fn name(code: u8) -> String {
    let known = match code {
        0 => "normal disconnection",
        1 => return "unacceptable protocol version".into(),
        2 => return "client identifier rejected".into(),
        3 => return "server unavailable".into(),
        4 => return "bad user name or password".into(),
        5 => return "not authorized".into(),
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "unsupported protocol version",
        0x85 => "client identifier not valid",
        0x86 => "bad user name or password",
        NOT_AUTHORIZED => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8a => "banned",
        0x8b => "server shutting down",
        0x8c => "bad authentication method",
        0x8d => "keep alive timeout",
        TAKEN_OVER => "session taken over",
        TOPIC_INVALID => "topic name invalid",
        IDENTIFIER_IN_USE => "packet identifier in use",
        0x93 => "receive maximum exceeded",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        QUOTA_EXCEEDED => "quota exceeded",
        0x98 => "administrative action",
        PAYLOAD_INVALID => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9f => "connection rate exceeded",
        0xa0 => "maximum connect time",
        _ => "unknown reason",
    };
    format!("{known} (0x{code:02x})")
}

const NO_SUBSCRIBERS: u8 = 0x10;
const NOT_AUTHORIZED: u8 = 0x87;
const TAKEN_OVER: u8 = 0x8e;
const TOPIC_INVALID: u8 = 0x90;
const IDENTIFIER_IN_USE: u8 = 0x91;
const QUOTA_EXCEEDED: u8 = 0x97;
const PAYLOAD_INVALID: u8 = 0x99;

/// Characters that are kept of what a broker says.
const SAID_MAX: usize = 200;
