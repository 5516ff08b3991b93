//! Wialon IPS 2.0: lines of text, with a login that names the unit, and an answer to each packet.
//!
//! What a packet looks like is [`crate::wire::ips`]'s affair. A connection is that of one unit: a
//! server may take any of those that logged in over one for the sender of all that comes. So:
//!
//! - The messages of one unit go together, one packet at a time: `D` one, `B` several. When those
//!   of another unit are next the connection is left, and a new one begins with its login.
//! - Of `B` the server tells how many it has registered, and not which. With fewer than were sent
//!   each goes once more, alone, and gets an answer of its own.
//! - A login that is refused, or ends without an answer again and again, says nothing of other
//!   units: the others decide whether it is this one's fault.

mod answer;

use super::DeliveryError;
use super::Destination;
use super::Disconnect;
use super::Endpoint;
use super::IN_MAX;
use super::Kind;
use super::Link;
use super::LinkContext;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Engine;
use super::engine::Fit;
use super::engine::Outgoing;
use super::render;
use super::render::MessageView;
use super::settings::Delivery;
use crate::keys::address;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::message::ValueRef;
use crate::net::Target;
use crate::ring::Seq;
use crate::wire::ips;
use answer::Answer;
use answer::Verdict;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// `type = "wialon-ips"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WialonIps {
    /// `address`.
    pub target: Target,
    /// With which each unit logs in; none: units have none.
    pub password: Option<String>,
}

impl WialonIps {
    /// What is left out of the configuration is as here.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let password = None;
        Self { target, password }
    }
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("wialon-ips", |reader| Some(Rc::new(read(reader)?)));

impl Destination for WialonIps {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::WhereConfigured;
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(IpsLink::new(self, open))
    }

    /// The more of one unit there are to be found, the fewer logins; `max_bytes` bounds it.
    fn in_memory_max(&self, delivery: &Delivery) -> usize {
        delivery.max_messages.saturating_mul(5)
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<WialonIps> {
    let target = reader.required("address", "address = \"193.193.165.165:20332\"");
    let target = target.and_then(|text| reader.parse(&text, address::target));
    let password = reader.parsed("password", password);
    Some(WialonIps {
        password,
        ..WialonIps::new(target?)
    })
}

fn password(text: &str) -> Result<String, ValueError> {
    let hint = "leave `password` out where units have none";
    match text {
        "" | "NA" => Err(ValueError::new("no password").hint(hint)),
        text if is_field(text) => Ok(text.to_owned()),
        _ => {
            let error = "a password cannot have `;`, `#` or a control character";
            Err(ValueError::new(error).hint("give the units one that the protocol can carry"))
        }
    }
}

/// Whether a login may have it as a field.
fn is_field(text: &str) -> bool {
    let is_mark = |c: char| c.is_control() || matches!(c, ';' | '#');
    !text.is_empty() && !text.contains(is_mark)
}

/// One connection to a server.
pub struct IpsLink<'a> {
    settings: &'a WialonIps,
    view: MessageView<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    /// Who is logged in, or logs in.
    unit: Option<String>,
    /// The packet that goes once the login is taken; none: it was.
    after_login: Option<Vec<u8>>,
    /// Those of the packet that has no answer yet, in order.
    batch: Vec<Seq>,
    /// Those of a packet of which not all were registered: they are in flight, and go one by one.
    alone: VecDeque<Seq>,
    /// When the last packet went.
    asked_at: Duration,
}

impl<'a> IpsLink<'a> {
    /// A connection that is just made.
    #[must_use]
    pub fn new(settings: &'a WialonIps, open: Open<'a>) -> Self {
        Self {
            settings,
            view: open.view,
            delivery: open.delivery,
            epoch: open.epoch,
            unit: None,
            after_login: None,
            batch: Vec::new(),
            alone: VecDeque::new(),
            asked_at: Duration::ZERO,
        }
    }

    /// The next of those that go alone, if there is one.
    fn send_alone(&mut self, context: &mut LinkContext<'_>) {
        while let Some(seq) = self.alone.pop_front() {
            let Some(message) = context.engine.message(seq) else {
                continue;
            };
            let mut record = String::new();
            match encode(&mut self.view, &message, &mut record) {
                Ok(()) => {
                    ips::write_data(&record, context.out);
                    self.asked_at = context.now.mono;
                    return self.batch.push(seq);
                }
                // it was written once: there is no such message
                Err(_) => context
                    .engine
                    .skip(seq, "it cannot be written again".to_owned()),
            }
        }
    }

    /// Messages of one unit, and its login before them if it is the first here.
    fn send_batch(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let (mut unit, mut records) = (self.unit.clone(), String::new());
        let (view, is_open, mut is_another) = (&mut self.view, unit.is_some(), false);
        let batch = context.engine.next_batch(context.now, |message| {
            let sender = view.wialon_uid(message);
            match &unit {
                _ if !is_field(&sender) => {
                    return Fit::Unfit(format!("`{sender}` cannot log in as a unit"));
                }
                Some(unit) if **unit == *sender => {}
                Some(_) if is_open && records.is_empty() => {
                    is_another = true;
                    return Fit::Full;
                }
                Some(_) => return Fit::Later,
                None => {}
            }
            let fit = pack(view, message, &mut records);
            if fit == Fit::Taken {
                unit = Some(sender.into_owned());
            }
            fit
        });
        let Some(batch) = batch else {
            return match is_another {
                true => Err(Disconnect::ended("another unit is next")),
                false => Ok(()),
            };
        };
        let mut packet = Vec::new();
        match batch.len() {
            1 => ips::write_data(&records, &mut packet),
            _ => ips::write_black_box(&records, &mut packet),
        }
        if is_open {
            context.out.append(&mut packet);
        } else {
            let name = unit.as_deref().unwrap_or_default();
            ips::write_login(name, self.settings.password.as_deref(), context.out);
            self.after_login = Some(packet);
        }
        (self.unit, self.batch, self.asked_at) = (unit, batch, context.now.mono);
        Ok(())
    }

    /// One line of the server.
    fn hear(&mut self, line: &[u8], context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let Some(answer) = Answer::of(line) else {
            // a command, or words for the driver: nobody here can follow it
            return Ok(());
        };
        match (answer, self.after_login.take()) {
            (Answer::Login(code), Some(packet)) => return self.login(code, packet, context),
            (Answer::Record { code, is_short }, None) if self.batch.len() == 1 => {
                self.record(code, answer::record(code, is_short), context);
            }
            (Answer::BlackBox(code), None) if self.batch.len() > 1 => self.black_box(code, context),
            _ => {
                let line = line.escape_ascii();
                let reason = format!("the server answered `{line}` to something else");
                return Err(Disconnect::new(0, reason));
            }
        }
        Ok(())
    }

    fn login(
        &mut self,
        code: &str,
        packet: Vec<u8>,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        if code == answer::TAKEN {
            context.out.extend(packet);
            self.asked_at = context.now.mono;
            return Ok(());
        }
        let unit = self.unit.as_deref().unwrap_or_default();
        let fault = DeliveryError::new(0, answer::login(code, unit));
        self.doubt(&fault, context);
        Err(Disconnect::ended(fault.reason))
    }

    /// The login may be refused for its unit alone: each message of it is, and the others decide.
    fn doubt(&mut self, fault: &DeliveryError, context: &mut LinkContext<'_>) {
        for seq in std::mem::take(&mut self.batch) {
            let (now, random) = (context.now, context.random);
            let engine = &mut context.engine;
            engine.doubted(self.epoch, &[seq], fault, now, random);
        }
    }

    fn record(&mut self, code: &str, verdict: Verdict, context: &mut LinkContext<'_>) {
        let batch = std::mem::take(&mut self.batch);
        let reason = || DeliveryError::new(0, answer::refusal(code));
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        let engine = &mut context.engine;
        match verdict {
            Verdict::Taken => engine.accepted(epoch, &batch, now),
            Verdict::Refused => engine.refused(epoch, &batch, &reason(), now, random),
            Verdict::Doubted => engine.doubted(epoch, &batch, &reason(), now, random),
        }
    }

    /// Some servers count the checksum as one more.
    fn black_box(&mut self, code: &str, context: &mut LinkContext<'_>) {
        let (batch, count) = (std::mem::take(&mut self.batch), code.parse().unwrap_or(0));
        if (batch.len()..=batch.len() + 1).contains(&count) {
            return context.engine.accepted(self.epoch, &batch, context.now);
        }
        let missing = batch.len().saturating_sub(count);
        context.engine.missed(self.epoch, missing);
        self.alone = batch.into();
    }

    /// The connection ends without an answer.
    fn give_up(&mut self, fault: &DeliveryError, context: &mut LinkContext<'_>) {
        let Some(first) = self.batch.first().copied() else {
            return;
        };
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        if self.after_login.is_none() {
            return context
                .engine
                .silent(epoch, PACKET_ATTEMPTS, fault, now, random);
        }
        // it is the unit that is not known there, or it is the network
        context.engine.unanswered(epoch);
        if context.engine.unanswered_count(first) >= LOGIN_ATTEMPTS {
            let unit = self.unit.as_deref().unwrap_or_default();
            let reason = format!("no answer to the login of `{unit}`; {}", fault.reason);
            self.doubt(&DeliveryError::new(fault.code, reason), context);
        }
    }
}

impl Link for IpsLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        let mut used = 0;
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            let Some(whole) = line.strip_suffix(b"\n") else {
                break;
            };
            used += line.len();
            self.hear(whole.trim_ascii_end(), context)?;
        }
        if input.len() - used >= IN_MAX {
            return Err(Disconnect::new(0, "the server sends a line without an end"));
        }
        Ok(used)
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        context.check_epoch(self.epoch)?;
        if self.batch.is_empty() {
            self.send_alone(context);
        }
        match self.batch.is_empty() {
            true => self.send_batch(context),
            false => Ok(()),
        }
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        let due = self.asked_at + self.delivery.timeout;
        (!self.batch.is_empty()).then_some(due)
    }

    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        match self.wake_at(context.engine) {
            Some(due) if due <= context.now.mono => {
                let what = match self.after_login {
                    Some(_) => "a login",
                    None => "a packet",
                };
                let fault = DeliveryError::no_answer(self.delivery.timeout, what);
                self.give_up(&fault, context);
                Err(fault.into())
            }
            _ => Ok(()),
        }
    }

    fn closed(&mut self, lost: Disconnect, context: &mut LinkContext<'_>) -> Disconnect {
        if self.batch.is_empty() && self.alone.is_empty() {
            return Disconnect::ended(lost.error.reason);
        }
        self.give_up(&lost.error, context);
        lost.error.into()
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn stays(&self) -> bool {
        false
    }
}

/// Adds the record of a message, if it fits.
fn pack(view: &mut MessageView<'_>, message: &Outgoing<'_>, records: &mut String) -> Fit {
    let start = records.len();
    if start > 0 {
        records.push('|');
    }
    if let Err(fit) = encode(view, message, records) {
        records.truncate(start);
        return fit;
    }
    if start > 0 && records.len() > BLACK_BOX_MAX {
        records.truncate(start);
        return Fit::Full;
    }
    Fit::Taken
}

/// Appends the record of a message. When it was measured is told as it was before the conversion;
/// where no clock could be trusted then, the server's is.
fn encode(view: &mut MessageView<'_>, message: &Outgoing<'_>, out: &mut String) -> Result<(), Fit> {
    let seconds = match render::find(message, "timestamp") {
        Some(ValueRef::U64(seconds)) => seconds,
        Some(ValueRef::F64(seconds)) => {
            let time = Duration::try_from_secs_f64(seconds);
            time.map(|time| time.as_secs()).unwrap_or_default()
        }
        _ => return Err(Fit::Unfit("`timestamp` is no time".to_owned())),
    };
    let is_dated = render::find(message, "timestamp.valid") != Some(ValueRef::Bool(false));
    let shown = view.fields(message);
    let fields = shown.iter().filter(|(name, _)| *name != "timestamp.valid");
    let written = ips::encode(is_dated.then_some(seconds), fields, out);
    written.map_err(|error| Fit::Refused(error.to_string()))
}

/// Bytes of the records of a packet at most, where it has more than one: a server that is much in
/// use reads no line of 4 KiB or more, and does not answer it.
const BLACK_BOX_MAX: usize = 4_000;

/// So often does a packet get no answer before others are tried.
const PACKET_ATTEMPTS: u32 = 5;

/// So often does a login get none: fewer, since all messages of the unit wait for it.
const LOGIN_ATTEMPTS: u32 = 3;
