//! A ring whose file cannot be there: it is in memory until it can.

use crate::config;
use crate::counts;
use crate::mqtt;
use crate::servers::Cable;
use crate::servers::Mosquitto;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::message;
use std::fs;
use std::path::PathBuf;

/// A folder whose place is taken by a file, and the configuration of a ring in it.
fn blocked(name: &str, port: u16, broker: u16, more: &str) -> (Folder, PathBuf, String) {
    let folder = Folder::new(name);
    let disk = folder.write("disk", "no folder");
    let ring = format!("file = \"{}/ring\"\n{more}", disk.display());
    let config = config(port, &mqtt("cloud", broker, "channels = [\"*\"]"))
        .replace("file = \"@/ring\"\n", &ring)
        .replace("64 MiB", "1 MiB")
        .replace("\"off\"", "\"unix:@/api\"");
    (folder, disk, config)
}

#[test]
fn a_ring_in_memory_moves_into_its_file_once_that_can_be_there() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    let (_folder, disk, config) = blocked("memory", port, cable.port, "");
    cable.plug();
    let weir = Weir::start("memory", &config);
    weir.await_log("messages are kept in memory only");
    let mut lines = Lines::connect(port);
    lines.send(&message(0));
    lines.await_acked(1);
    cable.pull();
    for number in 1..4 {
        lines.send(&message(number));
    }
    eventually("they wait", || counts(&weir) == Some([4, 1, 3]));
    fs::remove_file(&disk).unwrap();
    eventually("the file is there", || disk.join("ring").exists());
    assert_eq!(lines.answer(), "", "nothing more was safe");
    eventually("what waited is in it", || counts(&weir) == Some([4, 1, 3]));
    cable.plug();
    eventually("it arrives", || broker.received().len() == 4);
    eventually("all is counted", || counts(&weir) == Some([4, 4, 0]));
    let mut lines = Lines::connect(port);
    cable.pull();
    lines.send(&message(4));
    lines.await_acked(1);
}

#[test]
fn what_is_in_memory_only_is_acknowledged_where_that_was_asked_for() {
    let (port, away) = (free_port(), free_port());
    let (_folder, _, config) = blocked("trust", port, away, "ack_when_degraded = true\n");
    let _weir = Weir::start("trust", &config);
    let mut lines = Lines::connect(port);
    (0..3).for_each(|number| lines.send(&message(number)));
    lines.await_acked(3);
}
