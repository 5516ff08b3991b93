//! What a full ring costs in memory: nothing.

use crate::config;
use crate::mqtt;
use crate::sender::Sender;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::time::Instant;

#[test]
fn a_full_ring_takes_no_more_memory_than_an_empty_one() {
    let (port, away) = (free_port(), free_port());
    let config = config(port, &mqtt("cloud", away, "channels = [\"*\"]"));
    let config = config.replace("64 MiB", &format!("{MEBIBYTES} MiB"));
    let mut weir = Weir::start("full", &config);
    let empty = weir.memory_kib();
    let (mut sender, start) = (Sender::new(port, 100, message), Instant::now());
    let mut fill = |weir: &mut Weir, percent: u64| {
        sender.send(MEBIBYTES * 128 * percent / 100).unwrap();
        let filled = weir.memory_kib();
        weir.kill();
        weir.restart();
        eventually("what waits is read", || {
            weir.log().contains("not connected")
        });
        [filled, weir.memory_kib()]
    };
    let [little, little_reopened] = fill(&mut weir, 1);
    let [full, full_reopened] = fill(&mut weir, 105);
    println!(
        "a ring of {MEBIBYTES} MiB, filled in {:.1} s: {empty} KiB empty; with 1 % {little} KiB, \
         {little_reopened} KiB opened again; full {full} KiB, {full_reopened} KiB opened again",
        start.elapsed().as_secs_f32()
    );
    assert!(full_reopened <= little_reopened + SLACK_KIB);
    assert!(full <= empty + BUFFERS_KIB);
}

/// A message of 8 KiB.
fn message(number: u64) -> String {
    let text = "x".repeat(8 * 1024 - 100);
    format!("{{\"ident\":\"gw-1\",\"seq\":{number},\"text\":\"{text}\"}}")
}

/// What the ring has.
const MEBIBYTES: u64 = 1024;
/// 24 bytes a segment, and the allocator's rounding.
const SLACK_KIB: u64 = 128;
/// Both buffers of the ring, those of a connection, and what a stream reads ahead (`max_bytes`).
const BUFFERS_KIB: u64 = 1024;
