//! One message a second through a ring, in virtual time: as the daemon drives it.

use crate::moment::at;
use std::time::Duration;
use weir::clock::Now;
use weir::ring::From;
use weir::ring::Full;
use weir::ring::Ring;
use weir::ring::Settings;
use weir::ring::Settled;
use weir::ring::Storage;
use weir::ring::StreamId;
use weir::ring::StreamSet;

/// Whether the destination answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Reachable,
    Away,
}

/// A ring with one stream, attached and ready.
pub(crate) struct Traffic {
    ring: Ring,
    stream: StreamId,
    destination: Destination,
}

impl Traffic {
    pub(crate) fn new(
        storage: Box<dyn Storage>,
        settings: Settings,
        destination: Destination,
    ) -> Self {
        let start = at(Duration::ZERO);
        let (mut ring, _) = Ring::open(storage, settings, start, 7).unwrap();
        let stream = ring.attach("cloud", From::New, start).unwrap();
        ring.set_connected(stream, destination == Destination::Reachable);
        Self {
            ring,
            stream,
            destination,
        }
    }

    /// One message in each second.
    pub(crate) fn run(&mut self, seconds: u64) {
        for second in 0..seconds {
            let start = Duration::from_secs(second);
            let mask: StreamSet = self.stream.mask();
            self.ring.append(mask, at(start), &[b'x'; BODY]).unwrap();
            if self.destination == Destination::Reachable {
                self.deliver(at(start + ROUND_TRIP));
            }
            self.commit_until(start + Duration::from_secs(1));
        }
    }

    fn deliver(&mut self, now: Now) {
        while let Some(record) = self.ring.read(self.stream, now) {
            let seq = record.seq;
            self.ring.settle(self.stream, seq, Settled::Accepted, now);
        }
    }

    fn commit_until(&mut self, end: Duration) {
        while let Some(due) = self.ring.next_commit().filter(|due| *due < end) {
            self.ring.commit(at(due)).unwrap();
        }
    }
}

/// The default policy for a ring of this size.
pub(crate) fn settings(size: u64) -> Settings {
    Settings {
        size,
        delay: Duration::from_millis(200),
        hold: Duration::from_secs(2),
        bytes: 64 * 1024,
        full: Full::DropOldest,
    }
}

/// Bytes of a message as stored: a position with some parameters.
pub(crate) const BODY: usize = 300;
/// From a message to its acknowledgement, over a mobile network.
const ROUND_TRIP: Duration = Duration::from_millis(300);
