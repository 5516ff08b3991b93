//! `every` of a stream: what is left out when it comes never comes later.

use crate::IMPATIENT;
use crate::PATIENT;
use crate::asking::Server;
use crate::asking::count;
use crate::asking::one;
use crate::asking::run;
use crate::asking::stream;
use crate::config;
use crate::file;
use crate::http;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

/// At most one message of an ident in a minute.
fn thinned() -> String {
    file("archive") + "every = \"60s\"\n"
}

/// Brings in messages of two idents, measured at these seconds.
fn send(port: u16, seconds: &[u64]) {
    let mut lines = Lines::connect(port);
    for second in seconds {
        for ident in ["a", "b"] {
            let date = 1_700_000_000 + second;
            lines.send(&format!("{{\"ident\":\"{ident}\",\"timestamp\":{date}}}"));
        }
    }
    lines.await_acked(2 * seconds.len() as u64);
}

/// What has arrived: idents with their seconds.
fn arrived(server: &Server) -> Vec<String> {
    let messages = server.messages().into_iter().map(|message| {
        let second = message["timestamp"].as_u64().unwrap() - 1_700_000_000;
        format!("{}{second}", message["ident"].as_str().unwrap())
    });
    messages.collect()
}

#[test]
fn what_a_stream_left_out_comes_after_no_restart_and_no_rewind() {
    let (port, away) = (free_port(), free_port());
    let cloud = http("cloud", away, IMPATIENT) + "every = \"60s\"\n";
    let mut weir = Weir::start("left-out", &config(port, &cloud));
    // what nobody takes meanwhile is written
    send(port, &[0]);
    sleep(Duration::from_millis(600));
    let between = SystemTime::now();
    sleep(Duration::from_millis(600));
    send(port, &[10, 60, 70]);
    weir.kill();
    weir.restart();
    let server = Server::listen(away);
    eventually("it arrives", || count(&weir, "cloud", "accepted") == 4);
    assert_eq!(arrived(&server), ["a0", "b0", "a60", "b60"]);
    let between = between.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let said = run(&weir, &["stream", "rewind", "cloud", &iso(between)]);
    assert_eq!(said, (0, "2 are sent again\n".to_owned()));
    eventually("it is accepted again", || {
        count(&weir, "cloud", "accepted") == 6
    });
    assert_eq!(arrived(&server)[4..], ["a60", "b60"]);
}

#[test]
fn what_was_let_through_is_known_over_a_reload_and_left_out_messages_are_counted() {
    let (port, twin) = (free_port(), file("twin"));
    let text = config(port, &(thinned() + &twin));
    let weir = Weir::start("thinned-reload", &text);
    send(port, &[0]);
    eventually("it arrives", || count(&weir, "archive", "accepted") == 2);
    weir.reload(&text.replace("every = ", "max_messages = 7\nevery = "));
    send(port, &[10]);
    // what `twin` has waited for no other reason
    eventually("it arrives", || count(&weir, "twin", "accepted") == 4);
    let archive = stream(&weir, "archive");
    assert_eq!(
        (&archive["stored"], &archive["thinned"]),
        (&2.into(), &2.into())
    );
    let channel = one(&weir, "/channels/programs");
    assert_eq!(
        (&channel["received"], &channel["thinned"]),
        (&4.into(), &0.into())
    );
    let (_, said) = run(&weir, &["status"]);
    assert!(said.contains("\n  2 left out by every\n"), "{said}");
}

/// The one that was let through may be lost to a power cut until then, and this may be its repeat.
#[test]
fn what_is_left_out_is_not_acknowledged_before_the_one_that_was_let_through_is_safe() {
    let port = free_port();
    let cloud = http("cloud", free_port(), PATIENT) + "every = \"60s\"\n";
    let text = config(port, &cloud).replace("delay = \"1ms\"", "delay = \"2s\"");
    let _weir = Weir::start("left-out-safe", &text);
    let (mut first, mut again) = (Lines::connect(port), Lines::connect(port));
    let began = Instant::now();
    first.send("{\"ident\":\"a\",\"timestamp\":1700000000}");
    sleep(Duration::from_millis(200));
    again.send("{\"ident\":\"a\",\"timestamp\":1700000000}");
    again.await_acked(1);
    assert!(began.elapsed() > Duration::from_secs(1));
    first.await_acked(1);
}

/// A date as commands take it.
fn iso(since_1970: Duration) -> String {
    let date = format!("@{:.3}", since_1970.as_secs_f64());
    let mut command = Command::new("date");
    command.args(["-u", "-d", &date, "+%FT%T.%3NZ"]);
    let said = command.output().unwrap().stdout;
    String::from_utf8(said).unwrap().trim_end().to_owned()
}
