//! Finding out what a storage holds, in one bounded pass that changes nothing: the slots, the
//! segments' headers, and the records of the active segment.
//!
//! Nothing is truncated: whatever validates is kept. A hole with nothing of a later commit after
//! it was torn by a power cut and never acknowledged; any other one is rot.

use super::IoError;
use super::Storage;
use super::active_scan::ActiveScan;
use super::active_scan::count_written;
use super::format::Counts;
use super::format::Geometry;
use super::format::SLOT_LEN;
use super::format::STREAMS_MAX;
use super::picture::Picture;
use super::read_buffer::ReadBuffer;
use super::read_buffer::read_bytes;
use super::read_buffer::read_header;
use super::segment;
use super::segments::Segment;
use super::slot::Slot;
use super::slot::SlotError;
use std::collections::VecDeque;

/// Why a storage holds no ring that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecoverError {
    /// Nothing was ever written to it.
    Blank,
    /// It is of a later version.
    Newer,
    /// It is something else, or shorter than it was.
    Foreign,
    /// Nobody knows: it could not be read.
    Unreadable,
}

impl From<IoError> for RecoverError {
    fn from(_: IoError) -> Self {
        Self::Unreadable
    }
}

/// Finds out what a storage holds.
pub(super) fn recover(storage: &mut dyn Storage) -> Result<Picture, RecoverError> {
    if storage.len() < 2 * SLOT_LEN as u64 {
        return Err(RecoverError::Foreign);
    }
    let slots = [read_slot(storage, 0)?, read_slot(storage, 1)?];
    if slots
        .iter()
        .any(|slot| matches!(slot, Err(SlotError::Newer)))
    {
        return Err(RecoverError::Newer);
    }
    let blank = slots
        .iter()
        .all(|slot| matches!(slot, Err(SlotError::Blank)));
    let both_slots = slots.iter().all(Result::is_ok);
    let [a, b] = slots.map(Result::ok);
    let newest_is_b = b.as_ref().map(|b| b.generation) > a.as_ref().map(|a| a.generation);
    let slot = if newest_is_b { b } else { a };
    let geometry = match &slot {
        Some(slot) => slot.geometry.checked(storage.len()),
        None => Geometry::of(storage.len()),
    };
    let geometry = geometry.ok_or(if blank {
        RecoverError::Blank
    } else {
        RecoverError::Foreign
    })?;
    let ring_id = slot.as_ref().map(|slot| slot.ring_id);
    let ring_id = match ring_id {
        None => most_frequent_id(storage, geometry)?,
        known => known,
    };
    let ring_id = ring_id.ok_or(if blank {
        RecoverError::Blank
    } else {
        RecoverError::Foreign
    })?;
    let slot_index = u64::from(newest_is_b);
    let picture = Picture::new(ring_id, geometry, slot, slot_index, both_slots);
    let survey = Survey {
        storage,
        buffer: ReadBuffer::default(),
        read: 0,
        picture,
    };
    Ok(survey.run()?)
}

/// The newest slot, if one is whole.
pub(super) fn newest_slot(storage: &mut dyn Storage) -> Result<Option<Slot>, IoError> {
    if storage.len() < 2 * SLOT_LEN as u64 {
        return Ok(None);
    }
    let slots = [read_slot(storage, 0)?, read_slot(storage, 1)?];
    let whole = slots.into_iter().filter_map(Result::ok);
    Ok(whole.max_by_key(|slot| slot.generation))
}

fn read_slot(storage: &mut dyn Storage, index: u64) -> Result<Result<Slot, SlotError>, IoError> {
    let mut bytes = vec![0; SLOT_LEN];
    read_bytes(storage, index * SLOT_LEN as u64, &mut bytes)?;
    Ok(Slot::decode(&bytes))
}

/// With both slots lost: the id that most of the segments have.
fn most_frequent_id(storage: &mut dyn Storage, geometry: Geometry) -> Result<Option<u64>, IoError> {
    let mut ids: Vec<(u64, u32)> = Vec::new();
    for index in 0..geometry.segment_count {
        let Some(header) = read_header(storage, geometry.offset(index.into()))? else {
            continue;
        };
        if let Some((_, count)) = ids.iter_mut().find(|(id, _)| *id == header.ring_id) {
            *count += 1;
        } else if ids.len() < IDS_MAX {
            ids.push((header.ring_id, 1));
        }
    }
    let most = ids.into_iter().max_by_key(|(_, count)| *count);
    Ok(most.map(|(id, _)| id))
}

/// The pass over segments.
pub(super) struct Survey<'a> {
    pub(super) storage: &'a mut dyn Storage,
    pub(super) buffer: ReadBuffer,
    /// Bytes read past the buffer.
    pub(super) read: u64,
    pub(super) picture: Picture,
}

impl Survey<'_> {
    fn run(mut self) -> Result<Picture, IoError> {
        let lost = self.read_headers()?;
        self.infer(&lost)?;
        self.drop_overlaps();
        self.count_tail()?;
        self.scan_active()?;
        // a header that says more was wrong
        if !self.picture.tail.is_within(&self.picture.cum) {
            self.picture.tail = Counts::default();
        }
        self.picture.read = self.read + self.buffer.bytes_read() + 2 * SLOT_LEN as u64;
        Ok(self.picture)
    }

    fn header(&mut self, generation: u64) -> Result<Option<segment::SegmentHeader>, IoError> {
        self.read += segment::HEADER_LEN as u64;
        let header = read_header(self.storage, self.picture.geometry.offset(generation))?;
        Ok(header.filter(|header| header.ring_id == self.picture.ring_id))
    }

    /// Notes every segment that has a header; returns the indices of those that have none.
    fn read_headers(&mut self) -> Result<Vec<u32>, IoError> {
        let geometry = self.picture.geometry;
        let mut lost = Vec::new();
        let mut found = Vec::with_capacity(geometry.segment_count as usize);
        for index in 0..geometry.segment_count {
            let header = self.header(index.into())?;
            let at_home = |header: &segment::SegmentHeader| {
                header.generation % u64::from(geometry.segment_count) == u64::from(index)
            };
            match header.filter(at_home) {
                Some(header) => found.push(Segment {
                    generation: header.generation,
                    first_seq: header.first_seq,
                    end: geometry.segment_len,
                }),
                None => lost.push(index),
            }
        }
        found.sort_unstable_by_key(|segment| segment.generation);
        self.picture.segments = found.into();
        self.forget_old_laps();
        Ok(lost)
    }

    pub(super) fn forget_old_laps(&mut self) {
        let newest = self.newest();
        let count = u64::from(self.picture.geometry.segment_count);
        self.picture
            .segments
            .retain(|segment| segment.generation + count > newest);
    }

    pub(super) fn newest(&self) -> u64 {
        self.picture
            .segments
            .back()
            .map_or(0, |segment| segment.generation)
    }

    /// After a failed sync the same records stand again in a later segment: those count.
    fn drop_overlaps(&mut self) {
        let mut limit = u64::MAX;
        let mut alive = VecDeque::with_capacity(self.picture.geometry.segment_count as usize);
        while let Some(segment) = self.picture.segments.pop_back() {
            if segment.first_seq < limit {
                limit = segment.first_seq;
                alive.push_front(segment);
            }
        }
        self.picture.segments = alive;
    }

    /// What was written before the oldest segment: its header says so, or the first header behind
    /// it, less what is between.
    fn count_tail(&mut self) -> Result<(), IoError> {
        let mut held = Counts::default();
        for index in 0..self.picture.segments.len() {
            if let Some(header) = self.header_at(index)? {
                self.picture.tail = header.cum.less(&held);
                break;
            }
            held = held.plus(&self.count(index)?);
        }
        Ok(())
    }

    fn header_at(&mut self, index: usize) -> Result<Option<segment::SegmentHeader>, IoError> {
        let Some(segment) = self.picture.segments.get(index).copied() else {
            return Ok(None);
        };
        let header = self.header(segment.generation)?;
        Ok(header.filter(|header| header.generation == segment.generation))
    }

    /// What was written for each stream in a segment.
    fn count(&mut self, index: usize) -> Result<Counts, IoError> {
        match self.picture.span(index) {
            Some(span) => count_written(&span, &mut self.buffer, self.storage),
            None => Ok(Counts::default()),
        }
    }

    /// What was written before the active segment, if the active segment does not say so itself.
    fn count_before_active(&mut self) -> Result<Counts, IoError> {
        let mut held = Counts::default();
        for index in (0..self.picture.segments.len().saturating_sub(1)).rev() {
            held = held.plus(&self.count(index)?);
            if let Some(header) = self.header_at(index)? {
                return Ok(header.cum.plus(&held));
            }
        }
        Ok(self.picture.tail.plus(&held))
    }

    fn scan_active(&mut self) -> Result<(), IoError> {
        let Some(segment) = self.picture.segments.back().copied() else {
            return Ok(());
        };
        let header = self.header_at(self.picture.segments.len() - 1)?;
        self.picture.cum = match &header {
            Some(header) => header.cum,
            None => self.count_before_active()?,
        };
        self.picture.owners = header
            .as_ref()
            .map_or([0; STREAMS_MAX], |header| header.owners);
        let Some(span) = self.picture.span(self.picture.segments.len() - 1) else {
            return Ok(());
        };
        let mut scan = ActiveScan::new(&self.picture, &span, header.as_ref());
        while let Some(found) = scan
            .iter
            .next_record(&span, &mut self.buffer, self.storage)?
        {
            // All of it at once, so that the buffer need not go back for the header.
            let len = found.header.frame_len();
            let bytes = self.buffer.view(self.storage, &span, found.offset, len)?;
            let bytes = bytes.map(<[u8]>::to_vec).unwrap_or_default();
            scan.note(&found, found.is_whole(&bytes));
            scan.keep(&found, &bytes);
        }
        scan.finish(&mut self.picture, segment, header.is_some());
        Ok(())
    }
}

/// Rings of which segments may be in one file.
const IDS_MAX: usize = 8;
