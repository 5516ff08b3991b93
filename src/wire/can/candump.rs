//! A line of `candump -L`, as log files and can-utils' `canlogserver` have it.
//!
//! ```text
//! (1773480413.000200) can0 18FEF100#FFFF50FFFFFFFFFF
//! (seconds.fraction)  interface     id#data
//!
//! id     3 hex digits: 11 bits; 8: 29 bits; 8 with 0x2000_0000: an error
//! data   #1122 or #11.22, `_9` behind 8 bytes: a raw length code
//!        #R or #R8: remote
//!        ##1AABB: CAN FD, one digit of flags
//! ```
//! Behind it there may be `R` or `T`: received or sent.

use super::CLASSIC_MAX;
use super::DATA_MAX;
use super::Frame;
use super::Id;
use super::Kind;
use super::socket;
use crate::hex;
use std::time::Duration;

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// When it was on the bus: since 1970, as a rule, else since any start; to nanoseconds.
    pub time: Duration,
    /// The name of the interface.
    pub interface: &'a str,
    /// What was on the bus.
    pub frame: Frame,
}

/// Why a line is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It has not the form of one.
    Syntax,
    /// An id that has more bits than its digits say, or a length that no frame has.
    Value,
}

/// Reads a line, with or without its end.
///
/// # Errors
/// See [`LineError`].
pub fn parse(line: &[u8]) -> Result<Line<'_>, LineError> {
    let text = str::from_utf8(line).map_err(|_| LineError::Syntax)?;
    let mut parts = text.split_ascii_whitespace();
    let mut next = || parts.next().ok_or(LineError::Syntax);
    let (time, interface, frame) = (next()?, next()?, next()?);
    match (parts.next(), parts.next()) {
        (None | Some("R" | "T"), None) => {}
        _ => return Err(LineError::Syntax),
    }
    Ok(Line {
        time: moment(time).ok_or(LineError::Syntax)?,
        interface,
        frame: frame_of(frame)?,
    })
}

/// Seconds and at most 9 digits behind the point, in brackets.
fn moment(text: &str) -> Option<Duration> {
    let inside = text.strip_prefix('(')?.strip_suffix(')')?;
    let (seconds, fraction) = inside.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.is_empty() {
        return None;
    }
    let missing = 9_usize.checked_sub(fraction.len())?;
    let scale = 10_u32.checked_pow(u32::try_from(missing).ok()?)?;
    let nanos = fraction.parse::<u32>().ok()?.checked_mul(scale)?;
    Some(Duration::new(seconds.parse().ok()?, nanos))
}

fn frame_of(text: &str) -> Result<Frame, LineError> {
    let (id, rest) = text.split_once('#').ok_or(LineError::Syntax)?;
    let (id, is_error) = id_of(id)?;
    let mut frame = match (rest.strip_prefix('#'), rest.strip_prefix('R')) {
        (Some(fd), _) => fd_frame(id, fd)?,
        (None, Some(length)) => remote(id, length)?,
        (None, None) => with_data(id, rest, CLASSIC_MAX)?,
    };
    if is_error {
        frame.kind = Kind::Error;
    }
    Ok(frame)
}

/// The id, and whether it tells of an error.
fn id_of(digits: &str) -> Result<(Id, bool), LineError> {
    let number = hex::number(digits).ok_or(LineError::Syntax)?;
    let is_error = digits.len() == 8 && number & socket::ERROR != 0;
    let id = match digits.len() {
        3 => Id::standard(number),
        8 if is_error => Id::extended(number & !socket::ERROR),
        8 => Id::extended(number),
        _ => return Err(LineError::Syntax),
    };
    Ok((id.ok_or(LineError::Value)?, is_error))
}

fn fd_frame(id: Id, text: &str) -> Result<Frame, LineError> {
    let (flags, data) = text.split_at_checked(1).ok_or(LineError::Syntax)?;
    let flags = hex::number(flags).and_then(|flags| u8::try_from(flags).ok());
    let mut frame = with_data(id, data, DATA_MAX)?;
    frame.fd = true;
    frame.flags = flags.ok_or(LineError::Syntax)?;
    Ok(frame)
}

/// What it asks for is of no use to anybody.
fn remote(id: Id, length: &str) -> Result<Frame, LineError> {
    let (length, code) = length.split_once('_').unwrap_or((length, "0"));
    let known = length.is_empty() || hex::number(length).is_some_and(|length| length <= 8);
    if !known || hex::number(code).is_none() || code.len() != 1 {
        return Err(LineError::Syntax);
    }
    let mut frame = Frame::new(id, &[]).ok_or(LineError::Value)?;
    frame.kind = Kind::Remote;
    Ok(frame)
}

fn with_data(id: Id, text: &str, most: usize) -> Result<Frame, LineError> {
    let (text, code) = match text.split_once('_') {
        Some((text, code)) => (text, Some(code)),
        None => (text, None),
    };
    let (mut data, mut len) = ([0; DATA_MAX], 0_usize);
    let mut rest = text;
    while !rest.is_empty() {
        let digits = if len == 0 {
            rest
        } else {
            rest.strip_prefix('.').unwrap_or(rest)
        };
        let (byte, behind) = digits.split_at_checked(2).ok_or(LineError::Syntax)?;
        let byte = hex::number(byte).and_then(|byte| u8::try_from(byte).ok());
        let place = data.get_mut(..most).and_then(|data| data.get_mut(len));
        *place.ok_or(LineError::Value)? = byte.ok_or(LineError::Syntax)?;
        len = len.saturating_add(1);
        rest = behind;
    }
    // only a frame of 8 bytes has a code of its own: 9 to 15
    let raw = |code: &str| code.len() == 1 && hex::number(code).is_some_and(|code| code > 8);
    if code.is_some_and(|code| len != CLASSIC_MAX || !raw(code)) {
        return Err(LineError::Syntax);
    }
    let data = data.get(..len).unwrap_or_default();
    Frame::new(id, data).ok_or(LineError::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Result<Frame, LineError> {
        parse(format!("(1.5) can0 {text}").as_bytes()).map(|line| line.frame)
    }

    #[test]
    fn a_line_has_a_time_an_interface_and_a_frame() {
        let line = parse(b" (1700000000.000001) vcan0 123#1122 T\r").unwrap();
        assert_eq!(line.time, Duration::new(1_700_000_000, 1000));
        assert_eq!(line.interface, "vcan0");
        assert_eq!(
            Some(line.frame),
            Frame::new(Id::Standard(0x123), &[0x11, 0x22])
        );
        assert_eq!(
            parse(b"(1.5) can0 123#").unwrap().time,
            Duration::from_millis(1500)
        );
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(frame("123#11.22").unwrap().data(), [0x11, 0x22]);
        assert_eq!(frame("18FEF100#aB").unwrap().id, Id::Extended(0x18FE_F100));
        assert_eq!(frame("123#1122334455667788_F").unwrap().data().len(), 8);
        for remote in ["123#R", "123#R8", "123#R8_9"] {
            let frame = frame(remote).unwrap();
            assert_eq!((frame.kind, frame.data()), (Kind::Remote, &[][..]));
        }
        let fd = frame(&format!("123##5{}", "01".repeat(64))).unwrap();
        assert_eq!((fd.fd, fd.flags, fd.data()), (true, 5, &[1; 64][..]));
        assert!(frame("123##1").unwrap().fd);
        let error = frame("20000040#0000000000000000").unwrap();
        assert_eq!((error.kind, error.id), (Kind::Error, Id::Extended(0x40)));
    }

    #[test]
    fn what_is_no_line_says_why() {
        for syntax in [
            "12#00",
            "1234#00",
            "123",
            "123#0",
            "123#0g",
            "123#+1",
            "123#.11",
            "123#11.",
            "123#11_9",
            "123#1122334455667788_8",
            "123##",
            "123##x00",
            "123#R9",
            "123#Rx",
            "123#00 R R",
            "é23#00",
        ] {
            assert_eq!(frame(syntax), Err(LineError::Syntax), "{syntax}");
        }
        let long = format!("123##0{}", "00".repeat(65));
        for value in ["800#00", "80000000#00", "123#112233445566778899", &long] {
            assert_eq!(frame(value), Err(LineError::Value), "{value}");
        }
        for line in [
            "",
            "(1) can0 123#00",
            "1.0 can0 123#00",
            "(1.) can0 123#00",
            "(.1) can0 123#",
            "(1.0000000001) can0 123#00",
            "(-1.0) can0 123#00",
            "can0 123#00",
            "(1.0) 123#00",
            "(1.0)",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(LineError::Syntax), "{line}");
        }
        assert_eq!(parse(b"\xff"), Err(LineError::Syntax));
    }
}
