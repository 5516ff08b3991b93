//! What must be true, known from what senders were told and destinations received, and from the
//! faults that were made. Knows neither engine nor ring.

use super::destination::Said;
use super::trace;
use std::time::Duration;

/// All that was ever brought into the gateway, and who had what of it.
pub(super) struct Oracle {
    pub(super) streams: Vec<Truth>,
    pub(super) instances: Vec<Instance>,
    pub(super) boot: u32,
    pub(super) violation: Option<String>,
}

/// A message as it was once taken by the gateway; its number is its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    /// When, and in which boot of the machine.
    pub(super) at: Duration,
    pub(super) boot: u32,
    /// The streams that want it.
    pub(super) mask: u8,
    pub(super) speed: u8,
    /// When it was measured.
    pub(super) measured: Duration,
    /// Its sender was told that it is safe.
    pub(super) acknowledged: bool,
}

/// What the configuration promises of a stream.
#[derive(Clone, Debug)]
pub(super) struct Promised {
    /// Of which senders it wants messages.
    pub(super) idents: u8,
    pub(super) speed_min: Option<u8>,
    pub(super) ttl: Option<Duration>,
    pub(super) max_age: Option<Duration>,
    pub(super) every: Option<Duration>,
    pub(super) linger: Duration,
    pub(super) timeout: Duration,
    pub(super) retry_min: Duration,
    pub(super) retry_max: Duration,
    pub(super) interval: Duration,
    pub(super) window: usize,
    pub(super) in_memory_max: usize,
    pub(super) max_bytes: usize,
}

/// What is known of one stream.
pub(super) struct Truth {
    pub(super) promised: Promised,
    pub(super) enabled: bool,
    /// Of each message: whether it reached the destination, whether that took it, and whether it
    /// said no to it.
    seen: Vec<bool>,
    pub(super) taken: Vec<bool>,
    pub(super) refused: Vec<bool>,
    /// In which life of the engine it came last.
    came: Vec<u32>,
    pub(super) engine: u32,
    /// In which period it was taken last, and how many were in the present one.
    took: Vec<u32>,
    pub(super) period: u32,
    pub(super) taken_count: u64,
    /// How often it took something, ever.
    pub(super) takes: u64,
    pub(super) refused_count: u64,
    /// The last message that came for the first time, since the stream was moved by hand last.
    last_first: u32,
    pub(super) order: u32,
    /// The destination does not want to be asked before.
    pub(super) not_before: Duration,
    /// Tries since `counted_from`.
    pub(super) attempts: u64,
    pub(super) counted_from: Duration,
    pub(super) acted_at: Duration,
    /// Failures since something was accepted, at least as many as the stream knows of.
    pub(super) failures: u32,
}

impl Truth {
    pub(super) fn new(promised: Promised) -> Self {
        Self {
            promised,
            enabled: true,
            seen: Vec::new(),
            taken: Vec::new(),
            refused: Vec::new(),
            came: Vec::new(),
            engine: 1,
            took: Vec::new(),
            period: 1,
            taken_count: 0,
            takes: 0,
            refused_count: 0,
            last_first: 0,
            order: 0,
            not_before: Duration::ZERO,
            attempts: 0,
            counted_from: Duration::ZERO,
            acted_at: Duration::ZERO,
            failures: 0,
        }
    }

    fn grow(&mut self, len: usize) {
        self.seen.resize(len, false);
        self.taken.resize(len, false);
        self.refused.resize(len, false);
        self.came.resize(len, 0);
        self.took.resize(len, 0);
    }

    /// The engine of this stream is another one from here on.
    pub(super) fn renewed(&mut self, t: Duration) {
        self.engine += 1;
        self.failures = 0;
        self.not_before = Duration::ZERO;
        self.count_from(t);
    }

    pub(super) fn count_from(&mut self, t: Duration) {
        self.attempts = 0;
        self.counted_from = t;
    }

    /// From here on what was accepted is counted anew.
    pub(super) fn begin_period(&mut self) {
        self.period += 1;
        self.taken_count = 0;
        self.refused_count = 0;
    }

    /// The cursor was moved back: what comes for the first time has an order of its own.
    pub(super) fn rewound(&mut self) {
        self.order += 1;
        self.last_first = 0;
    }
}

impl Oracle {
    pub(super) fn new(streams: Vec<Truth>) -> Self {
        Self {
            streams,
            instances: Vec::new(),
            boot: 0,
            violation: None,
        }
    }

    pub(super) fn violation(&mut self, text: &str) {
        self.violation.get_or_insert_with(|| text.to_owned());
    }

    /// The streams that want a message now.
    pub(super) fn wanted(&self, ident: u8) -> u8 {
        let wants = |stream: &Truth| stream.enabled && stream.promised.idents & (1 << ident) != 0;
        let bits = self.streams.iter().enumerate().filter(|(_, it)| wants(it));
        bits.fold(0, |mask, (index, _)| mask | 1 << index)
    }

    /// A message is brought in; it may not be taken yet.
    pub(super) fn brought(&mut self, instance: Instance) -> u32 {
        let number = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
        self.instances.push(instance);
        let len = self.instances.len();
        self.streams.iter_mut().for_each(|stream| stream.grow(len));
        number
    }

    /// A stream dials, or asks over a connection that it has.
    pub(super) fn attempt(&mut self, index: usize, t: Duration) {
        let stream = &mut self.streams[index];
        stream.attempts += 1;
        stream.acted_at = t;
        if t < stream.not_before {
            let early = stream.not_before.saturating_sub(t);
            self.violation(&format!("stream {index} asks {early:?} before it may"));
        }
    }

    /// The gateway hears what a destination says.
    pub(super) fn told(&mut self, index: usize, said: Said, t: Duration) {
        let stream = &mut self.streams[index];
        stream.failures += u32::from(said.failure);
        if let Some(after) = said.after {
            stream.not_before = t + after;
        }
    }

    /// A message reaches a destination; `first`: it says that it was never sent before.
    pub(super) fn arrived(&mut self, index: usize, n: u32, order: u32, first: bool, t: Duration) {
        let at = n as usize;
        let Some(instance) = self.instances.get(at).copied() else {
            return self.violation("a message that nobody sent");
        };
        trace::tell(t, index, format_args!("delivers {n}"));
        let boot = self.boot;
        let stream = &mut self.streams[index];
        stream.acted_at = t;
        let mut wrong = stream.must_not_come((index, at), &instance, t, boot);
        if first && stream.came[at] == stream.engine && order == stream.order {
            wrong = Some("comes again and does not say so");
        }
        stream.came[at] = stream.engine;
        if !std::mem::replace(&mut stream.seen[at], true) && order == stream.order {
            if n < stream.last_first {
                wrong = Some("comes for the first time after a later one");
            }
            stream.last_first = stream.last_first.max(n);
        }
        if let Some(wrong) = wrong {
            self.violation(&format!("message {n} {wrong}, at stream {index}"));
        }
    }

    /// A destination took a message, whatever it answers.
    pub(super) fn took(&mut self, index: usize, n: u32) {
        let at = n as usize;
        let stream = &mut self.streams[index];
        if at < stream.taken.len() {
            stream.taken[at] = true;
            stream.takes += 1;
            let before = std::mem::replace(&mut stream.took[at], stream.period);
            stream.taken_count += u64::from(before != stream.period);
        }
    }

    /// A destination said no to this one message, or nothing.
    pub(super) fn refused(&mut self, index: usize, n: u32) {
        let stream = &mut self.streams[index];
        stream.refused_count += 1;
        if let Some(refused) = stream.refused.get_mut(n as usize) {
            *refused = true;
        }
    }

    /// What the gateway holds for a connection.
    pub(super) fn holds_output(&mut self, len: usize) {
        if len > crate::stream::OUT_MAX + 34 * 1024 {
            self.violation("more waits to be written than may");
        }
    }

    pub(super) fn holds_input(&mut self, len: usize) {
        if len > crate::stream::IN_MAX + crate::net::READ_MAX {
            self.violation("more was read than is understood");
        }
    }
}

impl Truth {
    /// Why this message should not come now, if it should not.
    fn must_not_come(
        &self,
        (index, n): (usize, usize),
        it: &Instance,
        t: Duration,
        boot: u32,
    ) -> Option<&'static str> {
        if it.mask & (1 << index) == 0 {
            return Some("is not wanted");
        }
        if self.promised.speed_min.is_some_and(|min| it.speed <= min) {
            return Some("does not pass the filter");
        }
        let taken = self.taken[n];
        let age = t.saturating_sub(it.at);
        // what was accepted may be sent once more as a proof
        let is_old = |max: Duration| it.boot == boot && age > max + EXPIRY_SLACK && !taken;
        self.promised
            .ttl
            .is_some_and(is_old)
            .then_some("is too old")
    }
}

/// From the moment in which a message is judged to the one in which all of it has arrived; and
/// by clocks that are off by two hours each, once the daemon was started again.
const EXPIRY_SLACK: Duration = Duration::from_secs(600 + 4 * 3600);
