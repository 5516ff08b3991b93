//! What must not be shown: the values of keys that hold passwords and tokens.
//!
//! Hides too much rather than too little: a misspelt `pasword` is hidden as well.

use super::source::Place;
use super::source::Sources;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::spelling::distance;

/// Whether the value of a key is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRETS.iter().any(|secret| key.contains(secret))
        || key.split(['-', '_', '.']).any(|word| word == "key")
        || SECRETS.iter().any(|secret| distance(&key, secret) == 1)
}

/// Hides the secrets of a tree.
pub(super) fn hide(sources: &mut Sources, table: &Table) {
    for entry in &table.entries {
        // tables that hold passwords by user are secret all through
        if is_secret(&entry.key) || entry.key == "users" {
            sources.hide(entry.node.place);
        } else {
            hide_within(sources, &entry.node);
        }
    }
}

fn hide_within(sources: &mut Sources, node: &Node) {
    match &node.tree {
        Tree::Table(table) => hide(sources, table),
        Tree::List(list) => list.iter().for_each(|node| hide_within(sources, node)),
        Tree::Text(text) if text.contains("://") => {
            if let Some(password) = password_of_url(sources.text(node.place)) {
                let start = node.place.start + password.start;
                let end = node.place.start + password.end;
                sources.hide(Place {
                    start,
                    end,
                    ..node.place
                });
            }
        }
        _ => {}
    }
}

/// Hides what looks like a secret in a file that is no TOML, so that no tree tells.
pub(super) fn suspect(sources: &mut Sources, file: usize, text: &str) {
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let mut searched = 0;
        while let Some(sign) = line.get(searched..).and_then(|rest| rest.find(['=', ':'])) {
            let (before, value) = line.split_at(searched + sign);
            let key = before.trim_end_matches(['"', '\'', ' ', '\t']);
            let key = key
                .rsplit([' ', '\t', '{', ',', '"', '\'', '.'])
                .next()
                .unwrap_or_default();
            if is_secret(key) || before.contains("://") {
                let start = line_start + before.len() + 1;
                let len = end_of_value(text.get(start..).unwrap_or_default(), value.len() - 1);
                sources.hide(Place {
                    file,
                    start,
                    end: start + len,
                });
                break;
            }
            searched += sign + 1;
        }
        line_start += line.len();
    }
}

/// How far a value may reach: to the end of its line, of its quotes, or of the file.
fn end_of_value(behind: &str, line_len: usize) -> usize {
    let value = behind.trim_start_matches([' ', '\t']);
    let Some(quotes) = ["\"\"\"", "'''"]
        .into_iter()
        .find(|quotes| value.starts_with(quotes))
    else {
        return behind.get(..line_len).unwrap_or(behind).trim_end().len();
    };
    let open = behind.len() - value.len() + quotes.len();
    let close = behind.get(open..).and_then(|behind| behind.find(quotes));
    close.map_or(behind.len(), |at| open + at)
}

/// Where the password of `scheme://user:password@host` stands.
fn password_of_url(url: &str) -> Option<std::ops::Range<usize>> {
    let authority = url.find("://")? + 3;
    let end = url.rfind('@').filter(|end| *end > authority)?;
    let colon = url.get(authority..end)?.find(':')?;
    Some(authority + colon + 1..end)
}

const SECRETS: [&str; 10] = [
    "password",
    "token",
    "bearer",
    "authorization",
    "secret",
    "credentials",
    "cookie",
    "passphrase",
    "passwd",
    "pwd",
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
