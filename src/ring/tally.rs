//! What became of what a stream wanted, counted.

use super::Settled;
use super::slot::StreamTally;

impl StreamTally {
    /// Counts a record that was settled.
    pub(super) fn count(&mut self, how: Settled) {
        let place = match how {
            Settled::Accepted => &mut self.accepted,
            Settled::Filtered => &mut self.filtered,
            Settled::Expired => &mut self.expired,
            Settled::ByHand => &mut self.by_hand,
            Settled::GivenUp => &mut self.given_up,
            Settled::Unwanted => return,
        };
        *place += 1;
    }

    /// Adds what another ring counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.filtered += other.filtered;
        self.expired += other.expired;
        self.by_hand += other.by_hand;
        self.given_up += other.given_up;
        self.dropped += other.dropped;
        self.corrupt += other.corrupt;
    }

    /// All of it.
    pub(super) fn sum(&self) -> u64 {
        let settled = self.accepted + self.filtered + self.expired + self.by_hand + self.given_up;
        settled + self.dropped + self.corrupt
    }
}
