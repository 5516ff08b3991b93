//! What all of the ring's bytes share: where they lie, what their check sums begin with,
//! little-endian fields. No structure of its own.
//!
//! ```text
//! | slot A 4096 | slot B 4096 | segment 0 | segment 1 | … | segment n-1 |
//! ```
//! Segment `generation` lies at index `generation % n`; generations count from 1.

#![deny(clippy::arithmetic_side_effects)]

use super::StreamId;

/// How a ring's bytes are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bytes of a segment, a power of two.
    pub(super) segment_len: u32,
    /// How many segments there are.
    pub(super) segment_count: u32,
}

impl Geometry {
    /// The division of `len` bytes; none for less than two slots and eight small segments.
    pub(super) fn of(len: u64) -> Option<Self> {
        let at_least = if len < SMALL {
            SEGMENT_MIN
        } else {
            SEGMENT_USUAL_MIN
        };
        let wanted = u32::try_from(len / SEGMENTS_WANTED).unwrap_or(SEGMENT_MAX);
        let segment_len = prev_power_of_two(wanted).clamp(at_least, SEGMENT_MAX);
        let room = len.checked_sub(SEGMENTS_AT)?;
        let segment_count = room.checked_div(u64::from(segment_len))?;
        let segment_count = u32::try_from(segment_count).ok()?;
        Self {
            segment_len,
            segment_count,
        }
        .checked(len)
    }

    /// Itself, if a ring of `len` bytes can be divided so.
    pub(super) fn checked(self, len: u64) -> Option<Self> {
        let sound = self.segment_len.is_power_of_two()
            && (SEGMENT_FLOOR..=SEGMENT_MAX).contains(&self.segment_len)
            && (SEGMENT_COUNT_MIN..=SEGMENT_COUNT_MAX).contains(&self.segment_count);
        (sound && self.len() <= len).then_some(self)
    }

    /// Bytes of slots and segments together.
    pub(super) fn len(self) -> u64 {
        let segments = u64::from(self.segment_len).saturating_mul(u64::from(self.segment_count));
        segments.saturating_add(SEGMENTS_AT)
    }

    /// Where the segment of this generation lies.
    pub(super) fn offset(self, generation: u64) -> u64 {
        let index = generation
            .checked_rem(u64::from(self.segment_count))
            .unwrap_or(0);
        index
            .saturating_mul(u64::from(self.segment_len))
            .saturating_add(SEGMENTS_AT)
    }
}

/// One number for each stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts(pub(super) [u64; STREAMS_MAX]);

impl Counts {
    /// That of one stream.
    pub(super) fn of(&self, id: StreamId) -> u64 {
        self.at(id.index())
    }

    /// Changes that of one stream.
    pub(super) fn set(&mut self, id: StreamId, value: u64) {
        if let Some(place) = self.0.get_mut(id.index()) {
            *place = value;
        }
    }

    /// The sum, stream by stream.
    pub(super) fn plus(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|index| {
            self.at(index).saturating_add(other.at(index))
        }))
    }

    /// Whether each is at most as large as the other's.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.all(|(count, most)| count <= most)
    }

    /// Whether they can have been counted: nobody comes so far, and what is added to them cannot
    /// overflow.
    pub(super) fn can_be(&self) -> bool {
        self.0.iter().all(|count| *count <= COUNT_MAX)
    }

    /// The difference, stream by stream; nowhere less than 0.
    pub(super) fn less(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|index| {
            self.at(index).saturating_sub(other.at(index))
        }))
    }

    fn at(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// Adds one for each stream of a mask.
    pub(super) fn count(&mut self, mask: u32) {
        for id in StreamId::of_mask(mask) {
            self.set(id, self.of(id).saturating_add(1));
        }
    }
}

/// The initial value for records of a segment: the ring, the lap, and the half of the sequence
/// numbers that records do not say. The low half of the ring's id is random and shown
/// nowhere, so no sender can write a body that passes for a record.
pub(super) fn seed(ring_id: u64, generation: u64, first_seq: u64) -> u32 {
    low(ring_id ^ generation) ^ low(first_seq >> 32).rotate_left(16)
}

/// The low half.
pub(super) fn low(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// The `N` bytes at `at`; zeros where there are none.
pub(super) fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

/// The field at `at`.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

/// The field at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

/// The field at `at`.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}

/// Fills the field at `at`. Precondition: it lies inside.
pub(super) fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    let place = bytes
        .get_mut(at..)
        .and_then(|rest| rest.get_mut(..field.len()));
    debug_assert!(place.is_some(), "a field lies inside its structure");
    if let Some(place) = place {
        place.copy_from_slice(field);
    }
}

fn prev_power_of_two(value: u32) -> u32 {
    value
        .checked_ilog2()
        .map_or(1, |log| 1u32.checked_shl(log).unwrap_or(1))
}

/// Streams in a ring: the bits of a mask.
pub const STREAMS_MAX: usize = 32;
/// Bytes of a slot.
pub(super) const SLOT_LEN: usize = 4096;
/// Where the segments begin.
pub(super) const SEGMENTS_AT: u64 = 2 * SLOT_LEN as u64;
/// The unit that a disk writes as a whole, and gives up as a whole.
pub(super) const SECTOR: usize = 512;
/// What [`super::record::RecordHeader::len`] may say at most: the longest message.
pub(super) const BODY_MAX: usize = 32 * 1024;

/// The version of everything below; another one is not read.
pub(super) const VERSION: u16 = 1;

/// One segment is what drop-oldest gives up at once: small beside the whole.
const SEGMENTS_WANTED: u64 = 256;
/// Rings below have segments too small for the longest message.
const SMALL: u64 = 1024 * 1024;
const SEGMENT_USUAL_MIN: u32 = 64 * 1024;
const SEGMENT_MIN: u32 = 8 * 1024;
/// What is read, should a ring have been made so; only simulations make them.
const SEGMENT_FLOOR: u32 = 1024;
const SEGMENT_MAX: u32 = 512 * 1024;
const SEGMENT_COUNT_MIN: u32 = 8;
/// 64 GiB of ring; 24 bytes of RAM each.
const SEGMENT_COUNT_MAX: u32 = 128 * 1024;

/// No count of records is larger: a million a second for 2,000 years.
pub(super) const COUNT_MAX: u64 = 1 << 56;
/// No number of a record, a segment or a slot is larger: what is added to it cannot overflow, the
/// jumps of rings that lost both slots included.
pub(super) const NUMBER_MAX: u64 = 1 << 62;

const _: () = assert!(BODY_MAX <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::checksum::checksum;

    #[test]
    fn segments_are_a_256th_of_the_ring_within_bounds() {
        let shape = |len| Geometry::of(len).map(|g| (g.segment_len, g.segment_count));
        assert_eq!(shape(256 << 10), Some((8 << 10, 31)));
        assert_eq!(shape(1 << 20), Some((64 << 10, 15)));
        assert_eq!(shape(64 << 20), Some((256 << 10, 255)));
        assert_eq!(shape(1 << 30), Some((512 << 10, 2047)));
        assert_eq!(shape(64 << 10), None);
    }

    #[test]
    fn the_same_bytes_of_another_generation_have_another_sum() {
        assert_ne!(
            checksum(seed(7, 1, 1), b"same"),
            checksum(seed(7, 256, 1), b"same")
        );
    }
}
