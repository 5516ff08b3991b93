//! Whether the counters of a stream say what happened, after every step and across restarts; and
//! whether every wait ends.

use super::oracle::Oracle;
use super::oracle::Truth;
use crate::ring::Counters;
use crate::stream::engine::SEARCH_BYTES;
use crate::stream::engine::SEARCH_MESSAGES;
use std::collections::VecDeque;
use std::time::Duration;

/// What was seen of the counters of one stream.
#[derive(Default)]
pub(super) struct Books {
    /// When its accounts were opened last: at a start, or when it was moved by hand.
    base: Counters,
    pub(super) before: Counters,
    /// After the last clean stop: what waits is written then, and may drop what is old.
    pub(super) closed: Counters,
    /// How many were in flight then: some may stand in memory alone, and be counted as dropped
    /// once that is gone.
    pub(super) in_flight: u64,
    /// Messages that it wanted since then.
    pub(super) wanted: u64,
    /// Messages that were skipped by hand since then.
    pub(super) by_hand: u64,
    given_up_in_a_row: u64,
    /// How often the stream had begun anew when it was seen last.
    renewals: u32,
    takes: u64,
    /// So many may be given up before something is taken.
    allowed: u64,
    /// More were.
    skipped_on: bool,
    /// What may be missing at the destination: dropped, expired, skipped by hand.
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
    /// Certificates can be judged, or nobody asks for one.
    pub(super) served: bool,
    /// Nothing showed that its destination lives, and none of what waits can.
    pub(super) proofless: bool,
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
        } else if promised.speed_min.is_none() && now.filtered > 0 {
            "nothing can be filtered"
        } else if sight.in_memory > promised.in_memory_max.max(SEARCH_MESSAGES) as u64 {
            "more messages are in memory than may"
        } else if least > promised.max_bytes.max(SEARCH_BYTES) as u64 {
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
            self.note(truth, &now, sight.t);
            if self.skipped_on {
                return Some("more than eight were given up in a row".to_owned());
            }
            self.recent.push_back((sight.t, settled(&now)));
            self.before = now;
        }
        while self.recent.len() > 1 && self.recent[1].0 + CURSOR_WINDOW < sight.t {
            self.recent.pop_front();
        }
        self.is_late(truth, sight)
    }

    fn note(&mut self, truth: &mut Truth, now: &Counters, t: Duration) {
        let before = &self.before;
        self.expired += now.expired.saturating_sub(before.expired);
        let missing = |of: &Counters| of.dropped + of.expired + of.by_hand;
        self.excused += missing(now).saturating_sub(missing(before));
        let given_up = now.given_up.saturating_sub(before.given_up);
        self.given_up += given_up;
        // Counted is what the cursor has passed, in its order: what is counted now may have been
        // given up at any time since, before or after others were taken, eight before each. Only
        // how much can be in memory bounds that: counters do not say when, nor which.
        let between = truth.takes - std::mem::replace(&mut self.takes, truth.takes);
        let in_memory_max = truth.promised.in_memory_max.max(SEARCH_MESSAGES);
        let most = GIVEN_UP_IN_A_ROW_MAX + in_memory_max as u64;
        // one that begins anew, after a pause too, counts its eight anew
        let is_another = std::mem::replace(&mut self.renewals, truth.renewals) != truth.renewals;
        let between = between + u64::from(is_another);
        let allowed = self.allowed.saturating_add(GIVEN_UP_IN_A_ROW_MAX * between);
        self.skipped_on |= given_up > allowed.min(most);
        self.allowed = allowed.min(most).saturating_sub(given_up);
        self.given_up_in_a_row += given_up;
        if between > 0 {
            self.given_up_in_a_row = 0;
        }
        if now.accepted != before.accepted {
            self.given_up_in_a_row = 0;
            if truth.has_lasted(t) {
                let before = truth.failures_before.take();
                truth.failures -= before.map_or(truth.failures, |it| it.min(truth.failures));
            }
        }
    }

    /// Whether a stream waits for longer than it may, with its destination in good order.
    fn is_late(&mut self, truth: &mut Truth, sight: Sight) -> Option<String> {
        let t = sight.t;
        self.stuck = self.is_stuck(&sight);
        let obliged = sight.good
            && sight.served
            && truth.enabled
            && !truth.is_paused(t)
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
        let grown = truth.wait_max();
        let answer = 3 * of.timeout + of.linger + 2 * of.interval + MOMENT;
        let patience = grown + answer;
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
        let alone = sight.counters.backlog == 1;
        sight.proofless || alone && self.given_up_in_a_row == GIVEN_UP_IN_A_ROW_MAX
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
        (exact, refuses): (bool, bool),
    ) -> Option<String> {
        let before = self.before;
        // what waits for room in a full ring that drops nothing is not written, nor acknowledged
        let left = self.closed.stored.saturating_sub(now.stored);
        let left = left.min(if refuses { unsafe_count } else { 0 });
        let gone = now.dropped.saturating_sub(self.closed.dropped);
        let gone = gone.min(if refuses { 0 } else { self.in_flight });
        let closed = Counters {
            stored: self.closed.stored - left,
            dropped: self.closed.dropped + gone,
            backlog: self.closed.backlog.saturating_sub(left + gone),
            ..self.closed
        };
        let recent = settled(&before) - self.recent.front().map_or(0, |(_, count)| *count);
        let kept = now.backlog + now.dropped
            >= before.backlog + before.dropped - unsafe_count.min(before.backlog);
        let wrong = match ending {
            _ if !exact => "",
            Ending::Stopped if now != closed => "the counters of a clean stop differ",
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
        self.allowed = GIVEN_UP_IN_A_ROW_MAX;
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
    /// A disk that failed may have forgotten what was taken.
    pub(super) fn check_expired(&mut self, index: usize, books: &Books, t: Duration, failed: bool) {
        let stream = &self.streams[index];
        let promised = &stream.promised;
        let over = |max: Option<Duration>, since: Duration| {
            max.is_some_and(|max| t.saturating_sub(since) + CLOCK_OFF > max)
        };
        let is_old = |(n, it): &(usize, &super::oracle::Instance)| {
            let old = over(promised.ttl, it.at) || over(promised.max_age, it.measured);
            it.mask & (1 << index) != 0 && old && (failed || !stream.taken[*n])
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
            // a stream that is stuck still has them
            let stuck = if books.stuck { books.before.backlog } else { 0 };
            let excused = books.excused + stuck;
            if all.len() as u64 > excused {
                let some = &all[..all.len().min(10)];
                let count = all.len();
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
