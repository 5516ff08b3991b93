//! Why the connection of a device ends, how that is counted, and what is said at the end.

use super::RECEIVE_MAX;
use super::packet;
use super::packet::ConnackCode;
use super::packet::DisconnectReason;
use super::packet::Verdict;
use super::subscribe::NotRead;
use crate::channel::InputError;

/// Why a connection ends.
pub(super) struct Ending {
    pub(super) reason: &'static str,
    /// What it is counted as, if it is.
    pub(super) malformed: Option<(InputError, String)>,
    /// What is said to who understands it.
    pub(super) code: Option<DisconnectReason>,
}

impl Ending {
    pub(super) fn not_mqtt() -> Self {
        Self {
            reason: "not MQTT",
            malformed: Some((InputError::Syntax, "not a login of MQTT".into())),
            code: None,
        }
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self {
            reason: "a damaged packet",
            malformed: Some((InputError::Syntax, detail.into())),
            code: Some(DisconnectReason::Malformed),
        }
    }

    /// A SUBSCRIBE or UNSUBSCRIBE.
    pub(super) fn not_read(why: NotRead) -> Self {
        match why {
            NotRead::Malformed(detail) => Self::malformed(detail),
            NotRead::Protocol(detail) => Self {
                malformed: Some((InputError::Syntax, detail.into())),
                ..Self::out_of_turn()
            },
        }
    }

    pub(super) fn out_of_turn() -> Self {
        Self {
            reason: "a packet out of turn",
            malformed: Some((InputError::Syntax, "a packet out of turn".into())),
            code: Some(DisconnectReason::Protocol),
        }
    }

    pub(super) fn too_long(len: usize) -> Self {
        let most = packet::PACKET_MAX;
        Self {
            reason: "a packet that is too long",
            malformed: Some((
                InputError::Length,
                format!("a packet of {len} bytes, at most {most} are taken"),
            )),
            code: Some(DisconnectReason::TooLong),
        }
    }

    pub(super) fn unsupported(detail: &'static str) -> Self {
        Self {
            reason: detail,
            malformed: Some((InputError::Unsupported, detail.into())),
            code: None,
        }
    }

    pub(super) fn too_many() -> Self {
        Self {
            reason: "more messages at once than agreed",
            malformed: Some((
                InputError::Syntax,
                format!("more than {RECEIVE_MAX} messages without an acknowledgement"),
            )),
            code: Some(DisconnectReason::ReceiveMaximum),
        }
    }

    /// The intake has counted it.
    pub(super) fn full() -> Self {
        Self {
            code: Some(DisconnectReason::Busy),
            ..Self::silent("the ring takes nothing now")
        }
    }

    /// The intake, or who looked at the topic, has counted it.
    pub(super) fn refused(verdict: Verdict) -> Self {
        Self {
            code: Some(DisconnectReason::Refused(verdict)),
            ..Self::silent("a message was refused, and MQTT 3.1.1 cannot say so")
        }
    }

    pub(super) fn taken_over() -> Self {
        Self {
            code: Some(DisconnectReason::TakenOver),
            ..Self::silent("another connection has logged in under its name")
        }
    }

    pub(super) fn keep_alive() -> Self {
        Self {
            code: Some(DisconnectReason::Silent),
            ..Self::silent("silent for longer than agreed")
        }
    }

    pub(super) fn silent(reason: &'static str) -> Self {
        Self {
            reason,
            malformed: None,
            code: None,
        }
    }

    /// Of one that is not accepted.
    pub(super) fn of_login(answer: ConnackCode) -> Self {
        let (kind, detail) = match answer {
            ConnackCode::Accepted(_) => return Self::silent("the login is accepted"),
            ConnackCode::Version => (InputError::Unsupported, "a version other than 3.1.1 and 5"),
            ConnackCode::ClientId => (InputError::Syntax, "a session without a client identifier"),
            ConnackCode::Credentials => (InputError::Login, "user name or password are wrong"),
            ConnackCode::NotAuthorized => (InputError::Login, "no user name and password"),
            ConnackCode::Method => (InputError::Login, "a login by other means than a password"),
            ConnackCode::Qos => (InputError::Unsupported, "a will of QoS 2"),
            ConnackCode::Malformed => (InputError::Syntax, "a login with damaged properties"),
            ConnackCode::Protocol(what) => (InputError::Syntax, what),
            ConnackCode::TooLong => (InputError::Length, "a client that takes no answer so long"),
        };
        Self {
            reason: detail,
            malformed: Some((kind, detail.into())),
            code: None,
        }
    }
}
