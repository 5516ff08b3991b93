//! Rejects: what a stream gave up or cannot send, in a bounded file, for whoever looks into it or
//! sends it once more. Decides nothing, and holds nothing up: what cannot be written is lost, and
//! said.
//!
//! ```text
//! {"reason":"400 Bad Request: …","seq":17,"message":{"ident":"352",…}}      one a line
//! ```

use super::engine::Engine;
use super::file::LineFile;
use super::render::View;
use super::settings;
use super::settings::Shape;
use crate::message::ValueRef;
use crate::message::json;
use std::io;

/// The file of one stream.
#[derive(Debug)]
pub struct Rejects {
    file: LineFile,
}

impl Rejects {
    /// A file that is opened when there is something for it.
    #[must_use]
    pub fn new(settings: &settings::Rejects) -> Self {
        let file = LineFile::new(settings::File {
            path: settings.file.clone(),
            max_size: Some(settings.size / 2),
            keep: 1,
        });
        Self { file }
    }

    /// Appends what was refused since the last call, as it stands in the ring. Call it before
    /// the engine settles. Blocks as long as the disk does.
    ///
    /// # Errors
    /// When it could not be written; it is not offered again.
    pub fn keep(&mut self, engine: &mut Engine) -> io::Result<()> {
        let (shape, mut lines) = (Shape::default(), Vec::new());
        let mut view = View::new(&shape);
        while let Some((message, reason)) = engine.take_rejected() {
            let head = [
                ("reason", ValueRef::Text(&reason)),
                ("seq", ValueRef::U64(message.seq.0)),
            ];
            json::write(head.into_iter(), &mut lines);
            // the message goes before the brace that ends the head
            lines.pop();
            lines.extend_from_slice(b",\"message\":");
            if view.object(&message, &mut lines).is_err() {
                lines.extend_from_slice(b"null");
            }
            lines.extend_from_slice(b"}\n");
        }
        match lines.is_empty() {
            true => Ok(()),
            false => self.file.append(&lines).map_err(|error| {
                let why = self.file.blame(&error);
                io::Error::new(error.kind(), why)
            }),
        }
    }
}
