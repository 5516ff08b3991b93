//! Messages as vehicles send them: the same ones in each run.

use std::fmt::Write as _;
use weir::wire::teltonika::Codec;
use weir::wire::teltonika::Element;
use weir::wire::teltonika::ElementValue;
use weir::wire::teltonika::Packet;
use weir::wire::teltonika::Record;
use weir::wire::teltonika::encode_packet;

/// Who sends them.
pub(crate) const IDENT: &str = "352093081234567";

/// The message of this number as JSON, without an end of line: 333 bytes.
pub(crate) fn json(number: u64) -> String {
    let time = 1_763_900_000 + number;
    let (north, east) = place(number);
    let mut text = String::new();
    write!(
        text,
        "{{\"ident\":\"{IDENT}\",\"timestamp\":{time}.{millis:03},\
         \"position.latitude\":{north:.6},\"position.longitude\":{east:.6},\
         \"position.altitude\":{altitude},\"position.speed\":{speed},\
         \"position.direction\":{direction},\"position.satellites\":{satellites},\
         \"engine.ignition.status\":{ignition},\
         \"external.powersource.voltage\":{power:.2},\"battery.voltage\":{battery:.2},\
         \"gsm.signal.level\":{signal},\"seq\":{number}}}",
        millis = number % 1000,
        altitude = 120 + number % 60,
        speed = number * 7 % 110,
        direction = number * 13 % 360,
        satellites = 6 + number % 9,
        ignition = !number.is_multiple_of(50),
        power = 12.0 + (number % 230) as f64 / 100.0,
        battery = 3.9 + (number % 30) as f64 / 100.0,
        signal = 40 + number % 60,
    )
    .expect("text takes everything");
    text
}

/// A packet of codec 8E with so many records, as an FMB920 sends them.
pub(crate) fn teltonika(first: u64, count: u64) -> Vec<u8> {
    let packet = Packet {
        codec: Codec::EightExtended,
        records: (first..first + count).map(record).collect(),
    };
    let mut bytes = Vec::new();
    encode_packet(&packet, &mut bytes).expect("a packet that fits");
    bytes
}

fn record(number: u64) -> Record<'static> {
    let (north, east) = place(number);
    let element = |id, value| Element { id, value };
    let small = |number: u64| u16::try_from(number % 1000).expect("it is less");
    Record {
        time_ms: (1_763_900_000 + number) * 1000,
        priority: 0,
        longitude_e7: (east * 1e7) as i32,
        latitude_e7: (north * 1e7) as i32,
        altitude_m: 120,
        direction_deg: small(number * 13 % 360),
        satellites: 11,
        speed_km_h: small(number * 7 % 110),
        event: 0,
        generation: None,
        elements: vec![
            element(239, ElementValue::U8(1)),
            element(240, ElementValue::U8(1)),
            element(21, ElementValue::U8(4)),
            element(66, ElementValue::U16(12_000 + small(number))),
            element(67, ElementValue::U16(3_900 + small(number))),
            element(16, ElementValue::U32(number as u32)),
        ],
    }
}

/// Round a town, without a sine: those differ from one library of C to the next.
fn place(number: u64) -> (f64, f64) {
    let (north, east) = (number * 37 % 200_000, number * 53 % 300_000);
    (54.58 + north as f64 / 1e6, 25.13 + east as f64 / 1e6)
}
