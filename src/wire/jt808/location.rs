//! The body of a location (0200), and of several (0704).
//!
//! ```text
//! location   u32 alarm │ u32 status │ u32 latitude │ u32 longitude │ i16 altitude m
//!            │ u16 speed, tenths of km/h │ u16 direction │ time, 6 bytes of decimals │ items
//! time       year of the century, month, day, hour, minute, second
//! item       u8 id │ u8 length │ value
//! several    u16 how many │ u8 why │ as many × {u16 length │ location}
//! ```

use crate::message::timestamp::from_calendar;
use crate::wire::cursor::Cursor;
use crate::wire::decimals::decimal;
use crate::wire::sign::sign_and_magnitude;

/// One report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// Bits; the lowest: SOS.
    pub alarm: u32,
    /// Bits; the lowest: ignition, the second: a fix, the third and fourth: south, west.
    pub status: u32,
    /// Millionths of a degree, positive to the north. Whether it is on Earth was not looked at.
    pub latitude: i64,
    /// Millionths of a degree, positive to the east. Whether it is on Earth was not looked at.
    pub longitude: i64,
    /// Metres above the sea.
    pub altitude_m: i16,
    /// Tenths of a kilometre an hour.
    pub speed_tenths: u16,
    /// Degrees from north, clockwise; 0 to 359, says the document.
    pub direction_deg: u16,
    /// Seconds since 1970 by its clock, that of China as a rule; none: it does not know the date.
    pub time_s: Option<i64>,
    /// What it says beside that.
    pub items: Items<'a>,
}

/// One of the things that a location says beside the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it is: 01 mileage, 30 signal …
    pub id: u8,
    /// Its value as it was sent, 255 bytes at most.
    pub value: &'a [u8],
}

/// Items in the order of the message, up to the first that is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items<'a>(&'a [u8]);

impl<'a> Location<'a> {
    /// Reads the body of one message, or one of several; none: it is shorter than 28 bytes. Items
    /// that are cut off are left to [`Items::are_whole`].
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut rest = Cursor(body);
        let (alarm, status) = (rest.u32_be()?, rest.u32_be()?);
        let (latitude, longitude) = (rest.u32_be()?, rest.u32_be()?);
        let is_set = |bit: u32| status & bit != 0;
        Some(Self {
            alarm,
            status,
            latitude: sign_and_magnitude(is_set(SOUTH), latitude),
            longitude: sign_and_magnitude(is_set(WEST), longitude),
            altitude_m: rest.u16_be()?.cast_signed(),
            speed_tenths: rest.u16_be()?,
            direction_deg: rest.u16_be()?,
            time_s: time(rest.array()?),
            items: Items(rest.0),
        })
    }

    /// Whether the ignition is on.
    #[must_use]
    pub fn is_ignition_on(&self) -> bool {
        self.status & 1 != 0
    }

    /// Whether its receiver has a fix.
    #[must_use]
    pub fn is_positioned(&self) -> bool {
        self.status & 2 != 0
    }
}

impl Items<'_> {
    /// Whether none of them is cut off.
    #[must_use]
    pub fn are_whole(mut self) -> bool {
        while self.next().is_some() {}
        self.0.is_empty()
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let mut rest = Cursor(self.0);
        let (id, len) = (rest.u8()?, rest.u8()?);
        let value = rest.bytes(len.into())?;
        self.0 = rest.0;
        Some(Item { id, value })
    }
}

/// The locations of a body of several, and whether none of them was too short, which are left out;
/// none where its lengths are not true.
#[must_use]
pub fn batch(body: &[u8]) -> Option<(Vec<Location<'_>>, bool)> {
    let mut rest = Cursor(body);
    let count = rest.u16_be()?;
    let _why = rest.u8()?;
    let mut locations = Vec::new();
    for _ in 0..count {
        let len = rest.u16_be()?;
        locations.extend(Location::read(rest.bytes(len.into())?));
    }
    let are_all = locations.len() == usize::from(count);
    rest.is_empty().then_some((locations, are_all))
}

/// Seconds since 1970; none where no calendar has it: before the first fix all are zero.
fn time(decimals: [u8; 6]) -> Option<i64> {
    let [year, month, day, hour, minute, second] = decimals.map(decimal);
    let year = i64::from(year?).saturating_add(2000);
    let date = [year, month?.into(), day?.into()];
    from_calendar(date, [hour?.into(), minute?.into(), second?.into()])
}

const SOUTH: u32 = 1 << 2;
const WEST: u32 = 1 << 3;
