//! A fix of a receiver as parameters of a message: what each protocol says in its own way.

use super::InputError;
use super::Intake;
use crate::message::Message;
use crate::message::Value;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What is known of one epoch; degrees, metres, kilometres an hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Fix {
    pub(super) valid: bool,
    pub(super) position: Option<(f64, f64)>,
    pub(super) altitude: Option<f64>,
    pub(super) speed: Option<f64>,
    pub(super) direction: Option<f64>,
    pub(super) satellites: Option<u64>,
    pub(super) hdop: Option<f64>,
}

impl Fix {
    /// The message of a device that says it, with its time in microseconds since 1970; without one
    /// it was measured when it comes. None, and counted, where `ident` cannot be one.
    pub(super) fn message(
        &self,
        ident: &str,
        time: Option<u64>,
        intake: &mut dyn Intake,
    ) -> Option<Message> {
        let Ok(mut message) = Message::new(ident) else {
            intake.malformed(InputError::Ident, "not an ident");
            return None;
        };
        if let Some(time) = time {
            message.set_timestamp(time);
        }
        self.tell(&mut message);
        Some(message)
    }

    /// Adds it to a message; without a fix there is no place, and nothing that comes of places. A
    /// fix from no satellite is none. What cannot be (a course of 511) is how receivers say that
    /// they do not know it.
    pub(super) fn tell(&self, message: &mut Message) {
        let valid = self.valid && self.satellites != Some(0);
        let position = self.position.filter(|_| valid);
        if let Some((latitude, longitude)) = position {
            message.set("position.latitude", &rounded(latitude, 1e9));
            message.set("position.longitude", &rounded(longitude, 1e9));
            let mut add = |name: &'static str, value: Option<f64>, can_be: RangeInclusive<f64>| {
                if let Some(value) = value.filter(|value| can_be.contains(value)) {
                    message.set(name, &rounded(value, 1e4));
                }
            };
            add("position.altitude", self.altitude, ALTITUDES);
            add("position.speed", self.speed, SPEEDS);
            add("position.direction", self.direction, DIRECTIONS);
            add("position.hdop", self.hdop, HDOPS);
        }
        if let Some(satellites) = self.satellites {
            message.set("position.satellites", satellites);
        }
        message.set("position.valid", position.is_some());
    }
}

/// Latitude and longitude in degrees, of so many units in one; none where it is not on Earth.
#[expect(
    clippy::cast_precision_loss,
    reason = "33 bits at most, and a double holds 53"
)]
pub(super) fn degrees(latitude: i64, longitude: i64, units: i64) -> Option<(f64, f64)> {
    let is_on_earth = latitude.abs() <= 90 * units && longitude.abs() <= 180 * units;
    let whole = units as f64;
    is_on_earth.then(|| (latitude as f64 / whole, longitude as f64 / whole))
}

/// Without the digits that only come of computing.
pub(super) fn rounded(number: f64, digits: f64) -> Value {
    let rounded = (number * digits).round() / digits;
    Value::from(if rounded.is_finite() { rounded } else { number })
}

/// Metres; satellite navigation is used below the orbits of its satellites.
const ALTITUDES: RangeInclusive<f64> = -12_000.0..=2_000_000.0;

/// Kilometres an hour: 1,000 knots, beyond which receivers that are sold to all tell nothing.
const SPEEDS: RangeInclusive<f64> = 0.0..=1852.0;

/// Degrees.
const DIRECTIONS: RangeInclusive<f64> = 0.0..=360.0;

/// 99.99 is a receiver's word for none.
const HDOPS: RangeInclusive<f64> = 0.0..=99.0;

/// In km/h.
pub(super) const METRE_PER_SECOND: f64 = 3.6;

/// After so long nothing more belongs to an epoch: receivers send ten a second at most, each as one
/// burst.
pub(super) const EPOCH: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_to_be_rounded_is_left_as_it_is() {
        assert_eq!(rounded(72.0 * 1.1, 1e4), Value::F64(79.2));
        assert_eq!(rounded(1e305, 1e4), Value::F64(1e305));
        assert_eq!(rounded(f64::MAX * 1.852, 1e4), Value::Null);
    }
}
