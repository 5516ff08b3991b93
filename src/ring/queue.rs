//! What is in memory: records that a commit has taken and the disk has not confirmed, and behind
//! them those that still wait. Bounded by its user; knows no disk.

use super::SharedBody;
use super::record::ALIGN;
use super::record::frame_len;
use crate::clock::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// Records in the order of their numbers, which rise. The first `begun` are those of the commit
/// under way, or of one that failed and is to be written again.
#[derive(Debug, Default)]
pub(super) struct RecordQueue {
    entries: VecDeque<QueueEntry>,
    /// How many at the front a commit has taken: their masks stay as they are.
    begun: usize,
    /// Of all bodies.
    bytes: usize,
    /// Of all entries, and of some that are gone.
    masks: u32,
    /// When the last one was added, on the clock that never goes back.
    last_push: Duration,
}

/// A record in memory.
#[derive(Debug)]
pub(super) struct QueueEntry {
    pub(super) seq: u64,
    /// The streams that wanted it; once a commit has taken it, those that it is written for.
    pub(super) mask: u32,
    /// When it was received.
    pub(super) received: Now,
    /// Shared with those who have read it and not settled.
    pub(super) body: SharedBody,
}

impl RecordQueue {
    /// Adds one that waits. Precondition: its number is larger than that of the last.
    pub(super) fn push(&mut self, entry: QueueEntry, mono: Duration) {
        self.last_push = mono;
        let before = if self.is_empty() { 0 } else { self.masks };
        self.masks = before | entry.mask;
        self.bytes += entry.body.len();
        self.entries.push_back(entry);
    }

    /// Removes the first.
    pub(super) fn pop(&mut self) -> Option<QueueEntry> {
        let entry = self.entries.pop_front()?;
        self.begun = self.begun.saturating_sub(1);
        self.bytes -= entry.body.len();
        Some(entry)
    }

    /// Lets go of those that wait and are not to be kept; says how many that were.
    pub(super) fn retain_waiting(&mut self, keep: impl Fn(&QueueEntry) -> bool) -> u64 {
        let (mut index, begun, before) = (0, self.begun, self.entries.len());
        let mut bytes = self.bytes;
        self.entries.retain(|entry| {
            index += 1;
            let kept = index <= begun || keep(entry);
            bytes -= if kept { 0 } else { entry.body.len() };
            kept
        });
        self.bytes = bytes;
        (before - self.entries.len()) as u64
    }

    /// Takes the bit of a stream from those that wait and are numbered below `seq`.
    pub(super) fn forget(&mut self, bit: u32, seq: u64) {
        let waiting = self.entries.iter_mut().skip(self.begun);
        for entry in waiting.take_while(|entry| entry.seq < seq) {
            entry.mask &= !bit;
        }
    }

    /// The streams that may be in the mask of one.
    pub(super) fn masks(&self) -> u32 {
        self.masks
    }

    /// The first.
    pub(super) fn first(&self) -> Option<&QueueEntry> {
        self.entries.front()
    }

    /// That at `index`.
    pub(super) fn entry(&self, index: usize) -> Option<&QueueEntry> {
        self.entries.get(index)
    }

    /// A commit takes the one at `index`, the first that waits, for the streams of `mask`.
    pub(super) fn begin(&mut self, index: usize, mask: u32) {
        debug_assert_eq!(index, self.begun, "commits take records in order");
        if let Some(entry) = self.entries.get_mut(index) {
            entry.mask = mask;
            self.begun += 1;
        }
    }

    /// How many a commit has taken.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// The first one numbered `seq` or later that has `bit`, or is older than `attached`.
    pub(super) fn find_wanted(&self, seq: u64, bit: u32, attached: u64) -> Option<usize> {
        let from = self.index_of(seq);
        let wanted = self
            .entries
            .range(from..)
            .position(|entry| entry.mask & bit != 0 || entry.seq < attached);
        wanted.map(|index| from + index)
    }

    /// How many are numbered below `seq`.
    fn index_of(&self, seq: u64) -> usize {
        // where none between them is gone their numbers say it
        let first = self.entries.front().map_or(seq, |first| first.seq);
        let near = usize::try_from(seq.saturating_sub(first)).unwrap_or(usize::MAX);
        match self.entries.get(near) {
            Some(entry) if entry.seq == seq => near,
            _ => self.entries.partition_point(|entry| entry.seq < seq),
        }
    }

    /// All, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &QueueEntry> {
        self.entries.iter()
    }

    /// Those that no commit has taken.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &QueueEntry> {
        self.entries.range(self.begun.min(self.entries.len())..)
    }

    /// Whether there is nothing in memory.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// When the last one was added.
    pub(super) fn last_push(&self) -> Duration {
        self.last_push
    }

    /// Bytes of all as records, at most, without the marks between them.
    pub(super) fn frames_len_max(&self) -> usize {
        self.bytes + self.entries.len() * frame_len(ALIGN)
    }

    /// Bytes of all bodies.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
impl RecordQueue {
    /// Panics where one of them does not hold.
    pub(super) fn check_invariants(&self) {
        assert!(self.begun <= self.entries.len(), "{self:?}");
        let bytes: usize = self.entries.iter().map(|entry| entry.body.len()).sum();
        assert_eq!(self.bytes, bytes);
        assert!(self.entries.iter().is_sorted_by(|a, b| a.seq < b.seq));
        assert!(self.entries.iter().all(|it| it.mask & !self.masks == 0));
        for seq in self.entries.iter().flat_map(|it| [it.seq, it.seq + 1]) {
            let index = self.entries.partition_point(|entry| entry.seq < seq);
            assert_eq!(self.index_of(seq), index, "{self:?}");
        }
    }
}
