//! The checksum of NMEA, and of others who took it over.

/// The exclusive or of all bytes.
#[must_use]
pub(crate) fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}
