//! Wialon IPS 1.1 and 2.0: lines of text, of which one may come compressed.
//!
//! It knows packets, not connections: who logged in, and what is answered when, is the channel's
//! affair. Source: Gurtam, "Wialon IPS" 1.1 and 2.0, and what real devices send instead.
//!
//! # Format
//! ```text
//! line       # type # body CR LF          over UDP before it: 1.1 ident, 2.0 version ; ident
//! compressed FF · length u16 LE · line without or with its end, as a zlib stream
//!
//! L   1.1: ident;password     2.0: version;ident;password;CRC
//! SD  DDMMYY;HHMMSS;DDMM.m;N|S;DDDMM.m;E|W;speed km/h;course;altitude m;satellites
//! D   … SD …;hdop;inputs;outputs;adc,adc,…;driver's key;name:type:value,…
//! B   bodies of SD or D, | between them, at most 5000     M  text     P  (nothing)
//! I   size;index;last index;date;time;name, then so many bytes       T   code;size;index, same
//! US  size, same     UC  size, same     IT  date;time;driver;code;count
//! ```
//! In 2.0 bodies end with `;CRC` (that of B with `|CRC`): CRC-16/ARC of what stands before it, the
//! separator included; of I, T, US and UC it is that of the bytes. `NA`, or nothing, is an unknown
//! value. 1.1 says that the length of the compressed is big-endian; its own example is not.

mod encode;
mod frame;
mod number;
mod record;

use crate::hex;
pub use encode::EncodeError;
pub use encode::encode;
pub use encode::write_black_box;
pub use encode::write_data;
pub use encode::write_login;
pub use frame::Frame;
pub use frame::FrameError;
pub use frame::frame;
pub use frame::inflate;
pub use record::Extended;
pub use record::Parameter;
pub use record::Place;
pub use record::Record;
pub use record::RecordError;
pub use record::record;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `L`: who it is.
    Login,
    /// `SD`: where it is.
    Short,
    /// `D`: where it is, and what it measures.
    Data,
    /// `B`: many of both.
    BlackBox,
    /// `P`: whether somebody is there.
    Ping,
    /// `M`: words of the driver.
    Message,
    /// `I`: a part of a photo.
    Photo,
    /// `IT`: a tachograph file comes.
    FileInfo,
    /// `T`: a part of a tachograph file.
    FileBlock,
    /// `US`: firmware, which no device should send.
    Firmware,
    /// `UC`: a configuration, which no device should send.
    Configuration,
    /// Another.
    Other,
}

/// How packets end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.1: without a checksum.
    One,
    /// 2.0: with one.
    Two,
}

/// A line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What stands before the first `#`: over UDP who sends.
    pub prefix: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// What stands behind the second `#`.
    pub body: &'a [u8],
}

/// What a login says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'a> {
    /// How the packets that follow end.
    pub version: Version,
    /// Who it is.
    pub ident: &'a [u8],
    /// `NA` is none.
    pub password: &'a [u8],
}

/// Why a login is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginError {
    /// Neither two fields nor four, or of an unknown version.
    Structure,
    /// The checksum does not fit.
    Checksum,
}

impl Kind {
    /// As it stands between the first two `#`.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"L" => Self::Login,
            b"SD" => Self::Short,
            b"D" => Self::Data,
            b"B" => Self::BlackBox,
            b"P" => Self::Ping,
            b"M" => Self::Message,
            b"I" => Self::Photo,
            b"IT" => Self::FileInfo,
            b"T" => Self::FileBlock,
            b"US" => Self::Firmware,
            b"UC" => Self::Configuration,
            _ => Self::Other,
        }
    }
}

/// Takes a line apart; `None` when it has no two `#`.
#[must_use]
pub fn packet(line: &[u8]) -> Option<Packet<'_>> {
    let (prefix, rest) = split_once(line, b'#')?;
    let (name, body) = split_once(rest, b'#')?;
    Some(Packet {
        prefix,
        kind: Kind::of(name),
        body,
    })
}

/// Who sends, and how its packets end, from what stands before a datagram's first `#`.
#[must_use]
pub fn sender(prefix: &[u8]) -> Option<(Version, &[u8])> {
    match split_once(prefix, b';') {
        None => Some((Version::One, prefix)),
        Some((version, ident)) if is_two(version) => Some((Version::Two, ident)),
        Some(_) => None,
    }
}

/// The body of a login.
///
/// # Errors
/// See [`LoginError`].
pub fn login(body: &[u8]) -> Result<Login<'_>, LoginError> {
    let fields: Vec<&[u8]> = body.split(|byte| *byte == b';').take(5).collect();
    match fields[..] {
        [ident, password] => Ok(Login {
            version: Version::One,
            ident,
            password,
        }),
        [version, ident, password, _] if is_two(version) => match checked(body, b';') {
            Some(_) => Ok(Login {
                version: Version::Two,
                ident,
                password,
            }),
            None => Err(LoginError::Checksum),
        },
        _ => Err(LoginError::Structure),
    }
}

/// 2.1 has more packets, and the same ones.
fn is_two(version: &[u8]) -> bool {
    version.starts_with(b"2.")
}

/// What stands before the last `mark` and the checksum behind it; `None` when that does not fit.
#[must_use]
pub fn checked(body: &[u8], mark: u8) -> Option<&[u8]> {
    let last = body.iter().rposition(|byte| *byte == mark)?;
    let (content, rest) = body.split_at_checked(last)?;
    let (_, digits) = rest.split_first()?;
    let covered = body.get(..=last)?;
    (checksum(digits) == Some(CRC.checksum(covered))).then_some(content)
}

/// One to four hexadecimal digits, of which some senders leave out zeros or write `0x` before.
fn checksum(digits: &[u8]) -> Option<u16> {
    let digits = digits.trim_ascii();
    let digits = digits
        .strip_prefix(b"0x")
        .or_else(|| digits.strip_prefix(b"0X"))
        .unwrap_or(digits);
    let number = hex::number(digits).filter(|_| digits.len() <= 4)?;
    u16::try_from(number).ok()
}

/// What stands before the first `mark`, and what behind it.
fn split_once(bytes: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == mark)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.get(1..)?))
}

/// Longest line of a device that has logged in, in bytes, unless it is a black box.
pub const LINE_MAX: usize = 64 * 1024;

/// Longest line of a black box, in bytes, compressed or not: 5000 messages of 200.
pub const BLACK_BOX_MAX: usize = 1024 * 1024;

/// Most messages of a black box.
pub const MESSAGES_MAX: usize = 5000;

/// Most additional parameters of a message; Wialon itself registers 200.
pub const PARAMETERS_MAX: usize = 512;

/// Parameters of the mobile network, and what flespi calls them. With a number behind, or `.N`, it
/// is another cell.
pub const NETWORK: [(&str, &str); 4] = [
    ("mcc", "gsm.mcc"),
    ("mnc", "gsm.mnc"),
    ("lac", "gsm.lac"),
    ("cell_id", "gsm.cellid"),
];

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_ARC);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_has_any_case_and_any_zeros() {
        for digits in ["F3", "f3", "00F3", "0x00f3", "0XF3", " F3 "] {
            assert_eq!(checksum(digits.as_bytes()), Some(0xF3), "{digits}");
        }
        for digits in ["", "0x", "12345", "G", "-1", "+1"] {
            assert_eq!(checksum(digits.as_bytes()), None, "{digits}");
        }
    }

    #[test]
    fn a_checksum_covers_its_separator() {
        let body = b"2.0;imei;NA;A932";
        assert_eq!(checked(body, b';'), Some(&b"2.0;imei;NA"[..]));
        assert_eq!(checked(b"2.0;imei;NB;A932", b';'), None);
        assert_eq!(checked(b"A932", b';'), None);
    }
}
