//! The header of a segment: whose it is, which lap, and how much was written before it. Not its
//! records.
//!
//! ```text
//!   0 magic "SEG1"  4 version u16  6 header length u16   8 ring id u64  16 generation u64
//!  24 first seq u64  32 base, 24 bytes, see record::TimeBase
//!  56 cum u64 × 32   records written for each stream before this segment
//! 312 owner u32 × 32 check sum of the name of each stream, 0 for none
//! 440 zeros  444 CRC-32C of all before, begun with 0
//! ```
//! It lies inside one sector.

#![deny(clippy::arithmetic_side_effects)]

use super::checksum::checksum;
use super::format::Counts;
use super::format::NUMBER_MAX;
use super::format::SECTOR;
use super::format::STREAMS_MAX;
use super::format::VERSION;
use super::format::bytes_at;
use super::format::put;
use super::format::u16_at;
use super::format::u32_at;
use super::format::u64_at;
use super::record::ALIGN;
use super::record::BASE_LEN;
use super::record::TimeBase;

/// What stands at the head of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) ring_id: u64,
    /// One more for each segment ever opened.
    pub(super) generation: u64,
    /// No record in it has a smaller number.
    pub(super) first_seq: u64,
    /// What times count from until the first mark.
    pub(super) base: TimeBase,
    /// How many records were written for each stream before.
    pub(super) cum: Counts,
    /// Whose the bits of the masks are.
    pub(super) owners: [u32; STREAMS_MAX],
}

impl SegmentHeader {
    /// Reads one; none where there is none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_LEN>()?;
        let sound = bytes_at(bytes, MAGIC_AT) == MAGIC
            && u16_at(bytes, VERSION_AT) == VERSION
            && u32_at(bytes, CHECKSUM) == checksum(0, bytes.get(..CHECKSUM)?);
        let header = sound.then(|| Self {
            ring_id: u64_at(bytes, RING_ID),
            generation: u64_at(bytes, GENERATION),
            first_seq: u64_at(bytes, FIRST_SEQ),
            base: bytes
                .get(BASE..)
                .and_then(TimeBase::decode)
                .unwrap_or_default(),
            cum: Counts(std::array::from_fn(|index| u64_at(bytes, cum_at(index)))),
            owners: std::array::from_fn(|index| u32_at(bytes, owner_at(index))),
        });
        header.filter(|header| {
            let newest = header.generation.max(header.first_seq);
            newest <= NUMBER_MAX && header.cum.can_be()
        })
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        put(&mut bytes, MAGIC_AT, &MAGIC);
        put(&mut bytes, VERSION_AT, &VERSION.to_le_bytes());
        put(&mut bytes, LEN, &HEADER_LEN_FIELD.to_le_bytes());
        put(&mut bytes, RING_ID, &self.ring_id.to_le_bytes());
        put(&mut bytes, GENERATION, &self.generation.to_le_bytes());
        put(&mut bytes, FIRST_SEQ, &self.first_seq.to_le_bytes());
        put(&mut bytes, BASE, &self.base.encode());
        for (index, cum) in self.cum.0.iter().enumerate() {
            put(&mut bytes, cum_at(index), &cum.to_le_bytes());
        }
        for (index, owner) in self.owners.iter().enumerate() {
            put(&mut bytes, owner_at(index), &owner.to_le_bytes());
        }
        let sum = checksum(0, bytes.get(..CHECKSUM).unwrap_or_default());
        put(&mut bytes, CHECKSUM, &sum.to_le_bytes());
        bytes
    }
}

fn cum_at(index: usize) -> usize {
    index.saturating_mul(8).saturating_add(CUM)
}

fn owner_at(index: usize) -> usize {
    index.saturating_mul(4).saturating_add(OWNERS)
}

/// Bytes before the first record.
pub(super) const HEADER_LEN: usize = 448;
const HEADER_LEN_FIELD: u16 = 448;

const MAGIC: [u8; 4] = *b"SEG1";
const MAGIC_AT: usize = 0;
const VERSION_AT: usize = 4;
const LEN: usize = 6;
const RING_ID: usize = 8;
const GENERATION: usize = 16;
const FIRST_SEQ: usize = 24;
const BASE: usize = 32;
const CUM: usize = BASE + BASE_LEN;
const OWNERS: usize = CUM + 8 * STREAMS_MAX;
const CHECKSUM: usize = HEADER_LEN - 4;

const _: () = assert!(OWNERS + 4 * STREAMS_MAX <= CHECKSUM);
const _: () = assert!(HEADER_LEN <= SECTOR && HEADER_LEN.is_multiple_of(ALIGN));
const _: () = assert!(HEADER_LEN_FIELD as usize == HEADER_LEN);

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        let mut cum = Counts::default();
        cum.0[1] = 0x0102;
        let mut owners = [0; STREAMS_MAX];
        owners[31] = 0xaabb_ccdd;
        let base = TimeBase {
            boot: 9,
            trusted: true,
            mono_ms: 5,
            wall_ms: 6,
        };
        SegmentHeader {
            ring_id: 0x11,
            generation: 0x22,
            first_seq: 0x33,
            base,
            cum,
            owners,
        }
    }

    #[test]
    fn a_segment_header_has_these_bytes() {
        let bytes = header().encode();
        assert_eq!(bytes[..8], [b'S', b'E', b'G', b'1', 1, 0, 0xc0, 1]);
        assert_eq!(
            (bytes[8], bytes[16], bytes[24], bytes[32]),
            (0x11, 0x22, 0x33, 9)
        );
        assert_eq!(bytes[64..66], [2, 1]);
        assert_eq!(bytes[436..444], [0xdd, 0xcc, 0xbb, 0xaa, 0, 0, 0, 0]);
        assert_eq!(bytes[444..], checksum(0, &bytes[..444]).to_le_bytes());
    }

    #[test]
    fn a_segment_header_reads_back_and_damage_is_noticed() {
        let mut bytes = header().encode();
        assert_eq!(SegmentHeader::decode(&bytes), Some(header()));
        bytes[300] ^= 1;
        assert_eq!(SegmentHeader::decode(&bytes), None);
    }
}
