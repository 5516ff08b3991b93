//! The vectors that the projects share, read where they are.

use std::path::Path;

/// The vectors of one protocol, where they are; a line says so where they are not.
pub(crate) fn vectors(file: &str) -> Option<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors")
        .join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no `{}`", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("vectors are JSON"))
}
