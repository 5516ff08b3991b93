//! When a record was received, said by clocks that started in 1970. Reads no clock.

use super::Ring;
use super::record::TimeBase;
use super::slot::BOOTS_MAX;
use super::slot::Boot;
use super::slot::Slot;
use crate::clock::Now;
use crate::clock::Wall;
use crate::clock::is_sane;
use std::time::Duration;

/// The boots whose beginning is known, and the present one.
#[derive(Clone, Debug, Default)]
pub(super) struct Boots {
    /// The present one.
    pub(super) current: u32,
    /// Oldest first. The beginning is what the last date that was believed in that boot makes of
    /// it; a boot whose date was doubted after that has none.
    pub(super) known: Vec<Boot>,
    /// The last date by which ages counted.
    pub(super) trusted_ms: u64,
    /// What records numbered below say of the date does not count: an earlier one was believed
    /// after them.
    pub(super) overruled: u64,
    /// Rises when records may have other dates than before.
    version: u64,
    /// The last date that was believed when a slot was made.
    saved_ms: u64,
}

/// What was learned of the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// Nothing that a slot does not say already.
    Nothing,
    /// That it goes on.
    Later,
    /// What it is, or that it was wrong: to be on disk before anything is judged by it.
    News,
}

impl Boots {
    /// Those of a new ring.
    pub(super) fn first() -> Self {
        Self {
            current: 1,
            ..Self::default()
        }
    }

    /// Those of a ring that was opened for the `current`th time, by the slot and the last date that
    /// could be believed.
    pub(super) fn remembered(current: u32, slot: Option<&Slot>, trusted_ms: u64) -> Self {
        Self {
            current,
            known: slot.map(|slot| slot.boots.clone()).unwrap_or_default(),
            trusted_ms,
            overruled: slot.map_or(0, |slot| slot.overruled),
            ..Self::default()
        }
    }

    /// Takes note of the date; records from `next_seq` on are received later.
    pub(super) fn note(&mut self, now: Now, next_seq: u64) -> Learned {
        let wall_ms = millis(now.wall.since_1970);
        if !now.wall.trusted {
            return self.contradict(now);
        }
        if wall_ms.saturating_add(STEP_MS) < self.trusted_ms {
            self.trusted_ms = wall_ms;
            self.overruled = next_seq;
        }
        // one from the future would be expected after the next start
        if now.ages {
            self.trusted_ms = self.trusted_ms.max(wall_ms);
        }
        let zero_ms = wall_ms.saturating_sub(millis(now.mono));
        let before = self.zero(self.current).map(millis);
        match before.map(|before| before.abs_diff(zero_ms)) {
            Some(..=DRIFT_MS) if self.trusted_ms < self.saved_ms.saturating_add(SAVE_MS) => {
                Learned::Nothing
            }
            Some(..=DRIFT_MS) => Learned::Later,
            Some(..=STEP_MS) => {
                self.begin(zero_ms);
                Learned::Later
            }
            _ => {
                self.begin(zero_ms);
                Learned::News
            }
        }
    }

    /// A date that is doubted, and is not what it should be by now, speaks against the beginning
    /// of this boot. One that cannot be says nothing.
    fn contradict(&mut self, now: Now) -> Learned {
        let date = now.wall.since_1970;
        let expected = self.zero(self.current).map(|zero| zero + now.mono);
        let is_other = expected.is_some_and(|expected| millis(expected.abs_diff(date)) > STEP_MS);
        if !is_other || !is_sane(date) {
            return Learned::Nothing;
        }
        let current = self.current;
        self.known.retain(|boot| boot.number != current);
        self.version += 1;
        Learned::News
    }

    fn begin(&mut self, zero_ms: u64) {
        let number = self.current;
        self.known.retain(|boot| boot.number != number);
        if self.known.len() >= BOOTS_MAX {
            self.known.remove(0);
        }
        self.known.push(Boot { number, zero_ms });
        self.version += 1;
    }

    /// A slot is made that says all this.
    pub(super) fn saved(&mut self) {
        self.saved_ms = self.trusted_ms;
    }

    /// Records have the same dates and ages for as long as this is the same.
    pub(super) fn dates(&self, now: Now) -> Dates {
        Dates {
            version: self.version,
            trusted: now.wall.trusted,
            ages: now.ages,
        }
    }

    /// What times of records that are received now count from.
    pub(super) fn base(&self, now: Now) -> TimeBase {
        TimeBase {
            boot: self.current,
            trusted: now.wall.trusted,
            mono_ms: millis(now.mono),
            wall_ms: millis(now.wall.since_1970),
        }
    }

    /// When a record was received, as its base says it.
    pub(super) fn arrival(base: Option<TimeBase>, elapsed_ms: u32) -> Arrival {
        let Some(base) = base else {
            return Arrival::default();
        };
        let after = |ms: u64| ms.saturating_add(elapsed_ms.into()).saturating_mul(1000);
        Arrival {
            boot: base.boot,
            mono_us: after(base.mono_ms),
            date_us: after(base.wall_ms),
            trusted: base.trusted,
        }
    }

    /// The same of a record that is still in memory.
    pub(super) fn fresh(&self, received: Now) -> Arrival {
        Arrival {
            boot: self.current,
            mono_us: micros(received.mono),
            date_us: micros(received.wall.since_1970),
            trusted: received.wall.trusted,
        }
    }

    /// The date at which a record was received, and how long ago that was.
    pub(super) fn resolve(&self, arrival: Arrival, now: Now) -> Received {
        let wall = self.date(arrival, now);
        if arrival.boot == self.current {
            let age = now.mono.saturating_sub(arrival.mono());
            return Received { wall, age };
        }
        let since = self.since(arrival).filter(|_| now.ages);
        let age = since.map_or(Duration::ZERO, |since| {
            now.wall.since_1970.saturating_sub(since)
        });
        Received { wall, age }
    }

    /// The date that was believed then, or the one that was learned later. One that is still to
    /// come is none.
    fn date(&self, arrival: Arrival, now: Now) -> Wall {
        let end = now.wall.since_1970 + Duration::from_millis(STEP_MS);
        let is_past = |date: &Duration| !now.wall.trusted || *date <= end;
        let own = Some(arrival.date()).filter(|_| arrival.trusted);
        let learned = self.learned(arrival);
        let known = own.filter(is_past).or(learned.filter(is_past));
        Wall {
            since_1970: known.unwrap_or(arrival.date()),
            trusted: known.is_some(),
        }
    }

    /// The latest date at which a record can have been received, by all that is known, so that
    /// nothing expires by a date that was wrong then.
    fn since(&self, arrival: Arrival) -> Option<Duration> {
        let own = Some(arrival.date()).filter(|_| arrival.trusted);
        // It came before the ring was opened in a later boot whose beginning is known; or the
        // machine was not started between, and that is the beginning of both.
        let after = || self.known.iter().find(|known| known.number > arrival.boot);
        own.max(self.learned(arrival))
            .or_else(|| after().map(|boot| Duration::from_millis(boot.zero_ms) + arrival.mono()))
            .filter(|_| arrival.boot != 0)
    }

    fn learned(&self, arrival: Arrival) -> Option<Duration> {
        self.zero(arrival.boot).map(|zero| zero + arrival.mono())
    }

    fn zero(&self, boot: u32) -> Option<Duration> {
        let known = self.known.iter().find(|known| known.number == boot);
        known.map(|known| Duration::from_millis(known.zero_ms))
    }
}

impl Ring {
    /// The date at which a record was received, and how long ago that was, by what is known now.
    #[must_use]
    pub fn received(&self, arrival: Arrival, now: Now) -> (Wall, Duration) {
        let received = self.boots.resolve(arrival, now);
        (received.wall, received.age)
    }

    /// For as long as this is the same, [`Ring::received`] gives the same dates.
    #[must_use]
    pub fn dates(&self, now: Now) -> Dates {
        self.boots.dates(now)
    }

    /// Takes note of the date, and has it written soon where that is news.
    pub fn note_date(&mut self, now: Now) {
        match self.boots.note(now, self.progress.next_seq()) {
            Learned::Nothing => {}
            Learned::Later => self.slots.note_counter_changed(now.mono),
            Learned::News => self.slots.note_date_learned(now.mono),
        }
    }
}

/// When a record was received, as the clocks of that moment said it. Its date is found by
/// [`super::Ring::received`], each time anew: it may be known later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// 0: not known.
    boot: u32,
    trusted: bool,
    mono_us: u64,
    date_us: u64,
}

impl Arrival {
    fn mono(self) -> Duration {
        Duration::from_micros(self.mono_us)
    }

    fn date(self) -> Duration {
        Duration::from_micros(self.date_us)
    }
}

/// What the dates of records depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    version: u64,
    trusted: bool,
    ages: bool,
}

/// When a record was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) wall: Wall,
    pub(super) age: Duration,
}

/// Milliseconds after `base` at which something was received; none if it has to be said anew.
pub(super) fn elapsed(base: &TimeBase, received: &TimeBase) -> Option<u32> {
    let elapsed_ms = received.mono_ms.checked_sub(base.mono_ms)?;
    let expected_ms = base.wall_ms.saturating_add(elapsed_ms);
    let steady = received.wall_ms.abs_diff(expected_ms) <= DRIFT_MS || !base.trusted;
    let same = base.boot == received.boot && base.trusted == received.trusted && steady;
    u32::try_from(elapsed_ms)
        .ok()
        .filter(|elapsed_ms| same && *elapsed_ms < ELAPSED_MAX_MS)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The date may drift by this much from the monotonic clock before a mark says it anew.
const DRIFT_MS: u64 = 1_000;
/// … and by this much before it is another date.
const STEP_MS: u64 = 60_000;
/// The last date that was believed lags by as much on disk, where no record says it.
const SAVE_MS: u64 = 3_600_000;
const ELAPSED_MAX_MS: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    fn now(mono_s: u64, wall: Option<u64>) -> Now {
        let since_1970 = Duration::from_secs(wall.unwrap_or(mono_s));
        let trusted = wall.is_some();
        let wall = Wall {
            since_1970,
            trusted,
        };
        Now {
            mono: Duration::from_secs(mono_s),
            wall,
            ages: trusted,
        }
    }

    /// A date that is doubted.
    fn doubted(mono_s: u64, date: u64) -> Now {
        let mut now = now(mono_s, Some(date));
        (now.wall.trusted, now.ages) = (false, false);
        now
    }

    fn boots(current: u32) -> Boots {
        Boots {
            current,
            ..Boots::default()
        }
    }

    fn arrival(boots: &Boots, then: Now) -> Arrival {
        Boots::arrival(Some(boots.base(then)), 0)
    }

    fn date(boots: &Boots, arrival: Arrival, now: Now) -> Option<u64> {
        let wall = boots.resolve(arrival, now).wall;
        wall.trusted.then_some(wall.since_1970.as_secs())
    }

    const DATE: u64 = 1_800_000_000;

    #[test]
    fn a_date_learned_later_dates_what_came_before_it() {
        let mut boots = boots(1);
        let base = boots.base(now(10, None));
        let early = Boots::arrival(Some(base), 5_000);
        assert_eq!(date(&boots, early, now(20, None)), None);
        let known = now(100, Some(DATE + 100));
        assert_eq!(boots.note(known, 1), Learned::News);
        assert_eq!(date(&boots, early, known), Some(DATE + 15));
        assert_eq!(boots.resolve(early, known).age, Duration::from_secs(85));
    }

    #[test]
    fn what_an_earlier_boot_never_dated_ages_from_the_first_trusted_moment() {
        let early = arrival(&boots(1), now(10, None));
        let mut later = boots(2);
        let age = |later: &Boots, now| later.resolve(early, now).age.as_secs();
        assert_eq!(age(&later, now(50, None)), 0);
        later.note(now(100, Some(DATE + 100)), 1);
        let last = now(700, Some(DATE + 700));
        assert_eq!((age(&later, last), date(&later, early, last)), (690, None));
    }

    #[test]
    fn a_later_step_forward_makes_nothing_older_than_it_is() {
        let mut boots = boots(1);
        let stale = now(10, Some(DATE));
        boots.note(stale, 1);
        let early = arrival(&boots, stale);
        assert_eq!(
            boots.note(now(20, Some(DATE + 20 * 86_400)), 2),
            Learned::News
        );
        boots.current = 2;
        let last = now(5, Some(DATE + 20 * 86_400 + 60));
        assert_eq!(boots.resolve(early, last).age, Duration::from_secs(70));
        let mut surprised = last;
        surprised.ages = false;
        assert_eq!(boots.resolve(early, surprised).age, Duration::ZERO);
    }

    #[test]
    fn a_date_that_is_still_to_come_is_no_date_of_arrival() {
        let mut boots = boots(1);
        let future = now(10, Some(DATE + 300_000_000));
        boots.note(future, 5);
        let then = arrival(&boots, future);
        assert_eq!(boots.trusted_ms, 1000 * (DATE + 300_000_000));
        let right = now(100, Some(DATE + 100));
        assert_eq!(boots.note(right, 7), Learned::News);
        assert_eq!(
            (boots.trusted_ms, boots.overruled),
            (1000 * (DATE + 100), 7)
        );
        assert_eq!(date(&boots, then, right), Some(DATE + 10));
        boots.known.clear();
        assert_eq!(date(&boots, then, right), None);
    }

    #[test]
    fn a_date_by_which_nothing_ages_yet_is_not_remembered() {
        let mut boots = boots(1);
        boots.note(now(10, Some(DATE)), 1);
        let mut future = now(20, Some(DATE + 300_000_000));
        future.ages = false;
        assert_eq!(boots.note(future, 1), Learned::News);
        assert_eq!(boots.trusted_ms, 1000 * DATE);
        // a record that comes then has the date all the same
        let then = arrival(&boots, future);
        assert_eq!(date(&boots, then, future), Some(DATE + 300_000_000));
        let right = now(30, Some(DATE + 20));
        assert_eq!(boots.note(right, 1), Learned::News);
        assert_eq!(date(&boots, then, right), Some(DATE + 10));
        future.ages = true;
        boots.note(future, 1);
        assert_eq!(boots.trusted_ms, 1000 * (DATE + 300_000_000));
    }

    #[test]
    fn a_doubted_date_speaks_against_the_one_before_and_one_of_1970_does_not() {
        let mut boots = boots(1);
        let early = arrival(&boots, now(1, None));
        boots.note(now(10, Some(DATE + 300_000_000)), 1);
        assert_eq!(boots.note(now(15, None), 1), Learned::Nothing);
        assert!(date(&boots, early, now(15, None)).is_some());
        let before = boots.dates(now(15, None));
        assert_eq!(boots.note(doubted(20, DATE + 20), 1), Learned::News);
        assert_ne!(boots.dates(now(20, None)), before);
        assert_eq!(date(&boots, early, doubted(20, DATE + 20)), None);
    }

    #[test]
    fn a_step_of_the_date_asks_for_a_mark() {
        let boots = boots(1);
        let base = boots.base(now(10, Some(1000)));
        assert_eq!(
            elapsed(&base, &boots.base(now(15, Some(1005)))),
            Some(5_000)
        );
        assert_eq!(elapsed(&base, &boots.base(now(15, Some(1000)))), None);
        assert_eq!(elapsed(&base, &boots.base(now(15, None))), None);
        assert_eq!(
            elapsed(&base, &boots.base(now(3_000_000, Some(3_000_990)))),
            None
        );
    }
}
