//! Arbitrary bytes as a source of decisions, and what formats are made of.

/// Reads decisions from the front of what it has; zeros when there is nothing left.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl<'a> Source<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// Four bytes, little-endian.
    pub(crate) fn word(&mut self) -> u32 {
        (0..4).fold(0, |word, at| word | u32::from(self.byte()) << (8 * at))
    }

    /// The next `count` bytes, or what there is of them.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// CRC-32C bit by bit, from an initial value.
pub(crate) fn crc32c(initial: u32, bytes: &[u8]) -> u32 {
    let mut crc = initial.reverse_bits();
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}
