//! Bytes to lines: where one ends, and what is in a compressed one.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use std::fmt;

/// What stands at the head of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line without its end.
    Line(&'a [u8]),
    /// A line as a zlib stream.
    Compressed(&'a [u8]),
}

/// Why bytes are no packet; nothing behind them can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// No packet begins with this byte.
    Start(u8),
    /// The line is longer than this many bytes.
    TooLong(usize),
}

/// Reads the packet at the head of `input`: it and its whole length, or `None` while it is not
/// whole. `searched`: how much of it is known to have no end in it; `most`: bytes of a line.
///
/// # Errors
/// See [`FrameError`].
pub fn frame<'a>(
    input: &'a [u8],
    searched: &mut usize,
    most: usize,
) -> Result<Option<(Frame<'a>, usize)>, FrameError> {
    match *input {
        [] | [0xFF] | [0xFF, _] => Ok(None),
        // between packets, and behind compressed ones
        [b'\r' | b'\n', ..] => Ok(Some((Frame::Line(&[]), 1))),
        [0xFF, low, high, ref rest @ ..] => {
            let len = usize::from(u16::from_le_bytes([low, high]));
            let data = rest.get(..len);
            Ok(data.map(|data| (Frame::Compressed(data), len.saturating_add(3))))
        }
        [b'#', ..] => line(input, searched, most),
        [other, ..] => Err(FrameError::Start(other)),
    }
}

fn line<'a>(
    input: &'a [u8],
    searched: &mut usize,
    most: usize,
) -> Result<Option<(Frame<'a>, usize)>, FrameError> {
    let new = input.get(*searched..).unwrap_or_default();
    let Some(found) = new.iter().position(|byte| *byte == b'\n') else {
        *searched = input.len();
        return match input.len() > most {
            true => Err(FrameError::TooLong(most)),
            false => Ok(None),
        };
    };
    let end = searched.saturating_add(found);
    *searched = 0;
    let line = input.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > most {
        return Err(FrameError::TooLong(most));
    }
    Ok(Some((Frame::Line(line), end.saturating_add(1))))
}

/// The line in a zlib stream, its end cut off; `None` when it is damaged or longer than `most`
/// bytes, of which no more are ever held.
#[must_use]
pub fn inflate(data: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut line = decompress_to_vec_zlib_with_limit(data, most).ok()?;
    line.truncate(line.trim_ascii_end().len());
    Some(line)
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(byte) => write!(f, "no packet begins with `0x{byte:02x}`"),
            Self::TooLong(most) => write!(f, "a line over {most} bytes"),
        }
    }
}

impl std::error::Error for FrameError {}
