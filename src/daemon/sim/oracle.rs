//! What must be true, known from what senders were told and destinations received, and from the
//! faults that were made. Knows neither engine nor ring.

use super::destination::Packet;
use super::destination::Said;
use super::plan::IDENTS;
use super::plan::KINDS;
use super::plan::Promised;
use super::thinned::LastPassed;
use super::trace;
use crate::stream::engine::SEARCH_MESSAGES;
use std::time::Duration;

/// All that was ever brought into the gateway, and who had what of it.
pub(super) struct Oracle {
    pub(super) streams: Vec<Truth>,
    pub(super) instances: Vec<Instance>,
    pub(super) boot: u32,
    pub(super) violation: Option<String>,
    /// The clock shows a date that nobody can know to be wrong.
    deceived: bool,
    /// The first message since the daemon was started.
    pub(super) run: usize,
}

/// A message as it was once taken by the gateway; its number is its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    /// When, and in which boot of the machine.
    pub(super) at: Duration,
    pub(super) boot: u32,
    /// Of which sender.
    pub(super) ident: u8,
    /// The streams that want it.
    pub(super) mask: u8,
    pub(super) speed: u8,
    /// Where a stream leaves it out: which one it let through instead.
    pub(super) instead: [Option<u32>; KINDS.len()],
    /// When it was measured.
    pub(super) measured: Duration,
    /// Nobody says when it was measured but the gateway.
    pub(super) undated: bool,
    /// The clock showed the future then, or later in the same run.
    pub(super) deceived: bool,
    /// Its sender was told that it is safe.
    pub(super) acknowledged: bool,
}

/// What is known of one stream.
pub(super) struct Truth {
    pub(super) promised: Promised,
    pub(super) enabled: bool,
    pub(super) paused_until: Option<Duration>,
    /// How often it began anew: by a start, or by hand.
    pub(super) renewals: u32,
    /// Of each message: whether it reached the destination, whether that took it, and whether it
    /// said no to it.
    seen: Vec<bool>,
    pub(super) taken: Vec<bool>,
    pub(super) refused: Vec<bool>,
    pub(super) last_passed: LastPassed,
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
    /// Tries of each message of which nothing was heard.
    fruitless: Vec<Fruitless>,
    /// Something was acknowledged in this life of the engine.
    pub(super) heard: bool,
    /// The last message that came for the first time, since the stream was moved by hand last: of
    /// each sender where a request has only one.
    last_first: [u32; IDENTS.len()],
    pub(super) order: u32,
    /// Those before this one may have been set aside without having been sent.
    pub(super) set_aside_below: u32,
    /// The destination does not want to be asked before.
    pub(super) not_before: Duration,
    /// It is configured anew and waits for its last answers: what those ask of it, the one that
    /// begins then does not know, as after a start.
    pub(super) is_ending: bool,
    /// Tries since `counted_from`.
    pub(super) attempts: u64,
    pub(super) counted_from: Duration,
    pub(super) acted_at: Duration,
    /// Failures since something was accepted, at least as many as the stream knows of.
    pub(super) failures: u32,
    /// When the last of these was.
    pub(super) failed_at: Duration,
    /// How many of these were before a message was heard of that may be counted much later: when
    /// those before it are settled.
    pub(super) failures_before: Option<u32>,
}

/// Tries of a message that came and of which the gateway heard nothing, one after the other.
#[derive(Clone, Copy, Debug, Default)]
struct Fruitless {
    /// In this life of the engine.
    engine: u32,
    count: u32,
    /// In so many of them it had heard on the same connection that the receiver lives.
    proved: u32,
    /// In which period it was counted as refused.
    period: u32,
    /// In which life of the engine it was heard that it was taken.
    heard: u32,
}

impl Truth {
    pub(super) fn new(promised: Promised) -> Self {
        Self {
            promised,
            enabled: true,
            paused_until: None,
            renewals: 0,
            seen: Vec::new(),
            taken: Vec::new(),
            refused: Vec::new(),
            last_passed: LastPassed::default(),
            came: Vec::new(),
            engine: 1,
            took: Vec::new(),
            period: 1,
            taken_count: 0,
            takes: 0,
            refused_count: 0,
            fruitless: Vec::new(),
            heard: false,
            last_first: [0; IDENTS.len()],
            order: 0,
            set_aside_below: 0,
            not_before: Duration::ZERO,
            is_ending: false,
            attempts: 0,
            counted_from: Duration::ZERO,
            acted_at: Duration::ZERO,
            failures: 0,
            failed_at: Duration::ZERO,
            failures_before: None,
        }
    }

    fn grow(&mut self, len: usize) {
        self.seen.resize(len, false);
        self.taken.resize(len, false);
        self.refused.resize(len, false);
        self.came.resize(len, 0);
        self.took.resize(len, 0);
        self.fruitless.resize(len, Fruitless::default());
    }

    /// The engine of this stream is another one from here on.
    pub(super) fn renewed(&mut self, t: Duration) {
        self.engine += 1;
        self.renewals += 1;
        self.heard = false;
        self.failures = 0;
        self.failures_before = None;
        self.not_before = Duration::ZERO;
        self.is_ending = false;
        self.count_from(t);
    }

    /// Something was not delivered.
    pub(super) fn fails(&mut self, t: Duration) {
        self.failures += 1;
        self.failed_at = t;
    }

    /// The wait after these failures at most.
    pub(super) fn wait_max(&self) -> Duration {
        let grown = self.promised.retry_min;
        let grown = grown.saturating_mul(4 << self.failures.min(20));
        grown.min(self.promised.retry_max)
    }

    /// Whether the connections since the last failure have lasted, for sure.
    pub(super) fn has_lasted(&self, t: Duration) -> bool {
        t > self.failed_at + 6 * self.wait_max()
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

    /// The cursor was moved: what comes for the first time has an order of its own.
    pub(super) fn rewound(&mut self) {
        self.order += 1;
        self.last_first = [0; IDENTS.len()];
    }
}

impl Oracle {
    pub(super) fn new(streams: Vec<Truth>) -> Self {
        Self {
            streams,
            instances: Vec::new(),
            boot: 0,
            violation: None,
            deceived: false,
            run: 0,
        }
    }

    pub(super) fn violation(&mut self, text: &str) {
        self.violation.get_or_insert_with(|| text.to_owned());
    }

    /// The streams that subscribe to messages of this sender now.
    pub(super) fn wanted(&self, ident: u8) -> u8 {
        let wants = |stream: &Truth| stream.enabled && stream.promised.idents & (1 << ident) != 0;
        let bits = self.streams.iter().enumerate().filter(|(_, it)| wants(it));
        bits.fold(0, |mask, (index, _)| mask | 1 << index)
    }

    /// A message was taken in. A stream that leaves it out does not want it, for ever.
    pub(super) fn brought(&mut self, mut instance: Instance) -> u32 {
        instance.deceived = self.deceived;
        let number = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
        self.thin(&mut instance, number);
        let mask = instance.mask;
        trace::tell(
            instance.at,
            9,
            format_args!("takes in {number}, for {mask:03b}"),
        );
        self.instances.push(instance);
        let len = self.instances.len();
        self.streams.iter_mut().for_each(|stream| stream.grow(len));
        number
    }

    /// The first message that a stream with such a backlog has not read for sure. Those that a
    /// power cut took away count as well, which makes it later.
    pub(super) fn end_of_memory(&self, index: usize, backlog: u64) -> u32 {
        let wanted = |it: &Instance| it.mask & (1 << index) != 0;
        let all = self.instances.iter().enumerate().rev();
        let waiting = all
            .filter(|(_, it)| wanted(it))
            .take(usize::try_from(backlog).unwrap_or(usize::MAX));
        let waiting: Vec<usize> = waiting.map(|(n, _)| n).collect();
        let place = self.streams[index]
            .promised
            .in_memory_max
            .max(SEARCH_MESSAGES);
        let end = waiting.iter().rev().nth(place).copied();
        u32::try_from(end.unwrap_or(self.instances.len())).unwrap_or(u32::MAX)
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
        if said.failure {
            stream.fails(t);
        }
        if let Some(after) = said.after.filter(|_| !stream.is_ending) {
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
        // what came before a start ages by the date alone, and that may be doubted
        let ages = instance.boot == self.boot && at >= self.run;
        let stream = &mut self.streams[index];
        stream.acted_at = t;
        let mut wrong = stream.must_not_come((index, at), &instance, t, ages);
        if first && stream.came[at] == stream.engine && order == stream.order {
            wrong = Some("comes again and does not say so");
        }
        // what was taken and comes again may be a proof of an earlier life: when it is read again
        // in this one, that is its first time
        if first || !stream.taken[at] {
            stream.came[at] = stream.engine;
        }
        if !std::mem::replace(&mut stream.seen[at], true) && order == stream.order {
            let of = if stream.promised.keyed {
                instance.ident
            } else {
                0
            };
            let last = &mut stream.last_first[usize::from(of)];
            if n < *last && n >= stream.set_aside_below {
                wrong = Some("comes for the first time after a later one");
            }
            *last = n.max(*last);
        }
        if let Some(wrong) = wrong {
            self.violation(&format!("message {n} {wrong}, at stream {index}"));
        }
    }

    /// A request carries these.
    pub(super) fn goes_together(&mut self, index: usize, numbers: &[u32]) {
        let ident = |n: &u32| self.instances.get(*n as usize).map(|it| it.ident);
        let mixed = numbers
            .windows(2)
            .any(|two| ident(&two[0]) != ident(&two[1]));
        if mixed && self.streams[index].promised.keyed {
            self.violation("messages of two senders share a request");
        }
    }

    /// The clock shows the future from now on, or does no more; messages from `first` on came since
    /// the daemon was started.
    pub(super) fn deceive(&mut self, first: usize, deceives: bool) {
        self.deceived = deceives;
        for instance in self.instances.iter_mut().skip(first).filter(|_| deceives) {
            instance.deceived = true;
        }
    }

    /// What a message says of its arrival is right, or marked.
    pub(super) fn dated(&mut self, text: &[u8]) {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(text) else {
            return self.violation("not a message");
        };
        let messages = message.as_array().cloned().unwrap_or(vec![message]);
        for message in messages {
            let number = message["n"].as_u64().and_then(|n| usize::try_from(n).ok());
            let instance = number.and_then(|n| self.instances.get(n));
            let Some(instance) = instance.filter(|it| it.undated && !it.deceived) else {
                continue;
            };
            let said = message["timestamp"].as_f64().unwrap_or(0.0);
            let off = (said - super::world::date(instance.at).as_secs_f64()).abs();
            if message["timestamp.valid"].is_null() && off > DATE_SLACK {
                let text = format!("a date that is wrong and not marked, at {instance:?}");
                self.violation(&format!("{text}: {message}"));
            }
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

    /// A destination said no to this one message.
    pub(super) fn refused(&mut self, index: usize, n: u32) {
        let stream = &mut self.streams[index];
        stream.refused_count += 1;
        if let Some(refused) = stream.refused.get_mut(n as usize) {
            *refused = true;
        }
    }

    /// The gateway hears that a message was taken, from a receiver that says nothing else.
    pub(super) fn heard(&mut self, index: usize, n: u32) {
        let stream = &mut self.streams[index];
        stream.heard = true;
        if let Some(fruitless) = stream.fruitless.get_mut(n as usize) {
            fruitless.count = 0;
            fruitless.proved = 0;
            if std::mem::replace(&mut fruitless.heard, stream.engine) != stream.engine {
                stream.failures_before = Some(stream.failures);
            }
        }
    }

    /// The gateway lets go of a connection without having heard of this packet. A receiver that
    /// says nothing of what it does not take leaves no other way to tell: a message that was taken
    /// each time, of which all answers were lost, is given up like one that was refused. But each
    /// of these tries must have reached the receiver, and in two of them it must have lived;
    /// unless all that is in memory beside the message may be passed over, and shows nothing.
    pub(super) fn unheard(&mut self, index: usize, packet: Packet) {
        let stream = &mut self.streams[index];
        let n = packet.number as usize;
        let Some(fruitless) = stream.fruitless.get_mut(n) else {
            return;
        };
        if std::mem::replace(&mut fruitless.engine, stream.engine) != stream.engine {
            fruitless.count = 0;
            fruitless.proved = 0;
        }
        fruitless.count += 1;
        fruitless.proved += u32::from(packet.proved);
        let proved = fruitless.proved >= 2 || stream.promised.passes_over();
        let tries = fruitless.count - fruitless.count.min(stream.promised.attempts);
        let may_go = tries >= 2 && proved || tries >= 5;
        if may_go && std::mem::replace(&mut fruitless.period, stream.period) != stream.period {
            stream.refused_count += 1;
            stream.refused[n] = true;
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
        ages: bool,
    ) -> Option<&'static str> {
        if it.mask & (1 << index) == 0 {
            return Some("is not wanted");
        }
        if !self.promised.passes(it.speed) {
            return Some("does not pass the filter");
        }
        let taken = self.taken[n];
        let age = t.saturating_sub(it.at);
        // what was accepted may be sent once more as a proof
        let is_old = |max: Duration| ages && age > max + EXPIRY_SLACK && !taken;
        self.promised
            .ttl
            .is_some_and(is_old)
            .then_some("is too old")
    }
}

/// Seconds by which a clock may be off that was set by hand, and before and after that.
const DATE_SLACK: f64 = 4.0 * 3600.0 + 60.0;

/// From the moment in which a message is judged to the one in which all of it has arrived; and
/// by clocks that are off by two hours each, once the daemon was started again.
const EXPIRY_SLACK: Duration = Duration::from_secs(600 + 4 * 3600);
