//! What every task of the daemon stands on: the executor, sleep, a limit of time, and the wait for
//! the first of several things. Knows nothing of what the tasks do.

use super::timers;
use crate::units::Period;
use event_listener::Event;
use event_listener::EventListener;
use smol::LocalExecutor;
use smol::future::or;
use smol::future::poll_fn;
use std::cell::Cell;
use std::future::Future;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// What all tasks run on: one thread.
pub(super) type Executor = Rc<LocalExecutor<'static>>;

/// What a task waits for between two turns: an event, a time, a socket.
///
/// Listen for the events before looking at what they tell of: one that comes between the look and
/// the wait would be missed otherwise, and the task would sleep on.
#[must_use = "it waits when it is awaited"]
pub(super) struct Waits<E> {
    event: E,
    time: Option<Duration>,
}

/// An event that is often told of and seldom listened for: who tells of it costs next to nothing
/// until somebody listens.
#[derive(Default)]
pub(super) struct Bell {
    event: Event,
    /// Somebody has listened since all were told last.
    is_heard: Cell<bool>,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woke {
    /// The socket, or whatever else was waited for beside events and time.
    Ready,
    /// One of the events.
    Event,
    /// The time is over.
    Time,
}

impl Bell {
    /// Ends when it is told of.
    pub(super) fn listen(&self) -> EventListener {
        self.is_heard.set(true);
        self.event.listen()
    }

    /// Tells all who listen.
    pub(super) fn ring(&self) {
        if self.is_heard.replace(false) {
            self.event.notify(usize::MAX);
        }
    }
}

impl Waits<()> {
    /// For one of these, for ever.
    pub(super) fn on<const N: usize>(mut events: [EventListener; N]) -> Waits<impl Future> {
        Waits::on_event(poll_fn(move |context| {
            let mut events = events.iter_mut();
            match events.any(|event| Pin::new(event).poll(context).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }
}

impl<E: Future> Waits<E> {
    /// For this, for ever.
    pub(super) fn on_event(event: E) -> Self {
        Self { event, time: None }
    }

    /// For so long at most; none: for ever.
    pub(super) fn at_most(self, time: Option<Duration>) -> Self {
        Self { time, ..self }
    }

    /// Ends with the first of all.
    pub(super) async fn end(self) -> Woke {
        self.or_ready(pending::<()>()).await
    }

    /// Ends with the first of all, and of this.
    pub(super) async fn or_ready(self, ready: impl Future) -> Woke {
        let ready = async {
            ready.await;
            Woke::Ready
        };
        let time = async {
            sleep(self.time).await;
            Woke::Time
        };
        let event = async {
            self.event.await;
            Woke::Event
        };
        or(ready, or(event, time)).await
    }
}

/// Ends with an error if `work` has not ended in this time; `what` is then missing.
pub(super) async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    or(work, async {
        sleep(Some(limit)).await;
        let message = format!("no answer within {} to {what}", Period(limit));
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
    .await
}

/// Sleeps; without a time, for ever.
pub async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) if timers::are_woken() => timers::sleep(time).await,
        Some(time) => {
            smol::Timer::after(time).await;
        }
        None => pending().await,
    }
}

/// Ends in about a minute: from the half of it on with whatever else is due, some seconds after it
/// at the latest. What is looked at now and then is looked at together, and with the keep-alives of
/// connections, so that an idle machine wakes once for all.
pub async fn minute() {
    match timers::are_woken() {
        true => timers::sleep_patiently(HALF_MINUTE).await,
        false => sleep(Some(MINUTE_MAX)).await,
    }
}

const HALF_MINUTE: Duration = Duration::from_secs(30);

/// What [`minute`] takes at most: a keep-alive of a minute comes before it.
pub(super) const MINUTE_MAX: Duration = HALF_MINUTE.saturating_add(timers::SLACK);

/// The wait after an error that would only come again at once.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    fn wait(waits: Waits<impl Future>) -> Woke {
        smol::future::block_on(waits.end())
    }

    #[test]
    fn a_wait_tells_what_ended_it() {
        let (one, other, moment) = (Event::new(), Event::new(), Some(Duration::from_millis(5)));
        let both = || Waits::on([one.listen(), other.listen()]).at_most(moment);
        assert_eq!(wait(both()), Woke::Time);
        let waits = both();
        other.notify(usize::MAX);
        assert_eq!(wait(waits), Woke::Event);
        let ready = both().or_ready(ready(()));
        assert_eq!(smol::future::block_on(ready), Woke::Ready);
    }
}
