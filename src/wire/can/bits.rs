//! Where the bits of a signal are, and the number that they are.
//!
//! Bit n is in byte n / 8, bit 0 the lowest of a byte. From the low end (Intel, `@1` of a DBC) a
//! signal begins at its lowest bit and goes up. From the high end (Motorola, `@0`) it begins at its
//! *highest* bit, goes down in the byte, and on at bit 7 of the next one.

use super::DATA_MAX;

/// The place of a signal in the data of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    start: u16,
    length: u8,
    order: Order,
}

/// Which end of a signal comes first, and is where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Little-endian (Intel): it begins at its lowest bit.
    LowFirst,
    /// Big-endian (Motorola): it begins at its highest bit.
    HighFirst,
}

/// How the bits of a signal are a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Without a sign.
    Unsigned,
    /// In two's complement of its length.
    Signed,
    /// IEEE 754 of 32 or 64 bits.
    Float,
}

impl Bits {
    /// The place of `length` bits that begins at bit `start`. None where these are not 1 to 64, or
    /// reach beyond [`DATA_MAX`] bytes.
    #[must_use]
    pub const fn new(start: u16, length: u8, order: Order) -> Option<Self> {
        let bits = Self {
            start,
            length,
            order,
        };
        let known = length > 0 && length <= 64 && (start as usize) < BITS_MAX;
        if known && bits.end() <= BITS_MAX {
            Some(bits)
        } else {
            None
        }
    }

    /// How many bits it has, 1 to 64.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// How many bytes of data it needs: of a shorter frame it is no part.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.end().div_ceil(8)
    }

    /// The bits as a number without a sign, for its [`Form`] to be looked at; none where they reach
    /// beyond the data.
    #[must_use]
    pub fn of(self, data: &[u8]) -> Option<u64> {
        let bytes = data.get(usize::from(self.start / 8)..self.bytes())?;
        // at most 9 bytes
        let put = |bits: u128, byte: &u8| bits.wrapping_shl(8) | u128::from(*byte);
        let (bits, below) = match self.order {
            Order::LowFirst => (bytes.iter().rev().fold(0, put), usize::from(self.start % 8)),
            Order::HighFirst => {
                let all = bytes.len().saturating_mul(8);
                (bytes.iter().fold(0, put), all.saturating_sub(self.span()))
            }
        };
        let bits = bits.checked_shr(u32::try_from(below).ok()?)?;
        let mask = u64::MAX.checked_shr(64_u32.checked_sub(self.length.into())?)?;
        u64::try_from(bits & u128::from(mask)).ok()
    }

    /// One bit behind the last, counted from the first bit of the data in its order.
    const fn end(self) -> usize {
        (self.start as usize / 8)
            .saturating_mul(8)
            .saturating_add(self.span())
    }

    /// Bits from the edge of its first byte to its end.
    const fn span(self) -> usize {
        let before = match self.order {
            Order::LowFirst => self.start % 8,
            Order::HighFirst => 7_u16.saturating_sub(self.start % 8),
        };
        (before as usize).saturating_add(self.length as usize)
    }
}

impl Form {
    /// Whether a number of so many bits can be of this form.
    #[must_use]
    pub const fn fits(self, length: u8) -> bool {
        match self {
            Self::Unsigned | Self::Signed => true,
            Self::Float => matches!(length, 32 | 64),
        }
    }
}

const BITS_MAX: usize = DATA_MAX.saturating_mul(8);

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;

    const DATA: [u8; 8] = [0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF];

    fn bits(start: u16, length: u8, order: Order) -> Option<u64> {
        Bits::new(start, length, order).unwrap().of(&DATA)
    }

    /// Bit by bit, as the definition says it.
    fn naive(start: u16, length: u8, order: Order) -> Option<u64> {
        let bit = |at: u16| Some(u64::from(DATA.get(usize::from(at / 8))? >> (at % 8) & 1));
        let mut at = start;
        let mut number = 0;
        for count in 0..length {
            match order {
                Order::LowFirst => {
                    number |= bit(at)? << count;
                    at += 1;
                }
                Order::HighFirst => {
                    number = number << 1 | bit(at)?;
                    at = if at.is_multiple_of(8) {
                        at + 15
                    } else {
                        at - 1
                    };
                }
            }
        }
        Some(number)
    }

    #[test]
    fn it_agrees_with_its_definition() {
        for start in 0..80 {
            for length in 1..=64 {
                for order in [Order::LowFirst, Order::HighFirst] {
                    let expected = naive(start, length, order);
                    assert_eq!(
                        bits(start, length, order),
                        expected,
                        "{start} {length} {order:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn it_lies_in_a_frame_or_is_none() {
        use Order::HighFirst;
        use Order::LowFirst;
        for (start, length, order, fits) in [
            (511, 1, LowFirst, true),
            (511, 2, LowFirst, false),
            (504, 1, HighFirst, true),
            (504, 2, HighFirst, false),
            (512, 1, HighFirst, false),
            (u16::MAX, 64, LowFirst, false),
            (0, 0, LowFirst, false),
            (0, 65, LowFirst, false),
        ] {
            let is_one = Bits::new(start, length, order).is_some();
            assert_eq!(is_one, fits, "{start} {length} {order:?}");
        }
    }
}
