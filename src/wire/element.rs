//! Readings that trackers number: an id and a value of some width, as Teltonika, Ruptela and
//! Galileosky send them.

/// One reading of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// What it is, after the list of the device's maker.
    pub id: u16,
    /// What it was when the record was made.
    pub value: ElementValue<'a>,
}

/// The value of an element as it was sent, its unit and scale those of its id. Whether a number has
/// a sign depends on the id, too: see [`ElementValue::unsigned`] and [`ElementValue::signed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementValue<'a> {
    /// A number of one byte.
    U8(u8),
    /// A number of two bytes.
    U16(u16),
    /// A number of four bytes.
    U32(u32),
    /// A number of eight bytes.
    U64(u64),
    /// What is no number of these widths: text, a mask, a list; of any length, also none.
    Bytes(&'a [u8]),
}

impl ElementValue<'_> {
    /// The number without a sign; none for bytes.
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

    /// How many bytes it has, 0 or more.
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
