//! Thousands of packets after the specification: values and answers come back.

use crate::generator::compressed;
use crate::generator::crc;
use crate::generator::make;
use crate::generator::sealed;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::random::each_seed;
use crate::support::random::pick;
use crate::text;
use weir::message::Message;
use weir::message::Value;

fn check(message: &Message, ident: &str, made: &crate::generator::Made) {
    let found = message.fields().skip(1);
    let found: Vec<_> = found
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    assert_eq!(message.ident(), ident);
    assert_eq!(found, made.parameters, "{}", made.body);
}

#[test]
fn the_checksum_is_arc() {
    assert_eq!(crc(b"123456789"), 0xBB3D);
}

#[test]
fn packets_cut_anywhere_come_back_whole_over_tcp() {
    each_seed(|random| {
        let version = pick(random, &["1.1", "2.0"]);
        let (mut stream, mut answers, mut expected) = (Vec::new(), String::new(), Vec::new());
        for _ in 0..1 + random.below(4) {
            let made: Vec<_> = (0..1 + random.below(5)).map(|_| make(random)).collect();
            let bodies: Vec<_> = made.iter().map(|made| made.body.as_str()).collect();
            let (kind, count) = match made.len() {
                1 => (made[0].kind, 1),
                count => ("B", count),
            };
            let body = bodies.join("|");
            let mark = if kind == "B" { '|' } else { ';' };
            let line = match version {
                "1.1" => format!("#{kind}#{body}"),
                _ => sealed(kind, &body, mark),
            };
            if random.below(3) == 0 {
                stream.extend(compressed(line.as_bytes()));
            } else {
                stream.extend(format!("{line}\r\n").bytes());
            }
            answers += &format!("#A{kind}#{count}\r\n");
            expected.extend(made);
        }
        let mut device = crate::tcp(version);
        while !stream.is_empty() {
            let len = 1 + random.below(stream.len());
            let part: Vec<u8> = stream.drain(..len).collect();
            assert_eq!(device.send(&part), SILENCE);
        }
        assert_eq!(text(device.make_safe()), answers);
        assert_eq!(device.closed, None);
        assert_eq!(device.intake.malformed, []);
        assert_eq!(device.intake.taken.len(), expected.len());
        for (message, made) in device.intake.taken.iter().zip(&expected) {
            check(message, "862462031400566", made);
        }
    });
}

#[test]
fn datagrams_of_several_devices_come_back() {
    each_seed(|random| {
        let mut socket = crate::udp();
        let mut answers = String::new();
        for _ in 0..1 + random.below(3) {
            let (made, ident) = (make(random), pick(random, &["86246", "a b", "7"]));
            let line = match random.below(2) {
                0 => format!("{ident}#{}#{}", made.kind, made.body),
                _ => format!("2.0;{ident}{}", sealed(made.kind, &made.body, ';')),
            };
            let sent = match random.below(3) {
                0 => compressed(line.as_bytes()),
                1 => line.into_bytes(),
                _ => format!("{line}\r\n").into_bytes(),
            };
            assert_eq!(socket.send_datagram(&sent), SILENCE);
            answers += &format!("#A{}#1\r\n", made.kind);
            check(&socket.intake.taken.pop().unwrap(), ident, &made);
        }
        assert_eq!(text(socket.make_safe()), answers);
    });
}

/// One damaged byte never passes the checksum, nor does one that is missing.
#[test]
fn a_damaged_packet_is_never_answered_as_taken() {
    each_seed(|random| {
        let made = make(random);
        let mut line = sealed(made.kind, &made.body, ';').into_bytes();
        let from = made.kind.len() + 2;
        let at = from + random.below(line.len() - from);
        // a letter of the checksum may be small
        let bit = 1 << pick(random, &[0, 1, 2, 3, 4, 6]);
        line[at] ^= bit;
        line.extend(b"\r\n");
        let mut device = crate::tcp("2.0");
        let answer = text(device.send(&line));
        assert!(!answer.contains("#1\r\n"), "{answer}");
        let late = device.make_safe();
        assert_eq!((late, device.intake.taken.len()), (vec![], 0));
    });
}

#[test]
fn noise_neither_panics_nor_is_answered_as_taken() {
    each_seed(|random| {
        let words = [
            "#", ";", "|", "NA", "\r\n", "SD", "B", "I", "9", "5544.6", "N", ":1:", "\u{ff}",
        ];
        let noise: String = (0..random.below(60))
            .map(|_| pick(random, &words))
            .collect();
        let start = pick(random, &["#D#", "#B#", "#I#", "#T#", "#SD#", "#L#", ""]);
        let line = format!("{start}{noise}\r\n");
        for version in ["1.1", "2.0"] {
            crate::tcp(version).send(line.as_bytes());
            crate::udp().send_datagram(line.as_bytes());
            crate::tcp(version).send(&compressed(line.as_bytes()));
        }
        let mut damaged = compressed(line.as_bytes());
        let at = random.below(damaged.len());
        damaged[at] ^= 1 << random.below(8);
        crate::tcp("1.1").send(&damaged);
        Connection::new(weir::channel::wialon_ips::Tcp::new(None)).send(&damaged);
    });
}
