//! Which keys a configuration has, so that a reload can name those that say something else. Of what
//! they say only a hash is kept.

use super::merge::Merged;
use super::merge::Tables;
use crate::keys::environment::Environment;
use crate::keys::expand::expand;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;
use std::fmt;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// The keys of `[ring]`, `[log]`, `[api]`, each channel and each stream. Shows nothing of itself.
#[derive(Clone, Default)]
pub struct Written {
    tables: Vec<WrittenTable>,
}

/// One table.
#[derive(Clone)]
struct WrittenTable {
    kind: &'static str,
    /// Empty where there is only one of its kind.
    name: String,
    /// Each with the hash of what it says.
    keys: Vec<(String, u64)>,
}

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `stream`, `channel`, `ring`, `log` or `api`.
    pub kind: &'static str,
    /// Empty where there is only one of its kind.
    pub name: String,
    /// What it is.
    pub what: Changed,
}

/// How a table differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// These keys say something else, or are there in only one of the two.
    Keys(Vec<String>),
}

impl Written {
    /// Those of a configuration.
    pub(super) fn of(merged: &Merged, environment: &dyn Environment) -> Self {
        let single = [
            ("ring", &merged.ring),
            ("log", &merged.log),
            ("api", &merged.api),
        ];
        let single = single.into_iter().filter_map(|(kind, table)| {
            Some(WrittenTable::of(kind, "", table.as_ref()?, environment))
        });
        let several = |kind, tables: &Tables| {
            let named = tables.iter().filter_map(|named| {
                let name = named.name.as_deref()?;
                Some(WrittenTable::of(kind, name, &named.table, environment))
            });
            named.collect::<Vec<_>>()
        };
        let mut tables: Vec<_> = single.collect();
        tables.extend(several("channel", &merged.channels));
        tables.extend(several("stream", &merged.streams));
        Self { tables }
    }

    /// What is another than before: in the order of the tables, those that are gone last.
    #[must_use]
    pub fn since(&self, before: &Self) -> Vec<Change> {
        let now = self.tables.iter().filter_map(|table| {
            let what = match before.find(table) {
                None if table.name.is_empty() => Changed::Keys(table.differing(&[])),
                None => Changed::Added,
                Some(old) => Changed::Keys(table.differing(&old.keys)),
            };
            (what != Changed::Keys(Vec::new())).then(|| table.change(what))
        });
        let gone = before.tables.iter().filter(|old| self.find(old).is_none());
        now.chain(gone.map(|old| old.change(Changed::Removed)))
            .collect()
    }

    fn find(&self, like: &WrittenTable) -> Option<&WrittenTable> {
        let mut tables = self.tables.iter();
        tables.find(|table| table.kind == like.kind && table.name == like.name)
    }
}

impl WrittenTable {
    fn of(kind: &'static str, name: &str, table: &Table, environment: &dyn Environment) -> Self {
        let key = |entry: &crate::keys::tree::Entry| {
            let mut hasher = DefaultHasher::new();
            hash(&entry.node.tree, environment, &mut hasher);
            (entry.key.clone(), hasher.finish())
        };
        Self {
            kind,
            name: name.to_owned(),
            keys: table.entries.iter().map(key).collect(),
        }
    }

    /// The keys that differ from these.
    fn differing(&self, before: &[(String, u64)]) -> Vec<String> {
        let new = self.keys.iter().filter(|key| !before.contains(key));
        let known = |name: &String| self.keys.iter().any(|(key, _)| key == name);
        let gone = before.iter().filter(|(name, _)| !known(name));
        new.chain(gone).map(|(name, _)| name.clone()).collect()
    }

    fn change(&self, what: Changed) -> Change {
        Change {
            kind: self.kind,
            name: self.name.clone(),
            what,
        }
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if !self.name.is_empty() {
            write!(f, " `{}`", self.name)?;
        }
        match &self.what {
            Changed::Added => f.write_str(" added"),
            Changed::Removed => f.write_str(" removed"),
            Changed::Keys(keys) => write!(f, " changed: `{}`", keys.join("`, `")),
        }
    }
}

/// What a value says, with all that it refers to.
fn hash(tree: &Tree, environment: &dyn Environment, hasher: &mut DefaultHasher) {
    std::mem::discriminant(tree).hash(hasher);
    match tree {
        Tree::Text(text) => match expand(text, environment) {
            Ok(expanded) => expanded.text.hash(hasher),
            Err(_) => text.hash(hasher),
        },
        Tree::Bare(text) | Tree::Date(text) => text.hash(hasher),
        Tree::Integer(number) => number.hash(hasher),
        Tree::Float(number) => number.to_bits().hash(hasher),
        Tree::Flag(flag) => flag.hash(hasher),
        Tree::List(list) => {
            list.len().hash(hasher);
            list.iter()
                .for_each(|node| hash(&node.tree, environment, hasher));
        }
        Tree::Table(table) => {
            table.entries.len().hash(hasher);
            for entry in &table.entries {
                entry.key.hash(hasher);
                hash(&entry.node.tree, environment, hasher);
            }
        }
    }
}
