//! A ring in memory, one stream's engine over it, and a clock that goes when it is told to.

use crate::moment::at;
use std::time::Duration;
use weir::clock::Now;
use weir::message::Message;
use weir::message::body;
use weir::message::body::Body;
use weir::ring;
use weir::ring::Counters;
use weir::ring::From;
use weir::ring::Full;
use weir::ring::Memory;
use weir::ring::Ring;
use weir::ring::Seq;
use weir::ring::StreamId;
use weir::stream::engine::Engine;
use weir::stream::engine::Event;
use weir::stream::engine::Limits;
use weir::stream::engine::Outgoing;
use weir::stream::selection::Selection;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;
use weir::stream::settings::Settings;

pub(crate) struct World {
    ring: Ring,
    stream: StreamId,
    pub(crate) engine: Engine,
    pub(crate) now: Now,
    appended: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(delivery())
    }

    pub(crate) fn with(delivery: Delivery) -> Self {
        Self::limited(delivery, None)
    }

    pub(crate) fn limited(delivery: Delivery, ttl: Option<Duration>) -> Self {
        Self::starting(at(Duration::from_secs(100)), delivery, ttl)
    }

    /// Its clocks show this at first.
    pub(crate) fn starting(now: Now, delivery: Delivery, ttl: Option<Duration>) -> Self {
        let size = 4 << 20;
        let settings = ring::Settings {
            size: size as u64,
            delay: Duration::from_millis(200),
            hold: Duration::from_secs(2),
            bytes: 64 * 1024,
            full: Full::DropOldest,
        };
        let storage = Box::new(Memory::new(size));
        let (mut ring, _) = Ring::open(storage, settings, now, 7).unwrap();
        let stream = ring.attach("cloud", From::New, now).unwrap();
        let limits = Limits {
            messages: 1000,
            bytes: 256 * 1024,
            ttl,
            max_age: None,
            interval: None,
        };
        Self {
            ring,
            stream,
            engine: Engine::new(stream, delivery, limits),
            now,
            appended: 0,
        }
    }

    /// With all that the configuration of a stream says.
    pub(crate) fn of(settings: &Settings) -> Self {
        let mut world = Self::limited(settings.delivery.clone(), settings.ttl);
        world.renew(settings);
        world
    }

    /// The engine is made anew, as after a start of the daemon.
    pub(crate) fn renew(&mut self, settings: &Settings) {
        self.engine.restart(&mut self.ring);
        let limits = Limits::of(settings);
        let engine = Engine::new(self.stream, settings.delivery.clone(), limits);
        self.engine = engine.behind(Selection::new(settings));
    }

    /// It is another stream from here on, which also takes what is there.
    pub(crate) fn attach_another(&mut self, settings: &Settings) {
        self.stream = self.ring.attach("later", From::Oldest, self.now).unwrap();
        self.renew(settings);
    }

    /// A message comes in; `n` counts them from 0.
    pub(crate) fn append(&mut self, ident: &str) {
        let mut message = Message::new(ident).unwrap();
        message.set_timestamp(1_700_000_000_000_000);
        message.set("n", self.appended);
        self.append_message(&message);
    }

    pub(crate) fn append_message(&mut self, message: &Message) {
        let mut bytes = Vec::new();
        body::encode(message, &mut bytes);
        self.ring
            .append(self.stream.mask(), self.now, &bytes)
            .unwrap();
        self.ring.commit(self.now).unwrap();
        self.appended += 1;
    }

    /// A stored body comes in, and waits in memory.
    pub(crate) fn bring(&mut self, body: &[u8]) {
        let taken = self.ring.append(self.stream.mask(), self.now, body);
        taken.unwrap();
    }

    pub(crate) fn append_many(&mut self, count: usize) {
        for _ in 0..count {
            self.append("a");
        }
        self.serve();
    }

    /// Settles and reads, as the daemon does after each turn.
    pub(crate) fn serve(&mut self) {
        self.engine.settle(&mut self.ring, self.now);
        self.engine.fill(&mut self.ring, self.now, &|_| true);
    }

    pub(crate) fn restart(&mut self) {
        self.engine.restart(&mut self.ring);
        self.serve();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = at(self.now.mono + time);
    }

    /// Until the pause after a failure is over.
    pub(crate) fn wait(&mut self) {
        if let Some(until) = self.engine.paused_until(self.now) {
            self.now = at(until);
        }
    }

    pub(crate) fn counters(&mut self) -> Counters {
        self.serve();
        let counters = self.ring.counters(self.stream);
        let ended = counters.accepted + counters.filtered + counters.expired + counters.given_up;
        assert_eq!(counters.stored, self.appended);
        assert_eq!(counters.stored, ended + counters.backlog, "{counters:?}");
        counters
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.engine.events().collect()
    }

    /// Takes all that the engine gives, by number and whether it says that it was sent before.
    pub(crate) fn take(&mut self) -> Vec<(Seq, weir::stream::engine::Repeat)> {
        let now = self.now;
        std::iter::from_fn(|| self.engine.next(now).map(|m| (m.seq, m.repeat))).collect()
    }
}

pub(crate) fn delivery() -> Delivery {
    Delivery {
        max_messages: 100,
        max_bytes: 256 * 1024,
        linger: Duration::ZERO,
        timeout: Duration::from_secs(30),
        retry_min: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
        on_reject: OnReject::Skip,
    }
}

/// Which message it is, as [`World::append`] counted them.
pub(crate) fn number(message: &Outgoing<'_>) -> u64 {
    match Body::new(message.body).unwrap().find("n") {
        Some(weir::message::ValueRef::U64(n)) => n,
        other => panic!("no number but {other:?}"),
    }
}

/// What a JSON object says it is.
pub(crate) fn number_of(object: &serde_json::Value) -> u64 {
    object["n"].as_u64().unwrap()
}
