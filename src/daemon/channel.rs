//! A channel as the rest of the daemon sees it: what its connections share, and what is counted of
//! it. Brings no message in: that is [`super::ingress`].

use super::figures::Figures;
use super::kept::Whose;
use super::limit::Limiter;
use super::limit::LineLimiter;
use super::limit::left_out;
use super::listen_state::AddressState;
use super::listen_state::ListenState;
use super::notes::Notes;
use super::peers::Peers;
use super::shared::SharedState;
use super::traffic::Traffic;
use crate::api::FAULT;
use crate::api::Journal;
use crate::api::NOT_DELIVERED;
use crate::api::RECOVERED;
use crate::channel::settings::Settings;
use crate::clock::Clock;
use crate::net::tls::Server;
use crate::ring::Seq;
use crate::thinning::Thinner;
use event_listener::Event;
use event_listener::EventListener;
use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// A channel as its connections share it.
pub(super) struct Channel {
    pub(super) settings: Rc<Settings>,
    /// Connections now.
    pub(super) connections: Cell<usize>,
    /// Messages taken.
    pub(super) received: Cell<u64>,
    /// When the last of them came.
    pub(super) last_message: Cell<Option<Duration>>,
    /// What came lately.
    pub(super) figures: RefCell<Figures>,
    /// Who is connected.
    pub(super) peers: Rc<Peers>,
    /// Messages that no stream wanted.
    pub(super) unwanted: Cell<u64>,
    /// Messages that were one too many for `every`.
    pub(super) thinned: Cell<u64>,
    /// Messages that subscribers missed.
    pub(super) missed: Cell<u64>,
    pub(super) thinner: Option<RefCell<Thinner>>,
    /// All that it brought into the ring is below.
    pub(super) next: Cell<Seq>,
    refused: RefCell<BTreeMap<&'static str, u64>>,
    limiter: RefCell<Limiter>,
    lines: RefCell<LineLimiter>,
    /// The log says of something that it is not as it should be.
    is_trouble_told: Cell<bool>,
    pub(super) journal: RefCell<Journal>,
    pub(super) traffic: Traffic,
    pub(super) listening: ListenState,
    /// What its TCP and Unix connections are wrapped in.
    pub(super) tls: Option<Server>,
    /// When a source is dialled again, if it waits for that.
    pub(super) next_try: Cell<Option<Duration>>,
    woken: Cell<bool>,
    /// Its connections are to end.
    ended: Cell<bool>,
    command: Event,
    /// The connections that have a name, by its digest: no more than there are connections.
    claims: RefCell<BTreeMap<u64, Rc<Claim>>>,
    pub(super) notes: Rc<Notes>,
}

/// A name that only one connection of a channel has.
#[derive(Debug)]
pub(super) struct Claim {
    name: u64,
    is_lost: Cell<bool>,
}

impl Channel {
    pub(super) fn new(settings: Settings, clock: Clock, notes: Rc<Notes>) -> Self {
        let thinner = settings.thinning.clone().map(Thinner::new);
        let tls = settings.tls.clone().map(|tls| Server::new(tls, clock));
        Self {
            tls,
            settings: Rc::new(settings),
            thinned: Cell::new(0),
            missed: Cell::new(0),
            thinner: thinner.map(RefCell::new),
            next: Cell::default(),
            connections: Cell::new(0),
            received: Cell::new(0),
            last_message: Cell::default(),
            figures: RefCell::default(),
            peers: Rc::default(),
            unwanted: Cell::new(0),
            refused: RefCell::default(),
            limiter: RefCell::default(),
            lines: RefCell::default(),
            is_trouble_told: Cell::default(),
            traffic: Traffic::default(),
            journal: RefCell::default(),
            listening: ListenState::default(),
            next_try: Cell::default(),
            woken: Cell::default(),
            ended: Cell::default(),
            command: Event::new(),
            claims: RefCell::default(),
            notes,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Goes on with the counters and events of one before.
    pub(super) fn continue_from(&self, before: &Self) {
        self.received.set(before.received.get());
        self.last_message.set(before.last_message.get());
        self.figures.replace(before.figures.take());
        self.unwanted.set(before.unwanted.get());
        self.thinned.set(before.thinned.get());
        self.missed.set(before.missed.get());
        self.refused.replace(before.refused.borrow().clone());
        self.journal.replace(before.journal.take());
    }

    /// Has its connections end, as soon as they look.
    pub(super) fn end(&self) {
        self.ended.set(true);
    }

    /// Whether its connections are to end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether somebody at this address may connect; on a Unix socket its permissions decide.
    pub(super) fn admits(&self, peer: Option<SocketAddr>) -> bool {
        let allow = &self.settings.allow;
        peer.is_none_or(|peer| allow.iter().any(|network| network.contains(peer.ip())))
    }

    /// Ends when it is asked for something.
    pub(super) fn command_event(&self) -> EventListener {
        self.command.listen()
    }

    /// Ends the pauses that it is in.
    pub(super) fn wake(&self) {
        self.woken.set(true);
        self.command.notify(usize::MAX);
    }

    /// Whether it was woken since the last call.
    pub(super) fn take_woken(&self) -> bool {
        self.woken.take()
    }

    /// Gives a name to a connection; whether it was taken from another one.
    pub(super) fn claim(&self, name: &str) -> (Rc<Claim>, bool) {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let name = hasher.finish();
        let claim = Rc::new(Claim {
            name,
            is_lost: Cell::default(),
        });
        let former = self.claims.borrow_mut().insert(name, Rc::clone(&claim));
        if let Some(former) = &former {
            former.is_lost.set(true);
        }
        (claim, former.is_some())
    }

    /// The connection has ended; its name is free, unless another has it.
    pub(super) fn release(&self, claim: &Rc<Claim>) {
        let mut claims = self.claims.borrow_mut();
        if claims
            .get(&claim.name)
            .is_some_and(|held| Rc::ptr_eq(held, claim))
        {
            claims.remove(&claim.name);
        }
    }

    /// Messages that came, whatever became of them.
    pub(super) fn understood(&self) -> u64 {
        self.received.get() + self.unwanted.get()
    }

    /// Says something now and then.
    pub(super) fn warn(&self, kind: &'static str, text: &str, shared: &SharedState) {
        let admitted = self.lines.borrow_mut().admit(kind, shared.now());
        if let Some(hidden) = admitted {
            log::warn!(
                "channel `{}`: {kind}: {text}{}",
                self.name(),
                left_out(hidden)
            );
        }
    }

    /// What it listens to at its only address is not as it should be, or is again. Where that comes
    /// and goes it is shown each time, and said now and then.
    pub(super) fn trouble(&self, why: Option<&'static str>, peer: &str, shared: &SharedState) {
        let name = self.name();
        let Some(why) = why else {
            self.listening.set(0, AddressState::Bound);
            if self.is_trouble_told.take() {
                let text = format!("{peer}: heard again");
                log::info!("channel `{name}`: {text}");
                self.note(shared, RECOVERED, &text);
            }
            return;
        };
        let text = format!("{peer}: {why}");
        self.listening
            .set(0, AddressState::Not(text.as_str().into()));
        let admitted = self.lines.borrow_mut().admit(why, shared.now());
        if let Some(hidden) = admitted {
            self.is_trouble_told.set(true);
            log::warn!("channel `{name}`: {text}{}", left_out(hidden));
            self.note(shared, FAULT, &text);
        }
    }

    /// Counts what a subscriber missed, and says so now and then.
    pub(super) fn missed(&self, count: u64, peer: &str, shared: &SharedState) {
        self.missed.set(self.missed.get().saturating_add(count));
        let admitted = self.limiter.borrow_mut().admit(MISSED, shared.now());
        if let Some(hidden) = admitted {
            let text = format!("{peer} {MISSED}: it has missed {count} messages");
            self.note_passing(shared, NOT_DELIVERED, &text);
            log::warn!("channel `{}`: {text}{}", self.name(), left_out(hidden));
        }
    }

    /// Notes what is worth keeping.
    pub(super) fn note(&self, shared: &SharedState, event_code: u16, reason: &str) {
        let mut event = shared.event(event_code);
        event.reason = Some(reason.into());
        let name = (Whose::Channel, self.name());
        shared.journals.keep(name, &self.journal, event);
    }

    /// Notes what a connection does. Those that this side makes are few, and worth keeping.
    pub(super) fn note_link(&self, shared: &SharedState, event_code: u16, text: &str) {
        match self.settings.listen.is_empty() {
            true => self.note(shared, event_code, text),
            false => self.note_passing(shared, event_code, text),
        }
    }

    /// Notes what is not: whoever may connect makes as much of it as he likes.
    pub(super) fn note_passing(&self, shared: &SharedState, event_code: u16, reason: &str) {
        let mut event = shared.event(event_code);
        event.reason = Some(reason.into());
        self.journal.borrow_mut().pass(event);
    }

    /// What was refused, by reason.
    pub(super) fn refused(&self) -> BTreeMap<String, u64> {
        let refused = self.refused.borrow();
        let owned = refused
            .iter()
            .map(|(reason, count)| ((*reason).to_owned(), *count));
        owned.collect()
    }

    /// Counts what was refused, and says so now and then.
    pub(super) fn refuse(
        &self,
        reason: &'static str,
        peer: &str,
        detail: &str,
        shared: &SharedState,
    ) {
        *self.refused.borrow_mut().entry(reason).or_default() += 1;
        let admitted = self.limiter.borrow_mut().admit(reason, shared.now());
        if admitted.is_some() {
            self.note_passing(
                shared,
                NOT_DELIVERED,
                &format!("{peer}: {reason}: {detail}"),
            );
        }
        let admitted = self.lines.borrow_mut().admit(reason, shared.now());
        if let Some(hidden) = admitted {
            let (name, more) = (self.name(), left_out(hidden));
            log::warn!("channel `{name}`: {peer}: refused, {reason}: {detail}{more}");
        }
    }
}

impl Claim {
    /// Whether another connection has the name now.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.get()
    }
}

/// What is said of a subscriber.
const MISSED: &str = "reads too slowly what it has subscribed to";
