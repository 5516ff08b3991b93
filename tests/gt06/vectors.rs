//! Every vector of the shared file: none is passed over.

use crate::generator;
use crate::support::a_moment;
use crate::support::channel::Connection;
use crate::support::vectors;
use serde_json::Value as Json;
use std::time::Duration;
use weir::channel::gt06::Gt06;
use weir::channel::gt06::Keys;
use weir::channel::gt06::Units;

#[test]
fn every_vector_gets_its_answers_and_gives_its_messages() {
    let Some(file) = vectors::vectors("gt06.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    assert!(all.len() >= 20);
    for vector in all {
        for units in [Units::Bytes, Units::Datagram] {
            println!("{} {units:?}", vector["id"]);
            check(vector, units);
        }
    }
}

fn check(vector: &Json, units: Units) {
    let mut device = Connection::new(Gt06::new(Keys::default(), units));
    if let Some(ident) = vector["after_login"].as_str() {
        let zone = vector["login_utc_offset_s"].as_u64();
        let zone = zone.map(|zone| ((zone / 3600 * 100) as u16, false));
        device.send(&generator::login(ident, zone, 999));
        assert_eq!(device.intake.admitted, [ident]);
    }
    if let Some(now) = vector["now"].as_u64() {
        device.intake.elapsed = Duration::from_secs(now) - a_moment().wall.since_1970;
    }
    vectors::check(vector, &mut device);
    assert_eq!(device.closed, None);
    if let Some(ident) = vector["ident"].as_str() {
        assert_eq!(device.intake.admitted, [ident]);
    }
}
