//! A table, taken key by key: every mistake is noted at its place, and what nobody asked for is
//! a mistake too.
//!
//! Knows kinds of values, not their meaning.

use super::diagnostic::Mistake;
use super::environment::Environment;
use super::expand::expand;
use super::later;
use super::names::nearest;
use super::source::Place;
use super::source::Sources;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::units::Period;
use crate::units::Size;
use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// What every reader shares.
pub(super) struct Context<'a> {
    pub(super) environment: &'a dyn Environment,
    pub(super) sources: &'a Sources,
    mistakes: RefCell<Vec<Mistake>>,
}

/// One table.
pub(super) struct Reader<'a> {
    context: &'a Context<'a>,
    table: &'a Table,
    /// What it is, as [`later`] names it.
    kind: &'static str,
    /// The same with its `type`.
    subkind: String,
    asked: Vec<&'static str>,
    mistakes_before: usize,
}

/// A string, expanded, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) value: String,
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
    pub(super) message: String,
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
        let is_error = |mistake: &&Mistake| mistake.severity == super::Severity::Error;
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
    fn quiet_text(&self, node: &Node) -> Option<String> {
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

    fn expected(&self, expected: &str, node: &Node, hint: Option<&str>) {
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

impl<'a> Reader<'a> {
    /// A table of this kind.
    pub(super) fn new(context: &'a Context<'a>, table: &'a Table, kind: &'static str) -> Self {
        let mistakes_before = context.errors();
        Self {
            context,
            table,
            kind,
            subkind: String::new(),
            asked: Vec::new(),
            mistakes_before,
        }
    }

    /// What all readers share.
    pub(super) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// Where a key stands; its header where it does not.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.table
            .entry(key)
            .map_or(self.table.place, |entry| entry.key_place)
    }

    /// Where the value of a key stands; its header where it does not.
    pub(super) fn value_place(&self, key: &str) -> Place {
        self.table
            .entry(key)
            .map_or(self.table.place, |entry| entry.node.place)
    }

    /// Whether the key is written, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.entry(key).is_some()
    }

    /// Notes a mistake of a whole value.
    pub(super) fn error(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.context.note(Mistake::error(place, message).hint(hint));
    }

    /// Notes that a key is not there that has to be.
    pub(super) fn missing(&self, key: &str, hint: &str) {
        let kind = self.kind;
        let message = format!("this {kind} has no `{key}`");
        self.error(self.table.place, message, format!("write `{hint}`"));
    }

    /// The value of a key as it is.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        self.table.entry(key).map(|entry| &entry.node)
    }

    /// A string.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Text> {
        let node = self.take(key)?;
        self.context.text(node)
    }

    /// A string that has to be there; `hint` is the line to write.
    pub(super) fn required(&mut self, key: &'static str, hint: &str) -> Option<Text> {
        if !self.has(key) {
            self.asked.push(key);
            self.missing(key, hint);
            return None;
        }
        self.text(key)
    }

    /// A string with a meaning.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = self.text(key)?;
        self.parse(&text, parse)
    }

    /// The meaning of a string.
    pub(super) fn parse<'t, T>(
        &self,
        text: &'t Text,
        parse: impl FnOnce(&'t str) -> Result<T, Wrong>,
    ) -> Option<T> {
        parse(&text.value)
            .map_err(|wrong| self.context.wrong(text, wrong))
            .ok()
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.take(key)?;
        match node.tree {
            Tree::Flag(flag) => Some(flag),
            _ => {
                self.context.expected("`true` or `false`", node, None);
                None
            }
        }
    }

    /// An integer within a range.
    pub(super) fn integer<T>(&mut self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let node = self.take(key)?;
        let Tree::Integer(number) = node.tree else {
            let hint = matches!(node.tree, Tree::Text(_)).then_some("write it without quotes");
            self.context.expected("an integer", node, hint);
            return None;
        };
        let number = T::try_from(number)
            .ok()
            .filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("`{key}` is from {} to {}", range.start(), range.end());
            self.context.note(Mistake::error(node.place, message));
        }
        number
    }

    /// A duration within a range.
    pub(super) fn period(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let range = Period(*range.start())..=Period(*range.end());
        let period = self.amount(
            key,
            Kind {
                name: "a duration",
                example: "30s",
            },
            |Period(t)| (range.start().0..=range.end().0).contains(t),
        );
        let range = format!("from `{}` to `{}`", range.start(), range.end());
        period
            .and_then(|period| self.in_range(key, period, &range))
            .map(|Period(period)| period)
    }

    /// A size within a range, in bytes.
    pub(super) fn size(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let size = self.amount(
            key,
            Kind {
                name: "a size",
                example: "64 KiB",
            },
            |Size(bytes)| range.contains(bytes),
        );
        let range = format!(
            "from `{}` to `{}`",
            Size(*range.start()),
            Size(*range.end())
        );
        size.and_then(|size| self.in_range(key, size, &range))
            .map(|Size(size)| size)
    }

    fn amount<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        kind: Kind,
        fits: impl FnOnce(&T) -> bool,
    ) -> Option<Result<T, T>> {
        let node = self.take(key)?;
        if let Tree::Integer(number) = node.tree {
            let unit = kind
                .example
                .trim_start_matches(|c: char| c.is_ascii_digit());
            let message = format!("{} has a unit", kind.name);
            self.error(
                node.place,
                message,
                format!("write `{key} = \"{number}{unit}\"`"),
            );
            return None;
        }
        let text = self.context.text(node)?;
        let amount = self.parse(&text, |value| {
            value.parse::<T>().map_err(|error| {
                Wrong::new(format!("{} is not {}: {error}", text.shown(), kind.name))
                    .hint(format!("write it like `{key} = \"{}\"`", kind.example))
            })
        })?;
        Some(if fits(&amount) {
            Ok(amount)
        } else {
            Err(amount)
        })
    }

    fn in_range<T>(&self, key: &str, amount: Result<T, T>, range: &str) -> Option<T> {
        if amount.is_err() {
            let message = format!("`{key}` is {range}");
            self.context
                .note(Mistake::error(self.value_place(key), message));
        }
        amount.ok()
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(key)?;
        self.parse(&text, |value| {
            let found = choices.iter().find(|(name, _)| *name == value);
            found.map(|(_, choice)| *choice).ok_or_else(|| {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                self.no_choice(key, &text, &names)
            })
        })
    }

    /// That a text is none of the words that `key` takes.
    fn no_choice(&self, key: &str, text: &Text, names: &[&str]) -> Wrong {
        let later_key = if key == "type" {
            format!("{} type", self.kind)
        } else {
            key.to_owned()
        };
        let shown = text.shown();
        if later::is_value(&later_key, &text.value) {
            return Wrong::new(format!("`{key}` {shown} is not supported yet"))
                .hint(format!("supported are {}", list(names)));
        }
        let later: Vec<&str> = later::values(&later_key).collect();
        let known = names.iter().chain(&later).copied();
        let wrong = Wrong::new(format!("unknown `{key}` {shown}"));
        match nearest(&text.value, known) {
            Some(near) => wrong.hint(format!("did you mean `{near}`?")),
            None => wrong.hint(format!("known are {}", list(names))),
        }
    }

    /// The `type`: which keys of its own it has.
    pub(super) fn kind<T: Copy>(&mut self, choices: &[(&'static str, T)]) -> Option<T> {
        let example = choices
            .first()
            .map(|(name, _)| format!("type = \"{name}\""));
        if !self.has("type") {
            self.asked.push("type");
            self.missing("type", &example.unwrap_or_default());
            return None;
        }
        let kind = self.choice("type", choices)?;
        let name = self
            .table
            .entry("type")
            .and_then(|entry| self.context.quiet_text(&entry.node));
        self.subkind = format!("{} {}", self.kind, name.unwrap_or_default());
        Some(kind)
    }

    /// The `name`, of at most `max` bytes.
    pub(super) fn name(&mut self, max: usize) -> Option<String> {
        let text = self.required("name", "name = \"...\"")?;
        self.parse(&text, |name| {
            if name.is_empty() || name == "*" || name.chars().any(char::is_control) {
                return Err(Wrong::new(format!("{} is not a name", text.shown()))
                    .hint("write a text without control characters; `*` means all"));
            }
            if name.len() > max {
                let message = format!("the name has {} bytes, at most {max} fit", name.len());
                return Err(Wrong::new(message).hint("write a shorter name"));
            }
            Ok(name.to_owned())
        })
    }

    /// Strings: a list of them, or one alone.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Text>> {
        let node = self.take(key)?;
        Some(match &node.tree {
            Tree::List(list) => list
                .iter()
                .filter_map(|node| self.context.text(node))
                .collect(),
            Tree::Text(_) => self.context.text(node).into_iter().collect(),
            _ => {
                self.context.expected("a list of texts", node, None);
                Vec::new()
            }
        })
    }

    /// A table within this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Reader<'a>> {
        let node = self.take(key)?;
        match &node.tree {
            Tree::Table(table) => Some(Reader::new(self.context, table, key)),
            _ => {
                self.context
                    .expected("a table", node, Some("write `{ key = \"value\" }`"));
                None
            }
        }
    }

    /// The keys of this table are names of any kind: all of it, in order.
    pub(super) fn entries(&self) -> &'a [super::tree::Entry] {
        &self.table.entries
    }

    /// Notes the keys that nobody asked for. Whether there was no error in the table.
    pub(super) fn finish(self) -> bool {
        for entry in &self.table.entries {
            if !self.asked.contains(&entry.key.as_str()) {
                self.unknown(entry);
            }
        }
        self.is_clean()
    }

    /// Whether there was no error in the table so far.
    pub(super) fn is_clean(&self) -> bool {
        !self.table.damaged && self.context.errors() == self.mistakes_before
    }

    fn unknown(&self, entry: &super::tree::Entry) {
        let key = shorten(&entry.key);
        if later::is_key(self.kind, &key) || later::is_key(&self.subkind, &key) {
            let message = format!("`{key}` is not supported yet");
            self.context
                .note(Mistake::error(entry.key_place, message).hint("leave it out"));
            return;
        }
        let known = self.asked.iter().copied();
        let known = known
            .chain(later::keys(self.kind))
            .chain(later::keys(&self.subkind));
        let mistake = Mistake::error(entry.key_place, format!("unknown key `{key}`"));
        self.context.note(match nearest(&key, known) {
            Some(near) => mistake.hint(format!("did you mean `{near}`?")),
            None => mistake.hint(format!("known are {}", list(&self.asked))),
        });
    }
}

/// A kind of amount, for messages.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    example: &'static str,
}

/// Names in backticks, one after the other.
pub(super) fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Characters of a value that a message shows at most.
const SHOWN_MAX: usize = 60;
