//! Galileosky devices against the channel: answers, values, and what broken packets get.
//!
//! All packets are made by [`generator`], after the layout at the head of `weir::wire::galileosky`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
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

use generator::IDENT;
use generator::answer;
use generator::head;
use generator::imei;
use generator::packet;
use std::collections::BTreeMap;
use std::rc::Rc;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use weir::channel::Refusal;
use weir::channel::galileosky::Galileosky;
use weir::channel::galileosky::Keys;
use weir::channel::io::Io;
use weir::channel::io::IoTable;
use weir::message::Value;

fn device() -> Connection<Galileosky> {
    Connection::new(Galileosky::new(Rc::default()))
}

/// A report of this second.
fn report(second: u8) -> Vec<u8> {
    packet(&[imei(IDENT), (0x20, vec![second, 0, 0, 0x65])])
}

#[test]
fn nothing_is_answered_before_it_is_safe() {
    let mut device = device();
    assert_eq!(device.send(&report(1)), SILENCE);
    assert_eq!(device.intake.batches, [1]);
    assert_eq!(device.make_safe(), answer(&report(1)));
}

#[test]
fn a_head_packet_is_answered_at_once_and_names_the_device() {
    let mut device = device();
    assert_eq!(device.send(&head(IDENT)), answer(&head(IDENT)));
    assert_eq!(device.intake.admitted, [IDENT]);
    let unnamed = packet(&[(0x20, vec![1, 0, 0, 0x65])]);
    device.send(&unnamed);
    assert_eq!(device.intake.taken[0].ident(), IDENT);
    assert_eq!(device.make_safe(), answer(&unnamed));
}

/// The device would take the answer for one that is not safe.
#[test]
fn what_is_answered_at_once_waits_for_the_answers_before_it() {
    let mut device = device();
    device.send(&report(1));
    assert_eq!(device.send(&head(IDENT)), SILENCE);
    let expected = [answer(&report(1)), answer(&head(IDENT))].concat();
    assert_eq!(device.make_safe(), expected);
}

#[test]
fn a_packet_that_is_sent_again_before_its_answer_is_answered_once() {
    let mut device = device();
    device.send(&report(1));
    device.send(&report(1));
    assert_eq!(device.intake.batches, [1]);
    assert_eq!(device.make_safe(), answer(&report(1)));
    device.send(&report(1));
    assert_eq!(device.make_safe(), answer(&report(1)));
}

#[test]
fn what_is_refused_is_not_answered_and_an_ident_that_is_not_taken_ends_it() {
    for reason in [Refusal::Full, Refusal::Unwanted] {
        let mut device = device();
        device.intake.refusal = Some(reason);
        assert_eq!(device.send(&report(1)), SILENCE);
        assert_eq!((device.make_safe(), &device.closed), (vec![], &None));
        device.intake.refusal = None;
        device.send(&report(1));
        assert_eq!(device.make_safe(), answer(&report(1)));
    }
    for sent in [head(IDENT), report(1)] {
        let mut device = device();
        device.intake.refusal = Some(Refusal::Ident);
        assert_eq!(device.send(&sent), SILENCE);
        assert!(device.closed.is_some());
    }
}

/// A packet that names another device is that device's, and those behind it are not.
#[test]
fn the_ident_of_a_packet_counts_for_that_packet_only() {
    let mut device = device();
    device.send(&head(IDENT));
    let time = |second| (0x20, vec![second, 0, 0, 0x65]);
    device.send(&packet(&[imei("001010000000420"), time(1), time(2)]));
    device.send(&packet(&[time(3)]));
    let idents = device.intake.taken.iter().map(|message| message.ident());
    let idents: Vec<_> = idents.collect();
    assert_eq!(idents, ["001010000000420", "001010000000420", IDENT]);
}

#[test]
fn the_channel_can_name_tags_that_have_no_name_and_those_that_have() {
    let io = |name: &str, scale, signed, text| Io {
        name: name.into(),
        scale,
        signed,
        text,
        not: Vec::new(),
    };
    let table = BTreeMap::from([
        (0x40, io("status", 1.0, false, false)),
        (0x50, io("pressure", 0.5, false, false)),
        (0xA0, io("cold", 0.5, true, false)),
        (0xEA, io("user.data", 1.0, false, true)),
        (0x35, io("raw.hdop", 1.0, false, false)),
    ]);
    let keys = Rc::new(Keys {
        io: IoTable::new(table).unwrap(),
    });
    let mut device = Connection::new(Galileosky::new(keys));
    device.send(&packet(&[
        imei(IDENT),
        (0x20, vec![1, 0, 0, 0x65]),
        (0x35, vec![8]),
        (0x40, vec![0, 0x3A]),
        (0x50, vec![3, 0]),
        (0xA0, vec![0xF7]),
        (0xEA, b"\x03abc".to_vec()),
    ]));
    let message = &device.intake.taken[0];
    assert_eq!(value(message, "status"), Value::U64(0x3A00));
    assert_eq!(value(message, "pressure"), Value::F64(1.5));
    assert_eq!(value(message, "cold"), Value::F64(-4.5));
    assert_eq!(value(message, "user.data"), "abc".into());
    assert_eq!(value(message, "raw.hdop"), Value::U64(8));
    assert!(!message.has("ain.1") && !message.has("position.hdop"));
}

#[test]
fn a_place_that_cannot_be_is_no_fix() {
    let off = [&[0x0B][..], &90_000_001_i32.to_le_bytes(), &[0; 4]].concat();
    for place in [off, vec![0; 9]] {
        let mut device = device();
        device.send(&packet(&[
            imei(IDENT),
            (0x20, vec![1, 0, 0, 0x65]),
            (0x30, place),
            (0x34, vec![1, 0]),
        ]));
        let message = &device.intake.taken[0];
        assert_eq!(value(message, "position.valid"), Value::Bool(false));
        assert!(!message.has("position.latitude") && !message.has("position.altitude"));
    }
}

/// Its packet would come again for ever.
#[test]
fn a_record_that_never_fits_into_the_ring_is_left_out_and_counted() {
    let time = |second| (0x20, vec![second, 0, 0, 0x65]);
    let text = (0xE1, [&[250][..], &[b'x'; 250]].concat());
    let several = packet(&[imei(IDENT), time(1), text.clone(), time(2), time(3)]);
    let alone = packet(&[imei(IDENT), time(1), text]);
    for (sent, taken) in [(several, 2), (alone, 0)] {
        let mut device = device();
        device.intake.room = Some(200);
        assert_eq!(device.send(&sent), SILENCE);
        assert_eq!(device.intake.taken.len(), taken);
        assert_eq!(device.intake.too_long, 1);
        assert_eq!(device.make_safe(), answer(&sent));
    }
}

#[test]
fn a_place_without_a_time_is_no_head_and_one_of_no_satellite_is_none() {
    for (head, is_valid) in [(0x09, true), (0x00, false), (0x20, true), (0x19, false)] {
        let mut device = device();
        let place = (0x30, vec![head, 0x40, 0x42, 0x0F, 0, 0x80, 0x84, 0x1E, 0]);
        assert_eq!(device.send(&packet(&[imei(IDENT), place])), SILENCE);
        let message = &device.intake.taken[0];
        assert!(!message.has("timestamp"), "it was measured when it came");
        assert_eq!(value(message, "position.valid"), Value::Bool(is_valid));
        assert_eq!(message.has("position.latitude"), is_valid, "{head:02x}");
    }
}

/// What was kept while there was no network comes in one go, by devices that await no answer.
#[test]
fn a_thousand_packets_in_one_go_are_all_taken_and_answered() {
    let mut device = device();
    let packets =
        (0..1000_u32).map(|time| packet(&[imei(IDENT), (0x20, time.to_le_bytes().into())]));
    let sent: Vec<_> = packets.collect();
    let answers: Vec<_> = sent.iter().map(|sent| answer(sent)).collect();
    assert_eq!(
        device.send_without_waiting(&sent.concat()),
        answers.concat()
    );
    assert_eq!((device.intake.taken.len(), &device.closed), (1000, &None));
}
