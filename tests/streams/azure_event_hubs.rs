//! Azure Event Hubs: what the link says to a server that a test plays.

use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;
use weir::net::Target;
use weir::stream::azure_event_hubs::AzureEventHubs;
use weir::stream::settings::Settings;
use weir::template::Template;

fn settings(partition_key: Option<&str>) -> Settings {
    let host = "ns.servicebus.windows.net".into();
    let hub = AzureEventHubs {
        target: Target { host, port: 443 },
        hub: "Hub1".into(),
        policy: "send".into(),
        key: "as it stands".into(),
        partition_key: partition_key.map(|text| Template::parse(text).unwrap()),
    };
    talk::settings(hub, delivery())
}

/// The head and the events of a request.
fn request(bytes: &[u8]) -> (String, Vec<Value>) {
    let text = str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

const TAKEN: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_request_has_events_of_one_partition_key() {
    let (settings, mut world) = (settings(Some("{ident}-{n}")), World::new());
    world.append_many(2);
    let mut talk = Talk::new(&world, &settings);
    let (head, events) = request(&talk.sent(&mut world).unwrap());
    let first = "POST /Hub1/messages?timeout=60&api-version=2014-01 HTTP/1.1\r\n";
    assert!(head.starts_with(first), "{head}");
    let content_type = "content-type: application/vnd.microsoft.servicebus.json\r\n";
    assert!(head.contains(content_type), "{head}");
    let token = "authorization: SharedAccessSignature \
                 sr=https%3A%2F%2Fns.servicebus.windows.net%2FHub1&sig=";
    assert!(head.contains(token), "{head}");
    assert!(head.contains("&se=1800003700&skn=send\r\n"), "{head}");
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0]["BrokerProperties"],
        json!({ "PartitionKey": "a-0" })
    );
    let properties = json!({ "ident": "a", "id": "00000000:1" });
    assert_eq!(events[0]["UserProperties"], properties);
    let body: Value = serde_json::from_str(events[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["ident"], &body["n"]), (&"a".into(), &0.into()));
    talk.hears(&mut world, TAKEN).unwrap();
    let (_, events) = request(&talk.sent(&mut world).unwrap());
    assert_eq!(events[0]["BrokerProperties"]["PartitionKey"], "a-1");
    talk.hears(&mut world, TAKEN).unwrap();
    assert_eq!(world.counters().accepted, 2);
}

#[test]
fn without_a_partition_key_all_go_together() {
    let (settings, mut world) = (settings(None), World::new());
    for ident in ["a", "b", "a"] {
        world.append(ident);
    }
    world.serve();
    let (_, events) = request(&Talk::new(&world, &settings).sent(&mut world).unwrap());
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].get("BrokerProperties"), None);
}

#[test]
fn a_key_that_no_hub_takes_costs_its_message_alone() {
    let (settings, mut world) = (settings(Some("{ident}{ident}{ident}")), World::new());
    for ident in ["a", &"x".repeat(42), &"x".repeat(43)] {
        world.append(ident);
    }
    world.serve();
    let mut talk = Talk::new(&world, &settings);
    for _ in 0..2 {
        talk.sent(&mut world).unwrap();
        talk.hears(&mut world, TAKEN).unwrap();
    }
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.filtered), (2, 1));
    let told = format!("{:?}", world.events());
    assert!(told.contains("the partition key has 129 bytes"), "{told}");
}

#[test]
fn another_yes_than_201_costs_nothing_and_a_token_is_renewed() {
    let (settings, mut world) = (settings(None), World::new());
    world.append_many(1);
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    let portal = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>";
    talk.hears(&mut world, portal).unwrap();
    assert_eq!(world.counters().accepted, 0);
    world.pass(Duration::from_secs(2880));
    let (head, _) = request(&talk.sent(&mut world).unwrap());
    assert!(head.contains("&se=1800006580&"), "{head}");
    talk.hears(&mut world, TAKEN).unwrap();
    assert_eq!(world.counters().accepted, 1);
}
