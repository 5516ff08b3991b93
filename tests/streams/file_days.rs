//! Files that follow each other by the day, by the hour and by their size, as a card has them that
//! somebody collects. Time is what a test says it is.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;
use weir::clock::Now;
use weir::clock::Wall;
use weir::net::FileSeries;
use weir::net::Rotation;

/// A card, the files of one name on it, and a clock.
struct Card {
    folder: PathBuf,
    name: &'static str,
    rotation: Rotation,
    files: FileSeries,
    /// Of the clock: the time since the boot, and the date with whether it can be used.
    now: Now,
    written: u32,
}

impl Card {
    fn new(name: &'static str, rotation: Rotation) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("weir-days-{}-{count}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let files = FileSeries::new(folder.join(name), rotation);
        Self {
            folder,
            name,
            rotation,
            files,
            now: at(NOON, true),
            written: 0,
        }
    }

    /// One more line, with its number.
    fn write(&mut self) {
        let line = format!("{}\n", self.written);
        self.files.append(line.as_bytes(), self.now).unwrap();
        self.written += 1;
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono += time;
        self.now.wall.since_1970 += time;
    }

    /// Power goes and comes back; the clock says this.
    fn boot(&mut self, date: Duration, trusted: bool) {
        self.files = FileSeries::new(self.folder.join(self.name), self.rotation);
        self.now = at(date, trusted);
    }

    /// The names that lie there, with their lines.
    fn files(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(&self.folder).unwrap().map(Result::unwrap);
        let mut files: Vec<_> = entries
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, text.trim_end().replace('\n', " "))
            })
            .collect();
        files.sort();
        files
    }

    fn assert_files(&self, expected: &[(&str, &str)]) {
        let expected = expected
            .iter()
            .map(|(name, text)| (name.to_string(), text.to_string()));
        assert_eq!(self.files(), Vec::from_iter(expected));
    }

    /// The file was written last at this date.
    fn touch(&self, name: &str, date: Duration) {
        let file = fs::File::options()
            .append(true)
            .open(self.folder.join(name))
            .unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + date).unwrap();
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn at(date: Duration, trusted: bool) -> Now {
    Now {
        mono: Duration::from_secs(20),
        wall: Wall {
            since_1970: date,
            trusted,
        },
        ages: trusted,
    }
}

const ALL: Rotation = Rotation {
    max_size: None,
    every: None,
    keep: None,
};

/// 2026-11-30, 12:00 UTC.
const NOON: Duration = Duration::from_secs(1_796_040_000);
const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

#[test]
fn with_a_date_in_its_name_a_new_file_begins_each_day() {
    let mut card = Card::new("log-{date}.jsonl", ALL);
    card.write();
    card.pass(12 * HOUR - Duration::from_secs(1));
    card.write();
    card.pass(Duration::from_secs(1));
    card.write();
    card.boot(NOON + DAY, true);
    card.write();
    card.assert_files(&[
        ("log-2026-11-30.jsonl", "0 1"),
        ("log-2026-12-01.jsonl", "2 3"),
    ]);
}

#[test]
fn of_earlier_days_and_those_set_aside_so_many_are_kept_as_are_to_be() {
    let rotation = Rotation {
        max_size: Some(4),
        keep: Some(3),
        ..ALL
    };
    let mut card = Card::new("{date}.log", rotation);
    fs::write(card.folder.join("2026-11-30.log.md"), "mine").unwrap();
    fs::write(card.folder.join("2026-11-3x.log"), "mine").unwrap();
    for _ in 0..3 {
        (0..3).for_each(|_| card.write());
        card.pass(DAY);
    }
    card.assert_files(&[
        ("2026-11-30.log.md", "mine"),
        ("2026-11-3x.log", "mine"),
        ("2026-12-01.log", "5"),
        ("2026-12-01.log.1", "3 4"),
        ("2026-12-02.log", "8"),
        ("2026-12-02.log.1", "6 7"),
    ]);
    // of one day the oldest is that with the largest number
    card.write();
    card.assert_files(&[
        ("2026-11-30.log.md", "mine"),
        ("2026-11-3x.log", "mine"),
        ("2026-12-01.log", "5"),
        ("2026-12-02.log", "8"),
        ("2026-12-02.log.1", "6 7"),
        ("2026-12-03.log", "9"),
    ]);
}

#[test]
fn without_keep_nothing_with_a_date_is_removed() {
    let mut card = Card::new("{date}.log", ALL);
    for _ in 0..40 {
        card.write();
        card.pass(DAY);
    }
    assert_eq!(card.files().len(), 40);
}

#[test]
fn without_a_date_that_can_be_used_the_newest_file_goes_on() {
    let mut card = Card::new("log-{date}.jsonl", ALL);
    card.write();
    card.pass(DAY);
    card.write();
    // the battery of the clock is empty: 1970, and after a while it knows better
    card.boot(Duration::from_secs(9), false);
    card.write();
    card.now = at(NOON + DAY + HOUR, true);
    card.write();
    card.assert_files(&[
        ("log-2026-11-30.jsonl", "0"),
        ("log-2026-12-01.jsonl", "1 2 3"),
    ]);
    card.boot(Duration::from_secs(9), false);
    card.write();
    card.now = at(NOON + 3 * DAY, true);
    card.write();
    card.assert_files(&[
        ("log-2026-11-30.jsonl", "0"),
        ("log-2026-12-01.jsonl", "1 2 3 4"),
        ("log-2026-12-03.jsonl", "5"),
    ]);
}

#[test]
fn where_no_file_has_a_date_yet_one_is_begun_without_and_counts_as_the_oldest() {
    let rotation = Rotation {
        keep: Some(1),
        ..ALL
    };
    let mut card = Card::new("log-{date}.jsonl", rotation);
    card.boot(Duration::ZERO, false);
    card.write();
    card.boot(Duration::ZERO, false);
    card.write();
    card.assert_files(&[("log-undated.jsonl", "0 1")]);
    card.now = at(NOON, true);
    card.write();
    card.assert_files(&[("log-2026-11-30.jsonl", "2"), ("log-undated.jsonl", "0 1")]);
    card.pass(DAY);
    card.write();
    card.assert_files(&[("log-2026-11-30.jsonl", "2"), ("log-2026-12-01.jsonl", "3")]);
}

#[test]
fn a_card_that_is_changed_gets_what_comes_from_then_on() {
    let mut card = Card::new("log-{date}.jsonl", ALL);
    card.write();
    fs::remove_file(card.folder.join("log-2026-11-30.jsonl")).unwrap();
    card.write();
    card.assert_files(&[("log-2026-11-30.jsonl", "1")]);
}

#[test]
fn a_file_is_set_aside_at_each_multiple_of_rotate() {
    let rotation = Rotation {
        every: Some(HOUR),
        keep: Some(2),
        ..ALL
    };
    let mut card = Card::new("log", rotation);
    card.pass(Duration::from_mins(59));
    card.write();
    card.pass(Duration::from_mins(1));
    card.write();
    card.write();
    card.pass(5 * HOUR);
    card.write();
    card.assert_files(&[("log", "3"), ("log.1", "1 2"), ("log.2", "0")]);
    card.pass(HOUR);
    card.write();
    card.assert_files(&[("log", "4"), ("log.1", "3"), ("log.2", "1 2")]);
}

#[test]
fn a_file_from_before_a_start_is_set_aside_by_when_it_was_written_last() {
    let rotation = Rotation {
        every: Some(DAY),
        keep: Some(5),
        ..ALL
    };
    let mut card = Card::new("log", rotation);
    card.write();
    card.touch("log", NOON);
    card.boot(NOON + HOUR, true);
    card.write();
    card.assert_files(&[("log", "0 1")]);
    card.touch("log", NOON);
    card.boot(NOON + DAY, true);
    card.write();
    card.assert_files(&[("log", "2"), ("log.1", "0 1")]);
    // what a wrong clock wrote is of no known hour
    card.touch("log", Duration::from_secs(9));
    card.boot(NOON + DAY, true);
    card.write();
    card.assert_files(&[("log", "3"), ("log.1", "2"), ("log.2", "0 1")]);
}

#[test]
fn without_a_date_rotate_counts_the_time_that_passes() {
    let rotation = Rotation {
        every: Some(HOUR),
        keep: Some(5),
        ..ALL
    };
    let mut card = Card::new("log", rotation);
    card.boot(Duration::ZERO, false);
    card.write();
    card.pass(HOUR - Duration::from_secs(1));
    card.write();
    card.pass(Duration::from_secs(1));
    card.write();
    card.assert_files(&[("log", "2"), ("log.1", "0 1")]);
}

/// As a power cut between two renames, or in the middle of a line, leaves it.
#[test]
fn what_a_power_cut_left_behind_is_gone_on_with() {
    let rotation = Rotation {
        max_size: Some(4),
        keep: Some(4),
        ..ALL
    };
    let mut card = Card::new("{date}.log", rotation);
    fs::write(card.folder.join("2026-11-30.log.2"), "a\n").unwrap();
    fs::write(card.folder.join("2026-11-30.log"), "b\nto").unwrap();
    card.write();
    card.boot(Duration::ZERO, false);
    card.write();
    card.assert_files(&[
        ("2026-11-30.log", "0 1"),
        ("2026-11-30.log.1", "b to"),
        ("2026-11-30.log.2", "a"),
    ]);
}
