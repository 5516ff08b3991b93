//! What must be true, known from what was asked of the ring and answered by it alone, and from
//! the faults that were made. Knows no bytes of the format.

use super::date::BEGIN_MS;
use crate::clock::Wall;
use crate::ring::Counters;
use crate::ring::Record;
use crate::ring::times::millis;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::time::Duration;

/// Everything that was ever appended, and who had what of it.
#[derive(Default)]
pub(super) struct Oracle {
    records: BTreeMap<u64, Appended>,
    pub(super) streams: Vec<Reader>,
    /// The numbers that were shown outside, ever.
    shown: BTreeSet<u64>,
    safe: u64,
    /// Records below may have been given up for room.
    given_up_below: u64,
    /// Whether bytes were damaged where they lay: then counters may be off.
    pub(super) rotten: bool,
    /// Whether the clock shows the future, and the first record since the ring was opened.
    lies: bool,
    opened: u64,
}

struct Appended {
    mask: u32,
    body: Vec<u8>,
    received_ms: u64,
    /// The clock showed the future then, or later in the same boot: nobody could know better.
    deceived: bool,
    safe: bool,
    damaged: bool,
    settled: u32,
    /// Streams that had settled it, and whose cursors a crash put back before it.
    again: u32,
}

/// A stream, seen from outside.
pub(super) struct Reader {
    pub(super) bit: u32,
    pub(super) unsettled: VecDeque<u64>,
    /// What was read last since the reading place moved.
    last: u64,
    /// What has to come: safe, wanted, not settled, not in flight.
    due: BTreeSet<u64>,
    /// How many of what it wanted were given up unsettled, at most.
    may_be_dropped: u64,
    /// `stored` as it has to be, since the last opening.
    stored: u64,
    /// Records below are older than the stream, and it was attached from the oldest on.
    attached: u64,
    /// Those of them that must come: on disk when it was attached, and open for somebody.
    owed: BTreeSet<u64>,
    /// Whether it had older ones before it when it was looked at last.
    read_older: bool,
}

impl Reader {
    /// Whether a record has to come to it, or has come.
    fn wants(&self, seq: u64, record: &Appended) -> bool {
        match seq < self.attached {
            // another stream may have had the bit then
            true => self.owed.contains(&seq),
            false => record.mask & self.bit != 0,
        }
    }

    fn may_read(&self, seq: u64, record: &Appended) -> bool {
        seq < self.attached || record.mask & self.bit != 0
    }

    /// Whether it is counted, should it be given up.
    fn has_open(&self, seq: u64, record: &Appended) -> bool {
        let open = (!record.settled | record.again) & self.bit != 0;
        open && self.may_read(seq, record)
    }

    /// Whether it has older ones in flight or before it: what they count is known when all of
    /// them were met.
    fn reads_older(&self) -> bool {
        let older = |seq: &u64| *seq < self.attached;
        self.last + 1 < self.attached || self.unsettled.iter().any(older)
    }
}

/// What was seen that must not be.
pub(super) type Violation = String;

impl Oracle {
    pub(super) fn attach(&mut self, bit: u32) {
        self.streams.push(Reader {
            bit,
            unsettled: VecDeque::new(),
            last: 0,
            due: BTreeSet::new(),
            may_be_dropped: 0,
            stored: 0,
            attached: 0,
            owed: BTreeSet::new(),
            read_older: false,
        });
    }

    /// The last stream was removed and attached anew, under another bit.
    pub(super) fn attach_again(&mut self, bit: u32) {
        if let Some(removed) = self.streams.pop() {
            for record in self.records.values_mut() {
                record.settled |= removed.bit;
            }
        }
        self.attach(bit);
    }

    /// The last stream reads from the oldest record on; those below `attached` are older than it,
    /// those below `on_disk` must be there for it.
    pub(super) fn reads_from_oldest(&mut self, attached: u64, on_disk: u64) {
        let Some((reader, others)) = self.streams.split_last_mut() else {
            return;
        };
        reader.attached = attached;
        // What they settled and a crash put before them again may never have been written.
        let others = others.iter().fold(0, |bits, other| bits | other.bit);
        // What was lost in a crash before it was safe is nobody's.
        let safe = self.safe;
        let open =
            |seq: u64, r: &Appended| (r.safe || seq >= safe) && r.mask & !r.settled & others != 0;
        let from = self.given_up_below.min(on_disk);
        for (seq, record) in self.records.range_mut(from..on_disk) {
            // The bit is free again: nobody's settling is meant by it.
            record.settled &= !reader.bit;
            record.again &= !reader.bit;
            if open(*seq, record) {
                reader.owed.insert(*seq);
            }
        }
        reader.due = reader.owed.clone();
    }

    /// Nobody knows any more what was older than a stream.
    pub(super) fn forget_older(&mut self) {
        for reader in &mut self.streams {
            reader.attached = 0;
            reader.owed.clear();
        }
    }

    pub(super) fn appended(
        &mut self,
        seq: u64,
        mask: u32,
        body: Vec<u8>,
        received_ms: u64,
    ) -> Result<(), Violation> {
        let newest = self.records.keys().next_back().copied().unwrap_or(0);
        // What was lost unseen may lend its number to another record; what was seen may not.
        if self.shown.contains(&seq) {
            return Err(format!("number {seq} was shown before"));
        }
        if seq <= newest && self.records.get(&seq).is_some_and(|record| record.safe) {
            return Err(format!("number {seq} is that of a safe record"));
        }
        for reader in self
            .streams
            .iter_mut()
            .filter(|reader| mask & reader.bit != 0)
        {
            reader.stored += 1;
        }
        let (safe, damaged, settled, again) = (false, false, 0, 0);
        let record = Appended {
            mask,
            body,
            received_ms,
            deceived: self.lies,
            safe,
            damaged,
            settled,
            again,
        };
        self.records.insert(seq, record);
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        index: usize,
        record: &Record<'_>,
        now_ms: u64,
    ) -> Result<(), Violation> {
        let seq = record.seq.0;
        let reader = &mut self.streams[index];
        let known = self
            .records
            .get(&seq)
            .ok_or(format!("{seq} was never appended"))?;
        if known.body != record.body {
            return Err(format!("{seq} has another body"));
        }
        if !reader.may_read(seq, known) {
            return Err(format!(
                "{seq} came to stream {index}, which did not want it"
            ));
        }
        if seq <= reader.last {
            return Err(format!(
                "{seq} came after {} to stream {index}",
                reader.last
            ));
        }
        if record.subscribed != (reader.attached <= seq) {
            return Err(format!("{seq} is older than stream {index}, or is not"));
        }
        check_time(known, record.received, now_ms)?;
        check_age(known.received_ms, record.age, now_ms)?;
        reader.last = seq;
        reader.unsettled.push_back(seq);
        self.shown.insert(seq);
        self.missed(index, seq)?;
        self.streams[index].due.remove(&seq);
        Ok(())
    }

    /// Nothing is left to read for a stream.
    pub(super) fn read_all(&mut self, index: usize, counters: Counters) -> Result<(), Violation> {
        self.missed(index, u64::MAX)?;
        let reader = &mut self.streams[index];
        reader.last = reader.last.max(reader.attached.saturating_sub(1));
        if reader.reads_older() {
            return Ok(());
        }
        let unsettled = reader.unsettled.len() as u64;
        // With others in flight damaged ones are counted when the cursor passes them.
        let passed = self.rotten && unsettled > 0 && counters.backlog > unsettled;
        match counters.backlog == unsettled || passed {
            true => Ok(()),
            false => Err(format!(
                "stream {index} has all, in flight {unsettled}: {counters:?}"
            )),
        }
    }

    /// What was due before `seq` and has not come must have an excuse.
    fn missed(&mut self, index: usize, seq: u64) -> Result<(), Violation> {
        let due = &mut self.streams[index].due;
        while let Some(missed) = due.first().copied().filter(|missed| *missed < seq) {
            let damaged = self
                .records
                .get(&missed)
                .is_some_and(|record| record.damaged);
            if !damaged && missed >= self.given_up_below {
                return Err(format!(
                    "{missed} was safe and did not come to stream {index}"
                ));
            }
            due.remove(&missed);
        }
        Ok(())
    }

    /// Whether a stream never wanted a record, which is older than the stream.
    pub(super) fn is_unwanted(&self, index: usize, seq: u64) -> bool {
        let older = seq < self.streams[index].attached;
        older
            && self
                .records
                .get(&seq)
                .is_some_and(|record| !is_wanted(&record.body))
    }

    pub(super) fn settled(&mut self, index: usize) -> Option<u64> {
        let reader = &mut self.streams[index];
        let seq = reader.unsettled.pop_front()?;
        if let Some(record) = self.records.get_mut(&seq) {
            record.settled |= reader.bit;
            record.again &= !reader.bit;
        }
        Some(seq)
    }

    pub(super) fn purged(&mut self, index: usize, next: u64) {
        let reader = &mut self.streams[index];
        reader.unsettled.clear();
        reader.due.clear();
        reader.last = next - 1;
        for record in self.records.values_mut() {
            record.settled |= reader.bit;
            record.again &= !reader.bit;
        }
    }

    /// The ring says that all below `seq` is safe.
    pub(super) fn safe(&mut self, seq: u64) -> Result<(), Violation> {
        if seq < self.safe {
            return Err(format!("safe went back from {} to {seq}", self.safe));
        }
        for (seq, record) in self.records.range_mut(self.safe..seq) {
            record.safe = true;
            for reader in &mut self.streams {
                let open = !record.settled & reader.bit != 0 && reader.wants(*seq, record);
                if open && !reader.unsettled.contains(seq) {
                    reader.due.insert(*seq);
                }
            }
        }
        self.safe = seq;
        Ok(())
    }

    /// Records below `seq` were given up for room.
    pub(super) fn given_up(&mut self, seq: u64) {
        for (number, record) in self.records.range(self.given_up_below.min(seq)..seq) {
            for reader in &mut self.streams {
                reader.may_be_dropped += u64::from(reader.has_open(*number, record));
            }
        }
        self.given_up_below = self.given_up_below.max(seq);
    }

    /// The clock shows the future from now on, or does no more.
    pub(super) fn clock_lies(&mut self, lies: bool) {
        self.lies = lies;
        for (_, record) in self.records.range_mut(self.opened..).filter(|_| lies) {
            record.deceived = true;
        }
    }

    /// The bytes of a record were damaged.
    pub(super) fn damaged(&mut self, seq: u64) {
        self.rotten = true;
        if let Some(record) = self.records.get_mut(&seq) {
            record.damaged = true;
        }
    }

    /// A stream reads again from its cursor.
    pub(super) fn reread(&mut self, index: usize) {
        let reader = &mut self.streams[index];
        let settled = |record: &Appended| record.settled & reader.bit != 0;
        for seq in reader.unsettled.drain(..) {
            if self
                .records
                .get(&seq)
                .is_some_and(|record| record.safe && !settled(record))
            {
                reader.due.insert(seq);
            }
        }
        reader.last = 0;
    }

    /// The process ended; the ring was opened again and goes on with `next`. What was not safe
    /// by then never will be.
    pub(super) fn reopened(
        &mut self,
        streams: &[(Counters, u64)],
        next: u64,
    ) -> Result<(), Violation> {
        self.safe = next;
        self.opened = next;
        for (index, (counters, cursor)) in streams.iter().enumerate() {
            let reader = &mut self.streams[index];
            for record in self.records.range_mut(cursor..).map(|(_, record)| record) {
                record.again |= record.settled & reader.bit;
            }
            reader.unsettled.clear();
            reader.last = 0;
            reader.stored = counters.stored;
            let open = |seq: u64, r: &Appended| {
                r.safe && !r.settled & reader.bit != 0 && reader.wants(seq, r)
            };
            let due = self.records.iter().filter(|(seq, r)| open(**seq, r));
            reader.due = due.map(|(seq, _)| *seq).collect();
            if !self.rotten && counters.dropped > reader.may_be_dropped {
                let may = reader.may_be_dropped;
                return Err(format!("stream {index} lost at most {may}: {counters:?}"));
            }
        }
        Ok(())
    }

    /// Forgets what was due: nobody can know it any more.
    pub(super) fn excuse_all(&mut self) {
        for record in self.records.values_mut() {
            record.damaged = true;
        }
    }

    /// What must hold at every moment.
    pub(super) fn check(&mut self, index: usize, counters: Counters) -> Result<(), Violation> {
        if self.rotten {
            return Ok(());
        }
        let reader = &mut self.streams[index];
        let reads_older = reader.reads_older();
        if std::mem::replace(&mut reader.read_older, reads_older) || reads_older {
            // an estimate until all of them were met
            reader.stored = counters.stored;
        }
        if counters.stored != reader.stored || counters.corrupt != 0 {
            let stored = reader.stored;
            return Err(format!(
                "stream {index} should have {stored} stored: {counters:?}"
            ));
        }
        Ok(())
    }
}

/// What a stream wants of the records that are older than itself.
pub(super) fn is_wanted(body: &[u8]) -> bool {
    !body.len().is_multiple_of(4)
}

/// A date that is said is right, unless the clock lied in a way that nobody could know.
fn check_time(record: &Appended, said: Wall, now_ms: u64) -> Result<(), Violation> {
    let received_ms = record.received_ms;
    let said_ms = millis(said.since_1970).saturating_sub(BEGIN_MS);
    let wrong = said.trusted && said_ms.abs_diff(received_ms) > 1_500;
    match wrong && !record.deceived {
        true => Err(format!(
            "received at {received_ms}, said {said_ms}, now {now_ms}"
        )),
        false => Ok(()),
    }
}

/// Nothing is said to be older than it is, whatever the clock showed then and shows now.
fn check_age(received_ms: u64, age: Duration, now_ms: u64) -> Result<(), Violation> {
    let (age, said) = (now_ms - received_ms, millis(age));
    match said > age + 1_500 {
        true => Err(format!("said to be {said} ms old, and is {age}")),
        false => Ok(()),
    }
}
