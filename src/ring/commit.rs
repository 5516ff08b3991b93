//! Commits: what waits becomes bytes in the active segment, and cursors become a slot. A commit is
//! begun, run on the storage, and ended; between the first and the last the ring goes on taking,
//! lending and settling.
//!
//! A commit that failed is never repeated where it was: the kernel may have marked its pages
//! clean without writing them. Its records go to the next segment under the same numbers.

use super::Full;
use super::IoError;
use super::Ring;
use super::Storage;
use super::cursor::Cursor;
use super::cursor::Mark;
use super::format::Counts;
use super::slot::Slot;
use super::volume::Volume;
use crate::clock::Now;

/// Bytes to be written and synced as one. Owned: the ring may change meanwhile.
#[derive(Debug, Default)]
#[must_use = "a commit that was begun has to be run and ended"]
pub struct Commit {
    writes: Vec<Write>,
}

#[derive(Debug)]
struct Write {
    offset: u64,
    bytes: Vec<u8>,
}

impl Commit {
    /// Writes and syncs.
    ///
    /// # Errors
    /// The first thing that failed; [`IoError::Gone`] also when all was written, and to a file that
    /// nobody will find.
    pub fn run(&self, storage: &mut dyn Storage) -> Result<(), IoError> {
        storage.check()?;
        for write in &self.writes {
            storage.write(write.offset, &write.bytes)?;
        }
        storage.sync()?;
        storage.check()
    }

    fn add(&mut self, offset: u64, bytes: Vec<u8>) {
        self.writes.push(Write { offset, bytes });
    }

    fn len(&self) -> u64 {
        self.writes
            .iter()
            .map(|write| write.bytes.len() as u64)
            .sum()
    }
}

/// What becomes true when the commit under way succeeds.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    /// Records at the front of the queue.
    taken: usize,
    /// Whether it writes to the active segment.
    data: bool,
    /// Whether it opened that segment.
    opened: bool,
    /// Whether that gave up another one.
    evicted: bool,
    slot: Option<SavedSlot>,
    len: u64,
}

#[derive(Debug)]
struct SavedSlot {
    reserved: u64,
    ords: Counts,
}

/// Whether a slot says that all is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Running,
    Clean,
}

impl Ring {
    /// Writes all that waits and syncs. After it returned an error the records still wait (in
    /// memory, safe nowhere) and `next_commit` says when to try again.
    ///
    /// # Errors
    /// When the storage failed three times in a row, or is read-only.
    pub fn commit(&mut self, now: Now) -> Result<(), IoError> {
        while let Some(commit) = self.begin_commit(now) {
            let result = commit.run(&mut *self.volume.storage);
            self.end_commit(result, now)?;
        }
        Ok(())
    }

    /// Begins a commit of what waits, as much of it as goes into one segment; none if there is
    /// nothing to do. Precondition: the one before was ended.
    pub fn begin_commit(&mut self, now: Now) -> Option<Commit> {
        if !self.copying {
            self.note_date(now);
        }
        let mut commit = Commit::default();
        let mut under_way = UnderWay::default();
        let mut save = self.health.probes(now) || self.slot_due(now);
        // A storage that failed is asked with a slot alone: it lies at a fixed place, and costs no
        // segment if that fails, too.
        if !self.health.is_degraded() {
            save |= self.take_records(&mut commit, &mut under_way, now) == Taken::SaveFirst;
            save |= under_way.data && self.slot_rides(now);
        }
        // With the oldest segment its records go. A slot in the same sync could be on disk without
        // what makes it true, so it waits for the next commit.
        if save && !under_way.evicted {
            under_way.slot = Some(self.add_slot(&mut commit, Stop::Running));
        }
        self.launch(commit, under_way)
    }

    /// Ends the commit that was begun last with what its run returned.
    ///
    /// # Errors
    /// The given one, if there is no use in beginning the next commit at once.
    pub fn end_commit(&mut self, result: Result<(), IoError>, now: Now) -> Result<(), IoError> {
        let Some(under_way) = self.under_way.take() else {
            return Ok(());
        };
        match result {
            Ok(()) => {
                self.succeeded(&under_way);
                Ok(())
            }
            Err(error) => {
                self.failed(&under_way);
                self.health.failed(error, now);
                self.trust_if_degraded();
                match self.health.is_degraded() {
                    true => Err(error),
                    false => Ok(()),
                }
            }
        }
    }

    /// Writes cursors and the exact next number; a clean stop.
    ///
    /// # Errors
    /// When that could not be written.
    pub fn close(&mut self, now: Now) -> Result<(), IoError> {
        self.commit(now)?;
        self.save(Stop::Clean, now)
    }

    /// Writes a slot now.
    pub(super) fn save(&mut self, stop: Stop, now: Now) -> Result<(), IoError> {
        let mut commit = Commit::default();
        let slot = Some(self.add_slot(&mut commit, stop));
        let Some(commit) = self.launch(
            commit,
            UnderWay {
                slot,
                ..UnderWay::default()
            },
        ) else {
            return Ok(());
        };
        let result = commit.run(&mut *self.volume.storage);
        self.end_commit(result, now)?;
        result
    }

    fn launch(&mut self, commit: Commit, mut under_way: UnderWay) -> Option<Commit> {
        assert!(self.under_way.is_none(), "one commit at a time");
        under_way.len = commit.len();
        if commit.writes.is_empty() {
            return None;
        }
        self.under_way = Some(under_way);
        Some(commit)
    }

    fn succeeded(&mut self, under_way: &UnderWay) {
        self.stats.bytes_written += under_way.len;
        self.stats.syncs += 1;
        // Only now: what was taken could be lent from memory all the time, and a commit that fails
        // takes the same records again.
        for _ in 0..under_way.taken {
            if let Some(entry) = self.queue.pop() {
                self.progress.confirm(entry.mask);
                self.rooms.take_back(entry.body);
            }
        }
        if under_way.data {
            self.segments.extend_newest(self.active.end);
        }
        if let Some(slot) = &under_way.slot {
            self.slots.note_saved(slot.reserved, slot.ords);
        }
        self.health.succeeded();
        self.release();
    }

    fn failed(&mut self, under_way: &UnderWay) {
        self.stats.failures += 1;
        // Nobody knows what of it is on disk, and the kernel may not say so a second time.
        if under_way.data {
            self.active.closed = true;
        }
        if under_way.opened {
            self.segments.take_back_newest();
        }
        self.volume.forget();
    }

    /// Takes what waits into the active segment, or into a segment behind it.
    fn take_records(&mut self, commit: &mut Commit, under_way: &mut UnderWay, now: Now) -> Taken {
        self.drop_settled();
        let Some(first) = self.queue.first() else {
            return Taken::All;
        };
        // The segment's own base is that of its first record: a mark is saved.
        let base = self.boots.base(first.received);
        let (seq, len) = (first.seq, self.frames_len(first));
        let mut offset = self.active.end;
        let mut bytes = Vec::new();
        if self.active.closed || !self.fits(len) || !self.reaches(seq) {
            match self.make_room(now) {
                Room::Yes => {}
                Room::Unread => return Taken::All,
                Room::GivesUp(oldest_end) => {
                    // The slot on disk may point into that segment: after a crash what a stream
                    // had settled there would count as dropped.
                    if self.cursors_behind(&oldest_end) {
                        return Taken::SaveFirst;
                    }
                    let dropped = self.give_up_oldest(&oldest_end);
                    self.pressure.gave_up(dropped, now.mono);
                    under_way.evicted = true;
                }
                // Nothing is due until a cursor moves: no busy loop on a full ring.
                Room::No => {
                    self.pressure.stick();
                    return Taken::All;
                }
            }
            under_way.opened = true;
            offset = 0;
            bytes = self.open_segment(seq, base);
        }
        under_way.data = true;
        under_way.taken = self.encode_records(&mut bytes);
        let at = self.volume.offset(self.active.generation, offset);
        commit.add(at, bytes);
        Taken::All
    }

    /// Lets go of what waits and was settled by all, wherever it stands.
    fn drop_settled(&mut self) {
        if self.copying {
            return;
        }
        let table = &self.table;
        let gone = self
            .queue
            .retain_waiting(|e| table.unsettled(e.mask, e.seq) != 0);
        self.stats.held += gone;
    }

    fn make_room(&mut self, now: Now) -> Room {
        if self.has_free_segment() {
            self.pressure.ease();
            return Room::Yes;
        }
        if self.pressure.waits_to_read(now.mono) {
            return Room::Unread;
        }
        let Ok(end) = self.oldest_end() else {
            self.pressure.read_failed(now.mono);
            return Room::Unread;
        };
        self.pressure.read_succeeded();
        match self.settings.full == Full::Refuse && self.loses(&end) {
            true => Room::No,
            false => Room::GivesUp(end),
        }
    }

    fn has_free_segment(&self) -> bool {
        let count = self.volume.geometry.segment_count;
        self.segments.has_place(self.active.generation + 1, count)
    }

    /// Whether somebody has not settled all of the oldest segment, before the end of which `end`
    /// were written.
    fn loses(&self, end: &Counts) -> bool {
        let next = self.segments.get(1);
        let next = next.map_or(self.durable(), |next| next.first_seq);
        let wants = |id, stream: &Cursor| stream.settled().ord < end.of(id);
        self.table
            .attached()
            .any(|(id, stream)| wants(id, stream) || stream.waits_for_older(next))
    }

    /// Whether the next segment can only be made in the place of what somebody has not settled.
    pub(super) fn is_full(&mut self) -> Result<bool, IoError> {
        if self.has_free_segment() {
            return Ok(false);
        }
        let end = self.oldest_end()?;
        Ok(self.loses(&end))
    }

    /// What was written for each stream before the end of the oldest segment.
    fn oldest_end(&mut self) -> Result<Counts, IoError> {
        let Some(second) = self.segments.get(1) else {
            return Ok(*self.progress.durable());
        };
        match self.counted_before(second.generation)? {
            Some(counts) => Ok(counts),
            // Damaged: what lies before is what is read, no more is known.
            None => self.count_oldest(),
        }
    }

    fn count_oldest(&mut self) -> Result<Counts, IoError> {
        let tail = *self.segments.tail();
        match self.span(0) {
            None => Ok(tail),
            Some(span) => Ok(tail.plus(&self.volume.count_written(&span)?)),
        }
    }

    /// Whether the slot on disk would have a stream lose what it has settled.
    fn cursors_behind(&self, end: &Counts) -> bool {
        let saved = &self.slots.ords;
        self.table.attached().any(|(id, stream)| {
            let now = stream.settled().ord.min(self.progress.durable().of(id));
            saved.of(id) < end.of(id) && saved.of(id) < now
        })
    }

    /// Gives up the oldest segment, before the end of which `end` were written. Says whether
    /// anybody had not read all of it.
    fn give_up_oldest(&mut self, end: &Counts) -> bool {
        let mut dropped = false;
        self.segments.give_up_oldest(end);
        self.volume.forget();
        let seq = self.segments.oldest_seq().unwrap_or(self.durable());
        for (id, stream) in self.table.attached_mut() {
            let ord = end.of(id);
            dropped |= stream.drop_before(Mark { seq, ord });
        }
        dropped
    }

    fn add_slot(&mut self, commit: &mut Commit, stop: Stop) -> SavedSlot {
        let clean = stop == Stop::Clean;
        self.boots.saved();
        let reserved = if clean {
            self.progress.next_seq()
        } else {
            self.progress.next_seq() + RESERVE
        };
        let durable = self.progress.durable();
        let streams = self.table.remember(self.durable(), durable);
        let slot = Slot {
            ring_id: self.volume.id,
            generation: self.slots.generation + 1,
            geometry: self.volume.geometry,
            reserved,
            clean,
            boot: self.boots.current,
            trusted_ms: self.boots.trusted_ms,
            overruled: self.boots.overruled,
            active: self.active.generation,
            asked: self.settings.size,
            boots: self.boots.known.clone(),
            streams,
        };
        commit.add(Volume::slot_offset(self.slots.target), slot.encode());
        let mut ords = Counts::default();
        for (id, stream) in self.table.attached() {
            ords.set(id, stream.settled().ord.min(durable.of(id)));
        }
        SavedSlot { reserved, ords }
    }
}

#[derive(PartialEq, Eq)]
enum Taken {
    All,
    /// Nothing: a slot has to be on disk before the oldest segment can be given up.
    SaveFirst,
}

#[expect(
    clippy::large_enum_variant,
    reason = "256 bytes on the stack, for one call"
)]
enum Room {
    Yes,
    /// The oldest segment has to go; before its end so many were written.
    GivesUp(Counts),
    /// Nobody knows: what has to be known cannot be read now.
    Unread,
    No,
}

/// Numbers that may be given away between two slots: one of 4 KiB for 500,000 records at least.
pub(super) const RESERVE: u64 = 1 << 20;
