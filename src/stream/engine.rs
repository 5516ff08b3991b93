//! The engine of a stream: what is read from the ring, what is in flight, what is settled, and
//! when to try again. No socket, no clock, no bytes of a protocol.
//!
//! ```text
//!        fill                send                 answers                  settle
//!  ring ─────▶ waiting ───────────▶ in flight ─────────────▶ settled ─────────────▶ cursor
//!                 ▲                     │   accepted, refused      closed prefix only
//!                 └─────────────────────┘
//!                   lost, faulty
//! ```
//! A link takes (epoch, sequence number, record) and answers late and out of order: accepted,
//! refused with a reason, or lost. An answer of an earlier epoch changes nothing.

use super::backoff::Backoff;
use super::settings::{Delivery, OnReject};
use crate::clock::{Now, Wall};
use crate::ring::{Record, Ring, Seq, Settled, StreamId};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// One stream between the ring and its link.
#[derive(Debug)]
pub struct Engine {
    stream: StreamId,
    limits: Limits,
    delivery: Delivery,
    epoch: u32,
    items: VecDeque<Item>,
    /// Of the bodies in `items`.
    bytes: usize,
    backoff: Backoff,
    /// Nothing is sent before.
    paused_until: Option<Duration>,
    /// The last of the messages of which one is known to be refused.
    suspect_until: Option<Seq>,
    /// Given up since the last that was accepted.
    given_up_in_a_row: u32,
    events: VecDeque<Event>,
}

/// What an engine holds in memory at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages read and not settled.
    pub messages: usize,
    /// Their bytes, one message excepted.
    pub bytes: usize,
    /// Older than this since it was received: expired.
    pub ttl: Option<Duration>,
}

/// A message on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Its number, for the answer.
    pub seq: Seq,
    /// When it was received.
    pub received: Wall,
    /// The message, see [`crate::message::body`].
    pub body: &'a [u8],
    /// Whether it has been sent before.
    pub repeat: Repeat,
}

/// Whether a message has been sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The first time.
    First,
    /// Sent before, and the answer was lost.
    Again,
}

/// What happened, for the log and the event list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message was given up.
    GivenUp {
        /// Which.
        seq: Seq,
        /// What the destination said.
        reason: String,
    },
    /// A message could not be sent at all and was skipped.
    Skipped {
        /// Which.
        seq: Seq,
        /// What it lacks.
        reason: String,
    },
    /// So many were given up with none accepted between that the destination is at fault.
    AtFault {
        /// What the destination said of the last.
        reason: String,
    },
}

/// A message that was read and is not settled in the ring.
#[derive(Debug)]
struct Item {
    seq: Seq,
    received: Wall,
    /// Its age when it was read, and when that was.
    age: Duration,
    read_at: Duration,
    body: Box<[u8]>,
    /// How often it was sent.
    sent: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    InFlight { since: Duration },
    Settled(Settled),
}

impl Engine {
    /// An engine that has read nothing.
    #[must_use]
    pub fn new(stream: StreamId, delivery: Delivery, limits: Limits) -> Self {
        let backoff = Backoff::new(delivery.retry_min, delivery.retry_max);
        Self {
            stream,
            limits,
            delivery,
            epoch: 0,
            items: VecDeque::new(),
            bytes: 0,
            backoff,
            paused_until: None,
            suspect_until: None,
            given_up_in_a_row: 0,
            events: VecDeque::new(),
        }
    }

    /// Reads from the ring until the limits are met or nothing is left; `wanted` decides for
    /// records whose subscription was not decided when they came.
    pub fn fill(&mut self, ring: &mut Ring, now: Now, wanted: &dyn Fn(&[u8]) -> bool) {
        while self.items.len() < self.limits.messages && self.bytes < self.limits.bytes {
            let Some(record) = ring.read(self.stream, now) else {
                return;
            };
            let unwanted = !record.subscribed && !wanted(record.body);
            self.push(&record, now, unwanted.then_some(Settled::Filtered));
        }
    }

    /// The next message to send, in order; it is in flight from now on.
    pub fn next(&mut self, now: Now) -> Option<Outgoing<'_>> {
        self.expire(now);
        if self.is_paused(now) {
            return None;
        }
        let place = self
            .items
            .iter()
            .position(|item| item.state == State::Waiting)?;
        let item = self.items.get_mut(place)?;
        item.depart(now);
        Some(item.outgoing())
    }

    /// The next batch to send, the only one in flight; none while one is, or while `linger` may
    /// still fill it. All of it is in flight from now on.
    pub fn next_batch(&mut self, now: Now) -> Option<RangeInclusive<Seq>> {
        self.expire(now);
        if self.is_paused(now) || self.in_flight() > 0 || self.batch_due()? > now.mono {
            return None;
        }
        let last = self.cut()?;
        let mut first = None;
        for item in self.items.iter_mut().take_while(|item| item.seq <= last) {
            if item.state == State::Waiting {
                item.depart(now);
                first = first.or(Some(item.seq));
            }
        }
        Some(first?..=last)
    }

    /// The messages of a batch that are in flight, in order.
    pub fn batch(&self, range: RangeInclusive<Seq>) -> impl Iterator<Item = Outgoing<'_>> {
        let in_flight = |item: &&Item| matches!(item.state, State::InFlight { .. });
        self.items
            .iter()
            .filter(move |item| range.contains(&item.seq))
            .filter(in_flight)
            .map(Item::outgoing)
    }

    /// The destination took all of `range` that is in flight.
    pub fn accepted(&mut self, epoch: u32, range: RangeInclusive<Seq>) {
        if epoch != self.epoch {
            return;
        }
        let mut accepted = false;
        for item in in_flight(&mut self.items, range) {
            item.state = State::Settled(Settled::Accepted);
            accepted = true;
        }
        if accepted {
            self.backoff.succeeded();
            self.given_up_in_a_row = 0;
        }
    }

    /// The destination refused `range`, or one message of it. A single one is given up or tried
    /// again as `on_reject` says; of several, the first half is sent next.
    pub fn refused(
        &mut self,
        epoch: u32,
        range: RangeInclusive<Seq>,
        reason: &str,
        now: Now,
        random: u32,
    ) {
        if epoch != self.epoch {
            return;
        }
        let count = in_flight(&mut self.items, range.clone()).count();
        if count > 1 {
            self.suspect_until = Some(*range.end());
            self.recall(range);
        } else if self.may_give_up() {
            self.give_up(range, reason);
        } else {
            self.hold(range, reason, now, random);
        }
    }

    /// A message that cannot be sent as it is: passed over, and counted as filtered.
    pub fn skip(&mut self, seq: Seq, reason: &str) {
        for item in in_flight(&mut self.items, seq..=seq) {
            item.state = State::Settled(Settled::Filtered);
        }
        self.note(Event::Skipped {
            seq,
            reason: reason.to_owned(),
        });
    }

    /// The connection is gone, or an answer did not come in time: what is in flight waits again,
    /// and nothing is sent for a while.
    pub fn lost(&mut self, epoch: u32, now: Now, random: u32) {
        if epoch == self.epoch {
            self.recall(Seq(0)..=Seq(u64::MAX));
            self.pause(now, None, random);
        }
    }

    /// The destination cannot take anything now, or is set up wrongly: as [`Engine::lost`], and
    /// not before `after`.
    pub fn faulty(&mut self, epoch: u32, now: Now, after: Option<Duration>, random: u32) {
        if epoch == self.epoch {
            self.recall(Seq(0)..=Seq(u64::MAX));
            self.pause(now, after, random);
        }
    }

    /// Moves the ring's cursor over all that is settled without a gap; how many that were.
    pub fn settle(&mut self, ring: &mut Ring, now: Now) -> usize {
        let mut count = 0;
        while let Some(Item {
            state: State::Settled(how),
            seq,
            ..
        }) = self.items.front()
        {
            ring.settle(self.stream, *seq, *how, now);
            self.drop_front();
            count += 1;
        }
        count
    }

    /// Forgets what was read: answers to it will be ignored, and reading starts at the cursor.
    pub fn restart(&mut self, ring: &mut Ring) {
        self.epoch = self.epoch.wrapping_add(1);
        self.items.clear();
        self.bytes = 0;
        self.suspect_until = None;
        ring.reread(self.stream);
    }

    /// What an answer has to name.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How many messages are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.items.iter().filter(|item| item.is_in_flight()).count()
    }

    /// Whether something could be sent, now or after a pause.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.items.iter().any(|item| item.state == State::Waiting)
    }

    /// When the oldest message in flight has been there for `timeout`.
    #[must_use]
    pub fn overdue_at(&self) -> Option<Duration> {
        let since = |item: &Item| match item.state {
            State::InFlight { since } => Some(since),
            _ => None,
        };
        Some(self.items.iter().filter_map(since).min()? + self.delivery.timeout)
    }

    /// Until when nothing is sent, if that is not over.
    #[must_use]
    pub fn paused_until(&self, now: Now) -> Option<Duration> {
        self.paused_until.filter(|until| *until > now.mono)
    }

    /// When [`Engine::next_batch`] has something, if nothing more comes.
    #[must_use]
    pub fn batch_due(&self) -> Option<Duration> {
        let mut waiting = self
            .items
            .iter()
            .filter(|item| item.state == State::Waiting);
        let oldest = waiting.next()?.read_at;
        let full = waiting.count() + 1 >= self.delivery.max_messages
            || self.bytes >= self.delivery.max_bytes
            || self.suspect_until.is_some();
        Some(if full {
            oldest
        } else {
            oldest + self.delivery.linger
        })
    }

    /// How often the oldest unsettled message was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.items
            .iter()
            .find(|item| !item.is_settled())
            .map_or(0, |item| item.sent)
    }

    /// Ends a pause: a route has appeared, or somebody asks for it.
    pub fn wake(&mut self) {
        self.paused_until = None;
    }

    /// What happened since the last call, at most [`EVENTS_MAX`].
    pub fn events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    fn push(&mut self, record: &Record<'_>, now: Now, settled: Option<Settled>) {
        let body: Box<[u8]> = if settled.is_some() {
            [].into()
        } else {
            record.body.into()
        };
        self.bytes += body.len();
        self.items.push_back(Item {
            seq: record.seq,
            received: record.received,
            age: record.age,
            read_at: now.mono,
            body,
            sent: 0,
            state: settled.map_or(State::Waiting, State::Settled),
        });
    }

    fn drop_front(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.bytes -= item.body.len();
            if self.suspect_until.is_some_and(|until| until <= item.seq) {
                self.suspect_until = None;
            }
        }
    }

    fn expire(&mut self, now: Now) {
        let Some(ttl) = self.limits.ttl else { return };
        for item in self
            .items
            .iter_mut()
            .filter(|item| item.state == State::Waiting)
        {
            if item.age + now.mono.saturating_sub(item.read_at) > ttl {
                item.state = State::Settled(Settled::Expired);
            }
        }
    }

    /// The last message of the next batch: as much as the limits allow, or half of what is known
    /// to hold one that is refused.
    fn cut(&self) -> Option<Seq> {
        let waiting = || {
            self.items
                .iter()
                .filter(|item| item.state == State::Waiting)
        };
        let suspects = |until: Seq| waiting().take_while(|item| item.seq <= until).count();
        let most = match self.suspect_until.map(suspects) {
            Some(count) if count > 0 => count.div_ceil(2),
            _ => self.delivery.max_messages,
        };
        let (mut last, mut bytes) = (None, 0);
        for item in waiting().take(most) {
            bytes += item.body.len();
            if last.is_some() && bytes > self.delivery.max_bytes {
                break;
            }
            last = Some(item.seq);
        }
        last
    }

    fn may_give_up(&self) -> bool {
        self.delivery.on_reject == OnReject::Skip && self.given_up_in_a_row < GIVEN_UP_IN_A_ROW_MAX
    }

    fn give_up(&mut self, range: RangeInclusive<Seq>, reason: &str) {
        let seq = *range.start();
        for item in in_flight(&mut self.items, range) {
            item.state = State::Settled(Settled::GivenUp);
        }
        self.given_up_in_a_row += 1;
        self.note(Event::GivenUp {
            seq,
            reason: reason.to_owned(),
        });
        if self.given_up_in_a_row == GIVEN_UP_IN_A_ROW_MAX {
            self.note(Event::AtFault {
                reason: reason.to_owned(),
            });
        }
    }

    fn hold(&mut self, range: RangeInclusive<Seq>, reason: &str, now: Now, random: u32) {
        log::debug!("held back, refused: {reason}");
        self.recall(range);
        self.pause(now, None, random);
    }

    fn recall(&mut self, range: RangeInclusive<Seq>) {
        for item in in_flight(&mut self.items, range) {
            item.state = State::Waiting;
        }
    }

    fn pause(&mut self, now: Now, after: Option<Duration>, random: u32) {
        let wait = self.backoff.failed(random).max(after.unwrap_or_default());
        self.paused_until = Some(now.mono + wait);
    }

    fn is_paused(&self, now: Now) -> bool {
        self.paused_until(now).is_some()
    }

    fn note(&mut self, event: Event) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

impl Item {
    fn depart(&mut self, now: Now) {
        self.sent = self.sent.saturating_add(1);
        self.state = State::InFlight { since: now.mono };
    }

    fn outgoing(&self) -> Outgoing<'_> {
        let repeat = if self.sent > 1 {
            Repeat::Again
        } else {
            Repeat::First
        };
        Outgoing {
            seq: self.seq,
            received: self.received,
            body: &self.body,
            repeat,
        }
    }

    fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight { .. })
    }

    fn is_settled(&self) -> bool {
        matches!(self.state, State::Settled(_))
    }
}

fn in_flight(
    items: &mut VecDeque<Item>,
    range: RangeInclusive<Seq>,
) -> impl Iterator<Item = &mut Item> {
    let from = items.partition_point(|item| item.seq < *range.start());
    items
        .iter_mut()
        .skip(from)
        .take_while(move |item| item.seq <= *range.end())
        .filter(|item| item.is_in_flight())
}

/// So many messages given up with none accepted between mean that the destination is at fault.
const GIVEN_UP_IN_A_ROW_MAX: u32 = 8;

/// Events that wait to be told.
pub const EVENTS_MAX: usize = 64;
