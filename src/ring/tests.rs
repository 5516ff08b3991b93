//! The ring's promises, one by one, on memory and on a file. Power cuts are in `sim`.

use super::*;
use crate::clock::Wall;
use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

pub(super) fn settings(size: u64) -> Settings {
    Settings {
        size,
        delay: Duration::from_millis(200),
        hold: Duration::from_secs(2),
        bytes: 64 * 1024,
        full: Full::DropOldest,
    }
}

pub(super) fn at(mono_ms: u64) -> Now {
    let wall = Duration::from_millis(1_800_000_000_000 + mono_ms);
    Now {
        mono: Duration::from_millis(mono_ms),
        wall: Wall {
            since_1970: wall,
            trusted: true,
        },
        ages: true,
    }
}

/// A ring, its clock, and one stream.
struct World {
    ring: Ring,
    stream: StreamId,
    now: Now,
}

impl World {
    fn new() -> Self {
        Self::with(settings(256 << 10))
    }

    fn with(settings: Settings) -> Self {
        let size = usize::try_from(settings.size).unwrap();
        Self::open(Box::new(Memory::new(size)), settings)
    }

    fn open(storage: Box<dyn Storage>, settings: Settings) -> Self {
        let (mut ring, _) = Ring::open(storage, settings, at(0), 7).unwrap();
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        Self {
            ring,
            stream,
            now: at(0),
        }
    }

    /// Ends the process without a word; what was written is there.
    fn crash(self) -> Self {
        let mut storage = self.ring.volume.storage;
        let mut bytes = vec![0; usize::try_from(storage.len()).unwrap()];
        storage.read(0, &mut bytes).unwrap();
        Self::open(Box::new(Memory::from(bytes)), self.ring.settings)
    }

    fn append(&mut self, body: &[u8]) -> Seq {
        self.ring
            .append(self.stream.mask(), self.now, body)
            .unwrap()
    }

    fn append_numbered(&mut self, numbers: Range<u32>) {
        for number in numbers {
            self.append(&body(number));
        }
    }

    fn commit(&mut self) {
        self.ring.commit(self.now).unwrap();
    }

    fn read(&mut self) -> Option<(Seq, Vec<u8>)> {
        let record = self.ring.read(self.stream, self.now)?;
        Some((record.seq, record.body.to_vec()))
    }

    fn settle(&mut self, seq: Seq) {
        self.ring
            .settle(self.stream, seq, Settled::Accepted, self.now);
    }

    /// Reads and settles all there is.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut bodies = Vec::new();
        while let Some((seq, body)) = self.read() {
            self.settle(seq);
            bodies.push(body);
        }
        bodies
    }

    /// Drains what it writes, again and again; how many milliseconds the cursors of each wait.
    fn waits(&mut self, count: usize) -> Vec<u128> {
        let wait = |_| {
            self.append(b"one");
            self.commit();
            self.now.mono += Duration::from_secs(10);
            self.drain();
            let due = self.ring.next_commit().unwrap();
            let wait = due - self.now.mono;
            self.now.mono = due;
            self.commit();
            wait.as_millis()
        };
        (0..count).map(wait).collect()
    }

    fn counters(&self) -> Counters {
        self.ring.counters(self.stream)
    }
}

fn body(number: u32) -> Vec<u8> {
    number.to_le_bytes().repeat(50)
}

#[test]
fn a_record_is_safe_once_it_is_committed() {
    let mut world = World::new();
    let seq = world.append(b"one");
    assert!(world.ring.safe() <= seq);
    world.commit();
    assert!(world.ring.safe() > seq);
}

#[test]
fn a_record_settled_by_all_is_safe_and_never_written() {
    let mut world = World::new();
    world.commit();
    let before = world.ring.stats();
    let seq = world.append(b"one");
    assert_eq!(world.drain(), [b"one"]);
    assert!(world.ring.safe() > seq);
    world.commit();
    let after = world.ring.stats();
    assert_eq!((after.held, after.bytes_written), (1, before.bytes_written));
}

#[test]
fn a_record_waits_for_the_other_stream_that_wants_it() {
    let mut world = World::new();
    let other = world.ring.attach("other", From::New, world.now).unwrap();
    let both = other.mask() | world.stream.mask();
    let seq = world.ring.append(both, world.now, b"one").unwrap();
    world.drain();
    assert_eq!(world.ring.safe(), seq);
    world.commit();
    assert!(world.ring.safe() > seq);
    assert_eq!(world.counters().backlog, 0);
    assert_eq!(world.ring.counters(other).backlog, 1);
}

#[test]
fn records_come_back_in_order_after_a_crash() {
    let mut world = World::new();
    for number in 0..500 {
        world.append(&body(number));
    }
    world.commit();
    let mut world = world.crash();
    assert_eq!(world.counters().backlog, 500);
    assert_eq!(world.drain(), (0..500).map(body).collect::<Vec<_>>());
    assert_eq!(world.counters().backlog, 0);
}

#[test]
fn what_was_settled_before_a_clean_stop_does_not_come_again() {
    let mut world = World::new();
    world.append_numbered(0..10);
    world.commit();
    for _ in 0..4 {
        let (seq, _) = world.read().unwrap();
        world.settle(seq);
    }
    world.ring.close(world.now).unwrap();
    let mut world = world.crash();
    assert_eq!(world.drain().len(), 6);
    assert_eq!(world.counters().accepted, 10);
}

#[test]
fn a_number_never_comes_back() {
    let mut world = World::new();
    let lost = world.append(b"shown, then lost");
    world.read();
    let mut world = world.crash();
    assert!(world.append(b"another") > lost);
}

#[test]
fn a_full_ring_drops_the_oldest_and_counts_them_exactly() {
    let mut world = World::new();
    for number in 0..3000 {
        world.append(&body(number));
        world.commit();
    }
    let counters = world.counters();
    assert!(counters.dropped > 0);
    assert_eq!(counters.dropped + counters.backlog, 3000);
    let mut world = world.crash();
    assert_eq!(world.counters(), counters);
    let bodies = world.drain();
    let dropped = u32::try_from(counters.dropped).unwrap();
    assert_eq!(bodies, (dropped..3000).map(body).collect::<Vec<_>>());
}

#[test]
fn what_is_unsettled_is_not_dropped() {
    let mut world = World::new();
    for number in 0..10 {
        world.append(&body(number));
        world.commit();
    }
    let unsettled: Vec<_> = (0..5).map(|_| world.read().unwrap().0).collect();
    for number in 10..3000 {
        world.append(&body(number));
        world.commit();
        let counters = world.counters();
        assert_eq!(counters.stored, u64::from(number) + 1);
    }
    unsettled.iter().for_each(|seq| world.settle(*seq));
    assert_eq!(world.counters().accepted, 5);
    world.drain();
    let counters = world.counters();
    assert_eq!(counters.accepted + counters.dropped, 3000);
}

#[test]
fn reading_again_begins_at_the_cursor() {
    let mut world = World::new();
    world.append_numbered(0..3);
    world.read();
    world.commit();
    world.read();
    world.ring.reread(world.stream);
    assert_eq!(world.drain().len(), 3);
    assert_eq!(world.counters().accepted, 3);
}

#[test]
fn a_ring_that_refuses_takes_no_more_until_there_is_room() {
    let mut world = World::with(Settings {
        full: Full::Refuse,
        ..settings(256 << 10)
    });
    let mut taken = 0;
    let error = loop {
        match world
            .ring
            .append(world.stream.mask(), world.now, &body(taken))
        {
            Ok(_) => taken += 1,
            Err(AppendError::Busy) => world.commit(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, AppendError::Full);
    world.commit();
    assert_eq!(world.counters().backlog, u64::from(taken));
    for number in 0..400 {
        let (seq, read) = world.read().unwrap();
        assert_eq!(read, body(number));
        world.settle(seq);
    }
    world.commit();
    world.append(b"room again");
    assert_eq!(world.counters().dropped, 0);
}

#[test]
fn an_idle_ring_has_nothing_to_write() {
    let mut world = World::new();
    world.commit();
    assert_eq!(world.ring.next_commit(), None);
}

#[test]
fn records_of_connected_streams_wait_longer() {
    let mut world = World::new();
    world.append(b"one");
    assert_eq!(world.ring.next_commit(), Some(Duration::from_millis(200)));
    world.ring.set_connected(world.stream, true);
    assert_eq!(world.ring.next_commit(), Some(Duration::from_secs(2)));
    world.now = at(100);
    world.append_numbered(0..40);
    assert_eq!(world.ring.next_commit(), Some(Duration::from_secs(2)));
    world.ring.set_connected(world.stream, false);
    assert_eq!(world.ring.next_commit(), Some(Duration::from_millis(150)));
}

#[test]
fn cursors_are_written_alone_at_once_and_then_ever_later_up_to_five_seconds() {
    let mut world = World::new();
    assert_eq!(
        world.waits(9),
        [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]
    );
    assert_eq!(world.crash().drain(), Vec::<Vec<u8>>::new());
}

#[test]
fn a_delay_longer_than_hold_is_kept_to() {
    let delay = Duration::from_secs(10);
    let mut world = World::with(Settings {
        delay,
        ..settings(256 << 10)
    });
    world.append(b"one");
    assert_eq!(world.ring.next_commit(), Some(delay));
}

#[test]
fn cursors_are_written_at_once_after_four_mebibytes() {
    let mut world = World::with(settings(16 << 20));
    world.waits(9);
    let body = vec![7; 30_000];
    for _ in 0..150 {
        world.append(&body);
        world.commit();
    }
    assert!(world.ring.size_and_used().1 > 4 << 20);
    world.drain();
    assert_eq!(world.ring.next_commit(), Some(world.now.mono));
    assert_eq!(world.ring.size_and_used().1, 0);
}

#[test]
fn a_stream_that_comes_back_goes_on_and_a_removed_one_begins_anew() {
    let mut world = World::new();
    world.append(b"one");
    world.commit();
    let mut world = world.crash();
    assert_eq!(
        world.ring.attach("cloud", From::New, world.now),
        Ok(world.stream)
    );
    assert_eq!(world.counters().backlog, 1);
    world.ring.remove("cloud", world.now).unwrap();
    let again = world.ring.attach("cloud", From::New, world.now).unwrap();
    assert_ne!(
        again, world.stream,
        "a bit is not given away while masks have it"
    );
    assert_eq!(world.ring.counters(again).backlog, 0);
}

#[test]
fn a_stream_from_the_oldest_record_reads_what_it_never_subscribed_to() {
    let mut world = World::new();
    world.append(b"old");
    world.commit();
    let late = world.ring.attach("late", From::Oldest, world.now).unwrap();
    let new = late.mask() | world.stream.mask();
    world.ring.append(new, world.now, b"new").unwrap();
    let old = world.ring.read(late, world.now).unwrap();
    assert_eq!((old.body, old.subscribed), (&b"old"[..], false));
    let seq = old.seq;
    world.ring.settle(late, seq, Settled::Unwanted, world.now);
    let new = world.ring.read(late, world.now).unwrap();
    assert_eq!((new.body, new.subscribed), (&b"new"[..], true));
    assert_eq!(world.ring.counters(late).stored, 1);
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let mut world = World::new();
    let longest = vec![1; world.ring.record_max()];
    world.append(&longest);
    world.commit();
    assert_eq!(world.drain(), std::slice::from_ref(&longest));
    let longer = [longest, vec![1]].concat();
    let refused = world.ring.append(world.stream.mask(), world.now, &longer);
    assert_eq!(refused, Err(AppendError::TooLong));
}

#[test]
fn a_ring_in_a_file_is_locked_and_comes_back() {
    let folder = std::env::temp_dir().join(format!("weir-ring-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("ring");
    let open = || Ring::open_file(&path, settings(256 << 10), at(0), 7);
    let (mut ring, report) = open().unwrap();
    assert!(report.created);
    assert!(matches!(open(), Err(OpenError::Locked)));
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    ring.append(stream.mask(), at(0), b"one").unwrap();
    ring.close(at(0)).unwrap();
    drop(ring);
    let (mut ring, report) = open().unwrap();
    assert!(report.clean && !report.created);
    assert_eq!(ring.read(stream, at(0)).unwrap().body, b"one");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Fails to write for as long as it is told to.
struct Failing {
    memory: Memory,
    fails: Rc<Cell<bool>>,
}

impl Storage for Failing {
    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        self.memory.read(offset, buf)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.memory.write(offset, bytes)
    }

    fn sync(&mut self) -> Result<(), IoError> {
        if self.fails.get() {
            Err(IoError::Io)
        } else {
            Ok(())
        }
    }
}

/// A ring on a disk that is good until it is told to fail.
fn on_a_failing_disk() -> (World, Rc<Cell<bool>>) {
    let fails = Rc::new(Cell::new(false));
    let storage = Failing {
        memory: Memory::new(256 << 10),
        fails: Rc::clone(&fails),
    };
    let world = World::open(Box::new(storage), settings(256 << 10));
    (world, fails)
}

#[test]
fn a_failing_disk_withholds_what_needs_it_and_is_tried_again() {
    let (mut world, fails) = on_a_failing_disk();
    fails.set(true);
    let first = world.append(b"one");
    assert_eq!(world.ring.commit(world.now), Err(IoError::Io));
    assert!(
        world.ring.attach("late", From::New, world.now).is_ok(),
        "readers go on"
    );
    assert!(world.ring.is_degraded() && world.ring.safe() == first);
    let second = world.append(b"two");
    assert_eq!(world.drain(), [b"one", b"two"]);
    assert!(
        world.ring.safe() > second,
        "what all have settled is safe all the same"
    );
    let third = world.append(b"three");
    let retry = world.ring.next_commit().unwrap();
    assert_eq!(retry, Duration::from_secs(60));
    fails.set(false);
    world.now = at(60_000);
    world.commit();
    assert!(!world.ring.is_degraded() && world.ring.safe() > third);
}

#[test]
fn memory_that_is_trusted_is_safe_while_the_disk_fails_and_never_unsafe_again() {
    let (mut world, fails) = on_a_failing_disk();
    world.ring.trust_memory();
    let first = world.append(b"one");
    assert!(world.ring.safe() == first, "the disk is good");
    fails.set(true);
    assert_eq!(world.ring.commit(world.now), Err(IoError::Io));
    let second = world.append(b"two");
    assert!(world.ring.safe() > second);
    fails.set(false);
    world.now = at(60_000);
    let commit = world.ring.begin_commit(world.now);
    assert!(commit.is_some() && world.ring.safe() > second);
}
