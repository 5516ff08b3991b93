//! Mistakes of TOML itself: how they are told, and how the rest of the file is read all the same.
//!
//! The parser finds every mistake but gives up building at some of them, and with the rest of the
//! file every channel behind would be lost. So the lines at fault are blanked, in place, and what
//! is left is read again.

use super::context::shorten;
use super::diagnostic::Mistake;
use super::secrets;
use super::source::Place;
use std::ops::Range;
use toml::de::DeTable;

/// A mistake of the syntax.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    span: Range<usize>,
    message: String,
}

/// A file whose wrong lines are blank; every place in it is as before.
#[derive(Debug)]
pub(super) struct Mended {
    /// As long as the file.
    pub(super) text: String,
    /// Where lines were blanked that belong to a table that still has its header.
    pub(super) damage: Vec<usize>,
    /// `[ring]`, or a part of it, may be among what was blanked.
    pub(super) ring_lost: bool,
}

impl SyntaxError {
    /// As its author is told.
    pub(super) fn explain(&self, text: &str, file: usize) -> Mistake {
        let place = Place::new(file, self.span.clone());
        let at_fault = text.get(self.span.clone()).unwrap_or_default();
        let message = self.message.as_str();
        let number_or_flag = ["invalid float", "invalid boolean", "invalid integer"];
        let word = at_fault.starts_with(|c: char| c.is_ascii_alphabetic())
            && number_or_flag
                .iter()
                .any(|invalid| message.starts_with(invalid));
        if word || message.starts_with("string values must be quoted") {
            let message = if at_fault.is_empty() {
                "there is no value"
            } else {
                "not a value"
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || " .-_/*".contains(c);
            let showable = !at_fault.is_empty() && at_fault.chars().all(plain);
            let key = self
                .key(text)
                .filter(|key| showable && !secrets::is_secret(key));
            return Mistake::error(place, message).hint(match key {
                Some(key) => format!("put text in quotes: `{key} = \"{}\"`", shorten(at_fault)),
                None => "put text in quotes: `key = \"text\"`".to_owned(),
            });
        }
        if message == "duplicate key" {
            return Mistake::error(place, format!("`{at_fault}` is there twice"))
                .hint("leave one of them");
        }
        let mistake = Mistake::error(place, message);
        match message {
            _ if message.starts_with("key with no value") => mistake.hint("write `key = value`"),
            _ if message.starts_with("unclosed table") => {
                mistake.hint("write `[name]` or `[[name]]`")
            }
            _ if message.ends_with("is never closed") => mistake.hint("close it on its line"),
            "recursion limit" => Mistake::error(place, "nested too deeply"),
            _ => mistake,
        }
    }
}

impl SyntaxError {
    /// The key whose value begins where the mistake does.
    fn key<'t>(&self, text: &'t str) -> Option<&'t str> {
        let before = text.get(line(text, self.span.start).start..self.span.start)?;
        let key = before.trim_end().strip_suffix('=')?.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        Some(key).filter(|key| !key.is_empty() && key.chars().all(plain))
    }
}

/// What the parser said, by place, without what only follows from a mistake before: the first one
/// of a line, and nothing behind a bracket or quotes that are never closed.
pub(super) fn order(text: &str, errors: &[toml::de::Error]) -> Vec<SyntaxError> {
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
            message: format!("`{shown}` is never closed"),
            span: open,
        });
    }
    ordered.dedup_by_key(|error| line(text, error.span.start).start);
    ordered
}

/// The bracket or the quotes that swallow the rest of the file.
fn never_closed(text: &str, errors: &[SyntaxError]) -> Option<Range<usize>> {
    for (unclosed, of_it, bracket) in [
        ("unclosed array,", "array", '['),
        ("unclosed inline table", "inline table", '{'),
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
        .find(|error| error.message.starts_with("invalid multi-line"))?;
    let before = text.get(..quotes.span.end)?;
    let open = before.rfind("\"\"\"").max(before.rfind("'''"))?;
    Some(open..open + 3)
}

/// Blanks the lines of `errors`, and of those that only show then.
pub(super) fn mend(text: &str, errors: Vec<SyntaxError>) -> Mended {
    let mut mended = Mended {
        text: text.to_owned(),
        damage: Vec::new(),
        ring_lost: false,
    };
    let mut errors = errors;
    for _ in 0..ROUNDS_MAX {
        for error in &errors {
            mended.blank(error.span.start);
        }
        errors = order(&mended.text, &DeTable::parse_recoverable(&mended.text).1);
        if errors.is_empty() {
            return mended;
        }
    }
    // what is still hidden could be anything
    mended.ring_lost = true;
    mended
}

impl Mended {
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
const ROUNDS_MAX: usize = 8;
