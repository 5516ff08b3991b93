//! Ruptela trackers over TCP and UDP: packets that each name their device, and answers once their
//! records are safe.
//!
//! What the bytes are, and where that is known from, is said in [`crate::wire::ruptela`]; what a
//! record means as a message, in `parameters`, the names of its elements in `elements`.
//!
//! # Answers
//! A device sends what is not answered again almost at once, and keeps what is answered by 0. So
//! each packet that is whole has an answer, one that is not taken too; a 1 is never said before all
//! of the packet is safe, and answers keep the order of their packets, see `owed`.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | records (1, 68) | 1, once they are safe; 0 when they are refused | stays |
//! | the same packet again, its answer still owed | none of its own | stays |
//! | records that do not fit into their packet, or do not fill it | 0, counted | stays |
//! | the same for the eighth time in a row | 1, once those that are whole are safe | stays |
//! | a record that is too long for the ring | 1, once the others are safe; counted | stays |
//! | trouble codes (9) | 1, once those that are whole are safe; 0 when refused | stays |
//! | identification (15) | 1; come back in 15 minutes, when the IMEI is not taken | stays |
//! | heartbeat (16) | 1; none when the IMEI is not taken | stays |
//! | answers to commands, files, what is not known | none | stays |
//! | wrong checksum | none | stays: the length was right |
//! | a number that is no IMEI | none | ends |
//! | a length out of bounds | none | ends |
//!
//! The session of a datagram socket is that of one sender; nothing ends it.

mod elements;
mod parameters;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::fitting::Submitted;
use super::fitting::submit_what_fits;
use super::io;
use super::io::IoTable;
use super::kind::Datagrams;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
pub use super::kind::Units;
use super::kind::Way;
use super::owed::Digest;
use super::owed::OwedAnswers;
use crate::message::Message;
use crate::wire::ruptela as wire;
use crate::wire::ruptela::Frame;
use crate::wire::ruptela::Layout;
use crate::wire::ruptela::Records;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "ruptela",
    example: "listen = \"0.0.0.0:5028\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::BySender)],
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
        Some(Box::new(Ruptela::new(self, Units::Bytes)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Ruptela::new(self, Units::Datagram)))
    }
}

/// One connection of a device, or one sender of datagrams.
#[derive(Debug)]
pub struct Ruptela {
    keys: Rc<Keys>,
    owed: OwedAnswers,
    units: Units,
    unread: Unread,
}

impl Ruptela {
    /// A device that has said nothing yet.
    #[must_use]
    pub fn new(keys: Rc<Keys>, units: Units) -> Self {
        Self {
            keys,
            owed: OwedAnswers::default(),
            units,
            unread: Unread::default(),
        }
    }

    /// Takes the whole packets at the head of `input` and returns what is left.
    fn packets<'a>(
        &mut self,
        mut input: &'a [u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<&'a [u8], Disconnect> {
        while self.owed.has_room(self.units) {
            let frame = wire::frame(input).map_err(|bad| {
                intake.malformed(InputError::Length, &bad.to_string());
                Disconnect {
                    reason: "no packet can start with what came",
                }
            })?;
            let Some(frame) = frame else {
                return Ok(input);
            };
            self.packet(frame, intake, out)?;
            input = input.get(frame.len..).unwrap_or_default();
        }
        Ok(input)
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
        let ident = ident_of(frame.imei, intake)?;
        let packet = Digest::of(frame.checked);
        if self.owed.is_repeated(packet) {
            return Ok(());
        }
        match frame.command {
            wire::RECORDS => self.records(&ident, packet, (frame, Layout::Plain), intake, out),
            wire::EXTENDED_RECORDS => {
                self.records(&ident, packet, (frame, Layout::Extended), intake, out);
            }
            wire::TROUBLE_CODES => self.codes(&ident, packet, frame, intake, out),
            wire::IDENTIFICATION | wire::HEARTBEAT => {
                self.greeting(&ident, packet, frame.command, intake, out);
            }
            command => {
                let detail = format!("command {command} carries no messages");
                intake.malformed(InputError::Unsupported, &detail);
            }
        }
        Ok(())
    }

    /// Records that cannot be read are refused; a device that sends them again and again has no
    /// others, and goes on only when they are taken: then those count that are whole.
    fn records(
        &mut self,
        ident: &str,
        packet: Digest,
        (frame, layout): (Frame<'_>, Layout),
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let Records(records) = match Records::decode(frame.payload, layout) {
            Ok(records) => records,
            Err(invalid) => {
                intake.malformed(InputError::Length, &invalid.to_string());
                if !self.unread.is_hopeless(packet) {
                    let answer = wire::answer(frame.command, false);
                    return self.owed.in_turn(packet, &answer, out);
                }
                Records::whole(frame.payload, layout)
            }
        };
        let keys = Rc::clone(&self.keys);
        let make = || {
            let messages = records
                .iter()
                .map(|record| parameters::message(ident, record, &keys.io));
            messages.filter_map(Result::ok).collect()
        };
        self.take(packet, frame.command, &make, intake, out);
    }

    /// The codes that are whole; the others are counted and gone: what cannot be read would come
    /// for ever without an answer.
    fn codes(
        &mut self,
        ident: &str,
        packet: Digest,
        frame: Frame<'_>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let (codes, is_whole) = wire::trouble_codes(frame.payload);
        if !is_whole {
            let detail = "trouble codes that do not fit into their packet";
            intake.malformed(InputError::Length, detail);
        }
        let make = || {
            let messages = codes
                .iter()
                .map(|code| parameters::trouble_code(ident, code));
            messages.filter_map(Result::ok).collect()
        };
        self.take(packet, frame.command, &make, intake, out);
    }

    /// Brings all messages of a packet in, or none, and answers it. The ident was checked, so that
    /// there is a message of each record.
    fn take(
        &mut self,
        packet: Digest,
        command: u8,
        make: &dyn Fn() -> Vec<Message>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let answer = |taken| wire::answer(command, taken);
        match submit_what_fits(&mut |_| make(), intake) {
            Ok(Submitted::Empty) => self.owed.in_turn(packet, &answer(true), out),
            Ok(Submitted::Taken | Submitted::NeverFits) => {
                self.owed.when_durable(packet, &answer(true), intake);
            }
            Err(_) => self.owed.in_turn(packet, &answer(false), out),
        }
    }

    /// What a device says of itself without a message.
    fn greeting(
        &mut self,
        ident: &str,
        packet: Digest,
        command: u8,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let is_admitted = intake.check_ident(ident).is_ok();
        match (command, is_admitted) {
            (command, true) => self.owed.in_turn(packet, &wire::answer(command, true), out),
            (wire::IDENTIFICATION, false) => {
                let answer = wire::come_back(COME_BACK_MINUTES);
                self.owed.in_turn(packet, &answer, out);
            }
            (_, false) => {}
        }
    }
}

impl Session for Ruptela {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let rest = self.packets(input, intake, out);
        if self.units == Units::Bytes {
            return rest.map(|rest| input.len() - rest.len());
        }
        if rest.is_ok_and(|rest| !rest.is_empty()) {
            let detail = "a datagram ends before its packet";
            intake.malformed(InputError::Length, detail);
        }
        Ok(input.len())
    }

    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        self.owed.on_durable(out);
    }

    fn is_blocked(&self) -> bool {
        self.owed.is_full()
    }
}

/// The last packet of records that could not be read.
#[derive(Debug, Default)]
struct Unread {
    packet: Option<Digest>,
    times: u8,
}

impl Unread {
    /// Whether this one has come so often that it will not be another the next time.
    fn is_hopeless(&mut self, packet: Digest) -> bool {
        if self.packet.replace(packet) != Some(packet) {
            self.times = 0;
        }
        self.times = self.times.saturating_add(1);
        self.times >= UNREAD_MAX
    }
}

/// 15 digits.
fn ident_of(imei: u64, intake: &mut dyn Intake) -> Result<String, Disconnect> {
    if (1..=IMEI_MAX).contains(&imei) {
        return Ok(format!("{imei:015}"));
    }
    intake.malformed(InputError::Ident, &format!("`{imei}` is no IMEI"));
    Err(Disconnect {
        reason: "a packet without a valid IMEI",
    })
}

/// The greatest number of 15 digits.
const IMEI_MAX: u64 = 999_999_999_999_999;

/// How often records that cannot be read are refused before they are given up.
const UNREAD_MAX: u8 = 8;

/// When a device that is not taken may try again.
const COME_BACK_MINUTES: u8 = 15;
