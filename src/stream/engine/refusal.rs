//! What becomes of messages that a destination refuses one by one: they are given up, until so
//! many were that the destination itself is at fault.
//!
//! While it is, nothing is given up, and what is refused must not block the rest for ever: it may
//! be the one message that is really never taken. So the next try is the message behind the one
//! that was refused last, alone, and so on to the last in memory, then all over. What is accepted
//! ends it, and those that were passed go next: they were offered in order, but not taken in order.

use super::Engine;
use super::Event;
use super::OnReject;
use super::Settled;
use super::queue::State;
use crate::ring::Seq;
use crate::stream::rules::Rule;
use crate::stream::rules::kept;
use std::ops::RangeInclusive;

/// How refusals go on.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Given up since the last that was accepted.
    given_up_in_a_row: u32,
    /// The last that was refused alone, or got no answer, and was not given up.
    passed: Option<Seq>,
}

impl Refusals {
    /// The destination takes messages.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// All is read again: what was passed may go first again.
    pub(super) fn reread(&mut self) {
        self.passed = None;
    }
}

impl Engine {
    /// The destination lives: it has acknowledged something.
    pub fn proved(&mut self, epoch: u32) {
        if epoch == self.epoch {
            self.answered = true;
            self.refusals.end();
        }
    }

    /// The next try is the message behind this one, or the first, if there is none behind.
    pub fn pass_over(&mut self, epoch: u32, seq: Seq) {
        if epoch == self.epoch {
            self.refusals.passed = Some(seq);
        }
    }

    /// Whether messages go alone, one after the other, until one is taken.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.refusals.passed.is_some()
    }

    /// Whether so much was refused that the destination is at fault, and not the messages.
    fn is_at_fault(&self) -> bool {
        self.refusals.given_up_in_a_row >= GIVEN_UP_IN_A_ROW_MAX && kept(Rule::StopSkipping)
    }

    pub(super) fn may_give_up(&self) -> bool {
        self.delivery.on_reject == OnReject::Skip && !self.is_at_fault() && kept(Rule::SkipRefused)
    }

    /// One that was refused alone is kept: others are tried before it is tried again.
    pub(super) fn pass(&mut self, range: &RangeInclusive<Seq>) {
        if self.is_at_fault() {
            self.refusals.passed = Some(*range.end());
        }
    }

    /// The first message that may go: not those that were passed, while there is another.
    pub(super) fn first_to_go(&mut self) -> Seq {
        let waiting = |seq: Seq| self.queue.waiting().any(|item| item.seq > seq);
        self.refusals.passed = self.refusals.passed.filter(|passed| waiting(*passed));
        let passed = self.refusals.passed;
        passed.map_or(Seq(0), |passed| Seq(passed.0.saturating_add(1)))
    }

    /// What must not be: see [`Rule::TryBothHalves`].
    pub(super) fn drop_half(&mut self, range: RangeInclusive<Seq>) {
        let half = Seq(range.start().0.midpoint(range.end().0));
        self.queue.mark(&(*range.start()..=half), State::Waiting);
        self.queue.mark(&range, State::Settled(Settled::GivenUp));
    }

    pub(super) fn give_up(&mut self, range: RangeInclusive<Seq>, reason: &str) {
        let seq = *range.start();
        self.queue.give_up(seq, Settled::GivenUp, reason);
        self.refusals.given_up_in_a_row = self.refusals.given_up_in_a_row.saturating_add(1);
        let reason = reason.to_owned();
        self.note(Event::GivenUp {
            seq,
            reason: reason.clone(),
        });
        if self.refusals.given_up_in_a_row == GIVEN_UP_IN_A_ROW_MAX {
            self.note(Event::AtFault { reason });
        }
    }
}

/// So many messages given up with none accepted between mean that the destination is at fault.
const GIVEN_UP_IN_A_ROW_MAX: u32 = 8;
