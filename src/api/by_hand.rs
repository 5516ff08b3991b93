//! What is done to streams by hand, beside what [`super::Control`] has of old.

use super::Refusal;
use std::time::Duration;

/// What hands need of a daemon.
pub trait ByHand {
    /// Has a stream send nothing, for a time or until it is resumed, and keeps that over restarts.
    /// What comes meanwhile waits for it.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn pause(&self, stream: &str, time: Option<Duration>) -> Result<(), Refusal>;

    /// Has a stream send again that was paused.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn resume(&self, stream: &str) -> Result<(), Refusal>;
}
