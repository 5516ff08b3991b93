//! A thousand reloads under load, each of which changes one of two streams: the other one, the
//! channel and its connections do not notice, and each message arrives at both once.

use crate::config;
use crate::mqtt;
use crate::servers::Arrivals;
use crate::servers::Mosquitto;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::message;
use crate::weir::web::ask_socket;
use serde_json::Value;

const RELOADS: u64 = 1000;
/// Messages between two reloads.
const BETWEEN: u64 = 5;

/// Of the stream `moving` something else with each number.
fn text(port: u16, broker: u16, number: u64) -> String {
    let moving = format!("channels = [\"*\"]\nmax_messages = {}", 100 + number % 2);
    let moving = mqtt("moving", broker, &moving).replace("weir/{ident}", "moving/{ident}");
    let steady = mqtt("steady", broker, "channels = [\"*\"]");
    config(port, &(steady + &moving)).replace("\"off\"", "\"unix:@/api\"")
}

fn ask(weir: &Weir, method: &str, path: &str) -> Value {
    let (code, text) = ask_socket(&weir.folder.join("api"), method, path, "");
    assert_eq!(code, 200, "{method} {path}: {text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["result"][0].clone()
}

#[test]
fn a_thousand_reloads_of_one_stream_are_nothing_to_the_other() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let mut weir = Weir::start("many-reloads", &text(port, broker.port, 0));
    let mut lines = Lines::connect(port);
    let place = weir.folder.join("").display().to_string();
    for number in 0..RELOADS {
        let seqs = number * BETWEEN..(number + 1) * BETWEEN;
        seqs.for_each(|seq| lines.send(&message(seq)));
        let next = text(port, broker.port, number + 1).replace("@/", &place);
        weir.folder.write("weir.toml", &next);
        let done = ask(&weir, "POST", "/reload");
        let changes = serde_json::json!(["stream `moving` changed: `max_messages`"]);
        assert_eq!(done["changes"], changes);
    }
    let sent = RELOADS * BETWEEN;
    lines.await_acked(sent);
    let stream = |name: &str| ask(&weir, "GET", &format!("/streams/{name}"));
    for name in ["steady", "moving"] {
        eventually("all is delivered", || stream(name)["accepted"] == sent);
        let report = stream(name);
        for (key, count) in [
            ("stored", sent),
            ("backlog", 0),
            ("dropped", 0),
            ("skipped", 0),
        ] {
            assert_eq!(report[key], count, "{key}: {report}");
        }
    }
    assert_eq!(stream("steady")["connects"], 1);
    let channel = ask(&weir, "GET", "/channels/programs");
    assert_eq!(
        (&channel["received"], &channel["connections"]),
        (&sent.into(), &1.into())
    );
    assert_eq!(weir.stop(), Some(0));
    broker.settle(1);
    for topic in ["weir/", "moving/"] {
        let received = broker.received();
        let of_topic = received
            .iter()
            .filter(|(known, _)| known.starts_with(topic));
        let arrivals = Arrivals::of(of_topic.map(|(_, payload)| payload), "seq");
        arrivals.assert_complete(sent);
        assert_eq!(arrivals.repeats, 0, "sent twice to {topic}");
    }
}
