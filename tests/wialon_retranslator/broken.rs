//! What broken packets get: the table of the channel's documentation, line by line.

use crate::support::channel::SILENCE;
use crate::support::naive_retranslator::Naive;
use crate::support::naive_retranslator::naive_write;
use weir::channel::InputError;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::wire::retranslator::BLOCKS_MAX;

/// A packet with its outer size changed.
fn sized(size: u32) -> Vec<u8> {
    let mut packet = crate::packet("a", 1);
    packet[..4].copy_from_slice(&size.to_le_bytes());
    packet
}

fn changed(at: usize, byte: u8) -> Vec<u8> {
    let mut packet = crate::packet("a", 1);
    packet[at] = byte;
    packet
}

#[test]
fn a_damaged_packet_ends_the_connection_without_an_answer() {
    // 4 size, 2 uid, 4 time, 4 flags; then 2 mark, 4 size, 2 hidden and type, 2 name, 4 value
    let cases: Vec<(&str, Vec<u8>, InputError)> = vec![
        ("size 0", sized(0), Length),
        ("size over the bound", sized(65_537), Length),
        ("size of 4 GiB", sized(u32::MAX), Length),
        ("size too short", sized(20), Syntax),
        ("size of a head cut off", sized(12), Syntax),
        ("mark", changed(15, 0xBC), Syntax),
        ("size of a block", changed(19, 9), Syntax),
        ("huge size of a block", changed(16, 0xFF), Syntax),
        ("type of another length", changed(21, 5), Syntax),
        ("no uid", crate::packet("", 1), Ident),
        (
            "HTTP",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            Length,
        ),
        ("Teltonika", b"\x00\x0f356307042441013".to_vec(), Length),
        ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1], Length),
        ("IPS", b"#L#86246;NA\r\n".to_vec(), Length),
    ];
    for (name, bytes, reason) in cases {
        let mut sender = crate::connection();
        let sent = [bytes, crate::packet("a", 2)].concat();
        assert_eq!(sender.send(&sent), SILENCE, "{name}");
        assert_eq!(sender.make_safe(), SILENCE, "{name}");
        assert_eq!(sender.intake.malformed, [reason], "{name}");
        assert!(sender.closed.is_some(), "{name}");
        assert_eq!(sender.intake.taken, [], "{name}");
    }
}

/// Only what came before the damage is answered.
#[test]
fn packets_before_a_damaged_one_are_taken() {
    let mut sender = crate::connection();
    let sent = [crate::packet("a", 1), sized(0)].concat();
    assert_eq!(sender.send(&sent), SILENCE);
    assert_eq!(
        (sender.intake.taken.len(), sender.closed.is_some()),
        (1, true)
    );
}

#[test]
fn what_is_missing_is_waited_for_and_what_is_twice_too_long_is_two() {
    let packet = crate::packet("a", 1);
    for cut in 0..packet.len() {
        let mut sender = crate::connection();
        sender.send(&packet[..cut]);
        assert_eq!((sender.unused(), &sender.closed), (cut, &None));
        sender.send(&packet[cut..]);
        assert_eq!(sender.make_safe(), [0x11]);
    }
    let mut sender = crate::connection();
    sender.send(&[packet.clone(), packet].concat());
    assert_eq!(sender.make_safe(), [0x11; 2]);
}

#[test]
fn a_packet_that_can_be_no_message_is_counted_and_the_connection_stays() {
    let block = || Naive(0, 3, "n".into(), vec![0; 4]);
    let many: Vec<_> = (0..=BLOCKS_MAX).map(|_| block()).collect();
    let cases = [
        ("for a topic", crate::packet("a/#", 1), Ident),
        ("too long", crate::packet(&"1".repeat(65), 1), Ident),
        ("control character", crate::packet("a\n", 1), Ident),
        ("blocks", naive_write("a", 1, 0, &many), Length),
    ];
    for (name, bytes, reason) in cases {
        let mut sender = crate::connection();
        assert_eq!(sender.send(&bytes), SILENCE, "{name}");
        assert_eq!(sender.make_safe(), SILENCE, "{name}");
        assert_eq!(sender.intake.malformed, [reason], "{name}");
        sender.send(&crate::packet("b", 1));
        assert_eq!((sender.make_safe(), &sender.closed), (vec![0x11], &None));
    }
}
