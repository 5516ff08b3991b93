//! The machine as it would be with other files: what a change is checked with before it is made.

use super::Environment;
use super::Machine;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// The machine, but for these files; none: it is not there.
#[derive(Clone, Debug, Default)]
pub struct Edited {
    files: Vec<(PathBuf, Option<String>)>,
}

impl Edited {
    /// The same with another file: its text, or none where it is removed.
    #[must_use]
    pub fn with(mut self, path: PathBuf, text: Option<String>) -> Self {
        self.files.retain(|(known, _)| *known != path);
        self.files.push((path, text));
        self
    }

    /// The files that are other than on the machine.
    #[must_use]
    pub fn files(&self) -> &[(PathBuf, Option<String>)] {
        &self.files
    }

    fn edit(&self, path: &Path) -> Option<&Option<String>> {
        let found = self.files.iter().find(|(known, _)| known == path);
        found.map(|(_, text)| text)
    }
}

impl Environment for Edited {
    fn variable(&self, name: &str) -> Option<String> {
        Machine.variable(name)
    }

    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        match self.edit(path) {
            None => Machine.read(path, max),
            Some(Some(text)) => Ok(text.clone().into_bytes()),
            Some(None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn read_stored(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        match self.edit(path) {
            None => Machine.read_stored(path, max),
            Some(_) => self.read(path, max),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let new = self.files.iter().filter(|(_, text)| text.is_some());
        let new = new.map(|(path, _)| path);
        let mut new = new.filter(|path| path.parent() == Some(folder)).peekable();
        let mut files = match Machine.list(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && new.peek().is_some() => {
                Vec::new()
            }
            listed => listed?,
        };
        files.retain(|path| self.edit(path).is_none());
        files.extend(new.cloned());
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_edited_stands_for_what_is_there() {
        let folder = std::env::temp_dir().join(format!("weir-edited-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name);
        for name in ["a", "b", "c"] {
            fs::write(path(name), "old").unwrap();
        }
        let edited = Edited::default()
            .with(path("a"), Some("new".to_owned()))
            .with(path("b"), None)
            .with(path("d"), Some("new".to_owned()));
        let mut listed = edited.list(&folder).unwrap();
        listed.sort();
        assert_eq!(listed, [path("a"), path("c"), path("d")]);
        assert_eq!(edited.read(&path("a"), 9).unwrap(), b"new");
        assert_eq!(edited.read(&path("c"), 9).unwrap(), b"old");
        assert!(edited.read(&path("b"), 9).is_err());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(edited.list(&folder).unwrap().len(), 2);
        assert!(Edited::default().list(&folder).is_err());
    }
}
