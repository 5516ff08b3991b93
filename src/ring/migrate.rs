//! From a ring that stood in for another to that one: what waits, and what became of the rest.

use super::AppendError;
use super::From;
use super::Record;
use super::Ring;
use super::Seq;
use super::StreamId;
use super::StreamSet;
use crate::clock::Now;
use std::time::Duration;

impl Ring {
    /// Whether it is in memory: no file of it is there.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        !self.volume.storage.lasts()
    }

    /// The last date that could be believed, since 1970; 0 if none ever could.
    #[must_use]
    pub fn last_trusted(&self) -> Duration {
        Duration::from_millis(self.boots.trusted_ms)
    }

    /// Takes what waits in `other`, with the times at which it was received, and adds up what
    /// became of the rest. Streams are the same by their names; unknown ones are attached. What has
    /// no room here counts as dropped, what cannot be read there as damaged: it is the last time
    /// that anybody asks for it.
    pub fn migrate_from(&mut self, other: &mut Self, now: Now) {
        for (_, name) in other.streams() {
            if let Err(error) = self.attach(name, From::New, now) {
                log::error!("stream `{name}` does not move along: {error}");
            }
        }
        let both: Vec<_> = StreamId::all()
            .filter_map(|theirs| {
                let stream = other.table.stream(theirs)?;
                Some((theirs, self.table.find_by_name(&stream.name)?))
            })
            .collect();
        let mut waiting: Vec<_> = both
            .iter()
            .map(|(theirs, _)| {
                other.reread(*theirs);
                other.next_waiting(*theirs, now)
            })
            .collect();
        while let Some(seq) = waiting.iter().flatten().map(|next| next.seq).min() {
            let mut mask = StreamSet::default();
            let mut first = None;
            for ((theirs, ours), next) in both.iter().zip(&mut waiting) {
                if let Some(found) = next.take_if(|next| next.seq == seq) {
                    mask = mask | ours.mask();
                    first = Some(found);
                    *next = other.next_waiting(*theirs, now);
                }
            }
            if let Some(first) = first {
                self.migrate_one(mask, &first, now);
            }
        }
        for (theirs, ours) in both {
            if let Some((from, to)) = other.table.stream(theirs).zip(self.table.stream_mut(ours)) {
                to.tally.add(&from.tally);
                to.tally.add(&from.passed());
            }
        }
        let failed = other.stats();
        self.stats.failures += failed.failures;
        self.stats.read_failures += failed.read_failures;
        self.slots.note_counter_changed(now.mono);
    }

    fn migrate_one(&mut self, mask: StreamSet, waiting: &Waiting, now: Now) {
        let mut result = self.append_received(mask, waiting.received, now.mono, &waiting.body);
        if result == Err(AppendError::Busy) {
            // If it fails the ring is degraded, and keeps it in memory.
            self.commit(now).unwrap_or_default();
            result = self.append_received(mask, waiting.received, now.mono, &waiting.body);
        }
        if result.is_err() {
            for id in StreamId::of_mask(mask.0) {
                if let Some(stream) = self.table.stream_mut(id) {
                    stream.tally.dropped += 1;
                }
            }
        }
    }

    fn next_waiting(&mut self, stream: StreamId, now: Now) -> Option<Waiting> {
        loop {
            let found = self.try_read(stream, now);
            match found.map(|record| record.map(|record| Waiting::of(&record, now))) {
                Ok(Some(None)) => {}
                Ok(found) => return found.flatten(),
                Err(_) => self.pass_unreadable(stream),
            }
        }
    }
}

/// A record that a stream has not settled.
struct Waiting {
    seq: Seq,
    received: Now,
    body: Box<[u8]>,
}

impl Waiting {
    /// None where nobody ever decided whether the stream wants it.
    fn of(record: &Record<'_>, now: Now) -> Option<Self> {
        record.subscribed.then(|| Self {
            seq: record.seq,
            received: Now {
                mono: now.mono.saturating_sub(record.age),
                wall: record.received,
                ages: false,
            },
            body: record.body.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::ring::From;
    use crate::ring::Full;
    use crate::ring::Memory;
    use crate::ring::Ring;
    use crate::ring::Settled;
    use crate::ring::tests::at;
    use crate::ring::tests::settings;

    fn ring(full: Full) -> Ring {
        let storage = Box::new(Memory::new(256 << 10));
        let mut settings = settings(256 << 10);
        settings.full = full;
        Ring::open(storage, settings, at(0), 7).unwrap().0
    }

    #[test]
    fn what_waits_moves_with_its_order_its_times_and_its_counters() {
        let mut from = ring(Full::DropOldest);
        let [a, b] = ["a", "b"].map(|name| from.attach(name, From::New, at(0)).unwrap());
        for (number, mask) in [(1, a.mask()), (2, a.mask() | b.mask()), (3, b.mask())] {
            from.append(mask, at(number), &[u8::try_from(number).unwrap()])
                .unwrap();
        }
        let seq = from.read(a, at(4)).unwrap().seq;
        from.settle(a, seq, Settled::Accepted, at(4));
        from.read(a, at(4)).unwrap();
        let mut into = ring(Full::DropOldest);
        // in another order, so that their bits differ
        let [b, a] = ["b", "a"].map(|name| into.attach(name, From::New, at(0)).unwrap());
        into.migrate_from(&mut from, at(5));
        let counters = into.counters(a);
        assert_eq!(
            (counters.accepted, counters.backlog, counters.stored),
            (1, 1, 2)
        );
        assert_eq!(into.counters(b).backlog, 2);
        let record = into.read(a, at(5)).unwrap();
        assert_eq!((record.body, record.received), (&[2][..], at(2).wall));
        let bodies = [2, 3].map(|_| into.read(b, at(5)).unwrap().body.to_vec());
        assert_eq!(bodies, [[2], [3]]);
        assert!(into.read(a, at(5)).is_none() && into.read(b, at(5)).is_none());
    }

    #[test]
    fn what_has_no_room_counts_as_dropped() {
        let mut from = ring(Full::DropOldest);
        let a = from.attach("a", From::New, at(0)).unwrap();
        let body = vec![0; 2000];
        for _ in 0..50 {
            from.append(a.mask(), at(1), &body).unwrap();
            from.commit(at(1)).unwrap();
        }
        let mut into = ring(Full::Refuse);
        let a = into.attach("a", From::New, at(0)).unwrap();
        let mut fits = 0;
        while into.append(a.mask(), at(1), &body).is_ok() {
            into.commit(at(1)).unwrap();
            fits += 1;
        }
        into.migrate_from(&mut from, at(5));
        let counters = into.counters(a);
        assert_eq!((counters.stored, counters.backlog), (fits + 50, fits));
        assert_eq!(counters.dropped, 50);
    }
}
