//! A vehicle: it drives, reports, and keeps each report until it is acknowledged, as devices do.
//! It sees bytes and times, no socket.

use super::balance::Account;
use super::encode;
use super::encode::Report;
use super::road::Drive;
use super::road::Fix;
use super::road::Road;
use crate::wire::teltonika::encode_login;
use std::collections::VecDeque;
use std::time::Duration;

/// A vehicle with its tracker.
#[derive(Debug)]
pub(super) struct Vehicle {
    /// For the picture.
    pub(super) name: &'static str,
    /// Who it says that it is.
    pub(super) ident: &'static str,
    /// What it speaks.
    pub(super) protocol: Protocol,
    drive: Drive,
    /// Reports without an acknowledgement, oldest first; at most [`BUFFER_MAX`].
    buffer: VecDeque<Report>,
    /// How many of the first in the buffer went out over this connection.
    in_flight: usize,
    /// Acknowledged over this connection.
    acked_here: u64,
    /// Whether reports may go out over this connection.
    is_welcome: bool,
    /// How often it has moved.
    steps: u32,
    account: Account,
}

/// What a tracker speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Codec 8E over TCP.
    Teltonika,
    /// JSON lines.
    Json,
    /// J1939, as `candump` writes it; nobody answers on a bus.
    Can,
}

/// When a tracker sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// When there is enough for a packet.
    Gather,
    /// All that it has.
    Flush,
}

/// An answer that no daemon should give; the tracker hangs up and comes back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Confused;

impl Vehicle {
    /// A vehicle that stands at a share of the road, see [`Drive::start`].
    pub(super) fn new(kind: &Kind, road: &Road) -> Self {
        Self {
            name: kind.name,
            ident: kind.ident,
            protocol: kind.protocol,
            drive: Drive::start(road, kind.share),
            buffer: VecDeque::new(),
            in_flight: 0,
            acked_here: 0,
            is_welcome: false,
            steps: 0,
            account: Account::default(),
        }
    }

    /// Drives on until `time`, `step` later than the last time, and reports; `date` is since 1970.
    /// A tracker whose memory is full does not report.
    pub(super) fn advance(&mut self, road: &Road, time: Duration, step: Duration, date: Duration) {
        self.drive.advance(road, time, step);
        self.steps = self.steps.wrapping_add(1);
        let is_due = self.steps.is_multiple_of(self.protocol.steps());
        if is_due && self.buffer.len() < BUFFER_MAX {
            let number = self.account.acked + self.buffer.len() as u64 + 1;
            self.buffer.push_back(Report {
                number,
                time: date,
                fix: self.drive.fix(road),
            });
        }
    }

    /// A connection is there: says who it is, where the protocol wants that.
    pub(super) fn connected(&mut self, out: &mut Vec<u8>) {
        self.disconnected();
        match self.protocol {
            // an IMEI always fits
            Protocol::Teltonika => encode_login(self.ident, out).unwrap_or_default(),
            Protocol::Json | Protocol::Can => self.is_welcome = true,
        }
    }

    /// The connection is gone: what was not acknowledged will be sent again.
    pub(super) fn disconnected(&mut self) {
        self.in_flight = 0;
        self.acked_here = 0;
        self.is_welcome = false;
    }

    /// Sends what may go now.
    pub(super) fn send(&mut self, pace: Pace, out: &mut Vec<u8>) {
        if !self.is_welcome {
            return;
        }
        match self.protocol {
            Protocol::Teltonika => self.send_packet(pace, out),
            Protocol::Json => self.send_lines(out),
            Protocol::Can => self.send_frames(out),
        }
    }

    /// One packet, and no other before it is answered.
    fn send_packet(&mut self, pace: Pace, out: &mut Vec<u8>) {
        let enough = match pace {
            Pace::Gather => PACKET_MIN,
            Pace::Flush => 1,
        };
        if self.in_flight == 0 && self.buffer.len() >= enough {
            let count = self.buffer.len().min(encode::PACKET_MAX);
            if encode::packet(self.buffer.iter().take(count), out).is_ok() {
                self.depart(count);
            }
        }
    }

    /// All lines, as far as the window goes.
    fn send_lines(&mut self, out: &mut Vec<u8>) {
        let count = self
            .buffer
            .len()
            .min(WINDOW_MAX)
            .saturating_sub(self.in_flight);
        for report in self.buffer.iter().skip(self.in_flight).take(count) {
            encode::line(self.ident, report, out);
        }
        self.depart(count);
    }

    /// As much as a FIFO takes at once or not at all. What is on a bus is on it: no report is kept.
    fn send_frames(&mut self, out: &mut Vec<u8>) {
        let count = self.buffer.len().min(FRAMES_MAX);
        for report in self.buffer.iter().take(count) {
            encode::frames(report, out);
        }
        self.depart(count);
        let _none_waits_for_an_answer = self.acked(count as u64);
    }

    /// The next `count` reports are on their way.
    fn depart(&mut self, count: usize) {
        self.in_flight += count;
        let last = self.account.acked + self.in_flight as u64;
        self.account.sent = self.account.sent.max(last);
    }

    /// Takes the whole answers at the head of `input` and returns how many bytes they had.
    ///
    /// # Errors
    /// When an answer fits nothing that was sent.
    pub(super) fn receive(&mut self, input: &[u8]) -> Result<usize, Confused> {
        match self.protocol {
            Protocol::Teltonika if !self.is_welcome => self.receive_welcome(input),
            Protocol::Teltonika => self.receive_count(input),
            Protocol::Json => self.receive_line(input),
            Protocol::Can => Ok(0),
        }
    }

    fn receive_welcome(&mut self, input: &[u8]) -> Result<usize, Confused> {
        match input.first() {
            None => Ok(0),
            Some(1) => {
                self.is_welcome = true;
                Ok(1)
            }
            Some(_) => Err(Confused),
        }
    }

    fn receive_count(&mut self, input: &[u8]) -> Result<usize, Confused> {
        let Some((count, _)) = input.split_first_chunk() else {
            return Ok(0);
        };
        let count = u64::from(u32::from_be_bytes(*count));
        if count == 0 || count != self.in_flight as u64 {
            return Err(Confused);
        }
        self.acked(count)?;
        Ok(COUNT_LEN)
    }

    fn receive_line(&mut self, input: &[u8]) -> Result<usize, Confused> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return Ok(0);
        };
        let line = input.get(..end).unwrap_or_default();
        let answer: Answer = serde_json::from_slice(line).map_err(|_| Confused)?;
        let more = answer.acked.checked_sub(self.acked_here).ok_or(Confused)?;
        self.acked(more)?;
        Ok(end + 1)
    }

    /// The oldest `count` reports are safe.
    fn acked(&mut self, count: u64) -> Result<(), Confused> {
        let oldest = usize::try_from(count).map_err(|_| Confused)?;
        self.in_flight = self.in_flight.checked_sub(oldest).ok_or(Confused)?;
        self.buffer.drain(..oldest);
        self.acked_here += count;
        self.account.acked += count;
        Ok(())
    }

    /// Whether every report is acknowledged.
    pub(super) fn is_done(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What it knows of its messages.
    pub(super) fn account(&self) -> Account {
        self.account
    }

    /// Where it is.
    pub(super) fn fix(&self, road: &Road) -> Fix {
        self.drive.fix(road)
    }
}

impl Protocol {
    /// From one report to the next.
    fn steps(self) -> u32 {
        match self {
            Self::Teltonika | Self::Json => 1,
            Self::Can => 5,
        }
    }
}

/// What vehicles there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) ident: &'static str,
    pub(super) protocol: Protocol,
    /// Where on the road it starts, see [`Drive::start`].
    pub(super) share: f64,
}

#[derive(serde::Deserialize)]
struct Answer {
    acked: u64,
}

/// Bytes of the answer to a packet.
const COUNT_LEN: usize = size_of::<u32>();

/// Of a tracker's memory: minutes without the daemon.
const BUFFER_MAX: usize = 10_000;

/// A Teltonika tracker gathers so many reports for a packet.
const PACKET_MIN: usize = 4;

/// Reports of a bus at once: 2 KB, of 4 KB that a FIFO takes as one.
const FRAMES_MAX: usize = 8;

/// Lines without an acknowledgement.
const WINDOW_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    /// A vehicle with so many reports, connected and welcome.
    fn vehicle(protocol: Protocol, reports: u32) -> Vehicle {
        let road = Road::new();
        let kind = Kind {
            name: "bus 1",
            ident: "356307042441013",
            protocol,
            share: 0.5,
        };
        let mut vehicle = Vehicle::new(&kind, &road);
        for number in 1..=reports {
            vehicle.advance(&road, STEP * number, STEP, STEP * number);
        }
        connect(&mut vehicle);
        vehicle
    }

    fn connect(vehicle: &mut Vehicle) {
        vehicle.connected(&mut Vec::new());
        if vehicle.protocol == Protocol::Teltonika {
            assert_eq!(vehicle.receive(&[1]), Ok(1));
        }
    }

    fn said(vehicle: &mut Vehicle, pace: Pace) -> Vec<u8> {
        let mut out = Vec::new();
        vehicle.send(pace, &mut out);
        out
    }

    fn numbers(lines: &[u8]) -> Vec<u64> {
        let lines = lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let value = |line| serde_json::from_slice::<serde_json::Value>(line).unwrap();
        lines
            .map(|line| value(line)[encode::NUMBER].as_u64().unwrap())
            .collect()
    }

    #[test]
    fn a_teltonika_tracker_waits_for_its_welcome_and_for_each_answer() {
        let mut vehicle = vehicle(Protocol::Teltonika, 20);
        let mut login = Vec::new();
        vehicle.connected(&mut login);
        assert_eq!(login.len(), 17);
        assert!(said(&mut vehicle, Pace::Flush).is_empty());
        assert_eq!(vehicle.receive(&[1]), Ok(1));
        assert_eq!(said(&mut vehicle, Pace::Flush)[9], 16);
        assert!(said(&mut vehicle, Pace::Flush).is_empty());
        assert_eq!(vehicle.receive(&[0, 0, 0]), Ok(0));
        assert_eq!(vehicle.receive(&[0, 0, 0, 16]), Ok(4));
        assert_eq!(
            vehicle.account(),
            Account {
                sent: 16,
                acked: 16
            }
        );
        assert_eq!(said(&mut vehicle, Pace::Flush)[9], 4);
    }

    #[test]
    fn a_teltonika_tracker_gathers_until_a_packet_is_worth_it() {
        let mut vehicle = vehicle(Protocol::Teltonika, 3);
        assert!(said(&mut vehicle, Pace::Gather).is_empty());
        assert_eq!(said(&mut vehicle, Pace::Flush)[9], 3);
    }

    #[test]
    fn lines_go_out_once_and_leave_the_buffer_when_acknowledged() {
        let mut vehicle = vehicle(Protocol::Json, 3);
        assert_eq!(numbers(&said(&mut vehicle, Pace::Gather)), [1, 2, 3]);
        assert!(said(&mut vehicle, Pace::Gather).is_empty());
        assert_eq!(vehicle.receive(b"{\"acked\":2}\n{"), Ok(12));
        assert_eq!(vehicle.receive(b"{\"acked\":3}\n"), Ok(12));
        assert!(vehicle.is_done());
        assert_eq!(vehicle.account(), Account { sent: 3, acked: 3 });
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_over_the_next_connection() {
        let mut vehicle = vehicle(Protocol::Json, 4);
        said(&mut vehicle, Pace::Gather);
        assert_eq!(vehicle.receive(b"{\"acked\":1}\n"), Ok(12));
        connect(&mut vehicle);
        assert_eq!(numbers(&said(&mut vehicle, Pace::Gather)), [2, 3, 4]);
        assert_eq!(vehicle.receive(b"{\"acked\":3}\n"), Ok(12));
        assert!(vehicle.is_done());
        assert_eq!(vehicle.account(), Account { sent: 4, acked: 4 });
    }

    #[test]
    fn a_bus_says_each_fifth_report_once_whoever_hears_it() {
        let mut vehicle = vehicle(Protocol::Can, 50);
        for reports in [8, 2, 0] {
            let text = String::from_utf8(said(&mut vehicle, Pace::Gather)).unwrap();
            assert_eq!(text.matches(" 7E0#").count(), reports);
            assert!(text.len() < 4096);
        }
        let account = Account {
            sent: 10,
            acked: 10,
        };
        assert!(vehicle.is_done());
        assert_eq!(vehicle.account(), account);
    }

    #[test]
    fn an_answer_that_fits_nothing_is_refused() {
        let mut teltonika = vehicle(Protocol::Teltonika, 8);
        assert_eq!(said(&mut teltonika, Pace::Gather)[9], 8);
        assert_eq!(teltonika.receive(&[0, 0, 0, 9]), Err(Confused));
        assert_eq!(teltonika.receive(&[0, 0, 0, 0]), Err(Confused));
        let mut json = vehicle(Protocol::Json, 2);
        said(&mut json, Pace::Gather);
        assert_eq!(json.receive(b"{\"acked\":3}\n"), Err(Confused));
        assert_eq!(
            json.receive(b"{\"error\":\"unwanted\",\"line\":1}\n"),
            Err(Confused)
        );
    }

    #[test]
    fn a_full_memory_takes_no_more() {
        let vehicle = vehicle(Protocol::Json, 10_005);
        assert_eq!(vehicle.buffer.len(), BUFFER_MAX);
    }
}
