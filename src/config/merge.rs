//! Several files as one: a later table with a known name replaces the keys that it gives.
//!
//! Knows the names of the tables, and of the keys only `name`.

use super::context::list;
use super::context::shorten;
use super::diagnostic::Mistake;
use super::environment::Environment;
use super::expand::expand;
use super::source::Place;
use super::source::Sources;
use super::tree::Document;
use super::tree::Entry;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::spelling::nearest;

/// All tables of all files. Those that are wrong as a whole are marked as damaged.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) ring: Option<Table>,
    pub(super) log: Option<Table>,
    pub(super) api: Option<Table>,
    pub(super) channels: Vec<Named>,
    pub(super) devices: Vec<Named>,
    pub(super) groups: Vec<Named>,
    pub(super) streams: Vec<Named>,
    /// What `[ring]` says is not known.
    pub(super) ring_lost: bool,
}

/// A table of which there are several.
#[derive(Debug)]
pub(super) struct Named {
    /// None: it has none, or none that can be read.
    pub(super) name: Option<String>,
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

/// Lays the files over each other, in order.
pub(super) fn merge(
    documents: Vec<Document>,
    environment: &dyn Environment,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) -> Merged {
    let mut merged = Merged::default();
    for document in documents {
        merged.ring_lost |= document.ring_damaged;
        for entry in document.root.entries {
            merged.lay(entry, environment, sources, mistakes);
        }
    }
    merged.refuse_shared_names(sources, mistakes);
    merged
}

impl Merged {
    fn lay(
        &mut self,
        entry: Entry,
        environment: &dyn Environment,
        sources: &Sources,
        mistakes: &mut Vec<Mistake>,
    ) {
        let single = match entry.key.as_str() {
            "ring" => Some(&mut self.ring),
            "log" => Some(&mut self.log),
            "api" => Some(&mut self.api),
            _ => None,
        };
        if let Some(single) = single {
            if let Err(mistake) = lay_single(single, &entry) {
                self.ring_lost |= entry.key == "ring";
                mistakes.push(mistake);
            }
            return;
        }
        let several = match entry.key.as_str() {
            "channel" => &mut self.channels,
            "device" => &mut self.devices,
            "group" => &mut self.groups,
            "stream" => &mut self.streams,
            _ => return mistakes.push(unknown(&entry)),
        };
        match tables(entry) {
            Ok(tables) => {
                for table in tables {
                    let name = name(&table, environment);
                    lay_named(
                        several,
                        Named {
                            name,
                            file: table.place.file,
                            table,
                        },
                        sources,
                        mistakes,
                    );
                }
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }

    /// Whether no channel and no stream is written, right or wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.streams.is_empty()
    }

    /// Names are unique across channels and streams: the logs and the API know no more.
    fn refuse_shared_names(&mut self, sources: &Sources, mistakes: &mut Vec<Mistake>) {
        for stream in &mut self.streams {
            let same = |channel: &&Named| channel.name.is_some() && channel.name == stream.name;
            if let Some(channel) = self.channels.iter().find(same) {
                let message = format!(
                    "`{}` is the name of a channel already",
                    shorten(stream.name.as_deref().unwrap_or_default())
                );
                let mistake = Mistake::error(stream.name_place(), message);
                mistakes.push(mistake.hint(first(channel, sources)));
                stream.table.damaged = true;
            }
        }
    }
}

fn lay_single(single: &mut Option<Table>, entry: &Entry) -> Result<(), Mistake> {
    let Tree::Table(table) = &entry.node.tree else {
        let message = format!("`{}` is one table", entry.key);
        let hint = format!("write `[{}]`", entry.key);
        return Err(Mistake::error(entry.key_place, message).hint(hint));
    };
    match single {
        Some(base) => overlay(base, table.clone()),
        None => *single = Some(table.clone()),
    }
    Ok(())
}

/// The tables of `[[key]]`.
fn tables(entry: Entry) -> Result<Vec<Table>, Mistake> {
    let key = entry.key;
    let wrong = |place| {
        let message = format!("`{key}` is a list of tables");
        Mistake::error(place, message).hint(format!("write `[[{key}]]`"))
    };
    let Tree::List(list) = entry.node.tree else {
        return Err(wrong(entry.key_place));
    };
    let table = |node: Node| match node.tree {
        Tree::Table(table) => Ok(table),
        _ => Err(wrong(node.place)),
    };
    list.into_iter().map(table).collect()
}

fn lay_named(
    several: &mut Vec<Named>,
    mut named: Named,
    sources: &Sources,
    mistakes: &mut Vec<Mistake>,
) {
    let known = several
        .iter_mut()
        .find(|known| known.name.is_some() && known.name == named.name);
    match known {
        None => several.push(named),
        Some(known) if known.file == named.file => {
            let name = shorten(named.name.as_deref().unwrap_or_default());
            let mistake = Mistake::error(named.name_place(), format!("`{name}` is there twice"));
            mistakes.push(mistake.hint(first(known, sources)));
            named.table.damaged = true;
            several.push(named);
        }
        Some(known) => {
            known.file = named.file;
            overlay(&mut known.table, named.table);
        }
    }
}

fn overlay(base: &mut Table, later: Table) {
    base.damaged |= later.damaged;
    for entry in later.entries {
        match base.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => base.entries.push(entry),
        }
    }
}

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

fn name(table: &Table, environment: &dyn Environment) -> Option<String> {
    match &table.entry("name")?.node.tree {
        Tree::Text(name) => expand(name, environment).ok().map(|expanded| expanded.text),
        _ => None,
    }
}

fn unknown(entry: &Entry) -> Mistake {
    let mistake = Mistake::error(
        entry.key_place,
        format!("unknown table `{}`", shorten(&entry.key)),
    );
    match nearest(&entry.key, TABLES) {
        Some(near @ ("ring" | "log" | "api")) => mistake.hint(format!("did you mean `[{near}]`?")),
        Some(near) => mistake.hint(format!("did you mean `[[{near}]]`?")),
        None => mistake.hint(format!("known are {}", list(&TABLES))),
    }
}

const TABLES: [&str; 7] = ["ring", "log", "api", "channel", "device", "group", "stream"];
