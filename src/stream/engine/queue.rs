//! What a stream has read from the ring and not settled there, in the order of the ring. Decides
//! nothing: which message goes when is the [`super::Engine`]'s business.

use super::Limits;
use crate::clock::Now;
use crate::clock::Wall;
use crate::ring::Arrival;
use crate::ring::Record;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::Settled;
use crate::stream::outgoing::Outgoing;
use crate::stream::outgoing::Repeat;
use std::collections::VecDeque;
use std::num::NonZero;
use std::time::Duration;

/// Messages between the ring's reading place and its cursor.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Its id, see [`Outgoing`].
    pub(super) ring: u32,
    items: VecDeque<Item>,
    /// Of `items` and their bodies.
    bytes: usize,
    /// The last that was taken out accepted.
    last_accepted: Option<Item>,
    /// An accepted one that is in flight once more, see [`super::refusal`].
    pub(super) canary: Option<Item>,
}

/// A message that was read and is not settled in the ring.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) seq: Seq,
    /// When it was received, in microseconds since 1970, and whether that is known.
    received_us: u64,
    dated: bool,
    /// What that was found from.
    arrival: Arrival,
    /// Its age when it was read, in microseconds, and when that was.
    age_us: u64,
    pub(super) read_at: Duration,
    /// In microseconds since 1970, by its own timestamp, where that is asked for.
    measured_us: Option<NonZero<u64>>,
    body: Box<[u8]>,
    /// How often it was sent.
    pub(super) sent: u32,
    pub(super) state: State,
    /// Set aside while others are tried.
    pub(super) doubt: Option<Doubt>,
    /// Messages that went together and of which one was not taken have the same number; 0: it is
    /// none of such.
    pub(super) suspicion: u32,
    /// How often it got no answer right after the destination had taken another.
    pub(super) strikes: u8,
    /// Why it was not taken, until that is asked for.
    reason: Option<Box<str>>,
    /// Whether that was asked for.
    pub(super) is_kept: bool,
    /// What the link calls it, see [`super::Engine::tag`]; 0: nothing yet.
    pub(super) tag: u16,
}

/// Why a message that waits is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The destination refused it, and may refuse all. `proofs` says how often the destination had
    /// taken something by then.
    Said { proofs: u32 },
    /// Connections ended over it, again and again.
    Silent { proofs: u32 },
    /// It was refused as well while the destination was in doubt: until that takes another.
    Passed,
}

/// Where a message is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    InFlight { since: Duration },
    Settled(Settled),
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.canary = None;
        self.bytes = 0;
    }

    /// Takes a record in; one that is settled already keeps no body.
    pub(super) fn push(
        &mut self,
        record: &Record<'_>,
        measured: Option<Duration>,
        now: Now,
        settled: Option<Settled>,
    ) {
        let body: Box<[u8]> = match settled {
            Some(_) => [].into(),
            None => record.body.into(),
        };
        self.bytes += ITEM_LEN + body.len();
        // Where a stream was put back, what it sent before comes again in its turn. As a canary
        // it would come out of turn, and then as if for the first time.
        self.last_accepted.take_if(|last| last.seq >= record.seq);
        self.items.push_back(Item {
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
        });
    }

    /// Dates all messages by what is known of the date now.
    pub(super) fn date(&mut self, ring: &Ring, now: Now) {
        let last = self.last_accepted.iter_mut();
        for item in self.items.iter_mut().chain(last) {
            let (received, age) = ring.received(item.arrival, now);
            (item.received_us, item.dated) = (micros(received.since_1970), received.trusted);
            item.age_us = micros(age.saturating_sub(now.mono.saturating_sub(item.read_at)));
        }
    }

    /// Takes the first one out if it is settled.
    pub(super) fn pop_settled(&mut self) -> Option<(Seq, Settled)> {
        let State::Settled(how) = self.items.front()?.state else {
            return None;
        };
        let item = self.items.pop_front()?;
        self.bytes -= ITEM_LEN + item.body.len();
        let seq = item.seq;
        if how == Settled::Accepted {
            self.last_accepted = Some(item);
        }
        Some((seq, how))
    }

    /// Whether one is settled by what was said of it, and not by what it is.
    pub(super) fn has_answers(&self) -> bool {
        let is_answer = |how| matches!(how, Settled::Accepted | Settled::GivenUp);
        let mut items = self.items.iter();
        items.any(|item| matches!(item.state, State::Settled(how) if is_answer(how)))
    }

    /// The last that was accepted, whether or not what is before it is settled.
    pub(super) fn last_accepted(&self) -> Option<&Item> {
        let is_accepted = |item: &&Item| item.state == State::Settled(Settled::Accepted);
        let last = self.items.iter().rev().find(is_accepted);
        last.or(self.last_accepted.as_ref())
    }

    /// One of those that were read, settled or not.
    pub(super) fn item(&self, seq: Seq) -> Option<&Item> {
        let item = self.items.get(self.place(seq));
        item.filter(|item| item.seq == seq)
    }

    /// The same.
    pub(super) fn item_mut(&mut self, seq: Seq) -> Option<&mut Item> {
        let place = self.place(seq);
        let item = self.items.get_mut(place);
        item.filter(|item| item.seq == seq)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut()
    }

    /// The oldest that is not settled.
    pub(super) fn oldest(&self) -> Option<&Item> {
        self.items
            .iter()
            .find(|item| !matches!(item.state, State::Settled(_)))
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Item> {
        self.items
            .iter()
            .filter(|item| item.state == State::Waiting)
    }

    pub(super) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items
            .iter_mut()
            .filter(|item| item.state == State::Waiting)
    }

    /// The oldest in flight and since when it is.
    pub(super) fn oldest_in_flight(&self) -> Option<(Seq, Duration)> {
        let mut items = self.canary.iter().chain(&self.items);
        items.find_map(|item| match item.state {
            State::InFlight { since } => Some((item.seq, since)),
            _ => None,
        })
    }

    /// When the first of `messages` that is in flight was sent.
    pub(super) fn sent_at(&self, messages: &[Seq]) -> Option<Duration> {
        match self.in_flight_of(messages).next()?.state {
            State::InFlight { since } => Some(since),
            _ => None,
        }
    }

    /// All that is in flight.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Item> {
        let items = self.canary.iter().chain(&self.items);
        items.filter(|item| item.is_in_flight())
    }

    /// Those of `messages` that are in flight.
    pub(super) fn in_flight_of(&self, messages: &[Seq]) -> impl Iterator<Item = &Item> {
        let canary = self.canary.iter();
        let canary = canary.filter(|canary| messages.contains(&canary.seq));
        let items = messages.iter().filter_map(|seq| self.item(*seq));
        canary.chain(items).filter(|item| item.is_in_flight())
    }

    pub(super) fn in_flight_mut(&mut self, seq: Seq) -> Option<&mut Item> {
        let place = self.place(seq);
        let canary = self.canary.iter_mut();
        let mut items = canary.chain(self.items.get_mut(place));
        items.find(|item| item.seq == seq && item.is_in_flight())
    }

    /// Gives those of `messages` that are in flight another state; how many that were.
    pub(super) fn mark(&mut self, messages: &[Seq], state: State) -> usize {
        let mut count = 0;
        for seq in messages {
            let item = self.item_mut(*seq);
            if let Some(item) = item.filter(|item| item.is_in_flight()) {
                match state {
                    State::Settled(how) => item.settle(how),
                    _ => item.state = state,
                }
                count += 1;
            }
        }
        count
    }

    /// All that is in flight waits again.
    pub(super) fn recall(&mut self) {
        for item in self.items.iter_mut().filter(|item| item.is_in_flight()) {
            item.state = State::Waiting;
        }
    }

    /// Those of `messages` that are in flight share a suspicion of this number. Those with which
    /// they shared one before are free of it: it was one of these.
    pub(super) fn suspect(&mut self, messages: &[Seq], number: u32) {
        let before: Vec<u32> = self.in_flight_of(messages).map(|it| it.suspicion).collect();
        for item in &mut self.items {
            if item.is_in_flight() && messages.contains(&item.seq) {
                item.suspicion = number;
            } else if before.contains(&item.suspicion) {
                item.suspicion = 0;
            }
        }
    }

    /// Whether this message, or one after it, is one of those of which one was not taken.
    pub(super) fn is_suspect(&self, seq: Seq) -> bool {
        let items = self.items.iter().skip(self.place(seq));
        let mut suspects = items.filter(|item| item.suspicion != 0);
        suspects.any(|item| !matches!(item.state, State::Settled(_)))
    }

    /// Settles one that will never be taken.
    pub(super) fn give_up(&mut self, seq: Seq, how: Settled, reason: &str) {
        let item = self.item_mut(seq);
        if let Some(item) = item.filter(|item| !matches!(item.state, State::Settled(_))) {
            item.settle(how);
            item.keep(reason);
        }
    }

    /// The first that was refused and not asked for, and why.
    pub(super) fn take_rejected(&mut self) -> Option<(Outgoing<'_>, Box<str>)> {
        let ring = self.ring;
        let (item, reason) = self
            .items
            .iter_mut()
            .find_map(|item| item.reason.take().map(|reason| (item, reason)))?;
        Some((item.outgoing(ring), reason))
    }

    /// Settles those that wait and are too old.
    pub(super) fn expire(&mut self, limits: &Limits, now: Now) {
        if (limits.ttl, limits.max_age) == (None, None) {
            return;
        }
        for item in self.waiting_mut() {
            let is_old = limits.ttl.is_some_and(|ttl| item.age(now) > ttl);
            if is_old
                || limits
                    .max_age
                    .is_some_and(|max| item.measured_age(now) > max)
            {
                item.settle(Settled::Expired);
            }
        }
    }

    fn place(&self, seq: Seq) -> usize {
        self.items.partition_point(|item| item.seq < seq)
    }
}

impl Item {
    /// It is in flight from now on.
    pub(super) fn depart(&mut self, now: Now) {
        self.sent = self.sent.saturating_add(1);
        self.state = State::InFlight { since: now.mono };
    }

    /// Nothing more is done with it, nor is it in doubt: others would wait for what it proves.
    pub(super) fn settle(&mut self, how: Settled) {
        self.state = State::Settled(how);
        self.doubt = None;
    }

    /// Why it is not taken, for whoever keeps what was refused; once.
    pub(super) fn keep(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_kept, true) {
            self.reason = Some(reason.into());
        }
    }

    /// Whether it may go, where the destination has taken something so often; `again`: also if
    /// that is its second try.
    pub(super) fn may_go(&self, taken: u32, again: bool) -> bool {
        let is_free = match self.doubt {
            None => true,
            Some(Doubt::Said { proofs }) => again && proofs != taken,
            Some(Doubt::Silent { proofs }) => proofs != taken,
            Some(Doubt::Passed) => false,
        };
        is_free && self.state == State::Waiting
    }

    pub(super) fn is_second_try(&self) -> bool {
        matches!(self.doubt, Some(Doubt::Said { .. }))
    }

    /// How long ago it was received.
    pub(super) fn age(&self, now: Now) -> Duration {
        Duration::from_micros(self.age_us) + now.mono.saturating_sub(self.read_at)
    }

    /// How long ago it was measured; a date that is doubted, or new, makes nothing old.
    fn measured_age(&self, now: Now) -> Duration {
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
    pub(super) fn outgoing(&self, ring: u32) -> Outgoing<'_> {
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
            body: &self.body,
            repeat,
        }
    }

    pub(super) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight { .. })
    }
}

fn micros(date: Duration) -> u64 {
    u64::try_from(date.as_micros()).unwrap_or(u64::MAX)
}

/// What a message costs beside its body, in bytes: its place in a queue that grows by doubling, and
/// what the allocator adds to the body.
const ITEM_LEN: usize = 2 * size_of::<Item>() + 16;
