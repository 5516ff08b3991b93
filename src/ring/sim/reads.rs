//! Reads that fail and a file that goes: what befalls a ring in half of the modes, and what it has
//! to say of it.

use super::oracle::Violation;
use super::world::World;
use crate::ring::Storage;
use std::time::Duration;

impl World {
    /// A stream could not read: it is said, and there is a time for the next try.
    pub(super) fn note_unread(&mut self) -> Result<(), Violation> {
        self.tally.unread += 1;
        let again = self.ring.next_read(Duration::ZERO);
        let said = again.is_some() && self.ring.occupancy(self.now()).degraded;
        match said && self.faults.failing_reads {
            true => Ok(()),
            false => Err(format!("a read failed, tried again at {again:?}")),
        }
    }

    /// Now and then something cannot be read for a while, or the file is gone.
    pub(super) fn fail_reads(&mut self) -> Result<(), Violation> {
        let len = usize::try_from(self.disk.len()).unwrap_or(0);
        match self.whims.below(200) {
            0 => self.disk.set_unreadable(0..len),
            1 | 2 => {
                let from = self.whims.below(len);
                self.disk
                    .set_unreadable(from..from + 1 + self.whims.below(8192));
            }
            3 => self
                .disk
                .go_after(u32::try_from(self.whims.below(4)).unwrap_or(0)),
            4..14 => {
                self.disk.heal();
                if self.commit.is_none() {
                    self.ring
                        .watch(self.now())
                        .map_err(|_| "found, and still gone")?;
                }
            }
            14 if self.commit.is_none() => self.ring.watch(self.now()).unwrap_or_default(),
            _ => {}
        }
        Ok(())
    }
}
