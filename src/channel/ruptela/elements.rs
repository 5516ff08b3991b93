//! The elements of Ruptela's devices that have names: under which, and what their values mean.
//!
//! The vendor's list is confidential; these are the ids on which the public decoders agree. What
//! they do not name has no name here: `io` gives it one.

use crate::channel::io::BuiltIn;
use crate::channel::io::meaning::Meaning;
use crate::channel::scale::ONE;
use crate::channel::scale::TENTH;
use crate::channel::scale::THOUSANDTH;
use crate::wire::element::Element;
use crate::wire::element::ElementValue;

/// What Ruptela's elements mean.
pub(super) static BUILT_IN: BuiltIn = BuiltIn { known, unnamed };

fn known(id: u16, value: ElementValue<'_>) -> Option<(&'static str, Meaning)> {
    Some(match id {
        2 => ("din.1", Meaning::Switch),
        3 => ("din.2", Meaning::Switch),
        4 => ("din.3", Meaning::Switch),
        5 => ("din.4", Meaning::Switch),
        13 | 173 => ("movement.status", Meaning::Switch),
        20 => ("ain.3", Meaning::MILLIVOLTS),
        21 => ("ain.4", Meaning::MILLIVOLTS),
        22 => ("ain.1", Meaning::MILLIVOLTS),
        23 => ("ain.2", Meaning::MILLIVOLTS),
        29 => ("external.powersource.voltage", Meaning::MILLIVOLTS),
        30 => ("battery.voltage", Meaning::MILLIVOLTS),
        34 => ("driver.code", Meaning::Key),
        65 => ("vehicle.mileage", Meaning::Unsigned(THOUSANDTH)),
        78 => ("sensor.temperature.1", Meaning::Signed(TENTH)),
        79 => ("sensor.temperature.2", Meaning::Signed(TENTH)),
        80 => ("sensor.temperature.3", Meaning::Signed(TENTH)),
        88 => ("gsm.jamming.alarm.status", Meaning::Switch),
        150 => ("gsm.operator.code", Meaning::Digits),
        251 | 409 => ("engine.ignition.status", Meaning::Switch),
        _ if value.unsigned() == Some(1) => return event(id),
        _ => return engine(id),
    })
}

/// What engines say: by OBD (94 to 100), or by the FMS interface of a truck.
fn engine(id: u16) -> Option<(&'static str, Meaning)> {
    Some(match id {
        94 => ("can.engine.rpm", Meaning::fraction(1, 4)),
        95 => ("can.vehicle.speed", Meaning::Unsigned(ONE)),
        98 => ("can.fuel.level", Meaning::fraction(100, 255)),
        100 => ("can.engine.fuel.rate", Meaning::fraction(1, 20)),
        163 => ("can.vehicle.mileage", Meaning::fraction(1, 200)),
        165 => ("can.vehicle.speed", Meaning::fraction(1, 256)),
        166 | 197 => ("can.engine.rpm", Meaning::fraction(1, 8)),
        207 => ("can.fuel.level", Meaning::fraction(2, 5)),
        208 => ("can.fuel.consumed", Meaning::fraction(1, 2)),
        _ => return None,
    })
}

/// What happened, where the value is 1.
fn event(id: u16) -> Option<(&'static str, Meaning)> {
    Some(match id {
        134 => ("harsh.braking.event", Meaning::Switch),
        136 => ("harsh.acceleration.event", Meaning::Switch),
        410 => ("towing.event", Meaning::Switch),
        411 => ("crash.event", Meaning::Switch),
        _ => return engine(id),
    })
}

fn unnamed(id: u16, _: ElementValue<'_>) -> Meaning {
    match text_of(id) {
        Some(_) => Meaning::Text,
        None => Meaning::Unsigned(ONE),
    }
}

/// The text that an element is a part of, with all of its parts in their order: a VIN, the card of
/// a driver by CAN or by tachograph.
pub(super) fn text_of(id: u16) -> Option<(&'static str, &'static [u16])> {
    match id {
        104..=106 => Some(("vehicle.vin", &[104, 105, 106])),
        126 | 127 => Some(("driver.code", &[126, 127])),
        155 | 156 => Some(("driver.code", &[155, 156])),
        _ => None,
    }
}

/// Whether a bus says with all bits set that it has no value.
pub(super) fn is_nothing(element: &Element<'_>) -> bool {
    let is_of_a_bus = matches!(element.id, 163 | 165 | 166 | 197 | 207 | 208);
    (is_of_a_bus || text_of(element.id).is_some()) && element.value.signed() == Some(-1)
}
