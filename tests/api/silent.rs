//! Connections that say nothing.

use crate::asking::exchange;
use crate::asking::request;
use crate::asking::run;
use crate::config;
use crate::file;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::free_port;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::time::Instant;

/// As many as the API serves at once.
const ALL: usize = 16;

fn connect(weir: &Weir) -> UnixStream {
    let socket = UnixStream::connect(weir.folder.join("api")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Whether the daemon has closed it without a word.
fn is_closed(socket: &mut UnixStream) -> bool {
    socket
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    matches!(socket.read(&mut [0]), Ok(0))
}

#[test]
fn silent_connections_shut_nobody_out() {
    let weir = Weir::start("silent", &config(free_port(), &file("out")));
    let mut silent: Vec<_> = (0..3 * ALL).map(|_| connect(&weir)).collect();
    let began = Instant::now();
    for _ in 0..5 {
        let (code, page) = run(&weir, &["status"]);
        assert_eq!(code, 0, "{page}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "not after their time"
    );
    let closed: Vec<_> = silent.iter_mut().map(is_closed).collect();
    let open = closed.iter().filter(|closed| !**closed).count();
    assert!((1..ALL).contains(&open), "{closed:?}");
    assert!(
        closed.is_sorted_by_key(|closed| !closed),
        "the oldest: {closed:?}"
    );
}

#[test]
fn who_says_nothing_gives_way_before_who_has_begun_to_ask() {
    let weir = Weir::start("begun", &config(free_port(), &file("out")));
    let mut asks = connect(&weir);
    let whole = request("GET", "/streams", "", "");
    let (head, rest) = whole.split_at(20);
    asks.write_all(head.as_bytes()).unwrap();
    let mut kept = connect(&weir);
    let keep_alive = "GET /streams HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let silent: Vec<_> = (0..ALL - 2).map(|_| connect(&weir)).collect();
    kept.write_all(keep_alive.as_bytes()).unwrap();
    let mut answer = [0; 12];
    kept.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    for _ in 0..silent.len() {
        assert_eq!(run(&weir, &["status"]).0, 0);
    }
    assert_eq!(exchange(&mut asks, rest).0, 200, "it is still there");
}
