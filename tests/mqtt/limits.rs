//! What a broker limits, forbids, forgets and publishes in our name.

use crate::asking;
use crate::broker::Broker;
use crate::config;
use crate::line::Line;
use crate::message;
use crate::send;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::process::Command;

fn stream(port: u16, version: &str, more: &str) -> String {
    format!("url = \"mqtt://127.0.0.1:{port}\"\nversion = \"{version}\"\n{more}")
}

#[test]
fn a_broker_that_allows_five_in_flight_is_never_sent_a_sixth() {
    for (version, window, cuts) in [("5", 100, 0), ("5", 100, 20), ("5", 3, 0), ("3.1.1", 5, 20)] {
        let broker = Broker::start("max_inflight_messages 5\n");
        let (line, port) = (Line::clear(broker.port, cuts, 40_000, 7), free_port());
        let stream = stream(line.port, version, &format!("window = {window}"));
        let mut weir = Weir::start("five", &config(port, &stream));
        send(port, 0..3_000);
        eventually("all is settled", || {
            asking::count(&weir, "cloud", "backlog") == 0
        });
        eventually("all arrive", || broker.arrivals().first.len() == 3_000);
        broker.arrivals().assert_complete(3_000);
        assert_eq!(
            (line.most_in_flight(), line.cuts_left()),
            (window.min(5), 0)
        );
        weir.kill();
        weir.restart();
        assert_eq!(asking::count(&weir, "cloud", "stored"), 3_000);
    }
}

#[test]
fn a_message_that_is_too_long_for_the_broker_holds_nobody_up() {
    for version in ["5", "3.1.1"] {
        let broker = Broker::start("max_packet_size 2000\n");
        let port = free_port();
        let weir = Weir::start("long", &config(port, &stream(broker.port, version, "")));
        send(port, 0..500);
        let mut lines = Lines::connect(port);
        let long = "x".repeat(3_000);
        lines.send(&format!("{{\"ident\":\"long\",\"text\":\"{long}\"}}"));
        lines.await_acked(1);
        send(port, 500..1_000);
        eventually("all is settled", || {
            asking::count(&weir, "cloud", "backlog") == 0
        });
        eventually("the others arrive", || {
            broker.arrivals().first.len() == 1_000
        });
        broker.arrivals().assert_complete(1_000);
        let stream = asking::stream(&weir, "cloud");
        assert_eq!(
            (&stream["given_up"], &stream["accepted"]),
            (&1.into(), &1_000.into())
        );
        let (code, logs) = asking::ask(&weir, "GET", "/streams/cloud/logs?count=100", "");
        assert_eq!(code, 200);
        let words = match version {
            "5" => "the broker takes at most 2000",
            _ => "refused: each time it is sent",
        };
        assert!(logs.to_string().contains(words), "{logs}");
    }
}

#[test]
fn a_forbidden_topic_or_login_costs_no_message_and_is_tried_again() {
    let folder = Folder::new("access");
    let access = folder.write("access", "topic read #\ntopic write probe\n");
    let broker = Broker::start(&format!("acl_file {}\n", access.display()));
    let port = free_port();
    let weir = Weir::start("forbidden", &config(port, &stream(broker.port, "5", "")));
    send(port, 0..100);
    let logs = || asking::ask(&weir, "GET", "/streams/cloud/logs?count=100", "").1;
    eventually("it is said", || {
        logs()
            .to_string()
            .contains("the broker refused a publish: not authorized (0x87)")
    });
    // that it is not the messages' fault is known when none of the others is taken either
    eventually("it is the configuration", || {
        logs().to_string().contains("nothing more is skipped")
    });
    assert_eq!(asking::count(&weir, "cloud", "backlog"), 100);
    folder.write("access", "topic readwrite #\n");
    broker.reload();
    eventually("all arrive", || broker.arrivals().first.len() == 100);
    eventually("all is settled", || {
        asking::count(&weir, "cloud", "backlog") == 0
    });
    broker.arrivals().assert_complete(100);
    assert_eq!(asking::count(&weir, "cloud", "accepted"), 100);
}

/// Sends messages of one device, or large ones, among those of others.
fn send_among(port: u16, odd: &str) {
    for round in 0..5 {
        let mut lines = Lines::connect(port);
        (0..30).for_each(|_| lines.send(odd));
        lines.await_acked(30);
        send(port, round * 100..(round + 1) * 100);
    }
}

fn assert_others_arrive(weir: &Weir, broker: &Broker) {
    eventually("all is settled", || {
        asking::count(weir, "cloud", "backlog") == 0
    });
    eventually("the others arrive", || broker.arrivals().first.len() == 500);
    broker.arrivals().assert_complete(500);
    let stream = asking::stream(weir, "cloud");
    let counted = (&stream["accepted"], &stream["given_up"]);
    assert_eq!(counted, (&500.into(), &150.into()));
}

#[test]
fn an_access_list_that_forbids_one_device_stops_no_other() {
    let folder = Folder::new("devices");
    let list = "topic read #\ntopic write probe\ntopic deny weir/x\ntopic write weir/#\n";
    let access = folder.write("access", list);
    let broker = Broker::start(&format!("acl_file {}\n", access.display()));
    let port = free_port();
    let weir = Weir::start("devices", &config(port, &stream(broker.port, "5", "")));
    send_among(port, "{\"ident\":\"x\",\"m\":1}");
    assert_others_arrive(&weir, &broker);
}

#[test]
fn a_broker_of_short_packets_gets_all_that_are_short() {
    let broker = Broker::start("max_packet_size 120\n");
    let port = free_port();
    let short = "convert = { fields = [\"ident\", \"seq\", \"text\"] }";
    let weir = Weir::start("short", &config(port, &stream(broker.port, "5", short)));
    let long = "x".repeat(100);
    send_among(port, &format!("{{\"ident\":\"x\",\"text\":\"{long}\"}}"));
    assert_others_arrive(&weir, &broker);
}

#[test]
fn a_login_with_a_wrong_password_is_an_event_with_its_number() {
    let folder = Folder::new("passwords");
    let passwords = folder.join("passwords");
    let mut make = Command::new("mosquitto_passwd");
    let made = make
        .arg("-b")
        .arg("-c")
        .arg(&passwords)
        .args(["u", "right"]);
    assert!(made.status().unwrap().success());
    let broker = Broker::start(&format!("password_file {}\n", passwords.display()));
    for version in ["5", "3.1.1"] {
        let login = "username = \"u\"\npassword = \"wrong\"";
        let config = config(free_port(), &stream(broker.port, version, login));
        let weir = Weir::start("login", &config);
        let logs = || asking::ask(&weir, "GET", "/streams/cloud/logs?count=100", "").1;
        eventually("it is said", || {
            let words = "the broker refused the login: not authorized";
            logs().to_string().contains(words)
        });
        let logs = logs();
        let mut events = logs["result"].as_array().unwrap().iter();
        assert!(events.any(|event| event["error_code"] == 5), "{logs}");
        drop(weir);
        let right = config.replace("wrong", "right");
        Weir::start("right", &right).await_log("stream `cloud`: connected");
    }
}

#[test]
fn a_session_is_kept_or_forgotten_and_the_will_is_published() {
    for version in ["3.1.1", "5"] {
        let mut broker = Broker::start("max_inflight_messages 1000\n");
        let port = free_port();
        let will = "will = { topic = \"gone\", payload = \"{gateway}\" }\nclean_session = false";
        let stream = stream(broker.port, version, will);
        let mut weir = Weir::start("session", &config(port, &stream));
        send(port, 0..500);
        eventually("all arrive", || broker.arrivals().first.len() == 500);
        weir.kill();
        eventually("the will is published", || {
            broker.text().contains("gone {gateway}\n")
        });
        weir.restart();
        send(port, 500..1_000);
        broker.restart();
        let mut lines = Lines::connect(port);
        lines.send(&message(1_000));
        lines.await_acked(1);
        eventually("all is settled", || {
            asking::count(&weir, "cloud", "backlog") == 0
        });
        eventually("the last arrives", || {
            broker.arrivals().first.last() == Some(&1_000)
        });
        assert!(broker.arrivals().first.is_sorted());
    }
}
