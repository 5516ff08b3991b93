//! A stream as the API has it, a JSON object, as one `[[stream]]` of a file; and which key a
//! mistake in that file belongs to.

use crate::keys::diagnostic::Diagnostic;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::diagnostic::Position;
use crate::keys::quoted::quoted;
use crate::keys::quoted::quoted_key;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use serde_json::Map;
use serde_json::Value;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;

/// The text of a file, and where each key stands in it.
#[derive(Clone, Debug)]
pub struct Rendered {
    path: PathBuf,
    text: String,
    /// Each with what stands behind it; `tls.ca` lies within `tls`.
    keys: Vec<(Range<usize>, String)>,
    /// What no file of the API may hold.
    unfit: Vec<Unfit>,
    /// The key that is not there and has to be, with what to write.
    missing: Option<(&'static str, &'static str)>,
}

/// A value that is not taken.
#[derive(Clone, Debug)]
struct Unfit {
    at: Range<usize>,
    message: &'static str,
    hint: &'static str,
}

impl Rendered {
    /// The file at `path` that says this of the stream `name`.
    #[must_use]
    pub fn new(path: PathBuf, name: &str, keys: &Map<String, Value>) -> Self {
        let mut rendered = Self {
            path,
            text: HEAD.to_owned(),
            keys: Vec::new(),
            unfit: Vec::new(),
            missing: None,
        };
        rendered.line("name", &Value::from(name));
        for (key, value) in keys.iter().filter(|(key, _)| *key != "name") {
            rendered.line(key, value);
        }
        rendered
    }

    /// The same for a stream that nobody knows yet: it has to have a `type`.
    #[must_use]
    pub fn anew(mut self) -> Self {
        let has_type = self.keys.iter().any(|(_, key)| key == "type");
        self.missing = (!has_type).then_some(("type", "write `type = \"mqtt\"`"));
        self
    }

    /// Where it is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As it is kept.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it before anything is read that it names: a client must not learn by it
    /// what a file of this machine says.
    #[must_use]
    pub fn refusals(&self) -> Vec<Diagnostic> {
        let mut sources = Sources::default();
        let file = sources.add(self.path.clone(), Some(self.text.clone()));
        // nothing of a value is shown
        for (key, _) in &self.keys {
            sources.hide(Place::new(file, key.clone()));
        }
        sources.settle(file);
        let found = self.unfit.iter().map(|unfit| {
            let place = Place::new(file, unfit.at.clone());
            DiagnosticAt::error(place, unfit.message).hint(unfit.hint)
        });
        let missing = self.missing.map(|(key, hint)| {
            let start = HEAD.len() - TABLE.len();
            let place = Place::new(file, start..HEAD.len() - 1);
            let diagnostic = DiagnosticAt::error(place, format!("this stream has no `{key}`"));
            DiagnosticAt {
                key: Some(key.to_owned()),
                ..diagnostic.hint(hint)
            }
        });
        let too_long = (self.text.len() > FILE_MAX).then(|| {
            DiagnosticAt::error(Place::file(file), "the keys of this stream are too long")
                .hint("at most 32 KiB fit")
        });
        let all = found.chain(too_long).chain(missing);
        all.map(|diagnostic| diagnostic.locate(&sources)).collect()
    }

    /// The key that a mistake belongs to; none where it is about something else.
    #[must_use]
    pub fn key_of(&self, diagnostic: &Diagnostic) -> Option<String> {
        if diagnostic.file != self.path {
            return None;
        }
        let around = diagnostic.position.and_then(|at| self.key_at(at));
        match (around, diagnostic.key.clone()) {
            (Some(around), Some(key)) => Some(format!("{around}.{key}")),
            (around, key) => key.or(around),
        }
    }

    fn key_at(&self, position: Position) -> Option<String> {
        let mut lines = self.text.split_inclusive('\n');
        let before: usize = lines
            .by_ref()
            .take(position.line.saturating_sub(1))
            .map(str::len)
            .sum();
        let column = position.column.saturating_sub(1);
        let (within, _) = lines.next()?.char_indices().nth(column)?;
        let around = self.keys.iter();
        let around = around.filter(|(range, _)| range.contains(&(before + within)));
        let (_, key) = around.min_by_key(|(range, _)| range.len())?;
        Some(key.clone())
    }

    fn line(&mut self, key: &str, value: &Value) {
        self.entry(key, key, value, 0);
        self.text.push('\n');
    }

    /// `key = value`; `path` is the key with those around it.
    fn entry(&mut self, path: &str, key: &str, value: &Value, depth: usize) {
        let start = self.text.len();
        self.text.push_str(&quoted_key(key));
        self.text.push_str(" = ");
        self.value(path, value, depth);
        self.keys.push((start..self.text.len(), path.to_owned()));
    }

    fn value(&mut self, path: &str, value: &Value, depth: usize) {
        let start = self.text.len();
        match value {
            Value::Null => self.unfit(start, "`null` is no value", "leave the key out"),
            Value::Array(_) | Value::Object(_) if depth >= DEPTH_MAX => {
                self.unfit(start, "lists and tables lie too deep in each other", DEEP);
            }
            Value::Bool(flag) => self.text.push_str(if *flag { "true" } else { "false" }),
            Value::Number(number) => self.text.push_str(&number.to_string()),
            Value::String(text) => {
                self.text.push_str(&quoted(text));
                self.judge(start, text);
            }
            Value::Array(list) => {
                self.text.push('[');
                for item in list {
                    self.value(path, item, depth + 1);
                    self.text.push_str(", ");
                }
                self.text.push(']');
            }
            Value::Object(table) => self.table(path, table, depth),
        }
    }

    /// A trailing comma is nothing that an inline table may have.
    fn table(&mut self, path: &str, table: &Map<String, Value>, depth: usize) {
        self.text.push('{');
        for (at, (key, value)) in table.iter().enumerate() {
            self.text.push_str(if at > 0 { ", " } else { " " });
            self.entry(&format!("{path}.{key}"), key, value, depth + 1);
        }
        self.text.push_str(" }");
    }

    /// Notes what a text must not hold.
    fn judge(&mut self, start: usize, text: &str) {
        if text.contains("${file:") || text.contains("${env:") {
            let message = "`${file:...}` and `${env:...}` are not taken from the API";
            self.unfit(start, message, REFERENCE);
        } else if text.contains("***") {
            self.unfit(start, "`***` stands for a secret that is not shown", STARS);
        }
    }

    /// Notes what is wrong with what stands from `start` on; nothing is shown in its place.
    fn unfit(&mut self, start: usize, message: &'static str, hint: &'static str) {
        if self.text.len() == start {
            self.text.push_str("\"\"");
        }
        let at = start..self.text.len();
        self.unfit.push(Unfit { at, message, hint });
    }
}

/// The keys of the only stream in the text of such a file, its name among them; none where it is
/// damaged, no keys where there is no text.
#[must_use]
pub fn keys_of(text: &str) -> Option<Map<String, Value>> {
    if text.is_empty() {
        return Some(Map::new());
    }
    let mut file: Value = toml::from_str(text).ok()?;
    let stream = file.get_mut("stream")?.get_mut(0)?.take();
    match stream {
        Value::Object(keys) => Some(keys),
        _ => None,
    }
}

const HEAD: &str =
    "# Made by the API of weir, which changes and removes it as well.\n\n[[stream]]\n";

const TABLE: &str = "[[stream]]\n";

const DEEP: &str = "no key of a stream takes that";

const REFERENCE: &str = "write the value itself, which is kept for weir alone and not shown again, \
                         or put the stream into a file of `weir.d`";

const STARS: &str = "leave the key out to keep what it says, or write the secret itself";

/// Lists and tables in each other; the deepest key of a stream has three.
const DEPTH_MAX: usize = 8;

/// Longest file, in bytes.
const FILE_MAX: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(keys: &Value) -> Rendered {
        Rendered::new("/x.toml".into(), "a", keys.as_object().unwrap())
    }

    fn at(text: &str, what: &str) -> Diagnostic {
        let offset = text.find(what).unwrap();
        let mut sources = Sources::default();
        let file = sources.add("/x.toml".into(), Some(text.to_owned()));
        DiagnosticAt::error(Place::new(file, offset..offset + 1), "m").locate(&sources)
    }

    #[test]
    fn what_is_rendered_reads_the_same_again() {
        let keys = json!({
            "name": "other", "type": "http", "n": 7, "f": 0.5, "yes": true,
            "list": ["a\u{7f}\"\\\n", 1],
            "tls": { "ca": "/x", "deep": { "x y": [] } }, "none": {}
        });
        let read: Value = toml::from_str(rendered(&keys).text()).unwrap();
        let mut wanted = keys;
        wanted["name"] = json!("a");
        assert_eq!(read["stream"][0], wanted);
        let again = keys_of(rendered(&wanted).text()).unwrap();
        assert_eq!(Value::Object(again), wanted);
        assert_eq!(keys_of(""), Some(Map::new()));
        assert_eq!(keys_of("[[stream"), None);
    }

    #[test]
    fn a_mistake_is_told_by_its_innermost_key() {
        let rendered = rendered(&json!({
            "url": "http://ä/", "tls": { "ca": "QQ", "key": "ZZ" }, "headers": { "X-A b": "HH" }
        }));
        for (what, key) in [
            ("http", Some("url")),
            ("QQ", Some("tls.ca")),
            ("ZZ", Some("tls.key")),
            ("HH", Some("headers.X-A b")),
            ("[[stream", None),
            ("\"a\"", Some("name")),
        ] {
            let found = rendered.key_of(&at(rendered.text(), what));
            assert_eq!(found.as_deref(), key, "{what}");
        }
        let mut missing = at(rendered.text(), "[[stream");
        missing.key = Some("topic".to_owned());
        assert_eq!(rendered.key_of(&missing).as_deref(), Some("topic"));
        let mut within = at(rendered.text(), "{ \"X");
        within.key = Some("file".to_owned());
        assert_eq!(rendered.key_of(&within).as_deref(), Some("headers.file"));
        missing.file = "/other.toml".into();
        assert_eq!(rendered.key_of(&missing), None);
    }

    #[test]
    fn references_stars_and_nothing_are_refused_and_not_shown() {
        for keys in [
            json!({ "url": "http://h/${file:/etc/shadow}" }),
            json!({ "headers": { "a": ["${env:SECRET}"] } }),
            json!({ "password": "***" }),
            json!({ "retry": { "min": null } }),
            json!({ "a": [[[[[[[[[[1]]]]]]]]]] }),
            json!({ "a": "x".repeat(FILE_MAX) }),
        ] {
            let found = rendered(&keys).refusals();
            assert_eq!(found.len(), 1, "{keys}");
            assert!(!found[0].to_string().contains("shadow"), "{}", found[0]);
        }
        assert!(
            rendered(&json!({ "ident": "${hostname}" }))
                .refusals()
                .is_empty()
        );
    }
}
