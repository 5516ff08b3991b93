//! DM1 of J1939-73: what is wrong with the vehicle now, as each of its units says it.
//!
//! ```text
//! u8 lamps, 2 bits each from the top: malfunction, red stop, amber, protect; 0 off, 1 on
//! u8 how they flash
//! codes   SPN low │ SPN middle │ SPN high 3 bits, FMI 5 bits │ method 1 bit, count 7 bits
//! ```
//! No code: SPN and FMI are 0, or all is FF. Codes of the old method have their SPN in another
//! order, which no code tells: they are passed over.

use crate::channel::can::Told;
use crate::message::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// What the units of a vehicle say.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// By source, at most [`UNITS_MAX`].
    units: Vec<Unit>,
}

#[derive(Clone, Debug)]
struct Unit {
    source: u8,
    heard: Duration,
    lamps: u8,
    codes: Vec<Code>,
}

/// A diagnostic trouble code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code {
    spn: u32,
    fmi: u8,
    count: u8,
}

impl Faults {
    /// Takes what a unit says, and tells what all say now.
    pub(super) fn take(&mut self, now: Duration, source: u8, data: &[u8], told: &mut Told<'_>) {
        let Some(([lamps, _], codes)) = data.split_first_chunk() else {
            return;
        };
        self.forget(now);
        self.units.retain(|unit| unit.source != source);
        if self.units.len() < UNITS_MAX {
            self.units.push(Unit {
                source,
                heard: now,
                lamps: *lamps,
                codes: codes
                    .chunks_exact(4)
                    .filter_map(code)
                    .take(CODES_MAX)
                    .collect(),
            });
        }
        self.units.sort_unstable_by_key(|unit| unit.source);
        self.tell(told);
    }

    /// Forgets who has been silent, and tells what is left where that changed.
    pub(super) fn expire(&mut self, now: Duration, told: &mut Told<'_>) {
        if self.forget(now) {
            self.tell(told);
        }
    }

    /// Whether there was anything to forget.
    fn forget(&mut self, now: Duration) -> bool {
        let before = self.units.len();
        let is_fresh = |unit: &Unit| now.saturating_sub(unit.heard) < SILENCE;
        self.units.retain(is_fresh);
        self.units.len() < before
    }

    fn tell(&self, told: &mut Told<'_>) {
        for (name, shift) in LAMPS {
            told(name, self.lamp(shift));
        }
        let codes = match self.units.is_empty() {
            true => Value::Null,
            false => Value::Json(self.json().into()),
        };
        told("can.dtc", codes);
    }

    /// On where one says so, off where none does and one says that.
    fn lamp(&self, shift: u8) -> Value {
        let states = self.units.iter().map(|unit| unit.lamps >> shift & 3);
        let known = states.filter(|state| *state < 2).max();
        known.map_or(Value::Null, |state| Value::Bool(state == 1))
    }

    fn json(&self) -> String {
        let mut text = String::from("[");
        let codes = self.units.iter().flat_map(|unit| {
            let source = unit.source;
            unit.codes.iter().map(move |code| (source, *code))
        });
        for (source, code) in codes.take(TOLD_MAX) {
            let Code { spn, fmi, count } = code;
            let comma = if text.len() > 1 { "," } else { "" };
            // Writing to a `String` does not fail.
            write!(
                text,
                "{comma}{{\"spn\":{spn},\"fmi\":{fmi},\"count\":{count},\"source\":{source}}}"
            )
            .ok();
        }
        text.push(']');
        text
    }
}

fn code(bytes: &[u8]) -> Option<Code> {
    let &[low, middle, high, count] = bytes else {
        return None;
    };
    let code = Code {
        spn: u32::from_le_bytes([low, middle, high >> 5, 0]),
        fmi: high & 0x1F,
        count: count & 0x7F,
    };
    let none = (code.spn == 0 && code.fmi == 0) || bytes == [0xFF; 4];
    (!none && count & 0x80 == 0).then_some(code)
}

/// The names of the lamps, and where their two bits are.
const LAMPS: [(&str, u8); 4] = [
    ("can.mil.status", 6),
    ("can.stop.lamp.status", 4),
    ("can.warning.lamp.status", 2),
    ("can.protect.lamp.status", 0),
];

/// DM1 comes every second while there is one.
const SILENCE: Duration = Duration::from_secs(10);

/// Units of one vehicle that have something to say.
const UNITS_MAX: usize = 16;

/// Codes that are kept of a unit.
const CODES_MAX: usize = 32;

/// Codes of all units that are told: less than 4 KiB of text.
const TOLD_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Bus(Faults, BTreeMap<String, Value>);

    impl Bus {
        fn take(&mut self, second: u64, source: u8, data: &[u8]) {
            let told = &mut |name: &str, value| drop(self.1.insert(name.to_owned(), value));
            self.0.take(Duration::from_secs(second), source, data, told);
        }

        fn expire(&mut self, second: u64) {
            let told = &mut |name: &str, value| drop(self.1.insert(name.to_owned(), value));
            self.0.expire(Duration::from_secs(second), told);
        }

        fn codes(&self) -> Value {
            self.1["can.dtc"].clone()
        }
    }

    fn json(text: &str) -> Value {
        Value::Json(text.into())
    }

    #[test]
    fn codes_of_all_units_come_together_and_leave_with_their_unit() {
        let mut bus = Bus::default();
        bus.take(0, 3, &[0x04, 0xFF, 0x6E, 0, 0, 3, 0xFF, 0xFF]);
        bus.take(5, 0, &[0x40, 0xFF, 0x6C, 0xF0, 0xFF, 0x7E, 0xFF, 0xFF]);
        let (first, second) = (
            "{\"spn\":520300,\"fmi\":31,\"count\":126,\"source\":0}",
            "{\"spn\":110,\"fmi\":0,\"count\":3,\"source\":3}",
        );
        assert_eq!(bus.codes(), json(&format!("[{first},{second}]")));
        assert_eq!(bus.1["can.mil.status"], Value::Bool(true));
        assert_eq!(bus.1["can.warning.lamp.status"], Value::Bool(true));
        assert_eq!(bus.1["can.stop.lamp.status"], Value::Bool(false));
        bus.expire(9);
        assert_eq!(bus.codes(), json(&format!("[{first},{second}]")));
        bus.expire(10);
        assert_eq!(bus.codes(), json(&format!("[{first}]")));
        assert_eq!(bus.1["can.warning.lamp.status"], Value::Bool(false));
        bus.expire(15);
        assert_eq!(bus.codes(), Value::Null);
        assert_eq!(bus.1["can.mil.status"], Value::Null);
    }

    #[test]
    fn what_is_no_code_is_none() {
        for none in [[0, 0, 0, 0], [0, 0, 0, 3], [0xFF; 4], [0x6E, 0, 0, 0x83]] {
            let mut bus = Bus::default();
            bus.take(0, 0, &[&[0xFF, 0xFF], &none[..], &[0xFF, 0xFF]].concat());
            assert_eq!(bus.codes(), json("[]"), "{none:?}");
            assert_eq!(bus.1["can.mil.status"], Value::Null);
        }
        let mut bus = Bus::default();
        bus.take(0, 0, &[0]);
        assert!(bus.1.is_empty());
        bus.take(0, 0, &[0, 0xFF]);
        assert_eq!(bus.codes(), json("[]"));
    }

    #[test]
    fn whoever_says_much_takes_little_memory() {
        let mut bus = Bus::default();
        let many = [0xAA; 1785];
        for source in 0..=255 {
            bus.take(0, source, &many.map(|byte| byte & 0x7F));
        }
        let Value::Json(text) = bus.codes() else {
            panic!()
        };
        assert!(text.len() < 4096, "{}", text.len());
        assert_eq!(bus.0.units.len(), UNITS_MAX);
    }
}
