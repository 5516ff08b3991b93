//! A slot: what the ring remembers beside its records, written as a whole into one of two places
//! in turn, so that a torn one leaves the other.
//!
//! ```text
//!   0 magic "RNG1"  4 version u16  6 incompatible flags u16   8 ring id u64
//!  16 slot generation u64
//!  24 segment length u32  28 segment count u32  32 reserved seq u64
//!  40 clean u8  41 stream count u8  42 stream length u16  44 boot u32  48 last trusted date ms u64
//!  56 active segment u64  64 asked size u64
//!  72 boots: 12 × { boot u32, date of its monotonic zero ms u64 }
//! 216 streams: 32 × 120, see below
//! 4056 overruled seq u64: what records below say of the date does not count; 0 by older versions
//! 4092 CRC-32C of all before, begun with 0
//!
//! stream: 0 name, 32 bytes, zeros behind  32 state u8 (0 free, 1 attached, 2 removed)  33 flags u8
//!         40 attach seq u64  48 cursor seq u64  56 cursor ordinal u64
//!         64 accepted  72 filtered  80 expired  88 by hand  96 given up  104 dropped  112 corrupt
//! ```
//! A removed stream keeps in `cursor seq` the generation after which its bit may be given away.

#![deny(clippy::arithmetic_side_effects)]

use super::checksum::checksum;
use super::format::COUNT_MAX;
use super::format::Geometry;
use super::format::NUMBER_MAX;
use super::format::SLOT_LEN;
use super::format::STREAMS_MAX;
use super::format::VERSION;
use super::format::bytes_at;
use super::format::put;
use super::format::u16_at;
use super::format::u32_at;
use super::format::u64_at;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) ring_id: u64,
    /// The larger of two is the newer.
    pub(super) generation: u64,
    pub(super) geometry: Geometry,
    /// No number from here on was ever given away.
    pub(super) reserved: u64,
    /// Whether the ring was closed; then `reserved` is the next number exactly.
    pub(super) clean: bool,
    /// How often the ring was opened.
    pub(super) boot: u32,
    /// The last date that could be believed.
    pub(super) trusted_ms: u64,
    /// Records below were received before an earlier date than theirs was believed.
    pub(super) overruled: u64,
    /// The segment written to at the time: a hint for people.
    pub(super) active: u64,
    /// The size that the configuration asked for.
    pub(super) asked: u64,
    /// When boots began, oldest first.
    pub(super) boots: Vec<Boot>,
    /// By bit.
    pub(super) streams: Vec<Option<SavedStream>>,
}

/// When the monotonic clock of a boot began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    /// Which.
    pub(super) number: u32,
    /// The date at its zero; the clock could be believed when it was taken.
    pub(super) zero_ms: u64,
}

/// A stream as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SavedStream {
    /// At most [`NAME_MAX`] bytes.
    pub(super) name: String,
    pub(super) state: BitState,
    /// Whether it reads below `attach_seq`.
    pub(super) from_oldest: bool,
    pub(super) attach_seq: u64,
    /// The first record that it has not settled, or one before.
    pub(super) cursor_seq: u64,
    /// How many records that were written for it lie before the cursor.
    pub(super) cursor_ord: u64,
    pub(super) tally: StreamTally,
}

/// Whether a bit of the masks is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BitState {
    /// Yes.
    Attached,
    /// No, but masks on disk still have it.
    Removed,
}

/// What became of what a stream wanted, so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StreamTally {
    pub(super) accepted: u64,
    pub(super) filtered: u64,
    pub(super) expired: u64,
    pub(super) by_hand: u64,
    pub(super) given_up: u64,
    pub(super) dropped: u64,
    pub(super) corrupt: u64,
}

/// Why bytes are no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotError {
    /// Zeros only.
    Blank,
    /// It says to be of a later version.
    Newer,
    /// Anything else: damaged, or never a slot.
    Damaged,
}

impl Slot {
    /// Reads one.
    ///
    /// # Errors
    /// What the bytes are instead.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SlotError> {
        let bytes = bytes.first_chunk::<SLOT_LEN>().ok_or(SlotError::Damaged)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(SlotError::Blank);
        }
        if bytes_at(bytes, MAGIC_AT) != MAGIC {
            return Err(SlotError::Damaged);
        }
        let sound = u32_at(bytes, CHECKSUM) == checksum(0, bytes.split_at(CHECKSUM).0);
        if sound && (u16_at(bytes, VERSION_AT) > VERSION || u16_at(bytes, FLAGS) != 0) {
            return Err(SlotError::Newer);
        }
        if !sound || u16_at(bytes, STREAM_LEN_AT) != STREAM_LEN_FIELD {
            return Err(SlotError::Damaged);
        }
        let slot = Self::fields(bytes);
        match slot.can_be() {
            true => Ok(slot),
            false => Err(SlotError::Damaged),
        }
    }

    /// Whether one can have come so far.
    fn can_be(&self) -> bool {
        let mut streams = self.streams.iter().flatten();
        let newest = self.generation.max(self.reserved).max(self.active);
        newest <= NUMBER_MAX && streams.all(SavedStream::can_be)
    }

    fn fields(bytes: &[u8; SLOT_LEN]) -> Self {
        let segment_len = u32_at(bytes, SEGMENT_LEN);
        let segment_count = u32_at(bytes, SEGMENT_COUNT);
        Self {
            ring_id: u64_at(bytes, RING_ID),
            generation: u64_at(bytes, GENERATION),
            geometry: Geometry {
                segment_len,
                segment_count,
            },
            reserved: u64_at(bytes, RESERVED),
            clean: bytes[CLEAN] == 1,
            boot: u32_at(bytes, BOOT),
            trusted_ms: u64_at(bytes, TRUSTED),
            overruled: u64_at(bytes, OVERRULED),
            active: u64_at(bytes, ACTIVE),
            asked: u64_at(bytes, ASKED),
            boots: chunks(bytes, BOOTS, BOOT_LEN, BOOTS_MAX)
                .filter_map(Boot::decode)
                .collect(),
            streams: chunks(bytes, STREAMS, STREAM_LEN, STREAMS_MAX)
                .map(SavedStream::decode)
                .collect(),
        }
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; SLOT_LEN];
        put(&mut bytes, MAGIC_AT, &MAGIC);
        put(&mut bytes, VERSION_AT, &VERSION.to_le_bytes());
        put(&mut bytes, RING_ID, &self.ring_id.to_le_bytes());
        put(&mut bytes, GENERATION, &self.generation.to_le_bytes());
        put(
            &mut bytes,
            SEGMENT_LEN,
            &self.geometry.segment_len.to_le_bytes(),
        );
        put(
            &mut bytes,
            SEGMENT_COUNT,
            &self.geometry.segment_count.to_le_bytes(),
        );
        put(&mut bytes, RESERVED, &self.reserved.to_le_bytes());
        let count = self.streams.iter().flatten().count();
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        put(&mut bytes, CLEAN, &[u8::from(self.clean), count]);
        put(&mut bytes, STREAM_LEN_AT, &STREAM_LEN_FIELD.to_le_bytes());
        put(&mut bytes, BOOT, &self.boot.to_le_bytes());
        put(&mut bytes, TRUSTED, &self.trusted_ms.to_le_bytes());
        put(&mut bytes, ACTIVE, &self.active.to_le_bytes());
        put(&mut bytes, OVERRULED, &self.overruled.to_le_bytes());
        put(&mut bytes, ASKED, &self.asked.to_le_bytes());
        for (index, boot) in self.boots.iter().take(BOOTS_MAX).enumerate() {
            let at = index.saturating_mul(BOOT_LEN).saturating_add(BOOTS);
            put(&mut bytes, at, &boot.number.to_le_bytes());
            put(
                &mut bytes,
                at.saturating_add(4),
                &boot.zero_ms.to_le_bytes(),
            );
        }
        for (index, stream) in self.streams.iter().take(STREAMS_MAX).enumerate() {
            let at = index.saturating_mul(STREAM_LEN).saturating_add(STREAMS);
            if let Some(stream) = stream {
                put(&mut bytes, at, &stream.encode());
            }
        }
        let sum = checksum(0, bytes.get(..CHECKSUM).unwrap_or_default());
        put(&mut bytes, CHECKSUM, &sum.to_le_bytes());
        bytes
    }
}

impl Boot {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let boot = Self {
            number: u32_at(bytes, 0),
            zero_ms: u64_at(bytes, 4),
        };
        (boot.number != 0).then_some(boot)
    }
}

impl SavedStream {
    /// Whether a stream can have come so far.
    fn can_be(&self) -> bool {
        let counts = self.tally.to_array();
        let mut counts = counts.iter().chain([&self.cursor_ord]);
        let newest = self.attach_seq.max(self.cursor_seq);
        newest <= NUMBER_MAX && counts.all(|count| *count <= COUNT_MAX)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let state = match bytes.get(STATE)? {
            1 => BitState::Attached,
            2 => BitState::Removed,
            _ => return None,
        };
        let name = bytes.get(..NAME_MAX)?.split(|byte| *byte == 0).next()?;
        Some(Self {
            name: String::from_utf8(name.to_vec()).ok()?,
            state,
            from_oldest: bytes.get(STREAM_FLAGS)? & 1 != 0,
            attach_seq: u64_at(bytes, 40),
            cursor_seq: u64_at(bytes, 48),
            cursor_ord: u64_at(bytes, 56),
            tally: StreamTally::from_array(std::array::from_fn(|index| {
                u64_at(bytes, tally_at(index))
            })),
        })
    }

    fn encode(&self) -> [u8; STREAM_LEN] {
        let mut bytes = [0; STREAM_LEN];
        let name = self.name.as_bytes();
        put(&mut bytes, 0, name.get(..NAME_MAX).unwrap_or(name));
        bytes[STATE] = match self.state {
            BitState::Attached => 1,
            BitState::Removed => 2,
        };
        bytes[STREAM_FLAGS] = u8::from(self.from_oldest);
        put(&mut bytes, 40, &self.attach_seq.to_le_bytes());
        put(&mut bytes, 48, &self.cursor_seq.to_le_bytes());
        put(&mut bytes, 56, &self.cursor_ord.to_le_bytes());
        for (index, value) in self.tally.to_array().iter().enumerate() {
            put(&mut bytes, tally_at(index), &value.to_le_bytes());
        }
        bytes
    }
}

impl StreamTally {
    fn from_array(values: [u64; TALLY]) -> Self {
        let [
            accepted,
            filtered,
            expired,
            by_hand,
            given_up,
            dropped,
            corrupt,
        ] = values;
        Self {
            accepted,
            filtered,
            expired,
            by_hand,
            given_up,
            dropped,
            corrupt,
        }
    }

    fn to_array(self) -> [u64; TALLY] {
        let Self {
            accepted,
            filtered,
            expired,
            by_hand,
            given_up,
            dropped,
            corrupt,
        } = self;
        [
            accepted, filtered, expired, by_hand, given_up, dropped, corrupt,
        ]
    }
}

fn chunks(bytes: &[u8], at: usize, len: usize, count: usize) -> impl Iterator<Item = &[u8]> {
    bytes.get(at..).unwrap_or_default().chunks(len).take(count)
}

fn tally_at(index: usize) -> usize {
    index.saturating_mul(8).saturating_add(64)
}

/// Bytes of a stream's name at most.
pub(super) const NAME_MAX: usize = 32;
/// Boots whose beginning is remembered.
pub(super) const BOOTS_MAX: usize = 12;

const MAGIC: [u8; 4] = *b"RNG1";
const MAGIC_AT: usize = 0;
const VERSION_AT: usize = 4;
const FLAGS: usize = 6;
const RING_ID: usize = 8;
const GENERATION: usize = 16;
const SEGMENT_LEN: usize = 24;
const SEGMENT_COUNT: usize = 28;
const RESERVED: usize = 32;
const CLEAN: usize = 40;
const STREAM_LEN_AT: usize = 42;
const BOOT: usize = 44;
const TRUSTED: usize = 48;
const ACTIVE: usize = 56;
const ASKED: usize = 64;
const BOOTS: usize = 72;
const BOOT_LEN: usize = 12;
const STREAMS: usize = BOOTS + BOOT_LEN * BOOTS_MAX;
const STREAM_LEN: usize = 120;
const STREAM_LEN_FIELD: u16 = 120;
const STATE: usize = NAME_MAX;
const STREAM_FLAGS: usize = NAME_MAX + 1;
const TALLY: usize = 7;
const OVERRULED: usize = STREAMS + STREAM_LEN * STREAMS_MAX;
const CHECKSUM: usize = SLOT_LEN - 4;

const _: () = assert!(OVERRULED + 8 <= CHECKSUM);
const _: () = assert!(64 + 8 * TALLY == STREAM_LEN && STREAM_LEN == STREAM_LEN_FIELD as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> Slot {
        let tally = StreamTally {
            accepted: 1,
            corrupt: 7,
            ..StreamTally::default()
        };
        let stream = SavedStream {
            name: "cloud".to_owned(),
            state: BitState::Attached,
            from_oldest: true,
            attach_seq: 2,
            cursor_seq: 3,
            cursor_ord: 4,
            tally,
        };
        let mut streams = vec![None; STREAMS_MAX];
        streams[2] = Some(stream);
        Slot {
            ring_id: 0x11,
            generation: 5,
            geometry: Geometry {
                segment_len: 8192,
                segment_count: 31,
            },
            reserved: 1 << 20,
            clean: true,
            boot: 6,
            trusted_ms: 7,
            overruled: 10,
            active: 8,
            asked: 256 << 10,
            boots: vec![Boot {
                number: 6,
                zero_ms: 9,
            }],
            streams,
        }
    }

    #[test]
    fn a_slot_has_these_bytes() {
        let bytes = slot().encode();
        assert_eq!(bytes[..9], [b'R', b'N', b'G', b'1', 1, 0, 0, 0, 0x11]);
        assert_eq!(bytes[24..32], [0, 32, 0, 0, 31, 0, 0, 0]);
        assert_eq!(bytes[40..48], [1, 1, 120, 0, 6, 0, 0, 0]);
        assert_eq!((bytes[72], bytes[76]), (6, 9));
        let stream = &bytes[216 + 240..216 + 360];
        assert_eq!(stream[..6], *b"cloud\0");
        assert_eq!(
            (stream[32], stream[33], stream[40], stream[48], stream[56]),
            (1, 1, 2, 3, 4)
        );
        assert_eq!((stream[64], stream[112]), (1, 7));
        assert_eq!(bytes[4056..4064], 10u64.to_le_bytes());
        assert_eq!(bytes[4092..], checksum(0, &bytes[..4092]).to_le_bytes());
    }

    #[test]
    fn a_slot_reads_back_and_damage_is_noticed() {
        let mut bytes = slot().encode();
        assert_eq!(Slot::decode(&bytes), Ok(slot()));
        bytes[1000] ^= 1;
        assert_eq!(Slot::decode(&bytes), Err(SlotError::Damaged));
        assert_eq!(Slot::decode(&[0; SLOT_LEN]), Err(SlotError::Blank));
    }

    #[test]
    fn a_slot_of_a_later_version_says_so() {
        let mut bytes = slot().encode();
        bytes[4] = 2;
        let sum = checksum(0, &bytes[..4092]);
        bytes[4092..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(Slot::decode(&bytes), Err(SlotError::Newer));
    }
}
