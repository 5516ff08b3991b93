//! JT/T 808 terminals against the channel: answers, values, and what broken messages get.
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

use generator::Terminal;
use generator::batch;
use support::a_moment;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use support::hex::unhex;
use weir::channel::Refusal;
use weir::channel::jt808::Jt808;
use weir::channel::jt808::Keys;
use weir::channel::jt808::Units;
use weir::message::Value;
use weir::units::UtcOffset;

/// One of 2013 and one of 2019.
const TERMINALS: [Terminal; 2] = [
    Terminal {
        phone: "13900000017",
        is_new: false,
    },
    Terminal {
        phone: "862462031400566",
        is_new: true,
    },
];

fn device() -> Connection<Jt808> {
    Connection::new(Jt808::new(Keys::default(), Units::Bytes))
}

/// A place in Berlin on 2026-03-14, 17:26:53 in China.
fn location() -> Vec<u8> {
    unhex("00000000 00000003 032116a0 00cc77c0 0023 0264 00b2 260314172653")
}

/// What is answered when all of it is safe, with its messages.
fn measured() -> [(u16, Vec<u8>, usize); 2] {
    [
        (0x0200, location(), 1),
        (0x0704, batch(&[location(), location(), location()]), 3),
    ]
}

#[test]
fn nothing_that_was_measured_is_answered_before_it_is_safe() {
    for terminal in TERMINALS {
        for (id, body, count) in measured() {
            let mut device = device();
            assert_eq!(device.send(&terminal.says(id, 7, &body)), SILENCE);
            assert_eq!(device.intake.batches, [count]);
            assert_eq!(device.make_safe(), terminal.ack(0, 7, id, 0));
        }
    }
}

#[test]
fn what_is_refused_is_told_so_and_what_never_fits_as_wrong() {
    for (refusal, result) in [(Refusal::Full, 1), (Refusal::TooLong, 2)] {
        for (id, body, _) in measured() {
            let terminal = TERMINALS[0];
            let mut device = device();
            assert_eq!(
                device.send(&terminal.says(2, 6, &[])),
                terminal.ack(0, 6, 2, 0)
            );
            device.intake.refusal = Some(refusal);
            let answer = terminal.ack(1, 7, id, result);
            assert_eq!(device.send(&terminal.says(id, 7, &body)), answer);
            assert_eq!((device.make_safe(), &device.closed), (vec![], &None));
            device.intake.refusal = None;
            device.send(&terminal.says(id, 7, &body));
            assert_eq!(
                device.make_safe(),
                terminal.ack(2, 7, id, 0),
                "it comes again"
            );
        }
    }
}

#[test]
fn who_is_not_admitted_is_told_and_the_connection_ends() {
    for terminal in TERMINALS {
        for (id, answer) in [
            (0x0100, terminal.is_told(0x8100, 0, &[0, 7, 4])),
            (0x0102, terminal.ack(0, 7, 0x0102, 1)),
            (0x0200, terminal.ack(0, 7, 0x0200, 1)),
        ] {
            let mut device = device();
            device.intake.refusal = Some(Refusal::Ident);
            assert_eq!(device.send(&terminal.says(id, 7, &location())), answer);
            assert!(device.closed.is_some());
        }
    }
}

/// Any code is right; terminals begin with what they like.
#[test]
fn a_terminal_registers_authenticates_and_leaves_as_it_likes() {
    for terminal in TERMINALS {
        let mut device = device();
        let code = [&[0, 1, 0][..], terminal.phone.as_bytes()].concat();
        let registered = terminal.is_told(0x8100, 0, &code);
        assert_eq!(device.send(&terminal.says(0x0100, 1, &[0; 44])), registered);
        for (own, id) in [(1, 0x0102), (2, 0x0002), (3, 0x0003), (4, 0x0102)] {
            let answer = terminal.ack(own, own, id, 0);
            assert_eq!(device.send(&terminal.says(id, own, b"any")), answer);
        }
        assert_eq!(device.send(&terminal.says(0x0001, 5, &[0; 5])), SILENCE);
        device.send(&terminal.says(0x0200, 6, &location()));
        assert_eq!(device.make_safe(), terminal.ack(5, 6, 0x0200, 0));
        assert_eq!(device.intake.admitted, [terminal.phone], "asked once");
    }
}

#[test]
fn each_message_is_of_the_terminal_that_it_names() {
    let mut device = device();
    for (serial, terminal) in (1..).zip([TERMINALS[0], TERMINALS[1], TERMINALS[0]]) {
        device.send(&terminal.says(0x0200, serial, &location()));
    }
    let idents: Vec<_> = device
        .intake
        .taken
        .iter()
        .map(|message| message.ident())
        .collect();
    let [old, new] = TERMINALS;
    assert_eq!(idents, [old.phone, new.phone, old.phone]);
    assert_eq!(device.intake.admitted, idents);
    let answers = [
        old.ack(0, 1, 0x0200, 0),
        new.ack(1, 2, 0x0200, 0),
        old.ack(2, 3, 0x0200, 0),
    ];
    assert_eq!(device.make_safe(), answers.concat());
}

#[test]
fn answers_keep_the_order_of_their_messages_and_count_from_zero_again() {
    let terminal = TERMINALS[0];
    let mut device = device();
    device.send(&terminal.says(0x0200, 1, &location()));
    assert_eq!(device.send(&terminal.says(0x0002, 2, &[])), SILENCE);
    device.intake.refusal = Some(Refusal::Full);
    assert_eq!(device.send(&terminal.says(0x0200, 3, &location())), SILENCE);
    let answers = [
        terminal.ack(0, 1, 0x0200, 0),
        terminal.ack(1, 2, 0x0002, 0),
        terminal.ack(2, 3, 0x0200, 1),
    ];
    assert_eq!(device.make_safe(), answers.concat());
    for own in (3..=0xFFFF).chain([0, 1]) {
        let answer = terminal.ack(own, 9, 0x0002, 0);
        assert_eq!(device.send(&terminal.says(0x0002, 9, &[])), answer);
    }
}

#[test]
fn a_message_that_is_sent_again_before_its_answer_is_answered_once() {
    let terminal = TERMINALS[1];
    let mut device = device();
    let sent = terminal.says(0x0704, 7, &batch(&[location(), location()]));
    device.send(&sent);
    device.send(&sent);
    assert_eq!(device.intake.batches, [2]);
    assert_eq!(device.make_safe(), terminal.ack(0, 7, 0x0704, 0));
    device.send(&sent);
    assert_eq!(device.make_safe(), terminal.ack(1, 7, 0x0704, 0));
}

#[test]
fn a_batch_of_none_is_taken_at_once() {
    let mut device = device();
    let answer = TERMINALS[0].ack(0, 7, 0x0704, 0);
    assert_eq!(
        device.send(&TERMINALS[0].says(0x0704, 7, &batch(&[]))),
        answer
    );
    assert_eq!(device.intake.batches, [0; 0]);
}

#[test]
fn a_place_off_the_earth_or_of_no_satellite_is_no_fix() {
    let mut off = location();
    off[8..12].copy_from_slice(&90_000_001_u32.to_be_bytes());
    let none = [&location()[..], &[0x31, 1, 0]].concat();
    for body in [off, none] {
        let mut device = device();
        device.send(&TERMINALS[0].says(0x0200, 7, &body));
        let message = &device.intake.taken[0];
        assert_eq!(value(message, "position.valid"), Value::Bool(false));
        assert!(!message.has("position.latitude") && !message.has("position.altitude"));
    }
}

#[test]
fn times_are_of_china_unless_the_channel_says_otherwise() {
    for (utc_offset, expected) in [(None, 1_773_480_413), (Some(0), 1_773_509_213)] {
        let keys = utc_offset.map_or_else(Keys::default, |seconds| Keys {
            utc_offset: UtcOffset(seconds),
        });
        let mut device = Connection::new(Jt808::new(keys, Units::Bytes));
        device.send(&TERMINALS[0].says(0x0200, 7, &location()));
        assert_eq!(
            value(&device.intake.taken[0], "timestamp"),
            Value::U64(expected)
        );
    }
}

#[test]
fn a_time_of_another_zone_is_warned_of() {
    let mut body = location();
    // noon of a_moment's day in UTC, shown 12 hours ahead of it by a clock of +8
    body[22..28].copy_from_slice(&unhex("260101200000"));
    assert_eq!(a_moment().wall.since_1970.as_secs(), 1_767_225_600);
    let mut device = device();
    device.send(&TERMINALS[0].says(0x0200, 7, &body));
    let said = &device.intake.warnings[0];
    assert!(said.contains("12 h 00 min ahead"), "{said}");
    let mut right = Connection::new(Jt808::new(Keys::default(), Units::Bytes));
    body[22..28].copy_from_slice(&unhex("260101080000"));
    right.send(&TERMINALS[0].says(0x0200, 7, &body));
    assert_eq!(right.intake.warnings, [""; 0]);
}

#[test]
fn each_sender_of_datagrams_is_answered() {
    let mut device = Connection::new(Jt808::new(Keys::default(), Units::Datagram));
    let terminal = TERMINALS[0];
    let both = [
        terminal.says(2, 1, &[]),
        terminal.says(0x0200, 2, &location()),
    ]
    .concat();
    assert_eq!(device.send_datagram(&both), terminal.ack(0, 1, 2, 0));
    assert_eq!(device.make_safe(), terminal.ack(1, 2, 0x0200, 0));
}

#[test]
fn one_of_several_locations_that_never_fits_takes_no_other_with_it() {
    let long = [&location()[..], &[0xEB, 200], &[7; 200]].concat();
    for (locations, taken) in [
        ([location(), long.clone(), location()], 2),
        ([long, location(), location()], 2),
    ] {
        let terminal = TERMINALS[0];
        let mut device = device();
        device.intake.room = Some(300);
        let sent = terminal.says(0x0704, 7, &batch(&locations));
        assert_eq!(device.send(&sent), SILENCE);
        assert_eq!(device.intake.taken.len(), taken);
        assert_eq!(device.intake.too_long, 1);
        assert_eq!(device.make_safe(), terminal.ack(0, 7, 0x0704, 0));
    }
}

/// What was kept while there was no network comes in one go, by devices that await no answer.
#[test]
fn a_thousand_packets_in_one_go_are_all_taken_and_answered() {
    let (mut device, terminal) = (device(), TERMINALS[0]);
    let serials = 0..1000;
    let sent: Vec<_> = serials
        .clone()
        .map(|serial| terminal.says(0x0200, serial, &location()))
        .collect();
    let answers: Vec<_> = serials
        .map(|serial| terminal.ack(serial, serial, 0x0200, 0))
        .collect();
    assert_eq!(
        device.send_without_waiting(&sent.concat()),
        answers.concat()
    );
    assert_eq!((device.intake.taken.len(), &device.closed), (1000, &None));
}
