//! How fast things go, as it is reported: rates, latencies, who is connected.

use crate::asking::Server;
use crate::asking::count;
use crate::asking::one;
use crate::asking::stream;
use crate::config;
use crate::http;
use crate::send;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;

const IMPATIENT: &str = "max_messages = 5\nretry = { min = \"50ms\", max = \"100ms\" }";

#[test]
fn acknowledgements_are_counted_by_how_long_they_took() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("latencies", &config(port, &http("cloud", away, IMPATIENT)));
    send(port, 0..20);
    let cloud = stream(&weir, "cloud");
    assert!(cloud["ack_latency_p50"].is_null(), "{cloud}");
    assert_eq!(cloud["rate"], 0.0, "nothing was taken");
    assert!(cloud["drain_time"].is_null(), "it does not shrink: {cloud}");
    let _server = Server::listen(away);
    eventually("all is taken", || count(&weir, "cloud", "accepted") == 20);
    let cloud = stream(&weir, "cloud");
    let latencies = &cloud["ack_latencies"];
    let counts = latencies["counts"].as_array().unwrap();
    let all: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(all, 20, "each message once: {cloud}");
    assert_eq!(
        counts.len(),
        latencies["bounds"].as_array().unwrap().len() + 1
    );
    assert!(latencies["sum"].as_f64() > Some(0.0), "{cloud}");
    let (p50, p95) = (&cloud["ack_latency_p50"], &cloud["ack_latency_p95"]);
    assert!(
        p50.as_f64() > Some(0.0) && p95.as_f64() >= p50.as_f64(),
        "{cloud}"
    );
    assert!(cloud["rate"].as_f64() > Some(0.0), "{cloud}");
}

#[test]
fn a_channel_tells_who_is_connected_and_when_it_was_heard() {
    let (port, streams) = (free_port(), http("cloud", free_port(), IMPATIENT));
    let weir = Weir::start("peers", &config(port, &streams));
    let channel = one(&weir, "/channels/programs");
    assert!(channel["last_message_age"].is_null(), "{channel}");
    assert_eq!(channel["peers"], serde_json::json!([]));
    let (mut first, _second) = (Lines::connect(port), Lines::connect(port));
    first.send("{\"ident\":\"a-rather-long-name\"}");
    first.send("{\"ident\":\"b\"}");
    first.await_acked(2);
    eventually("both are there", || {
        one(&weir, "/channels/programs")["connections"] == 2
    });
    let channel = one(&weir, "/channels/programs");
    let peers = channel["peers"].as_array().unwrap();
    assert_eq!(peers.len(), 2, "{channel}");
    let spoke = peers.iter().find(|peer| peer["messages"] == 2).unwrap();
    assert_eq!(spoke["ident"], "b", "of its last message");
    assert!(spoke["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(spoke["since"].as_f64() > Some(1.7e9), "{spoke}");
    let silent = peers.iter().find(|peer| peer["messages"] == 0).unwrap();
    assert!(silent["ident"].is_null(), "{silent}");
    assert!(channel["last_message_age"].as_f64() < Some(60.0));
    assert!(channel["rate"].as_f64() > Some(0.0), "{channel}");
    let listed = &one(&weir, "/channels")["peers"];
    assert!(listed.is_null(), "only where one is asked for");
    drop(first);
    eventually("it has gone", || {
        one(&weir, "/channels/programs")["peers"]
            .as_array()
            .unwrap()
            .len()
            == 1
    });
}
