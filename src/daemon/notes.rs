//! Short notes of channels that outlive the process: one small file beside the ring, written only
//! when a note has changed.

use super::changes::MODE;
use super::changes::replace;
use crate::channel::NOTE_MAX;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// The notes of all channels, by their names.
#[derive(Debug)]
pub(super) struct Notes {
    file: PathBuf,
    notes: RefCell<BTreeMap<String, String>>,
}

impl Notes {
    /// Reads the file `ring`, with `.channels.json` behind its name. What cannot be read is none.
    pub(super) fn beside(ring: PathBuf) -> Self {
        let mut file = ring;
        file.as_mut_os_string().push(".channels.json");
        let notes = match read(&file) {
            Ok(notes) => notes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    log::warn!("the notes of channels beside the ring are not read: {error}");
                }
                BTreeMap::new()
            }
        };
        let notes = RefCell::new(notes);
        Self { file, notes }
    }

    /// The note of a channel.
    pub(super) fn of(&self, channel: &str) -> Option<String> {
        self.notes.borrow().get(channel).cloned()
    }

    /// Keeps a note of at most [`NOTE_MAX`] bytes. Where it cannot be written it lives as long as
    /// the process.
    pub(super) fn keep(&self, channel: &str, note: &str) {
        let mut notes = self.notes.borrow_mut();
        let is_known = notes.get(channel).is_some_and(|known| known == note);
        if is_known || note.len() > NOTE_MAX {
            return;
        }
        if notes.len() >= CHANNELS_MAX && !notes.contains_key(channel) {
            notes.pop_first();
        }
        notes.insert(channel.to_owned(), note.to_owned());
        let folder = self
            .file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let written = serde_json::to_string(&*notes).map_err(io::Error::other);
        let written = written.and_then(|text| match folder {
            Some(folder) => replace(folder, &self.file, &text, MODE),
            None => Err(io::Error::other("the ring has no folder")),
        });
        if let Err(error) = written {
            log::warn!("the note of channel `{channel}` is not kept: {error}");
        }
    }
}

fn read(file: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut text = String::new();
    File::open(file)?.take(FILE_MAX).read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

/// Most channels that have a note, those included that are gone.
const CHANNELS_MAX: usize = 128;

/// Longest file that is read, in bytes; a longer one is not of our making.
const FILE_MAX: u64 = 2 * (CHANNELS_MAX * NOTE_MAX) as u64;
