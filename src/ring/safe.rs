//! What may be acknowledged: the one watermark, and when memory is good enough for it.

use super::Ring;
use super::Seq;
use super::queue::QueueEntry;

/// Whether what is in memory only may be acknowledged where there is no disk.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trust {
    /// Whether the storage is gone with the power.
    volatile: bool,
    given: bool,
    /// What was called safe so; 0 unless that trust is given.
    below: u64,
}

impl Trust {
    /// Whether the storage is gone with the power.
    pub(super) fn is_volatile(&self) -> bool {
        self.volatile
    }

    /// Says whether the storage is gone with the power.
    pub(super) fn set_volatile(&mut self, volatile: bool) {
        self.volatile = volatile;
    }
}

impl Ring {
    /// Every record with a number below this one is safe: on disk, or settled by all that want it.
    /// Never goes back.
    #[must_use]
    pub fn safe(&self) -> Seq {
        if self.trust.volatile && !self.trust.given {
            return self.settled();
        }
        let open = |entry: &&QueueEntry| self.table.unsettled(entry.mask, entry.seq) != 0;
        let first = self.queue.entries().find(open);
        // Records behind the first that is open may be settled; but one number has to say it all.
        let written = first.map_or(self.progress.next_seq(), |entry| entry.seq);
        Seq(written.max(self.trust.below))
    }

    /// The number that the next record gets: all that came is below.
    #[must_use]
    pub fn end(&self) -> Seq {
        Seq(self.progress.next_seq())
    }

    /// Calls safe what is in memory, too, while there is no disk that could keep it: a power cut
    /// then loses what was acknowledged.
    pub fn trust_memory(&mut self) {
        self.trust.given = true;
        self.trust_if_degraded();
    }

    pub(super) fn trust_if_degraded(&mut self) {
        if self.trust.given && self.health.is_degraded() {
            self.trust.below = self.progress.next_seq();
        }
    }

    /// Every record with a number below this one is settled by all.
    fn settled(&self) -> Seq {
        let waiting = self
            .table
            .attached()
            .filter(|(id, _)| self.backlog(*id) > 0);
        Seq(waiting
            .map(|(_, stream)| stream.settled().seq)
            .min()
            .unwrap_or(self.progress.next_seq()))
    }
}
