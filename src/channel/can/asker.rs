//! What is said on a bus, where it is to be: questions of OBD-II, requests of J1939.

use super::Told;
use super::keys::Keys;
use super::manners::Asks;
use super::obd::Obd;
use super::request::Requests;
use crate::wire::can::Frame;
use crate::wire::can::socket;
use std::time::Duration;

/// Those that ask; none where nothing is asked. They do on an interface only, where `now` is this
/// machine's time.
#[derive(Debug)]
pub(super) struct Asker(Vec<Box<dyn Asks>>);

impl Asker {
    /// Those that the keys want.
    pub(super) fn new(keys: &Keys) -> Self {
        let obd = keys.standards.obd.map(Obd::new);
        let requests = keys.request.as_ref().map(Requests::new);
        let obd = obd.map(|obd| Box::new(obd) as Box<dyn Asks>);
        let requests = requests.map(|requests| Box::new(requests) as Box<dyn Asks>);
        Self(obd.into_iter().chain(requests).collect())
    }

    /// Takes a frame with data, and gives `told` what answers say.
    pub(super) fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>) {
        for asks in &mut self.0 {
            asks.frame(now, frame, told);
        }
    }

    /// Appends what is asked now, as the kernel has it.
    pub(super) fn poll(&mut self, now: Duration, out: &mut Vec<u8>) {
        let mut frames = Vec::new();
        for asks in &mut self.0 {
            asks.poll(now, &mut frames);
        }
        out.extend(frames.iter().filter_map(socket::write).flatten());
    }

    /// When [`Asker::poll`] is due; none: a frame has to come before.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.0.iter().filter_map(|asks| asks.wake_at()).min()
    }

    /// The controller has left the bus.
    pub(super) fn stop(&mut self) {
        for asks in &mut self.0 {
            asks.stop();
        }
    }
}
