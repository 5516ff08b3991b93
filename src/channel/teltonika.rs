//! Teltonika trackers over TCP and UDP: logins, packets, and answers once their records are safe.
//!
//! What the bytes are is said in [`crate::wire::teltonika`]; what a record means as a message, in
//! `parameters`, the names of its elements in `elements`, their values in `channel::io`.
//!
//! # Answers
//! A device waits for the answer to one packet before it sends the next, deletes what was counted,
//! and sends again what was not. So a count is never more than what is safe, and answers keep the
//! order of their packets.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | login | 01, or 00 when the ident is refused or none | stays, or ends after 00 |
//! | packet | its count, once it is safe; 0 at once when it is refused | stays |
//! | one that has a record too long for the ring | the same, once the others are safe | stays |
//! | the same packet again, its answer still owed | none of its own | stays |
//! | wrong checksum, else a whole packet | none | stays: the length was right |
//! | wrong checksum, and nothing fits | none | ends: the length may be wrong |
//! | right checksum, but no records after any codec read here | none | stays |
//! | what came through a serial port (codec 12, 13, 15) | none: the device awaits none | stays |
//! | no packet can start here, or a length out of bounds | none | ends |
//! | keep-alive | none | stays |
//!
//! There is no [`Session::on_ack_timeout`]: a device has its own timeout, and what it then sends
//! again is known to be the same for as long as the answer is owed, see `owed`.

mod elements;
mod keys;
mod parameters;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::fitting::Submitted;
use super::fitting::submit_what_fits;
use super::imei::is_of_nobody;
use super::io::IoTable;
use super::kind::Units;
use super::owed::Digest;
use super::owed::OwedAnswers;
use crate::message::Message;
use crate::message::check_ident;
use crate::wire::teltonika as wire;
use crate::wire::teltonika::Datagram;
use crate::wire::teltonika::DatagramKey;
use crate::wire::teltonika::Frame;
use crate::wire::teltonika::FrameError;
use crate::wire::teltonika::Packet;
use crate::wire::teltonika::PacketError;
use crate::wire::teltonika::Receipt;
use crate::wire::teltonika::SerialData;
pub use keys::KIND;
pub use keys::Keys;
use std::rc::Rc;

/// One TCP connection of a device.
#[derive(Debug)]
pub struct Tcp {
    keys: Rc<Keys>,
    /// Who it is, once it has logged in.
    ident: Option<Rc<str>>,
    owed: OwedAnswers,
}

/// One UDP socket, for all devices that send to it: its answers name what they answer.
#[derive(Debug)]
pub struct Udp {
    keys: Rc<Keys>,
}

/// The data of a packet.
enum Data<'a> {
    Records(Packet<'a>),
    Serial(SerialData<'a>),
}

impl<'a> Data<'a> {
    fn decode(data: &'a [u8]) -> Result<Self, PacketError> {
        match SerialData::decode(data)? {
            Some(serial) => Ok(Self::Serial(serial)),
            None => Packet::decode(data).map(Self::Records),
        }
    }
}

impl Tcp {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(keys: Rc<Keys>) -> Self {
        Self {
            keys,
            ident: None,
            owed: OwedAnswers::default(),
        }
    }

    /// Takes one login or packet from the head of `input`; none: it is not whole yet.
    fn unit(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        match (&self.ident, input) {
            (_, []) => Ok(None),
            (_, [wire::KEEP_ALIVE, ..]) => Ok(Some(1)),
            // A length of an ident where a packet has its zeros: the device starts anew.
            (Some(_), [0, 1..=64, ..]) | (None, _) => self.login(input, intake, out),
            (Some(ident), _) => {
                let ident = Rc::clone(ident);
                self.frame(&ident, input, intake, out)
            }
        }
    }

    fn login(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        let login = wire::login(input).map_err(|bad| closed(bad, intake))?;
        let Some((ident, len)) = login else {
            return Ok(None);
        };
        if !self.owed.is_empty() {
            return Err(Disconnect {
                reason: "a login while answers are owed",
            });
        }
        let Some(ident) = ident_of(ident, intake) else {
            out.push(wire::REJECT);
            return Err(Disconnect {
                reason: "a login without a valid ident",
            });
        };
        if intake.check_ident(ident).is_err() {
            out.push(wire::REJECT);
            return Err(Disconnect::IDENT_NOT_TAKEN);
        }
        self.ident = Some(ident.into());
        out.push(wire::ACCEPT);
        Ok(Some(len))
    }

    fn frame(
        &mut self,
        ident: &str,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Disconnect> {
        let frame = wire::frame(input).map_err(|bad| closed(bad, intake))?;
        let Some(frame) = frame else { return Ok(None) };
        let data = Data::decode(frame.data);
        if !frame.is_intact() {
            intake.malformed(
                InputError::Checksum,
                "the checksum of a packet does not fit",
            );
            data.map_err(|_| Disconnect {
                reason: "a packet that is damaged in its length, too",
            })?;
            return Ok(Some(frame.len));
        }
        match data {
            Ok(Data::Records(packet)) => self.packet(ident, frame, &packet, intake, out),
            Ok(Data::Serial(serial)) => take_serial(ident, &serial, intake),
            Err(invalid) => refuse(&invalid, intake),
        }
        Ok(Some(frame.len))
    }

    fn packet(
        &mut self,
        ident: &str,
        frame: Frame<'_>,
        packet: &Packet<'_>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let digest = Digest::of(frame.data);
        if self.owed.is_repeated(digest) {
            return;
        }
        match u32::from(take(ident, packet, &self.keys.io, intake)) {
            0 => self.owed.in_turn(digest, &[0; 4], out),
            count => self.owed.when_durable(digest, &count.to_be_bytes(), intake),
        }
    }
}

impl Session for Tcp {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while self.owed.has_room(Units::Bytes)
            && let Some(len) = self.unit(rest, intake, out)?
        {
            rest = rest.get(len..).unwrap_or_default();
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

impl Udp {
    /// A socket that has received nothing yet.
    #[must_use]
    pub fn new(keys: Rc<Keys>) -> Self {
        Self { keys }
    }

    fn datagram(&self, input: &[u8], intake: &mut dyn Intake, out: &mut Vec<u8>) {
        let datagram = match Datagram::decode(input) {
            Ok(datagram) => datagram,
            Err(invalid) => return refuse(&invalid, intake),
        };
        let Some(ident) = ident_of(datagram.ident, intake) else {
            return;
        };
        let packet = match Data::decode(datagram.data) {
            Ok(Data::Records(packet)) => packet,
            Ok(Data::Serial(serial)) => return take_serial(ident, &serial, intake),
            Err(invalid) => return refuse(&invalid, intake),
        };
        let count = take(ident, &packet, &self.keys.io, intake);
        let receipt = Receipt {
            key: datagram.key,
            count,
        };
        if count == 0 {
            out.extend_from_slice(&receipt.encode());
        } else {
            intake.ack_when_durable(ack_token(receipt));
        }
    }
}

impl Session for Udp {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        if !matches!(input, [] | [wire::KEEP_ALIVE]) {
            self.datagram(input, intake, out);
        }
        Ok(input.len())
    }

    fn on_durable(&mut self, ack_token: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&receipt(ack_token).encode());
    }
}

/// Brings the records in as one batch and says how many were taken: all of them, or none. One that
/// never fits into the ring counts as taken: the packet would come again for ever.
fn take(ident: &str, packet: &Packet<'_>, io: &IoTable, intake: &mut dyn Intake) -> u8 {
    let mut make = |_: &mut dyn Intake| -> Vec<Message> {
        let mut messages = Vec::with_capacity(packet.records.len());
        for record in &packet.records {
            messages.extend(parameters::message(ident, record, io));
        }
        messages
    };
    let Ok(count) = u8::try_from(packet.records.len()) else {
        return 0;
    };
    match submit_what_fits(&mut make, intake) {
        Ok(Submitted::Taken | Submitted::NeverFits) => count,
        Ok(Submitted::Empty) | Err(_) => 0,
    }
}

/// Brings in what came through a serial port. The device awaits no answer and sends it once: what
/// is refused is counted by the intake and gone.
fn take_serial(ident: &str, serial: &SerialData<'_>, intake: &mut dyn Intake) {
    if let Ok(message) = parameters::serial_message(ident, serial) {
        intake.submit(&mut [message]).ok();
    }
}

fn refuse(invalid: &PacketError, intake: &mut dyn Intake) {
    let reason = match invalid {
        PacketError::Length | PacketError::Trailing(_) | PacketError::Elements(_) => {
            InputError::Length
        }
        PacketError::Counts(..) | PacketError::UnknownCodec(_) => InputError::Syntax,
        PacketError::OtherCodec(_) => InputError::Unsupported,
    };
    intake.malformed(reason, &invalid.to_string());
}

fn closed(bad: FrameError, intake: &mut dyn Intake) -> Disconnect {
    let reason = match bad {
        FrameError::Preamble(_) => InputError::Syntax,
        FrameError::Length(_) => InputError::Length,
        FrameError::Ident(_) => InputError::Ident,
    };
    intake.malformed(reason, &bad.to_string());
    Disconnect {
        reason: "no packet can start with what came",
    }
}

fn ident_of<'a>(bytes: &'a [u8], intake: &mut dyn Intake) -> Option<&'a str> {
    let ident = str::from_utf8(bytes).ok().filter(|ident| ident.is_ascii());
    let ident = ident.filter(|ident| check_ident(ident).is_ok() && !is_of_nobody(ident));
    if ident.is_none() {
        intake.malformed(
            InputError::Ident,
            &format!("`{}` is no ident", bytes.escape_ascii()),
        );
    }
    ident
}

fn ack_token(receipt: Receipt) -> u64 {
    let [high, low] = receipt.key.packet_id.to_be_bytes();
    u64::from(u32::from_be_bytes([
        high,
        low,
        receipt.key.avl_packet_id,
        receipt.count,
    ]))
}

fn receipt(ack_token: u64) -> Receipt {
    let [_, _, _, _, high, low, avl_packet_id, count] = ack_token.to_be_bytes();
    let packet_id = u16::from_be_bytes([high, low]);
    Receipt {
        key: DatagramKey {
            packet_id,
            avl_packet_id,
        },
        count,
    }
}

// `Tcp::unit` tells a login by it.
const _: () = assert!(wire::IDENT_MAX == 64);
