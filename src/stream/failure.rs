//! Why something was not delivered, and why a connection is of no more use.

use crate::units::Period;
use std::time::Duration;

/// Why something was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// flespi's code: -99 certificate, -2 no answer, -1 no connection, 1 to 5 MQTT refusals, 100
    /// to 599 HTTP status; 0 for all else.
    pub code: i32,
    /// In words.
    pub reason: String,
}

/// Why a connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// What happened.
    pub error: DeliveryError,
    /// When the next connection is due.
    pub retry: Retry,
}

/// When the next try is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After a pause that grows with each failure.
    Paused,
    /// At once: the connection ended in good order, or between two requests.
    AtOnce,
    /// At once, also where nothing was said in it, and it is no news: this side has ended it to
    /// log in anew, or to send all again.
    Renewed,
}

impl DeliveryError {
    /// An error in words.
    pub fn new(code: i32, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { code, reason }
    }

    /// What was sent, and was not answered within this time.
    pub(super) fn no_answer(limit: Duration, to: &str) -> Self {
        Self::new(
            NO_ANSWER,
            format!("no answer within {} to {to}", Period(limit)),
        )
    }
}

impl From<DeliveryError> for Disconnect {
    fn from(error: DeliveryError) -> Self {
        let retry = Retry::Paused;
        Self { error, retry }
    }
}

impl Disconnect {
    /// A connection that failed.
    pub fn new(code: i32, reason: impl Into<String>) -> Self {
        DeliveryError::new(code, reason).into()
    }

    /// A connection that this side has ended to begin anew, and why.
    pub fn renewed(reason: impl Into<String>) -> Self {
        Self {
            error: DeliveryError::new(0, reason),
            retry: Retry::Renewed,
        }
    }

    /// A connection that ended and did not fail.
    pub fn ended(reason: impl Into<String>) -> Self {
        Self {
            error: DeliveryError::new(0, reason),
            retry: Retry::AtOnce,
        }
    }
}

/// flespi's code: a certificate is at fault, on either side.
pub const CERTIFICATE: i32 = -99;

/// No answer came in time.
pub const NO_ANSWER: i32 = -2;
