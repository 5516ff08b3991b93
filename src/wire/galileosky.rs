//! Galileosky's protocol: packets of tags over TCP, read; answers, written.
//!
//! It knows nothing of what a tag means; `channel::galileosky` does.
//!
//! # Format
//! All integers are little-endian. Sources: the vendor's tables of tags, in a public transcript;
//! traccar's decoder and its tests; kuznetsovin/galileosky-protocol.
//! ```text
//! packet    u8 header │ u16: bits 0-14 length of the tags, bit 15 whether more waits │ tags
//!           │ u16 CRC-16/MODBUS of all before
//! answer    02 │ the checksum as it came
//! tags      (u8 tag │ value) …; the length of a value follows from its tag
//!
//! header    01 tags; 07 a photo, 08 compressed tags
//! ```
//! A tag that a record has already begins the next record of the packet. The length of a tag that
//! is not known is not known either: what is behind it is lost.
//!
//! Over Iridium the modem puts a head of its own before a packet, which begins with 01, too.

use super::cursor::Cursor;
use std::fmt;

/// One packet, cut out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its tags, one behind the other; see [`Records::decode`].
    pub tags: &'a [u8],
    /// All that the checksum is of: header, length and tags.
    pub checked: &'a [u8],
    /// Its checksum as sent, the low byte first; its answer repeats it.
    pub crc: [u8; 2],
    /// Bytes of the stream that it took: `checked` and the checksum.
    pub len: usize,
}

/// Why no packet that is read can start here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A header that no packet has.
    Header(u8),
    /// That of photos (07) or compressed tags (08).
    OtherHeader(u8),
    /// The head of an Iridium modem.
    Iridium,
    /// Its tags have this many bytes, more than [`LENGTH_MAX`].
    Length(u16),
}

/// The tags of one report, in the order of the packet; none twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a>(pub Vec<Tag<'a>>);

/// A tag and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it is, after the vendor's list.
    pub id: u8,
    /// Its value as it was sent, little-endian; of tags that have a length before it (E1, EA, FE)
    /// without that.
    pub value: &'a [u8],
}

/// Why tags could be read only so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagError {
    /// This tag is not known, and its length neither.
    Unknown(u8),
    /// The value of this tag is longer than what is left.
    Cut(u8),
}

/// The records of a packet, as far as they could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records<'a> {
    /// In the order of the packet; there is one at least, which may be empty. The last one ends
    /// where `broken` says why.
    pub records: Vec<Record<'a>>,
    /// What ended them before their time; none: all was read.
    pub broken: Option<TagError>,
}

/// Takes the packet at the head of `input`, intact or not. None: more of it is to come.
///
/// # Errors
/// See [`FrameError`]; as soon as the bytes that are wrong are there. Where the next packet begins
/// is not known then.
pub fn frame(input: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    match input {
        [] => return Ok(None),
        [HEADER, _, _, 0x01, 0x00, 0x1C, ..] => return Err(FrameError::Iridium),
        [HEADER, ..] => {}
        [header @ (0x07 | 0x08), ..] => return Err(FrameError::OtherHeader(*header)),
        [header, ..] => return Err(FrameError::Header(*header)),
    }
    let [_, low, high, ..] = input else {
        return Ok(None);
    };
    let length = u16::from_le_bytes([*low, *high]) & LENGTH_BITS;
    if length > LENGTH_MAX {
        return Err(FrameError::Length(length));
    }
    Ok(whole(input, length))
}

fn whole(input: &[u8], length: u16) -> Option<Frame<'_>> {
    let mut rest = Cursor(input);
    let checked = rest.bytes(usize::from(length).saturating_add(HEAD_LEN))?;
    let crc = rest.array()?;
    Some(Frame {
        tags: checked.get(HEAD_LEN..)?,
        checked,
        crc,
        len: checked.len().saturating_add(crc.len()),
    })
}

impl Frame<'_> {
    /// Whether its checksum fits. Nothing of one that is not intact can be relied on.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        CRC.checksum(self.checked).to_le_bytes() == self.crc
    }

    /// What the device waits for: its checksum, whether that fits or not.
    #[must_use]
    pub fn answer(&self) -> [u8; 3] {
        let [low, high] = self.crc;
        [ANSWER, low, high]
    }
}

impl<'a> Records<'a> {
    /// Reads the tags of a packet as far as they are known.
    #[must_use]
    pub fn decode(tags: &'a [u8]) -> Self {
        let mut tags = Cursor(tags);
        let mut records = Vec::new();
        let mut record = Record::default();
        let mut seen = Seen::default();
        let mut broken = None;
        while !tags.is_empty() {
            match read_tag(&mut tags) {
                Ok(tag) => {
                    if !seen.insert(tag.id) {
                        records.push(std::mem::take(&mut record));
                        seen = Seen::default();
                        seen.insert(tag.id);
                    }
                    record.0.push(tag);
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        records.push(record);
        Self { records, broken }
    }
}

impl<'a> Record<'a> {
    /// The value of a tag; none where the record has not got it.
    #[must_use]
    pub fn get(&self, id: u8) -> Option<&'a [u8]> {
        let tag = self.0.iter().find(|tag| tag.id == id)?;
        Some(tag.value)
    }

    /// The value of a tag that has just `N` bytes; none of one that has more or less.
    #[must_use]
    pub fn array<const N: usize>(&self, id: u8) -> Option<[u8; N]> {
        self.get(id)?.try_into().ok()
    }
}

/// The tags that a record has.
#[derive(Default)]
struct Seen([u128; 2]);

impl Seen {
    /// Whether it was not there yet.
    fn insert(&mut self, id: u8) -> bool {
        let [low, high] = &mut self.0;
        let half = if id < 128 { low } else { high };
        let bit = 1 << (id & 127);
        let is_new = *half & bit == 0;
        *half |= bit;
        is_new
    }
}

fn read_tag<'a>(tags: &mut Cursor<'a>) -> Result<Tag<'a>, TagError> {
    let id = tags.u8().ok_or(TagError::Cut(0))?;
    let value = match id {
        0xE1 | 0xEA => tags.u8().and_then(|len| tags.bytes(len.into())),
        0xFE => tags.array().and_then(|len| {
            let len = u16::from_le_bytes(len);
            tags.bytes(len.into())
        }),
        _ => tags.bytes(len_of(id).ok_or(TagError::Unknown(id))?),
    };
    let value = value.ok_or(TagError::Cut(id))?;
    Ok(Tag { id, value })
}

/// Bytes of a value whose tag tells it; none: the tag is not known.
fn len_of(id: u8) -> Option<usize> {
    Some(match id {
        0x01 | 0x02 | 0x35 | 0x36 | 0x43 | 0x49 | 0x88..=0x8C | 0xA0..=0xAF => 1,
        0xC4..=0xD2 | 0xD5 => 1,
        0x04 | 0x10 | 0x21 | 0x34 | 0x40..=0x42 | 0x45 | 0x46 | 0x48 => 2,
        0x50..=0x59 | 0x60..=0x62 | 0x70..=0x7D | 0xB0..=0xB9 | 0xD6..=0xDA => 2,
        0x5D | 0x63..=0x6F | 0x80..=0x87 | 0xFA => 3,
        0x11 | 0x20 | 0x33 | 0x44 | 0x47 | 0x5A | 0x90 | 0xC0..=0xC3 => 4,
        0xD3 | 0xD4 | 0xDB..=0xE0 | 0xE2..=0xE9 | 0xF0..=0xF9 => 4,
        // it may be longer, and nothing says how long
        0x5B => 7,
        0xFD => 8,
        0x30 => 9,
        0x03 => 15,
        0x5C => 68,
        _ => return None,
    })
}

/// The numbers and values of extended tags, the value of tag FE: up to the first that is cut or not
/// known, whose length nobody knows.
pub fn extended(list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut list = Cursor(list);
    std::iter::from_fn(move || {
        let id = u16::from_le_bytes(list.array()?);
        let len = match id {
            0x01..=0x80 | 0x86..=0x91 => 4,
            0x81..=0x84 => 2,
            0x85 => 1,
            _ => return None,
        };
        Some((id, list.bytes(len)?))
    })
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(found) => write!(f, "no packet starts with `{found:02x}`"),
            Self::OtherHeader(0x07) => f.write_str(
                "a photo, which is not read: turn the sending of photos off in the device",
            ),
            Self::OtherHeader(_) => f.write_str(
                "a compressed packet, which is not read: turn compression off in the device",
            ),
            Self::Iridium => f.write_str("packets of an Iridium modem are not read"),
            Self::Length(found) => {
                write!(f, "tags of {found} bytes, at most {LENGTH_MAX} are taken")
            }
        }
    }
}

impl fmt::Display for TagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => {
                write!(f, "tag `{id:02x}` is not known, what is behind it is lost")
            }
            Self::Cut(id) => write!(f, "tag `{id:02x}` is longer than its packet"),
        }
    }
}

impl std::error::Error for FrameError {}

impl std::error::Error for TagError {}

/// Most bytes of tags that are taken; devices keep packets near 1,000.
pub const LENGTH_MAX: u16 = 4096;

/// Header of a packet of tags.
const HEADER: u8 = 0x01;

/// Header and length.
const HEAD_LEN: usize = 3;

/// The top bit of a length says whether more packets wait.
const LENGTH_BITS: u16 = 0x7FFF;

/// First byte of an answer.
const ANSWER: u8 = 0x02;

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS);
