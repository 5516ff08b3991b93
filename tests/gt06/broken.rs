//! What broken packets get: the table of the channel's documentation, line by line.

use crate::IDENT;
use crate::generator::answer;
use crate::generator::login;
use crate::generator::long_packet;
use crate::generator::packet;
use crate::location;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use weir::channel::InputError;
use weir::channel::InputError::Checksum;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;
use weir::channel::InputError::Value;
use weir::channel::gt06::Gt06;
use weir::channel::gt06::Keys;
use weir::channel::gt06::Units;
use weir::wire::gt06::PACKET_MAX;

/// Sends it, then a good packet: what came before that is answered, and what was counted.
fn assert_passed_over(name: &str, bytes: &[u8], expected: &[u8], reasons: &[InputError]) {
    let mut device = crate::device();
    assert_eq!(device.send(bytes), expected, "{name}");
    assert_eq!(device.make_safe(), SILENCE, "{name}");
    assert_eq!(device.intake.malformed, reasons, "{name}");
    assert_eq!(
        (device.intake.taken.len(), &device.closed),
        (0, &None),
        "{name}"
    );
    device.send(&packet(0x22, &location(), 9));
    assert_eq!(device.make_safe(), answer(0x22, 9), "{name}");
}

#[test]
fn what_cannot_be_read_is_answered_and_counted_once() {
    let mut no_day = location();
    no_day[2] = 32;
    let mut no_hour = location();
    no_hour[3] = 24;
    // a clone has its number where others have the date
    let mut number_first = vec![0x08, 0x64, 0x71, 0x70, 0x03, 0x28, 0x35, 0x81];
    number_first.extend(location());
    let cases: [(&str, u8, &[u8], InputError); 9] = [
        ("no content", 0x12, &[], Length),
        ("cut", 0x22, &location()[..17], Length),
        ("cut heartbeat", 0x13, &[1, 2], Length),
        ("cut heartbeat with volts", 0x23, &[1, 2, 3], Length),
        ("cut cells", 0x28, &[1, 2], Length),
        ("no such day", 0x22, &no_day, Value),
        ("no such hour", 0xA0, &no_hour, Value),
        ("another layout", 0x12, &number_first, Value),
        ("another kind", 0x2C, b"\x78\x78\r\n", Unsupported),
    ];
    for (name, kind, content, reason) in cases {
        assert_passed_over(name, &packet(kind, content, 5), &answer(kind, 5), &[reason]);
    }
}

#[test]
fn what_is_never_answered_is_not_answered_when_it_is_broken_either() {
    let cases: [(&str, u8, &[u8], &[InputError]); 7] = [
        (
            "information of another kind",
            0x94,
            b"\x04ALM1=45;",
            &[Unsupported],
        ),
        ("no information", 0x94, b"", &[Length]),
        ("cut voltage", 0x94, &[0, 1], &[Length]),
        (
            "no number of a card",
            0x94,
            &[&[0x0A; 26][..], &[0xAA]].concat(),
            &[Value],
        ),
        (
            "text that is too short",
            0x15,
            &[9, 0, 0, 0, 0, 65],
            &[Length],
        ),
        ("no text", 0x21, b"\0\0\0\0\x01", &[]),
        ("what a server sends", 0x80, b"\0\0\0\0WHERE#", &[]),
    ];
    for (name, kind, content, reasons) in cases {
        assert_passed_over(name, &long_packet(kind, content, 5), &[], reasons);
    }
}

#[test]
fn a_wrong_checksum_is_never_answered() {
    let mut wrong = packet(0x22, &location(), 5);
    wrong[20] ^= 1;
    assert_passed_over("content", &wrong, &[], &[Checksum]);
    let mut wrong = packet(0x13, &[1, 2, 3, 0, 2], 5);
    wrong[8] ^= 0x80;
    assert_passed_over("heartbeat", &wrong, &[], &[Checksum]);
    let mut wrong = login(IDENT, None, 5);
    wrong[6] ^= 0x10;
    assert_passed_over("login", &wrong, &[], &[Checksum]);
}

#[test]
fn a_packet_that_does_not_end_where_it_says_is_passed_over_up_to_the_next() {
    let with_length = |length: u8| {
        let mut bytes = packet(0x22, &location(), 5);
        bytes[2] = length;
        bytes
    };
    let mut no_end = packet(0x22, &location(), 5);
    let last = no_end.len() - 1;
    no_end[last] = 0;
    let mut huge = long_packet(0x21, &[0x41; 100], 5);
    huge[2..4].copy_from_slice(&(PACKET_MAX as u16).to_be_bytes());
    let cases = [
        ("too short", with_length(20)),
        ("no length", with_length(0)),
        ("less than any has", with_length(4)),
        ("no end", no_end),
        ("over the bound", huge),
    ];
    for (name, bytes) in cases {
        assert_passed_over(name, &bytes, &[], &[Length]);
    }
    // it swallows the head of the next one, which shows it for what it is
    let mut device = crate::device();
    device.send(&with_length(60));
    device.send(&packet(0x22, &location(), 6));
    device.send(&packet(0x22, &location(), 7));
    assert_eq!(device.intake.malformed, [Length]);
    let answers = [answer(0x22, 6), answer(0x22, 7)].concat();
    assert_eq!(device.make_safe(), answers);
}

#[test]
fn garbage_is_counted_and_ends_the_connection_where_nothing_else_comes() {
    assert_passed_over("garbage", b"\x00\xFFA\x78\x00\x79\r\n", &[], &[Syntax]);
    let mut device = crate::device();
    for _ in 0..63 {
        assert_eq!(device.send(b"GET / HTTP/1.1\r\n"), SILENCE);
        assert_eq!(device.closed, None);
    }
    device.send(b"GET / HTTP/1.1\r\n");
    assert!(device.closed.is_some());
    assert_eq!(device.intake.malformed, [Syntax; 64]);
    // marks and nothing else
    let mut device = crate::device();
    device.send(&[0x79; 4000]);
    assert!(device.closed.is_some() && device.intake.malformed.len() <= 64);
}

#[test]
fn packets_before_the_login_are_neither_taken_nor_answered() {
    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Bytes));
    for kind in [0x12, 0x13, 0x8A, 0x94, 0x21, 0x2C] {
        device.send(&packet(kind, &location(), 5));
    }
    device.send(b"\x78\x78\0\x17\x17\x10\x23\x11\x08\x29\0\0\0\0\r\n");
    assert_eq!(device.intake.malformed, [Ident; 7]);
    assert_eq!((device.make_safe(), device.intake.taken.len()), (vec![], 0));
    assert_eq!(device.send(&login(IDENT, None, 6)), answer(1, 6));

    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Bytes));
    for serial in 0..64 {
        assert_eq!(device.closed, None);
        device.send(&packet(0x13, &[1, 2, 3, 0, 2], serial));
    }
    assert!(device.closed.is_some());
}

#[test]
fn each_broken_login_is_silence_and_the_end() {
    let cases: [(&str, &[u8], InputError); 3] = [
        ("no digits", &[0x0A, 1, 2, 3, 4, 5, 6, 7], Ident),
        ("too short", &[1, 2, 3, 4, 5, 6, 7], Length),
        ("nothing", &[], Length),
    ];
    for (name, content, reason) in cases {
        let mut device = Connection::new(Gt06::new(Keys::default(), Units::Bytes));
        assert_eq!(device.send(&packet(1, content, 5)), SILENCE, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert!(device.closed.is_some(), "{name}");
    }
}

#[test]
fn a_datagram_that_ends_within_a_packet_is_counted() {
    let mut device = Connection::new(Gt06::new(Keys::default(), Units::Datagram));
    let whole = login(IDENT, None, 1);
    assert_eq!(device.send_datagram(&whole[..12]), SILENCE);
    assert_eq!(device.intake.malformed, [Length]);
    assert_eq!(device.send_datagram(&whole), answer(1, 1));
}

/// Devices that have no number of their own would all be one.
#[test]
fn a_number_of_zeros_names_nobody() {
    for units in [Units::Bytes, Units::Datagram] {
        let mut device = Connection::new(Gt06::new(Keys::default(), units));
        assert_eq!(device.send(&login("000000000000000", None, 1)), SILENCE);
        assert!(device.closed.is_some());
        assert_eq!(device.intake.malformed, [Ident]);
        assert_eq!(device.intake.admitted, Vec::<String>::new());
    }
}
