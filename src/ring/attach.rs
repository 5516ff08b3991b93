//! Attaching and removing streams. Either is on disk before the next record is taken.

use super::AttachError;
use super::From;
use super::IoError;
use super::Ring;
use super::StreamId;
use super::commit::Stop;
use super::cursor::Cursor;
use super::slot::NAME_MAX;
use crate::clock::Now;

impl Ring {
    /// Gives the stream of this name its place: a new one, or, for a name that the ring
    /// remembers, the one where it stood. Durable before it returns, unless the ring is degraded.
    ///
    /// # Errors
    /// When the name cannot be one, or when there is no place.
    pub fn attach(&mut self, name: &str, from: From, now: Now) -> Result<StreamId, AttachError> {
        if let Some(id) = self.table.find_by_name(name) {
            return Ok(id);
        }
        if name.is_empty() || name.len() > NAME_MAX || name.contains('\0') {
            return Err(AttachError::Name);
        }
        if from == From::Oldest && !self.is_degraded() {
            // What is on disk stays when others have settled it. Should it not get there, it is
            // read from memory for as long as it is there; the ring is degraded then.
            self.commit(now).unwrap_or_default();
        }
        // With both slots lost nobody knew the stream, and its records waited for it by the check
        // sum of its name.
        let orphan = self.table.orphan(name);
        let id = orphan
            .or_else(|| self.vacant())
            .ok_or(AttachError::TooMany)?;
        let stream = match orphan {
            Some(_) => self.adopted(name, id),
            None => self.fresh(name, id, from),
        };
        self.table.set_stream(id, stream);
        // Should the disk have failed: the first thing that it takes again is a slot with the
        // stream in it, before any record.
        while !self.is_degraded() && self.save_twice(now).is_err() {}
        Ok(id)
    }

    /// Forgets a stream; all that it had not settled is settled.
    ///
    /// # Errors
    /// When it could not be written: then it is only forgotten until the next start.
    pub fn remove(&mut self, name: &str, now: Now) -> Result<(), AttachError> {
        let Some(id) = self.table.find_by_name(name) else {
            return Ok(());
        };
        self.table.remove(id, self.active.generation);
        self.release();
        self.save_twice(now).map_err(AttachError::Io)
    }

    /// Writes both slots: with one of them lost to rot the other would know nothing of the stream,
    /// and its records would be nobody's.
    fn save_twice(&mut self, now: Now) -> Result<(), IoError> {
        self.save(Stop::Running, now)?;
        self.save(Stop::Running, now)
    }

    /// The streams that the ring remembers, whether or not the configuration has them.
    pub fn streams(&self) -> impl Iterator<Item = (StreamId, &str)> {
        self.table
            .attached()
            .map(|(id, stream)| (id, stream.name.as_str()))
    }

    fn vacant(&self) -> Option<StreamId> {
        let oldest = self
            .segments
            .oldest()
            .map_or(u64::MAX, |oldest| oldest.generation);
        // What a failed commit took is written again as it is, with the bits that it had then.
        let taken = self.queue.entries().take(self.queue.begun());
        let taken = taken.fold(0, |bits, entry| bits | entry.mask);
        self.table.vacant(oldest, taken)
    }

    fn fresh(&self, name: &str, id: StreamId, from: From) -> Cursor {
        let stream = Cursor::new(name, self.end_mark(id));
        match from {
            From::New => stream,
            From::Oldest => {
                let oldest = self.segments.oldest_seq();
                stream.reading_from(oldest.unwrap_or(self.durable()))
            }
        }
    }

    /// With both slots lost: the stream that segments name, from the oldest record on.
    fn adopted(&self, name: &str, id: StreamId) -> Cursor {
        Cursor::new(name, self.oldest_mark(id, self.progress.next_seq()))
    }
}
