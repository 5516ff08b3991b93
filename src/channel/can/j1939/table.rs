//! The signals of J1939 that fleets ask for, under their names.
//!
//! Places, lengths and scales are those of SAE J1939DA, October 2020; a byte and a bit count from 1
//! there, and here. What a name measures has its unit: kilometres, litres, hours, km/h, per cent,
//! degrees Celsius, volts, kilograms, kilopascals.

use crate::channel::scale::Scale;
use crate::message::Value;
use crate::wire::can::bits::Bits;
use crate::wire::can::bits::Order;

/// One signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) pgn: u16,
    /// The lowest bit, from 0.
    start: u8,
    length: u8,
    unit: Unit,
    pub(super) name: &'static str,
}

/// What a number means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    /// On or off.
    Switch,
    /// As it is.
    One,
    /// Two a step.
    Two,
    /// Four a step.
    Four,
    /// Eight a step.
    Eight,
    /// Ten a step.
    Ten,
    /// 1/2 a step.
    Half,
    /// 2/5 a step.
    TwoFifths,
    /// 1/8 a step.
    Eighth,
    /// 1/20 a step.
    Twentieth,
    /// 1/200 a step.
    TwoHundredth,
    /// 1/256 a step.
    Over256,
    /// 1/1000 a step.
    Thousandth,
    /// From -125 on.
    From125,
    /// Degrees from -40 on.
    From40,
    /// 1/32 of a degree a step, from -273 on.
    From273,
    /// 5 km a step, from -160,635 on.
    Service,
}

impl Row {
    /// What it says in the data of its PGN; none where it is not available, an error, or not there.
    pub(super) fn value(&self, data: &[u8]) -> Option<Value> {
        let bits = Bits::new(self.start.into(), self.length, Order::LowFirst)?;
        self.unit.value(bits, data)
    }
}

impl Unit {
    pub(super) fn value(self, bits: Bits, data: &[u8]) -> Option<Value> {
        let number = bits.of(data)?;
        if !is_available(number, bits.length()) {
            return None;
        }
        Some(match self {
            Self::Switch => Value::Bool(number != 0),
            _ => self.scale().apply(number.into()),
        })
    }

    fn scale(self) -> Scale {
        let (numerator, added, divisor) = match self {
            Self::Switch | Self::One => (1, 0, 1),
            Self::Two => (2, 0, 1),
            Self::Four => (4, 0, 1),
            Self::Eight => (8, 0, 1),
            Self::Ten => (10, 0, 1),
            Self::Half => (1, 0, 2),
            Self::TwoFifths => (2, 0, 5),
            Self::Eighth => (1, 0, 8),
            Self::Twentieth => (1, 0, 20),
            Self::TwoHundredth => (1, 0, 200),
            Self::Over256 => (1, 0, 256),
            Self::Thousandth => (1, 0, 1000),
            Self::From125 => (1, -125, 1),
            Self::From40 => (1, -40, 1),
            Self::From273 => (1, -273 * 32, 32),
            Self::Service => (5, -160_635, 1),
        };
        Scale::Decimal {
            numerator,
            added,
            divisor,
        }
    }
}

/// Whether a number of so many bits is one: the top byte is FF where it is not available, FE where
/// there is an error, FB to FD are reserved; of fewer than 8 bits, all ones and one less. One bit
/// always is.
pub(crate) fn is_available(number: u64, length: u8) -> bool {
    match length.checked_sub(8) {
        Some(below) => number >> below <= 0xFA,
        None => length == 1 || number < (1_u64 << length).saturating_sub(2),
    }
}

/// The signals of a PGN.
pub(super) fn rows(pgn: u32) -> &'static [Row] {
    let before = |wanted: u32| ROWS.partition_point(|row| u32::from(row.pgn) < wanted);
    ROWS.get(before(pgn)..before(pgn.saturating_add(1)))
        .unwrap_or_default()
}

/// The PGNs, each at least once.
pub(super) fn pgns() -> impl Iterator<Item = u32> {
    ROWS.iter().map(|row| row.pgn.into())
}

/// A byte and a bit in it, both from 1.
const fn row(pgn: u16, (byte, bit): (u8, u8), length: u8, unit: Unit, name: &'static str) -> Row {
    Row {
        pgn,
        start: (byte - 1) * 8 + bit - 1,
        length,
        unit,
        name,
    }
}

/// By PGN.
#[rustfmt::skip]
static ROWS: &[Row] = &[
    // EEC2, EEC1, ETC2
    row(0xF003, (2, 1), 8, Unit::TwoFifths, "can.throttle.pedal.level"),
    row(0xF003, (3, 1), 8, Unit::One, "can.engine.load.level"),
    row(0xF004, (3, 1), 8, Unit::From125, "can.engine.torque"),
    row(0xF004, (4, 1), 16, Unit::Eighth, "can.engine.rpm"),
    row(0xF005, (4, 1), 8, Unit::From125, "can.transmission.gear"),
    // HSS1
    row(0xFCC2, (5, 1), 8, Unit::TwoFifths, "can.vehicle.battery.level"),
    // HRLFC
    row(0xFD09, (5, 1), 32, Unit::Thousandth, "can.fuel.consumed.high.resolution"),
    // AT1T1I1
    row(0xFE56, (1, 1), 8, Unit::TwoFifths, "can.adblue.level"),
    // TCO1
    row(0xFE6C, (1, 1), 3, Unit::One, "can.driver.1.working.state.enum"),
    row(0xFE6C, (1, 4), 3, Unit::One, "can.driver.2.working.state.enum"),
    row(0xFE6C, (1, 7), 2, Unit::Switch, "can.tachograph.movement.status"),
    row(0xFE6C, (2, 1), 4, Unit::One, "can.driver.1.time.state.enum"),
    row(0xFE6C, (2, 5), 2, Unit::Switch, "can.driver.1.card.status"),
    row(0xFE6C, (2, 7), 2, Unit::Switch, "can.overspeeding.status"),
    row(0xFE6C, (3, 1), 4, Unit::One, "can.driver.2.time.state.enum"),
    row(0xFE6C, (3, 5), 2, Unit::Switch, "can.driver.2.card.status"),
    row(0xFE6C, (7, 1), 16, Unit::Over256, "can.tachograph.vehicle.speed"),
    // CVW
    row(0xFE70, (3, 1), 16, Unit::Ten, "can.gross.combination.weight"),
    // AIR1
    row(0xFEAE, (2, 1), 8, Unit::Eight, "can.brake.circuit.1.pressure"),
    row(0xFEAE, (3, 1), 8, Unit::Eight, "can.brake.circuit.2.pressure"),
    row(0xFEAE, (4, 1), 8, Unit::Eight, "can.brake.circuit.3.pressure"),
    row(0xFEAE, (5, 1), 8, Unit::Eight, "can.brake.circuit.4.pressure"),
    // SERV, VDHR
    row(0xFEC0, (2, 1), 16, Unit::Service, "can.service.distance"),
    row(0xFEC1, (5, 1), 32, Unit::TwoHundredth, "can.trip.mileage"),
    // HOURS, LFC1, VW
    row(0xFEE5, (1, 1), 32, Unit::Twentieth, "can.engine.motorhours"),
    row(0xFEE9, (5, 1), 32, Unit::Half, "can.fuel.consumed"),
    row(0xFEEA, (4, 1), 16, Unit::Two, "can.trailer.weight"),
    // ET1, EFL/P1
    row(0xFEEE, (1, 1), 8, Unit::From40, "can.engine.coolant.temperature"),
    row(0xFEEE, (2, 1), 8, Unit::From40, "can.fuel.temperature"),
    row(0xFEEE, (3, 1), 16, Unit::From273, "can.engine.oil.temperature"),
    row(0xFEEF, (3, 1), 8, Unit::TwoFifths, "can.engine.oil.level"),
    row(0xFEEF, (4, 1), 8, Unit::Four, "can.engine.oil.pressure"),
    row(0xFEEF, (8, 1), 8, Unit::TwoFifths, "can.engine.coolant.level"),
    // CCVS1, LFE1
    row(0xFEF1, (1, 3), 2, Unit::Switch, "can.handbrake.status"),
    row(0xFEF1, (2, 1), 16, Unit::Over256, "can.vehicle.speed"),
    row(0xFEF1, (4, 1), 2, Unit::Switch, "can.cruise.status"),
    row(0xFEF1, (4, 5), 2, Unit::Switch, "can.pedal.brake.status"),
    row(0xFEF1, (4, 7), 2, Unit::Switch, "can.pedal.clutch.status"),
    row(0xFEF1, (7, 1), 5, Unit::One, "can.pto.state.enum"),
    row(0xFEF2, (1, 1), 16, Unit::Twentieth, "can.engine.fuel.rate"),
    // AMB, IC1, VEP1, DD1
    row(0xFEF5, (4, 1), 16, Unit::From273, "can.ambient.air.temperature"),
    row(0xFEF6, (2, 1), 8, Unit::Two, "can.intake.map"),
    row(0xFEF6, (3, 1), 8, Unit::From40, "can.intake.air.temperature"),
    row(0xFEF7, (5, 1), 16, Unit::Twentieth, "can.battery.voltage"),
    row(0xFEFC, (2, 1), 8, Unit::TwoFifths, "can.fuel.level"),
    row(0xFEFC, (7, 1), 8, Unit::TwoFifths, "can.fuel.level.2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_lie_in_one_frame() {
        assert!(ROWS.is_sorted_by_key(|row| (row.pgn, row.start)));
        for row in ROWS {
            let bits = Bits::new(row.start.into(), row.length, Order::LowFirst).unwrap();
            assert!(bits.bytes() <= 8, "{}", row.name);
            let named = ROWS.iter().filter(|other| other.name == row.name);
            assert_eq!(named.count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn a_pgn_has_its_rows_and_no_others() {
        assert_eq!(rows(0xF004).len(), 2);
        assert_eq!(rows(0xFEFC).len(), 2);
        for none in [0, 0xF000, 0xF006, 0xFFFF, 0x1_F004, u32::MAX] {
            assert!(rows(none).is_empty());
        }
    }

    #[test]
    fn what_a_width_says_of_nothing() {
        for (length, most) in [
            (2, 1),
            (3, 5),
            (4, 13),
            (5, 29),
            (8, 0xFA),
            (16, 0xFAFF),
            (32, 0xFAFF_FFFF),
        ] {
            for (number, available) in [(0, true), (most, true), (most + 1, false)] {
                assert_eq!(
                    is_available(number, length),
                    available,
                    "{number} of {length}"
                );
            }
        }
    }
}
