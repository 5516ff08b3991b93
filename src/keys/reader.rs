//! A table, taken key by key: every mistake is noted at its place, and what nobody asked for is
//! a mistake too.
//!
//! Knows kinds of values, not their meaning.

use super::context::Context;
use super::context::Text;
use super::context::ValueError;
use super::diagnostic::DiagnosticAt;
use super::examples;
use super::phrase::list;
use super::phrase::shorten;
use super::source::Place;
use super::synonyms::OTHER_NAMES;
use super::synonyms::YES_AND_NO;
use super::tree::Entry;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::spelling::nearest;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// One table.
pub(crate) struct Reader<'a> {
    context: &'a Context<'a>,
    table: &'a Table,
    /// What it is: its name without brackets.
    kind: &'static str,
    asked: Vec<&'static str>,
    mistakes_before: usize,
}

impl<'a> Reader<'a> {
    /// A table of this kind.
    pub(crate) fn new(context: &'a Context<'a>, table: &'a Table, kind: &'static str) -> Self {
        let mistakes_before = context.errors();
        Self {
            context,
            table,
            kind,
            asked: Vec::new(),
            mistakes_before,
        }
    }

    /// What all readers share.
    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// Where a key stands; its header where it does not.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.table
            .entry(key)
            .map_or(self.table.place, |entry| entry.key_place)
    }

    /// Where the value of a key stands; its header where it does not.
    pub(crate) fn value_place(&self, key: &str) -> Place {
        self.table
            .entry(key)
            .map_or(self.table.place, |entry| entry.node.place)
    }

    /// Whether the key is written, right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.entry(key).is_some()
    }

    /// Whether a table within this one, which is read elsewhere, has a key.
    pub(crate) fn has_within(&self, table: &str, key: &str) -> bool {
        let entry = self.table.entry(table);
        let tree = entry.map(|entry| &entry.node.tree);
        matches!(tree, Some(Tree::Table(inner)) if inner.entry(key).is_some())
    }

    /// Notes a mistake of a whole value.
    pub(crate) fn error(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.context
            .note(DiagnosticAt::error(place, message).hint(hint));
    }

    /// Notes that a key is not there that has to be; in a damaged table it may be what is
    /// damaged.
    pub(crate) fn missing(&self, key: &str, hint: &str) {
        if self.table.damaged {
            return;
        }
        let kind = self.kind;
        let message = format!("this {kind} has no `{key}`");
        let diagnostic = DiagnosticAt::error(self.table.place, message);
        self.context.note(DiagnosticAt {
            hint: Some(format!("write `{hint}`")),
            key: Some(key.to_owned()),
            ..diagnostic
        });
    }

    /// The value of a key as it is.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        self.table.entry(key).map(|entry| &entry.node)
    }

    /// What it is.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// What to write where the value of a key is of another kind; `usual` is any value of the
    /// right one, as TOML has it.
    pub(crate) fn example(&self, key: &str, usual: &str) -> String {
        let value = examples::value(self.kind, key).unwrap_or(usual);
        format!("write `{key} = {value}`")
    }

    /// A string.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Text> {
        let text = self.loose(key)?;
        self.context.unquoted(&text);
        Some(text).filter(|text| text.unquoted.is_none())
    }

    /// A string, or what it would be in quotes, of which nothing is noted yet.
    pub(crate) fn loose(&mut self, key: &'static str) -> Option<Text> {
        self.loose_like(key, &self.example(key, TEXT))
    }

    /// The same; `hint` says what to write where it is a list or a table.
    pub(crate) fn loose_like(&mut self, key: &'static str, hint: &str) -> Option<Text> {
        let node = self.take(key)?;
        if let Tree::List(_) | Tree::Table(_) = node.tree {
            self.context.expected("text", node, hint);
        }
        self.context.loose(node)
    }

    /// The text of a key that is read elsewhere, which also notes what is wrong with it.
    pub(crate) fn peek(&self, key: &str) -> Option<String> {
        self.context.quiet_text(&self.table.entry(key)?.node)
    }

    /// A string that has to be there; `hint` is the line to write.
    pub(crate) fn required(&mut self, key: &'static str, hint: &str) -> Option<Text> {
        if !self.has(key) {
            self.asked.push(key);
            self.missing(key, hint);
            return None;
        }
        self.loose_like(key, &format!("write `{hint}`"))
    }

    /// A string with a meaning.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let text = self.loose(key)?;
        self.parse(&text, parse)
    }

    /// The meaning of a string, if it stands in quotes.
    pub(crate) fn parse<'t, T>(
        &self,
        text: &'t Text,
        parse: impl FnOnce(&'t str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let parsed = parse(&text.value).map_err(|error| self.context.wrong(text, error));
        if parsed.is_ok() {
            self.context.unquoted(text);
        }
        parsed.ok().filter(|_| text.unquoted.is_none())
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.take(key)?;
        let Tree::Flag(flag) = node.tree else {
            let word = self.word(node).to_lowercase();
            let hint = match YES_AND_NO.iter().find(|(known, _)| *known == word) {
                Some((_, flag)) => format!("write `{key} = {flag}`"),
                None => format!("write `{key} = true` or `{key} = false`"),
            };
            self.context.expected("`true` or `false`", node, hint);
            return None;
        };
        Some(flag)
    }

    /// A value as it is written, without quotes.
    fn word(&self, node: &Node) -> &'a str {
        self.context
            .sources
            .text(node.place)
            .trim_matches(['"', '\''])
    }

    /// An integer within a range.
    pub(crate) fn integer<T>(&mut self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let node = self.take(key)?;
        let (start, end) = (range.start(), range.end());
        let fitting = |number| {
            let fitting = T::try_from(number).ok();
            fitting.filter(|number| range.contains(number))
        };
        let Tree::Integer(number) = node.tree else {
            let word = self.word(node).trim_end_matches(".0");
            let hint = match word.parse().ok().and_then(fitting).or_else(|| fitting(10)) {
                Some(number) => format!("write `{key} = {number}`"),
                None => format!("write `{key} = {start}`"),
            };
            self.context.expected("an integer", node, hint);
            return None;
        };
        let fitting = fitting(number);
        if fitting.is_none() {
            let nearest = if number <= 0 { start } else { end };
            let message = format!("`{key}` is from {start} to {end}");
            self.error(node.place, message, format!("write `{key} = {nearest}`"));
        }
        fitting
    }

    /// A list of at most `most` integers.
    pub(crate) fn integers(&mut self, key: &'static str, most: usize) -> Option<Vec<i64>> {
        let node = self.take(key)?;
        let hint = format!("write `{key} = [1, 2]`, at most {most} of them");
        let read = match &node.tree {
            Tree::List(list) if list.len() <= most => list.iter().map(whole).collect(),
            _ => None,
        };
        if read.is_none() {
            self.context.expected("a list of integers", node, hint);
        }
        read
    }

    /// A number, with or without a fraction.
    pub(crate) fn number(&mut self, key: &'static str) -> Option<f64> {
        let node = self.take(key)?;
        match node.tree {
            Tree::Float(number) => Some(number),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a fraction is as near as it gets"
            )]
            Tree::Integer(number) => Some(number as f64),
            _ => {
                let word = self.word(node);
                let hint = match word.parse::<f64>() {
                    Ok(number) if number > 0.0 => format!("write `{key} = {number}`"),
                    _ => self.example(key, "1"),
                };
                self.context.expected("a number", node, hint);
                None
            }
        }
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        self.choice_of(key, choices, &[])
    }

    /// One of several words; those of `left_out` are known as words that this program was built
    /// without.
    pub(crate) fn choice_of<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
        left_out: &[&str],
    ) -> Option<T> {
        if let Some(Tree::List(_) | Tree::Table(_)) = self.table.entry(key).map(|e| &e.node.tree) {
            let node = self.take(key)?;
            let first = choices.first().map(|(name, _)| *name).unwrap_or_default();
            let hint = format!("write `{key} = \"{first}\"`");
            self.context.expected("text", node, hint);
            return None;
        }
        let text = self.loose(key)?;
        self.parse(&text, |value| {
            let found = choices.iter().find(|(name, _)| *name == value);
            found.map(|(_, choice)| *choice).ok_or_else(|| {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                no_choice(key, &text, &names, left_out)
            })
        })
    }

    /// The `type`: which keys of its own it has. One that is only misspelt is noted and taken for
    /// the one that was meant, so that the mistakes in its keys are found, too; not where one of
    /// `left_out` is nearer.
    pub(crate) fn kind_of<T: Copy>(
        &mut self,
        choices: &[(&'static str, T)],
        left_out: &[&str],
    ) -> Option<T> {
        let example = choices
            .first()
            .map(|(name, _)| format!("type = \"{name}\""));
        if !self.has("type") {
            self.asked.push("type");
            self.missing("type", &example.unwrap_or_default());
            return None;
        }
        let chosen = self.choice_of("type", choices, left_out);
        let entry = self.table.entry("type");
        let name = entry.and_then(|entry| self.context.quiet_text(&entry.node))?;
        let known = choices.iter().map(|(known, _)| *known);
        let meant = nearest(&name, known.chain(left_out.iter().copied()))?;
        let found = choices.iter().find(|(known, _)| *known == meant);
        chosen.or(found.map(|(_, kind)| *kind))
    }

    /// The `name`, of at most `max` bytes.
    pub(crate) fn name(&mut self, max: usize) -> Option<String> {
        let text = self.required("name", "name = \"...\"")?;
        self.parse(&text, |name| {
            if name.is_empty() || name == "*" || name.chars().any(char::is_control) {
                return Err(ValueError::new(format!("{} is not a name", text.shown()))
                    .hint("write a text without control characters; `*` means all"));
            }
            if name.len() > max {
                let message = format!("the name has {} bytes, at most {max} fit", name.len());
                return Err(ValueError::new(message).hint("write a shorter name"));
            }
            Ok(name.to_owned())
        })
    }

    /// Strings: a list of them, or one alone.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<Text>> {
        let node = self.take(key)?;
        Some(match &node.tree {
            Tree::List(list) => list
                .iter()
                .filter_map(|node| {
                    if let Tree::List(_) | Tree::Table(_) = node.tree {
                        self.context
                            .expected("text", node, self.example(key, TEXTS));
                    }
                    self.context.loose(node)
                })
                .collect(),
            Tree::Table(_) => {
                let hint = self.example(key, TEXTS);
                self.context.expected("a list of texts", node, hint);
                Vec::new()
            }
            _ => self.context.loose(node).into_iter().collect(),
        })
    }

    /// A table within this one.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Self> {
        self.table_like(key, "{ }")
    }

    /// A table within this one, for example `usual`.
    pub(crate) fn table_like(&mut self, key: &'static str, usual: &str) -> Option<Self> {
        let node = self.take(key)?;
        match &node.tree {
            Tree::Table(table) => Some(Reader::new(self.context, table, key)),
            _ => {
                let hint = self.table_meant(key, node, usual);
                self.context.expected("a table", node, hint);
                None
            }
        }
    }

    /// What to write where a table is expected.
    fn table_meant(&self, key: &str, node: &Node, usual: &str) -> String {
        let written = self.context.sources.text(node.place);
        match &node.tree {
            Tree::List(list)
                if matches!(
                    list.as_slice(),
                    [
                        Node {
                            tree: Tree::Table(_),
                            ..
                        },
                        ..
                    ]
                ) =>
            {
                let kind = self.kind;
                return format!("write `[{kind}.{key}]`");
            }
            Tree::Flag(false) => return format!("leave `{key}` out"),
            Tree::Text(_) | Tree::List(_) if !self.context.sources.hides(node.place) => {
                let is_path = |text: &str| text.starts_with('/') && !text.ends_with('/');
                let fits = match (key, &node.tree) {
                    ("rejects", Tree::Text(text)) => is_path(text),
                    ("stamp", Tree::Text(text)) => !text.is_empty(),
                    ("retry", Tree::Text(text)) => text.parse::<crate::units::Period>().is_ok(),
                    ("convert", Tree::List(list)) => {
                        list.iter().all(|node| matches!(node.tree, Tree::Text(_)))
                    }
                    _ => false,
                };
                if let Some(table) = fits.then(|| examples::around(key, written)).flatten() {
                    return format!("write `{key} = {table}`");
                }
            }
            _ => {}
        }
        self.example(key, usual)
    }

    /// The keys of this table are names of any kind: all of it, in order.
    pub(crate) fn entries(&self) -> &'a [Entry] {
        &self.table.entries
    }

    /// Notes the keys that nobody asked for. Whether there was no error in the table.
    pub(crate) fn finish(self) -> bool {
        for entry in &self.table.entries {
            if !self.asked.contains(&entry.key.as_str()) {
                self.unknown(entry);
            }
        }
        self.is_clean()
    }

    /// Whether there was no error in the table so far.
    pub(crate) fn is_clean(&self) -> bool {
        !self.table.damaged && self.context.errors() == self.mistakes_before
    }

    /// Notes a key that nobody asked for.
    fn unknown(&self, entry: &Entry) {
        let key = shorten(&entry.key);
        let known = || self.asked.iter().copied();
        let diagnostic = DiagnosticAt::error(entry.key_place, format!("unknown key `{key}`"));
        let other = OTHER_NAMES.iter().filter(|(name, _)| *name == key);
        let other = other
            .map(|(_, meant)| *meant)
            .find(|meant| self.asked.contains(meant));
        self.context.note(match nearest(&key, known()).or(other) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint(format!("known are {}", list(&self.asked))),
        });
    }
}

/// That a text is none of the words that `key` takes.
fn no_choice(key: &str, text: &Text, names: &[&str], left_out: &[&str]) -> ValueError {
    let shown = text.shown();
    if left_out.contains(&text.value.as_str()) {
        return ValueError::new(format!("`{key}` {shown} is left out of this program")).hint(
            format!(
                "take one that was built with it; this one has {}",
                list(names)
            ),
        );
    }
    let error = ValueError::new(format!("unknown `{key}` {shown}"));
    match (nearest(&text.value, names.iter().copied()), names.first()) {
        (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
        (None, Some(first)) if text.unquoted.is_some() => {
            let all = list(names);
            error.hint(format!("write `{key} = \"{first}\"`; known are {all}"))
        }
        _ => error.hint(format!("known are {}", list(names))),
    }
}

fn whole(node: &Node) -> Option<i64> {
    match node.tree {
        Tree::Integer(number) => i64::try_from(number).ok(),
        _ => None,
    }
}

/// Any text.
const TEXT: &str = "\"...\"";

/// Any list of texts.
const TEXTS: &str = "[\"...\"]";
