//! The storage of a ring, divided into slots and segments, and the buffer that reads of records go
//! through. Knows which bytes are where, not what they mean for anybody.

use super::IoError;
use super::Storage;
use super::active_scan::count_written;
use super::format::Counts;
use super::format::Geometry;
use super::format::SLOT_LEN;
use super::read_buffer::ReadBuffer;
use super::read_buffer::read_header;
use super::record_iter::FoundRecord;
use super::record_iter::RecordIter;
use super::segment::SegmentHeader;
use super::segments::SegmentSpan;

/// A storage and how it is divided; neither changes while the ring is open.
pub(super) struct Volume {
    pub(super) storage: Box<dyn Storage>,
    pub(super) geometry: Geometry,
    /// The ring's own.
    pub(super) id: u64,
    /// Holds no byte that was written after it was read: it is emptied first.
    buffer: ReadBuffer,
}

impl Volume {
    /// A storage that is divided so.
    pub(super) fn new(storage: Box<dyn Storage>, geometry: Geometry, id: u64) -> Self {
        Self {
            storage,
            geometry,
            id,
            buffer: ReadBuffer::default(),
        }
    }

    /// The header of the segment of this generation; none where there is that of another one, or
    /// none at all.
    pub(super) fn header(&mut self, generation: u64) -> Result<Option<SegmentHeader>, IoError> {
        let at = self.geometry.offset(generation);
        let header = read_header(&mut *self.storage, at)?;
        Ok(header.filter(|header| header.generation == generation))
    }

    /// The next record of a segment.
    pub(super) fn next_record(
        &mut self,
        iter: &mut RecordIter,
        span: &SegmentSpan,
    ) -> Result<Option<FoundRecord>, IoError> {
        iter.next_record(span, &mut self.buffer, &mut *self.storage)
    }

    /// The body of a record, if it is whole.
    pub(super) fn body(
        &mut self,
        span: &SegmentSpan,
        found: &FoundRecord,
    ) -> Result<Option<&[u8]>, IoError> {
        found.body(span, &mut self.buffer, &mut *self.storage)
    }

    /// The body of a record that is known to be whole.
    pub(super) fn body_again(
        &mut self,
        span: &SegmentSpan,
        found: &FoundRecord,
    ) -> Result<Option<&[u8]>, IoError> {
        let len = usize::from(found.header.len);
        let storage = &mut *self.storage;
        self.buffer.view(storage, span, found.body_offset(), len)
    }

    /// What was written for each stream in a segment, as its records say.
    pub(super) fn count_written(&mut self, span: &SegmentSpan) -> Result<Counts, IoError> {
        count_written(span, &mut self.buffer, &mut *self.storage)
    }

    /// Puts another buffer in place: for who reads elsewhere, once.
    pub(super) fn exchange_buffer(&mut self, buffer: ReadBuffer) -> ReadBuffer {
        std::mem::replace(&mut self.buffer, buffer)
    }

    /// Bytes that were read into the buffer.
    pub(super) fn buffered_reads(&self) -> u64 {
        self.buffer.bytes_read()
    }

    /// Bytes behind the buffer were, or will be, written.
    pub(super) fn forget(&mut self) {
        self.buffer.forget();
    }

    /// Where a slot lies.
    pub(super) fn slot_offset(index: u64) -> u64 {
        index * SLOT_LEN as u64
    }

    /// Where a place in a segment lies.
    pub(super) fn offset(&self, generation: u64, offset: u32) -> u64 {
        self.geometry.offset(generation) + u64::from(offset)
    }
}
