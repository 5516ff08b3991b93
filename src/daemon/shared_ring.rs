//! The ring as all tasks share it: who is woken by what happens to it, when it is written, and
//! what is said when its disk fails. What is in it is its own affair.
//!
//! ```text
//!   session task ── append ──▶ ring ──▶ records_event ──▶ link task of each stream that wants it
//!   link task ──── exchange ─▶      ──▶ schedule_event ─▶ keep_committing
//!   keep_committing ─ commit ▶      ──▶ durable_event ──▶ session tasks, which acknowledge
//! ```

use super::daemon_clock::DaemonClock;
use super::durable_waits::DurableWait;
use super::durable_waits::DurableWaits;
use super::read_failures::ReadFailures;
use super::readers::Readers;
use super::waits::Bell;
use super::waits::Waits;
use super::waits::minute;
use crate::clock::Now;
use crate::ring::AppendError;
use crate::ring::Counters;
use crate::ring::IoError;
use crate::ring::Look;
use crate::ring::Occupancy;
use crate::ring::Record;
use crate::ring::Ring;
use crate::ring::STREAMS_MAX;
use crate::ring::Seq;
use crate::ring::Stats;
use crate::ring::StreamId;
use crate::ring::StreamSet;
use crate::stream::engine::Engine;
use event_listener::Event;
use event_listener::EventListener;
use smol::future::yield_now;
use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The ring and what is known of its disk.
pub(super) struct SharedRing {
    clock: Rc<DaemonClock>,
    /// Borrowed for one call only, and never while an event is awaited.
    ring: RefCell<Ring>,
    wakes: Wakes,
    file: FileWatch,
    reads: Cell<ReadFailures>,
    pub(super) readers: Readers,
    /// The longest commit.
    stall_max: Cell<Duration>,
}

/// Who is woken by what. A task listens before it looks at the ring: what comes between its look
/// and its wait is not missed then. Whoever only reads the ring wakes nobody.
struct Wakes {
    /// By the index of a stream: a record came that it wants, or one that it could not read may be
    /// readable again. Others are not woken: they have nothing to do.
    records: [Bell; STREAMS_MAX],
    /// The next commit, or the next try to read, may be due at another time. Notified by whatever
    /// changes the ring, so the committer never sleeps longer than [`Ring::next_commit`] says.
    schedule: Bell,
    /// [`SharedRing::safe`] is above `announced`: some senders may be answered.
    durable: DurableWaits,
    /// The watermark that `durable` was last told. It is never above that of the ring, and
    /// equal to it after each commit and each exchange: no sender sleeps on an answer that is due.
    announced: Cell<Seq>,
}

/// Whether the ring's file is still there.
struct FileWatch {
    /// Notified when it is gone. Once gone it does not come back: all begins anew.
    gone: Event,
    /// When it was looked for; a write finds out as well.
    looked: Cell<Duration>,
    /// [`Stats::taken_bytes`] of that time.
    taken: Cell<u64>,
}

impl SharedRing {
    pub(super) fn new(clock: Rc<DaemonClock>, ring: Ring) -> Self {
        let looked = Cell::new(clock.now().mono);
        Self {
            wakes: Wakes {
                records: std::array::from_fn(|_| Bell::default()),
                schedule: Bell::default(),
                durable: DurableWaits::default(),
                announced: Cell::new(ring.safe()),
            },
            file: FileWatch {
                gone: Event::new(),
                looked,
                taken: Cell::default(),
            },
            reads: Cell::new(ReadFailures::after(ring.failed_reads())),
            readers: Readers::default(),
            ring: RefCell::new(ring),
            stall_max: Cell::default(),
            clock,
        }
    }

    fn now(&self) -> Now {
        self.clock.now()
    }

    /// Everything below is safe.
    pub(super) fn safe(&self) -> Seq {
        self.ring.borrow().safe()
    }

    /// What has to be safe where anything more than now will do.
    pub(super) fn next_safe(&self) -> Seq {
        Seq(self.safe().0 + 1)
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
    pub(super) fn unsettled(&self, stream: StreamId) -> u64 {
        self.ring.borrow().unsettled(stream)
    }

    /// What the ring did with its file.
    pub(super) fn stats(&self) -> Stats {
        self.ring.borrow().stats()
    }

    /// Appends, and wakes the streams of `mask`; where both buffers are full, commits first.
    pub(super) fn append(
        &self,
        mask: StreamSet,
        now: Now,
        body: &[u8],
    ) -> Result<Seq, AppendError> {
        let first = self.ring.borrow_mut().append(mask, now, body);
        let result = match first {
            Err(AppendError::Busy) if self.commit(self.now()) => {
                self.ring.borrow_mut().append(mask, now, body)
            }
            other => other,
        };
        if result.is_ok() {
            self.wake_streams(mask);
        }
        // Taken or not: what is due, and what is refused, is another.
        self.wakes.schedule.ring();
        result
    }

    /// Has streams look whether there is something to read.
    fn wake_streams(&self, streams: StreamSet) {
        for stream in streams.streams() {
            if let Some(records) = self.wakes.records.get(stream.index()) {
                records.ring();
            }
        }
    }

    /// Moves the cursor over what the engine has settled, and gives it more to send. Says whether
    /// that made room, so that there may be more to read and to send, though nothing else happens.
    pub(super) fn exchange(
        &self,
        engine: &mut Engine,
        now: Now,
        wanted: &dyn Fn(&[u8]) -> bool,
    ) -> bool {
        let mut ring = self.ring.borrow_mut();
        let mut settled = engine.settle(&mut ring, now);
        engine.fill(&mut ring, now, wanted);
        settled += engine.settle(&mut ring, now);
        drop(ring);
        self.judge_reads(now);
        if settled > 0 {
            self.wakes.schedule.ring();
            self.announce();
        }
        settled > 0
    }

    /// An engine begins to read for a stream, at its cursor.
    pub(super) fn begin_reading(&self, stream: StreamId) {
        self.readers.begins(stream);
        self.change(|ring, _| ring.reread(stream));
    }

    /// It has ended: what it read and did not settle waits again.
    pub(super) fn end_reading(&self, stream: StreamId) {
        self.readers.ends(stream);
        self.change(|ring, _| ring.reread(stream));
    }

    /// Has an engine forget what it read: its cursor was moved by hand.
    pub(super) fn restart(&self, engine: &mut Engine) {
        engine.restart(&mut self.ring.borrow_mut());
    }

    /// Has all session tasks look what has become of them, though nothing is safe that was not.
    pub(super) fn wake_senders(&self) {
        self.wakes.durable.wake_all();
    }

    /// The longest commit since the start.
    pub(super) fn stall_max(&self) -> Duration {
        self.stall_max.get()
    }

    /// Goes on with the longest commit of one before.
    pub(super) fn stalled(&self, longest: Duration) {
        self.stall_max.set(longest);
    }

    /// Looks at the ring. Wakes nobody.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
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

    /// Shows what waits for a stream, as [`Ring::peek`] does. Wakes who waits for what cannot be
    /// read, and nobody else.
    pub(super) fn peek(
        &self,
        stream: StreamId,
        show: &mut dyn FnMut(&Record<'_>) -> Look,
    ) -> Result<(), IoError> {
        let now = self.now();
        let result = self.ring.borrow_mut().peek(stream, now, show);
        self.judge_reads(now);
        result
    }

    /// Changes the ring by hand; who waits for it is told.
    pub(super) fn change<T>(&self, work: impl FnOnce(&mut Ring, Now) -> T) -> T {
        let result = work(&mut self.ring.borrow_mut(), self.now());
        self.judge_reads(self.now());
        self.wakes.schedule.ring();
        self.announce();
        result
    }

    /// Ends when something has happened to the ring that may have the next commit due earlier.
    pub(super) fn schedule_event(&self) -> EventListener {
        self.wakes.schedule.listen()
    }

    /// Says whether a stream's destination is connected.
    pub(super) fn set_connected(&self, stream: StreamId, connected: bool) {
        self.ring.borrow_mut().set_connected(stream, connected);
        self.wakes.schedule.ring();
    }

    /// Commits; whether that worked.
    pub(super) fn commit(&self, now: Now) -> bool {
        let result = self.ring.borrow_mut().commit(now);
        let took = self.now().mono - now.mono;
        self.stall_max.set(self.stall_max.get().max(took));
        if took > STALL {
            log::warn!("ring: the disk took {} ms for a commit", took.as_millis());
        }
        self.file_was_there(now);
        if let Err(error) = result {
            log::error!("ring: commit failed: {error}");
        }
        self.judge_reads(now);
        self.announce_gone();
        self.announce();
        if self.ring.borrow().writes_first() {
            // what was appended can be sent only now
            self.wake_streams(StreamSet::ALL);
        }
        if result.is_err() {
            // whoever waited for it to make room has to look
            self.wake_senders();
        }
        result.is_ok()
    }

    /// Looks whether the file is still there.
    fn watch(&self, now: Now) {
        self.file_was_there(now);
        if let Err(error) = self.ring.borrow_mut().watch(now) {
            log::error!("ring: {error}; messages are kept in memory only");
        }
        self.announce_gone();
    }

    fn file_was_there(&self, now: Now) {
        self.file.looked.set(now.mono);
        self.file.taken.set(self.ring.borrow().stats().taken_bytes);
    }

    /// When the file is looked for next: soon while something comes or waits that it could hold.
    fn watch_due(&self) -> Option<Duration> {
        let after = if self.is_idle() { IDLE_WATCH } else { WATCH };
        let can_go = self.ring.borrow().can_go();
        can_go.then(|| self.file.looked.get() + after)
    }

    /// Whether the file was looked for since anything came, and has nothing to hold.
    fn is_idle(&self) -> bool {
        let ring = self.ring.borrow();
        ring.stats().taken_bytes == self.file.taken.get() && !ring.holds_some()
    }

    fn announce_gone(&self) {
        if self.ring.borrow().is_gone() {
            self.file.gone.notify(usize::MAX);
        }
    }

    /// Ends when the ring's file was removed, replaced or cut short.
    pub(super) async fn gone(&self) {
        loop {
            let gone = self.file.gone.listen();
            if self.ring.borrow().is_gone() {
                return;
            }
            gone.await;
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
        if reads.are_fewer_than(count) {
            reads.failed(count, now.mono);
            self.wakes.schedule.ring();
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
    pub(super) fn records_event(&self, stream: StreamId) -> EventListener {
        match self.wakes.records.get(stream.index()) {
            Some(records) => records.listen(),
            None => Event::new().listen(),
        }
    }

    /// Ends when more is safe than now, and everything below `until`, or when all senders have to
    /// look; none: for nothing else than that. To be awaited before the ring changes again.
    pub(super) fn durable_event(&self, until: Option<Seq>) -> DurableWait<'_> {
        self.wakes.durable.until(until.unwrap_or(Seq(u64::MAX)))
    }

    /// Commits when it is due, for ever, and has the streams try again to read what could not be
    /// read. Waits on: the ring's changes, a date that is set, what is due next.
    pub(super) async fn keep_committing(&self) {
        loop {
            let (schedule, stepped) = (self.schedule_event(), self.clock.stepped_event());
            let now = self.now();
            self.ring.borrow_mut().note_date(now);
            let (due, read) = {
                let (ring, told) = (self.ring.borrow(), self.reads.get().told());
                (ring.next_commit(), ring.next_read(told))
            };
            let is_due = |at: Duration| at <= now.mono;
            if read.is_some_and(is_due) {
                self.read_again(now);
            }
            if due.is_some_and(is_due) {
                self.commit(now);
                yield_now().await;
                continue;
            }
            if self.watch_due().is_some_and(is_due) {
                self.watch(now);
            }
            let (watch, read) = (self.watch_due(), read.filter(|at| !is_due(*at)));
            let may_rest = watch.is_some() && self.is_idle();
            let next = [due, read, watch.filter(|_| !may_rest)];
            let wait = next.into_iter().flatten().min();
            let wait = wait.map(|at| at.saturating_sub(now.mono));
            let waits = Waits::on([schedule, stepped]).at_most(wait);
            match may_rest {
                true => waits.or_ready(minute()).await,
                false => waits.end().await,
            };
        }
    }

    /// Who waits for what could not be read tries again.
    fn read_again(&self, now: Now) {
        let mut reads = self.reads.get();
        reads.tell(now.mono);
        self.reads.set(reads);
        let streams = self.ring.borrow().unreadable();
        self.wake_streams(streams);
    }

    fn announce(&self) {
        let safe = self.safe();
        if self.wakes.announced.replace(safe) != safe {
            self.wakes.durable.wake_below(safe);
        }
    }
}

/// How often the file is looked for while nothing is written to it.
const WATCH: Duration = Duration::from_secs(10);
/// The same where nothing comes either: then with what else is looked at each minute.
const IDLE_WATCH: Duration = Duration::from_secs(25);
/// A commit that takes longer is said: every sender waits for it.
const STALL: Duration = Duration::from_secs(1);
