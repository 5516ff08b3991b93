//! Whether the counters of a stream say what happened, after every step and across restarts; and
//! whether every wait ends.

use super::oracle::Oracle;
use super::oracle::Truth;
use crate::ring::Counters;
use std::collections::VecDeque;
use std::time::Duration;

/// What was seen of the counters of one stream.
#[derive(Default)]
pub(super) struct Books {
    /// When its accounts were opened last: at a start, or when it was moved by hand.
    base: Counters,
    pub(super) before: Counters,
    /// Messages that it wanted since then.
    pub(super) wanted: u64,
    /// Messages that were skipped by hand since then.
    pub(super) by_hand: u64,
    given_up_in_a_row: u64,
    takes: u64,
    /// What may be missing at the destination: dropped, expired, thinned out, skipped by hand.
    pub(super) excused: u64,
    pub(super) given_up: u64,
    /// What expired so far, but for what a crash has taken back.
    pub(super) expired: u64,
    /// What was taken by the destination and not counted as that.
    unheard: u64,
    pub(super) rewound: bool,
    /// How much was settled when, for the last seconds.
    recent: VecDeque<(Duration, u64)>,
    pub(super) progressed_at: Duration,
    pub(super) stuck: bool,
    woken_at: Option<Duration>,
    /// At the last step the stream had something to do and could.
    obliged: bool,
}

/// How a stream is seen from beside.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub(super) t: Duration,
    pub(super) counters: Counters,
    pub(super) in_memory: u64,
    /// Its destination is in good order.
    pub(super) good: bool,
    /// So often it may have to try before a message moves.
    pub(super) tries: u32,
    /// It may send one message at a time only, of which nothing but an answer tells anything.
    pub(super) alone: bool,
}

/// How the daemon ended before it was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Stopped,
    Killed,
    PowerCut,
}

fn settled(of: &Counters) -> u64 {
    of.stored - of.backlog
}

impl Books {
    /// The accounts begin anew with these counters.
    pub(super) fn open(&mut self, counters: Counters) {
        self.base = counters;
        self.before = counters;
        self.wanted = 0;
        self.by_hand = 0;
    }

    /// A step was done. Says what is wrong.
    pub(super) fn check(&mut self, truth: &mut Truth, sight: Sight) -> Option<String> {
        let (now, base) = (sight.counters, self.base);
        let all = now.accepted + now.filtered + now.expired + now.by_hand + now.given_up;
        let all = all + now.dropped + now.corrupt + now.backlog;
        let promised = &truth.promised;
        let least = sight.in_memory.saturating_sub(1) * BODY_LEN_MIN;
        let wrong = if now.stored != all {
            "the sum is wrong"
        } else if now.stored != base.stored + self.wanted {
            "`stored` is not what it wanted"
        } else if now.accepted > base.accepted + truth.taken_count {
            "more was accepted than was taken"
        } else if now.given_up > base.given_up + truth.refused_count {
            "more was given up than was refused"
        } else if now.by_hand != base.by_hand + self.by_hand {
            "`by_hand` is not what was skipped"
        } else if now.corrupt > 0 {
            "nothing was damaged"
        } else if promised.ttl.or(promised.max_age).is_none() && now.expired > 0 {
            "nothing can expire"
        } else if promised.speed_min.is_none() && promised.every.is_none() && now.filtered > 0 {
            "nothing can be filtered"
        } else if sight.in_memory > promised.in_memory_max as u64 {
            "more messages are in memory than may"
        } else if least > promised.max_bytes as u64 {
            "more bytes are in memory than may"
        } else {
            ""
        };
        if !wrong.is_empty() {
            return Some(format!("{wrong}: {sight_of:?} {base:?}", sight_of = now));
        }
        self.follow(truth, sight)
    }

    /// Notes what is new, and whether the stream does what it has to.
    fn follow(&mut self, truth: &mut Truth, sight: Sight) -> Option<String> {
        let (now, before) = (sight.counters, self.before);
        if now != before {
            if settled(&now) != settled(&before) {
                self.progressed_at = sight.t;
            }
            self.note(truth, &now);
            if self.given_up_in_a_row > GIVEN_UP_IN_A_ROW_MAX {
                return Some(format!("{} given up in a row", self.given_up_in_a_row));
            }
            self.recent.push_back((sight.t, settled(&now)));
            self.before = now;
        }
        while self.recent.len() > 1 && self.recent[1].0 + CURSOR_WINDOW < sight.t {
            self.recent.pop_front();
        }
        self.is_late(truth, sight)
    }

    fn note(&mut self, truth: &mut Truth, now: &Counters) {
        let before = &self.before;
        self.expired += now.expired.saturating_sub(before.expired);
        let missing = |of: &Counters| {
            let thinned = truth.promised.every.map_or(0, |_| of.filtered);
            of.dropped + of.expired + of.by_hand + thinned
        };
        self.excused += missing(now).saturating_sub(missing(before));
        let given_up = now.given_up.saturating_sub(before.given_up);
        self.given_up += given_up;
        self.given_up_in_a_row += given_up;
        if std::mem::replace(&mut self.takes, truth.takes) != truth.takes {
            self.given_up_in_a_row = 0;
        }
        if now.accepted != before.accepted {
            self.given_up_in_a_row = 0;
            truth.failures = 0;
        }
    }

    /// Whether a stream waits for longer than it may, with its destination in good order.
    fn is_late(&mut self, truth: &mut Truth, sight: Sight) -> Option<String> {
        let t = sight.t;
        self.stuck = self.is_stuck(&sight);
        let obliged = sight.good
            && truth.enabled
            && sight.counters.backlog > 0
            && t >= truth.not_before
            && !self.stuck;
        if !std::mem::replace(&mut self.obliged, obliged) || !obliged {
            self.progressed_at = t;
            truth.acted_at = t;
            self.woken_at = self.woken_at.filter(|_| obliged).map(|_| t);
            return None;
        }
        let of = &truth.promised;
        let grown = of.retry_min.saturating_mul(1 << truth.failures.min(20));
        let answer = 3 * of.timeout + of.linger + 2 * of.interval + MOMENT;
        let patience = grown.min(of.retry_max) + answer;
        if t > truth.acted_at.max(self.progressed_at) + patience {
            return Some(format!(
                "it does nothing for {patience:?}: {:?}",
                sight.counters
            ));
        }
        let last = truth.acted_at.max(self.progressed_at);
        self.woken_at = self.woken_at.filter(|at| *at >= last);
        if self.woken_at.is_some_and(|at| t > at + answer) {
            return Some("it was woken and does nothing".to_owned());
        }
        let patience = sight.tries * (of.retry_max + answer);
        let late = t > self.progressed_at + patience;
        late.then(|| format!("no message moves for {patience:?}: {:?}", sight.counters))
    }

    fn unheard(&self, truth: &Truth) -> u64 {
        let accepted = self.before.accepted - self.base.accepted;
        self.unheard + truth.taken_count - accepted
    }

    /// Eight were refused in a row, and beside the message that is refused there is no other that
    /// could show that the destination is in order again.
    pub(super) fn is_stuck(&self, sight: &Sight) -> bool {
        let alone = sight.counters.backlog == 1 || sight.alone;
        alone && self.given_up_in_a_row == GIVEN_UP_IN_A_ROW_MAX
    }

    /// The stream is woken: it has to try soon, if it has to at all.
    pub(super) fn woken(&mut self, t: Duration) {
        self.woken_at = Some(t);
    }

    /// The daemon was started again. `unsafe_count` messages had not been acknowledged.
    pub(super) fn reopened(
        &mut self,
        truth: &mut Truth,
        now: Counters,
        (ending, unsafe_count): (Ending, u64),
        exact: bool,
    ) -> Option<String> {
        let before = self.before;
        let recent = settled(&before) - self.recent.front().map_or(0, |(_, count)| *count);
        let kept = now.backlog + now.dropped
            >= before.backlog + before.dropped - unsafe_count.min(before.backlog);
        let wrong = match ending {
            _ if !exact => "",
            Ending::Stopped if now != before => "the counters of a clean stop differ",
            _ if now.stored > before.stored => "more is stored than before",
            _ if now.accepted > before.accepted => "more is accepted than before",
            _ if !kept => "something that was safe is gone",
            _ if now.backlog > before.backlog + recent => "more comes again than may",
            _ => "",
        };
        self.excused += now.dropped.saturating_sub(before.dropped);
        self.expired -= before.expired.saturating_sub(now.expired);
        self.unheard = self.unheard(truth);
        self.given_up_in_a_row = 0;
        self.obliged = false;
        self.recent.clear();
        self.recent.push_back((Duration::ZERO, settled(&now)));
        self.open(now);
        truth.begin_period();
        (!wrong.is_empty()).then(|| {
            format!(
                "{wrong}: {now:?} {before:?}, {unsafe_count} unsafe, {recent} recent, {ending:?}"
            )
        })
    }
}

impl Oracle {
    /// Whether so much is old that all that expired may have.
    pub(super) fn check_expired(&mut self, index: usize, books: &Books, t: Duration) {
        let stream = &self.streams[index];
        let promised = &stream.promised;
        let over = |max: Option<Duration>, since: Duration| {
            max.is_some_and(|max| t.saturating_sub(since) + CLOCK_OFF > max)
        };
        let is_old = |(n, it): &(usize, &super::oracle::Instance)| {
            let old = over(promised.ttl, it.at) || over(promised.max_age, it.measured);
            it.mask & (1 << index) != 0 && old && !stream.taken[*n]
        };
        let old = self.instances.iter().enumerate().filter(is_old).count() as u64;
        let most = old + books.unheard(stream);
        if books.expired > most && !books.rewound {
            let text = format!("stream {index}: {} expired, {most} may", books.expired);
            self.violation(&text);
        }
    }

    /// At the end all has come that had to.
    pub(super) fn finish(&mut self, books: &[Books]) {
        for (index, books) in books.iter().enumerate() {
            let stream = &self.streams[index];
            let missing = |(n, it): &(usize, &super::oracle::Instance)| {
                let wanted = it.acknowledged && it.mask & (1 << index) != 0;
                let passes = stream.promised.speed_min.is_none_or(|min| it.speed > min);
                let there = stream.taken[*n] || stream.refused[*n];
                wanted && passes && !there
            };
            let all: Vec<usize> = self
                .instances
                .iter()
                .enumerate()
                .filter(missing)
                .map(|(n, _)| n)
                .collect();
            if all.len() as u64 > books.excused {
                let some = &all[..all.len().min(10)];
                let (count, excused) = (all.len(), books.excused);
                let text = format!("stream {index}: {count} lost, {excused} excused: {some:?}");
                return self.violation(&text);
            }
        }
    }
}

/// After a crash no more comes again than what was settled in so much time.
const CURSOR_WINDOW: Duration = Duration::from_secs(8);

/// Two clocks that are each off by two hours.
const CLOCK_OFF: Duration = Duration::from_secs(4 * 3600);

/// A message is at least so long, in bytes.
const BODY_LEN_MIN: u64 = 60;

/// As the interface has it.
const GIVEN_UP_IN_A_ROW_MAX: u64 = 8;

/// For what takes no time.
const MOMENT: Duration = Duration::from_secs(30);
