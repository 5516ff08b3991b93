//! A disk that does what real ones do. Knows nothing of rings.
//!
//! # Faults
//! - Power cut: of each unit written since the last sync any version is on the medium, the old
//!   one included, each unit for itself: lost, torn, reordered writes.
//! - Garbage: a unit that was being written is noise afterwards.
//! - A failing sync settles units at random, marks all clean, and leaves the new bytes in the
//!   cache, where reads find them: the next sync succeeds and means nothing.
//! - Rot: bytes change where they lie.
//! - A dead disk fails every write and sync until it recovers.
//! - A read fails, once, or all reads of a range until it recovers; nothing is damaged.
//! - The file is gone, from some moment of a commit on, until it is found again.

use super::random::Random;
use crate::ring::IoError;
use crate::ring::Storage;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// One end of a disk; the other is the ring's.
#[derive(Clone)]
pub(crate) struct Disk(Rc<RefCell<State>>);

struct State {
    media: Vec<u8>,
    cache: Vec<u8>,
    /// Per unit all versions since the last sync, the medium's first.
    dirty: BTreeMap<usize, Vec<Vec<u8>>>,
    unit: usize,
    random: Random,
    /// Of 1000 syncs so many fail.
    failing_syncs: u64,
    dead: bool,
    /// After so many more writes nothing reaches even the cache.
    cut_after: Option<u32>,
    reads: Reads,
    /// It is gone after so many more looks at it.
    gone_after: Option<u32>,
}

/// How reads fail: by draws of their own, so that a life without failing reads stays what it was.
struct Reads {
    random: Random,
    /// Of 1000 so many fail.
    failing: u64,
    /// Where all fail.
    unreadable: Range<usize>,
    failures: u64,
}

impl Disk {
    pub(crate) fn new(len: usize, unit: usize, random: Random) -> Self {
        let zeros = vec![0; len];
        let dirty = BTreeMap::new();
        let (dead, cut_after) = (false, None);
        let (media, cache) = (zeros.clone(), zeros);
        Self(Rc::new(RefCell::new(State {
            media,
            cache,
            dirty,
            unit,
            random,
            failing_syncs: 0,
            dead,
            cut_after,
            reads: Reads {
                random: Random::new(0),
                failing: 0,
                unreadable: 0..0,
                failures: 0,
            },
            gone_after: None,
        })))
    }

    /// Of 1000 reads so many fail from here on.
    pub(crate) fn set_failing_reads(&self, reads: u64, seed: u64) {
        let state = &mut *self.0.borrow_mut();
        state.reads.failing = reads;
        state.reads.random = Random::new(seed);
    }

    /// No byte of this range can be read, until [`Disk::heal`].
    pub(crate) fn set_unreadable(&self, range: Range<usize>) {
        self.0.borrow_mut().reads.unreadable = range;
    }

    /// After so many more looks it is gone, until [`Disk::heal`].
    pub(crate) fn go_after(&self, looks: u32) {
        self.0.borrow_mut().gone_after = Some(looks);
    }

    /// Everything can be read, and the file is there.
    pub(crate) fn heal(&self) {
        self.0.borrow_mut().reads.unreadable = 0..0;
        self.find();
    }

    /// The file is there: who opens one opens what is there.
    pub(crate) fn find(&self) {
        self.0.borrow_mut().gone_after = None;
    }

    /// Takes the power away. A unit under way turns to noise once in `garbage` times; those
    /// ranges are returned.
    pub(crate) fn cut_power(&self, garbage: Option<u64>) -> Vec<Range<usize>> {
        let state = &mut *self.0.borrow_mut();
        let mut noise = Vec::new();
        for (unit, versions) in std::mem::take(&mut state.dirty) {
            let from = unit * state.unit;
            let chosen = &versions[state.random.below(versions.len())];
            state.media[from..from + chosen.len()].copy_from_slice(chosen);
            if garbage.is_some_and(|odds| state.random.once_in(odds)) {
                let range = from..from + chosen.len();
                state.random.fill(&mut state.media[range.clone()]);
                noise.push(range);
            }
        }
        state.cache.clone_from(&state.media);
        state.dead = false;
        state.cut_after = None;
        noise
    }

    /// Changes bytes where they lie.
    pub(crate) fn rot(&self, range: Range<usize>) {
        let state = &mut *self.0.borrow_mut();
        for at in range {
            let change = u8::try_from(state.random.below(255) + 1).unwrap_or(1);
            state.media[at] ^= change;
            state.cache[at] ^= change;
            if let Some(versions) = state.dirty.get_mut(&(at / state.unit)) {
                for version in versions {
                    version[at % state.unit] ^= change;
                }
            }
        }
    }

    /// Of 1000 syncs so many fail from here on.
    pub(crate) fn set_failing(&self, syncs: u64) {
        self.0.borrow_mut().failing_syncs = syncs;
    }

    /// Stops or resumes to take writes.
    pub(crate) fn set_dead(&self, dead: bool) {
        self.0.borrow_mut().dead = dead;
    }

    /// Ends the process in the middle of a commit.
    pub(crate) fn cut_after(&self, writes: Option<u32>) {
        self.0.borrow_mut().cut_after = writes;
    }

    /// What reads would find.
    pub(crate) fn cache(&self) -> Vec<u8> {
        self.0.borrow().cache.clone()
    }
}

impl State {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let touched = offset / self.unit..=(offset + bytes.len() - 1) / self.unit;
        for unit in touched.clone() {
            let range = self.unit_range(unit);
            let old = self.media[range].to_vec();
            self.dirty.entry(unit).or_insert_with(|| vec![old]);
        }
        self.cache[offset..offset + bytes.len()].copy_from_slice(bytes);
        for unit in touched {
            let new = self.cache[self.unit_range(unit)].to_vec();
            self.dirty.entry(unit).or_default().push(new);
        }
    }

    fn unit_range(&self, unit: usize) -> Range<usize> {
        unit * self.unit..((unit + 1) * self.unit).min(self.cache.len())
    }

    fn fail_sync(&mut self) {
        for (unit, versions) in std::mem::take(&mut self.dirty) {
            let chosen = &versions[self.random.below(versions.len())];
            let from = unit * self.unit;
            self.media[from..from + chosen.len()].copy_from_slice(chosen);
        }
    }

    fn is_cut(&mut self) -> bool {
        match &mut self.cut_after {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}

impl Reads {
    fn fails(&mut self, range: &Range<usize>) -> bool {
        let lasting = self.unreadable.start < range.end && range.start < self.unreadable.end;
        let drawn = self.failing > 0 && self.random.next() % 1000 < self.failing;
        self.failures += u64::from(lasting || drawn);
        lasting || drawn
    }
}

impl Storage for Disk {
    fn len(&self) -> u64 {
        self.0.borrow().cache.len() as u64
    }

    fn check(&mut self) -> Result<(), IoError> {
        match &mut self.0.borrow_mut().gone_after {
            Some(0) => Err(IoError::Gone),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn read_failures(&self) -> u64 {
        self.0.borrow().reads.failures
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        let from = usize::try_from(offset).map_err(|_| IoError::Io)?;
        let state = &mut *self.0.borrow_mut();
        if state.reads.fails(&(from..from + buf.len())) {
            return Err(IoError::Io);
        }
        buf.copy_from_slice(state.cache.get(from..from + buf.len()).ok_or(IoError::Io)?);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        let state = &mut *self.0.borrow_mut();
        if state.dead || state.is_cut() {
            return Err(IoError::Io);
        }
        state.write(usize::try_from(offset).map_err(|_| IoError::Io)?, bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), IoError> {
        let state = &mut *self.0.borrow_mut();
        if state.dead || state.is_cut() {
            return Err(IoError::Io);
        }
        if state.random.below(1000) < usize::try_from(state.failing_syncs).unwrap_or(0) {
            state.fail_sync();
            return Err(IoError::Io);
        }
        for (unit, versions) in std::mem::take(&mut state.dirty) {
            let from = unit * state.unit;
            if let Some(newest) = versions.last() {
                state.media[from..from + newest.len()].copy_from_slice(newest);
            }
        }
        Ok(())
    }
}
