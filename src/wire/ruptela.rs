//! Ruptela's protocol: packets of records over TCP and UDP, read; answers, written.
//!
//! It knows nothing of what an element means; `channel::ruptela` does.
//!
//! # Format
//! All integers are big-endian. The vendor's document is confidential: the sources are the public
//! decoders traccar, dimitrievski/ruptela and hubeidata/ruptela_decoder, and public samples.
//! ```text
//! packet    u16 length │ u64 IMEI │ u8 command │ payload │ u16 CRC-16/KERMIT
//!           length and checksum are of IMEI, command and payload
//! answer    u16 length │ u8 command │ u8 verdict … │ u16 CRC-16/KERMIT of both
//!
//! records   u8 whether more wait │ u8 count │ records          commands 1 and 68, answered by 100
//! record    u32 s │ u8 time extension │ 68: u8 record extension │ u8 priority
//!           │ i32 longitude │ i32 latitude │ i16 altitude 0.1 m │ u16 direction 0.01 degrees
//!           │ u8 satellites │ u16 speed km/h │ u8 HDOP 0.1 │ event: u8, 68: u16
//!           │ for widths 1, 2, 4 and 8: u8 count │ count × (id: u8, 68: u16 │ value)
//!
//! codes     u8 count │ count × (u8 │ u32 s │ i32 longitude │ i32 latitude │ u8 source │ 5 ASCII)
//! ```
//! What is not known has all its bits set, and coordinates and altitude the lowest number there is.
//!
//! A record extension numbers the parts of one record: the upper half is the last one's number, the
//! lower half that of this one, both from 0. All parts have the same time and place, and other
//! elements.

use super::cursor::Cursor;
use super::element::Element;
use super::element::ElementValue;
use std::fmt;

/// One packet, cut out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who sent it, as a number; an IMEI has 15 digits at most.
    pub imei: u64,
    /// What it is: see the constants, and [`Records::decode`].
    pub command: u8,
    /// What follows the command.
    pub payload: &'a [u8],
    /// All that the checksum is of: IMEI, command and payload.
    pub checked: &'a [u8],
    /// Its checksum as sent; see [`Frame::is_intact`].
    pub crc: u16,
    /// Bytes of the stream that it took: length, `checked` and checksum.
    pub len: usize,
}

/// Why no packet can start here: its length is below [`LENGTH_MIN`] or over [`LENGTH_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthError(pub u16);

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Command 1: ids up to 255.
    Plain,
    /// Command 68: ids up to 65,535, and records in several parts.
    Extended,
}

/// The records of one packet, their parts put together as far as they are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records(pub Vec<Record>);

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was measured, seconds since 1970 UTC.
    pub time_s: u32,
    /// The record extension of its last part; 0: it has one part.
    pub extension: u8,
    /// Where; none without a fix.
    pub place: Option<Place>,
    /// Tenths of a metre above the sea.
    pub altitude_dm: Option<i16>,
    /// Hundredths of a degree from north, clockwise.
    pub direction_e2: Option<u16>,
    /// How many satellites the receiver uses, 0 to 254.
    pub satellites: Option<u8>,
    /// Kilometres an hour.
    pub speed_km_h: Option<u16>,
    /// Tenths of the dilution of precision.
    pub hdop_e1: Option<u8>,
    /// The id of the element that caused the report.
    pub event: u16,
    /// Its readings in the order of the packet, part by part; an id may come again.
    pub elements: Vec<Element<'static>>,
}

/// A place, in degrees times ten million. Whether it is on Earth was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Positive to the east.
    pub longitude_e7: i32,
    /// Positive to the north.
    pub latitude_e7: i32,
}

/// Why a payload holds no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordsError {
    /// It ends before what it announces.
    Cut,
    /// This many bytes follow the last record.
    Trailing(usize),
}

/// A trouble code of a vehicle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TroubleCode<'a> {
    /// When it was seen, seconds since 1970 UTC.
    pub time_s: u32,
    /// Where; none without a fix.
    pub place: Option<Place>,
    /// Which unit of the vehicle said it, by the vendor's own list.
    pub source: u8,
    /// Five bytes that should be ASCII, as `P0420`.
    pub code: &'a [u8],
}

/// Takes the packet at the head of `input`, intact or not. None: more of it is to come.
///
/// # Errors
/// A length out of bounds, as soon as it is there: where the next packet begins is not known then.
pub fn frame(input: &[u8]) -> Result<Option<Frame<'_>>, LengthError> {
    let mut input = Cursor(input);
    let Some(length) = input.u16_be() else {
        return Ok(None);
    };
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        return Err(LengthError(length));
    }
    Ok(whole(input, length))
}

fn whole(mut input: Cursor<'_>, length: u16) -> Option<Frame<'_>> {
    let checked = input.bytes(length.into())?;
    let crc = input.u16_be()?;
    let mut content = Cursor(checked);
    Some(Frame {
        imei: content.u64_be()?,
        command: content.u8()?,
        payload: content.0,
        checked,
        crc,
        len: checked.len().saturating_add(4),
    })
}

impl Frame<'_> {
    /// Whether its checksum fits. Nothing of one that is not intact can be relied on.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        CRC.checksum(self.checked) == self.crc
    }
}

impl Records {
    /// Reads a payload whole: every record, and nothing behind the last. `layout` follows from the
    /// command, which is [`RECORDS`] or [`EXTENDED_RECORDS`].
    ///
    /// # Errors
    /// It ends before its last record, or goes on behind it.
    pub fn decode(payload: &[u8], layout: Layout) -> Result<Self, RecordsError> {
        let mut payload = Cursor(payload);
        let mut records = Vec::new();
        read_records(&mut payload, layout, &mut records).ok_or(RecordsError::Cut)?;
        if !payload.is_empty() {
            return Err(RecordsError::Trailing(payload.0.len()));
        }
        Ok(Self(records))
    }

    /// Those at the head of a payload that are whole, whatever it announces and has behind them.
    #[must_use]
    pub fn whole(payload: &[u8], layout: Layout) -> Self {
        let mut records = Vec::new();
        // where it is cut, the rest is lost
        let _cut = read_records(&mut Cursor(payload), layout, &mut records);
        Self(records)
    }
}

impl Record {
    /// Whether it is the part that comes after `before`.
    fn continues(&self, before: &Self) -> bool {
        let [last, this] = parts(self.extension);
        let [same, previous] = parts(before.extension);
        let is_next = last == same && this <= last && this.checked_sub(1) == Some(previous);
        is_next && (self.time_s, self.place) == (before.time_s, before.place)
    }

    /// Takes what the next part has.
    fn join(&mut self, mut next: Self) {
        self.extension = next.extension;
        self.elements.append(&mut next.elements);
    }
}

/// The number of the last part, and that of this one.
fn parts(extension: u8) -> [u8; 2] {
    [extension >> 4, extension & 0x0F]
}

fn read_records(payload: &mut Cursor<'_>, layout: Layout, records: &mut Vec<Record>) -> Option<()> {
    let _whether_more_wait = payload.u8()?;
    let count = payload.u8()?;
    for _ in 0..count {
        let record = read_record(payload, layout)?;
        match records.last_mut() {
            Some(before) if record.continues(before) => before.join(record),
            _ => records.push(record),
        }
    }
    Some(())
}

fn read_record(input: &mut Cursor<'_>, layout: Layout) -> Option<Record> {
    let time_s = input.u32_be()?;
    let _records_of_the_second = input.u8()?;
    let extension = match layout {
        Layout::Plain => 0,
        Layout::Extended => input.u8()?,
    };
    let _priority = input.u8()?;
    Some(Record {
        time_s,
        extension,
        place: read_place(input)?,
        altitude_dm: Some(input.u16_be()?.cast_signed()).filter(|altitude| *altitude != i16::MIN),
        direction_e2: Some(input.u16_be()?).filter(|direction| *direction != u16::MAX),
        satellites: Some(input.u8()?).filter(|satellites| *satellites != u8::MAX),
        speed_km_h: Some(input.u16_be()?).filter(|speed| *speed != u16::MAX),
        hdop_e1: Some(input.u8()?).filter(|hdop| *hdop != u8::MAX),
        event: read_id(input, layout)?,
        elements: read_elements(input, layout)?,
    })
}

/// The longitude stands first.
fn read_place(input: &mut Cursor<'_>) -> Option<Option<Place>> {
    let place = Place {
        longitude_e7: input.u32_be()?.cast_signed(),
        latitude_e7: input.u32_be()?.cast_signed(),
    };
    let is_known = place.longitude_e7 != i32::MIN && place.latitude_e7 != i32::MIN;
    Some(is_known.then_some(place))
}

fn read_id(input: &mut Cursor<'_>, layout: Layout) -> Option<u16> {
    match layout {
        Layout::Plain => input.u8().map(u16::from),
        Layout::Extended => input.u16_be(),
    }
}

fn read_elements(input: &mut Cursor<'_>, layout: Layout) -> Option<Vec<Element<'static>>> {
    let mut elements = Vec::new();
    let widths: [fn(&mut Cursor<'_>) -> Option<ElementValue<'static>>; 4] = [
        |input| input.u8().map(ElementValue::U8),
        |input| input.u16_be().map(ElementValue::U16),
        |input| input.u32_be().map(ElementValue::U32),
        |input| input.u64_be().map(ElementValue::U64),
    ];
    for read_value in widths {
        let count = input.u8()?;
        for _ in 0..count {
            let id = read_id(input, layout)?;
            let value = read_value(input)?;
            elements.push(Element { id, value });
        }
    }
    Some(elements)
}

/// The trouble codes of a payload: those that are whole, and whether that is all it announces and
/// nothing more.
#[must_use]
pub fn trouble_codes(payload: &[u8]) -> (Vec<TroubleCode<'_>>, bool) {
    let mut input = Cursor(payload);
    let count = input.u8().map(usize::from);
    let mut codes = Vec::new();
    while Some(codes.len()) < count
        && let Some(code) = trouble_code(&mut input)
    {
        codes.push(code);
    }
    let is_whole = Some(codes.len()) == count && input.is_empty();
    (codes, is_whole)
}

fn trouble_code<'a>(input: &mut Cursor<'a>) -> Option<TroubleCode<'a>> {
    let _kind = input.u8()?;
    Some(TroubleCode {
        time_s: input.u32_be()?,
        place: read_place(input)?,
        source: input.u8()?,
        code: input.bytes(5)?,
    })
}

/// The answer to a packet of this command, length and checksum included: whether it is taken. A
/// device keeps records that are not, and tries again.
#[must_use]
pub fn answer(command: u8, taken: bool) -> [u8; 6] {
    let content = [answering(command), taken.into()];
    let [command, verdict] = content;
    let [high, low] = CRC.checksum(&content).to_be_bytes();
    [0, 2, command, verdict, high, low]
}

/// The answer to an identification that asks the device to come back after so long.
#[must_use]
pub fn come_back(minutes: u8) -> [u8; 7] {
    let content = [answering(IDENTIFICATION), 2, minutes];
    let [command, verdict, minutes] = content;
    let [high, low] = CRC.checksum(&content).to_be_bytes();
    [0, 3, command, verdict, minutes, high, low]
}

/// The command that answers this one: records of both kinds have the same.
fn answering(command: u8) -> u8 {
    match command {
        RECORDS | EXTENDED_RECORDS => RECORDS_ANSWER,
        _ => command.wrapping_add(100),
    }
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.0;
        write!(
            f,
            "a packet of {found} bytes, {LENGTH_MIN} to {LENGTH_MAX} are taken"
        )
    }
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("it ends before the last record that it announces"),
            Self::Trailing(found) => write!(f, "{found} bytes behind its last record"),
        }
    }
}

impl std::error::Error for LengthError {}

impl std::error::Error for RecordsError {}

/// Command of records.
pub const RECORDS: u8 = 1;

/// Command of records that have long ids and parts.
pub const EXTENDED_RECORDS: u8 = 68;

/// Command of trouble codes.
pub const TROUBLE_CODES: u8 = 9;

/// Command by which a device says what it is.
pub const IDENTIFICATION: u8 = 15;

/// Command by which a device keeps its connection.
pub const HEARTBEAT: u8 = 16;

/// Least length that a packet names: IMEI and command.
pub const LENGTH_MIN: u16 = 9;

/// Greatest length that is taken; the longest packet in public samples names 1,019.
pub const LENGTH_MAX: u16 = 4096;

/// Command of the answer to records of both kinds.
const RECORDS_ANSWER: u8 = 100;

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_KERMIT);
