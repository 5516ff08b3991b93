//! Wialon Retranslator: one packet a message, and one byte that acknowledges each, in order.
//!
//! What a packet looks like is [`crate::wire::retranslator`]'s affair. The receiver says nothing
//! of a packet that it does not take, and its acknowledgements have no number. So:
//!
//! - Packets go in windows of at most `window`, the next when all of one are acknowledged. A window
//!   is accepted when it has as many acknowledgements as packets; with one too few, nobody knows
//!   whose it is, and each packet of it is sent again alone.
//! - A packet that ended `attempts` connections without an answer is in doubt, and the engine
//!   tries others: the last that was accepted, once more, or where nothing was since the start
//!   those behind it. So a receiver that is stuck costs no messages, also at a start.

use super::DeliveryError;
use super::Destination;
use super::Disconnect;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::LinkContext;
use super::NetworkEndpoint;
use super::OUT_MAX;
use super::Open;
use super::TlsUse;
use super::engine::Engine;
use super::engine::Outgoing;
use super::for_window;
use super::render;
use super::render::MessageView;
use super::settings::Delivery;
use super::settings::WINDOW;
use crate::keys::address;
use crate::keys::reader::Reader;
use crate::message::ValueRef;
use crate::message::body::Body;
use crate::net::Target;
use crate::ring::Seq;
use crate::wire::retranslator;
use std::rc::Rc;
use std::time::Duration;

/// `type = "wialon-retranslator"`.
#[derive(Clone, Debug, PartialEq)]
pub struct WialonRetranslator {
    /// `address`.
    pub target: Target,
    /// Packets without an acknowledgement at most.
    pub window: u16,
    /// Whether the receiver answers 0x11.
    pub ack: Ack,
    /// So often is a packet that gets no answer sent before it counts as refused.
    pub attempts: u32,
}

impl WialonRetranslator {
    /// What is left out of the configuration is as here.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            window: 100,
            ack: Ack::Byte,
            attempts: 5,
        }
    }
}

/// What a Wialon receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// 0x11 for each packet.
    Byte,
    /// Nothing: sent means accepted, and may be lost.
    None,
}

/// Its row.
pub(crate) static KIND: Kind =
    Kind::new("wialon-retranslator", |reader| Some(Rc::new(read(reader)?)));

impl Destination for WialonRetranslator {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::WhereConfigured;
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(WialonLink::new(self, open))
    }

    fn in_memory_max(&self, _delivery: &Delivery) -> usize {
        for_window(self.window)
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<WialonRetranslator> {
    let target = reader.required("address", "address = \"193.193.165.165:20332\"");
    let target = target.and_then(|text| reader.parse(&text, address::target));
    let window = reader.integer("window", WINDOW);
    let ack = reader.choice("ack", &[("0x11", Ack::Byte), ("none", Ack::None)]);
    let attempts = reader.integer("attempts", 1..=1_000);
    let defaults = WialonRetranslator::new(target?);
    Some(WialonRetranslator {
        window: window.unwrap_or(defaults.window),
        ack: ack.unwrap_or(defaults.ack),
        attempts: attempts.unwrap_or(defaults.attempts),
        ..defaults
    })
}

/// One connection to a receiver.
pub struct WialonLink<'a> {
    settings: &'a WialonRetranslator,
    view: MessageView<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    /// The packets that were sent since all before them were acknowledged, in order.
    window: Vec<Seq>,
    /// How many of them have an acknowledgement: fewer than all, or the window would be complete.
    answers: usize,
    /// When the last of these things happened to the window: sent, acknowledged.
    moved_at: Duration,
}

impl<'a> WialonLink<'a> {
    /// A connection that is just made.
    #[must_use]
    pub fn new(settings: &'a WialonRetranslator, open: Open<'a>) -> Self {
        Self {
            settings,
            view: open.view,
            delivery: open.delivery,
            epoch: open.epoch,
            window: Vec::new(),
            answers: 0,
            moved_at: Duration::ZERO,
        }
    }

    /// Whether one more packet may join the window.
    fn has_room(&self, engine: &Engine) -> bool {
        match self.window.first() {
            None => true,
            // Alone, an answer or its lack is that of this packet.
            Some(first) if engine.is_suspect(*first) => false,
            // Those that are acknowledged count as well: all of it is accepted at once.
            Some(_) => self.window.len() < self.window_max(),
        }
    }

    fn window_max(&self) -> usize {
        usize::from(self.settings.window)
    }

    /// Sends a message that is in flight, or skips it.
    fn write(&mut self, seq: Seq, context: &mut LinkContext<'_>) {
        let Some(message) = context.engine.message(seq) else {
            return;
        };
        match encode(&mut self.view, &message, context.out) {
            Ok(()) => self.window.push(seq),
            Err(reason) => context.engine.skip(seq, reason),
        }
        self.moved_at = context.now.mono;
    }

    /// One `0x11`.
    fn acknowledge(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        if self.window.is_empty() {
            // With one too many, the next that is missing would not be noticed.
            return Err(Disconnect::new(
                0,
                "the receiver acknowledged what was not sent",
            ));
        }
        // Some packet was taken: the receiver is not stuck, whichever it was.
        context.engine.proved(self.epoch);
        self.answers += 1;
        self.moved_at = context.now.mono;
        if self.answers >= self.window.len() {
            self.complete(context);
        }
        Ok(())
    }

    /// All of the window is accepted.
    fn complete(&mut self, context: &mut LinkContext<'_>) {
        context
            .engine
            .accepted(self.epoch, &self.window, context.now);
        self.window.clear();
        self.answers = 0;
    }

    /// The connection ends without an answer to some of the window.
    fn give_up(&self, error: &DeliveryError, context: &mut LinkContext<'_>) {
        if self.settings.ack == Ack::None || self.window.is_empty() {
            return;
        }
        // Whose the answers are that came is not known: the first may have been taken.
        context.engine.suspect(self.epoch);
        if self.answers > 0 {
            // The receiver takes packets: which one it does not take shows when each goes alone,
            // and until then none of them is in doubt more than another.
            let count = self.window.len().saturating_sub(self.answers);
            return context.engine.missed(self.epoch, count);
        }
        let (attempts, now, random) = (self.settings.attempts.max(1), context.now, context.random);
        context
            .engine
            .silent(self.epoch, attempts, error, now, random);
    }
}

impl Link for WialonLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        for byte in input {
            match (self.settings.ack, *byte) {
                (Ack::Byte, retranslator::ACK) => self.acknowledge(context)?,
                (Ack::Byte, other) => {
                    let reason = format!("the receiver answered `0x{other:02x}`, not `0x11`");
                    return Err(Disconnect::new(0, reason));
                }
                // What it says means nothing to us, and must not fill the buffer.
                (Ack::None, _) => {}
            }
        }
        Ok(input.len())
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        context.check_epoch(self.epoch)?;
        if self.settings.ack == Ack::None {
            // All of it is written, or this would not be called: there is no other answer.
            self.complete(context);
        }
        while context.out.len() < OUT_MAX && self.has_room(context.engine) {
            let Some(seq) = context.engine.next(context.now).map(|message| message.seq) else {
                break;
            };
            self.write(seq, context);
        }
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        let due = self.moved_at + self.delivery.timeout;
        (!self.window.is_empty()).then_some(due)
    }

    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        match self.wake_at(context.engine) {
            Some(due) if due <= context.now.mono => {
                let error = DeliveryError::no_answer(self.delivery.timeout, "a packet");
                self.give_up(&error, context);
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    fn closed(&mut self, disconnect: Disconnect, context: &mut LinkContext<'_>) -> Disconnect {
        if self.window.is_empty() {
            // Receivers close connections that are silent: that is no failure, and no pause.
            return Disconnect::ended(disconnect.error.reason);
        }
        self.give_up(&disconnect.error, context);
        disconnect.error.into()
    }

    /// There is no login.
    fn is_ready(&self) -> bool {
        true
    }

    /// There is nothing to say while nothing is sent, so a connection would only cost traffic.
    fn stays(&self) -> bool {
        false
    }
}

/// Appends the packet of a message, or says why there is none. Who and when are told as they were
/// before the conversion.
fn encode(
    view: &mut MessageView<'_>,
    message: &Outgoing<'_>,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    Body::new(message.body).map_err(|error| error.to_string())?;
    let seconds = match render::find(message, "timestamp") {
        Some(ValueRef::U64(seconds)) => Some(seconds),
        Some(ValueRef::F64(seconds)) => Duration::try_from_secs_f64(seconds)
            .ok()
            .map(|time| time.as_secs()),
        _ => None,
    };
    let seconds = seconds.ok_or("`timestamp` is no time")?;
    let uid = view.wialon_uid(message);
    retranslator::encode(&uid, seconds, view.fields(message).iter(), out)
        .map_err(|error| error.to_string())
}
