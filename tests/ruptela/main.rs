//! Ruptela devices against the channel: answers, values, and what broken packets get.
//!
//! All packets are made by [`generator`], after the layout at the head of `weir::wire::ruptela`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod broken;
mod generated;
mod generator;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

use generator::Sent;
use generator::codes;
use generator::packet;
use std::collections::BTreeMap;
use std::rc::Rc;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use support::hex::hex;
use weir::channel::Refusal;
use weir::channel::io::Io;
use weir::channel::io::IoTable;
use weir::channel::ruptela::Keys;
use weir::channel::ruptela::Ruptela;
use weir::channel::ruptela::Units;
use weir::message::Value;

/// The answers to records.
const TAKEN: &str = "0002640113bc";
const REFUSED: &str = "000264000235";

fn tcp() -> Connection<Ruptela> {
    Connection::new(Ruptela::new(Rc::default(), Units::Bytes))
}

fn udp() -> Connection<Ruptela> {
    Connection::new(Ruptela::new(Rc::default(), Units::Datagram))
}

/// Id, number, width.
type Elements<'a> = &'a [(u16, u64, usize)];

/// Records of one device, each with its extension and these elements.
fn extended(parts: &[(u8, Elements<'_>)]) -> Vec<u8> {
    let records: Vec<_> = parts
        .iter()
        .map(|(extension, elements)| Sent {
            extension: *extension,
            elements: elements.to_vec(),
            ..Sent::default()
        })
        .collect();
    packet(generator::IMEI, 68, &generator::records(68, &records))
}

#[test]
fn nothing_is_answered_before_it_is_safe() {
    for mut device in [tcp(), udp()] {
        for command in [1, 68] {
            let payload = generator::records(command, &[Sent::default(), Sent::default()]);
            assert_eq!(device.send(&packet(1, command, &payload)), SILENCE);
            assert_eq!(device.intake.batches, [2]);
            assert_eq!(hex(&device.make_safe()), TAKEN);
            device.intake.batches.clear();
        }
        device.send(&packet(1, 9, &codes(&[b"P0420"])));
        assert_eq!(hex(&device.make_safe()), "00026d01c4a4");
    }
}

#[test]
fn what_is_refused_is_answered_by_zero_at_once() {
    for reason in [Refusal::Full, Refusal::Unwanted, Refusal::Ident] {
        let mut device = tcp();
        device.intake.refusal = Some(reason);
        assert_eq!(hex(&device.send(&extended(&[(0, &[])]))), REFUSED);
        assert_eq!((device.make_safe(), device.closed), (vec![], None));
    }
}

/// The device would take the 0 for the answer to the first packet, and the late 1 for that to the
/// second, which is then lost.
#[test]
fn what_is_answered_at_once_waits_for_the_answers_before_it() {
    let mut device = tcp();
    assert_eq!(device.send(&extended(&[(0, &[])])), SILENCE);
    device.send(&packet(1, 16, b"alive"));
    device.intake.refusal = Some(Refusal::Full);
    assert_eq!(device.send(&extended(&[(0, &[(5, 1, 1)])])), SILENCE);
    let expected = [TAKEN, "00027401862d", REFUSED].concat();
    assert_eq!(hex(&device.make_safe()), expected);
}

#[test]
fn a_packet_that_is_sent_again_before_its_answer_is_answered_once() {
    for mut device in [tcp(), udp()] {
        let sent = extended(&[(0, &[(5, 1, 1)])]);
        device.send(&sent);
        device.send(&sent);
        assert_eq!(device.intake.batches, [1]);
        assert_eq!(hex(&device.make_safe()), TAKEN);
        device.send(&sent);
        assert_eq!(hex(&device.make_safe()), TAKEN);
    }
}

#[test]
fn a_device_that_is_not_taken_is_asked_to_come_back() {
    let mut device = tcp();
    let identification = packet(1, 15, b"FM-Eco4");
    assert_eq!(hex(&device.send(&identification)), "00027301cb25");
    device.intake.refusal = Some(Refusal::Ident);
    assert_eq!(&device.send(&identification)[..5], [0, 3, 115, 2, 15]);
    assert_eq!(device.send(&packet(1, 16, b"")), SILENCE);
    assert_eq!(device.closed, None);
}

/// Each packet names its device, and each is asked for.
#[test]
fn two_devices_on_one_connection_are_two() {
    let mut device = tcp();
    let records = generator::records(1, &[Sent::default()]);
    device.send(&packet(1_010_000_000_420, 1, &records));
    device.send(&packet(990_000_123_456_784, 1, &records));
    device.send(&packet(7, 16, b"x"));
    let idents: Vec<_> = device
        .intake
        .taken
        .iter()
        .map(|taken| taken.ident())
        .collect();
    assert_eq!(idents, ["001010000000420", "990000123456784"]);
    assert_eq!(device.intake.admitted, ["000000000000007"]);
}

#[test]
fn parts_are_one_record_only_where_they_belong_together() {
    let part = |id: u16| [(id, 1, 1)];
    let cases: [(&str, &[u8], usize); 7] = [
        ("whole", &[0x20, 0x21, 0x22], 1),
        ("two groups", &[0x10, 0x11, 0x10, 0x11], 2),
        ("one missing", &[0x20, 0x22], 2),
        ("no beginning", &[0x21, 0x22], 1),
        ("another group", &[0x20, 0x11], 2),
        ("past its last", &[0x11, 0x12], 2),
        ("single records", &[0, 0, 0], 3),
    ];
    for (name, extensions, expected) in cases {
        let elements: Vec<_> = (200..).take(extensions.len()).map(part).collect();
        let parts: Vec<_> = extensions
            .iter()
            .zip(&elements)
            .map(|(extension, elements)| (*extension, &elements[..]))
            .collect();
        let mut device = tcp();
        device.send(&extended(&parts));
        assert_eq!(device.intake.taken.len(), expected, "{name}");
        for id in 200..200 + extensions.len() {
            let has = |message: &&weir::message::Message| {
                message.has(format!("custom.param.{id}").as_str())
            };
            assert_eq!(device.intake.taken.iter().filter(has).count(), 1, "{name}");
        }
    }
}

#[test]
fn parts_of_another_time_or_place_are_records_of_their_own() {
    let first = Sent {
        extension: 0x10,
        ..Sent::default()
    };
    let mut later = Sent {
        extension: 0x11,
        ..first.clone()
    };
    later.time_s += 1;
    let elsewhere = Sent {
        extension: 0x11,
        latitude_e7: 1,
        ..first.clone()
    };
    for second in [later, elsewhere] {
        let mut device = tcp();
        let records = generator::records(68, &[first.clone(), second]);
        device.send(&packet(1, 68, &records));
        assert_eq!(device.intake.batches, [2]);
    }
}

#[test]
fn the_parts_of_a_text_are_put_together_and_lone_ones_keep_their_number() {
    let part = |id: u16, text: &[u8; 8]| (id, u64::from_be_bytes(*text), 8);
    let vin = [
        part(104, b"WVWZZZ1J"),
        part(105, b"ZXW00000"),
        part(106, b"1\0\0\0\0\0\0\0"),
    ];
    let mut device = tcp();
    device.send(&extended(&[(0x10, &vin[..2]), (0x11, &vin[2..])]));
    device.send(&extended(&[(0, &vin[..2])]));
    let card = [part(126, b"D1234567"), part(127, b"8900\0\0\0\0")];
    device.send(&extended(&[(0, &[(34, 0xAB, 8), card[0], card[1]])]));
    device.send(&extended(&[(0, &card)]));
    let [whole, lone, both, card] = &device.intake.taken[..] else {
        panic!()
    };
    assert_eq!(value(whole, "vehicle.vin"), "WVWZZZ1JZXW000001".into());
    assert!(!whole.has("custom.param.104") && !whole.has("custom.param.106"));
    assert!(!lone.has("vehicle.vin"));
    assert_eq!(value(lone, "custom.param.105"), "ZXW00000".into());
    assert_eq!(value(both, "driver.code"), "00000000000000ab".into());
    assert_eq!(value(both, "custom.param.126"), "D1234567".into());
    assert_eq!(value(card, "driver.code"), "D12345678900".into());
}

#[test]
fn the_channel_can_name_scale_and_sign_elements() {
    let io = |name: &str, scale, signed, not: &[i64]| Io {
        name: name.into(),
        scale,
        signed,
        text: false,
        not: not.to_vec(),
    };
    let table = BTreeMap::from([
        (5, io("door", 1.0, false, &[])),
        (207, io("fuel", 1.0, false, &[])),
        (500, io("cold", 0.5, true, &[-1])),
        (501, io("colder", 0.5, true, &[-1])),
    ]);
    let keys = Rc::new(Keys {
        io: IoTable::new(table).unwrap(),
    });
    let mut device = Connection::new(Ruptela::new(keys, Units::Bytes));
    let elements = [(5, 1, 1), (207, 255, 1), (500, 0xFFF7, 2), (501, 0xFFFF, 2)];
    device.send(&extended(&[(0, &elements)]));
    let message = &device.intake.taken[0];
    assert_eq!(value(message, "door"), Value::U64(1));
    assert_eq!(value(message, "fuel"), Value::U64(255));
    assert_eq!(value(message, "cold"), Value::F64(-4.5));
    assert!(!message.has("colder") && !message.has("din.4"));
}

#[test]
fn a_place_that_cannot_be_is_no_fix() {
    let good = Sent::default();
    let off = Sent {
        latitude_e7: 900_000_001,
        ..good.clone()
    };
    let without_satellites = Sent {
        satellites: 0,
        ..good
    };
    for sent in [off, without_satellites] {
        let mut device = tcp();
        device.send(&packet(1, 1, &generator::records(1, &[sent])));
        let message = &device.intake.taken[0];
        assert_eq!(value(message, "position.valid"), Value::Bool(false));
        assert!(!message.has("position.latitude") && !message.has("position.altitude"));
    }
}

#[test]
fn trouble_codes_are_messages() {
    let mut device = tcp();
    device.send(&packet(1, 9, &codes(&[b"P0420", b"U1\0\0\0"])));
    let [first, second] = &device.intake.taken[..] else {
        panic!()
    };
    assert_eq!(value(first, "can.dtc"), "P0420".into());
    assert_eq!(value(first, "can.dtc.source.enum"), Value::U64(3));
    assert_eq!(value(first, "timestamp"), Value::U64(1_700_000_000));
    assert_eq!(value(first, "position.latitude"), Value::F64(-0.5));
    assert_eq!(value(second, "can.dtc"), "U1".into());
}

/// A packet is refused for ever with it, and its neighbours would be lost.
#[test]
fn a_record_that_never_fits_into_the_ring_is_left_out_and_counted() {
    let many: Vec<_> = (1000..1250).map(|id| (id, 1, 1)).collect();
    let many = (0, &many[..]);
    let few: (u8, Elements<'_>) = (0, &[]);
    for (records, taken, too_long) in [
        (vec![few, many, few], 2, 1),
        (vec![many, few, many, few], 2, 2),
        (vec![many], 0, 1),
        (vec![many, many], 0, 2),
    ] {
        let mut device = tcp();
        device.intake.room = Some(2000);
        assert_eq!(device.send(&extended(&records)), SILENCE);
        assert_eq!(device.intake.taken.len(), taken);
        assert_eq!(device.intake.too_long, too_long);
        assert_eq!(hex(&device.make_safe()), TAKEN);
    }
}

/// What was kept while there was no network comes in one go, by devices that await no answer.
#[test]
fn a_thousand_packets_in_one_go_are_all_taken_and_answered() {
    let mut device = tcp();
    let sent: Vec<_> = (0..1000)
        .map(|value| extended(&[(0, &[(5, value, 2)])]))
        .collect();
    assert_eq!(
        hex(&device.send_without_waiting(&sent.concat())),
        TAKEN.repeat(1000)
    );
    assert_eq!((device.intake.taken.len(), &device.closed), (1000, &None));
}
