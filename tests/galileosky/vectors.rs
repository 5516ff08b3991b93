//! Every vector of the shared file: none is passed over.

use crate::support::vectors::check;
use crate::support::vectors::vectors;

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("galileosky.json") else {
        return;
    };
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 13);
    for vector in vectors {
        println!("{}", vector["id"]);
        let mut device = crate::device();
        if let Some(ident) = vector["after_login"].as_str() {
            assert_eq!(device.send(&crate::generator::head(ident)).len(), 3);
        }
        check(vector, &mut device);
    }
}
