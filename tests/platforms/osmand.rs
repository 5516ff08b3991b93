//! `osmand`: weir to weir, and a server of ours that can be told to lose what it says it has.

use crate::config;
use crate::contract::Contract;
use crate::contract::Request;
use crate::contract::Taken;
use crate::contract::web;
use crate::send;
use crate::settled;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use std::fs;

fn stream(port: u16, more: &str) -> String {
    format!("type = \"osmand\"\nurl = \"http://127.0.0.1:{port}\"\n{more}")
}

fn numbered(number: u64) -> String {
    format!(
        "{{\"ident\":\"35209308123456{}\",\"timestamp\":{},\"position.latitude\":54.6872,\
         \"position.longitude\":-25.2797,\"position.speed\":{},\"position.direction\":326,\
         \"position.altitude\":106.5,\"position.satellites\":11,\"position.valid\":true,\
         \"engine.ignition.status\":true,\"vehicle.mileage\":12.3456,\"driver.code\":\"A &1\",\
         \"battery.level\":80,\"din.1\":1,\"text\":\"\u{e4}=&?\",\"seq\":{number}}}",
        number % 3,
        1_763_900_000.25 + number as f64,
        number % 110,
    )
}

#[test]
fn one_weir_takes_from_another_what_that_was_sent() {
    let (out, port, between) = (Folder::new("osmand"), free_port(), free_port());
    let lines = out.join("lines");
    let receiver = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"in\"\ntype = \"osmand\"\nlisten = \"127.0.0.1:{between}\"\n\
         [[stream]]\nname = \"out\"\ntype = \"file\"\npath = \"{}\"\nchannels = [\"*\"]\n",
        lines.display()
    );
    let mut second = Weir::start("osmand-second", &receiver);
    let first = Weir::start(
        "osmand-first",
        &config(port, &stream(between, "pipeline = 8")),
    );
    let messages: Vec<_> = (0..200).map(numbered).collect();
    send(port, &messages[..100]);
    second.kill();
    send(port, &messages[100..]);
    second.restart();
    assert_eq!(settled(&first), (200, 0), "{}", first.log());
    let read = || -> Vec<Value> {
        let text = fs::read_to_string(&lines).unwrap_or_default();
        let whole = text.lines().map(serde_json::from_str);
        whole.filter_map(Result::ok).collect()
    };
    let mut got: Vec<Value> = Vec::new();
    eventually("all are written", || {
        got = read();
        // what was on its way when it was killed comes twice
        let mut seen = std::collections::HashSet::new();
        got.retain(|message| seen.insert(message["seq"].as_u64()));
        got.len() == 200
    });
    for (number, (sent, got)) in messages.iter().zip(&got).enumerate() {
        let sent: Value = serde_json::from_str(sent).unwrap();
        for (name, value) in sent.as_object().unwrap() {
            let (value, got) = (value, &got[name]);
            let is_same = value == got || value.as_f64().is_some_and(|it| Some(it) == got.as_f64());
            assert!(is_same, "message {number}, `{name}`: {value} {got}");
        }
    }
}

/// What of these a server lacks that keeps the contract, or says it has what it forgets.
fn lost(forgets: bool) -> Vec<u64> {
    let server: Contract = web(move |request: &Request, taken: &Taken| {
        let number = request.path.split("&seq=").nth(1).unwrap();
        let number: u64 = number.split('&').next().unwrap().parse().unwrap();
        if !(forgets && number == 17) {
            taken.add(number);
        }
        (200, String::new())
    });
    let port = free_port();
    let keys = stream(server.port(), "pipeline = 4");
    let weir = Weir::start("osmand-contract", &config(port, &keys));
    let messages: Vec<_> = (0..40).map(numbered).collect();
    send(port, &messages);
    assert_eq!(settled(&weir), (40, 0));
    let taken = server.taken();
    assert!(taken.is_sorted(), "{taken:?}");
    (0..40).filter(|number| !taken.contains(number)).collect()
}

#[test]
fn several_requests_on_their_way_arrive_in_order_and_what_a_server_forgets_is_noticed() {
    assert_eq!(lost(false), [0; 0]);
    assert_eq!(lost(true), [17]);
}
