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
        ("zeros", of("990000123456784", "000000000000000"), Ident),
        ("another kind", of("GTFRI", "FRI"), Syntax),
        ("a kind without letters", of("GTFRI", "GT"), Syntax),
        ("a kind too long", of("GTFRI", "GTFRIFRIF"), Syntax),
        ("a kind of signs", of("GTFRI", "GTF:I"), Syntax),
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
fn a_line_has_as_many_positions_as_fit_into_it_and_none_is_dropped() {
    // with a cell, as devices send them; the shortest that can be; the shortest without a fix
    let shortest = "1,,,,0.000000,0.000000,20260314092653";
    let with_cell = format!("{PLACE},0901,0070,1234,0ABCDE,00");
    for (block, least) in [(&*with_cell, 100), (shortest, 200), ("0,,,,,,,0901", 600)] {
        let head = "+RESP:GTFRI,250504,990000123456784,,0,0,60";
        let tail = ",20260314092654,0001$";
        let count = (8192 - head.len() - tail.len()) / (block.len() + 1);
        let many = format!(",{block}").repeat(count);
        let mut tracker = tracker(true);
        tracker.send(format!("{head}{many}{tail}").as_bytes());
        assert!(count > least, "{count}: {block}");
        assert_eq!(tracker.intake.batches, [count], "{block}");
        assert_eq!(tracker.intake.malformed, [], "{block}");
        assert_eq!(tracker.make_safe(), b"+SACK:0001$");
    }
}

#[test]
fn a_kind_is_named_in_each_message_only_where_that_is_wanted() {
    for message_type in [false, true] {
        let keys = Keys {
            message_type,
            ..Keys::default()
        };
        let mut tracker = Connection::new(Queclink::new(keys, Units::Bytes));
        let two = line("GTGEO", 1).replace(PLACE, &format!("{PLACE},{PLACE}"));
        tracker.send(two.as_bytes());
        assert_eq!(tracker.intake.taken.len(), 2);
        for message in &tracker.intake.taken {
            let kind = message
                .has("message.type")
                .then(|| value(message, "message.type"));
            assert_eq!(kind, message_type.then(|| Value::from("GTGEO")));
        }
    }
}

#[test]
fn a_vin_is_told_and_another_name_is_none() {
    for (name, is_vin) in [
        ("1WEXR00T00ST00017", true),
        ("1WEXR00T00ST0001", false),
        ("1WEXR00T00ST000170", false),
        ("1WEXO00T00ST00017", false),
        ("1wexr00t00st00017", false),
        ("TRUCK-00000000017", false),
        ("ABCDEFGHJKLMNPRST", false),
    ] {
        let mut tracker = tracker(true);
        tracker.send(
            line("GTGEO", 1)
                .replace(",gv,", &format!(",{name},gv,"))
                .as_bytes(),
        );
        let message = &tracker.intake.taken[0];
        let vin = message
            .has("vehicle.vin")
            .then(|| value(message, "vehicle.vin"));
        assert_eq!(vin, is_vin.then(|| Value::from(name)), "{name}");
        assert!(message.has("position.latitude"), "{name}");
    }
    // where nothing else stands behind the IMEI it is the time or the count that does
    let mut tracker = tracker(true);
    tracker.send(b"+RESP:GTSOS,250504,990000123456784,12345678901234567,0001$");
    assert!(!tracker.intake.taken[0].has("vehicle.vin"));
}

#[test]
fn with_text_every_line_is_kept_as_it_came() {
    let keys = Keys {
        sack: true,
        text: true,
        ..Keys::default()
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
