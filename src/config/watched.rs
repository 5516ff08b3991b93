//! A machine of which it is noted which files were read of it.

use crate::keys::environment::Environment;
use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Another machine, watched.
pub(super) struct Watched<'a> {
    inner: &'a dyn Environment,
    read: RefCell<Vec<PathBuf>>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(inner: &'a dyn Environment) -> Self {
        let read = RefCell::default();
        Self { inner, read }
    }

    /// What was read, each once.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut files = self.read.borrow().clone();
        files.sort();
        files.dedup();
        files
    }
}

impl Environment for Watched<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.inner.variable(name)
    }

    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        let bytes = self.inner.read(path, max)?;
        self.read.borrow_mut().push(path.to_owned());
        Ok(bytes)
    }

    fn read_stored(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        let bytes = self.inner.read_stored(path, max)?;
        self.read.borrow_mut().push(path.to_owned());
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.inner.list(folder)
    }
}
