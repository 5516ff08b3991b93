//! What the trackers say: one flat JSON object of some 330 bytes a message, whose values move as a
//! vehicle's do. Made so cheaply that making it never limits who reads it.

use std::fmt::Write;

/// Bodies of a vehicle's way; of one that is sent only ident, time and number are new.
pub struct Maker {
    bodies: Vec<Body>,
    idents: u64,
}

struct Body {
    text: Vec<u8>,
    time_at: usize,
    seq_at: usize,
}

/// Numbers begin here, so that each has ten digits.
pub const SEQ_BASE: u64 = 1_000_000_000;

/// What stands before the number in JSON.
pub const SEQ_KEY: &[u8] = b"\"seq\":";

/// When the first message was measured: in November 2025.
pub const TIME_BASE: u64 = 1_763_900_000;

/// A prime, so that bodies and idents do not march in step.
const BODIES: u64 = 1009;

const IDENT_AT: usize = b"{\"ident\":\"35209308".len();

impl Maker {
    /// Of so many devices in turn.
    pub fn new(idents: u64) -> Self {
        Self {
            bodies: (0..BODIES).map(Body::new).collect(),
            idents: idents.max(1),
        }
    }

    /// Appends the message of a number.
    pub fn write(&self, seq: u64, out: &mut Vec<u8>) {
        let start = out.len();
        let body = &self.bodies[(seq % BODIES) as usize];
        out.extend_from_slice(&body.text);
        let text = &mut out[start..];
        digits(&mut text[IDENT_AT..IDENT_AT + 7], seq % self.idents);
        digits(
            &mut text[body.time_at..body.time_at + 10],
            TIME_BASE + seq % 10_000_000,
        );
        digits(&mut text[body.seq_at..body.seq_at + 10], SEQ_BASE + seq);
    }

    /// Appends the ident that sends a number.
    pub fn ident(&self, seq: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"352093080000000");
        digits(&mut out[start + 8..], seq % self.idents);
    }

    /// How long a message is, which is nearly the same for all.
    pub fn len(&self) -> u64 {
        let sum: usize = self.bodies.iter().map(|body| body.text.len()).sum();
        sum as u64 / BODIES
    }
}

impl Body {
    fn new(number: u64) -> Self {
        let mut text = String::from("{\"ident\":\"352093080000000\",\"timestamp\":");
        let time_at = text.len();
        let turn = number as f64;
        let _ = write!(
            text,
            "1763900000.{:03},\"position.latitude\":{:.6},\"position.longitude\":{:.6},\
             \"position.altitude\":{},\"position.speed\":{},\"position.direction\":{},\
             \"position.satellites\":{},\"engine.ignition.status\":{},\
             \"external.powersource.voltage\":{:.2},\"battery.voltage\":{:.2},\
             \"gsm.signal.level\":{},\"seq\":",
            1 + number % 999,
            54.68 + 0.2 * (turn * 0.013).sin(),
            25.28 + 0.3 * (turn * 0.011).cos(),
            120 + number % 60,
            number * 7 % 110,
            number * 13 % 360,
            6 + number % 9,
            number % 50 != 0,
            12.01 + (number % 230) as f64 / 100.0,
            3.91 + (number % 30) as f64 / 100.0,
            40 + number % 60,
        );
        let seq_at = text.len();
        text.push_str("1000000000}");
        Self {
            text: text.into_bytes(),
            time_at,
            seq_at,
        }
    }
}

/// Writes the last decimals of a number.
fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
