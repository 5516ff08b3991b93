//! CRC-32C, which tells what was written from what was not. Knows no structure.
//!
//! All that waits is summed when it is written and again when it is read, so it is done by words
//! of four bytes: for 3 KiB more of tables a third less than byte by byte. Sixteen bytes at once
//! would need 16 KiB, and the processor's own instruction `unsafe`.

#![deny(clippy::arithmetic_side_effects)]

/// CRC-32C of `bytes` from an initial value: distinct initial values give distinct sums for the
/// same bytes, so what an older lap left behind can never pass for the present one.
pub(super) fn checksum(initial: u32, bytes: &[u8]) -> u32 {
    let [last, third, second, first] = &TABLES;
    let (words, rest) = bytes.as_chunks();
    let mut sum = initial.reverse_bits();
    for word in words {
        let [a, b, c, d] = (sum ^ u32::from_le_bytes(*word)).to_le_bytes();
        sum = at(first, a) ^ at(second, b) ^ at(third, c) ^ at(last, d);
    }
    for byte in rest {
        let [low, ..] = sum.to_le_bytes();
        sum = at(last, low ^ byte) ^ (sum >> 8);
    }
    !sum
}

/// CRC-32C as everybody has it.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    checksum(u32::MAX, bytes)
}

/// A table has a place for each byte: nothing is compared.
fn at(table: &[u32; 256], byte: u8) -> u32 {
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

/// What a byte makes of a sum: the last of a word, and those with one, two and three behind them.
static TABLES: [[u32; 256]; 4] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "only the compiler runs it"
)]
const fn tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut place: u32 = 0;
    while place < 4 * 256 {
        let (behind, byte) = (place / 256, place % 256);
        let mut sum = byte;
        let mut bits = 8 * (behind + 1);
        while bits > 0 {
            let carry = (sum & 1) * POLYNOMIAL;
            sum = (sum >> 1) ^ carry;
            bits -= 1;
        }
        tables[behind as usize][byte as usize] = sum;
        place += 1;
    }
    tables
}

/// That of Castagnoli, with the lowest bit first.
const POLYNOMIAL: u32 = 0x82f6_3b78;

#[cfg(test)]
mod tests {
    use super::*;
    use crc::CRC_32_ISCSI;
    use crc::Crc;

    #[test]
    fn it_is_what_others_make_of_the_same_bytes() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        let judge = Crc::<u32>::new(&CRC_32_ISCSI);
        let bytes: Vec<u8> = (0..600_u32)
            .map(|n| (n * n + n / 7).to_le_bytes()[0])
            .collect();
        for initial in [0, 1, u32::MAX, 0x8000_0000, 0x1234_5678] {
            for (start, len) in (0..5).flat_map(|start| (0..70).map(move |len| (start, len))) {
                let part = &bytes[start..start + len];
                let mut digest = judge.digest_with_initial(initial);
                digest.update(part);
                assert_eq!(checksum(initial, part), digest.finalize(), "{start} {len}");
            }
        }
        assert_eq!(crc32c(&bytes), judge.checksum(&bytes));
    }
}
