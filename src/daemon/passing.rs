//! What passes, for whoever looks: the API while it was asked lately, and sessions with
//! subscribers. While nobody looks, nothing is kept, and a message costs one branch.

use super::board::Board;
use super::daemon_clock::DaemonClock;
use super::feed::Feed;
use super::feed::MESSAGES_MAX;
use super::waits::Waits;
use super::waits::sleep;
use crate::api::Control;
use crate::api::Look;
use crate::api::Seen;
use crate::channel::passing::Looked;
use crate::channel::passing::Passing as Shown;
use crate::clock::Now;
use crate::message::body::Body;
use crate::pattern;
use crate::ring::Seq;
use crate::ring::StreamSet;
use crate::stream::engine::Outgoing;
use crate::stream::engine::Repeat;
use crate::stream::render;
use event_listener::Event;
use event_listener::EventListener;
use std::cell::Cell;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// What all lookers share.
#[derive(Default)]
pub(super) struct Passing {
    is_watched: Cell<bool>,
    feed: RefCell<Feed>,
    /// It is kept until then, whoever looks.
    until: Cell<Duration>,
    asked: Event,
    /// Sessions that look at messages, and at states.
    lookers: Cell<(usize, usize)>,
    board: RefCell<Board>,
    /// Whether the board shows how all stands.
    is_known: Cell<bool>,
    wanted: Event,
    /// Something came that a session looks at.
    came: Event,
}

/// A session that looks.
#[derive(Debug)]
pub(super) struct Looker {
    passing: Rc<Passing>,
    looked: Cell<Looked>,
}

impl Passing {
    /// Whether anybody looks: the one branch that a message costs.
    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched.get()
    }

    /// Keeps a message for those who look.
    #[cold]
    pub(super) fn note(&self, streams: StreamSet, body: &[u8], now: Now) {
        let message = Outgoing {
            seq: Seq(0),
            ring: 0,
            received: now.wall,
            body,
            repeat: Repeat::First,
        };
        let Ok(view) = Body::new(body) else {
            return;
        };
        let text = render::text(&message, None);
        let (channel, ident) = (view.channel_name(), view.ident());
        self.feed.borrow_mut().push(streams, channel, ident, &text);
        self.came.notify(usize::MAX);
    }

    /// What somebody asks for, who may ask again soon; of one stream or of all.
    pub(super) fn look(&self, look: &Look<'_>, stream: Option<StreamSet>, now: Now) -> Seen {
        self.until.set(now.mono + KEPT);
        self.begin();
        self.asked.notify(usize::MAX);
        seen(&self.feed.borrow(), look, stream)
    }

    /// Ends when something comes that a session looks at.
    pub(super) fn came_event(&self) -> EventListener {
        self.came.listen()
    }

    fn begin(&self) {
        if !self.is_watched.replace(true) {
            self.feed.borrow_mut().begin();
        }
    }

    /// Ends what nobody looks at.
    fn end(&self) {
        let (messages, _) = self.lookers.get();
        if messages == 0 {
            self.is_watched.set(false);
            self.feed.borrow_mut().end();
        }
    }
}

impl fmt::Debug for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passing").finish_non_exhaustive()
    }
}

impl Looker {
    /// Looks at nothing yet.
    pub(super) fn new(passing: &Rc<Passing>) -> Self {
        Self {
            passing: Rc::clone(passing),
            looked: Cell::default(),
        }
    }
}

impl Shown for Looker {
    fn want(&self, looked: Looked) -> Looked {
        let passing = &self.passing;
        let (was, (messages, states)) = (self.looked.replace(looked), passing.lookers.get());
        let other = |count: usize, was: bool| count - usize::from(was);
        passing.lookers.set((
            other(messages, was.messages) + usize::from(looked.messages),
            other(states, was.states) + usize::from(looked.states),
        ));
        if looked.messages {
            passing.begin();
        } else if was.messages {
            passing.asked.notify(usize::MAX);
        }
        if looked.states {
            passing.wanted.notify(usize::MAX);
        }
        was
    }

    fn last(&self) -> u64 {
        self.passing.feed.borrow().last()
    }

    fn messages(&self, after: &mut u64, take: &mut dyn FnMut(&str, &str) -> bool) -> u64 {
        let feed = self.passing.feed.borrow();
        let missed = feed.missed(*after).unwrap_or(0);
        *after += missed;
        for passed in feed.after(*after) {
            if !take(&passed.ident, &passed.json) {
                break;
            }
            *after = passed.id;
        }
        missed
    }

    fn last_change(&self) -> Option<u64> {
        let is_known = self.passing.is_known.get();
        is_known.then(|| self.passing.board.borrow().last())
    }

    fn states(&self, after: &mut u64, take: &mut dyn FnMut(u64, &str, &str) -> bool) {
        self.passing.board.borrow().show(after, take);
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.want(Looked::default());
    }
}

/// Brings the board up to date while somebody looks at it, for ever. Waits on: who wants it, the
/// second.
pub(super) async fn keep_reporting(passing: Rc<Passing>, control: Rc<dyn Control>) {
    loop {
        let wanted = passing.wanted.listen();
        let (_, states) = passing.lookers.get();
        if states == 0 {
            passing.is_known.set(false);
            wanted.await;
            continue;
        }
        let has_changed = passing.board.borrow_mut().update(&control.status());
        if has_changed | !passing.is_known.replace(true) {
            passing.came.notify(usize::MAX);
        }
        sleep(Some(REPORT_EVERY)).await;
    }
}

/// Ends what nobody looks at any more, for ever. Waits on: who asks, the time since.
pub(super) async fn keep_ending(passing: Rc<Passing>, clock: Rc<DaemonClock>) {
    loop {
        let asked = passing.asked.listen();
        let left = passing.until.get().saturating_sub(clock.now().mono);
        if left.is_zero() {
            passing.end();
        }
        let left = Some(left).filter(|left| !left.is_zero());
        Waits::on([asked]).at_most(left).end().await;
    }
}

fn seen(feed: &Feed, look: &Look<'_>, stream: Option<StreamSet>) -> Seen {
    let last = feed.last();
    // a number of an earlier life means nothing
    let after = look.after.filter(|after| *after <= last);
    let mut seen = Seen {
        messages: Vec::new(),
        next: last,
        missed: after.map_or(Some(0), |after| feed.missed(after)),
    };
    let count = look.count.min(MESSAGES_MAX);
    let all = feed.after(after.unwrap_or(0)).filter(|passed| {
        look.channel.is_none_or(|name| *name == *passed.channel)
            && look
                .ident
                .is_none_or(|name| pattern::fits(name, &passed.ident))
            && stream.is_none_or(|stream| passed.streams.0 & stream.0 != 0)
    });
    let mut size = 0;
    if after.is_none() {
        // who has seen nothing yet gets the last ones
        for passed in all.rev().take(count) {
            size += passed.json.len();
            if size > ANSWER_MAX {
                break;
            }
            seen.messages.push((passed.id, passed.json.clone()));
        }
        seen.messages.reverse();
        return seen;
    }
    for passed in all {
        size += passed.json.len();
        if seen.messages.len() >= count || size > ANSWER_MAX && !seen.messages.is_empty() {
            seen.next = passed.id - 1;
            break;
        }
        seen.messages.push((passed.id, passed.json.clone()));
    }
    seen
}

/// So long after the last who asked messages are kept.
const KEPT: Duration = Duration::from_secs(30);

/// A state that has changed is told no sooner than so long after the last.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Bytes of the messages in one answer; one alone may be longer.
const ANSWER_MAX: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> Feed {
        let mut feed = Feed::default();
        for number in 1..=6 {
            let (channel, ident) = (["a", "b"][number % 2], ["352", "99"][number / 4]);
            feed.push(StreamSet(1 << (number % 3)), channel, ident, "{}");
        }
        feed
    }

    fn ids(look: &Look<'_>, stream: Option<StreamSet>) -> (Vec<u64>, u64) {
        let seen = seen(&feed(), look, stream);
        let ids = seen.messages.iter().map(|(id, _)| *id);
        (ids.collect(), seen.next)
    }

    #[test]
    fn a_look_is_at_a_channel_an_ident_or_what_a_stream_wants() {
        let all = Look {
            count: 100,
            ..Look::default()
        };
        assert_eq!(ids(&all, None), ((1..=6).collect(), 6));
        let one = |channel, ident| Look {
            channel,
            ident,
            ..all
        };
        assert_eq!(ids(&one(Some("a"), None), None).0, [2, 4, 6]);
        assert_eq!(ids(&one(None, Some("3*")), None).0, [1, 2, 3]);
        assert_eq!(ids(&one(Some("b"), Some("99")), None).0, [5]);
        assert_eq!(ids(&all, Some(StreamSet(1))).0, [3, 6]);
    }

    #[test]
    fn who_goes_on_misses_nothing_and_who_comes_sees_the_last() {
        let look = |after, count| Look {
            after,
            count,
            ..Look::default()
        };
        assert_eq!(ids(&look(None, 2), None), (vec![5, 6], 6));
        assert_eq!(ids(&look(Some(1), 2), None), (vec![2, 3], 3));
        assert_eq!(ids(&look(Some(3), 9), None), (vec![4, 5, 6], 6));
        assert_eq!(ids(&look(Some(6), 9), None), (vec![], 6));
        // what does not fit is not gone through again
        let other = Look {
            channel: Some("c"),
            ..look(Some(2), 9)
        };
        assert_eq!(ids(&other, None), (vec![], 6));
        assert_eq!(ids(&look(Some(99), 9), None).0.len(), 6);
    }
}
