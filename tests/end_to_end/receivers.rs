//! Receivers as they are in the field: gpsd with raw measurements, with two receivers, with one
//! that knows no date, and a serial line that loses bytes.

use crate::sources::Gateway;
use crate::sources::Gpsd;
use crate::sources::NOON;
use crate::sources::Receiver;
use crate::sources::SKY;
use crate::sources::epoch;
use crate::sources::sentence;
use crate::weir::Folder;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value as Json;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpStream;
use std::ops::Range;
use std::path::PathBuf;

/// A frame of u-blox' protocol: what gpsd switches its driver by.
fn frame(class: u8, id: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap().to_le_bytes();
    let body = [&[class, id], &len[..], payload].concat();
    let sums = body.iter().fold((0_u8, 0_u8), |(a, b), byte| {
        let a = a.wrapping_add(*byte);
        (a, b.wrapping_add(a))
    });
    [&[0xB5, 0x62], &body[..], &[sums.0, sums.1]].concat()
}

/// RXM-RAWX of a second past noon: the time of a week, and `count` measurements.
fn raw_measurements(second: u64, count: u8) -> Vec<u8> {
    let mut payload = (43_218.0 + second as f64).to_le_bytes().to_vec();
    payload.extend(2394_u16.to_le_bytes());
    payload.extend([18, count, 1, 1, 0, 0]);
    for satellite in 0..count {
        payload.extend(2.2e7_f64.to_le_bytes());
        payload.extend(1.1e8_f64.to_le_bytes());
        payload.extend((-500.0_f32).to_le_bytes());
        payload.extend([0, 4 + satellite, 0, 0, 0xE8, 3, 45, 3, 3, 3, 7, 0]);
    }
    frame(0x02, 0x15, &payload)
}

/// What gpsd says of its own receivers.
fn devices(port: u16, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    eventually("gpsd has its receivers", || {
        let mut gpsd = TcpStream::connect(("127.0.0.1", port)).unwrap();
        gpsd.write_all(b"?DEVICES;\n").unwrap();
        let mut lines = BufReader::new(gpsd).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("\"DEVICES\"")).unwrap();
        let line: Json = serde_json::from_str(&line).unwrap();
        let all = line["devices"].as_array().unwrap().iter();
        found = all
            .map(|one| one["path"].as_str().unwrap().to_owned())
            .collect();
        found.len() == count
    });
    found
}

fn is_one_a_second(messages: &[&Json]) -> bool {
    let times = messages
        .iter()
        .map(|one| one["timestamp"].as_u64().unwrap());
    times.collect::<Vec<_>>().is_sorted_by(|a, b| a + 1 == *b)
}

#[test]
fn gpsd_of_a_receiver_with_raw_measurements_brings_its_positions() {
    let port = free_port();
    let connect = format!("type = \"gpsd\"\nident = \"truck\"\nconnect = \"127.0.0.1:{port}\"");
    let gateway = Gateway::start("gpsd-raw", &connect);
    let mut log = Vec::new();
    for second in 0..600 {
        log.extend(epoch(second, 112).as_bytes());
        log.extend(SKY.map(sentence).concat().as_bytes());
        log.extend(raw_measurements(second, u8::try_from(second % 3).unwrap()));
    }
    let path = gateway.weir.folder.join("raw.log");
    std::fs::write(&path, log).unwrap();
    let _gpsd = Gpsd::start(port, &[&path]);
    // that gpsd tells of them at all
    let mut watcher = TcpStream::connect(("127.0.0.1", port)).unwrap();
    watcher
        .write_all(b"?WATCH={\"enable\":true,\"json\":true};\n")
        .unwrap();
    let lines = BufReader::new(watcher).lines().map_while(Result::ok);
    let raw = lines.filter(|line| line.starts_with("{\"class\":\"RAW\""));
    assert_eq!(raw.take(5).count(), 5);
    eventually("messages arrive", || gateway.times().len() >= 10);
    let messages = gateway.messages();
    assert!(
        is_one_a_second(&messages.iter().collect::<Vec<_>>()),
        "{messages:?}"
    );
    for message in &messages {
        assert_eq!(message["position.valid"], true, "{message}");
    }
    let log = gateway.weir.log();
    assert_eq!(log.matches("connected to 127.0.0.1:").count(), 1, "{log}");
    assert!(!log.contains("not gpsd's"), "{log}");
}

#[test]
fn two_receivers_of_one_gpsd_are_told_apart_and_one_can_be_chosen() {
    let port = free_port();
    let folder = Folder::new("gpsd-two-logs");
    let logs = [("north", 100), ("south", 200)].map(|(name, altitude)| {
        let text: String = (0..600).map(|second| epoch(second, altitude)).collect();
        folder.write(name, &text)
    });
    let _gpsd = Gpsd::start(port, &[&logs[0], &logs[1]]);
    let paths = devices(port, 2);
    let keys = format!("type = \"gpsd\"\nident = \"truck\"\nconnect = \"127.0.0.1:{port}\"");
    let chosen = format!(
        "[[channel]]\nname = \"one\"\n{keys}\ndevice = \"{}\"",
        paths[1]
    );
    let gateway = Gateway::start("gpsd-two", &format!("{keys}\n{chosen}"));
    let of = |messages: &[Json], channel: &str, device: Option<&str>| {
        let is_it =
            |one: &&Json| one["channel.name"] == channel && one["gnss.device"].as_str() == device;
        let own: Vec<_> = messages.iter().filter(is_it).collect();
        assert!(is_one_a_second(&own), "{own:?}");
        let heights = own
            .iter()
            .map(|one| one["position.altitude"].as_f64().unwrap());
        let heights: Vec<_> = heights.collect();
        assert!(heights.windows(2).all(|two| two[0] == two[1]), "{own:?}");
        (heights.len(), heights.first().copied())
    };
    eventually("all three have brought some", || {
        let messages = gateway.messages();
        let both = paths
            .iter()
            .all(|path| of(&messages, "gnss", Some(path)).0 >= 5);
        both && of(&messages, "one", None).0 >= 5
    });
    let messages = gateway.messages();
    let [first, second] = [0, 1].map(|at| of(&messages, "gnss", Some(&paths[at])).1);
    assert_ne!(first, second);
    assert_eq!(of(&messages, "one", None).1, second);
    let all = messages.len();
    let counted = of(&messages, "one", None).0
        + of(&messages, "gnss", Some(&paths[0])).0
        + of(&messages, "gnss", Some(&paths[1])).0;
    assert_eq!(counted, all, "each says where it is from");
}

#[test]
fn gpsd_of_a_receiver_without_a_date_brings_what_was_measured_now() {
    let port = free_port();
    let connect = format!("type = \"gpsd\"\nident = \"truck\"\nconnect = \"127.0.0.1:{port}\"");
    let gateway = Gateway::start("gpsd-gga", &connect);
    let gga = |second: u64| {
        let place = format!("5441.{second:04},N,02516.7820,E");
        sentence(&format!(
            "GPGGA,12{:02}{:02}.00,{place},1,08,0.9,112.5,M,25.0,M,,",
            second / 60,
            second % 60
        ))
    };
    let log: String = (0..600).map(gga).collect();
    let log = gateway.weir.folder.write("gga.nmea", &log);
    let _gpsd = Gpsd::start(port, &[&log]);
    eventually("messages arrive", || gateway.messages().len() >= 10);
    for message in gateway.messages() {
        assert_eq!(message["position.valid"], true, "{message}");
        let age =
            message["server.timestamp"].as_f64().unwrap() - message["timestamp"].as_f64().unwrap();
        assert!(age.abs() < 1.0, "{message}");
    }
}

/// What a line that loses bytes lets through of a text, and where each sentence of it stood.
struct Lossy {
    text: String,
    lost: Vec<Range<usize>>,
}

impl Lossy {
    /// Loses up to 20 bytes at a time, in one epoch of two.
    fn new(text: String) -> Self {
        let mut state = 7_usize;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut lost = Vec::new();
        let mut at = random(300);
        while at + 20 < text.len() {
            lost.push(at..at + 1 + random(20));
            at += 40 + random(600);
        }
        Self { text, lost }
    }

    fn is_whole(&self, span: &Range<usize>) -> bool {
        let mut lost = self.lost.iter();
        lost.all(|lost| lost.end <= span.start || span.end <= lost.start)
    }

    fn arriving(&self) -> String {
        let kept = self.text.char_indices();
        let kept = kept.filter(|(at, _)| self.is_whole(&(*at..*at + 1)));
        kept.map(|(_, byte)| byte).collect()
    }
}

#[test]
fn a_serial_line_that_loses_bytes_loses_what_it_hits_and_its_name_never() {
    let tty = PathBuf::from(format!("/dev/shm/weir-lossy-{}", std::process::id()));
    let channel = format!(
        "type = \"nmea\"\nident = \"truck\"\nlisten = \"serial:{}?baud=9600\"",
        tty.display()
    );
    let gateway = Gateway::start("lossy", &channel);
    let mut receiver = Receiver::plug(&tty, 0);
    gateway.await_connections(1);
    let seconds = 0..200;
    let mut text = String::new();
    let mut spans = Vec::new();
    for second in seconds.clone() {
        for line in epoch(second, 112).split_inclusive('\n') {
            if line.contains("RMC") || line.contains("GGA") {
                spans.push((second, text.len()..text.len() + line.trim_end().len()));
            }
            text += line;
        }
        text += &SKY.map(sentence).concat();
    }
    let lossy = Lossy::new(text);
    receiver
        .wire
        .write_all(lossy.arriving().as_bytes())
        .unwrap();
    let whole = spans.iter().filter(|(_, span)| lossy.is_whole(span));
    let mut wanted: Vec<_> = whole.map(|(second, _)| NOON + second).collect();
    wanted.dedup();
    assert!(
        lossy.lost.len() > 100 && wanted.len() > 100,
        "{}",
        lossy.lost.len()
    );
    eventually("what is whole arrives", || {
        gateway.times().len() >= wanted.len()
    });
    assert_eq!(gateway.times(), wanted);
    for message in gateway.messages() {
        assert_eq!(message["ident"], "truck", "{message}");
        assert_eq!(message["position.valid"], true, "{message}");
    }
}
