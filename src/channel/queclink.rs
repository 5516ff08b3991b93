//! Queclink's trackers over TCP and UDP: @Track in ASCII.
//!
//! What the bytes are is said in [`crate::wire::queclink`], what a line means in
//! `queclink/meaning.rs`. Each line names its device. A position is told wherever it stands; of the
//! rest, whose order differs with model and firmware, only what has a shape that is known.
//!
//! Source: Traccar's decoder and its samples, queclink-parser; no document of the vendor.
//!
//! # Answers
//! A device whose SACK is on keeps a line until it is answered, and sends it again. Where it is
//! off, nothing tells it that a line came; so it is the key `sack` that answers.
//!
//! | what came | answer, with `sack` | connection |
//! | --- | --- | --- |
//! | a line with a position, or with a state | its count, once it is safe | stays |
//! | the same line again, its answer still owed | none of its own | stays |
//! | another line, counted as unsupported | its count, in turn | stays |
//! | a heartbeat | kind, version and count, in turn; without `sack`, too | stays |
//! | a message that is too long for the ring | its count, once the others are safe | stays |
//! | a message that the ring cannot take now, or nobody wants | none: it comes again | stays |
//! | no IMEI, or one that is not taken; no line | none | stays |
//! | 64 of what is no line in a row, 8 KiB without an end | none | ends |
//! | the binary form | none | ends |

#![deny(clippy::arithmetic_side_effects)]

mod meaning;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::bad_run::BadRun;
use super::fitting::Submitted;
use super::fitting::submit_what_fits;
use super::imei::is_of_nobody;
use super::kind::Datagrams;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
pub use super::kind::Units;
use super::kind::Way;
use super::owed::Digest;
use super::owed::OwedAnswers;
use crate::wire::queclink as wire;
use crate::wire::queclink::FrameError;
use crate::wire::queclink::Line;
use crate::wire::queclink::NoLine;
use crate::wire::queclink::Sending;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "queclink",
    example: "listen = \"0.0.0.0:5004\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::BySender)],
    ident: Ident::Named,
    read: |reader| {
        Some(Rc::new(Keys {
            sack: reader.flag("sack").unwrap_or(false),
            text: reader.flag("text").unwrap_or(false),
            message_type: reader.flag("message_type").unwrap_or(false),
        }))
    },
};

/// The keys of this type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Whether lines are answered; heartbeats always are.
    pub sack: bool,
    /// Whether messages have their line as it came, too, as `text`.
    pub text: bool,
    /// Whether messages say of which kind their line is, as `message.type`.
    pub message_type: bool,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Queclink::new(*self, Units::Bytes)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Queclink::new(*self, Units::Datagram)))
    }
}

/// One connection, or one sender of datagrams.
#[derive(Debug)]
pub struct Queclink {
    keys: Keys,
    units: Units,
    owed: OwedAnswers,
    /// Lines in a row that were none.
    bad: BadRun,
}

impl Queclink {
    /// A device that has said nothing yet.
    #[must_use]
    pub fn new(keys: Keys, units: Units) -> Self {
        Self {
            keys,
            units,
            owed: OwedAnswers::default(),
            bad: BadRun::default(),
        }
    }

    fn line(
        &mut self,
        line: Result<Line<'_>, NoLine>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<(), Disconnect> {
        let Ok(line) = line else {
            let detail = "not a line of @Track";
            self.bad.add(InputError::Syntax, detail, intake);
            return self.bad.check("what comes is not @Track");
        };
        self.bad.end();
        let ident = line.imei();
        let is_imei = ident.len() == 15 && ident.bytes().all(|byte| byte.is_ascii_digit());
        if !is_imei || is_of_nobody(ident) {
            intake.malformed(InputError::Ident, "a line without an IMEI");
            return Ok(());
        }
        let packet = Digest::of(line.text);
        if self.owed.is_repeated(packet) {
            return Ok(());
        }
        if line.sending == Sending::Acknowledgement && line.kind() == "GTHBD" {
            if intake.check_ident(ident).is_ok() {
                let answer = format!("+SACK:GTHBD,{},{}$", line.version(), line.count());
                self.owed.in_turn(packet, answer.as_bytes(), out);
            }
            return Ok(());
        }
        self.report(ident, packet, &line, intake, out);
        Ok(())
    }

    fn report(
        &mut self,
        ident: &str,
        packet: Digest,
        line: &Line<'_>,
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) {
        let answer = match self.keys.sack {
            true => format!("+SACK:{}$", line.count()),
            false => String::new(),
        };
        let mut make = |intake: &mut dyn Intake| meaning::messages(ident, line, self.keys, intake);
        match submit_what_fits(&mut make, intake) {
            Ok(Submitted::Empty) if intake.check_ident(ident).is_ok() => {
                let detail = format!("`{}` has nothing that is read", line.kind().escape_debug());
                intake.malformed(InputError::Unsupported, &detail);
                self.owed.in_turn(packet, answer.as_bytes(), out);
            }
            Ok(Submitted::Taken | Submitted::NeverFits) if self.keys.sack => {
                self.owed.when_durable(packet, answer.as_bytes(), intake);
            }
            Ok(_) => {}
            // it is counted; the device has no word for it, and sends the line again
            Err(_) => {}
        }
    }
}

impl Session for Queclink {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while self.owed.has_room(self.units)
            && let Some((line, len)) = wire::next(rest).map_err(|bad| closed(bad, intake))?
        {
            self.line(line, intake, out)?;
            rest = rest.get(len..).unwrap_or_default();
        }
        if self.units == Units::Datagram {
            if wire::blank(rest) < rest.len() {
                self.line(Err(NoLine), intake, out)?;
            }
            rest = &[];
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn on_durable(&mut self, _: u64, out: &mut Vec<u8>) {
        self.owed.on_durable(out);
    }

    fn is_blocked(&self) -> bool {
        self.owed.is_full()
    }

    fn unit_max(&self) -> usize {
        // with what stands between lines
        wire::LINE_MAX.saturating_mul(2)
    }
}

fn closed(bad: FrameError, intake: &mut dyn Intake) -> Disconnect {
    let (reason, detail) = match bad {
        FrameError::Binary => (
            InputError::Unsupported,
            "binary @Track: set the device's report format to ASCII",
        ),
        FrameError::Length => (InputError::Length, "8 KiB without the end of a line"),
    };
    intake.malformed(reason, detail);
    Disconnect { reason: detail }
}
