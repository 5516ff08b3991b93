//! The engine of a stream: what is read from the ring, what is in flight, what is settled, and
//! when to try again. No socket, no clock, no bytes of a protocol.
//!
//! ```text
//!        fill                send                 answers                  settle
//!  ring ─────▶ waiting ───────────▶ in flight ─────────────▶ settled ─────────────▶ cursor
//!                 ▲                     │   accepted, refused      closed prefix only
//!                 └─────────────────────┘
//!                   lost, later
//! ```
//! Who drives a stream calls `fill` and `settle` again and again; its link takes messages by
//! [`Engine::next`] one by one or by [`Engine::next_batch`] some together, and answers for them
//! late and out of order. What must hold:
//!
//! - What `fill` has read is in the queue until `settle` tells the ring how it ended: each message
//!   once, in the order of the ring. So the counters of a stream add up at every moment, and a
//!   start repeats what was not settled and nothing else.
//! - Only what is in flight has an answer. One that comes twice, or for what was recalled
//!   meanwhile, finds nothing in flight, and one of an earlier epoch is not looked at: neither
//!   changes anything.
//! - Nothing leaves the state "in flight" but by an answer or by `disconnected`, and every
//!   connection ends in `disconnected`: no message stays there for ever.
//! - The oldest message that may go goes first. Those that a link leaves for another batch, and
//!   those that are set aside in doubt, wait; nothing else changes their order.
//!
//! What is told of messages is in `answers`, what becomes of refused ones in `refusal` and `own`,
//! which go together in `batch`.

mod answers;
mod batch;
mod event;
mod latencies;
mod limits;
mod own;
mod queue;
mod rate;
mod refusal;
mod tally;

pub use super::outgoing::Outgoing;
pub use super::outgoing::Repeat;
pub use batch::Fit;
pub use event::Event;
pub use latencies::Latencies;
pub use limits::Limits;
pub use limits::SEARCH_BYTES;
pub use limits::SEARCH_MESSAGES;
pub use tally::Tally;

use super::backoff::Backoff;
use super::dialect::Dialect;
use super::selection::Selection;
use super::settings::Delivery;
use super::settings::OnReject;
use crate::clock::Now;
use crate::message::body::Body;
use crate::ring::Dates;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::Settled;
use crate::ring::StreamId;
use queue::Queue;
use rate::Rate;
use refusal::Choice;
use refusal::Refusals;
use std::collections::VecDeque;
use std::time::Duration;

/// One stream between the ring and its link.
#[derive(Debug)]
pub struct Engine {
    /// Whose cursor `settle` moves.
    stream: StreamId,
    limits: Limits,
    delivery: Delivery,
    /// Sees each record once in an epoch, in the order of the ring.
    selection: Selection,
    /// How often reading began anew. A link keeps the one with which it began, and names it in
    /// each answer: what it says of an earlier one is of messages that are read again.
    epoch: u32,
    /// Without a gap what the ring has given out and has not been told the end of: it begins at
    /// the cursor and ends at the reading place.
    queue: Queue,
    /// Nothing is sent while it pauses; what is in flight may still be answered.
    backoff: Backoff,
    /// Nothing is read or sent any more: what is in flight is awaited.
    is_held: bool,
    /// What waits has lingered: all of it goes, until nothing waits. For links without batches.
    flows: bool,
    rate: Rate,
    /// Whether the destination said anything since a connection was last lost. One that closes
    /// connections in good order and never says a word is paused for like one that fails.
    answered: bool,
    /// When the oldest message in flight was accepted last: from then on the next is waited for.
    progressed: Duration,
    /// The oldest message of the last connections, and how many ended without an answer to it. As
    /// soon as another is the oldest the count begins anew.
    unanswered: (Seq, u32),
    /// Messages of the next batch at most, from 1 to `max_messages`: half of it after each that got
    /// no answer, twice after each that was accepted.
    batch_max: usize,
    /// How often one of a batch was not taken, from 1: the last number that messages share, see
    /// [`queue::Item::suspicion`].
    suspicions: u32,
    refusals: Refusals,
    /// By which the messages in `queue` are dated, all of them by the same.
    dates: Dates,
    /// At most [`EVENTS_MAX`]; the oldest give way.
    events: VecDeque<Event>,
    /// Since somebody last asked for it.
    tally: Tally,
    /// Kept for the links, which live for one connection each.
    pub(super) dialect: Dialect,
}

impl Engine {
    /// An engine that has read nothing.
    #[must_use]
    pub fn new(stream: StreamId, delivery: Delivery, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            selection: Selection::default(),
            epoch: 0,
            queue: Queue::default(),
            backoff: Backoff::new(delivery.retry_min, delivery.retry_max),
            is_held: false,
            flows: false,
            rate: Rate::new(limits.interval),
            answered: true,
            progressed: Duration::ZERO,
            unanswered: (Seq(0), 0),
            batch_max: delivery.max_messages.max(1),
            delivery,
            suspicions: 0,
            refusals: Refusals::default(),
            dates: Dates::default(),
            events: VecDeque::new(),
            tally: Tally::default(),
            dialect: Dialect::default(),
        }
    }

    /// The same engine, which takes only what passes `selection`.
    #[must_use]
    pub fn behind(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// Reads from the ring until the limits are met or nothing is left; `wanted` decides for
    /// records whose subscription was not decided when they came. Each time a part of those is
    /// counted.
    pub fn fill(&mut self, ring: &mut Ring, now: Now, wanted: &dyn Fn(&[u8]) -> bool) {
        // the ring may have been made anew after a fault of the disk
        self.queue.ring = ring.id();
        // What was read before the date was known goes out with it.
        ring.note_date(now);
        let dates = ring.dates(now);
        if std::mem::replace(&mut self.dates, dates) != dates {
            self.queue.date(ring, now);
        }
        // What is left to count is counted the next time.
        ring.count_older(self.stream, now, wanted);
        while !self.is_held && self.has_room() {
            let Some(record) = ring.read_to_send(self.stream, now) else {
                break;
            };
            // what is not sent is queued as well, settled: the cursor passes it in its turn
            let settled = if !record.subscribed && !wanted(record.body) {
                Some(Settled::Unwanted)
            } else {
                let message = Outgoing::of(&record, self.queue.ring);
                let taken = match record.subscribed {
                    true => self.selection.takes(&message),
                    false => self.selection.takes_older(&message, now.mono, record.age),
                };
                (!taken).then_some(Settled::Filtered)
            };
            // only where it is asked for: a date costs a look at the whole message
            let judged = self.limits.max_age.and(Body::new(record.body).ok());
            let measured = judged.and_then(|body| body.measured());
            self.queue.push(&record, measured, now, settled);
        }
        if let Some(never_seen) = self.selection.suspicion() {
            self.note(Event::NothingPasses { never_seen });
        }
    }

    /// Whether nothing more can be read until something is settled.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.has_room()
    }

    /// Has it read and send nothing more, or go on. What is in flight may still be answered.
    pub fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    fn has_room(&self) -> bool {
        let has_room = |limits: Limits| {
            self.queue.len() < limits.messages && self.queue.bytes() < limits.bytes
        };
        has_room(self.limits) || has_room(self.limits.for_search()) && self.is_searching()
    }

    /// The next message to send, in order; it is in flight from now on.
    pub fn next(&mut self, now: Now) -> Option<Outgoing<'_>> {
        self.expire(now);
        if self.is_paused(now) || self.rate.room(now) == 0 || !self.has_lingered(now) {
            return None;
        }
        let ring = self.queue.ring;
        let choice = self.choose(now)?;
        // what is sent again is spent again: it is the destination that is spared
        self.rate.spend(1, now);
        let item = match choice {
            Choice::Canary => self.send_canary(now)?,
            Choice::From(seq) => {
                let second = self.queue.item_mut(seq)?.is_second_try();
                self.spend_second_tries(second.into());
                let item = self.queue.item_mut(seq)?;
                item.depart(now);
                &*item
            }
        };
        Some(item.outgoing(ring))
    }

    /// Those of `messages` that are in flight, in order.
    pub fn batch(&self, messages: &[Seq]) -> impl Iterator<Item = Outgoing<'_>> {
        let ring = self.queue.ring;
        let items = self.queue.in_flight_of(messages);
        items.map(move |item| item.outgoing(ring))
    }

    /// A message that is in flight.
    #[must_use]
    pub fn message(&self, seq: Seq) -> Option<Outgoing<'_>> {
        let item = self.queue.in_flight_of(&[seq]).next();
        item.map(|item| item.outgoing(self.queue.ring))
    }

    /// A number for a message in flight, from 1, that no other in memory has. It follows the place
    /// in the ring: so it is the same each time, also after a start, and the last message that had
    /// it is long gone.
    pub fn tag(&mut self, seq: Seq) -> u16 {
        let known = self.queue.in_flight_of(&[seq]).next().map(|item| item.tag);
        if let Some(tag @ 1..) = known {
            return tag;
        }
        // the canary has the number in the ring of a message that may be in flight too: it looks
        // for its own from half way round, so that no answer is taken for that of the other
        let canary = self.queue.canary.as_ref();
        let is_canary = canary.is_some_and(|canary| canary.seq == seq);
        let first = seq.0.wrapping_sub(1);
        let first = first.wrapping_add(if is_canary { TAGS / 2 } else { 0 });
        self.queue.set_tag(seq, first)
    }

    /// A message that was refused or cannot be sent, and is not settled in the ring, and why; each
    /// once. Asked for before [`Engine::settle`], no power cut takes it away unseen.
    pub fn take_rejected(&mut self) -> Option<(Outgoing<'_>, Box<str>)> {
        self.queue.take_rejected()
    }

    /// Moves the ring's cursor over all that is settled without a gap; how many that were.
    pub fn settle(&mut self, ring: &mut Ring, now: Now) -> usize {
        let mut count = 0;
        // stops at the first that waits or is in flight: what is settled behind it is in memory
        // only, and a start sends it once more
        while let Some((seq, how)) = self.next_settled() {
            ring.settle(self.stream, seq, how, now);
            self.tally.settled(how);
            count += 1;
        }
        count
    }

    /// The oldest, if it is settled. While nothing more is sent, only what answers stand behind:
    /// what was left out may be judged anew, by other settings.
    fn next_settled(&mut self) -> Option<(Seq, Settled)> {
        match self.is_held && !self.queue.has_answers() {
            true => None,
            false => self.queue.pop_settled(),
        }
    }

    /// Forgets what was read: answers to it will be ignored, and reading starts at the cursor.
    pub fn restart(&mut self, ring: &mut Ring) {
        // answers that are still to come are of messages that are read again
        self.epoch = self.epoch.wrapping_add(1);
        self.queue.clear();
        self.unanswered = (Seq(0), 0);
        self.refusals.reread();
        self.selection.forget();
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
        self.queue.in_flight().count()
    }

    /// Whether something could be sent, now or after a pause.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.queue.waiting().next().is_some()
    }

    /// When the oldest message in flight has waited `timeout` for its answer: since it was sent,
    /// or since all before it were accepted, so that a slow way is not taken for a dead one.
    #[must_use]
    pub fn overdue_at(&self) -> Option<Duration> {
        let oldest = self.queue.oldest_in_flight();
        let (_, since) = oldest?;
        Some(since.max(self.progressed) + self.delivery.timeout)
    }

    /// Until when nothing is sent, if that is not over.
    #[must_use]
    pub fn paused_until(&self, now: Now) -> Option<Duration> {
        self.backoff.paused_until(now.mono)
    }

    /// When [`Engine::next`] has something again, where only the rate is in its way.
    #[must_use]
    pub fn rate_due(&self, now: Now) -> Option<Duration> {
        let due = self.rate.next();
        (due > now.mono && self.has_waiting()).then_some(due)
    }

    /// How often the oldest unsettled message was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.queue.oldest().map_or(0, |item| item.sent)
    }

    /// Until when the destination asked for a pause, if that is not over.
    #[must_use]
    pub fn asked_until(&self, now: Now) -> Option<Duration> {
        self.backoff.asked_until(now.mono)
    }

    /// Ends a pause, also one that the destination asked for.
    pub fn wake_now(&mut self) {
        self.backoff.wake_now();
    }

    /// Ends a pause: a route has appeared, or somebody asks for it. One that the destination asked
    /// for goes on.
    pub fn wake(&mut self) {
        self.backoff.wake();
    }

    /// What happened since the last call, at most [`EVENTS_MAX`].
    pub fn events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    /// What was done since the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// How old the oldest message is that is not settled.
    #[must_use]
    pub fn oldest_age(&self, now: Now) -> Option<Duration> {
        self.queue.oldest().map(|item| item.age(now))
    }

    fn expire(&mut self, now: Now) {
        self.queue.expire(&self.limits, now);
    }

    /// Whether what waits goes now: all of it, once the oldest has waited for `linger`.
    fn has_lingered(&mut self, now: Now) -> bool {
        if self.delivery.linger.is_zero() {
            return true;
        }
        let due = self.batch_due();
        self.flows = due.is_some_and(|due| self.flows || due <= now.mono);
        self.flows
    }

    fn is_paused(&self, now: Now) -> bool {
        self.is_held || self.paused_until(now).is_some()
    }

    /// Keeps what happened until it is asked for.
    pub(super) fn note(&mut self, event: Event) {
        // nobody may ask for a while: what is newest tells most
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

/// Numbers that [`Engine::tag`] gives.
const TAGS: u64 = 65_535;

/// Events that wait to be told.
pub const EVENTS_MAX: usize = 64;
