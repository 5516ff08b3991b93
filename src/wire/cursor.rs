//! What is left to read of bytes that somebody sent: each number is there, or the end has come.

/// What is left to read. Each method takes what it returns off the front; where it is none nothing
/// was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next bytes, if so many are left.
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next bytes, if so many are left.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// The next byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// The next two bytes, the high one first.
    pub(super) fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next three bytes, the high one first.
    pub(super) fn u24_be(&mut self) -> Option<u32> {
        let [high, middle, low] = self.array()?;
        Some(u32::from_be_bytes([0, high, middle, low]))
    }

    /// The next four bytes, the high one first.
    pub(super) fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes, the high one first.
    pub(super) fn u64_be(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Whether all of it was read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_is_not_taken() {
        let mut rest = Cursor(&[1, 2, 3, 4, 5]);
        assert_eq!(rest.u24_be(), Some(0x01_02_03));
        assert_eq!(
            (rest.u32_be(), rest.u24_be(), rest.bytes(3)),
            (None, None, None)
        );
        assert_eq!((rest.u8(), rest.u16_be()), (Some(4), None));
        assert_eq!((rest.bytes(1), rest.is_empty()), (Some(&[5][..]), true));
    }
}
