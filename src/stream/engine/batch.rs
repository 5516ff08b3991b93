//! Batches: which messages go together, and when. For links that have one batch in flight.

use super::Engine;
use super::Event;
use super::Outgoing;
use super::queue::Item;
use super::refusal::Choice;
use crate::clock::Now;
use crate::ring::Seq;
use crate::ring::Settled;
use std::time::Duration;

/// What a link says of a message that it is offered for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It goes with this batch.
    Taken,
    /// It goes with another: it waits, and so does all after it that would go with the same.
    Later,
    /// It does not fit: the batch ends before it.
    Full,
    /// It cannot be sent as it is, and what it lacks.
    Unfit(String),
    /// The destination is known not to take it, and why: what becomes of it is decided as if it
    /// had been asked.
    Refused(String),
}

impl Engine {
    /// The next batch to send; none while `linger` may still fill it, or while one in flight has to
    /// be answered first. Messages are offered to `pack` in order; what it takes is in flight from
    /// now on. A link that has one batch in flight asks for no other before that is answered.
    pub fn next_batch(
        &mut self,
        now: Now,
        mut pack: impl FnMut(&Outgoing<'_>) -> Fit,
    ) -> Option<Vec<Seq>> {
        self.expire(now);
        let due = self.batch_due()? <= now.mono;
        if !due {
            return None;
        }
        while !self.is_paused(now) {
            // the oldest that may go decides what the batch is: no other can keep it waiting
            let first = match self.choose(now)? {
                Choice::Canary => return self.next_canary(now, pack),
                Choice::From(seq) => seq,
            };
            let share = self.batch_of(first, now);
            let mut batch = Vec::with_capacity(share.most.min(self.queue.len()));
            let unfit = self.offer(share, now, &mut pack, |item| {
                item.depart(now);
                batch.push(item.seq);
            });
            self.rate.spend(batch.len(), now);
            // what cannot be sent does not keep others from it
            if unfit == 0 || !batch.is_empty() {
                return (!batch.is_empty()).then_some(batch);
            }
        }
        None
    }

    /// The canary as a batch of its own, if it can be sent.
    fn next_canary(
        &mut self,
        now: Now,
        mut pack: impl FnMut(&Outgoing<'_>) -> Fit,
    ) -> Option<Vec<Seq>> {
        let ring = self.queue.ring;
        let canary = self.send_canary(now)?;
        let (seq, packing) = (canary.seq, pack(&canary.outgoing(ring)));
        match packing {
            Fit::Taken => {
                self.rate.spend(1, now);
                return Some(vec![seq]);
            }
            Fit::Unfit(_) | Fit::Refused(_) => self.queue.canary = None,
            // the link had something else ready, and asks again
            Fit::Later | Fit::Full => {
                self.forget_proof();
                return None;
            }
        }
        self.next_batch(now, pack)
    }

    /// Offers to `pack` what [`Engine::next_batch`] is going to when the batch in flight is
    /// accepted, if those are `most` messages already, or as many as a batch has, or all that
    /// fits into memory. They go on waiting: whether they are the next batch is known only then.
    pub fn upcoming(&mut self, most: usize, now: Now, pack: impl FnMut(&Outgoing<'_>) -> Fit) {
        self.expire(now);
        let most = most.min(self.batch_max).max(1);
        let is_full =
            self.queue.bytes() >= self.limits.bytes || self.queue.waiting().nth(most - 1).is_some();
        let is_known = !self.is_suspect(Seq(0)) && !self.is_paused(now);
        if is_full && is_known && self.rate.room(now) >= most && !self.is_in_doubt() {
            let next = Share { most, suspicion: 0 };
            self.offer(next, now, pack, |_| {});
        }
    }

    /// Offers waiting messages to `pack`, in order, until it is full. What is taken goes to `take`;
    /// what cannot be sent is settled, or waits for another time: how many that were.
    fn offer(
        &mut self,
        share: Share,
        now: Now,
        mut pack: impl FnMut(&Outgoing<'_>) -> Fit,
        mut take: impl FnMut(&mut Item),
    ) -> usize {
        let (ring, taken) = (self.queue.ring, self.times_taken());
        let (mut room, mut unfit, mut refused) = (share.most, Vec::new(), Vec::new());
        let (most_again, mut again) = (self.second_tries_left(), 0);
        for item in self.queue.waiting_mut() {
            if !item.may_go(taken, again < most_again) {
                continue;
            }
            if room == 0 {
                break;
            }
            match share.relation(item) {
                Relation::Member => {}
                // halving looks for one among the suspects, and among nobody else
                Relation::Other => continue,
                // it may have to go before what follows
                Relation::Suspect => break,
            }
            let is_second = item.is_second_try();
            match pack(&item.outgoing(ring)) {
                Fit::Taken => {
                    take(item);
                    again += u32::from(is_second);
                    room -= 1;
                }
                // its place in the order is kept by where it stands
                Fit::Later => {}
                Fit::Full => break,
                Fit::Unfit(reason) => {
                    item.settle(Settled::Filtered);
                    item.keep(&reason);
                    let seq = item.seq;
                    unfit.push(Event::Skipped { seq, reason });
                }
                Fit::Refused(reason) => refused.push((item.seq, reason)),
            }
        }
        self.spend_second_tries(again);
        let count = unfit.len() + refused.len();
        unfit.into_iter().for_each(|event| self.note(event));
        // behind the batch that is made: others that go, or have gone, are known
        for (seq, reason) in refused {
            self.refused_unsent(self.epoch, seq, reason, now);
        }
        count
    }

    /// When [`Engine::next_batch`] has something, if nothing more comes.
    #[must_use]
    pub fn batch_due(&self) -> Option<Duration> {
        let oldest = self.queue.waiting().next()?.read_at;
        // no more can come where what waits for other batches has all the room there is
        let full = self.is_suspect(Seq(0))
            || self.is_full()
            || self.queue.bytes() >= self.delivery.max_bytes
            || self.queue.waiting().nth(self.batch_max - 1).is_some();
        let linger = match full {
            true => Duration::ZERO,
            false => self.delivery.linger,
        };
        Some((oldest + linger).max(self.rate.next()))
    }

    /// Which messages may go with `first`, the oldest that may go, and how many: half of those of
    /// which one is known to be refused, if it is one of these.
    fn batch_of(&self, first: Seq, now: Now) -> Share {
        let taken = self.times_taken();
        let suspicion = self.queue.item(first).map_or(0, Item::suspicion);
        let suspects = self
            .queue
            .iter()
            .filter(|item| item.suspicion() == suspicion);
        let most = match suspicion {
            _ if self.is_alone() => 1,
            0 => self.batch_max,
            _ => {
                let suspects = suspects.filter(|item| item.may_go(taken, true)).count();
                self.batch_max.min(suspects.div_ceil(2))
            }
        };
        let most = most.min(self.rate.room(now));
        Share { most, suspicion }
    }
}

/// What a batch is made of.
#[derive(Clone, Copy)]
struct Share {
    /// So many messages.
    most: usize,
    /// Those with this number, see [`Item::suspicion`].
    suspicion: u32,
}

/// What a message is to a batch.
enum Relation {
    Member,
    /// A suspect, while the batch is of others.
    Suspect,
    /// Any other, while the batch is of suspects.
    Other,
}

impl Share {
    fn relation(self, item: &Item) -> Relation {
        match item.suspicion() {
            same if same == self.suspicion => Relation::Member,
            _ if self.suspicion == 0 => Relation::Suspect,
            _ => Relation::Other,
        }
    }
}
