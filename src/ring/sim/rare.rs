//! What is too rare in the lives of a ring to wait for: made on purpose.

use crate::ring::From;
use crate::ring::Memory;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::format::low;
use crate::ring::format::seed;
use crate::ring::format::u64_at;
use crate::ring::record::RecordHeader;
use crate::ring::record::RecordKind;
use crate::ring::tests::at;
use crate::ring::tests::settings;

/// Two losses in a row: the older slot is lost, a number shown, the newer slot lost, and the next
/// number asked for.
#[test]
fn a_number_that_was_shown_is_given_to_nobody_else() {
    let disk = Memory::new(256 << 10);
    let attach = |ring: &mut Ring| ring.attach("cloud", From::New, at(0)).unwrap();
    let bytes = with_ring(disk, |ring| {
        attach(ring);
    });
    let newest = |bytes: &[u8]| u64_at(bytes, 16) < u64_at(bytes, 4096 + 16);
    let lose = |mut bytes: Vec<u8>, second: bool| {
        bytes[usize::from(second) * 4096 + 100] ^= 1;
        Memory::from(bytes)
    };
    let older = !newest(&bytes);
    let mut shown = Seq(0);
    let show = |ring: &mut Ring| {
        let stream = attach(ring);
        shown = ring.append(stream.mask(), at(0), b"shown").unwrap();
    };
    let bytes = with_ring(lose(bytes, older), show);
    let newer = newest(&bytes);
    let mut next = Seq(0);
    with_ring(lose(bytes, newer), |ring| {
        next = Seq(ring.progress.next_seq())
    });
    assert!(next > shown);
}

/// Numbers betray what an older lap left behind before its seed is asked for: a record of another
/// lap is forged, with the number that comes next.
#[test]
fn a_record_of_another_lap_is_not_read() {
    let forge = |ring: &mut Ring| {
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        ring.append(stream.mask(), at(0), b"mine").unwrap();
        ring.commit(at(0)).unwrap();
        let head = ring.segments.newest().unwrap();
        let other_lap = head.generation + u64::from(ring.volume.geometry.segment_count);
        let header = RecordHeader {
            body_checksum: 0,
            len: 0,
            kind: RecordKind::Data,
            mark: 0,
            commit: ring.active.commit,
            seq_low: low(ring.progress.next_seq()),
            mask: stream.mask().0,
            elapsed_ms: 0,
        };
        let mut forged = Vec::new();
        let seed = seed(ring.volume.id, other_lap, head.first_seq);
        header.write(seed, b"forged", &mut forged);
        let at = ring.volume.geometry.offset(head.generation) + u64::from(head.end);
        ring.volume.storage.write(at, &forged).unwrap();
    };
    let bytes = with_ring(Memory::new(256 << 10), forge);
    let mut bodies = Vec::new();
    with_ring(Memory::from(bytes), |ring| {
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        while let Some(record) = ring.read(stream, at(0)) {
            bodies.push(record.body.to_vec());
        }
    });
    assert_eq!(bodies, [b"mine"]);
}

/// Opens a ring, works on it, and ends without a word; returns what is on disk.
fn with_ring(disk: Memory, work: impl FnOnce(&mut Ring)) -> Vec<u8> {
    let settings = settings(256 << 10);
    let (mut ring, _) = Ring::open(Box::new(disk), settings, at(0), 7).unwrap();
    work(&mut ring);
    let mut bytes = vec![0; 256 << 10];
    ring.volume.storage.read(0, &mut bytes).unwrap();
    bytes
}
