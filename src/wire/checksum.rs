//! The checksum of NMEA's sentences and TAG blocks, which GpsGate and JT/T 808 took over.

/// The exclusive or of all bytes; 0 of none.
#[must_use]
pub(crate) fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}
