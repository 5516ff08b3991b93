//! What happened, as it is kept over restarts: which events wait to be written, when they go, and
//! what a line of their file looks like. Touches no file.
//!
//! ```text
//! 1c291ca3 {"ids":1000412,"boot":"6f0c…"}          of the lines that follow
//! 9ae0daaf {"of":"s","name":"cloud","id":412,…}    one event; a later line of the same `first`
//!                                                  stands for this one
//! ```
//! Before each line is its CRC-32C: a power cut in a write costs the line that it cuts.

use crate::api;
use crate::api::Event;
use crate::hex;
use crate::ring;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Whose {
    #[serde(rename = "s")]
    Stream,
    #[serde(rename = "c")]
    Channel,
    #[serde(rename = "r")]
    Ring,
    #[serde(rename = "w")]
    Daemon,
}

/// An event with whom it happened to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) whose: Whose,
    pub(super) name: String,
    pub(super) event: Event,
}

impl Told {
    pub(super) fn new(whose: Whose, name: &str, event: &Event) -> Self {
        Self {
            whose,
            name: name.to_owned(),
            event: event.clone(),
        }
    }
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of their ids.
    pub(super) events: Vec<Told>,
    /// No id beyond was given to any event.
    pub(super) ids: u64,
    /// In which boot the last of it was written.
    pub(super) boot: Box<str>,
}

/// Events that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// By the first id.
    events: BTreeMap<u64, Told>,
    /// When they are written.
    due: Option<Duration>,
    /// From the first of them until then.
    pause: Duration,
    /// When some were written last.
    last: Option<Duration>,
}

impl Unwritten {
    /// Adds one. Of what happens again and again, twice as often each time: the rest goes with what
    /// is written anyhow. Whether it is due by now when it was not.
    pub(super) fn add(&mut self, told: Told, now: Duration) -> bool {
        let is_news = told.event.count.is_power_of_two();
        self.events.insert(told.event.first_id, told);
        if self.events.len() > UNWRITTEN_MAX {
            self.events.pop_first();
        }
        is_news && self.set_due(now)
    }

    /// Has what there is written soon; whether that is new.
    pub(super) fn set_due(&mut self, now: Duration) -> bool {
        if self.due.is_some() {
            return false;
        }
        // longer each time where one write follows on the other: nothing that comes and goes wears
        // the flash
        self.pause = match self.last {
            None => FIRST,
            Some(last) if now < last + 2 * self.pause => {
                (2 * self.pause).clamp(PAUSE_MIN, PAUSE_MAX)
            }
            Some(_) => PAUSE_MIN,
        };
        self.due = Some(now + self.pause);
        true
    }

    /// When what waits is written.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// What is written now.
    pub(super) fn take(&mut self, now: Duration) -> Vec<Told> {
        self.due = None;
        self.last = Some(now);
        std::mem::take(&mut self.events).into_values().collect()
    }
}

/// The line before events of this boot.
pub(super) fn head(ids: u64, boot: &str) -> String {
    let head = Head {
        ids,
        boot: boot.into(),
    };
    line(&head)
}

/// The line of an event.
pub(super) fn event_line(told: &Told) -> String {
    let Told { whose, name, event } = told;
    let known = event.timestamp_valid;
    line(&Record {
        of: *whose,
        name: name.as_str().into(),
        first: event.first_id,
        mono: event.mono.filter(|_| !known).map(api::seconds),
        event: event.clone(),
    })
}

fn line(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut line = String::with_capacity(text.len() + 10);
    let written = writeln!(line, "{:08x} {text}", ring::crc32c(text.as_bytes()));
    debug_assert!(written.is_ok(), "written to memory");
    line
}

/// Reads what is whole of a file; `boot` is the one of now.
pub(super) fn read(bytes: &[u8], boot: &str) -> Found {
    let mut found = Found::default();
    let mut events = BTreeMap::new();
    for text in bytes.split(|byte| *byte == b'\n').filter_map(whole) {
        if let Ok(Head { ids, boot }) = serde_json::from_str(text) {
            (found.ids, found.boot) = (found.ids.max(ids), boot);
        } else if let Ok(record) = serde_json::from_str::<Record>(text) {
            let told = record.told(*found.boot == *boot);
            found.ids = found.ids.max(told.event.id);
            events.insert(told.event.first_id, told);
        }
    }
    found.events = events.into_values().collect();
    found.events.sort_by_key(|told| told.event.id);
    found
}

/// What a line says, if it is the one that was written.
fn whole(line: &[u8]) -> Option<&str> {
    let (sum, text) = str::from_utf8(line).ok()?.split_once(' ')?;
    let is_whole = hex::number(sum)? == ring::crc32c(text.as_bytes());
    (is_whole && sum.len() == 8).then_some(text)
}

/// The newest lines of all, in at most [`REWRITTEN_MAX`] bytes, of which each has the same share.
pub(super) fn newest(all: Vec<Told>) -> String {
    let mut by_name: BTreeMap<(Whose, String), Vec<(u64, String)>> = BTreeMap::new();
    for told in all {
        let line = (told.event.id, event_line(&told));
        by_name
            .entry((told.whose, told.name))
            .or_default()
            .push(line);
    }
    let share = REWRITTEN_MAX / by_name.len().max(1);
    let mut lines: Vec<(u64, String)> = Vec::new();
    for mut own in by_name.into_values() {
        own.sort_unstable_by_key(|(id, _)| *id);
        let mut room = share;
        let fits = |(_, line): &(u64, String)| {
            let fits = line.len() <= room;
            room = room.saturating_sub(line.len());
            fits
        };
        lines.extend(own.into_iter().rev().take_while(fits));
    }
    lines.sort_unstable_by_key(|(id, _)| *id);
    lines.into_iter().map(|(_, line)| line).collect()
}

#[derive(Serialize, Deserialize)]
struct Head {
    ids: u64,
    boot: Box<str>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    of: Whose,
    name: Box<str>,
    first: u64,
    /// Seconds of the clock that never goes back, where nobody knew the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mono: Option<f64>,
    #[serde(flatten)]
    event: Event,
}

impl Record {
    fn told(self, is_this_boot: bool) -> Told {
        let mut event = self.event;
        event.first_id = self.first;
        let mono = self.mono.filter(|_| is_this_boot);
        event.mono = mono.and_then(|mono| Duration::try_from_secs_f64(mono).ok());
        Told {
            whose: self.of,
            name: self.name.into(),
            event,
        }
    }
}

/// Bytes of the file; then it is written anew.
pub(super) const FILE_MAX: usize = 64 << 10;

/// Bytes of what is written anew.
pub(super) const REWRITTEN_MAX: usize = 32 << 10;

/// Most events that wait; of more, the oldest are not kept.
const UNWRITTEN_MAX: usize = 48;

/// From the first event of a start to the first write.
const FIRST: Duration = Duration::from_secs(5);

/// Then at least.
const PAUSE_MIN: Duration = Duration::from_mins(1);

/// And at most.
const PAUSE_MAX: Duration = Duration::from_mins(16);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NOT_DELIVERED;

    fn told(id: u64, name: &str, reason: &str) -> Told {
        Told {
            whose: Whose::Stream,
            name: name.to_owned(),
            event: Event {
                id,
                timestamp: 1_800_000_000.5,
                event_code: NOT_DELIVERED,
                error_code: Some(-1),
                reason: Some(reason.into()),
                first_id: id,
                ..Event::default()
            },
        }
    }

    fn file(lines: &[Told]) -> String {
        let lines = lines.iter().map(event_line);
        head(1000, "here") + &lines.collect::<String>()
    }

    #[test]
    fn what_is_written_is_read_again_and_the_later_stands_for_the_earlier() {
        let mut again = told(9, "a", "away\nfor long");
        (
            again.event.first_id,
            again.event.count,
            again.event.duration,
        ) = (3, 4, 60.5);
        let undated = |event: &mut Event| {
            (event.timestamp_valid, event.mono) = (false, Some(Duration::from_secs(70)));
        };
        let mut early = told(5, "b", "no date");
        undated(&mut early.event);
        let text = file(&[told(3, "a", "away"), early.clone(), again.clone()]);
        let found = read(text.as_bytes(), "here");
        assert_eq!(found.events, [early.clone(), again.clone()]);
        assert_eq!((found.ids, &*found.boot), (1000, "here"));
        // in another boot nobody knows when that was
        early.event.mono = None;
        assert_eq!(read(text.as_bytes(), "there").events, [early, again]);
    }

    #[test]
    fn a_cut_of_the_power_at_any_byte_costs_only_the_line_that_it_cuts() {
        let all: Vec<_> = (1..6).map(|id| told(id, "ä", "so")).collect();
        let text = file(&all);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        for cut in 0..=text.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let found = read(&text.as_bytes()[..cut], "here");
            assert_eq!(found.events, all[..whole.saturating_sub(1)], "cut at {cut}");
            // the next line is not lost with it, even where zeros or garbage came
            for garbage in [&b""[..], &[0; 40], b"\xff\n\n12345678 {}"] {
                let mut bytes = text.as_bytes()[..cut].to_vec();
                bytes.extend_from_slice(garbage);
                bytes.extend_from_slice(format!("\n{}", event_line(&told(9, "b", "x"))).as_bytes());
                let found = read(&bytes, "here").events;
                assert_eq!(found.last(), Some(&told(9, "b", "x")), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_line_that_rotted_is_left_out() {
        let text = file(&[told(1, "a", "x"), told(2, "a", "y"), told(3, "a", "z")]);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let found = read(&bytes, "here").events;
            assert!((1..=3).contains(&found.len()), "{at}: {found:?}");
            let known = [told(1, "a", "x"), told(2, "a", "y"), told(3, "a", "z")];
            assert!(
                found.iter().all(|told| known.contains(told)),
                "{at}: {found:?}"
            );
        }
    }

    #[test]
    fn what_comes_and_goes_all_day_is_written_a_hundred_times() {
        let mut unwritten = Unwritten::default();
        let (mut writes, mut first) = (0, None);
        for second in 0..86_400 {
            let now = Duration::from_secs(second);
            if second % 7 == 0 {
                unwritten.add(told(second, "a", "x"), now);
            }
            if unwritten.due().is_some_and(|due| due <= now) {
                writes += 1;
                first.get_or_insert(second);
                assert!(unwritten.take(now).len() <= UNWRITTEN_MAX);
            }
        }
        assert_eq!(first, Some(5));
        assert!((80..=100).contains(&writes), "{writes}");
    }

    #[test]
    fn the_same_again_is_written_each_time_that_it_happened_twice_as_often() {
        let mut unwritten = Unwritten::default();
        let mut due = 0;
        for count in 1..=1000 {
            let mut again = told(1, "a", "x");
            again.event.count = count;
            due += u32::from(unwritten.add(again, Duration::from_secs(count)));
            if unwritten.due().is_some() {
                assert_eq!(
                    unwritten.take(Duration::from_secs(count))[0].event.count,
                    count
                );
            }
        }
        assert_eq!(due, 10);
    }

    #[test]
    fn what_is_written_anew_has_of_each_the_newest() {
        let loud = (1..500).map(|id| told(id, "loud", &"x".repeat(200)));
        let all: Vec<_> = loud.chain([told(2, "quiet", "once")]).collect();
        let text = newest(all);
        assert!(text.len() <= REWRITTEN_MAX, "{}", text.len());
        assert!(text.len() > REWRITTEN_MAX / 3, "{}", text.len());
        let found = read(text.as_bytes(), "here").events;
        assert!(found.iter().any(|told| told.name == "quiet"));
        assert_eq!(found.last().unwrap().event.id, 499);
    }
}
