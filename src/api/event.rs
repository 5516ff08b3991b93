//! Events: what happened to a stream or channel lately, in memory, under flespi's codes. Not the
//! log: single batches are here and nowhere else.

use serde::Deserialize;
use serde::Serialize;
use std::collections::VecDeque;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Rises from event to event over all streams and channels, from 1 at each start.
    pub id: u64,
    /// When, in seconds since 1970.
    pub timestamp: f64,
    /// One of the codes below.
    pub event_code: u16,
    /// Of what was not delivered: -99 certificate, -2 no answer, -1 no connection, 1 to 5 MQTT
    /// refusals, 100 to 599 HTTP status; 0 for all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<i32>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// Of messages sent: how many.
    #[serde(flatten)]
    pub sent: Option<Sent>,
}

/// What became of a batch, or of all within a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Messages that were done with.
    pub read: u64,
    /// Messages that the destination took.
    pub accepted: u64,
    /// Attempts refused or without an answer.
    pub rejected: u64,
    /// Messages that were not sent.
    pub skipped: u64,
    /// Seconds to the acknowledgement of the last batch.
    pub ack_latency: Option<f64>,
}

/// An event with the name of whom it happened to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Of a stream or channel.
    pub name: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Which events are asked for: the last `count` of those with a greater id than `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub count: usize,
    /// Only what came later.
    pub after: u64,
}

/// The last events of a stream or channel, at most 100.
#[derive(Debug, Default)]
pub struct Journal(VecDeque<Event>);

impl Journal {
    /// Adds what happened, and forgets the oldest. A reason is cut at 200 bytes.
    pub fn note(&mut self, mut event: Event) {
        event.reason = event.reason.map(shorten);
        if self.0.len() >= EVENTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// Those of a page, in order.
    pub fn page(&self, page: Page) -> impl Iterator<Item = &Event> {
        let from = self.0.partition_point(|event| event.id <= page.after);
        let from = from.max(self.0.len().saturating_sub(page.count));
        self.0.iter().skip(from)
    }
}

fn shorten(reason: Box<str>) -> Box<str> {
    match reason.len() > REASON_MAX {
        true => reason
            .get(..reason.floor_char_boundary(REASON_MAX))
            .unwrap_or_default()
            .into(),
        false => reason,
    }
}

/// A destination or a sender is connected.
pub const CONNECTED: u16 = 401;

/// It is no more.
pub const CONNECTION_LOST: u16 = 402;

/// Something was not delivered; of a channel: not taken.
pub const NOT_DELIVERED: u16 = 403;

/// Messages were sent.
pub const MESSAGES_SENT: u16 = 404;

/// Something does not work and is tried again: weir's own code, flespi has none.
pub const FAULT: u16 = 901;

/// It works again: weir's own code as well.
pub const RECOVERED: u16 = 902;

/// Events that a stream or channel remembers: 10 to 30 KiB.
pub(super) const EVENTS_MAX: usize = 100;

/// Longest reason, in bytes.
const REASON_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64) -> Event {
        Event {
            id,
            timestamp: 1.5,
            event_code: NOT_DELIVERED,
            error_code: Some(-1),
            reason: Some("é".repeat(150).into()),
            sent: None,
        }
    }

    #[test]
    fn the_last_hundred_are_remembered() {
        let mut journal = Journal::default();
        (1..=250).for_each(|id| journal.note(event(id)));
        let ids = |count, after| {
            let page = Page { count, after };
            let found: Vec<u64> = journal.page(page).map(|event| event.id).collect();
            (found.first().copied(), found.len())
        };
        assert_eq!(ids(1000, 0), (Some(151), 100));
        assert_eq!(ids(3, 0), (Some(248), 3));
        assert_eq!(ids(1000, 240), (Some(241), 10));
        assert_eq!(ids(1000, 250), (None, 0));
    }

    #[test]
    fn a_long_reason_is_cut_between_letters() {
        let mut journal = Journal::default();
        journal.note(event(1));
        let mut events = journal.page(Page { count: 1, after: 0 });
        let reason = events.next().and_then(|event| event.reason.as_deref());
        assert_eq!(reason, Some("é".repeat(100).as_str()));
    }

    #[test]
    fn an_event_reads_as_it_was_written() {
        let line = Line {
            name: "cloud".to_owned(),
            event: event(7),
        };
        let text = serde_json::to_string(&line).unwrap();
        assert!(text.starts_with(
            r#"{"name":"cloud","id":7,"timestamp":1.5,"event_code":403,"error_code":-1"#
        ));
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
    }
}
