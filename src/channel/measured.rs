//! When a message was measured: what the receiver's date is worth, for all protocols alike.
//!
//! Receivers show a date before they know one: 1980-01-06, where GPS began, which those that write
//! two digits of the year call 2080; 2000-01-01, where their own clock begins. Old ones know the
//! week only up to 1024 of them, and are 19.6 years behind after that.
//!
//! | date of the message | it was measured |
//! | --- | --- |
//! | none | when it arrived |
//! | a multiple of 1024 weeks before now, by 8 weeks more or a day less | those weeks later |
//! | before 2000, or later than any clock is believed | when it arrived |
//! | another one | then |
//!
//! Without a clock that is believed the second line is left out.

#![deny(clippy::arithmetic_side_effects)]

use crate::clock::Now;
use crate::clock::SANE_UNTIL;
use crate::message::Message;
use crate::message::body::measured;
use std::time::Duration;

/// Gives a message the time at which it was measured, or leaves it to its arrival.
pub fn judge(message: &mut Message, now: Now) {
    let Some(date) = message.get("timestamp").map(measured) else {
        return;
    };
    match date.map(|date| (date, moment(date, now))) {
        Some((date, Some(moment))) if date == moment => {}
        Some((_, Some(moment))) => message.set_timestamp(micros(moment)),
        Some((_, None)) | None => message.remove("timestamp"),
    }
}

/// The date that is meant; none: that of its arrival.
fn moment(date: Duration, now: Now) -> Option<Duration> {
    let plausible = (YEAR_2000..SANE_UNTIL).contains(&date);
    weeks_back(date, now).or_else(|| plausible.then_some(date))
}

/// With the weeks that the receiver has lost, where the time of arrival shows that it has.
fn weeks_back(date: Duration, now: Now) -> Option<Duration> {
    let latest = now.wall.since_1970.checked_add(DAY)?;
    let behind = latest.checked_sub(date)?.as_secs();
    let eras = behind.checked_div(ERA.as_secs()).filter(|eras| *eras > 0)?;
    let rest = Duration::from_secs(behind.checked_rem(ERA.as_secs())?);
    let lost = ERA.checked_mul(u32::try_from(eras).ok()?)?;
    let shows = now.wall.trusted && rest < DAY.saturating_add(BUFFERED);
    date.checked_add(lost).filter(|_| shows)
}

/// Since 1970, as a message has it.
pub(super) fn micros(date: Duration) -> u64 {
    u64::try_from(date.as_micros()).unwrap_or(u64::MAX)
}

/// 2000-01-01; no receiver that is in use was made earlier.
const YEAR_2000: Duration = Duration::from_secs(946_684_800);

/// Receivers may be ahead of this clock by as much.
const DAY: Duration = Duration::from_secs(86_400);

/// So old may be what a receiver kept while it was out of reach.
const BUFFERED: Duration = Duration::from_secs(8 * 7 * 86_400);

/// The 1024 weeks after which the week number of GPS is 0 again.
const ERA: Duration = Duration::from_secs(1024 * 7 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::message::Value;

    /// What is left of a date that arrives at the end of 2026.
    fn judged(timestamp: Value, trusted: bool) -> Option<Value> {
        let mut message = Message::new("a").unwrap();
        message.set("timestamp", &timestamp);
        let wall = Wall {
            since_1970: Duration::from_secs(NOW),
            trusted,
        };
        let mono = Duration::from_secs(5);
        judge(
            &mut message,
            Now {
                mono,
                wall,
                ages: trusted,
            },
        );
        message.get("timestamp").map(Value::from)
    }

    const NOW: u64 = 1_798_000_000;
    const ERA_S: u64 = 619_315_200;

    #[test]
    fn a_date_from_before_a_receiver_knew_one_is_left_to_the_arrival() {
        for date in [
            0,
            315_964_800,     // 1980-01-06
            935_280_000,     // 1999-08-22
            946_684_799,     // the last second of 1999
            3_471_638_400,   // 2080-01-05
            253_402_300_799, // the last second of 9999
        ] {
            assert_eq!(judged(Value::U64(date), true), None, "{date}");
            assert_eq!(judged(Value::U64(date), false), None, "{date}");
        }
        assert_eq!(judged("soon".into(), true), None);
    }

    #[test]
    fn lost_weeks_come_back() {
        for (date, meant) in [
            (NOW - ERA_S, NOW),
            (NOW - 2 * ERA_S, NOW),
            (NOW - ERA_S + 86_400, NOW + 86_400),
            (NOW - ERA_S - 7 * 7 * 86_400, NOW - 7 * 7 * 86_400),
        ] {
            assert_eq!(
                judged(Value::U64(date), true),
                Some(Value::U64(meant)),
                "{date}"
            );
        }
        let half = judged(Value::F64((NOW - ERA_S) as f64 + 0.5), true);
        assert_eq!(half, Some(Value::F64(NOW as f64 + 0.5)));
        assert_eq!(
            judged(Value::U64(NOW - ERA_S), false),
            Some(Value::U64(NOW - ERA_S))
        );
    }

    #[test]
    fn another_date_stays_as_it_is() {
        for date in [946_684_800, 1_259_076_464, NOW - 300 * 86_400, NOW + 86_400] {
            assert_eq!(
                judged(Value::U64(date), true),
                Some(Value::U64(date)),
                "{date}"
            );
        }
        assert_eq!(
            judged(Value::F64(1_554_445_625.950_464), true),
            Some(Value::F64(1_554_445_625.950_464))
        );
    }
}
