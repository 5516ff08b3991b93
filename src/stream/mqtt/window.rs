//! Which messages are on their way in one connection, and how many may be.

use crate::ring::Seq;
use std::collections::BTreeMap;

/// The publishes of one connection that have no acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// By packet identifier: at most `agreed`.
    unacknowledged: BTreeMap<u16, Seq>,
    /// Messages of these beside the first, where they have some.
    more: BTreeMap<u16, Box<[Seq]>>,
    /// How many there may be by what both sides say; none before the login.
    agreed: usize,
    /// How many there may be now: from 1 to `agreed`.
    open: usize,
}

impl Window {
    /// So many may go without an acknowledgement.
    pub(super) fn agree(&mut self, max: u16) {
        self.agreed = usize::from(max.max(1));
        self.open = self.agreed;
    }

    /// Makes it smaller when `ended` connections in a row ended with the same message as the first
    /// without an answer. A broker that closes over one message does not say over which: with fewer
    /// behind it, fewer are sent in vain, and what follows it is not taken for it.
    pub(super) fn narrow(&mut self, ended: u32) {
        // the first time may be any bad luck
        if let Some(more @ 1..) = ended.checked_sub(1) {
            self.open = (self.agreed >> (2 * more).min(16)).max(1);
        }
    }

    /// The broker takes messages: as many as agreed may go.
    pub(super) fn widen(&mut self) {
        self.open = self.agreed;
    }

    /// A publish with these messages is on its way.
    pub(super) fn insert(&mut self, identifier: u16, messages: &[Seq]) {
        if let [first, more @ ..] = messages {
            self.unacknowledged.insert(identifier, *first);
            if !more.is_empty() {
                self.more.insert(identifier, more.into());
            }
        }
    }

    /// The publish with this identifier has its answer: its messages. None: that came late, or
    /// twice.
    pub(super) fn complete(&mut self, identifier: u16) -> Option<Vec<Seq>> {
        let first = self.unacknowledged.remove(&identifier)?;
        let more = self.more.remove(&identifier).unwrap_or_default();
        Some([&[first][..], &more].concat())
    }

    /// Whether one more may go.
    pub(super) fn has_room(&self) -> bool {
        self.unacknowledged.len() < self.open
    }

    /// Whether all have their answer.
    pub(super) fn is_empty(&self) -> bool {
        self.unacknowledged.is_empty()
    }
}
