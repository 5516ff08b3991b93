//! A gateway of the fleet: what it does of connections and messages, modelled. Whether the model
//! does as weir does is tried in `sample`.

use crate::retry::Retry;
use std::time::Duration;

/// What the world asks of a gateway, modelled or real.
pub(crate) trait Gateway {
    /// No connection was made, or the one that was is gone: the time of the next try.
    fn lost(&mut self, now: Duration, random: u32) -> Duration;

    /// How many messages go now, over the connection that is there.
    fn send(&mut self, now: Duration) -> u32;

    /// The destination took so many, the oldest on their way.
    fn taken(&mut self, now: Duration, count: u32);

    /// When the connection is given up, since no answer comes.
    fn overdue_at(&self) -> Option<Duration>;

    /// Before this time [`Gateway::send`] sends nothing, and nothing is overdue.
    fn idle_until(&self, now: Duration) -> Duration;

    /// What is not taken yet.
    fn backlog(&self, now: Duration) -> u32;

    /// See [`Retry::period`].
    fn period(&self) -> Option<Duration>;
}

/// How a gateway sends.
#[derive(Clone, Copy)]
pub(crate) struct Sending {
    /// On their way without an answer, at most.
    pub(crate) window: u32,
    /// Messages a second at most.
    pub(crate) rate: Option<f64>,
}

/// One that is modelled.
pub(crate) struct Modelled {
    retry: Retry,
    sending: Sending,
    messages: Messages,
    taken: u32,
    in_flight: u32,
    /// When the oldest in flight was sent, or the one before it was taken.
    progressed: Duration,
    /// Nothing goes before, for the rate's sake.
    next: Duration,
    /// In a row without an answer to the oldest message.
    unanswered: u32,
}

/// When messages come into a gateway.
#[derive(Clone, Copy)]
pub(crate) struct Messages {
    pub(crate) every: Duration,
    /// The first comes so long before `every`.
    pub(crate) phase: Duration,
}

impl Messages {
    /// So many came until now.
    pub(crate) fn until(self, now: Duration) -> u32 {
        let count = (now + self.phase).as_millis() / self.every.as_millis();
        u32::try_from(count).unwrap()
    }

    /// When the next comes.
    fn after(self, now: Duration) -> Duration {
        self.every * (self.until(now) + 1) - self.phase
    }
}

impl Modelled {
    pub(crate) fn new(retry: Retry, sending: Sending, messages: Messages) -> Self {
        Self {
            retry,
            sending,
            messages,
            taken: 0,
            in_flight: 0,
            progressed: Duration::ZERO,
            next: Duration::ZERO,
            unanswered: 0,
        }
    }

    /// What may go, for the rate's sake: what fits into a second at once.
    fn room(&self, now: Duration) -> u32 {
        match self.sending.rate {
            None => u32::MAX,
            Some(_) if now < self.next => 0,
            Some(rate) => (rate as u32).max(1),
        }
    }

    /// What a link does that got no answer several times: fewer are on their way.
    fn window(&self) -> u32 {
        match self.unanswered {
            0 | 1 => self.sending.window,
            more => (self.sending.window >> (2 * (more - 1)).min(16)).max(1),
        }
    }
}

impl Gateway for Modelled {
    fn lost(&mut self, now: Duration, random: u32) -> Duration {
        if self.overdue_at().is_some_and(|due| due <= now) {
            self.unanswered += 1;
        }
        self.in_flight = 0;
        self.retry.lost(now, random)
    }

    fn send(&mut self, now: Duration) -> u32 {
        let waiting = self.backlog(now) - self.in_flight;
        let room = self.window().saturating_sub(self.in_flight);
        let count = waiting.min(room).min(self.room(now));
        if count > 0 {
            if self.in_flight == 0 {
                self.progressed = now;
            }
            self.in_flight += count;
            if let Some(rate) = self.sending.rate {
                self.next = self.next.max(now) + Duration::from_secs_f64(f64::from(count) / rate);
            }
        }
        count
    }

    fn taken(&mut self, now: Duration, count: u32) {
        self.taken += count;
        self.in_flight -= count;
        self.progressed = now;
        self.unanswered = 0;
        self.retry.succeeded(now);
    }

    fn overdue_at(&self) -> Option<Duration> {
        (self.in_flight > 0).then_some(self.progressed + TIMEOUT)
    }

    fn idle_until(&self, now: Duration) -> Duration {
        let next = if self.backlog(now) == self.in_flight {
            self.messages.after(now)
        } else if self.in_flight < self.window() {
            self.next
        } else {
            Duration::MAX
        };
        self.overdue_at().unwrap_or(next).min(next)
    }

    fn backlog(&self, now: Duration) -> u32 {
        self.messages.until(now) - self.taken
    }

    fn period(&self) -> Option<Duration> {
        self.retry.period()
    }
}

/// How long an answer may take: weir's default, and that of most others.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
