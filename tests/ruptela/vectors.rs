//! Every vector of the shared file: none is passed over.

use crate::support::channel::Connection;
use crate::support::vectors::check;
use crate::support::vectors::vectors;
use weir::channel::Refusal;
use weir::channel::ruptela::Ruptela;

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("ruptela.json") else {
        return;
    };
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 14);
    for vector in vectors {
        println!("{}", vector["id"]);
        let mut device: Connection<Ruptela> = crate::tcp();
        if vector.get("setup").is_some() {
            device.intake.refusal = Some(Refusal::Full);
        }
        check(vector, &mut device);
    }
}
