//! What broken messages get: the table of the channel's documentation, line by line.

use crate::TERMINALS;
use crate::generator::Terminal;
use crate::generator::batch;
use crate::generator::sealed;
use crate::location;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::hex::unhex;
use weir::channel::InputError;
use weir::channel::InputError::Checksum;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;
use weir::channel::jt808::Jt808;
use weir::channel::jt808::Keys;
use weir::channel::jt808::Units;
use weir::wire::jt808::FRAME_MAX;

#[test]
fn what_cannot_be_read_is_answered_and_counted_once() {
    let lying = |at: usize, byte: u8| {
        let mut body = batch(&[location(), location()]);
        body[at] = byte;
        body
    };
    let behind = [&batch(&[location()]), &b"x"[..]].concat();
    let cases: [(&str, u16, &[u8], u8, InputError); 11] = [
        ("cut location", 0x0200, &location()[..27], 2, Length),
        ("no location", 0x0200, &[], 2, Length),
        ("more than there are", 0x0704, &lying(1, 3), 2, Length),
        ("fewer than there are", 0x0704, &lying(1, 1), 2, Length),
        ("a length too long", 0x0704, &lying(4, 29), 2, Length),
        ("a length too short", 0x0704, &lying(4, 27), 2, Length),
        ("bytes behind", 0x0704, &behind, 2, Length),
        ("no count", 0x0704, &[0], 2, Length),
        ("transparent data", 0x0900, b"Aabc", 3, Unsupported),
        ("driver", 0x0702, &[1], 3, Unsupported),
        ("of no terminal", 0x8001, &[0; 5], 3, Unsupported),
    ];
    for terminal in TERMINALS {
        for (name, id, body, result, reason) in cases {
            let mut device = crate::device();
            let answer = terminal.ack(0, 7, id, result);
            assert_eq!(device.send(&terminal.says(id, 7, body)), answer, "{name}");
            assert_eq!(device.intake.malformed, [reason], "{name}");
            assert_eq!((device.intake.taken.len(), &device.closed), (0, &None));
            assert_goes_on(name, &mut device, terminal);
        }
    }
}

/// A terminal that is told that its batch is wrong drops it, or sends it for ever.
#[test]
fn a_location_that_is_too_short_costs_no_other_of_its_batch() {
    for terminal in TERMINALS {
        let (whole, short) = (location(), location()[..20].to_vec());
        for (locations, taken, result) in [
            (vec![whole.clone(), short.clone(), whole.clone()], 2, 0),
            (vec![whole, vec![]], 1, 0),
            (vec![short.clone(), short], 0, 2),
        ] {
            let mut device = crate::device();
            let at_once = device.send(&terminal.says(0x0704, 7, &batch(&locations)));
            let answers = [at_once, device.make_safe()].concat();
            assert_eq!(answers, terminal.ack(0, 7, 0x0704, result));
            assert_eq!(device.intake.malformed, [Length]);
            assert_eq!(device.intake.taken.len(), taken);
        }
    }
}

/// The connection stays, and what comes next is taken.
fn assert_goes_on(name: &str, device: &mut Connection<Jt808>, terminal: Terminal) {
    device.send(&terminal.says(0x0200, 9, &location()));
    assert!(!device.make_safe().is_empty(), "{name}");
    assert_eq!(device.intake.taken.len(), 1, "{name}");
}

#[test]
fn parts_secrets_and_lengths_of_bodies_are_told_by_the_header() {
    for terminal in TERMINALS {
        let len = location().len() as u16;
        let part = [&[0, 2, 0, 1], &location()[..]].concat();
        let cases = [
            ("part", 0x2000 | len, part, 3, Unsupported),
            ("encrypted", 0x0400 | len, location(), 3, Unsupported),
            ("longer", len + 1, location(), 2, Length),
            ("shorter", len - 1, location(), 2, Length),
            ("nothing", 0, location(), 2, Length),
        ];
        for (name, attributes, rest, result, reason) in cases {
            let mut device = crate::device();
            let sent = terminal.framed(0x0200, 7, attributes, &rest);
            assert_eq!(
                device.send(&sent),
                terminal.ack(0, 7, 0x0200, result),
                "{name}"
            );
            assert_eq!(device.intake.malformed, [reason], "{name}");
            assert_goes_on(name, &mut device, terminal);
        }
    }
}

#[test]
fn what_is_no_message_is_passed_over_without_an_answer() {
    let [old, new] = TERMINALS;
    let good = old.says(0x0200, 7, &location());
    let mut checksum = good.clone();
    checksum[20] ^= 1;
    let mut escape = good.clone();
    escape.splice(20..20, [0x7D, 3]);
    let mut last = good.clone();
    last.insert(good.len() - 1, 0x7D);
    let hexadecimal = sealed(&unhex("0200 001c 0139000000af 0007"));
    let no_phone = sealed(&unhex("0200 0000 000000000000 0007"));
    let cut = sealed(&unhex("0200 401c 01 0000000001390000"));
    let cut_part = sealed(&unhex("0704 2003 013900000017 0014 0002"));
    let cases = [
        ("checksum", checksum, Checksum),
        ("escape", escape, Syntax),
        ("an escape at the end", last, Syntax),
        ("digits that are none", hexadecimal, Ident),
        ("no digits", no_phone, Ident),
        ("cut header", cut, Length),
        ("cut header of a part", cut_part, Length),
        ("one byte", vec![0x7E, 0, 0x7E], Length),
        ("text in brackets", b"(013612345678BR00)~".to_vec(), Syntax),
        (
            "too long",
            [&[0x7E][..], &[1; FRAME_MAX + 1], &[0x7E]].concat(),
            Syntax,
        ),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::device();
        assert_eq!(device.send(&bytes), SILENCE, "{name}");
        assert_eq!(device.make_safe(), SILENCE, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert_eq!(device.closed, None, "{name}");
        assert_goes_on(name, &mut device, new);
    }
    // between frames it is what stands between two marks
    let mut device = crate::device();
    device.send(&[&good[..], b"garbage", &good].concat());
    assert_eq!(device.intake.malformed, [Checksum]);
    assert_eq!(
        device.intake.taken.len(),
        1,
        "the same, and its answer is owed"
    );
}

#[test]
fn an_item_that_is_cut_off_costs_itself() {
    let items = [&[0x30, 1, 31][..], &[0x01, 200, 0, 0], &[0x31]];
    for (cut, count) in [(1, 0), (2, 1), (3, 1)] {
        let mut device = crate::device();
        let body = [&location()[..], &items[..cut].concat()].concat();
        device.send(&TERMINALS[0].says(0x0200, 7, &body));
        assert_eq!(device.intake.malformed, vec![Length; count]);
        assert_eq!(device.make_safe(), TERMINALS[0].ack(0, 7, 0x0200, 0));
        assert!(device.intake.taken[0].has("gsm.signal.level"));
    }
}

#[test]
fn nothing_but_noise_ends_the_connection() {
    for noise in [&b"GET / HTTP/1.1\r\n"[..], b"\x7e\x7d\x7d\x7e"] {
        let mut device = crate::device();
        for _ in 0..63 {
            device.send(noise);
            assert_eq!(device.closed, None);
        }
        device.send(noise);
        assert!(device.closed.is_some());
        assert_eq!(device.intake.malformed.len(), 64);
    }
    // marks are no noise, and cost nothing
    let mut device = crate::device();
    device.send(&[0x7E; 5000]);
    assert_eq!((device.unused(), device.intake.malformed.len()), (1, 0));
}

#[test]
fn a_datagram_that_ends_within_a_message_is_counted() {
    let mut device = Connection::new(Jt808::new(Keys::default(), Units::Datagram));
    let whole = TERMINALS[0].says(0x0002, 1, &[]);
    assert_eq!(device.send_datagram(&whole[..9]), SILENCE);
    assert_eq!(device.intake.malformed, [Length]);
    let answer = TERMINALS[0].ack(0, 1, 0x0002, 0);
    assert_eq!(device.send_datagram(&whole), answer);
}
