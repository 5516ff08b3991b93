//! MQTT: one QoS 1 publish a message, and a window of publishes without an acknowledgement.
//!
//! What the packets of a version look like is in a file of its own; the order of the messages,
//! the times and what is told to the engine are here.
//!
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

mod frame;
mod reason;
mod session;
mod v311;
mod v5;

use super::Fault;
use super::Link;
use super::Lost;
use super::OUT_MAX;
use super::Turn;
use super::engine::Engine;
use super::engine::Event;
use super::engine::Outgoing;
use super::engine::Repeat;
use super::render::View;
use super::render::unfilled;
use super::settings;
use super::settings::Delivery;
use super::settings::Payload;
use super::settings::Version;
use crate::clock::Now;
use crate::ring::Seq;
use crate::template::Escape;
use frame::Frame;
use frame::frame;
use session::Meaning;
use session::Publication;
use session::Session;
use session::Terms;
use session::Verdict;
use std::collections::BTreeMap;
use std::time::Duration;

/// One connection to a broker.
pub struct Mqtt<'a> {
    settings: &'a settings::Mqtt,
    client_id: &'a str,
    view: View<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    session: Box<dyn Session>,
    login: Login,
    /// Zero is never.
    keep_alive: Duration,
    /// Bytes of a packet at most.
    packet_max: usize,
    /// The messages that have no acknowledgement, by packet identifier.
    unacknowledged: BTreeMap<u16, Seq>,
    /// How many there may be: all of them, fewer where the last connections ended without one.
    in_flight_max: usize,
    /// All of them.
    window: usize,
    /// Bytes of a packet that is passed over which are still to come.
    foreign: usize,
    /// Whether it was said that nobody wants what is sent.
    unheard: bool,
    /// Whether something was too large for the broker.
    outgrown: bool,
    /// When the last packet was sent.
    sent_at: Duration,
    /// When the ping was sent that has no answer.
    pinged_at: Option<Duration>,
    topic: String,
    payload: Vec<u8>,
}

/// How far the login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    /// Nothing was sent yet.
    Due,
    /// The broker has to answer.
    Sent,
    /// Messages can go.
    Done,
}

/// Why a message cannot be published.
enum Unfit {
    /// As it is.
    Own(String),
    /// To this broker.
    TooLarge(Fault),
}

impl<'a> Mqtt<'a> {
    /// A connection that is just made. Costs 1 KiB, and 64 bytes for each publish that has no
    /// acknowledgement.
    #[must_use]
    pub fn new(
        (settings, client_id): (&'a settings::Mqtt, &'a str),
        view: View<'a>,
        delivery: &'a Delivery,
        epoch: u32,
        now: Now,
    ) -> Self {
        let window = settings.window.max(1);
        let session: Box<dyn Session> = match settings.version {
            Version::V311 => Box::new(v311::V311::new(window)),
            Version::V5 => Box::new(v5::V5::new(window)),
        };
        Self {
            settings,
            client_id,
            view,
            delivery,
            epoch,
            session,
            login: Login::Due,
            keep_alive: settings.keep_alive.min(KEEP_ALIVE_MAX),
            packet_max: usize::MAX,
            unacknowledged: BTreeMap::new(),
            in_flight_max: 0,
            window: 0,
            foreign: 0,
            unheard: false,
            outgrown: false,
            sent_at: now.mono,
            pinged_at: None,
            topic: String::new(),
            payload: Vec::new(),
        }
    }

    /// The broker lets us in, on its terms.
    fn log_in(&mut self, terms: &Terms) {
        self.login = Login::Done;
        self.keep_alive = terms.keep_alive.unwrap_or(self.keep_alive);
        self.packet_max = terms.packet_max;
        self.window = usize::from(terms.in_flight_max);
        self.in_flight_max = self.window;
    }

    /// Publishes what waits, in order, while there is room for it.
    fn publish(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        while turn.out.len() < OUT_MAX && self.unacknowledged.len() < self.in_flight_max {
            let Some(seq) = turn.engine.next(turn.now).map(|message| message.seq) else {
                break;
            };
            let fruitless = match self.unacknowledged.len() {
                0 => turn.engine.unanswered_count(seq),
                _ => 0,
            };
            if let Some(more @ 1..) = fruitless.checked_sub(1) {
                // so that what follows a message is not taken for it
                self.in_flight_max = (self.window >> (2 * more).min(16)).max(1);
            }
            self.write(seq, turn)?;
        }
        let waits = turn.engine.paused_until(turn.now).is_some();
        if self.outgrown && waits && self.unacknowledged.is_empty() {
            // it says only at a login what it takes
            return Err(Lost::ended("the broker takes only shorter packets"));
        }
        Ok(())
    }

    /// Publishes a message that is in flight, if it can be published.
    fn write(&mut self, seq: Seq, turn: &mut Turn<'_>) -> Result<(), Lost> {
        let Some(message) = turn.engine.batch(seq..=seq).next() else {
            return Ok(());
        };
        let repeat = message.repeat;
        match self.render(&message) {
            Ok(()) => self.send_rendered(seq, repeat, turn)?,
            Err(Unfit::Own(reason)) => turn.engine.skip(seq, reason),
            Err(Unfit::TooLarge(fault)) => {
                self.outgrown = true;
                let (now, random) = (turn.now, turn.random);
                turn.engine
                    .doubted(self.epoch, seq..=seq, &fault, now, random);
            }
        }
        Ok(())
    }

    /// Publishes what was rendered; the answer is that of `seq`.
    fn send_rendered(&mut self, seq: Seq, repeat: Repeat, turn: &mut Turn<'_>) -> Result<(), Lost> {
        let identifier = turn.engine.tag(seq);
        let publication = Publication {
            identifier,
            topic: &self.topic,
            payload: &self.payload,
            retain: self.settings.retain,
            repeat,
        };
        self.session.publish(&publication, turn.out)?;
        self.sent_at = turn.now.mono;
        self.unacknowledged.insert(identifier, seq);
        Ok(())
    }

    /// Fills `topic` and `payload`, or says why the message cannot be published.
    fn render(&mut self, message: &Outgoing<'_>) -> Result<(), Unfit> {
        self.topic.clear();
        self.view
            .template(&self.settings.topic, Escape::None, message, &mut self.topic)
            .map_err(Unfit::Own)?;
        check_topic(&self.topic).map_err(|wrong| Unfit::Own(unfilled(&wrong)))?;
        let (open, close): (&[u8], &[u8]) = match self.settings.payload {
            Payload::Object => (b"", b""),
            Payload::Array => (b"[", b"]"),
        };
        self.payload.clear();
        self.payload.extend_from_slice(open);
        let written = self.view.object(message, &mut self.payload);
        written.map_err(|error| Unfit::Own(error.to_string()))?;
        self.payload.extend_from_slice(close);
        let (len, max) = (v5::publish_len(&self.topic, &self.payload), self.packet_max);
        if len <= max {
            return Ok(());
        }
        let reason = format!("a packet of {len} bytes, the broker takes at most {max}");
        Err(Unfit::TooLarge(Fault::new(0, reason)))
    }

    /// Does what a packet means.
    fn understand(&mut self, meaning: Meaning, turn: &mut Turn<'_>) -> Result<(), Lost> {
        match meaning {
            Meaning::LoggedIn(terms) => self.log_in(&terms),
            Meaning::Pong => self.pinged_at = None,
            Meaning::Nothing => {}
            Meaning::Answered(identifier, verdict) => {
                // one that belongs to nothing came late, or twice
                if let Some(seq) = self.unacknowledged.remove(&identifier) {
                    return self.answered(seq, verdict, turn);
                }
            }
        }
        Ok(())
    }

    /// The broker has said what it thinks of a message.
    fn answered(&mut self, seq: Seq, verdict: Verdict, turn: &mut Turn<'_>) -> Result<(), Lost> {
        let (epoch, now, random) = (self.epoch, turn.now, turn.random);
        if verdict == Verdict::Unheard && !self.unheard {
            self.unheard = true;
            turn.engine.note(Event::Unheard);
        }
        let (engine, range) = (&mut *turn.engine, seq..=seq);
        match verdict {
            Verdict::Taken | Verdict::Unheard => {
                self.in_flight_max = self.window;
                engine.accepted(epoch, range, now);
            }
            Verdict::Refused(fault) => engine.refused(epoch, range, &fault, now, random),
            Verdict::Doubted(fault) => engine.doubted(epoch, range, &fault, now, random),
            Verdict::NotNow(fault) => {
                let lost = Lost::ended(fault.reason.clone());
                engine.faulty(epoch, fault, None, now, random);
                return Err(lost);
            }
        }
        Ok(())
    }

    /// The connection ends; what is on its way has no answer.
    fn give_up(&mut self, fault: &Fault, turn: &mut Turn<'_>) {
        if self.login == Login::Done {
            let (now, random) = (turn.now, turn.random);
            turn.engine.silent(self.epoch, ATTEMPTS, fault, now, random);
        }
    }

    /// Takes the packet at the head of `input`, or a part of one that is passed over.
    fn take(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost> {
        match frame(input)? {
            Frame::Part => Ok(0),
            Frame::Foreign(len) => {
                self.foreign = len;
                Ok(0)
            }
            Frame::Whole(len) => {
                let packet = input.get(..len).unwrap_or(input);
                let meaning = self.session.receive(packet, turn.out)?;
                self.understand(meaning, turn)?;
                Ok(len)
            }
        }
    }

    /// When the broker has to have answered, login or ping.
    fn answer_due(&self) -> Option<Duration> {
        let asked = match self.login {
            Login::Due => None,
            Login::Sent => Some(self.sent_at),
            Login::Done => self.pinged_at,
        };
        asked.map(|asked| asked + self.delivery.timeout)
    }

    /// When nothing was sent for so long that the broker might take us for dead.
    fn ping_due(&self) -> Option<Duration> {
        let wanted =
            self.login == Login::Done && self.pinged_at.is_none() && !self.keep_alive.is_zero();
        wanted.then(|| self.sent_at + self.keep_alive)
    }
}

impl Link for Mqtt<'_> {
    fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost> {
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            let passed = self.foreign.min(rest.len());
            self.foreign -= passed;
            let taken = match passed {
                0 => self.take(rest, turn),
                _ => Ok(passed),
            };
            match taken {
                Ok(0) if self.foreign == 0 => break,
                Ok(len) => used += len,
                Err(lost) => {
                    self.give_up(&lost.fault, turn);
                    return Err(lost);
                }
            }
        }
        Ok(used)
    }

    fn send(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        turn.check_epoch(self.epoch)?;
        match self.login {
            Login::Due => {
                self.session
                    .connect(self.settings, self.client_id, turn.out)?;
                self.login = Login::Sent;
                self.sent_at = turn.now.mono;
                Ok(())
            }
            Login::Sent => Ok(()),
            Login::Done => self.publish(turn),
        }
    }

    fn wake_at(&self, engine: &Engine) -> Option<Duration> {
        [self.answer_due(), self.ping_due(), engine.overdue_at()]
            .into_iter()
            .flatten()
            .min()
    }

    fn wake(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        let due = |time: Option<Duration>| time.is_some_and(|time| time <= turn.now.mono);
        let missing = match self.login {
            _ if due(turn.engine.overdue_at()) => "a publish",
            Login::Done if due(self.answer_due()) => "the ping",
            Login::Due | Login::Sent if due(self.answer_due()) => "the login",
            _ if due(self.ping_due()) => {
                self.session.ping(turn.out)?;
                self.sent_at = turn.now.mono;
                self.pinged_at = Some(turn.now.mono);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let fault = Fault::no_answer(self.delivery.timeout, missing);
        self.give_up(&fault, turn);
        Err(fault.into())
    }

    fn closed(&mut self, lost: Lost, turn: &mut Turn<'_>) -> Lost {
        self.give_up(&lost.fault, turn);
        lost.fault.into()
    }

    fn is_ready(&self) -> bool {
        self.login == Login::Done
    }

    fn stays(&self) -> bool {
        true
    }
}

/// What a broker takes for a topic to publish to (MQTT 3.1.1, 4.7.3); some close the connection
/// for any other.
fn check_topic(topic: &str) -> Result<(), String> {
    if topic.is_empty() {
        return Err("the topic is empty".into());
    }
    if topic.len() > TOPIC_MAX {
        let len = topic.len();
        return Err(format!(
            "the topic has {len} bytes, at most {TOPIC_MAX} are allowed"
        ));
    }
    match topic.chars().find(|c| matches!(c, '+' | '#' | '\0')) {
        Some(bad) => Err(format!("the topic must not contain {bad:?}")),
        None => Ok(()),
    }
}

/// So many connections in a row may end with the same message as the first without an answer.
const ATTEMPTS: u32 = 5;

/// Longest topic, in bytes: its length is 16 bits long.
const TOPIC_MAX: usize = 65_535;

/// Longest time between two packets: its seconds are 16 bits long.
const KEEP_ALIVE_MAX: Duration = Duration::from_secs(65_535);
