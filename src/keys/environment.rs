//! The machine, as far as a configuration can ask for it: variables and files.

use crate::net::open_stored;
use std::fs;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

/// Where a configuration and what it refers to come from.
pub trait Environment {
    /// An environment variable; none if it is not set or not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;

    /// A whole file.
    ///
    /// # Errors
    /// As opening and reading say; also when it has more than `max` bytes.
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>>;

    /// The same, of what has to lie on a disk: a pipe is refused, and not waited for.
    ///
    /// # Errors
    /// As [`Environment::read`].
    fn read_stored(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        self.read(path, max)
    }

    /// The files of a folder, in any order.
    ///
    /// # Errors
    /// As reading the folder says.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
}

/// Where the kernel says what this machine is called.
pub(super) const HOSTNAME: &str = "/proc/sys/kernel/hostname";

/// The machine that weir runs on.
#[derive(Clone, Copy, Debug)]
pub struct Machine;

impl Environment for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        if path == Path::new(HOSTNAME) {
            // its file is hidden from a unit that sees no more of /proc than itself
            return Ok(rustix::system::uname().nodename().to_bytes().to_vec());
        }
        all_of(fs::File::open(path)?, max)
    }

    fn read_stored(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        all_of(open_stored(path)?, max)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    }
}

fn all_of(file: fs::File, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Err(io::Error::other(format!("longer than {max} bytes")));
    }
    Ok(bytes)
}
