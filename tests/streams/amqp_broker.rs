//! What a broker of AMQP 0-9-1 says and hears, byte by byte after the specification and without
//! anything of weir's.

use crate::random::Random;
use crate::talk;
use crate::talk::Talk;
use crate::world::World;
use crate::world::delivery;
use weir::net::Target;
use weir::stream::amqp::Amqp;
use weir::stream::amqp::Login;
use weir::stream::settings::Settings;
use weir::template::Template;

/// A frame: what it is, whose, and what is in it.
pub(crate) type Frame = (u8, u16, Vec<u8>);

pub(crate) fn short(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

pub(crate) fn long(text: &[u8]) -> Vec<u8> {
    let len = u32::try_from(text.len()).unwrap();
    [&len.to_be_bytes(), text].concat()
}

pub(crate) fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let head = [&[kind][..], &channel.to_be_bytes()].concat();
    [head, long(payload), vec![0xce]].concat()
}

pub(crate) fn method(channel: u16, class: u16, number: u16, fields: &[u8]) -> Vec<u8> {
    let name = [class.to_be_bytes(), number.to_be_bytes()].concat();
    frame(1, channel, &[&name, fields].concat())
}

/// The broker speaks, with tables that nobody can read.
pub(crate) fn start(mechanisms: &str) -> Vec<u8> {
    let table = long(b"\x07productZ\xff\xff\xff\xff");
    let fields = [
        vec![0, 9],
        table,
        long(mechanisms.as_bytes()),
        long(b"en_US"),
    ];
    method(0, 10, 10, &fields.concat())
}

pub(crate) fn tune(channel_max: u16, frame_max: u32, heartbeat: u16) -> Vec<u8> {
    let fields = [
        &channel_max.to_be_bytes()[..],
        &frame_max.to_be_bytes(),
        &heartbeat.to_be_bytes(),
    ];
    method(0, 10, 30, &fields.concat())
}

pub(crate) fn ack(tag: u64, multiple: bool) -> Vec<u8> {
    let fields = [&tag.to_be_bytes()[..], &[multiple.into()]];
    method(1, 60, 80, &fields.concat())
}

pub(crate) fn nack(tag: u64, multiple: bool) -> Vec<u8> {
    let fields = [&tag.to_be_bytes()[..], &[multiple.into()]];
    method(1, 60, 120, &fields.concat())
}

/// The end of the connection, or of channel 1.
pub(crate) fn close(channel: u16, code: u16, text: &str) -> Vec<u8> {
    let fields = [&code.to_be_bytes()[..], &short(text), &[0, 60, 0, 40]].concat();
    let (class, number) = if channel == 0 { (10, 50) } else { (20, 40) };
    method(channel, class, number, &fields)
}

pub(crate) fn blocked(why: &str) -> Vec<u8> {
    method(0, 10, 60, &short(why))
}

pub(crate) fn unblocked() -> Vec<u8> {
    method(0, 10, 61, &[])
}

/// A publish comes back as it went.
pub(crate) fn give_back(publish: &Publish) -> Vec<u8> {
    let fields = [
        312u16.to_be_bytes().to_vec(),
        short("NO_ROUTE"),
        short(&publish.exchange),
        short(&publish.key),
    ];
    let head = method(1, 60, 50, &fields.concat());
    [
        head,
        frame(2, 1, &publish.header),
        frame(3, 1, &publish.body),
    ]
    .concat()
}

/// All frames of what was sent.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut all = Vec::new();
    while let [kind, c0, c1, l0, l1, l2, l3, rest @ ..] = bytes {
        let len = u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize;
        assert_eq!(rest[len], 0xce, "the end of a frame");
        all.push((*kind, u16::from_be_bytes([*c0, *c1]), rest[..len].to_vec()));
        bytes = &rest[len + 1..];
    }
    assert!(bytes.is_empty(), "{bytes:?}");
    all
}

/// A message, as it was published.
#[derive(Clone, Debug)]
pub(crate) struct Publish {
    /// As the broker counts it.
    pub(crate) tag: u64,
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) header: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// How long its frames were.
    pub(crate) lens: Vec<usize>,
}

impl Publish {
    /// The number that is in the message.
    pub(crate) fn number(&self) -> u64 {
        crate::world::number_of(&serde_json::from_slice(&self.body).unwrap())
    }
}

/// A broker after the login: it counts what is published.
pub(crate) struct Broker {
    count: u64,
}

impl Broker {
    /// A connection and the far end of it, both after the login.
    pub(crate) fn ready<'a>(world: &mut World, settings: &'a Settings) -> (Talk<'a>, Self) {
        Self::tuned(world, settings, &tune(2047, 131_072, 60))
    }

    /// The same, with what the broker proposes.
    pub(crate) fn tuned<'a>(
        world: &mut World,
        settings: &'a Settings,
        tune: &[u8],
    ) -> (Talk<'a>, Self) {
        let mut talk = Talk::new(world, settings);
        assert_eq!(talk.sent(world).unwrap(), *b"AMQP\0\0\x09\x01");
        let answers = [
            start("AMQPLAIN PLAIN"),
            tune.to_vec(),
            method(0, 10, 41, &short("")),
            method(1, 20, 11, &long(b"")),
            method(1, 85, 11, &[]),
            method(1, 40, 11, &[]),
        ];
        for answer in &answers {
            assert!(!talk.is_ready());
            let mut random = Random(1);
            talk.hears_in_pieces(world, answer, &mut random).unwrap();
        }
        assert!(talk.is_ready());
        (talk, Self { count: 0 })
    }

    /// What is published in these bytes.
    pub(crate) fn reads(&mut self, bytes: &[u8]) -> Vec<Publish> {
        let mut all: Vec<Publish> = Vec::new();
        for (kind, channel, payload) in frames(bytes) {
            assert_eq!(channel, 1);
            match (kind, &payload[..]) {
                (1, [0, 60, 0, 40, 0, 0, rest @ ..]) => {
                    let (exchange, rest) = text(rest);
                    let (key, bits) = text(rest);
                    assert_eq!(bits, [1], "mandatory, and nothing else");
                    self.count += 1;
                    all.push(Publish {
                        tag: self.count,
                        exchange,
                        key,
                        header: Vec::new(),
                        body: Vec::new(),
                        lens: Vec::new(),
                    });
                }
                (2, header) => all.last_mut().unwrap().header = header.to_vec(),
                (3, piece) => {
                    let publish = all.last_mut().unwrap();
                    publish.body.extend_from_slice(piece);
                    publish.lens.push(piece.len() + 8);
                }
                other => panic!("{other:?}"),
            }
        }
        for publish in &all {
            let len: [u8; 8] = publish.header[4..12].try_into().unwrap();
            assert_eq!(u64::from_be_bytes(len), publish.body.len() as u64);
        }
        all
    }

    /// What the link publishes now.
    pub(crate) fn hears(&mut self, talk: &mut Talk<'_>, world: &mut World) -> Vec<Publish> {
        let sent = talk.sent(world).unwrap();
        self.reads(&sent)
    }
}

/// A text behind its length, and the rest.
fn text(bytes: &[u8]) -> (String, &[u8]) {
    let (text, rest) = bytes[1..].split_at(bytes[0].into());
    (String::from_utf8(text.to_vec()).unwrap(), rest)
}

/// A stream with these keys of its own.
pub(crate) fn settings(change: impl FnOnce(&mut Amqp)) -> Settings {
    let target = Target {
        host: "localhost".into(),
        port: 5672,
    };
    let login = Login::Plain {
        user: "u".into(),
        password: "pw".into(),
    };
    let mut amqp = Amqp::new(target, login, Template::parse("weir.{ident}").unwrap());
    change(&mut amqp);
    talk::settings(amqp, delivery())
}

/// Which messages these are.
pub(crate) fn numbers(publishes: &[Publish]) -> Vec<u64> {
    publishes.iter().map(Publish::number).collect()
}

/// A sign of life.
pub(crate) const ALIVE: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 0xce];
