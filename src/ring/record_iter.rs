//! Going over the records of one segment, whatever is between them. Counts nothing, decides
//! nothing.

use super::IoError;
use super::Storage;
use super::format::low;
use super::read_buffer::ReadBuffer;
use super::record::ALIGN;
use super::record::BASE_LEN;
use super::record::HEADER_LEN;
use super::record::RecordHeader;
use super::record::RecordKind;
use super::record::TimeBase;
use super::record::body_checksum;
use super::segment;
use super::segments::SegmentSpan;

/// A place in a segment, and what was learned on the way there.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordIter {
    offset: u32,
    next_seq: u64,
    mark: u8,
    base: Option<TimeBase>,
}

/// A record that is whole as far as its header goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundRecord {
    pub(super) header: RecordHeader,
    /// Where it begins, from the start of the segment.
    pub(super) offset: u32,
    /// Bytes before it that are no record.
    pub(super) hole: u32,
    pub(super) seq: u64,
    /// What its time counts from, if that is known.
    pub(super) base: Option<TimeBase>,
}

impl FoundRecord {
    /// Where it ends, from the start of the segment.
    pub(super) fn end(&self) -> u32 {
        self.offset + len_u32(self.header.frame_len())
    }

    /// Whether `frame`, which begins with its header, has the body that the header speaks of.
    pub(super) fn is_whole(&self, frame: &[u8]) -> bool {
        let body = frame
            .get(HEADER_LEN..)
            .and_then(|rest| rest.get(..self.header.len.into()));
        body.is_some_and(|body| body_checksum(body) == self.header.body_checksum)
    }

    /// Where its body begins, from the start of the segment.
    pub(super) fn body_offset(&self) -> u32 {
        self.offset + len_u32(HEADER_LEN)
    }

    /// Its body, if that is whole.
    pub(super) fn body<'a>(
        &self,
        span: &SegmentSpan,
        buffer: &'a mut ReadBuffer,
        storage: &mut dyn Storage,
    ) -> Result<Option<&'a [u8]>, IoError> {
        let len = usize::from(self.header.len);
        let body = buffer.view(storage, span, self.body_offset(), len)?;
        Ok(body.filter(|body| body_checksum(body) == self.header.body_checksum))
    }

    /// Whether it is a message.
    pub(super) fn is_data(&self) -> bool {
        self.header.kind == RecordKind::Data
    }
}

impl RecordIter {
    /// Begins before the first record.
    pub(super) fn new(span: &SegmentSpan, base: Option<TimeBase>) -> Self {
        Self {
            offset: len_u32(segment::HEADER_LEN),
            next_seq: span.first_seq,
            mark: 0,
            base,
        }
    }

    /// The next record; what is between is passed. None at the end of the span. A read that fails
    /// leaves it where it was.
    pub(super) fn next_record(
        &mut self,
        span: &SegmentSpan,
        buffer: &mut ReadBuffer,
        storage: &mut dyn Storage,
    ) -> Result<Option<FoundRecord>, IoError> {
        let mut ahead = *self;
        loop {
            let Some(bytes) = buffer.view(storage, span, ahead.offset, HEADER_LEN)? else {
                *self = ahead;
                return Ok(None);
            };
            if let Some(header) = ahead.accept(span, bytes) {
                let hole = ahead.offset - self.offset;
                let found = ahead.step(span, buffer, storage, header, hole)?;
                *self = ahead;
                return Ok(Some(found));
            }
            ahead.offset += len_u32(ALIGN);
        }
    }

    fn accept(&self, span: &SegmentSpan, bytes: &[u8]) -> Option<RecordHeader> {
        let header = RecordHeader::decode(bytes, span.seed)?;
        let end = self.offset.checked_add(len_u32(header.frame_len()))?;
        // A segment that was opened in vain is opened again under its generation: what the first
        // attempt left there has smaller numbers than this one begins with.
        let seq = self.seq(span, &header);
        let ours = seq - span.first_seq < SEQ_REACH;
        let in_order = ours && (header.kind != RecordKind::Data || seq >= self.next_seq);
        (end <= span.end && in_order).then_some(header)
    }

    fn step(
        &mut self,
        span: &SegmentSpan,
        buffer: &mut ReadBuffer,
        storage: &mut dyn Storage,
        header: RecordHeader,
        hole: u32,
    ) -> Result<FoundRecord, IoError> {
        let seq = self.seq(span, &header);
        let mut found = FoundRecord {
            header,
            offset: self.offset,
            hole,
            seq,
            base: None,
        };
        match header.kind {
            RecordKind::Data => self.next_seq = seq + 1,
            RecordKind::Mark => {
                let body = found.body(span, buffer, storage)?;
                self.base = body
                    .filter(|body| body.len() == BASE_LEN)
                    .and_then(TimeBase::decode);
                self.mark = header.mark;
            }
            RecordKind::Pad => {}
        }
        found.base = self.base.filter(|_| header.mark == self.mark);
        self.offset = found.end();
        Ok(found)
    }

    fn seq(&self, span: &SegmentSpan, header: &RecordHeader) -> u64 {
        let behind = header.seq_low.wrapping_sub(low(span.first_seq));
        span.first_seq.saturating_add(u64::from(behind))
    }

    /// What times of records written here would count from, and under which mark.
    pub(super) fn base(&self) -> (Option<TimeBase>, u8) {
        (self.base, self.mark)
    }
}

/// A length inside a segment.
pub(super) fn len_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A segment holds numbers at most this far apart.
pub(super) const SEQ_REACH: u64 = 1 << 31;
