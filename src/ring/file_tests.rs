//! Rings in files: sizes, versions, strangers, repair.

use super::inspect::verify;
use super::tests::at;
use super::tests::settings;
use super::*;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("weir-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn ring(&self) -> PathBuf {
        self.0.join("ring")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn open(path: &Path, size: u64) -> (Ring, Report) {
    Ring::open_file(path, settings(size), at(0), 7).unwrap()
}

/// Leaves `count` numbered records behind, half of them settled.
fn fill(path: &Path, size: u64, count: u32) {
    let (mut ring, _) = open(path, size);
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    for number in 0..count {
        ring.append(
            stream.mask(),
            at(number.into()),
            &number.to_le_bytes().repeat(40),
        )
        .unwrap();
        ring.commit(at(0)).unwrap();
    }
    for _ in 0..count / 2 {
        let seq = ring.read(stream, at(0)).unwrap().seq;
        ring.settle(stream, seq, Settled::Accepted, at(0));
    }
    ring.close(at(0)).unwrap();
}

fn drain(ring: &mut Ring) -> Vec<u32> {
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    let mut numbers = Vec::new();
    while let Some(record) = ring.read(stream, at(100_000)) {
        let number = u32::from_le_bytes(record.body[..4].try_into().unwrap());
        assert_eq!(record.received, at(number.into()).wall);
        let seq = record.seq;
        numbers.push(number);
        ring.settle(stream, seq, Settled::Accepted, at(0));
    }
    numbers
}

#[test]
fn a_ring_that_grows_keeps_what_waits() {
    let folder = Folder::new("grow");
    fill(&folder.ring(), 256 << 10, 800);
    let (mut ring, report) = open(&folder.ring(), 512 << 10);
    assert!(report.resized);
    assert_eq!(fs::metadata(folder.ring()).unwrap().len(), 512 << 10);
    assert_eq!(drain(&mut ring), (400..800).collect::<Vec<_>>());
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    let counters = ring.counters(stream);
    assert_eq!((counters.stored, counters.accepted), (800, 800));
}

#[test]
fn a_ring_that_shrinks_keeps_the_newest_and_counts_the_rest() {
    let folder = Folder::new("shrink");
    fill(&folder.ring(), 1 << 20, 4000);
    let (mut ring, _) = open(&folder.ring(), 256 << 10);
    let numbers = drain(&mut ring);
    assert_eq!(numbers.last(), Some(&3999));
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    let counters = ring.counters(stream);
    assert_eq!(counters.dropped, 2000 - numbers.len() as u64);
    assert_eq!(counters.stored, 4000);
}

#[test]
fn a_ring_of_a_later_version_is_set_aside() {
    let folder = Folder::new("newer");
    fill(&folder.ring(), 256 << 10, 1);
    let mut bytes = fs::read(folder.ring()).unwrap();
    for slot in [0, 4096] {
        bytes[slot + 4] = 9;
        let sum = format::checksum(0, &bytes[slot..slot + 4092]);
        bytes[slot + 4092..slot + 4096].copy_from_slice(&sum.to_le_bytes());
    }
    fs::write(folder.ring(), &bytes).unwrap();
    let (_, report) = open(&folder.ring(), 256 << 10);
    assert!(report.newer_set_aside && report.created);
    assert_eq!(fs::read(folder.0.join("ring.newer")).unwrap(), bytes);
}

#[test]
fn a_file_that_is_no_ring_is_not_touched_and_nothing_is_safe() {
    let folder = Folder::new("foreign");
    fs::write(folder.ring(), b"my diary").unwrap();
    let (mut ring, report) = open(&folder.ring(), 256 << 10);
    assert_eq!(report.place, Place::Memory(OpenError::Foreign));
    assert_eq!(fs::read(folder.ring()).unwrap(), b"my diary");
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    let seq = ring.append(stream.mask(), at(0), b"one").unwrap();
    ring.commit(at(0)).unwrap();
    assert_eq!(ring.safe(), seq, "what is in memory is not safe");
    let read = ring.read(stream, at(0)).unwrap().seq;
    ring.settle(stream, read, Settled::Accepted, at(0));
    assert!(ring.safe() > seq, "what all have settled is");
}

#[test]
fn a_repaired_ring_has_what_was_sound() {
    let folder = Folder::new("repair");
    fill(&folder.ring(), 256 << 10, 200);
    let mut bytes = fs::read(folder.ring()).unwrap();
    let geometry = Geometry::of(256 << 10).unwrap();
    let damaged = usize::try_from(geometry.offset(4)).unwrap() + 448 + 24 + 10;
    bytes[damaged] ^= 1;
    fs::write(folder.ring(), &bytes).unwrap();
    let new = folder.0.join("new");
    Ring::repair(&folder.ring(), &new, at(0), 7).unwrap();
    assert_eq!(
        fs::read(folder.ring()).unwrap(),
        bytes,
        "the old one is as it was"
    );
    assert!(verify(&mut File::peek(&new).unwrap()).unwrap().is_sound());
    let (mut ring, _) = open(&new, 256 << 10);
    assert_eq!(drain(&mut ring).len(), 99);
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    assert_eq!(ring.counters(stream).corrupt, 1);
}
