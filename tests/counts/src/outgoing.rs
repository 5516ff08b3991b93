//! Stages of what goes out: a message is rendered, a link says it and hears the answer.

use crate::counter::Counter;
use crate::one_stream::settings;
use crate::world::NOW;
use crate::world::World;
use crate::world::stored;
use weir::ring::Seq;
use weir::stream;
use weir::stream::engine::Outgoing;
use weir::stream::engine::Repeat;
use weir::stream::render::MessageView;
use weir::template::Escape;
use weir::template::Template;

/// A message as JSON.
pub(crate) fn render_json(counter: &mut Counter) {
    render(counter, "");
}

/// The same with fewer parameters, one under another name, and one more.
pub(crate) fn render_converted(counter: &mut Counter) {
    let convert = "drop = [\"channel.*\", \"peer\"], rename = { seq = \"n\" }, \
                   set = { \"gateway.name\" = \"gw\" }, dots = \"_\"";
    render(counter, &format!("convert = {{ {convert} }}"));
}

fn render(counter: &mut Counter, keys: &str) {
    let settings = settings(&format!("{FILE}\n{keys}"));
    let mut view = MessageView::new(&settings.transform);
    let mut out = Vec::new();
    for round in 0..ROUNDS {
        let bodies = bodies(round);
        counter.round(BATCH, || {
            for body in &bodies {
                out.clear();
                let rendered = view.object(&message(body), &mut out);
                rendered.expect("a body of this version");
            }
        });
    }
    assert!(out.ends_with(b"}"));
}

/// A topic with two parameters.
pub(crate) fn render_template(counter: &mut Counter) {
    let settings = settings(FILE);
    let view = MessageView::new(&settings.transform);
    let template = Template::parse("fleet/{ident}/{gsm.signal.level:-0}").expect("a template");
    let mut out = String::new();
    for round in 0..ROUNDS {
        let bodies = bodies(round);
        counter.round(BATCH, || {
            for body in &bodies {
                out.clear();
                let filled = view.template(&template, Escape::None, &message(body), &mut out);
                filled.expect("it has both");
            }
        });
    }
    assert!(out.starts_with("fleet/3520"), "{out}");
}

/// MQTT 3.1.1 with QoS 1: rendered, framed, acknowledged.
pub(crate) fn mqtt_link(counter: &mut Counter) {
    let keys = "type = \"mqtt\"\nurl = \"mqtt://h\"\ntopic = \"w/{ident}\"\nversion = \"3.1.1\"";
    link(counter, keys, b"\x20\x02\0\0", pubacks);
}

/// HTTP, an array a request.
pub(crate) fn http_link(counter: &mut Counter) {
    let ok = |_: &[u8]| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    link(counter, "type = \"http\"\nurl = \"http://h/\"", b"", ok);
}

/// Wialon Retranslator.
pub(crate) fn wialon_link(counter: &mut Counter) {
    let keys = "type = \"wialon-retranslator\"\naddress = \"h:1\"";
    link(counter, keys, b"", |said| vec![0x11; packets(said)]);
}

/// Lines of a file.
pub(crate) fn file_link(counter: &mut Counter) {
    link(counter, FILE, b"", |_| b"\n".to_vec());
}

/// A stream to a destination that answers `answer` to what it is told.
fn link(counter: &mut Counter, keys: &str, login: &[u8], answer: fn(&[u8]) -> Vec<u8>) {
    let settings = settings(keys);
    let mut world = World::new(&settings);
    let mut link = stream::link(&settings, "c", &world.engine, NOW);
    let mut out = Vec::new();
    world.say(&mut *link, &mut out);
    world.hear(&mut *link, login, &mut out);
    for _ in 0..ROUNDS {
        world.append(BATCH);
        counter.begin(BATCH);
        // a window or a batch may be smaller than a round
        loop {
            out.clear();
            counter.part(|| {
                world.fill();
                world.say(&mut *link, &mut out);
            });
            let answers = if out.is_empty() { vec![] } else { answer(&out) };
            counter.part(|| {
                world.hear(&mut *link, &answers, &mut Vec::new());
                world.settle();
            });
            if out.is_empty() {
                break;
            }
        }
        let backlog = world.ring.counters(world.stream).backlog;
        assert_eq!(backlog, 0, "not all is settled");
    }
}

/// A PUBACK for each PUBLISH.
fn pubacks(said: &[u8]) -> Vec<u8> {
    let (mut rest, mut answers) = (said, Vec::new());
    while let [0x32, low, high, topic_high, topic_low, ..] = rest {
        let len = 3 + usize::from(low & 0x7f) + usize::from(*high) * 128;
        let topic = u16::from_be_bytes([*topic_high, *topic_low]);
        let id = 5 + usize::from(topic);
        answers.extend([0x40, 2, rest[id], rest[id + 1]]);
        rest = &rest[len..];
    }
    assert!(rest.is_empty(), "nothing but PUBLISH of QoS 1: {rest:?}");
    answers
}

/// How many packets of Wialon these are.
fn packets(said: &[u8]) -> usize {
    let (mut rest, mut count) = (said, 0);
    while let [a, b, c, d, ..] = rest {
        let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        rest = &rest[4 + len..];
        count += 1;
    }
    count
}

fn bodies(round: u64) -> Vec<Vec<u8>> {
    (round * BATCH..(round + 1) * BATCH).map(stored).collect()
}

fn message(body: &[u8]) -> Outgoing<'_> {
    Outgoing {
        seq: Seq(1),
        ring: 7,
        received: NOW.wall,
        body,
        repeat: Repeat::First,
    }
}

const FILE: &str = "type = \"file\"\npath = \"/f\"";
const BATCH: u64 = 50;
const ROUNDS: u64 = 30;
