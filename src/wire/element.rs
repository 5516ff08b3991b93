//! Readings that trackers number: an id and a value of some width.

/// One reading of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// What it is, after the device's own list.
    pub id: u16,
    /// What it was.
    pub value: ElementValue<'a>,
}

/// The value of an element as it was sent. Whether it has a sign depends on the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementValue<'a> {
    /// Of width 1.
    U8(u8),
    /// Of width 2.
    U16(u16),
    /// Of width 4.
    U32(u32),
    /// Of width 8.
    U64(u64),
    /// Of any length.
    Bytes(&'a [u8]),
}

impl ElementValue<'_> {
    /// The number as it stands; none for bytes.
    #[must_use]
    pub const fn unsigned(self) -> Option<u64> {
        match self {
            Self::U8(number) => Some(number as u64),
            Self::U16(number) => Some(number as u64),
            Self::U32(number) => Some(number as u64),
            Self::U64(number) => Some(number),
            Self::Bytes(_) => None,
        }
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::U8(_) => 1,
            Self::U16(_) => 2,
            Self::U32(_) => 4,
            Self::U64(_) => 8,
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// The number in two's complement of its width; none for bytes.
    #[must_use]
    pub const fn signed(self) -> Option<i64> {
        match self {
            Self::U8(number) => Some(number.cast_signed() as i64),
            Self::U16(number) => Some(number.cast_signed() as i64),
            Self::U32(number) => Some(number.cast_signed() as i64),
            Self::U64(number) => Some(number.cast_signed()),
            Self::Bytes(_) => None,
        }
    }
}
