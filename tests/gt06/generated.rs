//! Thousands of packets after the document: values and answers come back.

use crate::generator::Made;
use crate::generator::answer;
use crate::generator::crc;
use crate::generator::login;
use crate::generator::make;
use crate::generator::packet;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::support::random::pick;
use weir::channel::InputError;
use weir::channel::gt06::Gt06;
use weir::channel::gt06::Keys;
use weir::channel::gt06::Units;
use weir::message::Message;
use weir::message::Value;

#[test]
fn the_checksum_is_x_25() {
    assert_eq!(crc(b"123456789"), 0x906E);
}

/// A device in any zone that has logged in, and that zone in seconds.
fn device(random: &mut Random) -> (Connection<Gt06>, i64) {
    let (zone, zone_s) = pick(
        random,
        &[
            (None, 0),
            (Some((0, false)), 0),
            (Some((800, false)), 28_800),
            (Some((545, false)), 20_700),
            (Some((330, true)), -12_600),
            // no zone of the earth
            (Some((1500, false)), 0),
            (Some((175, true)), 0),
        ],
    );
    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Bytes));
    assert_eq!(device.send(&login(crate::IDENT, zone, 1)), answer(1, 1));
    (device, zone_s)
}

fn check(message: &Message, made: &Made) {
    let mut found: Vec<_> = message
        .fields()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    assert_eq!(found.remove(0), ("ident".into(), crate::IDENT.into()));
    let expected = made.expected.iter();
    let mut expected: Vec<_> = expected
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, expected, "kind {:02x}", made.kind);
}

#[test]
fn packets_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let (mut device, zone_s) = device(random);
        let all: Vec<_> = (0..1 + random.below(6))
            .map(|_| make(random, zone_s))
            .collect();
        let (mut stream, mut answers) = (Vec::new(), Vec::new());
        for (serial, made) in (100..).zip(&all) {
            stream.extend(packet(made.kind, &made.content, serial));
            answers.extend(answer(made.kind, serial));
        }
        // what is answered at once waits for what is owed before it, so all come in order
        let mut answered = Vec::new();
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            answered.extend(device.send(&part));
        }
        let at_once = all
            .iter()
            .take_while(|made| matches!(made.kind, 0x13 | 0x23));
        assert_eq!(answered.len(), 10 * at_once.count());
        answered.extend(device.make_safe());
        assert_eq!(answered, answers);
        assert_eq!((&device.closed, device.unused()), (&None, 0));
        assert_eq!(device.intake.malformed, []);
        assert_eq!(device.intake.taken.len(), all.len());
        for (message, made) in device.intake.taken.iter().zip(&all) {
            check(message, made);
        }
    });
}

/// Bytes before, between and behind packets cost none of them.
#[test]
fn packets_between_garbage_come_back() {
    each_seed(|random| {
        let (mut device, zone_s) = device(random);
        let all: Vec<_> = (0..3).map(|_| make(random, zone_s)).collect();
        let mut stream = Vec::new();
        for (serial, made) in (100..).zip(&all) {
            for _ in 0..random.below(40) {
                stream.push(pick(random, &[0, 0x0D, 0x0A, 0x01, 0x12, 0xFF]));
            }
            stream.extend(packet(made.kind, &made.content, serial));
        }
        device.send(&stream);
        assert_eq!(device.intake.taken.len(), 3);
        let garbage = device.intake.malformed.iter();
        assert!(garbage.clone().all(|reason| *reason == InputError::Syntax));
        for (message, made) in device.intake.taken.iter().zip(&all) {
            check(message, made);
        }
    });
}

/// One damaged byte is never taken for what was sent, and never answered as if it were.
#[test]
fn a_damaged_packet_is_not_taken() {
    each_seed(|random| {
        let (mut device, zone_s) = device(random);
        let made = make(random, zone_s);
        let mut bytes = packet(made.kind, &made.content, 7);
        let at = random.below(bytes.len());
        bytes[at] ^= 1 + random.below(255) as u8;
        assert_eq!(device.send(&bytes), SILENCE);
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
    });
}

#[test]
fn noise_neither_panics_nor_is_taken() {
    each_seed(|random| {
        let len = random.below(400);
        let mut noise: Vec<u8> = (0..len).map(|_| (random.next() >> 32) as u8).collect();
        for _ in 0..random.below(4) {
            let at = random.below(noise.len());
            let mark = pick(random, &[&[0x78, 0x78][..], &[0x79, 0x79]]);
            noise.splice(at..at, mark.iter().copied());
        }
        let (mut device, _) = device(random);
        device.send(&noise);
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
        // with the frame right the noise gets further
        for kind in [0x12, 0xA0, 0x26, 0xA4, 0x13, 0x23, 0x28, 0x94, 0x15, 0x21] {
            let (mut device, _) = self::device(random);
            device.send(&packet(kind, &noise, 2));
            device.make_safe();
        }
    });
}
