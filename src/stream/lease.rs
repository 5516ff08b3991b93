//! How long a login holds: a connection is left in good order before that, since a broker that
//! ends it takes what is on its way with it.

use crate::clock::Now;
use crate::stream::Disconnect;
use std::time::Duration;

/// The time that one login gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// From then on nothing new is sent; monotonic.
    leave_at: Duration,
    /// The same as a date. Both count: a clock that is set right shows that the login ends sooner
    /// than was thought, and one that is set back must not make it last longer.
    leave_date: Duration,
    /// From then on no answer is waited for; monotonic.
    ends_at: Duration,
}

impl Lease {
    /// A login that holds until this date.
    ///
    /// # Errors
    /// When that is over.
    pub(super) fn until(date: Duration, now: Now) -> Result<Self, Disconnect> {
        let today = now.wall.since_1970;
        let life = date.saturating_sub(today);
        if life.is_zero() {
            return Err(Disconnect::new(0, "the login has expired"));
        }
        // a fifth is left for the last answers; brokers differ in how long they look the other way
        let used = (life * 4 / 5).max(SHORTEST);
        Ok(Self {
            leave_at: now.mono + used,
            leave_date: today + used,
            ends_at: now.mono + used.max(life),
        })
    }

    /// A login that is left after this time, whatever the date is.
    pub(super) fn lasting(time: Duration, now: Now) -> Self {
        let leave_at = now.mono + time;
        Self {
            leave_at,
            leave_date: Duration::MAX,
            ends_at: leave_at + LAST_ANSWERS,
        }
    }

    /// Whether nothing new is to be sent.
    pub(super) fn is_due(&self, now: Now) -> bool {
        let by_date = now.wall.trusted && now.wall.since_1970 >= self.leave_date;
        now.mono >= self.leave_at || by_date
    }

    /// Whether no answer is to be waited for.
    pub(super) fn is_over(&self, now: Now) -> bool {
        now.mono >= self.ends_at
    }

    /// See [`Lease::is_due`].
    pub(super) fn leave_at(&self) -> Duration {
        self.leave_at
    }

    /// See [`Lease::is_over`].
    pub(super) fn ends_at(&self) -> Duration {
        self.ends_at
    }
}

/// So long the last answers are waited for in a connection that is left of one's own will.
const LAST_ANSWERS: Duration = Duration::from_secs(60);

/// However short a login is, no more than one is made in this time.
const SHORTEST: Duration = Duration::from_secs(1);
