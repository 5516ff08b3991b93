//! Thousands of messages of all kinds in one stream, cut anywhere: each comes back with its values
//! and its answer.

use crate::V4;
use crate::V5;
use crate::device;
use crate::puback;
use crate::support::channel::value;
use crate::support::random::Random;
use crate::wire::filters;
use crate::wire::packet;
use crate::wire::publish;
use crate::wire::text;
use weir::channel::mqtt::RECEIVE_MAX;
use weir::message::Value;

const MESSAGES: u16 = 10_000;

#[test]
fn every_message_comes_back_with_its_values_and_its_answer() {
    for level in [V4, V5] {
        let mut random = Random(u64::from(level));
        let mut device = device(level);
        let (mut answers, mut expected_answers, mut expected) = (vec![], vec![], vec![]);
        let mut owed = 0;
        for number in 1..=MESSAGES {
            let (bytes, answer, taken) = one(level, number, &mut random);
            let (head, tail) = bytes.split_at(random.below(bytes.len()));
            answers.extend(device.send(head));
            answers.extend(device.send(tail));
            expected.extend(taken);
            expected_answers.push(answer);
            owed += 1;
            if owed == RECEIVE_MAX || random.below(20) == 0 {
                let mut now = device.make_safe();
                answers.append(&mut now);
                owed = 0;
                // what is answered at once goes before what waits
                let waits = |answer: &Vec<u8>| answer.first() == Some(&0x40);
                expected_answers.sort_by_key(waits);
                assert_eq!(answers, expected_answers.concat(), "version {level}");
                (answers, expected_answers) = (vec![], vec![]);
            }
            assert_eq!(device.closed, None, "version {level}, message {number}");
        }
        assert_eq!(device.intake.taken.len(), expected.len());
        for (message, (ident, n)) in device.intake.taken.iter().zip(expected) {
            assert_eq!(message.ident(), ident);
            assert_eq!(value(message, "n"), Value::U64(n));
        }
        assert!(device.intake.taken.len() > usize::from(MESSAGES));
    }
}

/// A packet, its answer, and the (ident, n) of the messages that it carries.
fn one(level: u8, id: u16, random: &mut Random) -> (Vec<u8>, Vec<u8>, Vec<(String, u64)>) {
    if random.below(10) == 0 {
        return other(level, id, random);
    }
    let ident = format!("d{}", random.below(50));
    let topic = format!("t/{ident}/up");
    let count = random.below(4);
    let numbers: Vec<u64> = (0..count.max(1)).map(|_| random.next()).collect();
    let objects: Vec<_> = numbers.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
    let payload = match count {
        0 => objects.concat(),
        _ => format!("[{}]", objects.join(" ,")),
    };
    let is_owed = random.below(3) > 0;
    let flags = if is_owed { 2 } else { 0 } | u8::from(random.below(5) == 0);
    let bytes = if level == V5 && random.below(2) == 0 {
        with_properties(flags, &topic, id, &payload, random)
    } else {
        publish(level, flags, &topic, id, payload.as_bytes())
    };
    let [high, low] = id.to_be_bytes();
    let answer = if is_owed {
        vec![0x40, 2, high, low]
    } else {
        vec![]
    };
    let taken = numbers.into_iter().map(|n| (ident.clone(), n)).collect();
    (bytes, answer, taken)
}

fn with_properties(flags: u8, topic: &str, id: u16, payload: &str, random: &mut Random) -> Vec<u8> {
    let mut properties = vec![];
    for _ in 0..random.below(9) {
        let note = "x".repeat(random.below(60));
        properties.extend(match random.below(4) {
            0 => vec![1, 1],
            1 => vec![2, 0, 0, 1, 0],
            2 => [vec![9], text(&note)].concat(),
            _ => [vec![38], text("key"), text(&note)].concat(),
        });
    }
    let len = packet(0, &properties).split_off(1);
    let id = if flags & 6 == 0 {
        vec![]
    } else {
        id.to_be_bytes().to_vec()
    };
    packet(
        0x30 | flags,
        &[text(topic), id, len, payload.into()].concat(),
    )
}

/// What is no message and is answered.
fn other(level: u8, id: u16, random: &mut Random) -> (Vec<u8>, Vec<u8>, Vec<(String, u64)>) {
    let [high, low] = id.to_be_bytes();
    let (bytes, answer) = match (random.below(4), level) {
        (0, _) => (vec![0xC0, 0], vec![0xD0, 0]),
        (1, V5) => (
            filters(0x82, level, id, &["a"]),
            vec![0x90, 4, high, low, 0, 0x87],
        ),
        (1, _) => (
            filters(0x82, level, id, &["a"]),
            vec![0x90, 3, high, low, 0x80],
        ),
        (2, V5) => (
            filters(0xA2, level, id, &["a"]),
            vec![0xB0, 4, high, low, 0, 0x11],
        ),
        (2, _) => (filters(0xA2, level, id, &["a"]), vec![0xB0, 2, high, low]),
        (_, V5) => (
            publish(level, 2, "elsewhere", id, b"1"),
            vec![0x40, 4, high, low, 0x10, 0],
        ),
        (_, _) => (
            publish(level, 2, "elsewhere", id, b"1"),
            vec![0x40, 2, high, low],
        ),
    };
    (bytes, answer, vec![])
}

#[test]
fn ids_may_be_used_again_once_they_are_free() {
    for level in [V4, V5] {
        let mut device = device(level);
        for _ in 0..300 {
            device.send(&publish(level, 2, "t/a/up", 1, b"1"));
            assert_eq!(device.make_safe(), puback(1));
        }
        assert_eq!(device.intake.taken.len(), 300);
    }
}
