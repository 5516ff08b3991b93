//! Which of two versions of its protocol a destination speaks, where the configuration leaves that
//! to weir: what one connection has found out serves the next ones. No packets of any protocol.
//!
//! ```text
//!                 refused, or closed without a word
//!   newer first ─────────────────────────────────────▶ older ─── let in ──▶ older, for a while
//!      ▲  ▲               (at once, the first time)      │                         │
//!      │  └────────────── no word either ────────────────┘                         │
//!      └──────────────────────────────── the while is over ────────────────────────┘
//! ```
//! That a destination closes the connection may be its way to refuse a version, and may be that it
//! was just restarting. So it is believed for an hour, twice as long each time that it is found
//! again, and for a day at most; what it refuses in words it refuses for a day. A destination that
//! has let in the newer one has to close [`CLOSED_MAX`] logins in a row before that says something.

use crate::clock::Now;
use std::time::Duration;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// The one that is better.
    #[default]
    Newer,
    /// The one that is left.
    Older,
}

/// How a login ended that did not let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The version was refused in words.
    Version,
    /// Something else was refused: the version is understood.
    Other,
    /// The connection was closed without a word.
    Closed,
    /// No answer came.
    Silent,
}

/// What is known of one destination, as long as its stream runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialect {
    /// What the next connection begins with.
    next: Spoken,
    /// The newer one was understood.
    knows_newer: bool,
    /// Logins by the newer one in a row that were closed without a word.
    closed: u32,
    /// The newer one was refused in words when it was tried last.
    is_said: bool,
    /// A change to the older one that led nowhere yet: the next comes after the pause.
    is_tried: bool,
    /// How long the older one was believed in last.
    held: Duration,
    /// Until when the older one is believed in; none: it was not understood yet.
    until: Option<Duration>,
}

impl Dialect {
    /// What a connection that is made now speaks.
    pub(crate) fn choose(&mut self, now: Now) -> Spoken {
        if self.until.is_some_and(|until| until <= now.mono) {
            (self.next, self.until) = (Spoken::Newer, None);
        }
        self.next
    }

    /// A login let us in, or it was refused for another reason than its version. How long that is
    /// believed in, if not for ever.
    pub(crate) fn understood(&mut self, spoken: Spoken, now: Now) -> Option<Duration> {
        (self.is_tried, self.closed) = (false, 0);
        match spoken {
            Spoken::Newer => {
                *self = Self {
                    knows_newer: true,
                    ..Self::default()
                };
                None
            }
            Spoken::Older => {
                if self.until.is_none() {
                    self.held = match self.is_said {
                        true => LONGEST,
                        false => (2 * self.held).clamp(SHORTEST, LONGEST),
                    };
                    self.until = Some(now.mono + self.held);
                }
                self.until.map(|until| until.saturating_sub(now.mono))
            }
        }
    }

    /// A login did not let us in; whether the next try is due at once, by the other version.
    pub(crate) fn failed(&mut self, spoken: Spoken, how: Failed, now: Now) -> bool {
        match (spoken, how) {
            (_, Failed::Other) => {
                self.understood(spoken, now);
            }
            (Spoken::Newer, Failed::Silent) => {}
            (Spoken::Newer, Failed::Closed) if self.is_used_to_newer() => {}
            (Spoken::Newer, Failed::Closed | Failed::Version) => {
                self.next = Spoken::Older;
                self.is_said = how == Failed::Version;
                return !std::mem::replace(&mut self.is_tried, true);
            }
            // neither of both: it is not the version
            (Spoken::Older, _) => (self.next, self.until) = (Spoken::Newer, None),
        }
        false
    }

    /// Counts a login by the newer one that was closed; whether that says nothing yet.
    fn is_used_to_newer(&mut self) -> bool {
        self.closed = self.closed.saturating_add(1);
        self.knows_newer && self.closed < CLOSED_MAX
    }
}

/// So many logins that are closed in a row say something of a destination that knew the version.
const CLOSED_MAX: u32 = 5;

/// The older version is believed in for so long at least.
const SHORTEST: Duration = Duration::from_secs(3_600);

/// And for so long at most.
const LONGEST: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use Failed::Closed;
    use Failed::Other;
    use Failed::Silent;
    use Failed::Version;
    use Spoken::Newer;
    use Spoken::Older;

    fn at(hours: u64) -> Now {
        let mono = Duration::from_secs(3_600 * hours);
        let wall = Wall {
            since_1970: mono,
            trusted: false,
        };
        let ages = false;
        Now { mono, wall, ages }
    }

    #[test]
    fn the_older_version_is_spoken_at_once_and_then_for_a_while() {
        for (how, hours) in [(Closed, [1, 2, 4, 8, 16, 24, 24]), (Version, [24; 7])] {
            let (mut dialect, mut hour) = (Dialect::default(), 0);
            for held in hours {
                assert_eq!(dialect.choose(at(hour)), Newer, "{how:?}, hour {hour}");
                assert!(dialect.failed(Newer, how, at(hour)), "at once");
                assert_eq!(dialect.choose(at(hour)), Older);
                let lasts = dialect.understood(Older, at(hour));
                assert_eq!(lasts, Some(at(held).mono), "{how:?}");
                assert_eq!(dialect.choose(at(hour + held - 1)), Older);
                hour += held;
            }
        }
    }

    #[test]
    fn a_new_connection_does_not_make_the_while_longer() {
        let mut dialect = Dialect::default();
        dialect.failed(Newer, Version, at(0));
        dialect.understood(Older, at(0));
        let rest = dialect.understood(Older, at(20));
        assert_eq!(rest, Some(at(4).mono));
    }

    #[test]
    fn a_destination_that_closes_whatever_is_said_is_asked_by_turns_with_a_pause() {
        let mut dialect = Dialect::default();
        let mut at_once = 0;
        for spoken in [Newer, Older].repeat(20) {
            assert_eq!(dialect.choose(at(0)), spoken);
            at_once += u32::from(dialect.failed(spoken, Closed, at(0)));
        }
        assert_eq!(at_once, 1);
    }

    #[test]
    fn one_that_has_spoken_the_newer_version_has_to_close_more_than_once() {
        let mut dialect = Dialect::default();
        dialect.understood(Newer, at(0));
        for _ in 1..CLOSED_MAX {
            assert!(!dialect.failed(Newer, Closed, at(0)));
            assert_eq!(dialect.choose(at(0)), Newer);
        }
        assert!(dialect.failed(Newer, Closed, at(0)));
        assert_eq!(dialect.choose(at(0)), Older);
        dialect = Dialect::default();
        dialect.understood(Newer, at(0));
        assert!(dialect.failed(Newer, Version, at(0)), "words are believed");
    }

    #[test]
    fn a_login_that_is_refused_for_another_reason_shows_that_its_version_is_understood() {
        let mut dialect = Dialect::default();
        assert!(!dialect.failed(Newer, Other, at(0)));
        assert!(!dialect.failed(Newer, Closed, at(0)));
        assert_eq!(dialect.choose(at(0)), Newer);
        dialect = Dialect::default();
        dialect.failed(Newer, Closed, at(0));
        assert!(!dialect.failed(Older, Other, at(0)));
        assert_eq!(dialect.choose(at(0)), Older);
    }

    #[test]
    fn silence_says_nothing_of_the_newer_version() {
        let mut dialect = Dialect::default();
        assert!(!dialect.failed(Newer, Silent, at(0)));
        assert_eq!(dialect.choose(at(0)), Newer);
    }
}
