//! What passes, for whoever looks: the API while it was asked lately. While nobody looks, nothing
//! is kept, and a message costs one branch.

use super::daemon_clock::DaemonClock;
use super::feed::Feed;
use super::feed::MESSAGES_MAX;
use super::waits::Waits;
use crate::api::Look;
use crate::api::Seen;
use crate::clock::Now;
use crate::message::body::Body;
use crate::message::json;
use crate::pattern;
use crate::ring::Seq;
use crate::ring::StreamSet;
use crate::stream::engine::Outgoing;
use crate::stream::engine::Repeat;
use crate::stream::render;
use event_listener::Event;
use std::cell::Cell;
use std::cell::RefCell;
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
        let (Ok(view), mut text) = (Body::new(body), Vec::new()) else {
            return;
        };
        json::write(render::fields(&message), &mut text);
        let text = String::from_utf8(text).unwrap_or_default();
        let (channel, ident) = (view.text("channel.name"), view.text("ident"));
        self.feed.borrow_mut().push(streams, channel, ident, &text);
    }

    /// What somebody asks for, who may ask again soon; of one stream or of all.
    pub(super) fn look(&self, look: &Look<'_>, stream: Option<StreamSet>, now: Now) -> Seen {
        self.until.set(now.mono + KEPT);
        if !self.is_watched.replace(true) {
            self.feed.borrow_mut().begin();
        }
        self.asked.notify(usize::MAX);
        seen(&self.feed.borrow(), look, stream)
    }

    fn end(&self) {
        self.is_watched.set(false);
        self.feed.borrow_mut().end();
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
