//! @Track in ASCII, as Queclink's trackers send it over TCP and UDP.
//!
//! ```text
//! +RESP:GTFRI,250504,990000123456784,gv300,27450,10,1,1,63.2,178,35.4,77.765432,-12.345679,…
//!       kind  version IMEI           name             position: seven fields, wherever they stand
//! …,20260314092653,0901,0070,1234,0ABCDE,00,123456.7,…,20260314092655,0017$
//!   its time       cell: five fields                    sent           count
//! ```
//! `+RESP` is live, `+BUFF` was kept while there was no network, `+ACK` answers a command or is a
//! heartbeat. A line ends with `$`, of a few firmwares with NUL. The order of all other fields
//! differs with model and firmware.
//!
//! Source: Traccar's decoder and its samples, queclink-parser; no document of the vendor.

use crate::message::timestamp::from_calendar;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// How it came to be sent.
    pub sending: Sending,
    /// What stands behind the first `:`, without the end.
    pub text: &'a [u8],
    /// What stands between the commas; what is no UTF-8 is empty. At least [`FIELDS_MIN`].
    fields: Vec<&'a str>,
}

/// How a line came to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// When it was made.
    Live,
    /// Kept until there was a network.
    Buffered,
    /// As the answer to a command, or as a heartbeat.
    Acknowledgement,
}

/// A position, as a device writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Dilution of precision, from 0 to below 100; 0: no fix now, the place is an old one.
    pub hdop: f64,
    /// Kilometres an hour; none where the field is empty, as of the next two.
    pub speed: Option<f64>,
    /// Degrees from north, clockwise. Whether it is one was not looked at.
    pub direction: Option<f64>,
    /// Metres above the sea.
    pub altitude: Option<f64>,
    /// Degrees, north positive, -90 to 90.
    pub latitude: f64,
    /// Degrees, east positive, -180 to 180.
    pub longitude: f64,
    /// When it was measured: microseconds since 1970 UTC.
    pub time: u64,
}

/// The seven fields of a position.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Which field of its line is its first, see [`Line::field`].
    pub at: usize,
    /// None: they are empty, there was no fix.
    pub position: Option<Position>,
}

/// Why no line can start with what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The binary form of the protocol.
    Binary,
    /// No end after [`LINE_MAX`] bytes.
    Length,
}

/// Not a line of this protocol, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoLine;

/// A line, or that there is none, and how many bytes it takes.
pub type Unit<'a> = (Result<Line<'a>, NoLine>, usize);

/// The line at the head of `input` and how many bytes it takes with what stands before it; no
/// length yet, no line. What is no line is told as such, up to its end.
///
/// # Errors
/// When nothing that follows can be understood: see [`FrameError`].
pub fn next(input: &[u8]) -> Result<Option<Unit<'_>>, FrameError> {
    let ahead = blank(input);
    let rest = input.get(ahead..).unwrap_or_default();
    if matches!(rest, [_, 0, ..]) || is_binary(rest) {
        return Err(FrameError::Binary);
    }
    let end = rest
        .iter()
        .take(LINE_MAX)
        .position(|byte| matches!(byte, b'$' | 0));
    let Some(end) = end else {
        return match rest.len() {
            0..LINE_MAX => Ok(None),
            _ => Err(FrameError::Length),
        };
    };
    let text = rest.get(..end).unwrap_or_default();
    let len = ahead.saturating_add(end).saturating_add(1);
    Ok(Some((line(text).ok_or(NoLine), len)))
}

/// How many bytes between lines `input` begins with.
#[must_use]
pub fn blank(input: &[u8]) -> usize {
    let blank = |byte: &&u8| matches!(byte, b'\r' | b'\n' | b' ' | 0);
    input.iter().take_while(blank).count()
}

fn is_binary(rest: &[u8]) -> bool {
    let head = rest.get(..4).unwrap_or_default();
    let heads: [&[u8]; 5] = [b"+RSP", b"+EVT", b"+INF", b"+HBD", b"+CRD"];
    heads.contains(&head)
}

fn line(text: &[u8]) -> Option<Line<'_>> {
    let heads: [(&[u8], Sending); 3] = [
        (b"+RESP:", Sending::Live),
        (b"+BUFF:", Sending::Buffered),
        (b"+ACK:", Sending::Acknowledgement),
    ];
    let (text, sending) = heads
        .into_iter()
        .find_map(|(head, sending)| Some((text.strip_prefix(head)?, sending)))?;
    let fields = text.split(|byte| *byte == b',');
    let fields = fields.map(|field| str::from_utf8(field).unwrap_or_default());
    let line = Line {
        sending,
        text,
        fields: fields.collect(),
    };
    // both come back in answers, the kind in each message
    let is_version = (6..=10).contains(&line.version().len());
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_kind = |text: &str| {
        (1..=KIND_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_whole = line.fields.len() >= FIELDS_MIN
        && line.kind().strip_prefix("GT").is_some_and(is_kind)
        && is_version
        && is_hex(line.version())
        && line.count().len() == 4
        && is_hex(line.count());
    is_whole.then_some(line)
}

impl<'a> Line<'a> {
    /// What it is: `GTFRI`. `GT`, and 1 to 6 letters and digits.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.field(0)
    }

    /// The version of the protocol: 6 to 10 hex digits, of which the first ones name the model.
    #[must_use]
    pub fn version(&self) -> &'a str {
        self.field(1)
    }

    /// Who sent it, as it stands there: nothing says that it is 15 digits.
    #[must_use]
    pub fn imei(&self) -> &'a str {
        self.field(2)
    }

    /// The number of the vehicle, which some models say behind the IMEI; a name that looks like
    /// one is taken for it.
    #[must_use]
    pub fn vin(&self) -> Option<&'a str> {
        // no letter that passes for a digit is in one
        let in_one =
            |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z') && !b"IOQ".contains(&byte);
        let field = self.field(3);
        let is_vin = field.len() == VIN && field.bytes().all(in_one);
        let has_digit = || field.bytes().any(|byte| byte.is_ascii_digit());
        (self.end() > 3 && is_vin && has_digit()).then_some(field)
    }

    /// Its number, which its answer repeats: four hex digits, behind `FFFF` comes `0000`.
    #[must_use]
    pub fn count(&self) -> &'a str {
        self.fields.last().copied().unwrap_or_default()
    }

    /// When it was sent: microseconds since 1970 UTC; none where it does not say so.
    #[must_use]
    pub fn sent(&self) -> Option<u64> {
        time(self.field(self.end()))
    }

    /// The field at `at`, counted from 0, the kind; empty where there is none.
    #[must_use]
    pub fn field(&self, at: usize) -> &'a str {
        self.fields.get(at).copied().unwrap_or_default()
    }

    /// The positions of it: as many as [`LINE_MAX`] has room for, some 600.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut at = 3;
        while at < self.end() {
            let fields = self.fields.get(at..).unwrap_or_default();
            let position = position(fields);
            let is_block = position.is_some() || is_empty(fields);
            if is_block {
                blocks.push(Block { at, position });
            }
            at = at.saturating_add(if is_block { BLOCK } else { 1 });
        }
        blocks
    }

    /// What stands between a block's cell and the time of sending; nothing where there is no cell.
    #[must_use]
    pub fn behind(&self, block: &Block) -> &[&'a str] {
        let cell = block.at.saturating_add(BLOCK);
        let from = cell.saturating_add(CELL);
        let tail = self.fields.get(from..self.end());
        tail.filter(|_| is_country(self.field(cell)))
            .unwrap_or_default()
    }

    /// Which field the time of sending is.
    fn end(&self) -> usize {
        self.fields.len().saturating_sub(2)
    }
}

/// The position that these fields begin with.
fn position(fields: &[&str]) -> Option<Position> {
    let [
        hdop,
        speed,
        direction,
        altitude,
        longitude,
        latitude,
        time,
        ..,
    ] = fields
    else {
        return None;
    };
    let degrees = |text: &str, most: f64| {
        let (_, fraction) = text.split_once('.')?;
        let degrees = number(text).filter(|degrees| degrees.abs() <= most)?;
        (fraction.len() == 6).then_some(degrees)
    };
    let maybe = |text: &str| match text {
        "" => Some(None),
        text => number(text).map(Some),
    };
    Some(Position {
        longitude: degrees(longitude, 180.0)?,
        latitude: degrees(latitude, 90.0)?,
        time: self::time(time)?,
        hdop: number(hdop).filter(|hdop| (0.0..100.0).contains(hdop))?,
        speed: maybe(speed)?,
        direction: maybe(direction)?,
        altitude: maybe(altitude)?,
    })
}

/// Whether a position stands here that is not known: 0, six empty fields, and a cell.
fn is_empty(fields: &[&str]) -> bool {
    match fields {
        ["0", "", "", "", "", "", "", country, ..] => is_country(country),
        _ => false,
    }
}

fn is_country(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A decimal number without an exponent, of 16 characters at most; none of all else.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let fits = text.len() <= 16 && digits.bytes().all(plain);
    text.parse().ok().filter(|_| fits)
}

/// `yyyymmddhhmmss`, UTC.
fn time(text: &str) -> Option<u64> {
    let plain = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = Some(text).filter(|_| plain)?;
    let part = |from: usize, to: usize| text.get(from..to)?.parse().ok();
    let date = [part(0, 4)?, part(4, 6)?, part(6, 8)?];
    let time = [part(8, 10)?, part(10, 12)?, part(12, 14)?];
    let seconds = u64::try_from(from_calendar(date, time)?).ok()?;
    seconds.checked_mul(1_000_000)
}

/// Bytes of a line at most.
pub const LINE_MAX: usize = 8 * 1024;

/// Kind, version, IMEI, time of sending, count.
const FIELDS_MIN: usize = 5;

/// Letters and digits of a kind behind `GT`; all that are known have three.
const KIND_MAX: usize = 6;

/// Letters and digits of a VIN.
const VIN: usize = 17;

/// Fields of a position.
const BLOCK: usize = 7;

/// Fields of a cell.
const CELL: usize = 5;
