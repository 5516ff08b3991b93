//! gpsd: what its lines become, and what becomes of those that are none.

use crate::number;
use crate::sentence;
use crate::support;
use crate::support::channel::Connection;
use crate::support::channel::value;
use crate::support::vectors::vectors;
use serde_json::Value as Json;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::Session;
use weir::channel::gpsd::Gpsd;
use weir::message::Message;
use weir::message::Value;

#[test]
fn every_vector_of_gpsd_gives_its_values() {
    let Some(file) = vectors("gpsd.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    for vector in all {
        let (id, expected) = (&vector["id"], &vector["expect"]);
        let mut source = Connection::new(Gpsd::new("gw", None));
        source.send(vector["line"].as_str().unwrap().as_bytes());
        source.send(b"\r\n");
        if expected["sats_used"].is_u64() {
            source.send(b"{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-01-01T00:00:00Z\",");
            source.send(b"\"lat\":1.5,\"lon\":2.5}\r\n");
        }
        source.pass(Duration::from_secs(1));
        assert_eq!(source.closed, None, "{id}");
        let taken = &source.intake.taken;
        if expected["emit"] == Json::Bool(false) {
            // a place without a time is part of an epoch that has one, or was measured now
            let places = vector["line"].as_str().unwrap().contains("\"lat\"");
            assert_eq!(taken.len(), usize::from(places), "{id}");
            assert!(taken.iter().all(|one| !one.has("timestamp")), "{id}");
            continue;
        }
        assert_eq!(taken.len(), 1, "{id}");
        for (name, parameter, scale) in [
            ("time_ms", "timestamp", 1000.0),
            ("lat", "position.latitude", 1.0),
            ("lon", "position.longitude", 1.0),
            ("alt_msl", "position.altitude", 1.0),
            ("speed_kmh", "position.speed", 1.0),
            ("course", "position.direction", 1.0),
            ("hdop", "position.hdop", 1.0),
            ("sats_used", "position.satellites", 1.0),
        ] {
            if let Some(wanted) = expected[name].as_f64() {
                let found = number(&taken[0], parameter) * scale;
                assert!((found - wanted).abs() < 1e-3, "{id}: {name}: {found}");
            }
        }
    }
    assert!(all.len() >= 5, "a vector is skipped");
}

#[test]
fn gpsd_is_asked_first_and_one_epoch_is_one_message() {
    let mut source = Connection::new(Gpsd::new("gw", None));
    let mut out = Vec::new();
    source.session.opened(support::a_moment(), &mut out);
    assert_eq!(out, b"?WATCH={\"enable\":true,\"json\":true};\n");
    let lines = [
        r#"{"class":"VERSION","release":"3.22"}"#,
        r#"{"class":"TPV","mode":3,"time":"2026-01-01T00:00:01Z","lat":1.5,"lon":2.5}"#,
        r#"{"class":"SKY","uSat":7,"hdop":0.9}"#,
        r#"{"class":"TPV","mode":3,"time":"2026-01-01T00:00:01Z","speed":10.0}"#,
        r#"{"class":"TPV","mode":1,"time":"2026-01-01T00:00:02Z"}"#,
    ];
    for line in lines {
        source.send(format!("{line}\r\n").as_bytes());
    }
    assert_eq!(source.intake.taken.len(), 1);
    let first = &source.intake.taken[0];
    assert_eq!(value(first, "position.speed"), Value::F64(36.0));
    assert_eq!(value(first, "position.satellites"), Value::U64(7));
    source.pass(Duration::from_secs(1));
    let second = &source.intake.taken[1];
    assert_eq!(value(second, "position.valid"), Value::Bool(false));
    assert!(!second.has("position.latitude"));
}

/// A connection on which these lines came, and then nothing for a second.
fn heard(device: Option<&str>, lines: &[&str]) -> Connection<Gpsd> {
    let mut source = Connection::new(Gpsd::new("gw", device));
    for line in lines {
        source.send(format!("{line}\r\n").as_bytes());
    }
    source.pass(Duration::from_secs(1));
    source
}

/// A fix of `device` at a second past noon, `latitude` degrees north.
fn fix(device: &str, second: u64, latitude: f64) -> String {
    format!(
        "{{\"class\":\"TPV\",\"device\":\"{device}\",\"mode\":3,\
         \"time\":\"2026-01-01T12:00:{second:02}Z\",\"lat\":{latitude},\"lon\":2.5}}"
    )
}

/// A fix without a time.
fn untimed(latitude: f64) -> String {
    format!("{{\"class\":\"TPV\",\"mode\":3,\"lat\":{latitude},\"lon\":2.5}}")
}

#[test]
fn a_line_with_a_field_of_another_type_costs_at_most_itself() {
    let raw = r#"{"class":"RAW","device":"a","time":1795971956,"nsec":0,"rawdata":[]}"#;
    for passed in [
        raw,
        r#"{"class":"RAW","time":[[]],"mode":"x","class2":null}"#,
        r#"{"class":"PPS","real_sec":1,"time":false}"#,
        r#"{"class":"SKY","hdop":"good","satellites":7,"uSat":"x","time":5}"#,
        r#"{"class":"SKY","satellites":[1,"x",{"used":2},{"used":true}]}"#,
        r#"{"class":"DEVICES","devices":3}"#,
        r#"{"class":"AIS","mmsi":"x","lat":"north"}"#,
    ] {
        let lines = [&fix("a", 1, 1.0), passed, &fix("a", 2, 1.0)];
        let source = heard(None, &lines);
        assert_eq!(source.intake.malformed, [], "{passed}");
        assert_eq!(source.intake.taken.len(), 2, "{passed}");
    }
    let odd = r#"{"class":"TPV","mode":3,"time":"2026-01-01T12:00:00Z","lat":1.5,"lon":2.5,
        "speed":"fast","track":511.0,"alt":{},"altMSL":7.5,"epx":"nan"}"#;
    let source = heard(None, &[&odd.replace('\n', "")]);
    assert_eq!(source.intake.malformed, []);
    let taken = &source.intake.taken[0];
    assert_eq!(number(taken, "position.altitude"), 7.5);
    assert!(!taken.has("position.speed") && !taken.has("position.direction"));
}

#[test]
fn a_line_that_is_too_long_is_passed_over_up_to_its_end() {
    let good = fix("a", 1, 1.0);
    let long = format!("{{\"class\":\"RAW\",\"x\":\"{}\"}}", "x".repeat(40_000));
    for piece in [1, 100, 4096, 100_000] {
        let mut source = Connection::new(Gpsd::new("gw", None));
        let text = format!("{good}\n{long}\n{good}\n{}\n", fix("a", 2, 1.0));
        for bytes in text.as_bytes().chunks(piece) {
            source.send(bytes);
            assert!(source.unused() <= 16 * 1024);
        }
        source.pass(Duration::from_secs(1));
        assert_eq!(source.closed, None, "{piece}");
        assert_eq!(source.intake.malformed, [InputError::Length], "{piece}");
        assert_eq!(source.intake.taken.len(), 2, "{piece}");
    }
    // one that never ends is not gpsd's
    let mut source = Connection::new(Gpsd::new("gw", None));
    (0..1100).for_each(|_| drop(source.send(&[b'{'; 1024])));
    assert!(source.closed.is_some());
    assert_eq!(source.intake.malformed, [InputError::Length]);
}

#[test]
fn another_protocol_where_gpsd_should_be_ends_the_connection_in_the_end() {
    let mut source = Connection::new(Gpsd::new("gw", None));
    (0..63).for_each(|_| drop(source.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    assert_eq!(source.closed, None);
    source.send(b"Date: today\r\n");
    assert!(source.closed.is_some());
    assert_eq!(source.intake.malformed, [InputError::Syntax; 64]);
}

#[test]
fn receivers_are_told_apart_or_one_is_chosen() {
    // both in one second, and their lines in turns
    let mut lines = Vec::new();
    for second in 0..4 {
        for (device, latitude, used) in [("/dev/a", 1.0, 7), ("/dev/b", 5.0, 9)] {
            lines.push(fix(device, second, latitude));
            lines.push(format!(
                "{{\"class\":\"SKY\",\"device\":\"{device}\",\"uSat\":{used},\"hdop\":1.5}}"
            ));
        }
    }
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let source = heard(None, &lines);
    assert_eq!(source.intake.taken.len(), 8);
    for (device, latitude, used) in [("/dev/a", 1.0, 7), ("/dev/b", 5.0, 9)] {
        let of_it = |one: &&Message| value(one, "gnss.device") == Value::from(device);
        let own: Vec<_> = source.intake.taken.iter().filter(of_it).collect();
        let times = own.iter().map(|one| number(one, "timestamp") as u64 % 60);
        assert_eq!(times.collect::<Vec<_>>(), [0, 1, 2, 3], "{device}");
        for one in own {
            assert_eq!(number(one, "position.latitude"), latitude);
            assert_eq!(value(one, "position.satellites"), Value::U64(used));
        }
    }
    let source = heard(Some("/dev/b"), &lines);
    assert_eq!(source.intake.malformed, []);
    assert_eq!(source.intake.taken.len(), 4);
    for one in &source.intake.taken {
        assert_eq!(number(one, "position.latitude"), 5.0);
        assert!(!one.has("gnss.device"), "it is known which");
    }
}

#[test]
fn a_receiver_that_is_chosen_and_not_there_is_said() {
    let devices = r#"{"class":"DEVICES","devices":[{"path":"/dev/a"},{"path":"/dev/c"}]}"#;
    for (chosen, counted) in [
        (None, vec![]),
        (Some("/dev/a"), vec![]),
        (Some("/dev/b"), vec![InputError::Unsupported]),
    ] {
        let source = heard(chosen, &[devices]);
        assert_eq!(source.intake.malformed, counted, "{chosen:?}");
    }
}

#[test]
fn receivers_without_end_take_no_memory_and_lose_nothing() {
    let lines: Vec<_> = (0..100)
        .map(|n| fix(&format!("/dev/{n}"), 1, 1.0))
        .collect();
    let source = heard(None, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(source.intake.taken.len(), 100);
    let long = fix(&"x".repeat(1000), 1, 1.0);
    assert_eq!(heard(None, &[&long]).intake.malformed, [InputError::Value]);
}

#[test]
fn a_receiver_that_tells_no_time_measured_when_it_came() {
    let lines = [untimed(1.0), untimed(1.001), untimed(1.002)];
    let no_fix = r#"{"class":"TPV","mode":1}"#;
    let source = heard(None, &[no_fix, &lines[0], &lines[1], &lines[2], no_fix]);
    assert_eq!(source.intake.malformed, []);
    let taken = &source.intake.taken;
    assert!(taken.iter().all(|one| !one.has("timestamp")));
    let valid = taken
        .iter()
        .map(|one| value(one, "position.valid") == Value::Bool(true));
    assert_eq!(valid.collect::<Vec<_>>(), [true, true, true, false]);
    assert_eq!(number(&taken[2], "position.latitude"), 1.002);
}

#[test]
fn a_report_without_a_time_is_part_of_an_epoch_that_has_one() {
    let all = [
        untimed(1.0),
        fix("", 1, 1.001),
        untimed(1.002),
        fix("", 2, 1.002),
        r#"{"class":"TPV","mode":1}"#.to_owned(),
    ];
    let source = heard(None, &all.each_ref().map(String::as_str));
    let times = source
        .intake
        .taken
        .iter()
        .map(|one| number(one, "timestamp") as u64 % 60);
    assert_eq!(times.collect::<Vec<_>>(), [1, 2]);
    // one that has lost the time is believed without it after a while
    let mut source = heard(None, &[&fix("", 1, 1.0)]);
    source.pass(Duration::from_secs(11));
    source.send(format!("{}\n", untimed(1.5)).as_bytes());
    source.pass(Duration::from_secs(1));
    assert!(!source.intake.taken[1].has("timestamp"));
}

/// What gpsd 3.22 says of a receiver that sends RMC and GSV without GSA.
#[test]
fn a_count_of_no_satellites_beside_a_fix_is_not_known() {
    let sky = r#"{"class":"SKY","nSat":1,"uSat":0,"satellites":[{"PRN":4,"used":false}]}"#;
    let source = heard(None, &[sky, &fix("", 1, 1.0)]);
    let taken = &source.intake.taken[0];
    assert_eq!(value(taken, "position.valid"), Value::Bool(true));
    assert!(!taken.has("position.satellites"));
}

#[test]
fn what_is_not_gpsds_is_counted_and_the_next_is_understood() {
    let tpv = |rest: &str| format!("{{\"class\":\"TPV\",\"mode\":3,{rest}}}\r\n");
    let good = tpv("\"time\":\"2025-02-01T12:00:00Z\",\"lat\":1.5,\"lon\":2.5");
    let table = [
        ("no JSON", "hello\r\n".to_owned(), InputError::Syntax),
        ("NMEA", sentence("GPGSV,1,1,00"), InputError::Syntax),
        (
            "cut off",
            format!("{}\r\n", &good[..40]),
            InputError::Syntax,
        ),
        (
            "too long",
            format!("{}\n", "x".repeat(20_000)),
            InputError::Length,
        ),
        (
            "a time that is none",
            tpv("\"time\":\"yesterday\",\"lat\":1,\"lon\":2"),
            InputError::Value,
        ),
        (
            "beyond the pole",
            tpv("\"time\":\"2025-02-01T12:00:00Z\",\"lat\":91,\"lon\":2"),
            InputError::Value,
        ),
        ("no class", "{\"mode\":3}\n".to_owned(), InputError::Syntax),
        (
            "a time of another type",
            tpv("\"time\":1795971956,\"lat\":1,\"lon\":2"),
            InputError::Value,
        ),
        (
            "a place of another type",
            tpv("\"time\":\"2025-02-01T12:00:00Z\",\"lat\":\"1\",\"lon\":2"),
            InputError::Value,
        ),
        (
            "a mode of another type",
            "{\"class\":\"TPV\",\"mode\":\"3D\"}\n".to_owned(),
            InputError::Value,
        ),
        (
            "a device of another type",
            "{\"class\":\"TPV\",\"device\":7}\n".to_owned(),
            InputError::Value,
        ),
        (
            "what gpsd did not understand",
            "{\"class\":\"ERROR\",\"message\":\"no\"}\r\n".to_owned(),
            InputError::Unsupported,
        ),
    ];
    for (name, broken, reason) in table {
        let mut source = Connection::new(Gpsd::new("gw", None));
        source.send(broken.as_bytes());
        assert_eq!(source.intake.malformed, [reason], "{name}");
        source.send(good.as_bytes());
        source.pass(Duration::from_secs(1));
        assert_eq!(source.closed, None, "{name}");
        assert_eq!(source.intake.taken.len(), 1, "{name}");
    }
}

/// A name with a line feed would be a line of the log of its own.
#[test]
fn what_gpsd_says_breaks_no_log() {
    let mut gpsd = Connection::new(Gpsd::new("gw", Some("/dev/a")));
    let long = "x".repeat(5_000);
    for line in [
        r#"{"class":"DEVICES","devices":[{"path":"/dev/\n\u007f"}]}"#.to_owned(),
        format!(r#"{{"class":"DEVICES","devices":[{{"path":"{long}"}}]}}"#),
        r#"{"class":"ERROR","message":"a\nb\u001b[1m"}"#.to_owned(),
        format!(r#"{{"class":"ERROR","message":"{long}"}}"#),
    ] {
        gpsd.send(format!("{line}\n").as_bytes());
        let detail = gpsd.intake.details.pop().unwrap();
        assert!(!detail.contains(char::is_control), "{detail:?}");
        assert!(detail.len() < 1_000, "{detail}");
    }
}
