//! Every rule, broken: the simulation has to notice.

use super::life;
use crate::ring::From;
use crate::ring::Memory;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::format::low;
use crate::ring::format::seed;
use crate::ring::format::u64_at;
use crate::ring::record::Header;
use crate::ring::record::Kind;
use crate::ring::rules::BROKEN;
use crate::ring::rules::Rule;
use crate::ring::tests::at;
use crate::ring::tests::settings;
use std::panic;

fn is_noticed(rule: Rule, modes: &[u64]) {
    BROKEN.set(Some(rule));
    let noticed = (0..TRIES).any(|seed| {
        let lives = |mode: &u64| panic::catch_unwind(|| life(seed, *mode));
        modes.iter().any(|mode| !matches!(lives(mode), Ok(Ok(_))))
    });
    BROKEN.set(None);
    assert!(noticed, "{rule:?} was broken and nothing happened");
}

macro_rules! rules {
    ($($name:ident: $rule:ident in $modes:expr;)*) => {$(
        #[test]
        fn $name() {
            is_noticed(Rule::$rule, &$modes);
        }
    )*};
}

rules! {
    syncing_again_after_a_failure_is_noticed: NeverSyncAgain in [1];
    cutting_at_the_first_hole_is_noticed: KeepBehindHoles in [2];
    forgetting_the_reservation_is_noticed: SkipReserved in [0];
    cursors_ahead_of_their_records_are_noticed: ClampCursors in [0, 1];
    counting_records_twice_is_noticed: DropOverlaps in [1];
    giving_up_segments_without_header_is_noticed: InferHeaders in [2];
    numbers_after_a_lost_slot_are_noticed: JumpOverLostSlot in [2, 4, 6];
    one_slot_alone_is_noticed: AlternateSlots in [0, 4];
    trusting_what_is_only_in_the_cache_is_noticed: WriteAgain in [1];
    torn_holes_left_open_are_noticed: CoverTornHoles in [0];
    safe_before_the_sync_is_noticed: SafeWhenSynced in [0, 1];
    masks_of_settled_streams_are_noticed: FixMasks in [0];
    counting_what_was_not_written_is_noticed: CountDurable in [1];
    giving_up_before_the_cursors_are_saved_is_noticed: SaveBeforeGivingUp in [0];
    counting_holes_twice_is_noticed: CountHolesOnce in [2];
    a_failed_read_that_is_taken_for_a_hole_is_noticed: FailedReadIsNoHole in [16, 17];
    a_late_stream_that_misses_what_waited_is_noticed: WriteForOlder in [8];
}

/// Two losses in a row are too rare to wait for.
#[test]
fn one_slot_left_lost_is_noticed() {
    assert!(shown_numbers_stay_apart());
    BROKEN.set(Some(Rule::RewriteBothSlots));
    let apart = shown_numbers_stay_apart();
    BROKEN.set(None);
    assert!(!apart);
}

/// Loses the older slot, shows a number, loses the newer one, and asks for the next number.
fn shown_numbers_stay_apart() -> bool {
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
    next > shown
}

/// Numbers betray what an older lap left behind before its seed is asked for, so the simulation
/// never gets that far: a record of another lap is forged, with the number that comes next.
#[test]
fn check_sums_that_know_no_lap_are_noticed() {
    assert!(!forged_record_is_read());
    BROKEN.set(Some(Rule::SeedByGeneration));
    let read = forged_record_is_read();
    BROKEN.set(None);
    assert!(read);
}

fn forged_record_is_read() -> bool {
    let forge = |ring: &mut Ring| {
        let stream = ring.attach("cloud", From::New, at(0)).unwrap();
        ring.append(stream.mask(), at(0), b"mine").unwrap();
        ring.commit(at(0)).unwrap();
        let head = ring.segments.head().unwrap();
        let other_lap = head.generation + u64::from(ring.volume.geometry.segment_count);
        let header = Header {
            body_checksum: 0,
            len: 0,
            kind: Kind::Data,
            mark: 0,
            commit: ring.head.commit,
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
    assert_eq!(bodies[0], b"mine");
    bodies.contains(&b"forged".to_vec())
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

/// Lives that may pass before a broken rule shows.
const TRIES: u64 = 400;
