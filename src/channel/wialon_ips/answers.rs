//! The answers of one connection: what a packet gets, and when.

use super::Device;
use super::SHOWN_MAX;
use super::parameters;
use crate::channel::Disconnect;
use crate::channel::InputError;
use crate::channel::Intake;
use crate::channel::Refusal;
use crate::message::Message;
use crate::wire::ips;
use crate::wire::ips::Kind;
use crate::wire::ips::Packet;
use crate::wire::ips::RecordError;
use crate::wire::ips::Version;
use std::collections::VecDeque;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// Answers in the order of their packets; the first one waits.
#[derive(Debug, Default)]
pub(super) struct Answers(VecDeque<Answer>);

#[derive(Debug)]
struct Answer {
    text: String,
    /// The digest of a packet that is not safe yet.
    waits: Option<u64>,
}

impl Answers {
    /// A packet that needs no more than its own line.
    pub(super) fn packet(
        &mut self,
        device: &Device,
        packet: &Packet<'_>,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        let digest = digest(device, packet);
        // A second answer to it would be taken for the answer to the packet that follows.
        if self.0.iter().any(|answer| answer.waits == Some(digest)) {
            return Ok(());
        }
        let one = |name, wrong, long| One {
            name,
            wrong,
            long,
            digest,
        };
        match packet.kind {
            Kind::Short => self.record(device, packet, &one("SD", "13", "-1"), intake),
            Kind::Data => self.record(device, packet, &one("D", "16", "15"), intake),
            Kind::Message => self.words(device, packet, &one("M", "01", "0"), intake),
            Kind::BlackBox => {
                self.black_box(device, packet, digest, intake);
                Ok(())
            }
            Kind::Ping => {
                self.in_turn(Some("#AP#\r\n".into()));
                Ok(())
            }
            Kind::FileInfo => {
                intake.malformed(InputError::Unsupported, "a tachograph file");
                self.in_turn(Some("#AIT#0\r\n".into()));
                Ok(())
            }
            _ => {
                let kind = packet.body.escape_ascii().to_string();
                let kind = kind.get(..SHOWN_MAX).unwrap_or(&kind);
                intake.malformed(InputError::Unsupported, &format!("a packet of `{kind}`"));
                Ok(())
            }
        }
    }

    fn record(
        &mut self,
        device: &Device,
        packet: &Packet<'_>,
        one: &One,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        let Some(body) = content(device, packet.body, b';', intake) else {
            self.in_turn(Some(one.answer(one.wrong)));
            return Ok(());
        };
        let body = device.charset.decode(body);
        let record = ips::record(&body);
        let record = record.and_then(|record| match (packet.kind, &record.extended) {
            (Kind::Short, None) | (Kind::Data, Some(_)) => Ok(record),
            _ => Err(RecordError::Structure),
        });
        match record {
            Ok(record) => self.take(parameters::message(&device.ident, &record), one, intake),
            Err(error) => {
                intake.malformed(reason(error), &error.to_string());
                self.in_turn(Some(one.answer(error.code())));
                Ok(())
            }
        }
    }

    fn words(
        &mut self,
        device: &Device,
        packet: &Packet<'_>,
        one: &One,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        let Some(body) = content(device, packet.body, b';', intake) else {
            self.in_turn(Some(one.answer(one.wrong)));
            return Ok(());
        };
        if body.is_empty() {
            intake.malformed(InputError::Value, "a message without a word");
            self.in_turn(Some(one.answer("0")));
            return Ok(());
        }
        let text = device.charset.decode(body);
        self.take(parameters::words(&device.ident, &text), one, intake)
    }

    fn take(
        &mut self,
        message: Option<Message>,
        one: &One,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        let Some(message) = message else {
            return Ok(());
        };
        match intake
            .submit(&mut [message])
            .map_err(|refused| refused.reason)
        {
            Ok(()) => self.owe(one.answer("1"), one.digest, intake),
            Err(Refusal::TooLong) => self.in_turn(Some(one.answer(one.long))),
            Err(_) => {
                return Err(Disconnect {
                    reason: "a message is not taken",
                });
            }
        }
        Ok(())
    }

    /// Takes what can be taken, until the ring is full.
    fn black_box(
        &mut self,
        device: &Device,
        packet: &Packet<'_>,
        digest: u64,
        intake: &mut dyn Intake,
    ) {
        let Some(body) = content(device, packet.body, b'|', intake) else {
            return self.in_turn(Some("#AB#\r\n".into()));
        };
        let mut count = 0_usize;
        let records = body.split(|byte| *byte == b'|');
        for (index, record) in records.filter(|record| !record.is_empty()).enumerate() {
            if index >= ips::MESSAGES_MAX {
                intake.malformed(InputError::Length, "a black box of over 5000 messages");
                break;
            }
            let text = device.charset.decode(record);
            let message = match ips::record(&text) {
                Ok(record) => parameters::message(&device.ident, &record),
                Err(error) => {
                    intake.malformed(reason(error), &error.to_string());
                    None
                }
            };
            match message.map(|message| intake.submit(&mut [message])) {
                Some(Ok(())) => count = count.saturating_add(1),
                Some(Err(refused)) if refused.reason != Refusal::TooLong => break,
                Some(Err(_)) | None => {}
            }
        }
        let answer = format!("#AB#{count}\r\n");
        match count {
            0 => self.in_turn(Some(answer)),
            _ => self.owe(answer, digest, intake),
        }
    }

    /// Sent when those before are.
    pub(super) fn in_turn(&mut self, text: Option<String>) {
        let answer = text.map(|text| Answer { text, waits: None });
        self.0.extend(answer);
    }

    /// Sent when those before are and all that was taken so far is safe.
    fn owe(&mut self, text: String, digest: u64, intake: &mut dyn Intake) {
        let waits = Some(digest);
        self.0.push_back(Answer { text, waits });
        intake.ack_when_durable(0);
    }

    /// What the first one waits for is there.
    pub(super) fn on_durable(&mut self, out: &mut Vec<u8>) {
        if let Some(answer) = self.0.front_mut() {
            answer.waits = None;
        }
        self.pay(out);
    }

    /// What the first one waits for is there: sends that one alone.
    pub(super) fn safe_at_once(&mut self, out: &mut Vec<u8>) {
        if let Some(answer) = self.0.pop_front() {
            out.extend_from_slice(answer.text.as_bytes());
        }
    }

    /// Whether none is owed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends what waits for nothing but its turn.
    pub(super) fn pay(&mut self, out: &mut Vec<u8>) {
        while let Some(answer) = self.0.pop_front() {
            if answer.waits.is_some() {
                self.0.push_front(answer);
                return;
            }
            out.extend_from_slice(answer.text.as_bytes());
        }
    }

    /// Sends what waits for nothing; datagrams have no order.
    pub(super) fn pay_at_once(&mut self, out: &mut Vec<u8>) {
        let ready = |answer: &Answer| answer.waits.is_none();
        for answer in self.0.iter().filter(|answer| ready(answer)) {
            out.extend_from_slice(answer.text.as_bytes());
        }
        self.0.retain(|answer| !ready(answer));
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= OWED_MAX
    }
}

/// How a packet of one message is answered.
struct One {
    /// Its type.
    name: &'static str,
    /// The code of a wrong checksum.
    wrong: &'static str,
    /// The code of what can never be stored.
    long: &'static str,
    digest: u64,
}

impl One {
    fn answer(&self, code: &str) -> String {
        format!("#A{}#{code}\r\n", self.name)
    }
}

/// A body without its checksum; `None` when that is wrong, which is counted.
fn content<'a>(
    device: &Device,
    body: &'a [u8],
    mark: u8,
    intake: &mut dyn Intake,
) -> Option<&'a [u8]> {
    if device.version == Version::One {
        return Some(body);
    }
    let content = ips::checked(body, mark);
    if content.is_none() {
        intake.malformed(
            InputError::Checksum,
            "the checksum of a packet does not fit",
        );
    }
    content
}

fn reason(error: RecordError) -> InputError {
    match error {
        RecordError::Structure => InputError::Syntax,
        _ => InputError::Value,
    }
}

/// Tells a packet that is sent again from a new one.
fn digest(device: &Device, packet: &Packet<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&device.ident, packet.prefix, packet.body).hash(&mut hasher);
    hasher.finish()
}

/// Most answers owed at once on one connection.
const OWED_MAX: usize = 1024;
