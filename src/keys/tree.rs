//! Values, each of which knows its place.
//!
//! Knows no TOML and no key of weir.

use super::source::Place;
use serde_json::Map;
use serde_json::Value;

/// A value at its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// All of it, quotes and brackets included.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) tree: Tree,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// As it was written, `${…}` included.
    Text(String),
    /// A word without the quotes that TOML wants: whoever reads it says what to write.
    Bare(String),
    /// TOML allows 64 bits with a sign; more are read, so that ranges can be spoken of.
    Integer(i128),
    Float(f64),
    Flag(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// A table; its keys in the order in which they were written.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Its header, or all of it when it stands in a line.
    pub(crate) place: Place,
    /// In the order in which they were written.
    pub(crate) entries: Vec<Entry>,
    /// There is a mistake in its syntax: what it says is not all that its author meant.
    pub(crate) damaged: bool,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Without quotes.
    pub(crate) key: String,
    /// With quotes.
    pub(crate) key_place: Place,
    /// What stands behind the `=`.
    pub(crate) node: Node,
}

impl Tree {
    /// What it is, for "expected a text, found ...".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bare(_) => "a word without quotes",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number with a fraction",
            Self::Flag(_) => "true or false",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// The same as JSON, with something else for what `instead` replaces.
    pub(crate) fn json(&self, instead: &dyn Fn(&Self) -> Option<Value>) -> Value {
        if let Some(value) = instead(self) {
            return value;
        }
        match &self.tree {
            Tree::Text(text) | Tree::Bare(text) | Tree::Date(text) => Value::from(text.as_str()),
            Tree::Integer(number) => match i64::try_from(*number) {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(number.to_string()),
            },
            Tree::Float(number) => Value::from(*number),
            Tree::Flag(flag) => Value::from(*flag),
            Tree::List(list) => list.iter().map(|node| node.json(instead)).collect(),
            Tree::Table(table) => Value::Object(table.json(instead)),
        }
    }
}

impl Table {
    /// As [`Node::json`].
    pub(crate) fn json(&self, instead: &dyn Fn(&Node) -> Option<Value>) -> Map<String, Value> {
        let entries = self.entries.iter();
        entries
            .map(|entry| (entry.key.clone(), entry.node.json(instead)))
            .collect()
    }

    /// The entry of this key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}
