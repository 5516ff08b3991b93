//! What was changed by hand, in a file that is laid over the configuration at the next start. The
//! main file is never edited.
//!
//! ```toml
//! [[stream]]
//! name = "cloud"
//! enabled = false
//! ```

use crate::config;
use crate::config::Edited;
use crate::config::SWITCHED_FILE;
use crate::keys::quoted::quoted;
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// Keeps whether a stream is enabled; without a folder nothing can be kept. What the other files
/// say already, `configured`, needs no entry, and a file without entries is removed.
///
/// # Errors
/// When it could not be written; then the file is as it was.
pub(super) fn keep_enabled(
    folder: Option<&Path>,
    stream: &str,
    enabled: bool,
    configured: Option<bool>,
) -> io::Result<()> {
    let folder = folder.ok_or_else(|| io::Error::other("there is no folder for it"))?;
    let file = switched(folder, stream, Some(enabled), configured)?;
    keep(folder, &[file]).map(drop)
}

/// A file and what it says; none: it is not there.
pub(super) type Kept = (PathBuf, Option<String>);

/// The file of what was switched by hand, with another entry for a stream; none: without one.
pub(super) fn switched(
    folder: &Path,
    stream: &str,
    enabled: Option<bool>,
    configured: Option<bool>,
) -> io::Result<Kept> {
    let path = folder.join(SWITCHED_FILE);
    let before = text_of(&path)?.unwrap_or_default();
    let mut changes: Changes = toml::from_str(&before).map_err(io::Error::other)?;
    changes.stream.retain(|known| known.name != stream);
    if let Some(enabled) = enabled.filter(|enabled| configured != Some(*enabled)) {
        let name = stream.to_owned();
        changes.stream.push(Change { name, enabled });
    }
    let text = (!changes.stream.is_empty()).then(|| changes.render());
    Ok((path, text))
}

/// Writes files, and removes those without a text; what they said before. What says the same is
/// left alone.
///
/// # Errors
/// When one could not be written; then all are as they were, as far as that can be.
pub(super) fn keep(folder: &Path, files: &[Kept]) -> io::Result<Vec<Kept>> {
    let mut before = Vec::new();
    for (path, text) in files {
        let old = text_of(path)?;
        if old == *text {
            continue;
        }
        before.push((path.clone(), old));
        if let Err(error) = keep_one(folder, path, text.as_deref()) {
            for (path, text) in &before {
                drop(keep_one(folder, path, text.as_deref()));
            }
            return Err(error);
        }
    }
    Ok(before)
}

fn keep_one(folder: &Path, path: &Path, text: Option<&str>) -> io::Result<()> {
    let Some(text) = text else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| File::open(folder)?.sync_all()),
        };
    };
    fs::create_dir_all(folder)?;
    let is_secret = config::is_made(path) && !path.ends_with(SWITCHED_FILE);
    let mode = if is_secret { MODE_SECRET } else { MODE };
    replace(folder, path, text, mode)
}

/// What a file says; none: it is not there.
pub(super) fn text_of(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a stream is enabled by all files but the one here, in this folder; none where they do
/// not say so.
pub(super) fn configured(main: &Path, folder: &Path, stream: &str) -> Option<bool> {
    let unswitched = Edited::default().with(folder.join(SWITCHED_FILE), None);
    let streams = config::load(main, &unswitched).config.streams;
    let found = streams.into_iter().find(|known| known.name == stream);
    found.map(|found| found.enabled)
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
            let name = quoted(name);
            let written = write!(text, "\n[[stream]]\nname = {name}\nenabled = {enabled}\n");
            debug_assert!(written.is_ok(), "written to memory");
        }
        text
    }
}

/// Either the old file or the new one is there, whenever the power goes. What lies in the way of
/// the new one is removed, not followed.
pub(super) fn replace(folder: &Path, path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

/// Its owner writes it, its group may read it.
pub(super) const MODE: u32 = 0o640;

/// There are passwords in it.
const MODE_SECRET: u32 = 0o600;

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
    fn a_switch_needs_a_folder_to_be_kept_in() {
        assert!(keep_enabled(None, "cloud", false, None).is_err());
    }

    #[test]
    fn an_entry_that_says_nothing_new_is_removed_and_no_link_is_followed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("weir-switched-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (path, victim) = (folder.join(SWITCHED_FILE), folder.join("victim"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, path.with_extension("new")).unwrap();
        keep_enabled(Some(&folder), "cloud", false, Some(true)).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        let mode = path.symlink_metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777 & !0o640, 0, "{mode:o}");
        keep_enabled(Some(&folder), "other", false, None).unwrap();
        keep_enabled(Some(&folder), "cloud", true, Some(true)).unwrap();
        let left = fs::read_to_string(&path).unwrap();
        assert!(left.contains("other") && !left.contains("cloud"), "{left}");
        keep_enabled(Some(&folder), "other", true, Some(true)).unwrap();
        assert!(!path.exists());
        keep_enabled(Some(&folder), "other", true, Some(true)).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
