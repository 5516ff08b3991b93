//! Frames made from the specification, by a second and simpler writer than what reads them.

use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::support::random::pick;
use crate::vectors::Known;
use crate::vectors::keep;
use serde_json::json;
use std::fmt::Write as _;
use std::time::Duration;
use weir::channel::can::dbc::entries;
use weir::channel::can::j1939::J1939;
use weir::channel::can::signals::Signals;
use weir::channel::can::signals::sorted;
use weir::wire::can::Frame;
use weir::wire::can::Id;
use weir::wire::can::dbc;

/// PGN, byte and bit from 1, bits, a step, the least, and the name, as the table of the
/// specification has them; `switch` is a step of its own.
const TABLE: &str = "
F004 4.1 16 0.125 0 can.engine.rpm
F004 3.1 8 1 -125 can.engine.torque
F003 2.1 8 0.4 0 can.throttle.pedal.level
F003 3.1 8 1 0 can.engine.load.level
F005 4.1 8 1 -125 can.transmission.gear
FEF1 2.1 16 0.00390625 0 can.vehicle.speed
FEF1 1.3 2 switch 0 can.handbrake.status
FEF1 4.1 2 switch 0 can.cruise.status
FEF1 4.5 2 switch 0 can.pedal.brake.status
FEF1 4.7 2 switch 0 can.pedal.clutch.status
FEF1 7.1 5 1 0 can.pto.state.enum
FEF2 1.1 16 0.05 0 can.engine.fuel.rate
FEE9 5.1 32 0.5 0 can.fuel.consumed
FD09 5.1 32 0.001 0 can.fuel.consumed.high.resolution
FEFC 2.1 8 0.4 0 can.fuel.level
FEFC 7.1 8 0.4 0 can.fuel.level.2
FEEE 1.1 8 1 -40 can.engine.coolant.temperature
FEEE 2.1 8 1 -40 can.fuel.temperature
FEEE 3.1 16 0.03125 -273 can.engine.oil.temperature
FEC1 1.1 32 0.005 0 can.vehicle.mileage
FEC1 5.1 32 0.005 0 can.trip.mileage
FEE5 1.1 32 0.05 0 can.engine.motorhours
FEEA 4.1 16 2 0 can.trailer.weight
FE70 3.1 16 10 0 can.gross.combination.weight
FE6C 7.1 16 0.00390625 0 can.tachograph.vehicle.speed
FE6C 1.1 3 1 0 can.driver.1.working.state.enum
FE6C 1.4 3 1 0 can.driver.2.working.state.enum
FE6C 2.1 4 1 0 can.driver.1.time.state.enum
FE6C 3.1 4 1 0 can.driver.2.time.state.enum
FE6C 2.5 2 switch 0 can.driver.1.card.status
FE6C 3.5 2 switch 0 can.driver.2.card.status
FE6C 2.7 2 switch 0 can.overspeeding.status
FEF5 4.1 16 0.03125 -273 can.ambient.air.temperature
FEF7 5.1 16 0.05 0 can.battery.voltage
FEEF 4.1 8 4 0 can.engine.oil.pressure
FEEF 3.1 8 0.4 0 can.engine.oil.level
FEEF 8.1 8 0.4 0 can.engine.coolant.level
FEF6 2.1 8 2 0 can.intake.map
FEF6 3.1 8 1 -40 can.intake.air.temperature
FE56 1.1 8 0.4 0 can.adblue.level
FEC0 2.1 16 5 -160635 can.service.distance
FEAE 2.1 8 8 0 can.brake.circuit.1.pressure
FEAE 3.1 8 8 0 can.brake.circuit.2.pressure
FEAE 4.1 8 8 0 can.brake.circuit.3.pressure
FEAE 5.1 8 8 0 can.brake.circuit.4.pressure
FCC2 5.1 8 0.4 0 can.vehicle.battery.level
";

/// A line of [`TABLE`].
struct Row {
    pgn: u32,
    start: usize,
    bits: u32,
    step: Option<f64>,
    least: f64,
    name: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            let (byte, bit) = words[1].split_once('.').unwrap();
            let number = |text: &str| text.parse::<usize>().unwrap();
            Row {
                pgn: u32::from_str_radix(words[0], 16).unwrap(),
                start: number(byte) * 8 - 8 + number(bit) - 1,
                bits: words[2].parse().unwrap(),
                step: words[3].parse().ok(),
                least: words[4].parse().unwrap(),
                name: words[5],
            }
        })
        .collect()
}

/// Puts bits one by one, the lowest first.
fn put(data: &mut [u8], start: usize, bits: u32, number: u64) {
    for at in 0..bits as usize {
        let (byte, bit) = ((start + at) / 8, (start + at) % 8);
        data[byte] &= !(1 << bit);
        data[byte] |= u8::from(number >> at & 1 == 1) << bit;
    }
}

fn id(random: &mut Random, pgn: u32, source: u8) -> Id {
    let priority = u32::try_from(random.below(8)).unwrap();
    Id::Extended(priority << 26 | pgn << 8 | u32::from(source))
}

#[test]
fn every_signal_of_j1939_is_read_as_it_was_written() {
    let rows = rows();
    each_seed(|random| {
        let row = &rows[random.below(rows.len())];
        let all = (1_u64 << row.bits) - 1;
        // what is kept for "not available" and "error", by the length
        let kept = if row.bits < 8 { 2 } else { 5 << (row.bits - 8) };
        let choices = [0, 1, all - kept, all - kept + 1, all, random.next() & all];
        let number = pick(random, &choices);
        let mut data = [0xFF; 8];
        put(&mut data, row.start, row.bits, number);
        let frame = Frame::new(id(random, row.pgn, 0), &data).unwrap();
        let mut known = Known::new();
        let told = &mut |name: &str, value| keep(&mut known, name, &value);
        J1939::default().frame(Duration::ZERO, &frame, told);
        let found = known.remove(row.name);
        assert_eq!(known, Known::new(), "{} tells more", row.name);
        if number > all - kept {
            assert_eq!(found, None, "{} of {number}", row.name);
            return;
        }
        let found = found.unwrap_or_else(|| panic!("{} is not told", row.name));
        let Some(step) = row.step else {
            assert_eq!(found, json!(number == 1));
            return;
        };
        let found = found.as_f64().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "below 2^32")]
        let wanted = number as f64 * step + row.least;
        assert!(
            (found - wanted).abs() < 1e-6,
            "{}: {found} {wanted}",
            row.name
        );
    });
}

/// One who sends several frames of a text, and how far he is.
struct Sender {
    source: u8,
    text: Vec<u8>,
    packet: usize,
}

impl Sender {
    /// The next frame; the announcement first.
    fn next(&mut self, random: &mut Random) -> Option<Frame> {
        let packets = self.text.len().div_ceil(7);
        let (pgn, data) = if self.packet == 0 {
            let [low, high, ..] = self.text.len().to_le_bytes();
            let packets = u8::try_from(packets).unwrap();
            (0xECFF, vec![32, low, high, packets, 0xFF, 0xEC, 0xFE, 0])
        } else {
            let part = self.text.chunks(7).nth(self.packet - 1)?;
            let number = u8::try_from(self.packet).unwrap();
            let mut data = [&[number], part].concat();
            data.resize(8, 0xFF);
            (0xEBFF, data)
        };
        self.packet += 1;
        Frame::new(id(random, pgn, self.source), &data)
    }
}

/// Several at once, their packets among each other; some lose one.
#[test]
fn texts_of_several_senders_come_whole_or_not_at_all() {
    each_seed(|random| {
        let mut bus = J1939::default();
        let mut now = Duration::from_secs(1);
        let mut senders: Vec<_> = (0..4_u8)
            .map(|source| {
                let len = 9 + random.below(60);
                let letter = b'A' + source;
                let mut text = vec![letter; len];
                text[len - 1] = b'*';
                let packet = 0;
                Sender {
                    source,
                    text,
                    packet,
                }
            })
            .collect();
        let losing = u8::try_from(random.below(8)).unwrap();
        let lost = 1 + random.below(2);
        let mut told = Vec::new();
        while !senders.is_empty() {
            let at = random.below(senders.len());
            let (source, packet) = (senders[at].source, senders[at].packet);
            let Some(frame) = senders[at].next(random) else {
                let sender = senders.swap_remove(at);
                let wanted = String::from_utf8(sender.text[..sender.text.len() - 1].to_vec());
                let is_told = told.contains(&json!(wanted.unwrap()));
                assert_eq!(is_told, source != losing, "{source}");
                continue;
            };
            now += Duration::from_millis(1 + random.next() % 20);
            if source != losing || packet != lost {
                bus.frame(now, &frame, &mut |name, value| {
                    let mut known = Known::new();
                    keep(&mut known, name, &value);
                    told.extend(known.into_values());
                });
            }
        }
    });
}

/// A number at a place of either order, bit by bit: DBC's numbering.
fn put_dbc(data: &mut [u8], start: usize, bits: u32, is_low_first: bool, number: u64) {
    if is_low_first {
        return put(data, start, bits, number);
    }
    let mut at = start;
    for bit in (0..bits).rev() {
        put(data, at, 1, number >> bit & 1);
        at = if at.is_multiple_of(8) {
            at + 15
        } else {
            at - 1
        };
    }
}

#[test]
fn every_signal_of_a_file_is_read_as_it_was_written() {
    each_seed(|random| {
        let bits = 1 + u32::try_from(random.below(32)).unwrap();
        let is_low_first = random.below(2) == 0;
        let is_signed = random.below(2) == 0;
        // of either order all of it lies in 8 bytes
        let start = random.below(8);
        let (order, sign) = (u8::from(is_low_first), if is_signed { '-' } else { '+' });
        let (step, least) = (
            pick(random, &[1.0, 0.5, 0.1, -2.0]),
            pick(random, &[0.0, -40.0]),
        );
        let mut text = "BO_ 513 M: 8 A\n".to_owned();
        writeln!(
            text,
            " SG_ S : {start}|{bits}@{order}{sign} ({step},{least}) [0|0] \"\" A"
        )
        .unwrap();
        let number = random.next() & ((1 << bits) - 1);
        let mut data = [0; 8];
        let filling = random.next().to_le_bytes();
        data.copy_from_slice(&filling);
        put_dbc(&mut data, start, bits, is_low_first, number);
        let file = dbc::read(text.as_bytes(), &|_| true).unwrap();
        let mut signals = Signals::new(sorted(entries(&file, &|name| name.into())));
        let mut known = Known::new();
        let frame = Frame::new(Id::Standard(513), &data).unwrap();
        signals.frame(Duration::ZERO, &frame, &mut |name, value| {
            keep(&mut known, name, &value);
        });
        let half = 1_i64 << (bits - 1);
        let mut whole = i64::try_from(number).unwrap();
        if is_signed && whole >= half {
            whole -= 2 * half;
        }
        #[expect(clippy::cast_precision_loss, reason = "below 2^32")]
        let wanted = whole as f64 * step + least;
        let found = known["S"].as_f64().unwrap();
        assert!((found - wanted).abs() < 1e-6, "{text} {found} {wanted}");
    });
}
