//! `gpsgate`: a server of ours that can be told to break a rule: none of what it breaks counts as
//! taken.

use crate::asking::count;
use crate::config;
use crate::contract::Contract;
use crate::gpsgate_server::Broken;
use crate::gpsgate_server::UNKNOWN;
use crate::gpsgate_server::http;
use crate::gpsgate_server::tcp;
use crate::send;
use crate::settled;
use crate::weir::Weir;
use crate::weir::free_port;
use crate::weir::message;

fn by_tcp(server: &Contract) -> String {
    format!(
        "type = \"gpsgate\"\naddress = \"127.0.0.1:{}\"\nusername = \"weir\"\n\
         password = \"right-secret\"\ninputs = {{ seq = \"Seq\" }}\ntimeout = \"300ms\"",
        server.port()
    )
}

fn by_http(server: &Contract) -> String {
    format!(
        "type = \"gpsgate\"\nurl = \"http://127.0.0.1:{}\"\ninputs = {{ seq = \"Seq\" }}",
        server.port()
    )
}

/// Nothing of this counts as taken, and this is said.
fn assert_waits(name: &str, keys: &str, said: &str) {
    let port = free_port();
    let weir = Weir::start(name, &config(port, keys));
    send(port, &[message(0), message(1)]);
    weir.await_log(said);
    assert_eq!(count(&weir, "cloud", "accepted"), 0);
    assert_eq!(count(&weir, "cloud", "backlog"), 2, "{}", weir.log());
}

#[test]
fn a_server_that_takes_and_says_nothing_is_not_believed() {
    let silent = tcp(Broken::Silent);
    assert_waits("gpsgate-silent", &by_tcp(&silent), "is served by `osmand`");
}

#[test]
fn an_answer_about_somebody_else_counts_for_nothing() {
    let other = tcp(Broken::OtherImei);
    assert_waits("gpsgate-other", &by_tcp(&other), "no answer within");
}

#[test]
fn by_http_200_without_a_word_counts_for_nothing() {
    let empty = http(Broken::Empty);
    assert_waits(
        "gpsgate-empty",
        &by_http(&empty),
        "200 OK; the answer has no `$FRRET`",
    );
}

#[test]
fn by_http_all_arrive_in_order_and_who_is_not_known_is_refused_alone() {
    let (server, port) = (http(Broken::No), free_port());
    let weir = Weir::start("gpsgate-http", &config(port, &by_http(&server)));
    let mut messages: Vec<_> = (0..30).map(message).collect();
    messages[7] = messages[7].replace("352093081234567", UNKNOWN);
    send(port, &messages);
    assert_eq!(settled(&weir), (29, 1), "{}", weir.log());
    let wanted: Vec<u64> = (0..30).filter(|number| *number != 7).collect();
    assert_eq!(server.taken(), wanted);
    assert!(weir.log().contains("register the IMEI"), "{}", weir.log());
}
