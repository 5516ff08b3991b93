//! One message that a stream has read, and where it is on its way.

use crate::clock::Now;
use crate::clock::Wall;
use crate::ring::Arrival;
use crate::ring::Record;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::Settled;
use crate::ring::SharedBody;
use crate::stream::outgoing::Outgoing;
use crate::stream::outgoing::Repeat;
use std::num::NonZero;
use std::time::Duration;

/// A message that was read and is not settled in the ring.
#[derive(Clone, Debug)]
pub(in super::super) struct Item {
    pub(in super::super) seq: Seq,
    /// When it was received, in microseconds since 1970, and whether that is known.
    received_us: u64,
    dated: bool,
    /// What that was found from.
    arrival: Arrival,
    /// Its age when it was read, in microseconds, and when that was.
    age_us: u64,
    pub(in super::super) read_at: Duration,
    /// In microseconds since 1970, by its own timestamp, where that is asked for.
    measured_us: Option<NonZero<u64>>,
    /// The ring has it, too, if it was in memory there. None: it was settled when it was read.
    body: Option<SharedBody>,
    /// How often it was sent.
    pub(in super::super) sent: u32,
    pub(in super::super) state: State,
    /// Set aside while others are tried.
    pub(super) doubt: Option<Doubt>,
    /// Messages that went together and of which one was not taken have the same number; 0: it is
    /// none of such.
    pub(super) suspicion: u32,
    /// How often it got no answer right after the destination had taken another.
    pub(in super::super) strikes: u8,
    /// Why it was not taken, until that is asked for.
    pub(super) reason: Option<Box<str>>,
    /// Whether that was asked for.
    pub(in super::super) is_kept: bool,
    /// What the link calls it, see [`tag`](crate::stream::engine::Engine); 0: nothing yet.
    pub(in super::super) tag: u16,
}

/// Why a message that waits is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Doubt {
    /// The destination refused it, and may refuse all. `proofs` says how often the destination had
    /// taken something by then.
    Said { proofs: u32 },
    /// Connections ended over it, again and again.
    Silent { proofs: u32 },
    /// It was refused as well while the destination was in doubt: until that takes another.
    Passed,
}

impl Doubt {
    /// None, where the destination has taken another.
    pub(in super::super) fn unless_passed(self) -> Option<Self> {
        (self != Self::Passed).then_some(self)
    }
}

/// Where a message is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum State {
    Waiting,
    InFlight { since: Duration },
    Settled(Settled),
}

impl Item {
    /// One that was read now; if it is settled already it keeps no body.
    pub(super) fn of(
        record: &Record<'_>,
        measured: Option<Duration>,
        now: Now,
        settled: Option<Settled>,
    ) -> Self {
        let body = match (settled, record.shared) {
            (Some(_), _) => None,
            (None, Some(shared)) => Some(shared.clone()),
            (None, None) => Some(record.body.into()),
        };
        Self {
            seq: record.seq,
            received_us: micros(record.received.since_1970),
            dated: record.received.trusted,
            arrival: record.arrival,
            age_us: micros(record.age),
            read_at: now.mono,
            measured_us: measured.map(|date| NonZero::<u64>::MIN.saturating_add(micros(date))),
            body,
            sent: 0,
            doubt: None,
            suspicion: 0,
            strikes: 0,
            reason: None,
            is_kept: false,
            tag: 0,
            state: settled.map_or(State::Waiting, State::Settled),
        }
    }

    /// What it costs, in bytes.
    pub(super) fn len(&self) -> usize {
        ITEM_LEN + self.body.as_ref().map_or(0, SharedBody::memory_used)
    }

    fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// Dates it by what is known of the date now.
    pub(super) fn date(&mut self, ring: &Ring, now: Now) {
        let (received, age) = ring.received(self.arrival, now);
        (self.received_us, self.dated) = (micros(received.since_1970), received.trusted);
        self.age_us = micros(age.saturating_sub(now.mono.saturating_sub(self.read_at)));
    }

    /// It is in flight from now on.
    pub(in super::super) fn depart(&mut self, now: Now) {
        self.sent = self.sent.saturating_add(1);
        self.state = State::InFlight { since: now.mono };
    }

    /// Nothing more is done with it, nor is it in doubt: others would wait for what it proves.
    pub(in super::super) fn settle(&mut self, how: Settled) {
        self.state = State::Settled(how);
        self.doubt = None;
    }

    /// Why it is not taken, for whoever keeps what was refused; once.
    pub(in super::super) fn keep(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_kept, true) {
            self.reason = Some(reason.into());
        }
    }

    /// Whether it may go, where the destination has taken something so often; `again`: also if
    /// that is its second try.
    pub(in super::super) fn may_go(&self, taken: u32, again: bool) -> bool {
        let is_free = match self.doubt {
            None => true,
            Some(Doubt::Said { proofs }) => again && proofs != taken,
            Some(Doubt::Silent { proofs }) => proofs != taken,
            Some(Doubt::Passed) => false,
        };
        is_free && self.state == State::Waiting
    }

    pub(in super::super) fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    pub(in super::super) fn suspicion(&self) -> u32 {
        self.suspicion
    }

    pub(in super::super) fn is_second_try(&self) -> bool {
        matches!(self.doubt, Some(Doubt::Said { .. }))
    }

    /// How long ago it was received.
    pub(in super::super) fn age(&self, now: Now) -> Duration {
        Duration::from_micros(self.age_us) + now.mono.saturating_sub(self.read_at)
    }

    /// How long ago it was measured; a date that is doubted, or new, makes nothing old.
    pub(super) fn measured_age(&self, now: Now) -> Duration {
        match self.measured_us {
            None => self.age(now),
            Some(_) if !now.ages => Duration::ZERO,
            Some(measured) => {
                let measured = Duration::from_micros(measured.get());
                now.wall.since_1970.saturating_sub(measured)
            }
        }
    }

    /// As a link sees it, before or after [`Item::depart`].
    pub(in super::super) fn outgoing(&self, ring: u32) -> Outgoing<'_> {
        let before = self.sent - u32::from(self.is_in_flight());
        let repeat = match before {
            0 => Repeat::First,
            _ => Repeat::Again,
        };
        Outgoing {
            seq: self.seq,
            ring,
            received: Wall {
                since_1970: Duration::from_micros(self.received_us),
                trusted: self.dated,
            },
            body: self.body(),
            repeat,
        }
    }

    pub(in super::super) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight { .. })
    }
}

fn micros(date: Duration) -> u64 {
    u64::try_from(date.as_micros()).unwrap_or(u64::MAX)
}

/// What a message costs beside its body, in bytes: its place in a queue that grows by doubling, the
/// old one and the new one at once, and what the allocator adds to the body.
const ITEM_LEN: usize = 3 * size_of::<Item>() + 16;
