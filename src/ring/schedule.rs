//! When the ring has to write: the waits of records, cursors and failures. Writes nothing itself.

use super::AppendError;
use super::IoError;
use super::Ring;
use super::StreamSet;
use super::commit::RESERVE;
use super::format::BODY_MAX;
use super::format::Counts;
use super::record;
use super::slot::Slot;
use crate::clock::Now;
use std::time::Duration;

/// What the newest slot on disk says, and since when it is out of date.
#[derive(Debug, Default)]
pub(super) struct SlotSchedule {
    /// The newest on disk.
    pub(super) generation: u64,
    /// The place of the other one, which is written next.
    pub(super) target: u64,
    /// Numbers below may be given away.
    pub(super) reserved: u64,
    /// Where the cursors stood.
    pub(super) ords: Counts,
    /// A cursor passed a record that is on disk.
    cursors_dirty: Option<Duration>,
    /// How long it may be ahead of the slot: nothing at first, so that a gateway that crashes
    /// again and again gets on, then twice as long after each slot.
    window: Duration,
    /// Bytes lent from disk since the cursors were written.
    bytes_read: u64,
    /// Something else changed: counters.
    counters_dirty: Option<Duration>,
    /// Something was learned of the date.
    date_dirty: Option<Duration>,
}

impl SlotSchedule {
    /// Those of a ring that was opened.
    pub(super) fn remembered(slot: Option<&Slot>, index: u64) -> Self {
        let mut ords = Counts::default();
        let streams = slot.iter().flat_map(|slot| &slot.streams);
        for (ord, stream) in ords.0.iter_mut().zip(streams) {
            *ord = stream.as_ref().map_or(0, |stream| stream.cursor_ord);
        }
        let generation = slot.map_or(0, |slot| slot.generation);
        let target = if slot.is_some() { 1 - index } else { 0 };
        Self {
            generation,
            target,
            reserved: 0,
            ords,
            cursors_dirty: None,
            window: Duration::ZERO,
            bytes_read: 0,
            counters_dirty: None,
            date_dirty: None,
        }
    }

    /// A cursor passed a record that is on disk.
    pub(super) fn note_cursor_moved(&mut self, mono: Duration) {
        self.cursors_dirty.get_or_insert(mono);
    }

    /// So many bytes were lent from disk.
    pub(super) fn note_bytes_read(&mut self, len: usize) {
        self.bytes_read += len as u64;
    }

    /// A counter changed.
    pub(super) fn note_counter_changed(&mut self, mono: Duration) {
        self.counters_dirty.get_or_insert(mono);
    }

    /// Something was learned of the date.
    pub(super) fn note_date_learned(&mut self, mono: Duration) {
        self.date_dirty.get_or_insert(mono);
    }

    /// The one that was written last is on disk.
    pub(super) fn note_saved(&mut self, reserved: u64, ords: Counts) {
        self.generation += 1;
        self.target = 1 - self.target;
        self.reserved = reserved;
        self.ords = ords;
        // A gateway that stays up writes ever less often for its cursors alone.
        if self.cursors_dirty.take().is_some() {
            self.window = (self.window * 2).clamp(CURSOR_WINDOW_MIN, CURSOR_WINDOW);
        }
        self.bytes_read = 0;
        self.counters_dirty = None;
        self.date_dirty = None;
    }

    /// When a slot has to be written for its own sake.
    fn due(&self) -> Option<Duration> {
        let wait = if self.bytes_read < CURSOR_BYTES {
            self.window
        } else {
            Duration::ZERO
        };
        let cursors_dirty = self.cursors_dirty.map(|since| since + wait);
        let counters_dirty = self.counters_dirty.map(|since| since + COUNTER_WINDOW);
        earlier(self.date_dirty, earlier(cursors_dirty, counters_dirty))
    }
}

/// How the storage does.
#[derive(Debug, Default)]
pub(super) struct StorageHealth {
    /// Failures in a row.
    failures: u32,
    /// When it is tried again; while there is a time, nothing but a slot is written.
    retry_at: Option<Duration>,
    retry_after: Duration,
    /// The file is gone, and what is written to it is lost.
    gone: bool,
}

impl StorageHealth {
    /// Whether the ring has stopped to trust the storage.
    pub(super) fn is_degraded(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Whether the file is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// The file is found again: it is tried at once.
    fn found(&mut self, now: Now) {
        self.retry_at = Some(now.mono);
    }

    /// Whether it is time to ask it again.
    pub(super) fn probes(&self, now: Now) -> bool {
        self.retry_at.is_some_and(|at| at <= now.mono)
    }

    /// A commit was written and synced.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A commit failed.
    pub(super) fn failed(&mut self, error: IoError, now: Now) {
        self.failures += 1;
        self.gone |= error == IoError::Gone;
        if self.failures >= FAILURES_MAX || error.is_lasting() {
            self.retry_after = (self.retry_after * 2).clamp(RETRY_MIN, RETRY_MAX);
            self.retry_at = Some(now.mono + self.retry_after);
        }
    }
}

impl Ring {
    /// When [`Ring::commit`] is due; at once if in the past, never if none.
    #[must_use]
    pub fn next_commit(&self) -> Option<Duration> {
        // Whoever ends it asks again.
        if self.under_way.is_some() {
            return None;
        }
        // Records wait in memory: only the next probe of the storage is due.
        if self.health.is_degraded() {
            return self.health.retry_at;
        }
        let reserve = self.reserve_is_low().then_some(Duration::ZERO);
        earlier(earlier(reserve, self.slots.due()), self.records_due())
    }

    /// Whether what is sent is written first: [`Ring::read_to_send`] then finds more after each
    /// commit.
    #[must_use]
    pub fn writes_first(&self) -> bool {
        self.settings.hold.is_zero()
    }

    /// Whether the storage has failed: what needs it is not acknowledged, and it is tried again
    /// from time to time.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.health.is_degraded()
    }

    /// Whether the file was removed, replaced or cut short while it was in use: what is in it can
    /// be read as far as it is there, and nothing that is written to it stays.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.health.is_gone()
    }

    /// Whether it is in something that can go: then [`Ring::watch`] finds out.
    #[must_use]
    pub fn can_go(&self) -> bool {
        self.volume.storage.can_go()
    }

    /// Whether something waits for a stream.
    #[must_use]
    pub fn holds_some(&self) -> bool {
        let mut streams = StreamSet::ALL.streams();
        streams.any(|stream| self.backlog(stream) > 0)
    }

    /// Looks whether the file is still there, where there is one. For when nothing is written:
    /// a commit looks, too.
    ///
    /// # Errors
    /// When it is not: said once.
    pub fn watch(&mut self, now: Now) -> Result<(), IoError> {
        match self.volume.storage.check() {
            Ok(()) if self.is_gone() => self.health.found(now),
            Err(error) if !self.is_gone() => {
                self.health.failed(error, now);
                self.trust_if_degraded();
                return Err(error);
            }
            _ => {}
        }
        Ok(())
    }

    /// When what waits has to be written.
    fn records_due(&self) -> Option<Duration> {
        if self.pressure.is_stuck() {
            return None;
        }
        // A commit failed: its records are not held back any more, since they wait already longer
        // than they should.
        if self.queue.begun() > 0 {
            return self.after_unread(Duration::ZERO);
        }
        let away = self.table.unconnected();
        let (mut held, mut delayed) = (None, None);
        // Records come in the order in which they were received, so the first of each kind is due
        // first, and the rest need not be looked at.
        for entry in self.queue.waiting() {
            if held.is_some() && entry.mask & away == 0 {
                if self.queue.masks() & away == 0 {
                    break;
                }
                continue;
            }
            let since = entry.received.mono;
            match self.table.unsettled(entry.mask, entry.seq) {
                0 => {}
                wanted if wanted & away == 0 => held = held.or(Some(since + self.settings.hold)),
                _ => delayed = delayed.or(Some(since + self.settings.delay)),
            }
            if held.is_some() && delayed.is_some() {
                break;
            }
        }
        let due = match delayed {
            Some(_) => earlier(self.early(), earlier(held, delayed)),
            // All that waits is on its way: only its mass can hurry it, and not at once.
            None if self.is_heavy() => {
                let soon = self.heavy_since.unwrap_or_default() + MOMENT;
                held.map(|held| held.min(soon))
            }
            None => held,
        };
        self.after_unread(due?)
    }

    /// Not before it is worth trying again to read what making room needs.
    fn after_unread(&self, due: Duration) -> Option<Duration> {
        Some(due.max(self.pressure.reads_again().unwrap_or(due)))
    }

    /// Before its time: enough for a commit, or senders that wait for an answer.
    fn early(&self) -> Option<Duration> {
        if self.is_heavy() {
            return Some(Duration::ZERO);
        }
        let worth_it = self.queue.bytes() >= SILENCE_BYTES;
        worth_it.then_some(self.queue.last_push() + SILENCE)
    }

    fn is_heavy(&self) -> bool {
        self.queue.bytes() >= self.settings.bytes as usize
    }

    /// A record was taken at this time.
    pub(super) fn note_weight(&mut self, mono: Duration) {
        let since = self.heavy_since.unwrap_or(mono);
        self.heavy_since = self.is_heavy().then_some(since);
    }

    /// Whether senders had better wait a moment: as much waits as is written at once, and all of it
    /// is on its way. What is answered meanwhile is never written. It ends with the next commit or
    /// sooner.
    #[must_use]
    pub fn is_crowded(&self, now: Now) -> bool {
        let is_early = |since: Duration| now.mono < since + MOMENT;
        self.is_heavy()
            && self.heavy_since.is_some_and(is_early)
            && self.queue.begun() == 0
            && self.queue.masks() & self.table.unconnected() == 0
            && !self.health.is_degraded()
    }

    /// Whether a slot has to be written now.
    pub(super) fn slot_due(&self, now: Now) -> bool {
        let due = self.slots.due().is_some_and(|due| due <= now.mono);
        !self.health.is_degraded() && (due || self.reserve_is_low())
    }

    /// Whether a slot goes along with a commit.
    pub(super) fn slot_rides(&self, now: Now) -> bool {
        self.slots
            .cursors_dirty
            .is_some_and(|since| since + self.slots.window / 2 <= now.mono)
    }

    fn reserve_is_low(&self) -> bool {
        let left = self.slots.reserved.saturating_sub(self.progress.next_seq());
        left < RESERVE / 4
    }

    /// Whether one more record of `len` bytes can be kept in memory.
    pub(super) fn check_room(&mut self, len: usize) -> Result<(), AppendError> {
        if self.health.is_degraded() {
            return self.check_memory(len);
        }
        // After a power cut numbers go on behind the reservation: none beyond may be shown before
        // a commit has reserved more.
        if self.progress.next_seq() >= self.slots.reserved {
            return Err(AppendError::Busy);
        }
        // Two of them: one is filled while the other is on its way to the disk.
        let buffer = record::frame_len(BODY_MAX).max(self.settings.bytes as usize);
        match self.queue.bytes() + len <= 2 * buffer {
            true => Ok(()),
            false if !self.pressure.lets_write() => Err(AppendError::Full),
            false => Err(AppendError::Busy),
        }
    }
}

impl Ring {
    /// While the storage fails records stay in memory, up to a bound: their senders are not
    /// answered, so what does not fit is refused rather than something older lost.
    fn check_memory(&mut self, len: usize) -> Result<(), AppendError> {
        if self.queue.bytes() + len > DEGRADED_BYTES {
            return Err(AppendError::Full);
        }
        // No slot can reserve more now. So far away no other opening will ever count from the
        // reservation that is on disk.
        if self.progress.next_seq() >= self.slots.reserved {
            self.jump();
        }
        Ok(())
    }
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// After a crash a stream repeats at most what it settled in this time, and what was unsettled.
const CURSOR_WINDOW: Duration = Duration::from_secs(5);
/// … or this much, if that comes first.
const CURSOR_BYTES: u64 = 4 * 1024 * 1024;
/// That time after the first slot of a boot.
const CURSOR_WINDOW_MIN: Duration = Duration::from_millis(100);
/// Counters of what never touched the disk lag by as much after a crash.
const COUNTER_WINDOW: Duration = Duration::from_secs(6 * 3600);
/// What is on its way has so long to get there before it is written for its mass alone.
const MOMENT: Duration = Duration::from_millis(20);
/// With this much waiting a commit is worth the wear before its time …
const SILENCE_BYTES: usize = 4096;
/// … if all senders have been silent for as long: they wait for an answer.
const SILENCE: Duration = Duration::from_millis(50);
/// Failures in a row that a storage is forgiven; each costs a segment.
const FAILURES_MAX: u32 = 3;
/// Bytes of records kept in memory while the storage fails.
const DEGRADED_BYTES: usize = 1024 * 1024;
const RETRY_MIN: Duration = Duration::from_secs(60);
const RETRY_MAX: Duration = Duration::from_secs(3600);
