//! Damage and crashes: what befalls a ring in the simulation, and what opening it afterwards has
//! to keep to.

use super::disk::Disk;
use super::oracle::Violation;
use super::world::Crash;
use super::world::World;
use crate::clock::Now;
use crate::ring::OpenError;
use crate::ring::Report;
use crate::ring::Ring;
use crate::ring::Settings;
use crate::ring::Storage;
use crate::ring::StreamId;
use crate::ring::format::Geometry;
use crate::ring::inspect;
use crate::ring::memory::Memory;
use crate::ring::read_buffer::ReadBuffer;
use crate::ring::record_iter::RecordIter;
use crate::ring::segments::SegmentSpan;
use crate::ring::times::millis;
use std::ops::Range;

impl World {
    pub(super) fn rot(&mut self) {
        self.tally.rots += 1;
        let len = usize::try_from(self.disk.len()).unwrap_or(0);
        let from = self.random.below(len);
        let to = (from + 1 + self.random.below(600)).min(len);
        self.note_damage(std::slice::from_ref(&(from..to)), &self.disk.cache());
        self.disk.rot(from..to);
    }

    /// Tells the oracle which records lie in `ranges`.
    fn note_damage(&mut self, ranges: &[Range<usize>], bytes: &[u8]) {
        self.oracle.rotten |= !ranges.is_empty();
        let geometry = self.ring.volume.geometry;
        let mut storage = Memory::from(bytes.to_vec());
        for index in 0..self.ring.segments.len() {
            let Some(span) = self.ring.span(index) else {
                continue;
            };
            let from = usize::try_from(span.at).unwrap_or(0);
            let to = from + geometry.segment_len as usize;
            let hit = ranges
                .iter()
                .any(|range| range.start < to && from < range.end);
            if hit {
                self.note_damage_in(span, geometry, ranges, &mut storage);
            }
        }
    }

    fn note_damage_in(
        &mut self,
        span: SegmentSpan,
        geometry: Geometry,
        ranges: &[Range<usize>],
        storage: &mut Memory,
    ) {
        let span = SegmentSpan {
            end: geometry.segment_len,
            ..span
        };
        let at = usize::try_from(span.at).unwrap_or(0);
        let (mut iter, mut buffer) = (RecordIter::new(&span, None), ReadBuffer::default());
        while let Ok(Some(found)) = iter.next_record(&span, &mut buffer, storage) {
            let (from, to) = (at + found.offset as usize, at + found.end() as usize);
            if ranges
                .iter()
                .any(|range| range.start < to && from < range.end)
            {
                self.oracle.damaged(found.seq);
            }
        }
    }

    pub(super) fn crash(&mut self, crash: Crash) -> Result<(), Violation> {
        if let Some(commit) = self.commit.take() {
            // Anywhere between the first write and the return of the sync.
            let writes = u32::try_from(self.random.below(4)).unwrap_or(0);
            self.disk.cut_after(Some(writes));
            commit.run(&mut self.disk.clone()).unwrap_or_default();
        }
        if crash == Crash::PowerCut {
            self.cut_power();
        }
        self.reopen(crash).map(drop)
    }

    fn cut_power(&mut self) {
        let before = self.disk.cache();
        let noise = self.disk.cut_power(self.faults.garbage.then_some(33));
        self.note_damage(&noise, &before);
        self.dead_until = None;
        self.booted_ms = self.time_ms;
        self.date_known = self.random.once_in(2);
        self.clocks.boot(self.time_ms, self.remembered_ms());
        self.date_forgotten = false;
    }

    /// The last date that was believed, as far as the disk knows.
    fn remembered_ms(&self) -> u64 {
        let now = self.now_remembering(0);
        let info = inspect::info(&mut self.disk.clone(), now);
        let remembered = info.ok().and_then(|info| info.remembered);
        remembered.map_or(0, millis)
    }

    pub(super) fn reopen(&mut self, crash: Crash) -> Result<Report, Violation> {
        self.note_given_up();
        self.tally.crashes += 1;
        self.tally.failures += self.ring.stats().failures;
        self.tally.held += self.ring.stats().held;
        self.durable_ords = self
            .streams
            .iter()
            .map(|id| self.ring.slots.ords.of(*id))
            .collect();
        self.disk.cut_after(None);
        self.disk.set_dead(false);
        self.disk.find();
        self.dead_until = None;
        let random = self.random.next();
        let (ring, report) = match self.open_at_last(random)? {
            Ok(opened) => opened,
            Err(_) if self.oracle.rotten => {
                self.ended = true;
                return Ok(Report::default());
            }
            Err(error) => return Err(format!("not opened: {error:?}")),
        };
        self.ring = ring;
        self.tally.inferred += u64::from(report.inferred);
        self.check_report(&report, crash)?;
        self.slots_lost |= report.slots == 0;
        self.date_forgotten |= report.slots == 0;
        if self.ring.is_degraded() {
            // The first sync failed, and nothing tells the next opening that what it reads from
            // the cache is not on the medium. What was safe is; counts may be off.
            self.oracle.rotten = true;
            return self.reopen(crash);
        }
        let slots_lost = std::mem::take(&mut self.slots_lost);
        if slots_lost {
            self.oracle.excuse_all();
            self.oracle.forget_older();
        }
        let before = std::mem::take(&mut self.streams);
        self.attach_all()?;
        if self.streams != before {
            match slots_lost {
                true => self.ended = true,
                false => return Err(format!("streams moved: {report:?}")),
            }
        }
        let cursor = |id| {
            self.ring
                .table
                .stream(id)
                .map_or(0, |stream| stream.settled().seq)
        };
        let seen = |id: &StreamId| (self.ring.counters(*id), cursor(*id));
        let streams: Vec<_> = self.streams.iter().map(seen).collect();
        self.oracle
            .reopened(&streams, self.ring.progress.next_seq())?;
        self.oracle.clock_lies(self.deceives());
        Ok(report)
    }

    /// Opens as often as it takes to read all that has to be read; what could not be read is left
    /// as it is.
    fn open_at_last(&mut self, random: u64) -> Result<Opened, Violation> {
        loop {
            let before = self.disk.cache();
            // the clock does not know yet what the ring remembers
            let now = self.now_remembering(0);
            let opened = open(&self.disk, &self.settings, now, random);
            let unreadable = matches!(opened, Err(OpenError::Unreadable { .. }));
            if !unreadable {
                return Ok(opened);
            }
            if !self.faults.failing_reads {
                return Err("could not be read, and no read failed".to_owned());
            }
            if self.disk.cache() != before {
                return Err("was not read, and written to".to_owned());
            }
            self.tally.unread += 1;
            self.time_ms += 1000;
            if self.whims.once_in(4) {
                self.disk.heal();
            }
        }
    }

    fn check_report(&self, report: &Report, _: Crash) -> Result<(), Violation> {
        let geometry = self.ring.volume.geometry;
        let headers = u64::from(geometry.segment_count) * 512 + 2 * 4096 + 4 * 512;
        // The active segment, those without header, and as many that were opened in vain.
        let scans = u64::from(geometry.segment_len) * u64::from(6 + 3 * report.inferred);
        let blank = if self.oracle.rotten {
            64 * 8192
        } else {
            4 * 4096
        };
        if report.read > headers + scans + blank {
            return Err(format!("opening read {} bytes: {report:?}", report.read));
        }
        let lost = report.rotten > 0 && !self.oracle.rotten;
        if lost || report.slots == 0 && !self.oracle.rotten {
            return Err(format!("nothing was damaged: {report:?}"));
        }
        for (id, before) in self.streams.iter().zip(&self.durable_ords) {
            let ord = self
                .ring
                .table
                .stream(*id)
                .map_or(0, |stream| stream.settled().ord);
            if report.slots == 2 && !self.oracle.rotten && ord < *before {
                return Err(format!("a cursor went back from {before} to {ord}"));
            }
        }
        Ok(())
    }
}

/// What an opening gives.
pub(super) type Opened = Result<(Ring, Report), OpenError>;

/// Opens a ring on a disk.
pub(super) fn open(disk: &Disk, settings: &Settings, now: Now, random: u64) -> Opened {
    Ring::open(Box::new(disk.clone()), settings.clone(), now, random)
}
