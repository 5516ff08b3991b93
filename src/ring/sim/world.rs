//! One life of a ring: random work on a faulty disk, crash after crash, watched by the oracle.

use super::crash::open;
use super::date::Clocks;
use super::disk::Disk;
use super::oracle::Oracle;
use super::oracle::Violation;
use super::oracle::is_wanted;
use super::random::Random;
use crate::clock::Now;
use crate::ring::AppendError;
use crate::ring::Commit;
use crate::ring::From;
use crate::ring::Full;
use crate::ring::Ring;
use crate::ring::Settings;
use crate::ring::Settled;
use crate::ring::StreamId;
use crate::ring::StreamSet;
use std::time::Duration;

/// Which faults there are, beside crashes and power cuts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    pub(super) failing_syncs: bool,
    pub(super) rot: bool,
    pub(super) garbage: bool,
    /// Streams are attached late that want what is older, too.
    pub(super) late_streams: bool,
    /// Reads fail, and the file goes and comes back.
    pub(super) failing_reads: bool,
}

impl Faults {
    /// The thirty-two combinations.
    pub(super) fn of(mode: u64) -> Self {
        Self {
            failing_syncs: mode & 1 != 0,
            rot: mode & 2 != 0,
            garbage: mode & 4 != 0,
            late_streams: mode & 8 != 0,
            failing_reads: mode & 16 != 0,
        }
    }
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) lives: u64,
    pub(super) crashes: u64,
    pub(super) appended: u64,
    pub(super) failures: u64,
    pub(super) held: u64,
    pub(super) inferred: u64,
    pub(super) rots: u64,
    /// Openings that had to be tried again, and reads of streams.
    pub(super) unread: u64,
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
        // Who begins with older ones is seen to do so: what it has stored is an estimate till then.
        world.observe()?;
        world.read_everything()?;
        world.observe()?;
    }
    Ok(world.tally)
}

pub(super) struct World {
    pub(super) random: Random,
    /// Draws of what `failing_reads` does: the rest of a life does not depend on them.
    pub(super) whims: Random,
    pub(super) faults: Faults,
    pub(super) disk: Disk,
    pub(super) ring: Ring,
    pub(super) streams: Vec<StreamId>,
    pub(super) settings: Settings,
    pub(super) oracle: Oracle,
    pub(super) commit: Option<Commit>,
    /// True time, and when the machine was started.
    pub(super) time_ms: u64,
    pub(super) booted_ms: u64,
    pub(super) date_known: bool,
    pub(super) clocks: Clocks,
    pub(super) dead_until: Option<u64>,
    /// Both slots were lost, and no opening since has succeeded.
    pub(super) slots_lost: bool,
    /// Both slots were lost since the machine started.
    pub(super) date_forgotten: bool,
    pub(super) durable_ords: Vec<u64>,
    pub(super) tally: Tally,
    /// The disk was ruined beyond what a ring has to survive.
    pub(super) ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
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
        let disk = Disk::new(len, unit, Random::new(seed ^ 0xd15c));
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
        let clocks = Clocks::new(Random::new(seed ^ 0xda7e));
        let mut world = Self {
            ring: open(&disk, &settings, clocks.now((0, 0), true, 0), seed)
                .map_err(|error| format!("not made: {error:?}"))?
                .0,
            clocks,
            random,
            whims: Random::new(seed ^ 0x4ead),
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
            slots_lost: false,
            date_forgotten: false,
            durable_ords: Vec::new(),
            tally: Tally::default(),
            ended: false,
        };
        world.attach_all()?;
        world.disk.set_failing(failing);
        if faults.failing_reads && world.whims.once_in(2) {
            world.disk.set_failing_reads(20, seed);
        }
        for index in 0..NAMES.len() {
            let bit = world.streams[index].mask().0;
            world.oracle.attach(bit);
        }
        Ok(world)
    }

    /// Attaches all streams, whatever it takes.
    pub(super) fn attach_all(&mut self) -> Result<(), Violation> {
        self.streams.clear();
        for name in NAMES {
            let id = (0..9).find_map(|_| self.ring.attach(name, From::New, self.now()).ok());
            self.streams
                .push(id.ok_or("a stream could not be attached")?);
        }
        Ok(())
    }

    pub(super) fn now(&self) -> Now {
        self.now_remembering(self.ring.boots.trusted_ms)
    }

    /// Whether the clock shows what nobody can know to be wrong: the future, or the past to a ring
    /// that both slots were taken from in this boot, and with them the last date.
    pub(super) fn deceives(&self) -> bool {
        self.clocks.shows_future() || self.date_forgotten && self.clocks.is_stale()
    }

    /// The time as a clock knows it that remembers a date.
    pub(super) fn now_remembering(&self, remembered_ms: u64) -> Now {
        let times = (self.time_ms, self.booted_ms);
        self.clocks.now(times, self.date_known, remembered_ms)
    }

    fn step(&mut self) -> Result<(), Violation> {
        self.time_ms += self.random.next() % 300;
        if self.dead_until.is_some_and(|until| until <= self.time_ms) {
            self.dead_until = None;
            self.disk.set_dead(false);
        }
        if self.faults.failing_reads {
            self.fail_reads()?;
        }
        match self.random.below(100) {
            0..30 => self.append(),
            30..55 => self.read(),
            55..73 => self.settle(),
            73..79 => self.begin(),
            79..86 => self.end(),
            86..90 => self.run_due(),
            91 if self.faults.late_streams => self.count_older(),
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

    pub(super) fn note_given_up(&mut self) {
        let oldest = self.ring.segments.oldest_seq().unwrap_or(0);
        self.oracle.given_up(oldest);
    }

    fn append(&mut self) -> Result<(), Violation> {
        let burst = if self.random.once_in(10) { 40 } else { 4 };
        for _ in 0..=self.random.below(burst) {
            let all = self
                .streams
                .iter()
                .fold(StreamSet::default(), |mask, id| mask | id.mask());
            let one = self.streams[self.random.below(self.streams.len())];
            let any = u32::try_from(self.random.next() & 0xffff_ffff).unwrap_or(0);
            let mask = (all.0 & any) | one.mask().0;
            let mut body = vec![0; self.random.below(400)];
            self.random.fill(&mut body);
            match self.ring.append(StreamSet(mask), self.now(), &body) {
                Ok(seq) => {
                    self.tally.appended += 1;
                    self.oracle.appended(seq.0, mask, body, self.time_ms)?;
                }
                Err(AppendError::Busy) if self.commit.is_none() => {
                    // An error leaves the ring degraded; the next call says what follows of it.
                    self.ring.commit(self.now()).unwrap_or_default();
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
        let dates = format!("{:?}, {:?}", self.ring.boots, self.clocks);
        match self.ring.try_read(id, now) {
            Ok(Some(record)) => {
                let read = self.oracle.read(index, &record, self.time_ms);
                read.map_err(|wrong| format!("{wrong}: {record:?}, {now:?}, {dates}"))?;
                return Ok(true);
            }
            Ok(None) => self.oracle.read_all(index, self.ring.counters(id))?,
            Err(_) => self.note_unread()?,
        }
        Ok(false)
    }

    fn settle(&mut self) -> Result<(), Violation> {
        let index = self.random.below(self.streams.len());
        for _ in 0..=self.random.below(30) {
            let Some(seq) = self.oracle.settled(index) else {
                break;
            };
            let how = [Settled::Accepted, Settled::Filtered, Settled::GivenUp];
            let how = match self.oracle.is_unwanted(index, seq) {
                true => Settled::Unwanted,
                false => how[self.random.below(how.len())],
            };
            self.ring
                .settle(self.streams[index], crate::ring::Seq(seq), how, self.now());
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
            self.ring.end_commit(result, self.now()).unwrap_or_default();
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
            self.ring.commit(self.now()).unwrap_or_default();
        }
        Ok(())
    }

    fn pass_time(&mut self) -> Result<(), Violation> {
        self.time_ms += self.random.next() % 100_000;
        self.date_known |= self.random.once_in(2);
        let before = self.deceives();
        self.clocks.set();
        if self.deceives() != before {
            self.oracle.clock_lies(!before);
        }
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
            self.oracle.purged(index, self.ring.progress.next_seq());
            return Ok(());
        }
        self.replace_last(now)
    }

    /// Forgets the last stream and attaches it anew.
    fn replace_last(&mut self, now: Now) -> Result<(), Violation> {
        let last = NAMES.len() - 1;
        let from = if self.faults.late_streams && self.random.once_in(2) {
            From::Oldest
        } else {
            From::New
        };
        let removed = self.ring.remove(NAMES[last], now);
        match removed.and_then(|()| self.ring.attach(NAMES[last], from, now)) {
            Ok(id) => {
                self.streams[last] = id;
                self.oracle.attach_again(id.mask().0);
                self.note_given_up();
                if from == From::Oldest {
                    self.oracle.safe(self.ring.safe().0)?;
                    let attached = self.ring.progress.next_seq();
                    // A ring that can write has written all that waits.
                    let cannot = self.ring.is_degraded()
                        || self.ring.has_unread()
                        || self.settings.full == Full::Refuse;
                    let on_disk = if cannot {
                        self.ring.durable()
                    } else {
                        attached
                    };
                    self.oracle.reads_from_oldest(attached, on_disk);
                }
            }
            // Half removed: what is due now nobody can know.
            Err(_) => self.ended = true,
        }
        Ok(())
    }

    /// Counts on what is older than the last stream.
    fn count_older(&mut self) -> Result<(), Violation> {
        let last = self.streams[NAMES.len() - 1];
        self.ring.count_older(last, self.now(), &is_wanted);
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

    /// At the end all that is due comes.
    fn read_everything(&mut self) -> Result<(), Violation> {
        if self.ended {
            return Ok(());
        }
        self.disk.heal();
        self.disk.set_failing_reads(0, 0);
        self.time_ms += 100_000;
        for index in 0..self.streams.len() {
            while self.read_one(index)? {
                let seq = self.oracle.settled(index).unwrap_or(0);
                let how = match self.oracle.is_unwanted(index, seq) {
                    true => Settled::Unwanted,
                    false => Settled::Accepted,
                };
                let seq = crate::ring::Seq(seq);
                self.ring.settle(self.streams[index], seq, how, self.now());
            }
        }
        Ok(())
    }
}

const NAMES: [&str; 3] = ["cloud", "depot", "log"];

/// What happens in one life.
const STEPS: u32 = 600;
