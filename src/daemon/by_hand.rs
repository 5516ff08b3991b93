//! What the API does to streams by hand: pauses, a look at what waits, its end, and messages for
//! one stream alone.

use super::Daemon;
use super::stream::Stream;
use crate::api::ByHand;
use crate::api::NotTaken;
use crate::api::Refusal;
use crate::api::device::DeviceReport;
use crate::api::device::Devices;
use crate::channel::measured;
use crate::message::Message;
use crate::message::body;
use crate::message::json;
use crate::message::json::Names;
use crate::ring::AppendError;
use crate::ring::Look;
use crate::ring::Record;
use crate::ring::Seq;
use crate::stream::engine::Outgoing;
use crate::stream::engine::Repeat;
use crate::stream::render;
use std::time::Duration;

impl ByHand for Daemon {
    fn pause(&self, stream: &str, time: Option<Duration>) -> Result<(), Refusal> {
        self.pause_stream(stream, time)
    }

    fn resume(&self, stream: &str) -> Result<(), Refusal> {
        self.resume_stream(stream)
    }

    fn waiting_messages(&self, stream: &str, count: usize) -> Result<Vec<String>, NotTaken> {
        let stream = self.stream(stream).map_err(|_| NotTaken::Unknown)?;
        let (mut shown, mut size) = (Vec::new(), 0);
        let mut show = |record: &Record<'_>| {
            if record.subscribed || self.wants(&stream, record.body) {
                let text = text(record);
                size += text.len();
                if size > SHOWN_MAX && !shown.is_empty() {
                    return Look::Enough;
                }
                shown.push(text);
            }
            match shown.len() < count {
                true => Look::Further,
                false => Look::Enough,
            }
        };
        let peeked = self.shared.ring.peek(stream.id, &mut show);
        match peeked {
            Err(error) if shown.is_empty() => Err(NotTaken::Later(error.to_string())),
            _ => Ok(shown),
        }
    }

    fn drop_backlog(&self, stream: &str) -> Result<u64, Refusal> {
        let stream = self.stream(stream)?;
        let ring = &self.shared.ring;
        let dropped = ring.change(|ring, now| ring.drop_backlog(stream.id, now));
        stream.moved(&self.shared);
        let name = &stream.settings.name;
        match &dropped {
            Ok(count) => log::info!("stream `{name}`: all {count} that wait skipped by hand"),
            Err(error) => log::warn!("stream `{name}`: skipped until the next start: {error}"),
        }
        dropped.map_err(|error| Refusal::NotKept(error.to_string()))
    }

    fn put_in(&self, stream: &str, text: &[u8]) -> Result<u64, NotTaken> {
        let stream = self.stream(stream).map_err(|_| NotTaken::Unknown)?;
        if !stream.enabled.get() {
            return Err(NotTaken::Disabled);
        }
        let names = Names {
            ident: "ident".to_owned(),
            timestamp: "timestamp".to_owned(),
        };
        let messages = json::parse_many(text, &names)
            .map_err(|error| NotTaken::Malformed(error.to_string()))?;
        // all are judged before the first is taken
        let bodies = messages.into_iter().enumerate();
        let bodies = bodies.map(|(index, message)| self.body(message, index));
        let bodies = bodies.collect::<Result<Vec<_>, _>>()?;
        self.keep(&stream, &bodies)?;
        let name = &stream.settings.name;
        log::info!("stream `{name}`: {} put in by hand", bodies.len());
        Ok(bodies.len() as u64)
    }

    fn devices(&self, asked: &Devices<'_>, show: &mut dyn FnMut(&DeviceReport)) -> u64 {
        let (devices, routes) = (self.shared.devices.borrow(), self.shared.routes.borrow());
        devices.show(asked, &routes, self.shared.now(), show)
    }
}

impl Daemon {
    /// Whether a stream wants a message, for those of which that was not decided when they came.
    pub(super) fn wants(&self, stream: &Stream, body: &[u8]) -> bool {
        self.shared.routes.borrow().wants_body(stream.id, body)
    }

    /// What the ring keeps of a message that hands brought.
    fn body(&self, mut message: Message, index: usize) -> Result<Vec<u8>, NotTaken> {
        measured::judge(&mut message, self.shared.now());
        message.leave_out_reserved();
        for name in ["channel.name", "protocol.name", "peer"] {
            message.set(name, "api");
        }
        let routes = self.shared.routes.borrow();
        if let Some(device) = routes.device(message.ident()) {
            message.set("device.name", device.name.as_str());
        }
        let mut bytes = Vec::new();
        body::encode(&message, &mut bytes);
        let most = self.shared.ring.body_max();
        match bytes.len() <= most {
            true => Ok(bytes),
            false => Err(NotTaken::TooLong(format!(
                "message {index}: more than {most} bytes as stored"
            ))),
        }
    }

    /// Takes messages for one stream, and makes them safe at once: who put them in waits.
    fn keep(&self, stream: &Stream, bodies: &[Vec<u8>]) -> Result<(), NotTaken> {
        let (ring, now) = (&self.shared.ring, self.shared.now());
        let mut last = None;
        for (index, body) in bodies.iter().enumerate() {
            last = Some(ring.append(stream.id.mask(), now, body).map_err(|error| {
                let why = match error {
                    AppendError::Full | AppendError::Busy if self.is_refusing() => FULL,
                    AppendError::Full | AppendError::Busy => "the ring takes nothing",
                    AppendError::TooLong => "it is too long",
                };
                NotTaken::Later(format!("{index} of {} were taken: {why}", bodies.len()))
            })?);
        }
        let is_safe = |last: Seq| ring.safe() > last;
        let Some(last) = last.filter(|last| !is_safe(*last)) else {
            return Ok(());
        };
        // what went wrong was said
        ring.commit(self.shared.now());
        match is_safe(last) {
            true => Ok(()),
            false => {
                let why = match self.is_refusing() {
                    true => FULL,
                    false => "no disk keeps them now",
                };
                Err(NotTaken::Later(format!(
                    "they were taken, and are in memory only: {why}"
                )))
            }
        }
    }

    /// Whether it is for want of room that nothing is taken or made safe.
    fn is_refusing(&self) -> bool {
        self.shared.ring.occupancy().refusing
    }
}

/// Said of a ring that drops nothing and has no room.
const FULL: &str = "the ring is full";

/// A message as the ring has it, with its number.
fn text(record: &Record<'_>) -> String {
    let message = Outgoing {
        ring: 0,
        seq: record.seq,
        received: record.received,
        body: record.body,
        repeat: Repeat::First,
    };
    let seq = ("record.seq", crate::message::ValueRef::U64(record.seq.0));
    render::text(&message, Some(seq))
}

/// Bytes that are shown; one message alone may be longer.
const SHOWN_MAX: usize = 64 * 1024;
