//! What is done to streams by hand, beside what [`super::Control`] has of old.

use super::Refusal;
use super::device::DeviceReport;
use super::device::Devices;
use crate::units::Period;
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

    /// What waits for a stream, oldest first, each as a JSON object: `count` at most, and fewer
    /// where they are long or far apart. Nothing is moved by that.
    ///
    /// # Errors
    /// See [`NotTaken`].
    fn waiting_messages(&self, stream: &str, count: usize) -> Result<Vec<String>, NotTaken>;

    /// Settles by hand all that waits for a stream; how many that were.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn drop_backlog(&self, stream: &str) -> Result<u64, Refusal>;

    /// Puts messages in for one stream alone: an object, or an array of them that is taken as a
    /// whole. How many there were; they are safe then.
    ///
    /// # Errors
    /// See [`NotTaken`].
    fn put_in(&self, stream: &str, text: &[u8]) -> Result<u64, NotTaken>;

    /// Shows who was heard of, one after the other; how many idents were forgotten since the start.
    fn devices(&self, asked: &Devices<'_>, show: &mut dyn FnMut(&DeviceReport)) -> u64;
}

/// Why messages were not shown or not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no stream of that name.
    Unknown,
    /// They are no messages: why.
    Malformed(String),
    /// Longer than the ring can store: which one.
    TooLong(String),
    /// The stream is disabled: nothing is kept for it.
    Disabled,
    /// Not now: why, and what became of them.
    Later(String),
}

/// What waits is shown up to so many messages.
pub const WAITING_MAX: usize = 100;

/// How long a pause is to be, as it is written (`10m`); none where none can be so long.
#[must_use]
pub fn pause_time(text: &str) -> Option<Duration> {
    let time = text.parse::<Period>().ok().map(|Period(time)| time);
    time.filter(|time| (PAUSE_MIN..=PAUSE_MAX).contains(time))
}

/// A shorter pause would be over before it is kept.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The end of a longer pause would be no date any more.
const PAUSE_MAX: Duration = Duration::from_hours(3650 * 24);
