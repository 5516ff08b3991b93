//! A pause of a stream, and when it ends: by the clock that never goes back within one run, by the
//! date after a restart. Ends nothing: that is [`super::pauses`].

use crate::clock::Now;
use serde::Deserialize;
use std::time::Duration;

/// A pause of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pause {
    /// None: until it is resumed by hand.
    end: Option<End>,
}

/// When a pause ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    /// By the clock that never goes back.
    mono: Duration,
    /// The same as a date, where there was one.
    date: Option<Duration>,
    /// How long the pause is in all.
    length: Duration,
    /// It began before a restart, and there was no date since: `mono` is not certain.
    is_guessed: bool,
}

impl Pause {
    pub(super) fn begun(length: Option<Duration>, now: Now) -> Self {
        let end = |length| End {
            mono: now.mono.saturating_add(length),
            date: None,
            length,
            is_guessed: false,
        };
        let end = length.map(end);
        Self { end }.dated(now)
    }

    /// As it is kept, after a restart.
    pub(super) fn continued(entry: &Entry, now: Now) -> Self {
        let length = entry.seconds.and_then(time);
        let end = |length| End {
            mono: now.mono.saturating_add(length),
            date: entry.until.and_then(time),
            length,
            is_guessed: true,
        };
        let end = length.map(end);
        Self { end }.dated(now)
    }

    /// With what the date says, where there is one: it makes a guessed end certain, and a certain
    /// end makes a date.
    pub(super) fn dated(self, now: Now) -> Self {
        let dated = |end: End| {
            let date = now.wall.since_1970;
            let ends = date + end.mono.saturating_sub(now.mono);
            match end.date {
                _ if !now.wall.trusted => end,
                Some(until) if end.is_guessed => End {
                    // no clock that was put back makes it longer
                    mono: now.mono + until.saturating_sub(date).min(end.length),
                    is_guessed: false,
                    ..end
                },
                // what differs by less is not worth a write
                Some(until) if until.abs_diff(ends) < SLACK => end,
                _ => End {
                    date: Some(ends),
                    is_guessed: false,
                    ..end
                },
            }
        };
        let end = self.end.map(dated);
        Self { end }
    }

    /// How long it lasts yet; none: until it is ended by hand.
    pub(super) fn left(&self, now: Now) -> Option<Duration> {
        self.end.map(|end| end.mono.saturating_sub(now.mono))
    }

    pub(super) fn entry(&self, stream: &str) -> Entry {
        Entry {
            name: stream.to_owned(),
            seconds: self.end.map(|end| end.length.as_secs_f64()),
            until: self.end.and_then(|end| Some(end.date?.as_secs_f64())),
        }
    }
}

/// As it is kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) seconds: Option<f64>,
    pub(super) until: Option<f64>,
}

fn time(seconds: f64) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(seconds).ok();
    time.filter(|time| *time <= TIME_MAX)
}

/// How far the kept date may be off.
const SLACK: Duration = Duration::from_secs(2);

/// What can be added to a clock: a date has some 60 years yet to come, a pause ten.
const TIME_MAX: Duration = Duration::from_hours(200 * 366 * 24);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    const HOUR: Duration = Duration::from_hours(1);
    const DATE: u64 = 1_800_000_000;

    fn at(mono: u64, date: Option<u64>) -> Now {
        Now {
            mono: Duration::from_secs(mono),
            wall: Wall {
                since_1970: Duration::from_secs(date.unwrap_or(0)),
                trusted: date.is_some(),
            },
            ages: false,
        }
    }

    fn left(pause: Pause, now: Now) -> Option<u64> {
        pause.left(now).map(|left| left.as_secs())
    }

    /// Kept and begun again.
    fn restarted(pause: Pause, now: Now) -> Pause {
        Pause::continued(&pause.entry("a"), now)
    }

    #[test]
    fn a_pause_without_an_end_has_none_after_a_restart() {
        let pause = Pause::begun(None, at(5, Some(DATE)));
        assert_eq!(left(restarted(pause, at(1, None)), at(9, None)), None);
    }

    #[test]
    fn the_date_decides_after_a_restart() {
        let pause = Pause::begun(Some(HOUR), at(5, Some(DATE)));
        let again = at(1, Some(DATE + 600));
        assert_eq!(left(restarted(pause, again), again), Some(3000));
        let late = at(1, Some(DATE + 4000));
        assert_eq!(left(restarted(pause, late), late), Some(0));
        let back = at(1, Some(DATE - 90_000));
        assert_eq!(left(restarted(pause, back), back), Some(3600));
    }

    #[test]
    fn without_a_date_the_pause_begins_again_until_there_is_one() {
        let pause = Pause::begun(Some(HOUR), at(5, Some(DATE)));
        let pause = restarted(pause, at(10, None));
        assert_eq!(left(pause, at(110, None)), Some(3500));
        let known = at(110, Some(DATE + 3000));
        assert_eq!(left(pause.dated(known), known), Some(600));
        // there was none at all
        let pause = Pause::begun(Some(HOUR), at(5, None));
        let pause = restarted(pause, at(10, Some(DATE)));
        assert_eq!(left(pause, at(10, Some(DATE))), Some(3600));
        let pause = restarted(pause, at(3, Some(DATE + 3599)));
        assert_eq!(left(pause, at(3, None)), Some(1));
    }

    #[test]
    fn a_date_that_is_set_moves_no_end_within_one_run() {
        let pause = Pause::begun(Some(HOUR), at(5, Some(DATE)));
        let later = at(605, Some(DATE + 90_000));
        let pause = pause.dated(later);
        assert_eq!(left(pause, later), Some(3000));
        let again = at(1, Some(DATE + 90_000 + 1000));
        assert_eq!(left(restarted(pause, again), again), Some(2000));
    }

    #[test]
    fn figures_that_are_none_give_no_end() {
        for seconds in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            let entry = Entry {
                name: String::new(),
                seconds: Some(seconds),
                until: Some(seconds),
            };
            let pause = Pause::continued(&entry, at(1, Some(DATE)));
            assert_eq!(left(pause, at(1, Some(DATE))), None, "{seconds}");
        }
    }
}
