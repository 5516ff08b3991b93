//! A look at what waits for a stream, which changes nothing.

use super::ReadFrom;
use super::RecordPlace;
use super::lend;
use crate::clock::Now;
use crate::ring::IoError;
use crate::ring::Record;
use crate::ring::Ring;
use crate::ring::StreamId;
use crate::ring::read_buffer::ReadBuffer;
use crate::ring::times::Boots;

impl Ring {
    /// Shows what a stream has not settled, oldest first, until `show` has enough, or so much was
    /// read of the disk: 128 KiB, and then the last record. The stream reads on where it was; it
    /// may have read and not settled what is shown.
    ///
    /// # Errors
    /// When it cannot be read now.
    pub fn peek(
        &mut self,
        id: StreamId,
        now: Now,
        show: &mut dyn FnMut(&Record<'_>) -> Look,
    ) -> Result<(), IoError> {
        let Some(saved) = self.table.stream(id).cloned() else {
            return Ok(());
        };
        if saved.waits_to_read(now.mono) {
            return Err(IoError::Io);
        }
        let buffer = self.volume.exchange_buffer(ReadBuffer::default());
        self.reread(id);
        let shown = self.show_all(id, now, show);
        self.volume.exchange_buffer(buffer);
        if let Some(stream) = self.table.stream_mut(id) {
            *stream = saved;
            if shown.is_err() {
                stream.read_failed(now.mono);
            }
        }
        shown
    }

    fn show_all(
        &mut self,
        id: StreamId,
        now: Now,
        show: &mut dyn FnMut(&Record<'_>) -> Look,
    ) -> Result<(), IoError> {
        while self.volume.buffered_reads() < PEEK_BYTES {
            let Some(place) = self.seek(id, ReadFrom::All)? else {
                break;
            };
            if self.show(id, place, now, show)? == Look::Enough {
                break;
            }
        }
        Ok(())
    }

    fn show(
        &mut self,
        id: StreamId,
        place: RecordPlace,
        now: Now,
        show: &mut dyn FnMut(&Record<'_>) -> Look,
    ) -> Result<Look, IoError> {
        let (span, found) = match place {
            RecordPlace::Disk { span, found } => (span, found),
            RecordPlace::Memory { index } => {
                let record = self.lend_from_memory(id, index, now);
                return Ok(record.map_or(Look::Enough, |record| show(&record)));
            }
        };
        let arrival = Boots::arrival(found.base, found.header.elapsed_ms);
        let received = self.boots.resolve(arrival, now);
        let stream = self.table.stream(id);
        let subscribed = stream.is_none_or(|stream| stream.is_subscribed(found.seq));
        let body = self.volume.body_again(&span, &found)?;
        let record = body.map(|body| lend(found.seq, (arrival, received), subscribed, body));
        Ok(record.map_or(Look::Further, |record| show(&record)))
    }
}

/// Whether whoever looks has seen enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It wants the next one, too.
    Further,
    /// It does not.
    Enough,
}

/// A look ends behind the record with which so much was read.
const PEEK_BYTES: u64 = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::ring::From;
    use crate::ring::Full;
    use crate::ring::Memory;
    use crate::ring::Settings;
    use crate::ring::Settled;
    use std::time::Duration;

    fn now() -> Now {
        Now {
            mono: Duration::from_secs(1),
            wall: Wall {
                since_1970: Duration::from_secs(1_800_000_000),
                trusted: true,
            },
            ages: true,
        }
    }

    /// A ring with so many records on disk, and five in memory.
    fn filled(count: u32) -> (Ring, StreamId) {
        let settings = Settings {
            size: 0,
            delay: Duration::ZERO,
            hold: Duration::ZERO,
            bytes: 65536,
            full: Full::DropOldest,
        };
        let memory = Box::new(Memory::new(256 * 1024));
        let (mut ring, _) = Ring::open(memory, settings, now(), 1).unwrap();
        let id = ring.attach("a", From::New, now()).unwrap();
        for number in 0..count + 5 {
            if number == count {
                ring.commit(now()).unwrap();
            }
            let body = [&number.to_le_bytes()[..], &[7; 100]].concat();
            while ring.append(id.mask(), now(), &body).is_err() {
                ring.commit(now()).unwrap();
            }
        }
        (ring, id)
    }

    fn number(record: &Record<'_>) -> u32 {
        u32::from_le_bytes(record.body[..4].try_into().unwrap())
    }

    fn seen(ring: &mut Ring, id: StreamId, most: usize) -> Vec<u32> {
        let mut seen = Vec::new();
        let mut show = |record: &Record<'_>| {
            seen.push(number(record));
            match seen.len() < most {
                true => Look::Further,
                false => Look::Enough,
            }
        };
        ring.peek(id, now(), &mut show).unwrap();
        seen
    }

    #[test]
    fn a_look_shows_what_is_in_flight_first_and_moves_nothing() {
        let (mut ring, id) = filled(100);
        let mut in_flight = std::collections::VecDeque::new();
        for at in 0..105 {
            let oldest = at - u32::try_from(in_flight.len()).unwrap();
            let wanted: Vec<u32> = (oldest..105).take(4).collect();
            assert_eq!(seen(&mut ring, id, 4), wanted, "before {at}");
            let record = ring.read(id, now()).unwrap();
            assert_eq!(number(&record), at);
            in_flight.push_back(record.seq);
            if in_flight.len() > 3 {
                let seq = in_flight.pop_front().unwrap();
                ring.settle(id, seq, Settled::Accepted, now());
            }
            ring.check_invariants();
        }
        assert_eq!(ring.counters(id).accepted, 102);
        assert_eq!(ring.counters(id).corrupt, 0);
    }

    #[test]
    fn a_look_that_never_has_enough_ends() {
        let (mut ring, id) = filled(1900);
        let waiting = ring.counters(id).backlog;
        let seen = seen(&mut ring, id, usize::MAX);
        let bytes = seen.len() as u64 * 104;
        assert!(
            seen.len() as u64 <= waiting && bytes <= PEEK_BYTES,
            "{bytes}"
        );
        assert!(bytes > PEEK_BYTES / 2, "{bytes}");
        assert_eq!(ring.counters(id).backlog, waiting);
    }
}
