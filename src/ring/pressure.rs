//! Whether there is room for the next segment, and what that does to those who append.

use super::AppendError;
use super::patience::Patience;
use std::time::Duration;

/// What a ring does for want of room.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pressure {
    /// The ring is full and drops nothing: no commit before a cursor moved. Only a ring that is to
    /// refuse gets stuck.
    stuck: bool,
    /// What has to be read before there is room for the next segment, and cannot be.
    unread: Patience,
    /// Since when segments are given up of which somebody had not read all; until there is room.
    dropping: Option<Duration>,
    /// Bytes of the record that was refused last, if none was taken since.
    refused: Option<usize>,
}

impl Pressure {
    /// Whether no commit can be before a cursor moved.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// There is no room before a cursor moves.
    pub(super) fn stick(&mut self) {
        self.stuck = true;
    }

    /// A cursor moved.
    pub(super) fn loosen(&mut self) {
        self.stuck = false;
    }

    /// Whether it is not known if there is room: what has to be known could not be read.
    pub(super) fn is_unreadable(&self) -> bool {
        self.unread.is_failing()
    }

    /// Whether what waits will be written, as far as is known.
    pub(super) fn lets_write(&self) -> bool {
        !self.is_stuck() && !self.is_unreadable()
    }

    /// Whether it is too early to try to read that again.
    pub(super) fn waits_to_read(&self, mono: Duration) -> bool {
        self.unread.waits(mono)
    }

    /// When to try to read that again.
    pub(super) fn reads_again(&self) -> Option<Duration> {
        self.unread.again()
    }

    /// It was read.
    pub(super) fn read_succeeded(&mut self) {
        self.unread.succeeded();
    }

    /// It could not be read.
    pub(super) fn read_failed(&mut self, mono: Duration) {
        self.unread.failed(mono);
    }

    /// The oldest segment was given up, and with it what somebody had not read, or not. One that
    /// was read by chance between others that were not is no end of that.
    pub(super) fn gave_up(&mut self, dropped: bool, mono: Duration) {
        self.dropping = self.dropping.or(dropped.then_some(mono));
    }

    /// There is room for the next segment.
    pub(super) fn ease(&mut self) {
        self.dropping = None;
    }

    /// Since when what somebody had not read is given up.
    pub(super) fn dropping(&self) -> Option<Duration> {
        self.dropping
    }

    /// A record of `len` bytes was taken or not.
    pub(super) fn answered(&mut self, len: usize, result: Result<(), AppendError>) {
        self.refused = (result == Err(AppendError::Full)).then_some(len);
    }

    /// Bytes of the record that was refused last, if none was taken since.
    pub(super) fn refused(&self) -> Option<usize> {
        self.refused
    }
}
