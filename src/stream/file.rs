//! A file of JSON lines, one message a line. There is no far end: whoever reads the file is none
//! of its business. The driver appends and syncs what the link writes, and answers with a line:
//! see [`crate::net::FileConnection`]. One batch at a time is on its way.

mod keys;

pub(super) use keys::KIND;

use super::engine::{Engine, Outgoing, Packing};
use super::render::View;
use super::{Fault, Link, Lost, OUT_MAX, Turn, settings};
use crate::ring::Seq;
use std::time::Duration;

/// What goes to one file.
pub struct FileLink<'a> {
    settings: &'a settings::File,
    view: View<'a>,
    /// The batch that is not answered yet, and the engine's epoch when it was taken.
    batch: Option<(u32, Vec<Seq>)>,
    /// The last batch is on the disk.
    is_ready: bool,
}

impl<'a> FileLink<'a> {
    /// A file to which nothing was written yet.
    #[must_use]
    pub fn new(settings: &'a settings::File, view: View<'a>) -> Self {
        Self {
            settings,
            view,
            batch: None,
            is_ready: false,
        }
    }
}

impl Link for FileLink<'_> {
    fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return Ok(0);
        };
        let Some((epoch, batch)) = self.batch.take() else {
            return Err(Lost::new(0, "an answer to nothing"));
        };
        let reason = input.get(..end).unwrap_or_default();
        self.is_ready = reason.is_empty();
        if self.is_ready {
            turn.engine.accepted(epoch, &batch, turn.now);
        } else {
            // what the disk does not take now it takes later: the line stays, the engine pauses
            let fault = Fault::new(0, String::from_utf8_lossy(reason));
            turn.engine
                .faulty(epoch, fault, None, turn.now, turn.random);
        }
        Ok(end + 1)
    }

    fn send(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        if self.batch.is_some() {
            return Ok(());
        }
        let (view, most, out) = (&mut self.view, batch_max(self.settings), &mut *turn.out);
        let pack = |message: &Outgoing<'_>| pack(view, message, most, out);
        let batch = turn.engine.next_batch(turn.now, pack);
        self.batch = batch.map(|batch| (turn.engine.epoch(), batch));
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        None
    }

    fn wake(&mut self, _turn: &mut Turn<'_>) -> Result<(), Lost> {
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn stays(&self) -> bool {
        false
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
