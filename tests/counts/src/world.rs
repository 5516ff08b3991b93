//! A daemon without sockets: a ring in memory, one stream's engine over it, and a clock that
//! stands.

use crate::sample;
use std::time::Duration;
use weir::clock::Now;
use weir::clock::Wall;
use weir::message::body;
use weir::message::json;
use weir::message::json::Names;
use weir::ring;
use weir::ring::From;
use weir::ring::Full;
use weir::ring::Memory;
use weir::ring::Ring;
use weir::ring::StreamId;
use weir::stream::Link;
use weir::stream::LinkContext;
use weir::stream::engine::Engine;
use weir::stream::engine::Limits;
use weir::stream::selection::Selection;
use weir::stream::settings::Settings;

/// A stream, and what waits for it.
pub(crate) struct World {
    pub(crate) ring: Ring,
    pub(crate) stream: StreamId,
    pub(crate) engine: Engine,
    /// Messages that were made so far.
    pub(crate) made: u64,
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        let sizes = ring::Settings {
            size: RING,
            delay: Duration::ZERO,
            hold: Duration::from_secs(3600),
            bytes: 1 << 20,
            full: Full::DropOldest,
        };
        let len = usize::try_from(RING).expect("a small ring");
        let storage = Box::new(Memory::new(len));
        let (mut ring, _) = Ring::open(storage, sizes, NOW, 7).expect("a new ring");
        let stream = ring.attach("s", From::New, NOW).expect("the first stream");
        ring.set_connected(stream, true);
        let engine = Engine::new(stream, settings.delivery.clone(), Limits::of(settings));
        Self {
            ring,
            stream,
            engine: engine.behind(Selection::new(settings)),
            made: 0,
        }
    }

    /// Bodies of so many messages, as they come to the ring.
    pub(crate) fn bodies(&mut self, count: u64) -> Vec<Vec<u8>> {
        let bodies = (self.made..self.made + count).map(stored).collect();
        self.made += count;
        bodies
    }

    /// So many messages come in.
    pub(crate) fn append(&mut self, count: u64) {
        for body in self.bodies(count) {
            let mask = self.stream.mask();
            self.ring.append(mask, NOW, &body).expect("there is room");
        }
    }

    pub(crate) fn fill(&mut self) {
        self.engine.fill(&mut self.ring, NOW, &|_| true);
    }

    pub(crate) fn settle(&mut self) {
        self.engine.settle(&mut self.ring, NOW);
    }

    /// All that the link has to say now.
    pub(crate) fn say(&mut self, link: &mut dyn Link, out: &mut Vec<u8>) {
        loop {
            let before = out.len();
            link.send(&mut self.turn(out)).expect("it is connected");
            if out.len() == before {
                return;
            }
        }
    }

    /// What the destination answers is heard to its end.
    pub(crate) fn hear(&mut self, link: &mut dyn Link, answers: &[u8], out: &mut Vec<u8>) {
        let mut heard = 0;
        while heard < answers.len() {
            let rest = &answers[heard..];
            let used = link.receive(rest, &mut self.turn(out));
            match used.expect("it is connected") {
                0 => return,
                used => heard += used,
            }
        }
    }

    fn turn<'t>(&'t mut self, out: &'t mut Vec<u8>) -> LinkContext<'t> {
        LinkContext {
            now: NOW,
            engine: &mut self.engine,
            out,
            random: 0,
        }
    }
}

/// A message as the daemon hands it to the ring.
pub(crate) fn stored(number: u64) -> Vec<u8> {
    let text = sample::json(number);
    let mut message = json::parse(text.as_bytes(), &Names::default()).expect("it is right");
    message.set("channel.name", "in");
    message.set("protocol.name", "json");
    message.set("peer", "127.0.0.1:40000");
    let mut body = Vec::new();
    body::encode(&message, &mut body);
    body
}

const RING: u64 = 4 << 20;

/// When everything happens.
pub(crate) const NOW: Now = Now {
    mono: Duration::from_secs(3600),
    wall: Wall {
        since_1970: Duration::from_secs(1_800_000_000),
        trusted: true,
    },
    ages: true,
};
