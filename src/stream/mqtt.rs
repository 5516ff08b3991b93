//! MQTT: one QoS 1 publish a message, and a window of publishes without an acknowledgement.
//!
//! What platforms differ in is said by their [`Profile`]; what the packets of a version look like
//! is in a `codec` of its own; the order of the messages, the times and what is told to the
//! engine are here.
//!
//! ```text
//!  Connected ──▶ LoginSent ──▶ Open ──────────────▶ Draining ──────▶ Left
//!                    │           ▲   the login is         no answer
//!                    └─▶ Asked ──┘   about to expire      is awaited
//!                     where there is
//!                     a question
//! ```
//! - Whatever the broker kept of a session, all that has no acknowledgement is sent again after a
//!   login, in order, as repeated and with the packet identifier that it had, before anything new.
//!   A session that is kept serves only those who look at the broker. An identifier follows the
//!   message's place in the ring: it is the same after a start of weir as well.
//! - An identifier is used again only after all others: an acknowledgement that comes late or twice
//!   belongs to nothing, and is passed over.
//! - What the broker forbids, or does not take for its size, may be the message's or the
//!   configuration's fault: the engine tries others. A quota passes: nothing is lost, and the next
//!   try is a new connection after the pause.
//! - A broker of 3.1.1 has no word for a message that it does not take: it closes the connection,
//!   or is silent, each time. After five connections that ended with the same message as
//!   the first without an answer the engine tries others, too.
//! - Where the version is left to weir, 5 is spoken first, see `dialect`. What has no
//!   acknowledgement is sent again by the other version as by the same: the engine has it, not the
//!   session of the broker.
//! - A login that expires is left before that: nothing new goes out, the last answers are awaited,
//!   and the next connection logs in anew at once.

mod codec;
mod draft;
mod frame;

mod keep_alive;
mod login;
mod plain;
pub mod profile;
mod publishing;
mod rates;
mod reason;
mod v311;
mod v5;
mod window;

pub(super) use plain::KIND;
pub use plain::Mqtt;
pub use plain::Payload;
pub(super) use plain::SCHEMES;
pub(super) use plain::topic;

use super::DeliveryError;
use super::Disconnect;
use super::Link;
use super::LinkContext;
use super::Open;
use super::dialect::Failed;
use super::dialect::Spoken;
use super::engine::Engine;
use super::engine::Event;
use super::lease::Lease;
use super::settings::Delivery;
use crate::ring::Seq;
use codec::Answer;
use codec::Codec;
use codec::DISCONNECT;
use codec::Incoming;
use codec::PING;
use codec::out_of_turn;
use draft::Draft;
use frame::Frame;
use frame::frame;
use keep_alive::KeepAlive;
use profile::Limits;
use profile::Profile;
use profile::Verdict;
use profile::Version;
use std::time::Duration;
use window::Window;

/// One connection to a broker.
pub struct MqttLink<'a> {
    profile: &'a dyn Profile,
    client_id: &'a str,
    delivery: &'a Delivery,
    epoch: u32,
    codec: Box<dyn Codec>,
    /// Where the version is left to weir, the one that this connection speaks.
    spoken: Option<Spoken>,
    stage: Stage,
    /// What the platform says, smaller where it has granted less.
    limits: Limits,
    /// Bytes of a packet at most, as the broker says at each login.
    broker_max: usize,
    draft: Draft<'a>,
    window: Window,
    keep_alive: KeepAlive,
    /// None: the login holds for ever.
    lease: Option<Lease>,
    /// Whether the broker was told what to publish at the end.
    has_will: bool,
    /// Whether an answer to the subscription is still to come.
    subscribing: bool,
    /// Bytes of a packet that is passed over which are still to come: it is never whole in memory.
    foreign: usize,
    /// Whether it was said that nobody wants what is sent.
    told_no_subscribers: bool,
    /// Whether something was too long for what the broker said at the login.
    outgrown: bool,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent yet.
    Connected,
    /// The broker has to answer the login.
    LoginSent,
    /// The platform has to answer the question.
    Asked,
    /// Messages can go.
    Open,
    /// The login is about to expire: the last answers are awaited.
    Draining,
    /// All is said: the connection ends once it is written.
    Left,
}

impl<'a> MqttLink<'a> {
    /// A connection that is just made. Costs 1.2 KiB, 64 bytes for each publish that has no
    /// acknowledgement, and 16 for each announcement.
    #[must_use]
    pub fn new(profile: &'a dyn Profile, open: Open<'a>) -> Self {
        let limits = profile.limits();
        Self {
            profile,
            client_id: open.client_id,
            delivery: open.delivery,
            epoch: open.epoch,
            codec: codec_of(limits.version),
            spoken: None,
            stage: Stage::Connected,
            limits,
            broker_max: usize::MAX,
            draft: Draft::new(profile, open.view),
            window: Window::default(),
            keep_alive: KeepAlive::new(limits.keep_alive, open.now),
            lease: None,
            has_will: false,
            subscribing: false,
            foreign: 0,
            told_no_subscribers: false,
            outgrown: false,
        }
    }

    /// Does what a packet means.
    fn understand(
        &mut self,
        incoming: Incoming,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        match incoming {
            Incoming::LoggedIn(terms) => self.logged_in(&terms, context)?,
            // While a question waits no ping was sent: it answers nothing.
            Incoming::Pong if self.stage != Stage::Asked => self.keep_alive.answered(),
            Incoming::Pong | Incoming::Nothing => {}
            Incoming::Answered(identifier, answer) => {
                // One that belongs to nothing came late, or twice, or for a message whose meaning
                // the engine has forgotten: none of these is a reason to end the connection.
                if let Some(messages) = self.window.complete(identifier) {
                    return self.answered(&messages, &answer, context);
                }
            }
            Incoming::Subscribed(agreed) => {
                if !std::mem::take(&mut self.subscribing) {
                    return Err(out_of_turn().into());
                }
                if !agreed {
                    return Err(Disconnect::new(0, "the broker refused the subscription"));
                }
            }
            Incoming::Message { topic, payload } if self.stage == Stage::Asked => {
                match self.profile.granted(&topic, &payload) {
                    Some(Ok(granted)) => self.open(granted, context.now),
                    Some(Err(reason)) => return Err(Disconnect::new(0, reason)),
                    None => {}
                }
            }
            Incoming::Message { .. } => {}
        }
        Ok(())
    }

    /// The broker has said what it thinks of a publish.
    fn answered(
        &mut self,
        messages: &[Seq],
        answer: &Answer,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        let engine = &mut *context.engine;
        let error = || reason::publish(answer.code, answer.said.as_deref());
        let verdict = self.profile.verdict(answer.code);
        match verdict {
            Verdict::Taken | Verdict::NoSubscribers => {
                let has_no_subscribers = verdict == Verdict::NoSubscribers;
                // Once a connection: an operator has to know, and cannot be told of each message.
                if has_no_subscribers && !std::mem::replace(&mut self.told_no_subscribers, true) {
                    engine.note(Event::NoSubscribers);
                }
                self.window.widen();
                engine.accepted(epoch, messages, now);
            }
            Verdict::Refused => engine.refused(epoch, messages, &error(), now, random),
            Verdict::Doubted => engine.doubted(epoch, messages, &error(), now, random),
            Verdict::Later => {
                // A broker with no room goes on to refuse what is on its way: a new connection
                // after the pause begins with the oldest again, in order.
                let disconnect = Disconnect::ended(error().reason);
                engine.faulty(epoch, error(), None, now, random);
                return Err(disconnect);
            }
            Verdict::OutOfStep => return Err(error().into()),
        }
        Ok(())
    }

    /// The connection ends; what is on its way has no answer. Before the login is done that says
    /// nothing of a message.
    fn give_up(&mut self, error: &DeliveryError, context: &mut LinkContext<'_>) {
        if self.is_ready() {
            let (now, random) = (context.now, context.random);
            context
                .engine
                .silent(self.epoch, ATTEMPTS, error, now, random);
        }
    }

    /// Takes the packet at the head of `input`, or a part of one that is passed over.
    fn take(&mut self, input: &[u8], context: &mut LinkContext<'_>) -> Result<usize, Disconnect> {
        match frame(input)? {
            Frame::Part => Ok(0),
            // A QoS above 0 gets no answer then: the broker brings it again at the next login, or
            // not. It is meant for whoever had this session before.
            Frame::Foreign(len) => {
                self.foreign = len;
                Ok(0)
            }
            Frame::Whole(len) => {
                let packet = input.get(..len).unwrap_or(input);
                let incoming = self.codec.receive(packet, context.out)?;
                self.understand(incoming, context)?;
                Ok(len)
            }
        }
    }

    fn ping_due(&self) -> Option<Duration> {
        let due = self.keep_alive.ping_due();
        due.filter(|_| self.is_ready())
    }
}

impl Link for MqttLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        // What the broker still says after our goodbye changes nothing: a late acknowledgement is
        // worth a repeat, and must not turn an end in good order into a failure.
        if self.stage == Stage::Left {
            return Ok(input.len());
        }
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            let passed = self.foreign.min(rest.len());
            self.foreign -= passed;
            let taken = match passed {
                0 => self.take(rest, context),
                _ => Ok(passed),
            };
            match taken {
                Ok(0) if self.foreign == 0 => break,
                Ok(len) => used += len,
                Err(disconnect) => {
                    self.give_up(&disconnect.error, context);
                    let how = login::failed(&disconnect.error);
                    return Err(self.explained(disconnect, how, context));
                }
            }
        }
        Ok(used)
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        context.check_epoch(self.epoch)?;
        let is_due = self.lease.is_some_and(|lease| lease.is_due(context.now));
        if self.stage == Stage::Open && is_due {
            self.stage = Stage::Draining;
        }
        match self.stage {
            Stage::Connected => self.log_in(context)?,
            Stage::LoginSent | Stage::Asked => {}
            Stage::Open => self.publish(context)?,
            Stage::Draining => self.leave(context),
            Stage::Left => return Err(self.renewed()),
        }
        Ok(())
    }

    fn wake_at(&self, engine: &Engine) -> Option<Duration> {
        let answer = self.keep_alive.overdue_at(self.patience());
        let publish = engine.overdue_at();
        let rates = self.draft.due();
        let dues = [answer, self.ping_due(), publish, self.lease_due(), rates];
        dues.into_iter().flatten().min()
    }

    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let due = |time: Option<Duration>| time.is_some_and(|time| time <= context.now.mono);
        let answer = self.keep_alive.overdue_at(self.patience());
        if due(self.draft.due()) {
            self.draft.ask_again();
        }
        // A publish goes first: that it has no answer says something of a message, and a broker
        // that is too busy for it answers pings all the same.
        let missing = match self.stage {
            Stage::Left if due(answer) => return Err(self.renewed()),
            _ if due(context.engine.overdue_at()) => PUBLISH,
            Stage::LoginSent if due(answer) => "the login",
            Stage::Asked if due(answer) => match self.profile.unanswered() {
                Some(granted) => {
                    self.open(granted, context.now);
                    // whether it lives is not known: that it took the login is long ago
                    context.out.extend_from_slice(&PING);
                    self.keep_alive.asked(context.now);
                    return Ok(());
                }
                None => "what was asked after the login",
            },
            _ if due(answer) => "the ping",
            // Not written is what the broker does not read: it is left all the same.
            Stage::Draining if due(self.lease_due()) => return Err(self.renewed()),
            _ if due(self.ping_due()) => {
                context.out.extend_from_slice(&PING);
                self.keep_alive.asked(context.now);
                return Ok(());
            }
            Stage::Open if due(self.lease_due()) => {
                self.stage = Stage::Draining;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let mut error = DeliveryError::no_answer(self.delivery.timeout, missing);
        let silence = self.profile.silence().filter(|_| missing == PUBLISH);
        if let Some(words) = silence {
            error.reason.push_str("; ");
            error.reason.push_str(words);
        }
        self.changes_version(Failed::Silent, context);
        self.give_up(&error, context);
        Err(error.into())
    }

    fn closed(&mut self, disconnect: Disconnect, context: &mut LinkContext<'_>) -> Disconnect {
        if self.stage == Stage::Left {
            return self.renewed();
        }
        self.give_up(&disconnect.error, context);
        self.explained(disconnect.error.into(), Failed::Closed, context)
    }

    fn leave(&mut self, out: &mut Vec<u8>) {
        if self.is_ready() {
            out.extend_from_slice(match self.has_will {
                true => self.codec.goodbye_with_will(),
                false => &DISCONNECT,
            });
            self.stage = Stage::Left;
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Draining)
    }

    fn stays(&self) -> bool {
        true
    }
}

/// Reads and writes this version; that is not settled where it is left to weir.
fn codec_of(version: Version) -> Box<dyn Codec> {
    match version {
        Version::V311 => Box::new(v311::V311::default()),
        Version::V5 | Version::Auto => Box::new(v5::V5::default()),
    }
}

/// What has no answer.
const PUBLISH: &str = "a publish";

/// So many connections in a row may end with the same message as the first without an answer,
/// before the others are asked: a bad way ends some of them over any message.
const ATTEMPTS: u32 = 5;
