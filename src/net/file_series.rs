//! Files of lines that follow each other: one is appended to, those before it lie beside it until
//! somebody collects them, or more are there than are to be kept.
//!
//! ```text
//! log.jsonl               appended to; .1 was set aside last, .2 before that
//! log-2026-11-29.jsonl    with `{date}` in the name: begun on that day (UTC), and over
//! log-2026-11-30.jsonl    appended to
//! log-undated.jsonl       begun where no date was known and no file of another day lay there
//! ```
//! A date that cannot be used begins no new day: the newest file that is there goes on, whatever
//! day it is of. So what comes after a start without a clock stands behind what came before it,
//! nothing waits for a date, and no file is taken for an older one than it is.

use super::line_file::LineFile;
use crate::clock::Date;
use crate::clock::Now;
use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::UNIX_EPOCH;

/// When a file is over, and how many that are over stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// One that would grow past this is set aside; none: it grows.
    pub max_size: Option<u64>,
    /// At each multiple of this since 1970 it is set aside; none: at none. Where the date cannot be
    /// used, after so long.
    pub every: Option<Duration>,
    /// Those of earlier days count as those that were set aside; none: all stay.
    pub keep: Option<u32>,
}

/// Files of one name. It is opened when there is something for it.
#[derive(Debug)]
pub struct FileSeries {
    /// With [`DATE`], or without.
    path: PathBuf,
    rotation: Rotation,
    current: Option<Current>,
}

/// The file that is appended to.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: LineFile,
    /// When it was opened or begun; monotonic.
    since: Duration,
    /// The date of what was written last, right or not.
    written: Option<Duration>,
}

impl FileSeries {
    /// Files at `path`, in whose last part [`DATE`] stands for the day, or at most in one place.
    #[must_use]
    pub fn new(path: PathBuf, rotation: Rotation) -> Self {
        let current = None;
        Self {
            path,
            rotation,
            current,
        }
    }

    /// Appends whole lines to the file that it is time for, and syncs. Blocks as long as the disk
    /// does.
    ///
    /// # Errors
    /// As [`LineFile::append`].
    pub fn append(&mut self, lines: &[u8], now: Now) -> io::Result<()> {
        let path = self.path_at(now);
        let known = self.current.take().filter(|current| current.path == path);
        let is_new = known.is_none();
        let mut current = known.unwrap_or_else(|| self.open(path, now));
        let before = current.file.times_set_aside();
        if self.is_over(&current, now) {
            current.file.set_aside()?;
            current.since = now.mono;
        }
        let appended = current.file.append(lines);
        if appended.is_ok() {
            current.written = Some(now.wall.since_1970);
        }
        if appended.is_ok() && (is_new || current.file.times_set_aside() != before) {
            // what cannot be removed now is the next time
            self.remove_old(&current.path).ok();
        }
        self.current = Some(current);
        appended
    }

    fn open(&self, path: PathBuf, now: Now) -> Current {
        let keep = self.rotation.keep.unwrap_or(u32::MAX);
        let file = LineFile::new(path.clone(), self.rotation.max_size, keep);
        let found = path.metadata().ok().filter(|found| found.len() > 0);
        let written = found.and_then(|found| found.modified().ok());
        let written = written.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        Current {
            path,
            file,
            since: now.mono,
            written,
        }
    }

    /// Whether the file is to be set aside for the time that has passed. One that was written by
    /// another clock is: what it is of is not known.
    fn is_over(&self, current: &Current, now: Now) -> bool {
        let Some(every) = self.rotation.every.filter(|every| !every.is_zero()) else {
            return false;
        };
        let turn = |date: Duration| date.as_nanos() / every.as_nanos();
        let is_other = |date| turn(date) != turn(now.wall.since_1970);
        match now.wall.trusted {
            true => current.written.is_some_and(is_other),
            false => now.mono.saturating_sub(current.since) >= every,
        }
    }

    /// The file that is appended to now.
    fn path_at(&self, now: Now) -> PathBuf {
        let Some(name) = Name::of(&self.path) else {
            return self.path.clone();
        };
        if now.wall.trusted {
            return name.path(&Date(now.wall.since_1970).to_string());
        }
        match &self.current {
            Some(current) => current.path.clone(),
            None => {
                let found = name.found().unwrap_or_default();
                let newest = found.into_iter().filter(|file| file.number == 0);
                let newest = newest.max_by(|one, other| one.day.cmp(&other.day));
                name.path(newest.as_ref().map_or(UNDATED, |file| file.day_name()))
            }
        }
    }

    /// Of files with dates: those that are too many, the oldest first. Where a name has none, its
    /// numbers say which go.
    fn remove_old(&self, current: &Path) -> io::Result<()> {
        let (Some(name), Some(keep)) = (Name::of(&self.path), self.rotation.keep) else {
            return Ok(());
        };
        let mut over = name.found()?;
        over.retain(|file| file.path != current);
        over.sort_by(|one, other| one.age().cmp(&other.age()));
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let too_many = over.len().saturating_sub(keep);
        for file in over.iter().take(too_many) {
            fs::remove_file(&file.path)?;
        }
        Ok(())
    }
}

/// A path with a place for the day.
struct Name<'a> {
    folder: &'a Path,
    before: &'a str,
    after: &'a str,
}

/// A file of a series that lies there.
struct Found {
    path: PathBuf,
    /// Empty: it has none, and is older than all that have.
    day: String,
    /// 0: it is the last of its day.
    number: u32,
}

impl<'a> Name<'a> {
    /// None: it has no place for a day.
    fn of(path: &'a Path) -> Option<Self> {
        let (before, after) = path.file_name()?.to_str()?.split_once(DATE)?;
        let folder = path.parent()?;
        Some(Self {
            folder,
            before,
            after,
        })
    }

    fn path(&self, day: &str) -> PathBuf {
        let (before, after) = (self.before, self.after);
        self.folder.join(format!("{before}{day}{after}"))
    }

    /// All that lie there, in no order.
    fn found(&self) -> io::Result<Vec<Found>> {
        let folder = match self.folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => self.folder,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let named = entry.file_name().to_str().and_then(|name| self.parse(name));
            found.extend(named.map(|(day, number)| Found {
                path: self.folder.join(entry.file_name()),
                day,
                number,
            }));
        }
        Ok(found)
    }

    /// The day and the number, if it is a file of this name.
    fn parse(&self, name: &str) -> Option<(String, u32)> {
        let rest = name.strip_prefix(self.before)?;
        let (day, rest) = match rest.strip_prefix(UNDATED) {
            Some(rest) => ("", rest),
            None => rest
                .split_at_checked(DAY_LEN)
                .filter(|(day, _)| is_day(day))?,
        };
        let rest = rest.strip_prefix(self.after)?;
        let number = match rest.strip_prefix('.') {
            None if rest.is_empty() => 0,
            Some(number) => number.parse().ok().filter(|number| *number > 0)?,
            None => return None,
        };
        Some((day.to_owned(), number))
    }
}

impl Found {
    fn day_name(&self) -> &str {
        match &*self.day {
            "" => UNDATED,
            day => day,
        }
    }

    /// The oldest first.
    fn age(&self) -> (&str, Reverse<u32>) {
        (&self.day, Reverse(self.number))
    }
}

/// As in `2026-11-30`.
fn is_day(text: &str) -> bool {
    let mut places = text.bytes().enumerate();
    places.all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

/// Stands in a path for the day on which a file is begun.
pub const DATE: &str = "{date}";

/// Stands there where that is not known.
const UNDATED: &str = "undated";

/// Of a day, in bytes.
const DAY_LEN: usize = 10;
