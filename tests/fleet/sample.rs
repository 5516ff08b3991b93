//! A gateway with weir's own engine over a ring in memory, for a sample of the fleet: what the
//! model says of messages, rate, window and pauses has to be what the engine does.

use crate::gateway::Gateway;
use crate::gateway::Messages;
use crate::gateway::Sending;
use crate::gateway::TIMEOUT;
use crate::moment::at;
use crate::retry::MIN;
use std::collections::VecDeque;
use std::time::Duration;
use weir::message::Message;
use weir::message::body;
use weir::ring;
use weir::ring::Full;
use weir::ring::Memory;
use weir::ring::Ring;
use weir::ring::Seq;
use weir::ring::StreamId;
use weir::stream::Retry;
use weir::stream::engine::Engine;
use weir::stream::engine::Limits;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;

/// A gateway as it is.
pub(crate) struct Real {
    ring: Ring,
    stream: StreamId,
    engine: Engine,
    sending: Sending,
    messages: Messages,
    came: u32,
    taken: u32,
    in_flight: VecDeque<Seq>,
    /// How many may be on their way now.
    window: usize,
    body: Vec<u8>,
}

impl Real {
    pub(crate) fn new(sending: Sending, messages: Messages) -> Self {
        let settings = ring::Settings {
            size: SIZE as u64,
            delay: Duration::from_millis(200),
            hold: Duration::from_secs(2),
            bytes: 64 * 1024,
            full: Full::DropOldest,
        };
        let storage = Box::new(Memory::new(SIZE));
        let now = at(Duration::ZERO);
        let (mut ring, _) = Ring::open(storage, settings, now, 7).unwrap();
        let stream = ring.attach("cloud", ring::From::New, now).unwrap();
        let limits = Limits {
            messages: usize::try_from(2 * sending.window).unwrap(),
            bytes: 256 * 1024,
            ttl: None,
            max_age: None,
            interval: sending.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        };
        let mut message = Message::new("a").unwrap();
        message.set_timestamp(1_700_000_000_000_000);
        let mut encoded = Vec::new();
        body::encode(&message, &mut encoded);
        Self {
            ring,
            stream,
            engine: Engine::new(stream, delivery(), limits),
            sending,
            messages,
            came: 0,
            taken: 0,
            in_flight: VecDeque::new(),
            window: usize::try_from(sending.window).unwrap(),
            body: encoded,
        }
    }

    fn widest(&self) -> usize {
        usize::try_from(self.sending.window).unwrap()
    }

    /// What each link with a window does when connection after connection ends without an answer
    /// to the same message.
    fn narrow(&mut self, first: Seq) {
        if let Some(more @ 1..) = self.engine.unanswered_count(first).checked_sub(1) {
            self.window = (self.widest() >> (2 * more).min(16)).max(1);
        }
    }

    /// Messages come in, and engine and ring exchange what they have.
    fn serve(&mut self, now: Duration) {
        let due = self.messages.until(now);
        let mask = self.stream.mask();
        while self.came < due {
            self.ring.append(mask, at(now), &self.body).unwrap();
            self.came += 1;
        }
        self.ring.commit(at(now)).unwrap();
        self.engine.settle(&mut self.ring, at(now));
        self.engine.fill(&mut self.ring, at(now), &|_| true);
    }
}

impl Gateway for Real {
    fn lost(&mut self, now: Duration, random: u32) -> Duration {
        self.serve(now);
        if self.overdue_at().is_some_and(|due| due <= now) {
            self.engine.unanswered(0);
        }
        self.in_flight.clear();
        self.window = self.widest();
        self.engine.disconnected(0, Retry::Paused, at(now), random);
        self.engine.paused_until(at(now)).unwrap_or(now)
    }

    fn send(&mut self, now: Duration) -> u32 {
        self.serve(now);
        let mut count = 0;
        while self.in_flight.len() < self.window {
            let Some(seq) = self.engine.next(at(now)).map(|message| message.seq) else {
                break;
            };
            if self.in_flight.is_empty() && self.window == self.widest() {
                self.narrow(seq);
            }
            self.in_flight.push_back(seq);
            count += 1;
        }
        count
    }

    fn taken(&mut self, now: Duration, count: u32) {
        self.window = self.widest();
        for _ in 0..count {
            let seq = self.in_flight.pop_front().unwrap();
            self.engine.accepted(0, &[seq], at(now));
        }
        self.taken += count;
    }

    fn overdue_at(&self) -> Option<Duration> {
        self.engine.overdue_at()
    }

    fn idle_until(&self, now: Duration) -> Duration {
        now
    }

    fn backlog(&self, now: Duration) -> u32 {
        self.messages.until(now) - self.taken
    }

    fn period(&self) -> Option<Duration> {
        None
    }
}

/// The defaults.
fn delivery() -> Delivery {
    Delivery {
        max_messages: 100,
        max_bytes: 256 * 1024,
        linger: Duration::ZERO,
        timeout: TIMEOUT,
        retry_min: MIN,
        retry_max: Duration::from_mins(5),
        on_reject: OnReject::Skip,
    }
}

/// Of a ring: more than an hour's messages.
const SIZE: usize = 256 * 1024;
