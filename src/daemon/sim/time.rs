//! Time that goes when it is told to, for all that runs on this thread.

use crate::clock::SIMULATED;
use crate::clock::SYNCHRONISED;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

/// Who sleeps until when, by the clock that counts from the boot.
#[derive(Default)]
struct Sleepers {
    waiting: BTreeMap<(Duration, u64), Waker>,
    count: u64,
}

thread_local! {
    static SLEEPERS: RefCell<Sleepers> = RefCell::default();
}

/// Whether this thread lives in a simulation.
pub(in crate::daemon) fn is_simulated() -> bool {
    SIMULATED.get().is_some()
}

/// Ends after `time`.
pub(in crate::daemon) fn sleep(time: Duration) -> Sleep {
    Sleep {
        due: mono() + time,
        key: None,
    }
}

/// From here on the clocks show this.
pub(super) fn set(mono: Duration, date: Duration, synchronised: bool) {
    SIMULATED.set(Some((mono, date)));
    SYNCHRONISED.set(synchronised);
}

/// The machine's own clocks hold again.
pub(super) fn end() {
    SIMULATED.set(None);
    SLEEPERS.take();
}

/// When the next sleep is over.
pub(super) fn due() -> Option<Duration> {
    SLEEPERS.with_borrow(|sleepers| sleepers.waiting.keys().next().map(|(due, _)| *due))
}

/// Wakes those whose time is over.
pub(super) fn wake() {
    let now = mono();
    while let Some(waker) = SLEEPERS.with_borrow_mut(|sleepers| {
        let first = sleepers.waiting.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }) {
        waker.wake();
    }
}

fn mono() -> Duration {
    SIMULATED.get().map_or(Duration::ZERO, |(mono, _)| mono)
}

pub(in crate::daemon) struct Sleep {
    due: Duration,
    key: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if mono() >= self.due {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            SLEEPERS.with_borrow_mut(|sleepers| {
                sleepers.count += 1;
                (self.due, sleepers.count)
            })
        });
        self.key = Some(key);
        let waker = context.waker().clone();
        SLEEPERS.with_borrow_mut(|sleepers| sleepers.waiting.insert(key, waker));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            SLEEPERS.with_borrow_mut(|sleepers| sleepers.waiting.remove(&key));
        }
    }
}
