//! Receivers: NMEA 0183 and gpsd, from bytes to messages.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod ais;
mod generated;
mod gpsd;
mod names;
mod ships;
#[path = "../support/mod.rs"]
mod support;
mod tags;
mod values;

use serde_json::Value as Json;
use std::time::Duration;
use support::a_moment;
use support::channel::Connection;
use support::channel::value;
use support::random::Random;
use support::vectors::vectors;
use weir::channel::InputError;
use weir::channel::measured::judge;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Units;
use weir::message::Message;
use weir::message::Value;
use weir::wire::nmea as wire;
use weir::wire::nmea::Piece;
use weir::wire::nmea::Sentence;
use weir::wire::nmea::SentenceError;

#[test]
fn every_vector_of_nmea_gives_its_values() {
    let Some(file) = vectors("nmea0183.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    let mut seen = 0;
    for vector in all {
        let (id, expected) = (&vector["id"], &vector["decoded"]);
        let text = vector["sentence"].as_str().unwrap();
        let read = only(text);
        if expected["checksum_ok"] != Json::Bool(true) {
            assert_eq!(read, Err(SentenceError::Checksum), "{id}");
        } else {
            let Ok(sentence) = read else {
                panic!("{id}: {read:?}");
            };
            compare_sentence(&sentence, expected, id);
        }
        seen += 1;
    }
    assert_eq!(seen, all.len());
    assert!(seen >= 16, "a vector is skipped");
}

/// GpsGate's lines are framed as NMEA's: a receiver's channel judges them by their checksum, passes
/// over the commands and reads the position. What commands mean is nothing for a channel.
#[test]
fn every_line_of_gpsgate_is_judged_and_its_position_read() {
    let Some(file) = vectors("gpsgate.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    let mut positions = 0;
    for vector in all {
        let id = &vector["id"];
        let text = vector["line"].as_str().unwrap();
        let wrong = text.replace('*', "x*");
        assert_eq!(only(&wrong), Err(SentenceError::Checksum), "{id}");
        match only(text) {
            Ok(Sentence::Other) => {}
            Ok(Sentence::Rmc(rmc)) => {
                let (latitude, longitude) = rmc.position.unwrap();
                let place = [("lat", latitude), ("lon", longitude)];
                for (name, found) in place {
                    let wanted = vector["expect"][name].as_f64().unwrap();
                    assert!((found - wanted).abs() < 1e-6, "{id}: {name} {found}");
                }
                let date = rmc.date.unwrap();
                let day = format!("{:04}-{:02}-{:02}T", date.year, date.month, date.day);
                let time = vector["expect"]["time_utc"].as_str().unwrap();
                assert!(time.starts_with(&day), "{id}: {day}");
                positions += 1;
            }
            other => panic!("{id}: {other:?}"),
        }
    }
    assert!(all.len() >= 17 && positions == 1, "a vector is skipped");
}

fn compare_sentence(sentence: &Sentence, expected: &Json, id: &Json) {
    let near = |found: Option<f64>, name: &str, scale: f64| match &expected[name] {
        Json::Null => assert!(found.is_none(), "{id}: {name}: {found:?}"),
        number => {
            let (found, wanted) = (found.unwrap() * scale, number.as_f64().unwrap());
            assert!(
                (found - wanted).abs() < 6e-5,
                "{id}: {name}: {found}, not {wanted}"
            );
        }
    };
    let place = |position: Option<(f64, f64)>| {
        let (lat, lon) = position.unwrap();
        for (found, name) in [(lat, "lat"), (lon, "lon")] {
            let wanted = expected[name].as_f64().unwrap();
            assert!((found - wanted).abs() < 1e-9, "{id}: {name}: {found}");
        }
    };
    match sentence {
        Sentence::Rmc(rmc) => {
            assert_eq!(expected["type"], "RMC", "{id}");
            assert_eq!(Json::Bool(rmc.valid), expected["valid"], "{id}");
            place(rmc.position);
            near(rmc.speed, "speed_knots", 1.0);
            near(rmc.speed, "speed_kmh", wire::KNOT);
            near(rmc.course, "course", 1.0);
            let message = told(&[format!("{}\r\n", with_checksum_of(rmc, expected))]);
            assert_eq!(message.len(), 1, "{id}");
        }
        Sentence::Gga(gga) => {
            assert_eq!(expected["type"], "GGA", "{id}");
            assert_eq!(Json::from(gga.quality), expected["quality"], "{id}");
            assert_eq!(Json::from(gga.satellites), expected["sats"], "{id}");
            place(gga.position);
            near(gga.hdop, "hdop", 1.0);
            near(gga.altitude, "alt_msl_m", 1.0);
        }
        Sentence::Vtg(vtg) => {
            assert_eq!(expected["type"], "VTG", "{id}");
            near(vtg.course, "course", 1.0);
            near(vtg.speed, "speed_kmh", 1.0);
        }
        other => panic!("{id}: {other:?}"),
    }
}

/// The shortest RMC of the same time, for its timestamp.
fn with_checksum_of(rmc: &wire::Rmc, expected: &Json) -> String {
    let micros = rmc.time.unwrap();
    let millis = expected["time_unix_ms"].as_u64().unwrap();
    assert_eq!(micros / 1000, millis % 86_400_000);
    let date = rmc.date.unwrap();
    let days = millis / 86_400_000;
    let iso = format!("{:04}-{:02}-{:02}", date.year, date.month, date.day);
    let midnight = weir::message::timestamp::from_iso8601(&iso).unwrap();
    assert_eq!(midnight / 86_400_000_000, days);
    sentence("GPRMC,120000,V,,,,,,,010124,,")
}

#[test]
fn sentences_of_one_time_become_one_message() {
    let taken = told(&[
        sentence("GPGGA,235959.500,3747.0873,S,17518.8938,E,1,08,1.1,59.9,M,23.7,M,,"),
        sentence("GPRMC,235959.500,A,3747.0873,S,17518.8938,E,10.0,181.39,311225,,,A"),
        sentence("GPVTG,180.0,T,,M,99.0,N,99.0,K,A"),
        sentence("GPGSV,1,1,00"),
        sentence("GPRMC,000000.500,V,,,,,,,,,,N"),
    ]);
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].ident(), "gw");
    let wanted = [
        ("timestamp", 1_767_225_599.5),
        ("position.latitude", -37.784_788_333),
        ("position.longitude", 175.314_896_667),
        ("position.altitude", 59.9),
        ("position.speed", 18.52),
        ("position.direction", 181.39),
        ("position.satellites", 8.0),
        ("position.hdop", 1.1),
    ];
    for (name, wanted) in wanted {
        assert_eq!(number(&taken[0], name), wanted, "{name}");
    }
    assert_eq!(value(&taken[0], "position.valid"), Value::Bool(true));
    // over midnight the date that is not said is the next
    assert_eq!(number(&taken[1], "timestamp"), 1_767_225_600.5);
    assert_eq!(value(&taken[1], "position.valid"), Value::Bool(false));
    assert!(!taken[1].has("position.latitude"));
}

#[test]
fn a_date_is_that_of_the_arrival_where_nothing_says_it_and_lost_weeks_come_back() {
    let gga = "GPGGA,235000,3747.0873,S,17518.8938,E,1,08,1.1,59.9,M,23.7,M,,";
    let taken = told(&[sentence(gga)]);
    // it is midnight: ten minutes before was yesterday
    assert_eq!(number(&taken[0], "timestamp"), 1_767_225_000.0);
    let era = 1024.0 * 7.0 * 86_400.0;
    let rolled = sentence("GPRMC,000001,A,3747.0873,S,17518.8938,E,1,1,180506,,");
    let mut taken = told(&[rolled]);
    judge(&mut taken[0], a_moment());
    assert_eq!(number(&taken[0], "timestamp"), 1_147_910_401.0 + era);
}

#[test]
fn a_datagram_needs_no_end_of_its_last_line() {
    let mut sender = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Datagram));
    let rmc = sentence("GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,");
    sender.send_datagram(rmc.trim_end().as_bytes());
    sender.pass(Duration::from_millis(299));
    assert!(sender.intake.taken.is_empty());
    sender.pass(Duration::from_millis(1));
    assert_eq!(sender.intake.taken.len(), 1);
}

#[test]
fn broken_lines_are_counted_and_the_next_is_understood() {
    let good = sentence("GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,");
    let long = format!("{}{good}", "x".repeat(2 * good.len() + 600));
    let table = [
        (
            "wrong checksum",
            good.replace("0100.0", "0100.1"),
            InputError::Checksum,
        ),
        (
            "cut off",
            format!("{}\r\n", &good[..30]),
            InputError::Checksum,
        ),
        ("far too long", long, InputError::Length),
        (
            "latitude",
            sentence("GPRMC,1,A,9100.0,N,00200.0,E,1,1,010126,,"),
            InputError::Syntax,
        ),
        (
            "beyond the pole",
            sentence("GPRMC,120000,A,9100.0,N,00200.0,E,1,1,010126,,"),
            InputError::Value,
        ),
        (
            "no such hour",
            sentence("GPRMC,250000,A,,,,,,,010126,,"),
            InputError::Value,
        ),
        (
            "the end of a sentence, in one line with the next",
            format!("3,3,09,15,30,050,47*41{}", sentence("GPGSV,1,1,00")),
            InputError::Checksum,
        ),
        (
            "cut off, in one line with the next",
            format!("{}{}", &good[..30], sentence("GPGSV,1,1,00")),
            InputError::Checksum,
        ),
        (
            "no such state",
            sentence("GPRMC,120000,B,0100.0,N,00200.0,E,1,1,010126,,"),
            InputError::Syntax,
        ),
        (
            "another protocol",
            "#L#imei;NA\r\n".to_owned(),
            InputError::Syntax,
        ),
    ];
    for (name, broken, reason) in table {
        let mut line = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Bytes));
        line.send(sentence("GPGSV,1,1,00").as_bytes());
        line.send(broken.as_bytes());
        line.send(good.as_bytes());
        line.pass(Duration::from_secs(1));
        assert_eq!(line.intake.malformed, [reason], "{name}");
        assert_eq!(line.intake.taken.len(), 1, "{name}");
        assert_eq!(line.closed, None, "{name}");
    }
}

#[test]
fn rubbish_ends_the_connection_and_is_never_kept() {
    let mut line = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Bytes));
    let mut random = Random(7);
    for _ in 0..10_000 {
        let bytes: Vec<u8> = (0..64).map(|_| random.below(256) as u8).collect();
        line.send(&bytes);
        if line.closed.is_some() {
            break;
        }
    }
    assert!(line.closed.is_some());
    assert!(line.intake.taken.is_empty());
}

#[test]
fn what_is_generated_is_read_as_it_was_meant() {
    let mut random = Random(1);
    let mut below = |bound: usize| random.below(bound) as u64;
    for _ in 0..5_000 {
        let (lat, lon) = (below(89_000_000), below(179_000_000));
        let (south, west) = (below(2) == 1, below(2) == 1);
        let angle = |millionths: u64, width: usize| {
            let minutes = (millionths % 1_000_000) * 60;
            let (whole, part) = (minutes / 1_000_000, minutes % 1_000_000);
            format!("{:0width$}{whole:02}.{part:06}", millionths / 1_000_000)
        };
        let seconds = below(86_400);
        let clock = seconds / 3600 * 10_000 + seconds / 60 % 60 * 100 + seconds % 60;
        let knots = below(2_000) as f64 / 10.0;
        let day = below(28) + 1;
        let rmc = sentence(&format!(
            "GNRMC,{clock:06}.25,A,{},{},{},{},{knots:.1},{:.2},{day:02}0225,,,A,V",
            angle(lat, 2),
            if south { "S" } else { "N" },
            angle(lon, 3),
            if west { "W" } else { "E" },
            90.5
        ));
        let taken = told(std::slice::from_ref(&rmc));
        let near = |name: &str, wanted: f64, within: f64| {
            let found = number(&taken[0], name);
            assert!(
                (found - wanted).abs() < within,
                "{rmc}: {name}: {found}, not {wanted}"
            );
        };
        let signed =
            |millionths: u64, minus: bool| millionths as f64 / 1e6 * if minus { -1.0 } else { 1.0 };
        near("position.latitude", signed(lat, south), 1e-8);
        near("position.longitude", signed(lon, west), 1e-8);
        near("position.speed", knots * 1.852, 1e-4);
        let first = 1_738_368_000.0;
        let wanted = first + (day - 1) as f64 * 86_400.0 + seconds as f64 + 0.25;
        near("timestamp", wanted, 1e-6);
    }
}

/// A line that is one sentence and nothing else.
fn only(text: &str) -> Result<Sentence, SentenceError> {
    let mut pieces = wire::pieces(text.as_bytes());
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Sentence(read)), None) => read,
        other => panic!("{text}: {other:?}"),
    }
}

/// What a receiver's channel takes of these lines.
fn told(lines: &[String]) -> Vec<Message> {
    let mut line = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Bytes));
    for text in lines {
        assert_eq!(line.send(text.as_bytes()), support::channel::SILENCE);
    }
    line.pass(Duration::from_secs(1));
    assert_eq!(line.intake.malformed, []);
    line.intake.taken
}

/// With its `$`, its checksum and its end.
fn sentence(body: &str) -> String {
    let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}

fn number(message: &Message, name: &str) -> f64 {
    match value(message, name) {
        Value::F64(number) => number,
        Value::U64(number) => number as f64,
        other => panic!("{name}: {other:?}"),
    }
}

/// Midnight, when all of it arrives; seconds since 1970.
const NOW: f64 = 1_767_225_600.0;
