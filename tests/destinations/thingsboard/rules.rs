//! What ThingsBoard is particular about, one rule at a time.

use super::server::{self, Server};
use crate::asking;
use crate::contract::web;
use crate::weir::{Lines, Weir, eventually, free_port};
use std::sync::{Arc, Mutex};

fn config(port: u16, keys: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
         commit = {{ delay = \"5ms\", hold = \"0s\" }}\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"thingsboard\"\nchannels = [\"*\"]\n\
         retry = {{ min = \"50ms\", max = \"200ms\" }}\n{keys}\n"
    )
}

fn gateway(port: u16, more: &str) -> String {
    format!(
        "url = \"mqtt://127.0.0.1:{port}\"\ntoken = \"right-secret\"\nprofile = \"tracker\"\n{more}"
    )
}

/// Messages of three devices in turns, five data points each.
fn send(port: u16, count: u64) {
    let mut lines = Lines::connect(port);
    for number in 0..count {
        let ident = number % 3;
        lines.send(&format!(
            "{{\"ident\":\"truck {ident}\",\"timestamp\":{},\"seq\":{number},\"a\":1,\"b\":2.5,\
             \"c\":true,\"d\":\"x\"}}",
            1_700_000_000 + number
        ));
    }
    lines.await_acked(count);
}

fn settled(weir: &Weir) {
    eventually("all is settled", || {
        asking::count(weir, "cloud", "backlog") == 0
    });
}

#[test]
fn rates_that_are_told_are_kept_and_each_device_is_connected_once() {
    let server = Server {
        told: 400,
        points: 400,
        ..Server::default()
    };
    let (contract, port) = (server::start(server.clone()), free_port());
    let weir = Weir::start("tb-rates", &config(port, &gateway(contract.port(), "")));
    send(port, 300);
    settled(&weir);
    let mut taken = contract.taken();
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.exceeded, 0);
    assert_eq!(seen.connected.len(), 3, "{:?}", seen.connected);
    for turn in 0..3 {
        let of_one = taken.iter().filter(|number| *number % 3 == turn);
        assert!(of_one.is_sorted());
    }
    taken.sort_unstable();
    assert_eq!(taken, (0..300).collect::<Vec<_>>());
}

/// The switch: a server that tells more than it takes.
#[test]
fn a_rate_that_is_told_wrong_is_noticed_and_costs_no_message() {
    let server = Server {
        told: 2_000,
        points: 200,
        ..Server::default()
    };
    let (contract, port) = (server::start(server.clone()), free_port());
    let weir = Weir::start("tb-wrong", &config(port, &gateway(contract.port(), "")));
    send(port, 200);
    settled(&weir);
    assert!(server.seen.lock().unwrap().exceeded > 0);
    weir.await_log("quota exceeded (0x97)");
    let mut taken = contract.taken();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken, (0..200).collect::<Vec<_>>());
}

#[test]
fn a_device_that_is_not_marked_as_a_gateway_is_named_with_what_to_do() {
    for knows_limits in [true, false] {
        let server = Server {
            is_gateway: false,
            knows_limits,
            ..Server::default()
        };
        let (contract, port) = (server::start(server), free_port());
        let keys = gateway(contract.port(), "timeout = \"500ms\"");
        let weir = Weir::start("tb-none", &config(port, &keys));
        send(port, 3);
        weir.await_log("not marked as a gateway in its details: mark it, or write `mode");
        assert_eq!(asking::count(&weir, "cloud", "backlog"), 3);
        let device = format!(
            "url = \"mqtt://127.0.0.1:{}\"\ntoken = \"right-secret\"\nmode = \"device\"",
            contract.port()
        );
        weir.reload(&config(port, &device));
        settled(&weir);
        assert_eq!(contract.taken(), [0, 1, 2]);
        assert!(!weir.log().contains("right-secret"));
    }
}

#[test]
fn a_server_that_does_not_know_the_question_gets_all_those_of_one_device_together() {
    let server = Server {
        knows_limits: false,
        ..Server::default()
    };
    let (contract, port) = (server::start(server.clone()), free_port());
    let keys = gateway(contract.port(), "timeout = \"500ms\"");
    let weir = Weir::start("tb-old", &config(port, &keys));
    send(port, 100);
    settled(&weir);
    assert_eq!(contract.taken().len(), 100);
    let publishes = server.seen.lock().unwrap().publishes;
    assert!(publishes < 50, "{publishes}");
}

#[test]
fn one_device_is_told_of_by_http_and_its_token_stands_in_no_log() {
    let paths = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&paths);
    let contract = web(move |request, taken| {
        kept.lock().unwrap().push(request.path.clone());
        if request.path != "/tb/api/v1/Right-Secret-1/telemetry" {
            return (401, format!("no {}", request.path));
        }
        if request.body.contains("\"seq\":7,") {
            return (500, "Can't parse value: not a JSON".into());
        }
        taken.add_json(&request.body);
        (200, String::new())
    });
    let port = free_port();
    let keys = |token: &str| {
        let url = format!("http://127.0.0.1:{}/tb/", contract.port());
        config(port, &format!("url = \"{url}\"\ntoken = \"{token}\""))
    };
    let weir = Weir::start("tb-http", &keys("Wrong-Secret-1"));
    send(port, 20);
    weir.await_log("look at `token`");
    assert_eq!(asking::count(&weir, "cloud", "backlog"), 20);
    weir.reload(&keys("Right-Secret-1"));
    settled(&weir);
    assert_eq!(contract.taken(), (0..20).filter(|it| *it != 7).collect::<Vec<_>>());
    assert_eq!(asking::count(&weir, "cloud", "given_up"), 1);
    assert!(paths.lock().unwrap().len() > 2);
    for secret in ["Wrong-Secret", "Right-Secret"] {
        let log = weir.log();
        assert!(!log.contains(secret), "{log}");
    }
}
