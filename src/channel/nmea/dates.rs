//! The day that a time of day belongs to.

use crate::clock;
use crate::clock::Now;
use crate::message::timestamp::from_calendar;
use crate::wire::nmea::Date;
use std::time::Duration;

/// Microseconds since 1970 of a time on a day; none where the month has no such day.
pub(super) fn micros(date: Date, time: u64) -> Option<u64> {
    let date = [date.year, date.month, date.day].map(u64::cast_signed);
    let midnight = u64::try_from(from_calendar(date, [0; 3])?).ok()?;
    midnight.checked_mul(1_000_000)?.checked_add(time)
}

/// The day after.
pub(super) fn after(date: Date) -> Option<Date> {
    let Date { year, month, day } = date;
    let tries = [
        (year, month, day.saturating_add(1)),
        (year, month.saturating_add(1), 1),
        (year.saturating_add(1), 1, 1),
    ];
    let mut dates = tries
        .into_iter()
        .map(|(year, month, day)| Date { year, month, day });
    dates.find(|date| date.month <= 12 && micros(*date, 0).is_some())
}

/// The day on which this time of day is nearest to a moment, in microseconds since 1970.
pub(super) fn nearest(time: u64, moment: u64) -> Option<Date> {
    let moment = moment.saturating_add(HALF_DAY).saturating_sub(time);
    let days = moment.checked_div(DAY)?;
    let shown = clock::Date(Duration::from_micros(days.saturating_mul(DAY))).to_string();
    let mut parts = shown.split('-').map(str::parse);
    let (year, month) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let day = parts.next()?.ok()?;
    Some(Date { year, month, day })
}

/// Now; none while the clock is not believed.
pub(super) fn wall(now: Now) -> Option<u64> {
    let micros = u64::try_from(now.wall.since_1970.as_micros()).ok();
    micros.filter(|_| now.wall.trusted)
}

/// In microseconds.
const DAY: u64 = 86_400 * 1_000_000;
pub(super) const HALF_DAY: u64 = DAY / 2;
