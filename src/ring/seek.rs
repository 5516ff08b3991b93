//! Streams by hand: skipping what blocks, going back to what was sent before. Sends nothing.

use super::IoError;
use super::Ring;
use super::Settled;
use super::StreamId;
use super::commit::Stop;
use super::cursor::Cursor;
use super::cursor::Mark;
use super::times::Boots;
use crate::clock::Now;
use std::time::Duration;

/// How far a stream goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewindTo {
    /// To the oldest record that is on disk.
    Oldest,
    /// To the first that was received at this date, since 1970, or after it.
    Date(Duration),
}

impl Ring {
    /// Settles by hand the oldest records that a stream has not settled, `count` at most; says how
    /// many those were. What was unsettled is read again. `wanted` decides for records whose
    /// subscription was not decided when they came.
    pub fn skip(
        &mut self,
        stream: StreamId,
        count: u64,
        now: Now,
        wanted: &dyn Fn(&[u8]) -> bool,
    ) -> u64 {
        self.reread(stream);
        let mut skipped = 0;
        while skipped < count {
            let Some(record) = self.read(stream, now) else {
                break;
            };
            let counts = record.subscribed || wanted(record.body);
            let (seq, how) = match counts {
                true => (record.seq, Settled::ByHand),
                false => (record.seq, Settled::Unwanted),
            };
            self.settle(stream, seq, how, now);
            skipped += u64::from(counts);
        }
        skipped
    }

    /// Puts the cursor of a stream back over records that it has settled, and that were written
    /// for it: they are stored anew, and wait. Says how many they are. What was settled before it
    /// had to be written is gone. Never goes forward.
    ///
    /// # Errors
    /// When the new place could not be written: then it holds until the next start. When what lies
    /// there could not be read: then the stream goes back as far as that, or not at all.
    pub fn rewind(&mut self, stream: StreamId, back: RewindTo, now: Now) -> Result<u64, IoError> {
        self.reread(stream);
        let before = self.backlog(stream);
        let Some(cursor) = self.table.stream(stream).map(|stream| stream.settled().seq) else {
            return Ok(0);
        };
        let mark = self.mark(stream, back, now)?;
        let Some(mark) = mark.filter(|mark| mark.seq < cursor) else {
            return Ok(0);
        };
        // Below the old cursor, so that nothing that waits comes twice.
        self.forget_settled(stream, cursor);
        if let Some(stream) = self.table.stream_mut(stream) {
            stream.put_back(mark);
        }
        self.reread(stream);
        if let RewindTo::Date(date) = back {
            self.pass_older(stream, date, cursor, now)?;
        }
        let count = self.backlog(stream).saturating_sub(before);
        self.save(Stop::Running, now)?;
        Ok(count)
    }

    /// Settles by hand all that a stream has not settled, and keeps that; says how many those were.
    /// Reads nothing: it takes as long for a million of them as for one.
    ///
    /// # Errors
    /// When it could not be written: then it holds until the next start.
    pub fn drop_backlog(&mut self, stream: StreamId, now: Now) -> Result<u64, IoError> {
        let count = self.purge(stream, now);
        self.save(Stop::Running, now)?;
        Ok(count)
    }

    /// Records that a stream has read and not settled.
    #[must_use]
    pub fn unsettled(&self, stream: StreamId) -> u64 {
        let stream = self.table.stream(stream);
        stream.map_or(0, Cursor::unsettled)
    }

    /// How old the first record is that a stream has not settled. For a stream that nobody reads:
    /// its reading place goes back to its cursor.
    pub fn oldest_age(&mut self, stream: StreamId, now: Now) -> Option<Duration> {
        self.reread(stream);
        let age = self.read(stream, now).map(|record| record.age);
        self.reread(stream);
        age
    }

    /// Where a segment begins before which nothing is searched for.
    fn mark(
        &mut self,
        stream: StreamId,
        back: RewindTo,
        now: Now,
    ) -> Result<Option<Mark>, IoError> {
        let ord = self.segments.tail().of(stream);
        let oldest = self.segments.oldest_seq().map(|seq| Mark { seq, ord });
        let RewindTo::Date(date) = back else {
            return Ok(oldest);
        };
        for index in (1..self.segments.len()).rev() {
            let Some(found) = self.segments.get(index) else {
                break;
            };
            let Some(header) = self.volume.header(found.generation)? else {
                continue;
            };
            let began = self
                .boots
                .resolve(Boots::arrival(Some(header.base), 0), now)
                .wall;
            // By a date that is not certain a segment is not passed over.
            if began.trusted && began.since_1970 <= date {
                let (seq, ord) = (found.first_seq, header.cum.of(stream));
                return Ok(Some(Mark { seq, ord }));
            }
        }
        Ok(oldest)
    }

    /// What a stream has settled of that which no commit has taken is not written for it.
    fn forget_settled(&mut self, stream: StreamId, cursor: u64) {
        self.queue.forget(stream.bit(), cursor);
        self.release();
    }

    /// Passes what was received before a date, uncounted, up to where the cursor was.
    fn pass_older(
        &mut self,
        stream: StreamId,
        date: Duration,
        cursor: u64,
        now: Now,
    ) -> Result<(), IoError> {
        while let Some(record) = self.try_read(stream, now)? {
            let received = record.received;
            let reached = !received.trusted || received.since_1970 >= date;
            let seq = record.seq;
            if reached || seq.0 >= cursor {
                break;
            }
            self.settle(stream, seq, Settled::Unwanted, now);
        }
        self.reread(stream);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::ring::Counters;
    use crate::ring::From;
    use crate::ring::Full;
    use crate::ring::Memory;
    use crate::ring::Settings;
    use crate::ring::StreamSet;

    fn at(secs: u64) -> Now {
        Now {
            mono: Duration::from_secs(secs),
            wall: Wall {
                since_1970: Duration::from_secs(1_800_000_000 + secs),
                trusted: true,
            },
            ages: true,
        }
    }

    /// A ring with two streams and `count` records, one a second, all on disk.
    fn filled(count: u64) -> (Ring, [StreamId; 2]) {
        let settings = Settings {
            size: 0,
            delay: Duration::ZERO,
            hold: Duration::ZERO,
            bytes: 65536,
            full: Full::DropOldest,
        };
        let memory = Box::new(Memory::new(256 * 1024));
        let (mut ring, _) = Ring::open(memory, settings, at(0), 1).unwrap();
        let ids = ["a", "b"].map(|name| ring.attach(name, From::New, at(0)).unwrap());
        append(&mut ring, ids[0].mask() | ids[1].mask(), 1..count + 1);
        (ring, ids)
    }

    fn append(ring: &mut Ring, mask: StreamSet, seconds: std::ops::Range<u64>) {
        for second in seconds {
            ring.append(mask, at(second), &[7; 300]).unwrap();
            ring.commit(at(second)).unwrap();
        }
    }

    fn accept(ring: &mut Ring, id: StreamId, count: usize) {
        for _ in 0..count {
            let seq = ring.read(id, at(1000)).unwrap().seq;
            ring.settle(id, seq, Settled::Accepted, at(1000));
        }
    }

    fn balance(ring: &Ring, id: StreamId) -> Counters {
        ring.check_invariants();
        let counters = ring.counters(id);
        let of = counters;
        let skipped = of.filtered + of.expired + of.by_hand;
        let settled = of.accepted + skipped + of.given_up + of.dropped + of.corrupt;
        assert_eq!(counters.stored, settled + counters.backlog);
        counters
    }

    #[test]
    fn skipping_settles_the_oldest_by_hand_and_no_more() {
        let (mut ring, [a, b]) = filled(10);
        let lost = ring.read(a, at(11)).unwrap().seq;
        assert_eq!(ring.skip(a, 3, at(11), &|_| true), 3);
        let counters = balance(&ring, a);
        assert_eq!((counters.by_hand, counters.backlog), (3, 7));
        assert_eq!(balance(&ring, b).backlog, 10);
        assert!(ring.read(a, at(11)).unwrap().seq > lost);
        assert_eq!(ring.skip(a, 100, at(11), &|_| true), 7);
        assert_eq!(balance(&ring, a).backlog, 0);
    }

    #[test]
    fn a_rewound_stream_reads_again_what_was_written_for_it() {
        let (mut ring, [a, b]) = filled(500);
        accept(&mut ring, a, 500);
        assert_eq!(ring.rewind(a, RewindTo::Oldest, at(1000)), Ok(500));
        let counters = balance(&ring, a);
        assert_eq!((counters.stored, counters.backlog), (1000, 500));
        assert_eq!(balance(&ring, b).stored, 500);
        accept(&mut ring, a, 500);
        assert!(ring.read(a, at(1000)).is_none());
        assert_eq!(balance(&ring, a).accepted, 1000);
    }

    #[test]
    fn a_stream_goes_back_to_a_date_and_not_forward() {
        let (mut ring, [a, _]) = filled(500);
        accept(&mut ring, a, 400);
        let date = |secs| RewindTo::Date(at(secs).wall.since_1970);
        assert_eq!(ring.rewind(a, date(450), at(1000)), Ok(0));
        assert_eq!(balance(&ring, a).backlog, 100);
        assert_eq!(ring.rewind(a, date(301), at(1000)), Ok(100));
        let first = ring.read(a, at(1000)).unwrap().received;
        assert_eq!(first.since_1970, at(301).wall.since_1970);
        ring.reread(a);
        accept(&mut ring, a, 200);
        assert_eq!(balance(&ring, a).backlog, 0);
    }

    #[test]
    fn what_waits_in_memory_is_not_wanted_twice() {
        let (mut ring, [a, b]) = filled(5);
        let both = a.mask() | b.mask();
        for _ in 0..4 {
            ring.append(both, at(9), b"x").unwrap();
        }
        accept(&mut ring, a, 7);
        assert_eq!(ring.rewind(a, RewindTo::Oldest, at(1000)), Ok(5));
        let safe = ring.safe();
        assert_eq!(balance(&ring, a).backlog, 7);
        ring.commit(at(1001)).unwrap();
        assert!(ring.safe() > safe);
        accept(&mut ring, a, 7);
        assert!(ring.read(a, at(1000)).is_none());
        assert_eq!(balance(&ring, a).backlog, 0);
    }
}
