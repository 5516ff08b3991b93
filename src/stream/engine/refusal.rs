//! What becomes of messages that a destination does not take.
//!
//! An answer means one of four things: taken, later, configuration, or that the message is refused
//! for its own sake. Where it does not tell the last two apart, and where there is no answer but
//! the end of the connection over the same message again and again, the others decide:
//!
//! ```text
//!           doubted, silent          one of the others taken           refused again
//!  waiting ────────────────▶ set aside ─────────────────────▶ waiting ───────────────▶ its own
//!     ▲                         │ none of the others is taken        (silent: twice)
//!     └─────────────────────────┘ it is the destination: all wait, after a pause all over
//! ```
//!
//! - Where no other waits, the last that was accepted is sent once more: the canary. After silence
//!   it goes before the others, so that these stay behind the message that is in doubt. All links
//!   see it as one more message that is in flight.
//! - Each message that is taken allows seven of those that were set aside their second try.
//! - Silence does not say which message it is about, and may be the network's: then messages go
//!   alone, and the one in doubt is refused when it twice got no answer on a connection on which
//!   another had just been taken. Between the two it is tried by itself once more: a queue of the
//!   broker that is full has room now and then, and the canary would take it each time. Once it is
//!   given up the pauses are short again: it was the message that ended those connections.
//! - Where all that was read is in doubt and there is no canary, more is read than the limits of
//!   the stream allow, up to [`super::Limits::for_search`].
//! - What is its own is given up, or tried for ever. After [`GIVEN_UP_IN_A_ROW_MAX`] that were
//!   given up with none taken between, the destination is at fault: nothing more is given up, and
//!   messages go alone, each once before one goes again, until one is taken.

use super::Engine;
use super::Event;
use super::OnReject;
use super::queue::Doubt;
use super::queue::Item;
use super::queue::State;
use crate::clock::Now;
use crate::ring::Seq;
use crate::stream::DeliveryError;
use std::time::Duration;

/// How refusals go on.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Given up since the last that was taken.
    pub(super) given_up_in_a_row: u32,
    /// How often the destination took something.
    pub(super) proofs: u32,
    /// Half of the time until the last answer: so long is the way there at most.
    way: Duration,
    /// Messages that had their second try since then.
    second_tries: u32,
    /// Messages go one at a time, with a pause after each, until one is taken.
    alone: bool,
    /// What the destination said last of a message that was set aside, and chance.
    said: Option<(DeliveryError, u32)>,
    /// The canary was sent since the first of those was set aside.
    canary_sent: bool,
    /// That it is the destination was said, and nothing was taken since.
    pub(super) told: bool,
}

impl Refusals {
    /// All is read again: nothing is set aside any more.
    pub(super) fn reread(&mut self) {
        self.alone = false;
        self.said = None;
        self.canary_sent = false;
    }
}

/// Which of the messages that were refused is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The only one in flight.
    One(Seq),
    /// Some of several.
    Some,
}

/// What goes next.
pub(super) enum Choice {
    /// The first message from this one on that may go.
    From(Seq),
    /// The canary, alone.
    Canary,
}

impl Engine {
    /// The destination lives: it has acknowledged something, and nobody knows what.
    pub fn proved(&mut self, epoch: u32) {
        if epoch == self.epoch {
            self.answered = true;
            self.refusals.given_up_in_a_row = 0;
        }
    }

    /// The destination has taken a message: those that were set aside have their second try.
    pub(super) fn taken(&mut self, latency: Option<Duration>, now: Now) {
        self.answered = true;
        self.backoff.succeeded(now.mono);
        self.refusals = Refusals {
            proofs: self.refusals.proofs.wrapping_add(1),
            way: latency.unwrap_or_default() / 2,
            ..Refusals::default()
        };
        self.queue.change_doubts(Doubt::unless_passed);
    }

    /// The canary is one of `messages`, and has its answer: whether that is so.
    pub(super) fn canary_answered(&mut self, messages: &[Seq]) -> bool {
        let canary = self.queue.canary.take_if(|it| messages.contains(&it.seq));
        canary.is_some()
    }

    pub(super) fn canary_refused(&mut self, now: Now, random: u32) {
        self.tally.rejected += 1;
        if self.refusals.alone {
            self.pause_once(now, random);
        }
    }

    /// The destination refused `messages`, or one of them, and does not say whether for its own
    /// sake or for that of the configuration: a topic that is forbidden, a message that is too
    /// large. The others decide. Of several, the first half is sent next.
    pub fn doubted(
        &mut self,
        epoch: u32,
        messages: &[Seq],
        error: &DeliveryError,
        now: Now,
        random: u32,
    ) {
        match self.hear_refusal(epoch, messages, now, random) {
            None => return,
            Some(Blame::One(seq)) => {
                if self
                    .queue
                    .item(seq)
                    .is_some_and(|item| item.doubt().is_some())
                {
                    return self.refuse(seq, error, now, random);
                }
                let proofs = self.refusals.proofs;
                let doubt = match self.refusals.alone {
                    true => Doubt::Passed,
                    false => Doubt::Said { proofs },
                };
                self.set_aside(seq, doubt, (error, random), now);
            }
            Some(Blame::Some) => self.suspect_some(messages),
        }
        self.queue.mark(messages, State::Waiting);
        self.note(Event::NotDelivered(error.clone()));
    }

    /// The destination refused `messages`, or one of them: who is to blame, once that is counted.
    /// None where there is nothing to judge: another connection, the canary, nothing in flight.
    pub(super) fn hear_refusal(
        &mut self,
        epoch: u32,
        messages: &[Seq],
        now: Now,
        random: u32,
    ) -> Option<Blame> {
        if epoch != self.epoch {
            return None;
        }
        self.answered = true;
        if self.canary_answered(messages) {
            self.canary_refused(now, random);
            return None;
        }
        match self.count_refused(messages) {
            1 => {
                let single = self.queue.in_flight_of(messages).next();
                single.map(|item| Blame::One(item.seq))
            }
            0 => None,
            _ => Some(Blame::Some),
        }
    }

    /// The connection ends without an answer to the oldest message in flight, and the destination
    /// has no other word for a message that it does not take; call before
    /// [`Engine::disconnected`]. After `attempts` of these in a row the others decide.
    pub fn silent(
        &mut self,
        epoch: u32,
        attempts: u32,
        error: &DeliveryError,
        now: Now,
        random: u32,
    ) {
        if epoch != self.epoch {
            return;
        }
        if self.queue.canary.take().is_some() {
            self.tally.rejected += 1;
            return self.acquit();
        }
        let Some(seq) = self.queue.in_flight().next().map(|it| it.seq) else {
            return;
        };
        self.unanswered(epoch);
        if self.delivery.on_reject == OnReject::Retry {
            return;
        }
        let count = self.unanswered_count(seq);
        if self.is_last_hope(seq) {
            if count >= attempts + 2 {
                self.refuse_silent(seq, error, now, random);
            }
            return;
        }
        let searched = self.silent_one().is_some();
        let proofs = self.refusals.proofs;
        let Some(item) = self.queue.item_mut(seq) else {
            return;
        };
        if matches!(item.doubt(), Some(Doubt::Silent { .. })) {
            let is_early = match item.state {
                State::InFlight { since } => now.mono.saturating_sub(since) < self.refusals.way,
                _ => false,
            };
            item.strikes += if is_early { 1 } else { STRIKES_MAX / 2 };
            let strikes = item.strikes;
            self.queue.set_doubt(seq, None);
            // once more by itself, and then it is in doubt again
            self.unanswered = (seq, attempts.saturating_sub(1));
            if strikes >= STRIKES_MAX {
                if self.may_give_up() {
                    self.backoff.explained();
                }
                self.refuse_silent(seq, error, now, random);
            }
        } else if searched {
            self.queue.set_doubt(seq, Some(Doubt::Passed));
        } else if count >= attempts {
            self.queue.set_doubt(seq, Some(Doubt::Silent { proofs }));
            self.refusals.alone = true;
        }
    }

    /// Others are tried before this one is tried again. Where messages go alone these are the
    /// oldest, and right behind it another, each time the next: when all is well again the oldest
    /// is nearly always taken first, and if that is never taken it does not stand in the way.
    pub(super) fn set_aside(
        &mut self,
        seq: Seq,
        doubt: Doubt,
        (error, random): (&DeliveryError, u32),
        now: Now,
    ) {
        self.queue.set_doubt(seq, Some(doubt));
        if let Some(item) = self.queue.item_mut(seq) {
            item.tag = 0;
        }
        self.refusals.said = Some((error.clone(), random));
        self.refusals.alone |= self.is_at_fault();
        let oldest = self.queue.oldest().map(|item| item.seq);
        if !self.refusals.alone || oldest == Some(seq) && self.has_other() {
            return;
        }
        self.pause_once(now, random);
        if oldest == Some(seq) {
            // each was tried, and all begins anew
            self.queue.change_doubts(|_| None);
            self.refusals.canary_sent = false;
            self.tell_fault(&error.reason);
        } else if let Some(oldest) = oldest {
            self.queue.set_doubt(oldest, None);
        }
    }

    /// Says once that it is the destination.
    fn tell_fault(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.refusals.told, true) {
            let reason = reason.to_owned();
            self.note(Event::AtFault { reason });
        }
    }

    /// Whether there is something to try beside what was set aside.
    fn has_other(&self) -> bool {
        let taken = self.refusals.proofs;
        self.has_canary() || self.queue.waiting().any(|item| item.may_go(taken, true))
    }

    /// Whether all that was read is in doubt, and nothing else is known that would be taken.
    pub(super) fn is_searching(&self) -> bool {
        let is_tried =
            |item: &Item| item.doubt().is_some() || matches!(item.state, State::Settled(_));
        !self.has_canary() && (self.refusals.alone || self.queue.iter().all(is_tried))
    }

    fn has_canary(&self) -> bool {
        !self.refusals.canary_sent && self.queue.last_accepted().is_some()
    }

    pub(super) fn pause_once(&mut self, now: Now, random: u32) {
        if self.paused_until(now).is_none() {
            self.backoff.pause(now.mono, None, random);
        }
    }

    /// How many of `messages` are in flight: so many attempts were refused.
    pub(super) fn count_refused(&mut self, messages: &[Seq]) -> usize {
        let count = self.queue.in_flight_of(messages).count();
        self.tally.rejected += count as u64;
        count
    }

    /// Whether nothing else can ever be tried: all else in memory is settled, and it is full.
    fn is_last_hope(&self, seq: Seq) -> bool {
        let is_other = |item: &Item| item.seq != seq && !matches!(item.state, State::Settled(_));
        self.is_full() && self.queue.last_accepted().is_none() && !self.queue.iter().any(is_other)
    }

    /// Whether so much was refused that the destination is at fault, and not the messages.
    pub(super) fn is_at_fault(&self) -> bool {
        self.refusals.given_up_in_a_row >= GIVEN_UP_IN_A_ROW_MAX
    }

    pub(super) fn may_give_up(&self) -> bool {
        self.delivery.on_reject == OnReject::Skip && !self.is_at_fault()
    }

    /// A proof that was not taken says that it is the destination: nothing is in doubt any more.
    fn acquit(&mut self) {
        self.unanswered = (Seq(0), 0);
        self.queue.change_doubts(|_| None);
        self.queue.iter_mut().for_each(|item| item.strikes = 0);
        self.refusals.reread();
    }

    /// A connection is lost: what it proved is forgotten with it.
    pub(super) fn forget_proof(&mut self) {
        self.refusals.canary_sent &= self.queue.canary.take().is_none();
        let proofs = self.refusals.proofs;
        if self.silent_one().is_some() {
            self.refusals.alone = true;
            self.refusals.canary_sent = false;
        }
        self.queue.change_doubts(|doubt| match doubt {
            Doubt::Silent { .. } => Some(Doubt::Silent { proofs }),
            other => Some(other),
        });
    }

    /// What may go now, if something may; judges those that were set aside when they have nothing
    /// more to wait for.
    pub(super) fn choose(&mut self, now: Now) -> Option<Choice> {
        self.queue.pass_busy();
        let is_flying = self.queue.oldest_in_flight().is_some();
        let proofs = self.refusals.proofs;
        let silent = self.silent_one();
        if is_flying && (self.refusals.alone || silent.is_some()) {
            return None;
        }
        let has_canary = self.has_canary();
        let unproved = silent.is_some_and(|it| !it.may_go(proofs, true));
        if has_canary && !is_flying && (unproved || self.is_at_fault()) {
            return Some(Choice::Canary);
        }
        let again = self.second_tries_left() > 0;
        let mut free = self.queue.waiting().filter(|it| it.may_go(proofs, again));
        let first = free.next().map(|item| item.seq);
        drop(free);
        match first {
            Some(seq) => Some(Choice::From(seq)),
            None if is_flying || !self.has_waiting() => None,
            None if has_canary => Some(Choice::Canary),
            None => self.blame_destination(now),
        }
    }

    /// The oldest that got no answer and waits for others to show why.
    fn silent_one(&self) -> Option<&Item> {
        let is_silent = |doubt: Doubt| matches!(doubt, Doubt::Silent { .. });
        let mut doubted = self.queue.doubted();
        let found = doubted.find(|(_, doubt)| is_silent(*doubt));
        found.map(|(item, _)| item)
    }

    /// None of the others was taken: nothing is set aside any more, and all begins anew, after a
    /// pause and one at a time.
    fn blame_destination(&mut self, now: Now) -> Option<Choice> {
        let (was_alone, said) = (self.refusals.alone, self.refusals.said.take());
        self.acquit();
        self.refusals.alone = true;
        if let Some((error, random)) = said {
            if !was_alone {
                self.pause_once(now, random);
            }
            self.tell_fault(&error.reason);
        }
        let first = self.queue.waiting().next().map(|item| item.seq);
        let may_go = self.paused_until(now).is_none();
        first.filter(|_| may_go).map(Choice::From)
    }

    /// The canary is in flight from now on.
    pub(super) fn send_canary(&mut self, now: Now) -> Option<&Item> {
        self.refusals.canary_sent = true;
        let mut canary = self.queue.last_accepted()?.clone();
        canary.tag = 0;
        canary.depart(now);
        self.queue.canary = Some(canary);
        self.queue.canary.as_ref()
    }

    /// How often the destination took something.
    pub(super) fn times_taken(&self) -> u32 {
        self.refusals.proofs
    }

    /// How many of those that were set aside may go again before the destination takes another: so
    /// few that giving all of them up does not put the blame on it.
    pub(super) fn second_tries_left(&self) -> u32 {
        (GIVEN_UP_IN_A_ROW_MAX - 1).saturating_sub(self.refusals.second_tries)
    }

    /// So many of them go now.
    pub(super) fn spend_second_tries(&mut self, count: u32) {
        self.refusals.second_tries += count;
    }

    /// Whether messages go one at a time.
    pub(super) fn is_alone(&self) -> bool {
        self.refusals.alone
    }

    /// Whether not only the order of what waits says what goes next.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.refusals.alone || self.queue.doubted().next().is_some()
    }
}

/// So many messages given up with none accepted between mean that the destination is at fault.
pub(super) const GIVEN_UP_IN_A_ROW_MAX: u32 = 8;

/// A message is refused that twice got no answer right after another was taken. An end that came
/// before the message can have been there counts a third of that, or a destination that says no
/// sooner than yes would be sent it for ever.
const STRIKES_MAX: u8 = 6;
