//! gpsd: its JSON protocol, as a client.
//!
//! This side asks for reports with `?WATCH`; what comes are objects, one a line. TPV of one `time`
//! are one epoch and become one message, with what the last SKY said. An epoch ends when another
//! time comes, or nothing for 300 ms. A TPV without a time says nothing that can be sent. The
//! protocol is that of `gpsd_json(5)`; speed is in m/s there, and `alt` is what old versions call
//! `altMSL`.
//!
//! A line that is no JSON, or over 10 KiB, is not gpsd's: the connection ends and is made again.

#![deny(clippy::arithmetic_side_effects)]

use super::fix::{EPOCH, Fix, METRE_PER_SECOND};
use super::{Close, Intake, Malformed, Session};
use crate::clock::Now;
use crate::message::{Message, timestamp};
use serde::Deserialize;
use std::time::Duration;

/// One connection.
#[derive(Debug)]
pub struct Gpsd {
    ident: String,
    /// How much of the line that is under way is known to have no end in it.
    searched: usize,
    epoch: Option<Epoch>,
    /// What the last SKY said, and when.
    sky: Option<(Sky, Duration)>,
}

/// What is known of one moment.
#[derive(Debug)]
struct Epoch {
    /// Microseconds since 1970.
    time: u64,
    fix: Fix,
    heard: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Sky {
    hdop: Option<f64>,
    satellites: Option<u64>,
}

/// What is looked at of a line.
#[derive(Debug, Deserialize)]
struct Report {
    class: String,
    time: Option<String>,
    mode: Option<u8>,
    lat: Option<f64>,
    lon: Option<f64>,
    #[serde(rename = "altMSL")]
    alt_msl: Option<f64>,
    alt: Option<f64>,
    speed: Option<f64>,
    track: Option<f64>,
    hdop: Option<f64>,
    #[serde(rename = "uSat")]
    used: Option<u64>,
    satellites: Option<Vec<Satellite>>,
    message: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Satellite {
    used: Option<bool>,
}

impl Gpsd {
    /// A connection that is made now; its messages are of `ident`.
    #[must_use]
    pub fn new(ident: &str) -> Self {
        Self {
            ident: ident.to_owned(),
            searched: 0,
            epoch: None,
            sky: None,
        }
    }

    fn line(&mut self, line: &[u8], intake: &mut dyn Intake) -> Result<(), Close> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let Ok(report) = serde_json::from_slice::<Report>(line) else {
            let reason = "a line that is not gpsd's";
            intake.malformed(Malformed::Syntax, reason);
            return Err(Close { reason });
        };
        match report.class.as_str() {
            "TPV" => self.tpv(&report, intake),
            "SKY" => {
                if let Some(sky) = sky(&report) {
                    self.sky = Some((sky, intake.now().mono));
                }
            }
            "ERROR" => {
                let said = report.message.unwrap_or_default();
                intake.malformed(Malformed::Unsupported, &format!("gpsd says: {said}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn tpv(&mut self, report: &Report, intake: &mut dyn Intake) {
        let Some(time) = report.time.as_deref() else {
            return;
        };
        let Some(time) = timestamp::from_iso8601(time) else {
            return intake.malformed(Malformed::Value, "a time that is none");
        };
        let position = report.lat.zip(report.lon);
        let fits = |(lat, lon): (f64, f64)| lat.abs() <= 90.0 && lon.abs() <= 180.0;
        if position.is_some_and(|position| !fits(position)) {
            return intake.malformed(Malformed::Value, "a position that is nowhere");
        }
        if self.epoch.as_ref().is_some_and(|epoch| epoch.time != time) {
            self.finish(intake);
        }
        let heard = intake.now().mono;
        let fix = Fix::default();
        let epoch = self.epoch.get_or_insert(Epoch { time, fix, heard });
        epoch.heard = heard;
        let fix = &mut epoch.fix;
        fix.valid |= report.mode.is_some_and(|mode| mode >= 2);
        fix.position = position.or(fix.position);
        fix.altitude = report.alt_msl.or(report.alt).or(fix.altitude);
        fix.speed = report
            .speed
            .map(|speed| speed * METRE_PER_SECOND)
            .or(fix.speed);
        fix.direction = report.track.or(fix.direction);
    }

    /// Ends the epoch and brings it in.
    fn finish(&mut self, intake: &mut dyn Intake) {
        let Some(mut epoch) = self.epoch.take() else {
            return;
        };
        let Ok(mut message) = Message::new(&self.ident) else {
            return intake.malformed(Malformed::Ident, "not an ident");
        };
        message.set_timestamp(epoch.time);
        let now: Now = intake.now();
        let recent = |(_, heard): &&(Sky, Duration)| heard.saturating_add(SKY) > now.mono;
        if let Some((sky, _)) = self.sky.as_ref().filter(recent) {
            (epoch.fix.hdop, epoch.fix.satellites) = (sky.hdop, sky.satellites);
        }
        epoch.fix.tell(&mut message);
        // refused is counted, and there is nobody to answer to
        drop(intake.take(vec![message]));
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
    ) -> Result<usize, Close> {
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
            self.line(line, intake)?;
        }
        if rest.len() > LINE_MAX {
            let reason = "a line longer than gpsd's";
            intake.malformed(Malformed::Length, reason);
            return Err(Close { reason });
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn safe(&mut self, _: u64, _: &mut Vec<u8>) {}

    fn wake_at(&self) -> Option<Duration> {
        let epoch = self.epoch.as_ref()?;
        Some(epoch.heard.saturating_add(EPOCH))
    }

    fn wake(&mut self, intake: &mut dyn Intake, _: &mut Vec<u8>) -> Result<(), Close> {
        if self.wake_at().is_some_and(|due| due <= intake.now().mono) {
            self.finish(intake);
        }
        Ok(())
    }

    fn ended(&mut self, intake: &mut dyn Intake) {
        self.finish(intake);
    }
}

/// What a SKY says; some have only satellites, some only precision, some neither.
fn sky(report: &Report) -> Option<Sky> {
    let listed = report.satellites.as_ref().map(|all| {
        let used = all.iter().filter(|one| one.used == Some(true));
        u64::try_from(used.count()).unwrap_or(u64::MAX)
    });
    let satellites = report.used.or(listed);
    let known = satellites.is_some() || report.hdop.is_some();
    known.then_some(Sky {
        hdop: report.hdop,
        satellites,
    })
}

/// Asks for reports.
const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";

/// As gpsd has it, and a little more.
const LINE_MAX: usize = 16 * 1024;

/// What a SKY says counts for so long.
const SKY: Duration = Duration::from_secs(10);
