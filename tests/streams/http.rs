//! HTTP: the link against a server that a test plays.

use crate::random::Random;
use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number_of;
use std::time::Duration;
use weir::message::Message;
use weir::net::Target;
use weir::stream::Disconnect;
use weir::stream::OUT_MAX;
use weir::stream::Retry;
use weir::stream::engine::Event;
use weir::stream::http::Http;
use weir::stream::settings::Delivery;
use weir::stream::settings::Settings;
use weir::template::Template;

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// An HTTP stream.
pub(crate) fn settings_to(path: &str, delivery: Delivery) -> Settings {
    let target = Target {
        host: "localhost".into(),
        port: 80,
    };
    let http = Http {
        path: Template::parse(path).unwrap(),
        ..Http::new(target)
    };
    talk::settings(http, delivery)
}

pub(crate) fn settings() -> Settings {
    settings_to("/in", delivery())
}

/// A request: its path and the messages of its body.
pub(crate) fn parse(bytes: &[u8]) -> (String, Vec<serde_json::Value>) {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    let head = request.parse(bytes).unwrap().unwrap();
    let path = request.path.unwrap().to_owned();
    let len = headers.iter().find(|h| h.name == "content-length").unwrap();
    let len: usize = str::from_utf8(len.value).unwrap().parse().unwrap();
    assert_eq!(bytes.len(), head + len);
    (path, serde_json::from_slice(&bytes[head..]).unwrap())
}

pub(crate) fn numbers(bytes: &[u8]) -> Vec<u64> {
    parse(bytes).1.iter().map(number_of).collect()
}

/// A connection with one request under way.
pub(crate) fn asked<'a>(world: &mut World, settings: &'a Settings) -> (Talk<'a>, Vec<u8>) {
    let mut talk = Talk::new(world, settings);
    let request = talk.sent(world).unwrap();
    (talk, request)
}

pub(crate) fn answer(status: u16, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\n\r\n").into_bytes()
}

pub(crate) fn is_paused(world: &World) -> bool {
    world.engine.paused_until(world.now).is_some()
}

#[test]
fn a_request_carries_an_array_in_the_order_received() {
    let mut world = World::new();
    let settings = settings();
    assert_eq!(asked(&mut world, &settings).1, b"", "nothing to send");
    world.append_many(250);
    let (mut talk, request) = asked(&mut world, &settings);
    assert_eq!(parse(&request).0, "/in");
    assert_eq!(numbers(&request), (0..100).collect::<Vec<_>>());
    assert_eq!(talk.sent(&mut world).unwrap(), b"", "one request at a time");
    talk.hears(&mut world, OK).unwrap();
    assert_eq!(world.counters().accepted, 100);
    assert_eq!(
        numbers(&talk.sent(&mut world).unwrap()),
        (100..200).collect::<Vec<_>>()
    );
}

#[test]
fn a_body_is_at_most_as_long_as_is_allowed_one_message_excepted() {
    for max_bytes in [1, 500, 5000, 50_000] {
        let mut world = World::with(Delivery {
            max_bytes,
            ..delivery()
        });
        let settings = settings_to(
            "/",
            Delivery {
                max_bytes,
                ..delivery()
            },
        );
        world.append_many(100);
        let mut talk = Talk::new(&world, &settings);
        let mut all = Vec::new();
        while world.counters().backlog > 0 {
            let request = talk.sent(&mut world).unwrap();
            let (_, messages) = parse(&request);
            let body = serde_json::to_vec(&messages).unwrap().len();
            assert!(body <= max_bytes || messages.len() == 1);
            all.extend(messages.iter().map(number_of));
            talk.hears(&mut world, OK).unwrap();
        }
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn a_large_body_is_written_piece_by_piece() {
    let mut world = World::new();
    for _ in 0..30 {
        let mut message = Message::new("a").unwrap();
        message.set("n", 0_u64);
        message.set("text", "\"".repeat(4000).as_str());
        world.append_message(&message);
    }
    world.serve();
    let settings = settings();
    let mut talk = Talk::new(&world, &settings);
    let first = talk.write(&mut world).unwrap();
    assert!(first.len() >= OUT_MAX && first.len() < OUT_MAX + 9000);
    let mut request = first;
    request.extend(talk.sent(&mut world).unwrap());
    assert_eq!(numbers(&request).len(), 30);
    talk.hears(&mut world, OK).unwrap();
    assert_eq!(world.counters().accepted, 30);
}

#[test]
fn each_answer_has_its_consequence() {
    for (status, accepted, paused) in [
        (200, 2, false),
        (204, 2, false),
        (400, 0, false),
        (401, 0, true),
        (403, 0, true),
        (404, 0, true),
        (408, 0, true),
        (413, 0, false),
        (422, 0, false),
        (429, 0, true),
        (500, 0, true),
        (503, 0, true),
    ] {
        let mut world = World::new();
        world.append_many(2);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        talk.hears(&mut world, &answer(status, "")).unwrap();
        let counters = world.counters();
        assert_eq!(
            (counters.accepted, counters.given_up),
            (accepted, 0),
            "{status}"
        );
        assert_eq!(is_paused(&world), paused, "{status}");
        let told = world.events().into_iter().any(
            |event| matches!(event, Event::NotDelivered(error) if error.code == i32::from(status)),
        );
        assert_eq!(told, accepted == 0, "{status}");
    }
}

#[test]
fn a_refused_batch_is_halved_until_the_message_stands_alone() {
    let mut world = World::new();
    world.append_many(100);
    let settings = settings();
    let mut talk = Talk::new(&world, &settings);
    let (mut taken, mut requests) = (Vec::new(), 0);
    while world.counters().backlog > 0 {
        let sent = numbers(&talk.sent(&mut world).unwrap());
        requests += 1;
        let refused = sent.contains(&61);
        let status = if refused { 400 } else { 200 };
        talk.hears(&mut world, &answer(status, "")).unwrap();
        taken.extend(sent.into_iter().filter(|_| !refused));
    }
    assert_eq!(taken, (0..100).filter(|n| *n != 61).collect::<Vec<_>>());
    assert!(requests <= 13, "{requests}");
    assert_eq!(world.counters().given_up, 1);
}

#[test]
fn a_server_is_not_asked_before_it_wants_to_be() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    let busy = answer(429, "Retry-After: 77\r\n");
    talk.hears(&mut world, &busy).unwrap();
    world.pass(76 * SECOND);
    assert_eq!(talk.sent(&mut world).unwrap(), b"");
    world.pass(SECOND);
    assert_eq!(numbers(&talk.sent(&mut world).unwrap()), [0]);
}

#[test]
fn a_connection_is_kept_unless_the_server_says_otherwise() {
    for head in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    ] {
        let mut world = World::new();
        world.append_many(1);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        let disconnect = talk.hears(&mut world, head.as_bytes()).unwrap_err();
        assert_eq!(disconnect.retry, Retry::AtOnce, "{head}");
        let accepted = u64::from(head.contains("200"));
        assert_eq!(world.counters().accepted, accepted);
        assert_eq!(is_paused(&world), accepted == 0, "{head}");
    }
}

/// Answers that are whole, in any pieces; the connection stays.
#[test]
fn answers_come_in_many_shapes() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let shapes = [
        chunked.to_owned(),
        format!("{early}{chunked}"),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 200\r\ncontent-length:5000\r\n\r\n".to_owned() + &"x".repeat(5000),
    ];
    for (shape, seed) in shapes
        .iter()
        .flat_map(|shape| (1..=30).map(move |seed| (shape, seed)))
    {
        let (mut random, mut world) = (Random(seed), World::new());
        world.append_many(1);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        talk.hears_in_pieces(&mut world, shape.as_bytes(), &mut random)
            .unwrap();
        assert_eq!(world.counters().accepted, 1, "{shape}");
        assert!(!talk.wants_to_be_woken(&world), "{shape}");
        world.append_many(1);
        assert_eq!(numbers(&talk.sent(&mut world).unwrap()), [1]);
    }
}

#[test]
fn an_answer_can_end_with_the_connection() {
    for (status, accepted) in [(200, 1), (500, 0)] {
        let mut world = World::new();
        world.append_many(1);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        let head = format!("HTTP/1.1 {status} X\r\n\r\nthe reason");
        talk.hears(&mut world, head.as_bytes()).unwrap();
        assert_eq!(talk.ends(&mut world).retry, Retry::AtOnce);
        assert_eq!(world.counters().accepted, accepted);
        assert_eq!(is_paused(&world), accepted == 0);
        let told = format!("{:?}", world.events());
        assert_eq!(told.contains("the reason"), accepted == 0);
    }
}

#[test]
fn a_kept_connection_that_ends_without_an_answer_is_no_failure_once() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    talk.hears(&mut world, OK).unwrap();
    world.append_many(1);
    talk.sent(&mut world).unwrap();
    let disconnect = talk.ends(&mut world);
    assert_eq!(disconnect.retry, Retry::AtOnce);
    lose(&mut world, &disconnect);
    let (talk, request) = asked(&mut world, &settings);
    assert_eq!(numbers(&request), [1]);
    assert_eq!(talk.ends(&mut world).retry, Retry::Paused);
}

#[test]
fn an_answer_that_breaks_off_is_a_failure() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    talk.hears(&mut world, OK).unwrap();
    world.append_many(1);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, b"HTTP/1.1 200 O").unwrap();
    assert_eq!(talk.ends(&mut world).retry, Retry::Paused);
    assert_eq!(world.counters().accepted, 1);
}

#[test]
fn an_answer_that_does_not_come_makes_the_next_batch_smaller() {
    let mut world = World::new();
    world.append_many(100);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    let disconnect = talk.wakes(&mut world).unwrap_err();
    assert_eq!(
        (disconnect.error.code, disconnect.retry),
        (-2, Retry::Paused)
    );
    lose(&mut world, &disconnect);
    let (_, request) = asked(&mut world, &settings);
    assert_eq!(numbers(&request).len(), 50);
}

#[test]
fn the_time_for_an_answer_begins_when_the_request_is_written() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings();
    let mut talk = Talk::new(&world, &settings);
    talk.write(&mut world).unwrap();
    world.pass(20 * SECOND);
    talk.write(&mut world).unwrap();
    world.pass(20 * SECOND);
    talk.write(&mut world).unwrap();
    let before = world.now.mono;
    assert!(talk.wakes(&mut world).is_err());
    assert_eq!(world.now.mono, before + 10 * SECOND);
}

#[test]
fn messages_of_one_path_share_a_request_in_order() {
    let mut world = World::new();
    for ident in ["a", "a", "b c", "a"] {
        world.append(ident);
    }
    let mut nameless = Message::new("a").unwrap();
    nameless.set("n", 9_u64);
    let settings = settings_to("/in/{ident}?t={timestamp}", delivery());
    let mut talk = Talk::new(&world, &settings);
    let mut seen = Vec::new();
    while world.counters().backlog > 0 {
        let request = talk.sent(&mut world).unwrap();
        seen.push((parse(&request).0, numbers(&request)));
        talk.hears(&mut world, OK).unwrap();
    }
    let path = |ident: &str| format!("/in/{ident}?t=1700000000");
    let expected = [(path("a"), vec![0, 1, 3]), (path("b%20c"), vec![2])];
    assert_eq!(seen, expected);
}

#[test]
fn a_message_without_a_path_is_skipped_and_a_path_that_is_none_is_the_configurations_fault() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings_to("/{plate}", delivery());
    assert_eq!(asked(&mut world, &settings).1, b"");
    assert_eq!(world.counters().filtered, 1);
    world.append_many(1);
    let settings = settings_to("/a b", delivery());
    assert_eq!(asked(&mut world, &settings).1, b"");
    assert!(is_paused(&world));
    assert_eq!(world.counters().backlog, 1);
}

#[test]
fn a_server_may_refuse_what_it_has_not_read_and_cannot_accept_it() {
    for (status, accepted, retry) in [(413, 0, None), (401, 0, None), (200, 100, Some(()))] {
        let mut world = World::new();
        for _ in 0..100 {
            let mut message = Message::new("a").unwrap();
            message.set("text", "x".repeat(2000).as_str());
            world.append_message(&message);
        }
        world.serve();
        let settings = settings();
        let mut talk = Talk::new(&world, &settings);
        talk.write(&mut world).unwrap();
        let heard = talk.hears(&mut world, &answer(status, ""));
        assert_eq!(heard.is_ok().then_some(()), retry, "{status}");
        assert_eq!(world.counters().accepted, 0);
        if retry.is_some() {
            talk.sent(&mut world).unwrap();
            talk.hears(&mut world, b"").unwrap();
        }
        assert_eq!(world.counters().accepted, accepted);
        assert_eq!(is_paused(&world), status == 401);
    }
}

#[test]
fn an_answer_without_end_ends_the_connection() {
    let cases: [(&str, &str, u64); 3] = [
        ("HTTP/1.1 200 OK\r\n", "X-A: xxxxxxxxxxxxxxxx\r\n", 1),
        (
            "HTTP/1.1 400 No\r\n\r\n",
            "all work and no play makes jack a dull boy\n",
            0,
        ),
        ("", "no HTTP at all", 0),
    ];
    for (head, line, accepted) in cases {
        let mut world = World::new();
        world.append_many(1);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        let mut heard = talk.hears(&mut world, head.as_bytes());
        for _ in 0..5000 {
            heard = heard.and_then(|_| talk.hears(&mut world, line.as_bytes()));
        }
        assert!(heard.is_err(), "{line}");
        assert_eq!(world.counters().accepted, accepted);
    }
}

#[test]
fn a_server_that_speaks_without_being_asked_is_left() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    let twice = [OK, OK].concat();
    let disconnect: Disconnect = talk.hears(&mut world, &twice).unwrap_err();
    assert_eq!(disconnect.retry, Retry::AtOnce);
    assert_eq!(world.counters().accepted, 1);
}

#[test]
fn a_backlog_that_is_read_anew_ends_the_connection() {
    let mut world = World::new();
    world.append_many(1);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    world.restart();
    talk.hears(&mut world, OK).unwrap();
    assert_eq!(world.counters().accepted, 0, "a late answer");
    let disconnect = talk.sent(&mut world).unwrap_err();
    assert_eq!(disconnect.retry, Retry::Renewed, "no server has closed it");
}

#[test]
fn random_bytes_never_panic() {
    let pieces = [
        "HTTP/1.1 ",
        "200 OK\r\n",
        "400\r\n",
        "099 \r\n",
        "Content-Length: 5\r\n",
        "content-length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\n",
        "\r\n",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "fffffffffffffffff\r\n",
        "\0",
        "é",
        "Retry-After: x\r\n",
        "HTTP/1.1 100 \r\n\r\n",
        "HTTP/1.1 101 \r\n\r\n",
        "Connection: close\r\n",
    ];
    for seed in 1..=5000 {
        let (mut random, mut world) = (Random(seed), World::new());
        world.append_many(3);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        let mut bytes = String::from(if random.below(4) == 0 {
            ""
        } else {
            "HTTP/1.1 200 \r\n"
        });
        (0..random.below(9)).for_each(|_| bytes.push_str(pieces[random.below(pieces.len())]));
        if talk
            .hears_in_pieces(&mut world, bytes.as_bytes(), &mut random)
            .is_ok()
        {
            talk.ends(&mut world);
        }
        world.counters();
    }
}
