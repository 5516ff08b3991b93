//! Packets to blocks. It maps no names back and believes no length.

use super::BLOCK_MARK;
use super::PACKET_MAX;
use super::POSITION_NAME;
use super::Position;
use super::TYPE_BINARY;
use super::TYPE_F64;
use super::TYPE_I32;
use super::TYPE_I64;
use super::TYPE_TEXT;
use crate::wire::charset::utf8_or_bytes;
use std::borrow::Cow;
use std::fmt;

/// One packet, lent by the bytes that it was read from; all its blocks are sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packet<'a> {
    /// Who sent it, not empty.
    pub uid: &'a str,
    /// Seconds since 1970.
    pub time_s: u32,
    /// As the sender set them; see the constants of the module.
    pub flags: u32,
    blocks: &'a [u8],
}

/// The blocks of a packet, in their order.
#[derive(Clone, Debug)]
pub struct Blocks<'a>(&'a [u8]);

/// One named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Block<'a> {
    /// Where it is not UTF-8, one character a byte.
    pub name: Cow<'a, str>,
    /// The sender's wish that it is no parameter; often wrong.
    pub hidden: u8,
    /// The value.
    pub value: BlockValue<'a>,
}

/// The value of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum BlockValue<'a> {
    /// Up to its NUL; where it is not UTF-8, one character a byte.
    Text(Cow<'a, str>),
    /// The block `posinfo`.
    Position(Position),
    /// 32 bits.
    I32(i32),
    /// Perhaps not finite.
    F64(f64),
    /// 64 bits.
    I64(i64),
    /// An image, or of a type that the protocol does not know.
    Other {
        /// The type's number.
        kind: u8,
        /// The value as it came.
        bytes: &'a [u8],
    },
}

/// Why bytes are no packet; nothing behind them can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A size that is too small for a packet, or beyond [`PACKET_MAX`].
    Size(u32),
    /// The uid is empty, not UTF-8, or does not end.
    Uid,
    /// Time or flags are cut off.
    Head,
    /// The block of this number, from 0, is cut off or does not fit its type.
    Block(usize),
}

/// Reads the packet at the head of `input`: it and its whole length, or `None` while it is not
/// whole.
///
/// # Errors
/// See [`DecodeError`]; a size that cannot be is noticed before what it announces has come.
pub fn decode(input: &[u8]) -> Result<Option<(Packet<'_>, usize)>, DecodeError> {
    let Some((size, rest)) = input.split_first_chunk() else {
        return Ok(None);
    };
    let size = u32::from_le_bytes(*size);
    let len = usize::try_from(size)
        .ok()
        .filter(|len| (PACKET_MIN..=PACKET_MAX).contains(len));
    let len = len.ok_or(DecodeError::Size(size))?;
    match rest.get(..len) {
        Some(body) => Ok(Some((packet(body)?, len.saturating_add(4)))),
        None => Ok(None),
    }
}

fn packet(body: &[u8]) -> Result<Packet<'_>, DecodeError> {
    let (uid, rest) = until_nul(body).ok_or(DecodeError::Uid)?;
    let uid = str::from_utf8(uid).map_err(|_| DecodeError::Uid)?;
    if uid.is_empty() {
        return Err(DecodeError::Uid);
    }
    let (time, rest) = rest.split_first_chunk().ok_or(DecodeError::Head)?;
    let (flags, blocks) = rest.split_first_chunk().ok_or(DecodeError::Head)?;
    check(blocks)?;
    let (time_s, flags) = (u32::from_be_bytes(*time), u32::from_be_bytes(*flags));
    Ok(Packet {
        uid,
        time_s,
        flags,
        blocks,
    })
}

/// Walks all blocks once, so that nobody has to doubt them later.
fn check(blocks: &[u8]) -> Result<(), DecodeError> {
    let mut blocks = Blocks(blocks);
    let whole = blocks.by_ref().count();
    if blocks.0.is_empty() {
        Ok(())
    } else {
        Err(DecodeError::Block(whole))
    }
}

impl<'a> Packet<'a> {
    /// Its blocks, in their order.
    #[must_use]
    pub fn blocks(&self) -> Blocks<'a> {
        Blocks(self.blocks)
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    /// Stays before a block that is not sound.
    fn next(&mut self) -> Option<Block<'a>> {
        let (head, rest) = self.0.split_first_chunk::<6>()?;
        let [mark0, mark1, size @ ..] = *head;
        let (body, rest) = rest.split_at_checked(u32::from_be_bytes(size).try_into().ok()?)?;
        let block = block(body).filter(|_| [mark0, mark1] == BLOCK_MARK)?;
        self.0 = rest;
        Some(block)
    }
}

/// `body`: what the size of a block counts.
fn block(body: &[u8]) -> Option<Block<'_>> {
    let ([hidden, kind], rest) = body.split_first_chunk()?;
    let (name, value) = until_nul(rest)?;
    let name = utf8_or_bytes(name);
    let value = match *kind {
        TYPE_TEXT => {
            // some senders leave the NUL out
            let (text, _) = until_nul(value).unwrap_or((value, &[]));
            BlockValue::Text(utf8_or_bytes(text))
        }
        TYPE_BINARY if name == POSITION_NAME => BlockValue::Position(position(value)?),
        TYPE_I32 => BlockValue::I32(i32::from_be_bytes(value.try_into().ok()?)),
        TYPE_F64 => BlockValue::F64(f64::from_le_bytes(value.try_into().ok()?)),
        TYPE_I64 => BlockValue::I64(i64::from_be_bytes(value.try_into().ok()?)),
        kind => BlockValue::Other { kind, bytes: value },
    };
    Some(Block {
        name,
        hidden: *hidden,
        value,
    })
}

fn position(value: &[u8]) -> Option<Position> {
    let (longitude, rest) = value.split_first_chunk()?;
    let (latitude, rest) = rest.split_first_chunk()?;
    let (altitude, rest) = rest.split_first_chunk()?;
    let (speed, rest) = rest.split_first_chunk()?;
    let (direction, rest) = rest.split_first_chunk()?;
    let [satellites] = rest.try_into().ok()?;
    Some(Position {
        longitude: f64::from_le_bytes(*longitude),
        latitude: f64::from_le_bytes(*latitude),
        altitude: f64::from_le_bytes(*altitude),
        speed: u16::from_be_bytes(*speed),
        direction: u16::from_be_bytes(*direction),
        satellites,
    })
}

/// What stands before the first NUL, and what behind it.
fn until_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (before, rest) = bytes.split_at_checked(end)?;
    Some((before, rest.get(1..)?))
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => write!(f, "packet size out of range: `{size}`"),
            Self::Uid => f.write_str("unit id missing"),
            Self::Head => f.write_str("time or flags cut off"),
            Self::Block(index) => write!(f, "block {index} is damaged"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A uid of one byte and its NUL, time and flags.
const PACKET_MIN: usize = 10;
