//! Streams as bits: each has one of 32, and a mask names any of them.

use super::STREAMS_MAX;

/// A stream's place in the ring's table, and its bit in a [`StreamSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(super) u8);

impl StreamId {
    /// The mask of this stream alone.
    #[must_use]
    pub fn mask(self) -> StreamSet {
        StreamSet(self.bit())
    }

    pub(super) fn bit(self) -> u32 {
        1 << self.0
    }

    /// The place, below [`STREAMS_MAX`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..32).map(Self)
    }

    /// The streams of a mask.
    pub(super) fn of_mask(mask: u32) -> impl Iterator<Item = Self> {
        let mut left = mask;
        std::iter::from_fn(move || {
            let first = u8::try_from(left.trailing_zeros()).ok();
            let first = first.filter(|_| left != 0)?;
            left &= left - 1;
            Some(Self(first))
        })
    }
}

const _: () = assert!(STREAMS_MAX == 32);

/// The streams that want a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamSet(pub u32);

impl StreamSet {
    /// All that there can be.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether it names no stream.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it names this stream.
    #[must_use]
    pub fn has(self, stream: StreamId) -> bool {
        self.0 & stream.bit() != 0
    }

    /// Those of its streams that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those streams.
    pub fn streams(self) -> impl Iterator<Item = StreamId> {
        StreamId::of_mask(self.0)
    }
}

impl std::ops::BitOr for StreamSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_streams_of_its_bits_in_order() {
        for mask in [0, 1, 0x8000_0000, 0x8421_0008, 0x7fff_fffe, u32::MAX] {
            let all = StreamId::all().filter(|id| mask & id.bit() != 0);
            assert!(StreamSet(mask).streams().eq(all), "{mask:x}");
        }
    }
}
