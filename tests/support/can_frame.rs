//! Frames of CAN as the kernel writes them.

/// A frame that is not of CAN FD.
pub(crate) fn frame(id: u32, data: &[u8]) -> Vec<u8> {
    let id = match cfg!(target_endian = "little") {
        true => id.to_le_bytes(),
        false => id.to_be_bytes(),
    };
    let mut bytes = [&id[..], &[8, 0, 0, 0], data].concat();
    bytes.resize(16, 0);
    bytes
}
