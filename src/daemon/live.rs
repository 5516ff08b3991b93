//! Who watches: connections to the API that are sent the status each second and events as they
//! happen. The status is rendered once for all of them, and not at all while nobody watches.

use super::daemon_clock::DaemonClock;
use super::waits::Waits;
use crate::api::Control;
use crate::api::Origin;
use crate::api::Page;
use crate::api::live;
use crate::net::Interest;
use crate::net::Socket;
use event_listener::Event;
use event_listener::EventListener;
use std::cell::Cell;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// All who watch.
pub(super) struct Audience {
    control: Rc<dyn Control>,
    clock: Rc<DaemonClock>,
    /// Watching now.
    count: Cell<usize>,
    /// The status as an event, and the second in which it was made.
    latest: RefCell<Option<(u64, Rc<[u8]>)>>,
    end: Rc<End>,
}

/// Of the listening that they came by: they go with it, and hold no daemon that is no more.
#[derive(Default)]
pub(super) struct End {
    has_come: Cell<bool>,
    comes: Event,
}

impl End {
    pub(super) fn has_come(&self) {
        self.has_come.set(true);
        self.comes.notify(usize::MAX);
    }
}

/// A place among them; free again when it goes.
struct Seat<'a>(&'a Audience);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.count.update(|count| count.saturating_sub(1));
        if self.0.count.get() == 0 {
            self.0.latest.take();
        }
    }
}

impl Audience {
    pub(super) fn new(control: Rc<dyn Control>, clock: Rc<DaemonClock>, end: Rc<End>) -> Self {
        Self {
            control,
            clock,
            count: Cell::new(0),
            latest: RefCell::default(),
            end,
        }
    }

    /// Sends until the other side goes, says something, or does not take what it is sent; events
    /// from the one after `last` on.
    ///
    /// # Errors
    /// As the socket says; `TimedOut` for one that takes too long.
    pub(super) async fn send_to(&self, socket: &Socket, last: u64) -> io::Result<()> {
        let mut watcher = Watcher {
            audience: self,
            socket,
            last: self.known(last),
            out: Vec::new(),
            deadline: self.mono() + SLOW,
        };
        match self.seat() {
            Some(_seat) => {
                live::begin(&mut watcher.out);
                watcher.watch().await
            }
            None => {
                live::refuse(&mut watcher.out);
                watcher.end().await
            }
        }
    }

    fn seat(&self) -> Option<Seat<'_>> {
        (self.count.get() < WATCHERS_MAX).then(|| {
            self.count.update(|count| count + 1);
            Seat(self)
        })
    }

    /// An id that is higher than all there are is of before a restart: nothing of now was seen.
    fn known(&self, last: u64) -> u64 {
        let newest = Page { count: 1, after: 0 };
        let newest = self.control.logs(Origin::All, newest).unwrap_or_default();
        match newest.last() {
            Some(line) if line.event.id >= last => last,
            _ => 0,
        }
    }

    /// The status of this second.
    fn status(&self) -> Rc<[u8]> {
        let second = self.mono().as_secs();
        let mut latest = self.latest.borrow_mut();
        match &*latest {
            Some((made, event)) if *made == second => Rc::clone(event),
            _ => {
                let event: Rc<[u8]> = live::status(&self.control.status()).into();
                *latest = Some((second, Rc::clone(&event)));
                event
            }
        }
    }

    fn mono(&self) -> Duration {
        self.clock.now().mono
    }
}

/// One of them.
struct Watcher<'a> {
    audience: &'a Audience,
    socket: &'a Socket,
    /// The id of the last event that it was sent.
    last: u64,
    /// What it has not taken yet: the events of one turn at most.
    out: Vec<u8>,
    /// By then it has taken all of that.
    deadline: Duration,
}

impl Watcher<'_> {
    /// Waits on: the socket, the next whole second, the end.
    async fn watch(mut self) -> io::Result<()> {
        let (mut next, mut said) = (self.audience.mono(), Vec::new());
        loop {
            let ends = self.audience.end.comes.listen();
            if self.audience.end.has_come.get() {
                return Ok(());
            }
            let now = self.audience.mono();
            // who is slow misses a turn and is never owed two
            if now >= next && self.out.is_empty() {
                self.render();
                next = Duration::from_secs(now.as_secs() + 1);
            }
            self.write()?;
            if self.socket.try_read(&mut said)?.is_some() {
                return Ok(());
            }
            self.wait([ends], next).await?;
        }
    }

    /// Waits on: the socket, until all is written.
    async fn end(mut self) -> io::Result<()> {
        loop {
            self.write()?;
            if self.out.is_empty() {
                return self.socket.finish();
            }
            self.wait([], self.deadline).await?;
        }
    }

    fn render(&mut self) {
        let page = Page {
            count: LINES_MAX,
            after: self.last,
        };
        let lines = self.audience.control.logs(Origin::All, page);
        for line in lines.unwrap_or_default() {
            self.last = line.event.id;
            live::log(&line, &mut self.out);
        }
        self.out.extend_from_slice(&self.audience.status());
    }

    fn write(&mut self) -> io::Result<()> {
        self.socket.try_write(&mut self.out)?;
        let now = self.audience.mono();
        if self.out.is_empty() {
            self.deadline = now + SLOW;
        }
        match now < self.deadline {
            true => Ok(()),
            false => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn wait<const N: usize>(
        &self,
        events: [EventListener; N],
        next: Duration,
    ) -> io::Result<()> {
        let interest = match self.out.is_empty() {
            true => Interest::Read,
            false => Interest::Both,
        };
        let left = next.min(self.deadline).saturating_sub(self.audience.mono());
        // not at all would be a loop that never lets go
        let left = Some(left.max(Duration::from_millis(1)));
        let waits = Waits::on(events).at_most(left);
        waits.or_ready(self.socket.ready(interest)).await;
        Ok(())
    }
}

/// Watching at once; the other connections are for those who ask.
const WATCHERS_MAX: usize = 4;

/// Events in one turn; what happened beyond them is missed.
const LINES_MAX: usize = 100;

/// Who does not take what it was sent for so long is dropped.
const SLOW: Duration = Duration::from_secs(10);
