//! Where a packet ends: its fixed header, which is the same in all versions (MQTT 5.0, 2.1.4).

use crate::stream::DeliveryError;
use crate::stream::IN_MAX;

/// What stands at the head of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The beginning of a packet.
    Part,
    /// A packet of so many bytes.
    Whole(usize),
    /// The beginning of a publish of so many bytes, which are more than are ever kept. A session
    /// that somebody subscribed with before brings such.
    Foreign(usize),
}

/// Finds the end of the first packet.
///
/// # Errors
/// A length of more than four bytes, and a packet that is too long for what it is.
pub(super) fn frame(input: &[u8]) -> Result<Frame, DeliveryError> {
    let (Some(first), mut rest) = (input.first(), 0) else {
        return Ok(Frame::Part);
    };
    for index in 0..LEN_LEN_MAX {
        let Some(byte) = input.get(1 + index) else {
            return Ok(Frame::Part);
        };
        rest |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let len = 2 + index + rest;
            return match len {
                ..=IN_MAX if input.len() < len => Ok(Frame::Part),
                ..=IN_MAX => Ok(Frame::Whole(len)),
                _ if first >> 4 == PUBLISH => Ok(Frame::Foreign(len)),
                _ => Err(DeliveryError::new(
                    0,
                    format!("MQTT: a packet of {len} bytes"),
                )),
            };
        }
    }
    Err(DeliveryError::new(
        0,
        "MQTT: the length of a packet has no end",
    ))
}

/// Bytes of a length at most.
const LEN_LEN_MAX: usize = 4;

/// The type of a publish.
const PUBLISH: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_ends_where_its_length_says() {
        assert_eq!(frame(b""), Ok(Frame::Part));
        assert_eq!(frame(b"\xd0"), Ok(Frame::Part));
        assert_eq!(frame(b"\xd0\x00\xd0"), Ok(Frame::Whole(2)));
        assert_eq!(frame(b"\x40\x02\x00"), Ok(Frame::Part));
        assert_eq!(frame(b"\x40\x02\x00\x01"), Ok(Frame::Whole(4)));
        let long = [&b"\x40\xff\x01"[..], &[0; 255]].concat();
        assert_eq!(frame(&long), Ok(Frame::Whole(258)));
        assert_eq!(frame(b"\x30\xff\xff\x7f"), Ok(Frame::Foreign(2_097_155)));
        assert!(frame(b"\x40\xff\xff\x7f").is_err());
        assert!(frame(b"\x30\xff\xff\xff\xff\x01").is_err());
    }
}
