//! Segments whose headers were lost, found by their records: those validate under one of the few
//! generations that the segment can have. Looks through [`SCANS_MAX`] segments at most.

use super::IoError;
use super::format::SECTOR;
use super::format::low;
use super::picture::LOST_AFTER_ACTIVE;
use super::read_buffer::read_bytes;
use super::record_iter::RecordIter;
use super::record_iter::SEQ_REACH;
use super::recover::Survey;
use super::segments::Segment;
use std::collections::VecDeque;

impl Survey<'_> {
    /// Looks for segments whose headers were lost: their records validate under one of the few
    /// generations that they can have.
    pub(super) fn infer(&mut self, lost: &[u32]) -> Result<(), IoError> {
        // The slot knows of the active segment, should that be the one whose header was lost.
        let hint = self.picture.slot.as_ref().map_or(0, |slot| slot.active);
        let newest = self.newest().max(hint);
        let count = u64::from(self.picture.geometry.segment_count);
        let possible = (newest + 1).saturating_sub(count).max(1)..=newest + LOST_AFTER_ACTIVE;
        let known = self.picture.segments.clone();
        let mut scans = 0;
        for index in lost {
            let first = possible.start().next_multiple_of(count) + u64::from(*index);
            let first = if first >= possible.start() + count {
                first - count
            } else {
                first
            };
            for generation in
                (first..=*possible.end()).step_by(self.picture.geometry.segment_count as usize)
            {
                if scans < SCANS_MAX && self.was_written(generation)? {
                    scans += 1;
                    self.infer_one(generation, &known)?;
                }
            }
        }
        self.forget_old_laps();
        Ok(())
    }

    /// Whether anything was ever written where a segment begins.
    fn was_written(&mut self, generation: u64) -> Result<bool, IoError> {
        let mut bytes = vec![0; 8 * SECTOR];
        let len = bytes.len().min(self.picture.geometry.segment_len as usize);
        bytes.truncate(len);
        self.read += len as u64;
        let at = self.picture.geometry.offset(generation);
        read_bytes(self.storage, at, &mut bytes)?;
        Ok(bytes.iter().any(|byte| *byte != 0))
    }

    /// Looks for a record of this generation. Numbers count from the last segment that says its
    /// own: a segment found by its records may have lost the first of them.
    fn infer_one(&mut self, generation: u64, known: &VecDeque<Segment>) -> Result<(), IoError> {
        let index = known.partition_point(|segment| segment.generation < generation);
        let before = index.checked_sub(1).and_then(|index| known.get(index));
        let behind = known
            .get(index)
            .map_or(0, |next| next.first_seq.saturating_sub(SEQ_REACH));
        let first_seq = before.map_or(behind, |segment| segment.first_seq);
        // A jump leaves the low half as it was, and counting on begins it anew; which side of
        // either this is the check sums tell.
        let next = known.get(index).map(|next| next.first_seq);
        let reserved = self.picture.slot.as_ref().map(|slot| slot.reserved);
        let sides = [Some(first_seq), next, reserved].map(|side| side.map(|seq| seq >> 32));
        for (index, side) in sides.iter().enumerate() {
            let is_new = !sides.iter().take(index).any(|known| known == side);
            let Some(high) = side.filter(|_| is_new) else {
                continue;
            };
            let low = match high == (first_seq >> 32) + 1 {
                true => 0,
                false => low(first_seq),
            };
            if self.infer_from(Segment {
                generation,
                first_seq: high << 32 | u64::from(low),
                end: self.picture.geometry.segment_len,
            })? {
                break;
            }
        }
        Ok(())
    }

    fn infer_from(&mut self, mut segment: Segment) -> Result<bool, IoError> {
        let after = self
            .picture
            .segments
            .partition_point(|s| s.generation < segment.generation);
        let span = segment.span(self.picture.geometry, self.picture.ring_id, u64::MAX);
        let mut iter = RecordIter::new(&span, None);
        while let Some(found) = iter.next_record(&span, &mut self.buffer, self.storage)? {
            // What is torn is covered below, and would not be found the next time.
            let body = found.body(&span, &mut self.buffer, self.storage)?;
            if found.is_data() && body.is_some() {
                segment.first_seq = found.seq;
                self.picture.segments.insert(after, segment);
                self.picture.inferred += 1;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Segments without headers that are looked through; bounds the opening of a ruin.
const SCANS_MAX: u32 = 32;
