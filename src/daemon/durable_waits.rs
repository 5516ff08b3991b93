//! Who waits until what it brought is safe. Each is woken when that is so, and not before: most of
//! what becomes safe is another's, and there may be thousands of connections.

use super::waker_queue::WakerQueue;
use crate::ring::Seq;
use std::cell::Cell;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

/// The tasks of senders that wait.
#[derive(Default)]
pub(super) struct DurableWaits {
    /// By what has to be safe.
    waiting: RefCell<WakerQueue<Seq>>,
    count: Cell<u64>,
}

/// Ends when everything below a number is safe, or when all have to look. It is in the list from
/// its first poll on: what was safe before that does not end it.
#[must_use = "it waits when it is awaited"]
pub(super) struct DurableWait<'a> {
    waits: &'a DurableWaits,
    key: (Seq, u64),
    is_listed: bool,
}

impl DurableWaits {
    /// Waits until everything below `until` is safe.
    pub(super) fn until(&self, until: Seq) -> DurableWait<'_> {
        self.count.set(self.count.get() + 1);
        DurableWait {
            waits: self,
            key: (until, self.count.get()),
            is_listed: false,
        }
    }

    /// Wakes those for whom that is enough.
    pub(super) fn wake_below(&self, safe: Seq) {
        let next = || self.waiting.borrow_mut().take_until(safe);
        while let Some(waker) = next() {
            waker.wake();
        }
    }

    /// Wakes all.
    pub(super) fn wake_all(&self) {
        let all = self.waiting.borrow_mut().take_all();
        for waker in all {
            waker.wake();
        }
    }
}

impl Future for DurableWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_first = !std::mem::replace(&mut self.is_listed, true);
        let mut waiting = self.waits.waiting.borrow_mut();
        waiting.poll(self.key, is_first, context)
    }
}

impl Drop for DurableWait<'_> {
    fn drop(&mut self) {
        if self.is_listed {
            self.waits.waiting.borrow_mut().remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smol::future::block_on;
    use smol::future::poll_once;

    fn is_over(wait: &mut DurableWait<'_>) -> bool {
        block_on(poll_once(wait)).is_some()
    }

    #[test]
    fn each_is_woken_when_its_own_is_safe_and_all_when_all_have_to_look() {
        let waits = DurableWaits::default();
        let mut all = [7, 9, 9, 12].map(|until| waits.until(Seq(until)));
        let mut over = || all.each_mut().map(is_over);
        assert_eq!(over(), [false; 4]);
        waits.wake_below(Seq(6));
        assert_eq!(over(), [false; 4]);
        waits.wake_below(Seq(9));
        assert_eq!(over(), [true, true, true, false]);
        waits.wake_all();
        assert_eq!(over(), [true; 4]);
    }

    #[test]
    fn a_wait_that_is_given_up_leaves_nothing() {
        let waits = DurableWaits::default();
        let mut given_up = waits.until(Seq(1));
        assert!(!is_over(&mut given_up));
        assert_eq!(waits.waiting.borrow().first(), Some(Seq(1)));
        drop(given_up);
        drop(waits.until(Seq(2)));
        assert_eq!(waits.waiting.borrow().first(), None);
    }
}
