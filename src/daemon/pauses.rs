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
use super::changes;
use super::pause::Entry;
use super::pause::Pause;
use super::stream::Stream;
use super::waits::Waits;
use crate::api::BY_HAND;
use crate::api::Refusal;
use crate::keys::quoted::quoted;
use crate::units::Period;
use serde::Deserialize;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

impl Daemon {
    pub(super) fn pause_stream(&self, name: &str, time: Option<Duration>) -> Result<(), Refusal> {
        let stream = self.stream(name)?;
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

    pub(super) fn resume_stream(&self, name: &str) -> Result<(), Refusal> {
        let stream = self.stream(name)?;
        stream.resume();
        log::info!("stream `{name}`: resumed by hand");
        stream.note(&self.shared, BY_HAND, None, Some("resumed"));
        self.keep_pauses()
    }

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
            let Some(pause) = stream.shown.paused.get() else {
                continue;
            };
            let dated = pause.dated(now);
            stream.shown.paused.set(Some(dated));
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
        let pause = stream.shown.paused.get()?;
        Some(pause.entry(&stream.settings.name))
    }));
    if entries == before {
        return Ok(());
    }
    let text = (!entries.is_empty()).then(|| render(&entries));
    changes::keep(folder, &[(folder.join(FILE), text)]).map(drop)
}

fn read(folder: &Path) -> io::Result<Vec<Entry>> {
    let text = changes::text_of(&folder.join(FILE))?.unwrap_or_default();
    let kept: Kept = toml::from_str(&text).map_err(io::Error::other)?;
    Ok(kept.stream)
}

fn render(entries: &[Entry]) -> String {
    let mut text = "# Paused by hand, with `weir stream` or the API.\n".to_owned();
    for entry in entries {
        let name = quoted(&entry.name);
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

/// Not `.toml`: it is no part of the configuration.
const FILE: &str = "paused";

/// As many as there can be streams.
const OTHERS_MAX: usize = crate::ring::STREAMS_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_the_same_again() {
        let entry = |name: &str, seconds, until| Entry {
            name: name.to_owned(),
            seconds,
            until,
        };
        let entries = [
            entry("a \"b\" ä", None, None),
            entry("c", Some(600.0), Some(1_796_000_600.25)),
            entry("d", Some(1e9), None),
        ];
        let kept: Kept = toml::from_str(&render(&entries)).unwrap();
        assert_eq!(kept.stream, entries);
    }
}
