//! HTTP: what a request carries, and what is made ready while an answer is awaited.

use crate::http::OK;
use crate::http::SECOND;
use crate::http::answer;
use crate::http::asked;
use crate::http::is_paused;
use crate::http::numbers;
use crate::http::settings;
use crate::http::settings_to;
use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number_of;
use weir::message::Message;
use weir::stream::engine::Event;
use weir::stream::http::Http;
use weir::stream::settings::Settings;
use weir::stream::settings::Stamp;
use weir::stream::settings::StampOf;
use weir::template::Template;

fn of_http(change: impl FnOnce(&mut Http)) -> Settings {
    talk::changed(settings(), change)
}

fn split(request: &[u8]) -> (String, &[u8]) {
    let text = String::from_utf8_lossy(request);
    let head = text.split_inclusive("\r\n\r\n").next().unwrap();
    (head.to_owned(), &request[head.len()..])
}

fn skipped(world: &mut World) -> usize {
    let events = world.events();
    let skipped = events.iter().filter(|e| matches!(e, Event::Skipped { .. }));
    skipped.count()
}

/// Messages 0 to 199, of which 150 has no `plate`.
fn world_with_a_gap() -> World {
    let mut world = World::new();
    for number in 0..200_u64 {
        let mut message = Message::new("a").unwrap();
        message.set("n", number);
        if number != 150 {
            message.set("plate", "x");
        }
        world.append_message(&message);
    }
    world.serve();
    world
}

#[test]
fn while_an_answer_is_awaited_the_next_body_is_made() {
    let mut world = world_with_a_gap();
    let settings = settings_to("/{plate}", delivery());
    let (mut talk, first) = asked(&mut world, &settings);
    assert_eq!(numbers(&first), (0..100).collect::<Vec<_>>());
    assert_eq!(skipped(&mut world), 1, "the second batch was looked at");
    talk.hears(&mut world, OK).unwrap();
    let rest: Vec<_> = (100..200).filter(|n| *n != 150).collect();
    assert_eq!(numbers(&talk.sent(&mut world).unwrap()), rest);
    assert_eq!(skipped(&mut world), 0, "and not once more");
}

#[test]
fn a_batch_that_is_not_full_is_not_made_before_its_time() {
    let mut world = World::new();
    world.append_many(150);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    world.append_many(30);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, OK).unwrap();
    assert_eq!(numbers(&talk.sent(&mut world).unwrap()).len(), 80);
}

#[test]
fn what_was_made_ready_is_thrown_away_when_something_else_is_next() {
    for (status, next) in [(400, 0..50), (413, 0..50), (503, 0..100), (401, 0..100)] {
        let mut world = World::new();
        world.append_many(250);
        let settings = settings();
        let (mut talk, _) = asked(&mut world, &settings);
        talk.hears(&mut world, &answer(status, "")).unwrap();
        world.wait();
        let sent = numbers(&talk.sent(&mut world).unwrap());
        assert_eq!(sent, next.collect::<Vec<_>>(), "{status}");
    }
}

#[test]
fn what_grows_too_old_after_it_was_made_ready_is_not_sent() {
    let ttl = 60 * SECOND;
    let mut world = World::limited(delivery(), Some(ttl));
    world.append_many(110);
    world.pass(30 * SECOND);
    world.append_many(90);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    world.pass(31 * SECOND);
    talk.hears(&mut world, OK).unwrap();
    let sent = numbers(&talk.sent(&mut world).unwrap());
    assert_eq!(sent, (110..200).collect::<Vec<_>>());
    assert_eq!(world.counters().expired, 10);
}

#[test]
fn what_was_made_ready_does_not_outlive_a_new_beginning() {
    let mut world = World::new();
    world.append_many(250);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    world.restart();
    let disconnect = talk.sent(&mut world).unwrap_err();
    lose(&mut world, &disconnect);
    let (_, request) = asked(&mut world, &settings);
    assert_eq!(numbers(&request), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_slow_way_shrinks_what_was_made_ready() {
    let mut world = World::new();
    world.append_many(250);
    let settings = settings();
    let (mut talk, _) = asked(&mut world, &settings);
    let disconnect = talk.wakes(&mut world).unwrap_err();
    lose(&mut world, &disconnect);
    let (mut talk, request) = asked(&mut world, &settings);
    assert_eq!(numbers(&request).len(), 50);
    talk.hears(&mut world, OK).unwrap();
    let second = numbers(&talk.sent(&mut world).unwrap());
    assert_eq!(second.first(), Some(&50), "none is left out");
}

#[test]
fn poison_is_found_although_requests_time_out_meanwhile() {
    let mut world = World::new();
    world.append_many(100);
    let settings = settings();
    let (mut taken, mut requests, mut timeouts) = (Vec::new(), 0, 0);
    let mut talk = Talk::new(&world, &settings);
    while world.counters().backlog > 0 {
        let sent = numbers(&talk.sent(&mut world).unwrap());
        requests += 1;
        if requests % 3 == 0 {
            timeouts += 1;
            let disconnect = talk.wakes(&mut world).unwrap_err();
            lose(&mut world, &disconnect);
            talk = Talk::new(&world, &settings);
            continue;
        }
        let refused = sent.contains(&61);
        let status = if refused { 422 } else { 200 };
        talk.hears(&mut world, &answer(status, "")).unwrap();
        taken.extend(sent.into_iter().filter(|_| !refused));
    }
    assert_eq!(taken, (0..100).filter(|n| *n != 61).collect::<Vec<_>>());
    assert_eq!(world.counters().given_up, 1);
    // 2 log2 100 = 13.3, and batches that grow again after those without an answer
    assert!(requests - timeouts <= 13 + 7, "{requests}, {timeouts}");
}

#[test]
fn a_body_is_compressed_where_that_is_asked_for() {
    let mut world = World::new();
    world.append_many(250);
    let settings = of_http(|http| http.gzip = true);
    let mut talk = Talk::new(&world, &settings);
    let mut all = Vec::new();
    while world.counters().backlog > 0 {
        let request = talk.sent(&mut world).unwrap();
        let (head, body) = split(&request);
        assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
        let len = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&len), "{head}");
        let deflated = &body[10..body.len() - 8];
        let plain = miniz_oxide::inflate::decompress_to_vec(deflated).unwrap();
        assert!(plain.len() > 3 * body.len(), "{}", body.len());
        let array: Vec<serde_json::Value> = serde_json::from_slice(&plain).unwrap();
        all.extend(array.iter().map(number_of));
        talk.hears(&mut world, OK).unwrap();
    }
    assert_eq!(all, (0..250).collect::<Vec<_>>());
}

#[test]
fn a_server_that_takes_no_gzip_costs_no_message() {
    let mut world = World::new();
    world.append_many(20);
    let settings = of_http(|http| http.gzip = true);
    let (mut talk, _) = asked(&mut world, &settings);
    let refusal = answer(415, "Accept-Encoding: identity\r\n");
    talk.hears(&mut world, &refusal).unwrap();
    assert!(is_paused(&world));
    assert_eq!(world.counters().given_up, 0);
}

#[test]
fn a_body_of_ones_own_carries_one_message_a_request() {
    let mut world = World::new();
    for (number, plate) in [(0_u64, "A \"1\""), (1, "B\\2"), (2, "")] {
        let mut message = Message::new("a").unwrap();
        message.set("n", number);
        message.set("plate", plate);
        world.append_message(&message);
    }
    world.append_many(1);
    let template = r#"{{"n":{n},"who":"{ident}/{plate}","id":"{id}"}"#;
    let mut settings = of_http(|http| http.body = Some(Template::parse(template).unwrap()));
    settings.transform.stamp = Some(Stamp {
        name: "id".into(),
        of: StampOf::Record,
    });
    let mut talk = Talk::new(&world, &settings);
    let mut bodies = Vec::new();
    while world.counters().backlog > 0 {
        let request = talk.sent(&mut world).unwrap();
        let (_, body) = split(&request);
        if let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) {
            bodies.push((body["n"].clone(), body["who"].clone()));
            assert!(body["id"].as_str().unwrap().contains(':'), "{body}");
            talk.hears(&mut world, OK).unwrap();
        }
    }
    let said = |n: u64, who: &str| (n.into(), who.into());
    let wanted = [said(0, "a/A \"1\""), said(1, "a/B\\2"), said(2, "a/")];
    assert_eq!(bodies, wanted);
    assert_eq!(world.counters().filtered, 1, "it has no plate");
}
