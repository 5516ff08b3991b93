//! The feed: the last messages that passed, for whoever looks. Knows no time and no looker: each
//! keeps the number of the last message that it saw, so that a slow one costs nothing, delays
//! nobody, and is told how many it missed.

use crate::ring::StreamSet;
use std::collections::VecDeque;

/// A message that passed.
#[derive(Debug)]
pub(super) struct Passed {
    /// Rises by 1 from message to message, from 1 at each start.
    pub(super) id: u64,
    /// The streams that it is for.
    pub(super) streams: StreamSet,
    pub(super) channel: Box<str>,
    pub(super) ident: Box<str>,
    /// As a destination is shown it.
    pub(super) json: Box<str>,
}

/// The last messages: at most [`MESSAGES_MAX`] and [`BYTES_MAX`].
#[derive(Debug, Default)]
pub(super) struct Feed {
    kept: VecDeque<Passed>,
    bytes: usize,
    last: u64,
    /// What had this id and those before passed before anybody looked, or before a time in which
    /// nobody did.
    began: u64,
}

impl Feed {
    /// The id of the last message.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Somebody looks again: what passed meanwhile has no number.
    pub(super) fn begin(&mut self) {
        self.began = self.last;
    }

    /// Nobody looks any more: nothing is kept.
    pub(super) fn end(&mut self) {
        (self.kept, self.bytes) = (VecDeque::new(), 0);
    }

    /// Keeps one more, and forgets the oldest.
    pub(super) fn push(&mut self, streams: StreamSet, channel: &str, ident: &str, json: &str) {
        self.last += 1;
        let passed = Passed {
            id: self.last,
            streams,
            channel: channel.into(),
            ident: ident.into(),
            json: json.into(),
        };
        self.bytes += passed.len();
        self.kept.push_back(passed);
        while self.kept.len() > MESSAGES_MAX || self.bytes > BYTES_MAX {
            let gone = self.kept.pop_front();
            self.bytes -= gone.map_or(self.bytes, |gone| gone.len());
        }
    }

    /// Messages between `after` and the oldest that is kept; none where nobody looked meanwhile.
    pub(super) fn missed(&self, after: u64) -> Option<u64> {
        let oldest = self.last - self.kept.len() as u64;
        (after >= self.began).then(|| oldest.saturating_sub(after))
    }

    /// What came after this one, oldest first.
    pub(super) fn after(&self, id: u64) -> impl DoubleEndedIterator<Item = &Passed> {
        let from = self.kept.partition_point(|passed| passed.id <= id);
        self.kept.range(from..)
    }
}

impl Passed {
    /// Bytes that it makes this side keep.
    fn len(&self) -> usize {
        OVERHEAD + self.channel.len() + self.ident.len() + self.json.len()
    }
}

/// Messages that are kept.
pub(super) const MESSAGES_MAX: usize = 1000;

/// Bytes of RAM that they take.
const BYTES_MAX: usize = 256 * 1024;

/// Of one message beside its texts: itself, three allocations.
const OVERHEAD: usize = size_of::<Passed>() + 48;

#[cfg(test)]
mod tests {
    use super::*;

    fn push(feed: &mut Feed, count: usize, len: usize) {
        let json = "x".repeat(len);
        (0..count).for_each(|_| feed.push(StreamSet(1), "c", "i", &json));
    }

    fn ids(feed: &Feed, after: u64) -> (Option<u64>, usize) {
        let mut found = feed.after(after);
        (found.next().map(|passed| passed.id), found.count() + 1)
    }

    #[test]
    fn a_slow_looker_is_told_how_many_it_missed() {
        let mut feed = Feed::default();
        feed.begin();
        push(&mut feed, 10, 10);
        assert_eq!((ids(&feed, 4), feed.missed(4)), ((Some(5), 6), Some(0)));
        push(&mut feed, MESSAGES_MAX, 10);
        assert_eq!((ids(&feed, 4).0, feed.missed(4)), (Some(11), Some(6)));
        assert_eq!(feed.after(feed.last()).count(), 0);
        assert_eq!(feed.missed(feed.last()), Some(0));
    }

    #[test]
    fn memory_is_bounded_in_messages_and_in_bytes() {
        let mut feed = Feed::default();
        push(&mut feed, 3 * MESSAGES_MAX, 10);
        assert_eq!(feed.kept.len(), MESSAGES_MAX);
        push(&mut feed, 100, 30_000);
        assert!(feed.bytes <= BYTES_MAX && feed.kept.len() == 8);
        push(&mut feed, 1, 2 * BYTES_MAX);
        assert_eq!((feed.bytes, feed.after(0).count()), (0, 0));
        assert_eq!(feed.missed(feed.last() - 1), Some(1));
        push(&mut feed, 1, 10);
        feed.end();
        assert_eq!((feed.bytes, feed.kept.capacity()), (0, 0));
    }

    #[test]
    fn what_passed_while_nobody_looked_has_no_number() {
        let mut feed = Feed::default();
        push(&mut feed, 5, 10);
        feed.end();
        feed.begin();
        assert_eq!((feed.missed(3), feed.missed(5)), (None, Some(0)));
    }
}
