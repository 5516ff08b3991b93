//! Bytes read from their head on, integers big-endian: what packets of trackers are made of.

/// What is left to read. Each reading takes its bytes, or nothing where there are too few.
#[derive(Clone, Copy, Debug)]
pub(super) struct BigEndian<'a>(pub(super) &'a [u8]);

impl<'a> BigEndian<'a> {
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.chunk().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    pub(super) fn u24(&mut self) -> Option<u32> {
        let [high, middle, low] = self.chunk()?;
        Some(u32::from_be_bytes([0, high, middle, low]))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_be_bytes)
    }

    pub(super) fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// The digits of packed decimals, two a byte; none where a half is no digit.
pub(super) fn decimals(bytes: &[u8]) -> Option<String> {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    halves
        .map(|half| char::from_digit(half.into(), 10))
        .collect()
}

/// The number of packed decimals of one byte; none where a half is no digit.
pub(super) fn decimal(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens <= 9 && ones <= 9).then(|| tens.saturating_mul(10).saturating_add(ones))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_is_not_taken() {
        let mut rest = BigEndian(&[1, 2, 3, 4, 5]);
        assert_eq!(rest.u24(), Some(0x01_02_03));
        assert_eq!((rest.u32(), rest.u24(), rest.bytes(3)), (None, None, None));
        assert_eq!((rest.u8(), rest.u16()), (Some(4), None));
        assert_eq!((rest.bytes(1), rest.0.is_empty()), (Some(&[5][..]), true));
    }

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
