//! What every table is read with: the machine, the files, the mistakes so far, and strings as
//! they come out of a file.
//!
//! Knows no table and no key.

use super::diagnostic::Mistake;
use super::diagnostic::Severity;
use super::environment::Environment;
use super::expand::expand;
use super::source::Place;
use super::source::Sources;
use super::tree::Node;
use super::tree::Tree;
use std::cell::RefCell;
use std::ops::Range;

/// What every reader shares.
pub(super) struct Context<'a> {
    /// What `${…}` is taken from.
    pub(super) environment: &'a dyn Environment,
    /// What places lie in.
    pub(super) sources: &'a Sources,
    mistakes: RefCell<Vec<Mistake>>,
}

/// A string, expanded, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// With every reference replaced.
    pub(super) value: String,
    /// All of it, quotes included.
    pub(super) place: Place,
    /// Where its first byte stands in the file; none where places in it are not places there.
    inner: Option<usize>,
    secret: bool,
}

/// Why a string is not what its key wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Which part of it, in bytes; none: all.
    pub(super) at: Option<Range<usize>>,
    /// Lowercase, no full stop.
    pub(super) message: String,
    /// What to write instead.
    pub(super) hint: Option<String>,
}

impl<'a> Context<'a> {
    /// With the mistakes that were already found.
    pub(super) fn new(
        environment: &'a dyn Environment,
        sources: &'a Sources,
        mistakes: Vec<Mistake>,
    ) -> Self {
        Self {
            environment,
            sources,
            mistakes: RefCell::new(mistakes),
        }
    }

    /// Notes a mistake.
    pub(super) fn note(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// All mistakes.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    /// How many errors there are so far.
    pub(super) fn errors(&self) -> usize {
        let is_error = |mistake: &&Mistake| mistake.severity == Severity::Error;
        self.mistakes.borrow().iter().filter(is_error).count()
    }

    /// A node that has to be a string.
    pub(super) fn text(&self, node: &Node) -> Option<Text> {
        let Tree::Text(raw) = &node.tree else {
            self.expected("text", node, Some("put it in quotes"));
            return None;
        };
        let written = self.sources.text(node.place);
        let inner = written.find(raw.as_str()).map(|at| node.place.start + at);
        match expand(raw, self.environment) {
            Ok(expanded) => Some(Text {
                value: expanded.text,
                place: node.place,
                inner: inner.filter(|_| !expanded.changed),
                secret: expanded.secret,
            }),
            Err(unknown) => {
                let place = within(node.place, inner, Some(unknown.at));
                let mistake = Mistake::error(place, unknown.message);
                self.note(Mistake {
                    hint: unknown.hint,
                    ..mistake
                });
                None
            }
        }
    }

    /// The text of a node, if it is one; notes nothing.
    pub(super) fn quiet_text(&self, node: &Node) -> Option<String> {
        let Tree::Text(raw) = &node.tree else {
            return None;
        };
        expand(raw, self.environment)
            .ok()
            .map(|expanded| expanded.text)
    }

    /// Notes that a text is not what it should be.
    pub(super) fn wrong(&self, text: &Text, wrong: Wrong) {
        let place = within(text.place, text.inner, wrong.at);
        let shown = |said: String| {
            if text.secret {
                censor(&said, &text.value)
            } else {
                said
            }
        };
        let mistake = Mistake::error(place, shown(wrong.message));
        self.note(Mistake {
            hint: wrong.hint.map(shown),
            ..mistake
        });
    }

    /// Notes that a value is of another kind.
    pub(super) fn expected(&self, expected: &str, node: &Node, hint: Option<&str>) {
        let message = format!("expected {expected}, found {}", node.tree.kind());
        let mistake = Mistake::error(node.place, message);
        self.note(Mistake {
            hint: hint.map(str::to_owned),
            ..mistake
        });
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
    pub(super) fn shown(&self) -> String {
        if self.secret {
            "`***`".to_owned()
        } else {
            format!("`{}`", shorten(&self.value))
        }
    }
}

/// What was said of a secret, without what is quoted of it.
fn censor(said: &str, secret: &str) -> String {
    let pieces = said.split('`').enumerate();
    let shown = pieces.map(|(index, piece)| {
        let quoted = index % 2 == 1;
        if quoted && secret.contains(piece.trim_end_matches('…')) {
            "***"
        } else {
            piece
        }
    });
    shown.collect::<Vec<_>>().join("`")
}

/// The text, or as much of it as a message holds.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Wrong {
    /// All of the text is wrong.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            at: None,
            message: message.into(),
            hint: None,
        }
    }

    /// With what to write instead.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Only this part is wrong.
    pub(super) fn at(self, at: Range<usize>) -> Self {
        Self {
            at: Some(at),
            ..self
        }
    }
}

/// Names in backticks, one after the other.
pub(super) fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Characters of a value that a message shows at most.
const SHOWN_MAX: usize = 60;
