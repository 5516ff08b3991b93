//! The session: what comes in pieces, when messages are made of it, what is no frame.

use crate::support::can_frame::frame;
use crate::support::channel::Connection;
use crate::support::written;
use std::rc::Rc;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::Session;
use weir::channel::can::Can;
use weir::channel::can::Keys;
use weir::channel::can::Rhythm;
use weir::channel::can::Standards;
use weir::channel::can::Units;
use weir::channel::can::request;
use weir::channel::can::signal::Meaning;
use weir::channel::can::signal::Signal;
use weir::channel::can::signals::Entry;
use weir::channel::can::signals::Of;
use weir::channel::can::signals::sorted;
use weir::pattern::Pattern;
use weir::pattern::PatternSet;
use weir::wire::can::Id;
use weir::wire::can::bits::Bits;
use weir::wire::can::bits::Order;

/// The first byte of a standard frame as a number.
fn entry(id: u16, name: &str) -> Entry {
    let bits = Bits::new(0, 8, Order::LowFirst).unwrap();
    Entry {
        of: Of::Id(Id::Standard(id)),
        when: None,
        name: name.into(),
        signal: Signal::new(bits, Meaning::default()).unwrap(),
    }
}

/// A bus with the signals `a` in 0x101 and `b` in 0x102.
fn keys(units: Units, is_paced: bool, or_change: &[&str]) -> Rc<Keys> {
    Rc::new(Keys {
        ident: "truck".into(),
        units,
        is_paced,
        rhythm: Rhythm {
            every: Duration::from_secs(10),
            or_change: PatternSet::new(or_change.iter().map(|it| Pattern::new(it)).collect()),
            stale: Duration::from_secs(60),
        },
        signals: sorted(vec![entry(0x101, "a"), entry(0x102, "b")]),
        standards: Standards::default(),
        request: None,
    })
}

fn log(or_change: &[&str]) -> Connection<Can> {
    Connection::new(Can::new(keys(Units::Log, false, or_change)))
}

fn line(second: u64, frame: &str) -> String {
    format!("({}.500000) can0 {frame}\n", 1_773_480_000 + second)
}

fn messages(bus: &Connection<Can>) -> Vec<String> {
    bus.intake.taken.iter().map(written).collect()
}

#[test]
fn a_log_gives_one_message_an_interval_by_the_time_of_its_lines() {
    let mut bus = log(&[]);
    let mut text = line(0, "101#05") + &line(1, "102#07") + &line(2, "333#FF");
    text += &line(4, "101#06");
    text += &line(11, "101#08");
    for piece in text.as_bytes().chunks(7) {
        assert!(bus.send(piece).is_empty(), "nothing is ever answered");
    }
    let first = r#"{"ident":"truck","a":6,"b":7,"timestamp":1773480004.5}"#;
    assert_eq!(messages(&bus), [first]);
    // the rest of a file is a message, too
    bus.session.on_eof(&mut bus.intake);
    let second = r#"{"ident":"truck","a":8,"b":7,"timestamp":1773480011.5}"#;
    assert_eq!(messages(&bus), [first, second]);
    assert!(bus.intake.malformed.is_empty());
}

#[test]
fn a_silence_in_a_log_is_no_message_and_makes_signals_stale() {
    let mut bus = log(&[]);
    let text = line(0, "101#01") + &line(0, "102#01") + &line(3600, "101#02");
    bus.send((text + &line(3615, "333#00")).as_bytes());
    let [first, second] = [
        r#"{"ident":"truck","a":1,"b":1,"timestamp":1773480000.5}"#,
        r#"{"ident":"truck","a":2,"timestamp":1773483600.5}"#,
    ];
    assert_eq!(messages(&bus), [first, second]);
}

#[test]
fn what_comes_as_it_is_on_the_bus_was_measured_when_it_came() {
    let mut bus = Connection::new(Can::new(keys(Units::Lines, true, &[])));
    bus.send(line(0, "101#05").as_bytes());
    bus.pass(Duration::from_secs(4));
    bus.send(line(0, "101#06").as_bytes());
    bus.pass(Duration::from_secs(5));
    assert!(messages(&bus).is_empty());
    bus.pass(Duration::from_secs(1));
    let message = r#"{"ident":"truck","a":6,"timestamp":1767225604}"#;
    assert_eq!(messages(&bus), [message]);
    assert_eq!(
        bus.session.wake_at(),
        None,
        "a bus that sleeps wakes nobody"
    );
}

#[test]
fn a_change_that_is_waited_for_is_a_message_at_once() {
    let mut bus = log(&["a"]);
    bus.send(line(0, "102#07").as_bytes());
    for value in ["05", "05", "06"] {
        bus.send(line(1, &format!("101#{value}")).as_bytes());
    }
    bus.send(line(2, "101#06").as_bytes());
    bus.send(line(3, "333#00").as_bytes());
    let values: Vec<_> = bus
        .intake
        .taken
        .iter()
        .map(|it| it.get("a").unwrap().number())
        .collect();
    assert_eq!(values, [Some(5.0), Some(6.0)]);
}

#[test]
fn a_file_is_read_at_the_pace_of_its_lines() {
    let mut bus = Connection::new(Can::new(keys(Units::Log, true, &["a"])));
    let text = line(0, "101#01") + &line(3, "101#02") + &line(600, "101#03");
    bus.send(text.as_bytes());
    assert_eq!(messages(&bus).len(), 1);
    assert!(bus.session.is_blocked() && bus.unused() > 0);
    bus.pass(Duration::from_millis(2900));
    assert!(bus.session.is_blocked());
    bus.pass(Duration::from_millis(100));
    assert!(!bus.session.is_blocked());
    bus.send(b"");
    // ten minutes without a line are not waited for
    assert_eq!(messages(&bus).len(), 3);
    // nor is anything where it comes as it is on the bus
    let mut bus = Connection::new(Can::new(keys(Units::Log, true, &["a"])));
    bus.session.resync();
    bus.send(text.as_bytes());
    assert_eq!(messages(&bus).len(), 3);
}

#[test]
fn frames_of_an_interface_come_in_both_lengths() {
    let mut bus = Connection::new(Can::new(keys(Units::Frames, true, &[])));
    let mut fd = frame(0x102, &[9]);
    fd[5] = 4;
    fd.resize(72, 0);
    let all = [
        frame(0x101, &[5]),
        fd,
        frame(0x101, &[6]),
        frame(0x4000_0101, &[7]),
    ]
    .concat();
    for piece in all.chunks(11) {
        bus.send(piece);
    }
    assert_eq!(bus.unused(), 0);
    bus.pass(Duration::from_secs(10));
    let message = r#"{"ident":"truck","a":6,"b":9,"timestamp":1767225600}"#;
    assert_eq!(messages(&bus), [message]);
    bus.send(&frame(0x101, &[1])[..15]);
    assert_eq!(bus.unused(), 15, "half a frame waits");
}

#[test]
fn what_is_told_only_when_it_is_asked_for_is_asked_for() {
    let mut keys = Rc::unwrap_or_clone(keys(Units::Frames, true, &[]));
    keys.standards.j1939 = true;
    keys.request = Some(request::Settings {
        pgns: vec![0xFEE5, 0xFEEC],
        every: Duration::from_secs(60),
        source: 0xF9,
    });
    let mut bus = Connection::new(Can::new(Rc::new(keys)));
    let engine = frame(0x8CF0_0400, &[0xFF, 0xFF, 0xFF, 0x40, 0x1F]);
    let mut asked = Vec::new();
    for second in 0..30 {
        asked.extend(bus.send(&engine));
        if second == 13 {
            asked.extend(bus.send(&frame(0x98FE_E500, &[20, 0, 0, 0])));
        }
        asked.extend(bus.pass(Duration::from_secs(1)));
    }
    let request = |low: u8| {
        let mut bytes = frame(0x98EA_FFF9, &[low, 0xFE, 0]);
        bytes[4] = 3;
        bytes
    };
    assert_eq!(asked, [request(0xE5), request(0xEC)].concat());
    // announced to all, in three packets
    bus.send(&frame(0x9CEC_FF00, &[32, 18, 0, 3, 0xFF, 0xEC, 0xFE, 0]));
    for packet in [b"\x01WVWZZZ1", b"\x02KZAW123", b"\x03456*\xff\xff\xff"] {
        bus.send(&frame(0x9CEB_FF00, packet));
    }
    bus.pass(Duration::from_secs(10));
    let last = messages(&bus).pop().unwrap();
    assert!(last.contains("\"can.engine.motorhours\":1"), "{last}");
    assert!(
        last.contains("\"vehicle.vin\":\"WVWZZZ1KZAW123456\""),
        "{last}"
    );
    // the controller has left the bus
    bus.send(&frame(0x2000_0040, &[]));
    for _ in 0..200 {
        assert!(bus.send(&engine).is_empty());
        assert!(bus.pass(Duration::from_secs(1)).is_empty());
    }
}

#[test]
fn errors_of_the_bus_are_counted_and_that_it_is_off_is_shown() {
    let mut bus = Connection::new(Can::new(keys(Units::Frames, true, &[])));
    bus.send(&frame(0x2000_0004, &[0, 0x30]));
    assert!(bus.intake.troubles.is_empty());
    bus.send(&frame(0x2000_0040, &[]));
    bus.send(&frame(0x2000_0040, &[]));
    assert_eq!(bus.intake.malformed, [InputError::Bus; 3]);
    assert_eq!(bus.intake.troubles.len(), 1, "said once");
    assert!(bus.intake.troubles[0].unwrap().contains("bus-off"));
    bus.send(&frame(0x333, &[]));
    assert_eq!(bus.intake.troubles.len(), 2);
    assert_eq!(bus.intake.troubles[1], None);
}

#[test]
fn what_is_no_line_is_counted_and_costs_no_other() {
    let long = format!("(1.5) can0 101#{}", "00".repeat(300));
    let broken: [(&[u8], InputError); 10] = [
        (b"can0 123#00", InputError::Syntax),
        (b"(1.0) can0 123#123", InputError::Syntax),
        (b"(1.0) can0 123", InputError::Syntax),
        (b"(x) can0 123#00", InputError::Syntax),
        (b"(1.0) can0 3FFFFFFFF#00", InputError::Syntax),
        (b"\xff\xfe\x00", InputError::Syntax),
        (b"(1.0) can0 8FF#00", InputError::Value),
        (b"(99999999999999999999.0) can0 123#00", InputError::Syntax),
        (b"(1.0) can0 123#00 R more", InputError::Syntax),
        (long.as_bytes(), InputError::Length),
    ];
    for (bytes, reason) in broken {
        let mut bus = log(&[]);
        bus.send(line(0, "101#05").as_bytes());
        bus.send(bytes);
        bus.send(b"\r\n\r\n");
        bus.send(line(1, "102#06").as_bytes());
        bus.session.on_eof(&mut bus.intake);
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(bus.intake.malformed, [reason], "{text}");
        let message = r#"{"ident":"truck","a":5,"b":6,"timestamp":1773480001.5}"#;
        assert_eq!(messages(&bus), [message], "{text}");
        assert_eq!(bus.closed, None, "{text}");
    }
}

#[test]
fn a_server_that_sends_something_else_is_left_and_a_file_is_read_on() {
    let mut server = Connection::new(Can::new(keys(Units::Lines, true, &[])));
    let nonsense = "HTTP/1.1 400 Bad Request\n".repeat(64);
    server.send(nonsense.as_bytes());
    assert!(server.closed.is_some());
    let mut file = log(&[]);
    file.send(nonsense.as_bytes());
    assert!(file.closed.is_none());
    assert_eq!(file.intake.malformed.len(), 64);
}
