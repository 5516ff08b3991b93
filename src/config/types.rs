//! The types of channels and streams with all their keys, for who offers them in a form. What a
//! key means stands once, in the page of the reference, which a test holds against the readers.

use crate::channel;
use crate::keys::examples;
use crate::stream;
use crate::stream::Defaults;
use crate::units::Period;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Serialize;

/// A type of channel or stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeRow {
    /// `channel` or `stream`.
    pub kind: &'static str,
    /// As `type` has it.
    pub name: &'static str,
    /// Its own ones first, then those of all types; keys of a table within it as `tls.ca`.
    pub keys: Vec<KeyRow>,
}

/// A key of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// `url`, or `tls.ca` for one of a table.
    pub name: String,
    /// Whether there has to be one.
    pub required: bool,
    /// What holds where it is left out, as TOML has it.
    pub default: Option<String>,
    /// A value, as TOML has it.
    pub example: Option<&'static str>,
    /// What it means; Markdown without links.
    pub about: String,
}

/// All types, channels first.
#[must_use]
pub fn types() -> Vec<TypeRow> {
    let page = reference();
    let row = |kind, name| row(&page, kind, name);
    let channels = channel::KINDS.iter().map(|kind| row("channel", kind.name));
    let streams = stream::KINDS.iter().map(|kind| {
        let mut row = row("stream", kind.name);
        for (key, default) in own_defaults(&kind.defaults) {
            let mut keys = row.keys.iter_mut();
            if let Some(found) = keys.find(|row| row.name == key) {
                found.default = Some(default);
            }
        }
        row
    });
    channels.chain(streams).collect()
}

fn row(page: &str, kind: &'static str, name: &'static str) -> TypeRow {
    let own = section(page, &format!("{name} {kind}")).or_else(|| section(page, name));
    let common = section(page, &format!("every {kind}"));
    let sections = [own, common].into_iter().flatten();
    let mut keys: Vec<KeyRow> = Vec::new();
    for key in sections.flat_map(|section| rows(kind, section)) {
        // one of its own counts more than one of all
        if keys.iter().any(|known| known.name == key.name) {
            continue;
        }
        let table = TABLES.iter().find(|table| **table == key.name);
        keys.push(key);
        let within = table.map(|table| within(page, kind, table));
        keys.extend(within.into_iter().flatten());
    }
    TypeRow { kind, name, keys }
}

/// The keys of a table within another.
fn within(page: &str, kind: &str, table: &'static str) -> Vec<KeyRow> {
    let heading = match (kind, table) {
        ("channel", "tls") => "tls of a channel that listens",
        _ => table,
    };
    let keys = section(page, heading).map_or_else(Vec::new, |section| rows(table, section));
    let inner = |key: KeyRow| KeyRow {
        name: format!("{table}.{}", key.name),
        ..key
    };
    keys.into_iter().map(inner).collect()
}

/// What stands under a heading.
fn section<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let mut sections = page.split("\n## ");
    sections.find_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'))
}

/// The keys of a section, which stand in a table `kind`.
fn rows(kind: &str, section: &str) -> Vec<KeyRow> {
    let lines = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |line: &str| {
        let mut cells = line.trim_end_matches(" |").splitn(3, " | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        let default = cells.next()?.trim_matches('`');
        let about = without_links(cells.next()?);
        Some(KeyRow {
            required: about.split("; ").any(|part| part == "needed"),
            default: (default != "–").then(|| default.to_owned()),
            example: examples::value(kind, &name),
            name,
            about,
        })
    };
    lines.filter_map(row).collect()
}

/// `[text](link)` as `text`.
fn without_links(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once("](") {
        let Some((_, after)) = behind.split_once(')') else {
            break;
        };
        let (head, label) = before.rsplit_once('[').unwrap_or((before, ""));
        plain.push_str(head);
        plain.push_str(label);
        rest = after;
    }
    plain + rest
}

/// Where a type assumes something else than the page says of all.
fn own_defaults(own: &Defaults) -> Vec<(&'static str, String)> {
    let quoted = |time| format!("\"{}\"", Period(time));
    let mut found = vec![
        ("retry.min", quoted(own.retry_min)),
        ("max_messages", own.max_messages.to_string()),
    ];
    found.extend(own.rate.map(|rate| ("rate", rate.to_string())));
    found.extend(own.max_age.map(|age| ("max_age", quoted(age))));
    found
}

/// Headings of the page of the reference and its rows of keys.
fn reference() -> String {
    // it is ours, and tests unpack it
    let page = decompress_to_vec_with_limit(REFERENCE, REFERENCE_MAX).unwrap_or_default();
    String::from_utf8(page).unwrap_or_default()
}

/// As `src/build.rs` packed it: deflate.
const REFERENCE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/reference"));

/// Longest page, in bytes.
const REFERENCE_MAX: usize = 256 * 1024;

/// Keys that hold a table with keys of its own.
const TABLES: [&str; 7] = [
    "will", "auth", "convert", "retry", "rejects", "stamp", "tls",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(types: &'a [TypeRow], kind: &str, name: &str, key: &str) -> &'a KeyRow {
        let mut types = types.iter();
        let row = types.find(|row| row.kind == kind && row.name == name);
        let mut keys = row.unwrap().keys.iter();
        keys.find(|row| row.name == key).expect(key)
    }

    #[test]
    fn every_type_has_its_own_keys_and_those_of_all() {
        let types = types();
        for row in &types {
            let has = |name: &str| row.keys.iter().any(|key| key.name == name);
            assert!(has("name") && has("type"), "{row:?}");
            let mut names: Vec<_> = row.keys.iter().map(|key| &key.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "twice: {row:?}");
            for key in &row.keys {
                assert!(
                    !key.about.is_empty() && !key.about.contains("]("),
                    "{key:?}"
                );
            }
        }
        let named = |kind| types.iter().filter(|row| row.kind == kind).count();
        assert_eq!(named("stream"), stream::KINDS.len());
        assert_eq!(named("channel"), channel::KINDS.len());
        let own = |row: &&TypeRow| row.kind == "stream" && row.keys[0].name != "name";
        assert_eq!(types.iter().filter(own).count(), stream::KINDS.len());
    }

    #[test]
    fn a_key_says_what_it_needs() {
        let types = types();
        let default = |kind, name, of| key(&types, kind, name, of).default.clone();
        let url = key(&types, "stream", "mqtt", "url");
        assert!(url.required && url.default.is_none(), "{url:?}");
        let ca = key(&types, "stream", "http", "tls.ca");
        assert_eq!(ca.example, Some("\"/etc/weir/ca.pem\""));
        assert!(key(&types, "channel", "json", "tls.certificate").required);
        assert!(!key(&types, "stream", "influxdb", "bucket").required);
        assert_eq!(default("stream", "mqtt", "window").as_deref(), Some("100"));
        assert_eq!(default("stream", "aws-iot", "rate").as_deref(), Some("100"));
        assert_eq!(
            default("stream", "e-toll", "max_age").as_deref(),
            Some("\"10d\"")
        );
    }

    #[test]
    fn a_link_is_its_text() {
        let plain = without_links("a [template](#t); see [x](y.md#z)");
        assert_eq!(plain, "a template; see x");
        assert_eq!(without_links("a[0] (b)"), "a[0] (b)");
    }
}
