//! Files that are spoken to like a destination: with the calls of a connection, so that the loop
//! that drives a socket drives them as well. The answer to each write is a line:
//!
//! ```text
//! "\n"                 all of it is on the disk
//! "no space left\n"    nothing of it counts, and why
//! ```

use super::file_series::FileSeries;
use crate::clock::Clock;

/// Files of lines that are spoken to like a destination.
#[derive(Debug)]
pub struct FileConnection {
    files: FileSeries,
    /// Says which of them it is time for.
    clock: Clock,
    /// Answers that are not read yet.
    answers: Vec<u8>,
}

impl FileConnection {
    /// Speaks for `files`.
    #[must_use]
    pub fn new(files: FileSeries, clock: Clock) -> Self {
        let answers = Vec::new();
        Self {
            files,
            clock,
            answers,
        }
    }

    /// Appends and syncs all of `lines` and empties it; then there is an answer. How many bytes
    /// there were.
    pub(super) fn write(&mut self, lines: &mut Vec<u8>) -> usize {
        if lines.is_empty() {
            return 0;
        }
        if let Err(error) = self.files.append(lines, self.clock.now()) {
            // the answer is one line, whatever a path is made of
            let reason = error.to_string().replace('\n', " ");
            self.answers.extend_from_slice(reason.as_bytes());
        }
        self.answers.push(b'\n');
        let len = lines.len();
        lines.clear();
        len
    }

    /// Appends the answers that are there to `buffer`; how many bytes, none where none is.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>) -> Option<usize> {
        let len = self.answers.len();
        buffer.append(&mut self.answers);
        (len > 0).then_some(len)
    }

    pub(super) fn has_answered(&self) -> bool {
        !self.answers.is_empty()
    }
}
