//! Files of lines: appended to, synced, and set aside before they grow too large.
//!
//! ```text
//! log.json      appended to; a torn last line of a power cut is ended when it is opened
//! log.json.1    set aside when it would have grown past `max_size`; .2 is older
//! ```

use super::blame;
use std::ffi::OsString;
use std::fs::File;
use std::fs::Metadata;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// A file of lines and those that were set aside. It is opened when there is something for it.
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    max_size: Option<u64>,
    keep: u32,
    current: Option<Current>,
    /// How often a file was set aside.
    set_aside: u32,
    syncs: bool,
}

/// The file that is appended to.
#[derive(Debug)]
struct Current {
    file: File,
    /// Up to the end of the last line.
    len: u64,
}

impl LineFile {
    /// A file at `path`. One that would grow past `max_size` bytes is set aside, and of those
    /// `keep` are kept; without a size it grows.
    #[must_use]
    pub fn new(path: PathBuf, max_size: Option<u64>, keep: u32) -> Self {
        Self {
            path,
            max_size,
            keep,
            current: None,
            set_aside: 0,
            syncs: true,
        }
    }

    /// The same, for lines that a power cut may take: whoever writes them does not wait for the
    /// disk, and flash wears less.
    #[must_use]
    pub fn unsynced(mut self) -> Self {
        self.syncs = false;
        self
    }

    /// Appends whole lines to the file that has the name now, or to a new one where that would
    /// grow too large, and syncs. Blocks as long as the disk does.
    ///
    /// # Errors
    /// With the path and what is wrong with it, in words. The file is opened again the next time:
    /// what a failed sync left of it is unknown.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let appended = self.try_append(lines);
        appended.map_err(|error| self.explained(&error))
    }

    /// Sets the file aside, if there is something in it.
    ///
    /// # Errors
    /// As [`LineFile::append`].
    pub(super) fn set_aside(&mut self) -> io::Result<()> {
        self.current = None;
        match self.path.metadata() {
            Ok(found) if found.is_file() && found.len() > 0 => {
                let done = set_aside(&self.path, self.keep);
                done.map_err(|error| self.explained(&error))?;
                self.set_aside = self.set_aside.saturating_add(1);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// How often a file was set aside.
    pub(super) fn times_set_aside(&self) -> u32 {
        self.set_aside
    }

    fn explained(&self, error: &io::Error) -> io::Error {
        let why = blame::file(&self.path, error);
        io::Error::new(error.kind(), format!("`{}`: {why}", self.path.display()))
    }

    fn try_append(&mut self, lines: &[u8]) -> io::Result<()> {
        let path = &self.path;
        let kept = self.current.take().filter(|current| current.is_at(path));
        let mut current = match kept {
            Some(current) => current,
            None => Current::open(path)?,
        };
        let grown = current.len.saturating_add(lines.len() as u64);
        if current.len > 0 && self.max_size.is_some_and(|max| grown > max) {
            drop(current);
            set_aside(path, self.keep)?;
            self.set_aside = self.set_aside.saturating_add(1);
            current = Current::open(path)?;
        }
        current.append(lines, self.syncs)?;
        self.current = Some(current);
        Ok(())
    }
}

impl Current {
    /// Opens or makes the file, and ends a torn last line.
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(MODE)
            .open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut len = found.len();
        if len == 0 {
            // it may be new, and a name that is not synced is gone after a power cut
            sync_folder(path)?;
        } else if !ends_a_line(&mut file)? {
            file.write_all(b"\n")?;
            len += 1;
        }
        Ok(Self { file, len })
    }

    /// Whether this is still the file of that name: it may have been moved or removed.
    fn is_at(&self, path: &Path) -> bool {
        let identity = |found: Metadata| (found.dev(), found.ino());
        let ours = self.file.metadata().map(identity);
        let named = path.metadata().map(identity);
        matches!((ours, named), (Ok(ours), Ok(named)) if ours == named)
    }

    /// All of it or, if that can be done, nothing of it.
    fn append(&mut self, lines: &[u8], syncs: bool) -> io::Result<()> {
        let written = self.file.write_all(lines);
        let written = match syncs {
            true => written.and_then(|()| self.file.sync_data()),
            false => written,
        };
        if let Err(error) = written {
            // else the batch, sent again, would stand there one and a half times
            self.file.set_len(self.len).ok();
            return Err(error);
        }
        self.len += lines.len() as u64;
        Ok(())
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Gives the file the name `.1`, and each that was set aside before the next number, up to `keep`.
fn set_aside(path: &Path, keep: u32) -> io::Result<()> {
    if keep == 0 {
        std::fs::remove_file(path)?;
        return sync_folder(path);
    }
    let taken = |number: &u32| numbered(path, *number).exists();
    let last = (1..keep).take_while(taken).last().unwrap_or(0);
    for number in (1..=last).rev() {
        std::fs::rename(numbered(path, number), numbered(path, number + 1))?;
    }
    std::fs::rename(path, numbered(path, 1))?;
    sync_folder(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

/// Makes the names in the folder of `path` durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// What is in it is for its owner to change and for a group to read.
const MODE: u32 = 0o640;
