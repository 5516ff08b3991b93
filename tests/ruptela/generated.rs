//! Thousands of packets after the layout: values and answers come back.

use crate::TAKEN;
use crate::generator::IMEI;
use crate::generator::Sent;
use crate::generator::bytes;
use crate::generator::check;
use crate::generator::codes;
use crate::generator::crc;
use crate::generator::make;
use crate::generator::packet;
use crate::generator::records;
use crate::support::channel::SILENCE;
use crate::support::hex::hex;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::support::random::pick;

#[test]
fn the_checksum_is_kermit() {
    assert_eq!(crc(b"123456789"), 0x2189);
}

fn some(random: &mut Random) -> (u8, Vec<Sent>) {
    let command = pick(random, &[1, 68]);
    let count = pick(random, &[1, 1, 2, 3, 10]);
    (command, (0..count).map(|_| make(random, command)).collect())
}

#[test]
fn packets_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let packets: Vec<_> = (0..1 + random.below(4)).map(|_| some(random)).collect();
        let mut stream = Vec::new();
        for (command, sent) in &packets {
            stream.extend(packet(IMEI, *command, &records(*command, sent)));
        }
        let mut device = crate::tcp();
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            assert_eq!(device.send(&part), SILENCE);
        }
        assert_eq!(hex(&device.make_safe()), TAKEN.repeat(packets.len()));
        assert_eq!(
            (&device.closed, &device.intake.malformed[..]),
            (&None, &[][..])
        );
        let sent: Vec<_> = packets.iter().flat_map(|(_, sent)| sent).collect();
        assert_eq!(device.intake.taken.len(), sent.len());
        for (message, sent) in device.intake.taken.iter().zip(sent) {
            check(message, IMEI, sent);
        }
    });
}

#[test]
fn datagrams_come_back_with_their_answers() {
    each_seed(|random| {
        let mut device = crate::udp();
        let imei = 1 + random.next() % 999_999_999_999_999;
        let (command, sent) = some(random);
        let datagram = packet(imei, command, &records(command, &sent));
        assert_eq!(device.send_datagram(&datagram), SILENCE);
        for (message, sent) in device.intake.taken.iter().zip(&sent) {
            check(message, imei, sent);
        }
        assert_eq!(device.intake.batches, [sent.len()]);
        assert_eq!(hex(&device.make_safe()), TAKEN);
    });
}

/// Parts are cut at any place of a record's elements.
#[test]
fn a_record_in_parts_comes_back_as_the_one_that_it_is() {
    each_seed(|random| {
        let whole = make(random, 68);
        let count = 1 + random.below(16);
        let mut parts: Vec<_> = (0..count)
            .map(|part| Sent {
                extension: ((count - 1) << 4 | part) as u8,
                elements: Vec::new(),
                ..whole.clone()
            })
            .collect();
        let mut told = whole.clone();
        told.elements.clear();
        for element in &whole.elements {
            parts[random.below(count)].elements.push(*element);
        }
        for part in &parts {
            told.elements.extend(&part.elements);
        }
        let mut device = crate::tcp();
        device.send(&packet(IMEI, 68, &records(68, &parts)));
        let [message] = &device.intake.taken[..] else {
            panic!()
        };
        check(message, IMEI, &told);
    });
}

/// One damaged byte never passes the checksum; where the length is hit, nothing may come of it
/// either.
#[test]
fn a_damaged_stream_is_never_answered() {
    each_seed(|random| {
        let (command, sent) = some(random);
        let mut damaged = packet(IMEI, command, &records(command, &sent));
        let at = random.below(damaged.len());
        damaged[at] ^= 1 + random.below(255) as u8;
        let mut device = crate::tcp();
        assert_eq!(device.send(&damaged), SILENCE);
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
    });
}

#[test]
fn noise_neither_panics_nor_is_taken() {
    each_seed(|random| {
        let len = random.below(300);
        let noise = bytes(random, len);
        let mut device = crate::tcp();
        device.send(&noise);
        assert_eq!(device.make_safe(), SILENCE);
        crate::udp().send_datagram(&noise);
        // With the checksum right the noise gets further.
        for command in [1, 68, 9, 15, 16, 17, random.below(256) as u8] {
            let mut device = crate::tcp();
            device.send(&packet(IMEI, command, &noise));
            device.send(&packet(random.next(), command, &noise));
            device.make_safe();
        }
    });
}

/// What is answered by 1 is taken, and all that is taken is answered.
#[test]
fn packets_with_random_changes_are_taken_whole_or_not_at_all() {
    each_seed(|random| {
        let (command, sent) = some(random);
        let mut payload = records(command, &sent);
        for _ in 0..1 + random.below(4) {
            let at = random.below(payload.len());
            payload[at] = random.next() as u8;
        }
        let short = random.below(80);
        payload.truncate(pick(random, &[usize::MAX, short]));
        let mut device = crate::tcp();
        let refused = device.send(&packet(IMEI, command, &payload));
        let safe = hex(&device.make_safe());
        if device.intake.taken.is_empty() {
            assert!(hex(&refused) == crate::REFUSED || hex(&refused) == TAKEN && payload[1] == 0);
            assert_eq!(safe, "");
        } else {
            assert_eq!((refused, safe.as_str()), (vec![], TAKEN));
        }
    });
}

#[test]
fn codes_that_are_cut_anywhere_are_taken_as_far_as_they_are_whole() {
    let whole = codes(&[b"P0420", b"B1234"]);
    for len in 0..whole.len() {
        let mut device = crate::tcp();
        let at_once = device.send(&packet(IMEI, 9, &whole[..len]));
        let answer = [at_once, device.make_safe()].concat();
        assert_eq!(hex(&answer), "00026d01c4a4", "{len}");
        assert_eq!(device.intake.taken.len(), len.saturating_sub(1) / 19);
        assert_eq!(device.intake.malformed.len(), 1);
    }
}
