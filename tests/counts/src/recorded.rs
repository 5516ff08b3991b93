//! The figures of the repository: read, compared, written. One line each, sorted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Instructions a message, by what was counted, and what they were counted with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Recorded {
    /// `rustc`, `machine`, `valgrind`: with others the figures are others.
    pub(crate) with: BTreeMap<String, String>,
    pub(crate) counts: BTreeMap<String, u64>,
}

/// How a figure compares with the recorded one.
#[derive(Debug, PartialEq)]
pub(crate) enum Compared {
    Same,
    /// More than [`TOLERANCE`] more.
    More,
    /// More than [`TOLERANCE`] less: time to record it.
    Less,
    /// Nothing is recorded of it.
    New,
}

impl Recorded {
    /// What [`Recorded::text`] wrote.
    pub(crate) fn read(text: &str) -> Self {
        let mut this = Self::default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (name, value) in lines.filter_map(|line| line.split_once(" = ")) {
            let name = name.to_owned();
            match value.trim_matches('"') {
                text if text.len() < value.len() => {
                    this.with.insert(name, text.to_owned());
                }
                number => {
                    let number = number.replace('_', "").parse();
                    this.counts.insert(name, number.expect("a whole number"));
                }
            }
        }
        this
    }

    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (name, value) in &self.with {
            writeln!(text, "{name} = \"{value}\"").expect("text takes everything");
        }
        text.push_str("\n[instructions]\n");
        for (name, count) in &self.counts {
            writeln!(text, "{name} = {count}").expect("text takes everything");
        }
        text
    }

    pub(crate) fn compare(&self, name: &str, count: u64) -> Compared {
        let Some(&before) = self.counts.get(name) else {
            return Compared::New;
        };
        let bound = before * TOLERANCE / 100;
        match count {
            more if more > before + bound => Compared::More,
            less if less + bound < before => Compared::Less,
            _ => Compared::Same,
        }
    }
}

/// Per cent by which a figure may differ.
const TOLERANCE: u64 = 3;

const HEAD: &str = "\
# Instructions a message, counted by valgrind: stages within one process, then whole daemons.
# `tests/run counts` compares with them, `WEIR_RECORD=1 tests/run counts` writes them anew.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Recorded {
        Recorded {
            with: [("rustc".to_owned(), "1.95.0".to_owned())].into(),
            counts: [("stage_append".to_owned(), 1000)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Recorded::read(&recorded().text()), recorded());
    }

    #[test]
    fn three_per_cent_are_the_same_and_more_is_not() {
        let compare = |count| recorded().compare("stage_append", count);
        assert_eq!(compare(970), Compared::Same);
        assert_eq!(compare(1030), Compared::Same);
        assert_eq!(compare(1031), Compared::More);
        assert_eq!(compare(969), Compared::Less);
        assert_eq!(recorded().compare("stage_new", 1), Compared::New);
    }
}
