//! JT/T 808 terminals over TCP and UDP: registration, authentication, locations, and answers once
//! those are safe.
//!
//! What the bytes are is said in [`crate::wire::jt808`]; what a location means as a message, in
//! `parameters`. Source: JT/T 808-2013 and 808-2019, as SmallChi/JT808 has them.
//!
//! # Answers
//! Each message carries the number of its terminal, so a terminal is admitted at whichever comes
//! first; codes of authentication are no secret, and any is right. Answers repeat serial and id of
//! their message and carry a serial of this side, which counts them.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | registration (0100) | 8100, 0 and a code, at once; 4 when it is refused | stays, or ends |
//! | authentication, heartbeat, logout (0102, 0002, 0003) | 8001, 0, at once | stays |
//! | location (0200), several (0704) | 8001, 0 when all is safe; 1 at once when refused | stays |
//! | all too long to store, or a wrong length | 8001, 2, at once, counted | stays |
//! | some of several too long to store, or too short | as the others, and counted | stays |
//! | a location of which an item is cut off | as any other, and counted | stays |
//! | another message; a part of several; an encrypted one | 8001, 3, at once, counted | stays |
//! | an answer of the terminal (0001) | none | stays |
//! | the ident is refused | 8001, 1, at once | ends |
//! | the same message again, its answer still owed | none of its own | stays |
//! | a wrong checksum or escape, no ident, no message | none | stays, ends after 64 in a row |

mod keys;
mod parameters;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::bad_run::BadRun;
use super::fitting::Submitted;
use super::fitting::submit_what_fits;
pub use super::kind::Units;
use super::owed::Digest;
use super::owed::OwedAnswers;
use super::zone_check::Shown;
use super::zone_check::ZoneCheck;
use crate::message::Message;
use crate::wire::jt808 as wire;
use crate::wire::jt808::FrameError;
use crate::wire::jt808::Location;
use crate::wire::jt808::Packet;
use crate::wire::jt808::Unit;
pub use keys::KIND;
pub use keys::Keys;
use std::rc::Rc;

/// One connection of a terminal, or what it sends by datagrams.
#[derive(Debug)]
pub struct Jt808 {
    keys: Keys,
    units: Units,
    /// Who was admitted last.
    ident: Option<Rc<str>>,
    zone_check: ZoneCheck,
    owed: OwedAnswers,
    /// This side's, of the next answer.
    serial: u16,
    /// What could not be read, since the last message that could.
    bad: BadRun,
}

/// What a message is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Taken, once it is safe.
    WhenDurable,
    /// This result, in its turn.
    Result(u8),
    /// The code of a registration, in its turn.
    Code,
    /// It is an answer itself.
    Nothing,
}

impl Jt808 {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(keys: Keys, units: Units) -> Self {
        Self {
            keys,
            units,
            ident: None,
            zone_check: ZoneCheck::default(),
            owed: OwedAnswers::default(),
            serial: 0,
            bad: BadRun::default(),
        }
    }

    fn frame(
        &mut self,
        frame: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        let bytes = match wire::unescape(frame) {
            Ok(bytes) => bytes,
            Err(bad) => return self.no_message(reason(bad), &bad.to_string(), intake),
        };
        let packet = match Packet::read(&bytes) {
            Ok(packet) => packet,
            Err(bad) => return self.no_message(reason(bad), &bad.to_string(), intake),
        };
        let Some(ident) = packet.ident() else {
            let detail = "a message without a phone number";
            return self.no_message(InputError::Ident, detail, intake);
        };
        self.bad.end();
        let digest = Digest::of(frame);
        if self.owed.is_repeated(digest) {
            return Ok(());
        }
        if let Err(refused) = self.admit(&ident, intake) {
            let answer = match packet.id {
                REGISTER => self.registered(&packet, NO_TERMINAL, ""),
                _ => self.ack(&packet, FAILED),
            };
            self.owed.in_turn(digest, &answer, out);
            return Err(refused);
        }
        match self.verdict(&ident, &packet, intake) {
            Verdict::WhenDurable => {
                let answer = self.ack(&packet, TAKEN);
                self.owed.when_durable(digest, &answer, intake);
            }
            Verdict::Result(result) => {
                let answer = self.ack(&packet, result);
                self.owed.in_turn(digest, &answer, out);
            }
            Verdict::Code => {
                let answer = self.registered(&packet, TAKEN, &ident);
                self.owed.in_turn(digest, &answer, out);
            }
            Verdict::Nothing => {}
        }
        Ok(())
    }

    /// Counts what is passed over; so much of it in a row is something else than a terminal.
    fn no_message(
        &mut self,
        reason: InputError,
        detail: &str,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        self.bad.add(reason, detail, intake);
        self.bad.check("what came is no message, again and again")
    }

    fn admit(&mut self, ident: &str, intake: &mut dyn Intake) -> Result<(), Disconnect> {
        if self.ident.as_deref() == Some(ident) {
            return Ok(());
        }
        if intake.check_ident(ident).is_err() {
            return Err(Disconnect::IDENT_NOT_TAKEN);
        }
        self.ident = Some(ident.into());
        self.zone_check = ZoneCheck::default();
        Ok(())
    }

    fn verdict(&mut self, ident: &str, packet: &Packet<'_>, intake: &mut dyn Intake) -> Verdict {
        if packet.is_partial {
            let detail = "a part of a message, or an encrypted one";
            intake.malformed(InputError::Unsupported, detail);
            return Verdict::Result(NOT_SUPPORTED);
        }
        match packet.id {
            _ if !packet.fits => wrong("the body has another length than its header says", intake),
            REGISTER => Verdict::Code,
            AUTHENTICATE | HEARTBEAT | LOGOUT => Verdict::Result(TAKEN),
            ANSWER => Verdict::Nothing,
            LOCATION => match Location::read(packet.body) {
                Some(location) => self.take(ident, &[location], intake),
                None => wrong("a location that is too short", intake),
            },
            LOCATIONS => self.several(ident, packet.body, intake),
            id => {
                intake.malformed(InputError::Unsupported, &format!("a message `{id:04x}`"));
                Verdict::Result(NOT_SUPPORTED)
            }
        }
    }

    /// A body of several locations.
    fn several(&mut self, ident: &str, body: &[u8], intake: &mut dyn Intake) -> Verdict {
        let Some((locations, are_all)) = wire::batch(body) else {
            let detail = "a length in a message of several locations is not true";
            return wrong(detail, intake);
        };
        if !are_all {
            let verdict = wrong("one of several locations is too short", intake);
            if locations.is_empty() {
                return verdict;
            }
        }
        self.take(ident, &locations, intake)
    }

    /// Brings locations in as one batch.
    fn take(
        &mut self,
        ident: &str,
        locations: &[Location<'_>],
        intake: &mut dyn Intake,
    ) -> Verdict {
        if locations.iter().any(|location| !location.items.are_whole()) {
            intake.malformed(InputError::Length, "an item of a location is cut off");
        }
        let mut make = |intake: &mut dyn Intake| -> Vec<Message> {
            let messages = locations
                .iter()
                .filter_map(|location| self.message(ident, location, intake));
            messages.collect()
        };
        match submit_what_fits(&mut make, intake) {
            Ok(Submitted::Empty) => Verdict::Result(TAKEN),
            Ok(Submitted::Taken) => Verdict::WhenDurable,
            Ok(Submitted::NeverFits) => Verdict::Result(WRONG),
            Err(_) => Verdict::Result(FAILED),
        }
    }

    fn message(
        &mut self,
        ident: &str,
        location: &Location<'_>,
        intake: &mut dyn Intake,
    ) -> Option<Message> {
        let zone = self.keys.utc_offset;
        let shown = location.time_s.map(|local_s| Shown {
            local_s,
            zone,
            is_live: false,
        });
        let time = shown.and_then(|shown| self.zone_check.utc(ident, shown, intake));
        parameters::message(ident, location, time).ok()
    }

    /// The answer to all but a registration.
    fn ack(&mut self, packet: &Packet<'_>, result: u8) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(packet.serial.to_be_bytes());
        body.extend(packet.id.to_be_bytes());
        body.push(result);
        packet.reply(ACK, self.next_serial(), &body)
    }

    /// The answer to a registration.
    fn registered(&mut self, packet: &Packet<'_>, result: u8, code: &str) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(packet.serial.to_be_bytes());
        body.push(result);
        body.extend_from_slice(code.as_bytes());
        packet.reply(REGISTERED, self.next_serial(), &body)
    }

    fn next_serial(&mut self) -> u16 {
        let serial = self.serial;
        self.serial = serial.wrapping_add(1);
        serial
    }
}

impl Session for Jt808 {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while self.owed.has_room(self.units)
            && let Some((unit, len)) = wire::unit(rest)
        {
            match unit {
                Unit::Frame(frame) => self.frame(frame, intake, out)?,
                Unit::Mark => {}
                Unit::Garbage => {
                    let detail = "bytes that stand in no message";
                    self.no_message(InputError::Syntax, detail, intake)?;
                }
            }
            rest = rest.get(len..).unwrap_or_default();
        }
        if self.units == Units::Datagram {
            if rest.len() > 1 {
                intake.malformed(InputError::Length, "a datagram ends within a message");
            }
            rest = &[];
        }
        Ok(input.len() - rest.len())
    }

    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        self.owed.on_durable(out);
    }

    fn is_blocked(&self) -> bool {
        self.owed.is_full()
    }
}

/// It would come again for ever if it were not answered.
fn wrong(detail: &str, intake: &mut dyn Intake) -> Verdict {
    intake.malformed(InputError::Length, detail);
    Verdict::Result(WRONG)
}

fn reason(bad: FrameError) -> InputError {
    match bad {
        FrameError::Escape => InputError::Syntax,
        FrameError::Checksum => InputError::Checksum,
        FrameError::Length => InputError::Length,
    }
}

/// What terminals send.
const ANSWER: u16 = 0x0001;
const HEARTBEAT: u16 = 0x0002;
const LOGOUT: u16 = 0x0003;
const REGISTER: u16 = 0x0100;
const AUTHENTICATE: u16 = 0x0102;
const LOCATION: u16 = 0x0200;
const LOCATIONS: u16 = 0x0704;

/// What they are answered.
const ACK: u16 = 0x8001;
const REGISTERED: u16 = 0x8100;

/// Results of [`ACK`], and [`TAKEN`] of [`REGISTERED`] as well.
const TAKEN: u8 = 0;
const FAILED: u8 = 1;
const WRONG: u8 = 2;
const NOT_SUPPORTED: u8 = 3;

/// A result of [`REGISTERED`].
const NO_TERMINAL: u8 = 4;
