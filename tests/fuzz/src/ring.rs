//! The ring on bytes that it did not write, or that were changed behind its back; and what can be
//! done with it once it is open.
//!
//! The first byte says what the rest is: the head of a file of zeros (even), or changes to a sound
//! ring (odd), each followed by check sums that fit, so that what they protect is reached too; and
//! whether it is only looked at (2) or lived with.

use crate::bytes::Source;
use crate::bytes::crc32c;
use crate::moment;
use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;
use weir::clock::Now;
use weir::ring::From;
use weir::ring::Full;
use weir::ring::IoError;
use weir::ring::OpenError;
use weir::ring::RewindTo;
use weir::ring::Ring;
use weir::ring::Seq;
use weir::ring::Settings;
use weir::ring::Settled;
use weir::ring::Storage;
use weir::ring::StreamId;
use weir::ring::StreamSet;
use weir::ring::inspect;

pub(crate) fn open(data: &[u8]) {
    let mut source = Source(data);
    let kind = source.byte();
    let bytes = match kind & 1 {
        0 => [source.0, &[0; LEN]].concat()[..LEN.max(source.0.len())].to_vec(),
        _ => changed(&mut source),
    };
    let shared = Shared::new(bytes);
    match kind & 2 {
        0 => live_twice(&shared),
        _ => look(&shared),
    }
}

/// What was committed is there when it is opened again.
fn live_twice(shared: &Shared) {
    let Some(seq) = live(shared, 1) else {
        return;
    };
    let (mut ring, _) = opened(shared, 2).expect("what was a ring once is one");
    if let Some(seq) = seq {
        let stream = attach(&mut ring, "cloud", From::New).expect("a stream that it knows");
        let found = reads(&mut ring, stream, u64::MAX);
        assert!(found.contains(&seq), "{seq:?} is gone");
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let sound = sound();
    let slots = [&[0], &sound[..SEGMENTS_AT]].concat();
    // Slot A: the number of segments, sealed. A segment's header: its first number, sealed.
    let slot = [&[1, 0][..], &28u32.to_le_bytes(), &[4], &[9, 0, 0, 0], &[1]].concat();
    let first_seq = u32::try_from(SEGMENTS_AT + SEGMENT_LEN + 24).expect("a small file");
    let header = [&[1, 0][..], &first_seq.to_le_bytes(), &[1], &[9], &[2, 1]].concat();
    let record = u32::try_from(SEGMENTS_AT + SEGMENT_LEN + HEADER_LEN).expect("a small file");
    let record = [&[1, 3][..], &(record + 8).to_le_bytes(), &[2, 0xff, 0xff]].concat();
    // A header that says that more was written before it than was ever written.
    let cum = u32::try_from(SEGMENTS_AT + SEGMENT_LEN + 56).expect("a small file");
    let cum = [&[1, 2][..], &cum.to_le_bytes(), &[1, 0x49]].concat();
    // Slots that say that a stream was attached after numbers that nobody gave away yet.
    let attached = |slot: u32| [&[0][..], &(slot + 256).to_le_bytes(), &[8], &[1; 8]].concat();
    let attached = [&[1][..], &attached(0), &attached(4096)].concat();
    vec![slots, slot, header, record, cum, attached, vec![1], vec![3]]
}

/// All that only looks changes nothing, and takes no more than a few passes.
fn look(shared: &Shared) {
    let before = shared.bytes.borrow().clone();
    let mut storage = shared.clone();
    let _ = inspect::info(&mut storage, at(0));
    let _ = inspect::verify(&mut storage);
    let _ = inspect::dump(&mut storage, at(0), &mut |_| true);
    let _ = inspect::asked(&mut storage);
    assert!(*shared.bytes.borrow() == before, "looking wrote");
    assert!(
        shared.read.get() <= 16 * shared.len() + SLACK,
        "{} read",
        shared.read.get()
    );
}

/// Opens, reads, settles, appends, commits and closes; the number of a record that has to be there
/// afterwards. None: it was not opened.
fn live(shared: &Shared, random: u64) -> Option<Option<Seq>> {
    shared.read.set(0);
    let (mut ring, report) = opened(shared, random).ok()?;
    assert!(
        shared.read.get() <= 4 * shared.len() + SLACK,
        "{} read",
        shared.read.get()
    );
    assert!(report.read <= shared.read.get());
    let streams = [("cloud", From::New), ("office", From::Oldest)];
    let streams = streams.map(|(name, from)| attach(&mut ring, name, from));
    for stream in streams.into_iter().flatten() {
        reads(&mut ring, stream, 3);
        ring.reread(stream);
        check(&ring, stream);
    }
    let mask = streams
        .into_iter()
        .flatten()
        .fold(StreamSet(0), |all, one| all | one.mask());
    if mask.is_empty() {
        return Some(None);
    }
    let appended = ring.append(mask, at(1), b"a message").ok();
    let committed = ring.commit(at(2)).is_ok();
    if let Some(stream) = streams[1] {
        let _ = ring.rewind(stream, RewindTo::Oldest, at(3));
        reads(&mut ring, stream, u64::MAX);
        check(&ring, stream);
        let _ = ring.skip(stream, 5, at(4), &|_| true);
    }
    let closed = ring.close(at(5)).is_ok();
    Some(appended.filter(|_| committed && closed && streams[0].is_some()))
}

fn opened(shared: &Shared, random: u64) -> Result<(Ring, weir::ring::Report), OpenError> {
    let settings = Settings {
        size: shared.len(),
        delay: Duration::from_millis(200),
        hold: Duration::from_secs(2),
        bytes: 64 * 1024,
        full: Full::DropOldest,
    };
    Ring::open(Box::new(shared.clone()), settings, at(0), random)
}

fn attach(ring: &mut Ring, name: &str, from: From) -> Option<StreamId> {
    ring.attach(name, from, at(0)).ok()
}

/// Reads to the end and settles the first `settle`; the numbers, which rise.
fn reads(ring: &mut Ring, stream: StreamId, settle: u64) -> Vec<Seq> {
    let mut seqs: Vec<Seq> = Vec::new();
    let mut settled = 0;
    while let Some(record) = ring.read(stream, at(1)) {
        assert!(
            seqs.last() < Some(&record.seq),
            "{:?} after {seqs:?}",
            record.seq
        );
        seqs.push(record.seq);
        let how = [Settled::Unwanted, Settled::Accepted][usize::from(record.subscribed)];
        let seq = record.seq;
        if settled < settle {
            ring.settle(stream, seq, how, at(1));
            settled += 1;
        }
        assert!(seqs.len() <= LEN, "more records than bytes");
    }
    seqs
}

fn check(ring: &Ring, stream: StreamId) {
    let c = ring.counters(stream);
    let parts = [
        c.accepted, c.filtered, c.expired, c.by_hand, c.given_up, c.dropped, c.corrupt,
    ];
    let sum = parts
        .iter()
        .fold(c.backlog, |sum, part| sum.saturating_add(*part));
    assert_eq!(c.stored, sum, "{c:?}");
}

/// A sound ring with changes that `source` tells.
fn changed(source: &mut Source<'_>) -> Vec<u8> {
    let mut bytes = sound().to_vec();
    while !source.is_empty() {
        let seal = source.byte();
        let at = source.word() as usize % bytes.len();
        let count = usize::from(source.byte());
        let new = source.take(count);
        let end = (at + new.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
        let segment = at.saturating_sub(SEGMENTS_AT) / SEGMENT_LEN * SEGMENT_LEN + SEGMENTS_AT;
        match seal % 4 {
            0 => seal_plain(
                &mut bytes,
                at.min(SEGMENTS_AT - 1) / SLOT_LEN * SLOT_LEN,
                SLOT_LEN,
            ),
            1 => {}
            2 => seal_plain(&mut bytes, segment, HEADER_LEN),
            _ => seal_record(&mut bytes, segment, at & !3),
        }
    }
    bytes
}

/// Of a slot or a segment's header: the last four bytes.
fn seal_plain(bytes: &mut [u8], at: usize, len: usize) {
    let Some(sealed) = bytes.get_mut(at..at + len) else {
        return;
    };
    let sum = crc32c(0, &sealed[..len - 4]);
    sealed[len - 4..].copy_from_slice(&sum.to_le_bytes());
}

/// Of a record's header: begun with a seed that its segment's header tells.
fn seal_record(bytes: &mut [u8], segment: usize, at: usize) {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    let word = |at: usize| word(at).map_or(0, u32::from_le_bytes);
    let seed = word(segment + 8) ^ word(segment + 16) ^ word(segment + 28).rotate_left(16);
    if let Some(record) = bytes.get_mut(at..at + 24) {
        let sum = crc32c(seed, &record[4..]);
        record[..4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// A ring of eight small segments, most of them full, that two streams read from.
fn sound() -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| {
        let shared = Shared::new(vec![0; LEN]);
        let (mut ring, _) = opened(&shared, 7 << 32 | 0x5eed).expect("a new ring");
        let cloud = attach(&mut ring, "cloud", From::New).expect("room for one");
        let field = attach(&mut ring, "field", From::New).expect("room for two");
        for round in 0..20u64 {
            let body = vec![7; 200 + 97 * round as usize];
            let mask = if round % 3 == 0 {
                cloud.mask()
            } else {
                cloud.mask() | field.mask()
            };
            ring.append(mask, at(round), &body).expect("it fits");
            ring.commit(at(round)).expect("memory takes all");
        }
        reads(&mut ring, field, 4);
        ring.close(at(30)).expect("memory takes all");
        drop(ring);
        shared.bytes.take()
    })
}

/// Bytes that outlive a ring, and how many of them were read.
#[derive(Clone)]
struct Shared {
    bytes: Rc<RefCell<Vec<u8>>>,
    read: Rc<Cell<u64>>,
}

impl Shared {
    fn new(bytes: Vec<u8>) -> Self {
        let bytes = Rc::new(RefCell::new(bytes));
        Self {
            bytes,
            read: Rc::default(),
        }
    }
}

impl Storage for Shared {
    fn len(&self) -> u64 {
        self.bytes.borrow().len() as u64
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        self.read.set(self.read.get() + buf.len() as u64);
        let bytes = self.bytes.borrow();
        let from = usize::try_from(offset).map_err(|_| IoError::Io)?;
        let found = bytes.get(from..).and_then(|rest| rest.get(..buf.len()));
        buf.copy_from_slice(found.ok_or(IoError::Io)?);
        Ok(())
    }

    fn write(&mut self, offset: u64, new: &[u8]) -> Result<(), IoError> {
        let mut bytes = self.bytes.borrow_mut();
        let from = usize::try_from(offset).map_err(|_| IoError::Io)?;
        let place = bytes
            .get_mut(from..)
            .and_then(|rest| rest.get_mut(..new.len()));
        place.ok_or(IoError::Io)?.copy_from_slice(new);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), IoError> {
        Ok(())
    }
}

fn at(mono_s: u64) -> Now {
    moment::at(Duration::from_secs(mono_s))
}

const SLOT_LEN: usize = 4096;
const SEGMENTS_AT: usize = 2 * SLOT_LEN;
const SEGMENT_LEN: usize = 8192;
const HEADER_LEN: usize = 448;
const LEN: usize = SEGMENTS_AT + 8 * SEGMENT_LEN;
/// What reading costs beside the bytes that are there: windows overlap.
const SLACK: u64 = 1 << 20;
