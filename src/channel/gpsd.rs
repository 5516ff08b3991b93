//! gpsd: its JSON protocol, as a client.
//!
//! This side asks for reports with `?WATCH`; what comes are objects, one a line. TPV of one `time`
//! are one epoch and become one message, with what the last SKY said. An epoch ends when another
//! time comes, or nothing for 300 ms. The protocol is that of `gpsd_json(5)`; speed is in m/s
//! there, and `alt` is what old versions call `altMSL`.
//!
//! # Receivers
//! gpsd serves several at once and says with each report which one it is of (`device`). The
//! channel's `device` chooses one, by the name that gpsd has for it; without it all are taken, each
//! with epochs of its own, and the parameter `gnss.device` names it.
//!
//! # Without a time
//! A receiver that sends GGA alone knows no date, and its TPV have no time. They were measured
//! when they came, each with another place a message of its own. Where a time follows within
//! 300 ms, or was said within the last 10 s, such a TPV is only a part of an epoch that has one.
//! That there is no fix counts without a time from who had one before.
//!
//! | what came | what becomes of it |
//! |---|---|
//! | other classes, receivers that are not chosen | passed over, whatever they look like |
//! | no JSON, no class, a line over 16 KiB | counted, dropped up to its end |
//! | a time, mode or place of another type, or that cannot be | counted, dropped |
//! | another field of TPV or SKY of another type, or that cannot be | left out |
//! | ERROR; a list of devices without the one that is chosen | counted, said |
//! | 64 lines in a row that are none | the connection ends, and is made again |

#![deny(clippy::arithmetic_side_effects)]

mod keys;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::bad_run::BadRun;
use super::bad_run::Broken;
use super::fix::EPOCH;
use super::fix::Fix;
use super::fix::METRE_PER_SECOND;
use crate::clock::Now;
use crate::message::timestamp;
pub use keys::KIND;
pub use keys::Keys;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

/// One connection.
#[derive(Debug)]
pub struct Gpsd {
    ident: String,
    /// The only one that is listened to.
    device: Option<String>,
    /// How much of the line that is under way is known to have no end in it.
    searched: usize,
    /// A line that is too long is passed over; so much of it came since it was last counted.
    skipping: Option<usize>,
    /// Lines in a row that were none.
    bad: BadRun,
    receivers: Vec<Receiver>,
}

/// What is known of one receiver.
#[derive(Debug)]
struct Receiver {
    /// As gpsd calls it; empty where it does not.
    device: String,
    epoch: Option<Epoch>,
    /// What the last SKY said, and when.
    sky: Option<(Sky, Duration)>,
    /// When it last said a time.
    timed: Option<Duration>,
    /// It had a fix.
    placed: bool,
    /// When it last said anything.
    heard: Duration,
}

/// What is known of one moment.
#[derive(Debug)]
struct Epoch {
    /// Microseconds since 1970; none: that of its arrival.
    time: Option<u64>,
    fix: Fix,
    /// When something was last added; without a time when it began.
    heard: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Sky {
    hdop: Option<f64>,
    satellites: Option<u64>,
}

/// What is looked at of every line: the rest may be anything.
#[derive(Debug, Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
}

/// What is looked at of a TPV.
#[derive(Debug)]
struct Tpv {
    time: Option<u64>,
    fix: Fix,
}

impl Gpsd {
    /// A connection that is made now; its messages are of `ident`, and of the receiver `device`
    /// alone if one is chosen.
    #[must_use]
    pub fn new(ident: &str, device: Option<&str>) -> Self {
        Self {
            ident: ident.to_owned(),
            device: device.map(str::to_owned),
            searched: 0,
            skipping: None,
            bad: BadRun::default(),
            receivers: Vec::new(),
        }
    }

    fn line(&mut self, line: &[u8], intake: &mut dyn Intake) -> Result<(), Disconnect> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match self.report(line, intake) {
            Ok(()) => {
                self.bad.end();
                Ok(())
            }
            Err((reason, detail)) => {
                intake.malformed(reason, detail);
                self.unread()
            }
        }
    }

    /// A line that is none; they are borne up to a bound.
    fn unread(&mut self) -> Result<(), Disconnect> {
        self.bad.grow();
        self.bad.check("what comes is not gpsd's")
    }

    fn report(&mut self, line: &[u8], intake: &mut dyn Intake) -> Result<(), Broken> {
        if line.len() > LINE_MAX {
            return Err(TOO_LONG);
        }
        let syntax = |_| (InputError::Syntax, "a line that is not gpsd's");
        let report: Report<'_> = serde_json::from_slice(line).map_err(syntax)?;
        if !matches!(&*report.class, "TPV" | "SKY" | "ERROR" | "DEVICES") {
            return Ok(());
        }
        let fields: Map<String, Value> = serde_json::from_slice(line).map_err(syntax)?;
        match &*report.class {
            "ERROR" => {
                let said = fields.get("message").and_then(Value::as_str);
                let said = format!("gpsd says: {}", shown(said.unwrap_or_default()));
                intake.malformed(InputError::Unsupported, &said);
            }
            "DEVICES" => self.check_devices(&fields, intake),
            class => {
                let Some(receiver) = self.receiver(&fields, intake)? else {
                    return Ok(());
                };
                if class == "TPV" {
                    self.tpv(receiver, tpv(&fields)?, intake);
                } else if let Some((sky, known)) = sky(&fields).zip(self.known(receiver)) {
                    known.sky = Some((sky, intake.now().mono));
                }
            }
        }
        Ok(())
    }

    /// Says so where gpsd does not have the receiver that is chosen: it may come, or be a slip.
    fn check_devices(&self, fields: &Map<String, Value>, intake: &mut dyn Intake) {
        let Some(wanted) = &self.device else {
            return;
        };
        let listed = fields.get("devices").and_then(Value::as_array);
        let paths = listed.into_iter().flatten();
        let paths: Vec<_> = paths.filter_map(|one| one.get("path")?.as_str()).collect();
        if !paths.contains(&wanted.as_str()) {
            let all = shown(&paths.join(", "));
            let detail = format!("gpsd has no device {wanted}, it has: {all}");
            intake.malformed(InputError::Unsupported, &detail);
        }
    }

    /// Where the receiver of a report stands among those that are known; none: it is not the one
    /// that is chosen.
    fn receiver(
        &mut self,
        fields: &Map<String, Value>,
        intake: &mut dyn Intake,
    ) -> Result<Option<usize>, Broken> {
        let device = match fields.get("device") {
            None | Some(Value::Null) => "",
            Some(Value::String(device)) if device.len() <= DEVICE_MAX => device,
            Some(_) => return Err((InputError::Value, "a device that is none")),
        };
        if self.device.as_ref().is_some_and(|chosen| chosen != device) {
            return Ok(None);
        }
        let heard = intake.now().mono;
        let mut all = self.receivers.iter();
        if let Some(at) = all.position(|known| known.device == device) {
            return Ok(Some(at));
        }
        let oldest = (0..).zip(&self.receivers).min_by_key(|(_, one)| one.heard);
        let oldest = oldest.map(|(at, _)| at);
        if let Some(at) = oldest.filter(|_| self.receivers.len() >= RECEIVERS_MAX) {
            self.finish(at, intake);
            self.receivers.remove(at);
        }
        self.receivers.push(Receiver {
            device: device.to_owned(),
            epoch: None,
            sky: None,
            timed: None,
            placed: false,
            heard,
        });
        Ok(self.receivers.len().checked_sub(1))
    }

    fn known(&mut self, at: usize) -> Option<&mut Receiver> {
        self.receivers.get_mut(at)
    }

    fn tpv(&mut self, at: usize, tpv: Tpv, intake: &mut dyn Intake) {
        let now = intake.now().mono;
        let Some(receiver) = self.known(at) else {
            return;
        };
        receiver.heard = now;
        if receiver.passes_over(&tpv, now) {
            return;
        }
        if receiver.begins_another(&tpv) {
            self.finish(at, intake);
        }
        if let Some(receiver) = self.known(at) {
            receiver.add(tpv, now);
        }
    }

    /// Ends the epoch of a receiver and brings it in.
    fn finish(&mut self, at: usize, intake: &mut dyn Intake) {
        let now = intake.now().mono;
        let all = self.device.is_none();
        let Some(receiver) = self.receivers.get_mut(at) else {
            return;
        };
        let Some(mut epoch) = receiver.epoch.take() else {
            return;
        };
        let recent = |(_, heard): &&(Sky, Duration)| heard.saturating_add(RECENT) > now;
        if let Some((sky, _)) = receiver.sky.as_ref().filter(recent) {
            // it counts 0 as well where the receiver does not say which ones it uses
            let satellites = sky.satellites.filter(|used| *used > 0 || !epoch.fix.valid);
            (epoch.fix.hdop, epoch.fix.satellites) = (sky.hdop, satellites);
        }
        let Some(mut message) = epoch.fix.message(&self.ident, epoch.time, intake) else {
            return;
        };
        if all && !receiver.device.is_empty() {
            message.set("gnss.device", receiver.device.as_str());
        }
        // refused is counted, and there is nobody to answer to
        drop(intake.submit(&mut [message]));
    }

    /// Ends the epochs that are over; all of them without a time.
    fn finish_due(&mut self, now: Option<Duration>, intake: &mut dyn Intake) {
        for at in 0..self.receivers.len() {
            let due = self.receivers.get(at).and_then(Receiver::due);
            if due.is_some_and(|due| now.is_none_or(|now| due <= now)) {
                self.finish(at, intake);
            }
        }
    }

    /// Passes over what came of a line that is too long, and says whether its end is there.
    fn skip(&mut self, part: &[u8], has_end: bool) -> Result<(), Disconnect> {
        let mut len = self.skipping.unwrap_or(0).saturating_add(part.len());
        while let Some(rest) = len.checked_sub(LINE_MAX) {
            len = rest;
            self.unread()?;
        }
        self.skipping = (!has_end).then_some(len);
        Ok(())
    }
}

impl Receiver {
    /// Whether a TPV without a time says nothing of its own.
    fn passes_over(&self, tpv: &Tpv, now: Duration) -> bool {
        let timed = self.timed.is_some_and(|at| at.saturating_add(RECENT) > now);
        let (has_fix, had_fix) = (tpv.fix.valid && tpv.fix.position.is_some(), self.placed);
        tpv.time.is_none() && (timed || !(has_fix || had_fix))
    }

    /// Whether the epoch that is under way ends with this one.
    fn begins_another(&self, tpv: &Tpv) -> bool {
        let Some(epoch) = &self.epoch else {
            return false;
        };
        match (epoch.time, tpv.time) {
            (Some(time), next) => next != Some(time),
            (None, Some(_)) => false,
            (None, None) => epoch.fix.position != tpv.fix.position,
        }
    }

    fn add(&mut self, tpv: Tpv, now: Duration) {
        let Tpv { time, fix: said } = tpv;
        self.placed |= said.valid && said.position.is_some();
        self.timed = time.map(|_| now).or(self.timed);
        let epoch = self.epoch.get_or_insert_with(|| Epoch {
            time,
            fix: Fix::default(),
            heard: now,
        });
        if time.is_some() {
            (epoch.time, epoch.heard) = (time, now);
        }
        let fix = &mut epoch.fix;
        fix.valid |= said.valid;
        fix.position = said.position.or(fix.position);
        fix.altitude = said.altitude.or(fix.altitude);
        fix.speed = said.speed.or(fix.speed);
        fix.direction = said.direction.or(fix.direction);
    }

    /// When the epoch is over if nothing more comes.
    fn due(&self) -> Option<Duration> {
        let epoch = self.epoch.as_ref()?;
        Some(epoch.heard.saturating_add(EPOCH))
    }
}

impl Session for Gpsd {
    fn opened(&mut self, _: Now, out: &mut Vec<u8>) {
        out.extend_from_slice(WATCH);
    }

    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        _: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        loop {
            let fresh = rest.get(self.searched..).unwrap_or_default();
            let Some(found) = fresh.iter().position(|byte| *byte == b'\n') else {
                self.searched = rest.len();
                break;
            };
            let (line, behind) = rest.split_at(self.searched.saturating_add(found));
            self.searched = 0;
            rest = behind.get(1..).unwrap_or_default();
            match self.skipping {
                Some(_) => self.skip(line, true)?,
                None => self.line(line, intake)?,
            }
        }
        if self.skipping.is_none() && rest.len() > LINE_MAX {
            let (reason, detail) = TOO_LONG;
            intake.malformed(reason, detail);
            self.skipping = Some(0);
        }
        if self.skipping.is_some() {
            self.skip(rest, false)?;
            self.searched = 0;
            rest = &[];
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn wake_at(&self) -> Option<Duration> {
        self.receivers.iter().filter_map(Receiver::due).min()
    }

    fn wake(&mut self, intake: &mut dyn Intake, _: &mut Vec<u8>) -> Result<(), Disconnect> {
        self.finish_due(Some(intake.now().mono), intake);
        Ok(())
    }

    fn on_eof(&mut self, intake: &mut dyn Intake) {
        self.finish_due(None, intake);
    }
}

/// What a TPV says.
fn tpv(fields: &Map<String, Value>) -> Result<Tpv, Broken> {
    let said = |name| fields.get(name).filter(|value| !value.is_null());
    let number = |name| said(name).and_then(Value::as_f64);
    let time = match said("time") {
        None => None,
        Some(time) => {
            let time = time.as_str().and_then(timestamp::from_iso8601);
            Some(time.ok_or((InputError::Value, "a time that is none"))?)
        }
    };
    let mode = match said("mode") {
        None => 0,
        Some(mode) => mode.as_u64().ok_or((InputError::Value, "no such mode"))?,
    };
    let degrees = |name, most: f64| match said(name) {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|value| value.abs() <= most) {
            Some(value) => Ok(Some(value)),
            None => Err((InputError::Value, "a position that is nowhere")),
        },
    };
    let fix = Fix {
        valid: mode >= 2,
        position: degrees("lat", 90.0)?.zip(degrees("lon", 180.0)?),
        altitude: number("altMSL").or(number("alt")),
        speed: number("speed").map(|speed| speed * METRE_PER_SECOND),
        direction: number("track"),
        ..Fix::default()
    };
    Ok(Tpv { time, fix })
}

/// What a SKY says; some have only satellites, some only precision, some neither.
fn sky(fields: &Map<String, Value>) -> Option<Sky> {
    let hdop = fields.get("hdop").and_then(Value::as_f64);
    let listed = fields.get("satellites").and_then(Value::as_array);
    let listed = listed.map(|all| {
        let used = all.iter().filter(|one| {
            let used = one.get("used").and_then(Value::as_bool);
            used == Some(true)
        });
        u64::try_from(used.count()).unwrap_or(u64::MAX)
    });
    let satellites = fields.get("uSat").and_then(Value::as_u64).or(listed);
    let known = satellites.is_some() || hdop.is_some();
    known.then_some(Sky { hdop, satellites })
}

/// What gpsd says, made fit for a line of a log.
fn shown(text: &str) -> String {
    let text = text.chars().take(SHOWN_MAX);
    text.flat_map(char::escape_debug).collect()
}

const TOO_LONG: Broken = (InputError::Length, "a line longer than gpsd's");

/// Asks for reports, of all receivers: to ask for one that is not there yet is an error.
const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";

/// As gpsd has it, and a little more.
const LINE_MAX: usize = 16 * 1024;

/// How much of what gpsd says a log line has, in characters before they are escaped.
const SHOWN_MAX: usize = 80;

/// Of a path, as gpsd has it.
const DEVICE_MAX: usize = 128;

/// gpsd is built for 4, as a rule; beyond it the one that was silent longest is forgotten.
const RECEIVERS_MAX: usize = 8;

/// What a SKY says, and that a receiver knows the time, counts for so long.
const RECENT: Duration = Duration::from_secs(10);
