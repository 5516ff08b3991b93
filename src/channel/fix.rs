//! A fix of a receiver as parameters of a message: what NMEA and gpsd say in their own ways.

use crate::message::{Message, Value};
use std::borrow::Cow;
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
    /// Adds it to a message; without a fix there is no place, and nothing that comes of places.
    pub(super) fn tell(&self, message: &mut Message) {
        if let Some((latitude, longitude)) = self.position.filter(|_| self.valid) {
            message.set("position.latitude", rounded(latitude, 1e9));
            message.set("position.longitude", rounded(longitude, 1e9));
            let mut add = |name: &'static str, value: Option<f64>| {
                if let Some(value) = value {
                    message.set(Cow::Borrowed(name), rounded(value, 1e4));
                }
            };
            add("position.altitude", self.altitude);
            add("position.speed", self.speed);
            add("position.direction", self.direction);
            add("position.hdop", self.hdop);
        }
        if let Some(satellites) = self.satellites {
            message.set("position.satellites", Value::U64(satellites));
        }
        message.set("position.valid", self.valid && self.position.is_some());
    }
}

/// Without the digits that only come of computing.
pub(super) fn rounded(number: f64, digits: f64) -> Value {
    let rounded = (number * digits).round() / digits;
    Value::from(if rounded.is_finite() { rounded } else { number })
}

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
