//! Reads of the storage: a little ahead, so that not each record asks for itself. Understands no
//! record.

use super::IoError;
use super::Storage;
use super::segment;
use super::segments::SegmentSpan;

/// The bytes last read, so that not every record asks the storage.
#[derive(Debug, Default)]
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    at: u64,
    read: u64,
}

impl ReadBuffer {
    /// `len` bytes of a segment; none if they are not all inside the span.
    pub(super) fn view(
        &mut self,
        storage: &mut dyn Storage,
        span: &SegmentSpan,
        offset: u32,
        len: usize,
    ) -> Result<Option<&[u8]>, IoError> {
        let at = span.at + u64::from(offset);
        let limit = span.at + u64::from(span.end);
        let end = at + len as u64;
        if end > limit {
            return Ok(None);
        }
        if at < self.at || end > self.at + self.bytes.len() as u64 {
            let ahead = usize::try_from(limit - at)
                .unwrap_or(WINDOW)
                .min(len.max(WINDOW));
            // What is not needed yet is not to hold up what is: one bad block behind a record would
            // make it unreadable.
            match self.fill(storage, at, ahead) {
                Err(_) if len < ahead => self.fill(storage, at, len)?,
                other => other?,
            }
        }
        let from = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        Ok(self.bytes.get(from..).and_then(|rest| rest.get(..len)))
    }

    /// Forgets all: bytes behind it were, or will be, written.
    pub(super) fn forget(&mut self) {
        self.bytes.clear();
    }

    /// Bytes asked of the storage so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Makes `at..at + len` the content. What of it is there already is not read again.
    fn fill(&mut self, storage: &mut dyn Storage, at: u64, len: usize) -> Result<(), IoError> {
        let gone = at
            .checked_sub(self.at)
            .and_then(|gone| usize::try_from(gone).ok());
        match gone.filter(|gone| *gone <= self.bytes.len()) {
            Some(gone) => drop(self.bytes.drain(..gone)),
            None => self.bytes.clear(),
        }
        self.at = at;
        let have = self.bytes.len();
        self.bytes.resize(len.max(have), 0);
        let missing = self.bytes.get_mut(have..).unwrap_or_default();
        self.read += missing.len() as u64;
        let result = read_bytes(storage, at + have as u64, missing);
        if result.is_err() {
            self.bytes.truncate(have);
        }
        result
    }
}

/// Reads, and takes a failure for nothing but a failure.
pub(super) fn read_bytes(
    storage: &mut dyn Storage,
    at: u64,
    bytes: &mut [u8],
) -> Result<(), IoError> {
    storage.read(at, bytes)
}

/// Reads the header of the segment at `at`, if there is one.
pub(super) fn read_header(
    storage: &mut dyn Storage,
    at: u64,
) -> Result<Option<segment::SegmentHeader>, IoError> {
    let mut bytes = [0; segment::HEADER_LEN];
    read_bytes(storage, at, &mut bytes)?;
    Ok(segment::SegmentHeader::decode(&bytes))
}

/// Bytes read at once: a page of memory, and of most flash.
const WINDOW: usize = 4096;
