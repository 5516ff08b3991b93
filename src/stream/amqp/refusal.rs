//! What a broker means by a reply code (AMQP 0-9-1, 1.1 of its reference).

use super::method::Close;
use super::method::Return;
use super::method::Short;
use super::stage::Stage;
use crate::stream::DeliveryError;
use crate::stream::Disconnect;

/// The broker ends the connection, or the channel, which comes to the same: what was sent has no
/// answer. `hint` says which keys a login is made of.
pub(super) fn closed(close: &Close<'_>, stage: Stage, hint: &str) -> Disconnect {
    let code = close.code;
    // before what the broker says: a long reason is cut behind
    let what = match (code, stage) {
        (ACCESS_REFUSED, Stage::LoginSent) => hint,
        (ACCESS_REFUSED | NOT_ALLOWED, Stage::OpenSent) => {
            "look at the virtual host, the path of `url`, and at the user's rights there"
        }
        (ACCESS_REFUSED, _) => "look at `exchange` and at the user's rights to write to it",
        (NOT_FOUND, _) => "look at `exchange`: weir declares none",
        _ => "the broker ended the connection",
    };
    let reason = format!("{what}: {}", said(code, close.text));
    DeliveryError::new(code.into(), reason).into()
}

/// Whether what ended the connection may be the fault of the oldest message on its way. The
/// broker's own state and the exchange are not: these are the same for all.
pub(super) fn may_be_of_message(error: &DeliveryError) -> bool {
    match u16::try_from(error.code) {
        Ok(ACCESS_REFUSED) => error.reason.contains("access to topic"),
        Ok(CONNECTION_FORCED | NOT_FOUND | RESOURCE_ERROR | INTERNAL_ERROR) => false,
        _ => true,
    }
}

/// No queue got a message. Whether that is its own fault the others decide.
pub(super) fn returned(of: &Return<'_>) -> DeliveryError {
    let key = printable(of.routing_key);
    let said = said(of.code, of.text);
    let reason = format!("no queue is bound for the routing key `{key}`: {said}");
    DeliveryError::new(of.code.into(), reason)
}

/// The broker has no room for a message now; it does not say why. A queue that is full and
/// rejects what comes is the usual reason.
pub(super) fn nacked() -> DeliveryError {
    DeliveryError::new(
        0,
        "the broker takes no message now (nack): a queue may be full",
    )
}

/// The broker reads nothing for a while.
pub(super) fn blocked(why: Short<'_>) -> DeliveryError {
    let why = printable(why);
    DeliveryError::new(0, format!("the broker takes no messages now: {why}"))
}

fn said(code: u16, text: Short<'_>) -> String {
    format!("{} ({code})", printable(text))
}

fn printable(text: Short<'_>) -> String {
    let text = String::from_utf8_lossy(text.bytes());
    text.chars().filter(|c| !c.is_control()).collect()
}

const CONNECTION_FORCED: u16 = 320;
/// `access-refused`.
pub(super) const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_ERROR: u16 = 506;
const NOT_ALLOWED: u16 = 530;
const INTERNAL_ERROR: u16 = 541;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_of_one_message_is_counted_against_it() {
        for (code, reason, expected) in [
            (0, "closed by the destination", true),
            (-2, "no answer", true),
            (501, "FRAME_ERROR", true),
            (406, "PRECONDITION_FAILED - message size 9 is larger", true),
            (
                403,
                "ACCESS_REFUSED - access to topic 'weir.a' in exchange",
                true,
            ),
            (403, "ACCESS_REFUSED - access to exchange 'x'", false),
            (404, "NOT_FOUND - no exchange 'x'", false),
            (320, "CONNECTION_FORCED", false),
            (506, "RESOURCE_ERROR", false),
            (541, "INTERNAL_ERROR", false),
        ] {
            let error = DeliveryError::new(code, reason);
            assert_eq!(may_be_of_message(&error), expected, "{reason}");
        }
    }
}
