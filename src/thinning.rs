//! Thinning: at most one message of an ident in some time, unless something changed. Knows no
//! channel and no stream, and counts nothing.
//!
//! Time goes by what the messages say of themselves, so that what a tracker kept while it was out
//! of reach is thinned as it would have been; by the time of arrival where one says nothing. A time
//! before that of the last message is as far away as one behind it.

use crate::message::ValueRef;
use crate::message::body::Body;
use crate::message::digest;
use crate::pattern::Pattern;
use crate::recent::RecentIdents;
use std::time::Duration;

/// What the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// At most one message of an ident in this time.
    pub every: Duration,
    /// Unless one of these is another than in the last message that passed, or came, or went.
    pub or_change: Vec<Pattern>,
}

/// Remembers the last message of each ident that passed: of the [`IDENTS_MAX`] that passed last.
#[derive(Clone, Debug)]
pub struct Thinner {
    settings: Settings,
    idents: RecentIdents,
    /// By the place of the ident.
    passed: Vec<Mark>,
}

/// What is compared of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    time: Time,
    /// Of the parameters of `or_change`.
    digest: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    /// Since 1970.
    Measured(Duration),
    /// Microseconds since the machine booted; less than 0 is before.
    Received(i64),
}

impl Thinner {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            idents: RecentIdents::new(IDENTS_MAX),
            passed: Vec::new(),
        }
    }

    /// What is compared of a message that was received `age` before `mono`.
    #[must_use]
    pub fn mark(&self, body: &Body<'_>, mono: Duration, age: Duration) -> Mark {
        let time = match body.measured() {
            Some(measured) => Time::Measured(measured),
            None => Time::Received(micros(mono).saturating_sub(micros(age))),
        };
        let counts = |(name, _): &(&str, ValueRef<'_>)| {
            self.settings.or_change.iter().any(|p| p.matches(name))
        };
        // where nothing counts there is no need to look at each
        let any = !self.settings.or_change.is_empty();
        let fields = any.then(|| body.fields()).into_iter().flatten();
        let digest = digest::of(fields.filter(counts));
        Mark { time, digest }
    }

    /// Whether a message passes.
    #[must_use]
    pub fn passes(&self, ident: &str, mark: Mark) -> bool {
        let place = self.idents.place(ident);
        let Some(last) = place.and_then(|place| self.passed.get(usize::from(place))) else {
            return true;
        };
        let between = match (mark.time, last.time) {
            (Time::Measured(one), Time::Measured(other)) => one.abs_diff(other),
            (Time::Received(one), Time::Received(other)) => {
                Duration::from_micros(one.abs_diff(other))
            }
            _ => Duration::MAX,
        };
        mark.digest != last.digest || between >= self.settings.every
    }

    /// A message has passed and was taken.
    pub fn passed(&mut self, ident: &str, mark: Mark) {
        let known = self.idents.place(ident);
        let place = known.unwrap_or_else(|| self.idents.next_place().0);
        match known {
            Some(place) => self.idents.touch(place),
            None => self.idents.admit(ident, place),
        }
        match self.passed.get_mut(usize::from(place)) {
            Some(last) => *last = mark,
            None => self.passed.push(mark),
        }
    }

    /// Goes on where one before ended, unless that compared other things.
    pub fn continue_from(&mut self, before: &mut Self) {
        if self.settings.or_change == before.settings.or_change {
            std::mem::swap(&mut self.idents, &mut before.idents);
            std::mem::swap(&mut self.passed, &mut before.passed);
            before.forget();
        }
    }

    /// Forgets all: what comes again passes again.
    pub fn forget(&mut self) {
        self.idents.clear();
        self.passed.clear();
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Idents that are remembered, up to 200 KiB of memory; one that is forgotten may send once more.
pub const IDENTS_MAX: u16 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::message::body;

    const SECOND: Duration = Duration::from_secs(1);

    /// Ten seconds, or a change of `din.*`.
    fn thinner() -> Thinner {
        Thinner::new(Settings {
            every: 10 * SECOND,
            or_change: vec![Pattern::new("din.*")],
        })
    }

    fn message(ident: &str, timestamp: Option<u64>, din: u64) -> Vec<u8> {
        let mut message = Message::new(ident).unwrap();
        if let Some(seconds) = timestamp {
            message.set_timestamp(seconds * 1_000_000);
        }
        message.set("din.1", din);
        message.set("speed", timestamp.unwrap_or(0));
        let mut bytes = Vec::new();
        body::encode(&message, &mut bytes);
        bytes
    }

    /// Shows it a message of one ident, received at `mono`; whether it passed.
    fn show(thinner: &mut Thinner, message: &[u8], mono: Duration, age: Duration) -> bool {
        let body = Body::new(message).unwrap();
        let (ident, mark) = (body.ident(), thinner.mark(&body, mono, age));
        let passes = thinner.passes(ident, mark);
        if passes {
            thinner.passed(ident, mark);
        }
        passes
    }

    #[test]
    fn one_passes_in_the_time_by_what_messages_say_of_themselves() {
        let mut thinner = thinner();
        let mut at = |ident, time| {
            let message = message(ident, Some(time), 0);
            show(&mut thinner, &message, SECOND, Duration::ZERO)
        };
        let passed = [100, 105, 109, 110, 119, 125, 90].map(|time| at("a", time));
        assert_eq!(passed, [true, false, false, true, false, true, true]);
        assert!(at("b", 126) && !at("b", 126));
    }

    #[test]
    fn a_change_passes_at_once_and_only_one_of_those_named() {
        let mut thinner = thinner();
        let mut at = |time, din| {
            let message = message("a", Some(time), din);
            show(&mut thinner, &message, SECOND, Duration::ZERO)
        };
        assert!(at(100, 0) && !at(101, 0) && at(102, 1) && !at(103, 1) && at(104, 0));
        assert!(!at(113, 0) && at(114, 0));
    }

    #[test]
    fn without_a_time_of_its_own_a_message_counts_from_its_arrival() {
        let mut thinner = thinner();
        let mut at = |mono, age| {
            let message = message("a", None, 0);
            show(&mut thinner, &message, mono * SECOND, age * SECOND)
        };
        // before the boot, and read all at once
        assert!(at(5, 100) && !at(5, 91) && at(5, 90) && at(5, 0) && !at(14, 0) && at(15, 0));
    }

    #[test]
    fn the_memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut thinner = thinner();
        for number in 0..=IDENTS_MAX {
            let message = message(&number.to_string(), Some(100), 0);
            assert!(show(&mut thinner, &message, SECOND, Duration::ZERO));
        }
        assert_eq!(thinner.passed.len(), usize::from(IDENTS_MAX));
        let mut again = |ident: &str| {
            let message = message(ident, Some(100), 0);
            show(&mut thinner, &message, SECOND, Duration::ZERO)
        };
        assert!(!again("1") && again("0"));
    }
}
