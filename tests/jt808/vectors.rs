//! Every vector of the shared file: none is passed over.

use crate::support::channel::Connection;
use crate::support::vectors;
use serde_json::Value as Json;
use weir::channel::jt808::Jt808;
use weir::channel::jt808::Keys;
use weir::channel::jt808::Units;

#[test]
fn every_vector_gets_its_answers_and_gives_its_messages() {
    let Some(file) = vectors::vectors("jt808.json") else {
        return;
    };
    let all = file["vectors"].as_array().unwrap();
    assert!(all.len() >= 13);
    for vector in all {
        for units in [Units::Bytes, Units::Datagram] {
            println!("{} {units:?}", vector["id"]);
            check(vector, units);
        }
    }
}

fn check(vector: &Json, units: Units) {
    let mut device = Connection::new(Jt808::new(Keys::default(), units));
    vectors::check(vector, &mut device);
    assert_eq!(device.closed, None);
    if let Some(ident) = vector["ident"].as_str() {
        assert_eq!(device.intake.admitted, [ident]);
    }
}
