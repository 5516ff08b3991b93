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
        if message.starts_with("string values must be quoted") {
            let message = if at_fault.is_empty() {
                "there is no value"
            } else {
                "not a value"
            };
            let key = self
                .key(text)
                .filter(|key| !at_fault.is_empty() && !secrets::is_secret(key));
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
/// of a line, and the first one of a list that is never closed.
pub(super) fn order(text: &str, errors: &[toml::de::Error]) -> Vec<SyntaxError> {
    let mut ordered: Vec<SyntaxError> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(text.len()..text.len());
            let start = span.start.min(text.len());
            let span = start..span.end.clamp(start, text.len());
            SyntaxError {
                span,
                message: error.message().to_owned(),
            }
        })
        .collect();
    ordered.sort_by_key(|error| (error.span.start, error.span.end));
    if ordered
        .iter()
        .any(|error| error.message.starts_with("unclosed array"))
        && let Some(first) = ordered
            .iter()
            .position(|error| error.message.contains("array"))
    {
        ordered.truncate(first + 1);
    }
    ordered.dedup_by_key(|error| line(text, error.span.start).start);
    ordered
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
