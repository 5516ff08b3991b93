//! Time: what the rest of weir takes as an argument, and the one place that reads it.
//!
//! Gateways boot in 1970 and learn the date minutes later, or never; or they boot with the date of
//! weeks ago, and once in a while somebody tells them that it is 2036. So two times travel together
//! as [`Now`]: the monotonic one, which every wait and age goes by, and the wall one, which says
//! of itself whether it can be believed.
//!
//! | the date is | times of arrival | certificates, tokens | ages |
//! | --- | --- | --- | --- |
//! | not sane: before the build, 20 years after it | unknown | none | none |
//! | before the remembered one, for less than an hour | unknown | none | none |
//! | the same, steadily for an hour | unknown | judged | none |
//! | the same, and the kernel says that its clock is synchronised | believed | judged | see below |
//! | a day or more after what was expected, for less than an hour | believed | judged | none |
//! | another one | believed | judged | count |
//!
//! Expected is the remembered date at the start, then what the monotonic clock makes of it. Only a
//! date by which ages count is remembered: the hour of one that was not expected begins anew with
//! each start. Within one boot ages go by the monotonic clock and need no date.

mod kernel;

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

/// The time of one turn of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since the machine booted, sleep included; never goes back.
    pub mono: Duration,
    /// The date, as far as it is known.
    pub wall: Wall,
    /// Whether something may expire by the date: it is believed, and was expected or has run
    /// steadily for an hour.
    pub ages: bool,
}

/// A date and whether it can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    /// Since 1970-01-01 UTC.
    pub since_1970: Duration,
    /// Not before the build, not 20 years after it, and not before the last trusted date in the
    /// ring, unless the kernel warrants for it.
    pub trusted: bool,
}

impl Now {
    /// The same where `remembered` is the last date that was, for those who cannot ask the kernel:
    /// an earlier one is not believed, and by one that is much later nothing ages.
    #[must_use]
    pub fn expected_after(mut self, remembered: Duration) -> Self {
        if is_sane(remembered) {
            let date = self.wall.since_1970;
            self.wall.trusted &= date >= remembered;
            self.ages &= self.wall.trusted && date - remembered <= EXPECTED;
        }
        self
    }
}

/// A date since 1970-01-01 UTC, shown as ISO 8601 has it, to the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub Duration);

/// Reads the machine's clocks, and judges them. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Certificates are judged wherever the TLS library likes, so this is no cell.
    known: Arc<Mutex<Known>>,
}

/// What the date is judged by; each pair is a reading of both clocks.
#[derive(Debug, Default)]
struct Known {
    /// No date before is believed: the last one by which ages counted, a little less where that
    /// was in this process.
    remembered: Duration,
    /// Whether a ring has said what it remembers.
    told: bool,
    /// The last reading that was sane.
    last: Option<(Duration, Duration)>,
    /// It was before the remembered date by more than [`EXPECTED`], and has only gone on since:
    /// that it passes that date some day makes it no better.
    stale: bool,
    /// Since when the date goes on as the monotonic clock does.
    steady_since: Duration,
    /// The last reading that was believed.
    believed: Option<(Duration, Duration)>,
    /// Whether that date had come unexpected.
    surprising: bool,
    /// When the kernel was asked last, and whether it warranted for the date.
    asked: Option<((Duration, Duration), bool)>,
}

/// Why a date is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No gateway has this date: before the build, or 20 years after it.
    Insane,
    /// It is before this one, which is remembered.
    Before(Duration),
}

impl Clock {
    /// A clock that remembers no date.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Doubts every date before `date` from now on: the last trusted one that a ring remembers.
    /// What was thought of the date before a ring was there to ask does not count.
    pub fn remember(&self, date: Duration) {
        let mut known = self.known();
        if !std::mem::replace(&mut known.told, true) {
            (known.remembered, known.believed) = (Duration::ZERO, None);
        }
        if is_sane(date) {
            known.remembered = known.remembered.max(date);
        }
    }

    /// The date before which none is believed unless the kernel warrants for it; none if nothing
    /// is remembered.
    #[must_use]
    pub fn remembered(&self) -> Option<Duration> {
        Some(self.known().remembered).filter(|date| !date.is_zero())
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Now {
        let now = read();
        let mut known = self.known();
        let trusted = known.judge(now).is_none();
        let (mono, since_1970) = now;
        Now {
            mono,
            wall: Wall {
                since_1970,
                trusted,
            },
            ages: trusted && known.ages(mono),
        }
    }

    /// The date by which certificates and tokens are judged: one that is believed, or one that is
    /// only doubted and has run steadily for an hour.
    ///
    /// # Errors
    /// The date that the clock shows, and why it is of no use.
    pub fn usable_date(&self) -> Result<Duration, (Date, Doubt)> {
        let (mono, date) = read();
        let mut known = self.known();
        match known.judge((mono, date)) {
            None => Ok(date),
            Some(Doubt::Before(_)) if known.is_steady(mono) => Ok(date),
            Some(doubt) => Err((Date(date), doubt)),
        }
    }

    /// Why the date is not believed, if it is not.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.known().judge(read())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Takes note of a reading and says why its date is not believed, if it is not.
    fn judge(&mut self, now: (Duration, Duration)) -> Option<Doubt> {
        let (mono, date) = now;
        if !is_sane(date) {
            self.last = None;
            return Some(Doubt::Insane);
        }
        if self.last.is_none_or(|last| off(last, now) > STEP) {
            self.steady_since = mono;
            self.stale = false;
        }
        self.last = Some(now);
        if (date < self.remembered || self.stale) && !self.is_warranted(now) {
            self.stale |= self.remembered.saturating_sub(date) > EXPECTED;
            return Some(Doubt::Before(self.remembered));
        }
        self.stale = false;
        self.believe(now);
        None
    }

    /// What is expected is what the last date that was believed has become by now; at the start,
    /// when nobody knows how long the gateway was off, that date itself.
    fn believe(&mut self, now: (Duration, Duration)) {
        let (mono, date) = now;
        match self.believed {
            Some(last) if off(last, now) <= STEP => {}
            Some(last) => self.surprising = off(last, now) > EXPECTED,
            None if self.remembered.is_zero() => self.surprising = false,
            None => self.surprising = date.abs_diff(self.remembered) > EXPECTED,
        }
        self.believed = Some(now);
        if date < self.remembered {
            self.remembered = date;
        } else if self.ages(mono) {
            self.remembered = self.remembered.max(date.saturating_sub(STEP));
        }
    }

    /// Whether ages count by a date that is believed.
    fn ages(&self, mono: Duration) -> bool {
        !self.surprising || self.is_steady(mono)
    }

    /// Whether it has run for an hour without a step.
    fn is_steady(&self, mono: Duration) -> bool {
        self.last.is_some() && mono.saturating_sub(self.steady_since) >= HOUR
    }

    /// Whether the kernel says that its clock is synchronised; asked once a second at most, and
    /// at once after a step.
    fn is_warranted(&mut self, now: (Duration, Duration)) -> bool {
        let is_fresh = |asked: (Duration, Duration)| {
            now.0.saturating_sub(asked.0) < SECOND && off(asked, now) < SECOND
        };
        if let Some((_, warranted)) = self.asked.filter(|(asked, _)| is_fresh(*asked)) {
            return warranted;
        }
        let warranted = is_synchronised();
        self.asked = Some((now, warranted));
        warranted
    }
}

/// By how much two readings disagree on the time between them.
fn off(then: (Duration, Duration), now: (Duration, Duration)) -> Duration {
    let passed = now.0.saturating_sub(then.0);
    now.1.abs_diff(then.1.saturating_add(passed))
}

/// Whether a gateway may have this date at all.
#[must_use]
pub fn is_sane(date: Duration) -> bool {
    (BUILT..SANE_UNTIL).contains(&date)
}

impl Date {
    /// With the time, as ISO 8601 in UTC, cut at the millisecond; nothing sensible after 9999.
    #[must_use]
    pub fn with_time(self) -> String {
        let (second, millis) = (self.0.as_secs() % 86_400, self.0.subsec_millis());
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{self}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // years begin in March, so that the day that comes and goes is the last of its year
        let day = self.0.as_secs() / 86_400 + MARCH_0000_TO_1970;
        let (era, day) = (day / 146_097, day % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (next, month) = if month < 10 {
            (0, month + 3)
        } else {
            (1, month - 9)
        };
        write!(f, "{:04}-{month:02}-{day:02}", era * 400 + year + next)
    }
}

/// The time since the machine booted, and the date.
fn read() -> (Duration, Duration) {
    #[cfg(test)]
    if let Some(simulated) = SIMULATED.get() {
        return simulated;
    }
    let date = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    (mono(), duration(date))
}

/// As [`Now::mono`], for the loop itself: it has no turn.
pub(crate) fn mono() -> Duration {
    #[cfg(test)]
    if let Some((mono, _)) = SIMULATED.get() {
        return mono;
    }
    duration(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

/// Whether the kernel says that something keeps its clock right.
fn is_synchronised() -> bool {
    #[cfg(test)]
    if SIMULATED.get().is_some() {
        return SYNCHRONISED.get();
    }
    kernel::is_synchronised()
}

#[cfg(test)]
thread_local! {
    /// What the clocks of this thread show instead of the machine's.
    pub(crate) static SIMULATED: std::cell::Cell<Option<(Duration, Duration)>> =
        const { std::cell::Cell::new(None) };
    /// What the kernel says of them.
    pub(crate) static SYNCHRONISED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

fn duration(time: rustix::time::Timespec) -> Duration {
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(secs, nanos)
}

/// When this version was made; no gateway runs it earlier.
const BUILT: Duration = Duration::from_secs(1_793_491_200); // 2026-11-01

/// No date from here on is believed, 20 years after the build.
pub const SANE_UNTIL: Duration = BUILT.saturating_add(PLAUSIBLE);

/// How long after the build a date is still believed.
const PLAUSIBLE: Duration = Duration::from_secs(20 * 365 * 86_400);

/// A step: the two clocks disagree by more than they drift apart while nobody looks.
const STEP: Duration = Duration::from_secs(30);

/// A date may be later or earlier than expected by so much and makes what is old expire at once.
pub(crate) const EXPECTED: Duration = Duration::from_secs(86_400);

/// So long a date has to be steady.
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Days from 0000-03-01 to 1970-01-01.
const MARCH_0000_TO_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock, when it remembers 2027-03-01; a turn of both clocks, in seconds.
    struct Turns {
        clock: Clock,
        mono: u64,
    }

    const REMEMBERED: u64 = 1_803_859_200;

    impl Turns {
        fn new(synchronised: bool) -> Self {
            SYNCHRONISED.set(synchronised);
            let clock = Clock::new();
            clock.remember(Duration::from_secs(REMEMBERED));
            Self { clock, mono: 100 }
        }

        /// So many seconds later the clock shows this date.
        fn after(&mut self, seconds: u64, date: u64) -> Now {
            self.mono += seconds;
            let now = (Duration::from_secs(self.mono), Duration::from_secs(date));
            SIMULATED.set(Some(now));
            self.clock.now()
        }

        fn usable(&self) -> bool {
            self.clock.usable_date().is_ok()
        }
    }

    impl Drop for Turns {
        fn drop(&mut self) {
            SIMULATED.set(None);
        }
    }

    #[test]
    fn a_stale_date_serves_certificates_after_an_hour_and_nothing_else() {
        let mut turns = Turns::new(false);
        let stale = REMEMBERED - 20 * 86_400;
        assert!(!turns.after(0, stale).wall.trusted && !turns.usable());
        assert!(!turns.after(3599, stale + 3599).wall.trusted && !turns.usable());
        let now = turns.after(1, stale + 3600);
        assert!(!now.wall.trusted && !now.ages && turns.usable());
        let remembered = Duration::from_secs(REMEMBERED);
        assert_eq!(turns.clock.doubt(), Some(Doubt::Before(remembered)));
        // that it passes the remembered date makes it no better
        let passed = 30 * 86_400;
        assert!(!turns.after(passed, stale + passed + 3600).wall.trusted && turns.usable());
        // the right one comes, and was expected
        let now = turns.after(1, REMEMBERED + 7200);
        assert!(now.wall.trusted && now.ages && turns.usable());
    }

    #[test]
    fn a_doubted_date_that_steps_begins_its_hour_anew() {
        let mut turns = Turns::new(false);
        let stale = REMEMBERED - 20 * 86_400;
        turns.after(0, stale);
        turns.after(3000, stale + 3600);
        turns.after(3000, stale + 6600);
        assert!(!turns.usable());
        turns.after(600, stale + 7200);
        assert!(turns.usable());
    }

    #[test]
    fn a_doubted_date_for_which_the_kernel_warrants_is_believed_and_remembered() {
        let mut turns = Turns::new(true);
        let right = REMEMBERED - 9 * 365 * 86_400 / 100;
        let now = turns.after(0, right);
        assert!(now.wall.trusted && !now.ages && turns.usable());
        SYNCHRONISED.set(false);
        assert!(turns.after(10, right + 10).wall.trusted);
        assert!(turns.after(3600, right + 3610).ages);
        assert_eq!(
            turns.clock.remembered(),
            Some(Duration::from_secs(right + 3580))
        );
    }

    #[test]
    fn a_date_from_the_future_is_not_what_a_start_expects() {
        // the ring is opened with a look at the clock, which remembers nothing by then
        let future = REMEMBERED + 4 * 365 * 86_400;
        let mut turns = Turns::new(false);
        turns.clock = Clock::new();
        let first = turns.after(0, future);
        assert!(first.ages);
        let remembered = Duration::from_secs(REMEMBERED);
        assert!(!first.expected_after(remembered).ages);
        turns.clock.remember(remembered);
        let now = turns.after(1, future + 1);
        assert!(now.wall.trusted && !now.ages);
        // nor does the next one, unless it lasted
        assert_eq!(turns.clock.remembered(), Some(remembered));
        turns.after(3600, future + 3601);
        let lasted = Duration::from_secs(future + 3571);
        assert_eq!(turns.clock.remembered(), Some(lasted));
    }

    #[test]
    fn a_date_from_the_future_makes_nothing_old_unless_it_lasts_for_an_hour() {
        let mut turns = Turns::new(true);
        assert!(turns.after(0, REMEMBERED + 60).ages);
        let future = REMEMBERED + 9 * 365 * 86_400;
        let now = turns.after(60, future);
        assert!(now.wall.trusted && !now.ages);
        assert!(!turns.after(3000, future + 3000).ages);
        // the right one again: the kernel warrants for it, and it shows what it is
        let now = turns.after(60, REMEMBERED + 3180);
        assert!(now.wall.trusted && !now.ages);
        assert!(turns.after(3600, REMEMBERED + 6780).ages);
    }

    #[test]
    fn small_steps_back_are_no_reason_to_doubt() {
        let mut turns = Turns::new(false);
        assert!(turns.after(0, REMEMBERED + 60).ages);
        assert!(turns.after(10, REMEMBERED + 45).ages);
        assert!(!turns.after(10, REMEMBERED + 1).wall.trusted);
        assert!(turns.after(60, REMEMBERED + 61).ages);
    }

    #[test]
    fn a_date_that_cannot_be_is_never_of_use() {
        let mut turns = Turns::new(true);
        for date in [100, 1_700_000_000, 2_500_000_000] {
            assert!(!turns.after(0, date).wall.trusted);
            assert!(!turns.after(7200, date + 7200).wall.trusted && !turns.usable());
            assert_eq!(turns.clock.doubt(), Some(Doubt::Insane));
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (secs, date) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (1_735_689_600, "2025-01-01"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Date(Duration::from_secs(secs)).to_string(), date);
        }
    }
}
