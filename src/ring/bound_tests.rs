//! Opening reads no more of a large ring than it has to, and its bytes are what they always were.

use super::record::TimeBase;
use super::tests::at;
use super::tests::settings;
use super::*;
use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;

/// Zeros but for the pages that were written; counts what is read.
#[derive(Clone)]
struct Sparse {
    len: u64,
    pages: Rc<RefCell<BTreeMap<u64, [u8; PAGE]>>>,
    read: Rc<Cell<u64>>,
}

impl Sparse {
    fn new(len: u64) -> Self {
        let (pages, read) = Default::default();
        Self { len, pages, read }
    }
}

impl Storage for Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        self.read.set(self.read.get() + buf.len() as u64);
        let pages = self.pages.borrow();
        for (at, byte) in (offset..).zip(buf) {
            let page = pages.get(&(at / PAGE as u64));
            *byte = page.map_or(0, |page| page[place(at)]);
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        let mut pages = self.pages.borrow_mut();
        for (at, byte) in (offset..).zip(bytes) {
            pages.entry(at / PAGE as u64).or_insert([0; PAGE])[place(at)] = *byte;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), IoError> {
        Ok(())
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at % PAGE as u64).unwrap()
}

/// Bytes that opening a full ring of `size` reads; only its head has records, for the others have
/// nothing to say to those who read no more than their headers.
fn read_at_opening(size: u64) -> u64 {
    let disk = Sparse::new(size);
    let opened = Ring::open(Box::new(disk.clone()), settings(size), at(0), 7);
    let (mut ring, _) = opened.unwrap();
    let stream = ring.attach("cloud", From::New, at(0)).unwrap();
    let geometry = ring.volume.geometry;
    for seq in 1..=u64::from(geometry.segment_count) {
        let header = ring.open_segment(seq, TimeBase::default());
        let offset = geometry.offset(ring.active.generation);
        disk.clone().write(offset, &header).unwrap();
    }
    ring.progress.begin_at(10_000);
    let body = [7; 1000];
    while ring.active.end + 1100 < geometry.segment_len {
        ring.append(stream.mask(), at(0), &body).unwrap();
        ring.commit(at(0)).unwrap();
    }
    drop(ring);
    disk.read.set(0);
    let (ring, report) = Ring::open(Box::new(disk.clone()), settings(size), at(0), 7).unwrap();
    assert_eq!(ring.segments.len(), geometry.segment_count as usize);
    assert_eq!((report.inferred, report.slots), (0, 2));
    assert!(ring.counters(stream).backlog > 200);
    let headers = u64::from(geometry.segment_count + 2) * segment::HEADER_LEN as u64;
    let bound = headers + format::SEGMENTS_AT + u64::from(geometry.segment_len);
    assert!(disk.read.get() <= bound, "{} of {bound}", disk.read.get());
    disk.read.get()
}

#[test]
fn opening_a_full_gibibyte_reads_at_most_four_times_what_64_mebibytes_take() {
    let (small, large) = (read_at_opening(64 << 20), read_at_opening(1 << 30));
    println!("opening reads {small} of 64 MiB and {large} of 1 GiB");
    assert!(large <= 4 * small, "{large} and {small}");
}

/// Rows of 32 bytes that are not all zeros.
fn rows(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, row) in bytes.chunks(32).enumerate() {
        if row.iter().any(|byte| *byte != 0) {
            write!(text, "{:05x}", index * 32).unwrap();
            for part in row.chunks(4) {
                write!(text, " ").unwrap();
                for byte in part {
                    write!(text, "{byte:02x}").unwrap();
                }
            }
            text.push('\n');
        }
    }
    text
}

/// Two records, and a mark between them: the date was learned.
#[test]
fn a_ring_has_the_bytes_that_it_always_had() {
    let size = 8192 + 8 * 8192;
    let disk = Sparse::new(size);
    let mut early = at(1000);
    early.wall.trusted = false;
    let id = 0x0102_0304_0506_0708;
    let opened = Ring::open(Box::new(disk.clone()), settings(size), early, id);
    let mut ring = opened.unwrap().0;
    let cloud = ring.attach("cloud", From::New, early).unwrap();
    let depot = ring.attach("depot", From::Oldest, early).unwrap();
    let both = cloud.mask() | depot.mask();
    ring.append(both, early, b"first").unwrap();
    ring.append(depot.mask(), at(2000), b"the second").unwrap();
    ring.commit(at(2000)).unwrap();
    let seq = ring.read(cloud, at(3000)).unwrap().seq;
    ring.settle(cloud, seq, Settled::Accepted, at(3000));
    ring.close(at(3000)).unwrap();
    let mut bytes = vec![0; usize::try_from(size).unwrap()];
    disk.clone().read(0, &mut bytes).unwrap();
    let rows = rows(&bytes);
    assert_eq!(
        rows,
        include_str!("golden.hex"),
        "the format changed:\n{rows}"
    );
}

const PAGE: usize = 4096;
