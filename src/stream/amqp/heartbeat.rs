//! Signs of life: when one is due, and when those of the broker have stayed away too long
//! (AMQP 0-9-1, 4.2.7).

use crate::clock::Now;
use std::time::Duration;

/// What one connection has said and heard last.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// As both sides agreed; zero is never, as before the login.
    pub(super) every: Duration,
    sent_at: Duration,
    heard_at: Duration,
}

impl Heartbeat {
    /// A connection that is just made.
    pub(super) fn new(now: Now) -> Self {
        Self {
            every: Duration::ZERO,
            sent_at: now.mono,
            heard_at: now.mono,
        }
    }

    /// Something goes out: that is a sign as good as any.
    pub(super) fn sent(&mut self, now: Now) {
        self.sent_at = now.mono;
    }

    /// Something came.
    pub(super) fn heard(&mut self, now: Now) {
        self.heard_at = now.mono;
    }

    /// When a sign is due. Brokers give up after twice the time that was agreed, some after once.
    pub(super) fn due(&self) -> Option<Duration> {
        (!self.every.is_zero()).then(|| self.sent_at + self.every / 2)
    }

    /// How long the broker may be silent.
    pub(super) fn patience(&self) -> Duration {
        self.every * 2
    }

    /// When it has been silent for too long.
    pub(super) fn overdue_at(&self) -> Option<Duration> {
        (!self.every.is_zero()).then(|| self.heard_at + self.patience())
    }
}
