//! NMEA 0183: sentences of a GNSS receiver, over serial lines, TCP and UDP.
//!
//! What the bytes are is said in [`crate::wire::nmea`]. Sentences of one time of day are one epoch
//! and become one message: RMC gives it, GGA, VTG, GSA and ZDA add to it. A receiver that never
//! sends RMC, or whose RMC was damaged, is believed by its GGA. An epoch ends when another time
//! comes, or nothing for 300 ms.
//!
//! # Dates
//! The date is that of the epoch's own RMC or ZDA; else the day that brings the time of day nearest
//! to that of its TAG block; else the last one of RMC or ZDA, carried over midnight; else the day
//! nearest to now. What a date is worth is
//! judged for all protocols alike, in [`super::measured`].
//!
//! A sentence without a time was measured when its TAG block says, or when it came, with what
//! others say at once.
//!
//! # Who it is
//! It is the channel's `ident` where there is one, whatever the sender says. Without it a sender
//! names itself: in a sentence or a line of its own (`$PCPTI,name,…`, `$IMEI=digits`,
//! `IMEI digits`), glued before a `$`, or alone on the first line; the last one counts for what
//! follows. A TAG block before a sentence is no name. There are no answers.
//!
//! Ships are who their MMSI says, see `nmea/ais.rs`; the own one is the channel's `ident` where
//! there is one.
//!
//! What stands outside the checksums may be the rest of a sentence that lost some bytes. That is
//! no name: it has a `*` or a `,`, is one or two digits of a checksum, the head of a sentence or a
//! decimal fraction. It costs no sentence beside it. The first line begins anywhere, and is never
//! at fault; on a serial line there is always one who spoke before, and no first line.
//!
//! | what came | what becomes of it |
//! |---|---|
//! | a checksum wrong, missing or cut off, the end of a sentence | counted, dropped |
//! | a line over 512 bytes | counted, dropped up to its end |
//! | a TAG block with a wrong checksum | counted; the sentence behind it counts without it |
//! | AIS that is no armour, or too short for its type | counted, dropped |
//! | a part of AIS whose others do not come in 5 s, or the first in 1 s | dropped |
//! | a time, place or status out of its range | counted, dropped |
//! | another field that cannot be | left out |
//! | other sentences, other types of AIS, the end of one on the first line | passed over |
//! | 64 lines in a row that are none | the connection ends |

#![deny(clippy::arithmetic_side_effects)]

mod ais;
mod dates;
mod keys;
mod names;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::bad_run::BadRun;
use super::bad_run::Broken;
use super::fix::EPOCH;
use super::fix::Fix;
pub use super::kind::Units;
use crate::clock::Now;
use crate::message::check_ident;
use crate::wire::nmea as wire;
use crate::wire::nmea::Date;
use crate::wire::nmea::KNOT;
use crate::wire::nmea::Piece;
use crate::wire::nmea::Sentence;
use crate::wire::nmea::SentenceError;
use crate::wire::nmea::Tag;
pub use ais::Ships;
use dates::HALF_DAY;
use dates::after;
use dates::micros;
use dates::nearest;
use dates::wall;
pub use keys::KIND;
use names::is_tail;
use names::name;
use std::time::Duration;

/// One connection, serial line, or sender of datagrams.
#[derive(Debug)]
pub struct Nmea {
    /// The channel's: what the sender calls itself does not matter then.
    ident: Option<String>,
    /// What the sender called itself.
    name: Option<String>,
    units: Units,
    ships: Ships,
    parts: ais::Parts,
    /// What the TAG block before a sentence says, while that sentence is looked at.
    tag: Tag,
    epoch: Option<Epoch>,
    /// What came before an epoch began.
    ahead: Fix,
    /// The last date, and the time of day that it was said for.
    dated: Option<(Date, u64)>,
    has_rmc: bool,
    /// A line that is too long is passed over.
    skipping: bool,
    /// What comes began before anybody listened.
    joined: bool,
    lines: u64,
    /// Lines in a row that were none.
    bad: BadRun,
    /// Something could not be read since the last epoch began.
    damaged: bool,
}

/// What is known of one moment.
#[derive(Debug)]
struct Epoch {
    /// Microseconds of the day; none: when it came.
    time: Option<u64>,
    date: Option<Date>,
    /// What the TAG block of its first sentence that has one says.
    tagged: Option<u64>,
    /// What RMC says.
    valid: Option<bool>,
    /// What GGA says.
    quality: Option<u64>,
    fix: Fix,
    /// Something could not be read just before it.
    damaged: bool,
    /// When the last sentence of it came.
    heard: Duration,
}

impl Nmea {
    /// A sender that has said nothing yet.
    #[must_use]
    pub fn new(ident: Option<String>, units: Units) -> Self {
        Self {
            ident,
            name: None,
            units,
            ships: Ships::default(),
            parts: ais::Parts::default(),
            tag: Tag::default(),
            epoch: None,
            ahead: Fix::default(),
            dated: None,
            has_rmc: false,
            skipping: false,
            joined: false,
            lines: 0,
            bad: BadRun::default(),
            damaged: false,
        }
    }

    /// Takes the AIS of these.
    #[must_use]
    pub fn of_ships(self, ships: Ships) -> Self {
        Self { ships, ..self }
    }

    fn line(&mut self, line: &[u8], intake: &mut dyn Intake) -> Result<(), Disconnect> {
        if std::mem::take(&mut self.skipping) || line.trim_ascii().is_empty() {
            return Ok(());
        }
        self.lines = self.lines.saturating_add(1);
        match line.len() {
            0..=LINE_MAX => self.pieces(line, intake),
            _ => self.count(Err((InputError::Length, "a line over 512 bytes")), intake),
        }
        self.bad.check("what comes is not NMEA 0183")
    }

    fn pieces(&mut self, line: &[u8], intake: &mut dyn Intake) {
        let (mut text, mut alone) = (None, true);
        for piece in wire::pieces(line) {
            match piece {
                Piece::Text(found) => text = Some(found),
                Piece::Tag(read) => {
                    let read = read.map_err(malformed);
                    self.tag = read.unwrap_or_default();
                    self.count(read.map(drop), intake);
                    alone = false;
                }
                Piece::Sentence(read) => {
                    let before = text.take();
                    let taken = match read.map_err(malformed) {
                        Ok(sentence) => self.take(before, sentence, intake),
                        Err(broken) => Err(broken),
                    };
                    self.count(taken, intake);
                    self.tag = Tag::default();
                    alone = false;
                }
            }
        }
        self.tag = Tag::default();
        let taken = match text {
            Some(text) if alone => self.text(text, intake),
            Some(text) => self.beside(text),
            None => return,
        };
        if alone || taken.is_err() {
            self.count(taken, intake);
        }
    }

    fn count(&mut self, taken: Result<(), Broken>, intake: &mut dyn Intake) {
        match taken {
            Ok(()) => self.bad.end(),
            Err((reason, detail)) => {
                self.bad.add(reason, detail, intake);
                self.damaged = true;
            }
        }
    }

    /// A sentence, and what stands before its `$`.
    fn take(
        &mut self,
        before: Option<&[u8]>,
        sentence: Sentence,
        intake: &mut dyn Intake,
    ) -> Result<(), Broken> {
        let glued = before.and_then(name);
        let beside = before.map_or(Ok(()), |text| self.beside(text));
        if beside.is_err() {
            self.count(beside, intake);
        }
        if let Some(name) = glued {
            self.named(name, intake)?;
        }
        match sentence {
            Sentence::Name(name) => self.named(&name, intake)?,
            Sentence::Ais {
                own,
                talker,
                fields,
            } if self.ships.wants(own) => {
                let ident = self.ident.as_deref().filter(|_| own);
                let from = ais::Speaker { own, talker };
                let said = (fields.as_str(), self.tag);
                self.parts.take(from, said, ident, intake)?;
            }
            sentence => self.sentence(sentence, intake),
        }
        Ok(())
    }

    /// A line without a sentence.
    fn text(&mut self, text: &[u8], intake: &mut dyn Intake) -> Result<(), Broken> {
        if let Some(imei) = wire::imei(text) {
            return self.named(imei, intake);
        }
        let nobody = self.joined || self.ident.is_some() || is_tail(text);
        match name(text) {
            _ if self.lines == 1 && nobody => Ok(()),
            Some(name) if self.lines == 1 => self.named(name, intake),
            _ => Err((InputError::Syntax, "a line without a sentence")),
        }
    }

    /// What stands in a line with a sentence: the end of one that lost its beginning is counted.
    fn beside(&self, text: &[u8]) -> Result<(), Broken> {
        match text.contains(&b'*') && self.lines > 1 {
            true => Err((InputError::Checksum, "the end of a sentence alone")),
            false => Ok(()),
        }
    }

    /// The sender calls itself so.
    fn named(&mut self, name: &str, intake: &mut dyn Intake) -> Result<(), Broken> {
        if self.ident.is_some() || self.name.as_deref() == Some(name) {
            return Ok(());
        }
        check_ident(name).map_err(|_| (InputError::Ident, "a name that is no ident"))?;
        self.finish(intake);
        self.ahead = Fix::default();
        self.name = Some(name.to_owned());
        Ok(())
    }

    fn sentence(&mut self, sentence: Sentence, intake: &mut dyn Intake) {
        let now = intake.now().mono;
        match sentence {
            Sentence::Rmc(rmc) => {
                self.has_rmc = true;
                let epoch = self.epoch_of(rmc.time, |epoch| epoch.valid.is_some(), intake);
                epoch.valid = Some(rmc.valid);
                epoch.date = rmc.date.or(epoch.date);
                let fix = &mut epoch.fix;
                fix.position = rmc.position.or(fix.position);
                fix.speed = rmc.speed.map(|knots| knots * KNOT).or(fix.speed);
                fix.direction = rmc.course.or(fix.direction);
            }
            Sentence::Gga(gga) => {
                let epoch = self.epoch_of(gga.time, |epoch| epoch.quality.is_some(), intake);
                epoch.quality = Some(gga.quality);
                let fix = &mut epoch.fix;
                fix.position = fix.position.or(gga.position);
                fix.altitude = gga.altitude;
                fix.satellites = gga.satellites;
                fix.hdop = gga.hdop.or(fix.hdop);
            }
            Sentence::Zda { time, date } => {
                if time.is_some() {
                    let epoch = self.epoch_of(time, |_| false, intake);
                    epoch.date = epoch.date.or(date);
                }
            }
            Sentence::Vtg(vtg) => {
                let fix = self.fix(now);
                fix.speed = fix.speed.or(vtg.speed);
                fix.direction = fix.direction.or(vtg.course);
            }
            Sentence::Gsa { hdop } => {
                let fix = self.fix(now);
                fix.hdop = fix.hdop.or(hdop);
            }
            Sentence::Name(_) | Sentence::Ais { .. } | Sentence::Other => {}
        }
    }

    /// The epoch of this time of day; the one before ends if it was another. Without a time it is
    /// the one that is under way, unless that has a sentence of this kind already.
    fn epoch_of(
        &mut self,
        time: Option<u64>,
        has_one: impl Fn(&Epoch) -> bool,
        intake: &mut dyn Intake,
    ) -> &mut Epoch {
        let is_another = |epoch: &Epoch| match (epoch.time, time) {
            (Some(time), Some(next)) => time != next,
            _ => has_one(epoch),
        };
        if self.epoch.as_ref().is_some_and(is_another) {
            self.finish(intake);
        }
        let heard = intake.now().mono;
        let (ahead, damaged) = (&mut self.ahead, &mut self.damaged);
        let epoch = self.epoch.get_or_insert_with(|| Epoch {
            time,
            date: None,
            tagged: None,
            valid: None,
            quality: None,
            fix: std::mem::take(ahead),
            damaged: std::mem::take(damaged),
            heard,
        });
        epoch.time = epoch.time.or(time);
        epoch.tagged = epoch.tagged.or(self.tag.time);
        epoch.heard = heard;
        epoch
    }

    /// Where a sentence that says no time belongs.
    fn fix(&mut self, now: Duration) -> &mut Fix {
        match &mut self.epoch {
            Some(epoch) => {
                epoch.heard = now;
                &mut epoch.fix
            }
            None => &mut self.ahead,
        }
    }

    /// Ends the epoch and brings it in.
    fn finish(&mut self, intake: &mut dyn Intake) {
        let Some(mut epoch) = self.epoch.take() else {
            return;
        };
        let date = epoch
            .time
            .map(|time| (time, self.date(&epoch, time, intake.now())));
        if let Some((time, date)) = date {
            self.dated = date.map(|date| (date, time));
        }
        let damaged = epoch.damaged || self.damaged;
        let by_gga = (damaged || !self.has_rmc) && epoch.quality.is_some();
        let told = epoch.valid.is_some() || by_gga;
        if !told {
            return;
        }
        epoch.fix.valid = epoch.valid != Some(false) && epoch.quality != Some(0);
        let Some(ident) = self.ident.as_ref().or(self.name.as_ref()) else {
            let detail = "neither the sentences nor `ident` name a device";
            return intake.malformed(InputError::Ident, detail);
        };
        let micros = match date {
            Some((time, date)) => date.and_then(|date| micros(date, time)),
            None => epoch.tagged,
        };
        if let Some(message) = epoch.fix.message(ident, micros, intake) {
            // refused is counted, and there is nobody to answer to
            drop(intake.submit(&mut [message]));
        }
    }

    /// The day of an epoch, as far as it can be known.
    fn date(&self, epoch: &Epoch, time: u64, now: Now) -> Option<Date> {
        let carried = self.dated.and_then(|(date, before)| {
            let midnight = before > time.saturating_add(HALF_DAY);
            match midnight {
                true => after(date),
                false => Some(date),
            }
        });
        let tagged = || nearest(time, epoch.tagged?);
        let date = epoch.date.or_else(tagged).or(carried);
        date.or_else(|| nearest(time, wall(now)?))
    }
}

impl Session for Nmea {
    fn resync(&mut self) {
        self.joined = true;
    }

    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        _: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            self.line(line, intake)?;
        }
        if self.units == Units::Datagram && !rest.is_empty() {
            self.line(rest, intake)?;
            rest = &[];
        }
        if rest.len() > LINE_MAX {
            if !self.skipping {
                self.line(rest, intake)?;
            }
            self.skipping = true;
            rest = &[];
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn wake_at(&self) -> Option<Duration> {
        let epoch = self.epoch.as_ref()?;
        Some(epoch.heard.saturating_add(EPOCH))
    }

    fn wake(&mut self, intake: &mut dyn Intake, _: &mut Vec<u8>) -> Result<(), Disconnect> {
        if self.wake_at().is_some_and(|due| due <= intake.now().mono) {
            self.finish(intake);
        }
        Ok(())
    }

    fn on_eof(&mut self, intake: &mut dyn Intake) {
        self.finish(intake);
    }

    fn buffered_len(&self) -> usize {
        self.parts.len()
    }
}

fn malformed(invalid: SentenceError) -> Broken {
    match invalid {
        SentenceError::Syntax => (InputError::Syntax, "a sentence that cannot be read"),
        SentenceError::Checksum => (
            InputError::Checksum,
            "a checksum that is wrong or not there",
        ),
        SentenceError::Value => (InputError::Value, "a value out of its range"),
    }
}

/// Of a line, without its end; the standard has 82 bytes, receivers have more.
const LINE_MAX: usize = 512;
