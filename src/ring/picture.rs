//! What opening finds in a storage, before a ring is made of it. Reads nothing itself.

use super::StreamId;
use super::active::ActiveSegment;
use super::cursor::Mark;
use super::format::Counts;
use super::format::Geometry;
use super::format::STREAMS_MAX;
use super::hole::Damage;
use super::hole::Hole;
use super::segments::Segment;
use super::segments::SegmentSpan;
use super::slot::Slot;
use super::times::Boots;
use super::times::millis;
use crate::clock::EXPECTED;
use std::collections::VecDeque;

/// What a storage holds.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) ring_id: u64,
    pub(super) geometry: Geometry,
    /// The newest slot, if one is whole.
    pub(super) slot: Option<Slot>,
    /// Its place, 0 or 1.
    pub(super) slot_index: u64,
    /// Whether the other one is whole, too.
    pub(super) both_slots: bool,
    /// Those that hold records, oldest first.
    pub(super) segments: VecDeque<Segment>,
    /// How many of them had lost their headers.
    pub(super) inferred: u32,
    /// Whose the bits are, by the active segment's header.
    pub(super) owners: [u32; STREAMS_MAX],
    /// What was written for each stream before the oldest segment.
    pub(super) tail: Counts,
    /// What was written for each stream in all.
    pub(super) cum: Counts,
    /// For each stream that has its cursor in the active segment: what is behind the cursor there.
    pub(super) after_cursor: Counts,
    pub(super) active: ActiveSegment,
    /// One more than the largest number on disk.
    pub(super) end_seq: u64,
    /// Bytes of the active segment that are no sound record, before its end.
    pub(super) holes: Vec<Hole>,
    /// What the last commit wrote: its sync may have failed, or not have been.
    pub(super) last_commit: LastCommit,
    /// When the last record in the active segment was received; none if that date was not believed.
    pub(super) last_received_ms: Option<u64>,
    /// Bytes read.
    pub(super) read: u64,
}

/// Bytes of a segment that may be in the cache alone.
#[derive(Clone, Debug, Default)]
pub(super) struct LastCommit {
    /// Where they begin, from the start of the segment.
    pub(super) from: u32,
    pub(super) bytes: Vec<u8>,
}

impl LastCommit {
    /// Forgets what lies before this place: a later commit was written behind it.
    pub(super) fn forget_before(&mut self, offset: u32) {
        let gone = offset.saturating_sub(self.from) as usize;
        self.bytes.drain(..gone.min(self.bytes.len()));
        self.from = offset;
    }

    /// Appends a record; what is between is a hole, and zeros are as good.
    pub(super) fn add(&mut self, offset: u32, bytes: &[u8]) {
        if self.bytes.is_empty() {
            self.from = offset;
        }
        self.bytes
            .resize(offset.saturating_sub(self.from) as usize, 0);
        self.bytes.extend_from_slice(bytes);
    }
}

impl Picture {
    /// Nothing but what the slots say.
    pub(super) fn new(
        ring_id: u64,
        geometry: Geometry,
        slot: Option<Slot>,
        slot_index: u64,
        both_slots: bool,
    ) -> Self {
        Self {
            ring_id,
            geometry,
            slot,
            slot_index,
            both_slots,
            segments: VecDeque::new(),
            inferred: 0,
            owners: [0; STREAMS_MAX],
            tail: Counts::default(),
            cum: Counts::default(),
            after_cursor: Counts::default(),
            active: ActiveSegment {
                closed: true,
                ..ActiveSegment::default()
            },
            end_seq: 0,
            holes: Vec::new(),
            last_commit: LastCommit::default(),
            last_received_ms: None,
            read: 0,
        }
    }

    /// The segment at `index`, as far as it is on disk.
    pub(super) fn span(&self, index: usize) -> Option<SegmentSpan> {
        let next = self
            .segments
            .get(index + 1)
            .map_or(u64::MAX, |next| next.first_seq);
        Some(
            self.segments
                .get(index)?
                .span(self.geometry, self.ring_id, next),
        )
    }

    /// Before all records that are on disk.
    pub(super) fn oldest_mark(&self, id: StreamId) -> Mark {
        let oldest = self.segments.front();
        Mark {
            seq: oldest.map_or(self.end_seq, |oldest| oldest.first_seq),
            ord: self.tail.of(id),
        }
    }

    /// Whether what is at this place of the active segment was torn by a power cut.
    pub(super) fn is_torn(&self, offset: u32) -> bool {
        let torn = |hole: &Hole| hole.kind == Damage::Torn && hole.from == offset;
        self.holes.iter().any(torn)
    }

    /// Segments before this one may have been overwritten in part: by a commit that was to open
    /// the next segment in their place, and was cut before its header was there.
    pub(super) fn exposed_below(&self) -> u64 {
        let next = self.active.generation + LOST_AFTER_ACTIVE + 1;
        next.saturating_sub(u64::from(self.geometry.segment_count))
    }

    /// The last date by which ages counted: a slot says it, and records that came later, unless
    /// theirs was not expected by then; 0 if there was none.
    pub(super) fn remembered_ms(&self) -> u64 {
        let slot = self.slot.as_ref();
        let (said, overruled) = slot.map_or((0, 0), |slot| (slot.trusted_ms, slot.overruled));
        let expected = match said {
            0 => u64::MAX,
            said => said.saturating_add(millis(EXPECTED)),
        };
        let counts = |date: &u64| self.end_seq > overruled && *date <= expected;
        said.max(self.last_received_ms.filter(counts).unwrap_or(0))
    }

    /// What is known of boots, for the `current`th time that the ring is opened.
    pub(super) fn boots(&self, current: u32) -> Boots {
        Boots::remembered(current, self.slot.as_ref(), self.remembered_ms())
    }

    /// Slots that are whole.
    pub(super) fn sound_slots(&self) -> u8 {
        u8::from(self.slot.is_some()) + u8::from(self.both_slots)
    }

    /// Whether counts may be too small for what is there.
    pub(super) fn is_doubtful(&self) -> bool {
        let rotten = self.holes.iter().any(|hole| hole.kind == Damage::Rot);
        rotten || self.inferred > 0 || self.slot.is_none()
    }
}

/// Segments whose headers may be lost behind the last one: as many as a failing storage is
/// forgiven, and one.
pub(super) const LOST_AFTER_ACTIVE: u64 = 4;
