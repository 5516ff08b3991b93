//! What destinations answer, by their documents: as short as real ones are, nothing invented.

use std::fmt::Write as _;
use std::time::Duration;

/// The far end of one connection.
pub(crate) struct FarEnd {
    speaks: Speaks,
    input: Vec<u8>,
    /// MQTT 5; or messages of AMQP that were published.
    is_five: bool,
    published: u64,
}

/// What a destination speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaks {
    Mqtt,
    /// HTTP, with this status and this body.
    Http(u16, &'static str),
    /// Google's: an id for each message.
    PubSub,
    Retranslator,
    Ips,
    Amqp,
    GpsGate,
}

impl Speaks {
    /// When it closes a connection that is silent: web servers do, nginx after 75 s.
    pub(crate) fn closes_after(self) -> Option<Duration> {
        let is_web = matches!(self, Self::Http(..) | Self::PubSub);
        is_web.then_some(Duration::from_secs(75))
    }
}

impl FarEnd {
    pub(crate) fn new(speaks: Speaks) -> Self {
        Self {
            speaks,
            input: Vec::new(),
            is_five: false,
            published: 0,
        }
    }

    /// It hears bytes; what it answers at once.
    pub(crate) fn hears(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(used) = self.unit(&mut out).filter(|used| *used > 0) {
            self.input.drain(..used);
        }
        out
    }

    /// One unit at the head of what came: its answer, and how long it was.
    fn unit(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        match self.speaks {
            Speaks::Mqtt => self.mqtt(out),
            Speaks::Http(status, body) => self.http(|_| (status, body.to_owned()), out),
            Speaks::PubSub => self.http(ids, out),
            Speaks::Retranslator => {
                let len = u32::from_le_bytes(self.input.get(..4)?.try_into().unwrap());
                let len = 4 + len as usize;
                self.input.get(..len)?;
                out.push(0x11);
                Some(len)
            }
            Speaks::Ips => self.line(out, ips),
            Speaks::GpsGate => self.line(out, gpsgate),
            Speaks::Amqp => self.amqp(out),
        }
    }

    fn line(&self, out: &mut Vec<u8>, answer: fn(&str) -> String) -> Option<usize> {
        let end = self.input.iter().position(|byte| *byte == b'\n')?;
        let line = str::from_utf8(&self.input[..end]).unwrap();
        out.extend(answer(line.trim_end()).as_bytes());
        Some(end + 1)
    }

    fn mqtt(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        let (mut len, mut at) = (0, 1);
        loop {
            let byte = *self.input.get(at)?;
            len |= usize::from(byte & 0x7f) << (7 * (at - 1));
            at += 1;
            if byte < 0x80 {
                break;
            }
        }
        let packet = self.input.get(at..at + len)?;
        match self.input[0] >> 4 {
            1 => {
                self.is_five = packet[6] == 5;
                let answer: &[u8] = match self.is_five {
                    true => &[0x20, 3, 0, 0, 0],
                    false => &[0x20, 2, 0, 0],
                };
                out.extend(answer);
            }
            3 => {
                // messages have QoS 1; what says who is there has 0
                let topic = usize::from(u16::from_be_bytes([packet[0], packet[1]]));
                if self.input[0] & 6 == 2 {
                    out.extend([0x40, 2, packet[2 + topic], packet[3 + topic]]);
                }
            }
            8 => {
                let (id, five) = ([packet[0], packet[1]], self.is_five);
                let filters = subscriptions(&packet[2..], five);
                let rest = 2 + u8::from(five) + filters;
                out.extend([0x90, rest, id[0], id[1]]);
                out.extend(five.then_some(0));
                out.extend((0..filters).map(|_| 1));
            }
            12 => out.extend([0xd0, 0]),
            14 => {}
            kind => panic!("packet {kind}"),
        }
        Some(at + len)
    }

    fn http(&self, answer: impl Fn(&str) -> (u16, String), out: &mut Vec<u8>) -> Option<usize> {
        let end = self.input.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = str::from_utf8(&self.input[..end]).unwrap().to_lowercase();
        let len = head.split("content-length: ").nth(1);
        let len = len.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        let body = self.input.get(end..end + len)?;
        let (status, body) = answer(&String::from_utf8_lossy(body));
        let mut text = format!(
            "HTTP/1.1 {status} OK\r\nServer: nginx\r\nDate: Sun, 29 Nov 2026 21:33:12 GMT\r\n"
        );
        if status != 204 {
            let kind = "Content-Type: application/json\r\n";
            write!(text, "{kind}Content-Length: {}\r\n", body.len()).unwrap();
        }
        write!(text, "Connection: keep-alive\r\n\r\n{body}").unwrap();
        out.extend(text.as_bytes());
        Some(end + len)
    }

    fn amqp(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        if self.input.starts_with(b"AMQP") {
            // RabbitMQ's own is longer: it tells what it can do
            let table = [0; 4];
            let fields = [&[0, 9], &table[..], b"\0\0\0\x05PLAIN\0\0\0\x05en_US"];
            out.extend(method(0, 10, 10, &fields.concat()));
            return Some(8);
        }
        let head = self.input.get(..7)?;
        let len = 8 + u32::from_be_bytes(head[3..7].try_into().unwrap()) as usize;
        let frame = self.input.get(..len)?;
        match (frame[0], frame.get(7..11).unwrap_or_default()) {
            (1, [0, 10, 0, 11]) => {
                out.extend(method(0, 10, 30, b"\x07\xff\0\x02\0\0\0\x3c"));
            }
            (1, [0, 10, 0, 40]) => out.extend(method(0, 10, 41, b"\0")),
            (1, [0, 20, 0, 10]) => out.extend(method(1, 20, 11, b"\0\0\0\0")),
            (1, [0, 85, 0, 10]) => out.extend(method(1, 85, 11, b"")),
            (1, [0, 40, 0, 10]) => out.extend(method(1, 40, 11, b"")),
            (3, _) => {
                self.published += 1;
                let tag = [&self.published.to_be_bytes()[..], &[0]].concat();
                out.extend(method(1, 60, 80, &tag));
            }
            _ => {}
        }
        Some(len)
    }
}

/// How many filters a SUBSCRIBE has, behind its id.
fn subscriptions(packet: &[u8], is_five: bool) -> u8 {
    let mut rest = match is_five {
        true => &packet[1 + usize::from(packet[0])..],
        false => packet,
    };
    let mut count = 0;
    while let [high, low, ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        rest = &rest[3 + len..];
        count += 1;
    }
    count
}

/// A frame of AMQP with one method.
fn method(channel: u16, class: u16, number: u16, fields: &[u8]) -> Vec<u8> {
    let payload = [&class.to_be_bytes()[..], &number.to_be_bytes(), fields].concat();
    let len = u32::try_from(payload.len()).unwrap();
    let head = [&[1][..], &channel.to_be_bytes(), &len.to_be_bytes()].concat();
    [head, payload, vec![0xce]].concat()
}

fn ids(body: &str) -> (u16, String) {
    let count = body.matches("\"data\":").count();
    let ids: Vec<_> = (0..count)
        .map(|id| format!("\"1234567890{id:06}\""))
        .collect();
    (200, format!("{{\"messageIds\":[{}]}}", ids.join(",")))
}

fn ips(line: &str) -> String {
    let (kind, body) = line[1..].split_once('#').unwrap();
    match kind {
        "B" => format!("#AB#{}\r\n", body.matches('|').count()),
        kind => format!("#A{kind}#1\r\n"),
    }
}

fn gpsgate(line: &str) -> String {
    let fields: Vec<_> = line.split(',').collect();
    match fields[0] {
        "$FRLIN" => "$FRVER,1,1,GpsGate Server 3*00\r\n$FRSES,1221640*4F\r\n".to_owned(),
        _ => format!("$FRRET,{},_SendMessage,Inline*00\r\n", fields[1]),
    }
}
