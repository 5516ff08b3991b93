//! Mistakes of TOML itself: how they are told, and how the rest of the file is read all the same.
//!
//! The parser finds every mistake but gives up building at some of them, and with the rest of the
//! file every channel behind would be lost. So the lines at fault are blanked, in place, and what
//! is left is read again.

use super::diagnostic::DiagnosticAt;
use super::source::Place;
use std::ops::Range;
use toml::de::DeTable;

/// A mistake of the syntax.
#[derive(Clone, Debug)]
pub(crate) struct SyntaxError {
    span: Range<usize>,
    message: String,
}

/// A file whose wrong lines are blank; every place in it is as before.
#[derive(Debug)]
pub(crate) struct Mended {
    /// As long as the file.
    pub(crate) text: String,
    /// Where lines were blanked that belong to a table that still has its header.
    pub(crate) damage: Vec<usize>,
    /// `[ring]`, or a part of it, may be among what was blanked.
    pub(crate) ring_lost: bool,
    /// What is left is no TOML either.
    pub(crate) hidden: bool,
    /// Words without quotes; `0` and spaces stand for them.
    pub(crate) bare: Vec<Range<usize>>,
}

impl SyntaxError {
    /// As its author is told.
    pub(crate) fn explain(&self, text: &str, file: usize) -> DiagnosticAt {
        let place = Place::new(file, self.span.clone());
        let at_fault = text.get(self.span.clone()).unwrap_or_default();
        let message = self.message.as_str();
        if self.is_word() {
            let message = if at_fault.is_empty() {
                "there is no value"
            } else {
                "not a value"
            };
            return DiagnosticAt::error(place, message)
                .hint("put text in quotes: `key = \"text\"`");
        }
        if message == DUPLICATE_KEY {
            return DiagnosticAt::error(place, format!("`{at_fault}` is there twice"))
                .hint("leave one of them");
        }
        let diagnostic = DiagnosticAt::error(place, message);
        match message {
            _ if message.starts_with(NO_VALUE) => diagnostic.hint("write `key = value`"),
            _ if message.starts_with(OPEN_HEADER) => {
                diagnostic.hint("write `[name]` or `[[name]]`")
            }
            _ if message.ends_with(NEVER_CLOSED) => diagnostic.hint("close it on its line"),
            _ if message.starts_with(TOO_DEEP) => DiagnosticAt::error(place, "nested too deeply"),
            _ => diagnostic,
        }
    }
}

impl SyntaxError {
    /// Whether a value is a word that should have quotes, or nothing.
    fn is_word(&self) -> bool {
        UNQUOTED
            .iter()
            .any(|invalid| self.message.starts_with(invalid))
    }

    /// The word without quotes that is all of a value.
    fn bare(&self, text: &str) -> Option<Range<usize>> {
        let line = line(text, self.span.start);
        let before = text.get(line.start..self.span.start)?;
        let head =
            before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || ".+-_".contains(c));
        let within = head.trim_end().ends_with(['[', ',']) || head.contains('{');
        let value = text.get(line.start + head.len()..line.end)?;
        let end = match within {
            true => value.find([',', ']', '}', '#']),
            false => value.find(" #").or_else(|| value.find("\t#")),
        };
        let value = value.get(..end.unwrap_or(value.len()))?.trim_end();
        let is_value =
            head.trim_end().ends_with(['=', '[', ',']) || head.trim().is_empty() && within;
        let plain = !value.is_empty() && !value.contains(['"', '\'', '\\']);
        let start = line.start + head.len();
        (self.is_word() && is_value && plain).then_some(start..start + value.len())
    }
}

/// What the parser said, by place, without what only follows from a mistake before: the first one
/// of a line, and nothing behind a bracket or quotes that are never closed.
pub(crate) fn order(text: &str, errors: &[toml::de::Error]) -> Vec<SyntaxError> {
    let mut ordered: Vec<SyntaxError> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(text.len()..text.len());
            let start = span.start.min(text.len());
            let span = start..span.end.clamp(start, text.len());
            let message = error.message().to_owned();
            SyntaxError { span, message }
        })
        .collect();
    ordered.sort_by_key(|error| (error.span.start, error.span.end));
    if let Some(open) = never_closed(text, &ordered) {
        ordered.retain(|error| error.span.start < open.start);
        let shown = text.get(open.clone()).unwrap_or_default();
        ordered.push(SyntaxError {
            message: format!("`{shown}` {NEVER_CLOSED}"),
            span: open,
        });
    }
    ordered.dedup_by_key(|error| line(text, error.span.start).start);
    ordered
}

/// The bracket or the quotes that swallow the rest of the file.
fn never_closed(text: &str, errors: &[SyntaxError]) -> Option<Range<usize>> {
    for (unclosed, of_it, bracket) in [
        (OPEN_ARRAY, "array", '['),
        (OPEN_INLINE_TABLE, "inline table", '{'),
    ] {
        if errors
            .iter()
            .any(|error| error.message.starts_with(unclosed))
        {
            let first = errors.iter().find(|error| error.message.contains(of_it))?;
            let before = text.get(..first.span.start)?;
            let opens = |at: &usize| text.get(..*at).is_some_and(|t| t.trim_end().ends_with('='));
            let open = before
                .rmatch_indices(bracket)
                .map(|(at, _)| at)
                .find(opens)?;
            return Some(open..open + 1);
        }
    }
    let quotes = errors
        .iter()
        .find(|error| error.message.starts_with(OPEN_QUOTES))?;
    let before = text.get(..quotes.span.end)?;
    let open = before.rfind("\"\"\"").max(before.rfind("'''"))?;
    Some(open..open + 3)
}

/// Blanks the lines of `errors`, and of those that only show then.
pub(crate) fn mend(text: &str, errors: Vec<SyntaxError>) -> Mended {
    let mut mended = Mended {
        text: text.to_owned(),
        damage: Vec::new(),
        ring_lost: false,
        hidden: false,
        bare: Vec::new(),
    };
    let mut errors = errors;
    for _ in 0..ROUNDS_MAX {
        for error in &errors {
            match error.bare(&mended.text) {
                Some(word) if mended.bare.len() < WORDS_MAX => mended.stand_in(word),
                _ => mended.blank(error.span.start),
            }
        }
        errors = order(&mended.text, &DeTable::parse_recoverable(&mended.text).1);
        if errors.is_empty() {
            return mended;
        }
    }
    // what is still hidden could be anything
    mended.hidden = true;
    mended
}

impl Mended {
    /// Whether a mistake is left to whoever reads the value.
    pub(crate) fn keeps(&self, error: &SyntaxError) -> bool {
        let mut bare = self.bare.iter();
        bare.any(|word| word.contains(&error.span.start))
    }

    /// Puts a number where a word without quotes is.
    fn stand_in(&mut self, word: Range<usize>) {
        let number = format!("{:<1$}", 0, word.len());
        self.text.replace_range(word.clone(), &number);
        self.bare.push(word);
    }

    /// Blanks the line around `at`; with a header, all that it is the header of.
    fn blank(&mut self, at: usize) {
        let mut range = line(&self.text, at);
        let wrong = self
            .text
            .get(range.clone())
            .unwrap_or_default()
            .trim_start();
        let name = wrong.trim_start_matches(['[', ' ', '\t', '"', '\'']);
        self.ring_lost |= name.starts_with("ring") || wrong.is_empty();
        if wrong.starts_with('[') {
            let behind = self.text.get(range.end..).unwrap_or_default();
            range.end = behind
                .find("\n[")
                .map_or(self.text.len(), |next| range.end + next);
        } else {
            self.damage.push(at);
        }
        let blank = |c: char| {
            if c == '\n' {
                "\n".to_owned()
            } else {
                " ".repeat(c.len_utf8())
            }
        };
        let blanked: String = self
            .text
            .get(range.clone())
            .unwrap_or_default()
            .chars()
            .map(blank)
            .collect();
        self.bare
            .retain(|word| word.end <= range.start || word.start >= range.end);
        self.text.replace_range(range, &blanked);
    }
}

/// The line around a byte, without its end.
fn line(text: &str, at: usize) -> Range<usize> {
    let at = text.floor_char_boundary(at);
    let (before, behind) = text.split_at(at);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    start..at + behind.find('\n').unwrap_or(behind.len())
}

/// How often a file is read again at most.
const ROUNDS_MAX: usize = 16;

/// Words without quotes that are told apart at most.
const WORDS_MAX: usize = 100;

/// Said here of what swallows the rest of a file.
const NEVER_CLOSED: &str = "is never closed";

// How the messages of the parser begin that are told apart here. They are English for people and
// no promise of the crate: so Cargo.toml takes one version of it, and a test below sees each of
// them come. With another version look at both.

/// Of a value without quotes.
const UNQUOTED: [&str; 4] = [
    "string values must be quoted",
    "invalid float",
    "invalid boolean",
    "invalid integer",
];

/// All of the message.
const DUPLICATE_KEY: &str = "duplicate key";

const TOO_DEEP: &str = "cannot recurse further";
const NO_VALUE: &str = "key with no value";
const OPEN_HEADER: &str = "unclosed table";
const OPEN_ARRAY: &str = "unclosed array,";
const OPEN_INLINE_TABLE: &str = "unclosed inline table";
const OPEN_QUOTES: &str = "invalid multi-line";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_of_the_parser_that_is_told_apart_still_comes() {
        let deep = format!("a = {}1{}", "[".repeat(200), "]".repeat(200));
        let said = |text: &str| {
            let errors = DeTable::parse_recoverable(text).1;
            let messages = errors.iter().map(|error| error.message().to_owned());
            messages.collect::<Vec<_>>()
        };
        for (text, phrase) in [
            ("a = word", UNQUOTED[0]),
            ("a = 1.5.2", UNQUOTED[1]),
            ("a = truth", UNQUOTED[2]),
            ("a = 0d1x", UNQUOTED[3]),
            ("a = 1\na = 2", DUPLICATE_KEY),
            (&deep, TOO_DEEP),
            ("a", NO_VALUE),
            ("[a", OPEN_HEADER),
            ("a = [1", OPEN_ARRAY),
            ("a = { b = 1", OPEN_INLINE_TABLE),
            ("a = \"\"\"b", OPEN_QUOTES),
        ] {
            let messages = said(text);
            let comes = |message: &String| match phrase {
                DUPLICATE_KEY => message == phrase,
                _ => message.starts_with(phrase),
            };
            assert!(messages.iter().any(comes), "`{phrase}`: {messages:?}");
        }
    }
}
