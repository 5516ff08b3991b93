//! Galileosky trackers over TCP: packets of tags, and answers once what they say is safe.
//!
//! What the bytes are is said in [`crate::wire::galileosky`]; what a record means as a message, in
//! `parameters`, the names of its tags in `tags`.
//!
//! # Answers
//! A device sends a packet again until its checksum comes back, and has no word for a refusal. A
//! packet whose checksum is right and that cannot be read whole would come for ever: what is whole
//! in it is taken, what is not is counted, and it is answered.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | head packet: no time in it, no place, no text | its checksum, at once | stays |
//! | packet | its checksum, once it is safe | stays |
//! | the same packet again, its answer still owed | none of its own | stays |
//! | a tag that is not known or is cut | its checksum, once what is whole is safe | stays |
//! | a record that is too long for the ring | its checksum, once the others are safe | stays |
//! | what the ring cannot take now, or nobody wants | none: the device sends it again | stays |
//! | an ident that is not taken, in any packet | none | ends |
//! | no ident, in it or in a packet before | none | ends |
//! | wrong checksum | none | stays: the length was right |
//! | a photo, a compressed packet, an Iridium modem | none | ends |
//! | no packet can start here, or a length out of bounds | none | ends |

mod parameters;
mod tags;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Refusal;
use super::Session;
use super::fitting::Submitted;
use super::fitting::submit_what_fits;
use super::imei::is_of_nobody;
use super::io;
use super::io::IoTable;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use super::kind::Units;
use super::kind::Way;
use super::owed::Digest;
use super::owed::OwedAnswers;
use crate::message::Message;
use crate::wire::galileosky as wire;
use crate::wire::galileosky::Frame;
use crate::wire::galileosky::FrameError;
use crate::wire::galileosky::Record;
use crate::wire::galileosky::Records;
use crate::wire::galileosky::TagError;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "galileosky",
    example: "listen = \"0.0.0.0:5034\"",
    ways: &[Way::Tcp],
    ident: Ident::Named,
    read: |reader| {
        Some(Rc::new(Keys {
            io: io::keys::read(reader),
        }))
    },
};

/// The keys of this type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Names for elements beyond those that are built in.
    pub io: IoTable,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Galileosky::new(self)))
    }
}

/// One connection of a device.
#[derive(Debug)]
pub struct Galileosky {
    keys: Rc<Keys>,
    /// Who it is, once it has said so.
    ident: Option<Rc<str>>,
    owed: OwedAnswers,
}

impl Galileosky {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(keys: Rc<Keys>) -> Self {
        Self {
            keys,
            ident: None,
            owed: OwedAnswers::default(),
        }
    }

    fn packet(
        &mut self,
        frame: Frame<'_>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        if !frame.is_intact() {
            let detail = "the checksum of a packet does not fit";
            intake.malformed(InputError::Checksum, detail);
            return Ok(());
        }
        let packet = Digest::of(frame.checked);
        if self.owed.is_repeated(packet) {
            return Ok(());
        }
        let Records {
            mut records,
            broken,
        } = Records::decode(frame.tags);
        let cut = broken.and_then(|broken| {
            count_broken(broken, intake);
            // The record that it ends is taken where what matters stands before.
            records.pop_if(|last| !has_place(last) && last.get(TEXT).is_none())
        });
        // A packet that is broken in its only record may have said it before that.
        let only = cut.iter().filter(|_| records.is_empty());
        let imei = records
            .iter()
            .chain(only)
            .find_map(|record| record.get(IMEI));
        let ident = self.ident_of(imei, intake)?;
        let mut make = |_: &mut dyn Intake| self.messages(&ident, &records);
        match submit_what_fits(&mut make, intake) {
            Ok(Submitted::Empty) => {
                self.greet(&ident, intake)?;
                self.owed.in_turn(packet, &frame.answer(), out);
                Ok(())
            }
            Ok(Submitted::Taken | Submitted::NeverFits) => {
                self.ident.get_or_insert(ident);
                self.owed.when_durable(packet, &frame.answer(), intake);
                Ok(())
            }
            Err(Refusal::Ident) => Err(Disconnect::IDENT_NOT_TAKEN),
            Err(Refusal::Full | Refusal::Unwanted | Refusal::TooLong) => Ok(()),
        }
    }

    /// Without messages: who says no more than who it is has logged in by that.
    fn greet(&mut self, ident: &Rc<str>, intake: &mut dyn Intake) -> Result<(), Disconnect> {
        if intake.check_ident(ident).is_err() {
            return Err(Disconnect::IDENT_NOT_TAKEN);
        }
        self.ident = Some(Rc::clone(ident));
        Ok(())
    }

    fn messages(&self, ident: &str, records: &[Record<'_>]) -> Vec<Message> {
        // The ident was checked, so that there is a message of each record.
        let messages = records
            .iter()
            .filter(|record| says_something(record))
            .map(|record| parameters::message(ident, record, &self.keys.io));
        messages.filter_map(Result::ok).collect()
    }

    /// That of the packet, or without that of the head packet before it.
    fn ident_of(
        &self,
        imei: Option<&[u8]>,
        intake: &mut dyn Intake,
    ) -> Result<Rc<str>, Disconnect> {
        let Some(said) = imei else {
            return self.ident.clone().ok_or_else(|| {
                intake.malformed(
                    InputError::Ident,
                    "a packet that does not say of whom it is",
                );
                NOBODY
            });
        };
        let ident = str::from_utf8(said).ok();
        let is_number = |ident: &&str| ident.bytes().all(|byte| byte.is_ascii_digit());
        let ident = ident.filter(|ident| is_number(ident) && !is_of_nobody(ident));
        ident.map(Rc::from).ok_or_else(|| {
            let detail = format!("`{}` is no IMEI", said.escape_ascii());
            intake.malformed(InputError::Ident, &detail);
            NOBODY
        })
    }
}

impl Session for Galileosky {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while self.owed.has_room(Units::Bytes)
            && let Some(frame) = wire::frame(rest).map_err(|bad| closed(bad, intake))?
        {
            self.packet(frame, intake, out)?;
            rest = rest.get(frame.len..).unwrap_or_default();
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

/// Whether it is more than a head.
fn says_something(record: &Record<'_>) -> bool {
    [TIME, PLACE, TEXT]
        .iter()
        .any(|tag| record.get(*tag).is_some())
}

fn has_place(record: &Record<'_>) -> bool {
    record.get(TIME).is_some() && record.get(PLACE).is_some()
}

fn count_broken(broken: TagError, intake: &mut dyn Intake) {
    let reason = match broken {
        TagError::Unknown(_) => InputError::Unsupported,
        TagError::Cut(_) => InputError::Length,
    };
    intake.malformed(reason, &broken.to_string());
}

fn closed(bad: FrameError, intake: &mut dyn Intake) -> Disconnect {
    let reason = match bad {
        FrameError::Header(_) => InputError::Syntax,
        FrameError::OtherHeader(_) | FrameError::Iridium => InputError::Unsupported,
        FrameError::Length(_) => InputError::Length,
    };
    intake.malformed(reason, &bad.to_string());
    Disconnect {
        reason: "no packet that is read can start with what came",
    }
}

const NOBODY: Disconnect = Disconnect {
    reason: "a packet without a valid ident",
};

/// Who it is: 15 digits.
const IMEI: u8 = 0x03;
/// Seconds since 1970 UTC.
const TIME: u8 = 0x20;
/// Source and satellites in one byte, latitude, longitude.
const PLACE: u8 = 0x30;
/// What a device says to a command.
const TEXT: u8 = 0xE1;
