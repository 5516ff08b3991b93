//! The destination that comes back: so many connections and messages a second and no more.

use std::collections::VecDeque;
use std::time::Duration;

/// What a destination stands.
#[derive(Clone, Copy)]
pub(crate) struct Capacity {
    /// New connections a second.
    pub(crate) connections: u32,
    /// Connections that wait for being accepted; those beyond are refused.
    pub(crate) waiting: u32,
    /// Messages a second.
    pub(crate) messages: u32,
}

/// The door: connections wait there in a line.
pub(crate) struct Door {
    capacity: Capacity,
    /// When the last of the line is let in.
    free_at: Duration,
}

impl Door {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let free_at = Duration::ZERO;
        Self { capacity, free_at }
    }

    /// When one that knocks now is let in; none: it is refused.
    pub(crate) fn knock(&mut self, now: Duration) -> Option<Duration> {
        let each = Duration::from_secs(1) / self.capacity.connections;
        let line = self.free_at.max(now);
        if line - now > each * self.capacity.waiting {
            return None;
        }
        self.free_at = line + each;
        Some(self.free_at)
    }
}

/// Whose messages are taken first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// One of each connection in turn: what is not read yet waits in the sockets.
    Fair,
    /// Who comes first: all that comes is read at once, and waits in memory.
    FirstCome,
}

/// Messages that came and are not taken yet.
pub(crate) struct Inbox {
    turn: Turn,
    /// First come: of whom, over which of its connections, how many.
    queue: VecDeque<(usize, u32, u32)>,
    /// In turn: how many of each gateway.
    held: Vec<u32>,
    next: usize,
    /// In all.
    pub(crate) waiting: u64,
}

impl Inbox {
    pub(crate) fn new(turn: Turn, gateways: usize) -> Self {
        Self {
            turn,
            queue: VecDeque::new(),
            held: vec![0; gateways],
            next: 0,
            waiting: 0,
        }
    }

    pub(crate) fn put(&mut self, gateway: usize, connection: u32, count: u32) {
        self.waiting += u64::from(count);
        match self.turn {
            Turn::Fair => self.held[gateway] += count,
            Turn::FirstCome => self.queue.push_back((gateway, connection, count)),
        }
    }

    /// A connection ended: what was not read of it is gone.
    pub(crate) fn end(&mut self, gateway: usize) {
        let held = std::mem::take(&mut self.held[gateway]);
        self.waiting -= u64::from(held);
    }

    /// Takes up to `count`: of whom and over which connection. In turn the connection is the last.
    pub(crate) fn take(&mut self, count: u32, mut taken: impl FnMut(usize, Option<u32>, u32)) {
        let mut left = count.min(u32::try_from(self.waiting).unwrap_or(u32::MAX));
        self.waiting -= u64::from(left);
        while left > 0 {
            match self.turn {
                Turn::Fair => {
                    let at = self.next;
                    self.next = (at + 1) % self.held.len();
                    if self.held[at] > 0 {
                        self.held[at] -= 1;
                        left -= 1;
                        taken(at, None, 1);
                    }
                }
                Turn::FirstCome => {
                    let Some((gateway, connection, count)) = self.queue.front_mut() else {
                        return;
                    };
                    let now = left.min(*count);
                    taken(*gateway, Some(*connection), now);
                    *count -= now;
                    left -= now;
                    if *count == 0 {
                        self.queue.pop_front();
                    }
                }
            }
        }
    }
}
