//! What the files say of one stream, to be shown: each key as it is written, secrets as `***`.

use super::document;
use super::files;
use super::merge;
use crate::keys::environment::Environment;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use crate::keys::tree::Node;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;
use serde_json::Map;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;

/// A stream as its files have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its keys, the last file that has one counts. What refers to something, `${hostname}`, is
    /// shown as it is written.
    pub keys: Map<String, Value>,
    /// Which files say something of it, and in which lines, in the order in which they are read.
    pub files: Vec<(PathBuf, usize)>,
}

/// What the files of a configuration say of a stream; none where they do not know it. What is
/// wrong with them is not told.
#[must_use]
pub fn describe(main: &Path, environment: &dyn Environment, stream: &str) -> Option<Described> {
    let (mut sources, mut mistakes) = (Sources::default(), Vec::new());
    files::gather(main, environment, &mut sources, &mut mistakes);
    let count = sources.count();
    let documents: Vec<_> = (0..count)
        .map(|file| document::parse(&mut sources, file, &mut mistakes))
        .collect();
    let tables = documents.iter().flat_map(|document| {
        let entry = document.root.entry("stream");
        entry.map_or(&[][..], |entry| nodes(&entry.node))
    });
    let places = tables.filter_map(|node| match &node.tree {
        Tree::Table(table) => {
            let name = merge::name(table, environment)?;
            (name == stream).then_some(table.place)
        }
        _ => None,
    });
    let place = |place: Place| {
        let path = sources.file(place.file).map(|source| source.path.clone());
        (path.unwrap_or_default(), sources.line(place))
    };
    let files = places.map(place).collect();
    let merged = merge::merge(documents, environment, &sources, &mut mistakes);
    let mut named = merged.streams.iter();
    let table = named.find(|named| named.name.as_deref() == Some(stream))?;
    let keys = object(&table.table, &sources);
    Some(Described { keys, files })
}

/// The elements of a list.
fn nodes(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(list) => list,
        _ => &[],
    }
}

fn object(table: &Table, sources: &Sources) -> Map<String, Value> {
    let entries = table.entries.iter();
    entries
        .map(|entry| (entry.key.clone(), shown(&entry.node, sources)))
        .collect()
}

/// A value, what is hidden of it as three stars.
fn shown(node: &Node, sources: &Sources) -> Value {
    match &node.tree {
        Tree::Table(table) => Value::Object(object(table, sources)),
        Tree::List(list) => list.iter().map(|node| shown(node, sources)).collect(),
        _ if sources.hides(node.place) => Value::from(censored(node.place, sources)),
        Tree::Text(text) | Tree::Bare(text) | Tree::Date(text) => Value::from(text.as_str()),
        Tree::Integer(number) => match i64::try_from(*number) {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(number.to_string()),
        },
        Tree::Float(number) => Value::from(*number),
        Tree::Flag(flag) => Value::from(*flag),
    }
}

/// The text of a place with stars for what is hidden; only stars where it is written with escapes.
fn censored(place: Place, sources: &Sources) -> String {
    let written = sources.text(place);
    let secrets = sources.file(place.file).map(|source| &source.secrets);
    let (mut text, mut from) = (String::new(), place.start);
    for secret in secrets.into_iter().flatten() {
        let (start, end) = (secret.start.max(place.start), secret.end.min(place.end));
        if start >= end {
            continue;
        }
        text.push_str(part(written, place, from, start));
        text.push_str("***");
        from = end;
    }
    text.push_str(part(written, place, from, place.end));
    match written.contains('\\') || written.starts_with("\"\"\"") || written.starts_with("'''") {
        true => "***".to_owned(),
        false => text.trim_matches(['"', '\'']).to_owned(),
    }
}

fn part(written: &str, place: Place, from: usize, to: usize) -> &str {
    let range = from.saturating_sub(place.start)..to.saturating_sub(place.start);
    written.get(range).unwrap_or_default()
}
