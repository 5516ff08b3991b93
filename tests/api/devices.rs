//! Who was heard of: when, where, how often, and what of it was refused.

use crate::IMPATIENT;
use crate::Lines;
use crate::asking::ask;
use crate::asking::run;
use crate::config;
use crate::http;
use crate::weir::Weir;
use crate::weir::free_port;
use serde_json::Value;
use serde_json::json;

fn devices(weir: &Weir, query: &str) -> Value {
    let (code, answer) = ask(weir, "GET", &format!("/devices{query}"), "");
    assert_eq!(code, 200, "{answer}");
    answer
}

/// Two channels, of which the second takes only some idents.
fn start(name: &str) -> (Weir, u16, u16) {
    let (port, other) = (free_port(), free_port());
    let more = format!(
        "[[channel]]\nname = \"few\"\ntype = \"json\"\nlisten = \"127.0.0.1:{other}\"\n\
         idents = [\"3520*\"]\n[[device]]\nname = \"truck 7\"\nident = \"35209*\"\n"
    );
    let streams = http("cloud", free_port(), IMPATIENT) + &more;
    (Weir::start(name, &config(port, &streams)), port, other)
}

/// Sends what a truck tells; how it is reported.
fn truck(weir: &Weir, port: u16) -> Value {
    let mut lines = Lines::connect(port);
    for (n, time) in [(0, 1_700_000_000), (1, 1_700_000_005), (2, 1_700_000_060)] {
        lines.send(&format!(
            "{{\"ident\":\"352091\",\"timestamp\":{time},\"position.latitude\":54.{n},\
             \"position.longitude\":-25.5,\"position.speed\":{n}.5,\"position.altitude\":90}}"
        ));
    }
    // measured before the last one
    lines.send(
        "{\"ident\":\"352091\",\"timestamp\":1700000001,\"position.latitude\":1,\
         \"position.longitude\":2}",
    );
    lines.await_acked(4);
    devices(weir, "?ident=352091")["result"][0].clone()
}

#[test]
fn a_device_is_there_with_what_it_sent_and_where_it_was() {
    let (weir, port, _) = start("truck");
    assert_eq!(devices(&weir, ""), json!({ "result": [], "forgotten": 0 }));
    let truck = truck(&weir, port);
    let of = |name: &str| truck[name].clone();
    assert_eq!([of("device"), of("channel")], ["truck 7", "programs"]);
    assert_eq!((of("protocol"), of("count")), ("json".into(), 4.into()));
    assert!(truck["last_message"].as_f64() > Some(1.7e9), "{truck}");
    assert!(truck["age"].as_f64() < Some(600.0), "{truck}");
    let position = json!({
        "latitude": 54.2, "longitude": -25.5, "altitude": 90.0, "speed": 2.5, "direction": null,
        "timestamp": 1_700_000_060,
    });
    assert_eq!(truck["position"], position);
    let track = json!([[54.0, -25.5, 1_700_000_000], [54.2, -25.5, 1_700_000_060]]);
    assert_eq!(truck["track"], track);
    assert!(devices(&weir, "")["result"][0].get("track").is_none());
}

#[test]
fn what_was_refused_of_whom_is_there_and_some_can_be_asked_for() {
    let (weir, port, other) = start("refused");
    truck(&weir, port);
    let mut lines = Lines::connect(port);
    lines.send("{\"ident\":\"tablet\"}");
    lines.await_acked(1);
    let mut few = Lines::connect(other);
    for ident in ["tablet", "unknown"] {
        few.send(&format!("{{\"ident\":\"{ident}\"}}"));
        assert!(few.answer().contains("error"));
    }
    let found = |query: &str| devices(&weir, query)["result"].as_array().unwrap().clone();
    let idents: Vec<_> = found("").iter().map(|it| it["ident"].clone()).collect();
    assert_eq!(idents, ["unknown", "tablet", "352091"]);
    let tablet = &found("?ident=tab%6cet")[0];
    let (refused, why) = (&tablet["refused"], &tablet["last_refusal"]);
    assert_eq!((refused, why), (&1.into(), &"ident not in idents".into()));
    assert_eq!(
        (&tablet["count"], &tablet["channel"]),
        (&1.into(), &"few".into())
    );
    assert_eq!(tablet["position"], Value::Null);
    let (code, page) = run(&weir, &["devices"]);
    let lines: Vec<_> = page.lines().collect();
    assert_eq!((code, lines.len()), (0, 4), "{page}");
    assert!(lines[0].starts_with("IDENT    DEVICE   CHANNEL"), "{page}");
    assert!(
        lines[2].starts_with("tablet            few (json)"),
        "{page}"
    );
    assert!(lines[2].ends_with("1, ident not in idents"), "{page}");
    assert!(lines[3].contains("54.20000 -25.50000, 2 km/h"), "{page}");
    let (_, text) = run(&weir, &["devices", "352*", "--json"]);
    let parsed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed[0]["track"].as_array().unwrap().len(), 2, "{text}");
    for (query, count) in [("?ident=3*", 1), ("?count=2", 2), ("?ident=nobody", 0)] {
        assert_eq!(found(query).len(), count, "{query}");
    }
}

#[test]
fn a_thousand_are_remembered_and_who_was_silent_for_longest_is_forgotten() {
    let (weir, port, other) = start("crowd");
    let mut lines = Lines::connect(port);
    for number in 0..1100 {
        lines.send(&format!("{{\"ident\":\"d{number}\"}}"));
    }
    lines.send("{\"ident\":\"d76\"}");
    lines.await_acked(1101);
    // strangers push out nobody
    let mut few = Lines::connect(other);
    for number in 0..50 {
        few.send(&format!("{{\"ident\":\"stranger-{number}\"}}"));
        assert!(few.answer().contains("error"));
    }
    let all = devices(&weir, "");
    let result = all["result"].as_array().unwrap();
    assert_eq!(result.len(), 1024);
    assert_eq!(all["forgotten"], 76 + 50);
    assert_eq!(
        (&result[0]["ident"], &result[0]["count"]),
        (&"d76".into(), &2.into())
    );
    let oldest: Vec<_> = result[1022..].iter().map(|it| &it["ident"]).collect();
    assert_eq!(oldest, ["d78", "d77"]);
}
