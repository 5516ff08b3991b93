//! Pains 5 to 9: a destination that refuses, limits, forgets, stands still.

use crate::SMALL;
use crate::assert_balanced;
use crate::broker::Broker;
use crate::config;
use crate::count;
use crate::http;
use crate::mqtt;
use crate::reasons;
use crate::send;
use crate::servers::Arrivals;
use crate::servers::Mosquitto;
use crate::stream;
use crate::web::Reply;
use crate::web::Web;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::message;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

/// A poison message among 1,000 costs at most 2 log2(1,000) requests, and itself alone.
#[test]
fn pain_5_a_poison_message_blocks_the_queue() {
    let (port, far) = (free_port(), free_port());
    let more = "max_messages = 1000\nmax_bytes = \"1 MiB\"";
    let streams = http(far, more);
    let mut weir = Weir::start("poison", &config(port, SMALL, &streams));
    send(port, 0..1000);
    let web = Web::listen(far, |_, body| match body.contains("\"seq\":617,") {
        true => Reply::Status(400),
        false => Reply::Status(200),
    });
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    let arrivals = Arrivals::of(web.accepted(), "seq");
    let others: Vec<u64> = (0..1000).filter(|number| *number != 617).collect();
    assert_eq!(arrivals.first, others, "all others, in order");
    assert_eq!(arrivals.repeats, 0);
    let asked = web.asked();
    let first = asked
        .iter()
        .position(|asked| asked.reply == Reply::Status(400));
    let last = asked
        .iter()
        .rposition(|asked| asked.reply == Reply::Status(400));
    let (first, last) = (first.unwrap(), last.unwrap());
    let size = asked[first].body.matches("\"seq\":").count();
    assert_eq!(size, 1000, "all of it in one batch");
    println!("found in {} requests after the first", last - first);
    assert!(last - first <= 19, "{}: 2 log2(1000) is 19.9", last - first);
    assert_eq!(stream(&weir, "cloud")["given_up"], 1);
    assert_balanced(&mut weir);
}

/// The other side of the same pain: where everything is refused, the destination is at fault, and
/// where the login is, the configuration; neither costs what waits.
#[test]
fn pain_5_a_destination_at_fault_costs_eight_messages_and_a_wrong_login_none() {
    let (port, mood) = (free_port(), Arc::new(AtomicU16::new(401)));
    let status = Arc::clone(&mood);
    let web = Web::start(move |_, _| Reply::Status(status.load(SeqCst)));
    let mut weir = Weir::start("fault", &config(port, SMALL, &http(web.port, "")));
    send(port, 0..50);
    eventually("it was asked", || web.asked().len() > 3);
    assert_eq!(count(&weir, "cloud", "backlog"), 50, "a wrong login");
    mood.store(400, SeqCst);
    eventually("eight are given up", || {
        count(&weir, "cloud", "given_up") == 8
    });
    let asked = web.asked().len();
    eventually("it goes on asking", || web.asked().len() > asked + 3);
    assert_eq!(count(&weir, "cloud", "backlog"), 42, "it is at fault");
    let told = reasons(&weir);
    assert!(
        told.iter().any(|it| it.contains("nothing more is skipped")),
        "{told:?}"
    );
    mood.store(200, SeqCst);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    // the one that showed that the destination takes messages again may stand before the others
    let mut arrived = Arrivals::of(web.accepted(), "seq").first;
    assert!(arrived.iter().skip(1).is_sorted(), "{arrived:?}");
    arrived.sort_unstable();
    assert_eq!(arrived, (8..50).collect::<Vec<_>>());
    assert_balanced(&mut weir);
}

/// A rate that is kept when a backlog is sent, so that the destination survives the end of an
/// outage.
#[test]
fn pain_6_a_backlog_that_overruns_the_destination() {
    let (port, far) = (free_port(), free_port());
    let streams = http(far, "rate = 100");
    let mut weir = Weir::start("backlog", &config(port, SMALL, &streams));
    send(port, 0..400);
    let start = Instant::now();
    let web = Web::listen(far, |_, _| Reply::Status(200));
    eventually("all arrive", || {
        Arrivals::of(web.accepted(), "seq").first.len() == 400
    });
    Arrivals::of(web.accepted(), "seq").assert_complete(400);
    // nothing could be sent before, and what is seen late was not sent early
    let mut messages = 0.0;
    for asked in web.asked() {
        messages += asked.body.matches("\"seq\":").count() as f64;
        let (took, seconds) = (asked.at - start, (messages - 100.0) / 100.0);
        assert!(
            took.as_secs_f64() >= seconds - 0.1,
            "{messages} in {took:?}"
        );
    }
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    assert_balanced(&mut weir);
}

/// Trackers that take turns, to a server that wants a request for each: as many of one tracker go
/// together as are in memory, not only those that stand side by side.
#[test]
fn pain_6_ten_trackers_that_take_turns_cost_a_request_a_message() {
    let (port, far) = (free_port(), free_port());
    let streams = http(far, "").replace(&format!("{far}/"), &format!("{far}/dev/{{ident}}"));
    let mut weir = Weir::start("turns", &config(port, SMALL, &streams));
    let mut lines = Lines::connect(port);
    for number in 0..300 {
        let ident = format!("35209308123456{}", number % 10);
        lines.send(&message(number).replace("352093081234567", &ident));
    }
    lines.await_acked(300);
    let web = Web::listen(far, |_, _| Reply::Status(200));
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    assert!(web.asked().len() <= 40, "{} requests", web.asked().len());
    let arrivals = Arrivals::of(web.accepted(), "seq");
    assert_eq!((arrivals.first.len(), arrivals.repeats), (300, 0));
    for tracker in 0..10 {
        let of_it = arrivals
            .first
            .iter()
            .filter(|number| **number % 10 == tracker);
        assert!(of_it.is_sorted(), "in order");
    }
    assert_eq!(stream(&weir, "cloud")["accepted"], 300);
    assert_balanced(&mut weir);
}

/// Never more in flight than allowed, and a window that was full when the connection ended is
/// empty when the next begins.
#[test]
fn pain_7_a_window_that_is_overrun_or_never_opens_again() {
    let (broker, port) = (Broker::start(3, 5), free_port());
    let streams = mqtt(broker.port, "window = 5");
    let mut weir = Weir::start("window", &config(port, SMALL, &streams));
    send(port, 0..60);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    broker.seen(|seen| {
        assert_eq!(seen.most, 5, "in flight at once");
        assert!(seen.connections > 3, "{}", seen.connections);
        assert!(seen.repeats >= 5, "{} marked as repeated", seen.repeats);
        Arrivals::of(&seen.payloads, "seq").assert_complete(60);
    });
    assert_balanced(&mut weir);
}

/// What may come twice can be told by its id, also after `kill -9`; the counters count it once.
#[test]
fn pain_8_duplicates_that_nobody_can_tell() {
    let port = free_port();
    let web = Web::start(|number, _| match number {
        0 | 1 | 3 => Reply::Nothing,
        _ => Reply::Status(200),
    });
    let more = "stamp = { name = \"message.id\", of = \"record\" }\nmax_messages = 50";
    let streams = http(web.port, more);
    let mut weir = Weir::start("twice", &config(port, SMALL, &streams));
    send(port, 0..50);
    eventually("it was sent", || web.asked().len() > 1);
    weir.kill();
    weir.restart();
    send(port, 50..100);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    assert_eq!(stream(&weir, "cloud")["accepted"], 100);
    let (mut ids, mut copies) = (HashMap::new(), 0);
    for asked in web.asked() {
        let array: Vec<serde_json::Value> = serde_json::from_str(&asked.body).unwrap();
        for message in array {
            let id = message["message.id"].as_str().unwrap().to_owned();
            let known = ids.entry(message["seq"].as_u64().unwrap());
            assert_eq!(*known.or_insert_with(|| id.clone()), id, "the id changed");
            copies += 1;
        }
    }
    assert!(copies > 100, "{copies}: nothing came twice");
    assert_eq!(ids.values().collect::<HashSet<_>>().len(), 100);
    assert_balanced(&mut weir);
}

/// A broker that stands still with its sockets open is found out within `timeout`, and gets
/// everything once it goes on.
#[test]
fn pain_9_a_dead_connection_that_nobody_notices() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let streams = mqtt(broker.port, "timeout = \"1s\"");
    let mut weir = Weir::start("dead", &config(port, SMALL, &streams));
    send(port, 0..50);
    eventually("it flows", || count(&weir, "cloud", "backlog") == 0);
    broker.signal("STOP");
    send(port, 50..100);
    eventually("it is found out", || {
        stream(&weir, "cloud")["connected"] == false
    });
    eventually("it is told", || {
        reasons(&weir).iter().any(|reason| reason.contains("no "))
    });
    broker.signal("CONT");
    let arrived = || Arrivals::of([broker.text()], "seq");
    eventually("all arrive", || arrived().first.len() == 100);
    arrived().assert_complete(100);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    assert!(stream(&weir, "cloud")["connects"].as_u64().unwrap() >= 2);
    assert_balanced(&mut weir);
}
