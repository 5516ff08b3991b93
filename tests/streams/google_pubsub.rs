//! Google Pub/Sub: what the link says to a server that a test plays.

use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::Engine as _;
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;
use weir::net::Target;
use weir::stream::google_pubsub::Account;
use weir::stream::google_pubsub::GooglePubsub;
use weir::stream::jwt::Signer;
use weir::stream::settings::Settings;

fn settings(ordering: bool) -> Settings {
    let text = include_str!("../support/service_account.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let signer = Signer::new(file["private_key"].as_str().unwrap(), "key-1").unwrap();
    let email = "weir@example.com".to_owned();
    let host = "pubsub.googleapis.com".into();
    let pubsub = GooglePubsub {
        target: Target { host, port: 443 },
        path: "/v1/projects/p/topics/t:publish".into(),
        account: Rc::new(Account { email, signer }),
        ordering,
    };
    talk::settings(pubsub, delivery())
}

/// The head and the messages of a request.
fn request(bytes: &[u8]) -> (String, Vec<Value>) {
    let text = str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    (
        head.to_owned(),
        body["messages"].as_array().unwrap().clone(),
    )
}

fn took(messages: usize) -> Vec<u8> {
    let ids: Vec<String> = (0..messages).map(|id| id.to_string()).collect();
    let body = serde_json::json!({ "messageIds": ids }).to_string();
    let len = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{body}").into_bytes()
}

fn token(head: &str) -> &str {
    let token = head.split("authorization: Bearer ").nth(1).unwrap();
    token.lines().next().unwrap()
}

#[test]
fn a_request_has_the_messages_of_one_tracker() {
    let (settings, mut world) = (settings(true), World::new());
    for ident in ["a", "b", "a"] {
        world.append(ident);
    }
    world.serve();
    let mut talk = Talk::new(&world, &settings);
    let (head, messages) = request(&talk.sent(&mut world).unwrap());
    assert!(head.starts_with("POST /v1/projects/p/topics/t:publish HTTP/1.1\r\n"));
    assert!(head.contains("host: pubsub.googleapis.com\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["orderingKey"], "a");
    let attributes = serde_json::json!({ "ident": "a", "id": "00000000:3" });
    assert_eq!(messages[1]["attributes"], attributes);
    let data = BASE64_STANDARD.decode(messages[1]["data"].as_str().unwrap());
    let data: Value = serde_json::from_slice(&data.unwrap()).unwrap();
    assert_eq!((&data["ident"], &data["n"]), (&"a".into(), &2.into()));
    talk.hears(&mut world, &took(2)).unwrap();
    let (_, messages) = request(&talk.sent(&mut world).unwrap());
    assert_eq!(messages[0]["orderingKey"], "b");
}

#[test]
fn without_an_order_all_go_together_and_without_a_key() {
    let (settings, mut world) = (settings(false), World::new());
    for ident in ["a", "b", "a"] {
        world.append(ident);
    }
    world.serve();
    let (_, messages) = request(&Talk::new(&world, &settings).sent(&mut world).unwrap());
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0].get("orderingKey"), None);
}

#[test]
fn a_token_is_renewed_before_its_hour_is_over_and_waits_for_the_date() {
    let (settings, mut world) = (settings(true), World::new());
    let mut talk = Talk::new(&world, &settings);
    let mut next = |world: &mut World, pass: u64| {
        world.pass(Duration::from_secs(pass));
        world.append("a");
        world.serve();
        let (head, _) = request(&talk.sent(world).unwrap());
        talk.hears(world, &took(1)).unwrap();
        token(&head).to_owned()
    };
    let first = next(&mut world, 0);
    assert_eq!(next(&mut world, 2879), first);
    assert_ne!(next(&mut world, 1), first);
    world.now.wall.trusted = false;
    world.append("a");
    world.serve();
    let lost = Talk::new(&world, &settings).sent(&mut world).unwrap_err();
    assert!(lost.error.reason.contains("date"), "{lost:?}");
}

#[test]
fn fewer_ids_than_messages_cost_nothing() {
    let (settings, mut world) = (settings(true), World::new());
    world.append_many(2);
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, &took(1)).unwrap();
    assert_eq!(world.counters().accepted, 0);
    world.wait();
    let (_, messages) = request(&talk.sent(&mut world).unwrap());
    assert_eq!(messages.len(), 2);
    talk.hears(&mut world, &took(2)).unwrap();
    assert_eq!(world.counters().accepted, 2);
}
