//! The hub: what all tasks of the daemon share. One thread, so cells, not locks.

use super::waits::Waits;
use crate::api;
use crate::clock::{Clock, Date, Doubt, Now};
use crate::ring::{
    AppendError, Counters, IoError, Mask, Occupancy, Ring, STREAMS_MAX, Seq, Stats, StreamId,
};
use crate::route::Routes;
use crate::stream::engine::Engine;
use crate::stream::rules::{Rule, kept};
use event_listener::{Event, EventListener};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// What all tasks share.
pub(super) struct Hub {
    clock: Clock,
    /// Whether the date was believed last, and what it made of the boot.
    seen: Cell<(bool, Duration)>,
    ring: RefCell<Ring>,
    pub(super) routes: RefCell<Routes>,
    /// Notified when a record came that the stream of this index wants.
    appended: [Event; STREAMS_MAX],
    /// Notified when the next commit may be due at another time.
    touched: Event,
    /// Notified when [`Hub::safe`] has risen.
    risen: Event,
    /// The watermark that `risen` was last notified of.
    told: Cell<Seq>,
    /// Notified when the ring's file is gone.
    gone: Event,
    /// What is known of reads that fail.
    reads: Cell<Reads>,
    /// When the file is looked for, should nothing be written until then.
    watch_at: Cell<Duration>,
    /// The longest commit.
    stall_max: Cell<Duration>,
    /// What happened to the ring.
    pub(super) journal: RefCell<api::Journal>,
    /// Of the last event.
    event_id: Cell<u64>,
    started: Cell<Duration>,
    /// Bytes that came through connections and are not understood yet.
    pub(super) buffered: Cell<usize>,
}

/// What outlives a hub.
pub(super) struct Legacy {
    started: Duration,
    stall_max: Duration,
    event_id: u64,
    journal: api::Journal,
}

impl Hub {
    pub(super) fn new(clock: Clock, ring: Ring, routes: Routes) -> Self {
        let count = ring.failed_reads();
        let reads = Reads {
            count,
            told_count: count,
            ..Reads::default()
        };
        let (told, started) = (Cell::new(ring.safe()), Cell::new(clock.now().mono));
        Self {
            clock,
            // until it is known to be wrong
            seen: Cell::new((true, Duration::ZERO)),
            ring: RefCell::new(ring),
            routes: RefCell::new(routes),
            appended: std::array::from_fn(|_| Event::new()),
            touched: Event::new(),
            risen: Event::new(),
            told,
            gone: Event::new(),
            reads: Cell::new(reads),
            watch_at: Cell::new(started.get() + WATCH),
            stall_max: Cell::default(),
            journal: RefCell::default(),
            event_id: Cell::default(),
            started,
            buffered: Cell::default(),
        }
    }

    pub(super) fn now(&self) -> Now {
        let now = self.clock.now();
        let zero = now.wall.since_1970.saturating_sub(now.mono);
        let (trusted, before) = self.seen.replace((now.wall.trusted, zero));
        if trusted != now.wall.trusted {
            self.tell_doubt(now.wall.since_1970);
        }
        if trusted != now.wall.trusted || before.abs_diff(zero) > STEP {
            // the ring is to know of it, though no message comes
            self.touched.notify(usize::MAX);
        }
        now
    }

    fn tell_doubt(&self, date: Duration) {
        let date = Date(date);
        match self.clock.doubt() {
            None => log::info!("the clock says {date}, and is believed"),
            Some(Doubt::Insane) => log::warn!("the clock says {date}, and is not believed"),
            Some(Doubt::Before(remembered)) => log::warn!(
                "the clock says {date}, and it was {} before: it is not believed until the kernel \
                 says that its clock is synchronised, or until it is later than that",
                Date(remembered)
            ),
        }
    }

    /// What certificates are judged by.
    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Everything below is safe.
    pub(super) fn safe(&self) -> Seq {
        self.ring.borrow().safe()
    }

    /// The longest body that the ring takes.
    pub(super) fn body_max(&self) -> usize {
        self.ring
            .borrow()
            .record_max()
            .min(crate::message::BODY_MAX)
    }

    /// What became of what a stream wanted.
    pub(super) fn counters(&self, stream: StreamId) -> Counters {
        self.ring.borrow().counters(stream)
    }

    /// Messages that a stream has read and not settled.
    pub(super) fn in_flight(&self, stream: StreamId) -> u64 {
        self.ring.borrow().in_flight(stream)
    }

    /// What the ring did with its file.
    pub(super) fn stats(&self) -> Stats {
        self.ring.borrow().stats()
    }

    /// Appends, and wakes the streams of `mask`; where both buffers are full, commits first.
    pub(super) fn append(&self, mask: Mask, body: &[u8]) -> Result<Seq, AppendError> {
        let now = self.now();
        let first = self.ring.borrow_mut().append(mask, now, body);
        let result = match first {
            Err(AppendError::Busy) if self.commit(now) => {
                self.ring.borrow_mut().append(mask, now, body)
            }
            other => other,
        };
        if result.is_ok() {
            self.wake(mask);
        }
        // Taken or not: what is due, and what is refused, is another.
        self.touched.notify(usize::MAX);
        result
    }

    /// Has streams look whether there is something to read.
    fn wake(&self, streams: Mask) {
        for stream in streams.streams() {
            if let Some(appended) = self.appended.get(stream.index()) {
                appended.notify(usize::MAX);
            }
        }
    }

    /// Moves the cursor over what the engine has settled, and gives it more to send. Says whether
    /// that made room, so that there may be more to read and to send, though nothing else happens.
    pub(super) fn serve(&self, engine: &mut Engine, wanted: &dyn Fn(&[u8]) -> bool) -> bool {
        let now = self.now();
        let mut ring = self.ring.borrow_mut();
        let mut settled = engine.settle(&mut ring, now);
        engine.fill(&mut ring, now, wanted);
        settled += engine.settle(&mut ring, now);
        drop(ring);
        self.judge_reads(now);
        if settled > 0 {
            self.touched.notify(usize::MAX);
            self.tell();
        }
        settled > 0 && kept(Rule::ReadOnAfterSkipping)
    }

    /// Has an engine forget what it read: its cursor was moved by hand.
    pub(super) fn restart(&self, engine: &mut Engine) {
        engine.restart(&mut self.ring.borrow_mut());
    }

    /// What is not kept by the ring: the start, on the clock that never goes back.
    pub(super) fn started(&self) -> Duration {
        self.started.get()
    }

    /// What is left to the next one, when all begins anew.
    pub(super) fn legacy(&self) -> Legacy {
        Legacy {
            started: self.started(),
            stall_max: self.stall_max(),
            event_id: self.event_id.get(),
            journal: self.journal.take(),
        }
    }

    /// Goes on where one before ended.
    pub(super) fn continue_from(&self, legacy: Legacy) {
        self.started.set(legacy.started);
        self.stall_max.set(legacy.stall_max);
        self.event_id.set(legacy.event_id);
        self.journal.replace(legacy.journal);
    }

    /// Has all connections look what has become of them.
    pub(super) fn nudge(&self) {
        self.risen.notify(usize::MAX);
    }

    /// The longest commit since the start.
    pub(super) fn stall_max(&self) -> Duration {
        self.stall_max.get()
    }

    /// An event that happens now, with an id of its own.
    pub(super) fn event(&self, event_code: u16) -> api::Event {
        let id = self.event_id.get() + 1;
        self.event_id.set(id);
        let micros = self.now().wall.since_1970.as_micros();
        api::Event {
            id,
            timestamp: Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64(),
            event_code,
            error_code: None,
            reason: None,
            sent: None,
        }
    }

    /// Looks at the ring. Wakes nobody.
    pub(super) fn read_ring<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
        look(&self.ring.borrow())
    }

    /// How full the ring is. Reads two headers; wakes nobody.
    pub(super) fn occupancy(&self) -> Occupancy {
        self.ring.borrow_mut().occupancy(self.now())
    }

    /// How old the oldest message is that waits for a stream that nobody reads. Wakes nobody.
    pub(super) fn oldest_age(&self, stream: StreamId) -> Option<Duration> {
        self.ring.borrow_mut().oldest_age(stream, self.now())
    }

    /// Changes the ring by hand; who waits for it is told.
    pub(super) fn change_ring<T>(&self, work: impl FnOnce(&mut Ring, Now) -> T) -> T {
        let result = work(&mut self.ring.borrow_mut(), self.now());
        self.judge_reads(self.now());
        self.touched.notify(usize::MAX);
        self.tell();
        result
    }

    /// Ends when something has happened to the ring.
    pub(super) fn touched(&self) -> EventListener {
        self.touched.listen()
    }

    /// Says whether a stream's destination is connected.
    pub(super) fn set_connected(&self, stream: StreamId, connected: bool) {
        self.ring.borrow_mut().set_connected(stream, connected);
        self.touched.notify(usize::MAX);
    }

    /// Commits; whether that worked.
    pub(super) fn commit(&self, now: Now) -> bool {
        let result = self.ring.borrow_mut().commit(now);
        let took = self.now().mono - now.mono;
        self.stall_max.set(self.stall_max.get().max(took));
        if took > STALL {
            log::warn!("ring: the disk took {} ms for a commit", took.as_millis());
        }
        self.watch_at.set(now.mono + WATCH);
        if let Err(error) = result {
            log::error!("ring: commit failed: {error}");
        }
        self.judge_reads(now);
        self.tell_of_gone();
        self.tell();
        result.is_ok()
    }

    /// Looks whether the file is still there.
    fn watch(&self, now: Now) {
        self.watch_at.set(now.mono + WATCH);
        if let Err(error) = self.ring.borrow_mut().watch(now) {
            log::error!("ring: {error}; messages are kept in memory only");
        }
        self.tell_of_gone();
    }

    fn tell_of_gone(&self) {
        if self.ring.borrow().is_gone() {
            self.gone.notify(usize::MAX);
        }
    }

    /// Ends when the ring's file was removed, replaced or cut short.
    pub(super) async fn gone(&self) {
        loop {
            let told = self.gone.listen();
            if self.ring.borrow().is_gone() {
                return;
            }
            told.await;
        }
    }

    /// Says when reads begin to fail, now and then that they still do, and that they are over.
    fn judge_reads(&self, now: Now) {
        let mut reads = self.reads.get();
        let ring = self.ring.borrow();
        let count = ring.failed_reads();
        if ring.is_gone() {
            // That is said, and what cannot be read of it will not be waited for.
            return;
        }
        if count > reads.count {
            reads.failed(count, now.mono);
            self.touched.notify(usize::MAX);
        } else if !ring.has_unread() {
            reads.succeeded();
        }
        self.reads.set(reads);
    }

    /// Writes what is left and how far each stream came.
    pub(super) fn close(&self) {
        match self.ring.borrow_mut().close(self.now()) {
            // That it is gone was said.
            Ok(()) | Err(IoError::Gone) => {}
            Err(error) => log::error!("ring: not closed cleanly: {error}"),
        }
    }

    /// Ends when a record comes that the stream wants, or one that it could not read may be
    /// readable again. To be asked for before the ring is read: what comes in between is not lost.
    pub(super) fn appended(&self, stream: StreamId) -> EventListener {
        match self.appended.get(stream.index()) {
            Some(appended) => appended.listen(),
            None => Event::new().listen(),
        }
    }

    /// Ends when more is safe than now.
    pub(super) fn risen(&self) -> EventListener {
        self.risen.listen()
    }

    /// Commits when it is due, for ever. Waits on: the ring's changes, its next commit.
    pub(super) async fn keep_committing(&self) {
        loop {
            let touched = self.touched.listen();
            let now = self.now();
            self.ring.borrow_mut().note_date(now);
            let (due, read) = {
                let (ring, told) = (self.ring.borrow(), self.reads.get().told);
                (ring.next_commit(), ring.next_read(told))
            };
            let is_due = |at: Duration| at <= now.mono;
            if read.is_some_and(is_due) {
                self.read_again(now);
            }
            if due.is_some_and(is_due) {
                self.commit(now);
                futures_lite::future::yield_now().await;
                continue;
            }
            if self.watches() && is_due(self.watch_at.get()) {
                self.watch(now);
            }
            let watch = self.watches().then(|| self.watch_at.get());
            let read = read.filter(|at| !is_due(*at));
            let next = [due, read, watch].into_iter().flatten().min();
            let wait = next.map(|at| at.saturating_sub(now.mono));
            Waits::on([touched]).at_most(wait).end().await;
        }
    }

    fn watches(&self) -> bool {
        self.ring.borrow().can_go()
    }

    /// Who waits for what could not be read tries again.
    fn read_again(&self, now: Now) {
        let mut reads = self.reads.get();
        reads.told = now.mono;
        self.reads.set(reads);
        let streams = self.ring.borrow().unreadable();
        self.wake(streams);
    }

    fn tell(&self) {
        let safe = self.safe();
        if self.told.replace(safe) != safe {
            self.risen.notify(usize::MAX);
        }
    }
}

/// What the hub knows of reads that fail.
#[derive(Clone, Copy, Default)]
struct Reads {
    failing: bool,
    /// How many have failed, and how many of those were told of.
    count: u64,
    told_count: u64,
    /// That they fail was said, and not yet that it is over.
    said: bool,
    /// Nothing more is said before this moment, and how long that is.
    quiet_until: Duration,
    quiet: Duration,
    /// When streams were told to try again.
    told: Duration,
}

impl Reads {
    fn failed(&mut self, count: u64, mono: Duration) {
        self.failing = true;
        self.count = count;
        if mono < self.quiet_until {
            return;
        }
        let new = count - self.told_count;
        log::warn!("ring: {new} reads failed: streams wait for what is on disk and try again");
        if mono > self.quiet_until + QUIET_MAX {
            self.quiet = Duration::ZERO;
        }
        self.quiet = (self.quiet * 2).clamp(QUIET_MIN, QUIET_MAX);
        self.quiet_until = mono + self.quiet;
        self.told_count = count;
        self.said = true;
    }

    fn succeeded(&mut self) {
        if std::mem::take(&mut self.failing) && std::mem::take(&mut self.said) {
            log::info!("ring: what is on disk can be read again");
        }
    }
}

/// How often the file is looked for while nothing is written to it.
const WATCH: Duration = Duration::from_secs(10);
/// That reads fail is said at once, then at most once in this time, which grows.
const QUIET_MIN: Duration = Duration::from_secs(15);
const QUIET_MAX: Duration = Duration::from_secs(15 * 60);
/// The date goes another way than the monotonic clock.
const STEP: Duration = Duration::from_secs(60);

/// A commit that takes longer is said: every sender waits for it.
const STALL: Duration = Duration::from_secs(1);
