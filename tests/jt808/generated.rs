//! Thousands of messages after the specification: values and answers come back.

use crate::generator::Made;
use crate::generator::Terminal;
use crate::generator::batch;
use crate::generator::make;
use crate::generator::sealed;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::support::random::pick;
use weir::channel::jt808::Jt808;
use weir::channel::jt808::Keys;
use weir::channel::jt808::Units;
use weir::message::Message;
use weir::message::Value;
use weir::units::UtcOffset;

fn terminal(random: &mut Random) -> Terminal {
    pick(random, &crate::TERMINALS)
}

fn check(message: &Message, ident: &str, made: &Made) {
    let mut found: Vec<_> = message
        .fields()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    assert_eq!(found.remove(0), ("ident".into(), ident.into()));
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, made.expected);
}

/// Locations alone and in batches, cut anywhere, with one mark between messages or two.
#[test]
fn messages_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let terminal = terminal(random);
        let zone_s = pick(random, &[28_800, 0, -12_600]);
        let utc_offset = UtcOffset(zone_s as i32);
        let mut device = Connection::new(Jt808::new(Keys { utc_offset }, Units::Bytes));
        let (mut stream, mut answers, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for own in 0..1 + random.below(5) as u16 {
            // marks and escapes occur in serials, too
            let serial = pick(random, &[own, 0x7D7D, 0x7E7E, 0x7D02]).wrapping_add(own << 8);
            let count = pick(random, &[1, 1, 2, 5]);
            let made: Vec<_> = (0..count).map(|_| make(random, zone_s)).collect();
            let bodies: Vec<_> = made.iter().map(|made| made.body.clone()).collect();
            let (id, body) = match &*bodies {
                [body] if random.below(4) > 0 => (0x0200, body.clone()),
                bodies => (0x0704, batch(bodies)),
            };
            stream.extend(terminal.says(id, serial, &body));
            answers.extend(terminal.ack(own, serial, id, 0));
            all.extend(made);
            if random.below(2) == 0 {
                stream.pop();
            }
        }
        stream.push(0x7E);
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            assert_eq!(device.send(&part), SILENCE);
        }
        assert_eq!(device.intake.malformed, []);
        assert_eq!(device.make_safe(), answers);
        assert_eq!((&device.closed, device.unused()), (&None, 1));
        assert_eq!(device.intake.taken.len(), all.len());
        for (message, made) in device.intake.taken.iter().zip(&all) {
            check(message, terminal.phone, made);
        }
    });
}

/// One damaged byte is never taken for what was sent, and never answered as if it were.
#[test]
fn a_damaged_message_is_not_taken() {
    each_seed(|random| {
        let terminal = terminal(random);
        let mut bytes = terminal.says(0x0200, 7, &make(random, 0).body);
        let at = random.below(bytes.len());
        bytes[at] ^= 1 + random.below(255) as u8;
        let mut device = crate::device();
        assert_eq!(device.send(&bytes), SILENCE);
        device.send(&[0x7E]);
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
    });
}

#[test]
fn noise_neither_panics_nor_is_taken() {
    each_seed(|random| {
        let len = random.below(300);
        let mut noise: Vec<u8> = (0..len).map(|_| (random.next() >> 32) as u8).collect();
        for _ in 0..random.below(6) {
            let at = random.below(noise.len());
            noise.insert(at, pick(random, &[0x7E, 0x7D, 1, 2]));
        }
        let mut device = crate::device();
        device.send(&noise);
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
        // with the frame right the noise gets further
        let mut device = crate::device();
        device.send(&sealed(&noise));
        for id in [0x0100, 0x0102, 0x0200, 0x0704] {
            device.send(&terminal(random).says(id, 1, &noise));
        }
        device.make_safe();
    });
}
