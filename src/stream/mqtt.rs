//! MQTT: one QoS 1 publish a message, and a window of publishes without an acknowledgement.
//!
//! What the packets of a version look like is in a file of its own; the order of the messages,
//! the times and what is told to the engine are here.

mod v4;

use super::Link;
use super::Lost;
use super::NO_ANSWER;
use super::OUT_MAX;
use super::Turn;
use super::engine::Engine;
use super::engine::Outgoing;
use super::engine::Repeat;
use super::render::View;
use super::settings;
use super::settings::Payload;
use crate::clock::Now;
use crate::ring::Seq;
use crate::template::Escape;
use std::time::Duration;

/// One connection to a broker.
pub struct Mqtt<'a> {
    settings: &'a settings::Mqtt,
    client_id: &'a str,
    view: View<'a>,
    /// For every answer of the broker.
    timeout: Duration,
    /// Zero is never.
    keep_alive: Duration,
    epoch: u32,
    session: v4::Session,
    login: Login,
    /// The message of each packet identifier, from 1, that has no acknowledgement.
    unacknowledged: Box<[Option<Seq>]>,
    /// The place in `unacknowledged` of the next publish.
    next: usize,
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

/// What a packet of the broker means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Messages can go.
    LoggedIn,
    /// The publish with this identifier is acknowledged.
    Accepted(u16),
    /// The ping is answered.
    Pong,
    /// It is of no concern to us.
    Nothing,
}

/// What is published.
struct Publication<'a> {
    topic: &'a str,
    payload: &'a [u8],
    retain: bool,
    repeat: Repeat,
}

impl<'a> Mqtt<'a> {
    /// A connection that is just made. Costs 23 KiB and 80 bytes for each place in the window.
    #[must_use]
    pub fn new(
        (settings, client_id): (&'a settings::Mqtt, &'a str),
        view: View<'a>,
        timeout: Duration,
        epoch: u32,
        now: Now,
    ) -> Self {
        let window = settings.window.max(1);
        Self {
            settings,
            client_id,
            view,
            timeout,
            keep_alive: settings.keep_alive.min(KEEP_ALIVE_MAX),
            epoch,
            session: v4::Session::new(window),
            login: Login::Due,
            unacknowledged: vec![None; usize::from(window)].into(),
            next: 0,
            sent_at: now.mono,
            pinged_at: None,
            topic: String::new(),
            payload: Vec::new(),
        }
    }

    /// Publishes what waits, in order, while the window and `out` have room. An identifier belongs
    /// to its message until the acknowledgement, so those that come out of order leave gaps that
    /// fill when their turn comes.
    fn publish(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        // a place that is taken is the oldest's: the window is full
        while turn.out.len() < OUT_MAX && self.unacknowledged.get(self.next) == Some(&None) {
            let Some(message) = turn.engine.next(turn.now) else {
                break;
            };
            let (seq, repeat) = (message.seq, message.repeat);
            if let Err(reason) = self.render(&message) {
                turn.engine.skip(seq, reason);
                continue;
            }
            let publication = Publication {
                topic: &self.topic,
                payload: &self.payload,
                retain: self.settings.retain,
                repeat,
            };
            let identifier = self.session.publish(&publication, turn.out)?;
            self.sent_at = turn.now.mono;
            self.next = usize::from(identifier) % self.unacknowledged.len();
            if let Some(place) = self.place(identifier) {
                *place = Some(seq);
            }
        }
        Ok(())
    }

    /// Fills `topic` and `payload`, or says why the message cannot be published.
    fn render(&mut self, message: &Outgoing<'_>) -> Result<(), String> {
        self.topic.clear();
        self.view
            .template(&self.settings.topic, Escape::None, message, &mut self.topic)
            .map_err(|missing| missing.to_string())?;
        check_topic(&self.topic)?;
        let (open, close): (&[u8], &[u8]) = match self.settings.payload {
            Payload::Object => (b"", b""),
            Payload::Array => (b"[", b"]"),
        };
        self.payload.clear();
        self.payload.extend_from_slice(open);
        let written = self.view.object(message, &mut self.payload);
        written.map_err(|error| error.to_string())?;
        self.payload.extend_from_slice(close);
        Ok(())
    }

    /// Tells the engine what a packet means for it.
    fn understand(&mut self, meaning: Meaning, turn: &mut Turn<'_>) -> Result<(), Lost> {
        match meaning {
            Meaning::LoggedIn => self.login = Login::Done,
            Meaning::Pong => self.pinged_at = None,
            Meaning::Nothing => {}
            Meaning::Accepted(identifier) => match self.place(identifier).and_then(Option::take) {
                Some(seq) => turn.engine.accepted(self.epoch, seq..=seq, turn.now),
                None => return Err(Lost::new(0, "the broker acknowledged what was not sent")),
            },
        }
        Ok(())
    }

    /// The place of a packet identifier, if it can be one of ours.
    fn place(&mut self, identifier: u16) -> Option<&mut Option<Seq>> {
        let place = usize::from(identifier).checked_sub(1)?;
        self.unacknowledged.get_mut(place)
    }

    /// When the broker has to have answered, login or ping.
    fn answer_due(&self) -> Option<Duration> {
        let asked = match self.login {
            Login::Due => None,
            Login::Sent => Some(self.sent_at),
            Login::Done => self.pinged_at,
        };
        asked.map(|asked| asked + self.timeout)
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
            let Some((len, meaning)) = self.session.receive(rest, turn.out)? else {
                break;
            };
            self.understand(meaning, turn)?;
            used += len;
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
        if due(self.answer_due()) {
            let what = match self.login {
                Login::Done => "ping",
                Login::Due | Login::Sent => "login",
            };
            return Err(Lost::new(NO_ANSWER, format!("no answer to the {what}")));
        }
        if due(turn.engine.overdue_at()) {
            return Err(Lost::new(NO_ANSWER, "no acknowledgement of a publish"));
        }
        if due(self.ping_due()) {
            self.session.ping(turn.out)?;
            self.sent_at = turn.now.mono;
            self.pinged_at = Some(turn.now.mono);
        }
        Ok(())
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

/// Longest topic, in bytes: its length is 16 bits long.
const TOPIC_MAX: usize = 65_535;

/// Longest time between two packets: its seconds are 16 bits long.
const KEEP_ALIVE_MAX: Duration = Duration::from_secs(65_535);
