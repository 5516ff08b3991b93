//! A table, taken key by key: every mistake is noted at its place, and what nobody asked for is
//! a mistake too.
//!
//! Knows kinds of values, not their meaning.

use super::context::Context;
use super::context::Text;
use super::context::Wrong;
use super::context::list;
use super::context::shorten;
use super::diagnostic::Mistake;
use super::later;
use super::source::Place;
use super::tree::Entry;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::spelling::nearest;
use crate::units::Period;
use crate::units::Size;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// One table.
pub(super) struct Reader<'a> {
    context: &'a Context<'a>,
    table: &'a Table,
    /// What it is, as [`later`] names it.
    kind: &'static str,
    asked: Vec<&'static str>,
    mistakes_before: usize,
}

impl<'a> Reader<'a> {
    /// A table of this kind.
    pub(super) fn new(context: &'a Context<'a>, table: &'a Table, kind: &'static str) -> Self {
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

    /// Notes that a key is not there that has to be; in a damaged table it may be what is
    /// damaged.
    pub(super) fn missing(&self, key: &str, hint: &str) {
        if self.table.damaged {
            return;
        }
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
        let Tree::Flag(flag) = node.tree else {
            self.context
                .expected("`true` or `false`", node, unquote(node));
            return None;
        };
        Some(flag)
    }

    /// An integer within a range.
    pub(super) fn integer<T>(&mut self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let node = self.take(key)?;
        let Tree::Integer(number) = node.tree else {
            self.context.expected("an integer", node, unquote(node));
            return None;
        };
        let fitting = T::try_from(number)
            .ok()
            .filter(|number| range.contains(number));
        if fitting.is_none() {
            let (start, end) = (range.start(), range.end());
            let nearest = if number <= 0 { start } else { end };
            let message = format!("`{key}` is from {start} to {end}");
            self.error(node.place, message, format!("write `{key} = {nearest}`"));
        }
        fitting
    }

    /// A list of at most `most` integers.
    pub(super) fn integers(&mut self, key: &'static str, most: usize) -> Option<Vec<i64>> {
        let node = self.take(key)?;
        let hint = format!("write `{key} = [1, 2]`, at most {most} of them");
        let read = match &node.tree {
            Tree::List(list) if list.len() <= most => list.iter().map(whole).collect(),
            _ => None,
        };
        if read.is_none() {
            self.context
                .expected("a list of integers", node, Some(&hint));
        }
        read
    }

    /// A number, with or without a fraction.
    pub(super) fn number(&mut self, key: &'static str) -> Option<f64> {
        let node = self.take(key)?;
        match node.tree {
            Tree::Float(number) => Some(number),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a fraction is as near as it gets"
            )]
            Tree::Integer(number) => Some(number as f64),
            _ => {
                self.context.expected("a number", node, unquote(node));
                None
            }
        }
    }

    /// A duration within a range.
    pub(super) fn period(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let range = Period(*range.start())..=Period(*range.end());
        self.amount(
            key,
            Kind {
                name: "a duration",
                example: "30s",
            },
            range,
        )
        .map(|Period(t)| t)
    }

    /// A size within a range, in bytes.
    pub(super) fn size(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let range = Size(*range.start())..=Size(*range.end());
        self.amount(
            key,
            Kind {
                name: "a size",
                example: "64 KiB",
            },
            range,
        )
        .map(|Size(bytes)| bytes)
    }

    /// A number with a unit within a range.
    fn amount<T>(&mut self, key: &'static str, kind: Kind, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr<Err: Display> + PartialOrd + Display,
    {
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
        self.parse(&text, |value| {
            let amount = value.parse::<T>().map_err(|error| {
                Wrong::new(format!("{} is not {}: {error}", text.shown(), kind.name)).hint(
                    match meant::<T>(value) {
                        Some(meant) => format!("write `{key} = \"{meant}\"`"),
                        None => format!("write it like `{key} = \"{}\"`", kind.example),
                    },
                )
            })?;
            if range.contains(&amount) {
                return Ok(amount);
            }
            let (start, end) = (range.start(), range.end());
            let nearest = if amount < *start { start } else { end };
            Err(Wrong::new(format!("`{key}` is from `{start}` to `{end}`"))
                .hint(format!("write `{key} = \"{nearest}\"`")))
        })
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

    /// The `type`: which keys of its own it has. One that is only misspelt is noted and taken for
    /// the one that was meant, so that the mistakes in its keys are found, too.
    pub(super) fn kind<T: Copy>(&mut self, choices: &[(&'static str, T)]) -> Option<T> {
        let example = choices
            .first()
            .map(|(name, _)| format!("type = \"{name}\""));
        if !self.has("type") {
            self.asked.push("type");
            self.missing("type", &example.unwrap_or_default());
            return None;
        }
        let chosen = self.choice("type", choices);
        let entry = self.table.entry("type");
        let name = entry.and_then(|entry| self.context.quiet_text(&entry.node))?;
        let known = choices.iter().map(|(known, _)| *known);
        let meant = nearest(
            &name,
            known.chain(later::values(&format!("{} type", self.kind))),
        )?;
        let found = choices.iter().find(|(known, _)| *known == meant);
        chosen.or(found.map(|(_, kind)| *kind))
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
                self.context
                    .expected("a list of texts", node, Some("write `[\"...\"]`"));
                Vec::new()
            }
        })
    }

    /// A table within this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Self> {
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
    pub(super) fn entries(&self) -> &'a [Entry] {
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

    /// Notes a key that nobody asked for.
    fn unknown(&self, entry: &Entry) {
        let key = shorten(&entry.key);
        let known = self.asked.iter().copied();
        let mistake = Mistake::error(entry.key_place, format!("unknown key `{key}`"));
        self.context.note(match nearest(&key, known) {
            Some(near) => mistake.hint(format!("did you mean `{near}`?")),
            None => mistake.hint(format!("known are {}", list(&self.asked))),
        });
    }
}

fn whole(node: &Node) -> Option<i64> {
    match node.tree {
        Tree::Integer(number) => i64::try_from(number).ok(),
        _ => None,
    }
}

/// What to do with a text where none is expected.
fn unquote(node: &Node) -> Option<&'static str> {
    matches!(node.tree, Tree::Text(_)).then_some("write it without quotes")
}

/// The amount that somebody meant who wrote the unit in another way.
fn meant<T: FromStr>(value: &str) -> Option<T> {
    let rewritten = UNITS.iter().filter_map(|(written, unit)| {
        value
            .trim()
            .strip_suffix(written)
            .map(|number| format!("{number}{unit}"))
    });
    rewritten.filter_map(|text| text.parse().ok()).next()
}

/// A kind of amount, for messages.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    example: &'static str,
}

/// Units as others write them.
const UNITS: [(&str, &str); 14] = [
    ("KB", "KiB"),
    ("kB", "KiB"),
    ("K", "KiB"),
    ("MB", "MiB"),
    ("M", "MiB"),
    ("GB", "GiB"),
    ("G", "GiB"),
    ("sec", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("minutes", "m"),
    ("hours", "h"),
    ("days", "d"),
    ("day", "d"),
];
