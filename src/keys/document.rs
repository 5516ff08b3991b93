//! A file as a tree of values: TOML is parsed, mended where its syntax is wrong, and its secrets
//! are hidden.
//!
//! Knows TOML, but no key of weir.

use super::diagnostic::DiagnosticAt;
use super::secrets;
use super::source::Place;
use super::source::Sources;
use super::syntax;
use super::tree::Entry;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Document {
    /// The tables and keys of the top level.
    pub(crate) root: Table,
    /// A mistake in the syntax hides what `[ring]` says.
    pub(crate) ring_damaged: bool,
    /// Behind some line it is no TOML, and nothing of that is in `root`.
    pub(crate) hidden: bool,
}

/// Reads a file of `sources`, hides the secrets in it, and adds the mistakes of its syntax.
pub(crate) fn parse(
    sources: &mut Sources,
    file: usize,
    diagnostics: &mut Vec<DiagnosticAt>,
) -> Document {
    let text = sources
        .file(file)
        .and_then(|source| source.text.clone())
        .unwrap_or_default();
    let (table, errors) = DeTable::parse_recoverable(&text);
    let mut document = Document {
        root: convert_table(table.get_ref(), Place::file(file)),
        ring_damaged: false,
        hidden: false,
    };
    if !errors.is_empty() {
        secrets::suspect(sources, file, &text);
        let errors = syntax::order(&text, &errors);
        let mended = syntax::mend(&text, errors.clone());
        let others = errors.iter().filter(|error| !mended.keeps(error));
        diagnostics.extend(others.map(|error| error.explain(&text, file)));
        let table = DeTable::parse_recoverable(&mended.text).0;
        document.root = convert_table(table.get_ref(), Place::file(file));
        restore(&mut document.root, &mended.bare, &text);
        mended
            .damage
            .iter()
            .for_each(|at| damage(&mut document.root, *at));
        (document.ring_damaged, document.hidden) = (mended.ring_lost, mended.hidden);
    }
    secrets::hide(sources, file, &document.root);
    document
}

/// Puts the words without quotes where numbers stand for them.
fn restore(table: &mut Table, bare: &[Range<usize>], text: &str) {
    for entry in &mut table.entries {
        restore_node(&mut entry.node, bare, text);
    }
}

fn restore_node(node: &mut Node, bare: &[Range<usize>], text: &str) {
    match &mut node.tree {
        Tree::Table(table) => restore(table, bare, text),
        Tree::List(list) => {
            for node in list {
                restore_node(node, bare, text);
            }
        }
        _ => {
            if let Some(word) = bare.iter().find(|word| word.start == node.place.start) {
                node.place.end = word.end;
                node.tree = Tree::Bare(text.get(word.clone()).unwrap_or_default().to_owned());
            }
        }
    }
}

/// Marks the table that a mistake at `at` stands in: the last one that begins before it.
fn damage(root: &mut Table, at: usize) {
    let begin = |table: &&mut Table| table.place.start;
    let before = tables(root)
        .filter(|table| table.place.start <= at)
        .max_by_key(begin);
    if let Some(table) = before {
        table.damaged = true;
    }
}

/// The tables that have a header of their own.
fn tables(root: &mut Table) -> impl Iterator<Item = &mut Table> {
    root.entries.iter_mut().flat_map(|entry| {
        let nodes = match &mut entry.node {
            Node {
                tree: Tree::List(list),
                ..
            } => list.as_mut_slice(),
            node => std::slice::from_mut(node),
        };
        nodes.iter_mut().filter_map(|node| match &mut node.tree {
            Tree::Table(table) => Some(table),
            _ => None,
        })
    })
}

/// A table with its keys in order.
fn convert_table(table: &DeTable<'_>, place: Place) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            key_place: Place::new(place.file, key.span()),
            node: convert(value, place.file),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_place);
    Table {
        place,
        entries,
        damaged: false,
    }
}

/// Depth is at most the 80 levels that the parser reads.
fn convert(value: &Spanned<DeValue<'_>>, file: usize) -> Node {
    let place = Place::new(file, value.span());
    let tree = match value.get_ref() {
        DeValue::String(text) => Tree::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Tree::Integer(
            i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX),
        ),
        DeValue::Float(number) => Tree::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Tree::Flag(*flag),
        DeValue::Datetime(date) => Tree::Date(date.to_string()),
        DeValue::Array(list) => Tree::List(list.iter().map(|node| convert(node, file)).collect()),
        DeValue::Table(table) => Tree::Table(convert_table(table, place)),
    };
    Node { place, tree }
}
