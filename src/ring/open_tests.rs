//! Opening and looking into rings that are full, damaged, or none at all.

use super::checksum::checksum;
use super::format::Geometry;
use super::inspect::HoleCause;
use super::inspect::dump;
use super::inspect::info;
use super::inspect::verify;
use super::segment::HEADER_LEN;
use super::segment::SegmentHeader;
use super::tests::at;
use super::tests::settings;
use super::*;
use std::cell::Cell;
use std::rc::Rc;

/// The bytes of a ring in which `count` records of 200 bytes wait for a stream.
fn ring_with(len: usize, count: u32) -> Vec<u8> {
    let storage = Box::new(Memory::new(len));
    let (mut ring, _) = Ring::open(storage, settings(len as u64), at(0), 7).unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    for number in 0..count {
        let body = number.to_le_bytes().repeat(50);
        while ring
            .append(stream.mask(), at(u64::from(number)), &body)
            .is_err()
        {
            ring.commit(at(0)).unwrap();
        }
    }
    ring.commit(at(0)).unwrap();
    bytes_of(&mut *ring.volume.storage)
}

fn bytes_of(storage: &mut dyn Storage) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(storage.len()).unwrap()];
    storage.read(0, &mut bytes).unwrap();
    bytes
}

fn open(bytes: &[u8]) -> Result<(Ring, Report), OpenError> {
    let storage = Box::new(Memory::from(bytes.to_vec()));
    Ring::open(storage, settings(bytes.len() as u64), at(0), 7)
}

/// Counts the bytes that are read.
struct Counted(Memory, Rc<Cell<u64>>);

impl Storage for Counted {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        self.1.set(self.1.get() + buf.len() as u64);
        self.0.read(offset, buf)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.0.write(offset, bytes)
    }

    fn sync(&mut self) -> Result<(), IoError> {
        self.0.sync()
    }
}

#[test]
fn a_record_from_the_future_is_not_what_the_next_start_expects() {
    let bytes = ring_with(256 << 10, 3);
    let (mut ring, _) = open(&bytes).unwrap();
    let mut future = at(60_000);
    future.wall.since_1970 += Duration::from_secs(3_000 * 86_400);
    future.ages = false;
    let stream = ring.attach("cloud", From::New, future).unwrap();
    ring.append(stream.mask(), future, b"a message").unwrap();
    ring.commit(future).unwrap();
    let (ring, _) = open(&bytes_of(&mut *ring.volume.storage)).unwrap();
    let remembered = ring.last_trusted();
    assert!(remembered.abs_diff(at(0).wall.since_1970) < Duration::from_secs(3600));
    assert!(!future.expected_after(remembered).ages);
}

#[test]
fn opening_a_full_ring_reads_headers_and_one_segment() {
    let bytes = ring_with(4 << 20, 40_000);
    let read = Rc::new(Cell::new(0));
    let storage = Counted(Memory::from(bytes), Rc::clone(&read));
    let (ring, report) = Ring::open(Box::new(storage), settings(4 << 20), at(0), 7).unwrap();
    let geometry = ring.volume.geometry;
    assert_eq!(ring.segments.len(), geometry.segment_count as usize);
    assert!(report.read <= read.get());
    let headers = u64::from(geometry.segment_count) * 512;
    let slots = 2 * 4096;
    assert!(
        read.get() <= headers + slots + u64::from(geometry.segment_len),
        "{}",
        read.get()
    );
}

#[test]
fn opening_arbitrary_bytes_never_panics() {
    let sound = ring_with(128 << 10, 700);
    let mut random: u64 = 1;
    let mut next = |end: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % end
    };
    for _ in 0..300 {
        let mut bytes = sound.clone();
        for _ in 0..=next(8) {
            let (from, len) = (next(bytes.len()), 1 + next(3000));
            let with = next(256).to_le_bytes()[0];
            for byte in bytes.iter_mut().skip(from).take(len) {
                *byte = byte.wrapping_mul(3) ^ with;
            }
        }
        bytes.truncate(bytes.len() - next(2) * next(100_000));
        use_all(&bytes);
    }
}

/// Opens bytes, looks into them and reads all there is, whatever that may be.
fn use_all(bytes: &[u8]) {
    let mut storage = Memory::from(bytes.to_vec());
    assert_eq!(
        info(&mut storage, at(0)).is_ok(),
        verify(&mut storage).is_ok()
    );
    let Ok((mut ring, _)) = open(bytes) else {
        return;
    };
    let Ok(stream) = ring.attach("cloud", From::New, at(0)) else {
        return;
    };
    while let Some(record) = ring.read(stream, at(0)) {
        let seq = record.seq;
        ring.settle(stream, seq, Settled::Accepted, at(0));
    }
    assert_eq!(ring.counters(stream).backlog, 0);
    ring.append(stream.mask(), at(0), b"more").unwrap();
    ring.commit(at(0)).unwrap();
}

#[test]
fn with_both_slots_lost_streams_are_found_by_name_from_the_oldest_record_on() {
    let mut bytes = ring_with(256 << 10, 100);
    bytes[10] ^= 1;
    bytes[4096 + 10] ^= 1;
    let (ring, report) = open(&bytes).unwrap();
    assert_eq!(report.slots, 0);
    let mut storage = ring.volume.storage;
    let (mut ring, report) = open(&bytes_of(&mut *storage)).unwrap();
    assert_eq!(report.slots, 2);
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    assert_eq!(ring.counters(stream).backlog, 100);
    let other = ring.attach("other", From::New, at(0)).unwrap();
    assert_eq!(ring.counters(other).backlog, 0);
}

#[test]
fn what_is_no_ring_is_not_opened() {
    assert!(matches!(open(&[0x42; 256 << 10]), Err(OpenError::Foreign)));
    assert!(matches!(open(&[0; 1000]), Err(OpenError::TooSmall)));
    let whole = ring_with(256 << 10, 10);
    assert!(matches!(open(&whole[..100_000]), Err(OpenError::Foreign)));
}

#[test]
fn a_ring_says_what_is_in_it() {
    let mut storage = Memory::from(ring_with(256 << 10, 3));
    let said = info(&mut storage, at(5)).unwrap();
    assert_eq!(said.oldest_received, Some(at(0).wall));
    assert_eq!((said.slots, said.clean, said.segments), (2, false, 31));
    assert_eq!(said.streams[0].name, "cloud");
    assert_eq!(said.streams[0].counters.backlog, 3);
    let mut seqs = Vec::new();
    dump(&mut storage, at(5), &mut |record| {
        assert_eq!(record.streams, ["cloud"]);
        assert_eq!(record.body.map(<[u8]>::len), Some(200));
        seqs.push((record.seq.0, record.received.since_1970));
        true
    })
    .unwrap();
    let received = |ms| at(ms).wall.since_1970;
    assert_eq!(seqs, [(1, received(0)), (2, received(1)), (3, received(2))]);
    assert!(verify(&mut storage).unwrap().is_sound());
}

#[test]
fn a_check_finds_a_damaged_record_and_the_stream_counts_it() {
    let mut bytes = ring_with(256 << 10, 100);
    let second = usize::try_from(Geometry::of(256 << 10).unwrap().offset(2)).unwrap();
    bytes[second + 448 + 24 + 224 * 3] ^= 1;
    let verified = verify(&mut Memory::from(bytes.clone())).unwrap();
    assert_eq!((verified.records, verified.damaged), (99, 1));
    let (mut ring, _) = open(&bytes).unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    while let Some(record) = ring.read(stream, at(0)) {
        let seq = record.seq;
        ring.settle(stream, seq, Settled::Accepted, at(0));
    }
    let counters = ring.counters(stream);
    assert_eq!(
        (counters.accepted, counters.corrupt, counters.backlog),
        (99, 1, 0)
    );
}

#[test]
fn a_check_finds_a_damaged_header_of_a_record() {
    let mut bytes = ring_with(256 << 10, 100);
    let second = usize::try_from(Geometry::of(256 << 10).unwrap().offset(2)).unwrap();
    bytes[second + 448 + 224 * 3] ^= 1;
    let verified = verify(&mut Memory::from(bytes)).unwrap();
    assert_eq!((verified.records, verified.missing), (99, 1));
    assert_eq!(verified.holes[0].len, 224);
    assert_eq!(verified.holes[0].cause, HoleCause::Medium);
}

/// Puts a segment of an older lap, with a header that says it is of this one, in its place.
#[test]
fn records_of_an_older_lap_never_pass_for_new_ones() {
    let mut bytes = ring_with(256 << 10, 100);
    let geometry = Geometry::of(256 << 10).unwrap();
    let place = |generation| usize::try_from(geometry.offset(generation)).unwrap();
    let (old, len) = (place(1), geometry.segment_len as usize);
    let records = bytes[old + 448..old + len].to_vec();
    bytes[place(2) + 448..place(2) + len].copy_from_slice(&records);
    let found = verify(&mut Memory::from(bytes)).unwrap();
    assert_eq!(found.records, 100 - records_in_one());
}

/// How many records of 200 bytes a segment of 8 KiB holds.
fn records_in_one() -> u64 {
    (8192 - 448) / 224
}

/// Has the header of a segment count something else, under a check sum that fits.
fn recount(bytes: &mut [u8], generation: u64, cum: u64) {
    let geometry = Geometry::of(bytes.len() as u64).unwrap();
    let at = usize::try_from(geometry.offset(generation)).unwrap();
    let header = bytes.get_mut(at..at + HEADER_LEN).unwrap();
    let mut said = SegmentHeader::decode(header).unwrap();
    said.cum.0[0] = cum;
    header.copy_from_slice(&said.encode());
}

#[test]
fn a_header_that_counts_more_than_there_is_costs_none_of_what_is_there() {
    let sound = ring_with(128 << 10, 100);
    for generation in [1, 2] {
        for cum in [101, 1 << 50, u64::MAX] {
            let mut bytes = sound.clone();
            recount(&mut bytes, generation, cum);
            let (mut ring, _) = open(&bytes).unwrap();
            let stream = ring.attach("cloud", From::New, at(0)).unwrap();
            let mut read = 0;
            while let Some(record) = ring.read(stream, at(1)) {
                let seq = record.seq;
                ring.settle(stream, seq, Settled::Accepted, at(1));
                read += 1;
            }
            assert_eq!(read, 100, "segment {generation} counts {cum}");
            let counters = ring.counters(stream);
            assert_eq!((counters.stored, counters.accepted), (100, 100));
        }
    }
}

/// Has both slots say something else at a place, under check sums that fit.
fn say_in_slots(bytes: &mut [u8], at: usize, number: u64) {
    for slot in bytes.chunks_exact_mut(4096).take(2) {
        slot[at..at + 8].copy_from_slice(&number.to_le_bytes());
        let sum = checksum(0, &slot[..4092]);
        slot[4092..].copy_from_slice(&sum.to_le_bytes());
    }
}

#[test]
fn whatever_number_a_slot_says_what_is_committed_after_it_is_there_at_the_next_start() {
    let sound = ring_with(128 << 10, 100);
    let moment = at(1);
    let places = ["generation", "reserved", "active", "attached", "cursor"];
    for (name, place) in places.iter().zip([16, 32, 56, 256, 264]) {
        for number in [0, 1 << 40, 1 << 60, 1 << 62, u64::MAX - 1, u64::MAX] {
            let mut bytes = sound.clone();
            say_in_slots(&mut bytes, place, number);
            let (mut ring, _) = open(&bytes).unwrap();
            let stream = ring.attach("cloud", From::New, moment).unwrap();
            let seq = ring.append(stream.mask(), moment, b"one more").unwrap();
            ring.commit(moment).unwrap();
            let bytes = bytes_of(&mut *ring.volume.storage);
            let (mut ring, _) = open(&bytes).unwrap();
            let stream = ring.attach("cloud", From::New, moment).unwrap();
            let mut found = false;
            while let Some(record) = ring.read(stream, moment) {
                found |= record.seq == seq && record.subscribed;
                let seq = record.seq;
                ring.settle(stream, seq, Settled::Accepted, moment);
            }
            assert!(found, "{name}: {number}");
        }
    }
}
