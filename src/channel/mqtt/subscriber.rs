//! The client's side: a subscription at a broker that the gateway has already. MQTT 3.1.1, which
//! every broker speaks.

#![deny(clippy::arithmetic_side_effects)]

use super::OLDEST_OWED;
use super::OWED_MAX;
use super::Settings;
use super::Version;
use super::packet;
use super::packet::Head;
use super::packet::Packet;
use super::packet::Publish;
use super::report;
use super::report::NotTaken;
use super::v311;
use crate::channel::Disconnect;
use crate::channel::InputError;
use crate::channel::Intake;
use crate::channel::Session;
use crate::clock::Now;
use crate::message::Message;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// One connection to a broker.
#[derive(Debug)]
pub struct Subscriber {
    settings: Rc<Settings>,
    client_id: String,
    state: State,
    /// Filters that the broker may still have for this side, and that are no longer asked for.
    former: Vec<String>,
    /// The broker has to say that it has given up the former filters.
    gives_up: bool,
    /// Messages whose acknowledgement waits, oldest first: at most [`OWED_MAX`].
    owed: VecDeque<Owed>,
    /// What was published last, kept for its memory.
    message: Message,
    /// Bytes still to come of a message that is too long.
    skip: usize,
    /// When something was last sent that is answered or shows that this side lives.
    sent_at: Duration,
    /// Since when an answer is awaited.
    asked_at: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The broker has to answer the login.
    Login,
    /// It has to answer the subscription.
    Subscribing,
    /// It brings messages.
    Open,
}

/// An acknowledgement that cannot be sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owed {
    qos: u8,
    id: u16,
}

impl Subscriber {
    /// A connection that is being made; `client_id` is used where the settings have none.
    #[must_use]
    pub fn new(settings: Rc<Settings>, client_id: &str) -> Self {
        let client_id = settings
            .client_id
            .as_deref()
            .unwrap_or(client_id)
            .to_owned();
        Self {
            settings,
            client_id,
            state: State::Login,
            former: Vec::new(),
            gives_up: false,
            owed: VecDeque::new(),
            message: Message::room(),
            skip: 0,
            sent_at: Duration::ZERO,
            asked_at: None,
        }
    }

    /// Takes one packet, or what has come of one that is too long; none while nothing is whole.
    fn step(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        if self.skip > 0 {
            let skipped = self.skip.min(input.len());
            self.skip = self.skip.saturating_sub(skipped);
            return Ok((skipped > 0).then_some(skipped));
        }
        match packet::head(input) {
            Head::Part => Ok(None),
            Head::TooLong(len) => self.too_long(len, input, intake),
            Head::Nothing => Err(damaged("no packet starts like this", intake)),
            Head::Whole(packet) => {
                let said = Version::V311.read(packet);
                let said = said.map_err(|error| damaged(&error, intake))?;
                self.packet(said, intake, out)?;
                Ok(Some(packet.len()))
            }
        }
    }

    fn packet(
        &mut self,
        packet: Packet<'_>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        let now = intake.now().mono;
        match (packet, self.state) {
            (Packet::ConnAck { is_known, result }, State::Login) => {
                result.map_err(|reason| Disconnect { reason })?;
                self.state = State::Subscribing;
                self.subscribe(is_known, intake, out);
                self.ask(now);
            }
            (Packet::UnsubAck, State::Subscribing | State::Open) if self.gives_up => {
                self.gives_up = false;
                self.agreed(intake);
            }
            (Packet::SubAck(true), State::Subscribing) => {
                self.state = State::Open;
                self.asked_at = None;
                self.agreed(intake);
            }
            (Packet::SubAck(false), State::Subscribing) => {
                return Err(Disconnect {
                    reason: "the broker refused the subscription",
                });
            }
            (Packet::PingResp, State::Open) => self.asked_at = None,
            // a session that is kept goes on before the subscription is answered
            (Packet::Publish(publish), State::Subscribing | State::Open) => {
                self.publish(&publish, intake)?;
            }
            (Packet::PubRel(id), State::Subscribing | State::Open) => v311::complete(id, out),
            _ => return Err(damaged("a packet out of turn", intake)),
        }
        Ok(())
    }

    /// Asks for the filter, and gives up those of an earlier configuration: a broker that keeps the
    /// session would go on to fill its queue with what nobody wants.
    fn subscribe(&mut self, is_known: bool, intake: &mut dyn Intake, out: &mut Vec<u8>) {
        let filter = self.settings.topic.filter();
        self.former.retain(|former| is_known && *former != filter);
        if !self.former.is_empty() {
            v311::unsubscribe(GIVING_UP, &self.former, out);
            self.gives_up = true;
        }
        // Both may be there from now on, whenever the power goes.
        let all: Vec<&str> = self
            .former
            .iter()
            .map(String::as_str)
            .chain([&*filter])
            .collect();
        intake.remember(&all.join("\n"));
        v311::subscribe(SUBSCRIPTION, &filter, out);
    }

    /// The broker has answered; once it has answered both, no other filter is left.
    fn agreed(&mut self, intake: &mut dyn Intake) {
        if self.state == State::Open && !self.gives_up {
            self.former.clear();
            intake.remember(&self.settings.topic.filter());
        }
    }

    /// A broker cannot be told that a message is refused, and brings nothing more past those that
    /// wait; so what will never be taken is counted, and acknowledged.
    fn publish(
        &mut self,
        publish: &Publish<'_>,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        if self.is_owed(publish) {
            return Ok(());
        }
        let last = Rc::clone(&self.settings.last_of_topics);
        if publish.is_retained && last.is_last(publish.topic, publish.payload) {
            // each subscription brings it again
            intake.malformed(
                InputError::Repeat,
                "a retained message that was taken before",
            );
        } else if report::take(publish, &self.settings, &mut self.message, intake)
            != Err(NotTaken::Full)
        {
            last.keep(publish.topic, publish.payload);
        } else if publish.qos > 0 {
            return Err(Disconnect {
                reason: "the ring takes nothing now",
            });
        }
        self.owe(publish.qos, publish.id, intake);
        Ok(())
    }

    /// Whether it is a repeat of a message whose first copy is to become safe.
    fn is_owed(&self, publish: &Publish<'_>) -> bool {
        let same = |owed: &Owed| owed.id == publish.id && owed.qos == publish.qos;
        publish.is_repeat && self.owed.iter().any(same)
    }

    fn owe(&mut self, qos: u8, id: u16, intake: &mut dyn Intake) {
        if qos > 0 {
            self.owed.push_back(Owed { qos, id });
            intake.ack_when_durable(OLDEST_OWED);
        }
    }

    fn too_long(
        &mut self,
        len: usize,
        input: &[u8],
        intake: &mut dyn Intake,
    ) -> Result<Option<usize>, Disconnect> {
        if self.state == State::Login {
            return Err(damaged(
                "a long packet before the login is answered",
                intake,
            ));
        }
        let Ok(start) = packet::long_publish(input) else {
            return Err(damaged("a long packet that is no message", intake));
        };
        let Some((qos, id)) = start else {
            return Ok(None);
        };
        let most = packet::PACKET_MAX;
        let detail = format!("a message of {len} bytes, at most {most} are taken");
        intake.malformed(InputError::Length, &detail);
        self.owe(qos, id, intake);
        self.skip = len;
        Ok(Some(0))
    }

    /// Something was sent that has to be answered.
    fn ask(&mut self, now: Duration) {
        self.sent_at = now;
        self.asked_at = Some(now);
    }
}

impl Session for Subscriber {
    fn recall(&mut self, note: &str) {
        self.former = note.lines().map(str::to_owned).collect();
    }

    fn opened(&mut self, now: Now, out: &mut Vec<u8>) {
        let settings = &self.settings;
        let name = settings.username.as_deref();
        let password = settings.password.as_deref();
        let login = name.map(|name| (name, password.unwrap_or_default()));
        v311::connect(&self.client_id, login, KEEP_ALIVE_S, out);
        self.ask(now.mono);
    }

    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while self.owed.len() < OWED_MAX {
            match self.step(rest, intake, out)? {
                Some(len) => rest = rest.get(len..).unwrap_or_default(),
                None => break,
            }
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        match self.owed.pop_front() {
            Some(Owed { qos: 1, id }) => v311::acknowledge(id, out),
            Some(Owed { id, .. }) => v311::received(id, out),
            None => {}
        }
    }

    fn wake_at(&self) -> Option<Duration> {
        Some(match self.asked_at {
            Some(asked_at) => asked_at.saturating_add(ANSWER_TIME),
            None => self.sent_at.saturating_add(PING_EVERY),
        })
    }

    fn wake(&mut self, intake: &mut dyn Intake, out: &mut Vec<u8>) -> Result<(), Disconnect> {
        let now = intake.now().mono;
        if self.wake_at().is_none_or(|due| due > now) {
            return Ok(());
        }
        if self.asked_at.is_some() {
            return Err(Disconnect {
                reason: match self.state {
                    State::Login => "the broker does not answer the login",
                    State::Subscribing => "the broker does not answer the subscription",
                    State::Open => "the broker does not answer the ping",
                },
            });
        }
        v311::ping(out);
        self.ask(now);
        Ok(())
    }
}

fn damaged(detail: &str, intake: &mut dyn Intake) -> Disconnect {
    intake.malformed(InputError::Syntax, detail);
    Disconnect {
        reason: "the broker does not speak MQTT 3.1.1",
    }
}

/// The packet id of the only subscription.
const SUBSCRIPTION: u16 = 1;

/// The packet id of the only giving up.
const GIVING_UP: u16 = 2;

/// What the broker is told: it may close the connection after 1.5 times of it.
const KEEP_ALIVE_S: u16 = 60;

/// A ping goes out as often as that.
const PING_EVERY: Duration = Duration::from_secs(60);

/// A broker that says nothing for so long is not there.
const ANSWER_TIME: Duration = Duration::from_secs(30);
