//! Copying what waits from one ring into another one of another size, or out of a ruin. Numbers,
//! streams and times stay as they are.

use super::OpenError;
use super::Report;
use super::Ring;
use super::Settings;
use super::Storage;
use super::StreamId;
use super::cursor::Cursor;
use super::format::Counts;
use super::inspect::look;
use super::inspect::unreadable;
use super::inspect::visit;
use super::open::Mending;
use super::open::next_boot;
use super::picture::Picture;
use super::queue::QueueEntry;
use super::record::TimeBase;
use super::record_iter::FoundRecord;
use super::table::Table;
use crate::clock::Now;
use crate::clock::Wall;
use std::time::Duration;

impl Ring {
    /// A ring on the blank storage `into` with all that streams of the ring in `from` have not
    /// settled, on disk before it returns. `from` is not changed.
    ///
    /// Records that only a stream reading from the oldest on has still to see are among them. With
    /// both slots lost nobody knows what was settled, nor the streams' names: all records are
    /// copied, and whose they are, so that the streams find them when they come back.
    ///
    /// # Errors
    /// When there is no ring, when it cannot be read, or when the new one cannot be written.
    pub fn copy(
        from: &mut dyn Storage,
        into: Box<dyn Storage>,
        settings: Settings,
        now: Now,
        random: u64,
    ) -> Result<(Self, Report), OpenError> {
        let picture = look(from)?;
        let now = now.expected_after(Duration::from_millis(picture.remembered_ms()));
        let mut ring = Self::begin(into, settings, picture.ring_id, random)?;
        ring.inherit(&picture);
        ring.copying = true;
        let before = *ring.progress.begun();
        let mut result = Ok(());
        let visited = visit(from, &picture, &mut |found, _, body| {
            if let Some(body) = body {
                result = ring.copy_record(found, body, now);
            }
            result.is_ok()
        });
        result?;
        visited.map_err(|_| unreadable(from))?;
        ring.commit(now).map_err(OpenError::Io)?;
        ring.copying = false;
        ring.count_damaged(&picture, &before);
        ring.finish_copy(&picture, now)?;
        Ok((
            ring,
            Report {
                read: picture.read,
                ..Report::of(&picture)
            },
        ))
    }

    /// Takes over the streams, with everything before their cursors behind them.
    fn inherit(&mut self, picture: &Picture) {
        self.table = Table::remembered(picture.slot.as_ref(), &picture.owners);
        let mut behind = Counts::default();
        for (id, stream) in self.table.attached_mut() {
            stream.drop_before(picture.oldest_mark(id));
            behind.set(id, stream.settled().ord);
        }
        for id in StreamId::of_mask(self.table.orphaned()) {
            behind.set(id, picture.tail.of(id));
        }
        self.progress.begin_with(behind);
        self.segments.begin_behind(&behind);
        self.boots = picture.boots(self.boots.current);
        self.progress.begin_at(0);
        self.slots.reserved = u64::MAX;
    }

    fn copy_record(&mut self, found: &FoundRecord, body: &[u8], now: Now) -> Result<(), OpenError> {
        let orphaned = found.header.mask & self.table.orphaned();
        let mask = self.table.unsettled(found.header.mask, found.seq) | orphaned;
        let seq = found.seq;
        let reads =
            |stream: &Cursor| stream.reading().seq <= seq && stream.waits_for_older(seq + 1);
        let older = self.table.attached().any(|(_, stream)| reads(stream));
        if mask == 0 && !older {
            return Ok(());
        }
        let base = found.base.unwrap_or_default();
        let full = self.queue.bytes() + body.len() > COPY_BYTES;
        if full || base.boot != self.boots.current {
            self.commit(now).map_err(OpenError::Io)?;
            self.boots.current = base.boot;
        }
        self.table.append(mask);
        self.progress.skip_to(found.seq + 1);
        let received = received(&base, found.header.elapsed_ms);
        let entry = QueueEntry {
            seq: found.seq,
            mask,
            received,
            body: body.into(),
        };
        self.queue.push(entry, now.mono);
        Ok(())
    }

    /// What had been written behind the cursors and was not copied is damaged.
    fn count_damaged(&mut self, picture: &Picture, before: &Counts) {
        let copied = self.progress.begun().less(before);
        for (id, stream) in self.table.attached_mut() {
            let after = picture.after_cursor.of(id);
            let written = picture.cum.of(id).max(before.of(id) + after);
            let left = written.saturating_sub(before.of(id));
            stream.tally.corrupt += left.saturating_sub(copied.of(id));
        }
    }

    fn finish_copy(&mut self, picture: &Picture, now: Now) -> Result<(), OpenError> {
        self.boots.current = next_boot(picture);
        self.progress.skip_to(picture.end_seq);
        let reserved = picture.slot.as_ref().map(|slot| slot.reserved);
        self.number(reserved, picture.both_slots);
        self.settle_in(Mending::default(), 2, now)
            .map_err(OpenError::Io)
    }
}

/// When a record was received, as the clocks said it then.
fn received(base: &TimeBase, elapsed_ms: u32) -> Now {
    let after = Duration::from_millis(elapsed_ms.into());
    let since_1970 = Duration::from_millis(base.wall_ms) + after;
    let wall = Wall {
        since_1970,
        trusted: base.trusted,
    };
    Now {
        mono: Duration::from_millis(base.mono_ms) + after,
        wall,
        ages: false,
    }
}

/// Bytes that are written at once.
const COPY_BYTES: usize = 64 * 1024;
