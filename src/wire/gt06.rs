//! Concox's GT06 protocol and its clones: packets cut out of what comes, read, and answered.
//!
//! It knows no session, no zone and no name of a parameter; `channel::gt06` does.
//!
//! # Format
//! All integers are big-endian. Sources: Concox JM-VL03 protocol V1.1.2, GT06 protocol V1.8.1;
//! what clones do is known from public samples of theirs.
//! ```text
//! packet    78 78 │ u8 length │ rest        or        79 79 │ u16 length │ rest
//! rest      u8 kind │ content │ u16 serial │ u16 CRC │ 0D 0A
//!           the length counts from the kind to the CRC, which is over the length to the serial
//! answer    78 78 │ 05 │ kind │ serial │ CRC │ 0D 0A, kind and serial of what is answered
//! scan      78 78 │ u8 n │ 17 or 69 │ time, 6 decimals │ n × (6 bytes address │ u8 signal)
//!           │ u8 m │ u16 mcc │ u8 mnc │ m × (u16 lac │ u16 cell │ u8 signal) │ 0D 0A
//! ```
//! `0D 0A` occurs within packets, so only the length says where one ends. A scan is what clones
//! send of Wi-Fi and cells around; it has neither a length, nor a serial, nor a CRC.

mod content;

pub use content::Cell;
pub use content::Content;
pub use content::ContentError;
pub use content::Login;
pub use content::Place;
pub use content::Report;
pub use content::Status;

use crc::CRC_16_IBM_SDLC;
use crc::Crc;

/// What stands at the head of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit<'a> {
    /// A packet that ends where its length says.
    Packet(Packet<'a>),
    /// What a clone hears around it.
    Scan(Scan<'a>),
    /// Bytes before the next mark of a packet.
    Garbage,
    /// It begins as a packet does and does not end where its length says; up to the next mark.
    Unended,
}

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packet<'a> {
    /// What its content is: 01 a login, 12 a location …, see [`Content::decode`].
    pub kind: u8,
    /// What stands between the kind and the serial.
    pub content: &'a [u8],
    /// Its number, which its answer repeats.
    pub serial: u16,
    /// Whether its checksum fits. Nothing of one that is not intact can be relied on.
    pub is_intact: bool,
}

/// One scan of a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scan<'a> {
    /// 17 or 69, by the clone; its answer repeats it.
    pub kind: u8,
    /// Year, month, day, hour, minute, second as packed decimals; its answer repeats them.
    pub time: [u8; 6],
    /// Its bytes from the count of cells on, without the end.
    pub cells: &'a [u8],
}

/// What stands at the head of `input`, and how many bytes it takes. None: more has to come.
#[must_use]
pub fn unit(input: &[u8]) -> Option<(Unit<'_>, usize)> {
    let (head, length) = match *input {
        [] | [SHORT] | [LONG] | [SHORT, SHORT] | [LONG, LONG] | [LONG, LONG, _] => return None,
        [SHORT, SHORT, length, ..] => (3, usize::from(length)),
        [LONG, LONG, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        _ => return Some((Unit::Garbage, next_mark(input, 1))),
    };
    let len = length.saturating_add(head).saturating_add(END.len());
    if length >= LENGTH_MIN && len <= PACKET_MAX {
        let bytes = input.get(..len)?;
        if let Some(packet) = packet(bytes, head) {
            return Some((Unit::Packet(packet), len));
        }
    }
    if head == 3 && matches!(input.get(3)?, 0x17 | 0x69) {
        let len = scan_len(input, length)?;
        if len <= PACKET_MAX {
            let bytes = input.get(..len)?;
            if let Some(scan) = scan(bytes, length) {
                return Some((Unit::Scan(scan), len));
            }
        }
    }
    Some((Unit::Unended, next_mark(input, 2)))
}

/// Where the next mark stands, or may begin to stand, from `from` on.
fn next_mark(input: &[u8], from: usize) -> usize {
    let rest = input.get(from..).unwrap_or_default();
    let is_mark = |pair: &[u8]| matches!(pair, [SHORT, SHORT] | [LONG, LONG]);
    let whole = rest.windows(2).position(is_mark);
    let at = whole.unwrap_or_else(|| match rest {
        [.., SHORT | LONG] => rest.len().saturating_sub(1),
        _ => rest.len(),
    });
    from.saturating_add(at).min(input.len())
}

/// The packet that these bytes are; none where they do not end as one.
fn packet(bytes: &[u8], head: usize) -> Option<Packet<'_>> {
    let rest = bytes.strip_suffix(&END)?;
    let (rest, crc) = rest.split_last_chunk()?;
    let is_intact = CRC.checksum(rest.get(2..)?) == u16::from_be_bytes(*crc);
    let (rest, serial) = rest.split_last_chunk()?;
    let (kind, content) = rest.get(head..)?.split_first()?;
    Some(Packet {
        kind: *kind,
        content,
        serial: u16::from_be_bytes(*serial),
        is_intact,
    })
}

/// How long a scan of so many access points is; none where its count of cells has not come yet.
fn scan_len(input: &[u8], points: usize) -> Option<usize> {
    let at = cells_at(points);
    let cells = usize::from(*input.get(at)?);
    Some(cells.saturating_mul(5).saturating_add(at).saturating_add(6))
}

/// Where the count of cells stands.
fn cells_at(points: usize) -> usize {
    points.saturating_mul(7).saturating_add(10)
}

/// The scan that these bytes are; none where they do not end as one.
fn scan(bytes: &[u8], points: usize) -> Option<Scan<'_>> {
    let rest = bytes.strip_suffix(&END)?;
    let (head, cells) = rest.split_at_checked(cells_at(points))?;
    let (kind, head) = head.get(3..)?.split_first()?;
    Some(Scan {
        kind: *kind,
        time: *head.first_chunk()?,
        cells,
    })
}

impl Packet<'_> {
    /// Its answer; `content` is empty, but for the time that kind 8A asks for.
    #[must_use]
    pub fn answer(&self, content: &[u8]) -> Vec<u8> {
        write(self.kind, content, self.serial)
    }
}

impl Scan<'_> {
    /// Its answer: kind and time.
    #[must_use]
    pub fn answer(&self) -> Vec<u8> {
        let mut out = vec![SHORT, SHORT, 0, self.kind];
        out.extend(self.time);
        out.extend(END);
        out
    }
}

/// A packet with a length of one byte, of this kind, content and serial; the content has 250 bytes
/// at most.
#[must_use]
pub fn write(kind: u8, content: &[u8], serial: u16) -> Vec<u8> {
    let length = content.len().saturating_add(LENGTH_MIN);
    let mut out = vec![SHORT, SHORT, u8::try_from(length).unwrap_or(u8::MAX), kind];
    out.extend_from_slice(content);
    out.extend(serial.to_be_bytes());
    let crc = CRC.checksum(out.get(2..).unwrap_or_default());
    out.extend(crc.to_be_bytes());
    out.extend(END);
    out
}

/// Longest packet that is taken, in bytes: those with text are the longest.
pub const PACKET_MAX: usize = 2048;

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_SDLC);

/// Twice at the head of a packet whose length is one byte.
const SHORT: u8 = 0x78;

/// Twice at the head of one whose length is two.
const LONG: u8 = 0x79;

const END: [u8; 2] = *b"\r\n";

/// A kind, a serial and a checksum.
const LENGTH_MIN: usize = 5;
