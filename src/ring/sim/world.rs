//! One life of a ring: random work on a faulty disk, crash after crash, watched by the oracle.

use super::super::AppendError;
use super::super::Commit;
use super::super::From;
use super::super::Full;
use super::super::Mask;
use super::super::OpenError;
use super::super::Report;
use super::super::Ring;
use super::super::Settings;
use super::super::Settled;
use super::super::Storage;
use super::super::StreamId;
use super::super::format::Geometry;
use super::super::memory::Memory;
use super::super::walk::Span;
use super::super::walk::Walk;
use super::super::walk::Window;
use super::disk::Disk;
use super::oracle::Oracle;
use super::oracle::Violation;
use super::random::Random;
use crate::clock::Now;
use crate::clock::Wall;
use std::ops::Range;
use std::time::Duration;

/// Which faults there are, beside crashes and power cuts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    pub(super) failing_syncs: bool,
    pub(super) rot: bool,
    pub(super) garbage: bool,
}

impl Faults {
    /// The eight combinations.
    pub(super) fn of(mode: u64) -> Self {
        Self {
            failing_syncs: mode & 1 != 0,
            rot: mode & 2 != 0,
            garbage: mode & 4 != 0,
        }
    }
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) crashes: u64,
    pub(super) appended: u64,
    pub(super) failures: u64,
    pub(super) held: u64,
    pub(super) inferred: u64,
    pub(super) rots: u64,
}

/// Lives one life.
pub(super) fn live(seed: u64, faults: Faults) -> Result<Tally, Violation> {
    let mut world = World::new(seed, faults)?;
    for step in 0..STEPS {
        let result = world.step();
        result.map_err(|violation| format!("step {step}: {violation}"))?;
        if world.ended {
            break;
        }
    }
    if !world.ended {
        world.crash(Crash::PowerCut)?;
        world.read_everything()?;
    }
    Ok(world.tally)
}

struct World {
    random: Random,
    faults: Faults,
    disk: Disk,
    ring: Ring,
    streams: Vec<StreamId>,
    settings: Settings,
    oracle: Oracle,
    commit: Option<Commit>,
    /// True time, and when the machine was started.
    time_ms: u64,
    booted_ms: u64,
    date_known: bool,
    dead_until: Option<u64>,
    durable_ords: Vec<u64>,
    tally: Tally,
    /// The disk was ruined beyond what a ring has to survive.
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Crash {
    /// The machine: what was not synced is anything.
    PowerCut,
    /// Only the process: the cache survives.
    Process,
}

impl World {
    fn new(seed: u64, faults: Faults) -> Result<Self, Violation> {
        let mut random = Random::new(seed);
        let len = 8192 + 8192 * (8 + random.below(6));
        let unit = if random.once_in(2) { 512 } else { 4096 };
        let failing = if faults.failing_syncs { 15 } else { 0 };
        let disk = Disk::new(len, unit, failing, Random::new(seed ^ 0xd15c));
        let full = if random.once_in(4) {
            Full::Refuse
        } else {
            Full::DropOldest
        };
        let settings = Settings {
            size: len as u64,
            delay: Duration::from_millis(200),
            hold: Duration::from_secs(2),
            bytes: 4096,
            full,
        };
        let mut world = Self {
            ring: open(&disk, &settings, now(0, 0, true), seed)?.0,
            random,
            faults,
            disk,
            streams: Vec::new(),
            settings,
            oracle: Oracle::default(),
            commit: None,
            time_ms: 0,
            booted_ms: 0,
            date_known: true,
            dead_until: None,
            durable_ords: Vec::new(),
            tally: Tally::default(),
            ended: false,
        };
        world.attach_all()?;
        for index in 0..NAMES.len() {
            let bit = world.streams[index].mask().0;
            world.oracle.attach(bit);
        }
        Ok(world)
    }

    /// Attaches all streams, whatever it takes.
    fn attach_all(&mut self) -> Result<(), Violation> {
        self.streams.clear();
        for name in NAMES {
            let id = (0..9).find_map(|_| self.ring.attach(name, From::New, self.now()).ok());
            self.streams
                .push(id.ok_or("a stream could not be attached")?);
        }
        Ok(())
    }

    fn now(&self) -> Now {
        now(self.time_ms, self.booted_ms, self.date_known)
    }

    fn step(&mut self) -> Result<(), Violation> {
        if std::env::var("DBG").is_ok() {
            eprintln!(
                "t={} next={} dur={} begun={} safe={} segs={:?} cum={:?} cd={:?} streams={:?} health={:?}",
                self.time_ms,
                self.ring.next_seq,
                self.ring.durable(),
                self.ring.begun_seq,
                self.ring.safe().0,
                self.ring.segments,
                &self.ring.cum.0[..4],
                &self.ring.cum_durable.0[..4],
                self.ring
                    .table
                    .attached()
                    .map(|(_, s)| (
                        s.cursor_seq,
                        s.cursor_ord,
                        s.read_seq,
                        s.read_ord,
                        s.in_flight,
                        s.waiting,
                        s.waiting_read,
                        s.tally.dropped,
                        s.tally.corrupt
                    ))
                    .collect::<Vec<_>>(),
                self.ring.is_degraded()
            );
        }
        self.time_ms += self.random.next() % 300;
        if self.dead_until.is_some_and(|until| until <= self.time_ms) {
            self.dead_until = None;
            self.disk.set_dead(false);
        }
        let act = self.random.below(100);
        if std::env::var("DBG").is_ok() {
            eprintln!("act {act}");
        }
        match act {
            0..30 => self.append(),
            30..55 => self.read(),
            55..73 => self.settle(),
            73..79 => self.begin(),
            79..86 => self.end(),
            86..90 => self.run_due(),
            90..92 => self.pass_time(),
            92..94 => self.connect(),
            94 => self.reread(),
            95 => self.crash(Crash::PowerCut),
            96 => self.crash(Crash::Process),
            97 => self.close(),
            98 => self.break_something(),
            _ => self.manage(),
        }?;
        if self.ended {
            return Ok(());
        }
        self.observe()
    }

    /// What must hold after whatever happened.
    fn observe(&mut self) -> Result<(), Violation> {
        self.note_given_up();
        self.ring.check_invariants();
        self.oracle.safe(self.ring.safe().0)?;
        for (index, id) in self.streams.iter().enumerate() {
            self.oracle.check(index, self.ring.counters(*id))?;
        }
        Ok(())
    }

    fn note_given_up(&mut self) {
        let oldest = self
            .ring
            .segments
            .front()
            .map_or(0, |oldest| oldest.first_seq);
        self.oracle.given_up(oldest);
    }

    fn append(&mut self) -> Result<(), Violation> {
        let burst = if self.random.once_in(10) { 40 } else { 4 };
        for _ in 0..=self.random.below(burst) {
            let all = self
                .streams
                .iter()
                .fold(Mask::default(), |mask, id| mask | id.mask());
            let one = self.streams[self.random.below(self.streams.len())];
            let any = u32::try_from(self.random.next() & 0xffff_ffff).unwrap_or(0);
            let mask = (all.0 & any) | one.mask().0;
            let mut body = vec![0; self.random.below(400)];
            self.random.fill(&mut body);
            match self.ring.append(Mask(mask), self.now(), &body) {
                Ok(seq) => {
                    self.tally.appended += 1;
                    self.oracle.appended(seq.0, mask, body, self.time_ms)?;
                }
                Err(AppendError::Busy) if self.commit.is_none() => {
                    // An error leaves the ring degraded; the next call says what follows of it.
                    drop(self.ring.commit(self.now()));
                }
                Err(AppendError::Busy | AppendError::Full) => return Ok(()),
                Err(AppendError::TooLong) => return Err("too long".to_owned()),
            }
            self.observe()?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), Violation> {
        let index = self.random.below(self.streams.len());
        for _ in 0..=self.random.below(30) {
            if !self.read_one(index)? {
                break;
            }
        }
        Ok(())
    }

    fn read_one(&mut self, index: usize) -> Result<bool, Violation> {
        let (id, now) = (self.streams[index], self.now());
        if let Some(record) = self.ring.read(id, now) {
            self.oracle.read(index, &record, self.time_ms)?;
            return Ok(true);
        }
        self.oracle.read_all(index, self.ring.counters(id))?;
        Ok(false)
    }

    fn settle(&mut self) -> Result<(), Violation> {
        let index = self.random.below(self.streams.len());
        for _ in 0..=self.random.below(30) {
            let Some(seq) = self.oracle.settled(index) else {
                break;
            };
            let how = [Settled::Accepted, Settled::Filtered, Settled::GivenUp];
            let how = how[self.random.below(how.len())];
            self.ring
                .settle(self.streams[index], super::super::Seq(seq), how, self.now());
        }
        Ok(())
    }

    /// Begins a commit; a later step ends it.
    fn begin(&mut self) -> Result<(), Violation> {
        if self.commit.is_none() {
            self.commit = self.ring.begin_commit(self.now());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Violation> {
        if let Some(commit) = self.commit.take() {
            let result = commit.run(&mut self.disk.clone());
            // What it returns is what is due next, and the ring knows that itself.
            drop(self.ring.end_commit(result, self.now()));
        }
        Ok(())
    }

    /// Commits, if the ring says that it is time.
    fn run_due(&mut self) -> Result<(), Violation> {
        self.end()?;
        if self
            .ring
            .next_commit()
            .is_some_and(|due| due <= self.now().mono)
        {
            drop(self.ring.commit(self.now()));
        }
        Ok(())
    }

    fn pass_time(&mut self) -> Result<(), Violation> {
        self.time_ms += self.random.next() % 100_000;
        self.date_known |= self.random.once_in(2);
        Ok(())
    }

    fn connect(&mut self) -> Result<(), Violation> {
        let id = self.streams[self.random.below(self.streams.len())];
        let connected = self.random.once_in(2);
        self.ring.set_connected(id, connected);
        Ok(())
    }

    fn reread(&mut self) -> Result<(), Violation> {
        let index = self.random.below(self.streams.len());
        self.ring.reread(self.streams[index]);
        self.oracle.reread(index);
        Ok(())
    }

    fn manage(&mut self) -> Result<(), Violation> {
        if self.ring.is_degraded() || self.commit.is_some() || !self.random.once_in(3) {
            return Ok(());
        }
        let now = self.now();
        if self.random.once_in(2) {
            let index = self.random.below(self.streams.len());
            self.ring.purge(self.streams[index], now);
            self.oracle.purged(index, self.ring.next_seq);
            return Ok(());
        }
        let last = NAMES.len() - 1;
        let removed = self.ring.remove(NAMES[last], now);
        match removed.and_then(|()| self.ring.attach(NAMES[last], From::New, now)) {
            Ok(id) => {
                self.streams[last] = id;
                self.oracle.attach_again(last, id.mask().0, 0);
            }
            // Half removed: what is due now nobody can know.
            Err(_) => self.ended = true,
        }
        Ok(())
    }

    fn break_something(&mut self) -> Result<(), Violation> {
        if self.faults.failing_syncs && self.random.once_in(2) {
            self.disk.set_dead(true);
            self.dead_until = Some(self.time_ms + self.random.next() % 200_000);
        }
        if self.faults.rot && self.random.once_in(2) {
            self.rot();
        }
        Ok(())
    }

    fn rot(&mut self) {
        self.tally.rots += 1;
        let len = usize::try_from(self.disk.len()).unwrap_or(0);
        let from = self.random.below(len);
        let to = (from + 1 + self.random.below(600)).min(len);
        if std::env::var("DBG").is_ok() {
            eprintln!(
                "t=ROT {from}..{to} segment at {} off {}",
                (from.max(8192) - 8192) / 8192,
                from % 8192
            );
        }
        self.note_damage(&[from..to], &self.disk.cache());
        self.disk.rot(from..to);
    }

    /// Tells the oracle which records lie in `ranges`.
    fn note_damage(&mut self, ranges: &[Range<usize>], bytes: &[u8]) {
        self.oracle.rotten |= !ranges.is_empty();
        let geometry = self.ring.geometry;
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
        span: Span,
        geometry: Geometry,
        ranges: &[Range<usize>],
        storage: &mut Memory,
    ) {
        let span = Span {
            end: geometry.segment_len,
            ..span
        };
        let at = usize::try_from(span.at).unwrap_or(0);
        let (mut walk, mut window) = (Walk::new(&span, None), Window::default());
        while let Some(found) = walk.next(&span, &mut window, storage) {
            let (from, to) = (at + found.offset as usize, at + found.end() as usize);
            if ranges
                .iter()
                .any(|range| range.start < to && from < range.end)
            {
                if std::env::var("DBG").is_ok() {
                    eprintln!("t=DMG {} {from}..{to}", found.seq);
                }
                self.oracle.damaged(found.seq);
            }
        }
    }

    fn close(&mut self) -> Result<(), Violation> {
        self.end()?;
        let closed = self.ring.close(self.now()).is_ok();
        self.oracle.safe(self.ring.safe().0)?;
        let report = self.reopen(Crash::Process)?;
        let excused = self.ended || self.oracle.rotten || self.faults.failing_syncs;
        match excused || !closed || report.clean {
            true => Ok(()),
            false => Err("closed, and not clean".to_owned()),
        }
    }

    fn crash(&mut self, crash: Crash) -> Result<(), Violation> {
        if let Some(commit) = self.commit.take() {
            // Anywhere between the first write and the return of the sync.
            let writes = u32::try_from(self.random.below(4)).unwrap_or(0);
            self.disk.cut_after(Some(writes));
            drop(commit.run(&mut self.disk.clone()));
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
    }

    fn reopen(&mut self, crash: Crash) -> Result<Report, Violation> {
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
        self.dead_until = None;
        let random = self.random.next();
        let (ring, report) = match open(&self.disk, &self.settings, self.now(), random) {
            Ok(opened) => opened,
            Err(_) if self.oracle.rotten => {
                self.ended = true;
                return Ok(Report::default());
            }
            Err(violation) => return Err(violation),
        };
        self.ring = ring;
        self.tally.inferred += u64::from(report.inferred);
        if std::env::var("DBG").is_ok() {
            eprintln!(
                "t=REP {report:?} {:?} {:?}",
                self.ring.segments,
                self.ring
                    .table
                    .attached()
                    .map(|(_, s)| (s.cursor_seq, s.cursor_ord, s.tally.dropped, s.tally.corrupt))
                    .collect::<Vec<_>>()
            );
        }
        self.check_report(&report, crash)?;
        if self.ring.is_degraded() {
            // The disk failed in the middle of opening: once more.
            return self.reopen(crash);
        }
        if report.slots == 0 {
            self.oracle.excuse_all();
        }
        let before = std::mem::take(&mut self.streams);
        self.attach_all()?;
        if self.streams != before {
            match report.slots {
                0 => self.ended = true,
                _ => return Err(format!("streams moved: {report:?}")),
            }
        }
        let cursor = |id| {
            self.ring
                .table
                .stream(id)
                .map_or(0, |stream| stream.cursor_seq)
        };
        let seen = |id: &StreamId| (self.ring.counters(*id), cursor(*id));
        let streams: Vec<_> = self.streams.iter().map(seen).collect();
        self.oracle.reopened(&streams, self.ring.next_seq)?;
        Ok(report)
    }

    fn check_report(&self, report: &Report, _: Crash) -> Result<(), Violation> {
        let geometry = self.ring.geometry;
        let headers = u64::from(geometry.segment_count) * 512 + 2 * 4096 + 4 * 512;
        // The head, those without header, and as many that were opened in vain.
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
                .map_or(0, |stream| stream.cursor_ord);
            if report.slots == 2 && !self.oracle.rotten && ord < *before {
                return Err(format!("a cursor went back from {before} to {ord}"));
            }
        }
        Ok(())
    }

    /// At the end all that is due comes.
    fn read_everything(&mut self) -> Result<(), Violation> {
        if self.ended {
            return Ok(());
        }
        for index in 0..self.streams.len() {
            while self.read_one(index)? {
                let seq = self.oracle.settled(index).unwrap_or(0);
                let seq = super::super::Seq(seq);
                self.ring
                    .settle(self.streams[index], seq, Settled::Accepted, self.now());
            }
        }
        Ok(())
    }
}

fn open(
    disk: &Disk,
    settings: &Settings,
    now: Now,
    random: u64,
) -> Result<(Ring, Report), Violation> {
    let opened = Ring::open(Box::new(disk.clone()), settings.clone(), now, random);
    opened.map_err(|error: OpenError| format!("not opened: {error:?}"))
}

fn now(time_ms: u64, booted_ms: u64, date_known: bool) -> Now {
    let mono = Duration::from_millis(time_ms - booted_ms);
    let since_1970 = if date_known {
        Duration::from_millis(time_ms)
    } else {
        mono
    };
    Now {
        mono,
        wall: Wall {
            since_1970,
            trusted: date_known,
        },
    }
}

const NAMES: [&str; 3] = ["cloud", "depot", "log"];

/// What happens in one life.
const STEPS: u32 = 600;
