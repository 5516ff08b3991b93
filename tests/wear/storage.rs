//! Storages that count: what is read, and the blocks that each sync has to write.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::rc::Rc;
use weir::ring::IoError;
use weir::ring::Storage;

/// What a storage had to do.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Bytes read.
    pub(crate) read: Cell<u64>,
    /// Bytes of the blocks that syncs wrote.
    pub(crate) synced: Cell<u64>,
    /// Syncs with anything to write.
    pub(crate) syncs: Cell<u64>,
    /// Where the last write ended.
    pub(crate) end: Cell<u64>,
    dirty: RefCell<BTreeSet<u64>>,
}

impl Counts {
    /// Begins anew.
    pub(crate) fn reset(&self) {
        self.synced.set(0);
        self.syncs.set(0);
    }
}

/// A storage and its counts.
pub(crate) struct Counted<S> {
    storage: S,
    counts: Rc<Counts>,
}

impl<S: Storage> Counted<S> {
    pub(crate) fn new(storage: S) -> (Box<Self>, Rc<Counts>) {
        let counts = Rc::new(Counts::default());
        let this = Self {
            storage,
            counts: Rc::clone(&counts),
        };
        (Box::new(this), counts)
    }
}

impl<S: Storage> Storage for Counted<S> {
    fn len(&self) -> u64 {
        self.storage.len()
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        add(&self.counts.read, buf.len() as u64);
        self.storage.read(offset, buf)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        let end = offset + bytes.len() as u64;
        self.counts
            .dirty
            .borrow_mut()
            .extend(offset / BLOCK..end.div_ceil(BLOCK));
        self.counts.end.set(end);
        self.storage.write(offset, bytes)
    }

    fn sync(&mut self) -> Result<(), IoError> {
        let blocks = std::mem::take(&mut *self.counts.dirty.borrow_mut()).len() as u64;
        add(&self.counts.synced, blocks * BLOCK);
        add(&self.counts.syncs, u64::from(blocks > 0));
        self.storage.sync()
    }
}

/// Zeros of any length that keep of each segment its first block, and the segment written last as
/// a whole: what opening may look at. Shared, so that a ring can be opened again.
#[derive(Clone)]
pub(crate) struct Sparse {
    len: u64,
    segment_len: u64,
    last: Rc<Cell<u64>>,
    blocks: Rc<RefCell<HashMap<u64, Vec<u8>>>>,
}

impl Sparse {
    pub(crate) fn new(len: u64, segment_len: u64) -> Self {
        Self {
            len,
            segment_len,
            last: Rc::default(),
            blocks: Rc::default(),
        }
    }

    fn segment(&self, offset: u64) -> Option<u64> {
        Some(offset.checked_sub(SEGMENTS_AT)? / self.segment_len)
    }

    fn forget_all_but(&self, segment: u64) {
        let keeps = |block: u64| match self.segment(block * BLOCK) {
            Some(found) => {
                found == segment || (block * BLOCK - SEGMENTS_AT).is_multiple_of(self.segment_len)
            }
            None => true,
        };
        self.blocks.borrow_mut().retain(|block, _| keeps(*block));
        self.last.set(segment);
    }
}

impl Storage for Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        let blocks = self.blocks.borrow();
        for (place, at) in buf.iter_mut().zip(offset..) {
            let within = (at % BLOCK) as usize;
            *place = blocks.get(&(at / BLOCK)).map_or(0, |block| block[within]);
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        if let Some(segment) = self
            .segment(offset)
            .filter(|found| *found != self.last.get())
        {
            self.forget_all_but(segment);
        }
        let mut blocks = self.blocks.borrow_mut();
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let within = (at % BLOCK) as usize;
            let (part, behind) = rest.split_at(rest.len().min(BLOCK as usize - within));
            let block = blocks
                .entry(at / BLOCK)
                .or_insert_with(|| vec![0; BLOCK as usize]);
            block[within..within + part.len()].copy_from_slice(part);
            at += part.len() as u64;
            rest = behind;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), IoError> {
        Ok(())
    }
}

fn add(count: &Cell<u64>, more: u64) {
    count.set(count.get() + more);
}

/// What file systems write as one.
const BLOCK: u64 = 4096;
/// Where the segments begin, see `src/ring/format.rs`.
const SEGMENTS_AT: u64 = 8192;
