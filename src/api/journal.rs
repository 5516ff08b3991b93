//! The last events of a stream or channel, in memory. What repeats is folded, and what is worth
//! keeping over a restart is apart from what only passes, so that a busy hour hides no outage and
//! an outage of a day hides nothing else.
//!
//! ```text
//!  kept     connected ── not delivered (288 times) ── connected ── …
//!  passing  an hour ── an hour ── a minute ── a minute ── … ── a second ── a second
//! ```

use super::event::Event;
use super::event::Page;
use super::event::Sent;
use std::collections::VecDeque;

/// At most 200 events and 32 KiB.
#[derive(Debug, Default)]
pub struct Journal {
    kept: VecDeque<Event>,
    passing: VecDeque<Event>,
}

impl Journal {
    /// Adds what is worth keeping; what it has become of it: the same again and again is one.
    pub fn keep(&mut self, mut event: Event) -> &Event {
        shorten(&mut event);
        fold(&mut self.kept, &mut event, is_alike);
        push(&mut self.kept, event)
    }

    /// Adds what is of interest for a while.
    pub fn pass(&mut self, mut event: Event) {
        shorten(&mut event);
        if event.sent.is_none() {
            fold(&mut self.passing, &mut event, |known, event| {
                known.reason == event.reason
            });
        }
        let sent = event.sent.is_some().then(|| event.clone());
        push(&mut self.passing, event);
        if let Some(now) = sent {
            self.fold_sent(&now);
        }
    }

    /// Puts back what was kept, the oldest first.
    pub fn restore(&mut self, mut event: Event) {
        shorten(&mut event);
        push(&mut self.kept, event);
    }

    /// What is worth keeping, in order.
    pub fn kept(&self) -> impl Iterator<Item = &Event> {
        self.kept.iter()
    }

    /// Those of a page, in order.
    pub fn page(&self, page: Page) -> impl Iterator<Item = &Event> {
        let all = self.kept.iter().chain(&self.passing);
        let mut events: Vec<_> = all.filter(|event| event.id > page.after).collect();
        events.sort_unstable_by_key(|event| event.id);
        let surplus = events.len().saturating_sub(page.count);
        events.into_iter().skip(surplus)
    }

    /// Makes one of what was sent within a minute, and within an hour where that is long ago. A
    /// fold has the id of its last event: who has seen that sees nothing twice.
    fn fold_sent(&mut self, now: &Event) {
        let mut at = 0;
        while let (Some(one), Some(next)) = (self.passing.get(at), self.passing.get(at + 1)) {
            if !belong_together(one, next, now) || self.has_between(one, next) {
                at += 1;
            } else if let Some(earlier) = self.passing.remove(at)
                && let Some(later) = self.passing.get_mut(at)
            {
                later.absorb(&earlier);
            }
        }
    }

    /// Whether something else happened between two: then they stay apart.
    fn has_between(&self, one: &Event, next: &Event) -> bool {
        let from = self.kept.partition_point(|event| event.id < one.id);
        self.kept.get(from).is_some_and(|event| event.id < next.id)
    }
}

/// Of what was sent: whether two are one by now.
fn belong_together(one: &Event, next: &Event, now: &Event) -> bool {
    if one.sent.is_none() || next.sent.is_none() {
        return false;
    }
    let period = match next.age(now) {
        age if age < FRESH => return false,
        age if age < HOUR => MINUTE,
        _ => HOUR,
    };
    let number = |event: &Event| (event.timestamp / period).floor();
    number(one).total_cmp(&number(next)).is_eq()
}

/// Takes out what is the same as a new event, of the last few, and adds it to that one.
fn fold(events: &mut VecDeque<Event>, event: &mut Event, same: fn(&Event, &Event) -> bool) {
    let is_same = |known: &Event| {
        let codes = |of: &Event| (of.event_code, of.error_code);
        known.sent.is_none() && codes(known) == codes(event) && same(known, event)
    };
    let last = events.len();
    let mut recent = (last.saturating_sub(RECENT)..last).rev();
    let Some(at) = recent.find(|at| events.get(*at).is_some_and(is_same)) else {
        return;
    };
    let patience = if at + 1 == last { HOUR } else { QUARTER };
    if events.get(at).is_some_and(|it| it.age(event) <= patience)
        && let Some(earlier) = events.remove(at)
    {
        event.absorb(&earlier);
    }
}

/// The same but for the numbers in it: those of messages, ports, counts.
fn is_alike(known: &Event, event: &Event) -> bool {
    words(known).eq(words(event))
}

fn words(event: &Event) -> impl Iterator<Item = u8> {
    let text = event.reason.as_deref().unwrap_or_default();
    text.bytes().filter(|byte| !byte.is_ascii_digit())
}

/// Adds the newest, for which the oldest give way.
fn push(events: &mut VecDeque<Event>, event: Event) -> &Event {
    let mut bytes: usize = events.iter().map(size).sum::<usize>() + size(&event);
    while bytes > BYTES_MAX || events.len() >= EVENTS_MAX {
        let Some(oldest) = events.pop_front() else {
            break;
        };
        bytes -= size(&oldest);
    }
    events.push_back_mut(event)
}

/// Bytes in memory.
fn size(event: &Event) -> usize {
    let reason = event.reason.as_deref().map_or(0, str::len);
    let sent = event.sent.as_ref().map_or(0, |_| size_of::<Sent>());
    size_of::<Event>() + reason + sent
}

/// A reason is cut at 200 bytes.
fn shorten(event: &mut Event) {
    if let Some(reason) = &event.reason
        && reason.len() > REASON_MAX
    {
        let end = reason.floor_char_boundary(REASON_MAX);
        event.reason = reason.get(..end).map(Into::into);
    }
}

/// Events of each of the two kinds.
pub(super) const EVENTS_MAX: usize = 100;

/// And their bytes.
const BYTES_MAX: usize = 16 << 10;

/// Longest reason, in bytes.
const REASON_MAX: usize = 200;

/// So many of the last may be what happens again: what comes and goes takes turns.
const RECENT: usize = 8;

/// Seconds in which each second is its own event: who follows sees it.
const FRESH: f64 = 10.0;

const MINUTE: f64 = 60.0;

/// What happens again after so long, with something else between, is news.
const QUARTER: f64 = 15.0 * MINUTE;

/// And without.
const HOUR: f64 = 60.0 * MINUTE;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::CONNECTED;
    use crate::api::CONNECTION_LOST;
    use crate::api::MESSAGES_SENT;
    use crate::api::NOT_DELIVERED;
    use std::time::Duration;

    /// A journal and the time.
    #[derive(Default)]
    struct Life {
        journal: Journal,
        id: u64,
        second: u64,
    }

    impl Life {
        fn event(&mut self, event_code: u16, reason: &str) -> Event {
            self.id += 1;
            Event {
                id: self.id,
                timestamp: seconds(self.second),
                event_code,
                reason: Some(reason.into()),
                first_id: self.id,
                mono: Some(Duration::from_secs(self.second)),
                ..Event::default()
            }
        }

        fn keep(&mut self, event_code: u16, reason: &str) {
            let event = self.event(event_code, reason);
            self.journal.keep(event);
        }

        /// So many seconds with a message in each.
        fn send(&mut self, times: u64) {
            for _ in 0..times {
                self.second += 1;
                let mut event = self.event(MESSAGES_SENT, "");
                event.reason = None;
                event.sent = Some(Box::new(Sent {
                    read: 1,
                    accepted: 1,
                    answers: 1,
                    ack_latency: Some(0.5),
                    ..Sent::default()
                }));
                self.journal.pass(event);
            }
        }

        fn all(&self) -> Vec<&Event> {
            let all = Page {
                count: 1000,
                after: 0,
            };
            self.journal.page(all).collect()
        }
    }

    /// 2027-01-15, at eight o'clock.
    fn seconds(second: u64) -> f64 {
        1_800_000_000.0 + f64::from(u32::try_from(second).unwrap())
    }

    #[test]
    fn an_hour_at_a_message_a_second_leaves_an_outage_to_be_seen() {
        let mut life = Life::default();
        life.keep(CONNECTED, "a");
        life.send(100);
        life.keep(CONNECTION_LOST, "closed");
        for _ in 0..200 {
            life.second += 300;
            life.keep(NOT_DELIVERED, "no route");
        }
        life.keep(CONNECTED, "a");
        life.send(3_700);
        let all = life.all();
        let at = all
            .iter()
            .position(|event| event.event_code == NOT_DELIVERED);
        let outage = all[at.unwrap()];
        assert_eq!((outage.count, outage.duration), (200, 199.0 * 300.0));
        let codes: Vec<_> = all.iter().map(|event| event.event_code).collect();
        assert_eq!(&codes[at.unwrap() - 1..at.unwrap() + 2], [402, 403, 401]);
        let sent: u64 = all
            .iter()
            .filter_map(|e| e.sent.as_ref())
            .map(|s| s.accepted)
            .sum();
        assert_eq!(sent, 3_800);
        assert!(all.len() < 85, "{}", all.len());
        assert!(all.is_sorted_by_key(|event| event.id));
        let whole = all.iter().filter(|event| event.count == 60).count();
        assert!(whole >= 58, "an hour by the minute, {whole}");
    }

    #[test]
    fn a_day_at_a_message_a_second_is_told_by_the_hour_and_by_the_minute() {
        let mut life = Life::default();
        life.send(86_400);
        let all = life.all();
        let sent = all.iter().filter_map(|event| event.sent.as_ref());
        assert_eq!(sent.map(|sent| sent.answers).sum::<u64>(), 86_400);
        assert!(all.iter().filter(|event| event.count == 3_600).count() >= 22);
        assert!(all.len() <= EVENTS_MAX);
    }

    #[test]
    fn who_follows_sees_each_message_once() {
        let (mut life, mut seen, mut after) = (Life::default(), 0, 0);
        for _ in 0..300 {
            life.send(1);
            for event in life.journal.page(Page { count: 100, after }) {
                seen += event.sent.as_ref().unwrap().accepted;
                after = event.id;
            }
        }
        assert_eq!(seen, 300);
    }

    #[test]
    fn what_comes_and_goes_takes_two_lines_and_not_the_day() {
        let mut life = Life::default();
        life.keep(NOT_DELIVERED, "before");
        for round in 0..5_000 {
            life.second += 10;
            life.keep(CONNECTED, "a");
            life.keep(
                CONNECTION_LOST,
                &format!("message {round} of {round} refused"),
            );
        }
        let all = life.all();
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].reason.as_deref(), Some("before"));
        assert_eq!((all[1].count, all[2].count), (5_000, 5_000));
        assert_eq!(
            all[2].reason.as_deref(),
            Some("message 4999 of 4999 refused")
        );
        // what happens anew much later, with something between, is news
        life.second += 3_600;
        life.keep(CONNECTED, "a");
        assert_eq!(life.all().len(), 4);
    }

    #[test]
    fn it_takes_no_more_than_its_bytes_whatever_is_told() {
        let mut life = Life::default();
        for word in 0..1_000_u32 {
            let letters: String = (0..10)
                .map(|bit| if word >> bit & 1 == 1 { 'a' } else { 'b' })
                .collect();
            let text = letters + &"é".repeat(500);
            life.keep(NOT_DELIVERED, &text);
            let event = life.event(NOT_DELIVERED, &text);
            life.journal.pass(event);
        }
        let bytes: usize = life.all().into_iter().map(size).sum();
        assert!(bytes <= 2 * BYTES_MAX, "{bytes}");
        assert!(bytes > BYTES_MAX, "both kinds have their own room");
        let last = life.all().pop().unwrap().reason.as_deref().map(str::len);
        assert_eq!(last, Some(REASON_MAX));
    }

    #[test]
    fn a_page_is_the_last_of_those_that_came_later() {
        let mut life = Life::default();
        (0..8).for_each(|word| life.keep(NOT_DELIVERED, &"x".repeat(word)));
        let ids = |count, after| {
            let events = life.journal.page(Page { count, after });
            events.map(|event| event.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(3, 0), [6, 7, 8]);
        assert_eq!(ids(100, 6), [7, 8]);
        assert!(ids(100, 8).is_empty());
    }
}
