//! A ring without `hold`: what is sent was written.

use super::sim::disk::Disk;
use super::sim::random::Random;
use super::tests::at;
use super::tests::settings;
use super::*;

/// One with a stream that is connected.
fn ring(full: Full) -> (Ring, StreamId) {
    ring_on(Box::new(Memory::new(256 << 10)), full)
}

fn ring_on(disk: Box<dyn Storage>, full: Full) -> (Ring, StreamId) {
    let mut settings = settings(256 << 10);
    (settings.hold, settings.full) = (Duration::ZERO, full);
    let (mut ring, _) = Ring::open(disk, settings, at(0), 7).unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    ring.set_connected(stream, true);
    (ring, stream)
}

fn sent(ring: &mut Ring, stream: StreamId) -> Option<Seq> {
    let seq = ring.read_to_send(stream, at(1))?.seq;
    ring.settle(stream, seq, Settled::Accepted, at(1));
    Some(seq)
}

#[test]
fn what_is_sent_is_on_disk() {
    let (mut ring, stream) = ring(Full::DropOldest);
    for written in 1..=3 {
        let seq = ring.append(stream.mask(), at(1), b"one").unwrap();
        assert_eq!(ring.next_commit(), Some(at(1).mono));
        assert_eq!(sent(&mut ring, stream), None);
        ring.commit(at(1)).unwrap();
        assert_eq!(sent(&mut ring, stream), Some(seq));
        assert_eq!(sent(&mut ring, stream), None);
        let stats = ring.stats();
        assert_eq!((stats.held, stats.written), (0, written));
    }
}

#[test]
fn a_ring_without_room_sends_from_memory() {
    let (mut ring, stream) = ring(Full::Refuse);
    let away = ring.attach("away", From::New, at(0)).unwrap();
    let body = [7; 4000];
    while ring.append(away.mask(), at(1), &body).is_ok() {
        ring.commit(at(1)).unwrap();
    }
    // what fills the ring fills its memory, but for a short one
    let last = ring.append(stream.mask(), at(1), b"x").unwrap();
    assert_eq!(sent(&mut ring, stream), Some(last));
}

#[test]
fn a_disk_that_fails_holds_nobody_up() {
    let (mut ring, stream) = ring(Full::DropOldest);
    let seq = ring.append(stream.mask(), at(1), b"one").unwrap();
    ring.volume.storage = Box::new(Broken);
    while !ring.is_degraded() {
        assert_eq!(sent(&mut ring, stream), None);
        ring.commit(at(1)).unwrap_err();
    }
    assert_eq!(sent(&mut ring, stream), Some(seq));
}

#[test]
fn a_disk_that_cannot_be_read_holds_nobody_up() {
    let disk = Disk::new(256 << 10, 512, Random::new(1));
    let (mut ring, stream) = ring_on(Box::new(disk.clone()), Full::DropOldest);
    let away = ring.attach("away", From::New, at(0)).unwrap();
    let fill = |ring: &mut Ring| {
        ring.append(away.mask(), at(1), &[7; 4000]).unwrap();
        ring.commit(at(1)).unwrap();
    };
    (0..100).for_each(|_| fill(&mut ring));
    disk.set_unreadable(0..256 << 10);
    // what has to give way cannot be looked at
    while !ring.pressure.is_unreadable() {
        fill(&mut ring);
    }
    let last = ring.append(stream.mask(), at(1), b"x");
    assert_eq!(sent(&mut ring, stream), Some(last.unwrap()));
}

/// A disk that takes nothing.
struct Broken;

impl Storage for Broken {
    fn len(&self) -> u64 {
        256 << 10
    }

    fn read(&mut self, _: u64, _: &mut [u8]) -> Result<(), IoError> {
        Err(IoError::Io)
    }

    fn write(&mut self, _: u64, _: &[u8]) -> Result<(), IoError> {
        Err(IoError::Io)
    }

    fn sync(&mut self) -> Result<(), IoError> {
        Err(IoError::Io)
    }
}
