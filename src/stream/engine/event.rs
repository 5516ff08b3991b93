//! What an engine tells of what happened. Decides nothing.

use crate::ring::Seq;
use crate::stream::DeliveryError;

/// What happened, for the log and the event list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The destination answered, and did not take what was sent.
    NotDelivered(DeliveryError),
    /// A message was given up.
    GivenUp {
        /// Which.
        seq: Seq,
        /// What the destination said.
        reason: String,
    },
    /// A message could not be sent at all and was skipped.
    Skipped {
        /// Which.
        seq: Seq,
        /// What it lacks.
        reason: String,
    },
    /// The destination took a message, and says that nobody there wants it.
    NoSubscribers,
    /// The filter passed none of the last [`crate::filter::REFUSED_MAX`] messages.
    NothingPasses {
        /// The parameters that it names and that no message had.
        never_seen: Vec<String>,
    },
    /// So many were given up with none accepted between that the destination is at fault.
    AtFault {
        /// What the destination said of the last.
        reason: String,
    },
}
