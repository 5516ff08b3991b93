//! What sentences say of times and values that are missing, impossible or written oddly.

use crate::NOW;
use crate::number;
use crate::sentence;
use crate::support::channel::Connection;
use crate::support::channel::value;
use crate::told;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Units;
use weir::message::Value;

#[test]
fn blanks_around_the_star_are_forgiven() {
    let plain = "GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,,A";
    let sum = |body: &str| body.bytes().fold(0, |sum, byte| sum ^ byte);
    for text in [
        format!("${plain} * {:02X}\r\n", sum(plain)),
        format!("${plain} * {:02x} \r\n", sum(&format!("{plain} "))),
        format!("${plain}* {:02X}\r\n", sum(plain)),
        format!("${plain} *{:02X}\r\n", sum(plain)),
    ] {
        assert_eq!(told(std::slice::from_ref(&text)).len(), 1, "{text}");
    }
    let wrong = format!("${plain} * {:02X}\r\n", sum(plain) ^ 1);
    assert_checksum_is_wrong(&wrong);
}

fn assert_checksum_is_wrong(text: &str) {
    let mut line = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Bytes));
    line.send(text.as_bytes());
    assert_eq!(line.intake.malformed, [InputError::Checksum], "{text}");
}

#[test]
fn a_checksum_is_two_digits_and_has_no_sign() {
    let body = "GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,,A";
    let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
    // a letter behind brings the sum to one digit
    let filled = format!("{body}{}", char::from(sum ^ 0x0F));
    assert_eq!(told(&[format!("${filled}*0F\r\n")]).len(), 1);
    assert_checksum_is_wrong(&format!("${filled}*+F\r\n"));
}

#[test]
fn what_tells_no_time_was_measured_when_it_came() {
    let bodies = [
        "GPRMC,,A,0100.0,N,00200.0,E,1,1,,,",
        "GPRMC,,A,0100.0,N,00200.0,E,1,1,010126,,",
        "GPGGA,,0100.0,N,00200.0,E,1,08,1.1,59.9,M,23.7,M,,",
    ];
    for body in bodies {
        let taken = told(&[sentence(body)]);
        assert_eq!(taken.len(), 1, "{body}");
        assert!(!taken[0].has("timestamp"), "{body}: it is that of arrival");
        assert_eq!(number(&taken[0], "position.latitude"), 1.0, "{body}");
    }
    // each is an epoch, as fast as they come, with what others say at once
    let [rmc, _, gga] = bodies.map(sentence);
    let taken = told(&[rmc.clone(), gga.clone(), rmc, gga]);
    assert_eq!(taken.len(), 2);
    assert!(taken.iter().all(|one| one.has("position.altitude")));
    let nothing = told(&[sentence("GPRMC,,V,,,,,,,,,,N")]);
    assert_eq!(value(&nothing[0], "position.valid"), Value::Bool(false));
}

#[test]
fn an_epoch_of_which_one_sentence_tells_the_time_has_it() {
    let taken = told(&[
        sentence("GPGGA,,0100.0,N,00200.0,E,1,08,1.1,59.9,M,23.7,M,,"),
        sentence("GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,"),
        sentence("GPGGA,,0100.0,N,00200.0,E,1,09,1.1,59.9,M,23.7,M,,"),
        sentence("GPRMC,120001,A,0100.0,N,00200.0,E,1,1,010126,,"),
    ]);
    assert_eq!(taken.len(), 2);
    assert_eq!(number(&taken[0], "timestamp"), NOW + 43_200.0);
    assert_eq!(number(&taken[1], "timestamp"), NOW + 43_201.0);
    let satellites = taken.iter().map(|one| number(one, "position.satellites"));
    assert_eq!(satellites.collect::<Vec<_>>(), [8.0, 9.0]);
}

#[test]
fn what_cannot_be_is_left_out_and_costs_nothing_else() {
    let place = "0100.0,N,00200.0,E";
    for (speed, course) in [
        ("1", "511"),
        ("1", "511.9"),
        ("1", "-1"),
        ("1", "nan"),
        ("1023.9", "90"),
        ("-1", "90"),
        ("1.2.3", "90"),
    ] {
        let rmc = format!("GPRMC,120000,A,{place},{speed},{course},010126,,");
        let taken = told(&[sentence(&rmc)]);
        assert_eq!(number(&taken[0], "position.latitude"), 1.0, "{rmc}");
        let has = |name| taken[0].has(name);
        assert_eq!(has("position.direction"), course == "90", "{rmc}");
        assert_eq!(has("position.speed"), speed == "1", "{rmc}");
    }
    // one that is not known hides no other
    let vtg = sentence("GPVTG,90.0,T,,M,1.0,N,1.852,K");
    let rmc = sentence(&format!("GPRMC,120000,A,{place},1,511,010126,,"));
    let taken = told(&[rmc, vtg]);
    assert_eq!(number(&taken[0], "position.direction"), 90.0);
    let gga = format!("GPGGA,120000,{place},1,x,99.99,-,M,,M,,");
    let taken = told(&[sentence(&gga)]);
    assert_eq!(value(&taken[0], "position.valid"), Value::Bool(true));
    for name in ["satellites", "hdop", "altitude"] {
        assert!(!taken[0].has(&format!("position.{name}")), "{name}");
    }
    // no such day: that of the time of day and the arrival
    for date in ["000000", "320126", "0101", "today"] {
        let rmc = format!("GPRMC,000001,A,{place},1,1,{date},,");
        let taken = told(&[sentence(&rmc)]);
        assert_eq!(number(&taken[0], "timestamp"), NOW + 1.0, "{date}");
    }
}

#[test]
fn a_fix_from_no_satellite_is_none() {
    let gga = "GPGGA,120000,0100.0,N,00200.0,E,1,00,1.1,59.9,M,23.7,M,,";
    let rmc = "GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010126,,";
    let taken = told(&[sentence(gga), sentence(rmc)]);
    assert_eq!(value(&taken[0], "position.valid"), Value::Bool(false));
    assert_eq!(value(&taken[0], "position.satellites"), Value::U64(0));
    assert!(!taken[0].has("position.latitude"));
}

#[test]
fn an_epoch_whose_rmc_is_damaged_is_believed_by_its_gga() {
    let epoch = |second: u64| {
        let time = format!("1200{second:02}");
        let place = "0100.0,N,00200.0,E";
        [
            sentence(&format!("GPRMC,{time},A,{place},1,1,010126,,")),
            sentence(&format!("GPGGA,{time},{place},1,08,1.1,59.9,M,23.7,M,,")),
        ]
    };
    let mut line = Connection::new(Nmea::new(Some("gw".to_owned()), Units::Bytes));
    let [rmc, gga] = epoch(1);
    let cut = format!("{}{}{gga}", epoch(0).concat(), &rmc[..40]);
    line.send(cut.as_bytes());
    // without damage it is one of those that say less often where they go
    line.send((epoch(2).concat() + &epoch(3)[1]).as_bytes());
    line.pass(Duration::from_secs(1));
    assert_eq!(line.intake.malformed, [InputError::Checksum]);
    let times = line.intake.taken.iter().map(|one| number(one, "timestamp"));
    let noon = NOW + 43_200.0;
    assert_eq!(times.collect::<Vec<_>>(), [noon, noon + 1.0, noon + 2.0]);
}
