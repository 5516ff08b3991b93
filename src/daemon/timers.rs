//! Times that tasks wait for: all of this thread's over one timer of the kernel. It is moved when
//! nothing else is left to do, so a time that is given up before it is there, as most are, costs
//! no call, and no turn of the reactor's thread.
//!
//! Who looks at something now and then is patient: it is woken with others, so that an idle machine
//! wakes once for all.
//!
//! Outside [`block_on`] times are the runtime's own.

use super::waker_queue::WakerQueue;
use crate::clock;
use crate::net::Call;
use crate::net::Interest;
use crate::net::Watched;
use rustix::fd::OwnedFd;
use rustix::time::Itimerspec;
use rustix::time::TimerfdClockId;
use rustix::time::TimerfdFlags;
use rustix::time::TimerfdTimerFlags;
use rustix::time::Timespec;
use rustix::time::timerfd_create;
use rustix::time::timerfd_settime;
use smol::Async;
use smol::future::poll_fn;
use std::cell::Cell;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

/// Who sleeps until when, by the clock that counts from the boot.
#[derive(Default)]
struct Sleepers {
    waiting: Waiting,
    /// From then on they are woken with another, and at the latest after [`SLACK`].
    patient: Waiting,
    count: u64,
}

type Waiting = WakerQueue<Duration>;

thread_local! {
    static SLEEPERS: RefCell<Sleepers> = RefCell::default();
    /// Whether somebody wakes them.
    static ARE_WOKEN: Cell<bool> = const { Cell::new(false) };
}

/// Ends after a time. Nobody ends it where [`are_woken`] is false.
pub(super) struct Sleep {
    /// Zero: it is over.
    due: Duration,
    patience: Patience,
    /// Its number among those that sleep; 0: it does not sleep yet.
    number: u64,
}

/// Whether a sleep may last longer.
#[derive(Clone, Copy)]
enum Patience {
    /// As short as can be.
    None,
    /// Until another is over, for [`SLACK`] at most.
    Slack,
}

/// One timer of the kernel, by which sleepers are woken.
struct Timer {
    kernel: Watched<OwnedFd>,
    /// When it is due.
    armed: Option<Duration>,
}

/// Whether sleepers of this thread are woken.
pub(super) fn are_woken() -> bool {
    ARE_WOKEN.get()
}

/// Says whether they are.
pub(super) fn set_woken(woken: bool) {
    ARE_WOKEN.set(woken);
    SLEEPERS.take();
}

/// Ends after `time`.
pub(super) fn sleep(time: Duration) -> Sleep {
    let due = match time.is_zero() {
        true => time,
        false => clock::mono() + time,
    };
    // those that are for the same moment are woken together
    let over = Duration::from_nanos(u64::from(due.subsec_nanos()) % ROUND_NS);
    let due = match time < EARLY_MAX || over.is_zero() {
        true => due,
        false => due - over + Duration::from_nanos(ROUND_NS),
    };
    Sleep {
        due,
        patience: Patience::None,
        number: 0,
    }
}

/// Ends after `time` with another sleep, and at the latest after [`SLACK`] more.
pub(super) fn sleep_patiently(time: Duration) -> Sleep {
    Sleep {
        patience: Patience::Slack,
        ..sleep(time)
    }
}

/// When the next sleep is over.
pub(super) fn due() -> Option<Duration> {
    SLEEPERS.with_borrow(Sleepers::due)
}

/// Wakes those whose time is over.
pub(super) fn wake() {
    let now = clock::mono();
    while let Some(waker) = SLEEPERS.with_borrow_mut(|sleepers| sleepers.take_due(now)) {
        waker.wake();
    }
}

impl Sleepers {
    fn due(&self) -> Option<Duration> {
        let patient = self.patient.first().map(|due| due + SLACK);
        self.waiting.first().into_iter().chain(patient).min()
    }

    fn take_due(&mut self, now: Duration) -> Option<Waker> {
        [&mut self.waiting, &mut self.patient]
            .into_iter()
            .find_map(|of| of.take_until(now))
    }

    fn of(&mut self, patience: Patience) -> &mut Waiting {
        match patience {
            Patience::None => &mut self.waiting,
            Patience::Slack => &mut self.patient,
        }
    }
}

/// Runs `future` to its end on this thread, and wakes sleepers.
///
/// The reactor's own thread waits for sockets and for the timer: it does so anyway whenever this
/// one is at work for more than 50 us, and two that take turns at it wake each other.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut timer = match Timer::new() {
        Ok(timer) => timer,
        Err(error) => {
            log::debug!("no timer of the kernel: {error}");
            return smol::block_on(future);
        }
    };
    set_woken(true);
    let result = smol::future::block_on(poll_fn(|context| {
        timer.look();
        let ended = future.as_mut().poll(context);
        if ended.is_pending() {
            timer.arm(context);
        }
        ended
    }));
    set_woken(false);
    result
}

/// Ends with `future`, which is only asked when it was woken: one that asks the kernel each time
/// would do so with each turn of the loop.
pub async fn when_woken<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let call = Arc::<Call>::default();
    let waker = Waker::from(Arc::clone(&call));
    waker.wake_by_ref();
    poll_fn(|context| {
        call.is_for(context.waker());
        match call.take() {
            true => future.as_mut().poll(&mut Context::from_waker(&waker)),
            false => Poll::Pending,
        }
    })
    .await
}

impl Timer {
    fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let kernel = timerfd_create(TimerfdClockId::Boottime, flags)?;
        Ok(Self {
            kernel: Watched::new(Async::new_nonblocking(kernel)?),
            armed: None,
        })
    }

    /// Wakes whose time is over.
    fn look(&mut self) {
        if self.armed.is_some_and(|armed| armed <= clock::mono()) {
            self.armed = None;
            wake();
        }
    }

    /// Has the kernel tell when the next is due.
    fn arm(&mut self, context: &mut Context<'_>) {
        let due = due();
        if !self.will_do(due) {
            self.set(due);
        }
        if self.armed.is_some() {
            // the first may be told of what was
            for _ in 0..2 {
                if self.kernel.poll_ready(Interest::Read, context).is_pending() {
                    break;
                }
            }
        }
    }

    /// Whether it need not be moved: where nobody waits any more for the time that it has, it may
    /// be a little early.
    fn will_do(&self, due: Option<Duration>) -> bool {
        let is_near = |(armed, due): (Duration, Duration)| armed <= due && due - armed < EARLY_MAX;
        due == self.armed || self.armed.zip(due).is_some_and(is_near)
    }

    fn set(&mut self, due: Option<Duration>) {
        // all zeros would be never
        let time = due.map(|due| due.max(Duration::from_nanos(1)));
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let timer = Itimerspec {
            it_interval: Timespec::default(),
            it_value: time.unwrap_or_default(),
        };
        let set = timerfd_settime(self.kernel.of(), TimerfdTimerFlags::ABSTIME, &timer);
        if let Err(error) = set {
            log::error!("the kernel's timer cannot be set: {error}");
        }
        self.armed = due;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.due.is_zero() {
            return Poll::Ready(());
        }
        SLEEPERS.with_borrow_mut(|sleepers| {
            let is_first = self.number == 0;
            if is_first {
                sleepers.count += 1;
                self.number = sleepers.count;
            }
            let key = (self.due, self.number);
            sleepers.of(self.patience).poll(key, is_first, context)
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.number != 0 {
            let key = (self.due, self.number);
            SLEEPERS.with_borrow_mut(|sleepers| sleepers.of(self.patience).remove(key));
        }
    }
}

/// What long times are rounded up to.
const ROUND_NS: u64 = 1_000_000;

/// So much longer those sleep who are patient.
pub(super) const SLACK: Duration = Duration::from_secs(35);

/// So much too early the timer may be, where nobody waits for that time any more.
const EARLY_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::waits;
    use smol::future::or;
    use smol::future::zip;

    async fn wait(ms: u64) -> u64 {
        waits::sleep(Some(Duration::from_millis(ms))).await;
        ms
    }

    #[test]
    fn one_that_is_due_does_not_wait_for_one_that_is_later() {
        let (early, late) = (wait(5), wait(60_000));
        assert_eq!(block_on(or(late, early)), 5);
        // the timer is still set for the other
        assert_eq!(block_on(or(wait(60_000), wait(1))), 1);
        assert_eq!(
            block_on(zip(wait(0), zip(wait(20), wait(10)))),
            (0, (20, 10))
        );
    }

    #[test]
    fn one_that_comes_nearer_while_another_is_waited_for_is_not_slept_over() {
        let ended = block_on(async {
            let given_up = or(wait(30_000), wait(10)).await;
            let nearer = or(wait(29_000), wait(3)).await;
            (given_up, nearer, wait(2).await)
        });
        assert_eq!(ended, (10, 3, 2));
        assert_eq!(due(), None, "nobody sleeps any more");
    }

    #[test]
    fn times_are_waited_for_beside_sockets() {
        use std::io::Write;
        use std::os::unix::net::UnixStream;
        let (near, mut far) = UnixStream::pair().unwrap();
        let near = Watched::new(Async::new(near).unwrap());
        let ready = |ms| {
            let ready = async {
                near.ready(Interest::Read).await.unwrap();
                0
            };
            or(ready, wait(ms))
        };
        block_on(async {
            assert_eq!(ready(5).await, 5);
            far.write_all(b"x").unwrap();
            assert_eq!(ready(30_000).await, 0);
        });
    }
}
