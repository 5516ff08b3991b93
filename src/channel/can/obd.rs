//! OBD-II: what a car says when it is asked, and the manners of asking.
//!
//! It asks only what reads: services 01 (readings), 03 and 07 (trouble codes, confirmed and
//! pending), 09 (VIN).
//!
//! # Manners
//! - One question at a time, 100 ms between two; an answer has 100 ms, or 5 s where the unit says
//!   that it takes longer.
//! - Only while others are heard on the bus.
//! - First what is there at all, then only that: each reading every 10 s, VIN and codes once a
//!   drive.
//! - What was not answered comes after the others. Three questions in a row without an answer: a
//!   pause of 60 s, and then only after others are heard again.
//! - What a unit says that it does not have is asked no more until the next start.
//! - Not on a bus that speaks J1939, unless forced to.
//! - After an error in sending, nothing any more.
//!
//! Nobody answers where a security module guards the bus: that is no fault.

mod meaning;

use super::Told;
use super::manners::Asks;
use super::manners::Manners;
use crate::wire::can::Frame;
use crate::wire::can::Id;
use crate::wire::can::isotp;
use crate::wire::can::isotp::Incoming;
use crate::wire::can::isotp::Step;
use std::time::Duration;

/// How it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Each reading is asked for again after so long.
    pub every: Duration,
    /// Whether ids have 29 bits instead of 11.
    pub wide: bool,
    /// Whether it asks also where J1939 is heard.
    pub forced: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10),
            wide: false,
            forced: false,
        }
    }
}

/// What asks a vehicle by OBD-II, from the first frame of a connection on.
#[derive(Clone, Debug)]
pub struct Obd {
    settings: Settings,
    questions: Vec<Question>,
    /// The one that was asked last, while it may be answered.
    asked: Option<Asked>,
    incoming: Incoming,
    /// What goes at once.
    flow: Vec<Frame>,
    /// When the last question was.
    sent: Duration,
    is_j1939: bool,
    /// Questions in a row that nobody answered.
    silences: u8,
    codes: Vec<u16>,
    manners: Manners,
}

/// What is asked for: a service and a PID of it, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Question {
    service: u8,
    pid: u8,
    /// None: not in this drive any more.
    due: Option<Duration>,
    silences: u8,
    is_refused: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    at: usize,
    until: Duration,
    /// Whose answer counts: of several units, that with the lowest id.
    by: Option<u8>,
    /// Whether anything came, be it a refusal.
    is_heard: bool,
}

impl Obd {
    /// One that knows nothing of the vehicle yet, and first asks what there is.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            questions: vec![Question::new(READINGS, 0)],
            asked: None,
            incoming: Incoming::default(),
            flow: Vec::new(),
            sent: Duration::ZERO,
            is_j1939: false,
            silences: 0,
            codes: Vec::new(),
            manners: Manners::default(),
        }
    }

    /// Whether this PID of this service is asked for: it is there and was not refused for good.
    #[must_use]
    pub fn asks(&self, service: u8, pid: u8) -> bool {
        let same = |it: &Question| (it.service, it.pid) == (service, pid) && !it.is_refused;
        self.questions.iter().any(same)
    }

    /// Whether it keeps still because the bus speaks J1939.
    fn is_held_back(&self) -> bool {
        self.is_j1939 && !self.settings.forced
    }

    /// Which unit answers with this id.
    fn unit(&self, id: Id) -> Option<u8> {
        match id {
            Id::Standard(id) if !self.settings.wide => match id {
                0x7E8..=0x7EF => u8::try_from(id - 0x7E8).ok(),
                _ => None,
            },
            Id::Extended(id) if self.settings.wide => {
                let [head @ .., unit] = id.to_be_bytes();
                (head == [0x18, 0xDA, 0xF1]).then_some(unit)
            }
            _ => None,
        }
    }

    fn flow_to(&self, unit: u8) -> Option<Frame> {
        let id = match self.settings.wide {
            false => Id::Standard(0x7E0 + u16::from(unit)),
            true => Id::Extended(u32::from_be_bytes([0x18, 0xDA, unit, 0xF1])),
        };
        Frame::new(id, &isotp::FLOW)
    }

    /// A frame of somebody else: the vehicle is awake.
    fn other(&mut self, now: Duration, id: Id) {
        if let Id::Extended(id) = id {
            let [_, format, ..] = id.to_be_bytes();
            self.is_j1939 |= matches!(format, 0xFE | 0xF0);
        }
        if self.manners.hear_others(now) {
            // VIN and codes again; at the first one all are due
            for question in &mut self.questions {
                question.due.get_or_insert(now);
            }
        }
        if self.manners.wake_at().is_none() {
            self.schedule(now);
        }
    }

    /// Whether it may ask as soon as it is time.
    fn may_ask(&self, now: Duration) -> bool {
        self.manners.may_ask(now) && !self.is_held_back()
    }

    /// The question that has waited for longest.
    fn next(&mut self, now: Duration) -> Option<Frame> {
        let (at, due) = self.first()?;
        if now < due {
            return None;
        }
        let Question { service, pid, .. } = *self.questions.get(at)?;
        let bytes: &[u8] = match service {
            CODES | PENDING_CODES => &[service],
            _ => &[service, pid],
        };
        self.sent = now;
        self.manners.pause_until(now.saturating_add(GAP));
        self.incoming.clear();
        self.codes.clear();
        self.asked = Some(Asked {
            at,
            until: now.saturating_add(ANSWER_MAX),
            by: None,
            is_heard: false,
        });
        let id = match self.settings.wide {
            false => Id::Standard(0x7DF),
            true => Id::Extended(0x18DB_33F1),
        };
        Frame::new(id, &isotp::single(bytes)?)
    }

    /// Which question has waited for longest, and when it may be asked.
    fn first(&self) -> Option<(usize, Duration)> {
        let questions = self.questions.iter().enumerate();
        let open = questions.filter(|(_, question)| !question.is_refused);
        let due = open.filter_map(|(at, question)| Some((at, question.due?)));
        let (at, due) = due.min_by_key(|(_, due)| *due)?;
        Some((at, self.manners.not_before(due)))
    }

    /// Ends the wait for an answer.
    fn give_up(&mut self, now: Duration) {
        let Some(asked) = self.asked.filter(|asked| now >= asked.until) else {
            return;
        };
        self.asked = None;
        // somebody answers, though not this
        let is_known = self.questions.len() > 1;
        let Some(question) = self.questions.get_mut(asked.at) else {
            return;
        };
        if asked.is_heard {
            self.silences = 0;
            question.silences = 0;
            let again = question
                .is_reading()
                .then(|| now.saturating_add(self.settings.every));
            question.due = again;
            return;
        }
        self.silences = self.silences.saturating_add(1);
        question.silences = question.silences.saturating_add(1);
        self.manners.pause_until(self.sent.saturating_add(AGAIN));
        // others first: in a row they would bring the pause for all
        let later = match (is_known, question.is_reading()) {
            (false, _) => Duration::ZERO,
            (true, true) => self.settings.every,
            (true, false) => self.settings.every.min(PAUSE),
        };
        question.due = Some(now.saturating_add(later));
        if question.silences >= SILENCES_MAX && !question.is_reading() && is_known {
            question.due = None;
            question.silences = 0;
        }
        if self.silences >= SILENCES_MAX {
            self.silences = 0;
            self.manners.pause_until(now.saturating_add(PAUSE));
        }
    }

    fn await_until(&mut self, until: Duration) {
        if let Some(asked) = &mut self.asked {
            asked.until = asked.until.max(until);
        }
    }

    /// Whether it begins as the answer to what was asked.
    fn is_answer(&self, answer: &[u8]) -> bool {
        let question = self.question();
        let begins = |question: Question| match (question.service, answer) {
            (CODES | PENDING_CODES, [service, ..]) => *service == question.service | POSITIVE,
            (service, [first, pid, ..]) => *first == service | POSITIVE && *pid == question.pid,
            _ => false,
        };
        question.is_some_and(begins)
    }

    fn question(&self) -> Option<Question> {
        self.questions.get(self.asked?.at).copied()
    }

    fn answer(&mut self, now: Duration, unit: u8, answer: &[u8], told: &mut Told<'_>) {
        let Some(question) = self.question() else {
            return;
        };
        if let [NEGATIVE, service, reason] = answer {
            if *service == question.service {
                self.refused(*reason);
            }
            return;
        }
        if !self.is_answer(answer) {
            return;
        }
        let Some(asked) = &mut self.asked else { return };
        asked.is_heard = true;
        let is_first = asked.by.is_none_or(|by| unit < by);
        if is_first {
            asked.by = Some(unit);
        }
        let at = asked.at;
        if let Some(question) = self.questions.get_mut(at) {
            question.is_refused = false;
        }
        let data = answer.get(2..).unwrap_or_default();
        match (question.service, question.pid) {
            (READINGS, pid) if pid.is_multiple_of(0x20) => self.supported(now, pid, data),
            (CODES, _) => self.trouble("dtc", answer, told),
            (PENDING_CODES, _) => self.trouble("dtc.pending", answer, told),
            (READINGS, pid) if is_first => {
                if let Some((name, value)) = meaning::reading(pid, data) {
                    told(name, value);
                }
            }
            (VEHICLE, _) if is_first => {
                // behind the count of texts
                if let Some(vin) = meaning::text(data.get(1..).unwrap_or_default()) {
                    told("vehicle.vin", vin);
                }
            }
            _ => {}
        }
    }

    fn refused(&mut self, reason: u8) {
        if reason == PENDING {
            return self.await_until(self.sent.saturating_add(PENDING_MAX));
        }
        let Some(asked) = &mut self.asked else { return };
        asked.is_heard = true;
        let (at, is_answered) = (asked.at, asked.by.is_some());
        let is_for_good = matches!(reason, 0x11 | 0x12 | 0x31) && !is_answered;
        if let Some(question) = self.questions.get_mut(at) {
            question.is_refused |= is_for_good;
        }
    }

    /// A unit says which readings of the 32 behind `base` it has.
    fn supported(&mut self, now: Duration, base: u8, data: &[u8]) {
        let Some(bits) = data.first_chunk().copied().map(u32::from_be_bytes) else {
            return;
        };
        let has = |pid: u8| {
            let behind = pid.wrapping_sub(base).wrapping_sub(1);
            behind < 32 && bits >> (31 - behind) & 1 == 1
        };
        let next = base.checked_add(0x20).filter(|next| *next <= LAST_RANGE);
        let known = next
            .into_iter()
            .chain(meaning::pids())
            .filter(|pid| has(*pid));
        for pid in known {
            self.ask(now, Question::new(READINGS, pid));
        }
        self.ask(now, Question::new(VEHICLE, VIN));
        self.ask(now, Question::new(CODES, 0));
        self.ask(now, Question::new(PENDING_CODES, 0));
    }

    /// One more question, if it is none of those that there are.
    fn ask(&mut self, now: Duration, question: Question) {
        let same = |it: &Question| (it.service, it.pid) == (question.service, question.pid);
        if !self.questions.iter().any(same) {
            let due = Some(now);
            self.questions.push(Question { due, ..question });
        }
    }

    /// Codes of all units that answer come together.
    fn trouble(&mut self, name: &str, answer: &[u8], told: &mut Told<'_>) {
        let codes = answer.get(2..).unwrap_or_default().chunks_exact(2);
        let codes = codes.filter_map(|code| Some(u16::from_be_bytes(*code.first_chunk()?)));
        let count = answer.get(1).copied().unwrap_or_default();
        for code in codes.filter(|code| *code != 0).take(count.into()) {
            // two units may have the same one
            if self.codes.len() < CODES_MAX && !self.codes.contains(&code) {
                self.codes.push(code);
            }
        }
        told(name, meaning::codes(&self.codes));
    }

    fn schedule(&mut self, now: Duration) {
        let wake = match &self.asked {
            _ if !self.flow.is_empty() => Some(now),
            Some(asked) => Some(asked.until),
            None if self.may_ask(now) => self.first().map(|(_, due)| due),
            None => None,
        };
        self.manners.call_at(wake);
    }
}

impl Asks for Obd {
    fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>) {
        let Some(unit) = self.unit(frame.id) else {
            return self.other(now, frame.id);
        };
        if self.asked.is_none() {
            return;
        }
        match self.incoming.take(unit, frame.data()) {
            Step::Whole(answer) => self.answer(now, unit, &answer, told),
            Step::Head(head) if self.is_answer(&head) => {
                self.flow.extend(self.flow_to(unit));
                self.await_until(now.saturating_add(PART_MAX));
            }
            Step::Part => self.await_until(now.saturating_add(PART_MAX)),
            Step::Head(_) | Step::Nothing => {}
        }
        self.schedule(now);
    }

    fn poll(&mut self, now: Duration, out: &mut Vec<Frame>) {
        if self.manners.is_stopped() {
            self.flow.clear();
        }
        out.append(&mut self.flow);
        self.give_up(now);
        if self.asked.is_none() && self.may_ask(now) {
            out.extend(self.next(now));
        }
        self.schedule(now);
    }

    fn wake_at(&self) -> Option<Duration> {
        self.manners.wake_at()
    }

    fn stop(&mut self) {
        self.manners.stop();
    }
}

impl Question {
    fn new(service: u8, pid: u8) -> Self {
        Self {
            service,
            pid,
            due: Some(Duration::ZERO),
            silences: 0,
            is_refused: false,
        }
    }

    /// Whether its answer changes.
    fn is_reading(self) -> bool {
        self.service == READINGS && !self.pid.is_multiple_of(0x20)
    }
}

const READINGS: u8 = 0x01;
const CODES: u8 = 0x03;
const PENDING_CODES: u8 = 0x07;
const VEHICLE: u8 = 0x09;

/// In the service of an answer.
const POSITIVE: u8 = 0x40;
/// Begins a refusal.
const NEGATIVE: u8 = 0x7F;
/// A refusal that is none: the answer takes longer.
const PENDING: u8 = 0x78;

/// Of [`VEHICLE`].
const VIN: u8 = 0x02;

/// Where the last readings begin.
const LAST_RANGE: u8 = 0xA0;

/// Between two questions.
const GAP: Duration = Duration::from_millis(100);
/// For an answer to begin: 100 ms, and what came last is looked at 20 ms later.
const ANSWER_MAX: Duration = Duration::from_millis(120);
/// For one that takes longer.
const PENDING_MAX: Duration = Duration::from_secs(5);
/// Between two parts of an answer.
const PART_MAX: Duration = Duration::from_secs(1);
/// From a question without an answer to the next.
const AGAIN: Duration = Duration::from_secs(1);
/// After several.
const PAUSE: Duration = Duration::from_secs(60);
const SILENCES_MAX: u8 = 3;
/// Codes that are told.
const CODES_MAX: usize = 64;

#[cfg(test)]
mod tests;
