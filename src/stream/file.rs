//! A file of JSON lines, one message a line, acknowledged after a sync of our own. There is no far
//! end and no connection: whoever reads the file is none of its business.
//!
//! ```text
//! log.json      appended to; a torn last line of a power cut is ended when it is opened
//! log.json.1    set aside when it would have grown past `max_size`; .2 is older
//! ```

use super::Fault;
use super::OUT_MAX;
use super::engine::Engine;
use super::engine::Outgoing;
use super::engine::Packing;
use super::render::View;
use super::settings;
use super::settings::Shape;
use crate::clock::Now;
use crate::net::blame;
use std::ffi::OsString;
use std::fs::File;
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

/// The file of one stream.
#[derive(Debug)]
pub struct FileLink {
    file: LineFile,
    shape: Shape,
    lines: Vec<u8>,
}

/// A file of lines and those that were set aside.
#[derive(Debug)]
pub(super) struct LineFile {
    settings: settings::File,
    current: Option<Current>,
}

/// The file that is appended to.
#[derive(Debug)]
struct Current {
    file: File,
    /// Up to the end of the last line.
    len: u64,
}

impl FileLink {
    /// A file that is opened when there is something for it.
    #[must_use]
    pub fn new(settings: settings::File, shape: Shape) -> Self {
        Self {
            file: LineFile::new(settings),
            shape,
            lines: Vec::new(),
        }
    }

    /// Writes and syncs one batch of at most [`OUT_MAX`] bytes, one message excepted; whether
    /// there was one. Blocks as long as the disk does.
    pub fn deliver(&mut self, engine: &mut Engine, now: Now, random: u32) -> bool {
        self.lines.clear();
        let (lines, most) = (&mut self.lines, batch_max(&self.file.settings));
        let mut view = View::new(&self.shape);
        let pack = |message: &Outgoing<'_>| pack(&mut view, message, most, lines);
        let Some(batch) = engine.next_batch(now, pack) else {
            return false;
        };
        let epoch = engine.epoch();
        match self.file.append(&self.lines) {
            Ok(()) => engine.accepted(epoch, batch, now),
            Err(error) => {
                let reason = self.file.blame(&error);
                engine.faulty(epoch, Fault::new(0, reason), None, now, random);
            }
        }
        true
    }

    /// Whether the last batch was written.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.file.current.is_some()
    }
}

impl LineFile {
    /// A file that is opened when there is something for it.
    pub(super) fn new(settings: settings::File) -> Self {
        let current = None;
        Self { settings, current }
    }

    /// What went wrong with it, in words, with its path.
    pub(super) fn blame(&self, error: &io::Error) -> String {
        let path = &self.settings.path;
        format!("`{}`: {}", path.display(), blame::file(path, error))
    }

    /// Appends `lines` to the file that has the name now, or to a new one where that would grow too
    /// large. After an error the file is opened again: what a failed sync left of it is unknown.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let path = &self.settings.path;
        let kept = self.current.take().filter(|current| current.is_at(path));
        let mut current = match kept {
            Some(current) => current,
            None => Current::open(path)?,
        };
        let grown = current.len.saturating_add(lines.len() as u64);
        if current.len > 0 && self.settings.max_size.is_some_and(|max| grown > max) {
            drop(current);
            set_aside(path, self.settings.keep)?;
            current = Current::open(path)?;
        }
        current.append(lines)?;
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
            sync_folder(path)?;
        } else if !ends_a_line(&mut file)? {
            file.write_all(b"\n")?;
            len += 1;
        }
        Ok(Self { file, len })
    }

    /// Whether this is still the file of that name: it may have been moved or removed.
    fn is_at(&self, path: &Path) -> bool {
        let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
        let ours = self.file.metadata().map(identity);
        let named = path.metadata().map(identity);
        matches!((ours, named), (Ok(ours), Ok(named)) if ours == named)
    }

    /// All of it or, if that can be done, nothing of it.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let written = self
            .file
            .write_all(lines)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.len).ok();
            return Err(error);
        }
        self.len += lines.len() as u64;
        Ok(())
    }
}

/// Adds the line of a message, if it fits.
fn pack(view: &mut View<'_>, message: &Outgoing<'_>, most: usize, lines: &mut Vec<u8>) -> Packing {
    let start = lines.len();
    if let Err(error) = view.object(message, lines) {
        return Packing::Unfit(error.to_string());
    }
    lines.push(b'\n');
    if start > 0 && lines.len() > most {
        lines.truncate(start);
        return Packing::Full;
    }
    Packing::Taken
}

/// Bytes of a batch at most: what fits into a file of its own.
fn batch_max(settings: &settings::File) -> usize {
    let file = settings.max_size.unwrap_or(u64::MAX);
    usize::try_from(file).unwrap_or(usize::MAX).min(OUT_MAX)
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
