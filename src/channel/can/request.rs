//! Asks a bus of J1939 for what is only told when it is asked for (PGN 59904).
//!
//! A request is for all, so that a long answer is announced to all as well.
//!
//! # Manners
//! - One request at a time: the next follows an answer after 250 ms, silence after 1.25 s.
//! - Only while others are heard; what was asked for does not count, it would keep the bus awake.
//! - What is told by itself, as a gateway of FMS does, is not asked for.
//! - After bus-off nothing any more.
//! - Its address is not claimed: that is for those who have a function on the bus.

use super::Told;
use super::manners::Asks;
use super::manners::Manners;
use crate::wire::can::Frame;
use crate::wire::can::Id;
use crate::wire::can::j1939::Address;
use crate::wire::can::j1939::TRANSPORT;
use crate::wire::can::j1939::TRANSPORT_DATA;
use crate::wire::can::j1939::request;
use crate::wire::can::transport::announced;
use std::time::Duration;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The parameter groups that are told when they are asked for.
    pub pgns: Vec<u32>,
    /// Each is asked for after so long without it.
    pub every: Duration,
    /// The address of who asks, as the bus sees it.
    pub source: u8,
}

/// What asks a bus of J1939, from the first frame of a connection on.
#[derive(Clone, Debug)]
pub struct Requests {
    every: Duration,
    source: u8,
    wanted: Vec<Wanted>,
    /// The one that was asked for last, until it is told.
    asked: Option<u32>,
    manners: Manners,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    pgn: u32,
    due: Duration,
}

impl Requests {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let due = Duration::ZERO;
        let wanted = settings.pgns.iter().map(|pgn| Wanted { pgn: *pgn, due });
        Self {
            every: settings.every,
            source: settings.source,
            wanted: wanted.collect(),
            asked: None,
            manners: Manners::default(),
        }
    }

    /// A frame that nobody was asked for: the vehicle is awake. Where it was not before, what it
    /// tells by itself comes first.
    fn other(&mut self, now: Duration) {
        if self.manners.hear_others(now) {
            for wanted in &mut self.wanted {
                wanted.due = now.saturating_add(BY_ITSELF);
            }
        }
        if self.manners.wake_at().is_none() {
            self.schedule(now);
        }
    }

    /// When the next may be asked for.
    fn first(&self) -> Option<Duration> {
        let due = self.wanted.iter().map(|it| it.due).min();
        due.map(|due| self.manners.not_before(due))
    }

    fn schedule(&mut self, now: Duration) {
        let due = self.first().filter(|_| self.manners.may_ask(now));
        self.manners.call_at(due);
    }
}

impl Asks for Requests {
    fn frame(&mut self, now: Duration, frame: &Frame, _told: &mut Told<'_>) {
        let Some(address) = Address::of(frame.id) else {
            return self.other(now);
        };
        let (pgn, packets) = match address.pgn {
            TRANSPORT_DATA => return,
            TRANSPORT => match announced(frame.data()) {
                Some(announced) => announced,
                None => return,
            },
            pgn => (pgn, 0),
        };
        let Some(wanted) = self.wanted.iter_mut().find(|it| it.pgn == pgn) else {
            return self.other(now);
        };
        wanted.due = now.saturating_add(self.every);
        if self.asked == Some(pgn) {
            self.asked = None;
            let whole = now.saturating_add(PACKET_MAX.saturating_mul(packets.into()));
            self.manners.pause_until(whole.saturating_add(GAP));
            self.schedule(now);
        }
    }

    fn poll(&mut self, now: Duration, out: &mut Vec<Frame>) {
        let due = self.first().filter(|due| *due <= now);
        let due = due.filter(|_| self.manners.may_ask(now));
        let pgn = due.and_then(|_| {
            let every = self.every;
            let first = self.wanted.iter_mut().min_by_key(|it| it.due)?;
            first.due = now.saturating_add(every);
            Some(first.pgn)
        });
        if pgn.is_some() {
            self.asked = pgn;
            self.manners.pause_until(now.saturating_add(ANSWER_MAX));
        }
        self.schedule(now);
        out.extend(pgn.and_then(|pgn| {
            let (id, data) = request(pgn, self.source);
            Frame::new(Id::Extended(id), &data)
        }));
    }

    fn wake_at(&self) -> Option<Duration> {
        self.manners.wake_at()
    }

    fn stop(&mut self) {
        self.manners.stop();
    }
}

/// For an answer to begin, as SAE J1939-21 has it.
const ANSWER_MAX: Duration = Duration::from_millis(1250);
/// From the end of an answer to the next request.
const GAP: Duration = Duration::from_millis(250);
/// From one packet of an answer to the next.
const PACKET_MAX: Duration = Duration::from_millis(200);
/// What is told by itself is told every 10 s.
const BY_ITSELF: Duration = Duration::from_secs(12);

#[cfg(test)]
mod tests;
