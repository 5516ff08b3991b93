//! Events: what happened to a stream or channel, under flespi's codes. Not the log: single batches
//! are here and nowhere else.

use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// Something that happened, once or again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Rises from event to event over all streams and channels, over restarts too. Of what is
    /// folded: that of the last.
    pub id: u64,
    /// When, in seconds since 1970; of what is folded, the last time.
    pub timestamp: f64,
    /// False: nobody could believe the clock then, nor find out later what it should have said.
    #[serde(
        rename = "timestamp.valid",
        default = "yes",
        skip_serializing_if = "is_yes"
    )]
    pub timestamp_valid: bool,
    /// One of the codes below.
    pub event_code: u16,
    /// Of what was not delivered: -99 certificate, -2 no answer, -1 no connection, 1 to 5 MQTT
    /// refusals, 100 to 599 HTTP status; 0 for all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<i32>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// How often it happened, where that is folded; one without.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
    /// Seconds from the first time to the last.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub duration: f64,
    /// Of messages sent: how many.
    #[serde(flatten)]
    pub sent: Option<Box<Sent>>,
    /// The id that it had when it happened first.
    #[serde(skip)]
    pub first_id: u64,
    /// When, by the clock that never goes back; none: in another boot.
    #[serde(skip)]
    pub mono: Option<Duration>,
}

/// What became of a batch, or of all within a second; of what is folded, of all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Messages that were done with.
    pub read: u64,
    /// Messages that the destination took.
    pub accepted: u64,
    /// Attempts refused or without an answer.
    pub rejected: u64,
    /// Messages that were not sent.
    pub skipped: u64,
    /// Acknowledgements in which it took them.
    #[serde(default)]
    pub answers: u64,
    /// Seconds to the acknowledgement of the last batch; of what is folded, the mean.
    pub ack_latency: Option<f64>,
}

/// An event with the name of whom it happened to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Of a stream or channel; `ring`; `weir` is the daemon itself.
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

impl Default for Event {
    fn default() -> Self {
        Self {
            id: 0,
            timestamp: 0.0,
            timestamp_valid: true,
            event_code: 0,
            error_code: None,
            reason: None,
            count: 1,
            duration: 0.0,
            sent: None,
            first_id: 0,
            mono: None,
        }
    }
}

impl Event {
    /// How long before `later` it happened.
    pub(super) fn age(&self, later: &Self) -> f64 {
        match (self.mono, later.mono) {
            (Some(then), Some(now)) => now.saturating_sub(then).as_secs_f64(),
            _ => (later.timestamp - self.timestamp).max(0.0),
        }
    }

    /// Takes in one that came before: it is one event with what both were.
    pub(super) fn absorb(&mut self, earlier: &Self) {
        self.duration += earlier.age(self) + earlier.duration;
        self.count += earlier.count;
        self.first_id = earlier.first_id;
        if let (Some(sent), Some(earlier)) = (&mut self.sent, &earlier.sent) {
            sent.add(earlier);
        }
    }

    /// The same with its time, as far as that is known now: `date` is what the clock that never
    /// goes back counts from, where the date is believed.
    #[must_use]
    pub fn dated(mut self, boot: Option<Duration>) -> Self {
        if let (false, Some(boot), Some(mono)) = (self.timestamp_valid, boot, self.mono) {
            self.timestamp = seconds(boot + mono);
            self.timestamp_valid = true;
        }
        self
    }
}

impl Sent {
    fn add(&mut self, other: &Self) {
        #[expect(clippy::cast_precision_loss, reason = "a mean of some digits")]
        let weight = |of: &Self| of.answers.max(1) as f64;
        self.ack_latency = match (self.ack_latency, other.ack_latency) {
            (Some(one), Some(two)) => {
                let (a, b) = (weight(self), weight(other));
                Some((one * a + two * b) / (a + b))
            }
            (one, two) => one.or(two),
        };
        self.read += other.read;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.skipped += other.skipped;
        self.answers += other.answers;
    }
}

/// To the microsecond.
#[must_use]
pub fn seconds(time: Duration) -> f64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(micros).as_secs_f64()
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
fn is_yes(valid: &bool) -> bool {
    *valid
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
fn is_one(count: &u64) -> bool {
    *count == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
fn is_nothing(duration: &f64) -> bool {
    *duration <= 0.0
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

/// It works again: weir's own code as well, like all that follow.
pub const RECOVERED: u16 = 902;

/// The daemon began.
pub const STARTED: u16 = 903;

/// It was told to end.
pub const STOPPED: u16 = 904;

/// The configuration was read again.
pub const RELOADED: u16 = 905;

/// Somebody did something by hand.
pub const BY_HAND: u16 = 906;

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            id: 7,
            timestamp: 1.5,
            event_code: NOT_DELIVERED,
            error_code: Some(-1),
            reason: Some("away".into()),
            ..Event::default()
        }
    }

    #[test]
    fn an_event_reads_as_it_was_written() {
        let mut line = Line {
            name: "cloud".to_owned(),
            event: event(),
        };
        let text = serde_json::to_string(&line).unwrap();
        let plain = r#"{"name":"cloud","id":7,"timestamp":1.5,"event_code":403,"error_code":-1,"#;
        assert_eq!(text, format!(r#"{plain}"reason":"away"}}"#));
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        (line.event.count, line.event.duration) = (3, 60.5);
        line.event.timestamp_valid = false;
        line.event.sent = Some(Box::default());
        let text = serde_json::to_string(&line).unwrap();
        assert!(text.contains(r#""count":3,"duration":60.5"#), "{text}");
        assert!(text.contains(r#""timestamp.valid":false"#), "{text}");
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
    }

    #[test]
    fn a_time_that_nobody_knew_is_found_when_the_date_is_known() {
        let mut doubtful = event();
        doubtful.timestamp_valid = false;
        let boot = Some(Duration::from_secs(1_800_000_000));
        let lost = doubtful.clone().dated(boot);
        assert!(!lost.timestamp_valid, "it was in another boot");
        doubtful.mono = Some(Duration::from_secs(30));
        assert!(!doubtful.clone().dated(None).timestamp_valid);
        let found = doubtful.dated(boot);
        assert_eq!(
            (found.timestamp, found.timestamp_valid),
            (1_800_000_030.0, true)
        );
    }
}
