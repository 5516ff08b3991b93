//! The tags of Galileosky's devices that are one value and have a name: under which, and what they
//! mean. What is several values in one is in `parameters`.

use crate::channel::io::BuiltIn;
use crate::channel::io::meaning::Meaning;
use crate::channel::scale::ONE;
use crate::channel::scale::THOUSANDTH;
use crate::wire::element::ElementValue;
use crate::wire::galileosky::Tag;

/// What tags mean.
pub(super) static BUILT_IN: BuiltIn = BuiltIn { known, unnamed };

fn known(id: u16, _: ElementValue<'_>) -> Option<(&'static str, Meaning)> {
    Some(match id {
        0x41 => ("external.powersource.voltage", Meaning::MILLIVOLTS),
        0x42 => ("battery.voltage", Meaning::MILLIVOLTS),
        0x43 => ("device.temperature", Meaning::Signed(ONE)),
        0x45 => ("dout", Meaning::Unsigned(ONE)),
        0x46 => ("din", Meaning::Unsigned(ONE)),
        0x50 => ("ain.1", Meaning::MILLIVOLTS),
        0x51 => ("ain.2", Meaning::MILLIVOLTS),
        0x52 => ("ain.3", Meaning::MILLIVOLTS),
        0x53 => ("ain.4", Meaning::MILLIVOLTS),
        0x54 => ("ain.5", Meaning::MILLIVOLTS),
        0x55 => ("ain.6", Meaning::MILLIVOLTS),
        0x56 => ("ain.7", Meaning::MILLIVOLTS),
        0x57 => ("ain.8", Meaning::MILLIVOLTS),
        0x90 | 0xD3 => ("driver.code", Meaning::Key),
        0xC0 => ("can.fuel.consumed", Meaning::fraction(1, 2)),
        0xC2 => ("can.vehicle.mileage", Meaning::fraction(1, 200)),
        0xD4 => ("vehicle.mileage", Meaning::Unsigned(THOUSANDTH)),
        _ => return None,
    })
}

fn unnamed(_: u16, _: ElementValue<'_>) -> Meaning {
    Meaning::Unsigned(ONE)
}

/// Whether a tag is told without the channel's `io`, and has a value. Of fuel sensors (60 to 62)
/// and of what the device's settings make of CAN (D6 to DB) only the number is known. A bus says
/// with all bits set that it has no value, and 0 is no driver.
pub(super) fn is_told(tag: &Tag<'_>) -> bool {
    match tag.id {
        0x41..=0x43 | 0x45 | 0x46 | 0x50..=0x57 | 0x60..=0x62 | 0xD4 | 0xD6..=0xDB => true,
        0xC0 | 0xC2 => tag.value != [u8::MAX; 4],
        0x90 | 0xD3 => tag.value != [0; 4],
        _ => false,
    }
}
