//! What a device passes on from its serial port, in packets of the codecs 12, 13 and 15.
//!
//! A card reader, a scale or a terminal in the vehicle speaks to the device, and the device sends
//! what it heard without having been asked. The answers to commands look the same.

use super::PacketError;

/// What came through a serial port, or the answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialData<'a> {
    /// When the device heard it, seconds since 1970 UTC; codec 12 does not say.
    pub time_s: Option<u32>,
    /// As it was heard: text or not.
    pub bytes: &'a [u8],
}

impl<'a> SerialData<'a> {
    /// Reads the data of a packet, from the codec to the second count; none: another codec.
    ///
    /// # Errors
    /// [`PacketError::Length`] when a length in it is not true.
    pub fn decode(data: &'a [u8]) -> Result<Option<Self>, PacketError> {
        let (has_time, has_imei) = match data.first() {
            Some(&CODEC_12) => (false, false),
            Some(&CODEC_13) => (true, false),
            Some(&CODEC_15) => (true, true),
            _ => return Ok(None),
        };
        // codec, count and kind; then the length of what stands before the second count
        let rest = data.get(3..).ok_or(PacketError::Length)?;
        let (len, rest) = rest.split_first_chunk().ok_or(PacketError::Length)?;
        let (_count, mut bytes) = rest.split_last().ok_or(PacketError::Length)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| PacketError::Length)?;
        if len != bytes.len() {
            return Err(PacketError::Length);
        }
        let mut time_s = None;
        if has_time {
            let (time, behind) = bytes.split_first_chunk().ok_or(PacketError::Length)?;
            time_s = Some(u32::from_be_bytes(*time));
            bytes = behind;
        }
        if has_imei {
            bytes = bytes.get(IMEI_LEN..).ok_or(PacketError::Length)?;
        }
        Ok(Some(Self { time_s, bytes }))
    }
}

/// Without a time.
const CODEC_12: u8 = 0x0C;

/// With a time.
const CODEC_13: u8 = 0x0D;

/// With a time and the device's IMEI, which the login has told already.
const CODEC_15: u8 = 0x0F;

/// Bytes of an IMEI in two digits a byte.
const IMEI_LEN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_codec_says_when_as_far_as_it_knows() {
        let cases: [(&[u8], _, &[u8]); 4] = [
            (b"\x0c\x01\x06\0\0\0\x02hi\x01", None, b"hi"),
            (b"\x0c\x01\x06\0\0\0\0\x01", None, b""),
            (b"\x0d\x01\x06\0\0\0\x06\0\0\0\x07hi\x01", Some(7), b"hi"),
            // the vendor's example
            (
                b"\x0f\x01\x0b\0\0\0\x13\x65\x4b\x65\xa4\x01\x23\x45\x67\x89\x12\x34\x56\
                    hello!\n\x01",
                Some(0x654B_65A4),
                b"hello!\n",
            ),
        ];
        for (data, time_s, bytes) in cases {
            let expected = Ok(Some(SerialData { time_s, bytes }));
            assert_eq!(SerialData::decode(data), expected, "{data:02x?}");
        }
    }

    #[test]
    fn a_length_that_is_not_true_is_said() {
        for data in [
            &b"\x0c\x01\x06"[..],
            b"\x0c\x01\x06\0\0\0\x02",
            b"\x0c\x01\x06\0\0\0\x03hi\x01",
            b"\x0c\x01\x06\xff\xff\xff\xffhi\x01",
            b"\x0d\x01\x06\0\0\0\x02hi\x01",
            b"\x0f\x01\x0b\0\0\0\x06\0\0\0\x07hi\x01",
        ] {
            assert_eq!(
                SerialData::decode(data),
                Err(PacketError::Length),
                "{data:02x?}"
            );
        }
        assert_eq!(SerialData::decode(b"\x08"), Ok(None));
    }
}
