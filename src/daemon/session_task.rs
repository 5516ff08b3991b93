//! The task that drives a session: bytes between one socket, accepted or connected, or a serial
//! line, and one session of a channel. What a device is told is the session's affair; that it is
//! told no sooner than its messages are safe is seen to here.
//!
//! ```text
//!  socket ─ read ─▶ input ─ understand ─▶ session ─▶ ingress ─▶ ring
//!     ▲                                      │           └─ an ack token for each that waits
//!     └──── write ◀─ out ◀── on_durable ◀──┴─ durable_event: the watermark has risen to its own
//! ```
//! Each buffer has a bound. Where answers pile up, unread or not due yet, nothing more is read, and
//! TCP has the far end wait; where memory runs out, the connection ends, and is made again.

mod parting;

use super::budget::Share;
use super::channel::Channel;
use super::channel::Claim;
use super::durable_waits::DurableWait;
use super::ingress::ACK_TOKENS_MAX;
use super::ingress::AckTokens;
use super::ingress::Ingress;
use super::peers::KnownPeer;
use super::session_end::SessionEnd;
use super::shared::SharedState;
use super::traffic::Tap;
use super::waits::Waits;
use super::waits::Woke;
use crate::api::CONNECTED;
use crate::api::CONNECTION_LOST;
use crate::channel::Disconnect;
use crate::channel::Session;
use crate::clock::Now;
use crate::net;
use crate::net::Interest;
use crate::net::READ_MAX;
use smol::future::or;
use std::io;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

/// One connection while it is open.
pub(super) struct SessionTask<'a> {
    shared: &'a SharedState,
    channel: &'a Channel,
    peer: String,
    known: KnownPeer,
    socket: net::Connection,
    session: Box<dyn Session>,
    ack_tokens: AckTokens,
    /// The name that no other connection of the channel has, if it has one.
    claim: Option<Rc<Claim>>,
    input: Vec<u8>,
    out: Vec<u8>,
    tap: Tap,
    share: Share<'a>,
    /// When bytes last went in or out.
    active: Duration,
    /// When there last was nothing to write, or something was written.
    flowing: Duration,
    /// Since when the oldest ack token waits.
    waiting_since: Option<Duration>,
    /// The far end sends no more; it may still wait for answers.
    ended: bool,
    /// There may be something to read: nobody would tell of it.
    may_read: bool,
    /// The session could take no more of what came, of which more may be whole.
    is_stopped: bool,
    /// Then there is something to do, and what came before that counts.
    due: Duration,
    /// Nothing is read before.
    lull_until: Duration,
}

/// Who speaks first.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// The far end.
    Heard,
    /// The far end, and it began before: a serial line.
    Joined,
    /// This side may, it connected.
    Said,
}

/// Serves a connection until its end, and tells of both. Waits on: what [`SessionTask::serve`]
/// does.
pub(super) async fn run_session(
    shared: &SharedState,
    channel: &Channel,
    name: &str,
    socket: net::Connection,
    start: Start,
) -> SessionEnd {
    let id = shared.ring.read(|ring| ring.id());
    let client_id = format!("weir-{id:016x}-{}", channel.name());
    let Some(session) = channel.settings.protocol.session(&client_id) else {
        return SessionEnd::Closed;
    };
    let mut task = SessionTask::new(shared, channel, name.to_owned(), socket, session);
    match start {
        Start::Heard => {}
        Start::Joined => task.resync(),
        Start::Said => task.opened(),
    }
    channel.note_link(shared, CONNECTED, name);
    let end = task.serve().await;
    channel.note_link(shared, CONNECTION_LOST, &format!("{name}: {end}"));
    // what was wrong with it is said where it is counted, now and then; strangers fill no log
    log::debug!("channel `{}`: {name}: closed: {end}", channel.name());
    end
}

impl<'a> SessionTask<'a> {
    pub(super) fn new(
        shared: &'a SharedState,
        channel: &'a Channel,
        peer: String,
        socket: net::Connection,
        session: Box<dyn Session>,
    ) -> Self {
        let now = shared.now().mono;
        Self {
            shared,
            channel,
            known: KnownPeer::of(&channel.peers, &peer, now),
            peer,
            socket,
            session,
            ack_tokens: AckTokens::default(),
            claim: None,
            input: Vec::new(),
            out: Vec::new(),
            tap: Tap::new(shared),
            share: Share::of(&shared.budget),
            active: now,
            flowing: now,
            waiting_since: None,
            ended: false,
            may_read: true,
            is_stopped: false,
            due: now,
            lull_until: now,
        }
    }

    /// This side made it: lets the session speak first.
    pub(super) fn opened(&mut self) {
        if let Some(note) = self.channel.notes.of(self.channel.name()) {
            self.session.recall(&note);
        }
        self.session.opened(self.shared.now(), &mut self.out);
    }

    /// The far end may be in the middle of what it says.
    pub(super) fn resync(&mut self) {
        self.session.resync();
    }

    /// Serves until the end. Waits on: the socket, what it asks of the ring, the idle time.
    pub(super) async fn serve(mut self) -> SessionEnd {
        loop {
            let is_looking = self.session.is_looking();
            let came = is_looking.then(|| self.shared.passing.came_event());
            match self.turn() {
                // looks since now: nothing listens for what passes
                Ok(Next::Wait(..)) if self.session.is_looking() && !is_looking => {}
                Ok(Next::Wait(interest, wait)) => {
                    let listens = matches!(interest, Interest::Read | Interest::Both);
                    let durable = self.durable_event(listens);
                    let ready = self.socket.ready(interest);
                    let woke = if let Some(came) = came {
                        let waits = Waits::on_event(or(durable, came)).at_most(Some(wait));
                        // on the heap: who only brings messages has no room for it
                        Box::pin(waits.or_ready(ready)).await
                    } else {
                        let waits = Waits::on_event(durable).at_most(Some(wait));
                        waits.or_ready(ready).await
                    };
                    self.may_read |= woke != Woke::Event || !listens;
                }
                Ok(Next::Again) => smol::future::yield_now().await,
                Err(end) => {
                    if matches!(end, SessionEnd::Session(_)) {
                        Box::pin(self.part()).await;
                    }
                    return end;
                }
            }
        }
    }

    /// Ends when the oldest ack token is safe; where nothing is read, perhaps for what waits in the
    /// ring, when anything more is.
    fn durable_event(&self, listens: bool) -> DurableWait<'_> {
        let ring = &self.shared.ring;
        let any = (!listens).then(|| ring.next_safe());
        ring.durable_event(self.ack_tokens.first().into_iter().chain(any).min())
    }

    /// Answers, writes, reads and understands what there is, once each; never waits.
    fn turn(&mut self) -> Result<Next, SessionEnd> {
        let now = self.shared.now();
        if self.channel.has_ended() {
            return Err(SessionEnd::Closed);
        }
        // before anything is read: what is answered makes room for it
        self.answer(now)?;
        self.write(now)?;
        if self.claim.as_ref().is_some_and(|claim| claim.is_lost()) {
            return Err(SessionEnd::Session(self.superseded(now)));
        }
        if self.is_stopped {
            self.understand(now)?;
        }
        let is_due = self.may_read || self.due <= now.mono;
        if is_due && self.reads(now) {
            self.read(now)?;
        }
        self.understand(now)?;
        self.wake(now)?;
        // what has just come may be safe already: a ring in memory, a message that nobody wants
        self.answer(now)?;
        self.write(now)?;
        self.enforce_limits()?;
        let has_more = self.out.is_empty() && self.session.has_more();
        let goes_on = self.is_stopped && self.understands();
        if goes_on || has_more || self.may_read && self.reads(now) {
            return Ok(Next::Again);
        }
        // the far end sends no more, and may still wait for its last answers
        let is_answered = self.ack_tokens.is_empty() && self.out.is_empty();
        if self.ended && !self.is_stopped && is_answered {
            return Err(SessionEnd::Closed);
        }
        let idle_at = self.active + self.channel.settings.idle_timeout;
        if idle_at <= now.mono {
            return Err(SessionEnd::Idle);
        }
        let slow_at = self.slow_at().unwrap_or(idle_at);
        if slow_at <= now.mono {
            let detail = "does not read its answers";
            self.channel.refuse("slow", &self.peer, detail, self.shared);
            return Err(SessionEnd::Slow);
        }
        // no wait is longer than the idle time: that bounds the others where they are not there
        let overdue_at = self.waiting_since.map_or(idle_at, |since| since + OVERDUE);
        let wake_at = self.session.wake_at().unwrap_or(idle_at);
        let writes = (!self.out.is_empty()).then_some(());
        let interest = Interest::of(self.reads(now).then_some(()), writes);
        self.due = wake_at.min(overdue_at).min(idle_at).min(slow_at);
        if now.mono < self.lull_until {
            self.due = self.due.min(self.lull_until);
        }
        let wait = self.due.saturating_sub(now.mono).max(TICK);
        Ok(Next::Wait(interest, wait))
    }

    /// The session, the daemon's side for it, and where its answers go.
    fn parties(&mut self, now: Now) -> (&mut dyn Session, Ingress<'_>, &mut Vec<u8>) {
        let ingress = Ingress {
            shared: self.shared,
            channel: self.channel,
            now,
            peer: &self.peer,
            conn: self.tap.number(),
            known: Some(&self.known),
            ack_tokens: &mut self.ack_tokens,
            claim: &mut self.claim,
        };
        (self.session.as_mut(), ingress, &mut self.out)
    }

    /// Another connection has taken its name.
    fn superseded(&mut self, now: Now) -> Disconnect {
        let (session, mut ingress, out) = self.parties(now);
        session.superseded(&mut ingress, out)
    }

    /// When it is cut, unless it reads what it was answered. What it is told of what passes it may
    /// leave unread.
    fn slow_at(&self) -> Option<Duration> {
        let is_patient = self.session.acks_cumulatively() || self.session.is_looking();
        let owes = !self.out.is_empty() && !is_patient;
        owes.then(|| self.flowing + SLOW)
    }

    /// Bounds what is kept of what came: of this connection, and of all together.
    fn enforce_limits(&mut self) -> Result<(), SessionEnd> {
        self.shared.read_room.take_back(&mut self.input);
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        if !self.is_stopped && self.input.len() > self.session.unit_max() + READ_MAX {
            let reason = "longer than anything that can be understood";
            self.channel
                .refuse("length", &self.peer, reason, self.shared);
            return Err(SessionEnd::Session(Disconnect { reason }));
        }
        if self.share.set(self.memory_used()) {
            // room that is not used was not asked for
            self.input.shrink_to_fit();
            self.out.shrink_to_fit();
            self.ack_tokens.shrink();
        }
        if self.share.set(self.memory_used()) {
            let detail = "too much is on its way in all connections together";
            self.channel
                .refuse("memory", &self.peer, detail, self.shared);
            return Err(SessionEnd::Session(
                self.session.on_memory_limit(&mut self.out),
            ));
        }
        Ok(())
    }

    /// Bytes that it makes this side keep.
    fn memory_used(&self) -> usize {
        let waiting = self.out.capacity() + self.ack_tokens.memory_used();
        self.input.capacity() + self.session.buffered_len() + waiting
    }

    /// Whether it reads what comes; if not, TCP has the far end wait.
    fn reads(&self, now: Now) -> bool {
        let is_ready = !self.ended && !self.is_stopped && self.understands();
        is_ready
            && self.lull_until <= now.mono
            && !self.shared.ring.read(|ring| ring.is_crowded(now))
    }

    /// Whether more input would have to wait in memory: answers that nobody reads, or that wait
    /// for the ring. Where answers coalesce there is always room.
    fn is_backpressured(&self) -> bool {
        !self.session.acks_cumulatively()
            && (self.ack_tokens.len() >= ACK_TOKENS_MAX || self.out.len() >= OUT_MAX)
    }

    /// Reads once, what there is room for.
    fn read(&mut self, now: Now) -> Result<(), SessionEnd> {
        let (room, before) = (&self.shared.read_room, self.input.len());
        let read = room.read(&mut self.socket, &mut self.input);
        match read.map_err(SessionEnd::Io)? {
            Some(0) => {
                self.ended = true;
                // what came with the end first: it may be a message that nobody sends again
                self.understand(now)?;
                let (session, mut ingress, _) = self.parties(now);
                session.on_eof(&mut ingress);
                self.may_read = false;
            }
            Some(count) => {
                self.active = now.mono;
                // a socket tells of what comes after it was emptied
                self.may_read = !self.socket.is_emptied_by_reads() || before + count >= READ_MAX;
                if count < READ_MAX / 2 {
                    self.lull_until = now.mono + self.session.lull();
                }
                let came = (self.input.as_slice(), count);
                self.tap
                    .came(&self.channel.traffic, self.shared, &self.peer, came);
            }
            None => self.may_read = false,
        }
        Ok(())
    }

    /// Whether the session may take what came.
    fn understands(&self) -> bool {
        !self.is_backpressured() && !self.session.is_blocked()
    }

    /// Has the session take what came, as far as it can.
    fn understand(&mut self, now: Now) -> Result<(), SessionEnd> {
        let (mut taken, mut closed) = (0, None);
        let input = mem::take(&mut self.input);
        while closed.is_none() && self.understands() {
            let rest = input.get(taken..).unwrap_or_default();
            let said = self.out.len();
            let (session, mut ingress, out) = self.parties(now);
            let result = session.receive(rest, &mut ingress, out);
            if self.session.acks_cumulatively() {
                // it is read on whatever happens, so neither tokens nor answers may pile up: the
                // last token speaks for those before, and what is said beyond the bound is not
                self.ack_tokens.merge();
                if said > OUT_MAX {
                    self.out.truncate(said);
                }
            }
            match result {
                Ok(0) => break,
                Ok(used) => taken += used,
                Err(close) => closed = Some(SessionEnd::Session(close)),
            }
        }
        self.input = input;
        self.input.drain(..taken.min(self.input.len()));
        self.is_stopped = !self.understands();
        closed.map_or(Ok(()), Err)
    }

    /// Lets the session do what is due without a word from the far end.
    fn wake(&mut self, now: Now) -> Result<(), SessionEnd> {
        if self.session.wake_at().is_none_or(|due| due > now.mono) {
            return Ok(());
        }
        let (session, mut ingress, out) = self.parties(now);
        session.wake(&mut ingress, out).map_err(SessionEnd::Session)
    }

    /// Has the session answer what is safe, and tell a sender whose messages are not for too long.
    fn answer(&mut self, now: Now) -> Result<(), SessionEnd> {
        if self.ack_tokens.is_empty() || self.out.len() >= OUT_MAX {
            return Ok(());
        }
        let before = self.ack_tokens.len();
        let safe = self.ack_tokens.safe(self.shared.ring.safe());
        if self.session.acks_cumulatively() {
            if let Some(last) = safe.last() {
                self.session.on_durable(last, &mut self.out);
            }
        } else {
            for ack_token in safe {
                if self.out.capacity() == 0 {
                    self.out.reserve(ANSWERS_USUAL);
                }
                self.session.on_durable(ack_token, &mut self.out);
            }
        }
        if self.ack_tokens.is_empty() {
            self.waiting_since = None;
        } else if self.ack_tokens.len() < before || self.waiting_since.is_none() {
            self.waiting_since = Some(now.mono);
        } else if self
            .waiting_since
            .is_some_and(|since| since + OVERDUE <= now.mono)
        {
            // again after the same time, if it stays
            self.waiting_since = Some(now.mono);
            return self
                .session
                .on_ack_timeout(&mut self.out)
                .map_or(Ok(()), |close| Err(SessionEnd::Session(close)));
        }
        Ok(())
    }

    /// Writes what the socket takes. Who reads nothing while there is something for it is slow; who
    /// has nothing to read is not.
    fn write(&mut self, now: Now) -> Result<(), SessionEnd> {
        if !self.out.is_empty() && self.put_out().map_err(SessionEnd::Io)? > 0 {
            self.active = now.mono;
            self.flowing = now.mono;
        }
        if self.out.is_empty() {
            self.flowing = now.mono;
        }
        Ok(())
    }

    fn put_out(&mut self) -> io::Result<usize> {
        let traffic = &self.channel.traffic;
        self.tap.goes(traffic, self.shared, &self.peer, &self.out);
        let wrote = self.socket.try_write(&mut self.out)?;
        self.tap.left(self.out.len());
        Ok(wrote)
    }
}

/// Its name is free, also when its task is dropped.
impl Drop for SessionTask<'_> {
    fn drop(&mut self) {
        if let Some(claim) = &self.claim {
            self.channel.release(claim);
        }
    }
}

/// What a turn ends with.
enum Next {
    /// Wait for the socket, the watermark, for so long at most.
    Wait(Interest, Duration),
    /// There may be more at once; the others first.
    Again,
}

/// Bytes of the answers of a turn, where there are many; each may be small.
const ANSWERS_USUAL: usize = 512;

/// Answers that the far end has not read: past it nothing more is read from it.
const OUT_MAX: usize = 16 * 1024;

/// A sender is told that its messages are not safe after this.
const OVERDUE: Duration = Duration::from_secs(10);

/// A connection that reads no answer for so long is cut.
const SLOW: Duration = Duration::from_secs(30);

/// Shortest sleep: a deadline that has passed is not waited for in a circle.
const TICK: Duration = Duration::from_millis(1);
