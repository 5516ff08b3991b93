//! How full a ring is, and how its storage does: for those who look at it from outside.

use super::Ring;
use super::recover::read_header;
use crate::clock::Now;
use crate::clock::Wall;

/// How full a ring is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// Bytes that it may have on disk.
    pub size: u64,
    /// Bytes of those that hold records.
    pub used: u64,
    /// When the oldest record on disk was received.
    pub oldest: Option<Wall>,
    /// Records that are in memory, and their bytes.
    pub waiting: (u64, u64),
    /// Records are in memory only: the storage failed too often, or lasts no longer than that.
    pub degraded: bool,
}

impl Ring {
    /// How full it is. Reads the header of one segment.
    pub fn occupancy(&mut self, now: Now) -> Occupancy {
        let (geometry, oldest) = (self.geometry, self.segments.front().copied());
        let full = self.segments.len().saturating_sub(1) as u64;
        let head = self.segments.back().map_or(0, |head| u64::from(head.end));
        let header = oldest.and_then(|oldest| {
            let at = geometry.offset(oldest.generation);
            let header = read_header(&mut *self.storage, at)?;
            (header.generation == oldest.generation).then_some(header)
        });
        Occupancy {
            size: geometry.len(),
            used: full * u64::from(geometry.segment_len) + head,
            oldest: header.map(|header| self.boots.resolve(Some(header.base), 0, now).wall),
            waiting: (
                self.queue.entries().count() as u64,
                self.queue.bytes() as u64,
            ),
            degraded: self.health.is_degraded() || !self.storage.lasts(),
        }
    }
}
