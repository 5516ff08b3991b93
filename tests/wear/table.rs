//! The table of docs/flash.md: bytes that reach the disk with one message a second, by several
//! ways to keep messages, and the years that flash stands it.

use super::HOUR;
use super::disk::Disk;
use super::mosquitto::Broker;
use super::traffic::BODY;
use super::traffic::Destination;
use super::traffic::Traffic;
use super::traffic::settings;
use std::fmt;
use std::fs;
use std::fs::File;
use std::io::Write;
use std::time::Duration;
use weir::ring;
use weir::ring::Settings;

#[test]
#[ignore = "needs root for a file system of its own"]
fn the_table_of_the_readme() {
    let disk = Disk::new();
    let lazy = Settings {
        delay: Duration::from_secs(10),
        ..settings(RING)
    };
    let day = weir(&disk, Destination::Reachable, settings(RING), 24 * HOUR);
    let mut rows = vec![
        Row::new("weir, destination reachable", day as f64 / 24.0, 4.0),
        hourly(
            "weir, away",
            weir(&disk, Destination::Away, settings(RING), HOUR),
        ),
        hourly(
            "weir, away, `delay = \"10s\"`",
            weir(&disk, Destination::Away, lazy, HOUR),
        ),
        hourly("a file that grows, fsync for each message", naive(&disk)),
    ];
    rows.extend(snapshots(&disk));
    println!("| | written in an hour | of what came in | in a day | years on 4 GB eMMC |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    rows.iter().for_each(|row| println!("{row}"));
}

/// Traffic through a ring in a real file, with the syncs that it asks for.
fn weir(disk: &Disk, destination: Destination, settings: Settings, seconds: u64) -> u64 {
    let path = disk.folder.join("ring");
    let mut file = File::create(&path).unwrap();
    file.write_all(&vec![0; settings.size as usize]).unwrap();
    file.sync_all().unwrap();
    let storage = Box::new(ring::File::open(&path).unwrap());
    let mut traffic = Traffic::new(storage, settings, destination);
    let written = disk.written(|| traffic.run(seconds));
    fs::remove_file(&path).unwrap();
    written
}

/// What a program does that nobody thought about: append, sync, go on.
fn naive(disk: &Disk) -> u64 {
    let mut file = File::create(disk.folder.join("log")).unwrap();
    disk.written(|| {
        for _ in 0..HOUR {
            file.write_all(&[b'x'; BODY]).unwrap();
            file.sync_all().unwrap();
        }
    })
}

/// Two snapshots in an hour of an outage, each of all that waits; and what it would take to lose
/// no more than one message, a snapshot after each, computed from the size of one. In a day of
/// an outage snapshots grow on.
fn snapshots(disk: &Disk) -> [Row; 2] {
    let mut broker = Broker::start(disk);
    let (mut first, mut second) = (0, 0);
    let written = disk.written(|| {
        broker.publish(HOUR / 2);
        first = broker.save();
        broker.publish(HOUR / 2);
        second = broker.save();
    });
    println!("(snapshots: {first} bytes after 30 minutes, {second} after 60)");
    let of_all = |count: u64| second as f64 / HOUR as f64 * (count * (count + 1) / 2) as f64;
    let half_hours = first as f64 * f64::from(48 * 49 / 2);
    [
        Row {
            day: half_hours,
            ..Row::new(
                "mosquitto, away, a snapshot every 30 minutes",
                written as f64,
                1.2,
            )
        },
        Row {
            day: of_all(24 * HOUR),
            ..Row::new(
                "mosquitto, away, a snapshot for each message",
                of_all(HOUR),
                1.2,
            )
        },
    ]
}

fn hourly(what: &'static str, hour: u64) -> Row {
    Row::new(what, hour as f64, 4.0)
}

/// One way to keep messages; bytes that reached the disk.
struct Row {
    what: &'static str,
    hour: f64,
    day: f64,
    /// Bytes that flash programs for each that is written to it. Assumed: 4 for blocks of 4 KiB
    /// on pages of 16 KiB, 1.2 for long writes.
    factor: f64,
}

impl Row {
    fn new(what: &'static str, hour: f64, factor: f64) -> Self {
        Self {
            what,
            hour,
            day: 24.0 * hour,
            factor,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.hour / (HOUR * BODY as u64) as f64;
        let years = ENDURANCE / (self.day * self.factor * 365.0);
        let years = match years {
            more if more > 100.0 => "> 100".to_owned(),
            less if less < 0.1 => format!("{:.0} days", less * 365.0),
            years => format!("{years:.1}"),
        };
        let (hour, day) = (size(self.hour), size(self.day));
        write!(
            f,
            "| {} | {hour} | {percent:.1} % | {day} | {years} |",
            self.what
        )
    }
}

fn size(bytes: f64) -> String {
    match bytes {
        many if many >= 1e9 => format!("{:.1} GB", many / 1e9),
        some if some >= 1e6 => format!("{:.1} MB", some / 1e6),
        few => format!("{:.1} kB", few / 1e3),
    }
}

const RING: u64 = 64 << 20;
/// What 4 GB of MLC stand: 3,000 times all of it.
const ENDURANCE: f64 = 4e9 * 3000.0;
