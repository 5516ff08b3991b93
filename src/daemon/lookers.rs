//! What those who look at raw traffic share, whosever it is: numbers that no two packets or
//! connections have, and that somebody has begun to look.

use event_listener::Event;
use event_listener::EventListener;
use std::cell::Cell;

/// Of all channels and streams.
#[derive(Default)]
pub(super) struct Lookers {
    packets: Cell<u64>,
    connections: Cell<u64>,
    asked: Event,
}

impl Lookers {
    /// A number for a connection.
    pub(super) fn connection(&self) -> u64 {
        self.connections.set(self.connections.get() + 1);
        self.connections.get()
    }

    /// A number for a packet.
    pub(super) fn packet(&self) -> u64 {
        self.packets.set(self.packets.get() + 1);
        self.packets.get()
    }

    /// The last of these.
    pub(super) fn last_packet(&self) -> u64 {
        self.packets.get()
    }

    /// Somebody looks.
    pub(super) fn asked(&self) {
        self.asked.notify(usize::MAX);
    }

    /// Ends when somebody looks.
    pub(super) fn asked_event(&self) -> EventListener {
        self.asked.listen()
    }
}
