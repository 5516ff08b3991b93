//! What was changed by hand, in a file that is laid over the configuration at the next start. The
//! main file is never edited.
//!
//! ```toml
//! [[stream]]
//! name = "cloud"
//! enabled = false
//! ```

use serde::Deserialize;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Keeps whether a stream is enabled; without a folder nothing can be kept.
///
/// # Errors
/// When it could not be written; then the file is as it was.
pub(super) fn keep_enabled(folder: Option<&Path>, stream: &str, enabled: bool) -> io::Result<()> {
    let folder = folder.ok_or_else(|| io::Error::other("there is no folder for it"))?;
    fs::create_dir_all(folder)?;
    let path = folder.join(FILE);
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut changes: Changes = toml::from_str(&before).map_err(io::Error::other)?;
    changes.stream.retain(|known| known.name != stream);
    let name = stream.to_owned();
    changes.stream.push(Change { name, enabled });
    replace(folder, &path, &changes.render())
}

/// All that the file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[serde(default)]
    stream: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
    enabled: bool,
}

impl Changes {
    fn render(&self) -> String {
        let mut text = "# Switched by hand, with `weir stream` or the API.\n".to_owned();
        for Change { name, enabled } in &self.stream {
            // a JSON string is a TOML one
            let name = serde_json::Value::from(name.as_str());
            let written = write!(text, "\n[[stream]]\nname = {name}\nenabled = {enabled}\n");
            debug_assert!(written.is_ok(), "written to memory");
        }
        text
    }
}

/// Either the old file or the new one is there, whenever the power goes.
fn replace(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

/// After all others in name order: it has the last word.
const FILE: &str = "zz-switched.toml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_reads_the_same_again() {
        let change = |name: &str, enabled| Change {
            name: name.to_owned(),
            enabled,
        };
        let changes = Changes {
            stream: vec![change("a \"b\" \\ ä", false), change("c", true)],
        };
        let read: Changes = toml::from_str(&changes.render()).unwrap();
        let again: Vec<_> = read
            .stream
            .iter()
            .map(|c| (c.name.as_str(), c.enabled))
            .collect();
        assert_eq!(again, [("a \"b\" \\ ä", false), ("c", true)]);
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        assert!(keep_enabled(None, "cloud", false).is_err());
    }
}
