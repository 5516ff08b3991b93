//! CRC-32C, which tells what was written from what was not. Knows no structure.

use crc::CRC_32_ISCSI;
use crc::Crc;
use crc::Table;

/// CRC-32C of `bytes` from an initial value: distinct initial values give distinct sums for the
/// same bytes, so what an older lap left behind can never pass for the present one.
pub(super) fn checksum(initial: u32, bytes: &[u8]) -> u32 {
    let mut digest = CRC.digest_with_initial(initial);
    digest.update(bytes);
    digest.finalize()
}

/// CRC-32C as everybody has it.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    checksum(u32::MAX, bytes)
}

/// The small table: sixteen bytes at once would need 16 KiB, for 2 to 3 % of a message.
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_crc32c() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
