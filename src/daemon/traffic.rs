//! The raw traffic of one channel or stream, for whoever looks: the API while it was asked lately.
//! While nobody looks nothing is kept, and bytes that pass cost one branch.
//!
//! What is kept has no secret in it any more, see [`crate::traffic`].

mod recording;
mod tap;

pub(super) use tap::Tap;

use super::Daemon;
use super::shared::SharedState;
use super::waits::Waits;
use crate::api::Origin;
use crate::api::Packet;
use crate::api::PacketLook;
use crate::api::Way;
use crate::traffic::Secrets;
use recording::Recording;
use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

/// The traffic of one channel or stream.
#[derive(Default)]
pub(super) struct Traffic {
    is_watched: Cell<bool>,
    /// It is kept until then.
    until: Cell<Duration>,
    recording: RefCell<Option<Box<Recording>>>,
}

/// A connection as it is named to those who look.
#[derive(Clone, Copy)]
pub(super) struct Conn<'a> {
    pub(super) number: u64,
    pub(super) peer: &'a str,
}

impl Traffic {
    /// Whether anybody looks: the one branch that bytes cost.
    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched.get()
    }

    /// Keeps bytes that passed: those of `unit` from `from` on, as [`crate::traffic::Veil`] wants
    /// them.
    #[cold]
    pub(super) fn note(
        &self,
        shared: &SharedState,
        conn: Conn<'_>,
        way: Way,
        (unit, from): (&[u8], usize),
    ) {
        let now = shared.now();
        if self.until.get() <= now.mono {
            return self.end();
        }
        if let Some(recording) = self.recording.borrow_mut().as_mut() {
            let id = shared.lookers.packet();
            recording.note((id, now.wall.since_1970), conn, way, unit, from);
        }
    }

    /// An ident was named in a connection.
    #[cold]
    pub(super) fn named(&self, conn: u64, ident: &str) {
        if let Some(recording) = self.recording.borrow_mut().as_mut() {
            recording.named(conn, ident);
        }
    }

    /// The number of a sender of datagrams, who has no connection.
    pub(super) fn number_of(&self, peer: &str, shared: &SharedState) -> u64 {
        let known = self.recording.borrow();
        let known = known.as_ref().and_then(|known| known.number_of(peer));
        known.unwrap_or_else(|| shared.lookers.connection())
    }

    /// What somebody asks for, who may ask again soon.
    fn look(&self, shared: &SharedState, secrets: &Secrets, look: &PacketLook) -> Vec<Packet> {
        self.until.set(shared.now().mono + KEPT);
        self.is_watched.set(true);
        shared.lookers.asked();
        let mut recording = self.recording.borrow_mut();
        let recording = recording.get_or_insert_with(|| Box::new(Recording::new(secrets)));
        recording.packets(look, shared.lookers.last_packet())
    }

    fn end(&self) {
        self.is_watched.set(false);
        self.recording.take();
    }

    /// How long it is still kept; ends it where that is over.
    fn left(&self, now: Duration) -> Option<Duration> {
        let left = self.until.get().saturating_sub(now);
        if !self.is_watched() {
            return None;
        }
        if left.is_zero() {
            self.end();
        }
        Some(left).filter(|left| !left.is_zero())
    }
}

impl Daemon {
    /// The traffic of a channel or stream; none where there is none of that name.
    pub(super) fn traffic_of(&self, of: Origin<'_>, look: &PacketLook) -> Option<Vec<Packet>> {
        let shared = &self.shared;
        match of {
            Origin::Stream(name) => {
                let streams = self.all_streams();
                let stream = streams.iter().find(|known| known.settings.name == name)?;
                Some(stream.traffic.look(shared, &stream.settings.secrets, look))
            }
            Origin::Channel(name) => {
                let channels = self.all_channels();
                let channel = channels.iter().find(|known| known.name() == name)?;
                Some(
                    channel
                        .traffic
                        .look(shared, &channel.settings.secrets, look),
                )
            }
            Origin::All | Origin::Ring | Origin::Daemon => None,
        }
    }

    /// Forgets traffic that nobody looks at any more, for ever. Waits on: who asks, the time since.
    pub(super) async fn keep_forgetting(self) {
        loop {
            let asked = self.shared.lookers.asked_event();
            let now = self.shared.now().mono;
            let (streams, channels) = (self.all_streams(), self.all_channels());
            let streams = streams.iter().map(|stream| &stream.traffic);
            let all = streams.chain(channels.iter().map(|channel| &channel.traffic));
            let left = all.filter_map(|traffic| traffic.left(now)).min();
            Waits::on([asked]).at_most(left).end().await;
        }
    }
}

/// So long after the last who asked traffic is kept.
const KEPT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::clock::SIMULATED;
    use crate::ring::Full;
    use crate::ring::Memory;
    use crate::ring::Ring;
    use crate::ring::Settings;
    use crate::route::Routes;

    const DATE: Duration = Duration::from_secs(1_900_000_000);

    fn at(second: u64) {
        SIMULATED.set(Some((Duration::from_secs(second), DATE)));
    }

    fn shared() -> SharedState {
        let clock = Clock::new();
        let settings = Settings {
            size: 256 << 10,
            delay: KEPT,
            hold: KEPT,
            bytes: 65536,
            full: Full::DropOldest,
        };
        let memory = Box::new(Memory::new(256 << 10));
        let (ring, _) = Ring::open(memory, settings, clock.now(), 7).unwrap();
        SharedState::new(clock, ring, Routes::new(Vec::new(), Vec::new()))
    }

    #[test]
    fn traffic_is_kept_from_the_first_look_until_half_a_minute_after_the_last() {
        at(100);
        let (shared, traffic) = (shared(), Traffic::default());
        let mut tap = Tap::new(&shared);
        let pass = |tap: &mut Tap| {
            tap.came(&traffic, &shared, "p", (b"ab", 1));
            tap.goes(&traffic, &shared, "p", b"cd");
            tap.left(1);
        };
        let look = || {
            let look = PacketLook::default();
            traffic.look(&shared, &Secrets::default(), &look).len()
        };
        pass(&mut tap);
        assert!(traffic.recording.borrow().is_none(), "nobody looks");
        assert_eq!(look(), 0);
        // of "cd" the first byte is the rest of before
        pass(&mut tap);
        assert_eq!(look(), 2);
        at(129);
        assert_eq!(
            traffic.left(shared.now().mono),
            Some(Duration::from_secs(1))
        );
        assert_eq!(look(), 2);
        at(159);
        assert_eq!(traffic.left(shared.now().mono), None);
        assert!(!traffic.is_watched() && traffic.recording.borrow().is_none());
        assert_eq!(look(), 0, "it begins anew");
        at(189);
        pass(&mut tap);
        assert!(!traffic.is_watched(), "also where nobody forgets it");
        SIMULATED.set(None);
    }

    #[test]
    fn what_a_slow_far_end_leaves_is_noted_once() {
        at(100);
        let (shared, traffic) = (shared(), Traffic::default());
        let (mut tap, mut out) = (Tap::new(&shared), b"first".to_vec());
        let look = PacketLook::default();
        traffic.look(&shared, &Secrets::default(), &look);
        for taken in 1..5 {
            tap.goes(&traffic, &shared, "p", &out);
            out.drain(..taken);
            tap.left(out.len());
            out.extend_from_slice(b"next");
        }
        let packets = traffic.look(&shared, &Secrets::default(), &look);
        let data: Vec<&str> = packets.iter().map(|packet| packet.data.as_str()).collect();
        assert_eq!(data, ["Zmlyc3Q=", "bmV4dA==", "bmV4dA==", "bmV4dA=="]);
        SIMULATED.set(None);
    }
}
