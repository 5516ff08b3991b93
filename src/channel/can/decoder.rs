//! What a bus says, frame by frame, by all tables that are wanted.

use super::Told;
use super::j1939::J1939;
use super::nmea2000::Nmea2000;
use super::signals::Of;
use super::signals::Signals;
use crate::wire::can::Frame;
use std::time::Duration;

/// Reads what was asked for.
#[derive(Debug)]
pub(super) struct Decoder {
    signals: Signals,
    j1939: Option<J1939>,
    nmea2000: Option<Nmea2000>,
}

impl Decoder {
    /// Nothing was heard yet.
    pub(super) fn new(signals: Signals, j1939: Option<J1939>, nmea2000: Option<Nmea2000>) -> Self {
        Self {
            signals,
            j1939,
            nmea2000,
        }
    }

    /// Gives `told` what a frame with data says, without what is not available. `now` never goes
    /// back.
    pub(super) fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>) {
        self.signals.frame(now, frame, told);
        if let Some(j1939) = &mut self.j1939 {
            j1939.frame(now, frame, told);
        }
        if let Some(nmea2000) = &mut self.nmea2000 {
            nmea2000.frame(now, frame, told);
        }
    }

    /// Tells what is known no more, for nobody has said it for so long.
    pub(super) fn expire(&mut self, now: Duration, told: &mut Told<'_>) {
        if let Some(j1939) = &mut self.j1939 {
            j1939.expire(now, told);
        }
    }

    /// The frames that can tell something, some of them more than once; no other has to come.
    pub(super) fn wanted(&self) -> Vec<Of> {
        let j1939 = self.j1939.iter().flat_map(J1939::wanted);
        let nmea2000 = self.nmea2000.iter().flat_map(|_| Nmea2000::wanted());
        let mut all = self.signals.wanted();
        all.extend(j1939.chain(nmea2000).map(|pgn| Of::Pgn(pgn, None)));
        all
    }
}
