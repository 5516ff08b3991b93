//! What the files say of one stream, to be shown: each key as it is written, secrets as `***`.

use super::merge;
use crate::keys::environment::Environment;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use crate::keys::tree::Node;
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
    let (documents, _) = super::documents(main, environment, &mut sources, &mut mistakes);
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
    let hidden = |node: &Node| hidden(node, &sources);
    let keys = table.table.json(&hidden);
    Some(Described { keys, files })
}

/// The elements of a list.
fn nodes(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(list) => list,
        _ => &[],
    }
}

/// What is shown of a value in which something is hidden; none: all of it may be seen.
fn hidden(node: &Node, sources: &Sources) -> Option<Value> {
    let is_whole = matches!(node.tree, Tree::Table(_) | Tree::List(_));
    let hides = !is_whole && sources.hides(node.place);
    hides.then(|| Value::from(censored(node.place, sources)))
}

/// The text of a place with stars for what is hidden; only stars where it is written with escapes.
fn censored(place: Place, sources: &Sources) -> String {
    let written = sources.text(place);
    match written.contains('\\') || written.starts_with("\"\"\"") || written.starts_with("'''") {
        true => "***".to_owned(),
        false => sources.censored(place).trim_matches(['"', '\'']).to_owned(),
    }
}
