//! Several files as one: a later table with a known name replaces the keys that it gives.
//!
//! Knows the names of the tables, and of the keys only `name`.

use super::files::is_overlay;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::document::Document;
use crate::keys::environment::Environment;
use crate::keys::expand::expand;
use crate::keys::phrase::list;
use crate::keys::phrase::shorten;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use crate::keys::tree::Entry;
use crate::keys::tree::Node;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;
use crate::spelling::nearest;
use std::collections::HashMap;

/// All tables of all files. Those that are wrong as a whole are marked as damaged.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) ring: Option<Table>,
    pub(super) log: Option<Table>,
    pub(super) api: Option<Table>,
    pub(super) channels: Tables,
    pub(super) devices: Tables,
    pub(super) groups: Tables,
    pub(super) streams: Tables,
    /// What `[ring]` says is not known.
    pub(super) ring_lost: bool,
    /// A file is no TOML behind some line.
    pub(super) hidden: bool,
}

/// Tables of one kind, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: Vec<Named>,
    /// Where each name stands first; a fleet has thousands of devices.
    by_name: HashMap<String, usize>,
}

/// A table of which there are several.
#[derive(Debug)]
pub(super) struct Named {
    /// None: it has none, or none that can be read.
    pub(super) name: Option<String>,
    /// As all files together have it.
    pub(super) table: Table,
    /// In which file it stands last.
    file: usize,
}

impl Named {
    /// Where its name stands.
    fn name_place(&self) -> Place {
        self.table
            .entry("name")
            .map_or(self.table.place, |entry| entry.node.place)
    }
}

impl Tables {
    /// All of them, those that are there twice included.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Named> {
        self.tables.iter()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.tables.len()
    }

    /// The first of this name.
    fn named(&self, name: &str) -> Option<&Named> {
        self.by_name
            .get(name)
            .and_then(|index| self.tables.get(*index))
    }

    /// Leaves out what a drop-in says of a table that nobody has: without the key that it needs
    /// it is not meant as a new one.
    fn refuse_misspelt(
        &mut self,
        kind: &str,
        needed: &str,
        sources: &Sources,
        diagnostics: &mut Vec<DiagnosticAt>,
    ) {
        let is_whole = |named: &Named| {
            let table = &named.table;
            table.place.file == MAIN || table.damaged || table.entry(needed).is_some()
        };
        let (whole, rest): (Vec<_>, Vec<_>) = self.tables.drain(..).partition(is_whole);
        let names: Vec<String> = whole
            .iter()
            .filter_map(|named| named.name.clone())
            .collect();
        for mut named in rest {
            let Some(name) = named.name.clone() else {
                self.tables.push(named);
                continue;
            };
            let message = format!("there is no {kind} `{}`", shown(&named, sources));
            let diagnostic = DiagnosticAt::error(named.name_place(), message);
            diagnostics.push(match nearest(&name, names.iter().map(String::as_str)) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint(format!("a new one needs `{needed}`")),
            });
            named.table.damaged = true;
        }
        self.tables.extend(whole);
        let named = self.tables.iter().enumerate();
        let by_name = named.filter_map(|(at, named)| Some((named.name.clone()?, at)));
        // the first of a name counts
        self.by_name = by_name.collect::<Vec<_>>().into_iter().rev().collect();
    }

    fn push(&mut self, named: Named) {
        if let Some(name) = &named.name {
            self.by_name
                .entry(name.clone())
                .or_insert(self.tables.len());
        }
        self.tables.push(named);
    }

    /// Lays a table over the one with its `name`; a name comes once in a file.
    fn lay(&mut self, mut named: Named, sources: &Sources, diagnostics: &mut Vec<DiagnosticAt>) {
        let index = named.name.as_ref().and_then(|name| self.by_name.get(name));
        match index.and_then(|index| self.tables.get_mut(*index)) {
            None if is_switched(sources, named.file) => diagnostics.push(gone(&named)),
            None => self.push(named),
            Some(known) if known.file == named.file => {
                let name = shorten(named.name.as_deref().unwrap_or_default());
                let diagnostic =
                    DiagnosticAt::error(named.name_place(), format!("`{name}` is there twice"));
                diagnostics.push(diagnostic.hint(first(known, sources)));
                named.table.damaged = true;
                self.push(named);
            }
            Some(known) => {
                known.file = named.file;
                overlay(&mut known.table, named.table);
            }
        }
    }
}

/// Whether a file keeps only what was changed by hand in streams that others have.
fn is_switched(sources: &Sources, file: usize) -> bool {
    let source = sources.file(file);
    source.is_some_and(|source| is_overlay(&source.path))
}

/// That what was changed by hand is not there any more.
fn gone(named: &Named) -> DiagnosticAt {
    let name = shorten(named.name.as_deref().unwrap_or_default());
    let message = format!("`{name}` was changed by hand, and is not there any more");
    let diagnostic = DiagnosticAt::warning(named.name_place(), message);
    diagnostic.hint("nothing is lost by removing this entry")
}

/// Lays the files over each other, in order.
pub(super) fn merge(
    documents: Vec<Document>,
    environment: &dyn Environment,
    sources: &Sources,
    diagnostics: &mut Vec<DiagnosticAt>,
) -> Merged {
    let mut merged = Merged::default();
    for document in documents {
        merged.ring_lost |= document.ring_damaged;
        merged.hidden |= document.hidden;
        for entry in document.root.entries {
            merged.lay(entry, environment, sources, diagnostics);
        }
    }
    for (kind, needed, tables) in [
        ("channel", "type", &mut merged.channels),
        ("device", "ident", &mut merged.devices),
        ("group", "devices", &mut merged.groups),
        ("stream", "type", &mut merged.streams),
    ] {
        tables.refuse_misspelt(kind, needed, sources, diagnostics);
    }
    merged.refuse_shared_names(sources, diagnostics);
    merged
}

impl Merged {
    /// Lays one top-level key over what was there before.
    fn lay(
        &mut self,
        entry: Entry,
        environment: &dyn Environment,
        sources: &Sources,
        diagnostics: &mut Vec<DiagnosticAt>,
    ) {
        let single = match entry.key.as_str() {
            "ring" => Some(&mut self.ring),
            "log" => Some(&mut self.log),
            "api" => Some(&mut self.api),
            _ => None,
        };
        if let Some(single) = single {
            if let Err(diagnostic) = lay_single(single, &entry) {
                self.ring_lost |= entry.key == "ring";
                diagnostics.push(diagnostic);
            }
            return;
        }
        let several = match entry.key.as_str() {
            "channel" => &mut self.channels,
            "device" => &mut self.devices,
            "group" => &mut self.groups,
            "stream" => &mut self.streams,
            _ => return diagnostics.push(unknown(&entry)),
        };
        match tables(entry) {
            Ok(tables) => {
                for table in tables {
                    let name = name(&table, environment);
                    let file = table.place.file;
                    several.lay(Named { name, table, file }, sources, diagnostics);
                }
            }
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    /// Whether no channel and no stream is written, right or wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.channels.count() + self.streams.count() == 0
    }

    /// Names are unique across channels and streams: the logs and the API know no more.
    fn refuse_shared_names(&mut self, sources: &Sources, diagnostics: &mut Vec<DiagnosticAt>) {
        for stream in &mut self.streams.tables {
            let name = stream.name.as_deref();
            if let Some(channel) = name.and_then(|name| self.channels.named(name)) {
                let message = format!(
                    "`{}` is the name of a channel already",
                    shorten(stream.name.as_deref().unwrap_or_default())
                );
                let diagnostic = DiagnosticAt::error(stream.name_place(), message);
                diagnostics.push(diagnostic.hint(first(channel, sources)));
                stream.table.damaged = true;
            }
        }
    }
}

/// Lays a table over the one of that name.
fn lay_single(single: &mut Option<Table>, entry: &Entry) -> Result<(), DiagnosticAt> {
    let Tree::Table(table) = &entry.node.tree else {
        let message = format!("`{}` is one table", entry.key);
        let hint = format!("write `[{}]`", entry.key);
        return Err(DiagnosticAt::error(entry.key_place, message).hint(hint));
    };
    match single {
        Some(base) => overlay(base, table.clone()),
        None => *single = Some(table.clone()),
    }
    Ok(())
}

/// The tables of `[[key]]`.
fn tables(entry: Entry) -> Result<Vec<Table>, DiagnosticAt> {
    let key = entry.key;
    let wrong = |place| {
        let message = format!("`{key}` is a list of tables");
        DiagnosticAt::error(place, message).hint(format!("write `[[{key}]]`"))
    };
    let list = match entry.node.tree {
        Tree::List(list) => list,
        Tree::Table(table) => {
            let mut diagnostic = wrong(entry.key_place);
            // `[stream.cloud]`, as others name their tables
            if let [
                Entry {
                    key: name, node, ..
                },
            ] = table.entries.as_slice()
                && let Tree::Table(_) = node.tree
            {
                let name = shorten(name);
                diagnostic =
                    diagnostic.hint(format!("write `[[{key}]]`, and `name = \"{name}\"` below"));
            }
            return Err(diagnostic);
        }
        _ => return Err(wrong(entry.key_place)),
    };
    let table = |node: Node| match node.tree {
        Tree::Table(table) => Ok(table),
        _ => Err(wrong(node.place)),
    };
    list.into_iter().map(table).collect()
}

/// Replaces the keys that `later` gives, each as a whole.
fn overlay(base: &mut Table, later: Table) {
    base.damaged |= later.damaged;
    for entry in later.entries {
        match base.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => base.entries.push(entry),
        }
    }
}

/// The name of a table, for a message; what came from elsewhere is not shown.
fn shown(named: &Named, sources: &Sources) -> String {
    let name = named.name.as_deref().unwrap_or_default();
    match sources.text(named.name_place()).contains("${") {
        true => "***".to_owned(),
        false => shorten(name),
    }
}

/// Where the other one is, for a hint.
fn first(named: &Named, sources: &Sources) -> String {
    let place = named.name_place();
    let path = sources
        .file(place.file)
        .map(|source| source.path.display().to_string());
    format!(
        "the first is at {}:{}",
        path.unwrap_or_default(),
        sources.line(place)
    )
}

/// The `name` of a table with its references replaced; mistakes are left to its reader.
pub(super) fn name(table: &Table, environment: &dyn Environment) -> Option<String> {
    match &table.entry("name")?.node.tree {
        Tree::Text(name) | Tree::Bare(name) => {
            expand(name, environment).ok().map(|expanded| expanded.text)
        }
        _ => None,
    }
}

/// That there is no such table.
fn unknown(entry: &Entry) -> DiagnosticAt {
    let is_table = match &entry.node.tree {
        Tree::Table(_) => true,
        Tree::List(list) => matches!(
            list.as_slice(),
            [
                Node {
                    tree: Tree::Table(_),
                    ..
                },
                ..
            ]
        ),
        _ => false,
    };
    if !is_table && !TABLES.contains(&entry.key.as_str()) {
        let message = format!("`{}` stands in no table", shorten(&entry.key));
        let hint = "put it below the `[...]` or `[[...]]` that it belongs to";
        return DiagnosticAt::error(entry.key_place, message).hint(hint);
    }
    let diagnostic = DiagnosticAt::error(
        entry.key_place,
        format!("unknown table `{}`", shorten(&entry.key)),
    );
    match nearest(&entry.key, TABLES) {
        Some(near @ ("ring" | "log" | "api")) => {
            diagnostic.hint(format!("did you mean `[{near}]`?"))
        }
        Some(near) => diagnostic.hint(format!("did you mean `[[{near}]]`?")),
        None => diagnostic.hint(format!("known are {}", list(&TABLES))),
    }
}

/// The main file is read first.
const MAIN: usize = 0;

/// All tables that there are.
const TABLES: [&str; 7] = ["ring", "log", "api", "channel", "device", "group", "stream"];
