//! Wialon Retranslator: one packet a message, and one byte that acknowledges each, in order.
//!
//! What a packet looks like is [`crate::wire::retranslator`]'s affair. The receiver says nothing
//! of a packet that it does not take, and its acknowledgements have no number. So:
//!
//! - Packets go in flights of at most `window`. A flight is accepted when it has as many
//!   acknowledgements as packets; with one too few, nobody knows whose it is, and each packet of
//!   it is sent again alone.
//! - A packet that ended `attempts` connections without an answer is tried twice more, each time
//!   after the last message that was accepted: if that is answered again, the receiver lives, and
//!   a packet that gets no answer then is refused; if not, the receiver is at fault, and nothing is
//!   given up.
//! - Where nothing was accepted since the start there is no such proof, and a receiver that is
//!   stuck would cost messages at each start. So it is looked for: those behind the packet go
//!   alone, in turn, and the first that is accepted is the proof. Until then nothing is given up,
//!   unless all that fits into memory beside the packet is passed over.

use super::Fault;
use super::Link;
use super::Lost;
use super::NO_ANSWER;
use super::OUT_MAX;
use super::Turn;
use super::engine::Engine;
use super::engine::Outgoing;
use super::render;
use super::render::View;
use super::rules::Rule;
use super::rules::kept;
use super::settings;
use super::settings::Ack;
use super::settings::Delivery;
use super::settings::OnReject;
use crate::message::ValueRef;
use crate::message::body::Body;
use crate::ring::Seq;
use crate::wire::retranslator;
use std::time::Duration;

/// One connection to a receiver.
pub struct WialonRetranslator<'a> {
    settings: &'a settings::WialonRetranslator,
    view: View<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    /// The packets of the flight, in order.
    flight: Vec<Seq>,
    /// How many of them have an acknowledgement.
    answers: usize,
    /// When the last of these things happened to the flight: sent, acknowledged.
    moved_at: Duration,
    trial: Option<Trial>,
}

/// How far the last try of a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    /// The last accepted message is sent again; this one, in flight for the engine, waits.
    Proof(Seq),
    /// The receiver lives. All that it said is read before this one is sent: a byte too many is
    /// not taken for its answer.
    Proved(Seq),
    /// This one is sent.
    Packet(Seq),
}

impl<'a> WialonRetranslator<'a> {
    /// A connection that is just made.
    #[must_use]
    pub fn new(
        settings: &'a settings::WialonRetranslator,
        view: View<'a>,
        delivery: &'a Delivery,
        epoch: u32,
    ) -> Self {
        Self {
            settings,
            view,
            delivery,
            epoch,
            flight: Vec::new(),
            answers: 0,
            moved_at: Duration::ZERO,
            trial: None,
        }
    }

    /// Whether one more packet may join the flight.
    fn has_room(&self, engine: &Engine) -> bool {
        match self.flight.first() {
            _ if self.trial.is_some() => false,
            None => true,
            Some(first) if engine.is_suspect(*first) || engine.is_passing() => false,
            Some(_) => self.flight.len() < self.window(),
        }
    }

    /// Whether no message is known that the receiver takes, and one is looked for.
    fn is_searching(&self, first: Seq, engine: &Engine) -> bool {
        let fails = self.has_failed(first, engine) || engine.is_passing();
        fails && engine.last_accepted().is_none()
    }

    fn window(&self) -> usize {
        match kept(Rule::BoundWindow) {
            true => usize::from(self.settings.window),
            false => usize::MAX,
        }
    }

    /// Whether a message has used up its attempts.
    fn has_failed(&self, seq: Seq, engine: &Engine) -> bool {
        let may_give_up =
            self.delivery.on_reject == OnReject::Skip && self.settings.ack == Ack::Byte;
        may_give_up && engine.unanswered_count(seq) >= self.settings.attempts.max(1)
    }

    /// Whether it has had a trial before: of one alone the network may have lost the answer.
    fn is_tried(&self, seq: Seq, engine: &Engine) -> bool {
        engine.unanswered_count(seq) > self.settings.attempts.max(1)
    }

    /// Begins the last try of a message that is in flight, if there is a proof; if not, it is one
    /// more of the others.
    fn prove(&mut self, seq: Seq, turn: &mut Turn<'_>) {
        let proof = turn.engine.last_accepted();
        if proof.is_some_and(|proof| encode(&mut self.view, &proof, turn.out).is_ok()) {
            self.trial = Some(Trial::Proof(seq));
            self.moved_at = turn.now.mono;
        } else {
            self.write(seq, turn);
        }
    }

    /// The receiver does not take this message.
    fn refuse(&self, seq: Seq, turn: &mut Turn<'_>) {
        let fault = Fault::new(NO_ANSWER, "no acknowledgement of a packet");
        let (now, random) = (turn.now, turn.random);
        turn.engine
            .refused(self.epoch, seq..=seq, &fault, now, random);
    }

    /// Sends a message that is in flight, or skips it.
    fn write(&mut self, seq: Seq, turn: &mut Turn<'_>) {
        let Some(message) = turn.engine.batch(seq..=seq).next() else {
            return;
        };
        match encode(&mut self.view, &message, turn.out) {
            Ok(()) => self.flight.push(seq),
            Err(reason) => turn.engine.skip(seq, reason),
        }
        self.moved_at = turn.now.mono;
    }

    /// One `0x11`.
    fn acknowledge(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        if self.is_under_way() {
            turn.engine.proved(self.epoch);
        }
        if let Some(Trial::Proof(seq)) = self.trial {
            self.trial = Some(Trial::Proved(seq));
            return Ok(());
        }
        if self.flight.is_empty() {
            return Err(Lost::new(0, "the receiver acknowledged what was not sent"));
        }
        self.answers += 1;
        self.moved_at = turn.now.mono;
        let answers = self.answers + usize::from(!kept(Rule::CountAnswers));
        if answers >= self.flight.len() {
            self.land(turn);
        }
        Ok(())
    }

    /// All of the flight is accepted.
    fn land(&mut self, turn: &mut Turn<'_>) {
        if let (Some(first), Some(last)) = (self.flight.first(), self.flight.last()) {
            turn.engine.accepted(self.epoch, *first..=*last, turn.now);
        }
        self.flight.clear();
        self.answers = 0;
        self.trial = None;
    }

    /// Whether the receiver has to answer.
    fn is_under_way(&self) -> bool {
        !self.flight.is_empty() || self.trial.is_some()
    }

    /// The connection ends without an answer to what is under way.
    fn give_up(&self, turn: &mut Turn<'_>) {
        match self.trial {
            _ if self.settings.ack == Ack::None => {}
            Some(Trial::Proof(_) | Trial::Proved(_)) => {}
            Some(Trial::Packet(seq)) if self.is_tried(seq, turn.engine) => self.refuse(seq, turn),
            Some(Trial::Packet(_)) => turn.engine.unanswered(self.epoch),
            None => self.blame(turn),
        }
    }

    /// The flight got too few answers.
    fn blame(&self, turn: &mut Turn<'_>) {
        let Some(first) = self.flight.first().copied() else {
            return;
        };
        let searched = self.is_searching(first, turn.engine);
        let is_other = turn.engine.has_waiting() || !turn.engine.is_full();
        if searched && !is_other && self.is_tried(first, turn.engine) {
            return self.refuse(first, turn);
        }
        // whose the answers are that came is not known: the first may have been taken
        if self.answers == 0 && (!searched || !is_other) {
            turn.engine.unanswered(self.epoch);
        } else {
            let count = self.flight.len().saturating_sub(self.answers);
            turn.engine.missed(self.epoch, count);
        }
        turn.engine.suspect(self.epoch);
        if self.is_searching(first, turn.engine) {
            turn.engine.pass_over(self.epoch, first);
        }
    }
}

impl Link for WialonRetranslator<'_> {
    fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost> {
        for byte in input {
            match (self.settings.ack, *byte) {
                (Ack::Byte, retranslator::ACK) => self.acknowledge(turn)?,
                (Ack::Byte, other) => {
                    let reason = format!("the receiver answered `0x{other:02x}`, not `0x11`");
                    return Err(Lost::new(0, reason));
                }
                (Ack::None, _) => {}
            }
        }
        Ok(input.len())
    }

    fn send(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        turn.check_epoch(self.epoch)?;
        if self.settings.ack == Ack::None {
            // all of it is written: there is no other answer
            self.land(turn);
        }
        if let Some(Trial::Proved(seq)) = self.trial {
            self.trial = Some(Trial::Packet(seq));
            self.write(seq, turn);
        }
        while turn.out.len() < OUT_MAX && self.has_room(turn.engine) {
            let Some(seq) = turn.engine.next(turn.now).map(|message| message.seq) else {
                break;
            };
            if self.flight.is_empty() && self.has_failed(seq, turn.engine) {
                self.prove(seq, turn);
            } else {
                self.write(seq, turn);
            }
        }
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        let due = self.moved_at + self.delivery.timeout;
        self.is_under_way().then_some(due)
    }

    fn wake(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        match self.wake_at(turn.engine) {
            Some(due) if due <= turn.now.mono => {
                self.give_up(turn);
                Err(Lost::new(NO_ANSWER, "no acknowledgement of a packet"))
            }
            _ => Ok(()),
        }
    }

    fn closed(&mut self, lost: Lost, turn: &mut Turn<'_>) -> Lost {
        if !self.is_under_way() {
            return Lost::ended(lost.fault.reason);
        }
        self.give_up(turn);
        lost.fault.into()
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn stays(&self) -> bool {
        false
    }
}

/// Appends the packet of a message, or says why there is none. Who and when are told as they were
/// before the conversion.
fn encode(view: &mut View<'_>, message: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), String> {
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
    retranslator::encode(&uid, seconds, view.fields(message), out)
        .map_err(|error| error.to_string())
}
