//! A stream as its keys say, read from a configuration that has no other.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use weir::config;
use weir::config::Environment;
use weir::stream::settings::Settings;

/// The stream that has these keys.
pub(crate) fn settings(keys: &str) -> Settings {
    let text = format!(
        "[ring]\nfile = \"/r\"\n[[channel]]\nname = \"in\"\ntype = \"json\"\n\
         listen = \"127.0.0.1:1\"\n[[stream]]\nname = \"cloud\"\nchannels = [\"*\"]\n{keys}\n"
    );
    let mut loaded = config::load(Path::new(MAIN), &OneFile(&text));
    for diagnostic in &loaded.diagnostics {
        eprintln!("{diagnostic}");
    }
    let stream = loaded.config.streams.pop();
    stream.unwrap_or_else(|| panic!("a mistake in\n{keys}"))
}

/// A machine that has this file, and an account of Google's.
struct OneFile<'a>(&'a str);

impl Environment for OneFile<'_> {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some(MAIN) => Ok(self.0.as_bytes().to_vec()),
            Some("/account.json") => Ok(ACCOUNT.as_bytes().to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

const MAIN: &str = "/etc/weir/weir.toml";
const ACCOUNT: &str = include_str!("service_account.json");
