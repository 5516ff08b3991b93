//! What broken packets get: the table of the channel's documentation, line by line.

use crate::REFUSED;
use crate::TAKEN;
use crate::generator::IMEI;
use crate::generator::Sent;
use crate::generator::codes;
use crate::generator::packet;
use crate::generator::records;
use crate::support::channel::SILENCE;
use crate::support::hex::hex;
use weir::channel::InputError;
use weir::channel::InputError::Checksum;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Unsupported;
use weir::wire::ruptela::LENGTH_MAX;

fn good() -> Vec<u8> {
    packet(IMEI, 1, &records(1, &[Sent::default()]))
}

/// The payload of one record with one byte changed.
fn changed(at: usize, byte: u8) -> Vec<u8> {
    let mut payload = records(1, &[Sent::default()]);
    payload[at] = byte;
    payload
}

fn with_length(length: u16) -> Vec<u8> {
    let mut packet = good();
    packet[..2].copy_from_slice(&length.to_be_bytes());
    packet
}

#[test]
fn a_packet_whose_length_is_right_is_passed_over() {
    let payload = records(1, &[Sent::default()]);
    let last = payload.len() - 1;
    let longer = [&payload[..], b"x"].concat();
    let mut damaged = good();
    damaged[20] ^= 1;
    let mut crc = good();
    *crc.last_mut().unwrap() ^= 1;
    let records = |payload: &[u8]| packet(IMEI, 1, payload);
    let cases = [
        ("damaged", damaged, Checksum, ""),
        ("checksum", crc, Checksum, ""),
        ("count", records(&changed(1, 2)), Length, REFUSED),
        (
            "count of elements",
            records(&changed(last, 1)),
            Length,
            REFUSED,
        ),
        ("cut", records(&payload[..20]), Length, REFUSED),
        ("nothing", records(b""), Length, REFUSED),
        ("bytes behind", records(&longer), Length, REFUSED),
        ("short as 68", packet(IMEI, 68, &payload), Length, REFUSED),
        (
            "cut codes",
            packet(IMEI, 9, b"\x01"),
            Length,
            "00026d01c4a4",
        ),
        (
            "codes behind",
            packet(IMEI, 9, b"\0x"),
            Length,
            "00026d01c4a4",
        ),
        (
            "answer to a command",
            packet(IMEI, 7, b"ok"),
            Unsupported,
            "",
        ),
        ("files", packet(IMEI, 37, b"\0\x01"), Unsupported, ""),
        ("unknown", packet(IMEI, 255, b""), Unsupported, ""),
    ];
    for (name, bytes, reason, answer) in cases {
        let mut device = crate::tcp();
        assert_eq!(hex(&device.send(&bytes)), answer, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert_eq!(
            (device.intake.taken.len(), &device.closed),
            (0, &None),
            "{name}"
        );
        device.send(&good());
        assert_eq!(hex(&device.make_safe()), TAKEN, "{name}");
    }
}

#[test]
fn what_no_packet_can_follow_ends_the_connection() {
    let cases: [(&str, Vec<u8>, InputError); 7] = [
        ("no length", with_length(0), Length),
        ("without a command", with_length(8), Length),
        ("over the bound", with_length(LENGTH_MAX + 1), Length),
        ("huge", with_length(u16::MAX), Length),
        ("other protocol", b"GET / HTTP/1.1\r\n".to_vec(), Length),
        ("no IMEI", packet(0, 16, b""), Ident),
        ("16 digits", packet(1_000_000_000_000_000, 16, b""), Ident),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::tcp();
        assert_eq!(device.send(&bytes), SILENCE, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert!(device.closed.is_some(), "{name}");
        assert_eq!(device.intake.taken, [], "{name}");
    }
}

#[test]
fn a_length_within_the_bounds_is_waited_for() {
    for length in [LENGTH_MAX, 100] {
        let mut device = crate::tcp();
        assert_eq!(device.send(&with_length(length)), SILENCE);
        assert_eq!((&device.closed, device.intake.malformed.len()), (&None, 0));
    }
}

#[test]
fn each_broken_datagram_is_counted_and_ends_nothing() {
    let mut damaged = good();
    damaged[20] ^= 1;
    let longer = [&good()[..], b"\0"].concat();
    let cases = [
        ("cut", good()[..30].to_vec(), Length),
        ("one byte", vec![0], Length),
        ("damaged", damaged, Checksum),
        ("length", with_length(u16::MAX), Length),
        ("no IMEI", packet(0, 16, b""), Ident),
        ("command", packet(IMEI, 37, b""), Unsupported),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::udp();
        assert_eq!(device.send_datagram(&bytes), SILENCE, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert_eq!(device.intake.taken, [], "{name}");
        device.send_datagram(&good());
        assert_eq!(hex(&device.make_safe()), TAKEN, "{name}");
    }
    let mut device = crate::udp();
    device.send_datagram(&longer);
    assert_eq!(device.intake.malformed, [Length]);
    assert_eq!(hex(&device.make_safe()), TAKEN);
    crate::udp().send_datagram(b"");
}

#[test]
fn a_packet_of_no_records_is_answered_at_once() {
    let mut device = crate::tcp();
    assert_eq!(hex(&device.send(&packet(IMEI, 1, &[0, 0]))), TAKEN);
    assert_eq!(
        hex(&device.send(&packet(IMEI, 9, &codes(&[])))),
        "00026d01c4a4"
    );
    assert!(device.intake.batches.is_empty());
}

/// A device has nothing else to send before it is rid of them.
#[test]
fn records_that_come_again_and_again_unread_are_given_up_but_for_those_that_are_whole() {
    let mut payload = records(1, &[Sent::default(), Sent::default()]);
    payload[1] = 3;
    let unread = packet(IMEI, 1, &payload);
    let other = packet(IMEI, 1, &changed(1, 9));
    let mut device = crate::tcp();
    // another between them: they were not alone
    let rounds = [&[&unread; 7][..], &[&other], &[&unread; 7]].concat();
    for sent in rounds {
        assert_eq!(hex(&device.send(sent)), REFUSED);
    }
    assert_eq!(device.intake.taken.len(), 0);
    assert_eq!(device.send(&unread), SILENCE);
    assert_eq!(device.intake.batches, [2]);
    assert_eq!(device.intake.malformed, [Length; 16]);
    assert_eq!(hex(&device.make_safe()), TAKEN);
    // nothing of it is whole
    let nothing = packet(IMEI, 1, b"");
    for _ in 0..7 {
        assert_eq!(hex(&device.send(&nothing)), REFUSED);
    }
    assert_eq!(hex(&device.send(&nothing)), TAKEN);
}
