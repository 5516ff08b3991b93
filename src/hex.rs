//! Hexadecimal digits: bytes as text, and text as a number.

use std::fmt::Write as _;

/// Two digits a byte, the high half first, in small letters.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // writing to a `String` does not fail
        write!(text, "{byte:02x}").ok();
    }
    text
}

/// The number that digits say, in letters of either size; none where there is no digit, anything
/// but digits (no sign and no blank), or more than 32 bits hold.
pub(crate) fn number(digits: impl AsRef<[u8]>) -> Option<u32> {
    let digits = digits.as_ref();
    let plain = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = str::from_utf8(digits).ok().filter(|_| plain)?;
    u32::from_str_radix(digits, 16).ok()
}

/// The byte that two digits say; none as with [`number`].
pub(crate) fn byte(digits: [u8; 2]) -> Option<u8> {
    number(digits).and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_two_digits_each() {
        assert_eq!(text(&[0, 0x0A, 0xF0]), "000af0");
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(number(b"0fFf"), Some(0x0FFF));
        assert_eq!(number(b"FFFFFFFF"), Some(u32::MAX));
        for wrong in [
            "",
            "+F",
            "-1",
            " 1",
            "1 ",
            "0x1",
            "g",
            "100000000",
            "\u{0661}",
        ] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
        assert_eq!((byte(*b"fF"), byte(*b"+F")), (Some(255), None));
    }
}
