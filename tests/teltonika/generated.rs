//! Thousands of packets after the specification: values and answers come back.

use crate::generator;
use crate::generator::bytes;
use crate::generator::check;
use crate::generator::crc;
use crate::generator::make;
use crate::generator::tcp;
use crate::generator::udp;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::hex::unhex;
use crate::support::random::each_seed;
use crate::support::random::pick;
use std::rc::Rc;
use weir::channel::teltonika::Udp;
use weir::wire::teltonika::Codec;
use weir::wire::teltonika::DatagramKey;
use weir::wire::teltonika::Element;
use weir::wire::teltonika::ElementValue;
use weir::wire::teltonika::EncodeError;
use weir::wire::teltonika::Packet;
use weir::wire::teltonika::Receipt;
use weir::wire::teltonika::Record;
use weir::wire::teltonika::encode_datagram;
use weir::wire::teltonika::encode_login;
use weir::wire::teltonika::encode_packet;

const IDENT: &str = "356307042441013";

#[test]
fn the_checksum_is_arc() {
    assert_eq!(crc(b"123456789"), 0xBB3D);
}

#[test]
fn packets_cut_anywhere_come_back_whole_over_tcp() {
    each_seed(|random| {
        let packets: Vec<_> = (0..1 + random.below(4)).map(|_| make(random)).collect();
        let mut stream = Vec::new();
        let mut counts = Vec::new();
        for made in &packets {
            stream.extend(tcp(&made.data));
            stream.extend(pick(random, &[&[][..], &[0xFF]]));
            counts.extend((made.packet.records.len() as u32).to_be_bytes());
        }
        let mut device = crate::tcp();
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            assert_eq!(device.send(&part), SILENCE);
        }
        assert_eq!(device.make_safe(), counts);
        assert_eq!(
            (&device.closed, device.intake.malformed.as_slice()),
            (&None, &[][..])
        );
        let records: Vec<_> = packets
            .iter()
            .flat_map(|made| &made.packet.records)
            .collect();
        assert_eq!(device.intake.taken.len(), records.len());
        for (message, record) in device.intake.taken.iter().zip(records) {
            check(message, IDENT, record);
        }
    });
}

#[test]
fn datagrams_of_several_devices_come_back_with_their_own_answers() {
    each_seed(|random| {
        let mut socket = Connection::new(Udp::new(Rc::default()));
        let mut answers = Vec::new();
        for _ in 0..1 + random.below(3) {
            let made = make(random);
            let key = DatagramKey {
                packet_id: random.next() as u16,
                avl_packet_id: random.next() as u8,
            };
            let ident = pick(random, &["352093086403655", "7", "a b:c"]);
            let count = made.packet.records.len() as u8;
            let sent = udp(key.packet_id, key.avl_packet_id, ident, &made.data);
            assert_eq!(socket.send_datagram(&sent), SILENCE);
            answers.extend(Receipt { key, count }.encode());
            for (message, record) in socket.intake.taken.drain(..).zip(&made.packet.records) {
                check(&message, ident, record);
            }
        }
        assert_eq!(socket.make_safe(), answers);
    });
}

#[test]
fn both_writers_agree_and_the_reader_finds_what_they_wrote() {
    each_seed(|random| {
        let generator::Made { packet, data } = make(random);
        assert_eq!(Packet::decode(&data).as_ref(), Ok(&packet));
        let mut out = Vec::new();
        encode_packet(&packet, &mut out).unwrap();
        assert_eq!(out, tcp(&data));
        out.clear();
        let key = DatagramKey {
            packet_id: 0xCAFE,
            avl_packet_id: 5,
        };
        encode_datagram(key, IDENT, &packet, &mut out).unwrap();
        assert_eq!(out, udp(0xCAFE, 5, IDENT, &data));
    });
}

#[test]
fn logins_and_receipts_are_written_as_they_are_read() {
    let mut out = Vec::new();
    encode_login(IDENT, &mut out).unwrap();
    assert_eq!(out, unhex(crate::LOGIN));
    assert_eq!(
        encode_login(&"1".repeat(65), &mut out),
        Err(EncodeError::Ident(65))
    );
    let receipt = Receipt::decode(&unhex("0005cafe010701")).unwrap();
    assert_eq!(
        (
            receipt.key.packet_id,
            receipt.key.avl_packet_id,
            receipt.count
        ),
        (0xCAFE, 7, 1)
    );
    assert_eq!(Receipt::decode(&unhex("0006cafe010701")), None);
}

#[test]
fn what_a_codec_cannot_say_is_not_said() {
    let element = |id, value| Element { id, value };
    let many = vec![element(1, ElementValue::U8(0)); 256];
    let cases = [
        (
            Codec::Eight,
            None,
            vec![element(256, ElementValue::U8(0))],
            EncodeError::Id(256),
        ),
        (
            Codec::Eight,
            None,
            vec![element(7, ElementValue::Bytes(b""))],
            EncodeError::Bytes(7),
        ),
        (Codec::Eight, None, many, EncodeError::Count(256)),
        (Codec::Eight, Some(1), vec![], EncodeError::Generation),
        (Codec::Sixteen, None, vec![], EncodeError::Generation),
        (
            Codec::EightExtended,
            None,
            vec![element(7, ElementValue::Bytes(&[0; 9000]))],
            EncodeError::Length(9045),
        ),
    ];
    for (codec, generation, elements, unfit) in cases {
        let record = Record {
            generation,
            elements,
            ..Record::default()
        };
        let packet = Packet {
            codec,
            records: vec![record],
        };
        assert_eq!(encode_packet(&packet, &mut Vec::new()), Err(unfit));
    }
}

/// One damaged byte never passes the checksum; where the length is hit, nothing that is counted
/// may come of it either.
#[test]
fn a_damaged_stream_is_never_counted() {
    each_seed(|random| {
        let mut packet = tcp(&make(random).data);
        let at = random.below(packet.len());
        packet[at] ^= 1 + random.below(255) as u8;
        if packet[0] == 0xFF {
            return;
        }
        let mut device = crate::tcp();
        let answer = device.send(&packet);
        assert!(
            matches!(answer[..], [] | [0, 0, 0, 0] | [0]),
            "answered {answer:?}"
        );
        assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
    });
}

#[test]
fn noise_neither_panics_nor_is_counted() {
    each_seed(|random| {
        let len = random.below(300);
        let noise = bytes(random, len);
        let mut device = crate::tcp();
        device.send(&noise);
        assert_eq!(device.make_safe(), SILENCE);
        crate::udp().send_datagram(&noise);
        // With the checksum right the noise gets further.
        for codec in [0x08, 0x8E, 0x10] {
            let mut data = noise.clone();
            data.splice(..data.len().min(2), [codec, pick(random, &[0, 1, 2])]);
            let mut device = crate::tcp();
            assert!(matches!(device.send(&tcp(&data))[..], [] | [0, 0, 0, 0]));
            crate::udp().send_datagram(&udp(1, 2, IDENT, &data));
        }
    });
}

#[test]
fn datagrams_with_random_changes_are_counted_at_most_as_taken() {
    each_seed(|random| {
        let mut sent = udp(1, 2, IDENT, &make(random).data);
        for _ in 0..1 + random.below(4) {
            let at = random.below(sent.len());
            sent[at] = random.next() as u8;
        }
        let short = random.below(80);
        sent.truncate(pick(random, &[usize::MAX, short]));
        let mut socket = crate::udp();
        socket.send_datagram(&sent);
        let taken = socket.intake.taken.len();
        if let Some(receipt) = Receipt::decode(&socket.make_safe()) {
            assert_eq!(usize::from(receipt.count), taken);
        }
    });
}
