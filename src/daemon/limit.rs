//! A limit on log lines of the same kind: what goes wrong on each message is said now and then,
//! and what goes on for long more and more seldom.

use crate::clock::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// When each kind of line was last written, and how many were not since.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    kinds: BTreeMap<&'static str, (Duration, u64)>,
}

impl Limiter {
    /// Whether a line of this kind may be written now: then how many were left out before it.
    pub(super) fn admit(&mut self, kind: &'static str, now: Now) -> Option<u64> {
        match self.kinds.get_mut(kind) {
            Some((last, hidden)) if now.mono < *last + EVERY => {
                *hidden += 1;
                None
            }
            Some((last, hidden)) => {
                *last = now.mono;
                Some(std::mem::take(hidden))
            }
            None => {
                self.kinds.insert(kind, (now.mono, 0));
                Some(0)
            }
        }
    }
}

/// What is said again and again, more seldom each time while it goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// When it was said last, and how long it is not said again.
    said: Option<(Duration, Duration)>,
}

impl Pace {
    /// Whether it may be said now: first after `least`, then after twice as long each time, `most`
    /// in the end. What was away for long begins anew.
    pub(super) fn admit(&mut self, now: Duration, least: Duration, most: Duration) -> bool {
        let pause = match self.said {
            Some((at, pause)) if now < at + pause => return false,
            Some((at, pause)) if now < at + 2 * pause.max(AWAY / 2) => (2 * pause).min(most),
            _ => least,
        };
        self.said = Some((now, pause));
        true
    }
}

/// Log lines of each kind, and how many were left out of it.
#[derive(Debug, Default)]
pub(super) struct LineLimiter(BTreeMap<&'static str, (Pace, u64)>);

impl LineLimiter {
    /// Whether a line of this kind may be written now: then how many were left out before it.
    pub(super) fn admit(&mut self, kind: &'static str, now: Now) -> Option<u64> {
        let (pace, hidden) = self.0.entry(kind).or_default();
        if pace.admit(now.mono, EVERY, LINE_EVERY_MAX) {
            return Some(std::mem::take(hidden));
        }
        *hidden += 1;
        None
    }
}

/// What lasts: said at once and when it changes, and else only now and then.
#[derive(Debug, Default)]
pub(super) struct Lasting(Option<(Box<str>, Duration)>);

impl Lasting {
    /// Whether a line may be written, `every` so long at most where it stays the same; zero: once.
    pub(super) fn admit(&mut self, text: &str, now: Duration, every: Duration) -> bool {
        if let Some((said, at)) = &self.0
            && **said == *text
            && (every.is_zero() || now < *at + every)
        {
            return false;
        }
        self.0 = Some((text.into(), now));
        true
    }

    /// Whether something lasts.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// It is over; whether it was there.
    pub(super) fn end(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// What the end of a line says of those that were left out before it.
pub(super) fn left_out(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(" ({count} more before)"),
    }
}

/// One of a kind in this time.
const EVERY: Duration = Duration::from_secs(10);

/// Of what goes on and on, one line in this time.
const LINE_EVERY_MAX: Duration = Duration::from_hours(1);

/// What has not happened for so long, and twice its own pause, is news.
const AWAY: Duration = Duration::from_mins(20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    #[test]
    fn lines_of_a_kind_are_written_now_and_then_and_counted_between() {
        let at = |secs| Now {
            mono: Duration::from_secs(secs),
            wall: Wall {
                since_1970: Duration::ZERO,
                trusted: false,
            },
            ages: true,
        };
        let mut limiter = Limiter::default();
        assert_eq!(limiter.admit("crc", at(0)), Some(0));
        assert_eq!(limiter.admit("crc", at(1)), None);
        assert_eq!(limiter.admit("ident", at(1)), Some(0));
        assert_eq!(limiter.admit("crc", at(9)), None);
        assert_eq!(limiter.admit("crc", at(11)), Some(2));
        assert_eq!(limiter.admit("crc", at(30)), Some(0));
    }

    #[test]
    fn what_goes_on_for_a_day_is_said_thirty_times_and_anew_after_a_while() {
        let mut pace = Pace::default();
        let (least, most) = (Duration::from_secs(10), Duration::from_hours(1));
        let mut admit = |second| pace.admit(Duration::from_secs(second), least, most);
        assert!(admit(0) && !admit(9) && admit(11) && !admit(30) && admit(31));
        let said = (0..86_400)
            .step_by(300)
            .skip(1)
            .filter(|at| admit(*at))
            .count();
        assert!((24..40).contains(&said), "{said}");
        assert!(!admit(86_400 + 60));
        let later = 86_400 + 3 * 3_600;
        assert!(admit(later) && !admit(later + 9) && admit(later + 10));
    }

    #[test]
    fn what_lasts_is_said_at_once_when_it_changes_and_now_and_then() {
        let (at, minute) = (Duration::from_secs, Duration::from_mins(1));
        let mut trouble = Lasting::default();
        assert!(!trouble.end());
        assert!(trouble.admit("in use", at(0), minute));
        assert!(!trouble.admit("in use", at(59), minute));
        assert!(trouble.admit("no such address", at(59), minute));
        assert!(!trouble.admit("no such address", at(118), minute));
        assert!(trouble.admit("no such address", at(119), minute));
        assert!(!trouble.admit("no such address", at(9000), Duration::ZERO));
        assert!(trouble.end() && !trouble.is_there());
        assert!(trouble.admit("no such address", at(9001), minute));
    }
}
