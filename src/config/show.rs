//! The configuration in effect, as TOML: every key that a file gives, where it stands, and no
//! secret.
//!
//! ```text
//! [[stream]]
//! name = "cloud"                      # /etc/weir/weir.toml:12
//! password = "***"                    # /etc/weir/weir.d/site.toml:3
//! ```

use super::merge::Merged;
use super::merge::Tables;
use crate::keys::environment::Environment;
use crate::keys::expand::expand;
use crate::keys::quoted::quoted;
use crate::keys::quoted::quoted_key;
use crate::keys::secrets::is_secret;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use crate::keys::tree::Entry;
use crate::keys::tree::Node;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;

/// All tables that the files make together, in the order in which the reference has them.
pub(super) fn show(merged: &Merged, environment: &dyn Environment, sources: &Sources) -> String {
    let mut page = Page {
        environment,
        sources,
        text: String::new(),
    };
    for (name, table) in [
        ("ring", &merged.ring),
        ("log", &merged.log),
        ("api", &merged.api),
    ] {
        if let Some(table) = table {
            page.table(&format!("[{name}]"), table);
        }
    }
    page.tables("channel", &merged.channels);
    page.tables("device", &merged.devices);
    page.tables("group", &merged.groups);
    page.tables("stream", &merged.streams);
    page.text
}

/// What is written so far.
struct Page<'a> {
    environment: &'a dyn Environment,
    sources: &'a Sources,
    text: String,
}

impl Page<'_> {
    fn tables(&mut self, name: &str, tables: &Tables) {
        for named in tables.iter() {
            self.table(&format!("[[{name}]]"), &named.table);
        }
    }

    fn table(&mut self, header: &str, table: &Table) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(header);
        self.text.push('\n');
        self.entries("", table);
    }

    /// A table in a table as dotted keys: each has a place of its own.
    fn entries(&mut self, before: &str, table: &Table) {
        for entry in &table.entries {
            let key = format!("{before}{}", quoted_key(&entry.key));
            match &entry.node.tree {
                Tree::Table(inner) if !is_secret(&entry.key) && !inner.entries.is_empty() => {
                    self.entries(&format!("{key}."), inner);
                }
                _ => {
                    let value = self.value(&entry.key, &entry.node);
                    self.line(&format!("{key} = {value}"), entry.key_place);
                }
            }
        }
    }

    fn value(&self, key: &str, node: &Node) -> String {
        if is_secret(key) {
            return "\"***\"".to_owned();
        }
        let inner = |node: &Node| self.value(key, node);
        match &node.tree {
            Tree::List(list) => {
                let values: Vec<_> = list.iter().map(inner).collect();
                format!("[{}]", values.join(", "))
            }
            Tree::Table(table) => {
                let pair = |entry: &Entry| {
                    let value = self.value(&entry.key, &entry.node);
                    format!("{} = {value}", quoted_key(&entry.key))
                };
                let pairs: Vec<_> = table.entries.iter().map(pair).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
            Tree::Text(text) if text.contains("${") && !self.sources.hides(node.place) => {
                match expand(text, self.environment) {
                    Ok(expanded) if !expanded.secret => quoted(&expanded.text),
                    // what it comes from tells more than stars
                    _ => self.shown(node),
                }
            }
            _ => match self.shown(node) {
                whole if whole == "***" => quoted(&whole),
                shown => shown,
            },
        }
    }

    /// As it is written, without its secrets.
    fn shown(&self, node: &Node) -> String {
        in_one_line(&self.sources.censored(node.place))
    }

    fn line(&mut self, text: &str, place: Place) {
        let path = self.sources.file(place.file).map(|file| &file.path);
        let path = path.map(|path| path.display().to_string());
        let (path, line) = (path.unwrap_or_default(), self.sources.line(place));
        let filler = COLUMN.saturating_sub(text.chars().count());
        self.text.push_str(text);
        self.text.push_str(&" ".repeat(filler));
        self.text.push_str(&format!(" # {path}:{line}\n"));
    }
}

/// Without the breaks of a list or a text that goes over several lines, and without anything that a
/// terminal would obey.
fn in_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_whitespace() || c.is_control() {
            true if line.ends_with(' ') => {}
            true => line.push(' '),
            false => line.push(c),
        }
    }
    line
}

/// Where comments begin.
const COLUMN: usize = 40;
