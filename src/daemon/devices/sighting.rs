//! Where a message says that its device was, in 28 bytes.

use crate::clock::Now;
use crate::message::Message;
use crate::message::ValueRef;
use crate::message::body::measured;
use crate::message::names::TIMESTAMP;
use crate::message::names::known;
use std::ops::RangeInclusive;

/// A position, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::daemon) struct Sighting {
    /// Of 10,000,000 in a degree: a centimetre. None: there is no fix.
    place: Option<Place>,
    /// Metres.
    altitude: Option<i16>,
    /// Of ten in a km/h.
    speed: Option<u16>,
    /// Of ten in a degree.
    direction: Option<u16>,
    /// When it was measured, in seconds since 1970; 0: not known.
    pub(super) time: u32,
}

/// Where on Earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) latitude: i32,
    pub(super) longitude: i32,
}

impl Sighting {
    /// What a message says, as it comes in. One walk over its names.
    pub(in crate::daemon) fn of(message: &Message, now: Now) -> Self {
        let (mut latitude, mut longitude) = (None, None);
        let mut sighting = Self::default();
        let mut is_valid = true;
        let mut fields = message.fields();
        while let Some((index, value)) = fields.next_of(READ) {
            match index {
                TIMESTAMP => sighting.time = time(value),
                LATITUDE => latitude = whole(value, SCALE, -90.0..=90.0),
                LONGITUDE => longitude = whole(value, SCALE, -180.0..=180.0),
                ALTITUDE => sighting.altitude = small(whole(value, 1.0, HEIGHTS)),
                SPEED => sighting.speed = small(whole(value, TENTHS, SPEEDS)),
                DIRECTION => sighting.direction = small(whole(value, TENTHS, DIRECTIONS)),
                VALID => is_valid = value != ValueRef::Bool(false),
                _ => {}
            }
        }
        let place = latitude.zip(longitude).filter(|_| is_valid);
        sighting.place = place.map(|(latitude, longitude)| Place {
            latitude,
            longitude,
        });
        if sighting.time == 0 && now.wall.trusted {
            sighting.time = date(now);
        }
        sighting
    }

    /// Whether it takes the place of one that came before. One that was measured earlier was sent
    /// late; but a date in the future is no measure.
    pub(super) fn is_later_than(&self, before: &Self, now: Now) -> bool {
        let wrong = now.wall.trusted && before.time > date(now).saturating_add(AHEAD);
        let later = self.time >= before.time || self.time == 0 || wrong;
        self.place.is_some() && (later || before.place.is_none())
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.place
    }

    /// Latitude and longitude.
    pub(super) fn degrees(&self) -> Option<(f64, f64)> {
        self.place.map(Place::degrees)
    }

    pub(super) fn altitude(&self) -> Option<f64> {
        self.altitude.map(f64::from)
    }

    pub(super) fn speed(&self) -> Option<f64> {
        self.speed.map(|tenths| f64::from(tenths) / TENTHS)
    }

    pub(super) fn direction(&self) -> Option<f64> {
        self.direction.map(|tenths| f64::from(tenths) / TENTHS)
    }
}

impl Place {
    /// Latitude and longitude.
    pub(super) fn degrees(self) -> (f64, f64) {
        let degrees = |whole: i32| f64::from(whole) / SCALE;
        (degrees(self.latitude), degrees(self.longitude))
    }
}

/// A number that is in its range, in whole parts of `scale` to one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "180 degrees of 10,000,000 parts are less than 31 bits"
)]
fn whole(value: ValueRef<'_>, scale: f64, range: RangeInclusive<f64>) -> Option<i32> {
    let number = value.number().filter(|number| range.contains(number))?;
    Some((number * scale).round() as i32)
}

fn small<T: TryFrom<i32>>(whole: Option<i32>) -> Option<T> {
    T::try_from(whole?).ok()
}

fn time(value: ValueRef<'_>) -> u32 {
    let time = measured(value).and_then(|time| u32::try_from(time.as_secs()).ok());
    time.unwrap_or(0)
}

/// In seconds since 1970.
pub(super) fn date(now: Now) -> u32 {
    u32::try_from(now.wall.since_1970.as_secs()).unwrap_or(u32::MAX)
}

/// Seconds by which a device's clock may be ahead of this one.
pub(super) const AHEAD: u32 = 3600;

const LATITUDE: u16 = known("position.latitude");
const LONGITUDE: u16 = known("position.longitude");
const ALTITUDE: u16 = known("position.altitude");
const SPEED: u16 = known("position.speed");
const DIRECTION: u16 = known("position.direction");
const VALID: u16 = known("position.valid");

/// Those that are read, as bits.
const READ: u64 = 1 << TIMESTAMP
    | 1 << LATITUDE
    | 1 << LONGITUDE
    | 1 << ALTITUDE
    | 1 << SPEED
    | 1 << DIRECTION
    | 1 << VALID;

/// Parts of a degree.
const SCALE: f64 = 1e7;
const TENTHS: f64 = 10.0;

/// Metres.
const HEIGHTS: RangeInclusive<f64> = -12_000.0..=32_000.0;
/// km/h.
const SPEEDS: RangeInclusive<f64> = 0.0..=6500.0;
/// Degrees.
const DIRECTIONS: RangeInclusive<f64> = 0.0..=360.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use std::time::Duration;

    fn now(date: Option<u64>) -> Now {
        Now {
            mono: Duration::from_secs(5),
            wall: Wall {
                since_1970: Duration::from_secs(date.unwrap_or(7)),
                trusted: date.is_some(),
            },
            ages: false,
        }
    }

    fn message(fields: &[(&str, f64)]) -> Message {
        let mut message = Message::new("a").unwrap();
        for (name, value) in fields {
            message.set(format!("position.{name}"), *value);
        }
        message
    }

    const FIX: [(&str, f64); 5] = [
        ("latitude", 54.687_234_5),
        ("longitude", -25.279_652),
        ("altitude", 112.4),
        ("speed", 87.65),
        ("direction", 359.9),
    ];

    #[test]
    fn a_fix_is_kept_to_the_centimetre() {
        let sighting = Sighting::of(&message(&FIX), now(Some(1_800_000_000)));
        assert_eq!(sighting.degrees(), Some((54.687_234_5, -25.279_652)));
        assert_eq!(sighting.altitude(), Some(112.0));
        assert_eq!(sighting.speed(), Some(87.7));
        assert_eq!(sighting.direction(), Some(359.9));
        assert_eq!(sighting.time, 1_800_000_000);
        assert!(size_of::<Sighting>() <= 28, "{}", size_of::<Sighting>());
    }

    #[test]
    fn what_is_no_fix_has_no_place() {
        let none = |message: &Message| Sighting::of(message, now(None)).degrees().is_none();
        assert!(none(&message(&FIX[..1])));
        assert!(none(&message(&[("latitude", 91.0), ("longitude", 1.0)])));
        let mut invalid = message(&FIX);
        invalid.set("position.valid", false);
        assert!(none(&invalid));
        let mut text = message(&FIX);
        text.set("position.latitude", "54.6");
        assert!(none(&text));
    }

    #[test]
    fn one_that_comes_late_takes_no_place_unless_the_other_is_of_the_future() {
        let at = |time: u64| {
            let mut message = message(&FIX);
            message.set("timestamp", time);
            Sighting::of(&message, now(None))
        };
        let today = now(Some(1_800_000_000));
        let (early, late) = (at(1_799_000_000), at(1_799_999_999));
        assert!(late.is_later_than(&early, today) && !early.is_later_than(&late, today));
        assert!(early.is_later_than(&Sighting::default(), today));
        assert!(early.is_later_than(&at(1_900_000_000), today));
        assert!(!early.is_later_than(&at(1_900_000_000), now(None)));
        assert!(!Sighting::default().is_later_than(&Sighting::default(), today));
    }
}
