//! What is no line, or not whole: counted, never answered, and the next line is understood.

use crate::PLACE;
use crate::line;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::channel::value;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::tracker;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;
use weir::channel::Session as _;
use weir::channel::queclink::Keys;
use weir::channel::queclink::Queclink;
use weir::channel::queclink::Units;
use weir::message::Value;

#[test]
fn each_broken_line_is_counted_and_the_next_is_understood() {
    let good = line("GTFRI", 1);
    let of = |from: &str, to: &str| good.replacen(from, to, 1);
    for (name, text, reason) in [
        ("no line", "hello$".to_owned(), Syntax),
        ("another protocol", "$".to_owned(), Syntax),
        ("a command", "AT+GTFRI=gv,1$".to_owned(), Syntax),
        ("another kind", of("GTFRI", "FRI"), Syntax),
        ("no version", of("250504", ""), Syntax),
        ("a version of words", of("250504", "25050x"), Syntax),
        ("a version too long", of("250504", "25050425050"), Syntax),
        ("no count", of(",0001$", ",$"), Syntax),
        ("a count too long", of(",0001$", ",00001$"), Syntax),
        ("a count of words", of(",0001$", ",+ACK$"), Syntax),
        (
            "few fields",
            "+RESP:GTFRI,250504,990000123456784,0001$".to_owned(),
            Syntax,
        ),
        ("no IMEI", of("990000123456784", ""), Ident),
        (
            "a short IMEI",
            of("990000123456784", "99000012345678"),
            Ident,
        ),
        (
            "an IMEI of letters",
            of("990000123456784", "99000012345678A"),
            Ident,
        ),
        ("no text", of("990000123456784", "\u{1}"), Ident),
    ] {
        let mut tracker = tracker(true);
        assert_eq!(tracker.send(text.as_bytes()), SILENCE, "{name}");
        assert_eq!(tracker.intake.malformed, [reason], "{name}");
        assert_eq!(tracker.intake.taken, [], "{name}");
        // the end of a few firmwares, and what may stand between lines
        tracker.send(good.replace('$', "\0\r\n").as_bytes());
        assert_eq!(tracker.intake.taken.len(), 1, "{name}");
        assert_eq!(tracker.make_safe(), b"+SACK:0001$", "{name}");
        assert_eq!(tracker.closed, None, "{name}");
    }
}

#[test]
fn a_position_that_cannot_be_is_none() {
    for wrong in [
        PLACE.replace("77.765432", "181.000000"),
        PLACE.replace("77.765432", "77.7654321"),
        PLACE.replace("77.765432", ""),
        PLACE.replace("-12.345679", "-91.000000"),
        PLACE.replace("-12.345679", "1e1.000000"),
        PLACE.replace("20260314", "20261314"),
        PLACE.replace("20260314", "00000000"),
        PLACE.replace("1,63.2", "-1,63.2"),
        PLACE.replace("1,63.2", "x,63.2"),
        PLACE.replace("63.2", "fast"),
        PLACE.replace("63.2", "inf"),
    ] {
        let mut tracker = tracker(true);
        let text = line("GTGEO", 1).replace(PLACE, &wrong);
        assert_eq!(tracker.send(text.as_bytes()), b"+SACK:0001$", "{wrong}");
        assert_eq!(tracker.intake.malformed, [Unsupported], "{wrong}");
        assert_eq!(tracker.intake.taken, [], "{wrong}");
    }
    // what is not known is left out, and an old place is not told as one of now
    let bare = PLACE.replace("63.2,178,35.4", ",,");
    for (place, is_valid) in [(bare.clone(), true), (bare.replacen('1', "0", 1), false)] {
        let mut tracker = tracker(true);
        tracker.send(line("GTGEO", 1).replace(PLACE, &place).as_bytes());
        let message = &tracker.intake.taken[0];
        assert_eq!(value(message, "position.valid"), Value::Bool(is_valid));
        assert_eq!(message.has("position.latitude"), is_valid);
        assert!(!message.has("position.speed"));
        let time = if is_valid {
            1_773_480_413
        } else {
            1_773_480_414
        };
        assert_eq!(value(message, "timestamp"), Value::U64(time));
    }
}

#[test]
fn what_cannot_be_a_line_ends_the_connection() {
    for binary in [
        &b"+RSP\x07"[..],
        b"+EVT",
        b"+INF",
        b"+HBD",
        b"+CRD",
        b"\x01\0\x02",
    ] {
        let mut tracker = tracker(true);
        tracker.send(line("GTFRI", 1).as_bytes());
        assert_eq!(tracker.send(binary), SILENCE);
        assert!(tracker.closed.is_some(), "{binary:?}");
        assert_eq!(tracker.intake.malformed, [Unsupported]);
    }
    let mut tracker = tracker(true);
    tracker.send(&[b'+'; 8191]);
    assert_eq!(tracker.closed, None);
    tracker.send(b"+");
    assert_eq!(tracker.intake.malformed, [Length]);
    assert!(tracker.closed.is_some());
    let mut tracker = crate::tracker(true);
    tracker.send("x$".repeat(63).as_bytes());
    assert_eq!(tracker.closed, None);
    tracker.send(b"x$");
    assert!(tracker.closed.is_some());
}

#[test]
fn a_line_has_so_many_positions_and_no_more() {
    let many = vec![format!("{PLACE},0901,0070,1234,0ABCDE,00"); 60].join(",");
    let text = format!("+RESP:GTFRI,250504,990000123456784,,0,0,60,{many},20260314092654,0001$");
    assert!(text.len() < 8192);
    let mut tracker = tracker(true);
    tracker.send(text.as_bytes());
    assert_eq!(tracker.intake.batches, [16]);
    assert_eq!(tracker.make_safe(), b"+SACK:0001$");
}

#[test]
fn with_text_every_line_is_kept_as_it_came() {
    let keys = Keys {
        sack: true,
        text: true,
    };
    let mut tracker = Connection::new(Queclink::new(keys, Units::Bytes));
    let info = "GTINF,250504,990000123456784,gv,21,20260314092654,0003";
    assert_eq!(tracker.send(format!("+RESP:{info}$").as_bytes()), SILENCE);
    assert_eq!(tracker.intake.malformed, []);
    let message = &tracker.intake.taken[0];
    assert_eq!(value(message, "text"), Value::from(info));
    assert_eq!(value(message, "timestamp"), Value::U64(1_773_480_414));
    assert_eq!(tracker.make_safe(), b"+SACK:0003$");
}

#[test]
fn bytes_of_any_kind_are_neither_kept_nor_a_panic() {
    each_seed(|random: &mut Random| {
        let mut tracker = tracker(random.below(2) == 0);
        let mut bytes = line("GTFRI", 1).into_bytes();
        for _ in 0..1 + random.below(5) {
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] = random.below(256) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"$,+0\0"[random.below(5)]),
            }
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(1 + random.below(rest.len()));
            tracker.send(part);
            rest = behind;
        }
        assert!(tracker.unused() <= tracker.session.unit_max());
        assert!(tracker.intake.taken.len() <= 1);
    });
}
