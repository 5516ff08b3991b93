//! `weir stream add FILE`: streams of a file of TOML, made by a running daemon. What is wrong with
//! them is said with its place in that file.

use super::Exit;
use super::client::Client;
use super::client::Mistake;
use super::client::Trouble;
use crate::config::Diagnostic;
use crate::config::Severity;
use crate::config::render;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::document;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Adds all streams of a file, or none where one of them is wrong.
pub(super) fn add(client: &Client, path: &Path) -> Result<Exit, Trouble> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            return Ok(Exit::Usage);
        }
    };
    let mut sources = Sources::default();
    let file = sources.add(path.to_owned(), Some(text));
    let mut mistakes = Vec::new();
    let document = document::parse(&mut sources, file, &mut mistakes);
    let streams = streams(&document.root, &mut mistakes);
    let addition = Addition { client, sources };
    if !mistakes.is_empty() {
        let located = mistakes.into_iter().map(|it| it.locate(&addition.sources));
        eprint!("{}", render(&located.collect::<Vec<_>>()));
        return Ok(Exit::Usage);
    }
    for path in ["/streams?dry_run=1", "/streams"] {
        for stream in &streams {
            if !addition.ask(path, stream)? {
                return Ok(Exit::Usage);
            }
        }
    }
    Ok(Exit::Done)
}

/// The tables of `[[stream]]`; there is nothing else that could be added.
fn streams<'a>(root: &'a Table, mistakes: &mut Vec<DiagnosticAt>) -> Vec<&'a Table> {
    let mut found = Vec::new();
    for entry in &root.entries {
        match (entry.key.as_str(), &entry.node.tree) {
            ("stream", Tree::List(list)) => {
                let tables = list.iter().filter_map(|node| match &node.tree {
                    Tree::Table(table) => Some(table),
                    _ => None,
                });
                found.extend(tables);
            }
            _ => {
                let message = "only `[[stream]]` can be added to a running daemon";
                let diagnostic = DiagnosticAt::error(entry.key_place, message);
                mistakes.push(diagnostic.hint("put the rest into a file of the configuration"));
            }
        }
    }
    if found.is_empty() && mistakes.is_empty() {
        let diagnostic = DiagnosticAt::error(root.place, "there is no `[[stream]]`");
        mistakes.push(diagnostic);
    }
    found
}

struct Addition<'a> {
    client: &'a Client,
    sources: Sources,
}

impl Addition<'_> {
    /// Whether the daemon takes a stream; else all that is wrong with it is said.
    fn ask(&self, path: &str, stream: &Table) -> Result<bool, Trouble> {
        let body = Value::Object(stream.json(&|_| None));
        match self.client.ask::<Value>("POST", path, Some(&body)) {
            Ok(result) => {
                if path == "/streams" {
                    let name = body.get("name").and_then(Value::as_str);
                    say!("stream `{}` added", name.unwrap_or_default());
                } else {
                    let tried = result.first().and_then(|tried| tried.get("warnings"));
                    let warnings = tried.and_then(|it| serde_json::from_value(it.clone()).ok());
                    let warnings: Vec<Mistake> = warnings.unwrap_or_default();
                    self.say(&warnings, Severity::Warning, stream);
                }
                Ok(true)
            }
            Err(Trouble::Mistakes(mistakes)) => {
                self.say(&mistakes, Severity::Error, stream);
                Ok(false)
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn say(&self, mistakes: &[Mistake], severity: Severity, stream: &Table) {
        for mistake in mistakes {
            match self.located(mistake, severity, stream) {
                Some(diagnostic) => eprintln!("{diagnostic}"),
                None => eprintln!("{}", mistake.reason),
            }
        }
    }

    /// Where a mistake stands in the user's file; none where it is in another one.
    fn located(&self, mistake: &Mistake, severity: Severity, stream: &Table) -> Option<Diagnostic> {
        let message = mistake.message.clone().unwrap_or_default();
        let of_key = message.starts_with("unknown key");
        let place = place_of(stream, mistake.key.as_deref()?, of_key);
        let diagnostic = match severity {
            Severity::Error => DiagnosticAt::error(place, message),
            Severity::Warning => DiagnosticAt::warning(place, message),
        };
        let diagnostic = match &mistake.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        };
        Some(diagnostic.locate(&self.sources))
    }
}

/// Where the value of a key stands, or the key itself, `tls.ca` within a table; the last that is
/// there of those around it.
fn place_of(stream: &Table, key: &str, of_key: bool) -> Place {
    let (mut table, mut place, mut rest) = (stream, stream.place, key);
    loop {
        let entries = table.entries.iter();
        // a key may hold dots itself
        let found = entries.filter_map(|entry| {
            let behind = rest.strip_prefix(entry.key.as_str())?;
            let behind = behind
                .strip_prefix('.')
                .or(behind.is_empty().then_some(""))?;
            Some((entry, behind))
        });
        let longest = found.max_by_key(|(entry, _)| entry.key.len());
        let Some((entry, behind)) = longest else {
            return place;
        };
        rest = behind;
        place = match of_key {
            true => entry.key_place,
            false => entry.node.place,
        };
        match &entry.node.tree {
            Tree::Table(inner) if !rest.is_empty() => table = inner,
            _ => return place,
        }
    }
}
