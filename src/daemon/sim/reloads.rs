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
        self.network.borrow_mut().oracle.streams[index].renewed(t);
        self.reloading |= 1 << index;
    }

    /// What has waited for its last answers is there no more: all that is unanswered goes again.
    pub(super) fn see_changes_end(&mut self) {
        let Some(running) = self.running.as_ref().filter(|_| self.reloading != 0) else {
            return;
        };
        let work = running.daemon.work.borrow();
        let ending = work.as_ref().map(|work| &work.ending);
        for index in 0..KINDS.len() {
            let ends = ending.is_some_and(|it| it.contains_key(&format!("s{index}")));
            if self.reloading & 1 << index != 0 && !ends {
                self.reloading &= !(1 << index);
                let truth = &mut self.network.borrow_mut().oracle.streams[index];
                truth.engine += 1;
                truth.heard = false;
                // what the old one was asked to wait in its last moment the new one does not know
                truth.not_before = Duration::ZERO;
            }
        }
    }
}
