//! A thousand forced disconnects in a hundred thousand messages, over TLS with certificates of
//! the clients.

use crate::asking;
use crate::broker::Broker;
use crate::certificates::Authority;
use crate::config;
use crate::line::Line;
use crate::message;
use crate::sender::Sender;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

const COUNT: u64 = 100_000;
const CUTS: u32 = 1_000;

/// Bytes of a connection, handshake and acknowledgements included, until it is cut.
const BELOW: u32 = 80_000;

fn a_thousand_disconnects(version: &str, more: &str) {
    let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    println!("MQTT {version}: the cuts are those of seed {seed}");
    let authority = Authority::new("cuts");
    let broker = Broker::with_tls(&authority);
    let (line, port) = (
        Line::sealed(broker.tls_port, CUTS, BELOW, u64::from(seed) | 1),
        free_port(),
    );
    let client = authority.issue("gateway");
    let stream = format!(
        "url = \"mqtts://localhost:{}\"\nversion = \"{version}\"\n{more}\n\
         tls = {{ ca = \"{}\", certificate = \"{}\", key = \"{}\" }}",
        line.port,
        authority.ca().display(),
        client.certificate.display(),
        client.key.display()
    );
    let start = Instant::now();
    let mut weir = Weir::start("cuts", &config(port, &stream));
    let mut sender = Sender::new(port, 5_000, message);
    sender.send(COUNT).unwrap();
    let (mut left, mut moved) = (CUTS, Instant::now());
    while line.cuts_left() > 0 {
        if line.cuts_left() < left {
            (left, moved) = (line.cuts_left(), Instant::now());
        }
        assert!(moved.elapsed() < PATIENCE, "{left} cuts are left");
        if asking::count(&weir, "cloud", "backlog") == 0 {
            // the cuts came late: what is left of them is for more messages
            sender.send(sender.sent + 1_000).unwrap();
        }
        thread::sleep(Duration::from_millis(200));
    }
    let taken = asking::count(&weir, "cloud", "accepted");
    let count = sender.sent;
    eventually("all is settled", || {
        asking::count(&weir, "cloud", "backlog") == 0
    });
    let took = start.elapsed();
    eventually("all have arrived", || {
        broker.arrivals().first.len() as u64 == count
    });
    broker.arrivals().assert_complete(count);
    let stream = asking::stream(&weir, "cloud");
    assert_eq!(stream["accepted"], count, "{stream}");
    assert!(stream["connects"].as_u64().unwrap() > 500, "{stream}");
    println!(
        "MQTT {version}: {CUTS} disconnects, {} connections, {count} messages in {:.1} s, \
         {} repeated, 0 lost; {taken} were accepted at the last cut",
        stream["connects"],
        took.as_secs_f64(),
        broker.arrivals().repeats
    );
    weir.kill();
    weir.restart();
    assert_eq!(asking::stream(&weir, "cloud")["stored"], count);
    eventually("what the disk did not know is settled again", || {
        asking::count(&weir, "cloud", "backlog") == 0
    });
    assert_eq!(asking::count(&weir, "cloud", "accepted"), count);
    broker.arrivals().assert_complete(count);
    assert_eq!(weir.stop(), Some(0));
}

#[test]
fn a_thousand_disconnects_lose_nothing_and_keep_the_order_in_3_1_1() {
    a_thousand_disconnects("3.1.1", "clean_session = false");
}

#[test]
fn a_thousand_disconnects_lose_nothing_and_keep_the_order_in_5() {
    a_thousand_disconnects("5", "");
}
