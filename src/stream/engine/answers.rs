//! What a link tells the engine of messages that are in flight: taken, refused, later, lost. What
//! becomes of those that are refused is decided in [`super::refusal`].

use super::Engine;
use super::Event;
use super::queue::State;
use super::refusal::Blame;
use crate::clock::Now;
use crate::ring::Seq;
use crate::ring::Settled;
use crate::stream::DeliveryError;
use crate::stream::Retry;
use std::time::Duration;

impl Engine {
    /// The destination took all of `messages` that are in flight.
    pub fn accepted(&mut self, epoch: u32, messages: &[Seq], now: Now) {
        if epoch != self.epoch {
            return;
        }
        // asked before they are settled, when they have no such time any more
        let sent_at = self.queue.sent_at(messages);
        let latency = sent_at.map(|sent_at| now.mono.saturating_sub(sent_at));
        // it was counted when it was accepted the first time: it only proves something
        if self.canary_answered(messages) {
            return self.taken(latency, now);
        }
        let oldest = self.queue.oldest_in_flight();
        // one that comes twice proves nothing
        let taken = self.queue.mark(messages, State::Settled(Settled::Accepted));
        if taken == 0 {
            return;
        }
        if oldest.is_some_and(|(seq, _)| messages.contains(&seq)) {
            self.progressed = now.mono;
        }
        self.tally.ack_latency = latency;
        self.tally.answers += 1;
        if let Some(latency) = latency {
            self.tally.latencies.count(latency, taken);
        }
        self.taken(latency, now);
        // as fast as it became small: what made it small may be over
        let doubled = self.batch_max.saturating_mul(2);
        self.batch_max = doubled.min(self.delivery.max_messages.max(1));
    }

    /// The destination refused `messages`, or one of them, for its own sake: a single one is given
    /// up or tried again as `on_reject` says; of several, the first half is sent next, without a
    /// pause: the destination is well.
    pub fn refused(
        &mut self,
        epoch: u32,
        messages: &[Seq],
        error: &DeliveryError,
        now: Now,
        random: u32,
    ) {
        match self.hear_refusal(epoch, messages, now, random) {
            None => return,
            Some(Blame::One(seq)) => return self.refuse(seq, error, now, random),
            Some(Blame::Some) => self.suspect_some(messages),
        }
        self.queue.mark(messages, State::Waiting);
        self.note(Event::NotDelivered(error.clone()));
    }

    /// Of `messages` the destination took all but the `refused`, which it never will, and those
    /// that are sent again `later`. They are told one after the other, so that what lies between
    /// two that are refused counts.
    pub fn taken_but(
        &mut self,
        epoch: u32,
        messages: &[Seq],
        (refused, later): (&[Seq], &[Seq]),
        error: &DeliveryError,
        now: Now,
        random: u32,
    ) {
        for seq in messages.iter().filter(|seq| !later.contains(seq)) {
            match refused.contains(seq) {
                true => self.refused(epoch, &[*seq], error, now, random),
                false => self.accepted(epoch, &[*seq], now),
            }
        }
        if !later.is_empty() {
            self.later(epoch, later, (error.clone(), None), now, random);
        }
    }

    /// A message in flight that cannot be sent as it is: passed over, and counted as filtered.
    pub fn skip(&mut self, seq: Seq, reason: String) {
        if self.canary_answered(&[seq]) {
            return;
        }
        self.queue.give_up(seq, Settled::Filtered, &reason);
        self.note(Event::Skipped { seq, reason });
    }

    /// The connection is gone: what is in flight waits again, and nothing is sent for a while,
    /// unless `retry` says otherwise and the destination has said something since the last time.
    pub fn disconnected(&mut self, epoch: u32, retry: Retry, now: Now, random: u32) {
        if epoch != self.epoch {
            return;
        }
        self.queue.recall();
        self.forget_proof();
        let failed = match retry {
            Retry::Paused => true,
            // one that says nothing each time is not asked again and again
            Retry::AtOnce => !self.answered,
            Retry::Renewed => false,
        };
        if failed {
            self.backoff.pause_lost(now.mono, random);
        }
        // of the next connection
        self.answered = false;
    }

    /// The destination cannot take anything now, or is set up wrongly: what is in flight waits
    /// again, and nothing is sent for a while, nor before `after`.
    pub fn faulty(
        &mut self,
        epoch: u32,
        error: DeliveryError,
        after: Option<Duration>,
        now: Now,
        random: u32,
    ) {
        let all: Vec<Seq> = self.queue.in_flight().map(|item| item.seq).collect();
        self.later(epoch, &all, (error, after), now, random);
    }

    /// The same of `messages`; others that are in flight go on waiting for their answer. There is
    /// one pause for all that were on their way together, or the last that the destination asked
    /// for.
    pub fn later(
        &mut self,
        epoch: u32,
        messages: &[Seq],
        (error, after): (DeliveryError, Option<Duration>),
        now: Now,
        random: u32,
    ) {
        if epoch == self.epoch {
            self.answered = true;
            self.count_refused(messages);
            self.queue.mark(messages, State::Waiting);
            self.forget_proof();
            if after.is_some() || self.paused_until(now).is_none() {
                self.backoff.pause(now.mono, after, random);
            }
            self.note(Event::NotDelivered(error));
        }
    }

    /// The connection is given up because the oldest message in flight got no answer; call
    /// before [`Engine::disconnected`]. Batches get smaller: the way may be too slow for a large
    /// one.
    pub fn unanswered(&mut self, epoch: u32) {
        let Some((seq, _)) = self.queue.oldest_in_flight() else {
            return;
        };
        if epoch == self.epoch {
            // another message in front: what was counted was of one that has got through
            self.unanswered = (seq, self.unanswered_count(seq).saturating_add(1));
            self.batch_max = self.batch_max.div_ceil(2);
            self.tally.rejected += self.in_flight() as u64;
        }
    }

    /// So many messages got no answer, and nobody knows which.
    pub fn missed(&mut self, epoch: u32, count: usize) {
        if epoch == self.epoch {
            self.tally.rejected += count as u64;
        }
    }

    /// One of those in flight was not taken, and nobody knows which.
    pub fn suspect(&mut self, epoch: u32) {
        if epoch == self.epoch {
            let all: Vec<Seq> = self.queue.in_flight().map(|item| item.seq).collect();
            self.suspect_some(&all);
        }
    }

    /// One of these was not taken: they share a number that no others have.
    pub(super) fn suspect_some(&mut self, messages: &[Seq]) {
        self.suspicions = self.suspicions.wrapping_add(1).max(1);
        self.queue.suspect(messages, self.suspicions);
    }

    /// Whether this message, or one after it, is one of those of which one was not taken.
    #[must_use]
    pub fn is_suspect(&self, seq: Seq) -> bool {
        self.queue.is_suspect(seq)
    }

    /// How many connections in a row ended with this message as the first without an answer.
    #[must_use]
    pub fn unanswered_count(&self, seq: Seq) -> u32 {
        match self.unanswered {
            (oldest, count) if oldest == seq => count,
            _ => 0,
        }
    }
}
