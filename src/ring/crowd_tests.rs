//! What much that is on its way does: senders wait a moment, and only then it is written.

use super::tests::at;
use super::tests::settings;
use super::*;
use crate::clock::Now;

/// A ring with one stream that is connected, and more than is written at once waiting for it.
fn crowded() -> (Ring, StreamId, Vec<Seq>) {
    let memory = Box::new(Memory::new(1 << 20));
    let (mut ring, _) = Ring::open(memory, settings(1 << 20), at(0), 7).unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    ring.commit(at(0)).unwrap();
    ring.set_connected(stream, true);
    let mut append = |number: u64| {
        assert!(!ring.is_crowded(at(number)));
        ring.append(stream.mask(), at(number), &[7; 1000]).unwrap()
    };
    let all = (0..66).map(&mut append).collect();
    assert!(ring.is_crowded(at(65)));
    (ring, stream, all)
}

fn written(ring: &mut Ring, now: Now) -> u64 {
    let before = ring.stats().written;
    ring.commit(now).unwrap();
    ring.stats().written - before
}

#[test]
fn what_is_on_its_way_is_written_for_its_mass_only_after_a_moment() {
    let (mut ring, _, _) = crowded();
    assert_eq!(ring.next_commit(), Some(at(65 + 20).mono));
    assert!(ring.is_crowded(at(84)) && !ring.is_crowded(at(85)));
    assert_eq!(written(&mut ring, at(85)), 66);
    assert!(!ring.is_crowded(at(85)));
}

#[test]
fn what_is_answered_in_that_moment_is_never_written() {
    let (mut ring, stream, all) = crowded();
    while ring.read(stream, at(70)).is_some() {}
    for seq in all {
        ring.settle(stream, seq, Settled::Accepted, at(70));
    }
    assert!(!ring.is_crowded(at(70)));
    assert_eq!(written(&mut ring, at(90)), 0);
    // the next time it has a moment of its own
    for _ in 0..66 {
        ring.append(stream.mask(), at(200), &[7; 1000]).unwrap();
    }
    assert_eq!(ring.next_commit(), Some(at(220).mono));
}

#[test]
fn what_is_not_on_its_way_is_written_at_once() {
    let (mut ring, stream, _) = crowded();
    ring.set_connected(stream, false);
    assert!(!ring.is_crowded(at(65)));
    assert_eq!(ring.next_commit(), Some(Duration::ZERO));
}
