//! What a stream has read from the ring and not settled there, in the order of the ring. Decides
//! nothing: which message goes when is the [`super::Engine`]'s business.

mod item;

pub(super) use item::Doubt;
pub(super) use item::Item;
pub(super) use item::State;

use super::Limits;
use super::TAGS;
use crate::clock::Now;
use crate::ring::Record;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::Settled;
use crate::stream::outgoing::Outgoing;
use std::collections::VecDeque;
use std::time::Duration;

/// Messages between the ring's reading place and its cursor.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Its id, see [`Outgoing`].
    pub(super) ring: u32,
    items: VecDeque<Item>,
    /// Of `items` and their bodies.
    bytes: usize,
    /// None of so many at the front waits.
    busy: usize,
    /// So many at the front are settled.
    settled: usize,
    /// Whether one of `items` may be in doubt.
    doubts: bool,
    /// How many of `items` share a suspicion.
    suspects: usize,
    /// The last of `items` that is accepted.
    accepted: Option<Seq>,
    /// When it was looked for those that are too old, unless more waits since.
    expired: Option<Now>,
    /// Whether one of `items` may have another tag than the one that follows from its number.
    odd_tags: bool,
    /// The last that was taken out accepted.
    last_accepted: Option<Item>,
    /// An accepted one that is in flight once more, see [`super::refusal`].
    pub(super) canary: Option<Item>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            ring: self.ring,
            items: std::mem::take(&mut self.items),
            last_accepted: self.last_accepted.take(),
            ..Self::default()
        };
        self.items.clear();
    }

    /// Takes a record in; one that is settled already keeps no body.
    pub(super) fn push(
        &mut self,
        record: &Record<'_>,
        measured: Option<Duration>,
        now: Now,
        settled: Option<Settled>,
    ) {
        let item = Item::of(record, measured, now, settled);
        self.bytes += item.len();
        // Where a stream was put back, what it sent before comes again in its turn. As a canary
        // it would come out of turn, and then as if for the first time.
        self.last_accepted.take_if(|last| last.seq >= record.seq);
        self.expired = None;
        self.items.push_back(item);
    }

    /// Dates all messages by what is known of the date now.
    pub(super) fn date(&mut self, ring: &Ring, now: Now) {
        self.expired = None;
        let last = self.last_accepted.iter_mut();
        for item in self.items.iter_mut().chain(last) {
            item.date(ring, now);
        }
    }

    /// Takes the first one out if it is settled.
    pub(super) fn pop_settled(&mut self) -> Option<(Seq, Settled)> {
        let State::Settled(how) = self.items.front()?.state else {
            return None;
        };
        let item = self.items.pop_front()?;
        self.bytes -= item.len();
        self.busy = self.busy.saturating_sub(1);
        self.settled = self.settled.saturating_sub(1);
        self.suspects -= usize::from(item.suspicion != 0);
        self.odd_tags &= !self.items.is_empty();
        let seq = item.seq;
        self.accepted.take_if(|last| *last == seq);
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
        let last = self.accepted.and_then(|seq| self.item(seq));
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
        let rest = self.items.range(self.busy.min(self.items.len())..);
        rest.filter(|item| item.state == State::Waiting)
    }

    pub(super) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.pass_busy();
        let rest = self.items.range_mut(self.busy..);
        rest.filter(|item| item.state == State::Waiting)
    }

    /// Finds the first that waits, so that nobody has to go there again from the front.
    pub(super) fn pass_busy(&mut self) {
        let is_busy = |item: &Item| item.state != State::Waiting;
        while self.items.get(self.busy).is_some_and(is_busy) {
            self.busy += 1;
        }
    }

    /// Those that are in doubt.
    pub(super) fn doubted(&self) -> impl Iterator<Item = (&Item, Doubt)> {
        // without one nobody goes through all
        let some = if self.doubts { self.items.len() } else { 0 };
        let items = self.items.iter().take(some);
        items.filter_map(|item| Some((item, item.doubt?)))
    }

    /// Sets one aside, or not any more.
    pub(super) fn set_doubt(&mut self, seq: Seq, doubt: Option<Doubt>) {
        if let Some(item) = self.item_mut(seq) {
            item.doubt = doubt;
            self.doubts |= doubt.is_some();
        }
    }

    /// Gives those that are in doubt another one, or none.
    pub(super) fn change_doubts(&mut self, change: impl Fn(Doubt) -> Option<Doubt>) {
        if !self.doubts {
            return;
        }
        self.doubts = false;
        for item in &mut self.items {
            item.doubt = item.doubt.and_then(&change);
            self.doubts |= item.doubt.is_some();
        }
    }

    /// The oldest in flight and since when it is.
    pub(super) fn oldest_in_flight(&self) -> Option<(Seq, Duration)> {
        let rest = self.items.range(self.settled.min(self.items.len())..);
        let mut items = self.canary.iter().chain(rest);
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
            let place = self.place(*seq);
            let item = self.items.get_mut(place);
            let item = item.filter(|item| item.seq == *seq && item.is_in_flight());
            let Some(item) = item else {
                continue;
            };
            match state {
                State::Settled(how) => {
                    item.settle(how);
                    let is_accepted = how == Settled::Accepted;
                    self.accepted = self.accepted.max(is_accepted.then_some(*seq));
                }
                _ => {
                    item.state = state;
                    self.busy = self.busy.min(place);
                    self.expired = None;
                }
            }
            count += 1;
        }
        self.pass_settled();
        count
    }

    /// Finds the first that is not settled, so that no answer goes there again from the front.
    fn pass_settled(&mut self) {
        let is_settled = |item: &Item| matches!(item.state, State::Settled(_));
        while self.items.get(self.settled).is_some_and(is_settled) {
            self.settled += 1;
        }
    }

    /// All that is in flight waits again.
    pub(super) fn recall(&mut self) {
        (self.busy, self.expired) = (0, None);
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
        let suspects = self.items.iter().filter(|item| item.suspicion != 0);
        self.suspects = suspects.count();
    }

    /// Whether this message, or one after it, is one of those of which one was not taken.
    pub(super) fn is_suspect(&self, seq: Seq) -> bool {
        if self.suspects == 0 {
            return false;
        }
        let items = self.items.range(self.place(seq)..);
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
        if (limits.ttl, limits.max_age) == (None, None) || self.expired == Some(now) {
            return;
        }
        self.expired = Some(now);
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

    /// Gives one that is in flight a tag that no other has. It follows from `first`, and so from
    /// where it stands in the ring, unless another has that one.
    pub(super) fn set_tag(&mut self, seq: Seq, first: u64) -> u16 {
        let tag_of = |more: u64| u16::try_from(first.wrapping_add(more) % TAGS).map(|tag| tag + 1);
        let natural = seq.0.checked_sub(1) == Some(first);
        // without a canary all that is here lies closer together than tags come again
        let span = self.items.back().map_or(0, |last| last.seq.0);
        let span = span - self.items.front().map_or(0, |first| first.seq.0);
        let is_sure = natural && self.canary.is_none() && !self.odd_tags && span < TAGS;
        let is_free =
            |tag: &u16| is_sure || self.iter().chain(&self.canary).all(|it| it.tag != *tag);
        let mut tags = (0..TAGS).filter_map(|more| tag_of(more).ok());
        let tag = tags.find(is_free).unwrap_or(1);
        self.odd_tags |= !is_sure && Ok(tag) != tag_of(0);
        if let Some(item) = self.in_flight_mut(seq) {
            item.tag = tag;
        }
        tag
    }

    fn place(&self, seq: Seq) -> usize {
        // without another stream's records between them their numbers say it
        let first = self.items.front().map_or(seq, |first| first.seq);
        let near = usize::try_from(seq.0.saturating_sub(first.0)).unwrap_or(usize::MAX);
        match self.items.get(near) {
            Some(item) if item.seq == seq => near,
            _ => self.items.partition_point(|item| item.seq < seq),
        }
    }
}
