//! What is in a packet, by its kind; and in a scan.
//!
//! ```text
//! login      8 bytes of decimals: 0 │ IMEI; perhaps u16 model │ u16 zone
//! gps        date │ u8: low half satellites │ u32 latitude │ u32 longitude │ u8 speed │ u16 course
//! date       year of the century, month, day, hour, minute, second: u8 each; month 0: none
//! cell       u16 mcc, bit 15: mnc has two bytes │ mnc │ u16 lac │ u24 cell id
//!            in A0 and A4 u32 lac │ u64 cell id
//! location   gps │ cell │ perhaps u8 ignition │ u8 why │ u8 late │ perhaps u32 mileage
//! alarm      gps │ u8 length of cell │ cell │ u8 info │ u8 level │ u8 signal
//!            │ u8 alarm │ u8 language │ in 27 and A4 u8 fence │ perhaps u32 mileage
//! ```

use super::Packet;
use super::Scan;
use crate::message::timestamp::from_calendar;
use crate::wire::cursor::Cursor;
use crate::wire::decimals::decimal;
use crate::wire::decimals::decimals;
use crate::wire::sign::sign_and_magnitude;
use std::fmt;

/// What a packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Who it is.
    Login(Login),
    /// What was measured.
    Report(Box<Report>),
    /// It asks for the time.
    TimeRequest,
    /// What a device says to a command.
    Text(String),
    /// A kind that servers send (80 to 82), come back: nothing.
    OfServer,
    /// A kind, or a sub-kind of 94, that is not read here.
    Unknown,
}

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its IMEI: 15 digits, or 16 where the first is no zero.
    pub ident: String,
    /// Seconds that its clock is ahead of UTC, below 0 in the west, 15 hours at most; none: it does
    /// not say so.
    pub zone_s: Option<i32>,
}

/// What a device measured; of most kinds only a part is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Seconds since 1970 by its clock; none: it has none, or does not know the date.
    pub time_s: Option<i64>,
    /// What its receiver says.
    pub place: Option<Place>,
    /// The cell of the network that it is in.
    pub cell: Option<Cell>,
    /// Whether the ignition is on.
    pub ignition: Option<bool>,
    /// Why it was sent, by the device's own list.
    pub mode: Option<u8>,
    /// Whether it was kept and comes late.
    pub is_late: Option<bool>,
    /// Metres that the vehicle has gone.
    pub mileage_m: Option<u32>,
    /// What the device says of itself.
    pub status: Option<Status>,
    /// Hundredths of a volt from the vehicle.
    pub external_cv: Option<u16>,
    /// Bits; the lowest: a door is open.
    pub doors: Option<u8>,
    /// The number of the SIM card, 19 or 20 digits as a rule.
    pub iccid: Option<String>,
}

/// What a receiver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many it uses, 0 to 15; none: it does not say.
    pub satellites: Option<u8>,
    /// 1,800,000ths of a degree, positive to the north. Whether it is on Earth was not looked at.
    pub latitude: i64,
    /// 1,800,000ths of a degree, positive to the east. Whether it is on Earth was not looked at.
    pub longitude: i64,
    /// Kilometres an hour.
    pub speed_km_h: u8,
    /// Degrees from north, clockwise, 0 to 1023.
    pub direction_deg: u16,
    /// Whether it has a fix; without one the place is an old one.
    pub is_positioned: bool,
}

/// A cell of a mobile network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The number of its country; 0: no network was found.
    pub mcc: u16,
    /// The number of its network in the country.
    pub mnc: u16,
    /// The number of its area in the network; 4 bytes in kinds A0 and A4, else 2.
    pub lac: u32,
    /// Its own number; 8 bytes in kinds A0 and A4, 2 in scans, else 3.
    pub id: u64,
}

/// What a device says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bits: 0 armed, 1 ignition, 2 charging, 3 to 5 alarm, 6 positioned, 7 oil cut.
    pub info: u8,
    /// How full its battery is: 0 to 6, or percent.
    pub level: Option<u8>,
    /// Hundredths of a volt of its battery.
    pub battery_cv: Option<u16>,
    /// How well it hears its network, 0 to 4.
    pub signal: u8,
    /// Why it gives alarm, by the device's own list; 1 is SOS.
    pub alarm: Option<u8>,
}

/// Why a packet that is intact cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentError {
    /// It is too short for its kind.
    Length,
    /// No calendar has its date: it is of another layout.
    Date,
    /// What should be a number has halves of bytes that are no digits.
    Digits,
}

impl Content {
    /// Reads the content of a packet that is intact. What a clone has behind what its kind has is
    /// left alone.
    ///
    /// # Errors
    /// See [`ContentError`].
    pub fn decode(packet: &Packet<'_>) -> Result<Self, ContentError> {
        let mut rest = Cursor(packet.content);
        let report = match packet.kind {
            0x01 => return login(&mut rest).map(Self::Login),
            0x8A => return Ok(Self::TimeRequest),
            0x80..=0x82 => return Ok(Self::OfServer),
            0x15 => return answer_text(&mut rest).map(Self::Text),
            0x21 => return coded_text(&mut rest).map(Self::Text),
            0x12 | 0x22 | 0x2D => location(&mut rest, Cell::narrow),
            0xA0 => location(&mut rest, Cell::wide),
            0x16 | 0x26 => alarm(&mut rest, Cell::narrow, false),
            0x27 => alarm(&mut rest, Cell::narrow, true),
            0xA4 => alarm(&mut rest, Cell::wide, true),
            0x13 => heartbeat(&mut rest, false),
            0x23 => heartbeat(&mut rest, true),
            0x28 => cells(&mut rest),
            0x94 => match information(&mut rest)? {
                Some(report) => Ok(report),
                None => return Ok(Self::Unknown),
            },
            _ => return Ok(Self::Unknown),
        };
        report.map(|report| Self::Report(Box::new(report)))
    }
}

impl Scan<'_> {
    /// What it says: its time, and the first cell as far as it has one; access points are left out.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut rest = Cursor(self.cells);
        let time = self.time.map(decimal);
        let [
            Some(year),
            Some(month),
            Some(day),
            Some(hour),
            Some(minute),
            Some(second),
        ] = time
        else {
            return Report::default();
        };
        let time_s = date([year, month, day, hour, minute, second]);
        Report {
            time_s: time_s.unwrap_or_default(),
            cell: scanned_cell(&mut rest),
            ..Report::default()
        }
    }
}

fn scanned_cell(rest: &mut Cursor<'_>) -> Option<Cell> {
    let _count = rest.u8()?;
    let cell = Cell {
        mcc: rest.u16_be()?,
        mnc: rest.u8()?.into(),
        lac: rest.u16_be()?.into(),
        id: rest.u16_be()?.into(),
    };
    Some(cell).filter(|cell| cell.mcc != 0)
}

fn login(rest: &mut Cursor<'_>) -> Result<Login, ContentError> {
    let number = rest.bytes(8).ok_or(ContentError::Length)?;
    let digits = decimals(number).ok_or(ContentError::Digits)?;
    let _model = rest.u16_be();
    Ok(Login {
        ident: digits.strip_prefix('0').unwrap_or(&digits).to_owned(),
        zone_s: rest.u16_be().and_then(zone),
    })
}

/// Bits 4 to 15: hours and minutes as four digits; bit 3: west of Greenwich.
fn zone(field: u16) -> Option<i32> {
    let clock = i32::from(field >> 4);
    let (hours, minutes) = (clock.checked_div(100)?, clock.checked_rem(100)?);
    let ahead = hours
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?;
    let is_zone = hours <= 14 && minutes < 60;
    let sign = if field & 8 == 0 { 1 } else { -1 };
    ahead.checked_mul(sign).filter(|_| is_zone)
}

type ReadCell = fn(&mut Cursor<'_>) -> Option<Cell>;

fn location(rest: &mut Cursor<'_>, cell: ReadCell) -> Result<Report, ContentError> {
    let mut report = gps(rest)?;
    if let Some(cell) = cell(rest) {
        report.cell = cell.known();
        // a tail of another length is another clone's: it is left alone
        if matches!(rest.0.len(), 3 | 7) {
            report.ignition = rest.u8().map(|on| on != 0);
            report.mode = rest.u8();
            report.is_late = rest.u8().map(|late| late != 0);
        }
        report.mileage_m = mileage(rest);
    }
    Ok(report)
}

fn alarm(rest: &mut Cursor<'_>, cell: ReadCell, has_fence: bool) -> Result<Report, ContentError> {
    let mut report = gps(rest)?;
    let Some(cell) = alarm_cell(rest, cell) else {
        return Ok(report);
    };
    report.cell = cell.known();
    report.status = status(rest);
    let _language = rest.u8();
    let _fence = has_fence.then(|| rest.u8());
    report.mileage_m = mileage(rest);
    Ok(report)
}

/// The cell of an alarm: with its length before it, which counts itself, or does not, or is 0
/// before nothing or the room of a cell; or without. None: what stands there is none of these.
fn alarm_cell(rest: &mut Cursor<'_>, cell: ReadCell) -> Option<Cell> {
    let (len, bytes) = rest.0.split_first()?;
    let len = usize::from(*len);
    if len == 0 {
        let room = bytes.strip_prefix(&[0; 8]);
        rest.0 = room
            .filter(|after| after.len() >= STATUS_LEN)
            .unwrap_or(bytes);
        return Some(Cell::default());
    }
    let mut after = Cursor(bytes);
    let found = cell(&mut after)?;
    let used = bytes.len().saturating_sub(after.0.len());
    let with_len = if len == used {
        len
    } else {
        len.saturating_sub(1)
    };
    if with_len >= used && with_len.saturating_add(STATUS_LEN) <= bytes.len() {
        rest.0 = bytes.get(with_len..)?;
        return Some(found);
    }
    let found = cell(rest)?;
    (rest.0.len() >= STATUS_LEN).then_some(found)
}

/// Bytes of what follows the cell of an alarm.
const STATUS_LEN: usize = 5;

fn status(rest: &mut Cursor<'_>) -> Option<Status> {
    Some(Status {
        info: rest.u8()?,
        level: Some(rest.u8()?),
        battery_cv: None,
        signal: rest.u8()?,
        alarm: Some(rest.u8()?),
    })
}

/// What is left, if that is a mileage and nothing more.
fn mileage(rest: &mut Cursor<'_>) -> Option<u32> {
    (rest.0.len() == 4).then(|| rest.u32_be()).flatten()
}

fn heartbeat(rest: &mut Cursor<'_>, in_volts: bool) -> Result<Report, ContentError> {
    let mut read = || {
        let info = rest.u8()?;
        let (level, battery_cv) = if in_volts {
            (None, Some(rest.u16_be()?))
        } else {
            (Some(rest.u8()?), None)
        };
        Some(Status {
            info,
            level,
            battery_cv,
            signal: rest.u8()?,
            alarm: None,
        })
    };
    let status = Some(read().ok_or(ContentError::Length)?);
    Ok(Report {
        status,
        ..Report::default()
    })
}

/// Cells without a fix: of seven the first; in another layout than this one only the time.
fn cells(rest: &mut Cursor<'_>) -> Result<Report, ContentError> {
    let time_s = rest.date()?;
    let is_wide = rest.0.first().is_some_and(|mcc| mcc & 0x80 != 0);
    let fits = rest.0.len() == if is_wide { 49 } else { 48 };
    let cell = fits.then(|| Cell::narrow(rest)).flatten();
    Ok(Report {
        time_s,
        cell: cell.and_then(Cell::known),
        ..Report::default()
    })
}

/// None: of a kind that is not read here.
fn information(rest: &mut Cursor<'_>) -> Result<Option<Report>, ContentError> {
    let mut report = Report::default();
    match rest.u8().ok_or(ContentError::Length)? {
        0x00 => report.external_cv = Some(rest.u16_be().ok_or(ContentError::Length)?),
        0x05 => report.doors = Some(rest.u8().ok_or(ContentError::Length)?),
        0x0A => {
            let _imei_and_imsi = rest.bytes(16);
            let number = rest.bytes(10).ok_or(ContentError::Length)?;
            report.iccid = Some(iccid(number).ok_or(ContentError::Digits)?);
        }
        _ => return Ok(None),
    }
    Ok(Some(report))
}

/// 20 digits, or 19 and an F.
fn iccid(bytes: &[u8]) -> Option<String> {
    match bytes {
        [head @ .., last] if last & 0x0F == 0x0F => {
            let mut digits = decimals(head)?;
            digits.push(char::from_digit((last >> 4).into(), 10)?);
            Some(digits)
        }
        _ => decimals(bytes),
    }
}

/// The answer to a command: length, four bytes of the command's, text, language.
fn answer_text(rest: &mut Cursor<'_>) -> Result<String, ContentError> {
    let len = rest.u8().map(usize::from).ok_or(ContentError::Length)?;
    // clones say 0 before a text that zeros fill up
    let len = if len == 0 { rest.0.len() } else { len };
    let bytes = rest.bytes(len).and_then(|bytes| bytes.get(4..));
    bytes.map(text).ok_or(ContentError::Length)
}

/// The same with a code of the text: 1 is ASCII, 2 UTF-16.
fn coded_text(rest: &mut Cursor<'_>) -> Result<String, ContentError> {
    let _command = rest.u32_be();
    let code = rest.u8().ok_or(ContentError::Length)?;
    if code != 2 {
        return Ok(text(rest.0));
    }
    let units = rest.0.chunks_exact(2);
    let units = units.filter_map(|unit| unit.first_chunk().copied());
    let letters = char::decode_utf16(units.map(u16::from_be_bytes));
    let letters = letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(text(letters.collect::<String>().as_bytes()))
}

/// Up to the zeros that fill it up.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = bytes.get(..end.unwrap_or(bytes.len()));
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    text.trim_matches(['\r', '\n']).to_owned()
}

/// A report of a receiver alone.
fn gps(rest: &mut Cursor<'_>) -> Result<Report, ContentError> {
    let time_s = rest.date()?;
    let place = Place::read(rest).ok_or(ContentError::Length)?;
    Ok(Report {
        time_s,
        place: Some(place),
        ..Report::default()
    })
}

impl Cursor<'_> {
    fn date(&mut self) -> Result<Option<i64>, ContentError> {
        date(self.array().ok_or(ContentError::Length)?)
    }
}

/// Seconds since 1970 of year, month, day, hour, minute, second; none where there is no day.
fn date(parts: [u8; 6]) -> Result<Option<i64>, ContentError> {
    let [year, month, day, hour, minute, second] = parts.map(i64::from);
    if month == 0 || day == 0 {
        return Ok(None);
    }
    let date = [year.saturating_add(2000), month, day];
    let time_s = from_calendar(date, [hour, minute, second]).filter(|_| year < 100);
    time_s.map(Some).ok_or(ContentError::Date)
}

impl Place {
    fn read(rest: &mut Cursor<'_>) -> Option<Self> {
        let satellites = rest.u8()?;
        let (latitude, longitude) = (rest.u32_be()?, rest.u32_be()?);
        let speed_km_h = rest.u8()?;
        let course = rest.u16_be()?;
        let is_set = |bit: u16| course & bit != 0;
        Some(Self {
            // both halves are zero where it does not say
            satellites: (satellites != 0).then_some(satellites & 0x0F),
            // the two are not alike: bit 10 is north, bit 11 west
            latitude: sign_and_magnitude(!is_set(1 << 10), latitude),
            longitude: sign_and_magnitude(is_set(1 << 11), longitude),
            speed_km_h,
            direction_deg: course & 0x03FF,
            is_positioned: is_set(1 << 12),
        })
    }
}

impl Cell {
    fn narrow(rest: &mut Cursor<'_>) -> Option<Self> {
        let (mcc, mnc) = network(rest)?;
        let (lac, id) = (rest.u16_be()?.into(), rest.u24_be()?.into());
        Some(Self { mcc, mnc, lac, id })
    }

    fn wide(rest: &mut Cursor<'_>) -> Option<Self> {
        let (mcc, mnc) = network(rest)?;
        let (lac, id) = (rest.u32_be()?, rest.u64_be()?);
        Some(Self { mcc, mnc, lac, id })
    }

    /// None: no network was found.
    fn known(self) -> Option<Self> {
        Some(self).filter(|cell| cell.mcc != 0)
    }
}

fn network(rest: &mut Cursor<'_>) -> Option<(u16, u16)> {
    let mcc = rest.u16_be()?;
    let is_long = mcc & 0x8000 != 0;
    let mnc = if is_long {
        rest.u16_be()?
    } else {
        rest.u8()?.into()
    };
    Some((mcc & 0x7FFF, mnc))
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a packet is too short for its kind",
            Self::Date => "a packet has a date that no calendar has",
            Self::Digits => "a number in a packet has halves of bytes that are no digits",
        })
    }
}

impl std::error::Error for ContentError {}
