//! What is at the other end of a stream: a model that speaks the real bytes and has moods.

use super::broker;
use super::oracle::Oracle;
use super::receiver;
use super::server;
use crate::ring::sim::random::Random;
use std::collections::BTreeMap;
use std::time::Duration;

/// The destination of one stream.
pub(super) struct Destination {
    pub(super) index: usize,
    pub(super) kind: Kind,
    pub(super) mood: Mood,
    pub(super) random: Random,
    /// Of so many messages it refuses one, whenever it comes; none: it takes all.
    pub(super) poison: Option<u64>,
    /// Messages that it takes at once.
    pub(super) batch_max: usize,
    /// Its answers may pass each other.
    pub(super) shuffles: bool,
    /// A broker of MQTT 5, which can say no to a message.
    pub(super) is_five: bool,
    /// It has told that it takes so many publishes without an answer.
    pub(super) receive_max: usize,
    /// Bytes of a packet that it takes.
    pub(super) packet_max: usize,
    /// Of so many devices it forbids one its topic, if it can say so. Each brings eight messages.
    pub(super) forbids: Option<u64>,
    /// Messages that its queue has room for.
    room: usize,
    sessions: BTreeMap<u64, Session>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Mqtt,
    Wialon,
}

/// How it does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// Takes all that it ever takes, at once.
    Good,
    /// Sometimes it loses things, is late, says things twice or closes in the middle.
    Flaky,
    /// Takes all, and is late.
    Late,
    /// Nothing gets through, and nobody says so.
    Dead,
    /// There is no way to it.
    NoRoute,
    /// It takes no connections.
    Refusing,
    /// It wants to be left alone.
    Busy,
    /// It does not like the configuration.
    Misconfigured,
    /// It refuses every single message.
    RefuseAll,
    /// It takes connections and says nothing.
    Stall,
    /// A broker whose queue has room now and then, and which else closes the connection.
    Full,
    /// A broker at which another client of the same name logs in after each message.
    TakenOver,
    /// A broker that takes only packets that are shorter than all there are.
    Small,
}

/// A message is taken over a connection so often in a row: by itself, and as a proof of two others
/// that were then found to be too old to go.
const IN_A_ROW_MAX: u32 = 3;

impl Mood {
    pub(super) fn lets_through(self) -> bool {
        !matches!(self, Self::Dead | Self::NoRoute)
    }

    /// Whether it would be wrong to try again and again.
    pub(super) fn is_hopeless(self) -> bool {
        !matches!(self, Self::Good | Self::Flaky | Self::Late | Self::Full)
    }

    /// The same, or what is like it where there is no broker that can be so.
    pub(super) fn of(self, kind: Kind, is_five: bool) -> Self {
        match self {
            Self::Full | Self::TakenOver if kind != Kind::Mqtt => Self::Flaky,
            Self::Small if !is_five => Self::Misconfigured,
            other => other,
        }
    }
}

/// What it does some time later.
#[derive(Debug)]
pub(super) enum Act {
    /// Bytes, and what they say.
    Say(Vec<u8>, bool, Said),
    Close,
    Break,
}

/// What bytes of a destination mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// So many requests, publishes or packets have their answer.
    pub(super) answers: usize,
    /// Not to be asked again before.
    pub(super) after: Option<Duration>,
    /// This is a failure for the one who asked.
    pub(super) failure: bool,
    /// The message that was taken, where nothing but such an answer tells anything.
    pub(super) number: Option<u32>,
    /// Who could read the half of it before the rest would take the rest for something else: this
    /// answer comes twice, and nothing names the question.
    pub(super) twice: bool,
    /// The same bytes are said once more so much later, and mean nothing then.
    pub(super) again: Option<Duration>,
}

pub(super) type Acts = Vec<(Duration, Act)>;

/// One connection, as the destination sees it.
#[derive(Default)]
pub(super) struct Session {
    pub(super) buffer: Vec<u8>,
    /// What comes is not even read.
    deaf: bool,
    /// Requests, publishes or packets without an answer.
    pub(super) open: usize,
    pub(super) logged_in: bool,
    /// Nothing more is understood: the connection was ended.
    pub(super) over: bool,
    /// Which of the orders of messages holds, see the oracle.
    pub(super) order: u32,
    pub(super) heard_at: Duration,
    pub(super) keep_alive: Duration,
    /// The gateway has heard of something that came over this connection that it was taken.
    pub(super) proved: bool,
    /// Packets of which it has not.
    pub(super) packets: Vec<Packet>,
    /// The last message that came, and how often in a row it was taken.
    pub(super) in_a_row: (u32, u32),
}

impl Session {
    /// A message comes, and is taken or not. To show that the destination lives one that was taken
    /// may come again, but not again and again: then it is time for another.
    pub(super) fn meets(&mut self, number: u32, takes: bool, oracle: &mut Oracle) {
        let (last, times) = self.in_a_row;
        let times = if last == number { times } else { 0 };
        self.in_a_row = (number, times + u32::from(takes));
        if self.in_a_row.1 > IN_A_ROW_MAX {
            oracle.violation(&format!("message {number} is taken and comes on and on"));
        }
    }
}

/// A packet that came, where nothing but its answer tells the gateway of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) number: u32,
    /// The gateway had heard before that the receiver lives.
    pub(super) proved: bool,
}

/// What is done with messages that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    Take,
    /// Takes them and answers twice.
    TakeTwice,
    TakeLate(Duration),
    /// Takes them and ends the connection.
    TakeAndLose,
    /// Ends the connection.
    Lose,
    /// Does nothing.
    Ignore,
    Refuse,
    Busy,
    Misconfigured,
    /// Takes them, and ends the connection once that is said.
    TakeAndEnd,
}

impl Course {
    pub(super) fn takes(self) -> bool {
        matches!(
            self,
            Self::Take | Self::TakeTwice | Self::TakeLate(_) | Self::TakeAndLose | Self::TakeAndEnd
        )
    }
}

impl Destination {
    pub(super) fn new(index: usize, kind: Kind, mut random: Random) -> Self {
        let poison = random.once_in(2).then(|| 20 + random.next() % 100);
        let batch_max = match random.once_in(3) {
            true => 2 + random.below(30),
            false => usize::MAX,
        };
        Self {
            index,
            kind,
            mood: Mood::Good,
            poison,
            batch_max,
            shuffles: random.once_in(4),
            is_five: false,
            receive_max: usize::MAX,
            packet_max: usize::MAX,
            forbids: None,
            room: 0,
            random,
            sessions: BTreeMap::new(),
        }
    }

    /// The same, but if it is a broker, one of MQTT 5.
    pub(super) fn with_mqtt_5(mut self) -> Self {
        self.is_five = self.kind == Kind::Mqtt;
        if self.is_five && self.random.once_in(2) {
            self.forbids = Some(3 + self.random.next() % 10);
        }
        self
    }

    /// A message that it never takes.
    pub(super) fn is_poison(&self, number: u32) -> bool {
        let mixed = Random::new(u64::from(number) << 8 | self.index as u64).next();
        self.poison.is_some_and(|odds| mixed.is_multiple_of(odds))
    }

    /// A message of a device that may not write its topic.
    pub(super) fn is_forbidden(&self, number: u32) -> bool {
        let mixed = Random::new(u64::from(number / 8) << 8 | self.index as u64).next();
        self.forbids.is_some_and(|odds| mixed.is_multiple_of(odds))
    }

    pub(super) fn connected(&mut self, line: u64, oracle: &Oracle, t: Duration) {
        let session = Session {
            deaf: self.kind != Kind::Wialon && self.mood == Mood::Stall && self.random.once_in(2),
            order: oracle.streams[self.index].order,
            heard_at: t,
            ..Session::default()
        };
        self.sessions.insert(line, session);
    }

    pub(super) fn left(&mut self, line: u64) {
        self.sessions.remove(&line);
    }

    pub(super) fn reads(&self, line: u64) -> bool {
        self.sessions
            .get(&line)
            .is_some_and(|session| !session.deaf)
    }

    pub(super) fn receive(
        &mut self,
        line: u64,
        bytes: &[u8],
        oracle: &mut Oracle,
        t: Duration,
    ) -> Acts {
        let Some(mut session) = self.sessions.remove(&line) else {
            return Acts::new();
        };
        let mut acts = Acts::new();
        if !session.deaf && !session.over {
            session.buffer.extend_from_slice(bytes);
            acts = match self.kind {
                Kind::Http => server::receive(self, &mut session, oracle, t),
                Kind::Mqtt => broker::receive(self, &mut session, oracle, t),
                Kind::Wialon => receiver::receive(self, &mut session, oracle, t),
            };
            session.heard_at = t;
        } else if session.over && self.kind == Kind::Mqtt {
            session.buffer.extend_from_slice(bytes);
            broker::overlook(&mut session);
        }
        self.sessions.insert(line, session);
        acts
    }

    /// Something that it decided on is said now.
    pub(super) fn answered(&mut self, line: u64, said: Said) {
        if let Some(session) = self.sessions.get_mut(&line) {
            session.open = session.open.saturating_sub(said.answers);
        }
    }

    /// The gateway hears that a message was taken.
    pub(super) fn heard(&mut self, line: u64, number: u32) {
        if let Some(session) = self.sessions.get_mut(&line) {
            session.proved = true;
            session.packets.retain(|packet| packet.number != number);
        }
    }

    /// The gateway lets go of a connection: what came over it without an answer that it heard.
    pub(super) fn unheard(&mut self, line: u64) -> Vec<Packet> {
        let session = self.sessions.get_mut(&line);
        session.map_or_else(Vec::new, |it| std::mem::take(&mut it.packets))
    }

    pub(super) fn course(&mut self, numbers: &[u32], timeout: Duration) -> Course {
        let is_refused = |n: &u32| self.is_poison(*n) || self.is_forbidden(*n);
        let refuses = numbers.iter().any(is_refused) || numbers.len() > self.batch_max;
        let usual = if refuses {
            Course::Refuse
        } else {
            Course::Take
        };
        match self.mood {
            Mood::Good | Mood::Dead | Mood::NoRoute | Mood::Refusing => usual,
            Mood::Flaky => match self.random.below(20) {
                0 if !refuses => Course::TakeAndLose,
                1 if !refuses => Course::TakeLate(timeout * 9 / 10),
                2 if !refuses => Course::TakeLate(timeout * 3 / 2),
                3 if !refuses => Course::TakeTwice,
                4 => Course::Lose,
                5 => Course::Ignore,
                _ => usual,
            },
            Mood::Late if !refuses => Course::TakeLate(timeout.mul_f64(0.1 + 0.05 * self.dice())),
            Mood::Late => usual,
            Mood::Busy => Course::Busy,
            Mood::Misconfigured => Course::Misconfigured,
            Mood::RefuseAll => Course::Refuse,
            Mood::Stall => Course::Ignore,
            _ if refuses => Course::Refuse,
            Mood::Full => self.course_of_full(),
            Mood::TakenOver | Mood::Small => Course::TakeAndEnd,
        }
    }

    fn course_of_full(&mut self) -> Course {
        if self.random.once_in(30) {
            self.room = 1 + self.random.below(20);
        }
        match self.room.checked_sub(1) {
            Some(room) => {
                self.room = room;
                Course::Take
            }
            None => Course::Lose,
        }
    }

    fn dice(&mut self) -> f64 {
        f64::from(u8::try_from(self.random.below(10)).unwrap_or(0))
    }

    /// The end of a connection, in one of two ways.
    pub(super) fn end(&mut self, session: &mut Session) -> (Duration, Act) {
        session.over = true;
        let act = match self.random.once_in(2) {
            true => Act::Close,
            false => Act::Break,
        };
        (self.moment(), act)
    }

    /// How long an answer takes that comes at once.
    pub(super) fn moment(&mut self) -> Duration {
        Duration::from_millis(self.random.next() % 300)
    }
}
