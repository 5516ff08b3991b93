//! Opening: from what a storage holds to a ring that can be written to. Numbers are reserved and
//! holes covered before anything is lent or taken.

use super::IoError;
use super::Ring;
use super::Settings;
use super::Stats;
use super::Storage;
use super::active::ActiveSegment;
use super::commit::RESERVE;
use super::commit::Stop;
use super::doubts::Doubts;
use super::format::Counts;
use super::format::Geometry;
use super::format::STREAMS_MAX;
use super::format::low;
use super::format::seed;
use super::hole::Damage;
use super::hole::Hole;
use super::picture::LastCommit;
use super::picture::Picture;
use super::pressure::Pressure;
use super::progress::Progress;
use super::queue::RecordQueue;
use super::record::HEADER_LEN;
use super::record::RecordHeader;
use super::record::RecordKind;
use super::record_iter::len_u32;
use super::recover::RecoverError;
use super::recover::recover;
use super::safe::Trust;
use super::schedule::SlotSchedule;
use super::schedule::StorageHealth;
use super::segments::Segments;
use super::shared_body::Rooms;
use super::slot::Slot;
use super::table::Table;
use super::times::Boots;
use super::volume::Volume;
use crate::clock::Now;
use std::collections::VecDeque;

/// Why a storage was not opened. Nothing was written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process has it.
    Locked,
    /// It was written by a later version of weir.
    Newer,
    /// It is no ring, or a part of one.
    Foreign,
    /// Too small for a ring.
    TooSmall,
    /// There is a file where a new one is to be made.
    Exists,
    /// What is in it could not be read, and so many reads failed: nobody knows what it is.
    Unreadable {
        /// How many.
        failures: u64,
    },
    /// It could not be opened or written.
    Io(IoError),
}

/// What opening found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The ring is new.
    pub created: bool,
    /// It was closed before it was opened.
    pub clean: bool,
    /// Slots that were whole, of 2.
    pub slots: u8,
    /// Holes of the last power cut: nothing in them was acknowledged.
    pub torn: u32,
    /// Holes that the medium made in the last segment; those in others are found when read.
    pub rotten: u32,
    /// Segments that had lost their headers and were found by their records.
    pub inferred: u32,
    /// Bytes read.
    pub read: u64,
    /// Where the ring is.
    pub place: RingPlace,
    /// A ring of a later version was set aside.
    pub newer_set_aside: bool,
    /// It was copied into a file of another size.
    pub resized: bool,
    /// It was to be, and could not be: it is as large as it was.
    pub not_resized: Option<OpenError>,
    /// It can be read and not written, because of this: until that is over, what comes is in
    /// memory.
    pub not_written: Option<IoError>,
}

/// Where a ring is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RingPlace {
    /// On the storage that was given, or in the file that was named.
    #[default]
    File,
    /// In the file that was named, which lies in memory: nothing in it outlives the power.
    VolatileFile,
    /// In memory, because of this.
    Memory(OpenError),
}

/// What has to be written before a ring that was opened is used.
#[derive(Debug, Default)]
pub(super) struct Mending {
    /// The newest slot, in case the medium does not have it.
    slot: Option<Vec<u8>>,
    /// The same of what the last commit wrote.
    last_commit: LastCommit,
    /// What is damaged in the active segment.
    holes: Vec<Hole>,
}

impl Ring {
    /// Opens the ring of a storage, or makes one of a storage that is all zeros. `random` names a
    /// new ring, and keeps numbers apart where a reservation was lost.
    ///
    /// A storage that can be read and not written is opened, too: degraded.
    ///
    /// # Errors
    /// When there is no ring in it and none may be made.
    pub fn open(
        mut storage: Box<dyn Storage>,
        settings: Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        // A disk that fails this one is not to be trusted with a write.
        let synced = storage.sync();
        let ((mut ring, mending), mut report) = match recover(&mut *storage) {
            Ok(picture) => {
                let report = Report::of(&picture);
                (Self::revive(storage, settings, picture, random), report)
            }
            Err(RecoverError::Blank) => {
                let ring = Self::begin(storage, settings, random, random)?;
                let report = Report {
                    created: true,
                    slots: 2,
                    ..Report::default()
                };
                ((ring, Mending::default()), report)
            }
            Err(RecoverError::Newer) => return Err(OpenError::Newer),
            Err(RecoverError::Foreign) if Geometry::of(storage.len()).is_none() => {
                return Err(OpenError::TooSmall);
            }
            Err(RecoverError::Foreign) => return Err(OpenError::Foreign),
            Err(RecoverError::Unreadable) => {
                let failures = storage.read_failures();
                return Err(OpenError::Unreadable { failures });
            }
        };
        report.clean &= synced.is_ok();
        // The clock does not know yet what the ring remembers.
        let now = now.expected_after(ring.last_trusted());
        ring.boots.note(now, ring.progress.next_seq());
        match synced.and_then(|()| ring.settle_in(mending, report.slots, now)) {
            Ok(()) => {}
            // Half a new ring is no ring.
            Err(error) if report.created => return Err(OpenError::Io(error)),
            // With a disk that takes nothing, what is on it and what comes is still delivered.
            Err(error) => {
                report.not_written = Some(error);
                ring.stats.failures = ring.stats.failures.max(1);
                // No number that is given away from here on can be reserved.
                ring.jump();
                ring.active.closed = true;
                ring.health.failed(IoError::ReadOnly, now);
            }
        }
        Ok((ring, report))
    }

    /// Counts what went wrong when it was to be in its file, and was not.
    pub fn note_failure(&mut self, error: OpenError) {
        match error {
            OpenError::Unreadable { failures } => self.stats.read_failures += failures,
            OpenError::Io(_) => self.stats.failures += 1,
            _ => {}
        }
    }

    /// A ring with this id on a blank storage.
    pub(super) fn begin(
        storage: Box<dyn Storage>,
        settings: Settings,
        id: u64,
        random: u64,
    ) -> Result<Self, OpenError> {
        let geometry = Geometry::of(storage.len()).ok_or(OpenError::TooSmall)?;
        let mut ring = Self::empty(Volume::new(storage, geometry, id), settings);
        ring.progress = Progress::new(1, Counts::default(), random);
        Ok(ring)
    }

    fn empty(volume: Volume, settings: Settings) -> Self {
        // There are never more, and 24 bytes each are not to be twice as much by growing.
        let segments = VecDeque::with_capacity(volume.geometry.segment_count as usize);
        Self {
            volume,
            settings,
            boots: Boots::first(),
            table: Table::remembered(None, &[0; STREAMS_MAX]),
            queue: RecordQueue::default(),
            rooms: Rooms::default(),
            segments: Segments::new(segments, Counts::default()),
            active: ActiveSegment {
                closed: true,
                ..ActiveSegment::default()
            },
            progress: Progress::new(0, Counts::default(), 0),
            doubts: Doubts::default(),
            slots: SlotSchedule::default(),
            under_way: None,
            health: StorageHealth::default(),
            pressure: Pressure::default(),
            heavy_since: None,
            trust: Trust::default(),
            copying: false,
            stats: Stats::default(),
        }
    }

    /// A ring as it was found, and what of it has to be mended before it is used.
    fn revive(
        storage: Box<dyn Storage>,
        settings: Settings,
        picture: Picture,
        random: u64,
    ) -> (Self, Mending) {
        let slot = picture.slot.as_ref();
        let volume = Volume::new(storage, picture.geometry, picture.ring_id);
        let mut ring = Self {
            boots: picture.boots(next_boot(&picture)),
            table: Table::remembered(slot, &picture.owners),
            slots: SlotSchedule::remembered(slot, picture.slot_index),
            progress: Progress::new(picture.end_seq.max(1), picture.cum, random),
            ..Self::empty(volume, settings)
        };
        ring.number(slot.map(|slot| slot.reserved), picture.both_slots);
        ring.place_streams(&picture);
        let counts_below = match picture.is_doubtful() {
            true => ring.progress.next_seq(),
            false => 0,
        };
        ring.doubts = Doubts::new(counts_below, picture.exposed_below());
        let mending = Mending {
            slot: slot.map(Slot::encode),
            last_commit: picture.last_commit,
            holes: picture.holes,
        };
        ring.segments = Segments::new(picture.segments, picture.tail);
        ring.active = picture.active;
        (ring, mending)
    }

    /// Finds the next number: none that was ever given away.
    pub(super) fn number(&mut self, reserved: Option<u64>, both_slots: bool) {
        // A record below the place where a stream stands, or was attached, would not be its own.
        let places = self
            .table
            .attached()
            .map(|(_, stream)| stream.settled().seq.max(stream.attach_seq()))
            .max();
        // Up to there numbers may have been shown that never reached the disk.
        let behind = reserved.unwrap_or(0);
        self.progress.skip_to(places.unwrap_or(0).max(behind));
        match reserved {
            // No slot is left, so nobody knows what was reserved.
            None => self.jump(),
            // The slot that was lost may have been the newer one: its reservation went further
            // by one step.
            Some(_) if !both_slots => {
                let next_seq = self.progress.next_seq();
                self.progress.skip_to(next_seq + RESERVE);
            }
            Some(_) => {}
        }
        self.progress.begin_at(self.progress.next_seq());
    }

    /// Goes on with a number so far away that no other opening comes near it.
    pub(super) fn jump(&mut self) {
        self.progress.jump(self.queue.is_empty());
        self.slots.reserved = self.progress.next_seq().saturating_add(RESERVE);
    }

    /// Puts each stream where its cursor was, and counts what became of its records since.
    fn place_streams(&mut self, picture: &Picture) {
        let mut written = *self.progress.durable();
        for (id, stream) in self.table.attached_mut() {
            let settled = stream.settled();
            let counted = settled.ord + picture.after_cursor.of(id);
            written.set(id, written.of(id).max(counted));
            let rotten = |hole: &&Hole| {
                hole.kind == Damage::Rot && hole.mask == 0 && hole.before >= settled.seq
            };
            // What was in them is not known: at most one record for each stream is what is said.
            let corrupt = picture.holes.iter().filter(rotten).count();
            stream.tally.corrupt += corrupt as u64;
            stream.drop_before(picture.oldest_mark(id));
        }
        self.progress.begin_with(written);
    }

    /// Makes durable what was read, covers holes and reserves numbers; both slots are written
    /// where one was lost.
    pub(super) fn settle_in(
        &mut self,
        mending: Mending,
        slots: u8,
        now: Now,
    ) -> Result<(), IoError> {
        if self.slots.generation > 0 {
            self.write_again(&mending)?;
        }
        self.cover_holes(&mending.holes)?;
        self.volume.storage.sync()?;
        for _ in slots..2 {
            self.save(Stop::Running, now)?;
        }
        // A new ring: both slots are to be there before the first record.
        if self.slots.generation == 0 {
            self.save(Stop::Running, now)?;
        }
        self.save(Stop::Running, now)
    }

    /// Writes what the last commit wrote once more, as it was read. A sync before reading is not
    /// enough: one that failed in an earlier process left in the cache what never reached the
    /// medium, and marked it clean.
    fn write_again(&mut self, mending: &Mending) -> Result<(), IoError> {
        if let Some(slot) = &mending.slot {
            let at = Volume::slot_offset(1 - self.slots.target);
            self.volume.storage.write(at, slot)?;
        }
        let last = &mending.last_commit;
        let at = self.volume.offset(self.active.generation, last.from);
        match last.bytes.is_empty() {
            true => Ok(()),
            false => self.volume.storage.write(at, &last.bytes),
        }
    }

    /// Writes pads over torn holes of the active segment, so that they never look like rot later.
    fn cover_holes(&mut self, holes: &[Hole]) -> Result<(), IoError> {
        let first_seq = self.segments.newest().map_or(0, |head| head.first_seq);
        let seed = seed(self.volume.id, self.active.generation, first_seq);
        for hole in holes.iter().filter(|hole| hole.kind == Damage::Torn) {
            let mut from = hole.from;
            while from < hole.to {
                let (bytes, len) = pad(seed, hole, from, self.active.commit);
                let at = self.volume.offset(self.active.generation, from);
                self.volume.storage.write(at, &bytes)?;
                from += len;
            }
        }
        Ok(())
    }
}

/// The header of a pad at `from`, and how much of the hole it covers.
fn pad(seed: u32, hole: &Hole, from: u32, commit: u8) -> (Vec<u8>, u32) {
    let header_len = len_u32(HEADER_LEN);
    let left = hole.to - from;
    let len = match left <= PAD_MAX {
        true => left,
        // What is left over has room for a header, too.
        false => PAD_MAX - header_len,
    };
    let header = RecordHeader {
        body_checksum: 0,
        len: u16::try_from(len.saturating_sub(header_len)).unwrap_or(0),
        kind: RecordKind::Pad,
        mark: 0,
        commit,
        seq_low: low(hole.before),
        mask: 0,
        elapsed_ms: 0,
    };
    (header.encode(seed).to_vec(), len.max(header_len))
}

/// A number for this boot that no record on disk has.
pub(super) fn next_boot(picture: &Picture) -> u32 {
    let known = picture.slot.as_ref().map_or(0, |slot| slot.boot);
    let step = if picture.both_slots { 1 } else { BOOTS_LOST };
    known.max(picture.active.base.boot).saturating_add(step)
}

impl Report {
    /// Whether nothing about it needs somebody's attention.
    #[must_use]
    pub fn is_as_wished(&self) -> bool {
        let whole = !self.newer_set_aside && self.not_resized.is_none();
        whole && self.not_written.is_none()
    }

    pub(super) fn of(picture: &Picture) -> Self {
        let count = |kind| {
            picture
                .holes
                .iter()
                .filter(|hole| hole.kind == kind)
                .count()
        };
        Self {
            created: false,
            clean: picture.slot.as_ref().is_some_and(|slot| slot.clean),
            slots: picture.sound_slots(),
            torn: len_u32(count(Damage::Torn)),
            rotten: len_u32(count(Damage::Rot)),
            inferred: picture.inferred,
            read: picture.read,
            ..Self::default()
        }
    }
}

/// Boots that a lost slot may have counted, generously.
const BOOTS_LOST: u32 = 1000;

/// What one pad covers at most: a multiple of 4.
const PAD_MAX: u32 = 32 * 1024;
