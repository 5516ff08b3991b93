//! What the kernel says of the daemon's writes at the default policy, in real time on a real
//! file. How that wears a flash out is computed in `tests/wear`.

use crate::config;
use crate::message;
use crate::mqtt;
use crate::servers::Cable;
use crate::servers::Mosquitto;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn next_to_nothing_is_written_while_the_destination_answers() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    cable.plug();
    let weir = Weir::start("flash", &config(port, &mqtt("cloud", cable.port, ALL)));
    let mut lines = Lines::connect(port);
    eventually("it is connected", || {
        weir.log().contains("`cloud`: connected")
    });
    // where the destination is slow for once, as on a busy machine, what waits is written
    let mut tries = (0..TRIES).map(|again| again * COUNT);
    let held = tries.find(|from| written(&weir, &mut lines, *from) == 0);
    let from = held.expect("held and never written") + COUNT;
    cable.pull();
    eventually("it is away", || weir.log().contains("connection lost"));
    let away = written(&weir, &mut lines, from);
    println!("{COUNT} messages: nothing written when reachable, {away} bytes when away");
    assert!(away >= COUNT * 4096, "{away} bytes");
    assert!(away <= (COUNT + SLACK) * COUNTED_MAX, "{away} bytes");
}

/// What writing messages one by one makes the daemon write.
fn written(weir: &Weir, lines: &mut Lines, from: u64) -> u64 {
    let before = weir.written();
    for number in from..from + COUNT {
        lines.send(&message(number));
        lines.await_acked(number + 1);
        sleep(Duration::from_millis(100));
    }
    weir.written() - before
}

const ALL: &str = "channels = [\"*\"]";
const COUNT: u64 = 20;
const TRIES: u64 = 10;
/// Writes for cursors and lines of the log.
const SLACK: u64 = 10;
/// What the kernel counts for a block of 4 KiB: all that it keeps in memory as one piece with it,
/// as much as was written at once when the file was made. The device is given less.
const COUNTED_MAX: u64 = 16 * 1024;
