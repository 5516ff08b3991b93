//! The messages of a vehicle in a town, one in ten seconds. What they hold moves as measured values
//! do: a compressor finds no more in it than in real ones.

use std::fmt::Write as _;
use weir::message::body;
use weir::message::json;
use weir::message::json::Names;

/// The message of this number, as the daemon stores it.
pub(crate) fn body(number: u64) -> Vec<u8> {
    let mut message = json::parse(text(number).as_bytes(), &Names::default()).unwrap();
    message.set("channel.name", "in");
    message.set("protocol.name", "json");
    message.set("peer", "192.168.1.20:40000");
    let mut out = Vec::new();
    body::encode(&message, &mut out);
    out
}

/// The same as JSON, as its sender has it.
pub(crate) fn text(number: u64) -> String {
    let noise = |of: u64, below: u64| scramble(number * 16 + of) % below;
    let turn = number as f64 / 90.0;
    let mut text = String::new();
    write!(
        text,
        "{{\"ident\":\"352093081234567\",\"timestamp\":{time}.{millis:03},\
         \"position.latitude\":{north:.6},\"position.longitude\":{east:.6},\
         \"position.altitude\":{altitude},\"position.speed\":{speed},\
         \"position.direction\":{direction},\"position.satellites\":{satellites},\
         \"engine.ignition.status\":true,\
         \"external.powersource.voltage\":{power:.2},\"battery.voltage\":{battery:.2},\
         \"gsm.signal.level\":{signal},\"seq\":{number}}}",
        time = 1_800_003_600 + number * 10,
        millis = noise(0, 1000),
        north = 54.68 + 0.02 * turn.sin() + noise(1, 90) as f64 / 1e6,
        east = 25.28 + 0.03 * turn.cos() + noise(2, 90) as f64 / 1e6,
        altitude = 110 + noise(3, 40),
        speed = noise(4, 90),
        direction = noise(5, 360),
        satellites = 8 + noise(6, 8),
        power = 13.8 + noise(7, 60) as f64 / 100.0,
        battery = 4.0 + noise(8, 12) as f64 / 100.0,
        signal = 40 + noise(9, 50),
    )
    .unwrap();
    text
}

/// A number that nobody guesses from the one before.
fn scramble(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
