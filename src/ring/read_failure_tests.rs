//! A read that fails is neither emptiness nor damage: whoever needs it waits and tries again.

use super::inspect::asked;
use super::inspect::dump;
use super::inspect::info;
use super::inspect::verify;
use super::sim::disk::Disk;
use super::sim::random::Random;
use super::tests::at;
use super::tests::settings;
use super::*;
use std::ops::Range;

const LEN: usize = 256 << 10;

fn disk() -> Disk {
    Disk::new(LEN, 512, Random::new(1))
}

fn open(disk: &Disk) -> Result<(Ring, Report), OpenError> {
    Ring::open(Box::new(disk.clone()), settings(LEN as u64), at(0), 7)
}

/// A ring with one stream and so many records of 200 bytes on disk.
fn filled(disk: &Disk, count: u8, full: Full) -> (Ring, StreamId) {
    let mut settings = settings(LEN as u64);
    settings.full = full;
    let (mut ring, _) = Ring::open(Box::new(disk.clone()), settings, at(0), 7).unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    for number in 0..count {
        let seq = ring.append(stream.mask(), at(number.into()), &[number; 200]);
        seq.unwrap();
        ring.commit(at(number.into())).unwrap();
    }
    (ring, stream)
}

/// What it reads and settles at a moment.
fn drain(ring: &mut Ring, stream: StreamId, ms: u64) -> Vec<u8> {
    let mut numbers = Vec::new();
    while let Some(record) = ring.read(stream, at(ms)) {
        let (seq, number) = (record.seq, record.body[0]);
        ring.settle(stream, seq, Settled::Accepted, at(ms));
        numbers.push(number);
    }
    numbers
}

/// The slots, the header of a segment, its records, and all of it.
fn places() -> [Range<usize>; 5] {
    let segment = |index: usize| 8192 + index * 8192;
    let head = segment(3);
    [
        0..4096,
        4096..8192,
        segment(1)..segment(1) + 1,
        head + 1000..head + 1001,
        0..LEN,
    ]
}

#[test]
fn what_cannot_be_read_at_the_start_is_left_as_it_is_and_opened_later() {
    for place in places() {
        let disk = disk();
        drop(filled(&disk, 100, Full::DropOldest));
        let before = disk.cache();
        disk.set_unreadable(place.clone());
        let error = open(&disk).err();
        let failed = |failures| failures > 0;
        assert!(
            matches!(error, Some(OpenError::Unreadable { failures }) if failed(failures)),
            "{place:?}: {error:?}"
        );
        assert!(disk.cache() == before, "{place:?}: written to");
        disk.heal();
        let (mut ring, report) = open(&disk).unwrap();
        assert!(!report.created, "{place:?}");
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        assert_eq!(drain(&mut ring, stream, 0).len(), 100, "{place:?}");
    }
}

#[test]
fn a_stream_waits_for_what_cannot_be_read_and_nothing_counts_as_damaged() {
    for place in places() {
        let disk = disk();
        let (mut ring, stream) = filled(&disk, 100, Full::DropOldest);
        ring.reread(stream);
        disk.set_unreadable(place.clone());
        let mut read = drain(&mut ring, stream, 1000);
        if place.start >= 8192 || place.end > 8192 {
            assert!(read.len() < 100 && ring.has_unread(), "{place:?}");
            assert!(ring.occupancy(at(1000)).degraded, "{place:?}");
            let failures = ring.stats().read_failures;
            assert!(failures > 0, "{place:?}");
            let again = ring.next_read(Duration::ZERO).unwrap();
            assert!(again > at(1000).mono, "{place:?}");
            assert!(ring.read(stream, at(1001)).is_none());
            assert_eq!(ring.stats().read_failures, failures, "no busy loop");
        }
        disk.heal();
        read.extend(drain(&mut ring, stream, 2000));
        assert_eq!(read, (0..100).collect::<Vec<_>>(), "{place:?}");
        let counters = ring.counters(stream);
        assert_eq!((counters.accepted, counters.corrupt), (100, 0));
        let found = ring.occupancy(at(2000));
        assert_eq!(
            (found.degraded, ring.next_read(Duration::ZERO)),
            (false, None)
        );
    }
}

#[test]
fn reads_that_fail_now_and_then_cost_nothing() {
    let disk = disk();
    let (mut ring, stream) = filled(&disk, 200, Full::DropOldest);
    ring.reread(stream);
    disk.set_failing_reads(700, 3);
    let mut read = Vec::new();
    for second in 0..1000 {
        read.extend(drain(&mut ring, stream, 60_000 * second));
    }
    assert_eq!(read, (0..200).collect::<Vec<_>>());
    assert_eq!(ring.counters(stream).corrupt, 0);
}

#[test]
fn a_stream_goes_back_to_no_place_that_cannot_be_read() {
    let disk = disk();
    let (mut ring, stream) = filled(&disk, 200, Full::DropOldest);
    drain(&mut ring, stream, 1000);
    disk.set_unreadable(0..LEN);
    let date = RewindTo::Date(at(190).wall.since_1970);
    assert_eq!(ring.rewind(stream, date, at(1000)), Err(IoError::Io));
    disk.heal();
    assert_eq!(ring.counters(stream).backlog, 0);
}

#[test]
fn a_full_ring_gives_nothing_up_before_it_can_read_how_much_that_is() {
    let disk = disk();
    let (mut ring, stream) = filled(&disk, 10, Full::DropOldest);
    disk.set_unreadable(0..LEN);
    let mut refused = 0;
    for number in 0..200 {
        let now = at(1000 * number);
        let taken = ring.append(stream.mask(), now, &[7; 7000]);
        refused += u64::from(taken.is_err());
        ring.commit(now).unwrap();
        assert!(ring.next_commit().is_none_or(|due| due > now.mono), "busy");
    }
    assert!(refused > 0 && ring.occupancy(at(200_000)).refusing);
    assert_eq!(ring.counters(stream).dropped, 0);
    disk.heal();
    let now = at(400_000);
    ring.commit(now).unwrap();
    ring.append(stream.mask(), now, &[7; 7000]).unwrap();
    let counters = ring.counters(stream);
    assert_eq!(counters.stored, 211 - refused);
    assert!(counters.dropped > 0, "{counters:?}");
}

#[test]
fn those_who_look_into_a_ring_say_that_it_cannot_be_read() {
    for place in places() {
        let mut disk = disk();
        drop(filled(&disk, 100, Full::DropOldest));
        disk.set_unreadable(place.clone());
        let of = |error: Option<OpenError>| matches!(error, Some(OpenError::Unreadable { .. }));
        assert!(of(info(&mut disk, at(0)).err()), "{place:?}");
        assert!(of(dump(&mut disk, at(0), &mut |_| true).err()), "{place:?}");
        assert!(of(verify(&mut disk).err()), "{place:?}");
        let into = Box::new(Memory::new(LEN));
        let copied = Ring::copy(&mut disk, into, settings(LEN as u64), at(0), 1);
        assert!(of(copied.err()), "{place:?}");
        assert_eq!(of(asked(&mut disk).err()), place.start < 8192, "{place:?}");
    }
}

/// All of a segment behind the active segment's header, too: a full check reads everything.
#[test]
fn a_check_that_cannot_read_a_sealed_segment_does_not_call_it_damaged() {
    let mut disk = disk();
    drop(filled(&disk, 200, Full::DropOldest));
    disk.set_unreadable(8192 + 8192 + 4000..8192 + 8192 + 4001);
    assert!(matches!(
        verify(&mut disk),
        Err(OpenError::Unreadable { .. })
    ));
    disk.heal();
    assert!(verify(&mut disk).unwrap().is_sound());
}
