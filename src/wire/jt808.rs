//! JT/T 808, the protocol of vehicle terminals in China, 2013 and 2019: messages cut out of what
//! comes, read, and answered.
//!
//! It knows no session, no zone and no name of a parameter; `channel::jt808` does.
//!
//! # Format
//! All integers are big-endian. Sources: JT/T 808-2013 and 808-2019, as SmallChi/JT808 has them.
//! ```text
//! frame     7E │ header │ body │ u8 XOR of header and body │ 7E
//!           between the marks 7D stands as 7D 01 and 7E as 7D 02
//! header    u16 id │ u16 attributes │ 2019: u8 version │ phone, decimals: 6 bytes, 2019: 10
//!           │ u16 serial │ a part of several: u16 how many │ u16 which
//! attributes  bits 0 to 9 length of the body, 10 to 12 encryption, 13 part, 14 of 2019
//! 8001      u16 serial │ u16 id │ u8 result: 0 taken, 1 failed, 2 wrong, 3 not supported
//! 8100      u16 serial │ u8 result: 0, 4 no such terminal │ where it is 0: code, text
//! ```
//! One mark may close a frame and open the next.

mod location;

pub use location::Item;
pub use location::Items;
pub use location::Location;
pub use location::batch;

use crate::wire::checksum::xor;
use crate::wire::cursor::Cursor;
use crate::wire::decimals::decimals;
use std::fmt;

/// What stands at the head of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit<'a> {
    /// What stands between two marks.
    Frame(&'a [u8]),
    /// A mark that closes or opens nothing.
    Mark,
    /// Bytes before a mark, or more behind one than a frame has.
    Garbage,
}

/// Why what stands between two marks is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// 7D before something else than 01 and 02.
    Escape,
    /// Its checksum does not fit.
    Checksum,
    /// It is shorter than a header.
    Length,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What its body is: 0200 a location, 0704 several …
    pub id: u16,
    /// Its number, which its answer repeats.
    pub serial: u16,
    /// The version of the protocol, where it is that of 2019; none: that of 2013.
    pub version: Option<u8>,
    /// Whether it is one part of several, or encrypted.
    pub is_partial: bool,
    /// Whether the body has the length that the header says.
    pub fits: bool,
    /// What stands behind the header, 1023 bytes at most where it [`fits`](Self::fits).
    pub body: &'a [u8],
    /// Decimals, 6 bytes or 10.
    phone: &'a [u8],
}

/// What stands at the head of `input`, and how many bytes it takes. None: more has to come.
#[must_use]
pub fn unit(input: &[u8]) -> Option<(Unit<'_>, usize)> {
    let is_mark = |byte: &u8| *byte == MARK;
    let (&MARK, rest) = input.split_first()? else {
        let len = input.iter().position(is_mark).unwrap_or(input.len());
        return Some((Unit::Garbage, len));
    };
    // the mark that closes it stays: it may be the one that opens the next
    match rest.iter().position(is_mark) {
        Some(0) => Some((Unit::Mark, 1)),
        Some(len) if len <= FRAME_MAX => {
            let frame = rest.get(..len)?;
            Some((Unit::Frame(frame), len.saturating_add(1)))
        }
        Some(len) => Some((Unit::Garbage, len.saturating_add(1))),
        None if rest.len() > FRAME_MAX => Some((Unit::Garbage, input.len())),
        None => None,
    }
}

/// Header and body of a frame, without escapes and checksum.
///
/// # Errors
/// A wrong escape or checksum, or no byte at all.
pub fn unescape(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut out = Vec::with_capacity(frame.len());
    let mut bytes = frame.iter();
    while let Some(byte) = bytes.next() {
        out.push(match (*byte, *byte == ESCAPE) {
            (_, true) => match bytes.next() {
                Some(1) => ESCAPE,
                Some(2) => MARK,
                _ => return Err(FrameError::Escape),
            },
            (byte, false) => byte,
        });
    }
    let sum = out.pop().ok_or(FrameError::Length)?;
    if sum == xor(&out) {
        Ok(out)
    } else {
        Err(FrameError::Checksum)
    }
}

impl<'a> Packet<'a> {
    /// Reads header and body of what [`unescape`] returns.
    ///
    /// # Errors
    /// [`FrameError::Length`] where it is shorter than its header.
    pub fn read(bytes: &'a [u8]) -> Result<Self, FrameError> {
        Self::head(&mut Cursor(bytes)).ok_or(FrameError::Length)
    }

    fn head(rest: &mut Cursor<'a>) -> Option<Self> {
        let (id, attributes) = (rest.u16_be()?, rest.u16_be()?);
        let is_set = |bit: u16| attributes & bit != 0;
        let (version, phone_len) = if is_set(OF_2019) {
            (Some(rest.u8()?), 10)
        } else {
            (None, 6)
        };
        let phone = rest.bytes(phone_len)?;
        let serial = rest.u16_be()?;
        if is_set(PART) {
            rest.u32_be()?;
        }
        Some(Self {
            id,
            serial,
            version,
            is_partial: is_set(PART | ENCRYPTED),
            fits: rest.0.len() == usize::from(attributes & LENGTH),
            body: rest.0,
            phone,
        })
    }

    /// The number of the terminal's SIM card without the zeros before it; none where it has halves
    /// of bytes that are no digits, or nothing but zeros.
    #[must_use]
    pub fn ident(&self) -> Option<String> {
        let digits = decimals(self.phone)?;
        let ident = digits.trim_start_matches('0');
        (!ident.is_empty()).then(|| ident.to_owned())
    }

    /// The frame of a message to the same terminal, in the form of its own, with its marks.
    /// `serial` is this side's; of `body` the first 1023 bytes count.
    #[must_use]
    pub fn reply(&self, id: u16, serial: u16, body: &[u8]) -> Vec<u8> {
        let of_2019 = if self.version.is_some() { OF_2019 } else { 0 };
        let len = u16::try_from(body.len()).unwrap_or(LENGTH).min(LENGTH);
        let mut bytes = Vec::new();
        bytes.extend(id.to_be_bytes());
        bytes.extend((len | of_2019).to_be_bytes());
        bytes.extend(self.version);
        bytes.extend_from_slice(self.phone);
        bytes.extend(serial.to_be_bytes());
        bytes.extend(body.iter().take(usize::from(len)));
        frame(&bytes)
    }
}

/// The frame with this header and body, which get a checksum, escapes and marks.
#[must_use]
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![MARK];
    for byte in bytes.iter().chain(&[xor(bytes)]) {
        match *byte {
            ESCAPE => out.extend([ESCAPE, 1]),
            MARK => out.extend([ESCAPE, 2]),
            byte => out.push(byte),
        }
    }
    out.push(MARK);
    out
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "a message with an escape that there is not",
            Self::Checksum => "the checksum of a message does not fit",
            Self::Length => "a message is shorter than a header",
        })
    }
}

impl std::error::Error for FrameError {}

/// Most bytes between two marks: a body has 1023 at most, each of which may be escaped.
pub const FRAME_MAX: usize = 2046;

const MARK: u8 = 0x7E;
const ESCAPE: u8 = 0x7D;

/// Bits of the attributes.
const LENGTH: u16 = 0x03FF;
const ENCRYPTED: u16 = 0x1C00;
const PART: u16 = 1 << 13;
const OF_2019: u16 = 1 << 14;
