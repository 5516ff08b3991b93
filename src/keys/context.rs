//! What every table is read with: the machine, the files, the mistakes so far, and strings as
//! they come out of a file.
//!
//! Knows no table and no key.

use super::diagnostic::DiagnosticAt;
use super::diagnostic::Severity;
use super::environment::Environment;
use super::expand::expand;
use super::named::Named;
use super::phrase::shorten;
use super::source::Place;
use super::source::Sources;
use super::tree::Node;
use super::tree::Tree;
use std::cell::RefCell;
use std::ops::Range;

/// What every reader shares.
pub(crate) struct Context<'a> {
    /// What `${…}` is taken from.
    pub(crate) environment: &'a dyn Environment,
    /// What places lie in.
    pub(crate) sources: &'a Sources,
    diagnostics: RefCell<Vec<DiagnosticAt>>,
    /// What the configuration names of this machine.
    named: RefCell<Vec<Named>>,
}

/// A string, expanded, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// With every reference replaced.
    pub(crate) value: String,
    /// All of it, quotes included.
    pub(crate) place: Place,
    /// Where its first byte stands in the file; none where places in it are not places there.
    inner: Option<usize>,
    /// What of the value must not be shown.
    secrets: Vec<String>,
    /// What it is where it should have stood in quotes.
    pub(crate) unquoted: Option<&'static str>,
}

/// Why a string is not what its key wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueError {
    /// Which part of it, in bytes; none: all.
    pub(crate) at: Option<Range<usize>>,
    /// Lowercase, no full stop.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) hint: Option<String>,
}

impl<'a> Context<'a> {
    /// With the mistakes that were already found.
    pub(crate) fn new(
        environment: &'a dyn Environment,
        sources: &'a Sources,
        diagnostics: Vec<DiagnosticAt>,
    ) -> Self {
        Self {
            environment,
            sources,
            diagnostics: RefCell::new(diagnostics),
            named: RefCell::default(),
        }
    }

    /// Notes a mistake.
    pub(crate) fn note(&self, diagnostic: DiagnosticAt) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Notes what is named of this machine.
    pub(crate) fn name(&self, named: Named) {
        self.named.borrow_mut().push(named);
    }

    /// All that is named of this machine.
    pub(crate) fn named(&self) -> Vec<Named> {
        self.named.take()
    }

    /// All mistakes.
    pub(crate) fn into_diagnostics(self) -> Vec<DiagnosticAt> {
        self.diagnostics.into_inner()
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        let is_error = |diagnostic: &&DiagnosticAt| diagnostic.severity == Severity::Error;
        self.diagnostics.borrow().iter().filter(is_error).count()
    }

    /// A node that has to be a string.
    pub(crate) fn text(&self, node: &Node) -> Option<Text> {
        let Tree::Text(raw) = &node.tree else {
            match self.loose(node) {
                Some(text) => self.unquoted(&text),
                None => self.expected("text", node, "write `\"...\"`"),
            }
            return None;
        };
        let written = self.sources.text(node.place);
        let inner = written.find(raw.as_str()).map(|at| node.place.start + at);
        match expand(raw, self.environment) {
            Ok(expanded) => Some(Text {
                secrets: match inner {
                    Some(_) if !expanded.secret => self.sources.hidden(node.place),
                    _ if expanded.secret || self.sources.hides(node.place) => {
                        vec![expanded.text.clone()]
                    }
                    _ => Vec::new(),
                },
                value: expanded.text,
                place: node.place,
                inner: inner.filter(|_| !expanded.changed),
                unquoted: None,
            }),
            Err(unknown) => {
                let place = within(node.place, inner, Some(unknown.at));
                let diagnostic = DiagnosticAt::error(place, unknown.message);
                self.note(DiagnosticAt {
                    hint: unknown.hint,
                    ..diagnostic
                });
                None
            }
        }
    }

    /// As [`Context::text`]; of what should stand in quotes, what it would be in them, and nothing
    /// is noted yet. None without a note where it is a list or a table.
    pub(crate) fn loose(&self, node: &Node) -> Option<Text> {
        match &node.tree {
            Tree::Text(_) => self.text(node),
            Tree::List(_) | Tree::Table(_) => None,
            other => Some(Text {
                value: self.sources.text(node.place).to_owned(),
                place: node.place,
                inner: None,
                secrets: self.sources.hidden(node.place),
                unquoted: Some(other.kind()),
            }),
        }
    }

    /// Notes that a text should stand in quotes, if it does not.
    pub(crate) fn unquoted(&self, text: &Text) {
        let Some(kind) = text.unquoted else {
            return;
        };
        let message = match kind {
            "a word without quotes" => "not a value".to_owned(),
            kind => format!("expected text, found {kind}"),
        };
        let value = match !text.secrets.is_empty() {
            true => "\"...\"".to_owned(),
            false => format!("\"{}\"", shorten(&text.value)),
        };
        let hint = format!(
            "put text in quotes: `{}`",
            self.assigned(text.place, &value)
        );
        self.note(DiagnosticAt::error(text.place, message).hint(hint));
    }

    /// `value` behind the key that stands before a place, if there is one.
    pub(crate) fn assigned(&self, place: Place, value: &str) -> String {
        let before = self.sources.text(Place {
            start: 0,
            end: place.start,
            ..place
        });
        let line = before.rsplit('\n').next().unwrap_or_default();
        let line = line.trim_end();
        let head = line
            .strip_suffix('=')
            .map(str::trim_end)
            .unwrap_or_default();
        let of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"');
        let start = head.rfind(|c| !of_key(c)).map_or(0, |at| at + 1);
        match head.get(start..) {
            Some(key) if !key.is_empty() => format!("{key} = {value}"),
            _ => value.to_owned(),
        }
    }

    /// The text of a node, if it is one; notes nothing.
    pub(crate) fn quiet_text(&self, node: &Node) -> Option<String> {
        let (Tree::Text(raw) | Tree::Bare(raw)) = &node.tree else {
            return None;
        };
        expand(raw, self.environment)
            .ok()
            .map(|expanded| expanded.text)
    }

    /// Notes that a text is not what it should be.
    pub(crate) fn wrong(&self, text: &Text, error: ValueError) {
        let place = within(text.place, text.inner, error.at);
        let shown = |said: String| {
            let secrets = text.secrets.iter();
            secrets.fold(said, |said, secret| censor(&said, secret))
        };
        let diagnostic = DiagnosticAt::error(place, shown(error.message));
        let hint = error.hint.map(shown);
        self.note(DiagnosticAt {
            hint: match text.unquoted {
                Some(_) => hint.map(|hint| self.with_quotes(text.place, hint)),
                None => hint,
            },
            ..diagnostic
        });
    }

    /// A hint that names what to write, with the key and the quotes that are not there.
    fn with_quotes(&self, place: Place, hint: String) -> String {
        let begins = ["write it like `", "write `", "did you mean `"];
        let meant = begins.iter().find_map(|begin| hint.strip_prefix(begin));
        let meant = meant.and_then(|rest| rest.split('`').next());
        match meant.filter(|meant| !meant.contains(['=', '"'])) {
            Some(meant) => {
                let written = self.assigned(place, &format!("\"{meant}\""));
                format!("write `{written}`")
            }
            None => hint,
        }
    }

    /// Notes that a value is of another kind.
    pub(crate) fn expected(&self, expected: &str, node: &Node, hint: impl Into<String>) {
        let message = match node.tree {
            Tree::Bare(_) => format!("not a value: expected {expected}"),
            _ => format!("expected {expected}, found {}", node.tree.kind()),
        };
        self.note(DiagnosticAt::error(node.place, message).hint(hint));
    }
}

/// A part of a text, where that is a place in the file.
fn within(whole: Place, inner: Option<usize>, at: Option<Range<usize>>) -> Place {
    match (inner, at) {
        (Some(inner), Some(at)) => Place {
            start: inner + at.start,
            end: inner + at.end,
            ..whole
        },
        _ => whole,
    }
}

impl Text {
    /// For messages: in backticks, or the stars.
    pub(crate) fn shown(&self) -> String {
        if !self.secrets.is_empty() {
            "`***`".to_owned()
        } else {
            format!("`{}`", shorten(&self.value))
        }
    }
}

/// What was said of a secret, without what is quoted of it. A sign or two tell nothing.
fn censor(said: &str, secret: &str) -> String {
    let pieces = said.split('`').enumerate();
    let shown = pieces.map(|(index, piece)| {
        let quoted = index % 2 == 1 && piece.chars().nth(2).is_some();
        let of_secret = secret.contains(piece.trim_end_matches('…'));
        if quoted && (of_secret || !secret.is_empty() && piece.contains(secret)) {
            "***"
        } else {
            piece
        }
    });
    shown.collect::<Vec<_>>().join("`")
}

impl ValueError {
    /// All of the text is wrong.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            at: None,
            message: message.into(),
            hint: None,
        }
    }

    /// With what to write instead.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Only this part is wrong.
    pub(crate) fn at(self, at: Range<usize>) -> Self {
        Self {
            at: Some(at),
            ..self
        }
    }
}
