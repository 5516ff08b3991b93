//! NMEA 2000: what the instruments of a boat say.
//!
//! Fields are those of the canboat project. Numbers are little-endian; all ones (of signed ones
//! 7F FF…) is not available, one less an error.
//!
//! Two receivers on board are usual: the place, the course and the time are of the first that is
//! heard, or of the one that the channel names. Of two that tell the same of one engine, tank or
//! battery, the first counts too. Silent for `SILENCE`, it is the turn of another.
//!
//! Engines, tanks and batteries have a number: 0 has none in the name, 1 is `….2`.

use super::Told;
use crate::channel::fix::rounded;
use crate::message::Value;
use crate::wire::can::Frame;
use crate::wire::can::bits::Bits;
use crate::wire::can::bits::Order;
use crate::wire::can::fast_packet::FastPackets;
use crate::wire::can::j1939::Address;
use crate::wire::sign::twos_complement;
use std::time::Duration;

/// What is told depends on who was heard before.
#[derive(Clone, Debug, Default)]
pub struct Nmea2000 {
    /// Whose place and time count.
    source: Option<u8>,
    packets: FastPackets,
    /// Who tells what; at most [`SPEAKERS_MAX`].
    speakers: Vec<Speaker>,
}

#[derive(Clone, Copy, Debug)]
struct Speaker {
    about: (u32, u8),
    source: u8,
    heard: Duration,
}

/// What is done with a PGN.
struct Row {
    pgn: u32,
    /// The PGN whose speaker also counts for this one.
    about: u32,
    /// It comes in fast packets.
    is_fast: bool,
    /// Its first byte says of which engine, tank or battery it is.
    has_instance: bool,
    tell: fn(&[u8], &mut Told<'_>),
}

impl Row {
    /// Of what there is one of on board.
    const fn one(pgn: u32, tell: fn(&[u8], &mut Told<'_>)) -> Self {
        Self {
            pgn,
            about: pgn,
            is_fast: false,
            has_instance: false,
            tell,
        }
    }

    /// Of what has a number.
    const fn numbered(pgn: u32, tell: fn(&[u8], &mut Told<'_>)) -> Self {
        Self {
            has_instance: true,
            ..Self::one(pgn, tell)
        }
    }

    const fn about(self, about: u32) -> Self {
        Self { about, ..self }
    }

    const fn fast(self) -> Self {
        Self {
            is_fast: true,
            ..self
        }
    }
}

impl Nmea2000 {
    /// `source`: whose place, course and time count; none: of the first that is heard.
    #[must_use]
    pub fn new(source: Option<u8>) -> Self {
        Self {
            source,
            ..Self::default()
        }
    }

    /// Tells what a frame with data says, or the message that ends with it. `now` never goes back.
    pub fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>) {
        let Some(address) = Address::of(frame.id) else {
            return;
        };
        let Some(row) = ROWS.iter().find(|row| row.pgn == address.pgn) else {
            return;
        };
        if !row.is_fast {
            self.message(now, row, address.source, frame.data(), told);
        } else if let Some(data) = self.packets.take(now, address, frame.data()) {
            self.message(now, row, address.source, &data, told);
        }
    }

    /// The PGNs that tell something.
    pub fn wanted() -> impl Iterator<Item = u32> {
        ROWS.iter().map(|row| row.pgn)
    }

    fn message(&mut self, now: Duration, row: &Row, source: u8, data: &[u8], told: &mut Told<'_>) {
        let Some(first) = data.first().copied() else {
            return;
        };
        let instance = if row.has_instance { first } else { 0 };
        if self.counts(now, (row.about, instance), source) {
            (row.tell)(data, told);
        }
    }

    /// Whether it is the one whose word counts.
    fn counts(&mut self, now: Duration, about: (u32, u8), source: u8) -> bool {
        if let (POSITION, Some(wanted)) = (about.0, self.source) {
            return source == wanted;
        }
        let speaker = Speaker {
            about,
            source,
            heard: now,
        };
        let Some(known) = self.speakers.iter_mut().find(|it| it.about == about) else {
            let has_room = self.speakers.len() < SPEAKERS_MAX;
            self.speakers.extend(has_room.then_some(speaker));
            return has_room;
        };
        let is_silent = now.saturating_sub(known.heard) >= SILENCE;
        let counts = known.source == source || is_silent;
        if counts {
            *known = speaker;
        }
        counts
    }
}

fn position(data: &[u8], told: &mut Told<'_>) {
    let degrees = |at| signed_at(data, at, 32).map(|number| number / 1e7);
    place(degrees(0), degrees(4), told);
}

/// On earth, both or none.
fn place(latitude: Option<f64>, longitude: Option<f64>, told: &mut Told<'_>) {
    let latitude = latitude.filter(|degrees| degrees.abs() <= 90.0);
    let longitude = longitude.filter(|degrees| degrees.abs() <= 180.0);
    if let Some((latitude, longitude)) = latitude.zip(longitude) {
        told("position.latitude", rounded(latitude, 1e9));
        told("position.longitude", rounded(longitude, 1e9));
    }
}

fn course(data: &[u8], told: &mut Told<'_>) {
    let is_true = data.get(1).is_some_and(|byte| byte & 3 == 0);
    let course = angle(data, 2).filter(|_| is_true);
    tell("position.direction", 1, course, told);
    let speed = unsigned_at(data, 4, 16).map(|number| number * 0.01 * 3.6);
    tell("position.speed", 1, speed, told);
}

fn gnss(data: &[u8], told: &mut Told<'_>) {
    // 0 is none, 14 an error, 15 not available
    let method = data.get(31).map(|byte| byte >> 4);
    let is_valid = method.is_some_and(|method| (1..14).contains(&method));
    told("position.valid", Value::Bool(is_valid));
    if let Some(satellites) = unsigned_at(data, 33, 8) {
        told("position.satellites", whole(satellites));
    }
    if !is_valid {
        return;
    }
    let degrees = |at| signed_at(data, at, 64).map(|number| number / 1e16);
    place(degrees(7), degrees(15), told);
    let altitude = signed_at(data, 23, 64).map(|number| number / 1e6);
    tell("position.altitude", 1, altitude, told);
    let hdop = signed_at(data, 34, 16).map(|number| number / 100.0);
    tell("position.hdop", 1, hdop, told);
    if let Some((days, time)) = unsigned_at(data, 1, 16).zip(unsigned_at(data, 3, 32)) {
        let seconds = days * 86_400.0 + time / 1e4;
        told("timestamp", whole((seconds * 1e4).round() / 1e4));
    }
}

fn heading(data: &[u8], told: &mut Told<'_>) {
    let name = match data.get(7).map(|byte| byte & 3) {
        Some(0) => "vessel.heading",
        Some(1) => "vessel.magnetic.heading",
        _ => return,
    };
    tell(name, 1, angle(data, 1), told);
}

fn depth(data: &[u8], told: &mut Told<'_>) {
    let depth = unsigned_at(data, 1, 32).map(|number| number / 100.0);
    tell("water.depth", 1, depth, told);
    let offset = signed_at(data, 5, 16).map(|number| number / 1000.0);
    tell("water.depth.offset", 1, offset, told);
}

fn engine(data: &[u8], told: &mut Told<'_>) {
    let rpm = unsigned_at(data, 1, 16).map(|number| number / 4.0);
    tell("can.engine.rpm", instance(data), rpm, told);
}

fn engine_slow(data: &[u8], told: &mut Told<'_>) {
    let (instance, unsigned) = (instance(data), |at, length| unsigned_at(data, at, length));
    let oil = unsigned(1, 16).map(|number| number / 10.0);
    let oil_temperature = unsigned(3, 16).map(|number| (number * 10.0 - KELVIN) / 100.0);
    let coolant = unsigned(5, 16).map(|number| (number - KELVIN) / 100.0);
    let voltage = signed_at(data, 7, 16).map(|number| number / 100.0);
    let rate = signed_at(data, 9, 16).map(|number| number / 10.0);
    let hours = unsigned(11, 32).map(|number| number / 3600.0);
    for (name, value) in [
        ("can.engine.oil.pressure", oil),
        ("can.engine.oil.temperature", oil_temperature),
        ("can.engine.coolant.temperature", coolant),
        ("can.alternator.voltage", voltage),
        ("can.engine.fuel.rate", rate),
        ("can.engine.motorhours", hours),
    ] {
        tell(name, instance, value, told);
    }
}

fn tank(data: &[u8], told: &mut Told<'_>) {
    let first = data.first().copied().unwrap_or_default();
    let Some((level_name, volume_name)) = TANKS.get(usize::from(first >> 4)) else {
        return;
    };
    let instance = (first & 0xF) + 1;
    let level = signed_at(data, 1, 16).filter(|level| *level >= 0.0);
    let capacity = unsigned_at(data, 3, 32);
    tell(level_name, instance, level.map(|level| level / 250.0), told);
    let volume = level.zip(capacity);
    let volume = volume.map(|(level, capacity)| level * capacity / 250_000.0);
    tell(volume_name, instance, volume, told);
}

fn battery(data: &[u8], told: &mut Told<'_>) {
    let instance = instance(data);
    let voltage = signed_at(data, 1, 16).map(|number| number / 100.0);
    let current = signed_at(data, 3, 16).map(|number| number / 10.0);
    let temperature = unsigned_at(data, 5, 16).map(|number| (number - KELVIN) / 100.0);
    for (name, value) in [
        ("can.battery.voltage", voltage),
        ("can.battery.current", current),
        ("can.battery.temperature", temperature),
    ] {
        tell(name, instance, value, told);
    }
}

/// From 1.
fn instance(data: &[u8]) -> u8 {
    let number = data.first().copied().unwrap_or_default();
    number.saturating_add(1)
}

fn tell(name: &str, instance: u8, value: Option<f64>, told: &mut Told<'_>) {
    let Some(value) = value.map(|value| rounded(value, 1e4)) else {
        return;
    };
    match instance {
        1 => told(name, value),
        _ => told(&format!("{name}.{instance}"), value),
    }
}

/// Degrees of 1e-4 radians.
fn angle(data: &[u8], at: u16) -> Option<f64> {
    let degrees = unsigned_at(data, at, 16)? * 1e-4 * 180.0 / std::f64::consts::PI;
    (degrees <= 360.01).then_some(degrees)
}

#[expect(clippy::cast_precision_loss, reason = "a measured number is a double")]
fn unsigned_at(data: &[u8], at: u16, length: u8) -> Option<f64> {
    let number = bits(at, length)?.of(data)?;
    let most = u64::MAX >> (64 - length);
    (number < most - 1).then_some(number as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a measured number is a double")]
fn signed_at(data: &[u8], at: u16, length: u8) -> Option<f64> {
    let number = twos_complement(bits(at, length)?.of(data)?, length);
    let most = i64::MAX >> (64 - length);
    (number < most - 1).then_some(number as f64)
}

/// So many bits from a byte on, which counts from 0.
fn bits(at: u16, length: u8) -> Option<Bits> {
    Bits::new(at * 8, length, Order::LowFirst)
}

/// A number without a fraction is an integer. It is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds of this era, counts"
)]
fn whole(number: f64) -> Value {
    match number.fract() == 0.0 {
        true => Value::U64(number as u64),
        false => Value::F64(number),
    }
}

/// Level and volume of what a tank holds.
static TANKS: [(&str, &str); 6] = [
    ("can.fuel.level", "can.fuel.volume"),
    ("can.water.level", "can.water.volume"),
    ("can.grey.water.level", "can.grey.water.volume"),
    ("can.live.well.level", "can.live.well.volume"),
    ("can.oil.level", "can.oil.volume"),
    ("can.black.water.level", "can.black.water.volume"),
];

/// 0 degrees Celsius, in hundredths of a kelvin.
const KELVIN: f64 = 27_315.0;

/// After that, somebody else may tell the same.
const SILENCE: Duration = Duration::from_secs(10);

/// Who is remembered.
const SPEAKERS_MAX: usize = 64;

const POSITION: u32 = 129_025;

static ROWS: [Row; 9] = [
    Row::one(127_250, heading),
    Row::numbered(127_488, engine),
    Row::numbered(127_489, engine_slow).fast(),
    Row::numbered(127_505, tank),
    Row::numbered(127_508, battery),
    Row::one(128_267, depth),
    Row::one(POSITION, position),
    Row::one(129_026, course).about(POSITION),
    Row::one(129_029, gnss).about(POSITION).fast(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::can::Id;

    fn send(bus: &mut Nmea2000, second: u64, id: u32, data: &[u8]) -> Vec<(String, Value)> {
        let frame = Frame::new(Id::Extended(id), data).unwrap();
        let mut all = Vec::new();
        bus.frame(Duration::from_secs(second), &frame, &mut |name, value| {
            all.push((name.to_owned(), value));
        });
        all
    }

    fn named(name: &str, value: f64) -> (String, Value) {
        (name.to_owned(), Value::F64(value))
    }

    #[test]
    fn the_first_receiver_counts_until_it_is_silent() {
        let (first, second) = (0x09F8_0117, 0x09F8_0218);
        let place = [0; 8];
        let course = [0, 0, 0, 0, 100, 0, 0xFF, 0xFF];
        let mut bus = Nmea2000::new(None);
        assert_eq!(send(&mut bus, 0, first, &place).len(), 2);
        assert_eq!(send(&mut bus, 9, second, &course), []);
        assert_eq!(send(&mut bus, 10, second, &course).len(), 2);
        assert_eq!(send(&mut bus, 10, first, &place), []);
        let mut bus = Nmea2000::new(Some(0x18));
        assert_eq!(send(&mut bus, 0, first, &place), []);
        assert_eq!(send(&mut bus, 0, second, &course).len(), 2);
    }

    #[test]
    fn engines_tanks_and_batteries_have_numbers() {
        let mut bus = Nmea2000::new(None);
        let rpm = |instance| [instance, 0x10, 0, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF];
        assert_eq!(
            send(&mut bus, 0, 0x09F2_0001, &rpm(0)),
            [named("can.engine.rpm", 4.0)]
        );
        assert_eq!(
            send(&mut bus, 0, 0x09F2_0002, &rpm(1)),
            [named("can.engine.rpm.2", 4.0)]
        );
        assert_eq!(send(&mut bus, 0, 0x09F2_0003, &rpm(1)), []);
        let water = [0x12, 250, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        let level = [named("can.water.level.3", 1.0)];
        assert_eq!(send(&mut bus, 0, 0x09F2_1101, &water), level);
        assert_eq!(
            send(&mut bus, 0, 0x09F2_1101, &[0x60, 0, 0, 0, 0, 0, 0, 0]),
            []
        );
        let battery = [0, 0x88, 0x05, 0xCE, 0xFF, 0xB3, 0x6A, 0xFF];
        let expected = [
            named("can.battery.voltage", 14.16),
            named("can.battery.current", -5.0),
            named("can.battery.temperature", 0.0),
        ];
        assert_eq!(send(&mut bus, 0, 0x09F2_1401, &battery), expected);
    }

    #[test]
    fn an_engine_tells_more_in_several_frames() {
        let mut bus = Nmea2000::new(None);
        let data: [u8; 26] = [
            0, 0x10, 0x27, 0xAB, 0x0A, 0xB3, 0x6A, 0x78, 0x05, 0x9B, 0, 0x08, 0x07, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let id = 0x09F2_0101;
        send(&mut bus, 0, id, &[&[0x20, 26][..], &data[..6]].concat());
        send(&mut bus, 0, id, &[&[0x21][..], &data[6..13]].concat());
        send(&mut bus, 0, id, &[&[0x22][..], &data[13..20]].concat());
        let told = send(
            &mut bus,
            0,
            id,
            &[&[0x23][..], &data[20..], &[0xFF]].concat(),
        );
        let expected = [
            named("can.engine.oil.pressure", 1000.0),
            named("can.engine.oil.temperature", -0.05),
            named("can.engine.coolant.temperature", 0.0),
            named("can.alternator.voltage", 14.0),
            named("can.engine.fuel.rate", 15.5),
            named("can.engine.motorhours", 0.5),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn without_a_fix_there_is_no_place() {
        let mut bus = Nmea2000::new(None);
        let mut data = [1; 43];
        data[31] = 0x01;
        let mut told = Vec::new();
        for (number, part) in (0_u8..).zip([
            &data[..6],
            &data[6..13],
            &data[13..20],
            &data[20..27],
            &data[27..34],
            &data[34..41],
            &data[41..],
        ]) {
            let head: &[u8] = if number == 0 { &[0, 43] } else { &[number] };
            told = send(&mut bus, 0, 0x0DF8_0517, &[head, part].concat());
        }
        let valid = ("position.valid".to_owned(), Value::Bool(false));
        let satellites = ("position.satellites".to_owned(), Value::U64(1));
        assert_eq!(told, [valid, satellites]);
    }

    #[test]
    fn a_magnetic_course_is_no_direction() {
        let mut bus = Nmea2000::new(None);
        let told = send(
            &mut bus,
            0,
            0x09F8_0217,
            &[1, 0xFD, 0x5B, 0x79, 0x69, 2, 0xFF, 0xFF],
        );
        assert_eq!(told, [named("position.speed", 22.212)]);
        let heading = |reference| [1, 0x5B, 0x79, 0xFF, 0x7F, 0xFF, 0x7F, reference];
        let told = send(&mut bus, 0, 0x09F1_1217, &heading(0xFC));
        assert_eq!(told, [named("vessel.heading", 178.0008)]);
        let told = send(&mut bus, 0, 0x09F1_1217, &heading(0xFD));
        assert_eq!(told, [named("vessel.magnetic.heading", 178.0008)]);
        assert_eq!(send(&mut bus, 0, 0x09F1_1217, &heading(0xFF)), []);
    }
}
