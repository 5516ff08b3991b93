//! Ten pains of those who forward from vehicles with what there is today, each made with the real
//! daemon, and each shown not to hurt. After each the counters balance, and again after
//! `kill -9` and a restart. Needs mosquitto and nginx, which `tests/run` installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
mod broker;
mod destination;
mod nginx;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/servers.rs"]
mod servers;
mod storage;
mod web;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use asking::count;
use asking::one;
use asking::stream;
use serde_json::Value;
use weir::Lines;
use weir::Weir;
use weir::message;

/// One JSON channel, the API on a socket in the folder, and whatever streams a test needs.
fn config(port: u16, ring: &str, streams: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\n{ring}\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n{streams}"
    )
}

/// All is written at once, so that what is acknowledged is on disk.
const SMALL: &str = "size = \"1 MiB\"\ncommit = { delay = \"5ms\", hold = \"0s\" }";

fn http(port: u16, more: &str) -> String {
    format!(
        "[[stream]]\nname = \"cloud\"\ntype = \"http\"\nurl = \"http://127.0.0.1:{port}/\"\n\
         channels = [\"*\"]\nretry = {{ min = \"50ms\", max = \"200ms\" }}\n{more}\n"
    )
}

fn mqtt(port: u16, more: &str) -> String {
    format!(
        "[[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         topic = \"weir/{{ident}}\"\nchannels = [\"*\"]\n\
         retry = {{ min = \"50ms\", max = \"200ms\" }}\n{more}\n"
    )
}

/// Sends messages of these numbers and waits until they are acknowledged.
fn send(port: u16, numbers: std::ops::Range<u64>) {
    let count = numbers.end - numbers.start;
    let mut lines = Lines::connect(port);
    for (sent, number) in numbers.enumerate() {
        lines.send(&message(number));
        let sent = sent as u64 + 1;
        if sent.is_multiple_of(500) {
            lines.await_acked(sent);
        }
    }
    if !count.is_multiple_of(500) {
        lines.await_acked(count);
    }
}

/// The sum holds now, and again after `kill -9` and a restart, when nothing that was stored is
/// forgotten. How far the stream came is on disk a while later: it may go back a bit.
fn assert_balanced(weir: &mut Weir) -> Value {
    let (before, after) = balances(weir);
    assert_eq!(before["stored"], after["stored"], "{before} {after}");
    after
}

/// The stream before and after `kill -9`, each with a sum that holds.
fn balances(weir: &mut Weir) -> (Value, Value) {
    let before = stream(weir, "cloud");
    weir.kill();
    weir.restart();
    let after = stream(weir, "cloud");
    assert_eq!(
        (&before["corrupt"], &after["corrupt"]),
        (&0.into(), &0.into())
    );
    (before, after)
}

/// What the events of the stream say, in words.
fn reasons(weir: &Weir) -> Vec<String> {
    let (_, answer) = asking::ask(weir, "GET", "/streams/cloud/logs?count=100", "");
    let events = answer["result"].as_array().unwrap().iter();
    let reasons = events.filter_map(|event| event["reason"].as_str());
    reasons.map(str::to_owned).collect()
}
