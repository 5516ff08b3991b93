//! GT06 devices against the channel: answers, values, and what broken packets get.
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
mod clocks;
mod generated;
mod generator;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

use generator::answer;
use generator::login;
use generator::long_packet;
use generator::packet;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use support::hex::unhex;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::gt06::Gt06;
use weir::channel::gt06::Keys;
use weir::channel::gt06::Units;
use weir::message::Value;

const IDENT: &str = "990000123456784";

/// A device that has logged in, without a zone.
fn device() -> Connection<Gt06> {
    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Bytes));
    assert_eq!(device.send(&login(IDENT, None, 1)), answer(1, 1));
    device
}

/// A place in Berlin on 2026-03-14, 09:26:53, without a cell.
fn location() -> Vec<u8> {
    unhex("1a030e091a35 c9 05a1f4a0 01700ac0 36 147b")
}

/// The same as an alarm of this number.
fn alarm(number: u8) -> Vec<u8> {
    let tail = [9, 1, 6, 2, 0x12, 0x34, 0, 0xAB, 0xCD, 0x46, 5, 4, number, 2];
    [&location()[..], &tail].concat()
}

/// What is answered when it is safe, with content of its kind.
fn measured() -> Vec<(u8, Vec<u8>)> {
    let cells = [&location()[..6], &[0; 48]].concat();
    let mut all: Vec<_> = [0x12, 0x22, 0x2D, 0xA0]
        .map(|kind| (kind, location()))
        .into();
    all.extend([0x16, 0x26, 0x27, 0xA4].map(|kind| (kind, alarm(1))));
    all.push((0x28, cells));
    all
}

#[test]
fn nothing_that_was_measured_is_answered_before_it_is_safe() {
    for (kind, content) in measured() {
        let mut device = device();
        assert_eq!(
            device.send(&packet(kind, &content, 7)),
            SILENCE,
            "{kind:02x}"
        );
        assert_eq!(device.intake.batches, [1]);
        assert_eq!(device.make_safe(), answer(kind, 7), "{kind:02x}");
    }
}

#[test]
fn what_is_refused_is_not_answered() {
    for (kind, content) in measured() {
        let mut device = device();
        device.intake.refusal = Some(Refusal::Full);
        assert_eq!(
            device.send(&packet(kind, &content, 7)),
            SILENCE,
            "{kind:02x}"
        );
        assert_eq!(device.make_safe(), SILENCE);
        device.intake.refusal = None;
        device.send(&packet(kind, &content, 7));
        assert_eq!(device.make_safe(), answer(kind, 7), "it comes again");
    }
}

/// Without its answer the device would take the connection for lost.
#[test]
fn a_heartbeat_is_answered_even_when_its_content_is_refused() {
    for (kind, content) in [
        (0x13, &[0x46, 4, 3, 0, 2][..]),
        (0x23, &[2, 1, 0x9C, 4, 0, 2]),
    ] {
        let mut device = device();
        device.intake.refusal = Some(Refusal::Full);
        assert_eq!(device.send(&packet(kind, content, 7)), answer(kind, 7));
        device.intake.refusal = None;
        assert_eq!(device.send(&packet(kind, content, 8)), answer(kind, 8));
        assert_eq!(device.intake.taken.len(), 1);
    }
}

#[test]
fn what_is_answered_at_once_waits_for_what_is_owed() {
    let mut device = device();
    device.send(&packet(0x22, &location(), 2));
    assert_eq!(device.send(&packet(0x13, &[0, 0, 0, 0, 2], 3)), SILENCE);
    assert_eq!(device.send(&login(IDENT, None, 4)), SILENCE);
    assert_eq!(device.send(&packet(0x2C, &[], 5)), SILENCE);
    let answers = [
        answer(0x22, 2),
        answer(0x13, 3),
        answer(0x01, 4),
        answer(0x2C, 5),
    ];
    assert_eq!(device.make_safe(), answers.concat());
}

/// Some firmwares repeat a packet until exactly its serial comes.
#[test]
fn a_packet_that_is_sent_again_before_its_answer_is_answered_once() {
    let mut device = device();
    let sent = packet(0x26, &alarm(1), 7);
    device.send(&sent);
    device.send(&sent);
    assert_eq!(device.intake.batches, [1]);
    assert_eq!(device.make_safe(), answer(0x26, 7));
    device.send(&sent);
    assert_eq!(device.make_safe(), answer(0x26, 7));
    // the same place under another serial is another packet
    device.send(&packet(0x26, &alarm(1), 8));
    device.send(&packet(0x26, &alarm(1), 9));
    assert_eq!(
        device.make_safe(),
        [answer(0x26, 8), answer(0x26, 9)].concat()
    );
}

#[test]
fn a_login_that_is_not_admitted_is_silence_and_the_end() {
    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Bytes));
    device.intake.refusal = Some(Refusal::Ident);
    assert_eq!(device.send(&login(IDENT, None, 1)), SILENCE);
    assert!(device.closed.is_some());
}

#[test]
fn a_device_may_log_in_again_and_as_another() {
    let mut device = device();
    assert_eq!(device.send(&login(IDENT, None, 2)), answer(1, 2));
    device.send(&packet(0x22, &location(), 3));
    assert_eq!(device.send(&login("001010000000420", None, 4)), SILENCE);
    device.send(&packet(0x22, &location(), 5));
    let idents: Vec<_> = device
        .intake
        .taken
        .iter()
        .map(|message| message.ident())
        .collect();
    assert_eq!(idents, [IDENT, "001010000000420"]);
    let answers = [answer(0x22, 3), answer(1, 4), answer(0x22, 5)];
    assert_eq!(device.make_safe(), answers.concat());
    // 16 digits, where no zero stands before them
    let long = packet(1, &[0x12; 8], 6);
    assert_eq!(device.send(&long), answer(1, 6));
    assert_eq!(device.intake.admitted.last().unwrap(), "1212121212121212");
}

#[test]
fn tails_are_told_apart_by_their_length() {
    let cell = unhex("0106 02 1234 00abcd");
    let cases: [(&[u8], &[&str]); 6] = [
        (&[], &[]),
        (&[1, 3, 0], &["engine.ignition.status", "event.enum"]),
        (&[0, 0, 0x30, 0x39], &["vehicle.mileage"]),
        (
            &[0, 4, 1, 0, 0, 0x30, 0x39],
            &["engine.ignition.status", "event.enum", "vehicle.mileage"],
        ),
        (&[1, 2], &[]),
        (&[0; 80], &[]),
    ];
    for (tail, names) in cases {
        let mut device = device();
        device.send(&packet(0x22, &[&location(), &cell, tail].concat(), 2));
        let message = &device.intake.taken[0];
        assert_eq!(value(message, "position.latitude"), Value::F64(52.5));
        assert_eq!(value(message, "gsm.cellid"), Value::U64(0xABCD));
        for name in ["engine.ignition.status", "event.enum", "vehicle.mileage"] {
            assert_eq!(message.has(name), names.contains(&name), "{tail:?} {name}");
        }
    }
    // too little for a cell
    let mut device = device();
    device.send(&packet(0x22, &[&location(), &cell[..7]].concat(), 2));
    assert!(!device.intake.taken[0].has("gsm.mcc"));
    assert_eq!(device.make_safe(), answer(0x22, 2));
}

#[test]
fn the_cell_of_an_alarm_is_found_however_its_length_is_told() {
    let status = unhex("4605040602");
    let cases = [
        ("counted with itself", "09 0106 02 1234 00abcd", true),
        ("counted without itself", "08 0106 02 1234 00abcd", true),
        ("not told", "0106 02 1234 00abcd", true),
        ("long network", "0a 8106 0002 1234 00abcd", true),
        (
            "long network, without itself",
            "09 8106 0002 1234 00abcd",
            true,
        ),
        ("long network, not told", "8106 0002 1234 00abcd", true),
        ("more behind it", "0b 0106 02 1234 00abcd ffff", true),
        ("none", "00", false),
        ("room", "00 00000000 00000000", false),
        ("no network", "09 00000000 00000000", false),
    ];
    for (name, cell, is_there) in cases {
        let mut device = device();
        let content = [location(), unhex(cell), status.clone()].concat();
        device.send(&packet(0x26, &content, 2));
        let message = &device.intake.taken[0];
        let found = message.get("gsm.cellid").map(Value::from);
        assert_eq!(found, is_there.then_some(Value::U64(0xABCD)), "{name}");
        assert_eq!(value(message, "event.enum"), Value::U64(6), "{name}");
        assert_eq!(value(message, "battery.level"), Value::U64(83), "{name}");
    }
}

#[test]
fn an_alarm_of_another_layout_keeps_its_place() {
    for tail in [
        &[0x46][..],
        &[9, 1, 6, 2],
        &[200, 1, 6],
        &[9, 1, 6, 2, 0x12, 0x34, 0, 0xAB, 0xCD],
    ] {
        let mut device = device();
        device.send(&packet(0x26, &[&location(), tail].concat(), 2));
        let message = &device.intake.taken[0];
        assert_eq!(value(message, "position.valid"), Value::Bool(true));
        assert!(!message.has("event.enum"), "{tail:?}");
    }
}

#[test]
fn a_place_off_the_earth_or_of_no_satellite_is_no_fix() {
    let mut off = location();
    off[7..11].copy_from_slice(&162_000_001_u32.to_be_bytes());
    let mut none = location();
    none[6] = 0xC0;
    for content in [off, none] {
        let mut device = device();
        device.send(&packet(0x22, &content, 2));
        let message = &device.intake.taken[0];
        assert_eq!(value(message, "position.valid"), Value::Bool(false));
        assert!(!message.has("position.latitude") && !message.has("position.speed"));
    }
    // clones that do not count satellites
    let mut untold = location();
    untold[6] = 0;
    let mut device = device();
    device.send(&packet(0x22, &untold, 2));
    assert!(device.intake.taken[0].has("position.latitude"));
    assert!(!device.intake.taken[0].has("position.satellites"));
}

#[test]
fn information_and_text_are_messages_and_are_not_answered() {
    let iccid = [&[0x0A][..], &[0x11; 16], &unhex("8966051912408052452f")].concat();
    let utf16 = [&[0, 0, 0, 0, 2][..], &unhex("004f006b003f")].concat();
    let cases: [(u8, &[u8], &str, Value); 7] = [
        (
            0x94,
            &[0, 4, 0xD2],
            "external.powersource.voltage",
            Value::F64(12.34),
        ),
        (0x94, &[5, 3], "door.open.status", Value::Bool(true)),
        (0x94, &[5, 2], "door.open.status", Value::Bool(false)),
        (0x94, &iccid, "gsm.sim.iccid", "8966051912408052452".into()),
        (0x21, &utf16, "text", "Ok?".into()),
        (0x15, b"\x07\0\0\0\0Ok?\0\x02", "text", "Ok?".into()),
        (0x15, b"\0\0\0\0\0Ok?\0\0\0\x02", "text", "Ok?".into()),
    ];
    for (kind, content, name, expected) in cases {
        let mut device = device();
        assert_eq!(device.send(&long_packet(kind, content, 2)), SILENCE);
        assert_eq!(device.make_safe(), SILENCE);
        let message = &device.intake.taken[0];
        assert_eq!(value(message, name), expected);
        assert_eq!(message.fields().count(), 2, "ident and this: {message:?}");
    }
}

/// They have no serial, and their length is the number of access points.
#[test]
fn scans_of_clones_are_found_by_their_layout() {
    let cells = "0194 56 4651 11aa 3c 4651 11ab 46";
    for points in [0, 1, 5, 8, 200] {
        for kind in ["17", "69"] {
            let around = "a1b2c3d4e5f64b".repeat(points);
            let sent = format!("7878{points:02x}{kind}260314092653{around}02{cells}0d0a");
            let mut device = device();
            for byte in unhex(&sent) {
                assert_eq!(device.send(&[byte]), SILENCE);
            }
            assert_eq!(device.intake.malformed, []);
            let echo = format!("787800{kind}2603140926530d0a");
            assert_eq!(device.make_safe(), unhex(&echo));
            let message = &device.intake.taken[0];
            assert_eq!(value(message, "timestamp"), Value::U64(1_773_480_413));
            assert_eq!(value(message, "gsm.cellid"), Value::U64(0x11AA));
        }
    }
    // a packet of the same kind is no scan
    let mut device = device();
    assert_eq!(device.send(&packet(0x17, &[0; 20], 3)), answer(0x17, 3));
    assert_eq!(device.intake.malformed, [InputError::Unsupported]);
}

#[test]
fn each_sender_of_datagrams_logs_in_and_is_answered() {
    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Datagram));
    let both = [login(IDENT, None, 1), packet(0x13, &[0, 0, 0, 0, 2], 2)].concat();
    let answers = [answer(1, 1), answer(0x13, 2)].concat();
    assert_eq!(device.send_datagram(&both), answers);
    assert_eq!(device.send_datagram(&packet(0x22, &location(), 3)), SILENCE);
    assert_eq!(device.make_safe(), answer(0x22, 3));
}

/// There is no word for it, and it would come again for ever.
#[test]
fn a_report_that_never_fits_into_the_ring_is_answered_and_counted() {
    for (kind, content) in measured() {
        let mut device = device();
        device.intake.room = Some(10);
        assert_eq!(device.send(&packet(kind, &content, 7)), SILENCE);
        assert_eq!((device.intake.taken.len(), device.intake.too_long), (0, 1));
        assert_eq!(device.make_safe(), answer(kind, 7), "{kind:02x}");
    }
}

/// What was kept while there was no network comes in one go, by devices that await no answer.
#[test]
fn a_thousand_packets_in_one_go_are_all_taken_and_answered() {
    let mut device = device();
    let serials = 10..1010;
    let sent: Vec<_> = serials
        .clone()
        .map(|serial| packet(0x12, &location(), serial))
        .collect();
    let answers: Vec<_> = serials.map(|serial| answer(0x12, serial)).collect();
    assert_eq!(
        device.send_without_waiting(&sent.concat()),
        answers.concat()
    );
    assert_eq!((device.intake.taken.len(), &device.closed), (1000, &None));
}
