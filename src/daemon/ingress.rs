//! The ingress: where the sessions of a channel bring what they understood. Here a message gets
//! its route, its parameters of reception and its place in the ring.

use super::channel::Channel;
use super::channel::Claim;
use super::devices::Sighting;
use super::devices::Source;
use super::passing::Looker;
use super::peers::KnownPeer;
use super::shared::SharedState;
use crate::channel::BatchRefusal;
use crate::channel::InputError;
use crate::channel::Intake;
use crate::channel::Refusal;
use crate::channel::measured;
use crate::channel::passing::Passing;
use crate::channel::settings::Unwanted;
use crate::clock::Now;
use crate::message::Message;
use crate::message::body::Body;
use crate::message::names::CHANNEL_NAME;
use crate::message::names::known;
use crate::ring::AppendError;
use crate::ring::Ring;
use crate::ring::Seq;
use crate::ring::StreamSet;
use crate::thinning::Mark;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// What waits until messages are safe, oldest first: everything below the number has to be.
#[derive(Debug, Default)]
pub(super) struct AckTokens {
    /// Neither the numbers nor the order ever fall: `next` only rises.
    waiting: VecDeque<(Seq, u64)>,
    /// All that this connection brought is below.
    next: Seq,
}

/// One connection's way in.
pub(super) struct Ingress<'a> {
    pub(super) shared: &'a SharedState,
    pub(super) channel: &'a Channel,
    /// Of this turn.
    pub(super) now: Now,
    pub(super) peer: &'a str,
    /// The number of the connection.
    pub(super) conn: u64,
    /// Whose messages are counted; none: nobody asks.
    pub(super) known: Option<&'a KnownPeer>,
    pub(super) ack_tokens: &'a mut AckTokens,
    /// What [`Intake::claim`] brought.
    pub(super) claim: &'a mut Option<Rc<Claim>>,
}

impl AckTokens {
    /// The ack tokens whose messages are safe.
    pub(super) fn safe(&mut self, safe: Seq) -> impl Iterator<Item = u64> + '_ {
        let ready = self.waiting.partition_point(|(until, _)| *until <= safe);
        self.waiting.drain(..ready).map(|(_, ack_token)| ack_token)
    }

    /// What has to be safe for the oldest of them.
    pub(super) fn first(&self) -> Option<Seq> {
        self.waiting.front().map(|(until, _)| *until)
    }

    pub(super) fn push(&mut self, until: Seq, ack_token: u64) {
        self.waiting.push_back((until, ack_token));
    }

    /// Gives room back that is not used.
    pub(super) fn shrink(&mut self) {
        self.waiting.shrink_to_fit();
    }

    /// Bytes that they take.
    pub(super) fn memory_used(&self) -> usize {
        self.waiting.capacity() * size_of::<(Seq, u64)>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Lets one ack token speak for the newest two.
    pub(super) fn merge(&mut self) {
        if self.waiting.len() > ACK_TOKENS_MAX {
            let last = self.waiting.len() - 2;
            self.waiting.remove(last);
        }
    }
}

impl Ingress<'_> {
    /// The streams that want it, of those that are enabled now; the set is empty where it is taken
    /// and forgotten.
    fn route(&self, message: &Message) -> Result<StreamSet, Refusal> {
        let (settings, ident) = (&self.channel.settings, message.ident());
        if !settings.idents.is_empty() && !settings.idents.matches(ident) {
            return Err(Refusal::Ident);
        }
        let mask = self.shared.routes.borrow().wanted_by(&settings.name, ident);
        match settings.unwanted {
            Unwanted::Refuse if mask.is_empty() => Err(Refusal::Unwanted),
            _ => Ok(mask),
        }
    }

    /// What the ring keeps of it. A name that only weir sets is the sender's no more once `rename`
    /// has had its turn: so a gateway behind another one can keep what the other said of itself.
    fn complete(&self, message: &mut Message) -> Result<(), Refusal> {
        measured::judge(message, self.now);
        let settings = &self.channel.settings;
        for (old, new) in &settings.rename {
            message.rename(old, new);
        }
        for (name, value) in &settings.set {
            message.set(name, value);
        }
        message.leave_out_reserved();
        message.set_known(CHANNEL_NAME, settings.name.as_str());
        message.set_known(PROTOCOL, settings.kind.name);
        let routes = self.shared.routes.borrow();
        if let Some(device) = routes.device(message.ident()) {
            message.set_known(DEVICE, device.name.as_str());
        }
        message.set_known(PEER, self.peer);
        if message.as_bytes().len() > self.shared.ring.body_max() {
            Err(Refusal::TooLong)
        } else {
            Ok(())
        }
    }

    /// Whether a message can be taken, and who wants it; it is complete then.
    fn judge(&mut self, message: &mut Message, index: usize) -> Result<StreamSet, BatchRefusal> {
        self.name(message.ident());
        let found = self
            .route(message)
            .and_then(|mask| self.complete(message).map(|()| mask));
        found.map_err(|reason| {
            self.refuse(reason, message.ident());
            BatchRefusal { index, reason }
        })
    }

    /// Brings in a message that was judged.
    fn take(&mut self, message: &Message, mask: StreamSet, now: Now) -> Result<(), Refusal> {
        let (ident, body) = (message.ident(), message.as_bytes());
        if mask.is_empty() {
            self.channel.unwanted.set(self.channel.unwanted.get() + 1);
            self.show(mask, body);
        } else if let Err(reason) = self.thin(mask, body) {
            self.refuse(reason, ident);
            return Err(reason);
        }
        let sighting = Sighting::of(message, now);
        let mut devices = self.shared.devices.borrow_mut();
        devices.heard(ident, self.source(), sighting, now);
        Ok(())
    }

    /// Brings in messages that were judged. Where the ring is full, what comes again may be there
    /// twice, and nothing is lost.
    fn take_all(
        &mut self,
        batch: &[Message],
        masks: &[StreamSet],
        now: Now,
    ) -> Result<(), BatchRefusal> {
        for (index, (message, mask)) in batch.iter().zip(masks).enumerate() {
            if let Err(reason) = self.take(message, *mask, now) {
                // those before it are in the ring, whatever the sender is told
                self.count_taken(batch.get(..index).unwrap_or_default(), now);
                return Err(BatchRefusal { index, reason });
            }
        }
        self.count_taken(batch, now);
        Ok(())
    }

    fn count_taken(&self, messages: &[Message], now: Now) {
        let Some(last) = messages.last() else {
            return;
        };
        let (count, received) = (messages.len() as u64, &self.channel.received);
        received.set(received.get() + count);
        self.channel.last_message.set(Some(now.mono));
        if let Some(known) = self.known {
            known.brought(count, last.ident());
        }
    }

    /// Brings a message into the ring, unless it is one too many for `every`. That may be the
    /// repeat of one that is not safe yet, so it is not safe before all that the channel brought.
    fn thin(&mut self, mask: StreamSet, body: &[u8]) -> Result<(), Refusal> {
        let channel = self.channel;
        let (Some(thinner), Ok(view)) = (&channel.thinner, Body::new(body)) else {
            return self.append_thinned(mask, body);
        };
        let (ident, mono) = (view.ident(), self.now.mono);
        let mark: Mark = thinner.borrow().mark(&view, mono, Duration::ZERO);
        if thinner.borrow().passes(ident, mark) {
            self.append_thinned(mask, body)?;
            thinner.borrow_mut().passed(ident, mark);
        } else {
            channel.thinned.set(channel.thinned.get() + 1);
            self.ack_tokens.next = self.ack_tokens.next.max(channel.next.get());
        }
        Ok(())
    }

    /// Brings a message into the ring for those streams that do not leave it out. Where all do, it
    /// is not safe before all that came: one of those was sent in its place.
    fn append_thinned(&mut self, mask: StreamSet, body: &[u8]) -> Result<(), Refusal> {
        let shared = self.shared;
        let decided = shared.thinned.borrow().decide(mask, body, self.now);
        if decided.mask.is_empty() {
            self.ack_tokens.next = shared.ring.read(Ring::end);
            self.channel.next.set(self.ack_tokens.next);
        } else {
            self.append(decided.mask, body)?;
        }
        decided.taken(body);
        Ok(())
    }

    fn append(&mut self, mask: StreamSet, body: &[u8]) -> Result<(), Refusal> {
        match self.shared.ring.append(mask, self.now, body) {
            Ok(Seq(seq)) => {
                self.ack_tokens.next = Seq(seq + 1);
                self.channel.next.set(self.ack_tokens.next);
                self.show(mask, body);
                Ok(())
            }
            Err(AppendError::TooLong) => Err(Refusal::TooLong),
            Err(AppendError::Busy | AppendError::Full) => Err(Refusal::Full),
        }
    }

    /// Tells whoever looks at the traffic who it is of.
    fn name(&self, ident: &str) {
        if self.channel.traffic.is_watched() {
            self.channel.traffic.named(self.conn, ident);
        }
    }

    /// Shows a message that passes to whoever looks.
    fn show(&self, mask: StreamSet, body: &[u8]) {
        if self.shared.passing.is_watched() {
            self.shared.passing.note(mask, body, self.now);
        }
    }

    fn source(&self) -> Source<'_> {
        Source {
            channel: self.channel.name(),
            protocol: self.channel.settings.kind.name,
        }
    }

    fn refuse(&self, reason: Refusal, ident: &str) {
        let mut devices = self.shared.devices.borrow_mut();
        devices.refused(ident, self.source(), reason, self.now);
        drop(devices);
        if reason == Refusal::Unwanted {
            self.channel.unwanted.set(self.channel.unwanted.get() + 1);
        }
        self.channel.refuse(
            reason.name(),
            self.peer,
            &format!("ident `{ident}`"),
            self.shared,
        );
    }
}

impl Intake for Ingress<'_> {
    fn now(&self) -> Now {
        self.now
    }

    fn check_ident(&mut self, ident: &str) -> Result<(), BatchRefusal> {
        let Ok(message) = Message::new(ident) else {
            self.malformed(InputError::Ident, "not an ident");
            return Err(BatchRefusal {
                index: 0,
                reason: Refusal::Ident,
            });
        };
        self.name(ident);
        match self.route(&message) {
            Ok(_) => Ok(()),
            Err(reason) => {
                self.refuse(reason, ident);
                Err(BatchRefusal { index: 0, reason })
            }
        }
    }

    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
        // all are judged before the first is appended: a batch that is refused for one message
        // comes again as a whole, and what was appended of it would be there twice
        let now = self.now;
        if let [message] = batch {
            let mask = self.judge(message, 0)?;
            self.take_all(batch, &[mask], now)
        } else {
            let mut masks = Vec::with_capacity(batch.len());
            for (index, message) in batch.iter_mut().enumerate() {
                masks.push(self.judge(message, index)?);
            }
            self.take_all(batch, &masks, now)
        }
    }

    fn ack_when_durable(&mut self, ack_token: u64) {
        let until = self.ack_tokens.next;
        self.ack_tokens.push(until, ack_token);
    }

    fn claim(&mut self, name: &str) {
        let (claim, is_taken) = self.channel.claim(name);
        if let Some(former) = self.claim.replace(claim) {
            self.channel.release(&former);
        }
        if is_taken {
            // whoever had it has to look
            self.shared.ring.wake_senders();
        }
    }

    fn remember(&mut self, note: &str) {
        self.channel.notes.keep(self.channel.name(), note);
    }

    fn look(&mut self) -> Option<Rc<dyn Passing>> {
        Some(Rc::new(Looker::new(&self.shared.passing)))
    }

    fn is_tight(&self) -> bool {
        self.shared.budget.is_tight()
    }

    fn trouble(&mut self, why: Option<&'static str>) {
        self.channel.trouble(why, self.peer, self.shared);
    }

    fn missed(&mut self, count: u64) {
        self.channel.missed(count, self.peer, self.shared);
    }

    fn warn(&mut self, detail: &str) {
        let text = format!("{}: {detail}", self.peer);
        self.channel.warn("clock", &text, self.shared);
    }

    fn malformed(&mut self, reason: InputError, detail: &str) {
        self.channel
            .refuse(reason.name(), self.peer, detail, self.shared);
    }
}

/// Where a message came from.
const PROTOCOL: u16 = known("protocol.name");
const DEVICE: u16 = known("device.name");
const PEER: u16 = known("peer");

/// Answers of one connection that wait for the ring: 16 KiB of RAM.
pub(super) const ACK_TOKENS_MAX: usize = 1024;
