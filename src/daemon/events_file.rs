//! The file of events beside the ring. It is written seldom, in small pieces and without a sync: a
//! cut of the power may cost what happened in the last half minute, and no message ever waits for
//! it.

use super::changes::replace;
use super::kept;
use super::kept::FILE_MAX;
use super::kept::Found;
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// The file, and what is known of it.
#[derive(Debug)]
pub(super) struct EventsFile {
    path: PathBuf,
    /// Of this boot of the machine.
    pub(super) boot: Box<str>,
    /// Of the boot in which it was written last.
    before: Box<str>,
    /// Its bytes; none: it is not as it has to be, and written anew the next time.
    len: Cell<Option<usize>>,
    /// That it cannot be written was said.
    is_said: Cell<bool>,
    /// Bytes written to it, and how often, by this process.
    pub(super) worn: Cell<(u64, u64)>,
}

/// Whether it has to be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Some time.
    Later,
    /// Now: the process ends.
    Now,
}

impl EventsFile {
    /// Reads the file `ring`, with `.events.log` behind its name. What cannot be read is nothing.
    pub(super) fn beside(ring: PathBuf) -> (Self, Found) {
        let mut path = ring;
        path.as_mut_os_string().push(".events.log");
        let boot = boot();
        let (found, len) = match read(&path) {
            Ok(bytes) => {
                let is_whole = bytes.last() == Some(&b'\n') && bytes.len() <= FILE_MAX;
                (kept::read(&bytes, &boot), is_whole.then_some(bytes.len()))
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    log::warn!("the events beside the ring are not read: {error}");
                }
                (Found::default(), Some(0))
            }
        };
        let file = Self {
            path,
            boot,
            before: found.boot.clone(),
            len: Cell::new(len),
            is_said: Cell::default(),
            worn: Cell::default(),
        };
        (file, found)
    }

    /// Whether the machine has run since it was written last; none: nobody knows.
    pub(super) fn is_same_boot(&self) -> Option<bool> {
        let known = !self.boot.is_empty() && !self.before.is_empty();
        known.then(|| self.boot == self.before)
    }

    /// Has it written anew the next time.
    pub(super) fn renew(&self) {
        self.len.set(None);
    }

    /// Adds lines, or writes all anew where there is no room, or where it is not as it has to be.
    pub(super) fn write(&self, lines: &str, all: impl FnOnce() -> String, sync: Sync) {
        let known = self.len.take();
        let room = known.filter(|len| len + lines.len() <= FILE_MAX);
        let written = match room {
            Some(len) => append(&self.path, len, lines, sync).map(|()| (len, lines.len())),
            None => {
                let all = all();
                self.write_anew(&all).map(|()| (0, all.len()))
            }
        };
        match written {
            Ok((before, bytes)) => {
                self.len.set(Some(before + bytes));
                let (sum, times) = self.worn.get();
                self.worn.set((sum + bytes as u64, times + 1));
                self.is_said.set(false);
            }
            // the daemon goes on all the same, and tries the next time
            Err(error) => {
                if !self.is_said.replace(true) {
                    log::warn!("events are not kept over restarts: {error}");
                }
            }
        }
    }

    fn write_anew(&self, all: &str) -> io::Result<()> {
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        replace(folder, &self.path, all, MODE)
    }
}

/// Adds to a file of `len` bytes, and to no other: it may have been replaced.
fn append(path: &Path, len: usize, lines: &str, sync: Sync) -> io::Result<()> {
    let mut options = File::options();
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let no_link = flags.bits().cast_signed();
    options.append(true).create(true).mode(MODE);
    let mut file = options.custom_flags(no_link).open(path)?;
    if file.metadata()?.len() != len as u64 {
        return Err(io::Error::other("somebody else has written to their file"));
    }
    file.write_all(lines.as_bytes())?;
    match sync {
        Sync::Later => Ok(()),
        Sync::Now => file.sync_data(),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(2 * FILE_MAX as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the kernel calls this boot; nothing where it does not say. A unit that sees no more of
/// /proc than itself has it from systemd, which writes it without strokes.
fn boot() -> Box<str> {
    let name = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let name = name.or_else(|_| std::env::var("WEIR_BOOT_ID"));
    name.unwrap_or_default().chars().take(BOOT_LEN).collect()
}

/// Of the name of a boot: enough to tell it from the one before.
const BOOT_LEN: usize = 8;

/// Its owner writes it, its group may read it.
const MODE: u32 = 0o640;
