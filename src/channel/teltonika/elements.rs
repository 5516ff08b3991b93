//! The elements of Teltonika's devices that have names: under which, and what their values mean.
//!
//! The vendor has two families of devices that give many ids another meaning: most models, FMB120
//! to FMB965 and their like with other letters, and the 6 hundreds with their forerunners. Only ids
//! that mean the same in both have a name here, and those that their width tells apart. What
//! engines and Bluetooth sensors say has none: 30 is a count of faults in one family and a speed
//! in the other. The one exception is 6, the second analog input of the one and a fifth
//! thermometer of the other.

use crate::channel::io::BuiltIn;
use crate::channel::io::meaning::Meaning;
use crate::channel::scale::ONE;
use crate::channel::scale::TENTH;
use crate::channel::scale::THOUSANDTH;
use crate::wire::element::ElementValue;
use crate::wire::element::ElementValue::Bytes;
use crate::wire::element::ElementValue::U8;
use crate::wire::element::ElementValue::U16;
use crate::wire::element::ElementValue::U32;
use crate::wire::element::ElementValue::U64;

/// What Teltonika's elements mean.
pub(super) static BUILT_IN: BuiltIn = BuiltIn { known, unnamed };

/// The names that are built in. Ids, widths and units after the vendor's "Data Sending Parameters
/// ID" of both families.
fn known(id: u16, value: ElementValue<'_>) -> Option<(&'static str, Meaning)> {
    Some(match (id, value) {
        (1, _) => ("din.1", Meaning::Switch),
        (2, _) => ("din.2", Meaning::Switch),
        (3, _) => ("din.3", Meaning::Switch),
        // wider: pulses
        (4, U8(_)) => ("din.4", Meaning::Switch),
        (9, U16(_)) => ("ain.1", Meaning::MILLIVOLTS),
        // narrower: whether there is a memory card
        (6 | 10, U16(_)) => ("ain.2", Meaning::MILLIVOLTS),
        // wider: the number of the SIM
        (11, U16(_)) => ("ain.3", Meaning::MILLIVOLTS),
        (11, U64(_)) => ("gsm.sim.iccid.1", Meaning::Digits),
        (14, U64(_)) => ("gsm.sim.iccid.2", Meaning::Digits),
        (245, U16(_)) => ("ain.4", Meaning::MILLIVOLTS),
        // narrower: a geofence
        (16 | 216, U32(_)) => ("vehicle.mileage", Meaning::Unsigned(THOUSANDTH)),
        (17, U16(_)) => ("x.acceleration", Meaning::Signed(THOUSANDTH)),
        (18, U16(_)) => ("y.acceleration", Meaning::Signed(THOUSANDTH)),
        (19, U16(_)) => ("z.acceleration", Meaning::Signed(THOUSANDTH)),
        (21, _) => ("gsm.signal.level", Meaning::Bars),
        // what the receiver says, also where the record has no fix
        (24, U16(_)) => ("gnss.speed", Meaning::Unsigned(ONE)),
        // the FT generation sends 800
        (66, U16(_)) | (800, U32(_)) => ("external.powersource.voltage", Meaning::MILLIVOLTS),
        (67, U16(_)) => ("battery.voltage", Meaning::MILLIVOLTS),
        (68, _) => ("battery.current", Meaning::Unsigned(THOUSANDTH)),
        // wider: how long somebody drove
        (69, U8(_)) => ("gnss.state.enum", Meaning::Unsigned(ONE)),
        (72, U16(_) | U32(_)) => ("sensor.temperature.1", Meaning::Thermometer),
        (73, U16(_) | U32(_)) => ("sensor.temperature.2", Meaning::Thermometer),
        (74, U16(_) | U32(_)) => ("sensor.temperature.3", Meaning::Thermometer),
        (75, U16(_) | U32(_)) => ("sensor.temperature.4", Meaning::Thermometer),
        // the bytes in the order in which the device sends them
        (78, U64(_)) => ("ibutton.code", Meaning::Key),
        // wider: how far to the next service
        (113, U8(_)) => ("battery.level", Meaning::Unsigned(ONE)),
        (179, _) => ("dout.1", Meaning::Switch),
        (180, _) => ("dout.2", Meaning::Switch),
        (181, _) => ("position.pdop", Meaning::Unsigned(TENTH)),
        (182, _) => ("position.hdop", Meaning::Unsigned(TENTH)),
        (199, U32(_)) => ("segment.vehicle.mileage", Meaning::Unsigned(THOUSANDTH)),
        (200, _) => ("sleep.mode.enum", Meaning::Unsigned(ONE)),
        (205, _) => ("gsm.cellid", Meaning::Unsigned(ONE)),
        (206, _) => ("gsm.lac", Meaning::Unsigned(ONE)),
        (207, U64(_)) => ("rfid.code", Meaning::Key),
        (201 | 203 | 210 | 212 | 214, U16(_)) => (fuel(id)?.0, Meaning::Level),
        (202 | 204 | 211 | 213 | 215, U8(_)) => (fuel(id)?.1, Meaning::Signed(ONE)),
        // wider: a force
        (236, U8(_)) => ("alarm.status", Meaning::Switch),
        (239, _) => ("engine.ignition.status", Meaning::Switch),
        (240, _) => ("movement.status", Meaning::Switch),
        (241, _) => ("gsm.operator.code", Meaning::Digits),
        // wider: how long a manoeuvre lasted
        (243, U8(_)) => ("idle.status", Meaning::Switch),
        (247, U8(_)) => ("crash.event.enum", Meaning::Unsigned(ONE)),
        (249, U8(_)) => ("gsm.jamming.alarm.status", Meaning::Switch),
        (250, U8(_)) => ("trip.state.enum", Meaning::Unsigned(ONE)),
        (253, U8(1)) => ("harsh.acceleration.event", Meaning::Switch),
        (253, U8(2)) => ("harsh.braking.event", Meaning::Switch),
        (253, U8(3)) => ("harsh.cornering.event", Meaning::Switch),
        (255, U8(_)) => ("overspeeding.speed", Meaning::Unsigned(ONE)),
        (256, Bytes(_)) => ("vehicle.vin", Meaning::Text),
        (636, U32(_)) => ("lte.cellid", Meaning::Unsigned(ONE)),
        _ => return None,
    })
}

/// What an element means that has no name. Driver cards (195, 196), the parts of a VIN (105 to 107,
/// 233 to 235, 325) and fault codes (281) are text, however short.
fn unnamed(id: u16, value: ElementValue<'_>) -> Meaning {
    match (id, value) {
        (105..=107 | 195 | 196 | 233..=235 | 281 | 325, U64(_) | Bytes(_)) => Meaning::Text,
        _ => Meaning::Unknown,
    }
}

/// The names of level and temperature of a fuel sensor.
fn fuel(id: u16) -> Option<(&'static str, &'static str)> {
    Some(match id {
        201 | 202 => ("lls.value.1", "lls.temperature.1"),
        203 | 204 => ("lls.value.2", "lls.temperature.2"),
        210 | 211 => ("lls.value.3", "lls.temperature.3"),
        212 | 213 => ("lls.value.4", "lls.temperature.4"),
        214 | 215 => ("lls.value.5", "lls.temperature.5"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::io::IoTable;
    use crate::message::Message;
    use crate::message::json;
    use crate::wire::element::Element;

    /// `NAME:VALUE` of each element, in one record.
    fn told(elements: &[(u16, ElementValue<'_>)]) -> String {
        let mut message = Message::new("1").unwrap();
        for &(id, value) in elements {
            IoTable::default().tell(&Element { id, value }, &BUILT_IN, &mut message);
        }
        let mut shown = Vec::new();
        for field in message.fields().skip(1) {
            json::write([field].into_iter(), &mut shown);
        }
        let shown = str::from_utf8(&shown).unwrap().replace("}{", " ");
        shown.trim_matches(['{', '}']).to_owned()
    }

    /// Of the two families of the vendor, the second after the first.
    #[test]
    fn an_id_of_two_meanings_is_told_by_its_width() {
        use ElementValue::U8;
        use ElementValue::U16;
        use ElementValue::U32;
        use ElementValue::U64;
        for (element, expected) in [
            ((4, U32(7)), r#""custom.param.4":7"#),
            ((4, U8(1)), r#""din.4":true"#),
            ((10, U8(1)), r#""custom.param.10":1"#),
            ((10, U16(1250)), r#""ain.2":1.25"#),
            ((11, U64(8937)), r#""gsm.sim.iccid.1":"8937""#),
            ((11, U16(39)), r#""ain.3":0.039"#),
            ((245, U16(5000)), r#""ain.4":5.0"#),
            ((69, U8(2)), r#""gnss.state.enum":2"#),
            ((69, U16(90)), r#""custom.param.69":90"#),
            ((113, U8(87)), r#""battery.level":87"#),
            ((113, U32(0xFFFD_8C85)), r#""custom.param.113":4294806661"#),
            ((216, U8(1)), r#""custom.param.216":1"#),
            ((216, U32(256_909_985)), r#""vehicle.mileage":256909.985"#),
            ((236, U8(1)), r#""alarm.status":true"#),
            ((236, U16(998)), r#""custom.param.236":998"#),
            ((243, U16(1500)), r#""custom.param.243":1500"#),
            ((243, U8(1)), r#""idle.status":true"#),
            // unplugged, or an authorized driver; nobody can tell
            ((252, U8(1)), r#""custom.param.252":1"#),
            ((256, U32(5)), r#""custom.param.256":5"#),
        ] {
            assert_eq!(told(&[element]), expected, "{element:?}");
        }
    }

    #[test]
    fn sensors_have_signs_and_their_faults_are_no_readings() {
        use ElementValue::U8;
        use ElementValue::U16;
        use ElementValue::U32;
        for (element, expected) in [
            ((72, U32(215)), r#""sensor.temperature.1":21.5"#),
            ((72, U32(0xFFFF_FF83)), r#""sensor.temperature.1":-12.5"#),
            ((75, U16(0xFF83)), r#""sensor.temperature.4":-12.5"#),
            ((73, U32(1150)), r#""sensor.temperature.2":115.0"#),
            ((73, U32(850)), r#""custom.param.73":850"#),
            ((74, U32(3000)), r#""custom.param.74":3000"#),
            ((201, U16(2048)), r#""lls.value.1":2048"#),
            ((214, U16(0xFFFC)), r#""custom.param.214":65532"#),
            ((202, U8(0xF6)), r#""lls.temperature.1":-10"#),
            ((213, U8(21)), r#""lls.temperature.4":21"#),
        ] {
            assert_eq!(told(&[element]), expected, "{element:?}");
        }
    }

    #[test]
    fn events_and_distances_have_names_and_units() {
        use ElementValue::U8;
        use ElementValue::U32;
        use ElementValue::U64;
        for (element, expected) in [
            ((199, U32(12_345)), r#""segment.vehicle.mileage":12.345"#),
            ((207, U64(0xAB)), r#""rfid.code":"00000000000000ab""#),
            ((247, U8(1)), r#""crash.event.enum":1"#),
            ((249, U8(0)), r#""gsm.jamming.alarm.status":false"#),
            ((250, U8(1)), r#""trip.state.enum":1"#),
            ((253, U8(1)), r#""harsh.acceleration.event":true"#),
            ((253, U8(2)), r#""harsh.braking.event":true"#),
            ((253, U8(3)), r#""harsh.cornering.event":true"#),
            ((253, U8(4)), r#""custom.param.253":4"#),
            ((255, U8(97)), r#""overspeeding.speed":97"#),
        ] {
            assert_eq!(told(&[element]), expected, "{element:?}");
        }
    }

    #[test]
    fn two_elements_of_one_name_are_both_told() {
        let both = [(16, U32(5_000)), (216, U32(7_000))];
        let expected = r#""vehicle.mileage":5.0 "custom.param.216":7000"#;
        assert_eq!(told(&both), expected);
    }
}
