//! The active segment: what waits becomes records at its end. Decides nothing about when, and
//! writes nothing.

use super::Ring;
use super::format::low;
use super::format::seed;
use super::queue::QueueEntry;
use super::record;
use super::record::BASE_LEN;
use super::record::HEADER_LEN;
use super::record::MARKS;
use super::record::RecordHeader;
use super::record::RecordKind;
use super::record::TimeBase;
use super::record_iter::SEQ_REACH;
use super::record_iter::len_u32;
use super::segment;
use super::segments::Segment;
use super::times::elapsed;

/// The segment that is written to.
#[derive(Debug, Default)]
pub(super) struct ActiveSegment {
    /// The last one that was opened, be it alive or not.
    pub(super) generation: u64,
    /// Where the next record goes.
    pub(super) end: u32,
    /// What times count from there.
    pub(super) base: TimeBase,
    pub(super) mark: u8,
    /// Nothing more is written to it.
    pub(super) closed: bool,
    /// The number of the next commit, as its records say it.
    pub(super) commit: u8,
}

impl Ring {
    /// Appends to `bytes` what of the queue goes into the active segment; says how many records
    /// those are.
    pub(super) fn encode_records(&mut self, bytes: &mut Vec<u8>) -> usize {
        let number = self.active.commit;
        self.active.commit = number.wrapping_add(1);
        // at once: a buffer that grows is copied, and ends twice as long as it has to be
        bytes.reserve_exact(self.queue.frames_len_max().min(self.room_left()));
        let mut taken = 0;
        while let Some(entry) = self.queue.entry(taken) {
            let len = self.frames_len(entry);
            if !self.fits(len) || !self.reaches(entry.seq) {
                break;
            }
            let seq = entry.seq;
            // What an earlier commit took and could not write has its mask already: its records may
            // be on disk with it, and the ordinals count them.
            if taken >= self.queue.begun() {
                let unsettled = self.table.unsettled(entry.mask, seq);
                let mask = unsettled | entry.mask & self.table.orphaned();
                self.fix_mask(taken, seq, mask);
            }
            self.encode_record(taken, number, bytes);
            self.active.end += len_u32(len);
            taken += 1;
        }
        taken
    }

    /// From here on a record is written for the streams of `mask`.
    fn fix_mask(&mut self, index: usize, seq: u64, mask: u32) {
        self.queue.begin(index, mask);
        self.progress.begin(seq, mask);
        self.stats.written += 1;
        self.table.taken(mask, seq);
    }

    fn encode_record(&mut self, index: usize, commit: u8, bytes: &mut Vec<u8>) {
        let Some(entry) = self.queue.entry(index) else {
            return;
        };
        let first_seq = self.segments.newest().map_or(0, |head| head.first_seq);
        let seed = seed(self.volume.id, self.active.generation, first_seq);
        let received = self.boots.base(entry.received);
        let mut header = RecordHeader {
            body_checksum: 0,
            len: 0,
            kind: RecordKind::Data,
            mark: self.active.mark,
            commit,
            seq_low: low(entry.seq),
            mask: entry.mask,
            elapsed_ms: 0,
        };
        match elapsed(&self.active.base, &received) {
            Some(elapsed_ms) => header.elapsed_ms = elapsed_ms,
            // Another boot, another date, or too late for 32 bits: a mark says the base anew, and
            // its number tells those who missed it that they did.
            None => {
                self.active.base = received;
                self.active.mark = (self.active.mark + 1) % MARKS;
                header.mark = self.active.mark;
                let mark = RecordHeader {
                    kind: RecordKind::Mark,
                    mask: 0,
                    ..header
                };
                mark.write(seed, &received.encode(), bytes);
            }
        }
        header.write(seed, &entry.body, bytes);
    }

    /// Bytes of a record, and of the mark before it if it needs one.
    pub(super) fn frames_len(&self, entry: &QueueEntry) -> usize {
        let marked = elapsed(&self.active.base, &self.boots.base(entry.received)).is_none();
        let mark = if marked { HEADER_LEN + BASE_LEN } else { 0 };
        mark + record::frame_len(entry.body.len())
    }

    /// Whether so many bytes go into the active segment.
    pub(super) fn fits(&self, len: usize) -> bool {
        len <= self.room_left()
    }

    /// Bytes that still go into the active segment.
    fn room_left(&self) -> usize {
        let room = self.volume.geometry.segment_len;
        room.saturating_sub(self.active.end) as usize
    }

    /// Whether the low half of a number says it in the active segment.
    pub(super) fn reaches(&self, seq: u64) -> bool {
        let first_seq = self.segments.newest().map_or(seq, |head| head.first_seq);
        seq - first_seq.min(seq) < SEQ_REACH
    }

    /// Makes the next segment the active segment; returns its header.
    pub(super) fn open_segment(&mut self, first_seq: u64, base: TimeBase) -> Vec<u8> {
        self.active.generation += 1;
        self.active.end = len_u32(segment::HEADER_LEN);
        self.active.base = base;
        self.active.mark = 0;
        self.active.closed = false;
        let generation = self.active.generation;
        self.segments.open(Segment {
            generation,
            first_seq,
            end: self.active.end,
        });
        let (cum, owners) = (*self.progress.before_next_segment(), self.table.owners());
        let ring_id = self.volume.id;
        segment::SegmentHeader {
            ring_id,
            generation,
            first_seq,
            base,
            cum,
            owners,
        }
        .encode()
        .to_vec()
    }
}
