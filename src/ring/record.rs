//! A record as bytes: its header, the body behind it, nothing of where it stands.
//!
//! ```text
//!  0            4            8      10     11      12           16        20           24
//!  | hcrc u32   | dcrc u32   | len  | kind | commit | seq u32   | mask    | elapsed    | body …
//! ```
//! - `hcrc`: CRC-32C of bytes 4 to 24, begun with the segment's seed; `dcrc`: of the body, begun
//!   with 0.
//! - `len`: bytes of the body; zeros follow it up to a multiple of 4.
//! - `kind`: low two bits 1 data, 2 pad, 3 mark; the next five count marks, see [`TimeBase`].
//! - `commit`: the low bits of the commit's number: what follows a hole and is of a later commit
//!   proves that the hole was once whole.
//! - `seq`: the low half of the sequence number; of a pad or mark that of the record before.
//! - `elapsed`: milliseconds after the last mark, by the monotonic clock.
//!
//! A pad's body is whatever was there before. A mark's body is a [`TimeBase`].

#![deny(clippy::arithmetic_side_effects)]

use super::checksum::checksum;
use super::format::BODY_MAX;
use super::format::put;
use super::format::u16_at;
use super::format::u32_at;
use super::format::u64_at;

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) body_checksum: u32,
    pub(super) len: u16,
    pub(super) kind: RecordKind,
    /// Which mark of the segment `elapsed_ms` counts from, modulo [`MARKS`]; 0 is the segment's
    /// own. A reader that missed the mark knows by it that it does not know the time.
    pub(super) mark: u8,
    pub(super) commit: u8,
    pub(super) seq_low: u32,
    pub(super) mask: u32,
    pub(super) elapsed_ms: u32,
}

/// What a record is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    /// A message.
    Data,
    /// Nothing: covers what a power cut tore.
    Pad,
    /// A new [`TimeBase`].
    Mark,
}

impl RecordHeader {
    /// Reads the header at the head of `bytes`; none where there is none of this seed.
    pub(super) fn decode(bytes: &[u8], seed: u32) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_LEN>()?;
        // The cheap question first: a search for the next record asks it at every fourth byte.
        let kind = RecordKind::decode(bytes[KIND] & 3)?;
        let whole = bytes.get(BODY_CHECKSUM..)?;
        if checksum(seed, whole) != u32_at(bytes, HEADER_CHECKSUM) {
            return None;
        }
        Some(Self {
            body_checksum: u32_at(bytes, BODY_CHECKSUM),
            len: u16_at(bytes, LEN),
            kind,
            mark: bytes[KIND] >> 2 & (MARKS - 1),
            commit: bytes[COMMIT],
            seq_low: u32_at(bytes, SEQ),
            mask: u32_at(bytes, MASK),
            elapsed_ms: u32_at(bytes, ELAPSED),
        })
    }

    /// Its bytes.
    pub(super) fn encode(&self, seed: u32) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        put(&mut bytes, BODY_CHECKSUM, &self.body_checksum.to_le_bytes());
        put(&mut bytes, LEN, &self.len.to_le_bytes());
        bytes[KIND] = self.kind.encode() | (self.mark & (MARKS - 1)) << 2;
        bytes[COMMIT] = self.commit;
        put(&mut bytes, SEQ, &self.seq_low.to_le_bytes());
        put(&mut bytes, MASK, &self.mask.to_le_bytes());
        put(&mut bytes, ELAPSED, &self.elapsed_ms.to_le_bytes());
        let sum = checksum(seed, bytes.get(BODY_CHECKSUM..).unwrap_or_default());
        put(&mut bytes, HEADER_CHECKSUM, &sum.to_le_bytes());
        bytes
    }

    /// Appends header, `body` and zeros to `out`; `len` and `body_checksum` are filled in.
    /// Precondition: the body is not longer than [`BODY_MAX`].
    pub(super) fn write(mut self, seed: u32, body: &[u8], out: &mut Vec<u8>) {
        debug_assert!(body.len() <= BODY_MAX, "longer bodies are refused before");
        self.len = u16::try_from(body.len()).unwrap_or(u16::MAX);
        self.body_checksum = body_checksum(body);
        let end = out.len().saturating_add(frame_len(body.len()));
        out.extend_from_slice(&self.encode(seed));
        out.extend_from_slice(body);
        out.resize(end, 0);
    }

    /// Bytes of header, body and zeros.
    pub(super) fn frame_len(&self) -> usize {
        frame_len(usize::from(self.len))
    }
}

impl RecordKind {
    fn decode(bits: u8) -> Option<Self> {
        match bits {
            1 => Some(Self::Data),
            2 => Some(Self::Pad),
            3 => Some(Self::Mark),
            _ => None,
        }
    }

    fn encode(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::Pad => 2,
            Self::Mark => 3,
        }
    }
}

/// What the times of records count from. Written once for each segment, and again as a mark
/// where the boot, the trust in the clock or the date changes.
///
/// ```text
/// | boot u32 | trusted u32 | mono_ms u64 | wall_ms u64 |
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TimeBase {
    /// Which opening of the ring this was.
    pub(super) boot: u32,
    /// Whether `wall_ms` could be believed.
    pub(super) trusted: bool,
    /// By the monotonic clock of that boot.
    pub(super) mono_ms: u64,
    /// Since 1970.
    pub(super) wall_ms: u64,
}

impl TimeBase {
    /// Reads one; none if there are not enough bytes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<BASE_LEN>()?;
        Some(Self {
            boot: u32_at(bytes, 0),
            trusted: u32_at(bytes, 4) & 1 != 0,
            mono_ms: u64_at(bytes, 8),
            wall_ms: u64_at(bytes, 16),
        })
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> [u8; BASE_LEN] {
        let mut bytes = [0; BASE_LEN];
        put(&mut bytes, 0, &self.boot.to_le_bytes());
        put(&mut bytes, 4, &u32::from(self.trusted).to_le_bytes());
        put(&mut bytes, 8, &self.mono_ms.to_le_bytes());
        put(&mut bytes, 16, &self.wall_ms.to_le_bytes());
        bytes
    }
}

/// Bytes of a record with a body of `len`.
pub(super) fn frame_len(len: usize) -> usize {
    len.saturating_add(HEADER_LEN).next_multiple_of(ALIGN)
}

/// What the header says of its body.
pub(super) fn body_checksum(body: &[u8]) -> u32 {
    checksum(0, body)
}

/// Bytes before the body.
pub(super) const HEADER_LEN: usize = 24;
/// Bytes of a [`TimeBase`].
pub(super) const BASE_LEN: usize = 24;
/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 4;
/// Mark numbers in a header.
pub(super) const MARKS: u8 = 32;

const HEADER_CHECKSUM: usize = 0;
const BODY_CHECKSUM: usize = 4;
const LEN: usize = 8;
const KIND: usize = 10;
const COMMIT: usize = 11;
const SEQ: usize = 12;
const MASK: usize = 16;
const ELAPSED: usize = 20;

const _: () = assert!(ELAPSED + 4 == HEADER_LEN && HEADER_LEN.is_multiple_of(ALIGN));

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> RecordHeader {
        RecordHeader {
            body_checksum: 0,
            len: 0,
            kind: RecordKind::Data,
            mark: 5,
            commit: 0xc0,
            seq_low: 0x0403_0201,
            mask: 0x8000_0001,
            elapsed_ms: 0x1234,
        }
    }

    #[test]
    fn a_record_has_these_bytes() {
        let mut bytes = Vec::new();
        header().write(0x5eed, b"hello", &mut bytes);
        assert_eq!(bytes[4..8], body_checksum(b"hello").to_le_bytes());
        assert_eq!(
            bytes[8..24],
            [
                5, 0, 0x15, 0xc0, 1, 2, 3, 4, 1, 0, 0, 0x80, 0x34, 0x12, 0, 0
            ]
        );
        assert_eq!(bytes[24..], *b"hello\0\0\0");
        assert_eq!(bytes[..4], checksum(0x5eed, &bytes[4..24]).to_le_bytes());
    }

    #[test]
    fn a_record_reads_back_under_its_own_seed_only() {
        let mut bytes = Vec::new();
        header().write(1, b"abc", &mut bytes);
        let read = RecordHeader::decode(&bytes, 1).unwrap();
        assert_eq!((read.len, read.mark, read.frame_len()), (3, 5, bytes.len()));
        assert_eq!(RecordHeader::decode(&bytes, 2), None);
    }

    #[test]
    fn every_single_flipped_bit_of_a_header_is_noticed() {
        let mut bytes = Vec::new();
        header().write(1, b"abc", &mut bytes);
        for bit in 0..HEADER_LEN * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHeader::decode(&damaged, 1), None, "bit {bit}");
        }
    }

    #[test]
    fn a_base_reads_back() {
        let base = TimeBase {
            boot: 3,
            trusted: true,
            mono_ms: 4,
            wall_ms: 1 << 40,
        };
        assert_eq!(TimeBase::decode(&base.encode()), Some(base));
    }
}
