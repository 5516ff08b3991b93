//! Batches: which messages go together, and when. For links that have one batch in flight.

use super::Engine;
use super::Event;
use super::Outgoing;
use super::queue::Item;
use super::queue::State;
use super::refusal::Choice;
use crate::clock::Now;
use crate::ring::Seq;
use crate::ring::Settled;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What a link says of a message that it is offered for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It goes with this batch.
    Taken,
    /// It does not fit: the batch ends before it.
    Full,
    /// It cannot be sent as it is, and what it lacks.
    Unfit(String),
}

impl Engine {
    /// The next batch to send, the only one in flight; none while one is, or while `linger` may
    /// still fill it. Messages are offered to `pack` in order; what it takes is in flight from
    /// now on.
    pub fn next_batch(
        &mut self,
        now: Now,
        mut pack: impl FnMut(&Outgoing<'_>) -> Packing,
    ) -> Option<RangeInclusive<Seq>> {
        self.expire(now);
        let due = self.batch_due()? <= now.mono;
        if !due || self.is_paused(now) || self.queue.oldest_in_flight().is_some() {
            return None;
        }
        let most = match self.choose(now)? {
            Choice::Canary => return self.next_canary(now, pack),
            Choice::From(_) if self.is_alone() => 1,
            Choice::From(_) => self.batch_room(),
        };
        let most = most.min(self.rate.room(now));
        let (mut range, mut count) = (None, 0);
        self.offer(most, &mut pack, |item| {
            item.depart(now);
            let first = range.map_or(item.seq, |(first, _)| first);
            range = Some((first, item.seq));
            count += 1;
        });
        self.rate.spend(count, now);
        range.map(|(first, last)| first..=last)
    }

    /// The canary as a batch of its own, if it can be sent.
    fn next_canary(
        &mut self,
        now: Now,
        mut pack: impl FnMut(&Outgoing<'_>) -> Packing,
    ) -> Option<RangeInclusive<Seq>> {
        let ring = self.queue.ring;
        let canary = self.send_canary(now)?;
        let (seq, packing) = (canary.seq, pack(&canary.outgoing(ring)));
        match packing {
            Packing::Taken => {
                self.rate.spend(1, now);
                return Some(seq..=seq);
            }
            Packing::Unfit(_) => self.queue.canary = None,
            // the link had something else ready, and asks again
            Packing::Full => {
                self.forget_proof();
                return None;
            }
        }
        self.next_batch(now, pack)
    }

    /// Offers to `pack` what [`Engine::next_batch`] is going to when the batch in flight is
    /// accepted, if those are `most` messages already, or as many as a batch has, or all that
    /// fits into memory. They go on waiting: whether they are the next batch is known only then.
    pub fn upcoming(&mut self, most: usize, now: Now, pack: impl FnMut(&Outgoing<'_>) -> Packing) {
        self.expire(now);
        let most = most.min(self.batch_max).max(1);
        let is_full =
            self.queue.bytes() >= self.limits.bytes || self.queue.waiting().nth(most - 1).is_some();
        let is_known =
            self.suspect_until.is_none() && !self.is_paused(now) && self.rate.room(now) >= most;
        if is_full && is_known && !self.is_in_doubt() {
            self.offer(most, pack, |_| {});
        }
    }

    /// Offers at most `most` waiting messages to `pack`, in order, until it is full. What is taken
    /// goes to `take`; what cannot be sent is settled.
    fn offer(
        &mut self,
        most: usize,
        mut pack: impl FnMut(&Outgoing<'_>) -> Packing,
        mut take: impl FnMut(&mut Item),
    ) {
        let (ring, taken) = (self.queue.ring, self.times_taken());
        let (mut room, mut unfit) = (most, Vec::new());
        let (most_again, mut again) = (self.second_tries_left(), 0);
        for item in self.queue.iter_mut() {
            if !item.may_go(taken, again < most_again) {
                continue;
            }
            if room == 0 {
                break;
            }
            let is_second = item.is_second_try();
            match pack(&item.outgoing(ring)) {
                Packing::Taken => {
                    take(item);
                    again += u32::from(is_second);
                    room -= 1;
                }
                Packing::Full => break,
                Packing::Unfit(reason) => {
                    item.state = State::Settled(Settled::Filtered);
                    item.keep(&reason);
                    unfit.push((item.seq, reason));
                }
            }
        }
        self.spend_second_tries(again);
        for (seq, reason) in unfit {
            self.note(Event::Skipped { seq, reason });
        }
    }

    /// When [`Engine::next_batch`] has something, if nothing more comes.
    #[must_use]
    pub fn batch_due(&self) -> Option<Duration> {
        let oldest = self.queue.waiting().next()?.read_at;
        let full = self.suspect_until.is_some()
            || self.queue.bytes() >= self.delivery.max_bytes
            || self.queue.waiting().nth(self.batch_max - 1).is_some();
        let linger = match full {
            true => Duration::ZERO,
            false => self.delivery.linger,
        };
        Some((oldest + linger).max(self.rate.next()))
    }

    /// Messages of the next batch at most: half of those that may go of which one is known to be
    /// refused.
    fn batch_room(&self) -> usize {
        let taken = self.times_taken();
        let suspects = self.suspect_until.map_or(0, |until| {
            let suspects = self.queue.iter().take_while(|item| item.seq <= until);
            suspects.filter(|item| item.may_go(taken, true)).count()
        });
        match suspects {
            0 => self.batch_max,
            _ => self.batch_max.min(suspects.div_ceil(2)),
        }
    }
}
