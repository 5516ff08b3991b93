//! Streams that send nothing for a time: they keep what comes. Whether one is paused outlives
//! restarts, in a file beside what else was changed by hand.
//!
//! ```toml
//! [[stream]]
//! name = "cloud"
//! seconds = 600.0
//! until = 1796000600.0
//! ```
//! `seconds` is what was asked for, and missing where the pause has no end. `until` is the date of
//! the end. Within one run of the daemon the end is a time of the clock that never goes back. After
//! a restart the date decides, if there is one now and there was one before; until then the pause
//! begins again, so that without a date it lasts too long and not for ever.

use super::Daemon;
use super::changes::MODE;
use super::changes::replace;
use super::stream::Stream;
use super::waits::Waits;
use crate::api::BY_HAND;
use crate::api::ByHand;
use crate::api::Refusal;
use crate::clock::Now;
use crate::units::Period;
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// A pause of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pause {
    /// None: until it is resumed by hand.
    end: Option<End>,
}

/// When a pause ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    /// By the clock that never goes back.
    mono: Duration,
    /// The same as a date, where there was one.
    date: Option<Duration>,
    /// How long the pause is in all.
    length: Duration,
    /// It began before a restart, and there was no date since: `mono` is not certain.
    is_guessed: bool,
}

impl Pause {
    fn begun(length: Option<Duration>, now: Now) -> Self {
        let end = |length| End {
            mono: now.mono.saturating_add(length),
            date: None,
            length,
            is_guessed: false,
        };
        let end = length.map(end);
        Self { end }.dated(now)
    }

    /// As it is kept, after a restart.
    fn continued(entry: &Entry, now: Now) -> Self {
        let length = entry.seconds.and_then(time);
        let end = |length| End {
            mono: now.mono.saturating_add(length),
            date: entry.until.and_then(time),
            length,
            is_guessed: true,
        };
        let end = length.map(end);
        Self { end }.dated(now)
    }

    /// With what the date says, where there is one: it makes a guessed end certain, and a certain
    /// end makes a date.
    fn dated(self, now: Now) -> Self {
        let dated = |end: End| {
            let date = now.wall.since_1970;
            let ends = date + end.mono.saturating_sub(now.mono);
            match end.date {
                _ if !now.wall.trusted => end,
                Some(until) if end.is_guessed => End {
                    // no clock that was put back makes it longer
                    mono: now.mono + until.saturating_sub(date).min(end.length),
                    is_guessed: false,
                    ..end
                },
                // what differs by less is not worth a write
                Some(until) if until.abs_diff(ends) < SLACK => end,
                _ => End {
                    date: Some(ends),
                    is_guessed: false,
                    ..end
                },
            }
        };
        let end = self.end.map(dated);
        Self { end }
    }

    /// How long it lasts yet; none: until it is ended by hand.
    pub(super) fn left(&self, now: Now) -> Option<Duration> {
        self.end.map(|end| end.mono.saturating_sub(now.mono))
    }

    fn entry(&self, stream: &str) -> Entry {
        Entry {
            name: stream.to_owned(),
            seconds: self.end.map(|end| end.length.as_secs_f64()),
            until: self.end.and_then(|end| Some(end.date?.as_secs_f64())),
        }
    }
}

impl ByHand for Daemon {
    fn pause(&self, stream: &str, time: Option<Duration>) -> Result<(), Refusal> {
        let stream = self.stream(stream)?;
        stream.pause(&self.shared, Pause::begun(time, self.shared.now()));
        let name = &stream.settings.name;
        let text = match time {
            Some(time) => format!("paused for {}", Period(time)),
            None => "paused".to_owned(),
        };
        log::info!("stream `{name}`: {text}, by hand");
        stream.note(&self.shared, BY_HAND, None, Some(&text));
        self.pauses.notify(usize::MAX);
        self.keep_pauses()
    }

    fn resume(&self, stream: &str) -> Result<(), Refusal> {
        let stream = self.stream(stream)?;
        stream.resume();
        log::info!("stream `{}`: resumed by hand", stream.settings.name);
        stream.note(&self.shared, BY_HAND, None, Some("resumed"));
        self.keep_pauses()
    }
}

impl Daemon {
    /// Ends pauses whose time is over, for ever. Waits on: the first end of all, a pause that
    /// begins, a date that is set.
    pub(super) async fn keep_ending_pauses(self) {
        loop {
            let (begun, stepped) = (self.pauses.listen(), self.shared.clock.stepped_event());
            self.end_pauses();
            let now = self.shared.now();
            let streams = self.all_streams();
            let left = streams.iter().filter_map(|stream| stream.paused_for(now));
            Waits::on([begun, stepped]).at_most(left.min()).end().await;
        }
    }

    /// Ends those that are over, and dates the others.
    fn end_pauses(&self) {
        let now = self.shared.now();
        let mut is_changed = false;
        for stream in self.all_streams() {
            let Some(pause) = stream.paused.get() else {
                continue;
            };
            let dated = pause.dated(now);
            stream.paused.set(Some(dated));
            is_changed |= dated != pause;
            if dated.left(now).is_some_and(|left| left.is_zero()) {
                stream.resume();
                log::info!("stream `{}`: its pause is over", stream.settings.name);
                is_changed = true;
            }
        }
        if is_changed {
            // that it could not was said
            self.keep_pauses().unwrap_or_default();
        }
    }

    /// Pauses what was paused before the start.
    pub(super) fn continue_pauses(&self) {
        let kept = self.changes.as_deref().map(read).transpose();
        let entries = match kept {
            Ok(kept) => kept.unwrap_or_default(),
            Err(error) => {
                log::error!("which streams are paused cannot be read: {error}");
                return;
            }
        };
        let now = self.shared.now();
        for entry in &entries {
            if let Ok(stream) = self.stream(&entry.name) {
                stream.pause(&self.shared, Pause::continued(entry, now));
                log::warn!("stream `{}`: is paused, as before", entry.name);
            }
        }
    }

    fn keep_pauses(&self) -> Result<(), Refusal> {
        self.keep_pauses_but(None)
    }

    /// Forgets that a stream was paused that is no more.
    pub(super) fn forget_pause(&self, stream: &str) {
        // that it could not was said
        self.keep_pauses_but(Some(stream)).unwrap_or_default();
    }

    fn keep_pauses_but(&self, gone: Option<&str>) -> Result<(), Refusal> {
        let streams = self.all_streams();
        keep(self.changes.as_deref(), &streams, gone).map_err(|error| {
            log::warn!("which streams are paused is not kept over a restart: {error}");
            Refusal::NotKept(error.to_string())
        })
    }
}

/// Keeps which of these streams are paused. What is known of others, which may have been left out
/// for a mistake, stays, but of `gone`.
fn keep(folder: Option<&Path>, streams: &[Rc<Stream>], gone: Option<&str>) -> io::Result<()> {
    let folder = folder.ok_or_else(|| io::Error::other("there is no folder for it"))?;
    let before = read(folder)?;
    let is_one = |entry: &Entry| streams.iter().any(|it| it.settings.name == entry.name);
    let others = before
        .iter()
        .filter(|entry| !is_one(entry) && gone != Some(&entry.name))
        .take(OTHERS_MAX);
    let mut entries: Vec<_> = others.cloned().collect();
    entries.extend(streams.iter().filter_map(|stream| {
        let pause = stream.paused.get()?;
        Some(pause.entry(&stream.settings.name))
    }));
    let path = folder.join(FILE);
    match entries.is_empty() {
        _ if entries == before => Ok(()),
        true => {
            fs::remove_file(&path)?;
            File::open(folder)?.sync_all()
        }
        false => {
            fs::create_dir_all(folder)?;
            replace(folder, &path, &render(&entries), MODE)
        }
    }
}

fn read(folder: &Path) -> io::Result<Vec<Entry>> {
    match fs::read_to_string(folder.join(FILE)) {
        Ok(text) => toml::from_str(&text)
            .map(|kept: Kept| kept.stream)
            .map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn render(entries: &[Entry]) -> String {
    let mut text = "# Paused by hand, with `weir stream` or the API.\n".to_owned();
    for entry in entries {
        // a JSON string is a TOML one
        let name = serde_json::Value::from(entry.name.as_str());
        let mut written = write!(text, "\n[[stream]]\nname = {name}\n");
        for (key, value) in [("seconds", entry.seconds), ("until", entry.until)] {
            if let Some(value) = value {
                written = written.and_then(|()| writeln!(text, "{key} = {value:?}"));
            }
        }
        debug_assert!(written.is_ok(), "written to memory");
    }
    text
}

/// All that the file says.
#[derive(Default, Deserialize)]
struct Kept {
    #[serde(default)]
    stream: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Entry {
    name: String,
    seconds: Option<f64>,
    until: Option<f64>,
}

fn time(seconds: f64) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(seconds).ok();
    time.filter(|time| *time <= TIME_MAX)
}

/// How far the kept date may be off.
const SLACK: Duration = Duration::from_secs(2);

/// Not `.toml`: it is no part of the configuration.
const FILE: &str = "paused";

/// As many as there can be streams.
const OTHERS_MAX: usize = crate::ring::STREAMS_MAX;

/// What can be added to a clock: a date has some 60 years yet to come, a pause ten.
const TIME_MAX: Duration = Duration::from_hours(200 * 366 * 24);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    const HOUR: Duration = Duration::from_hours(1);
    const DATE: u64 = 1_800_000_000;

    fn at(mono: u64, date: Option<u64>) -> Now {
        Now {
            mono: Duration::from_secs(mono),
            wall: Wall {
                since_1970: Duration::from_secs(date.unwrap_or(0)),
                trusted: date.is_some(),
            },
            ages: false,
        }
    }

    fn left(pause: Pause, now: Now) -> Option<u64> {
        pause.left(now).map(|left| left.as_secs())
    }

    /// Kept, read and begun again.
    fn restarted(pause: Pause, now: Now) -> Pause {
        let text = render(&[pause.entry("a \"b\" ä")]);
        let kept: Kept = toml::from_str(&text).unwrap();
        assert_eq!(kept.stream[0].name, "a \"b\" ä");
        Pause::continued(&kept.stream[0], now)
    }

    #[test]
    fn a_pause_without_an_end_has_none_after_a_restart() {
        let pause = Pause::begun(None, at(5, Some(DATE)));
        assert_eq!(left(restarted(pause, at(1, None)), at(9, None)), None);
    }

    #[test]
    fn the_date_decides_after_a_restart() {
        let pause = Pause::begun(Some(HOUR), at(5, Some(DATE)));
        let again = at(1, Some(DATE + 600));
        assert_eq!(left(restarted(pause, again), again), Some(3000));
        let late = at(1, Some(DATE + 4000));
        assert_eq!(left(restarted(pause, late), late), Some(0));
        let back = at(1, Some(DATE - 90_000));
        assert_eq!(left(restarted(pause, back), back), Some(3600));
    }

    #[test]
    fn without_a_date_the_pause_begins_again_until_there_is_one() {
        let pause = Pause::begun(Some(HOUR), at(5, Some(DATE)));
        let pause = restarted(pause, at(10, None));
        assert_eq!(left(pause, at(110, None)), Some(3500));
        let known = at(110, Some(DATE + 3000));
        assert_eq!(left(pause.dated(known), known), Some(600));
        // there was none at all
        let pause = Pause::begun(Some(HOUR), at(5, None));
        let pause = restarted(pause, at(10, Some(DATE)));
        assert_eq!(left(pause, at(10, Some(DATE))), Some(3600));
        let pause = restarted(pause, at(3, Some(DATE + 3599)));
        assert_eq!(left(pause, at(3, None)), Some(1));
    }

    #[test]
    fn a_date_that_is_set_moves_no_end_within_one_run() {
        let pause = Pause::begun(Some(HOUR), at(5, Some(DATE)));
        let later = at(605, Some(DATE + 90_000));
        let pause = pause.dated(later);
        assert_eq!(left(pause, later), Some(3000));
        let again = at(1, Some(DATE + 90_000 + 1000));
        assert_eq!(left(restarted(pause, again), again), Some(2000));
    }

    #[test]
    fn figures_that_are_none_give_no_end() {
        for seconds in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            let entry = Entry {
                name: String::new(),
                seconds: Some(seconds),
                until: Some(seconds),
            };
            let pause = Pause::continued(&entry, at(1, Some(DATE)));
            assert_eq!(left(pause, at(1, Some(DATE))), None, "{seconds}");
        }
    }
}
