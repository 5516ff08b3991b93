//! The intake: where the sessions of a channel bring what they understood. Here a message gets
//! its route, its parameters of reception and its place in the ring.

use super::hub::Hub;
use super::limit::{Limiter, left_out};
use super::listening::Listening;
use super::notes::Notes;
use crate::api::{Journal, NOT_DELIVERED};
use crate::channel::settings::{Settings, Unwanted};
use crate::channel::{Intake, Malformed, Refusal, Refused, measured};
use crate::clock::{Clock, Now};
use crate::message::body::Body;
use crate::message::{Message, body};
use crate::net::tls::Server;
use crate::ring::{AppendError, Mask, Seq};
use crate::thinning::{Mark, Thinner};
use event_listener::{Event, EventListener};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
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
    /// Messages that no stream wanted.
    pub(super) unwanted: Cell<u64>,
    /// Messages that were one too many for `every`.
    pub(super) thinned: Cell<u64>,
    thinner: Option<RefCell<Thinner>>,
    /// All that it brought into the ring is below.
    next: Cell<Seq>,
    refused: RefCell<BTreeMap<&'static str, u64>>,
    limiter: RefCell<Limiter>,
    pub(super) journal: RefCell<Journal>,
    pub(super) listening: Listening,
    /// What its TCP and Unix connections are wrapped in.
    pub(super) tls: Option<Server>,
    /// When a source is dialled again, if it waits for that.
    pub(super) next_try: Cell<Option<Duration>>,
    woken: Cell<bool>,
    /// Its connections are to end.
    ended: Cell<bool>,
    called: Event,
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

/// What waits until messages are safe, oldest first: everything below the number has to be.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    waiting: VecDeque<(Seq, u64)>,
    /// All that this connection brought is below.
    next: Seq,
}

/// One connection's way in.
pub(super) struct Door<'a> {
    pub(super) hub: &'a Hub,
    pub(super) channel: &'a Channel,
    pub(super) peer: &'a str,
    pub(super) tickets: &'a mut Tickets,
    /// What [`Intake::claim`] brought.
    pub(super) claim: &'a mut Option<Rc<Claim>>,
}

impl Channel {
    pub(super) fn new(settings: Settings, clock: Clock, notes: Rc<Notes>) -> Self {
        let thinner = settings.thinning.clone().map(Thinner::new);
        let tls = settings.tls.clone().map(|tls| Server::new(tls, clock));
        Self {
            tls,
            settings: Rc::new(settings),
            thinned: Cell::new(0),
            thinner: thinner.map(RefCell::new),
            next: Cell::default(),
            connections: Cell::new(0),
            received: Cell::new(0),
            unwanted: Cell::new(0),
            refused: RefCell::default(),
            limiter: RefCell::default(),
            journal: RefCell::default(),
            listening: Listening::default(),
            next_try: Cell::default(),
            woken: Cell::default(),
            ended: Cell::default(),
            called: Event::new(),
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
        self.unwanted.set(before.unwanted.get());
        self.thinned.set(before.thinned.get());
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
    pub(super) fn called(&self) -> EventListener {
        self.called.listen()
    }

    /// Ends the pauses that it is in.
    pub(super) fn wake(&self) {
        self.woken.set(true);
        self.called.notify(usize::MAX);
    }

    /// Whether it was woken since the last call.
    pub(super) fn take_woken(&self) -> bool {
        self.woken.take()
    }

    /// Gives a name to a connection; whether it was taken from another one.
    fn claim(&self, name: &str) -> (Rc<Claim>, bool) {
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
    pub(super) fn warn(&self, kind: &'static str, text: &str, hub: &Hub) {
        let admitted = self.limiter.borrow_mut().admit(kind, hub.now());
        if let Some(hidden) = admitted {
            log::warn!(
                "channel `{}`: {kind}: {text}{}",
                self.name(),
                left_out(hidden)
            );
        }
    }

    /// Notes an event.
    pub(super) fn note(&self, hub: &Hub, event_code: u16, reason: &str) {
        let mut event = hub.event(event_code);
        event.reason = Some(reason.into());
        self.journal.borrow_mut().note(event);
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
    pub(super) fn refuse(&self, reason: &'static str, peer: &str, detail: &str, hub: &Hub) {
        *self.refused.borrow_mut().entry(reason).or_default() += 1;
        let admitted = self.limiter.borrow_mut().admit(reason, hub.now());
        if let Some(hidden) = admitted {
            self.note(hub, NOT_DELIVERED, &format!("{peer}: {reason}: {detail}"));
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

impl Tickets {
    /// The tickets whose messages are safe.
    pub(super) fn safe(&mut self, safe: Seq) -> impl Iterator<Item = u64> + '_ {
        let ready = self.waiting.partition_point(|(until, _)| *until <= safe);
        self.waiting.drain(..ready).map(|(_, ticket)| ticket)
    }

    pub(super) fn push(&mut self, until: Seq, ticket: u64) {
        self.waiting.push_back((until, ticket));
    }

    /// Gives room back that is not used.
    pub(super) fn shrink(&mut self) {
        self.waiting.shrink_to_fit();
    }

    /// Bytes that they take.
    pub(super) fn weight(&self) -> usize {
        self.waiting.capacity() * size_of::<(Seq, u64)>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Lets one ticket speak for the newest two.
    pub(super) fn merge(&mut self) {
        if self.waiting.len() > TICKETS_MAX {
            let last = self.waiting.len() - 2;
            self.waiting.remove(last);
        }
    }
}

impl Door<'_> {
    /// The streams that want it; the mask is empty where it is taken and forgotten.
    fn route(&self, message: &Message) -> Result<Mask, Refusal> {
        let (settings, ident) = (&self.channel.settings, message.ident());
        let idents = &settings.idents;
        if !idents.is_empty() && !idents.iter().any(|pattern| pattern.matches(ident)) {
            return Err(Refusal::Ident);
        }
        let mask = self.hub.routes.borrow().wanted_by(&settings.name, ident);
        match settings.unwanted {
            Unwanted::Refuse if mask.is_empty() => Err(Refusal::Unwanted),
            _ => Ok(mask),
        }
    }

    /// What the ring keeps of it. A name that only weir sets is the sender's no more once `rename`
    /// has had its turn: so a gateway behind another one can keep what the other said of itself.
    fn body(&self, mut message: Message) -> Result<Vec<u8>, Refusal> {
        measured::judge(&mut message, self.hub.now());
        let settings = &self.channel.settings;
        for (old, new) in &settings.rename {
            message.rename(old, new.clone());
        }
        for (name, value) in &settings.set {
            message.set(name.clone(), value.clone());
        }
        message.leave_out_reserved();
        message.set("channel.name", settings.name.as_str());
        message.set("protocol.name", settings.kind.name);
        let routes = self.hub.routes.borrow();
        if let Some(device) = routes.device(message.ident()) {
            message.set("device.name", device.name.as_str());
        }
        message.set("peer", self.peer);
        let mut body = Vec::new();
        body::encode(&message, &mut body);
        if body.len() > self.hub.body_max() {
            Err(Refusal::TooLong)
        } else {
            Ok(body)
        }
    }

    /// Brings a message into the ring, unless it is one too many for `every`. That may be the
    /// repeat of one that is not safe yet, so it is not safe before all that the channel brought.
    fn thin(&mut self, mask: Mask, body: &[u8]) -> Result<(), Refusal> {
        let channel = self.channel;
        let (Some(thinner), Ok(view)) = (&channel.thinner, Body::new(body)) else {
            return self.append(mask, body);
        };
        let (ident, mono) = (view.text("ident"), self.hub.now().mono);
        let mark: Mark = thinner.borrow().mark(&view, mono, Duration::ZERO);
        if thinner.borrow().passes(ident, mark) {
            self.append(mask, body)?;
            thinner.borrow_mut().passed(ident, mark);
        } else {
            channel.thinned.set(channel.thinned.get() + 1);
            self.tickets.next = self.tickets.next.max(channel.next.get());
        }
        Ok(())
    }

    fn append(&mut self, mask: Mask, body: &[u8]) -> Result<(), Refusal> {
        match self.hub.append(mask, body) {
            Ok(Seq(seq)) => {
                self.tickets.next = Seq(seq + 1);
                self.channel.next.set(self.tickets.next);
                Ok(())
            }
            Err(AppendError::TooLong) => Err(Refusal::TooLong),
            Err(AppendError::Busy | AppendError::Full) => Err(Refusal::Full),
        }
    }

    fn refuse(&self, reason: Refusal, ident: &str) {
        if reason == Refusal::Unwanted {
            self.channel.unwanted.set(self.channel.unwanted.get() + 1);
        }
        self.channel.refuse(
            reason.name(),
            self.peer,
            &format!("ident `{ident}`"),
            self.hub,
        );
    }
}

impl Intake for Door<'_> {
    fn now(&self) -> Now {
        self.hub.now()
    }

    fn admit(&mut self, ident: &str) -> Result<(), Refused> {
        let Ok(message) = Message::new(ident) else {
            self.malformed(Malformed::Ident, "not an ident");
            return Err(Refused {
                index: 0,
                reason: Refusal::Ident,
            });
        };
        match self.route(&message) {
            Ok(_) => Ok(()),
            Err(reason) => {
                self.refuse(reason, ident);
                Err(Refused { index: 0, reason })
            }
        }
    }

    fn take(&mut self, batch: Vec<Message>) -> Result<(), Refused> {
        let mut routed = Vec::with_capacity(batch.len());
        let count = batch.len() as u64;
        for (index, message) in batch.into_iter().enumerate() {
            let ident = message.ident().to_owned();
            let found = self
                .route(&message)
                .and_then(|mask| Ok((mask, self.body(message)?)));
            routed.push(found.map_err(|reason| {
                self.refuse(reason, &ident);
                Refused { index, reason }
            })?);
        }
        for (index, (mask, body)) in routed.iter().enumerate() {
            if mask.is_empty() {
                self.channel.unwanted.set(self.channel.unwanted.get() + 1);
            } else if let Err(reason) = self.thin(*mask, body) {
                self.refuse(reason, "");
                return Err(Refused { index, reason });
            }
        }
        self.channel
            .received
            .set(self.channel.received.get() + count);
        Ok(())
    }

    fn when_safe(&mut self, ticket: u64) {
        let until = self.tickets.next;
        self.tickets.push(until, ticket);
    }

    fn claim(&mut self, name: &str) {
        let (claim, is_taken) = self.channel.claim(name);
        if let Some(former) = self.claim.replace(claim) {
            self.channel.release(&former);
        }
        if is_taken {
            // whoever had it has to look
            self.hub.nudge();
        }
    }

    fn remember(&mut self, note: &str) {
        self.channel.notes.keep(self.channel.name(), note);
    }

    fn malformed(&mut self, reason: Malformed, detail: &str) {
        self.channel
            .refuse(reason.name(), self.peer, detail, self.hub);
    }
}

/// Answers of one connection that wait for the ring: 16 KiB of RAM.
pub(super) const TICKETS_MAX: usize = 1024;
