//! A bus at full load, and one whose frames are made to cost: what a frame costs is bounded.

use crate::support::can_frame;
use crate::support::channel::Connection;
use crate::support::random::Random;
use allocation_counter::measure;
use std::rc::Rc;
use std::time::Duration;
use weir::channel::can::Can;
use weir::channel::can::Keys;
use weir::channel::can::Rhythm;
use weir::channel::can::Standards;
use weir::channel::can::Units;
use weir::channel::can::signals::sorted;
use weir::pattern::Pattern;
use weir::pattern::PatternSet;

fn bus(or_change: &[&str]) -> Connection<Can> {
    Connection::new(Can::new(Rc::new(Keys {
        ident: "truck".into(),
        units: Units::Frames,
        is_paced: false,
        rhythm: Rhythm {
            every: Duration::from_secs(10),
            or_change: PatternSet::new(or_change.iter().map(|it| Pattern::new(it)).collect()),
            stale: Duration::from_secs(60),
        },
        signals: sorted(Vec::new()),
        standards: Standards {
            j1939: true,
            position: true,
            nmea2000: true,
            ..Standards::default()
        },
        request: None,
    })))
}

/// A classic frame of 29 bits as the kernel has it.
fn frame(id: u32, data: [u8; 8]) -> Vec<u8> {
    can_frame::frame(id | 0x8000_0000, &data)
}

/// Groups whose signals are numbers, and as many frames that nobody wants.
fn second_of_a_full_bus() -> Vec<u8> {
    let wanted = [
        0xF004, 0xF003, 0xFEF1, 0xFEF2, 0xFEE9, 0xFEEE, 0xFEC1, 0xFEE5, 0xFEF7, 0xFEEF,
    ];
    let all = (0..8000_u32).map(|number| {
        let pgn = match number % 2 {
            0 => wanted[(number / 2) as usize % wanted.len()],
            _ => 0xFF00 + number % 256,
        };
        let [low, high, ..] = number.to_le_bytes();
        frame(
            pgn << 8,
            [low % 250, high, 1, low % 250, 2, 3, low % 250, 4],
        )
    });
    all.collect::<Vec<_>>().concat()
}

#[test]
fn a_second_of_a_full_bus_allocates_nothing_once_its_signals_are_known() {
    let mut bus = bus(&[]);
    let second = second_of_a_full_bus();
    bus.send(&second);
    let counted = measure(|| {
        for frames in second.chunks(160 * 16) {
            bus.pass(Duration::from_millis(20));
            bus.send(frames);
        }
    });
    // what the test's own connection answers with is no more than one for each piece
    assert!(counted.count_total <= 8000 / 160, "{counted:?}");
    assert!(bus.intake.malformed.is_empty());
}

#[test]
fn frames_that_are_made_to_cost_take_bounded_memory() {
    let mut bus = bus(&["can.*"]);
    let mut random = Random(7);
    let mut taken = 0;
    let counted = measure(|| {
        for _ in 0..40_000 {
            let pgn = match random.below(6) {
                0 => 0xEC00,
                1 => 0xEB00,
                2 => 0xFEF4,
                3 => 0x1_F805,
                4 => 0xFECA,
                _ => 0xFE00 + u32::try_from(random.below(256)).unwrap(),
            };
            let source = u32::try_from(random.below(256)).unwrap();
            let mut data = [0; 8];
            data.fill_with(|| u8::try_from(random.below(256)).unwrap());
            if pgn == 0xEC00 {
                // announcements that fit, of the longest that there are
                data = [0x20, 0xF9, 6, 255, 0xFF, 0xCA, 0xFE, 0];
            }
            bus.send(&frame(pgn << 8 | source, data));
            bus.pass(Duration::from_micros(125));
            taken += bus.intake.taken.len();
            bus.intake.taken.clear();
            bus.intake.batches.clear();
            bus.intake.malformed.clear();
            bus.intake.details.clear();
        }
    });
    assert!(counted.bytes_max < 512 * 1024, "{counted:?}");
    // 5 s of it: at most ten messages a second
    assert!((2..=51).contains(&taken), "{taken}");
}
