//! GT06 trackers, of Concox and of its clones, over TCP and UDP: logins, reports, and answers once
//! those are safe.
//!
//! What the bytes are is said in [`crate::wire::gt06`]; what a report means as a message, in
//! `parameters`. Source: Concox JM-VL03 protocol V1.1.2, GT06 protocol V1.8.1.
//!
//! # Answers
//! An answer repeats kind and serial of its packet. The document has devices wait for one only
//! after logins, heartbeats and alarms; some repeat a location as well until its answer comes, and
//! to the others it does no harm. So all are answered, those that are measured once they are safe.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | login | at once; none when the ident is refused or none | stays, or ends |
//! | location, cells, alarm (see `Answered`) | when it is safe; none when refused | stays |
//! | one of them that is too long for the ring | as if it were safe, counted | stays |
//! | heartbeat (13 23) | at once, whether its content is taken or not | stays |
//! | question for the time (8A) | UTC, at once; none while this clock is not believed | stays |
//! | information, text (94, 15, 21); what servers send (80 to 82) | none: none is awaited | stays |
//! | scan of a clone (17, 69 without a serial) | its kind and time, when it is safe | stays |
//! | another kind | at once, counted: it would come again for ever | stays |
//! | right checksum, content that cannot be read | at once, counted, for the same reason | stays |
//! | wrong checksum | none | stays: the length was right |
//! | the same packet again, its answer still owed | none of its own | stays |
//! | a packet before the login | none | stays, ends after 64 in a row |
//! | no packet, up to the next mark of one | none | stays, ends after 64 in a row |
//!
//! # Time
//! By the document locations and alarms of the kinds 12 and 16 carry the time of the device's own
//! zone, which its login may tell, all others UTC. Clones lie: `utc_offset` goes before both.

mod keys;
mod parameters;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::bad_run::BadRun;
use super::fitting::Submitted;
use super::fitting::submit_what_fits;
use super::imei::is_of_nobody;
pub use super::kind::Units;
use super::owed::Digest;
use super::owed::OwedAnswers;
use super::zone_check::Shown;
use super::zone_check::ZoneCheck;
use crate::clock::Date;
use crate::message::Message;
use crate::units::UtcOffset;
use crate::wire::gt06 as wire;
use crate::wire::gt06::Content;
use crate::wire::gt06::ContentError;
use crate::wire::gt06::Login;
use crate::wire::gt06::Packet;
use crate::wire::gt06::Report;
use crate::wire::gt06::Scan;
use crate::wire::gt06::Unit;
pub use keys::KIND;
pub use keys::Keys;
use std::rc::Rc;
use std::time::Duration;

/// One connection of a device, or what it sends by datagrams.
#[derive(Debug)]
pub struct Gt06 {
    keys: Keys,
    units: Units,
    /// Who it is, once it has logged in.
    ident: Option<Rc<str>>,
    /// The zone that its login told.
    zone: UtcOffset,
    zone_check: ZoneCheck,
    owed: OwedAnswers,
    /// What could not be read, since the last packet that could.
    bad: BadRun,
}

/// When a packet of some kind is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    AtOnce,
    WhenDurable,
    Never,
}

impl Answered {
    fn of(kind: u8) -> Self {
        match kind {
            0x12 | 0x22 | 0x2D | 0xA0 | 0x28 | 0x16 | 0x26 | 0x27 | 0xA4 => Self::WhenDurable,
            0x94 | 0x15 | 0x21 | 0x80..=0x82 => Self::Never,
            _ => Self::AtOnce,
        }
    }
}

impl Gt06 {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(keys: Keys, units: Units) -> Self {
        Self {
            keys,
            units,
            ident: None,
            zone: UtcOffset::default(),
            zone_check: ZoneCheck::default(),
            owed: OwedAnswers::default(),
            bad: BadRun::default(),
        }
    }

    fn unit(
        &mut self,
        unit: Unit<'_>,
        digest: Digest,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        match unit {
            Unit::Packet(packet) if !packet.is_intact => {
                let detail = "the checksum of a packet does not fit";
                intake.malformed(InputError::Checksum, detail);
                Ok(())
            }
            Unit::Packet(packet) => self.packet(&packet, digest, intake, out),
            Unit::Scan(scan) => self.scan(&scan, digest, intake),
            Unit::Garbage => {
                self.no_packet(InputError::Syntax, "bytes that begin no packet", intake)
            }
            Unit::Unended => {
                let detail = "a packet does not end where its length says";
                self.no_packet(InputError::Length, detail, intake)
            }
        }
    }

    /// Counts what is passed over; so much of it in a row is something else than a device.
    fn no_packet(
        &mut self,
        reason: InputError,
        detail: &'static str,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        self.bad.add(reason, detail, intake);
        self.bad.check(detail)
    }

    fn packet(
        &mut self,
        packet: &Packet<'_>,
        digest: Digest,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        if self.ident.is_none() && packet.kind != LOGIN {
            return self.no_packet(InputError::Ident, "a packet before the login", intake);
        }
        // empty before the login, which has no message of whom it could be
        let ident = self.ident.clone().unwrap_or_default();
        self.bad.end();
        if self.owed.is_repeated(digest) {
            return Ok(());
        }
        match Content::decode(packet) {
            Ok(Content::Login(login)) => {
                self.login(login, intake)?;
                self.at_once(packet, digest, out);
            }
            Ok(Content::Report(report)) => {
                self.report(&ident, packet, &report, digest, intake, out)
            }
            Ok(Content::TimeRequest) => self.tell_time(packet, digest, intake, out),
            Ok(Content::Text(text)) => take_text(&ident, &text, intake),
            Ok(Content::OfServer) => {}
            Ok(Content::Unknown) => {
                let detail = format!("a packet of kind `{:02x}`", packet.kind);
                intake.malformed(InputError::Unsupported, &detail);
                self.at_once(packet, digest, out);
            }
            Err(bad) => {
                intake.malformed(reason(bad, packet.kind), &bad.to_string());
                if packet.kind == LOGIN {
                    return Err(NOBODY);
                }
                self.at_once(packet, digest, out);
            }
        }
        Ok(())
    }

    /// Answers what waits for nothing, behind what is owed.
    fn at_once(&mut self, packet: &Packet<'_>, digest: Digest, out: &mut Vec<u8>) {
        if Answered::of(packet.kind) != Answered::Never {
            self.owed.in_turn(digest, &packet.answer(&[]), out);
        }
    }

    fn login(&mut self, login: Login, intake: &mut dyn Intake) -> Result<(), Disconnect> {
        if is_of_nobody(&login.ident) {
            intake.malformed(InputError::Ident, "a login whose IMEI is zeros");
            return Err(NOBODY);
        }
        if intake.check_ident(&login.ident).is_err() {
            return Err(Disconnect::IDENT_NOT_TAKEN);
        }
        self.ident = Some(login.ident.into());
        self.zone = UtcOffset(login.zone_s.unwrap_or_default());
        self.zone_check = ZoneCheck::default();
        Ok(())
    }

    fn report(
        &mut self,
        ident: &str,
        packet: &Packet<'_>,
        report: &Report,
        digest: Digest,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let is_taken = self.take(ident, packet.kind, report, intake);
        match Answered::of(packet.kind) {
            // what is refused comes again; there is no word for it
            Answered::WhenDurable if !is_taken => {}
            Answered::WhenDurable => {
                self.owed.when_durable(digest, &packet.answer(&[]), intake);
            }
            Answered::AtOnce | Answered::Never => self.at_once(packet, digest, out),
        }
    }

    /// Brings a report in; whether it was taken.
    fn take(&mut self, ident: &str, kind: u8, report: &Report, intake: &mut dyn Intake) -> bool {
        let zone = self.zone_of(kind);
        let shown = report.time_s.map(|local_s| Shown {
            local_s,
            zone,
            is_live: report.is_late == Some(false),
        });
        let time = shown.and_then(|shown| self.zone_check.utc(ident, shown, intake));
        let mut make = |_: &mut dyn Intake| {
            let message = parameters::message(ident, report, time);
            message.into_iter().collect()
        };
        let submitted = submit_what_fits(&mut make, intake);
        matches!(submitted, Ok(Submitted::Taken | Submitted::NeverFits))
    }

    /// The zone in which a packet of this kind has its time.
    fn zone_of(&self, kind: u8) -> UtcOffset {
        let of_device = matches!(kind, 0x12 | 0x16).then_some(self.zone);
        self.keys.utc_offset.or(of_device).unwrap_or_default()
    }

    fn scan(
        &mut self,
        scan: &Scan<'_>,
        digest: Digest,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        let Some(ident) = self.ident.clone() else {
            return self.no_packet(InputError::Ident, "a scan before the login", intake);
        };
        self.bad.end();
        if !self.owed.is_repeated(digest) && self.take(&ident, scan.kind, &scan.report(), intake) {
            self.owed.when_durable(digest, &scan.answer(), intake);
        }
        Ok(())
    }

    /// A device sets its clock by the answer: better by none than by a wrong one.
    fn tell_time(
        &mut self,
        packet: &Packet<'_>,
        digest: Digest,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let wall = intake.now().wall;
        if let Some(date) = date(wall.since_1970).filter(|_| wall.trusted) {
            self.owed.in_turn(digest, &packet.answer(&date), out);
        }
    }
}

impl Session for Gt06 {
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
            let (bytes, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            self.unit(unit, Digest::of(bytes), intake, out)?;
            rest = behind;
        }
        if self.units == Units::Datagram && !rest.is_empty() {
            intake.malformed(InputError::Length, "a datagram ends within a packet");
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

/// Brings in what a device says to a command. It awaits no answer and says it once.
fn take_text(ident: &str, text: &str, intake: &mut dyn Intake) {
    if let Some(mut message) = Message::new(ident).ok().filter(|_| !text.is_empty()) {
        message.set("text", text);
        intake.submit(&mut [message]).ok();
    }
}

fn reason(bad: ContentError, kind: u8) -> InputError {
    match bad {
        ContentError::Length => InputError::Length,
        ContentError::Digits if kind == LOGIN => InputError::Ident,
        ContentError::Date | ContentError::Digits => InputError::Value,
    }
}

/// Year of the century, month, day, hour, minute, second.
fn date(since_1970: Duration) -> Option<[u8; 6]> {
    let text = Date(since_1970).with_time();
    let parts = [2..4, 5..7, 8..10, 11..13, 14..16, 17..19];
    let parts = parts.map(|part| text.get(part).and_then(|digits| digits.parse().ok()));
    let [year, month, day, hour, minute, second] = parts;
    Some([year?, month?, day?, hour?, minute?, second?])
}

const NOBODY: Disconnect = Disconnect {
    reason: "a login without a valid ident",
};

const LOGIN: u8 = 0x01;
