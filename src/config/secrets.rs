//! What must not be shown: the values of keys that hold passwords and tokens.
//!
//! Hides too much rather than too little: a misspelt `pasword` is hidden as well.

use super::source::Place;
use super::source::Sources;
use super::tree::Entry;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::spelling::distance;

/// Whether the value of a key is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRETS
        .iter()
        .any(|secret| key.contains(secret) || is_slip(&key, secret))
        || key.split(['-', '_', '.']).any(|word| word == "key")
}

/// Whether one slip of the finger makes the one of the other.
fn is_slip(key: &str, secret: &str) -> bool {
    key.len().abs_diff(secret.len()) <= 1 && distance(key, secret) == 1
}

/// Hides the secrets of a file.
pub(super) fn hide(sources: &mut Sources, root: &Table) {
    hide_table(sources, root, "");
}

/// `parent` is the key of the table: a misplaced dot cuts a key in two.
fn hide_table(sources: &mut Sources, table: &Table, parent: &str) {
    for entry in &table.entries {
        let secret = is_secret(&entry.key) || is_secret(&format!("{parent}{}", entry.key));
        // `users` holds passwords by user
        if secret || entry.key == "users" {
            hide_all(sources, &entry.node);
        } else {
            hide_within(sources, entry);
        }
    }
}

/// Hides the secrets below a key that is none itself.
fn hide_within(sources: &mut Sources, entry: &Entry) {
    let nodes = match &entry.node.tree {
        Tree::List(list) => list.as_slice(),
        _ => std::slice::from_ref(&entry.node),
    };
    for node in nodes {
        match &node.tree {
            Tree::Table(table) => hide_table(sources, table, &entry.key),
            Tree::List(_) => hide_all(sources, node),
            Tree::Text(text) if text.contains('@') => hide_password(sources, node.place),
            _ => {}
        }
    }
}

/// Hides the password of a URL at `place`, if it has one.
fn hide_password(sources: &mut Sources, place: Place) {
    if let Some(password) = password_of_url(sources.text(place)) {
        let (start, end) = (place.start + password.start, place.start + password.end);
        sources.hide(Place {
            start,
            end,
            ..place
        });
    }
}

/// Hides every value below a node.
fn hide_all(sources: &mut Sources, node: &Node) {
    match &node.tree {
        Tree::List(list) => list.iter().for_each(|node| hide_all(sources, node)),
        Tree::Table(table) => {
            table
                .entries
                .iter()
                .for_each(|entry| hide_all(sources, &entry.node));
        }
        _ => sources.hide(node.place),
    }
}

/// Hides what looks like a secret in a file that is no TOML, so that no tree tells: all of a line
/// behind its first word.
pub(super) fn suspect(sources: &mut Sources, file: usize, text: &str) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if is_suspect(line) {
            let word = line.trim_start_matches([' ', '\t', '"', '\'']);
            let behind =
                word.trim_start_matches(|c| !matches!(c, '=' | ':' | '"' | '\'' | ' ' | '\t'));
            let value = behind.trim_start_matches([' ', '\t']);
            let value = value
                .strip_prefix('=')
                .unwrap_or(value)
                .trim_start_matches([' ', '\t']);
            let from = start + line.len() - value.len();
            let len = len_of_value(text.get(from..).unwrap_or_default(), value.len());
            sources.hide(Place {
                file,
                start: from,
                end: from + len,
            });
        }
        start += line.len();
    }
}

/// Whether a line has a word of secrets, even one that is cut in two.
fn is_suspect(line: &str) -> bool {
    let letters: String = line.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    SECRETS.iter().any(|secret| letters.contains(secret))
        || words.any(is_secret)
        || line.contains('@')
}

/// How far a value may reach: to the end of its line, of its quotes, or of the file.
fn len_of_value(value: &str, line_len: usize) -> usize {
    let quotes = ["\"\"\"", "'''"]
        .into_iter()
        .find(|quotes| value.starts_with(quotes));
    let Some(quotes) = quotes else {
        return value.get(..line_len).unwrap_or(value).trim_end().len();
    };
    let close = value
        .get(quotes.len()..)
        .and_then(|inner| inner.find(quotes));
    close.map_or(value.len(), |at| quotes.len() + at)
}

/// Where the password of `scheme://user:password@host` stands.
fn password_of_url(url: &str) -> Option<std::ops::Range<usize>> {
    // also when the scheme is written wrong
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url.rfind('@').filter(|end| *end > authority)?;
    let colon = url.get(authority..end)?.find(':')?;
    Some(authority + colon + 1..end)
}

/// What keys of secrets contain.
const SECRETS: [&str; 9] = [
    "password",
    "pass",
    "pwd",
    "token",
    "bearer",
    "authorization",
    "secret",
    "credentials",
    "cookie",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_key() {
        for key in [
            "password",
            "pasword",
            "tokn",
            "Authorization",
            "X-Api-Key",
            "access_token",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["topic", "timeout", "name", "keep_alive", "type", "headers"] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn the_password_of_a_url_is_found() {
        let url = "mqtt://user:p@ss@host:1883";
        assert_eq!(password_of_url(url).map(|at| &url[at]), Some("p@ss"));
        assert_eq!(password_of_url("mqtt://user@host:1883"), None);
        assert_eq!(password_of_url("http://host:80/a"), None);
    }
}
