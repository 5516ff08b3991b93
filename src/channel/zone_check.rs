//! Notices a device whose clock shows the time of another zone than its channel goes by: nothing
//! else tells an owner why all of its positions are hours early or late.
//!
//! A zone is whole half hours away. So is now and then what a device kept while it was out of
//! reach; that is of the past, and its distance from now changes from one message to the next.

use super::Intake;
use crate::units::UtcOffset;
use std::time::Duration;

/// What is known of the times of one device.
#[derive(Debug, Default)]
pub(super) struct ZoneCheck {
    /// When a time was first as far away as all since, and how far, in seconds.
    since: Option<(Duration, i64)>,
    /// It is said once a connection.
    is_said: bool,
}

/// A time that a device showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// Seconds since 1970 in the zone that its channel goes by.
    pub(super) local_s: i64,
    /// That zone.
    pub(super) zone: UtcOffset,
    /// Whether the device says that it shows the present.
    pub(super) is_live: bool,
}

impl ZoneCheck {
    /// The time in microseconds since 1970 UTC, none before that; warns where it can only be that
    /// of another zone.
    pub(super) fn utc(
        &mut self,
        ident: &str,
        shown: Shown,
        intake: &mut dyn Intake,
    ) -> Option<u64> {
        let time_s = shown.local_s - i64::from(shown.zone.0);
        let since_1970 = u64::try_from(time_s).ok()?;
        self.see(ident, time_s, shown, intake);
        Some(since_1970 * 1_000_000)
    }

    fn see(&mut self, ident: &str, time_s: i64, shown: Shown, intake: &mut dyn Intake) {
        let now = intake.now();
        if self.is_said || !now.wall.trusted {
            return;
        }
        let present = i64::try_from(now.wall.since_1970.as_secs()).unwrap_or(i64::MAX);
        let off = time_s.saturating_sub(present);
        if !is_of_another_zone(off) {
            self.since = None;
            return;
        }
        // what is to come was not kept
        if off > 0 || shown.is_live || self.goes_on(off, now.mono) {
            self.is_said = true;
            intake.warn(&told(ident, off, shown.zone));
        }
    }

    /// Whether times have been as far away for long enough.
    fn goes_on(&mut self, off: i64, mono: Duration) -> bool {
        match self.since {
            Some((since, first)) if first.abs_diff(off) <= STEADY => {
                mono.saturating_sub(since) >= LONG
            }
            _ => {
                self.since = Some((mono, off));
                false
            }
        }
    }
}

fn is_of_another_zone(off: i64) -> bool {
    let distance = off.unsigned_abs();
    let beyond = distance % HALF_HOUR;
    let is_near = beyond.min(HALF_HOUR - beyond) <= NEAR;
    is_near && (HALF_HOUR - NEAR..=FARTHEST + NEAR).contains(&distance)
}

fn told(ident: &str, off: i64, zone: UtcOffset) -> String {
    let half_hours = (off.unsigned_abs() + HALF_HOUR / 2) / HALF_HOUR;
    let (hours, minutes) = (half_hours / 2, half_hours % 2 * 30);
    let side = if off > 0 { "ahead of" } else { "behind" };
    let far = i32::try_from(half_hours * HALF_HOUR).unwrap_or_default();
    let meant = zone.0 + if off > 0 { far } else { -far };
    let hint = match UtcOffset::new(meant) {
        Some(meant) => format!("`utc_offset = \"{meant}\"`"),
        None => "another `utc_offset`".to_owned(),
    };
    let off = format!("{hours} h {minutes:02} min {side}");
    format!("the time of `{ident}` is {off} this clock: {hint} may be missing")
}

/// Seconds; all zones differ by whole ones.
const HALF_HOUR: u64 = 1800;

/// So near to a whole one, in seconds, is what was measured just now.
const NEAR: u64 = 60;

/// Zones are farther apart nowhere, in seconds.
const FARTHEST: u64 = 26 * 3600;

/// So little, in seconds, changes the distance of what comes as it is measured.
const STEADY: u64 = 10;

/// So long has what is of the past to be as far away.
const LONG: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_told_by_their_half_hours() {
        for off in [
            1800,
            -3600,
            8 * 3600 + 59,
            -(5 * 3600 + 1800 - 59),
            26 * 3600,
        ] {
            assert!(is_of_another_zone(off), "{off}");
        }
        for off in [
            0,
            59,
            -60,
            900,
            8 * 3600 + 61,
            27 * 3600,
            i64::MIN,
            i64::MAX,
        ] {
            assert!(!is_of_another_zone(off), "{off}");
        }
    }

    #[test]
    fn the_offset_that_may_be_missing_is_told() {
        let told = |off, zone| told("1", off, UtcOffset(zone));
        let ahead = "the time of `1` is 8 h 00 min ahead of this clock: \
                     `utc_offset = \"+08:00\"` may be missing";
        assert_eq!(told(28_803, 0), ahead);
        let behind = "the time of `1` is 3 h 30 min behind this clock: \
                      `utc_offset = \"-02:30\"` may be missing";
        assert_eq!(told(-12_580, 3600), behind);
        assert!(told(26 * 3600, 3600).ends_with("another `utc_offset` may be missing"));
    }
}
