//! What is wrong with a configuration, as its author sees it.
//!
//! ```text
//! /etc/weir/weir.toml:12:9: error: `timeout` is at least `1s`
//!     timeout = "10ms"
//!               ^^^^^^
//! hint: write `timeout = "30s"`
//! ```
//! Knows places and texts, not what the configuration means.

use super::source::Place;
use super::source::Source;
use super::source::Sources;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// One mistake. Prints itself over several lines, the last without an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// In which file, as it was named.
    pub file: PathBuf,
    /// Where in it; none: the file as a whole.
    pub position: Option<Position>,
    /// What is wrong: lowercase, no full stop, no secrets.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// The key that is missing, where that is what is wrong.
    pub key: Option<String>,
    excerpt: Option<Excerpt>,
}

/// How bad a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// What it stands in is left out.
    Error,
    /// It is taken as it is.
    Warning,
}

/// Where a mistake begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A line and what of it is underlined, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    indent: usize,
    carets: usize,
}

/// A mistake that has not been looked up in its file yet.
#[derive(Clone, Debug)]
pub(crate) struct DiagnosticAt {
    pub(crate) severity: Severity,
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The key that is missing.
    pub(crate) key: Option<String>,
}

impl DiagnosticAt {
    /// An error.
    pub(crate) fn error(place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place,
            message: message.into(),
            hint: None,
            key: None,
        }
    }

    /// A warning.
    pub(crate) fn warning(place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(place, message)
        }
    }

    /// With what to write instead.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// With its line and position.
    pub(crate) fn locate(self, sources: &Sources) -> Diagnostic {
        let source = sources.file(self.place.file);
        let found = source.and_then(|source| find(source, self.place));
        let (position, excerpt) = found.unzip();
        Diagnostic {
            severity: self.severity,
            file: source.map(|source| source.path.clone()).unwrap_or_default(),
            position,
            message: printable(&self.message),
            hint: self.hint.as_deref().map(printable),
            key: self.key,
            excerpt,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", printable(&self.file.to_string_lossy()))?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}: {}", self.severity, self.message)?;
        if let Some(Excerpt {
            line,
            indent,
            carets,
        }) = &self.excerpt
        {
            let caret = format!("{}{}", " ".repeat(*indent), "^".repeat(*carets));
            write!(f, "\n    {line}\n    {caret}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A mistake as it prints itself, without the line that it is in: its place is said, and a log has
/// lines of its own.
#[must_use]
pub fn in_one_line(mistake: &str) -> String {
    let mut lines = mistake.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    match lines.next_back().filter(|last| last.starts_with("hint: ")) {
        Some(hint) => format!("{first}; {hint}"),
        None => first,
    }
}

/// All of them, each ended by a line end.
#[must_use]
pub fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| format!("{diagnostic}\n"))
        .collect()
}

/// How many are of this severity.
#[must_use]
pub fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == severity)
        .count()
}

/// Looks a place up. None: the file could not be read, or the place is all of it.
fn find(source: &Source, place: Place) -> Option<(Position, Excerpt)> {
    let text = source.text.as_deref()?;
    if place == Place::file(place.file) {
        return None;
    }
    let start = text.floor_char_boundary(place.start);
    let end = text.ceil_char_boundary(place.end).max(start);
    let (before, behind) = text.split_at_checked(start)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = behind.find('\n').map_or(text.len(), |at| start + at);
    let head = text.get(line_start..start)?.trim_start_matches('\u{feff}');
    let position = Position {
        line: before.matches('\n').count() + 1,
        column: head.chars().count() + 1,
    };
    let excerpt = Excerpt::cut(source, line_start..line_end, start..end.min(line_end))?;
    Some((position, excerpt))
}

impl Excerpt {
    /// The line at `line`, of which `marked` is underlined: secrets replaced, nothing that a
    /// terminal would obey, and no more than [`LINE_MAX`] characters around the mark.
    fn cut(source: &Source, line: Range<usize>, marked: Range<usize>) -> Option<Self> {
        let text = source.text.as_deref()?;
        let mut shown: Vec<char> = Vec::new();
        let (mut from, mut to) = (None, 0);
        // the secret that the last character belonged to, and where its stars begin
        let mut hidden = None;
        for (offset, c) in text.get(line.clone())?.char_indices() {
            let at = line.start + offset;
            let secret = source
                .secret_from(at)
                .filter(|(_, secret)| secret.contains(&at))
                .map(|(index, _)| index);
            let begin = match hidden {
                Some((last, begin)) if secret == Some(last) => begin,
                _ => shown.len(),
            };
            match secret {
                Some(_) if begin < shown.len() => {}
                Some(_) => shown.extend(['*'; 3]),
                None if c == '\r' || c == '\u{feff}' => {}
                None => shown.push(if c.is_control() { ' ' } else { c }),
            }
            hidden = secret.map(|secret| (secret, begin));
            if at >= marked.start {
                from.get_or_insert(begin);
            }
            if at < marked.end {
                to = shown.len();
            }
        }
        let from = from.unwrap_or(shown.len());
        Some(Self::window(&shown, from, to.saturating_sub(from).max(1)))
    }

    /// As much of a line as is shown, and what of it is underlined.
    fn window(line: &[char], from: usize, carets: usize) -> Self {
        let first = if line.len() <= LINE_MAX {
            0
        } else {
            from.saturating_sub(LINE_MAX / 3)
        };
        let cut = line.get(first..).unwrap_or_default();
        let mut shown: String = cut.iter().take(LINE_MAX).collect();
        let mut indent = from - first;
        if first > 0 {
            shown.insert(0, '…');
            indent += 1;
        }
        if cut.len() > LINE_MAX {
            shown.push('…');
        }
        let room = shown.chars().count().saturating_sub(indent).max(1);
        Self {
            line: shown.trim_end().to_owned(),
            indent,
            carets: carets.min(room),
        }
    }
}

/// The text without characters that a terminal would obey.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Characters of a line that are shown at most.
const LINE_MAX: usize = 96;
