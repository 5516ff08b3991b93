//! The world of a fleet: a clock, gateways, and one destination that is away for a while.

use crate::destination::Capacity;
use crate::destination::Door;
use crate::destination::Inbox;
use crate::destination::Turn;
use crate::gateway::Gateway;
use crate::random::Random;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// What happens to the fleet.
#[derive(Clone, Copy)]
pub(crate) struct Outage {
    /// How long the destination is away; it ends all connections at time 0.
    pub(crate) length: Duration,
    pub(crate) capacity: Capacity,
    pub(crate) turn: Turn,
    /// How long it is watched once it is back.
    pub(crate) watched: Duration,
}

/// What was seen, second by second from the moment at which the destination is back.
#[derive(Default)]
pub(crate) struct Seen {
    /// Connections that were asked for.
    pub(crate) attempts: Vec<u32>,
    /// Messages that were sent, also again.
    pub(crate) sent: Vec<u32>,
    /// Messages that wait in the destination's hands.
    pub(crate) waiting: Vec<u64>,
    /// Attempts before, by the second of the outage.
    pub(crate) before: Vec<u32>,
    /// Attempts that were refused since it is back.
    pub(crate) wasted: u64,
    /// Messages that were taken, and then sent again since nobody heard of it.
    pub(crate) twice: u64,
    /// Connections given up since no answer came.
    pub(crate) given_up: u64,
    /// When all were connected at once, since it is back.
    pub(crate) all_back: Option<Duration>,
    /// When no gateway had more than one message waiting.
    pub(crate) caught_up: Option<Duration>,
}

/// The fleet and its destination.
pub(crate) struct World<G> {
    gateways: Vec<G>,
    /// How often each was connected; odd: it is.
    connections: Vec<u32>,
    outage: Outage,
    door: Door,
    inbox: Inbox,
    events: BinaryHeap<Reverse<(Duration, usize, Event)>>,
    random: Random,
    connected: usize,
    /// See [`Gateway::idle_until`].
    idle: Vec<Duration>,
    seen: Seen,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Attempt,
    LetIn,
}

impl<G: Gateway> World<G> {
    /// All were connected and have just lost it, each within the time that a packet takes.
    pub(crate) fn new(gateways: Vec<G>, outage: Outage) -> Self {
        let count = gateways.len();
        let mut world = Self {
            gateways,
            connections: vec![0; count],
            outage,
            door: Door::new(outage.capacity),
            inbox: Inbox::new(outage.turn, count),
            events: BinaryHeap::new(),
            random: Random(0x9E37_79B9_7F4A_7C15),
            connected: 0,
            idle: vec![Duration::ZERO; count],
            seen: Seen::default(),
        };
        for at in 0..count {
            let heard = ROUND_TRIP.mul_f64(f64::from(world.random.word()) / f64::from(u32::MAX));
            world.lose(at, heard);
        }
        world
    }

    /// Lives until `watched` is over or all have caught up.
    pub(crate) fn live(mut self) -> Seen {
        let end = self.outage.length + self.outage.watched;
        let mut second = Duration::ZERO;
        while second < end && self.seen.caught_up.is_none() {
            second += SECOND;
            self.connect_until(second);
            if second > self.outage.length {
                self.exchange(second);
                self.look(second - self.outage.length);
            }
        }
        self.seen
    }

    fn lose(&mut self, at: usize, now: Duration) {
        let random = self.random.word();
        let mut next = self.gateways[at].lost(now, random);
        if let Some(period) = self.gateways[at].period()
            && next < self.outage.length
        {
            // the same moments of each period as before: all but the last need not be lived
            let left = self.outage.length - next;
            let skipped = (left.as_nanos() / period.as_nanos()).saturating_sub(SHOWN);
            next += period * u32::try_from(skipped).unwrap();
        }
        self.events.push(Reverse((next, at, Event::Attempt)));
    }

    fn connect_until(&mut self, end: Duration) {
        while let Some(Reverse((now, at, event))) = self.events.peek().copied() {
            if now >= end {
                return;
            }
            self.events.pop();
            match event {
                Event::Attempt => self.attempt(at, now),
                Event::LetIn => {
                    self.connections[at] += 1;
                    self.connected += 1;
                    self.idle[at] = Duration::ZERO;
                }
            }
        }
    }

    fn attempt(&mut self, at: usize, now: Duration) {
        let Some(since) = now.checked_sub(self.outage.length) else {
            count(&mut self.seen.before, now, 1);
            return self.lose(at, now);
        };
        count(&mut self.seen.attempts, since, 1);
        match self.door.knock(now) {
            Some(then) => self.events.push(Reverse((then, at, Event::LetIn))),
            None => {
                self.seen.wasted += 1;
                self.lose(at, now);
            }
        }
    }

    fn is_connected(&self, at: usize) -> bool {
        self.connections[at] % 2 == 1
    }

    /// One second of messages: what goes, what is taken, who gives up.
    fn exchange(&mut self, now: Duration) {
        let since = now - SECOND - self.outage.length;
        for at in 0..self.gateways.len() {
            if self.idle[at] > now || !self.is_connected(at) {
                continue;
            }
            if self.gateways[at].overdue_at().is_some_and(|due| due <= now) {
                self.give_up(at, now);
                continue;
            }
            let sent = self.gateways[at].send(now);
            if sent > 0 {
                self.inbox.put(at, self.connections[at], sent);
                count(&mut self.seen.sent, since, sent);
            }
            self.idle[at] = self.gateways[at].idle_until(now);
        }
        let (gateways, connections) = (&mut self.gateways, &self.connections);
        let idle = &mut self.idle;
        let twice = &mut self.seen.twice;
        let messages = self.outage.capacity.messages;
        self.inbox.take(messages, |at, connection, count| {
            match connection.is_none_or(|it| it == connections[at]) {
                true => {
                    gateways[at].taken(now, count);
                    idle[at] = Duration::ZERO;
                }
                false => *twice += u64::from(count),
            }
        });
    }

    fn give_up(&mut self, at: usize, now: Duration) {
        self.connections[at] += 1;
        self.connected -= 1;
        self.inbox.end(at);
        self.seen.given_up += 1;
        self.lose(at, now);
    }

    fn look(&mut self, since: Duration) {
        let now = since + self.outage.length;
        self.seen.waiting.push(self.inbox.waiting);
        if self.connected < self.gateways.len() {
            return;
        }
        self.seen.all_back.get_or_insert(since);
        if self.gateways.iter().all(|it| it.backlog(now) <= 1) {
            self.seen.caught_up = Some(since);
        }
    }
}

impl Seen {
    /// The most in one second since the destination is back.
    pub(crate) fn peak(&self) -> u32 {
        self.attempts.iter().copied().max().unwrap_or(0)
    }

    /// The most messages that were sent in one second.
    pub(crate) fn peak_sent(&self) -> u32 {
        self.sent.iter().copied().max().unwrap_or(0)
    }

    /// The most messages that waited in the destination's hands.
    pub(crate) fn peak_waiting(&self) -> u64 {
        self.waiting.iter().copied().max().unwrap_or(0)
    }
}

fn count(seconds: &mut Vec<u32>, at: Duration, more: u32) {
    let at = usize::try_from(at.as_secs()).unwrap();
    if seconds.len() <= at {
        seconds.resize(at + 1, 0);
    }
    seconds[at] += more;
}

const SECOND: Duration = Duration::from_secs(1);

/// Within so long all hear that the destination is gone.
const ROUND_TRIP: Duration = Duration::from_millis(200);

/// So many of the tries of an outage are lived where all are alike.
const SHOWN: u128 = 5;
