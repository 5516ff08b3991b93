//! Thousands of packets after the layout: values and answers come back.

use crate::generator::IDENT;
use crate::generator::Tag;
use crate::generator::Tags;
use crate::generator::answer;
use crate::generator::bytes;
use crate::generator::check;
use crate::generator::crc;
use crate::generator::imei;
use crate::generator::len_of;
use crate::generator::make;
use crate::generator::packet;
use crate::support::channel::SILENCE;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::support::random::pick;

#[test]
fn the_checksum_is_modbus() {
    assert_eq!(crc(b"123456789"), 0x4B37);
}

/// A packet of some records, and what they say.
fn some(random: &mut Random) -> (Vec<u8>, Vec<Tags>) {
    let records: Vec<_> = (0..pick(random, &[1, 1, 2, 3]))
        .map(|_| make(random))
        .collect();
    let tags: Vec<Tag> = [imei(IDENT)]
        .into_iter()
        .chain(
            records
                .iter()
                .flatten()
                .map(|(tag, value)| (*tag, value.clone())),
        )
        .collect();
    (packet(&tags), records)
}

#[test]
fn packets_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let packets: Vec<_> = (0..1 + random.below(4)).map(|_| some(random)).collect();
        let mut stream: Vec<u8> = packets.iter().flat_map(|(sent, _)| sent.clone()).collect();
        let mut device = crate::device();
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            assert_eq!(device.send(&part), SILENCE);
        }
        let answers: Vec<u8> = packets.iter().flat_map(|(sent, _)| answer(sent)).collect();
        assert_eq!(device.make_safe(), answers);
        assert_eq!(
            (&device.closed, &device.intake.malformed[..]),
            (&None, &[][..])
        );
        let records: Vec<_> = packets.iter().flat_map(|(_, records)| records).collect();
        assert_eq!(device.intake.taken.len(), records.len());
        for (message, record) in device.intake.taken.iter().zip(records) {
            check(message, IDENT, record);
        }
    });
}

/// One damaged byte never passes the checksum; where the length is hit, nothing may come of it
/// either.
#[test]
fn a_damaged_stream_is_never_answered() {
    each_seed(|random| {
        let (mut damaged, _) = some(random);
        let at = random.below(damaged.len());
        damaged[at] ^= 1 + random.below(255) as u8;
        let mut device = crate::device();
        assert_eq!(device.send(&damaged), SILENCE);
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
    });
}

#[test]
fn noise_neither_panics_nor_is_taken() {
    each_seed(|random| {
        let len = random.below(300);
        let noise = bytes(random, len);
        let mut device = crate::device();
        device.send(&noise);
        assert_eq!(device.make_safe(), SILENCE);
        // With the checksum right the noise gets further.
        let mut device = crate::device();
        let (first, rest) = noise.split_first().unwrap_or((&0, &[]));
        let sent = packet(&[imei(IDENT), (*first, rest.to_vec())]);
        let at_once = device.send(&sent);
        assert_eq!([at_once, device.make_safe()].concat(), answer(&sent));
    });
}

/// Each packet whose checksum is right is answered, whatever it has in it.
#[test]
fn packets_that_end_anywhere_are_answered_and_give_what_is_whole() {
    each_seed(|random| {
        let (sent, records) = some(random);
        let tags = &sent[3..sent.len() - 2];
        let len = 16 + random.below(tags.len() - 16);
        let cut = packet(&[(tags[0], tags[1..len].to_vec())]);
        let mut device = crate::device();
        let at_once = device.send(&cut);
        assert_eq!([at_once, device.make_safe()].concat(), answer(&cut));
        let taken = &device.intake.taken;
        for (message, record) in taken
            .iter()
            .zip(&records)
            .take(taken.len().saturating_sub(1))
        {
            check(message, IDENT, record);
        }
    });
}

/// No tag swallows what stands behind it.
#[test]
fn every_tag_has_its_length() {
    for tag in 0..=255 {
        let Some(len) = len_of(tag).filter(|_| !matches!(tag, 0x03 | 0x20)) else {
            continue;
        };
        let mut device = crate::device();
        let behind = (0xE1, b"\x02ok".to_vec());
        device.send(&packet(&[imei(IDENT), (tag, vec![0; len]), behind]));
        assert_eq!(device.intake.malformed, [], "{tag:02x}");
        let text = crate::support::channel::value(&device.intake.taken[0], "text");
        assert_eq!(text, "ok".into(), "{tag:02x}");
    }
    let known = (0..=255).filter(|tag| len_of(*tag).is_some()).count();
    assert_eq!(known, 160);
}
