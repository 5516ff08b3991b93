//! The ring's file: the only place where the ring meets the operating system. Knows nothing of
//! what is in it.

use super::IoError;
use super::OpenError;
use super::Report;
use super::Ring;
use super::Settings;
use super::Storage;
use crate::clock::Now;
use rustix::io::Errno;
use std::fs;
use std::fs::TryLockError;
use std::io;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;

/// A file of fixed length, locked against other processes.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    len: u64,
}

impl Ring {
    /// Opens the ring in a file, or makes it where there is none.
    ///
    /// # Errors
    /// When there is a file that is no ring of this version, when another process has it, or when
    /// it can be neither read nor made.
    pub fn open_file(
        path: &Path,
        settings: Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        if !path
            .try_exists()
            .map_err(|error| OpenError::Io(kind(&error)))?
        {
            return Self::create_file(path, settings, now, random);
        }
        let file = File::open(path)?;
        if file.len == 0 {
            return Err(OpenError::Foreign);
        }
        Self::open(Box::new(file), settings, now, random)
    }

    /// Makes the file beside its place, complete, and moves it there: no crash leaves half a ring.
    fn create_file(
        path: &Path,
        settings: Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        let fresh = beside(path, "new");
        let made = File::create(&fresh, settings.size)
            .and_then(|file| Self::open(Box::new(file), settings, now, random))
            .and_then(|ring| {
                place(&fresh, path).map_err(|error| OpenError::Io(kind(&error)))?;
                Ok(ring)
            });
        if made.is_err() {
            // What is left of it must not take the space that others need.
            drop(fs::remove_file(&fresh));
        }
        made
    }
}

impl File {
    /// Opens and locks a file that is there; for reading only if it cannot be written.
    ///
    /// # Errors
    /// When it cannot be read, or another process has it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let writing = fs::OpenOptions::new().read(true).write(true).open(path);
        let file = match writing {
            Err(error) if kind(&error) == IoError::ReadOnly => fs::File::open(path),
            other => other,
        };
        Self::locked(file.map_err(|error| OpenError::Io(kind(&error)))?)
    }

    /// Opens a file only to look into it, also while a daemon has it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look(path: &Path) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::Io(kind(&error));
        let file = fs::File::open(path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        Ok(Self { file, len })
    }

    /// Makes a file of `len` zeros. They are written, not only promised: later writes then need
    /// no space and change no metadata.
    fn create(path: &Path, len: u64) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::Io(kind(&error));
        let options = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path);
        let mut file = options.map_err(failed)?;
        fill(&mut file, len).map_err(failed)?;
        Self::locked(file)
    }

    fn locked(file: fs::File) -> Result<Self, OpenError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(kind(&error))),
        }
        let len = file
            .metadata()
            .map_err(|error| OpenError::Io(kind(&error)))?
            .len();
        Ok(Self { file, len })
    }
}

impl Storage for File {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        self.file
            .read_exact_at(buf, offset)
            .map_err(|error| kind(&error))
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|error| kind(&error))
    }

    fn sync(&mut self) -> Result<(), IoError> {
        self.file.sync_data().map_err(|error| kind(&error))
    }
}

fn fill(file: &mut fs::File, len: u64) -> io::Result<()> {
    let zeros = [0; 16 * 1024];
    let mut left = len;
    while left > 0 {
        let part = usize::try_from(left)
            .unwrap_or(zeros.len())
            .min(zeros.len());
        file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
        left -= part as u64;
    }
    file.sync_all()
}

fn place(fresh: &Path, path: &Path) -> io::Result<()> {
    fs::rename(fresh, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The path with an ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// What the ring makes of an error.
fn kind(error: &io::Error) -> IoError {
    match Errno::from_io_error(error) {
        Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => IoError::Full,
        Some(Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::BADF) => IoError::ReadOnly,
        _ => IoError::Io,
    }
}
