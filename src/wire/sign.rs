//! Numbers below zero, in the two ways in which protocols write them.

/// The number that the lowest `length` bits are in two's complement; `length` is 1 to 64, and the
/// bits above it do not count.
pub(crate) fn twos_complement(bits: u64, length: u8) -> i64 {
    let unused = 64_u32.saturating_sub(length.into());
    bits.wrapping_shl(unused).cast_signed().wrapping_shr(unused)
}

/// The number whose sign stands elsewhere, as that of trackers that say which half of the Earth
/// they are on.
pub(super) fn sign_and_magnitude(is_negative: bool, magnitude: u32) -> i64 {
    let number = i64::from(magnitude);
    if is_negative {
        number.saturating_neg()
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_that_of_the_length() {
        for (bits, length, number) in [
            (0xFFF, 12, -1),
            (0x7FF, 12, 2047),
            (0xF7FF, 12, 2047),
            (0x800, 12, -2048),
            (1, 1, -1),
            (u64::MAX, 64, -1),
            (1 << 63, 64, i64::MIN),
        ] {
            assert_eq!(twos_complement(bits, length), number, "{bits:x} {length}");
        }
    }

    #[test]
    fn a_sign_that_stands_elsewhere_leaves_the_number_as_it_is() {
        assert_eq!(sign_and_magnitude(false, u32::MAX), 0xFFFF_FFFF);
        assert_eq!(sign_and_magnitude(true, u32::MAX), -0xFFFF_FFFF);
        assert_eq!(sign_and_magnitude(true, 0), 0);
    }
}
