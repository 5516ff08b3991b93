//! What a file that the API makes may not name: a file that is written to must be one of messages,
//! or a new one, and none of weir's own.

use super::files;
use crate::keys::context::Context;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::named::Named;
use crate::keys::source::Place;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// Notes what the file at `made` names and must not.
pub(super) fn look(context: &Context<'_>, main: &Path, made: &Path) {
    let named = context.named();
    let ring = named.iter().find_map(|named| match named {
        Named::Ring { file, .. } => Some(file.clone()),
        _ => None,
    });
    let own = Own {
        main,
        folders: files::drop_in_folders(main),
        ring,
    };
    let is_made = |place: Place| {
        let source = context.sources.file(place.file);
        source.is_some_and(|source| source.path == made)
    };
    for (file, place) in named.iter().filter_map(|named| match named {
        Named::Written(file, place) if is_made(*place) => Some((file, *place)),
        _ => None,
    }) {
        if let Some(message) = own.refuses(file) {
            let diagnostic = DiagnosticAt::error(place, message);
            context.note(diagnostic.hint("write another path, from the root, of a new file"));
        }
    }
}

/// The files of weir itself.
struct Own<'a> {
    main: &'a Path,
    folders: Vec<PathBuf>,
    ring: Option<PathBuf>,
}

impl Own<'_> {
    /// Why nothing may be written there.
    fn refuses(&self, file: &Path) -> Option<&'static str> {
        let climbs = file.components().any(|part| part == Component::ParentDir);
        if climbs || !file.is_absolute() {
            return Some("the API takes only whole paths");
        }
        let of_ring = |ring: &PathBuf| begins_with(file, ring);
        let in_folder = |folder: &PathBuf| file.starts_with(folder);
        if file == self.main
            || self.folders.iter().any(in_folder)
            || self.ring.as_ref().is_some_and(of_ring)
        {
            return Some("that is a file of weir itself");
        }
        match holds_messages(file) {
            Ok(true) => None,
            Ok(false) => Some("there is a file that holds no messages"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // what nobody can read, nobody is told about
            Err(_) => Some("there is something that weir cannot read"),
        }
    }
}

/// Whether the name of a file is that of another, with more behind it or without.
fn begins_with(file: &Path, other: &Path) -> bool {
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    bytes(file).starts_with(&bytes(other))
}

/// Whether a file is empty, or begins as a line of messages does.
fn holds_messages(file: &Path) -> io::Result<bool> {
    // no pipe may hold the daemon up
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened = File::options()
        .read(true)
        .custom_flags(nonblocking)
        .open(file)?;
    if !opened.metadata()?.is_file() {
        return Ok(false);
    }
    let mut first = Vec::new();
    opened.take(1).read_to_end(&mut first)?;
    Ok(matches!(first.as_slice(), [] | [b'{']))
}
