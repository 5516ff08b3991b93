//! What a destination is shown of a message: the stored parameters and those of the reception.

use super::engine::Outgoing;
use crate::message::ValueRef;
use crate::message::body::Body;

/// The parameters of a message in their order, then those that it got here: `timestamp` where the
/// sender gave none, `server.timestamp`, and `timestamp.valid` where no clock could be trusted.
/// Empty where the body is of an unknown version.
pub fn fields<'a>(
    message: &Outgoing<'a>,
) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + Clone + use<'a> {
    let body = Body::new(message.body).ok();
    let has_timestamp = body.is_some_and(|body| body.find("timestamp").is_some());
    let received = ValueRef::F64(micros(message.received.since_1970));
    let measured = (!has_timestamp).then_some(("timestamp", received));
    let doubtful = !has_timestamp && !message.received.trusted;
    let doubt = doubtful.then_some(("timestamp.valid", ValueRef::Bool(false)));
    let stored = body.into_iter().flat_map(|body| body.fields());
    stored
        .chain(measured)
        .chain([("server.timestamp", received)])
        .chain(doubt)
}

/// Seconds, cut to microseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of this era are exact in 53 bits"
)]
fn micros(time: std::time::Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}
