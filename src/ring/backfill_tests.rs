//! Streams that are attached late and want what the ring still holds.

use super::tests::at;
use super::tests::settings;
use super::*;

fn ring(size: u64) -> (Ring, StreamId) {
    let memory = Memory::new(usize::try_from(size).unwrap());
    let (mut ring, _) = Ring::open(Box::new(memory), settings(size), at(0), 7).unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    (ring, stream)
}

fn append(ring: &mut Ring, stream: StreamId, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let body = number.to_le_bytes().repeat(50);
        ring.append(stream.mask(), at(0), &body).unwrap();
        if number % 20 == 19 {
            ring.commit(at(0)).unwrap();
        }
    }
}

/// Reads and settles; `Unwanted` what is not even.
fn drain(ring: &mut Ring, stream: StreamId, limit: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < limit
        && let Some(record) = ring.read(stream, at(0))
    {
        let (seq, even) = (record.seq, is_even(record.body));
        numbers.push(u32::from_le_bytes(record.body[..4].try_into().unwrap()));
        let how = if even {
            Settled::Accepted
        } else {
            Settled::Unwanted
        };
        ring.settle(stream, seq, how, at(0));
    }
    numbers
}

fn is_even(body: &[u8]) -> bool {
    body[0].is_multiple_of(2)
}

fn count(ring: &mut Ring, stream: StreamId) -> u32 {
    let mut turns = 1;
    while ring.count_older(stream, at(0), &is_even) {
        turns += 1;
    }
    turns
}

#[test]
fn a_late_stream_gets_what_is_on_disk_and_in_memory() {
    let (mut ring, cloud) = ring(256 << 10);
    append(&mut ring, cloud, 0..50);
    let late = ring.attach("late", From::Oldest, at(0)).unwrap();
    drain(&mut ring, cloud, 50);
    assert_eq!(drain(&mut ring, late, 99), (0..50).collect::<Vec<_>>());
}

#[test]
fn what_a_late_stream_wants_is_counted_in_bounded_turns() {
    let (mut ring, cloud) = ring(256 << 10);
    append(&mut ring, cloud, 0..800);
    let late = ring.attach("late", From::Oldest, at(0)).unwrap();
    assert!(count(&mut ring, late) >= 800 * 200 / (64 << 10));
    let counters = ring.counters(late);
    assert_eq!((counters.backlog, counters.stored), (400, 400));
    drain(&mut ring, late, 101);
    let counters = ring.counters(late);
    assert_eq!(
        (counters.accepted, counters.backlog, counters.stored),
        (51, 349, 400)
    );
    drain(&mut ring, late, 999);
    let counters = ring.counters(late);
    assert_eq!((counters.accepted, counters.backlog), (400, 0));
}

#[test]
fn what_a_late_stream_has_in_flight_waits_also_before_it_is_counted() {
    let (mut ring, cloud) = ring(256 << 10);
    append(&mut ring, cloud, 0..100);
    let late = ring.attach("late", From::Oldest, at(0)).unwrap();
    for _ in 0..30 {
        ring.read(late, at(0)).unwrap();
    }
    let counters = ring.counters(late);
    assert_eq!((counters.backlog, counters.stored), (30, 30));
    count(&mut ring, late);
    assert_eq!(ring.counters(late).backlog, 50);
}

#[test]
fn what_a_late_stream_did_not_read_in_time_is_dropped_exactly() {
    let (mut ring, cloud) = ring(256 << 10);
    append(&mut ring, cloud, 0..800);
    let late = ring.attach("late", From::Oldest, at(0)).unwrap();
    count(&mut ring, late);
    append(&mut ring, cloud, 800..1400);
    assert_eq!(ring.counters(late).stored, 400, "until it is known better");
    count(&mut ring, late);
    let left = drain(&mut ring, late, 999)
        .iter()
        .filter(|n| *n % 2 == 0)
        .count() as u64;
    let counters = ring.counters(late);
    assert_eq!((counters.accepted, counters.dropped), (left, 400 - left));
    assert!(counters.dropped > 0 && counters.stored == 400);
}

#[test]
fn a_copy_has_what_only_a_late_stream_has_still_to_read() {
    let (mut ring, cloud) = ring(256 << 10);
    append(&mut ring, cloud, 0..100);
    drain(&mut ring, cloud, 100);
    ring.attach("late", From::Oldest, at(0)).unwrap();
    ring.close(at(0)).unwrap();
    let into = Box::new(Memory::new(512 << 10));
    let (mut copy, _) = Ring::copy(
        &mut *ring.volume.storage,
        into,
        settings(512 << 10),
        at(0),
        7,
    )
    .unwrap();
    let late = copy.attach("late", From::Oldest, at(0)).unwrap();
    count(&mut copy, late);
    assert_eq!(copy.counters(late).backlog, 50);
    assert_eq!(drain(&mut copy, late, 999), (0..100).collect::<Vec<_>>());
    assert_eq!(copy.counters(cloud).backlog, 0);
}
