//! What opening a full ring reads, in bytes: counted, not timed.

use crate::moment::at;
use crate::storage::Counted;
use crate::storage::Sparse;
use crate::traffic::settings;
use std::time::Duration;
use weir::ring::From;
use weir::ring::Report;
use weir::ring::Ring;

#[test]
fn opening_a_full_ring_reads_the_headers_and_one_segment() {
    let small = Full::new(64 << 20, 256 << 10).open();
    let large = Full::new(1 << 30, 512 << 10).open();
    println!("opening reads {small} bytes of 64 MiB, {large} of 1 GiB");
    assert!(
        large <= 4 * small,
        "{large} bytes of 1 GiB, {small} of 64 MiB"
    );
}

/// A ring that has gone round once and stopped, without a word, at the end of a segment.
struct Full {
    disk: Sparse,
    size: u64,
    segment_len: u64,
}

impl Full {
    fn new(size: u64, segment_len: u64) -> Self {
        let disk = Sparse::new(size, segment_len);
        let (storage, counts) = Counted::new(disk.clone());
        let (mut ring, _) = Ring::open(storage, settings(size), at(Duration::ZERO), 7).unwrap();
        let stream = ring.attach("cloud", From::New, at(Duration::ZERO)).unwrap();
        let round = |ring: &Ring| ring.stats().bytes_written > size + size / 50;
        let left = || segment_len - (counts.end.get() - 8192) % segment_len;
        while !round(&ring) {
            write(&mut ring, stream.mask(), 8192);
        }
        while left() > 2 * 300 {
            write(&mut ring, stream.mask(), 250);
        }
        assert!(ring.counters(stream).dropped > 0, "it has gone round");
        Self {
            disk,
            size,
            segment_len,
        }
    }

    /// Opens it as after a power cut; returns how many bytes were read.
    fn open(&self) -> u64 {
        let (storage, counts) = Counted::new(self.disk.clone());
        let now = at(Duration::from_secs(60));
        let (_, report) = Ring::open(storage, settings(self.size), now, 8).unwrap();
        assert_eq!(
            report,
            Report {
                slots: 2,
                read: report.read,
                ..Report::default()
            }
        );
        let read = counts.read.get();
        let segments = (self.size - 8192) / self.segment_len;
        let bound = 2 * 4096 + segments * 512 + self.segment_len;
        assert!(read > self.segment_len, "the head is full");
        assert!(read <= bound, "{read} bytes read, at most {bound}");
        let again = read - report.read;
        assert!(
            again <= 4096 + 300,
            "beside that, the slot and the commit that it writes again"
        );
        read
    }
}

fn write(ring: &mut Ring, mask: weir::ring::StreamSet, len: usize) {
    let now = at(Duration::from_secs(1));
    ring.append(mask, now, &vec![b'x'; len]).unwrap();
    ring.commit(now).unwrap();
}
