//! Which files a configuration consists of, and their text.
//!
//! Knows nothing of what they say.

use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::environment::Environment;
use crate::keys::expand::plain;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Where the configuration is unless `-c` names another file.
pub const DEFAULT_FILE: &str = "/etc/weir/weir.toml";

/// What packages bring to begin with, one a use.
const EXAMPLES: &str = "`/usr/share/weir/examples/*.toml`";

/// Keeps what was switched by hand, in the last of [`drop_in_folders`]. After all others in name
/// order: it has the last word.
pub const SWITCHED_FILE: &str = "zz-switched.toml";

/// What a file holds that the API makes of a stream, in the last of [`drop_in_folders`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeFile {
    /// All of a stream that only the API knows.
    Stream,
    /// Keys of a stream of the user's files, laid over what those say.
    Change,
}

impl MadeFile {
    /// The name of the file of a stream.
    #[must_use]
    pub fn name(self, stream: &str) -> String {
        let mut name = self.prefix().to_owned();
        for byte in stream.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
                other => name.push_str(&format!("%{other:02X}")),
            }
        }
        name + ".toml"
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Stream => "zy-stream-",
            Self::Change => "zy-change-",
        }
    }

    fn is(self, path: &Path) -> bool {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with(self.prefix()))
    }
}

/// Whether a file has the name of one that weir makes itself.
#[must_use]
pub fn is_made(path: &Path) -> bool {
    MadeFile::Stream.is(path) || is_overlay(path)
}

/// Whether a file only says more of streams that others have; it makes none.
pub(super) fn is_overlay(path: &Path) -> bool {
    path.ends_with(SWITCHED_FILE) || MadeFile::Change.is(path)
}

/// Whether the main file could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Main {
    Read,
    Missing,
    Unreadable,
}

/// Reads the main file and its drop-ins, each folder in name order.
pub(super) fn gather(
    main: &Path,
    environment: &dyn Environment,
    sources: &mut Sources,
    diagnostics: &mut Vec<DiagnosticAt>,
) -> Main {
    let read = add(main, environment, sources, diagnostics);
    if read == Main::Missing {
        let hint = format!("begin with one of {EXAMPLES}, then `weir check`");
        let missing = diagnostics.pop();
        diagnostics.extend(missing.map(|it| it.hint(hint)));
    }
    for folder in drop_in_folders(main) {
        match environment.list(&folder) {
            Ok(files) => {
                let files = in_order(files);
                for file in files.iter().take(FILES_MAX) {
                    add(file, environment, sources, diagnostics);
                }
                if files.len() > FILES_MAX {
                    let file = sources.add(folder, None);
                    let message = format!("only the first {FILES_MAX} files are read");
                    diagnostics.push(DiagnosticAt::error(Place::file(file), message));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let file = sources.add(folder, None);
                let message = format!("cannot be read: {}", plain(&error));
                diagnostics.push(DiagnosticAt::error(Place::file(file), message));
            }
        }
    }
    read
}

/// The folders whose files are laid over the main file, in order. What the API and commands
/// create is kept in the last.
#[must_use]
pub fn drop_in_folders(main: &Path) -> Vec<PathBuf> {
    let mut folders = vec![main.with_extension("d")];
    if main == Path::new(DEFAULT_FILE) {
        folders = vec![
            PathBuf::from("/etc/weir/weir.d"),
            PathBuf::from("/var/lib/weir/weir.d"),
        ];
    }
    folders
}

/// The drop-ins among the files of a folder, by name.
fn in_order(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let hidden = |path: &Path| {
        path.file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'))
    };
    let mut files: Vec<PathBuf> = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "toml") && !hidden(path))
        .collect();
    files.sort();
    files
}

/// Reads one file; what is wrong with it as a whole is noted.
fn add(
    path: &Path,
    environment: &dyn Environment,
    sources: &mut Sources,
    diagnostics: &mut Vec<DiagnosticAt>,
) -> Main {
    let bytes = match environment.read(path, FILE_MAX) {
        Ok(bytes) => bytes,
        Err(error) => {
            let file = sources.add(path.to_owned(), None);
            let message = format!("cannot be read: {}", plain(&error));
            diagnostics.push(DiagnosticAt::error(Place::file(file), message));
            return match error.kind() {
                io::ErrorKind::NotFound => Main::Missing,
                _ => Main::Unreadable,
            };
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            sources.add(path.to_owned(), Some(text));
        }
        Err(error) => {
            // bytes that are no text become one space each: places stay as they are
            let at = error.utf8_error().valid_up_to();
            let text = mend(error.as_bytes());
            let file = sources.add(path.to_owned(), Some(text));
            let place = Place {
                file,
                start: at,
                end: at + 1,
            };
            diagnostics
                .push(DiagnosticAt::error(place, "not UTF-8").hint("save the file as UTF-8"));
        }
    }
    Main::Read
}

/// The text with a space for every byte that is none.
fn mend(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| ' '));
    }
    text
}

/// Longest file, in bytes; all of them are held in memory while they are read.
const FILE_MAX: usize = 1024 * 1024;

/// Drop-ins that are read from a folder at most.
const FILES_MAX: usize = 256;
