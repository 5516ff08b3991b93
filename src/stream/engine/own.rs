//! Messages that are refused for their own sake: given up, or tried for ever.

use super::Engine;
use super::Event;
use super::queue::Doubt;
use super::queue::Item;
use super::queue::State;
use super::refusal::GIVEN_UP_IN_A_ROW_MAX;
use crate::clock::Now;
use crate::ring::Seq;
use crate::ring::Settled;
use crate::stream::DeliveryError;

impl Engine {
    pub(super) fn refuse_silent(&mut self, seq: Seq, error: &DeliveryError, now: Now, random: u32) {
        let reason = format!("each time it is sent: {}", error.reason);
        self.refuse(seq, &DeliveryError::new(error.code, reason), now, random);
    }

    /// A message in flight is refused for its own sake.
    pub(super) fn refuse(&mut self, seq: Seq, error: &DeliveryError, now: Now, random: u32) {
        if self.may_give_up() {
            return self.give_up(seq, &error.reason);
        }
        if self.is_at_fault() {
            self.set_aside(seq, Doubt::Passed, (error, random), now);
        } else {
            // one pause for all that were on their way together
            self.pause_once(now, random);
            self.put_back(seq, false, &error.reason);
        }
        self.queue.mark(&[seq], State::Waiting);
        self.note(Event::NotDelivered(error.clone()));
    }

    /// A message that was to be sent is known not to be taken, and why: it is refused for its own
    /// sake, and nobody has to be asked. What is tried for ever is told once, and nothing pauses
    /// for it as long as there are others.
    pub fn refused_unsent(&mut self, epoch: u32, seq: Seq, reason: String, now: Now) {
        if epoch != self.epoch {
            return;
        }
        if self.canary_answered(&[seq]) {
            return self.canary_refused(now, 0);
        }
        self.queue.mark(&[seq], State::Waiting);
        let is_flying = self.queue.oldest_in_flight().is_some();
        let blames = self.refusals.given_up_in_a_row + 1 >= GIVEN_UP_IN_A_ROW_MAX;
        let may_give_up = self.may_give_up();
        // what is on its way may show first that the destination is well
        if may_give_up && !(blames && is_flying) {
            return self.give_up(seq, &reason);
        }
        let error = DeliveryError::new(0, reason);
        if may_give_up {
            return self.queue.set_doubt(seq, Some(Doubt::Passed));
        }
        if self.is_at_fault() {
            self.set_aside(seq, Doubt::Passed, (&error, 0), now);
        } else {
            let is_news = self.queue.item(seq).is_some_and(|item| !item.is_kept);
            if !self.put_back(seq, is_flying, &error.reason) {
                self.pause_once(now, 0);
            }
            if !is_news {
                return;
            }
        }
        self.note(Event::NotDelivered(error));
    }

    /// A message that is tried for ever waits for its next try: others that were not refused go
    /// before it, so that it stops none. Whether it waits for others; `waits`: in any case.
    fn put_back(&mut self, seq: Seq, waits: bool, reason: &str) -> bool {
        let proofs = self.refusals.proofs;
        let is_other = |item: &Item| item.seq != seq && !item.is_kept && item.may_go(proofs, true);
        let has_others = waits || self.queue.iter().any(is_other);
        self.queue
            .set_doubt(seq, has_others.then_some(Doubt::Passed));
        if let Some(item) = self.queue.item_mut(seq) {
            item.tag = 0;
            item.keep(reason);
        }
        if !has_others {
            self.queue.change_doubts(Doubt::unless_passed);
        }
        has_others
    }

    fn give_up(&mut self, seq: Seq, reason: &str) {
        self.queue.give_up(seq, Settled::GivenUp, reason);
        self.refusals.given_up_in_a_row = self.refusals.given_up_in_a_row.saturating_add(1);
        let reason = reason.to_owned();
        self.note(Event::GivenUp {
            seq,
            reason: reason.clone(),
        });
        // where there is a canary it has the last word
        let is_sure = self.queue.last_accepted().is_none();
        if self.refusals.given_up_in_a_row == GIVEN_UP_IN_A_ROW_MAX && is_sure {
            self.refusals.told = true;
            self.note(Event::AtFault { reason });
        }
    }
}
