//! AIS: what ships say of themselves by radio, in sentences of NMEA 0183.
//!
//! ```text
//! !AIVDM,2,1,3,A,52vg24@000004740000HU9=@00000000000000000000040Ht0000000,0*20
//!        │ │ │ │ payload: six bits a character                             fill bits at the end
//!        │ │ │ channel
//!        │ │ number that the parts of one message share
//!        │ part
//!        parts
//! ```
//! VDM is of other ships, VDO of the own transponder. Fields are bits of the payload. Types 1, 2,
//! 3, 18 and 19 say where a ship is, 5, 19 and 24 what it is; the others are not read.
//!
//! Source: ITU-R M.1371, as gpsd's page on AIVDM has it.

use super::nmea::SentenceError;
use super::sign::twos_complement;

/// One sentence: a message, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// How many parts the message has, from 1 to 9.
    pub total: u8,
    /// Which one it is, from 1.
    pub number: u8,
    /// The digit that all parts share, 0 to 9; none where there is one part, as a rule.
    pub sequence: Option<u8>,
    /// The letter of the channel, as it came; none where it is left empty.
    pub channel: Option<u8>,
    /// In armour, six bits a character; see [`Bits::of`].
    pub payload: &'a [u8],
    /// Bits of the last character that do not count, 0 to 5.
    pub fill: u8,
}

/// What a message says; what it does not know, or does not carry, is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Who it is, by its number in radio: nine digits; 0: it has none.
    pub mmsi: u32,
    /// Where it is and how it moves; none in messages that do not tell it.
    pub motion: Option<Motion>,
    /// What it is called.
    pub name: Option<String>,
    /// Its call sign.
    pub callsign: Option<String>,
    /// Where it goes, as its crew has typed it.
    pub destination: Option<String>,
    /// What kind of ship it is: 1 to 255, of which 1 to 99 have a meaning.
    pub kind: Option<u32>,
    /// Its number at the IMO, as its crew has typed it: 1 to 2^30 - 1, of which seven digits are
    /// right.
    pub imo: Option<u32>,
    /// How deep it lies in the water, metres: 0.1 to 25.5, which is that or more.
    pub draught: Option<f64>,
}

/// Where a ship is and how it moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    /// Latitude and longitude, degrees, north and east positive.
    pub position: Option<(f64, f64)>,
    /// Knots over ground, 0 to 102.2, which is that or more.
    pub speed: Option<f64>,
    /// Where it goes over ground: degrees from true north, 0 to 359.9.
    pub course: Option<f64>,
    /// Where the bow points: degrees from true north, 0 to 359.
    pub heading: Option<u32>,
    /// 0 under way, 1 at anchor, 5 moored …, to 14; none in types 18 and 19, too.
    pub status: Option<u32>,
}

/// The fields behind the head of a sentence: `,2,1,3,A,payload,0`.
///
/// # Errors
/// `Syntax` where a field is missing or is no digit, `Value` where the part is none of those that
/// there are, or more bits are to be left out than a character has.
pub fn part(fields: &str) -> Result<Part<'_>, SentenceError> {
    let mut fields = fields.split(',').map(str::trim_ascii).skip(1);
    let mut next = || fields.next().ok_or(SentenceError::Syntax);
    let (total, number) = (digit(next()?)?, digit(next()?)?);
    let sequence = match next()? {
        "" => None,
        text => Some(digit(text)?),
    };
    let channel = next()?.bytes().next();
    let (payload, fill) = (next()?.as_bytes(), digit(next()?)?);
    if !(1..=total).contains(&number) || fill > FILL_MAX {
        return Err(SentenceError::Value);
    }
    Ok(Part {
        total,
        number,
        sequence,
        channel,
        payload,
        fill,
    })
}

/// What the bits of a whole message say; none if it is of a type that is not read.
///
/// # Errors
/// `Syntax` where it is too short for its type, `Value` where an MMSI has more than nine digits or
/// a place is not on Earth.
pub fn report(bits: &Bits) -> Result<Option<Report>, SentenceError> {
    let kind = bits.unsigned(0, 6);
    // of type 24 alone, which comes in two
    let part = bits.unsigned(38, 2);
    let Some(len) = len_of(kind, part) else {
        return Ok(None);
    };
    if bits.len < len {
        return Err(SentenceError::Syntax);
    }
    let mut report = Report {
        mmsi: bits.unsigned(8, 30),
        ..Report::default()
    };
    if report.mmsi > MMSI_MAX {
        return Err(SentenceError::Value);
    }
    match (kind, part) {
        (1..=3, _) => {
            let motion = bits.motion(50)?;
            let status = known(bits.unsigned(38, 4), 15);
            report.motion = Some(Motion { status, ..motion });
        }
        (18, _) => report.motion = Some(bits.motion(46)?),
        (19, _) => {
            report.motion = Some(bits.motion(46)?);
            report.name = bits.text(143, 120);
            report.kind = known(bits.unsigned(263, 8), 0);
        }
        (5, _) => {
            report.imo = known(bits.unsigned(40, 30), 0);
            report.callsign = bits.text(70, 42);
            report.name = bits.text(112, 120);
            report.kind = known(bits.unsigned(232, 8), 0);
            report.draught = known(bits.unsigned(294, 8), 0).map(tenths);
            report.destination = bits.text(302, 120);
        }
        (_, 0) => report.name = bits.text(40, 120),
        _ => {
            report.kind = known(bits.unsigned(40, 8), 0);
            report.callsign = bits.text(90, 42);
        }
    }
    Ok(Some(report))
}

/// How many bits a message of this type has at least; none: it is not read.
fn len_of(kind: u32, part: u32) -> Option<usize> {
    match (kind, part) {
        (1..=3 | 18, _) | (24, 1) => Some(168),
        (5, _) => Some(420),
        (19, _) => Some(312),
        (24, 0) => Some(160),
        _ => None,
    }
}

/// The bits of a message, most significant first.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    /// Six in each.
    sixes: Vec<u8>,
    len: usize,
}

impl Bits {
    /// Out of their armour, the characters from `0` to `W` and from `` ` `` to `w`; `fill` bits at
    /// the end do not count.
    ///
    /// # Errors
    /// `Syntax` where a character is none of these.
    pub fn of(payload: &[u8], fill: u8) -> Result<Self, SentenceError> {
        let sixes = payload.iter().map(|byte| match byte {
            b'0'..=b'W' => Some(byte.wrapping_sub(48)),
            b'`'..=b'w' => Some(byte.wrapping_sub(56)),
            _ => None,
        });
        let sixes: Option<Vec<u8>> = sixes.collect();
        let sixes = sixes.ok_or(SentenceError::Syntax)?;
        let len = sixes.len().saturating_mul(6);
        Ok(Self {
            len: len.saturating_sub(usize::from(fill)),
            sixes,
        })
    }

    /// The number of `len` bits from bit `start` on, 32 at most; what is behind the end is 0.
    fn unsigned(&self, start: usize, len: usize) -> u32 {
        let bits = (start..start.saturating_add(len)).map(|at| {
            let six = self.sixes.get(at / 6).filter(|_| at < self.len);
            let six = u32::from(six.copied().unwrap_or(0));
            (six << (at % 6)) & 0b10_0000
        });
        bits.fold(0, |value, bit| (value << 1) | (bit >> 5))
    }

    /// Two's complement, of 1 to 32 bits.
    fn signed(&self, start: usize, len: u8) -> i32 {
        let number = twos_complement(self.unsigned(start, len.into()).into(), len);
        i32::try_from(number).unwrap_or(0)
    }

    /// Six bits a character, up to the first `@`; without the blanks at its end. None if it is
    /// empty.
    fn text(&self, start: usize, len: usize) -> Option<String> {
        let starts = (start..start.saturating_add(len)).step_by(6);
        let letters = starts.map_while(|at| match self.unsigned(at, 6) {
            0 => None,
            code @ 1..32 => char::from_u32(code | 64),
            code => char::from_u32(code),
        });
        let text: String = letters.collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Speed, one bit, longitude, latitude, course and heading, which stand together in all types.
    fn motion(&self, start: usize) -> Result<Motion, SentenceError> {
        let at = |more: usize| start.saturating_add(more);
        let longitude = degrees(self.signed(at(11), 28), 180)?;
        let latitude = degrees(self.signed(at(39), 27), 90)?;
        let course = self.unsigned(at(66), 12);
        let heading = self.unsigned(at(78), 9);
        Ok(Motion {
            position: latitude.zip(longitude),
            speed: known(self.unsigned(start, 10), 1023).map(tenths),
            course: (course < 3600).then(|| tenths(course)),
            heading: (heading < 360).then_some(heading),
            status: None,
        })
    }
}

/// Degrees of ten thousandths of minutes, none where one more than `most` says that they are not
/// known.
fn degrees(units: i32, most: i32) -> Result<Option<f64>, SentenceError> {
    let unknown = most.saturating_add(1).saturating_mul(DEGREE);
    match units.saturating_abs() <= most.saturating_mul(DEGREE) {
        true => Ok(Some(f64::from(units) / f64::from(DEGREE))),
        false if units == unknown => Ok(None),
        false => Err(SentenceError::Value),
    }
}

/// None where the number says that it is not known.
fn known(number: u32, unknown: u32) -> Option<u32> {
    (number != unknown).then_some(number)
}

fn tenths(number: u32) -> f64 {
    f64::from(number) / 10.0
}

fn digit(text: &str) -> Result<u8, SentenceError> {
    match text.as_bytes() {
        [digit @ b'0'..=b'9'] => Ok(digit.wrapping_sub(b'0')),
        _ => Err(SentenceError::Syntax),
    }
}

/// Units of longitude and latitude in one.
const DEGREE: i32 = 600_000;

/// Of one character at most.
const FILL_MAX: u8 = 5;

/// Nine digits, in 30 bits.
const MMSI_MAX: u32 = 999_999_999;
