//! How many messages may be on their way in one connection: as many as both sides agree to, and
//! fewer while one of them is looked for that is not taken.

/// The width of a window.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// By what both sides say; none before the login.
    agreed: usize,
    /// Now: from 1 to `agreed`.
    open: usize,
}

impl Opening {
    /// So many may go without an answer.
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

    /// One goes, and the next when that is taken.
    pub(super) fn close(&mut self) {
        self.open = self.agreed.min(1);
    }

    /// The broker takes messages: as many as agreed may go.
    pub(super) fn widen(&mut self) {
        self.open = self.agreed;
    }

    /// Whether one more may go beside so many.
    pub(super) fn has_room(&self, count: usize) -> bool {
        count < self.open
    }
}
