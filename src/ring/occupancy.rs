//! How full a ring is, and how its storage does: for those who look at it from outside.

use super::AppendError;
use super::Ring;
use super::StreamId;
use super::times::Boots;
use crate::clock::Now;
use crate::clock::Wall;
use std::time::Duration;

/// How full a ring is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// Bytes that it may have on disk.
    pub size: u64,
    /// Bytes that the settings ask for; more where there was no space for all of them.
    pub size_wanted: u64,
    /// Bytes of those that hold records.
    pub used: u64,
    /// The next segment can only be made in the place of records that some stream has not settled.
    pub full: bool,
    /// Since when it drops records that some stream has not read, on the clock that never goes
    /// back; none if it does not.
    pub dropping: Option<Duration>,
    /// Nothing more is taken, or made safe, until the streams have made room.
    pub refusing: bool,
    /// When the oldest record on disk was received.
    pub oldest: Option<Wall>,
    /// Records that are in memory, and their bytes.
    pub waiting: (u64, u64),
    /// Senders wait for destinations: the storage fails, or lasts no longer than the power.
    pub degraded: bool,
    /// What is written outlives the power, and is written.
    pub durable: bool,
}

impl Ring {
    /// How full it is. Reads the headers of two segments.
    pub fn occupancy(&mut self, now: Now) -> Occupancy {
        let used = self.segments.len().saturating_sub(1) as u64;
        let head = self.segments.newest().map_or(0, |head| u64::from(head.end));
        let full = self.is_full().unwrap_or(self.pressure.dropping().is_some());
        if !full {
            self.pressure.ease();
        }
        let lasts = self.volume.storage.lasts() && !self.trust.is_volatile();
        let failing = self.health.is_degraded();
        let unread = self.has_unread();
        Occupancy {
            size: self.volume.geometry.len(),
            size_wanted: self.settings.size,
            used: used * u64::from(self.volume.geometry.segment_len) + head,
            full,
            dropping: self.pressure.dropping(),
            refusing: self.is_refusing(),
            oldest: self.oldest(now),
            waiting: (
                self.queue.entries().count() as u64,
                self.queue.bytes() as u64,
            ),
            degraded: failing || unread || !lasts,
            durable: lasts && !failing,
        }
    }

    fn oldest(&mut self, now: Now) -> Option<Wall> {
        let oldest = self.segments.oldest()?;
        let header = self.volume.header(oldest.generation).ok().flatten()?;
        let arrival = Boots::arrival(Some(header.base), 0);
        Some(self.boots.resolve(arrival, now).wall)
    }

    /// Bytes on disk from a stream's cursor to the newest record, for a picture: segments are
    /// exact, within one it goes by the numbers of records. Reads nothing.
    #[must_use]
    pub fn behind(&self, stream: StreamId) -> u64 {
        let Some(cursor) = self.table.stream(stream) else {
            return 0;
        };
        if self.backlog(stream) == 0 {
            return 0;
        }
        let seq = cursor.settled().seq;
        let first = self.segments.index_of(seq);
        let bytes = (first..self.segments.len()).filter_map(|index| {
            let segment = self.segments.get(index)?;
            let (begin, end) = (segment.first_seq, self.end_of(index));
            let count = end.saturating_sub(begin).max(1);
            let ahead = end.saturating_sub(seq.max(begin)).min(count);
            Some(self.len_of(index) * ahead / count)
        });
        bytes.sum()
    }

    /// One more than the last number in a segment.
    fn end_of(&self, index: usize) -> u64 {
        let next = self.segments.get(index + 1);
        next.map_or_else(|| self.durable(), |next| next.first_seq)
    }

    /// Bytes that a segment takes of those in use.
    fn len_of(&self, index: usize) -> u64 {
        match self.segments.get(index) {
            Some(active) if self.segments.is_newest(index) => u64::from(active.end),
            Some(_) => u64::from(self.volume.geometry.segment_len),
            None => 0,
        }
    }

    /// Whether something cannot be read that is asked for.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.pressure.is_unreadable() || !self.unreadable().is_empty()
    }

    /// Reads of this ring's storage that failed.
    #[must_use]
    pub fn failed_reads(&self) -> u64 {
        self.volume.storage.read_failures()
    }

    fn is_refusing(&mut self) -> bool {
        let refused = self.pressure.refused();
        let still = refused.map(|len| self.check_room(len));
        self.pressure.is_stuck() || still == Some(Err(AppendError::Full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::From;
    use crate::ring::Full;
    use crate::ring::Memory;
    use crate::ring::Settings;
    use crate::ring::Settled;
    use crate::ring::tests::at;
    use crate::ring::tests::settings;

    fn ring(settings: &Settings) -> (Ring, StreamId) {
        let storage = Box::new(Memory::new(256 << 10));
        let (mut ring, _) = Ring::open(storage, settings.clone(), at(0), 7).unwrap();
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        (ring, stream)
    }

    /// Appends and commits one a second until a state holds; gives up after a lap.
    fn fill(ring: &mut Ring, stream: StreamId, until: impl Fn(&Occupancy) -> bool) -> Occupancy {
        for second in 1..100 {
            let now = at(1000 * second);
            let _full = ring.append(stream.mask(), now, &[7; 7000]);
            ring.commit(now).unwrap();
            let found = ring.occupancy(now);
            if until(&found) {
                return found;
            }
        }
        panic!("never: {:?}", ring.occupancy(at(0)));
    }

    fn drain(ring: &mut Ring, stream: StreamId) {
        while let Some(record) = ring.read(stream, at(0)) {
            let seq = record.seq;
            ring.settle(stream, seq, Settled::Accepted, at(0));
        }
    }

    #[test]
    fn a_full_ring_says_so_and_since_when_it_drops() {
        let (mut ring, stream) = ring(&settings(256 << 10));
        let found = ring.occupancy(at(0));
        assert_eq!((found.full, found.dropping), (false, None));
        let found = fill(&mut ring, stream, |found| found.full);
        assert_eq!((found.dropping, ring.counters(stream).dropped), (None, 0));
        let since = fill(&mut ring, stream, |found| found.dropping.is_some()).dropping;
        assert!(ring.counters(stream).dropped > 0);
        for second in 200..210 {
            let now = at(1000 * second);
            ring.append(stream.mask(), now, &[7; 7000]).unwrap();
            ring.commit(now).unwrap();
            let found = ring.occupancy(now);
            assert_eq!((found.full, found.dropping), (true, since));
        }
        // what is read between two that are not is no end of it
        while ring.read(stream, at(0)).is_some() {}
        for second in 210..213 {
            let now = at(1000 * second);
            ring.append(stream.mask(), now, &[7; 7000]).unwrap();
            ring.commit(now).unwrap();
        }
        assert_eq!(ring.occupancy(at(0)).dropping, since);
        ring.reread(stream);
        drain(&mut ring, stream);
        let found = ring.occupancy(at(0));
        assert_eq!((found.full, found.dropping), (false, None));
        let again = fill(&mut ring, stream, |found| found.full);
        assert_eq!(again.dropping, None, "what was read is no loss");
    }

    #[test]
    fn how_far_a_stream_is_behind_is_said_in_bytes() {
        let (mut ring, stream) = ring(&settings(256 << 10));
        assert_eq!(ring.behind(stream), 0);
        let used = fill(&mut ring, stream, |found| found.used > 100 << 10).used;
        // the headers of the first segment alone are before it
        let all = ring.behind(stream);
        assert!(all <= used && all > used - 8192, "{all} of {used}");
        let half = ring.counters(stream).backlog / 2;
        for _ in 0..half {
            let seq = ring.read(stream, at(0)).unwrap().seq;
            ring.settle(stream, seq, Settled::Accepted, at(0));
        }
        let left = ring.behind(stream);
        assert!(left.abs_diff(all / 2) < 16384, "{left} of {all}");
        drain(&mut ring, stream);
        assert_eq!(ring.behind(stream), 0);
    }

    #[test]
    fn a_ring_that_refuses_says_so_until_there_is_room() {
        let full = Full::Refuse;
        let (mut ring, stream) = ring(&Settings {
            full,
            ..settings(256 << 10)
        });
        let found = fill(&mut ring, stream, |found| found.refusing);
        assert_eq!((found.full, found.dropping), (true, None));
        drain(&mut ring, stream);
        let found = ring.occupancy(at(0));
        assert_eq!((found.full, found.refusing), (false, false));
    }

    #[test]
    fn a_ring_in_memory_is_not_durable_and_one_that_is_too_small_says_what_was_asked_for() {
        let (mut ring, _) = ring(&settings(1 << 20));
        let found = ring.occupancy(at(0));
        assert_eq!((found.durable, found.degraded), (false, true));
        assert_eq!(found.size_wanted, 1 << 20);
        assert!(found.size <= 256 << 10, "{found:?}");
    }

    /// Shared memory is a file system in memory wherever there is one.
    #[test]
    fn a_ring_on_a_file_system_in_memory_is_degraded_and_not_durable() {
        let name = format!("weir-volatile-{}", std::process::id());
        let path = std::path::Path::new("/dev/shm").join(name);
        let Ok((mut ring, report)) = Ring::try_file(&path, &settings(256 << 10), at(0), 7) else {
            return println!("skipped: there is no /dev/shm");
        };
        std::fs::remove_file(&path).unwrap();
        if report.place == crate::ring::RingPlace::VolatileFile {
            let found = ring.occupancy(at(0));
            assert_eq!((found.durable, found.degraded), (false, true));
        }
    }
}
