//! AIS: ships' messages, put together and told; whose are taken, and what harms nobody.

use crate::number;
use crate::ships::Bits;
use crate::ships::motion;
use crate::ships::parts;
use crate::ships::sentence;
use crate::ships::voyage;
use crate::ships::whole;
use crate::support::channel::Connection;
use crate::support::random::Random;
use crate::support::vectors::assert_messages;
use crate::support::vectors::names;
use crate::support::vectors::vectors;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Ships;
use weir::channel::nmea::Units;
use weir::message::Message;

/// A receiver of ships, whichever are wanted.
pub(crate) fn receiver(ident: Option<&str>, ships: Ships) -> Connection<Nmea> {
    let nmea = Nmea::new(ident.map(str::to_owned), Units::Bytes);
    Connection::new(nmea.of_ships(ships))
}

#[test]
fn every_vector_of_ais_gives_its_messages() {
    let Some(file) = vectors("ais.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    for vector in all {
        let id = &vector["id"];
        let mut line = receiver(None, Ships::All);
        for text in vector["lines"].as_array().unwrap() {
            line.send(format!("{}\r\n", text.as_str().unwrap()).as_bytes());
        }
        assert_messages(&line.intake.taken, vector);
        let wanted = vector["malformed"].as_str();
        assert_eq!(
            names(&line.intake.malformed),
            Vec::from_iter(wanted),
            "{id}"
        );
    }
    assert!(all.len() >= 11, "a vector is skipped");
}

#[test]
fn whose_ships_are_taken_is_as_configured() {
    let own = whole(true, &motion(&mut Random(1), 1).bits);
    let other = whole(false, &motion(&mut Random(2), 18).bits);
    // what is not wanted is not even looked at
    let broken = sentence("AIVDM,1,1,,A,1X~@,0");
    for (ships, taken, counted) in [(Ships::Off, 0, 0), (Ships::Own, 1, 0), (Ships::All, 2, 1)] {
        let mut line = receiver(Some("boat"), ships);
        line.send(format!("{own}{other}{broken}").as_bytes());
        let idents = line.intake.taken.iter().map(Message::ident);
        let idents: Vec<_> = idents.collect();
        assert_eq!(idents.len(), taken, "{ships:?}");
        assert_eq!(line.intake.malformed.len(), counted, "{ships:?}");
        // the own ship is the gateway's; the others never are
        assert!(idents.iter().take(1).all(|it| *it == "boat"), "{idents:?}");
        assert!(idents.iter().skip(1).all(|it| *it != "boat"), "{idents:?}");
    }
}

#[test]
fn a_ship_is_no_epoch_of_the_receiver_beside_it() {
    let mut line = receiver(Some("boat"), Ships::Own);
    line.send(crate::sentence("GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,").as_bytes());
    line.send(whole(true, &motion(&mut Random(3), 1).bits).as_bytes());
    line.send(crate::sentence("GPGGA,120000,0100.0,N,00200.0,E,1,08,1.1,59.9,M,,M,,").as_bytes());
    line.pass(Duration::from_secs(1));
    assert_eq!(line.intake.taken.len(), 2);
    assert_eq!(number(&line.intake.taken[1], "position.altitude"), 59.9);
    assert_eq!(line.intake.malformed, []);
}

#[test]
fn what_cannot_be_is_counted_and_the_next_is_understood() {
    let good = motion(&mut Random(4), 1).bits;
    for (name, text, reason) in broken(&good) {
        let mut line = receiver(None, Ships::All);
        line.send(text.as_bytes());
        line.send(whole(false, &good).as_bytes());
        assert_eq!(line.intake.malformed, [reason], "{name}");
        assert_eq!(line.intake.taken.len(), 1, "{name}");
        assert_eq!(line.closed, None, "{name}");
    }
}

/// Name, what comes, how it is counted.
fn broken(good: &Bits) -> Vec<(&'static str, String, InputError)> {
    let put = |start: usize, len: usize, number: u64| {
        let mut bits = good.clone();
        bits.put(start, len, number);
        whole(false, &bits)
    };
    let short = |kind: u64, len: usize| {
        let mut bits = Bits::new(len);
        bits.put(0, 6, kind);
        bits.put(8, 30, 200_000_017);
        parts(false, &bits, 7).concat()
    };
    let wrong = whole(false, good).replace(",0*", ",1*");
    let endless = parts(false, &Bits::new(2000), 1).concat();
    let mut all = vec![
        ("a wrong checksum", wrong, InputError::Checksum),
        ("too long", endless, InputError::Length),
        ("no digits", put(8, 30, 0), InputError::Ident),
    ];
    for (name, body, reason) in [
        ("no armour", "1,1,,A,1X~@,0", InputError::Syntax),
        ("no fields", "", InputError::Syntax),
        ("a field missing", "1,1,,A,15", InputError::Syntax),
        ("no number", "x,1,,A,15,0", InputError::Syntax),
        ("part 0", "2,0,1,A,15,0", InputError::Value),
        ("part 3 of 2", "2,3,1,A,15,0", InputError::Value),
        ("no parts", "0,0,1,A,15,0", InputError::Value),
        ("six bits to fill", "1,1,,A,15,6", InputError::Value),
    ] {
        all.push((name, sentence(&format!("AIVDM,{body}")), reason));
    }
    for (name, start, len, number) in [
        ("ten digits", 8, 30, 1_000_000_000),
        ("beyond the pole", 89, 27, 54_000_001),
        ("beyond the date line", 61, 28, 108_000_001),
    ] {
        all.push((name, put(start, len, number), InputError::Value));
    }
    for (kind, len) in [(1, 162), (18, 162), (19, 306), (5, 414), (24, 156)] {
        all.push(("too short", short(kind, len), InputError::Syntax));
    }
    all
}

#[test]
fn what_is_right_and_of_no_use_is_passed_over() {
    let mut line = receiver(None, Ships::All);
    for kind in (0..64).filter(|kind| ![1, 2, 3, 5, 18, 19, 24].contains(kind)) {
        let mut bits = Bits::new(168);
        bits.put(0, 6, kind);
        line.send(whole(false, &bits).as_bytes());
    }
    line.send(sentence("AIVDM,1,1,,A,,0").as_bytes());
    // a ship without a name, and a part of no kind
    for part in [0, 2, 3] {
        let mut bits = Bits::new(168);
        bits.put(0, 6, 24);
        bits.put(8, 30, 200_000_017);
        bits.put(38, 2, part);
        line.send(whole(false, &bits).as_bytes());
    }
    assert_eq!(line.intake.malformed, []);
    assert_eq!(line.intake.taken, []);
}

#[test]
fn parts_are_forgotten_after_seconds_and_are_never_many() {
    let bits = voyage(&mut Random(5)).bits;
    let [first, last] = <[String; 2]>::try_from(parts(false, &bits, 3)).unwrap();
    for (one, other, milliseconds, taken) in [
        (&first, &last, 4_999, 1),
        (&first, &last, 5_000, 0),
        (&last, &first, 999, 1),
        (&last, &first, 1_000, 0),
    ] {
        let mut line = receiver(None, Ships::All);
        line.send(one.as_bytes());
        line.pass(Duration::from_millis(milliseconds));
        line.send(other.as_bytes());
        assert_eq!(line.intake.taken.len(), taken, "{milliseconds}");
        assert_eq!(line.intake.malformed, []);
    }
    // the other order; and a second first part begins anew
    let mut line = receiver(None, Ships::All);
    for text in [&last, &first, &first, &first, &last] {
        line.send(text.as_bytes());
    }
    assert_eq!(line.intake.taken.len(), 2);
    // eleven messages begin: the oldest is forgotten
    let mut line = receiver(None, Ships::All);
    let mut many = Vec::new();
    for channel in ["A", "B"] {
        for sequence in 0..10 {
            let of = |part: usize| {
                let all = parts(channel == "B", &bits, sequence);
                all[part].replace(",A,", &format!(",{channel},"))
            };
            let resum =
                |text: String| sentence(text.trim_start_matches('!').split('*').next().unwrap());
            many.push([resum(of(0)), resum(of(1))]);
        }
    }
    for first in many.iter().take(11).map(|[first, _]| first) {
        line.send(first.as_bytes());
    }
    line.send(many[0][1].as_bytes());
    assert_eq!(line.intake.taken, []);
    // so that the oldest of the others is the next to go
    line.send(many[2][1].as_bytes());
    assert_eq!(line.intake.taken.len(), 1);
}

/// The two sentences of a voyage, as `talker` says them on `channel`, each behind its TAG block.
fn two(bits: &Bits, talker: &str, channel: &str, tags: [&str; 2]) -> [String; 2] {
    let texts = <[String; 2]>::try_from(parts(false, bits, 3)).unwrap();
    let mut tags = tags.into_iter();
    texts.map(|text| {
        let (body, _) = text.trim_start_matches("!AI").split_once('*').unwrap();
        let body = body.replace(",A,", &format!(",{channel},"));
        let tag = match tags.next() {
            None | Some("") => String::new(),
            Some(fields) => format!("\\{fields}*{:02X}\\", fields.bytes().fold(0, |a, b| a ^ b)),
        };
        format!("{tag}{}", sentence(&format!("{talker}{body}")))
    })
}

/// Two ships say at once what differs in nothing but this; each gets its own, in any order.
#[test]
fn no_part_joins_the_message_of_another() {
    let ships = [voyage(&mut Random(7)), voyage(&mut Random(8))];
    let none = ["", ""];
    for (why, one, other) in [
        ("the channel", ("AI", "A", none), ("AI", "B", none)),
        ("the talker", ("AI", "A", none), ("BS", "A", none)),
        (
            "the group",
            ("AI", "A", ["g:1-2-17,s:r1", "g:2-2-17"]),
            ("AI", "A", ["g:1-2-18,s:r1", "g:2-2-18"]),
        ),
        (
            "a group and none",
            ("AI", "A", ["g:1-2-17", "g:2-2-17"]),
            ("AI", "A", ["c:1773480413", ""]),
        ),
        (
            "the source",
            ("AI", "A", ["s:north", "s:north,c:1773480413"]),
            ("AI", "A", ["s:south", "s:south"]),
        ),
    ] {
        let of = |at: usize, (talker, channel, tags)| two(&ships[at].bits, talker, channel, tags);
        let ([a1, a2], [b1, b2]) = (of(0, one), of(1, other));
        for order in [
            [&a1, &b1, &a2, &b2],
            [&a1, &b1, &b2, &a2],
            [&a2, &b1, &a1, &b2],
        ] {
            let mut line = receiver(None, Ships::All);
            for text in order {
                line.send(text.as_bytes());
            }
            assert_eq!(line.intake.malformed, [], "{why}");
            assert_eq!(line.intake.taken.len(), 2, "{why}: {order:?}");
            for ship in &ships {
                let own = line.intake.taken.iter().find(|it| ship.is_of(it));
                ship.assert_told(own.unwrap());
            }
        }
    }
}

/// A source may name itself in the first part alone.
#[test]
fn a_source_that_is_named_once_is_that_of_the_other_part() {
    let bits = voyage(&mut Random(9)).bits;
    for tags in [["s:north", ""], ["", "s:north"], ["s:north", "s:north"]] {
        let mut line = receiver(None, Ships::All);
        line.send(two(&bits, "AI", "A", tags).concat().as_bytes());
        assert_eq!(line.intake.taken.len(), 1, "{tags:?}");
    }
}

/// A first part that is lost costs its message and no other.
#[test]
fn a_number_that_comes_again_begins_anew() {
    let ships = [10, 11, 12].map(|seed| voyage(&mut Random(seed)));
    let of = |at: usize| two(&ships[at].bits, "AI", "A", ["", ""]);
    let ([_, lost], [first, last], [next, end]) = (of(0), of(1), of(2));
    let mut line = receiver(None, Ships::All);
    line.send(lost.as_bytes());
    line.pass(Duration::from_secs(2));
    // the last part of the second is lost as well, the third is whole
    for text in [&first, &next, &end] {
        line.send(text.as_bytes());
    }
    assert_eq!(line.intake.taken.len(), 1);
    ships[2].assert_told(&line.intake.taken[0]);
    for text in [&first, &last] {
        line.send(text.as_bytes());
    }
    ships[1].assert_told(&line.intake.taken[1]);
}

#[test]
fn what_is_kept_of_parts_has_a_bound() {
    let mut line = receiver(None, Ships::All);
    let mut random = Random(6);
    for _ in 0..2_000 {
        let (total, own) = (2 + random.below(8), random.below(2) == 0);
        let payload = "0".repeat(random.below(400));
        let body = format!(
            "AI{},{total},{},{},{},{payload},0",
            if own { "VDO" } else { "VDM" },
            1 + random.below(total),
            random.below(10),
            ["A", "B", ""][random.below(3)],
        );
        line.send(sentence(&body).as_bytes());
        let kept = weir::channel::Session::buffered_len(&line.session);
        assert!(kept <= 10 * 256, "{kept}");
        if line.closed.is_some() {
            line = receiver(None, Ships::All);
        }
    }
}
