//! Packed decimals (BCD): two digits in each byte, the first in its high half, as trackers write
//! dates and numbers of cards.

/// The digits as text, two a byte, zeros in front of them included; none where a half is no digit.
pub(super) fn decimals(bytes: &[u8]) -> Option<String> {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    halves
        .map(|half| char::from_digit(half.into(), 10))
        .collect()
}

/// The number of one byte, 0 to 99; none where a half is no digit.
pub(super) fn decimal(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens <= 9 && ones <= 9).then(|| tens.saturating_mul(10).saturating_add(ones))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decimal_digits_are_decimals() {
        assert_eq!(decimals(&[0x09, 0x90]).as_deref(), Some("0990"));
        assert_eq!(decimals(&[0x09, 0x9A]), None);
        assert_eq!(
            (decimal(0x59), decimal(0x5A), decimal(0xA5)),
            (Some(59), None, None)
        );
    }
}
