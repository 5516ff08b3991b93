//! AMQP 0-9-1: one persistent publish a message, each answered by the broker (a confirm), and a
//! window of publishes without an answer. Written for RabbitMQ, whose extensions these answers are.
//!
//! ```text
//!  Connected ─▶ ProtocolSent ─▶ LoginSent ─▶ OpenSent ─▶ ChannelSent ─▶ SelectSent ─▶ Ready
//!                 start           tune         open-ok     open-ok        select-ok     ▲
//!                                                                 └──▶ ExchangeSent ────┘
//! ```
//! - An answer says that all queues have a message, and one to which no queue is bound is in all of
//!   them: such a message would be acknowledged and lost. So all are `mandatory`, and what no queue
//!   gets comes back before it is acknowledged. What came back is known by its `message-id`, since
//!   the protocol does not say which it was. That is the id which `stamp` gives a record: it is the
//!   same each time the message is sent, so who reads the queue can tell repeats by it.
//! - That no queue is bound may be the fault of one routing key or of the configuration: the engine
//!   tries others.
//! - A queue that is full and rejects what comes makes the broker say no to a publish (a nack):
//!   later. What else is on its way goes on waiting for its answer, and the next goes alone.
//! - Where memory or disk are short the broker says so and reads no more. Nothing is sent then, and
//!   no answer is waited for; signs of life go on both ways.
//! - The broker ends the channel for all that is wrong with a publish, and does not say with which.
//!   RabbitMQ's words tell it where a topic is forbidden or a message is too large; where they do
//!   not, and it may be a message, that is found as one that is met with silence: after five
//!   connections that ended with it as the first without an answer the engine tries others.
//! - The ends are short: `close` is said where this side ends the connection in good order, and no
//!   answer is awaited. One of the broker is not answered: the connection goes with all that is on
//!   its way in any case.

mod frame;
mod heartbeat;
mod keys;
mod login;
mod method;
mod refusal;
mod stage;
mod window;

pub use keys::Amqp;
pub(super) use keys::KIND;
pub use keys::Login;

use super::DeliveryError;
use super::Disconnect;
use super::Link;
use super::LinkContext;
use super::OUT_MAX;
use super::Open;
use super::Retry;
use super::engine::Engine;
use super::engine::Outgoing;
use super::render;
use super::render::MessageView;
use super::settings::Delivery;
use crate::clock::Now;
use crate::message::ValueRef;
use crate::ring::Seq;
use crate::template::Escape;
use amqp_serde::types::FieldTable;
use heartbeat::Heartbeat;
use keys::SHORT_MAX;
use login::CHANNEL;
use login::short;
use login::table_key;
use method::Answer;
use method::Close;
use method::Header;
use method::Incoming;
use method::Publish;
use stage::Stage;
use std::time::Duration;
use window::Window;

/// One connection to a broker.
#[derive(Debug)]
pub struct AmqpLink<'a> {
    amqp: &'a Amqp,
    view: MessageView<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    stage: Stage,
    /// When the broker was asked for the next step of the login.
    asked_at: Duration,
    /// Bytes of a frame at most, from the login on as both sides agreed.
    frame_max: usize,
    heartbeat: Heartbeat,
    window: Window,
    /// Why the message comes back whose header follows.
    returning: Option<DeliveryError>,
    /// Whether the broker takes messages.
    flow: Flow,
    /// Kept for their memory.
    draft: Draft,
}

/// Whether the broker takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Since then; before that it answered nothing.
    Since(Duration),
    /// Not until it says so.
    Blocked,
}

/// A message, as the broker is shown it.
#[derive(Debug, Default)]
struct Draft {
    routing_key: String,
    message_id: String,
    body: Vec<u8>,
}

impl<'a> AmqpLink<'a> {
    /// A connection that is just made. Costs 1 KiB, and 64 bytes for each publish that has no
    /// answer.
    #[must_use]
    pub fn new(amqp: &'a Amqp, open: Open<'a>) -> Self {
        let mut window = Window::default();
        window.opening.agree(amqp.window);
        Self {
            amqp,
            view: open.view,
            delivery: open.delivery,
            epoch: open.epoch,
            stage: Stage::Connected,
            asked_at: open.now.mono,
            frame_max: frame::FRAME_MAX as usize,
            heartbeat: Heartbeat::new(open.now),
            window,
            returning: None,
            flow: Flow::Since(Duration::ZERO),
            draft: Draft::default(),
        }
    }

    /// Publishes what waits, in order, while there is room for it.
    fn publish(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        // No more than fits into one write: what comes in is read before the next.
        while context.out.len() < OUT_MAX && self.flow != Flow::Blocked && self.window.has_room() {
            let Some(seq) = context.engine.next(context.now).map(|message| message.seq) else {
                break;
            };
            // Only the oldest message tells how the last connections ended.
            if self.window.is_empty() {
                let ended = context.engine.unanswered_count(seq);
                self.window.opening.narrow(ended);
            }
            self.send_message(seq, context)?;
        }
        Ok(())
    }

    /// Publishes a message that is in flight, if it can be published.
    fn send_message(&mut self, seq: Seq, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let Some(message) = context.engine.message(seq) else {
            return Ok(());
        };
        if let Err(reason) = self.draft.fill(&mut self.view, self.amqp, &message) {
            context.engine.skip(seq, reason);
            return Ok(());
        }
        let len = self.draft.routing_key.len();
        if len > SHORT_MAX {
            let reason = format!("a routing key of {len} bytes, AMQP has at most {SHORT_MAX}");
            let (engine, now) = (&mut *context.engine, context.now);
            engine.refused_unsent(self.epoch, seq, reason, now);
            return Ok(());
        }
        let publish = Publish {
            ticket: 0,
            exchange: short(&self.amqp.exchange)?,
            routing_key: short(&self.draft.routing_key)?,
            bits: method::MANDATORY,
        };
        method::write(CHANNEL, &publish, context.out)?;
        method::write_header(CHANNEL, &self.draft.header(&message)?, context.out)?;
        frame::write_body(CHANNEL, &self.draft.body, self.frame_max, context.out);
        self.window.insert(seq);
        self.heartbeat.sent(context.now);
        Ok(())
    }

    /// Does what the broker says.
    fn understand(
        &mut self,
        incoming: Incoming<'_>,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        match incoming {
            Incoming::Close(close) => return Err(self.ended(&close, context)),
            Incoming::Blocked(why) => {
                self.flow = Flow::Blocked;
                // what is on its way will be read some time
                let error = (refusal::blocked(why), None);
                let (epoch, now, random) = (self.epoch, context.now, context.random);
                context.engine.later(epoch, &[], error, now, random);
            }
            Incoming::Unblocked => self.flow = Flow::Since(context.now.mono),
            _ if self.stage != Stage::Ready => return self.log_in(&incoming, context),
            Incoming::Ack(answer) => self.taken(answer, context),
            Incoming::Nack(answer) => self.not_taken(answer, context),
            Incoming::Return(of) => self.returning = Some(refusal::returned(&of)),
            Incoming::Header(id) => return self.came_back(id),
            _ => {}
        }
        Ok(())
    }

    /// The broker is done with these. Told in order: each that is taken between two that came back
    /// counts.
    fn taken(&mut self, answer: Answer, context: &mut LinkContext<'_>) {
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        let all = self.window.complete(answer);
        for run in all.chunk_by(|one, next| one.returned.is_none() && next.returned.is_none()) {
            let messages: Vec<Seq> = run.iter().map(|sent| sent.seq).collect();
            match run.first().and_then(|sent| sent.returned.as_ref()) {
                Some(error) => {
                    let engine = &mut *context.engine;
                    engine.doubted(epoch, &messages, error, now, random);
                }
                None => context.engine.accepted(epoch, &messages, now),
            }
        }
        self.window.opening.widen();
    }

    /// The broker has no room for these. What else is on its way may still have an answer.
    fn not_taken(&mut self, answer: Answer, context: &mut LinkContext<'_>) {
        let all = self.window.complete(answer);
        let messages: Vec<Seq> = all.iter().map(|sent| sent.seq).collect();
        if messages.is_empty() {
            return;
        }
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        let error = (refusal::nacked(), None);
        context.engine.later(epoch, &messages, error, now, random);
        self.window.opening.close();
    }

    /// A message that no queue got: it is in doubt as soon as it is acknowledged.
    fn came_back(&mut self, id: &[u8]) -> Result<(), Disconnect> {
        let Some(why) = self.returning.take() else {
            return Ok(());
        };
        match seq_of(id).is_some_and(|seq| self.window.came_back(seq, why)) {
            true => Ok(()),
            // It would be lost: its acknowledgement says no more than that of any other.
            false => Err(frame::malformed("a message came back that was not sent").into()),
        }
    }

    /// The broker ends the connection, or the channel. Some of its words tell which message it does
    /// not take: then the others have no pause.
    fn ended(&mut self, close: &Close<'_>, context: &mut LinkContext<'_>) -> Disconnect {
        let mut disconnect = refusal::closed(close, self.stage, self.hint());
        if !self.is_ready() {
            return disconnect;
        }
        if let Some(seq) = self.named(close, context.engine) {
            let (epoch, now, random) = (self.epoch, context.now, context.random);
            let engine = &mut *context.engine;
            engine.doubted(epoch, &[seq], &disconnect.error, now, random);
            disconnect.retry = Retry::AtOnce;
        } else {
            self.give_up(&disconnect.error, context);
        }
        self.stage = Stage::Ended;
        disconnect
    }

    /// The first message on its way that the broker's words are about.
    fn named(&mut self, close: &Close<'_>, engine: &Engine) -> Option<Seq> {
        let said = String::from_utf8_lossy(close.text.bytes());
        let (draft, view, amqp) = (&mut self.draft, &mut self.view, self.amqp);
        let mut is_meant = |seq: &Seq| {
            let message = engine.message(*seq);
            message.is_some_and(|it| draft.fill(view, amqp, &it).is_ok() && draft.is_in(&said))
        };
        self.window.messages().find(|seq| is_meant(seq))
    }

    /// The connection ends; what is on its way has no answer. Before the login is done, and where
    /// it is for the broker's own sake, that says nothing of a message.
    fn give_up(&mut self, error: &DeliveryError, context: &mut LinkContext<'_>) {
        if self.is_ready() && refusal::may_be_of_message(error) {
            let (epoch, now, random) = (self.epoch, context.now, context.random);
            context.engine.silent(epoch, ATTEMPTS, error, now, random);
        }
    }

    /// A heartbeat, where what is said goes out at once: what waits to be written is a sign of life
    /// as soon as it goes.
    fn give_sign(&mut self, now: Now, out: &mut Vec<u8>) {
        if out.is_empty() {
            out.extend_from_slice(&frame::ALIVE);
        }
        self.heartbeat.sent(now);
    }

    /// When the answer to the oldest publish is overdue.
    fn overdue_at(&self, engine: &Engine) -> Option<Duration> {
        match self.flow {
            Flow::Since(time) => Some(engine.overdue_at()?.max(time + self.delivery.timeout)),
            Flow::Blocked => None,
        }
    }
}

impl Draft {
    /// Takes a message.
    ///
    /// # Errors
    /// Why it cannot be published.
    fn fill(
        &mut self,
        view: &mut MessageView<'_>,
        amqp: &Amqp,
        message: &Outgoing<'_>,
    ) -> Result<(), String> {
        self.routing_key.clear();
        let key = &mut self.routing_key;
        view.template(&amqp.routing_key, Escape::None, message, key)?;
        self.message_id.clear();
        render::record_id(message, &mut self.message_id);
        self.body.clear();
        let written = view.object(message, &mut self.body);
        written.map_err(|error| error.to_string())
    }

    /// Whether words of RabbitMQ are about it: its topic is forbidden, or it is too large.
    fn is_in(&self, said: &str) -> bool {
        let Self {
            routing_key, body, ..
        } = self;
        said.contains(&format!("access to topic '{routing_key}' "))
            || said.contains(&format!("message size {} ", body.len()))
    }

    /// What is said of it beside its body. Who and when are told as they were before the
    /// conversion.
    fn header(&self, message: &Outgoing<'_>) -> Result<Header<'_>, DeliveryError> {
        let mut headers = FieldTable::new();
        if let Some(ValueRef::Text(ident)) = render::find(message, "ident") {
            headers.insert(table_key("ident")?, ident.into());
        }
        let measured = render::measured(message).map(|time| time.as_secs());
        Ok(Header {
            class: method::BASIC,
            weight: 0,
            body_len: self.body.len() as u64,
            flags: method::flags(measured.is_some()),
            content_type: short("application/json")?,
            headers,
            delivery_mode: method::PERSISTENT,
            message_id: short(&self.message_id)?,
            timestamp: measured,
            app_id: short("weir")?,
        })
    }
}

/// Which message has this id.
fn seq_of(id: &[u8]) -> Option<Seq> {
    let (_ring, seq) = str::from_utf8(id).ok()?.split_once(':')?;
    seq.parse().ok().map(Seq)
}

impl Link for AmqpLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let understood = match frame::read(rest, self.frame_max) {
                Ok(None) => return Ok(used),
                Ok(Some((frame, len))) => {
                    used += len;
                    self.heartbeat.heard(context.now);
                    let incoming = Incoming::of(&frame).map_err(Disconnect::from);
                    incoming.and_then(|incoming| self.understand(incoming, context))
                }
                Err(error) => Err(error.into()),
            };
            if let Err(disconnect) = understood {
                self.give_up(&disconnect.error, context);
                return Err(disconnect);
            }
        }
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        context.check_epoch(self.epoch)?;
        match self.stage {
            Stage::Connected => self.greet(context),
            Stage::Ready => self.publish(context)?,
            _ => {}
        }
        Ok(())
    }

    fn wake_at(&self, engine: &Engine) -> Option<Duration> {
        if !self.is_ready() {
            return Some(self.asked_at + self.delivery.timeout);
        }
        let signs = [self.heartbeat.due(), self.heartbeat.overdue_at()];
        let dues = signs.into_iter().chain([self.overdue_at(engine)]);
        dues.flatten().min()
    }

    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let due = |time: Option<Duration>| time.is_some_and(|time| time <= context.now.mono);
        let timeout = self.delivery.timeout;
        // A publish goes first: that it has no answer says something of a message, and a broker
        // that is too busy for it gives signs of life all the same.
        let error = if !self.is_ready() {
            if !due(Some(self.asked_at + timeout)) {
                return Ok(());
            }
            DeliveryError::no_answer(timeout, "the login")
        } else if due(self.overdue_at(context.engine)) {
            DeliveryError::no_answer(timeout, "a publish")
        } else if due(self.heartbeat.overdue_at()) {
            DeliveryError::no_answer(self.heartbeat.patience(), "a heartbeat")
        } else {
            if due(self.heartbeat.due()) {
                self.give_sign(context.now, context.out);
            }
            return Ok(());
        };
        self.give_up(&error, context);
        Err(error.into())
    }

    fn closed(&mut self, disconnect: Disconnect, context: &mut LinkContext<'_>) -> Disconnect {
        self.give_up(&disconnect.error, context);
        let mut disconnect = Disconnect::from(disconnect.error);
        if self.stage == Stage::LoginSent {
            // some say no more than that
            disconnect.error.reason.push_str("; ");
            disconnect.error.reason.push_str(self.hint());
        }
        disconnect
    }

    fn leave(&mut self, out: &mut Vec<u8>) {
        let close = Close {
            code: REPLY_SUCCESS,
            ..Close::default()
        };
        if self.is_ready() && method::write(0, &close, out).is_ok() {
            self.stage = Stage::Ended;
        }
    }

    fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    fn stays(&self) -> bool {
        true
    }
}

/// So many connections in a row may end with the same message as the first without an answer,
/// before the others are asked: a bad way ends some of them over any message.
const ATTEMPTS: u32 = 5;

/// Nothing is wrong.
const REPLY_SUCCESS: u16 = 200;
