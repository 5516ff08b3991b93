//! Links to destinations: what a far end could answer, in arbitrary pieces, over an engine whose
//! counters have to balance whatever it says.

use crate::bytes::Source;
use crate::moment::at;
use crate::one_stream;
use std::time::Duration;
use weir::clock::Now;
use weir::message::Message;
use weir::message::body;
use weir::ring;
use weir::ring::From;
use weir::ring::Full;
use weir::ring::Memory;
use weir::ring::Ring;
use weir::ring::StreamId;
use weir::stream;
use weir::stream::Disconnect;
use weir::stream::IN_MAX;
use weir::stream::Link;
use weir::stream::LinkContext;
use weir::stream::OUT_MAX;
use weir::stream::engine::Engine;
use weir::stream::engine::Limits;
use weir::stream::settings::Settings;

pub(crate) fn http(data: &[u8]) {
    HTTP.with(|settings| World::new(settings).hear(data));
}

pub(crate) fn http_seeds() -> Vec<Vec<u8>> {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let busy = "HTTP/1.1 429 X\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n\
                2\r\nno\r\n0\r\n\r\n";
    let refused = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n";
    let seeds = [
        format!("\x40{ok}\x40{ok}"),
        format!("\x7f{busy}\x02\x40{ok}"),
        format!("\x7f{refused}\x7f{refused}\x7f{refused}\x01\x10HTTP/1.1 204 X\r\n\r\n"),
    ];
    seeds.map(String::into_bytes).to_vec()
}

pub(crate) fn wialon(data: &[u8]) {
    WIALON.with(|settings| World::new(settings).hear(data));
}

pub(crate) fn wialon_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x08\x11\x11\x11\x11\x11\x11".to_vec(),
        b"\x03\x11\x11\x01\x08\x11\x11\x11\x11\x02\x04\x11".to_vec(),
    ]
}

pub(crate) fn ips(data: &[u8]) {
    IPS.with(|settings| World::new(settings).hear(data));
}

pub(crate) fn ips_seeds() -> Vec<Vec<u8>> {
    let taken = "\x07#AL#1\r\n\x07#AB#4\r\n\x07#AD#1\r\n";
    let alone = "\x07#AL#1\r\n\x07#AB#2\r\n\x07#AD#1\r\n\x08#AD#10\r\n\x01";
    let unknown = "\x07#AL#0\r\n\x02\x08#AL#01\r\n";
    [taken, alone, unknown]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

pub(crate) fn mqtt(data: &[u8]) {
    MQTT.with(|settings| World::new(settings).hear(data));
}

pub(crate) fn mqtt_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x04\x20\x02\0\0\x04\x40\x02\0\x01\x08\x40\x02\0\x02\x40\x02\0\x03\x01".to_vec(),
        b"\x04\x20\x02\0\x05\x04\x20\x02\x01\0\x01\x02\xd0\0".to_vec(),
    ]
}

pub(crate) fn mqtt_5(data: &[u8]) {
    MQTT_5.with(|settings| World::new(settings).hear(data));
}

pub(crate) fn mqtt_5_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x08\x20\x06\0\0\x03\x21\0\x05\x04\x40\x02\0\x01\x05\x40\x03\0\x02\x97".to_vec(),
        b"\x05\x20\x03\0\0\0\x05\x40\x03\0\x01\x10\x04\xe0\x02\x8b\0".to_vec(),
    ]
}

pub(crate) fn amqp(data: &[u8]) {
    AMQP.with(|settings| World::new(settings).hear(data));
}

pub(crate) fn amqp_seeds() -> Vec<Vec<u8>> {
    let login: [(u8, &[u8]); 6] = [
        (
            0,
            b"\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US",
        ),
        (0, b"\0\x0a\0\x1e\x07\xff\0\x02\0\0\0\x3c"),
        (0, b"\0\x0a\0\x29\0"),
        (1, b"\0\x14\0\x0b\0\0\0\0"),
        (1, b"\0\x55\0\x0b"),
        (1, b"\0\x28\0\x0b"),
    ];
    let said: [&[(u8, u8, &[u8])]; 3] = [
        &[(1, 1, b"\0\x3c\0\x50\0\0\0\0\0\0\0\x02\x01")],
        &[
            (1, 1, b"\0\x3c\0\x32\x01\x38\x08NO_ROUTE\x01x\x06weir.a"),
            (2, 1, b"\0\x3c\0\0\0\0\0\0\0\0\0\x02\0\x80\x0a00000000:1"),
            (3, 1, b"{}"),
            (1, 1, b"\0\x3c\0\x50\0\0\0\0\0\0\0\x01\0"),
            (1, 1, b"\0\x3c\0\x78\0\0\0\0\0\0\0\x02\0"),
        ],
        &[
            (1, 0, b"\0\x0a\0\x3c\x03low"),
            (8, 0, b""),
            (1, 0, b"\0\x0a\0\x3d"),
            (
                1,
                1,
                b"\0\x14\0\x28\x01\x93\x19access to topic 'weir.a' \0\x3c\0\x28",
            ),
        ],
    ];
    let seed = |said: &&[(u8, u8, &[u8])]| {
        let login = login
            .iter()
            .map(|(channel, payload)| (1, *channel, *payload));
        let frames = login.chain(said.iter().copied());
        frames.flat_map(|it| amqp_frame(it)).collect()
    };
    said.iter().map(seed).collect()
}

/// A frame of one channel, behind how many bytes come.
fn amqp_frame((kind, channel, payload): (u8, u8, &[u8])) -> Vec<u8> {
    let len = u8::try_from(payload.len()).expect("a short frame");
    let head = [len + 8, kind, 0, channel, 0, 0, 0, len];
    [&head, payload, &[0xce]].concat()
}

/// A stream, and the clock.
struct World<'a> {
    ring: Ring,
    stream: StreamId,
    engine: Engine,
    now: Now,
    settings: &'a Settings,
}

impl<'a> World<'a> {
    fn new(settings: &'a Settings) -> Self {
        let now = at(Duration::from_secs(100));
        let sizes = ring::Settings {
            size: ring::SIZE_MIN,
            delay: Duration::ZERO,
            hold: Duration::from_secs(2),
            bytes: 64 * 1024,
            full: Full::DropOldest,
        };
        let len = usize::try_from(ring::SIZE_MIN).expect("a small ring");
        let storage = Box::new(Memory::new(len));
        let (mut ring, _) = Ring::open(storage, sizes, now, 7).expect("a new ring");
        let stream = ring.attach("s", From::New, now).expect("the first stream");
        for number in 0..MESSAGES {
            let mut message = Message::new("a").expect("an ident");
            message.set_timestamp(1_700_000_000_000_000 + number);
            message.set("n", number);
            let mut bytes = Vec::new();
            body::encode(&message, &mut bytes);
            ring.append(stream.mask(), now, &bytes)
                .expect("there is room");
        }
        ring.commit(now).expect("memory never fails");
        let limits = Limits::of(settings);
        let engine = Engine::new(stream, settings.delivery.clone(), limits);
        Self {
            ring,
            stream,
            engine,
            now,
            settings,
        }
    }

    /// Connections one after the other, until there is nothing more to hear.
    fn hear(mut self, data: &[u8]) {
        let mut source = Source(data);
        while !source.is_empty() {
            let mut link = stream::link(self.settings, "c", &self.engine, self.now);
            let disconnect = match self.converse(&mut *link, &mut source) {
                Err(disconnect) => disconnect,
                Ok(()) => {
                    let mut out = Vec::new();
                    link.closed(Disconnect::ended("closed"), &mut self.turn(&mut out))
                }
            };
            drop(link);
            let (epoch, now) = (self.engine.epoch(), self.now);
            self.engine.disconnected(epoch, disconnect.retry, now, 0);
            self.serve();
        }
    }

    /// A byte says what happens: time passes, the far end closes, or so many bytes come.
    fn converse(&mut self, link: &mut dyn Link, source: &mut Source<'_>) -> Result<(), Disconnect> {
        let mut input = Vec::new();
        while !source.is_empty() {
            self.say(link)?;
            match source.byte() {
                0 => return Ok(()),
                1 => self.pass(link)?,
                2 => {
                    self.engine.wake();
                    self.now = at(self.now.mono + Duration::from_secs(300));
                }
                3 => self.engine.restart(&mut self.ring),
                count => input.extend_from_slice(source.take(count.into())),
            }
            let mut out = Vec::new();
            let used = link.receive(&input, &mut self.turn(&mut out))?;
            assert!(used <= input.len());
            input.drain(..used);
            assert!(input.len() < IN_MAX, "it waits for {} bytes", input.len());
            self.serve();
        }
        Ok(())
    }

    /// Whatever the link has to say is taken.
    fn say(&mut self, link: &mut dyn Link) -> Result<(), Disconnect> {
        loop {
            let mut out = Vec::new();
            link.send(&mut self.turn(&mut out))?;
            assert!(out.len() < OUT_MAX + 64 * 1024);
            self.serve();
            if out.is_empty() {
                return Ok(());
            }
        }
    }

    /// Until the link wants to be woken, or a second.
    fn pass(&mut self, link: &mut dyn Link) -> Result<(), Disconnect> {
        let due = link.wake_at(&self.engine);
        let second = self.now.mono + Duration::from_secs(1);
        self.now = at(due.unwrap_or(second).max(self.now.mono));
        let mut out = Vec::new();
        link.wake(&mut self.turn(&mut out))
    }

    fn serve(&mut self) {
        self.engine.settle(&mut self.ring, self.now);
        self.engine.fill(&mut self.ring, self.now, &|_| true);
        let of = self.ring.counters(self.stream);
        let settled = of.accepted + of.filtered + of.expired + of.given_up;
        assert_eq!(of.stored, MESSAGES);
        assert_eq!(of.stored, settled + of.backlog, "{of:?}");
    }

    fn turn<'t>(&'t mut self, out: &'t mut Vec<u8>) -> LinkContext<'t> {
        LinkContext {
            now: self.now,
            engine: &mut self.engine,
            out,
            random: 0,
        }
    }
}

/// A stream of batches so short that several are on their way.
fn four(keys: &str) -> Settings {
    one_stream::settings(&format!("max_messages = 4\n{keys}"))
}

thread_local! {
    static HTTP: Settings = four("type = \"http\"\nurl = \"http://127.0.0.1/\"");
    static WIALON: Settings =
        four("type = \"wialon-retranslator\"\naddress = \"127.0.0.1:1\"\nwindow = 5");
    static IPS: Settings = four("type = \"wialon-ips\"\naddress = \"127.0.0.1:1\"");
    static MQTT: Settings =
        four("type = \"mqtt\"\nurl = \"mqtt://127.0.0.1\"\ntopic = \"t\"\nwindow = 5");
    static MQTT_5: Settings = four(
        "type = \"mqtt\"\nurl = \"mqtt://127.0.0.1\"\ntopic = \"t\"\nwindow = 5\nversion = \"5\"",
    );
}

thread_local! {
    static AMQP: Settings =
        four("type = \"amqp\"\nurl = \"amqp://u:p@127.0.0.1\"\nwindow = 5");
}

/// So many wait at first.
const MESSAGES: u64 = 20;
