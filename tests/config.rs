//! The configuration from outside: files in, settings and exact messages out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use weir::config::Environment;
use weir::config::Loaded;
use weir::config::load;
use weir::config::render;

/// A machine that is only told of.
#[derive(Default)]
struct Told {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Environment for Told {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn read(&self, path: &Path, _max: usize) -> io::Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self
            .files
            .keys()
            .filter(|file| file.parent() == Some(folder))
            .cloned()
            .collect())
    }
}

#[test]
fn look() {
    let text = std::fs::read("/tmp/look.toml").unwrap();
    let mut told = Told::default();
    told.files.insert("weir.toml".into(), text);
    told.files.insert("/etc/pw".into(), b" hunter2\n".to_vec());
    let loaded = load(Path::new("weir.toml"), &told);
    println!(
        "{}{:?}\n{:#?}",
        render(&loaded.diagnostics),
        loaded.unusable,
        loaded.config
    );
}
