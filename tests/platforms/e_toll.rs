//! `e-toll`: what was measured too long ago is nobody's, and a server that keeps less than it says
//! is noticed.

use crate::asking::count;
use crate::config;
use crate::e_toll_server::EToll;
use crate::send;
use crate::settled;
use crate::weir::Weir;
use crate::weir::free_port;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// What of 20 messages a server lacks that was asked to keep all, or the first of each request.
fn lost(keeps_all: bool) -> Vec<u64> {
    let (server, port) = (EToll::start(keeps_all), free_port());
    let keys = format!(
        "type = \"e-toll\"\n{}",
        server.keys(server.port, "operator")
    );
    let weir = Weir::start(
        "e-toll",
        &config(port, &format!("{keys}\nlinger = \"300ms\"")),
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let message = |number: u64| {
        let age = if number == 3 {
            241 * 3_600
        } else {
            239 * 3_600
        };
        format!(
            "{{\"ident\":\"1\",\"timestamp\":{},\"position.latitude\":52.5,\"seq\":{number}}}",
            now.as_secs() - age
        )
    };
    let messages: Vec<_> = (0..20).map(message).collect();
    send(port, &messages);
    assert_eq!(settled(&weir), (19, 0), "{}", weir.log());
    assert_eq!(count(&weir, "cloud", "skipped"), 1, "older than 240 h");
    let taken = server.taken();
    (0..20).filter(|number| !taken.contains(number)).collect()
}

#[test]
fn what_is_older_than_240_hours_is_left_out_and_all_else_arrives() {
    assert_eq!(lost(true), [3]);
}

#[test]
fn a_server_that_keeps_less_than_it_says_is_noticed() {
    assert!(lost(false).len() > 1);
}
