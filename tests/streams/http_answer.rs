//! HTTP: answers that break the rules. Their status counts.

use crate::http::SECOND;
use crate::http::answer;
use crate::http::asked;
use crate::http::is_paused;
use crate::http::parse;
use crate::http::settings;
use crate::http::settings_to;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use weir::stream::Disconnect;
use weir::stream::Retry;

/// Heads that cannot be read, each with its status.
fn broken(status: u16) -> Vec<(&'static str, String)> {
    let head = |more: &str| format!("HTTP/1.1 {status} X\r\n{more}\r\n");
    let many: String = (0..129).map(|n| format!("X-{n}: y\r\n")).collect();
    vec![
        ("a blank before a colon", head("Content-Length : 0\r\n")),
        (
            "a line without a colon",
            head("nonsense\r\nContent-Length: 0\r\n"),
        ),
        ("more than 128 headers", head(&many)),
        (
            "over 16 KiB",
            head(&format!("X: {}\r\n", "y".repeat(17_000))),
        ),
        ("a length that is none", head("Content-Length: many\r\n")),
        (
            "a control character",
            head("X: \u{1}\r\nContent-Length: 0\r\n"),
        ),
    ]
}

/// A batch of ten, asked, and the answer heard in pieces of 1,000 bytes.
fn heard(world: &mut World, text: &str) -> Disconnect {
    let settings = settings();
    world.append_many(10);
    let (mut talk, _) = asked(world, &settings);
    for piece in text.as_bytes().chunks(1_000) {
        if let Err(disconnect) = talk.hears(world, piece) {
            return disconnect;
        }
    }
    panic!("the connection is kept: {}", &text[..60]);
}

#[test]
fn a_success_with_a_head_that_cannot_be_read_is_a_success() {
    for (what, text) in broken(200) {
        let mut world = World::new();
        let disconnect = heard(&mut world, &text);
        assert_eq!(world.counters().accepted, 10, "{what}");
        assert_eq!(disconnect.retry, Retry::AtOnce, "{what}");
    }
}

#[test]
fn a_refusal_with_a_head_that_cannot_be_read_is_a_refusal() {
    for (what, text) in broken(422) {
        let mut world = World::new();
        let disconnect = heard(&mut world, &text);
        lose(&mut world, &disconnect);
        let settings = settings();
        let (mut talk, second) = asked(&mut world, &settings);
        assert_eq!(crate::http::numbers(&second).len(), 5, "halved: {what}");
        talk.hears(&mut world, &answer(200, "")).unwrap();
    }
    for (what, text) in broken(401) {
        let mut world = World::new();
        heard(&mut world, &text);
        assert!(is_paused(&world), "{what}");
        assert_eq!(world.counters().backlog, 10, "{what}");
    }
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it_whatever_else_it_says() {
    let mut world = World::new();
    heard(
        &mut world,
        "HTTP/1.1 503 X\r\nRetry-After: 100\r\nA : b\r\n\r\n",
    );
    let until = world.engine.paused_until(world.now).unwrap();
    assert_eq!(until - world.now.mono, 100 * SECOND);
}

#[test]
fn what_is_no_answer_at_all_means_nothing() {
    for text in [
        "ICY 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "\r\n{\"ok\":1}",
    ] {
        let mut world = World::new();
        let disconnect = heard(&mut world, text);
        assert_eq!(disconnect.retry, Retry::Paused, "{text}");
        assert_eq!(world.counters().backlog, 10, "{text}");
    }
}

#[test]
fn an_interim_answer_with_headers_is_not_the_answer() {
    for interim in [
        "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink : y\r\n\r\n",
    ] {
        let (mut world, settings) = (World::new(), settings());
        world.append_many(10);
        let (mut talk, _) = asked(&mut world, &settings);
        talk.hears(&mut world, interim.as_bytes()).unwrap();
        assert_eq!(world.counters().backlog, 10);
        talk.hears(&mut world, &answer(200, "")).unwrap();
        assert_eq!(world.counters().accepted, 10, "{interim}");
    }
}

#[test]
fn the_status_counts_where_the_head_never_ends() {
    let begun = |world: &mut World, text: &str, end: fn(&mut World, &mut Talk<'_>)| {
        let settings = settings();
        world.append_many(10);
        let (mut talk, _) = asked(world, &settings);
        talk.hears(world, text.as_bytes()).unwrap();
        end(world, &mut talk);
    };
    let ends: [fn(&mut World, &mut Talk<'_>); 2] = [
        |world, talk| {
            assert_eq!(talk.closes(world).retry, Retry::AtOnce);
        },
        |world, talk| {
            assert_eq!(talk.wakes(world).unwrap_err().retry, Retry::AtOnce);
        },
    ];
    for end in ends {
        let mut world = World::new();
        begun(&mut world, "HTTP/1.1 200 OK\r\nServer: x\r\n", end);
        assert_eq!(world.counters().accepted, 10);
        let mut world = World::new();
        begun(&mut world, "HTTP/1.1 403 No\r\nServer: x\r\n", end);
        assert!(is_paused(&world));
    }
    let mut world = World::new();
    begun(&mut world, "HTTP/1.1 20", |world, talk| {
        assert_eq!(talk.closes(world).retry, Retry::Paused);
    });
    assert_eq!(world.counters().backlog, 10);
}

#[test]
fn the_status_counts_where_the_body_cannot_be_read() {
    let mut world = World::new();
    let text = "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    let disconnect = heard(&mut world, text);
    assert_eq!(disconnect.retry, Retry::AtOnce);
    assert!(is_paused(&world));
    let events = format!("{:?}", world.events());
    assert!(events.contains("code: 401"), "{events}");
}

#[test]
fn a_token_in_the_path_is_not_told_though_the_server_repeats_it() {
    let settings = settings_to("/api/v1/A1_TEST_TOKEN/telemetry", delivery());
    let mut world = World::new();
    world.append_many(1);
    let (mut talk, asked) = asked(&mut world, &settings);
    assert_eq!(parse(&asked).0, "/api/v1/A1_TEST_TOKEN/telemetry");
    let body = "Cannot POST /api/v1/A1_TEST_TOKEN/telemetry";
    let head = format!("HTTP/1.1 404 X\r\nContent-Length: {}\r\n\r\n", body.len());
    talk.hears(&mut world, (head + body).as_bytes()).unwrap();
    let told = format!("{:?}", world.events());
    assert!(
        told.contains("Cannot POST /api/v1/***/telemetry; look at `url`"),
        "{told}"
    );
}
