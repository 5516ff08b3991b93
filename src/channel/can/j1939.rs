//! SAE J1939: what trucks, buses and machines say of themselves.
//!
//! Most of it is in one table, `table`. Beside it: the distance, which two PGNs tell, axles and
//! tyres, which name themselves, texts, what is wrong (`dm1`), and the place.

mod dm1;
mod table;

use super::Told;
use crate::channel::scale::Scale;
use crate::message::Value;
use crate::wire::can::Frame;
use crate::wire::can::bits::Bits;
use crate::wire::can::bits::Order;
use crate::wire::can::j1939::Address;
use crate::wire::can::j1939::TRANSPORT;
use crate::wire::can::j1939::TRANSPORT_DATA;
use crate::wire::can::transport::Transport;
use crate::wire::can::transport::Whole;
use dm1::Faults;
use std::time::Duration;
use table::Unit;
pub(crate) use table::is_available;

/// What is told depends on what was told before.
#[derive(Clone, Debug, Default)]
pub struct J1939 {
    position: bool,
    faults: Faults,
    transport: Transport,
    /// When the exact distance was told last.
    exact: Option<Duration>,
}

impl J1939 {
    /// `position`: whether the place that the bus tells counts.
    #[must_use]
    pub fn new(position: bool) -> Self {
        Self {
            position,
            ..Self::default()
        }
    }

    /// Tells what a frame with data says, or the message that ends with it. `now` never goes back.
    pub fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>) {
        let Some(address) = Address::of(frame.id) else {
            return;
        };
        self.message(now, address, frame.data(), told);
        let position = self.position;
        let wants = |pgn| wants(pgn, position);
        let whole = self.transport.take(now, address, frame.data(), &wants);
        if let Some(Whole { pgn, data }) = whole {
            self.message(now, Address { pgn, ..address }, &data, told);
        }
    }

    /// One frame's, or put together.
    fn message(&mut self, now: Duration, address: Address, data: &[u8], told: &mut Told<'_>) {
        for row in table::rows(address.pgn) {
            if let Some(value) = row.value(data) {
                told(row.name, value);
            }
        }
        match address.pgn {
            DM1 => self.faults.take(now, address.source, data, told),
            EXACT_DISTANCE | DISTANCE => self.distance(now, address.pgn, data, told),
            AXLE => axle(data, told),
            TYRE => tyre(data, told),
            POSITION if self.position => place(data, told),
            VIN => texts(&["vehicle.vin"], data, told),
            DRIVERS => texts(&["driver.code", "driver.2.code"], data, told),
            _ => {}
        }
    }

    /// Forgets trouble codes and lamps that no unit says any more: `told` gets those that are left,
    /// or null. `now` never goes back.
    pub fn expire(&mut self, now: Duration, told: &mut Told<'_>) {
        self.faults.expire(now, told);
    }

    /// The PGNs that tell something, some of them more than once.
    pub fn wanted(&self) -> impl Iterator<Item = u32> {
        let position = self.position.then_some(POSITION);
        let transport = [TRANSPORT, TRANSPORT_DATA];
        table::pgns().chain(BESIDE).chain(position).chain(transport)
    }

    /// The one that counts in steps of 125 m counts only while the exact one is silent.
    fn distance(&mut self, now: Duration, pgn: u32, data: &[u8], told: &mut Told<'_>) {
        let is_exact = pgn == EXACT_DISTANCE;
        let (first, unit) = match is_exact {
            true => (1, Unit::TwoHundredth),
            false => (5, Unit::Eighth),
        };
        let Some(value) = at(first, 32, unit, data) else {
            return;
        };
        let is_fresh = |heard: Duration| now.saturating_sub(heard) < EXACT_SILENCE;
        if is_exact {
            self.exact = Some(now);
        } else if self.exact.is_some_and(is_fresh) {
            return;
        }
        told("can.vehicle.mileage", value);
    }
}

fn wants(pgn: u32, position: bool) -> bool {
    let beside = BESIDE.contains(&pgn) || (pgn == POSITION && position);
    beside || !table::rows(pgn).is_empty()
}

/// The weight of one axle, which the first byte names: they come in turn.
fn axle(data: &[u8], told: &mut Told<'_>) {
    let weight = at(2, 16, Unit::Half, data);
    if let (Some((axle, _)), Some(weight)) = (which(data), weight) {
        told(&format!("can.axle.weight.{axle}"), weight);
    }
}

fn tyre(data: &[u8], told: &mut Told<'_>) {
    let Some((axle, tyre)) = which(data) else {
        return;
    };
    for (what, first, length, unit) in [
        ("pressure", 2, 8, Unit::Four),
        ("temperature", 3, 16, Unit::From273),
    ] {
        if let Some(value) = at(first, length, unit, data) {
            told(&format!("can.tire.{what}.{axle}.{tyre}"), value);
        }
    }
}

/// An axle and a tyre on it, both from 1; none where there are no such.
fn which(data: &[u8]) -> Option<(u8, u8)> {
    let place = data.first()?;
    let (axle, tyre) = (place >> 4, place & 0xF);
    (axle < 0xF).then(|| (axle + 1, tyre + 1))
}

fn place(data: &[u8], told: &mut Told<'_>) {
    let coordinate = |first: u16, most: f64| {
        let bits = bits(first, 32)?;
        let number = bits.of(data).filter(|number| is_available(*number, 32))?;
        let value = DEGREES.apply(number.into());
        let degrees = value.as_ref().number()?;
        (degrees.abs() <= most).then_some(value)
    };
    let (latitude, longitude) = (coordinate(1, 90.0), coordinate(5, 180.0));
    if let Some((latitude, longitude)) = latitude.zip(longitude) {
        told("position.latitude", latitude);
        told("position.longitude", longitude);
    }
}

/// Texts that each end with a star; the last may end with the data.
fn texts(names: &[&str], data: &[u8], told: &mut Told<'_>) {
    for (name, text) in names.iter().zip(data.split(|byte| *byte == b'*')) {
        let text = text.trim_ascii().iter().copied().filter(|byte| *byte != 0);
        let text: Vec<u8> = text.collect();
        let is_text = text.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let text = str::from_utf8(&text)
            .ok()
            .filter(|text| is_text && !text.is_empty());
        if let Some(text) = text {
            told(name, Value::from(text));
        }
    }
}

/// What so many bits say from a byte on, which counts from 1.
fn at(first: u16, length: u8, unit: Unit, data: &[u8]) -> Option<Value> {
    unit.value(bits(first, length)?, data)
}

fn bits(first: u16, length: u8) -> Option<Bits> {
    Bits::new((first - 1) * 8, length, Order::LowFirst)
}

const DEGREES: Scale = Scale::Decimal {
    numerator: 1,
    added: -2_100_000_000,
    divisor: 10_000_000,
};

/// Silent for so long, the exact distance is not there.
const EXACT_SILENCE: Duration = Duration::from_secs(60);

const DRIVERS: u32 = 0xFE6B;
const EXACT_DISTANCE: u32 = 0xFEC1;
const DM1: u32 = 0xFECA;
const DISTANCE: u32 = 0xFEE0;
const AXLE: u32 = 0xFEEA;
const VIN: u32 = 0xFEEC;
const POSITION: u32 = 0xFEF3;
const TYRE: u32 = 0xFEF4;

/// PGNs that are in no row, or in more than rows.
const BESIDE: [u32; 7] = [DRIVERS, EXACT_DISTANCE, DM1, DISTANCE, AXLE, VIN, TYRE];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bus: &mut J1939, second: u64, pgn: u32, data: &[u8]) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        let address = Address {
            pgn,
            source: 0,
            receiver: 255,
        };
        let now = Duration::from_secs(second);
        bus.message(now, address, data, &mut |name, value| {
            all.push((name.to_owned(), value));
        });
        all
    }

    fn one(name: &str, value: impl Into<Value>) -> Vec<(String, Value)> {
        vec![(name.to_owned(), value.into())]
    }

    #[test]
    fn the_exact_distance_comes_before_the_other() {
        let (exact, other) = (
            [200, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            [0xFF, 0xFF, 0xFF, 0xFF, 16, 0, 0, 0],
        );
        let mut bus = J1939::default();
        let mileage = |km: f64| one("can.vehicle.mileage", km);
        assert_eq!(told(&mut bus, 0, DISTANCE, &other), mileage(2.0));
        assert_eq!(told(&mut bus, 1, EXACT_DISTANCE, &exact), mileage(1.0));
        assert_eq!(told(&mut bus, 60, DISTANCE, &other), []);
        assert_eq!(told(&mut bus, 60, EXACT_DISTANCE, &[0xFF; 8]), []);
        assert_eq!(told(&mut bus, 61, DISTANCE, &other), mileage(2.0));
    }

    #[test]
    fn axles_and_tyres_name_themselves() {
        let mut bus = J1939::default();
        let axle = [0x21, 0xA0, 0x37, 10, 0, 0xFF, 0xFF, 0xFF];
        let mut expected = one("can.trailer.weight", 20_u64);
        expected.extend(one("can.axle.weight.3", 7120.0));
        assert_eq!(told(&mut bus, 0, AXLE, &axle), expected);
        assert_eq!(told(&mut bus, 0, AXLE, &[0xFF, 0, 0, 0xFF, 0xFF]), []);
        let tyre = [0x12, 200, 0xC0, 0x24, 0xFF];
        let mut expected = one("can.tire.pressure.2.3", 800_u64);
        expected.extend(one("can.tire.temperature.2.3", 21.0));
        assert_eq!(told(&mut bus, 0, TYRE, &tyre), expected);
    }

    #[test]
    fn texts_end_with_a_star() {
        let mut bus = J1939::default();
        assert_eq!(
            told(&mut bus, 0, VIN, b"WVW12*"),
            one("vehicle.vin", "WVW12")
        );
        assert_eq!(told(&mut bus, 0, VIN, b"  *"), []);
        assert_eq!(told(&mut bus, 0, VIN, b"\xff\xff*"), []);
        let mut both = one("driver.code", "D1 7");
        both.extend(one("driver.2.code", "2"));
        assert_eq!(told(&mut bus, 0, DRIVERS, b"D1 7*2\0*x*"), both);
        assert_eq!(
            told(&mut bus, 0, DRIVERS, b"*2*"),
            one("driver.2.code", "2")
        );
    }

    #[test]
    fn the_place_counts_only_where_it_is_asked_for() {
        let degrees = |e7: i64| u32::try_from(e7 + 2_100_000_000).unwrap().to_le_bytes();
        let data = [degrees(485_000_000), degrees(-92_500_000)].concat();
        assert_eq!(told(&mut J1939::default(), 0, POSITION, &data), []);
        let mut bus = J1939::new(true);
        let mut place = one("position.latitude", 48.5);
        place.extend(one("position.longitude", -9.25));
        assert_eq!(told(&mut bus, 0, POSITION, &data), place);
        let nowhere = [degrees(900_000_001), degrees(0)].concat();
        assert_eq!(told(&mut bus, 0, POSITION, &nowhere), []);
        assert_eq!(told(&mut bus, 0, POSITION, &data[..4]), []);
    }

    #[test]
    fn all_that_tells_something_is_wanted() {
        let bus = J1939::new(true);
        let mut carried = bus.wanted().filter(|pgn| !wants(*pgn, true));
        assert_eq!(carried.next(), Some(TRANSPORT));
        assert_eq!(carried.next(), Some(TRANSPORT_DATA));
        assert_eq!(carried.next(), None);
        assert!(!wants(POSITION, false));
    }
}
