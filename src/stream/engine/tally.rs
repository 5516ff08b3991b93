//! What an engine did since somebody last asked: for counters and events. Decides nothing.

use super::Latencies;
use crate::ring::Settled;
use std::time::Duration;

/// Counts since the last call of [`super::Engine::take_tally`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that the destination took.
    pub accepted: u64,
    /// Messages that were not sent: filter, age, conversion.
    pub skipped: u64,
    /// Messages that the destination will never take.
    pub given_up: u64,
    /// Attempts that were refused or got no answer, one for each message in them.
    pub rejected: u64,
    /// Acknowledgements of those that it took.
    pub answers: u64,
    /// From the sending of the last batch to its acknowledgement.
    pub ack_latency: Option<Duration>,
    /// The same of all messages that were acknowledged.
    pub latencies: Latencies,
}

impl Tally {
    /// Counts a message that the cursor passed.
    pub(super) fn settled(&mut self, how: Settled) {
        match how {
            Settled::Accepted => self.accepted += 1,
            Settled::GivenUp => self.given_up += 1,
            Settled::Filtered | Settled::Expired | Settled::ByHand => self.skipped += 1,
            Settled::Unwanted => {}
        }
    }

    /// Adds what came later.
    pub fn add(&mut self, later: &Self) {
        self.accepted += later.accepted;
        self.skipped += later.skipped;
        self.given_up += later.given_up;
        self.rejected += later.rejected;
        self.answers += later.answers;
        self.ack_latency = later.ack_latency.or(self.ack_latency);
        if later.ack_latency.is_some() {
            self.latencies.add(&later.latencies);
        }
    }

    /// Messages that were done with, one way or the other.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.accepted + self.skipped + self.given_up
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read() + self.rejected == 0
    }
}
