//! Thousands of packets after the specification, and thousands of messages from weir to weir.

use crate::support::channel::SILENCE;
use crate::support::naive_retranslator::Naive;
use crate::support::naive_retranslator::naive_write;
use crate::support::random::Random;
use weir::message::Message;
use weir::message::Value;
use weir::wire::retranslator::encode;

/// Types, names, what they become.
const NAMES: [(u8, &str, &str); 10] = [
    (3, "fuel_raw", "fuel_raw"),
    (3, "gsm", "gsm.signal.level"),
    (5, "vehicle_mileage", "vehicle.mileage"),
    (5, "odo", "odo"),
    (4, "adc1", "ain.1"),
    (4, "pwr_int", "battery.voltage"),
    (4, "can3", "can3"),
    (1, "avl_driver", "driver.code"),
    (1, "msg", "msg"),
    (3, "avl_inputs", "din"),
];

#[test]
fn packets_cut_anywhere_come_back_whole() {
    for seed in 1..=3000 {
        let random = &mut Random(seed * 0x9E37_79B9);
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..1 + random.below(4) {
            let (bytes, fields) = made(random);
            stream.extend(bytes);
            expected.push(fields);
        }
        let mut sender = crate::connection();
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            assert_eq!(sender.send(&part), SILENCE, "seed {seed}");
        }
        assert_eq!(
            sender.make_safe(),
            vec![0x11; expected.len()],
            "seed {seed}"
        );
        let found: Vec<_> = sender.intake.taken.iter().map(crate::fields).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

/// A packet and the parameters that have to come of it, in order.
fn made(random: &mut Random) -> (Vec<u8>, Vec<(String, Value)>) {
    let (uid, time) = (format!("{:015}", random.next() % (1 << 40)), random.word());
    let mut fields = vec![
        ("ident".to_owned(), Value::from(uid.as_str())),
        ("timestamp".to_owned(), Value::U64(time.into())),
    ];
    let mut blocks = Vec::new();
    let position_at = random.below(12);
    for (index, (kind, written, name)) in NAMES.into_iter().enumerate() {
        if index == position_at {
            position(random, &mut blocks, &mut fields);
        }
        if random.below(2) == 0 {
            continue;
        }
        let (bytes, value) = value(random, kind, name);
        blocks.push(Naive(random.below(2) as u8, kind, written.into(), bytes));
        fields.push((name.to_owned(), value));
    }
    // flags lie, but for the alarm
    let flags = random.word();
    if flags & 0x10 != 0 {
        fields.push(("alarm.status".into(), Value::Bool(true)));
    }
    (naive_write(&uid, time, flags, &blocks), fields)
}

fn value(random: &mut Random, kind: u8, name: &str) -> (Vec<u8>, Value) {
    match kind {
        3 => {
            let bits = random.word();
            let value = match name {
                "din" => Value::U64(bits.into()),
                _ => Value::from(i64::from(bits as i32)),
            };
            (bits.to_be_bytes().to_vec(), value)
        }
        4 => {
            let float = random.below(1 << 30) as u32;
            let float = f64::from(float) / 128.0 - 1000.0;
            (float.to_le_bytes().to_vec(), Value::F64(float))
        }
        5 => {
            let number = random.next() as i64;
            (number.to_be_bytes().to_vec(), Value::from(number))
        }
        _ => {
            let text = random.text(20).replace('\0', "");
            let value = Value::from(text.as_str());
            ([text.as_bytes(), &[0]].concat(), value)
        }
    }
}

fn position(random: &mut Random, blocks: &mut Vec<Naive>, fields: &mut Vec<(String, Value)>) {
    let degrees = |random: &mut Random, most: i32| {
        f64::from(random.below(2 * most as usize * 1_000_000) as u32) / 1e6 - f64::from(most)
    };
    let (longitude, latitude) = (degrees(random, 180), degrees(random, 90));
    let altitude = degrees(random, 1000);
    let (speed, course) = (random.word() as u16, random.below(360) as u16);
    let satellites = random.next() as u8;
    let mut bytes = [longitude, latitude, altitude]
        .map(f64::to_le_bytes)
        .concat();
    bytes.extend(speed.to_be_bytes());
    bytes.extend(course.to_be_bytes());
    bytes.push(satellites);
    blocks.push(Naive(1, 2, "posinfo".into(), bytes));
    let mut add = |name: &str, value: Value| fields.push((format!("position.{name}"), value));
    add("latitude", Value::F64(latitude));
    add("longitude", Value::F64(longitude));
    add("altitude", Value::F64(altitude));
    add("speed", Value::U64(speed.into()));
    add("direction", Value::U64(course.into()));
    add("satellites", Value::U64(satellites.into()));
    add("valid", Value::Bool(satellites > 0));
}

/// What a stream sends comes back in the channel, but for what the table of `wire::retranslator`
/// says is lost.
#[test]
fn messages_come_from_weir_to_weir_as_they_were() {
    for seed in 1..=3000 {
        let random = &mut Random(seed * 0x9E37_79B9);
        let message = message(random);
        let Some(Value::U64(seconds)) = message.get("timestamp").map(Value::from) else {
            panic!("a time without fraction");
        };
        let mut packet = Vec::new();
        let fields = message.fields();
        encode(message.ident(), seconds, fields, &mut packet).unwrap();
        let mut receiver = crate::connection();
        receiver.send(&packet);
        assert_eq!(receiver.make_safe(), [0x11], "seed {seed}");
        assert_eq!(
            sorted(&receiver.intake.taken[0]),
            sorted(&message),
            "seed {seed}"
        );
    }
}

fn sorted(message: &Message) -> Vec<(String, Value)> {
    let mut fields = crate::fields(message);
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

fn message(random: &mut Random) -> Message {
    let mut message = Message::new(&format!("truck {}", random.below(1000))).unwrap();
    message.set_timestamp(u64::from(random.word()) * 1_000_000);
    let float = |random: &mut Random| f64::from(random.word()) / 256.0;
    let floats = [
        "external.powersource.voltage",
        "battery.voltage",
        "ain.1",
        "ain.12",
        "vehicle.mileage",
        "position.hdop",
        "fuel",
    ];
    for name in floats {
        if random.below(2) == 0 {
            message.set(name, float(random));
        }
    }
    for name in ["gsm.signal.level", "din", "dout", "custom.param.72"] {
        if random.below(2) == 0 {
            message.set(name, u64::from(random.word() >> 1));
        }
    }
    for name in ["engine.ignition.status", "movement.status"] {
        if random.below(2) == 0 {
            message.set(name, random.below(2) == 1);
        }
    }
    if random.below(2) == 0 {
        message.set("alarm.status", true);
        message.set("driver.code", random.text(20).replace('\0', "").as_str());
        message.set("image", "a text");
    }
    message.set("odo", random.next() as i64);
    if random.below(3) > 0 {
        message.set("position.latitude", float(random) % 90.0);
        message.set("position.longitude", -(float(random) % 180.0));
        message.set("position.altitude", float(random));
        message.set("position.speed", random.below(300) as u64);
        message.set("position.direction", random.below(360) as u64);
        message.set("position.satellites", random.below(30) as u64);
        message.set("position.valid", random.below(2) == 1);
    }
    message
}

#[test]
fn damaged_packets_never_panic_and_are_answered_at_most_once() {
    for seed in 1..=3000 {
        let random = &mut Random(seed * 0x9E37_79B9);
        let (mut bytes, _) = made(random);
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        let mut sender = crate::connection();
        assert_eq!(sender.send(&bytes), SILENCE, "seed {seed}");
        assert_eq!(sender.make_safe().len(), sender.intake.taken.len());
    }
}
