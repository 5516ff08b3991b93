//! Zones, and what is said where a device shows the time of another one.

use crate::IDENT;
use crate::alarm;
use crate::generator::answer;
use crate::generator::login;
use crate::generator::packet;
use crate::generator::parts;
use crate::location;
use crate::support::a_moment;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::channel::value;
use std::time::Duration;
use weir::channel::gt06::Gt06;
use weir::channel::gt06::Keys;
use weir::channel::gt06::Units;
use weir::message::Value;
use weir::units::UtcOffset;

/// When `location` was measured, by the clock of the device.
const SHOWN: i64 = 1_773_480_413;

fn device(utc_offset: Option<i32>, zone: Option<(u16, bool)>) -> Connection<Gt06> {
    let utc_offset = utc_offset.map(UtcOffset);
    let mut device = Connection::new(Gt06::new(Keys { utc_offset }, Units::Bytes));
    assert_eq!(device.send(&login(IDENT, zone, 1)), answer(1, 1));
    device
}

#[test]
fn the_zone_of_the_login_counts_for_12_and_16_and_the_key_for_all() {
    let east = Some((800, false));
    for (utc_offset, zone, local, others) in [
        (None, None, 0, 0),
        (None, east, 28_800, 0),
        (None, Some((330, true)), -12_600, 0),
        (Some(0), east, 0, 0),
        (Some(-10_800), east, -10_800, -10_800),
    ] {
        let mut device = device(utc_offset, zone);
        for (kind, is_local) in [
            (0x12, true),
            (0x16, true),
            (0x22, false),
            (0x26, false),
            (0xA0, false),
        ] {
            let content = if matches!(kind, 0x16 | 0x26) {
                alarm(1)
            } else {
                location()
            };
            device.send(&packet(kind, &content, 2));
            let message = device.intake.taken.pop().unwrap();
            let ahead = if is_local { local } else { others };
            let expected = Value::U64((SHOWN - ahead) as u64);
            assert_eq!(
                value(&message, "timestamp"),
                expected,
                "{kind:02x} {utc_offset:?} {zone:?}"
            );
        }
    }
}

/// A device sets its clock by what it is told.
#[test]
fn the_time_is_told_only_while_it_is_believed() {
    let mut device = device(Some(3600), None);
    device.intake.is_doubted = true;
    assert_eq!(device.send(&packet(0x8A, &[], 7)), SILENCE);
    assert_eq!(device.make_safe(), SILENCE);
    device.intake.is_doubted = false;
    let utc = packet(0x8A, &[26, 1, 1, 0, 0, 0], 8);
    assert_eq!(device.send(&packet(0x8A, &[], 8)), utc);
    device.send(&packet(0x22, &location(), 9));
    assert_eq!(device.send(&packet(0x8A, &[], 10)), SILENCE, "in its turn");
    assert_eq!(device.intake.malformed, []);
}

/// A location so many seconds away from now; `tail` says whether it comes late.
fn away(device: &Connection<Gt06>, seconds: i64, tail: &[u8]) -> Vec<u8> {
    let now = (a_moment().wall.since_1970 + device.intake.elapsed).as_secs();
    let mut content = parts(now.checked_add_signed(seconds).unwrap()).to_vec();
    content.extend(&location()[6..]);
    content.extend(&[1, 6, 2, 0x12, 0x34, 0, 0xAB, 0xCD]);
    content.extend(tail);
    packet(0x22, &content, 5)
}

#[test]
fn a_time_of_another_zone_is_warned_of_once_a_connection() {
    let mut device = device(None, None);
    for _ in 0..3 {
        device.send(&away(&device, 28_795, &[]));
        device.make_safe();
        device.intake.elapsed += Duration::from_secs(10);
    }
    assert_eq!(device.intake.warnings.len(), 1);
    let said = &device.intake.warnings[0];
    assert!(
        said.contains(IDENT) && said.contains("8 h 00 min ahead"),
        "{said}"
    );
    assert!(said.contains("utc_offset = \"+08:00\""), "{said}");
    assert_eq!(device.intake.taken.len(), 3, "they are taken all the same");
}

#[test]
fn what_may_have_been_kept_is_not_warned_of() {
    for (seconds, tail) in [
        (-18_000, &[1, 0, 1][..]),
        (-18_000, &[]),
        (2, &[]),
        (-600, &[1, 0, 0]),
        (28_800 + 900, &[]),
        (400_000, &[]),
    ] {
        let mut device = device(None, None);
        device.send(&away(&device, seconds, tail));
        assert_eq!(device.intake.warnings, [""; 0], "{seconds} {tail:?}");
    }
    // each minute another ten are sent that were kept
    let mut device = device(None, None);
    for minute in 0..60 {
        device.send(&away(&device, -36_000 + 540 * minute, &[]));
        device.make_safe();
        device.intake.elapsed += Duration::from_secs(60);
    }
    assert_eq!(device.intake.warnings, [""; 0]);
}

#[test]
fn a_time_that_stays_hours_behind_is_warned_of() {
    let mut live = device(None, None);
    live.send(&away(&live, -18_000, &[1, 0, 0]));
    assert_eq!(live.intake.warnings.len(), 1);

    let mut device = device(None, None);
    for second in [0, 10, 20, 30] {
        assert_eq!(device.intake.warnings, [""; 0], "{second}");
        device.send(&away(&device, -18_002, &[]));
        device.make_safe();
        device.intake.elapsed += Duration::from_secs(10);
    }
    let said = &device.intake.warnings[0];
    assert!(
        said.contains("5 h 00 min behind") && said.contains("\"-05:00\""),
        "{said}"
    );
}

#[test]
fn by_a_clock_that_is_not_believed_nothing_is_off() {
    let mut device = device(None, None);
    device.intake.is_doubted = true;
    device.send(&away(&device, 28_800, &[]));
    assert_eq!(device.intake.warnings, [""; 0]);
}
