//! What broken packets get: the table of the channel's documentation, line by line.

use crate::generator::IDENT;
use crate::generator::Tag;
use crate::generator::answer;
use crate::generator::head;
use crate::generator::imei;
use crate::generator::packet;
use crate::report;
use crate::support::channel::SILENCE;
use weir::channel::InputError;
use weir::channel::InputError::Checksum;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;

fn time(second: u8) -> Tag {
    (0x20, vec![second, 0, 0, 0x65])
}

fn place() -> Tag {
    (0x30, vec![0x0B, 1, 2, 3, 0, 4, 5, 6, 0])
}

fn with_length(length: u16) -> Vec<u8> {
    let mut packet = report(1);
    packet[1..3].copy_from_slice(&length.to_le_bytes());
    packet
}

#[test]
fn a_packet_that_cannot_be_read_whole_gives_what_is_whole_and_is_answered() {
    let unknown = || (0x9F, vec![0, 0]);
    let cases: [(&str, Vec<Tag>, InputError, usize); 8] = [
        ("at once", vec![unknown()], Unsupported, 0),
        ("in the head", vec![imei(IDENT), unknown()], Unsupported, 0),
        ("before the place", vec![time(1), unknown()], Unsupported, 0),
        (
            "behind the place",
            vec![time(1), place(), unknown()],
            Unsupported,
            1,
        ),
        (
            "behind text",
            vec![(0xE1, b"\x02ok".to_vec()), unknown()],
            Unsupported,
            1,
        ),
        (
            "second record",
            vec![time(1), time(2), unknown()],
            Unsupported,
            1,
        ),
        ("cut", vec![time(1), (0x30, vec![0, 1])], Length, 0),
        (
            "cut text",
            vec![time(1), place(), (0xE1, b"\x03ok".to_vec())],
            Length,
            1,
        ),
    ];
    for (name, tags, reason, taken) in cases {
        let mut device = crate::device();
        device.send(&head(IDENT));
        let sent = packet(&tags);
        let at_once = device.send(&sent);
        assert_eq!(at_once.is_empty(), taken > 0, "{name}");
        assert_eq!(
            [at_once, device.make_safe()].concat(),
            answer(&sent),
            "{name}"
        );
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert_eq!(device.intake.taken.len(), taken, "{name}");
        assert_eq!(device.closed, None, "{name}");
    }
}

#[test]
fn a_wrong_checksum_is_not_answered_and_the_connection_stays() {
    for at in [5, 20, report(1).len() - 1] {
        let mut device = crate::device();
        let mut damaged = report(1);
        damaged[at] ^= 1;
        assert_eq!(device.send(&damaged), SILENCE);
        assert_eq!(device.intake.malformed, [Checksum]);
        assert_eq!((device.intake.taken.len(), &device.closed), (0, &None));
        device.send(&report(1));
        assert_eq!(device.make_safe(), answer(&report(1)));
    }
}

#[test]
fn what_is_not_read_ends_the_connection() {
    let cases: [(&str, Vec<u8>, InputError); 9] = [
        ("photo", vec![0x07], Unsupported),
        ("compressed", vec![0x08, 0x10, 0], Unsupported),
        ("Iridium", vec![0x01, 0, 0x40, 0x01, 0, 0x1C], Unsupported),
        ("other protocol", b"GET / HTTP/1.1\r\n".to_vec(), Syntax),
        ("zero", vec![0], Syntax),
        ("over the bound", with_length(4097), Length),
        ("huge", with_length(0xFFFF), Length),
        ("of nobody", packet(&[time(1)]), Ident),
        (
            "no IMEI",
            packet(&[imei("99000012345678x"), time(1)]),
            Ident,
        ),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::device();
        assert_eq!(device.send(&bytes), SILENCE, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert!(device.closed.is_some(), "{name}");
        assert_eq!(device.intake.taken, [], "{name}");
    }
}

#[test]
fn a_length_within_the_bounds_is_waited_for() {
    for length in [4096, 0x8000 | 4096, 100] {
        let mut device = crate::device();
        assert_eq!(device.send(&with_length(length)), SILENCE);
        assert_eq!((&device.closed, device.intake.malformed.len()), (&None, 0));
    }
}

/// Devices that have no number of their own would all be one.
#[test]
fn a_number_of_zeros_names_nobody() {
    let zeros = "000000000000000";
    for sent in [
        head(zeros),
        packet(&[imei(zeros), (0x20, vec![1, 0, 0, 0x65])]),
    ] {
        let mut device = crate::device();
        assert_eq!(device.send(&sent), SILENCE);
        assert!(device.closed.is_some());
        assert_eq!(device.intake.malformed, [Ident]);
        assert_eq!(device.intake.taken, []);
    }
}
