//! Which messages are on their way in one connection, and how many may be.

use crate::ring::Seq;
use crate::stream::opening::Opening;
use std::collections::BTreeMap;

/// The publishes of one connection that have no acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// By packet identifier.
    unacknowledged: BTreeMap<u16, Seq>,
    /// Messages of these beside the first, where they have some.
    more: BTreeMap<u16, Box<[Seq]>>,
    /// How many there may be.
    opening: Opening,
}

impl Window {
    /// So many may go without an acknowledgement.
    pub(super) fn agree(&mut self, max: u16) {
        self.opening.agree(max);
    }

    /// See [`Opening::narrow`].
    pub(super) fn narrow(&mut self, ended: u32) {
        self.opening.narrow(ended);
    }

    /// The broker takes messages: as many as agreed may go.
    pub(super) fn widen(&mut self) {
        self.opening.widen();
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
        self.opening.has_room(self.unacknowledged.len())
    }

    /// Whether all have their answer.
    pub(super) fn is_empty(&self) -> bool {
        self.unacknowledged.is_empty()
    }
}
