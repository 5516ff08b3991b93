//! What an operator must know of the ring: in the log, as an event, in the status, as a metric.

use crate::IMPATIENT;
use crate::asking::ask;
use crate::asking::count;
use crate::asking::one;
use crate::asking::run;
use crate::config;
use crate::http;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;

/// Each of some 3 kB: a ring of 256 KiB is full with eighty.
fn send(lines: &mut Lines, messages: u64) {
    let text = "x".repeat(3_000);
    (0..messages).for_each(|_| lines.send(&format!("{{\"ident\":\"a\",\"text\":\"{text}\"}}")));
}

fn events(weir: &Weir) -> Vec<(u64, String)> {
    let (_, answer) = ask(weir, "GET", "/ring/logs", "");
    let events = answer["result"].as_array().unwrap();
    let event = |event: &serde_json::Value| {
        let reason = event["reason"].as_str().unwrap().to_owned();
        (event["event_code"].as_u64().unwrap(), reason)
    };
    events.iter().map(event).collect()
}

/// That a condition is said everywhere, and once.
fn assert_said(weir: &Weir, name: &str, capitals: &str) {
    let line = format!("[ERROR] ring: {name}: ");
    eventually(&line, || weir.log().contains(&line));
    assert_eq!(weir.log().matches(&line).count(), 1, "{}", weir.log());
    let begun = |(code, reason): &(u64, String)| *code == 901 && reason.starts_with(name);
    assert!(events(weir).iter().any(begun), "{:?}", events(weir));
    let page = run(weir, &["status"]).1;
    assert!(page.contains(capitals), "{page}");
    let logs = run(weir, &["logs", "ring"]).1;
    assert!(logs.contains(&format!("ring: fault: {name}")), "{logs}");
}

/// A gateway whose destination is away, with a ring of 256 KiB. It sums up once an hour.
fn away(name: &str, full: &str, port: u16, cloud: u16) -> Weir {
    let small = format!("size = \"256 KiB\"\nfull = \"{full}\"");
    let text = config(port, &http("cloud", cloud, IMPATIENT));
    let text = text.replace("size = \"1 MiB\"", &small);
    Weir::start(name, &text.replace("\"1s\"", "\"1h\""))
}

#[test]
fn a_full_ring_says_that_it_drops_and_that_it_no_longer_does() {
    let (port, cloud) = (free_port(), free_port());
    let weir = away("drops", "drop-oldest", port, cloud);
    let mut lines = Lines::connect(port);
    send(&mut lines, 200);
    lines.await_acked(200);
    eventually("it drops", || count(&weir, "cloud", "dropped") > 0);
    assert_said(&weir, "dropping", "since 20");
    let of_stream = "[ERROR] stream `cloud`: ";
    eventually("the stream says so", || weir.log().contains(of_stream));
    assert!(
        weir.log().contains("messages dropped unsent"),
        "{}",
        weir.log()
    );
    let (_, metrics) = ask(&weir, "GET", "/metrics", "");
    assert!(
        metrics
            .as_str()
            .unwrap()
            .contains("\nweir_ring_dropping 1\n"),
        "{metrics}"
    );
    assert!(one(&weir, "/ring")["dropping"].is_number());
    let _cloud = crate::asking::Server::listen(cloud);
    eventually("it is told when that is over", || {
        weir.log().contains("[INFO] ring: no longer dropping")
    });
    assert_eq!(events(&weir).last().unwrap().0, 902);
}

#[test]
fn a_full_ring_that_refuses_says_so_and_who_waits() {
    let (port, cloud) = (free_port(), free_port());
    let weir = away("refuses", "refuse", port, cloud);
    let mut lines = Lines::connect(port);
    send(&mut lines, 200);
    assert_said(
        &weir,
        "refusing",
        "it is full, nothing more is acknowledged",
    );
    eventually("it is known who waits", || {
        weir.log().contains("connections wait: `programs` (1)")
    });
    assert_eq!(count(&weir, "cloud", "dropped"), 0);
}

#[test]
fn a_ring_in_a_file_system_in_memory_says_so() {
    if !std::path::Path::new("/dev/shm").is_dir() {
        return println!("skipped: there is no /dev/shm");
    }
    let place = format!("/dev/shm/weir-conditions-{}", std::process::id());
    let text = config(free_port(), &http("cloud", free_port(), IMPATIENT));
    let weir = Weir::start(
        "tmpfs",
        &text.replace("@/ring", &place).replace("\"1s\"", "\"1h\""),
    );
    assert_said(&weir, "not durable", "NOT DURABLE");
    assert_eq!(one(&weir, "/ring")["degraded"], true);
    std::fs::remove_file(place).unwrap();
}
