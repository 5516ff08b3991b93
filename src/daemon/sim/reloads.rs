//! Configurations that change while messages are on their way: of one stream, in something that
//! promises nothing else. They come in bursts, so that one ends while the next has come. They have
//! a random of their own: lives without them stay as they are.

use super::plan::KINDS;
use super::trace;
use super::world::Plan;
use super::world::World;
use std::time::Duration;

impl World {
    /// Somebody changes a stream, and has it read.
    pub(super) fn reload(&mut self) {
        let Some(random) = self.reloads.as_mut().filter(|_| !self.calm) else {
            return;
        };
        let (index, bytes) = (random.below(KINDS.len()), random.below(64));
        let next = match random.once_in(2) {
            true => Duration::from_millis(random.next() % 2000),
            false => Duration::from_millis(random.next() % (4 * 86_400_000)),
        };
        self.after(next, Plan::Reload);
        self.count_attempts(Some(index));
        let Some(running) = &self.running else {
            return;
        };
        let mut config = running.daemon.config();
        for (at, stream) in config.streams.iter_mut().enumerate() {
            stream.enabled = self.network.borrow().oracle.streams[at].enabled;
        }
        let written = self.config.streams[index].delivery.max_bytes;
        let delivery = &mut config.streams[index].delivery;
        let before = std::mem::replace(&mut delivery.max_bytes, written - bytes);
        if before == written - bytes {
            return;
        }
        let t = self.t();
        trace::tell(t, index, format_args!("is configured anew"));
        self.tally.by_hand += 1;
        running.daemon.adopt(config, None).unwrap();
        let truth = &mut self.network.borrow_mut().oracle.streams[index];
        truth.renewed(t);
        truth.is_ending = true;
    }

    /// What has waited for its last answers is there no more: all that is unanswered goes again.
    pub(super) fn see_changes_end(&mut self) {
        let Some(running) = &self.running else {
            return;
        };
        let work = running.daemon.work.borrow();
        let ending = work.as_ref().map(|work| &work.ending);
        let streams = &mut self.network.borrow_mut().oracle.streams;
        for (index, truth) in streams.iter_mut().enumerate() {
            let ends = || ending.is_some_and(|it| it.contains_key(&format!("s{index}")));
            if truth.is_ending && !ends() {
                truth.engine += 1;
                truth.heard = false;
                truth.is_ending = false;
            }
        }
    }
}
