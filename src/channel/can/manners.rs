//! What all that ask on a bus have in common: how they are driven, and when they may ask at all.

use super::Told;
use crate::wire::can::Frame;
use std::fmt;
use std::time::Duration;

/// One that asks on a bus. It says what to send and when; it is called with every frame of the bus
/// that comes, and at the times that it names. `now` never goes back.
pub trait Asks: fmt::Debug {
    /// Takes a frame with data of the bus, answers among them, and gives `told` what they say.
    fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>);

    /// Appends what is to be sent now.
    fn poll(&mut self, now: Duration, out: &mut Vec<Frame>);

    /// When [`Asks::poll`] is due; none: a frame has to come before.
    fn wake_at(&self) -> Option<Duration>;

    /// The controller has left the bus: nothing is asked any more.
    fn stop(&mut self);
}

/// When somebody may ask: only while others are heard, what was asked for not counted, since that
/// would keep the bus awake; with pauses; and after bus-off not any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Manners {
    /// When others were heard last.
    others: Option<Duration>,
    /// Not before that.
    free: Duration,
    is_stopped: bool,
    wake: Option<Duration>,
}

impl Manners {
    /// A frame of somebody else: the vehicle is awake. Whether a drive begins with it, so that
    /// none came before, or not for long.
    pub(super) fn hear_others(&mut self, now: Duration) -> bool {
        let is_over = |heard: Duration| now.saturating_sub(heard) >= DRIVE_END;
        self.others.replace(now).is_none_or(is_over)
    }

    /// Whether it may ask as soon as it is time.
    pub(super) fn may_ask(&self, now: Duration) -> bool {
        let hears = |heard: Duration| now.saturating_sub(heard) < AWAKE;
        !self.is_stopped && self.others.is_some_and(hears)
    }

    /// Nothing more is asked before that; what was said so before does not count.
    pub(super) fn pause_until(&mut self, free: Duration) {
        self.free = free;
    }

    /// When what is due then may be asked.
    pub(super) fn not_before(&self, due: Duration) -> Duration {
        due.max(self.free)
    }

    /// Names the time of the next call; none: after the next frame.
    pub(super) fn call_at(&mut self, wake: Option<Duration>) {
        self.wake = wake;
    }

    /// See [`Asks::wake_at`].
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.wake
    }

    /// See [`Asks::stop`].
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
        self.wake = None;
    }

    /// Whether [`Manners::stop`] was called.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }
}

/// Others heard so lately: the vehicle is awake.
const AWAKE: Duration = Duration::from_secs(2);

/// Others silent for so long: the drive is over.
const DRIVE_END: Duration = Duration::from_secs(60);
