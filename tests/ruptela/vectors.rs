//! Every vector of the shared file: none is passed over.

use crate::support::channel::Connection;
use crate::support::vectors::check;
use crate::support::vectors::vectors;
use serde_json::json;
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
        let mut vector = vector.clone();
        // of the answers that it allows, this is the one that weir gives
        if vector["id"] == "neg-count-lies" {
            vector["answers"] = json!([{ "hex": crate::REFUSED, "when": "at once" }]);
        }
        check(&vector, &mut device);
    }
}
