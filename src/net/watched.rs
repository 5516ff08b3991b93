//! A file of the kernel's that the reactor watches, and the one task that waits for it.
//!
//! The reactor's own thread does the watching. What it is asked for while it watches already, which
//! is always, it takes for news only when that comes a second time; so here is remembered that it
//! called. A wait that is given up stays asked for: the next one costs nothing.

use smol::Async;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;

/// What is watched, such as a socket. Costs 100 bytes beside that.
#[derive(Debug)]
pub struct Watched<T> {
    of: Async<T>,
    call: Arc<Call>,
    /// The same, as the reactor wants it.
    caller: Waker,
}

/// Whether a wait also ends when bytes can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Ends for no socket event: what came is not to be read now.
    None,
    /// Ends when there is something to read, or the end.
    Read,
    /// Ends when something can be written.
    Write,
    /// Ends for either.
    Both,
}

/// What is woken in the place of a task, and remembers that it was.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// It was woken, and nobody has looked since.
    has_come: AtomicBool,
    /// Who waits.
    task: Mutex<Option<Waker>>,
}

impl Interest {
    /// What a loop waits for that would read, write, both or neither.
    #[must_use]
    pub fn of(reads: Option<()>, writes: Option<()>) -> Self {
        match (reads, writes) {
            (None, None) => Self::None,
            (Some(()), None) => Self::Read,
            (None, Some(())) => Self::Write,
            (Some(()), Some(())) => Self::Both,
        }
    }
}

impl<T> Watched<T> {
    /// Has the reactor watch it as well for one task.
    #[must_use]
    pub fn new(of: Async<T>) -> Self {
        let call = Arc::<Call>::default();
        let caller = Waker::from(Arc::clone(&call));
        Self { of, call, caller }
    }

    /// What is watched.
    #[must_use]
    pub fn of(&self) -> &T {
        self.of.get_ref()
    }

    /// Waits until it can be read or written; may end without cause.
    ///
    /// # Errors
    /// As the system says.
    pub async fn ready(&self, interest: Interest) -> io::Result<()> {
        poll_fn(|context| self.poll_ready(interest, context)).await
    }

    /// The same, as a step.
    pub fn poll_ready(
        &self,
        interest: Interest,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if interest == Interest::None {
            return Poll::Pending;
        }
        if self.call.take() {
            return Poll::Ready(Ok(()));
        }
        self.call.is_for(context.waker());
        let mut call = Context::from_waker(&self.caller);
        if matches!(interest, Interest::Read | Interest::Both) {
            ask(|| self.of.poll_readable(&mut call))?;
        }
        if matches!(interest, Interest::Write | Interest::Both) {
            ask(|| self.of.poll_writable(&mut call))?;
        }
        Poll::Pending
    }
}

/// Asks again where the answer is that of the call before.
fn ask(mut poll: impl FnMut() -> Poll<io::Result<()>>) -> io::Result<()> {
    match poll() {
        Poll::Ready(result) => result.map(|()| drop(poll())),
        Poll::Pending => Ok(()),
    }
}

impl Call {
    /// Whether it was woken since this was asked last.
    pub(crate) fn take(&self) -> bool {
        self.has_come.swap(false, Ordering::AcqRel)
    }

    /// This task is woken with it from now on.
    pub(crate) fn is_for(&self, task: &Waker) {
        let mut known = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_come.store(true, Ordering::Release);
        // woken without the lock: it would wait for it at once, and be woken a second time
        let task = self.task.lock();
        let task = task.unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smol::future::block_on;
    use smol::future::poll_once;
    use std::io::Read;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    /// Wants the lock as soon as it is woken, as a task on another thread may.
    struct Hasty {
        call: Arc<Call>,
        got_it: AtomicBool,
    }

    impl Wake for Hasty {
        fn wake(self: Arc<Self>) {
            let is_free = self.call.task.try_lock().is_ok();
            self.got_it.store(is_free, Ordering::Release);
        }
    }

    #[test]
    fn who_is_woken_finds_the_lock_free() {
        let call = Arc::<Call>::default();
        let hasty = Arc::new(Hasty {
            call: Arc::clone(&call),
            got_it: AtomicBool::new(false),
        });
        call.is_for(&Waker::from(Arc::clone(&hasty)));
        Waker::from(call).wake();
        assert!(hasty.got_it.load(Ordering::Acquire));
    }

    #[test]
    fn a_wait_that_is_given_up_misses_nothing_and_one_that_ended_ends_once() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let near = Watched::new(Async::new(near).unwrap());
        block_on(async {
            assert!(poll_once(near.ready(Interest::Read)).await.is_none());
            for _ in 0..100 {
                far.write_all(b"x").unwrap();
                near.ready(Interest::Read).await.unwrap();
                let mut byte = [0; 2];
                assert_eq!(near.of().read(&mut byte).unwrap(), 1);
                assert!(poll_once(near.ready(Interest::Read)).await.is_none());
            }
            near.ready(Interest::Both).await.unwrap();
            drop(far);
            near.ready(Interest::Read).await.unwrap();
        });
    }
}
