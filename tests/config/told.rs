//! A machine that is only told of: its files and variables stand in the test.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use weir::config::Environment;
use weir::config::Loaded;
use weir::config::load;
use weir::config::render;

#[derive(Clone, Default)]
pub(crate) struct Told {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Told {
    /// A machine with this `weir.toml`.
    pub(crate) fn new(text: impl Into<Vec<u8>>) -> Self {
        Self::default().file("weir.toml", text)
    }

    pub(crate) fn file(mut self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn load(&self) -> Loaded {
        load(Path::new("weir.toml"), self)
    }

    /// All that is said of it.
    pub(crate) fn said(&self) -> String {
        render(&self.load().diagnostics)
    }

    /// The configuration in effect, as `weir check --show` prints it.
    pub(crate) fn shown(&self) -> String {
        weir::config::show(Path::new("weir.toml"), self)
    }

    /// Loads what must be right.
    pub(crate) fn right(&self) -> weir::config::Config {
        let loaded = self.load();
        assert_eq!(render(&loaded.diagnostics), "");
        assert_eq!(loaded.unusable, None);
        loaded.config
    }
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
        // in no order, as a folder lists them
        let files = self
            .files
            .keys()
            .rev()
            .filter(|file| file.parent() == Some(folder));
        Ok(files.cloned().collect())
    }
}

/// A channel and a stream without a mistake, for what is laid around them.
pub(crate) const RIGHT: &str = r#"
[[channel]]
name = "in"
type = "json"
listen = "127.0.0.1:7000"

[[stream]]
name = "out"
type = "mqtt"
url = "mqtt://localhost"
topic = "weir/{ident}"
channels = ["*"]
"#;

/// [`RIGHT`] with lines behind the channel's `listen` or the stream's `channels`.
pub(crate) fn with(channel: &str, stream: &str) -> String {
    let listen = "listen = \"127.0.0.1:7000\"\n";
    RIGHT.replace(listen, &format!("{listen}{channel}\n")) + stream
}
