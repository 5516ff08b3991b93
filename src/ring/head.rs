//! The head segment: what waits becomes records at its end. Decides nothing about when, and
//! writes nothing.

use super::Ring;
use super::format::low;
use super::format::seed;
use super::queue::Entry;
use super::record;
use super::record::BASE_LEN;
use super::record::Base;
use super::record::HEADER_LEN;
use super::record::Header;
use super::record::Kind;
use super::record::MARKS;
use super::segment;
use super::segments::Segment;
use super::times::elapsed;
use super::walk::SEQ_REACH;
use super::walk::len_u32;

/// The segment that is written to.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The last one that was opened, be it alive or not.
    pub(super) generation: u64,
    /// Where the next record goes.
    pub(super) end: u32,
    /// What times count from there.
    pub(super) base: Base,
    pub(super) mark: u8,
    /// Nothing more is written to it.
    pub(super) closed: bool,
    /// The number of the next commit, as its records say it.
    pub(super) commit: u8,
}

impl Ring {
    /// Appends to `bytes` what of the queue goes into the head; says how many records those are.
    pub(super) fn encode_records(&mut self, bytes: &mut Vec<u8>) -> usize {
        let number = self.head.commit;
        self.head.commit = number.wrapping_add(1);
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
            self.head.end += len_u32(len);
            taken += 1;
        }
        taken
    }

    /// From here on a record is written for the streams of `mask`.
    fn fix_mask(&mut self, index: usize, seq: u64, mask: u32) {
        self.queue.take(index, mask);
        self.progress.begin(seq, mask);
        self.stats.written += 1;
        self.table.taken(mask, seq);
    }

    fn encode_record(&mut self, index: usize, commit: u8, bytes: &mut Vec<u8>) {
        let Some(entry) = self.queue.entry(index) else {
            return;
        };
        let first_seq = self.segments.head().map_or(0, |head| head.first_seq);
        let seed = seed(self.volume.id, self.head.generation, first_seq);
        let received = self.boots.base(entry.received);
        let mut header = Header {
            body_checksum: 0,
            len: 0,
            kind: Kind::Data,
            mark: self.head.mark,
            commit,
            seq_low: low(entry.seq),
            mask: entry.mask,
            elapsed_ms: 0,
        };
        match elapsed(&self.head.base, &received) {
            Some(elapsed_ms) => header.elapsed_ms = elapsed_ms,
            // Another boot, another date, or too late for 32 bits: a mark says the base anew, and
            // its number tells those who missed it that they did.
            None => {
                self.head.base = received;
                self.head.mark = (self.head.mark + 1) % MARKS;
                header.mark = self.head.mark;
                let mark = Header {
                    kind: Kind::Mark,
                    mask: 0,
                    ..header
                };
                mark.write(seed, &received.encode(), bytes);
            }
        }
        header.write(seed, &entry.body, bytes);
    }

    /// Bytes of a record, and of the mark before it if it needs one.
    pub(super) fn frames_len(&self, entry: &Entry) -> usize {
        let marked = elapsed(&self.head.base, &self.boots.base(entry.received)).is_none();
        let mark = if marked { HEADER_LEN + BASE_LEN } else { 0 };
        mark + record::frame_len(entry.body.len())
    }

    /// Whether so many bytes go into the head.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.head.end as usize + len <= self.volume.geometry.segment_len as usize
    }

    /// Whether the low half of a number says it in the head.
    pub(super) fn reaches(&self, seq: u64) -> bool {
        let first_seq = self.segments.head().map_or(seq, |head| head.first_seq);
        seq - first_seq.min(seq) < SEQ_REACH
    }

    /// Makes the next segment the head; returns its header.
    pub(super) fn open_segment(&mut self, first_seq: u64, base: Base) -> Vec<u8> {
        self.head.generation += 1;
        self.head.end = len_u32(segment::HEADER_LEN);
        self.head.base = base;
        self.head.mark = 0;
        self.head.closed = false;
        let generation = self.head.generation;
        self.segments.open(Segment {
            generation,
            first_seq,
            end: self.head.end,
        });
        let (cum, owners) = (*self.progress.before_next_segment(), self.table.owners());
        let ring_id = self.volume.id;
        segment::Header {
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
