//! The records of the active segment as opening finds them: where it ends, what was written, what
//! is damaged and by what. What was written to a segment that no header speaks of.

use super::IoError;
use super::Storage;
use super::active::ActiveSegment;
use super::format::Counts;
use super::format::STREAMS_MAX;
use super::hole::Damage;
use super::hole::Hole;
use super::picture::LastCommit;
use super::picture::Picture;
use super::read_buffer::ReadBuffer;
use super::record::RecordKind;
use super::record_iter::FoundRecord;
use super::record_iter::RecordIter;
use super::record_iter::len_u32;
use super::segment;
use super::segments::Segment;
use super::segments::SegmentSpan;
use std::ops::Range;

/// What is learned from the active segment's records.
pub(super) struct ActiveScan {
    pub(super) iter: RecordIter,
    end: u32,
    end_seq: u64,
    commit: Option<u8>,
    /// What it wrote, and the header if it opened the segment.
    last: LastCommit,
    /// Where the last record ends that is no pad.
    solid_end: u32,
    cum: Counts,
    after_cursor: Counts,
    cursors: [u64; STREAMS_MAX],
    holes: Vec<Hole>,
    /// When the last record was received, where that date was believed.
    received_ms: Option<u64>,
}

impl ActiveScan {
    /// Begins before the first record.
    pub(super) fn new(
        picture: &Picture,
        span: &SegmentSpan,
        header: Option<&segment::SegmentHeader>,
    ) -> Self {
        let mut cursors = [u64::MAX; STREAMS_MAX];
        let streams = picture.slot.iter().flat_map(|slot| &slot.streams);
        for (cursor, stream) in cursors.iter_mut().zip(streams) {
            *cursor = stream.as_ref().map_or(u64::MAX, |stream| stream.cursor_seq);
        }
        Self {
            iter: RecordIter::new(span, header.map(|header| header.base)),
            end: len_u32(segment::HEADER_LEN),
            end_seq: span.first_seq,
            commit: None,
            last: LastCommit {
                from: 0,
                bytes: header.map_or_else(Vec::new, |h| h.encode().to_vec()),
            },
            solid_end: 0,
            cum: picture.cum,
            after_cursor: Counts::default(),
            cursors,
            holes: Vec::new(),
            received_ms: None,
        }
    }

    /// Takes in the bytes of the record that was noted last.
    pub(super) fn keep(&mut self, found: &FoundRecord, bytes: &[u8]) {
        self.last.add(found.offset, bytes);
    }

    /// Takes in the next record, whose body is whole or not.
    pub(super) fn note(&mut self, found: &FoundRecord, whole: bool) {
        if found.header.kind != RecordKind::Pad {
            self.note_commit(found);
            self.solid_end = found.end();
        }
        if found.hole > 0 {
            self.add_hole(found.offset - found.hole..found.offset, found.seq, 0);
        }
        if found.is_data() {
            self.end_seq = found.seq + 1;
            let base = found.base.filter(|base| base.trusted);
            self.received_ms = base.map(|base| base.wall_ms + u64::from(found.header.elapsed_ms));
            match whole {
                true => self.count(found.seq, found.header.mask),
                false => self.add_hole(found.offset..found.end(), found.seq, found.header.mask),
            }
        }
        self.end = found.end();
    }

    fn note_commit(&mut self, found: &FoundRecord) {
        match self.commit {
            Some(commit) if commit != found.header.commit => {
                self.settle_holes();
                self.last.forget_before(self.solid_end);
            }
            _ => {}
        }
        self.commit = Some(found.header.commit);
    }

    fn add_hole(&mut self, range: Range<u32>, before: u64, mask: u32) {
        if self.holes.len() < HOLES_MAX {
            let (from, to) = (range.start, range.end);
            self.holes.push(Hole {
                from,
                to,
                before,
                mask,
                kind: Damage::Torn,
            });
        }
    }

    /// A later commit follows: what is damaged so far was once whole.
    fn settle_holes(&mut self) {
        for hole in &mut self.holes {
            hole.kind = Damage::Rot;
        }
    }

    /// A record was written for the streams of `mask`.
    fn count(&mut self, seq: u64, mask: u32) {
        self.cum.count(mask);
        let mut ahead = 0;
        for (bit, cursor) in self.cursors.iter().enumerate() {
            ahead |= u32::from(*cursor <= seq) << bit;
        }
        self.after_cursor.count(mask & ahead);
    }

    /// Records whose bodies rotted were written, and their readers will count them; torn ones
    /// never were.
    fn count_rotten(&mut self) {
        for hole in std::mem::take(&mut self.holes) {
            if hole.kind == Damage::Rot {
                self.count(hole.before, hole.mask);
            }
            self.holes.push(hole);
        }
    }

    /// Puts what was learned into the picture.
    pub(super) fn finish(mut self, picture: &mut Picture, segment: Segment, header_sound: bool) {
        self.count_rotten();
        let (base, mark) = self.iter.base();
        picture.cum = self.cum;
        picture.after_cursor = self.after_cursor;
        picture.end_seq = self.end_seq;
        picture.holes = self.holes;
        picture.last_commit = self.last;
        picture.last_received_ms = self.received_ms;
        let closed = !header_sound || picture.is_doubtful();
        picture.active = ActiveSegment {
            generation: segment.generation,
            end: self.end,
            base: base.unwrap_or_default(),
            mark,
            closed: closed || base.is_none(),
            commit: self.commit.map_or(0, |commit| commit.wrapping_add(1)),
        };
        if let Some(head) = picture.segments.back_mut() {
            head.end = self.end;
        }
    }
}

/// What was written for each stream in a segment, where no header behind it says so: its records,
/// those included of which only the body is damaged. Of its last commit they are not: that one may
/// have failed, or have been cut, and then what is damaged of it was never written.
pub(super) fn count_written(
    span: &SegmentSpan,
    buffer: &mut ReadBuffer,
    storage: &mut dyn Storage,
) -> Result<Counts, IoError> {
    let (mut held, mut damaged, mut commit) = (Counts::default(), Counts::default(), None);
    let mut iter = RecordIter::new(span, None);
    while let Some(found) = iter.next_record(span, buffer, storage)? {
        if found.header.kind != RecordKind::Pad && commit != Some(found.header.commit) {
            commit = Some(found.header.commit);
            held = held.plus(&std::mem::take(&mut damaged));
        }
        if !found.is_data() || found.seq >= span.seq_end {
            continue;
        }
        match found.body(span, buffer, storage)? {
            Some(_) => held.count(found.header.mask),
            None => damaged.count(found.header.mask),
        }
    }
    Ok(held)
}

/// Holes in one segment that are told apart.
const HOLES_MAX: usize = 1024;
