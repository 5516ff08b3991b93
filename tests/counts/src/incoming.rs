//! Stages of what comes in: bytes of a channel become messages, and are answered.

use crate::counter::Counter;
use crate::sample;
use crate::sample::IDENT;
use crate::world::NOW;
use std::rc::Rc;
use weir::channel::BatchRefusal;
use weir::channel::InputError;
use weir::channel::Intake;
use weir::channel::Session;
use weir::channel::http::Posts;
use weir::channel::http_request::Requests;
use weir::channel::json::JsonLines;
use weir::channel::mqtt;
use weir::channel::mqtt::Broker;
use weir::channel::teltonika;
use weir::clock::Now;
use weir::message::Message;
use weir::message::json;
use weir::message::json::Names;
use weir::wire::teltonika::encode_login;

/// One object of JSON.
pub(crate) fn json_parse(counter: &mut Counter) {
    let names = Names::default();
    for round in 0..ROUNDS {
        let texts: Vec<_> = numbers(round).map(sample::json).collect();
        counter.round(BATCH, || {
            for text in &texts {
                json::parse(text.as_bytes(), &names).expect("it is right");
            }
        });
    }
}

/// Lines of JSON, answered.
pub(crate) fn json_lines(counter: &mut Counter) {
    let mut device = Device::new(JsonLines::new(Names::default()));
    for round in 0..ROUNDS {
        let lines = numbers(round).map(|number| sample::json(number) + "\n");
        device.brings(counter, BATCH, lines.collect::<String>().as_bytes());
    }
}

/// Requests with an array of all messages.
pub(crate) fn http_arrays(counter: &mut Counter) {
    let mut device = Device::new(Requests::new(Posts::new(Names::default(), None)));
    for round in 0..ROUNDS {
        let objects: Vec<_> = numbers(round).map(sample::json).collect();
        let body = format!("[{}]", objects.join(","));
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        device.brings(counter, BATCH, request.as_bytes());
    }
}

/// Packets of MQTT 3.1.1 with QoS 1.
pub(crate) fn mqtt_packets(counter: &mut Counter) {
    let mut device = Device::new(Broker::new(Rc::new(mqtt::Settings::default())));
    device.says(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c");
    for round in 0..ROUNDS {
        let packets: Vec<_> = numbers(round).flat_map(publish).collect();
        device.brings(counter, BATCH, &packets);
    }
}

/// Packets of ten records.
pub(crate) fn teltonika(counter: &mut Counter) {
    let keys = Rc::new(teltonika::Keys::default());
    let mut device = Device::new(teltonika::Tcp::new(keys));
    let mut login = Vec::new();
    encode_login(IDENT, &mut login).expect("an IMEI");
    device.says(&login);
    for round in 0..ROUNDS {
        for part in 0..BATCH / 10 {
            let packet = sample::teltonika(round * BATCH + part * 10, 10);
            device.brings(counter, 10, &packet);
        }
    }
}

/// A device's connection.
struct Device<S> {
    session: S,
    daemon: Daemon,
    answers: Vec<u8>,
}

impl<S: Session> Device<S> {
    fn new(session: S) -> Self {
        Self {
            session,
            daemon: Daemon::default(),
            answers: Vec::new(),
        }
    }

    /// It sends what is counted; all becomes safe, and it is answered.
    fn brings(&mut self, counter: &mut Counter, messages: u64, bytes: &[u8]) {
        let before = self.daemon.taken;
        counter.round(messages, || self.says(bytes));
        assert_eq!(self.daemon.taken - before, messages);
        assert!(!self.answers.is_empty());
    }

    fn says(&mut self, bytes: &[u8]) {
        self.answers.clear();
        let mut rest = bytes;
        loop {
            let (intake, out) = (&mut self.daemon, &mut self.answers);
            let used = self.session.receive(rest, intake, out);
            let used = used.expect("it is understood");
            let tokens = &mut self.daemon.ack_tokens;
            let first = match self.session.acks_cumulatively() {
                true => tokens.len().saturating_sub(1),
                false => 0,
            };
            for ack_token in tokens.drain(..).skip(first) {
                self.session.on_durable(ack_token, &mut self.answers);
            }
            rest = &rest[used..];
            if used == 0 || rest.is_empty() {
                break;
            }
        }
        assert!(rest.is_empty(), "{} bytes are left", rest.len());
    }
}

/// Takes all and keeps nothing.
#[derive(Default)]
struct Daemon {
    taken: u64,
    ack_tokens: Vec<u64>,
}

impl Intake for Daemon {
    fn now(&self) -> Now {
        NOW
    }

    fn check_ident(&mut self, _: &str) -> Result<(), BatchRefusal> {
        Ok(())
    }

    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
        self.taken += batch.len() as u64;
        Ok(())
    }

    fn ack_when_durable(&mut self, ack_token: u64) {
        self.ack_tokens.push(ack_token);
    }

    fn malformed(&mut self, reason: InputError, detail: &str) {
        panic!("{reason:?}: {detail}");
    }
}

/// A PUBLISH of QoS 1.
fn publish(number: u64) -> Vec<u8> {
    let (topic, payload) = (format!("trk/{IDENT}"), sample::json(number));
    let id = u16::try_from(number % 65_535 + 1).expect("it is less");
    let len = 2 + topic.len() + 2 + payload.len();
    let low = u8::try_from(len % 128).expect("it is less");
    let high = u8::try_from(len / 128).expect("less than 16 KiB");
    let topic_len = u16::try_from(topic.len()).expect("it is short");
    [
        &[0x32, low | 0x80, high],
        &topic_len.to_be_bytes()[..],
        topic.as_bytes(),
        &id.to_be_bytes(),
        payload.as_bytes(),
    ]
    .concat()
}

fn numbers(round: u64) -> std::ops::Range<u64> {
    round * BATCH..(round + 1) * BATCH
}

/// Messages of a round.
const BATCH: u64 = 50;
const ROUNDS: u64 = 30;
