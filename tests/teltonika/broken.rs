//! What broken packets get: the table of the channel's documentation, line by line.

use crate::generator::tcp;
use crate::generator::udp;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::hex::unhex;
use std::rc::Rc;
use weir::channel::InputError;
use weir::channel::InputError::Checksum;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;
use weir::channel::teltonika::Tcp;
use weir::wire::teltonika::DATA_MAX;
use weir::wire::teltonika::ELEMENTS_MAX;

/// The data of the specification's first example.
fn data() -> Vec<u8> {
    let packet = unhex(crate::ONE_RECORD);
    packet[8..packet.len() - 4].to_vec()
}

fn changed(at: usize, byte: u8) -> Vec<u8> {
    let mut data = data();
    data[at] = byte;
    data
}

/// A packet whose checksum is wrong beyond what is wrong with its data.
fn with_wrong_crc(data: &[u8]) -> Vec<u8> {
    let mut packet = tcp(data);
    *packet.last_mut().unwrap() ^= 1;
    packet
}

fn with_length(length: u32) -> Vec<u8> {
    let mut packet = tcp(&data());
    packet[4..8].copy_from_slice(&length.to_be_bytes());
    packet
}

/// A packet with one byte of its data changed and the checksum made right again.
fn resealed(at: usize, byte: u8) -> Vec<u8> {
    tcp(&changed(at, byte))
}

#[test]
fn a_packet_whose_length_is_right_is_passed_over() {
    let last = data().len() - 1;
    let mut high_crc = tcp(&data());
    high_crc[last + 9] = 1;
    let cases = [
        ("wrong checksum", with_wrong_crc(&data()), Checksum),
        ("upper half of checksum", high_crc, Checksum),
        ("first count", resealed(1, 2), Length),
        ("second count", resealed(last, 2), Syntax),
        ("count of elements", resealed(28, 0xFF), Length),
        ("unknown codec", resealed(0, 0x42), Syntax),
        ("serial data", resealed(0, 0x0C), Length),
        ("command", resealed(0, 0x0E), Unsupported),
        ("old device", resealed(0, 0x07), Unsupported),
        ("bytes behind", tcp(&[&data()[..], b"x"].concat()), Length),
        ("cut data", tcp(&data()[..20]), Length),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::tcp();
        assert_unanswered(name, &mut device, &bytes, Some(reason));
        assert_eq!(device.closed, None, "{name}");
        device.send(&tcp(&data()));
        assert_eq!(device.make_safe(), [0, 0, 0, 1], "{name}");
    }
}

#[test]
fn a_packet_whose_length_may_be_wrong_ends_the_connection() {
    let over = DATA_MAX as u32 + 1;
    let cases = [
        ("wrong inside", with_wrong_crc(&changed(1, 2)), Checksum),
        ("length too short", with_length(50), Checksum),
        ("no length", with_length(0), Length),
        ("over the bound", with_length(over), Length),
        ("huge", with_length(u32::MAX), Length),
        ("no preamble", data(), Syntax),
        ("other protocol", b"GET / HTTP/1.1\r\n".to_vec(), Syntax),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::tcp();
        assert_unanswered(name, &mut device, &bytes, Some(reason));
        assert!(device.closed.is_some(), "{name}");
    }
}

#[test]
fn what_is_missing_is_waited_for_and_what_comes_instead_is_refused() {
    let mut cut = tcp(&data());
    cut.truncate(40);
    for (name, bytes) in [("cut", cut), ("length too long", with_length(100))] {
        let mut device = crate::tcp();
        assert_unanswered(name, &mut device, &bytes, None);
        assert_eq!(device.closed, None, "{name}");
        assert_unanswered(name, &mut device, &tcp(&data()), Some(Checksum));
        assert!(device.closed.is_some(), "{name}");
    }
}

fn assert_unanswered(
    name: &str,
    device: &mut Connection<Tcp>,
    bytes: &[u8],
    reason: Option<InputError>,
) {
    assert_eq!(device.send(bytes), SILENCE, "{name}");
    assert_eq!(device.make_safe(), SILENCE, "{name}");
    assert_eq!(device.intake.malformed, Vec::from_iter(reason), "{name}");
    assert_eq!(device.intake.taken, [], "{name}");
}

#[test]
fn each_broken_login_gets_what_the_table_says() {
    let cases: [(&str, &[u8], &[u8]); 7] = [
        ("no login", &tcp(&data()), &[]),
        ("too long", b"\x00\x41", &[]),
        ("other protocol", b"GET / HTTP/1.1\r\n", &[]),
        ("TLS", b"\x16\x03\x01\x02\x00", &[]),
        ("not for a topic", b"\x00\x03a/b", &[0]),
        ("control character", b"\x00\x03a\nb", &[0]),
        ("not ASCII", "\0\u{2}é".as_bytes(), &[0]),
    ];
    for (name, bytes, answer) in cases {
        let mut device = Connection::new(Tcp::new(Rc::default()));
        assert_eq!(device.send(bytes), answer, "{name}");
        assert_eq!(device.intake.malformed, [Ident], "{name}");
        assert!(device.closed.is_some(), "{name}");
    }
}

#[test]
fn each_broken_datagram_is_counted_and_not_answered() {
    let good = udp(1, 2, "123456789012345", &data());
    let mut long = good.clone();
    long.push(0);
    let mut ident = good.clone();
    ident[7] = 200;
    let huge = udp(1, 2, "1", &vec![8; DATA_MAX + 1]);
    let cases: Vec<(&str, Vec<u8>, InputError)> = vec![
        ("cut", good[..30].to_vec(), Length),
        ("twice", good.repeat(2), Length),
        ("one byte more", long, Length),
        ("one byte", vec![0], Length),
        ("length of ident", ident, Length),
        ("over the bound", huge, Length),
        ("no ident", udp(1, 2, "", &data()), Ident),
        ("ident of a topic", udp(1, 2, "a/+", &data()), Ident),
        ("no data", udp(1, 2, "1", &[]), Length),
        (
            "second count",
            udp(1, 2, "1", &changed(data().len() - 1, 9)),
            Syntax,
        ),
        ("serial data", udp(1, 2, "1", &changed(0, 0x0C)), Length),
        ("command", udp(1, 2, "1", &changed(0, 0x0E)), Unsupported),
    ];
    for (name, bytes, reason) in cases {
        let mut socket = crate::udp();
        assert_eq!(socket.send_datagram(&bytes), SILENCE, "{name}");
        assert_eq!(socket.make_safe(), SILENCE, "{name}");
        assert_eq!(socket.intake.malformed, [reason], "{name}");
        assert_eq!(socket.intake.taken, [], "{name}");
    }
}

#[test]
fn a_packet_without_records_is_counted_as_such() {
    let mut device = crate::tcp();
    assert_eq!(device.send(&tcp(&[0x08, 0, 0])), [0; 4]);
    assert_eq!((device.intake.batches, device.closed), (vec![], None));
}

#[test]
fn more_elements_than_a_device_can_send_are_refused() {
    let mut data = vec![0x8E, 1];
    data.extend([0; 24]);
    data.extend([0, 0, 3, 0]);
    let count = ELEMENTS_MAX as u16 + 1;
    data.extend(count.to_be_bytes());
    data.extend([0; 3].repeat(usize::from(count)));
    data.extend([0; 8]);
    data.push(1);
    let mut device = crate::tcp();
    assert_eq!(device.send(&tcp(&data)), SILENCE);
    assert_eq!(device.intake.malformed, [Length]);
}

#[test]
fn a_place_off_the_earth_is_no_fix_and_a_time_off_the_calendar_is_left_out() {
    let mut data = unhex(&crate::WITH_FIX[16..206]);
    data[15..19].copy_from_slice(&900_000_001_u32.to_be_bytes());
    data[2..10].copy_from_slice(&u64::MAX.to_be_bytes());
    let mut device = crate::tcp();
    device.send(&tcp(&data));
    assert_eq!(device.make_safe(), [0, 0, 0, 1]);
    let message = &device.intake.taken[0];
    let absent = [
        "position.latitude",
        "position.longitude",
        "position.altitude",
        "timestamp",
    ];
    assert!(absent.iter().all(|name| !message.has(name)));
}

/// Devices that have no number of their own would all be one.
#[test]
fn a_number_of_zeros_names_nobody() {
    let mut device = Connection::new(Tcp::new(Rc::default()));
    let zeros = [&[0, 15], &[b'0'; 15][..]].concat();
    assert_eq!(device.send(&zeros), [0]);
    assert!(device.closed.is_some());
    assert_eq!(device.intake.malformed, [Ident]);
}
