//! Which messages are on their way in one connection, and how many may be.

use crate::ring::Seq;
use crate::stream::opening::Opening;
use std::collections::BTreeMap;
use std::ops::Deref;

/// The publishes of one connection that have no acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// By packet identifier.
    unacknowledged: BTreeMap<u16, Seq>,
    /// All messages of those that have several.
    several: BTreeMap<u16, Box<[Seq]>>,
    /// How many there may be.
    opening: Opening,
}

/// The messages of a publish that has its answer. Most have one, which costs no memory.
#[derive(Debug)]
pub(super) enum Completed {
    One([Seq; 1]),
    Several(Box<[Seq]>),
}

impl Deref for Completed {
    type Target = [Seq];

    fn deref(&self) -> &[Seq] {
        match self {
            Self::One(one) => one,
            Self::Several(all) => all,
        }
    }
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
        if let Some(first) = messages.first() {
            self.unacknowledged.insert(identifier, *first);
        }
        if messages.len() > 1 {
            self.several.insert(identifier, messages.into());
        }
    }

    /// The publish with this identifier has its answer: its messages. None: that came late, or
    /// twice.
    pub(super) fn complete(&mut self, identifier: u16) -> Option<Completed> {
        let first = self.unacknowledged.remove(&identifier)?;
        let several = self.several.remove(&identifier);
        Some(several.map_or(Completed::One([first]), Completed::Several))
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
