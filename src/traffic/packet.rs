//! Places of secrets in packets that are not text: the logins of MQTT and AMQP, and of Wialon IPS
//! where it is compressed.

use crate::wire::ips::inflate;
use std::ops::Range;

/// Adds where secrets stand in what begins with a packet, which may not be whole.
pub(super) fn find(unit: &[u8], found: &mut Vec<Range<usize>>) {
    match unit {
        [0x10, ..] => connect(unit, found),
        [b'A', b'M', b'Q', b'P', ..] => frames(unit, AMQP_LEN, found),
        [1, 0, 0, ..] => frames(unit, 0, found),
        [0xFF, ..] => compressed(unit, found),
        _ => {}
    }
}

/// Bytes that are taken one after the other.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    unit: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.unit.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A length of 1, 2 or 4 bytes.
    fn length(&mut self, bytes: usize) -> Option<usize> {
        let taken = self.take(bytes)?.iter();
        Some(taken.fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    /// A length in seven bits a byte.
    fn variable(&mut self) -> Option<usize> {
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(length);
            }
        }
        None
    }

    /// What has its length before it, as far as it is there.
    fn counted(&mut self, bytes: usize) -> Option<Range<usize>> {
        let len = self.length(bytes)?;
        let start = self.at;
        self.at = start.saturating_add(len);
        Some(start..self.at)
    }
}

/// CONNECT of MQTT 3.1, 3.1.1 and 5.
fn connect(unit: &[u8], found: &mut Vec<Range<usize>>) {
    let mut cursor = Cursor { unit, at: 1 };
    let Some(len) = cursor.variable() else { return };
    let end = cursor.at.saturating_add(len);
    let Some(name) = cursor.counted(2) else {
        return;
    };
    if !matches!(unit.get(name), Some(b"MQTT" | b"MQIsdp")) {
        return;
    }
    let mut connect = Connect { cursor, end, found };
    if connect.read().is_some() {
        let rest = connect.cursor.at..end;
        found.extend(Some(rest).filter(|rest| !rest.is_empty()));
    }
}

/// A CONNECT from its level on.
struct Connect<'a, 'f> {
    cursor: Cursor<'a>,
    end: usize,
    found: &'f mut Vec<Range<usize>>,
}

impl Connect<'_, '_> {
    /// None: the rest has not come yet, or cannot be taken apart and is hidden.
    fn read(&mut self) -> Option<()> {
        let (level, flags) = (self.cursor.byte()?, self.cursor.byte()?);
        self.cursor.take(2)?;
        self.properties(level)?;
        self.field()?;
        if flags & WILL != 0 {
            self.properties(level)?;
            self.field()?;
            self.field()?;
        }
        // the name of the user may be a token
        for flag in [USER, PASSWORD] {
            if flags & flag != 0 {
                let value = self.field()?;
                self.found.push(value);
            }
        }
        Some(())
    }

    fn properties(&mut self, level: u8) -> Option<()> {
        if level < 5 {
            return Some(());
        }
        let start = self.cursor.at;
        properties(&mut self.cursor, self.found)?;
        self.fits(start)
    }

    fn field(&mut self) -> Option<Range<usize>> {
        let start = self.cursor.at;
        let field = self.cursor.counted(2)?;
        self.fits(start)?;
        Some(field)
    }

    /// Hides all from `start` on where what began there is longer than the packet.
    fn fits(&mut self, start: usize) -> Option<()> {
        if self.cursor.at > self.end {
            self.found.push(start..usize::MAX);
            return None;
        }
        Some(())
    }
}

/// Properties of MQTT 5: the data of a login is hidden, and all behind what is not known.
fn properties(cursor: &mut Cursor<'_>, found: &mut Vec<Range<usize>>) -> Option<()> {
    let len = cursor.variable()?;
    let end = cursor.at.checked_add(len)?;
    let mut inner = *cursor;
    cursor.at = end;
    while inner.at < end {
        let start = inner.at;
        let known = match inner.byte() {
            Some(AUTHENTICATION_DATA) => inner.counted(2).map(|data| found.push(data)),
            Some(0x26) => inner.counted(2).and(inner.counted(2)).map(drop),
            Some(0x03 | 0x08 | 0x15) => inner.counted(2).map(drop),
            Some(0x09) => inner.counted(2).map(drop),
            Some(0x02 | 0x11 | 0x18 | 0x27) => inner.take(4).map(drop),
            Some(0x21 | 0x22) => inner.take(2).map(drop),
            Some(0x01 | 0x17 | 0x19) => inner.take(1).map(drop),
            _ => None,
        };
        if known.is_none() {
            found.push(start..end);
            break;
        }
    }
    Some(())
}

/// Frames of AMQP 0-9-1 from a place on: what a client answers when it is asked who it is.
fn frames(unit: &[u8], from: usize, found: &mut Vec<Range<usize>>) {
    let mut cursor = Cursor { unit, at: from };
    while let Some(frame) = frame(&mut cursor) {
        let payload = unit.get(frame.start..frame.end.min(unit.len()));
        match payload.unwrap_or_default() {
            [0, 10, 0, 11, ..] => found.extend(response(unit, &frame)),
            [0, 10, 0, 21 | 70, ..] => found.push(frame.start + 4..frame.end),
            _ => {}
        }
    }
}

/// Where the payload of the next frame stands.
fn frame(cursor: &mut Cursor<'_>) -> Option<Range<usize>> {
    cursor.take(3)?;
    let payload = cursor.counted(4)?;
    cursor.at = payload.end.checked_add(1)?;
    Some(payload)
}

/// The response of Start-Ok, and all behind it: properties, mechanism and response.
fn response(unit: &[u8], frame: &Range<usize>) -> Option<Range<usize>> {
    let at = frame.start + 4;
    let mut cursor = Cursor { unit, at };
    let hidden = match cursor.counted(4).and_then(|_| cursor.counted(1)) {
        Some(_) => cursor.length(4).map_or(cursor.at, |_| cursor.at),
        None => cursor.at,
    };
    (hidden < frame.end).then_some(hidden..frame.end)
}

/// Compressed lines of Wialon IPS: one that is a login, and what is not whole and may be one.
fn compressed(unit: &[u8], found: &mut Vec<Range<usize>>) {
    let mut cursor = Cursor { unit, at: 0 };
    while let Some(0xFF) = cursor.byte() {
        let Some([low, high]) = cursor.take(2) else {
            return;
        };
        let start = cursor.at;
        let end = start + usize::from(u16::from_le_bytes([*low, *high]));
        let line = unit
            .get(start..end)
            .and_then(|data| inflate(data, LINE_MAX));
        let is_zlib = unit.get(start).is_none_or(|head| head & 0x0F == ZLIB);
        if is_zlib && line.is_none_or(|line| line.windows(3).any(|part| part == b"#L#")) {
            found.push(start..end);
        }
        cursor.at = end;
    }
}

/// Of the flags of CONNECT.
const WILL: u8 = 0x04;
const PASSWORD: u8 = 0x40;
const USER: u8 = 0x80;

/// A property of MQTT 5.
const AUTHENTICATION_DATA: u8 = 0x16;

/// What a client of AMQP says first.
const AMQP_LEN: usize = 8;

/// How a zlib stream begins.
const ZLIB: u8 = 8;

/// Bytes of a compressed line that are looked at.
const LINE_MAX: usize = 128 * 1024;
