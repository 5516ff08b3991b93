//! The ring's file: the only place where the ring meets the operating system. Knows nothing of
//! what is in it.

use super::Full;
use super::IoError;
use super::Memory;
use super::OpenError;
use super::Report;
use super::Ring;
use super::RingPlace;
use super::Settings;
use super::Storage;
use super::inspect;
use super::volatile;
use crate::clock::Now;
use rustix::io::Errno;
use std::fs;
use std::fs::TryLockError;
use std::io;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// A file of fixed length, locked against other processes.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    len: u64,
    /// What it is to be found under: its name, and, while it is being made, the one beside it.
    names: Vec<PathBuf>,
    read_failures: u64,
}

impl Ring {
    /// Opens the ring in a file, or makes it where there is none. Where that cannot be, the ring
    /// is in memory and the report says why: a vehicle must not go dark for a file.
    ///
    /// - A ring of a later version is set aside, `.newer` behind its name, and a fresh one made.
    /// - A file that is no ring is not touched; one that is empty is replaced.
    /// - Without space for all of it the ring is made smaller, down to [`SIZE_MIN`].
    /// - Another size in the settings copies what waits into a new file.
    ///
    /// # Errors
    /// When another process has it.
    pub fn open_file(
        path: &Path,
        settings: Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        match Self::try_file(path, &settings, now, random) {
            Err(OpenError::Locked) => Err(OpenError::Locked),
            Err(reason) => Self::open_memory(settings, now, random, reason),
            Ok(opened) => Ok(opened),
        }
    }

    /// A ring in memory, in the place of a file that cannot be used because of `reason`.
    ///
    /// # Errors
    /// Never, as memory does not fail.
    pub fn open_memory(
        settings: Settings,
        now: Now,
        random: u64,
        reason: OpenError,
    ) -> Result<(Self, Report), OpenError> {
        let memory = Box::new(Memory::new(MEMORY_SIZE));
        let (mut ring, mut report) = Self::open(memory, settings, now, random)?;
        ring.trust.set_volatile(true);
        ring.note_failure(reason);
        report.place = RingPlace::Memory(reason);
        Ok((ring, report))
    }

    /// Does the same, and takes no memory where there can be no file.
    ///
    /// # Errors
    /// When the ring cannot be in a file.
    pub fn try_file(
        path: &Path,
        settings: &Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        let failed = |error: io::Error| OpenError::Io(kind(&error));
        if !path.try_exists().map_err(failed)? {
            return Self::create_file(path, settings, now, random);
        }
        let mut file = File::open(path)?;
        if file.is_empty() {
            return Self::create_file(path, settings, now, random);
        }
        let mut not_resized = None;
        if inspect::asked(&mut file)?.is_some_and(|asked| asked != settings.size) {
            match Self::copy_file(path, &mut file, settings, now, random) {
                Ok((ring, mut report)) => {
                    report.resized = true;
                    return Ok((ring, report));
                }
                Err(reason) => not_resized = Some(reason),
            }
        }
        let volatile = file.is_volatile();
        match Self::open(Box::new(file), settings.clone(), now, random) {
            Err(OpenError::Newer) => {
                fs::rename(path, beside(path, "newer")).map_err(failed)?;
                let (ring, mut report) = Self::create_file(path, settings, now, random)?;
                report.newer_set_aside = true;
                Ok((ring, report))
            }
            Ok((ring, mut report)) => {
                report.not_resized = not_resized;
                Ok(ring.on_file(report, volatile))
            }
            Err(OpenError::TooSmall) => Err(OpenError::Foreign),
            Err(error) => Err(error),
        }
    }

    fn on_file(mut self, mut report: Report, volatile: bool) -> (Self, Report) {
        self.trust.set_volatile(volatile);
        report.place = if volatile {
            RingPlace::VolatileFile
        } else {
            RingPlace::File
        };
        (self, report)
    }

    /// Makes the file, smaller where there is no space for all of it.
    fn create_file(
        path: &Path,
        settings: &Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        let mut size = settings.size;
        loop {
            match Self::create_sized(path, size, settings, now, random) {
                Err(OpenError::Io(IoError::Full)) if size / 2 >= SIZE_MIN => size /= 2,
                other => return other,
            }
        }
    }

    /// Makes the file beside its place, complete, and moves it there: no crash leaves half a ring.
    fn create_sized(
        path: &Path,
        size: u64,
        settings: &Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        let fresh = beside(path, "new");
        let made = File::create(path, &fresh, size).and_then(|file| {
            let volatile = file.is_volatile();
            let (ring, report) = Self::open(Box::new(file), settings.clone(), now, random)?;
            place(&fresh, path).map_err(|error| OpenError::Io(kind(&error)))?;
            Ok(ring.on_file(report, volatile))
        });
        discard_unless_placed(made, &fresh)
    }

    /// Copies what waits in `old` into a file of the size that is asked for and puts that at
    /// `path`. Until that moment what is there is whole and untouched.
    fn copy_file(
        path: &Path,
        old: &mut File,
        settings: &Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        let fresh = beside(path, "new");
        let made = File::create(path, &fresh, settings.size).and_then(|file| {
            let volatile = file.is_volatile();
            let into = Box::new(file);
            let (ring, report) = Self::copy(old, into, settings.clone(), now, random)?;
            place(&fresh, path).map_err(|error| OpenError::Io(kind(&error)))?;
            Ok(ring.on_file(report, volatile))
        });
        discard_unless_placed(made, &fresh)
    }

    /// Copies what is sound of one ring into a new file, which must not be there yet.
    ///
    /// # Errors
    /// When there is no ring, or the file is there or cannot be made.
    pub fn repair(from: &Path, to: &Path, now: Now, random: u64) -> Result<Report, OpenError> {
        if to.try_exists().unwrap_or(true) {
            return Err(OpenError::Exists);
        }
        let mut old = File::peek(from)?;
        let size = inspect::asked(&mut old)?.unwrap_or(old.len);
        let settings = Settings {
            size,
            delay: Duration::ZERO,
            hold: Duration::ZERO,
            bytes: 64 * 1024,
            full: Full::DropOldest,
        };
        let (mut ring, report) = Self::copy_file(to, &mut old, &settings, now, random)?;
        let now = now.expected_after(ring.last_trusted());
        ring.close(now).map_err(OpenError::Io)?;
        Ok(report)
    }
}

fn discard_unless_placed<T>(made: Result<T, OpenError>, fresh: &Path) -> Result<T, OpenError> {
    if made.is_err() {
        // What is left of it must not take the space that others need; that it cannot be removed
        // changes nothing of the error that is told.
        fs::remove_file(fresh).unwrap_or_default();
    }
    made
}

impl File {
    /// Opens and locks a file that is there; for reading only if it cannot be written.
    ///
    /// # Errors
    /// When it cannot be read, or another process has it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let writing = fs::OpenOptions::new().read(true).write(true).open(path);
        let file = match writing {
            Err(error) if kind(&error).is_lasting() => fs::File::open(path),
            other => other,
        };
        let file = file.map_err(|error| OpenError::Io(kind(&error)))?;
        Self::locked(file, vec![path.to_owned()])
    }

    /// Opens a file for looking into it, without a lock: it may be in use.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn peek(path: &Path) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::Io(kind(&error));
        let file = fs::File::open(path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        Ok(Self {
            file,
            len,
            names: Vec::new(),
            read_failures: 0,
        })
    }

    /// Whether it is gone with the power: on a file system in memory, or on an overlay whose
    /// upper layer is one.
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        volatile::is_volatile(&self.file)
    }

    /// Makes a file of `len` zeros, `fresh`, which is to be moved to `path`. They are written, not
    /// only promised: later writes then need no space and change no metadata.
    fn create(path: &Path, fresh: &Path, len: u64) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::Io(kind(&error));
        let options = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(MODE)
            .open(fresh);
        let mut file = options.map_err(failed)?;
        fill(&mut file, len).map_err(failed)?;
        Self::locked(file, vec![path.to_owned(), fresh.to_owned()])
    }

    fn locked(file: fs::File, names: Vec<PathBuf>) -> Result<Self, OpenError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(kind(&error))),
        }
        let len = file
            .metadata()
            .map_err(|error| OpenError::Io(kind(&error)))?
            .len();
        Ok(Self {
            file,
            len,
            names,
            read_failures: 0,
        })
    }

    /// Whether one of its names still leads to it. Where that cannot be found out, it does.
    fn is_named(&self, here: &fs::Metadata) -> bool {
        let leads_here = |name: &PathBuf| match fs::metadata(name) {
            Ok(there) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
            Err(error) => !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ),
        };
        self.names.is_empty() || self.names.iter().any(leads_here)
    }
}

impl Storage for File {
    fn len(&self) -> u64 {
        self.len
    }

    fn can_go(&self) -> bool {
        !self.names.is_empty()
    }

    fn check(&mut self) -> Result<(), IoError> {
        let Ok(here) = self.file.metadata() else {
            return Ok(());
        };
        let named = self.is_named(&here);
        if named && here.len() >= self.len {
            return Ok(());
        }
        if let Some(name) = self.names.first().filter(|_| named) {
            // Cut short. Set aside, so that a whole one can be made; should that fail, the one
            // that is there is no ring and not touched.
            fs::rename(name, beside(name, "cut")).unwrap_or_default();
        }
        Err(IoError::Gone)
    }

    fn read_failures(&self) -> u64 {
        self.read_failures
    }

    #[expect(clippy::disallowed_methods, reason = "how long the disk takes to fail")]
    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        let begun = Instant::now();
        // What was only a disturbance on the way to the medium is gone at the next try.
        for _ in 1..READ_TRIES {
            if self.file.read_exact_at(buf, offset).is_ok() {
                return Ok(());
            }
            self.read_failures += 1;
            if begun.elapsed() > READ_TIME {
                return Err(IoError::Io);
            }
        }
        self.file.read_exact_at(buf, offset).map_err(|error| {
            self.read_failures += 1;
            kind(&error)
        })
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
        Some(Errno::ROFS) => IoError::ReadOnly,
        // what was opened for reading only, since writing was not allowed, is a bad descriptor
        Some(Errno::ACCESS | Errno::PERM | Errno::BADF) => IoError::Denied,
        Some(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::LOOP | Errno::NAMETOOLONG) => {
            IoError::Name
        }
        _ => IoError::Io,
    }
}

/// How often a read is tried before it has failed …
const READ_TRIES: u32 = 16;
/// … if the disk does not need longer than this to fail.
const READ_TIME: Duration = Duration::from_millis(500);

/// What is in it is for its owner to change and for a group to look into.
const MODE: u32 = 0o640;

/// The smallest ring in a file.
pub const SIZE_MIN: u64 = 256 * 1024;
/// A ring in memory, where there can be none in a file.
const MEMORY_SIZE: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_blamed_on_what_it_is() {
        for (error, words) in [
            (Errno::ROFS, "the file system is read-only"),
            (Errno::ACCESS, "no permission"),
            (Errno::PERM, "no permission"),
            (Errno::NOSPC, "no space left"),
            (Errno::DQUOT, "no space left"),
            (Errno::NOENT, "look at the folders"),
            (Errno::NOTDIR, "look at the folders"),
            (Errno::ISDIR, "look at the folders"),
            (Errno::LOOP, "look at the folders"),
            (Errno::IO, "the disk failed"),
        ] {
            let told = kind(&error.into()).to_string();
            assert!(told.contains(words), "{error}: {told}");
        }
    }
}
