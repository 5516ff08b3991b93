//! What is said on a bus, where it is to be: questions of OBD-II, requests of J1939.

use super::obd::Obd;
use super::request::Requests;
use crate::message::Value;
use crate::wire::can::Frame;
use crate::wire::can::socket;
use std::time::Duration;

/// Those that ask. They do on an interface only, where `now` is this machine's time.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) obd: Option<Obd>,
    pub(super) requests: Option<Requests>,
}

impl Asker {
    /// Takes a frame with data.
    pub(super) fn frame(
        &mut self,
        now: Duration,
        frame: &Frame,
        told: &mut dyn FnMut(&str, Value),
    ) {
        if let Some(obd) = &mut self.obd {
            obd.frame(now, frame, told);
        }
        if let Some(requests) = &mut self.requests {
            requests.frame(now, frame);
        }
    }

    /// Appends what is asked now, as the kernel has it.
    pub(super) fn poll(&mut self, now: Duration, out: &mut Vec<u8>) {
        let mut frames = Vec::new();
        if let Some(obd) = &mut self.obd {
            obd.poll(now, &mut frames);
        }
        if let Some(requests) = &mut self.requests {
            frames.extend(requests.poll(now));
        }
        out.extend(frames.iter().filter_map(socket::write).flatten());
    }

    /// When [`Asker::poll`] is due; none: a frame has to come before.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        let obd = self.obd.as_ref().and_then(Obd::wake_at);
        let requests = self.requests.as_ref().and_then(Requests::wake_at);
        obd.into_iter().chain(requests).min()
    }

    /// The controller has left the bus.
    pub(super) fn stop(&mut self) {
        if let Some(obd) = &mut self.obd {
            obd.stop();
        }
        if let Some(requests) = &mut self.requests {
            requests.stop();
        }
    }
}
