//! What broken packets get: which answer, how they are counted, and whether the connection ends.

use crate::V4;
use crate::V5;
use crate::device;
use crate::puback;
use crate::settings;
use crate::stranger;
use crate::support::channel::SILENCE;
use crate::support::channel::value;
use crate::support::hex::unhex;
use crate::support::random::Random;
use crate::wire::Login;
use crate::wire::filters;
use crate::wire::packet;
use crate::wire::publish;
use crate::wire::publish1;
use crate::wire::text;
use weir::channel::InputError;
use weir::channel::mqtt::PACKET_MAX;
use weir::message::Value;

#[test]
fn who_does_not_begin_with_a_login_is_not_spoken_to() {
    let mut other_name = Login::new(V4).bytes();
    other_name[4] = b'N';
    let mut reserved_flag = Login::new(V4).bytes();
    reserved_flag[9] |= 1;
    let password_alone = Login {
        flags: 0b0100_0010,
        rest: text("secret"),
        ..Login::new(V4)
    };
    let mut cut_off = Login::with_user(V4, "ann", "secret").bytes();
    cut_off.truncate(20);
    cut_off[1] = 18;
    for (name, bytes) in [
        ("HTTP", b"GET / HTTP/1.1\r\n".to_vec()),
        ("TLS", vec![0x16, 3, 1, 2, 0, 1]),
        ("Teltonika", vec![0, 15, b'3']),
        ("JSON", b"{\"ident\":\"a\"}\n".to_vec()),
        ("a message", publish1(V4, "t/a/up", 1, "1")),
        ("a ping", vec![0xC0, 0]),
        ("another protocol name", other_name),
        ("a reserved flag of the login", reserved_flag),
        (
            "a password without a name (3.1.2-22)",
            password_alone.bytes(),
        ),
        ("a login that ends too early", cut_off),
        ("no login in it", packet(0x10, &[])),
        ("a login that is too long", vec![0x10, 0xFF, 0xFF, 0x7F]),
        (
            "a length of five bytes",
            vec![0x10, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        ),
    ] {
        let mut stranger = stranger(settings());
        assert_eq!(stranger.send(&bytes), SILENCE, "{name}");
        assert!(stranger.closed.is_some(), "{name}");
        assert_eq!(stranger.intake.malformed.len(), 1, "{name}");
    }
}

#[test]
fn other_versions_are_told_so() {
    // 3.1.2-2
    for bytes in [
        Login::new(3).bytes(),
        Login::new(6).bytes(),
        packet(
            0x10,
            &[&text("MQIsdp")[..], &[3, 2, 0, 60], &text("c")].concat(),
        ),
    ] {
        let mut stranger = stranger(settings());
        assert_eq!(stranger.send(&bytes), [0x20, 2, 0, 1]);
        assert_eq!(stranger.intake.malformed, [InputError::Unsupported]);
        assert!(stranger.closed.is_some());
    }
}

#[test]
fn other_ways_to_log_in_are_refused() {
    let body = [
        &text("MQTT")[..],
        &[5, 2, 0, 60, 8, 21],
        &text("SCRAM"),
        &text("c"),
    ]
    .concat();
    let mut stranger = stranger(settings());
    assert_eq!(stranger.send(&packet(0x10, &body)), [0x20, 3, 0, 0x8C, 0]);
    assert_eq!(stranger.intake.malformed, [InputError::Login]);
}

/// The properties of a login as OASIS, MQTT 5, 3.1.2.11 and 3.1.3.2 have them.
#[test]
fn a_login_is_judged_by_its_properties() {
    let malformed = Some(0x81);
    let protocol = Some(0x82);
    for (properties, code) in [
        (&[][..], None),
        (&[17, 0, 0, 0, 9], None),
        (&[33, 0, 1], None),
        (&[39, 0, 0, 1, 0], None),
        (
            &[38, 0, 1, b'a', 0, 1, b'b', 38, 0, 1, b'a', 0, 1, b'b'],
            None,
        ),
        (&[25, 1, 23, 0, 34, 0, 5], None),
        // 3.1.2.11.3 and .4
        (&[33, 0, 0], protocol),
        (&[39, 0, 0, 0, 0], protocol),
        (&[17, 0, 0, 0, 9, 17, 0, 0, 0, 9], protocol),
        (&[25, 2], protocol),
        (&[23, 9], protocol),
        // 3.1.2.11.10
        (&[22, 0, 1, b'x'], protocol),
        // of a PUBLISH
        (&[1, 0], malformed),
        (&[200, 0], malformed),
        (&[17, 0, 0], malformed),
        (&[38, 0, 9, b'a'], malformed),
        // no answer is so short
        (&[39, 0, 0, 0, 6], Some(0x95)),
    ] {
        let own = [&[u8::try_from(properties.len()).unwrap()][..], properties].concat();
        let body = [&text("MQTT")[..], &[5, 2, 0, 60], &own, &text("c")].concat();
        let mut stranger = stranger(settings());
        let answer = stranger.send(&packet(0x10, &body));
        assert_eq!(answer[3], code.unwrap_or(0), "{properties:?}");
        assert_eq!(stranger.closed.is_some(), code.is_some(), "{properties:?}");
    }
    let will = |properties: &[u8]| {
        let own = [&[u8::try_from(properties.len()).unwrap()][..], properties].concat();
        let will = [text("c"), own, text("topic"), text("payload")].concat();
        [&text("MQTT")[..], &[5, 0b110, 0, 60, 0], &will].concat()
    };
    for (properties, code) in [
        (&[24, 0, 0, 0, 9, 1, 1][..], 0),
        (&[1, 2], 0x82),
        (&[24, 0, 0, 0, 9, 24, 0, 0, 0, 9], 0x82),
        (&[17, 0, 0, 0, 9], 0x81),
    ] {
        let answer = stranger(settings()).send(&packet(0x10, &will(properties)));
        assert_eq!(answer[3], code, "{properties:?}");
    }
    // what is smaller than any answer gets none
    let body = [
        &text("MQTT")[..],
        &[5, 2, 0, 60, 5, 39, 0, 0, 0, 4],
        &text("c"),
    ]
    .concat();
    let mut stranger = stranger(settings());
    assert_eq!(stranger.send(&packet(0x10, &body)), SILENCE);
    assert_eq!(stranger.intake.malformed, [InputError::Length]);
}

#[test]
fn broken_packets_end_the_connection_and_version_5_hears_why() {
    let rows = include_str!("broken.txt").lines();
    let mut checked = 0;
    for row in rows.filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [name, v5, v4, kind, code] = columns[..] else {
            panic!("{row}");
        };
        let code = u8::from_str_radix(code, 16).unwrap();
        check(name, V5, v5, kind, &[0xE0, 1, code]);
        // in 3.1.1 nothing can be said
        if v4 != "-" {
            check(name, V4, v4, kind, &SILENCE);
        }
        checked += 1;
    }
    assert!(checked > 20);
}

fn check(name: &str, level: u8, packet: &str, kind: &str, answer: &[u8]) {
    let mut device = device(level);
    assert_eq!(device.send(&unhex(packet)), answer, "{name}");
    assert!(device.closed.is_some(), "{name}");
    let counted: Vec<_> = device.intake.malformed.iter().map(|m| m.name()).collect();
    assert_eq!(counted, [kind], "{name}");
    assert_eq!(device.intake.taken.len(), 0, "{name}");
}

#[test]
fn a_packet_that_is_twice_as_long_as_it_says_is_followed_by_another() {
    let mut device = device(V4);
    let one = publish1(V4, "t/a/up", 1, "1");
    let two = publish1(V4, "t/a/up", 2, "2");
    device.send(&[&one[..], &two].concat());
    assert_eq!(device.make_safe(), [puback(1), puback(2)].concat());
    // what follows is no packet
    device.send(&[&publish1(V4, "t/a/up", 3, "1")[..], b"rubbish"].concat());
    assert_eq!(device.closed, None, "the third is owed its answer");
    assert_eq!(device.make_safe(), puback(3));
    device.send(&[]);
    assert!(device.closed.is_some());
}

#[test]
fn the_longest_packet_is_taken() {
    for level in [V4, V5] {
        let overhead = publish1(level, "t/a/up", 1, &" ".repeat(20_000)).len() - 20_000;
        let payload = format!("{}7", " ".repeat(PACKET_MAX - overhead - 1));
        let bytes = publish1(level, "t/a/up", 1, &payload);
        assert_eq!(bytes.len(), PACKET_MAX);
        let mut device = device(level);
        device.send(&bytes);
        assert_eq!(value(&device.intake.taken[0], "up"), Value::U64(7));
        let longer = publish1(level, "t/a/up", 1, &format!(" {payload}"));
        let mut device = crate::device(level);
        device.send(&longer);
        assert_eq!(device.intake.malformed, [InputError::Length]);
    }
}

#[test]
fn damage_anywhere_is_survived() {
    let mut random = Random(0x6d71);
    for level in [V4, V5] {
        let whole = [
            Login::with_user(level, "ann", "secret").bytes(),
            publish1(level, "t/a/up", 1, "{\"n\":1}"),
            filters(0x82, level, 2, &["a", "b"]),
            filters(0xA2, level, 3, &["a"]),
            publish(level, 0, "t/b/up", 0, b"1"),
            vec![0xC0, 0],
        ]
        .concat();
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                match random.below(3) {
                    0 => bytes[at] = random.next().to_le_bytes()[0],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, random.next().to_le_bytes()[0]),
                }
            }
            let mut device = stranger(settings());
            device.send(&bytes);
            device.make_safe();
            device.send(&[]);
            assert!(device.intake.taken.len() <= 2);
        }
    }
}
