//! The ring's conditions: what it does or is that an operator must know. They are compared now and
//! then, and what begins, lasts or ends is said once: in the log and as an event. One place, so
//! that none is forgotten and none fills the log.

use super::Daemon;
use super::limit::Pace;
use super::limit::left_out;
use super::waits::Waits;
use super::waits::Woke;
use super::waits::minute;
use super::waits::sleep;
use crate::api::FAULT;
use crate::api::RECOVERED;
use crate::ring::Occupancy;
use crate::ring::Ring;
use log::Level;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was said of the conditions, and of what is counted.
#[derive(Default)]
pub(super) struct Watch {
    conditions: BTreeMap<&'static str, Said>,
    /// By what is counted, and of which stream.
    counts: BTreeMap<(&'static str, String), Count>,
}

/// One condition that was there.
#[derive(Clone, Copy, Default)]
struct Said {
    is_there: bool,
    /// This time was told of; if not, its end is not told of either.
    is_told: bool,
    pace: Pace,
    /// Times that it began and was not told of.
    left_out: u64,
}

/// Something that only rises.
#[derive(Clone, Copy, Default)]
struct Count {
    said: u64,
    pace: Pace,
}

/// Something that holds now.
pub(super) struct Condition {
    pub(super) name: &'static str,
    level: Level,
    text: String,
}

impl Daemon {
    /// Looks at the ring for ever. Waits on: what happens to the ring, and else the time.
    pub(super) async fn keep_watching(self, mut watch: Watch) {
        loop {
            let change = self.shared.ring.schedule_event();
            self.look(&mut watch);
            let change = Waits::on([change]);
            let woke = match watch.is_quiet() {
                true => change.or_ready(minute()).await,
                false => change.at_most(Some(LOOK_AT_LEAST)).end().await,
            };
            if woke == Woke::Event {
                sleep(Some(LOOK_EVERY)).await;
            }
        }
    }

    /// Says what has begun, lasts or has ended since the last look.
    pub(super) fn look(&self, watch: &mut Watch) {
        self.note_figures();
        let (now, every) = (self.shared.now().mono, self.say_every());
        let found = self.conditions();
        for condition in &found {
            if let Some(more) = watch.is_due(condition.name, now, every) {
                let text = format!("{}: {}", condition.name, condition.text);
                log::log!(condition.level, "ring: {text}{}", left_out(more));
                self.shared.note(FAULT, &text);
            }
        }
        for name in watch.ended(&found) {
            log::info!("ring: no longer {name}");
            self.shared.note(RECOVERED, &format!("no longer {name}"));
        }
        self.look_at_counts(watch, now, every);
    }

    /// The same again is said after so long.
    fn say_every(&self) -> Duration {
        let summary = self.parts.borrow().config.log.summary;
        if summary.is_zero() {
            SAY_EVERY
        } else {
            summary
        }
    }

    /// What holds now.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let found = self.shared.ring.occupancy();
        let mut all = Vec::new();
        let mut add = |holds: bool, name, level, text: &dyn Fn() -> String| {
            if holds {
                all.push(Condition {
                    name,
                    level,
                    text: text(),
                });
            }
        };
        let refusing = found.refusing;
        add(refusing, "refusing", Level::Error, &|| self.who_waits());
        add(found.dropping.is_some(), "dropping", Level::Error, &|| {
            "the oldest messages are given up unsent, to make room for new ones".to_owned()
        });
        let only_full = found.full && !refusing && found.dropping.is_none();
        add(only_full, "full", Level::Warn, &|| {
            "there is no room but that of messages which still wait".to_owned()
        });
        // in memory, or in a file system that is: no disk that could take it again
        let on_disk = |ring: &Ring| ring.is_degraded() && !ring.is_in_memory();
        let lasts = found.durable || self.shared.ring.read(on_disk);
        add(!lasts, "not durable", Level::Error, &|| {
            self.why_not_durable()
        });
        let failing = found.degraded && lasts;
        add(failing, "degraded", Level::Error, &|| {
            "the disk fails; senders wait for destinations until it takes again".to_owned()
        });
        let smaller = is_smaller(&found);
        add(smaller, "smaller than configured", Level::Warn, &|| {
            let (size, wanted) = (found.size >> 10, found.size_wanted >> 10);
            format!("{size} KiB of {wanted} KiB, the disk has no space for more")
        });
        all
    }

    fn who_waits(&self) -> String {
        let channels = self.all_channels();
        let waiting = channels
            .iter()
            .filter(|channel| channel.connections.get() > 0);
        let names: Vec<_> = waiting
            .map(|channel| format!("`{}` ({})", channel.name(), channel.connections.get()))
            .collect();
        let text = "it is full, and nothing more is acknowledged until a stream has made room";
        match names.is_empty() {
            true => text.to_owned(),
            false => format!("{text}; connections wait: {}", names.join(", ")),
        }
    }

    fn why_not_durable(&self) -> String {
        let in_memory = self.shared.ring.read(Ring::is_in_memory);
        let why = match in_memory {
            true => "its file cannot be used, messages are in memory only",
            false => "its file is in a file system in memory",
        };
        match self.parts.borrow().config.ring.ack_when_degraded {
            true => format!("{why}: a power cut loses what was acknowledged"),
            false => format!("{why}; senders wait for destinations"),
        }
    }

    fn look_at_counts(&self, watch: &mut Watch, now: Duration, every: Duration) {
        let failures = self.shared.ring.stats().read_failures;
        if let Some(more) = watch.has_risen("reads", "", failures, now, every) {
            let text =
                format!("{more} reads failed, {failures} in all; streams wait and try again");
            log::warn!("ring: {text}");
            self.shared.note(FAULT, &text);
        }
        for stream in self.all_streams() {
            let (name, of) = (&stream.settings.name, self.shared.ring.counters(stream.id));
            for (what, count) in [
                ("dropped unsent", of.dropped),
                ("damaged on disk", of.corrupt),
            ] {
                if let Some(more) = watch.has_risen(what, name, count, now, every) {
                    let text = format!("{more} messages {what}, {count} in all");
                    log::error!("stream `{name}`: {text}");
                    stream.note(&self.shared, FAULT, None, Some(&text));
                }
            }
        }
    }
}

impl Watch {
    /// What was counted before this start is old news.
    pub(super) fn begin(daemon: &Daemon) -> Self {
        let mut watch = Self::default();
        for stream in daemon.all_streams() {
            let of = daemon.shared.ring.counters(stream.id);
            for (what, said) in [
                ("dropped unsent", of.dropped),
                ("damaged on disk", of.corrupt),
            ] {
                let key = (what, stream.settings.name.clone());
                let pace = Pace::default();
                watch.counts.insert(key, Count { said, pace });
            }
        }
        watch
    }

    /// Whether all is well.
    fn is_quiet(&self) -> bool {
        !self.conditions.values().any(|said| said.is_there)
    }

    /// Whether a condition that holds is to be said: then how often that was left out.
    fn is_due(&mut self, name: &'static str, now: Duration, every: Duration) -> Option<u64> {
        let said = self.conditions.entry(name).or_default();
        let begins = !std::mem::replace(&mut said.is_there, true);
        if !said.pace.admit(now, every, every * 16) {
            said.left_out += u64::from(begins);
            return None;
        }
        said.is_told = true;
        Some(std::mem::take(&mut said.left_out))
    }

    /// Those that hold no longer and were told of.
    fn ended(&mut self, found: &[Condition]) -> Vec<&'static str> {
        let mut ended = Vec::new();
        for (name, said) in &mut self.conditions {
            let holds = found.iter().any(|condition| condition.name == *name);
            if !holds && std::mem::take(&mut said.is_there) && std::mem::take(&mut said.is_told) {
                ended.push(*name);
            }
        }
        ended
    }

    /// Whether it is to be said that a count has risen: then by how much since that was said.
    fn has_risen(
        &mut self,
        what: &'static str,
        of: &str,
        count: u64,
        now: Duration,
        every: Duration,
    ) -> Option<u64> {
        let known = self.counts.entry((what, of.to_owned())).or_default();
        let more = count.saturating_sub(known.said);
        if more == 0 || !known.pace.admit(now, every, every * 16) {
            return None;
        }
        known.said = count;
        Some(more)
    }
}

/// Whether it has less than was asked for, by more than what rounding to segments takes.
fn is_smaller(found: &Occupancy) -> bool {
    found.size < found.size_wanted - found.size_wanted / 8
}

/// Between two looks at least.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// And at most, while one is there: it may end with the time alone.
const LOOK_AT_LEAST: Duration = Duration::from_secs(10);

/// The same again, where nothing is summed up.
const SAY_EVERY: Duration = Duration::from_mins(15);

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> [Condition; 1] {
        let text = String::new();
        [Condition {
            name: "full",
            level: Level::Warn,
            text,
        }]
    }

    #[test]
    fn a_condition_is_said_at_once_and_then_folded_also_where_it_comes_and_goes() {
        let (at, every) = (Duration::from_secs, Duration::from_mins(1));
        let mut watch = Watch::default();
        assert_eq!(watch.is_due("full", at(5), every), Some(0));
        assert_eq!(watch.is_due("full", at(6), every), None);
        assert_eq!(watch.is_due("full", at(65), every), Some(0));
        assert!(watch.ended(&full()).is_empty());
        assert_eq!(watch.ended(&[]), ["full"]);
        for second in 70..73 {
            assert_eq!(watch.is_due("full", at(second), every), None);
            assert!(watch.ended(&[]).is_empty(), "nobody knows that it began");
        }
        assert_eq!(watch.is_due("full", at(184), every), None);
        assert_eq!(watch.is_due("full", at(185), every), Some(4));
        assert_eq!(watch.ended(&[]), ["full"]);
    }

    #[test]
    fn a_count_that_rises_is_said_at_once_and_then_with_all_that_came() {
        let (at, every) = (Duration::from_secs, Duration::from_mins(1));
        let mut watch = Watch::default();
        assert_eq!(watch.has_risen("reads", "", 0, at(1), every), None);
        assert_eq!(watch.has_risen("reads", "", 2, at(2), every), Some(2));
        assert_eq!(watch.has_risen("reads", "", 300, at(3), every), None);
        assert_eq!(watch.has_risen("reads", "", 301, at(62), every), Some(299));
        assert_eq!(watch.has_risen("reads", "", 302, at(181), every), None);
        assert_eq!(watch.has_risen("reads", "", 302, at(182), every), Some(1));
    }
}
