//! The latest value of each signal, and when a message is made of them.
//!
//! An interval begins with the first signal after the last message, or after a silence; with its
//! end all that is known is one message. What `or_change` names does not wait for the end. Time is
//! whatever the caller counts by, as long as it does not run back.

use crate::message::Message;
use crate::message::Value;
use crate::pattern::PatternSet;
use std::collections::BTreeMap;
use std::time::Duration;

/// How messages are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// From one message to the next.
    pub every: Duration,
    /// The parameters that make one at once when they change.
    pub or_change: PatternSet,
    /// What was not heard for so long is left out.
    pub stale: Duration,
}

/// The latest values of one bus.
#[derive(Debug)]
pub(super) struct Store {
    rhythm: Rhythm,
    signals: BTreeMap<Box<str>, Signal>,
    /// When the next message is due.
    due: Option<Duration>,
    /// When the last one was made.
    made: Option<Duration>,
    /// When a signal was heard last, if one was since the last message.
    heard: Option<Duration>,
    /// Nothing is stale before, or then.
    sweep_after: Duration,
}

#[derive(Debug)]
struct Signal {
    value: Value,
    heard: Duration,
    /// It was in no message yet.
    is_fresh: bool,
    /// `or_change` names it.
    is_watched: bool,
    /// As the last message had it; of those that are watched.
    sent: Option<Value>,
}

impl Store {
    /// Nothing was heard yet.
    pub(super) fn new(rhythm: Rhythm) -> Self {
        Self {
            rhythm,
            signals: BTreeMap::new(),
            due: None,
            made: None,
            heard: None,
            sweep_after: Duration::ZERO,
        }
    }

    /// A signal has this value now; of [`Value::Null`] it has none any more. `now` never goes back.
    ///
    /// # Errors
    /// When there are too many of them: this one is left out.
    pub(super) fn told(&mut self, now: Duration, name: &str, value: Value) -> Result<(), TooMany> {
        let has_changed = match (self.signals.get_mut(name), value) {
            (None, Value::Null) => return Ok(()),
            (Some(signal), Value::Null) => {
                let was_sent = signal.sent.is_some();
                self.signals.remove(name);
                was_sent
            }
            (Some(signal), value) => {
                (signal.heard, signal.is_fresh) = (now, true);
                signal.value = value;
                signal.is_watched && signal.sent.as_ref() != Some(&signal.value)
            }
            (None, value) => self.add(now, name, value)?,
        };
        self.heard = Some(now);
        self.schedule(now, has_changed);
        Ok(())
    }

    /// Says when the next message is due: at the end of the interval that the last one began, or
    /// that begins now; where what is watched has changed, as soon as may be.
    fn schedule(&mut self, now: Duration, has_changed: bool) {
        let under_way = |made: &Duration| now.saturating_sub(*made) < self.rhythm.every;
        let begun = self.made.filter(under_way).unwrap_or(now);
        let end = begun.saturating_add(self.rhythm.every);
        let due = *self.due.get_or_insert(end);
        if has_changed {
            let soonest = self.made.map_or(now, |made| made.saturating_add(CHANGE));
            self.due = Some(due.min(soonest.max(now)));
        }
    }

    /// Whether it is watched, which a new one is news for.
    fn add(&mut self, now: Duration, name: &str, value: Value) -> Result<bool, TooMany> {
        if self.signals.len() >= SIGNALS_MAX && now > self.sweep_after {
            self.forget_stale(now);
        }
        if self.signals.len() >= SIGNALS_MAX {
            return Err(TooMany);
        }
        let is_watched = self.rhythm.or_change.matches(name);
        let signal = Signal {
            value,
            heard: now,
            is_fresh: true,
            is_watched,
            sent: None,
        };
        self.signals.insert(name.into(), signal);
        Ok(is_watched)
    }

    fn forget_stale(&mut self, now: Duration) {
        let stale = self.rhythm.stale;
        let is_young = |signal: &Signal| now.saturating_sub(signal.heard) <= stale;
        self.signals
            .retain(|_, signal| signal.is_fresh || is_young(signal));
        let told = self.signals.values().filter(|signal| !signal.is_fresh);
        let soonest = told.map(|signal| signal.heard.saturating_add(stale)).min();
        // what is fresh is not stale before it is in a message, which sets this anew
        self.sweep_after = soonest.unwrap_or(Duration::MAX);
    }

    /// When [`Store::message`] makes one.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// When a signal was heard last, if one was since the last message.
    pub(super) fn heard_at(&self) -> Option<Duration> {
        self.heard
    }

    /// The message that is due; none where nothing was heard.
    pub(super) fn message(&mut self, now: Duration, ident: &str) -> Option<Message> {
        self.due = None;
        self.heard.take()?;
        self.made = Some(now);
        self.forget_stale(now);
        let mut message = Message::new(ident).ok()?;
        for (name, signal) in &mut self.signals {
            let is_old_time = &**name == "timestamp" && !signal.is_fresh;
            if !is_old_time {
                message.set(name, &signal.value);
            }
            signal.is_fresh = false;
            if signal.is_watched {
                signal.sent = Some(signal.value.clone());
            }
        }
        self.sweep_after = Duration::ZERO;
        Some(message)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.signals.len()
    }
}

/// There are more signals than are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Most signals of one bus: a message of all has its place in the smallest ring.
const SIGNALS_MAX: usize = 512;

/// Between two messages for changes: a value that trembles makes no more of them.
const CHANGE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn store(or_change: &[&str]) -> Store {
        Store::new(Rhythm {
            every: s(10),
            or_change: PatternSet::new(or_change.iter().map(|it| Pattern::new(it)).collect()),
            stale: s(60),
        })
    }

    /// The message that is due at `now` or before, as JSON.
    fn message(store: &mut Store, now: Duration) -> Option<String> {
        store.due().filter(|due| *due <= now)?;
        let message = store.message(now, "bus")?;
        let mut json = Vec::new();
        crate::message::json_write::write(message.fields(), &mut json);
        String::from_utf8(json).ok()
    }

    #[test]
    fn one_message_an_interval_has_the_latest_of_each() {
        let mut store = store(&[]);
        assert_eq!(store.due(), None);
        for at in 0..5 {
            store.told(s(at), "a", Value::U64(at)).unwrap();
        }
        store.told(s(1), "b", Value::U64(7)).unwrap();
        assert_eq!(message(&mut store, s(9)), None);
        let both = r#"{"ident":"bus","a":4,"b":7}"#;
        assert_eq!(message(&mut store, s(10)).as_deref(), Some(both));
        // nothing was heard: no message
        assert_eq!((store.due(), message(&mut store, s(20))), (None, None));
        // one was: with what is not stale
        store.told(s(65), "b", Value::U64(8)).unwrap();
        assert_eq!(
            store.due(),
            Some(s(75)),
            "an interval begins after a silence"
        );
        let one = r#"{"ident":"bus","b":8}"#;
        assert_eq!(message(&mut store, s(75)).as_deref(), Some(one));
        assert_eq!(store.len(), 1);
        // soon after a message: the end of the interval that it began
        store.told(s(76), "b", Value::U64(9)).unwrap();
        assert_eq!(store.due(), Some(s(85)));
    }

    #[test]
    fn what_changes_does_not_wait_and_does_not_flood() {
        let mut store = store(&["door*"]);
        store.told(s(0), "a", Value::U64(1)).unwrap();
        store.told(s(1), "door.1", Value::Bool(false)).unwrap();
        assert!(message(&mut store, s(1)).is_some(), "it came");
        store.told(s(2), "door.1", Value::Bool(false)).unwrap();
        assert_eq!(message(&mut store, s(2)), None);
        for at in 0..50 {
            let now = s(3) + Duration::from_millis(at);
            store.told(now, "door.1", Value::Bool(at % 2 == 0)).unwrap();
            let made = message(&mut store, now);
            assert_eq!(made.is_some(), at == 0, "{at}");
        }
        assert_eq!(store.due(), Some(s(3) + CHANGE));
        assert!(message(&mut store, s(3) + CHANGE).is_some());
        store.told(s(4), "door.1", Value::Null).unwrap();
        let gone = r#"{"ident":"bus","a":1}"#;
        assert_eq!(message(&mut store, s(4)).as_deref(), Some(gone));
    }

    #[test]
    fn there_is_a_bound_and_what_is_stale_makes_room() {
        let mut store = store(&[]);
        for number in 0..SIGNALS_MAX {
            store
                .told(s(0), &number.to_string(), Value::U64(1))
                .unwrap();
        }
        assert_eq!(store.told(s(1), "more", Value::U64(1)), Err(TooMany));
        assert!(message(&mut store, s(10)).is_some());
        store.told(s(50), "0", Value::U64(1)).unwrap();
        assert_eq!(store.told(s(60), "more", Value::U64(1)), Err(TooMany));
        store.told(s(61), "more", Value::U64(1)).unwrap();
        assert_eq!(store.len(), 2);
    }
}
