//! Rings in files: sizes, versions, strangers, repair.

use super::format::Geometry;
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
        let sum = checksum::checksum(0, &bytes[slot..slot + 4092]);
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
    assert_eq!(report.place, RingPlace::Memory(OpenError::Foreign));
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

#[test]
fn a_repaired_ring_has_what_a_start_would_recover_with_both_slots_lost() {
    let folder = Folder::new("slots");
    fill(&folder.ring(), 256 << 10, 200);
    let mut bytes = fs::read(folder.ring()).unwrap();
    bytes[..8192].fill(0);
    fs::write(folder.ring(), &bytes).unwrap();
    let new = folder.0.join("new");
    Ring::repair(&folder.ring(), &new, at(0), 7).unwrap();
    let verified = verify(&mut File::peek(&new).unwrap()).unwrap();
    assert!(
        verified.is_sound() && verified.records == 200,
        "{verified:?}"
    );
    let numbers = [&new, &folder.ring()].map(|path| {
        let (mut ring, _) = open(path, 256 << 10);
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        assert_eq!(ring.counters(stream).corrupt, 0);
        drain(&mut ring)
    });
    assert_eq!(numbers[0], (0..200).collect::<Vec<_>>());
    assert_eq!(numbers[0], numbers[1]);
}

#[test]
fn streams_without_a_name_stay_known_until_they_come_back() {
    let folder = Folder::new("orphan");
    fill(&folder.ring(), 256 << 10, 10);
    let mut bytes = fs::read(folder.ring()).unwrap();
    bytes[..8192].fill(0);
    fs::write(folder.ring(), &bytes).unwrap();
    let (mut ring, _) = open(&folder.ring(), 256 << 10);
    let other = ring.attach("other", From::New, at(0)).unwrap();
    for _ in 0..2 {
        ring.append(other.mask(), at(0), &[7; 7000]).unwrap();
        ring.commit(at(0)).unwrap();
    }
    drop(ring);
    let (mut ring, _) = open(&folder.ring(), 256 << 10);
    assert_eq!(drain(&mut ring), (0..10).collect::<Vec<_>>());
}

/// A ring in a file with `count` records on disk, all of them waiting.
fn waiting(path: &Path, count: u32) -> (Ring, StreamId) {
    let (mut ring, _) = open(path, 256 << 10);
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    for number in 0..count {
        let body = number.to_le_bytes().repeat(40);
        ring.append(stream.mask(), at(number.into()), &body)
            .unwrap();
        ring.commit(at(0)).unwrap();
    }
    (ring, stream)
}

fn moved(from: &mut Ring, path: &Path) -> Ring {
    let (mut ring, _) = Ring::try_file(path, &settings(256 << 10), at(0), 9).unwrap();
    ring.migrate_from(from, at(100_000));
    ring.commit(at(100_000)).unwrap();
    ring
}

/// Each takes the file away in another way.
fn gone(how: &str, work: impl FnOnce(&Path)) -> Vec<u32> {
    let folder = Folder::new(how);
    let (mut ring, stream) = waiting(&folder.ring(), 200);
    let safe = ring.safe();
    work(&folder.ring());
    assert!(!ring.is_gone());
    let body = 200u32.to_le_bytes().repeat(40);
    ring.append(stream.mask(), at(200), &body).unwrap();
    assert_eq!(ring.commit(at(1000)), Err(IoError::Gone), "{how}");
    assert!(ring.is_gone() && ring.is_degraded(), "{how}");
    assert!(!ring.occupancy(at(1000)).durable, "{how}");
    assert_eq!(ring.safe(), safe, "{how}: acknowledged");
    let mut ring = moved(&mut ring, &folder.ring());
    assert!(!ring.is_gone(), "{how}");
    let counters = ring.counters(stream);
    assert_eq!(counters.stored, 201, "{how}: {counters:?}");
    let numbers = drain(&mut ring);
    let counters = ring.counters(stream);
    assert_eq!(
        counters.accepted + counters.corrupt,
        201,
        "{how}: {counters:?}"
    );
    assert_eq!(counters.accepted, numbers.len() as u64, "{how}");
    numbers
}

#[test]
fn a_file_that_is_removed_is_made_anew_with_all_that_waited() {
    let numbers = gone("removed", |path| fs::remove_file(path).unwrap());
    assert_eq!(numbers, (0..=200).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_replaced_is_given_up_with_nothing_lost() {
    let numbers = gone("replaced", |path| {
        fs::remove_file(path).unwrap();
        fs::write(path, b"").unwrap();
    });
    assert_eq!(numbers, (0..=200).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_cut_short_is_set_aside_and_what_is_left_of_it_moves() {
    let cut = |len| {
        move |path: &Path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(len).unwrap();
        }
    };
    assert_eq!(gone("empty", cut(0)), [200]);
    let numbers = gone("cut", cut(8192 + 3 * 8192));
    assert!(
        numbers.contains(&200) && (50..200).contains(&numbers.len()),
        "{numbers:?}"
    );
}

#[test]
fn a_file_that_goes_is_missed_though_nothing_is_written_and_found_when_it_is_back() {
    let folder = Folder::new("back");
    let (mut ring, stream) = waiting(&folder.ring(), 1);
    let aside = folder.0.join("aside");
    fs::rename(folder.ring(), &aside).unwrap();
    assert_eq!(ring.watch(at(1000)), Err(IoError::Gone));
    assert_eq!(ring.watch(at(2000)), Ok(()), "said once");
    let seq = ring.append(stream.mask(), at(2000), b"one").unwrap();
    assert_eq!(ring.safe(), seq);
    fs::rename(&aside, folder.ring()).unwrap();
    assert_eq!(ring.watch(at(3000)), Ok(()));
    assert_eq!(ring.next_commit(), Some(at(3000).mono), "at once");
    ring.commit(at(3000)).unwrap();
    assert!(!ring.is_gone() && ring.safe() > seq);
}

#[test]
fn a_ring_is_readable_for_its_group_and_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("mode");
    fill(&folder.ring(), 256 << 10, 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.ring()) & !0o640, 0);
    assert_eq!(mode(&folder.ring()) & 0o600, 0o600);
}
