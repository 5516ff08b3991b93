//! Hands that pause and resume streams. They have a random of their own: lives without them stay
//! as they are.

use super::oracle::Oracle;
use super::oracle::Truth;
use super::plan::KINDS;
use super::trace;
use super::world::Plan;
use super::world::World;
use crate::api::ByHand;
use crate::daemon::Daemon;
use std::time::Duration;

impl Truth {
    /// Whether nothing may be sent.
    pub(super) fn is_paused(&self, t: Duration) -> bool {
        self.paused_until.is_some_and(|until| t < until)
    }
}

impl Oracle {
    /// A stream makes a connection.
    pub(super) fn dialled(&mut self, index: usize, t: Duration) {
        if self.streams[index].is_paused(t) {
            self.violation(&format!("stream {index} dials, and is paused"));
        }
        self.attempt(index, t);
    }
}

impl World {
    /// Somebody pauses a stream, for a time or until it is resumed, or resumes it.
    pub(super) fn change_pause(&mut self) {
        let Some(random) = self.pauses.as_mut().filter(|_| !self.calm) else {
            return;
        };
        let index = random.below(KINDS.len());
        let length = match random.below(3) {
            0 => None,
            1 => Some(Duration::from_secs(1 + random.next() % 900)),
            _ => Some(Duration::from_secs(1 + random.next() % (5 * 86_400))),
        };
        let next = Duration::from_millis(random.next() % (20 * 86_400_000));
        self.after(next, Plan::Pause);
        let t = self.t();
        let is_paused = self.network.borrow().oracle.streams[index].is_paused(t);
        match is_paused {
            true => self.resume(index),
            false => self.pause(index, length),
        }
    }

    fn pause(&mut self, index: usize, length: Option<Duration>) {
        self.count_attempts(Some(index));
        let t = self.t();
        let Some(running) = &self.running else {
            return;
        };
        trace::tell(t, index, format_args!("is paused, for {length:?}"));
        self.tally.by_hand += 1;
        // there is no folder to keep it in
        let kept = running.daemon.pause(&format!("s{index}"), length);
        kept.unwrap_or(());
        {
            let truth = &mut self.network.borrow_mut().oracle.streams[index];
            truth.paused_until = Some(length.map_or(Duration::MAX, |length| t + length));
            truth.renewed(t);
        }
        if let Some(length) = length {
            self.after(length, Plan::PauseEnds(index));
        }
    }

    fn resume(&mut self, index: usize) {
        let t = self.t();
        if let Some(running) = &self.running {
            running.daemon.resume(&format!("s{index}")).unwrap_or(());
            self.paused_no_more(index);
            trace::tell(t, index, format_args!("is resumed"));
        }
    }

    /// A pause is over; unless it was another one, which has ended.
    pub(super) fn end_pause(&mut self, index: usize) {
        let (t, until) = (
            self.t(),
            self.network.borrow().oracle.streams[index].paused_until,
        );
        if until.is_some_and(|until| until <= t) {
            self.paused_no_more(index);
        }
    }

    fn paused_no_more(&mut self, index: usize) {
        self.count_attempts(Some(index));
        let t = self.t();
        let truth = &mut self.network.borrow_mut().oracle.streams[index];
        truth.paused_until = None;
        truth.renewed(t);
    }

    /// What was paused is paused after a start, as a file would have it.
    pub(super) fn pause_again(&self, daemon: &Daemon) {
        let t = self.t();
        for (index, truth) in self.network.borrow().oracle.streams.iter().enumerate() {
            let left = truth.paused_until.map(|until| until.saturating_sub(t));
            let length = left.filter(|_| truth.paused_until != Some(Duration::MAX));
            if left.is_some_and(|left| !left.is_zero()) {
                let kept = daemon.pause(&format!("s{index}"), length);
                kept.unwrap_or(());
            }
        }
    }

    /// Whoever was paused goes on; all others are not touched.
    pub(super) fn resume_all(&mut self) {
        let t = self.t();
        for index in 0..KINDS.len() {
            if self.network.borrow().oracle.streams[index].is_paused(t) {
                self.resume(index);
            }
        }
    }
}
