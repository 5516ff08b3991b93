//! The broker's side: devices publish straight to the gateway.

#![deny(clippy::arithmetic_side_effects)]

use super::OLDEST_OWED;
use super::OWED_MAX;
use super::RECEIVE_MAX;
use super::Settings;
use super::Version;
use super::ending::Ending;
use super::packet;
use super::packet::ConnackCode;
use super::packet::Connect;
use super::packet::DisconnectReason;
use super::packet::Head;
use super::packet::NotUnderstood;
use super::packet::Packet;
use super::packet::Publish;
use super::packet::Verdict;
use super::report;
use super::report::NotTaken;
use super::subscribe::NotRead;
use super::subscriptions::Reader;
use super::subscriptions::Subscriptions;
use super::v5;
use super::v311;
use crate::channel::Disconnect;
use crate::channel::InputError;
use crate::channel::Intake;
use crate::channel::Session;
use crate::channel::users::knows;
use crate::message::Message;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// One connection of a device.
#[derive(Debug)]
pub struct Broker {
    settings: Rc<Settings>,
    /// None until it has logged in.
    client: Option<Client>,
    /// Messages whose acknowledgement waits, oldest first: at most [`OWED_MAX`].
    owed: VecDeque<(u16, Verdict)>,
    /// Nothing more is understood; it ends when all that is owed is paid.
    closing: Option<Disconnect>,
    /// What it is told of what passes.
    subscriptions: Option<Box<Subscriptions>>,
    /// What was published last, kept for its memory.
    message: Message,
    /// When the last packet was whole, or, before the first, when the connection was there.
    heard: Option<Duration>,
}

/// Who has logged in.
#[derive(Clone, Copy, Debug)]
struct Client {
    version: Version,
    /// Longest packet that it takes.
    largest: usize,
    /// So long it may be silent; none: for ever.
    silence_max: Option<Duration>,
}

impl Broker {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(settings: Rc<Settings>) -> Self {
        Self {
            settings,
            client: None,
            owed: VecDeque::new(),
            closing: None,
            subscriptions: None,
            message: Message::room(),
            heard: None,
        }
    }

    /// Takes one packet: how long it was; none while it is not whole.
    fn step(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Ending> {
        let is_login = input.first().is_none_or(|first| *first == CONNECT);
        if self.client.is_none() && !is_login {
            return Err(Ending::not_mqtt());
        }
        let packet = match packet::head(input) {
            Head::Part => return Ok(None),
            Head::Whole(packet) => packet,
            Head::TooLong(len) => return Err(Ending::too_long(len)),
            Head::Nothing => return Err(Ending::malformed("no packet starts like this")),
        };
        self.heard = Some(intake.now().mono);
        match self.client {
            None => self.login(packet, intake, out)?,
            Some(client) => self.packet(client, packet, intake, out)?,
        }
        Ok(Some(packet.len()))
    }

    fn login(
        &mut self,
        packet: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Ending> {
        let version = match packet::version(packet) {
            Ok(version) => version,
            Err(NotUnderstood::NotMqtt) => return Err(Ending::not_mqtt()),
            Err(NotUnderstood::Version) => {
                v311::connack(ConnackCode::Version, out);
                return Err(Ending::unsupported("a version other than 3.1.1 and 5"));
            }
        };
        let largest = match version {
            Version::V311 => Ok(None),
            Version::V5 => packet::largest_taken(packet),
        };
        let largest = largest.map_err(|code| {
            v5::connack(code, false, out);
            Ending::of_login(code)
        })?;
        let Packet::Connect(connect) = version.read(packet).map_err(Ending::malformed)? else {
            return Err(Ending::not_mqtt());
        };
        self.answer_login(version, &connect, largest, intake, out)?;
        if !connect.client_id.is_empty() {
            intake.claim(&connect.client_id);
        }
        let silence = Duration::from_secs(u64::from(connect.keep_alive)).mul_f32(1.5);
        self.client = Some(Client {
            version,
            largest: most(largest),
            silence_max: Some(silence).filter(|silence| !silence.is_zero()),
        });
        Ok(())
    }

    /// Answers a login; `largest` is the longest packet that the client takes.
    fn answer_login(
        &self,
        version: Version,
        connect: &Connect,
        largest: Option<u32>,
        intake: &dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Ending> {
        let fits = |len: usize| len <= most(largest);
        let code = self.judge_login(version, connect, intake);
        let mut answer = Vec::new();
        match version {
            Version::V311 => v311::connack(code, &mut answer),
            Version::V5 => v5::connack(code, self.settings.subscribe, &mut answer),
        }
        if fits(answer.len()) {
            out.extend_from_slice(&answer);
        } else if code.is_accepted() {
            answer.clear();
            v5::connack(ConnackCode::TooLong, false, &mut answer);
            if fits(answer.len()) {
                out.extend_from_slice(&answer);
            }
            return Err(Ending::of_login(ConnackCode::TooLong));
        }
        match code.is_accepted() {
            true => Ok(()),
            false => Err(Ending::of_login(code)),
        }
    }

    fn judge_login(&self, version: Version, connect: &Connect, intake: &dyn Intake) -> ConnackCode {
        let users = &self.settings.users;
        if connect.has_method {
            return ConnackCode::Method;
        }
        match &connect.login {
            None if !users.is_empty() => return ConnackCode::NotAuthorized,
            Some((name, password)) if !users.is_empty() && !knows(users, name, password) => {
                return ConnackCode::Credentials;
            }
            _ => {}
        }
        let name = match (version, !connect.client_id.is_empty()) {
            (_, true) => None,
            (Version::V311, false) if !connect.is_clean => return ConnackCode::ClientId,
            (Version::V311, false) => None,
            // no session is kept, so it has to differ from those of this moment only
            (Version::V5, false) => u64::try_from(intake.now().mono.as_nanos()).ok(),
        };
        match (version, connect.will_qos) {
            (Version::V5, Some(2)) => ConnackCode::Qos,
            _ => ConnackCode::Accepted(name),
        }
    }

    fn packet(
        &mut self,
        client: Client,
        packet: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Ending> {
        let version = client.version;
        if self.settings.subscribe && matches!(packet.first(), Some(&SUBSCRIBE | &UNSUBSCRIBE)) {
            let granted = self.subscribe(client, packet, intake, out);
            return granted.map_err(Ending::not_read);
        }
        match version.read(packet).map_err(Ending::malformed)? {
            Packet::Publish(publish) => return self.publish(version, &publish, intake),
            Packet::PingReq => v311::pong(out),
            Packet::Subscribe(id, count) => {
                intake.malformed(
                    InputError::Unsupported,
                    "a subscription: nothing is sent here",
                );
                match version {
                    Version::V311 => v311::refuse_filters(id, count, out),
                    Version::V5 => v5::refuse_filters(id, count, out),
                }
            }
            Packet::Unsubscribe(id, count) => match version {
                Version::V311 => v311::unsubscribed(id, out),
                Version::V5 => v5::unsubscribed(id, count, out),
            },
            Packet::Disconnect => {
                // it hears nothing more
                self.owed.clear();
                return Err(Ending::silent("the client has disconnected"));
            }
            _ => return Err(Ending::out_of_turn()),
        }
        Ok(())
    }

    /// Has what passes told, or told no more.
    fn subscribe(
        &mut self,
        client: Client,
        packet: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), NotRead> {
        let Client {
            version, largest, ..
        } = client;
        if self.subscriptions.is_none() {
            let all = |passing| Subscriptions::new(passing, Reader { version, largest });
            self.subscriptions = intake.look().map(all).map(Box::new);
        }
        let Some(subscriptions) = &mut self.subscriptions else {
            return Ok(());
        };
        if packet.first() == Some(&UNSUBSCRIBE) {
            return subscriptions.unsubscribe(packet, out);
        }
        if !subscriptions.subscribe(packet, out)? {
            let detail = "a subscription to what is not told here";
            intake.malformed(InputError::Unsupported, detail);
        }
        Ok(())
    }

    fn publish(
        &mut self,
        version: Version,
        publish: &Publish<'_>,
        intake: &mut dyn Intake,
    ) -> Result<(), Ending> {
        check(publish)?;
        // its first copy is not acknowledged yet: one acknowledgement is for both
        if publish.is_repeat && self.owed.iter().any(|(id, _)| *id == publish.id) {
            return Ok(());
        }
        if version == Version::V5 && self.owed.len() >= RECEIVE_MAX.into() {
            return Err(Ending::too_many());
        }
        let verdict = match report::take(publish, &self.settings, &mut self.message, intake) {
            Ok(()) => Verdict::Taken,
            Err(NotTaken::Told(verdict)) => verdict,
            Err(NotTaken::Full) if publish.qos == 0 => return Ok(()),
            Err(NotTaken::Full) => return Err(Ending::full()),
        };
        if publish.qos == 0 {
            return Ok(());
        }
        // a stream may be added that wants it; all else will never be taken
        if version == Version::V311 && verdict == Verdict::Unwanted {
            return Err(Ending::refused(verdict));
        }
        self.owed.push_back((publish.id, verdict));
        intake.ack_when_durable(OLDEST_OWED);
        Ok(())
    }

    /// Says what can be said of an ending, and ends once what is owed is paid.
    fn fail(&mut self, ending: Ending, intake: &mut dyn Intake, out: &mut Vec<u8>) {
        if let Some((reason, detail)) = &ending.malformed {
            intake.malformed(*reason, detail);
        }
        let client = self.client.filter(|client| client.version == Version::V5);
        if let (Some(_), Some(code)) = (client, ending.code) {
            v5::disconnect(code, out);
            // nothing may follow it
            self.owed.clear();
        }
        self.subscriptions = None;
        let reason = ending.reason;
        self.closing = Some(Disconnect { reason });
    }

    /// How long it may be silent from the last packet on.
    fn silence_max(&self) -> Option<Duration> {
        match self.client {
            None => Some(LOGIN_TIME),
            // then it is not listened to
            Some(_) if self.owed.len() >= OWED_MAX || self.is_blocked() => None,
            Some(client) => client.silence_max,
        }
    }
}

impl Session for Broker {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        self.heard.get_or_insert(intake.now().mono);
        let most = out.len().saturating_add(ANSWERS_MAX);
        let mut rest = input;
        while out.len() < most && self.owed.len() < OWED_MAX && self.closing.is_none() {
            match self.step(rest, intake, out) {
                Ok(Some(len)) => rest = rest.get(len..).unwrap_or_default(),
                Ok(None) => break,
                Err(ending) => self.fail(ending, intake, out),
            }
        }
        if let Some(subscriptions) = &mut self.subscriptions {
            match subscriptions.tell(intake.is_tight(), out) {
                0 => {}
                missed => intake.missed(missed),
            }
        }
        match self.closing.take_if(|_| self.owed.is_empty()) {
            Some(close) => Err(close),
            None => Ok(input.len().saturating_sub(rest.len())),
        }
    }

    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        let version = self.client.map(|client| client.version);
        match (version, self.owed.pop_front()) {
            (Some(Version::V311), Some((id, _))) => v311::acknowledge(id, out),
            (Some(Version::V5), Some((id, verdict))) => v5::acknowledge(id, verdict, out),
            _ => {}
        }
    }

    fn wake_at(&self) -> Option<Duration> {
        Some(self.heard?.saturating_add(self.silence_max()?))
    }

    fn wake(&mut self, intake: &mut dyn Intake, out: &mut Vec<u8>) -> Result<(), Disconnect> {
        if self.wake_at().is_none_or(|due| due > intake.now().mono) {
            return Ok(());
        }
        self.owed.clear();
        self.fail(Ending::keep_alive(), intake, out);
        self.closing.take().map_or(Ok(()), Err)
    }

    fn is_looking(&self) -> bool {
        let all = self.subscriptions.as_ref();
        all.is_some_and(|all| all.is_any())
    }

    fn has_more(&self) -> bool {
        let all = self.subscriptions.as_ref();
        all.is_some_and(|all| all.has_more())
    }

    fn is_blocked(&self) -> bool {
        self.closing.is_some() && !self.owed.is_empty()
    }

    /// MQTT-3.1.4-2 of 3.1.1, MQTT-3.1.4-3 of 5.
    fn superseded(&mut self, intake: &mut dyn Intake, out: &mut Vec<u8>) -> Disconnect {
        self.owed.clear();
        let ending = Ending::taken_over();
        let reason = ending.reason;
        self.fail(ending, intake, out);
        Disconnect { reason }
    }
}

/// What is wrong with a message whatever it says.
fn check(publish: &Publish<'_>) -> Result<(), Ending> {
    let protocol = |detail: &str, kind, code| {
        Err(Ending {
            reason: "a message that cannot be taken",
            malformed: Some((kind, detail.into())),
            code: Some(code),
        })
    };
    if publish.qos == 2 {
        let kind = InputError::Unsupported;
        return protocol("a message of QoS 2", kind, DisconnectReason::Qos);
    }
    if publish.has_alias {
        return protocol("a topic alias", InputError::Syntax, DisconnectReason::Alias);
    }
    let is_wildcard = |byte| matches!(byte, b'+' | b'#');
    match publish.topic.is_empty() || publish.topic.bytes().any(is_wildcard) {
        true => protocol(
            "a topic of none or all",
            InputError::Syntax,
            DisconnectReason::Topic,
        ),
        false => Ok(()),
    }
}

/// Longest packet that a client takes.
fn most(largest: Option<u32>) -> usize {
    largest
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(usize::MAX)
}

/// The first byte of a login.
const CONNECT: u8 = 0x10;

/// The first bytes of what is asked for and given up.
const SUBSCRIBE: u8 = 0x82;
const UNSUBSCRIBE: u8 = 0xA2;

/// So long a client may take to log in.
const LOGIN_TIME: Duration = Duration::from_secs(30);

/// After so many bytes of answers a call ends.
const ANSWERS_MAX: usize = 16 * 1024;
