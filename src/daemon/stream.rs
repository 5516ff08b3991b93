//! A stream as the rest of the daemon sees it: what it is asked to do, what it shows of itself.
//! Carries nothing: that is the link task's work.

use super::figures::Figures;
use super::kept::Whose;
use super::pause::Pause;
use super::shared::SharedState;
use super::thinned::Thinned;
use super::traffic::Traffic;
use crate::api::CONNECTION_LOST;
use crate::api::Journal;
use crate::api::MESSAGES_SENT;
use crate::api::Sent;
use crate::api::Wake;
use crate::clock::Now;
use crate::ring::Counters;
use crate::ring::StreamId;
use crate::stream::engine::Tally;
use crate::stream::settings::Settings;
use event_listener::Event;
use event_listener::EventListener;
use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What went wrong, by what shows that it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A message that is taken.
    OfMessages,
    /// A connection that is made, up to the login; or a message.
    OfConnection,
    /// The same; whatever else is known is worth more.
    AnyOther,
}

/// One stream of the configuration.
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) settings: Settings,
    /// What it leaves out of what comes; none: nothing.
    pub(super) thinned: Option<Rc<Thinned>>,
    /// Given to the broker where the configuration gives none.
    pub(super) client_id: String,
    /// Whether it takes and sends: changed by [`Stream::enable`] and [`Stream::disable`] alone, so
    /// that the routes and the ring are told.
    pub(super) enabled: Cell<bool>,
    pub(super) shown: Rc<Shown>,
    pub(super) traffic: Traffic,
    /// Since when it is to send nothing: what is in flight is awaited for a while.
    halted: Cell<Option<Duration>>,
    /// For good: the configuration has it no more, or another in its place.
    ended: Cell<bool>,
    /// It is to go on at once.
    woken: Cell<Option<Wake>>,
    /// Notified when one of these, `enabled`, `paused` or the cursor has changed.
    command: Event,
}

/// What a stream shows of itself. Where its settings change, the one that ends and the one that
/// begins after it share it: to whoever looks they are one.
#[derive(Default)]
pub(super) struct Shown {
    /// Whether it only keeps what comes: changed by [`Stream::pause`] and [`Stream::resume`].
    pub(super) paused: Cell<Option<Pause>>,
    /// Whether its destination would take something now: changed by [`Stream::set_connected`]
    /// alone, so that the ring is told. A stream that does not send is not connected, once what
    /// was in flight is answered.
    pub(super) connected: Cell<bool>,
    /// How often it was connected.
    pub(super) connects: Cell<u64>,
    /// Bytes sent and received.
    pub(super) bytes: Cell<(u64, u64)>,
    /// What was done since the start; of what the ring counts too, the ring's counters decide.
    pub(super) tally: Cell<Tally>,
    /// What it did lately.
    pub(super) figures: RefCell<Figures>,
    /// The end of the pause that it is in.
    pub(super) next_try: Cell<Option<Duration>>,
    /// The end of a pause that its destination asked for.
    pub(super) asked_until: Cell<Option<Duration>>,
    pub(super) journal: RefCell<Journal>,
    /// What went wrong last, until that is over.
    trouble: RefCell<Option<(Box<str>, Trouble)>>,
    /// Whether its connection is kept while there is nothing to send.
    pub(super) stays: Cell<bool>,
    /// How old the oldest message in memory was, and when that was said.
    oldest: Cell<Option<(Duration, Duration)>>,
    /// Its counters when it was summed up last.
    summed: Cell<Option<Counters>>,
    /// Sums that were left out since, with nothing in them but what waits.
    sums_left_out: Cell<u8>,
    /// How often it was connected by then.
    summed_connects: Cell<u64>,
}

impl Stream {
    pub(super) fn new(id: StreamId, settings: Settings, client_id: String) -> Self {
        Self {
            id,
            enabled: Cell::new(settings.enabled),
            thinned: Thinned::new(id, &settings),
            settings,
            client_id,
            shown: Rc::default(),
            traffic: Traffic::default(),
            halted: Cell::default(),
            ended: Cell::default(),
            woken: Cell::default(),
            command: Event::new(),
        }
    }

    /// Ends when it is asked for something.
    pub(super) fn command_event(&self) -> EventListener {
        self.command.listen()
    }

    /// Ends the pause that it is in.
    pub(super) fn wake(&self, whom: Wake) {
        self.woken.set(Some(whom));
        self.command.notify(usize::MAX);
    }

    /// Its cursor was moved by hand.
    pub(super) fn moved(&self, shared: &SharedState) {
        shared.ring.readers.move_cursor(self.id);
        self.command.notify(usize::MAX);
    }

    /// Whether it was woken since the last call.
    pub(super) fn take_woken(&self) -> Option<Wake> {
        self.woken.take()
    }

    /// Takes and sends from now on.
    pub(super) fn enable(&self, shared: &SharedState) {
        if !self.enabled.replace(true) {
            let subscription = self.settings.subscription.clone();
            shared.routes.borrow_mut().subscribe(self.id, subscription);
            self.command.notify(usize::MAX);
        }
    }

    /// Takes nothing and sends nothing from now on; what waits stays.
    pub(super) fn disable(&self, shared: &SharedState) {
        if self.enabled.replace(false) {
            shared.routes.borrow_mut().unsubscribe(self.id);
            self.halt(shared.now());
        }
    }

    /// Sends nothing from now on; what comes waits for it.
    pub(super) fn pause(&self, shared: &SharedState, pause: Pause) {
        let sends = self.is_sending();
        self.shown.paused.set(Some(pause));
        if sends {
            self.halt(shared.now());
        }
    }

    /// Sends again, where it is enabled.
    pub(super) fn resume(&self) {
        if self.shown.paused.take().is_some() {
            self.command.notify(usize::MAX);
        }
    }

    /// Sends nothing from now on, for good.
    pub(super) fn end(&self, now: Now) {
        let sends = self.is_sending();
        self.ended.set(true);
        if sends {
            self.halt(now);
        }
        self.command.notify(usize::MAX);
    }

    /// Whether it is enabled, not paused, and has not ended.
    pub(super) fn is_sending(&self) -> bool {
        self.enabled.get() && self.shown.paused.get().is_none() && !self.ended.get()
    }

    /// Whether it sends no more, for good.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Until when what is in flight is awaited; none: it sends.
    pub(super) fn halts_at(&self) -> Option<Duration> {
        let halted = self.halted.get().filter(|_| !self.is_sending());
        halted.map(|since| since + LAST_ANSWERS)
    }

    /// Until it is resumed by itself; none: it is not paused, or by hand alone.
    pub(super) fn paused_for(&self, now: Now) -> Option<Duration> {
        self.shown.paused.get()?.left(now)
    }

    /// Whoever reads for it sends no more, and stops soon.
    fn halt(&self, now: Now) {
        self.halted.set(Some(now.mono));
        self.command.notify(usize::MAX);
    }

    /// Whoever read for it has stopped: what is still in flight waits again.
    pub(super) fn has_halted(&self, shared: &SharedState) {
        shared.ring.end_reading(self.id);
        let why = match self.enabled.get() {
            true => "paused",
            false => "disabled",
        };
        if self.set_connected(shared, false) && !self.ended.get() {
            self.note(shared, CONNECTION_LOST, None, Some(why));
        }
        self.shown.not_sending();
    }

    /// Says whether the destination is connected; whether that is new.
    pub(super) fn set_connected(&self, shared: &SharedState, connected: bool) -> bool {
        if self.shown.connected.replace(connected) == connected {
            return false;
        }
        shared.ring.set_connected(self.id, connected);
        self.shown
            .connects
            .set(self.shown.connects.get() + u64::from(connected));
        let of_messages = |(_, kind): &(_, Trouble)| *kind == Trouble::OfMessages;
        if connected
            && self.shown.stays.get()
            && !self
                .shown
                .trouble
                .borrow()
                .as_ref()
                .is_some_and(of_messages)
        {
            self.shown.trouble.take();
        }
        true
    }

    /// Remembers what went wrong.
    pub(super) fn set_trouble(&self, text: &str, kind: Trouble) {
        let mut trouble = self.shown.trouble.borrow_mut();
        if trouble.is_none() || kind != Trouble::AnyOther {
            *trouble = Some((text.into(), kind));
        }
    }

    /// What went wrong and still holds: nothing does where all is sent, or nobody is asked.
    pub(super) fn last_error(&self, shared: &SharedState) -> Option<String> {
        let waits = shared.ring.counters(self.id).backlog > 0;
        let holds = waits || self.shown.stays.get() && !self.shown.connected.get();
        let trouble = self.shown.trouble.borrow();
        let (text, _) = trouble.as_ref().filter(|_| holds && self.is_sending())?;
        Some(text.to_string())
    }

    /// Counts what went over the network.
    pub(super) fn count_bytes(&self, sent: usize, received: usize) {
        let (before_sent, before_received) = self.shown.bytes.get();
        let counted = (
            before_sent.saturating_add(sent as u64),
            before_received.saturating_add(received as u64),
        );
        self.shown.bytes.set(counted);
    }

    /// Shows where its engine is.
    pub(super) fn show(
        &self,
        tally: &Tally,
        oldest_age: Option<Duration>,
        next_try: Option<Duration>,
        now: Now,
    ) {
        if tally.accepted > 0 {
            self.shown.trouble.take();
        }
        let mut sum = self.shown.tally.get();
        sum.add(tally);
        self.shown.tally.set(sum);
        self.shown.oldest.set(oldest_age.map(|age| (age, now.mono)));
        self.shown.next_try.set(next_try);
    }

    /// How old the oldest message is that waits. Where nobody reads them the ring is asked.
    pub(super) fn oldest_age(&self, shared: &SharedState) -> Option<Duration> {
        if !self.is_sending() && !shared.ring.readers.has(self.id) {
            return shared.ring.oldest_age(self.id);
        }
        let (age, said) = self.shown.oldest.get()?;
        Some(age + shared.now().mono.saturating_sub(said))
    }

    /// Notes an event.
    pub(super) fn note(
        &self,
        shared: &SharedState,
        event_code: u16,
        code: Option<i32>,
        text: Option<&str>,
    ) {
        let mut event = shared.event(event_code);
        event.error_code = code;
        event.reason = text.map(Into::into);
        let name = (Whose::Stream, self.settings.name.as_str());
        shared.journals.keep(name, &self.shown.journal, event);
    }

    /// Notes what became of messages.
    pub(super) fn note_sent(&self, shared: &SharedState, tally: &Tally) {
        let mut event = shared.event(MESSAGES_SENT);
        event.sent = Some(Box::new(Sent {
            read: tally.read(),
            accepted: tally.accepted,
            rejected: tally.rejected,
            skipped: tally.skipped,
            answers: tally.answers,
            ack_latency: tally.ack_latency.map(|latency| latency.as_secs_f64()),
        }));
        self.shown.journal.borrow_mut().pass(event);
    }

    /// Ends when it is disabled or paused.
    pub(super) async fn halted(&self) {
        loop {
            let command = self.command_event();
            if !self.is_sending() {
                return;
            }
            command.await;
        }
    }

    /// Whether settings are what it has, and what it was told by hand.
    pub(super) fn is_set_as(&self, settings: &Settings) -> bool {
        let mut own = self.settings.clone();
        own.enabled = self.enabled.get();
        own == *settings
    }

    /// Goes on with the counters and events of one before, which may still be ending.
    pub(super) fn continue_from(&mut self, before: &Self) {
        self.shown = Rc::clone(&before.shown);
        if let Some((own, other)) = self.thinned.as_ref().zip(before.thinned.as_ref()) {
            own.continue_from(other);
        }
    }

    /// Goes on with those of one that has ended with its ring.
    pub(super) fn continue_after(&mut self, before: &Self) {
        self.continue_from(before);
        self.shown.connected.set(false);
        self.shown.not_sending();
    }

    /// What comes from now on is summed up, unless that has begun.
    pub(super) fn begin_sum(&self, shared: &SharedState) {
        let counters = || shared.ring.counters(self.id);
        self.shown
            .summed
            .set(self.shown.summed.get().or_else(|| Some(counters())));
    }

    /// Says in one line what it did since the last time; of nothing done, one time in four.
    pub(super) fn sum_up(&self, shared: &SharedState) {
        let now = shared.ring.counters(self.id);
        let is_idle = self
            .shown
            .summed
            .get()
            .is_some_and(|then| done(&then) == done(&now));
        let left_out = self.shown.sums_left_out.replace(0);
        if is_idle
            && left_out < IDLE_SUMS
            && self.shown.summed_connects.get() == self.shown.connects.get()
        {
            return self.shown.sums_left_out.set(left_out + 1);
        }
        let before = self.shown.summed.replace(Some(now)).unwrap_or_default();
        let connects = self.shown.connects.get();
        let again = connects.saturating_sub(self.shown.summed_connects.replace(connects));
        let since = |count: fn(&Counters) -> u64| count(&now).saturating_sub(count(&before));
        log::info!(
            "stream `{}`: {}; {} stored, {} accepted, {} skipped, {} given up, {} dropped, \
             {} corrupt, {again} connects; backlog {}, oldest {:.0} s",
            self.settings.name,
            self.state(),
            since(|of| of.stored),
            since(|of| of.accepted),
            since(|of| of.filtered + of.expired + of.by_hand),
            since(|of| of.given_up),
            since(|of| of.dropped),
            since(|of| of.corrupt),
            now.backlog,
            self.oldest_age(shared).unwrap_or_default().as_secs_f64(),
        );
    }

    fn state(&self) -> &'static str {
        match (self.enabled.get(), self.shown.connected.get()) {
            (false, _) => "disabled",
            _ if self.shown.paused.get().is_some() => "paused",
            (true, true) => "connected",
            (true, false) => "not connected",
        }
    }
}

impl Shown {
    /// Nothing of it is in memory, and nothing is tried.
    fn not_sending(&self) {
        self.next_try.set(None);
        self.asked_until.set(None);
        self.oldest.set(None);
    }
}

/// Messages that it is done with, in any way.
fn done(of: &Counters) -> u64 {
    of.stored.saturating_sub(of.backlog)
}

/// What is in flight is awaited for so long after the last message was sent: a destination that
/// lives answers within.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Sums with nothing in them that are left out between two.
const IDLE_SUMS: u8 = 3;
