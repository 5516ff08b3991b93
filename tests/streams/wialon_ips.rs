//! Wialon IPS: the link against a server that a test plays.

use crate::random::Random;
use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use weir::message::Message;
use weir::net::Target;
use weir::stream::Disconnect;
use weir::stream::engine::Event;
use weir::stream::settings::Settings;
use weir::stream::wialon_ips::WialonIps;
use weir::wire::ips;

pub(crate) fn settings() -> Settings {
    let target = Target {
        host: "localhost".into(),
        port: 20332,
    };
    talk::settings(WialonIps::new(target), delivery())
}

/// Of one line: what it is, and the body without its checksum, which fits.
fn packet(line: &str) -> (&str, &str) {
    let (kind, body) = line.strip_prefix('#').unwrap().split_once('#').unwrap();
    let mark = if kind == "B" { b'|' } else { b';' };
    let content = ips::checked(body.as_bytes(), mark).unwrap_or_else(|| panic!("{line}"));
    (kind, str::from_utf8(content).unwrap())
}

/// The number of a record's message.
fn number(record: &str) -> u64 {
    let (_, rest) = record.split_once("n:1:").unwrap();
    rest.split([',', ';', '|']).next().unwrap().parse().unwrap()
}

fn numbers(records: &str) -> Vec<u64> {
    records.split('|').map(number).collect()
}

/// What a server answers that takes all.
pub(crate) fn taken(sent: &[u8]) -> Vec<u8> {
    let lines = str::from_utf8(sent).unwrap().split_terminator("\r\n");
    let answers = lines.map(|line| match packet(line) {
        ("L", _) => "#AL#1\r\n".to_owned(),
        ("B", body) => format!("#AB#{}\r\n", numbers(body).len()),
        _ => "#AD#1\r\n".to_owned(),
    });
    answers.collect::<String>().into_bytes()
}

/// What a server does that is not as it should be.
#[derive(Default)]
struct Server {
    /// The unit whose login gets this answer, or none.
    unknown: Option<(&'static str, Option<&'static str>)>,
    /// The message that is not taken, and the answer where it comes alone.
    refused: Option<(u64, &'static str)>,
    /// Of a black box the checksum counts as well.
    counts_one_more: bool,
    /// Numbers with their unit, as they were taken.
    taken: Vec<(String, u64)>,
    logins: usize,
}

impl Server {
    /// The answer to a line; none: silence.
    fn answer(&mut self, unit: &mut String, line: &str) -> Option<String> {
        let (kind, body) = packet(line);
        match kind {
            "L" => {
                self.logins += 1;
                let [version, ident, _] = body.split(';').collect::<Vec<_>>()[..] else {
                    panic!("{body}");
                };
                assert_eq!((version, &**unit), ("2.0", ""), "one login a connection");
                ident.clone_into(unit);
                match self.unknown {
                    Some((unknown, answer)) if unknown == ident => answer.map(str::to_owned),
                    _ => Some("#AL#1".to_owned()),
                }
            }
            "D" => Some(match self.takes(unit, number(body)) {
                true => "#AD#1".to_owned(),
                false => self.refused.unwrap().1.to_owned(),
            }),
            "B" => {
                let taken = numbers(body).into_iter().filter(|n| self.takes(unit, *n));
                let count = taken.count() + usize::from(self.counts_one_more);
                Some(format!("#AB#{count}"))
            }
            _ => panic!("{line}"),
        }
    }

    fn takes(&mut self, unit: &str, number: u64) -> bool {
        let is_taken = self.refused.is_none_or(|(refused, _)| refused != number);
        if is_taken {
            self.taken.push((unit.to_owned(), number));
        }
        is_taken
    }

    /// One connection, until it is lost or nothing is left to send.
    fn serve(&mut self, world: &mut World, settings: &Settings) -> Option<Disconnect> {
        let (mut talk, mut unit) = (Talk::new(world, settings), String::new());
        let mut sent = match talk.sent(world) {
            Ok(sent) => sent,
            Err(lost) => return Some(lost),
        };
        loop {
            let text = String::from_utf8(std::mem::take(&mut sent)).unwrap();
            if text.is_empty() {
                return match talk.wants_to_be_woken(world) {
                    true => talk.wakes(world).err(),
                    false => None,
                };
            }
            for line in text.split_terminator("\r\n") {
                let Some(answer) = self.answer(&mut unit, line) else {
                    return talk.wakes(world).err();
                };
                match talk.hears(world, format!("{answer}\r\n").as_bytes()) {
                    Ok(more) => sent.extend(more),
                    Err(lost) => return Some(lost),
                }
            }
            match talk.sent(world) {
                Ok(more) => sent.extend(more),
                Err(lost) => return Some(lost),
            }
        }
    }

    /// Connections until nothing waits, at most `most`.
    fn serve_all(&mut self, world: &mut World, settings: &Settings, most: usize) {
        for _ in 0..most {
            match self.serve(world, settings) {
                Some(lost) => lose(world, &lost),
                // it was found to be the server: that is a pause, too
                None if world.engine.paused_until(world.now).is_some() => world.wait(),
                None => return,
            }
        }
    }

    /// Of one unit, each the first time.
    fn taken_of(&self, unit: &str) -> Vec<u64> {
        let mut all = Vec::new();
        for (_, number) in self.taken.iter().filter(|(of, _)| of == unit) {
            if !all.contains(number) {
                all.push(*number);
            }
        }
        all
    }
}

fn append(world: &mut World, idents: &[&str]) {
    idents.iter().for_each(|ident| world.append(ident));
    world.serve();
}

#[test]
fn a_unit_logs_in_and_its_messages_go_together() {
    let mut world = World::new();
    append(&mut world, &["a", "b", "a", "b", "a"]);
    let settings = settings();
    let mut talk = Talk::new(&world, &settings);
    let login = talk.sent(&mut world).unwrap();
    assert_eq!(login, b"#L#2.0;a;NA;055B\r\n");
    let sent = talk.hears(&mut world, b"#AL#1\r\n").unwrap();
    let (kind, body) = packet(str::from_utf8(&sent).unwrap().trim_end());
    assert_eq!((kind, numbers(body)), ("B", vec![0, 2, 4]));
    assert_eq!(talk.sent(&mut world).unwrap(), b"", "one packet at a time");
    talk.hears(&mut world, b"#AB#3\r\n").unwrap();
    assert_eq!(
        world.counters().accepted,
        1,
        "the cursor waits for the other unit"
    );
    let lost = talk.sent(&mut world).unwrap_err();
    assert_eq!(lost, Disconnect::ended("another unit is next"));
    lose(&mut world, &lost);
    let mut server = Server::default();
    server.serve_all(&mut world, &settings, 1);
    assert_eq!(server.taken_of("b"), [1, 3]);
    assert_eq!(world.counters().accepted, 5);
}

#[test]
fn with_a_password_it_logs_in_with_that() {
    let mut world = World::new();
    append(&mut world, &["a"]);
    let settings = talk::changed(settings(), |ips: &mut WialonIps| {
        ips.password = Some("secret".to_owned());
    });
    let login = Talk::new(&world, &settings).sent(&mut world).unwrap();
    let (_, body) = packet(str::from_utf8(&login).unwrap().trim_end());
    assert_eq!(body, "2.0;a;secret");
}

#[test]
fn one_message_goes_as_data_and_each_answer_has_its_verdict() {
    for (answer, accepted, given_up) in [
        ("#AD#1", 1, 0),
        ("#ASD#1", 1, 0),
        ("#AD#-1", 0, 1),
        ("#AD#0", 0, 1),
        ("#AD#15", 0, 1),
        ("#AD#16", 0, 0),
        ("#ASD#13", 0, 0),
    ] {
        let mut world = World::new();
        append(&mut world, &["a"]);
        let settings = settings();
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        let sent = talk.hears(&mut world, b"#AL#1\r\n").unwrap();
        assert!(sent.starts_with(b"#D#"), "{}", sent.escape_ascii());
        talk.hears(&mut world, format!("{answer}\r\n").as_bytes())
            .unwrap();
        let counters = world.counters();
        let counted = (counters.accepted, counters.given_up);
        assert_eq!(counted, (accepted, given_up), "{answer}");
    }
}

#[test]
fn the_count_of_a_black_box_settles_it_also_with_the_checksum() {
    for counts_one_more in [false, true] {
        let (mut world, settings) = (World::new(), settings());
        append(&mut world, &["a"; 20]);
        let mut server = Server {
            counts_one_more,
            ..Server::default()
        };
        server.serve_all(&mut world, &settings, 1);
        assert_eq!(world.counters().accepted, 20);
        assert_eq!(server.taken.len(), 20, "each once");
    }
}

#[test]
fn of_a_black_box_that_is_not_taken_whole_each_goes_alone() {
    let (mut world, settings) = (World::new(), settings());
    append(&mut world, &["a"; 20]);
    let mut server = Server {
        refused: Some((7, "#AD#10")),
        ..Server::default()
    };
    server.serve_all(&mut world, &settings, 1);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (19, 1));
    let others: Vec<u64> = (0..20).filter(|n| *n != 7).collect();
    assert_eq!(server.taken_of("a"), others);
    let reason = "the server refused the coordinates (`10`)".to_owned();
    let given_up =
        |event: &Event| matches!(event, Event::GivenUp { reason: it, .. } if *it == reason);
    assert!(world.events().iter().any(given_up));
    assert_eq!(server.logins, 1);
}

#[test]
fn a_checksum_that_fits_nothing_is_the_messages_own_once_another_is_taken() {
    let (mut world, settings) = (World::new(), settings());
    append(&mut world, &["a"; 5]);
    let mut server = Server {
        refused: Some((2, "#AD#16")),
        ..Server::default()
    };
    server.serve_all(&mut world, &settings, 4);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (4, 1));
}

#[test]
fn a_unit_that_is_not_known_stops_no_other() {
    for (answer, most) in [(Some("#AL#0"), 40), (Some("#AL#01"), 40), (None, 60)] {
        let (mut world, settings) = (World::new(), settings());
        append(&mut world, &["x", "a", "x", "b"].repeat(10));
        let mut server = Server {
            unknown: Some(("x", answer)),
            ..Server::default()
        };
        server.serve_all(&mut world, &settings, most);
        append(&mut world, &["a", "b"].repeat(5));
        server.serve_all(&mut world, &settings, most);
        append(&mut world, &["a", "b"].repeat(5));
        server.serve_all(&mut world, &settings, most);
        let counters = world.counters();
        let counted = (counters.accepted, counters.given_up, counters.backlog);
        assert_eq!(counted, (40, 20, 0), "{answer:?}");
        for unit in ["a", "b"] {
            assert!(server.taken_of(unit).is_sorted());
            assert_eq!(server.taken_of(unit).len(), 20);
        }
        println!("{answer:?}: {} logins", server.logins);
    }
}

#[test]
fn where_every_login_is_refused_or_silent_nothing_is_lost() {
    for answer in [Some("#AL#01"), Some("#AL#0"), Some("#AL#10"), None] {
        let (mut world, settings) = (World::new(), settings());
        append(&mut world, &["a"; 30]);
        let mut server = Server {
            unknown: Some(("a", answer)),
            ..Server::default()
        };
        server.serve_all(&mut world, &settings, 20);
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.backlog), (0, 30), "{answer:?}");
        server.unknown = None;
        server.serve_all(&mut world, &settings, 5);
        // the one that shows that it takes messages again may stand before the others
        let mut taken = server.taken_of("a");
        assert!(taken.iter().skip(1).is_sorted(), "{answer:?}: {taken:?}");
        taken.sort_unstable();
        assert_eq!(taken, (0..30).collect::<Vec<_>>());
        assert_eq!(world.counters().accepted, 30);
    }
}

#[test]
fn no_black_box_is_as_long_as_4_kib() {
    let (mut world, settings) = (World::new(), settings());
    for number in 0..100_u64 {
        let mut message = Message::new("a").unwrap();
        message.set_timestamp(1_700_000_000_000_000);
        message.set("n", number);
        message.set("text", &*"x".repeat(60));
        world.append_message(&message);
    }
    world.serve();
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    let mut sent = talk.hears(&mut world, b"#AL#1\r\n").unwrap();
    let mut packets = 0;
    while !sent.is_empty() {
        assert!(sent.len() < 4096, "{}", sent.len());
        let text = String::from_utf8(sent).unwrap();
        let count = numbers(packet(text.trim_end()).1).len();
        talk.hears(&mut world, format!("#AB#{count}\r\n").as_bytes())
            .unwrap();
        sent = talk.sent(&mut world).unwrap();
        packets += 1;
    }
    assert_eq!(world.counters().accepted, 100);
    assert!((4..=5).contains(&packets), "{packets}");
}

#[test]
fn answers_may_come_in_any_pieces_among_words_for_the_driver() {
    let mut random = Random(5);
    for _ in 0..20 {
        let (mut world, settings) = (World::new(), settings());
        append(&mut world, &["a"; 3]);
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        let words = b"#M#come home\r\n\r\n#AL#1\r\n#AP#\r\n#QI#\r\n";
        talk.hears_in_pieces(&mut world, words, &mut random)
            .unwrap();
        let words = b"#M#now\r\n#AB#3\r\n";
        talk.hears_in_pieces(&mut world, words, &mut random)
            .unwrap();
        assert_eq!(world.counters().accepted, 3);
    }
}

#[test]
fn an_answer_to_nothing_ends_the_connection_and_a_line_without_an_end_too() {
    for answer in [
        &b"#AL#1\r\n#AL#1\r\n"[..],
        b"#AD#1\r\n",
        b"#AL#1\r\n#AD#1\r\n",
    ] {
        let (mut world, settings) = (World::new(), settings());
        append(&mut world, &["a"; 3]);
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        let lost = talk.hears(&mut world, answer).unwrap_err();
        assert!(lost.error.reason.contains("to something else"), "{lost:?}");
        assert_eq!(world.counters().accepted, 0);
    }
    let (mut world, settings) = (World::new(), settings());
    let mut talk = Talk::new(&world, &settings);
    assert!(talk.hears(&mut world, &[b'x'; 17_000]).is_err());
}

#[test]
fn what_cannot_be_said_is_refused_here_and_the_others_go() {
    let (mut world, settings) = (World::new(), settings());
    append(&mut world, &["a", "a;b", "a"]);
    let mut large = Message::new("a").unwrap();
    large.set("text", &*"x".repeat(1345));
    world.append_message(&large);
    append(&mut world, &["a"]);
    let mut server = Server::default();
    server.serve_all(&mut world, &settings, 1);
    let counters = world.counters();
    let counted = (counters.accepted, counters.given_up, counters.filtered);
    assert_eq!(counted, (3, 1, 1));
}

#[test]
fn a_packet_that_ends_each_connection_is_given_up_and_no_other() {
    let (mut world, settings) = (World::new(), settings());
    append(&mut world, &["a"; 10]);
    // it answers all but what has message 4 in it
    for _ in 0..60 {
        let mut talk = Talk::new(&world, &settings);
        let mut sent = talk.sent(&mut world).unwrap();
        let lost = loop {
            let text = String::from_utf8(std::mem::take(&mut sent)).unwrap();
            let Some(line) = text.split_terminator("\r\n").next() else {
                break None;
            };
            let answer = match packet(line) {
                ("L", _) => "#AL#1\r\n".to_owned(),
                (_, body) if numbers(body).contains(&4) => break Some(talk.ends(&mut world)),
                ("B", body) => format!("#AB#{}\r\n", numbers(body).len()),
                _ => "#AD#1\r\n".to_owned(),
            };
            sent = talk.hears(&mut world, answer.as_bytes()).unwrap();
            sent.extend(talk.sent(&mut world).unwrap());
        };
        match lost {
            Some(lost) => lose(&mut world, &lost),
            None => break,
        }
    }
    let counters = world.counters();
    let counted = (counters.accepted, counters.given_up, counters.backlog);
    assert_eq!(counted, (9, 1, 0));
}
