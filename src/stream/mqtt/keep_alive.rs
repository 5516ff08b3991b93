//! Signs of life: when a ping is due, and when an answer is overdue.

use crate::clock::Now;
use std::time::Duration;

/// What one connection has said last.
#[derive(Debug)]
pub(super) struct KeepAlive {
    /// After so long without a packet a ping is sent; zero is never.
    pub(super) every: Duration,
    /// When the last packet was sent.
    sent_at: Duration,
    /// When that was sent which has to be answered next: a login, a question, a ping.
    asked_at: Option<Duration>,
}

impl KeepAlive {
    /// A connection that has said nothing.
    pub(super) fn new(every: Duration, now: Now) -> Self {
        Self {
            // its seconds are 16 bits long
            every: every.min(Duration::from_secs(u16::MAX.into())),
            sent_at: now.mono,
            asked_at: None,
        }
    }

    /// A packet was sent that puts the next ping off.
    pub(super) fn sent(&mut self, now: Now) {
        self.sent_at = now.mono;
    }

    /// The same, and it has to be answered.
    pub(super) fn asked(&mut self, now: Now) {
        self.sent_at = now.mono;
        self.asked_at = Some(now.mono);
    }

    /// What was asked is answered.
    pub(super) fn answered(&mut self) {
        self.asked_at = None;
    }

    /// When the answer is overdue; none: nothing was asked.
    pub(super) fn overdue_at(&self, timeout: Duration) -> Option<Duration> {
        self.asked_at.map(|asked_at| asked_at + timeout)
    }

    /// When nothing was sent for so long that the broker might take us for dead. What it sends is
    /// no sign of life of this side, so only packets that go out count.
    pub(super) fn ping_due(&self) -> Option<Duration> {
        let wanted = self.asked_at.is_none() && !self.every.is_zero();
        wanted.then(|| self.sent_at + self.every)
    }
}
