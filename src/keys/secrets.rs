//! What must not be shown: the values of keys that hold passwords and tokens, logins and queries
//! in URLs and what looks like a token in their paths, defaults of variables, and the comments
//! beside them.
//!
//! Hides too much rather than too little: a misspelt `pasword` is hidden as well.

use super::source::Place;
use super::source::Sources;
use super::tree::Entry;
use super::tree::Node;
use super::tree::Table;
use super::tree::Tree;
use crate::spelling::distance;
use std::ops::Range;

/// Whether the value of a key is a secret, or a table or list of secrets.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // behind the name of its table, too
    if OPEN_KEYS.iter().any(|open| key.ends_with(open)) {
        return false;
    }
    SECRETS.iter().any(|secret| key.contains(secret))
        || key.ends_with("apikey")
        || key.ends_with("accesskey")
        || is_word_of_secrets(&key)
        || key.split(['-', '_', '.']).any(is_word_of_secrets)
}

fn is_word_of_secrets(word: &str) -> bool {
    word == "key"
        || KEEPERS
            .iter()
            .any(|keeper| word == *keeper || is_slip(word, keeper))
        || SECRETS.iter().any(|secret| is_slip(word, secret))
}

/// Whether one slip of the finger makes the one of the other; of long ones, two, of short ones,
/// none.
fn is_slip(key: &str, secret: &str) -> bool {
    let slips = match secret.len() {
        0..5 => 0,
        5..7 => 1,
        _ => 2,
    };
    // most words are ruled out by their letters: every word of a damaged file comes here
    let other = |letter: &u8| !key.as_bytes().contains(letter);
    key.len().abs_diff(secret.len()) <= slips
        && secret.as_bytes().iter().filter(|l| other(l)).count() <= slips
        && distance(key, secret) <= slips
}

/// Hides the secrets of a file, and what is said beside them.
pub(crate) fn hide(sources: &mut Sources, file: usize, root: &Table) {
    hide_table(sources, root, "");
    sources.settle(file);
    hide_comments(sources, file);
}

/// `parent` is the key of the table: a misplaced dot cuts a key in two.
fn hide_table(sources: &mut Sources, table: &Table, parent: &str) {
    for entry in &table.entries {
        if is_secret(&entry.key) || is_secret(&format!("{parent}{}", entry.key)) {
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
            Tree::Text(_) | Tree::Bare(_) => hide_in_text(sources, node.place, &entry.key),
            _ => {}
        }
    }
}

/// Hides what of the text of a key is a secret.
fn hide_in_text(sources: &mut Sources, place: Place, key: &str) {
    let text = sources.text(place);
    if names_a_secret(text) {
        return sources.hide(place);
    }
    let key = key.to_ascii_lowercase();
    let mut words = key.split(['-', '_', '.']).chain([key.as_str()]);
    let named = words.any(|word| URL_KEYS.iter().any(|url| distance(word, url) <= 1));
    let is_url = text.contains("://") || named;
    let mut hidden = defaults(text);
    hidden.extend(login_of_url(text, is_url));
    hidden.extend(query_of_url(text).filter(|_| is_url));
    hidden.extend(tokens_of_path(text));
    for range in hidden {
        let (start, end) = (place.start + range.start, place.start + range.end);
        sources.hide(Place {
            start,
            end,
            ..place
        });
    }
}

/// Whether a text has a word of secrets with something behind it: `{"api_key":"..."}`.
fn names_a_secret(text: &str) -> bool {
    let of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut rest = text;
    while let Some(start) = rest.find(of_word) {
        let word = rest.get(start..).unwrap_or_default();
        let end = word.find(|c| !of_word(c)).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        rest = behind;
        let behind = behind.trim_start_matches(['"', '\'', '\\', ' ', '\t']);
        let scheme = ["bearer", "basic"]
            .iter()
            .any(|s| word.eq_ignore_ascii_case(s));
        let value = behind.strip_prefix(['=', ':']).map_or(scheme, |_| true);
        if value && !behind.is_empty() && (scheme || word.len() > 2 && is_secret(word)) {
            return true;
        }
    }
    false
}

/// What stands behind `:-` in the references of a text, also in one that is never closed.
fn defaults(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices("${") {
        let reference = text.get(open..).unwrap_or_default();
        let end = reference.find('}').unwrap_or(reference.len());
        let default = reference.get(..end).and_then(|inner| inner.find(":-"));
        found.extend(default.map(|at| open + at + 2..open + end));
    }
    found
}

/// Hides all comments: none is at fault, and each may hold what was tried before.
fn hide_comments(sources: &mut Sources, file: usize) {
    let Some(source) = sources.file(file) else {
        return;
    };
    let text = source.text.as_deref().unwrap_or_default();
    let mut secrets = source.secrets.iter().peekable();
    let (mut start, mut found, mut tail) = (0, Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        // where a secret of several lines ends there are quotes that were not opened here
        let from = tail.clamp(start, end);
        let mut last = None;
        while let Some(secret) = secrets.next_if(|secret| secret.start < end) {
            (last, tail) = (Some(secret.end.min(end)), secret.end);
        }
        let rest = text.get(from..end).unwrap_or_default();
        let hidden = last.or((from > start).then_some(from));
        let comment = comment(rest).map(|at| from + at);
        let comment = comment.filter(|at| hidden.is_none_or(|hidden| *at >= hidden));
        let sign = hidden.and_then(|hidden| {
            let behind = text.get(hidden..end)?;
            behind.find('#').map(|at| hidden + at)
        });
        found.extend(comment.or(sign).map(|at| at + 1..end));
        start += line.len();
    }
    for range in found {
        sources.hide(Place::new(file, range));
    }
    sources.settle(file);
}

/// Where the comment of a line begins.
fn comment(line: &str) -> Option<usize> {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => return Some(at),
            _ => {}
        }
    }
    None
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
/// behind its first word; below a header of secrets, of each line.
pub(crate) fn suspect(sources: &mut Sources, file: usize, text: &str) {
    let (mut start, mut below) = (0, false);
    for line in text.split_inclusive('\n') {
        let suspect = is_suspect(line);
        if line.trim_start().starts_with('[') || line.contains("[[") {
            below = suspect;
        }
        if suspect || below {
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
            sources.hide(Place::new(file, from..from + len));
        }
        start += line.len();
    }
}

/// Whether a line has a word of secrets, even one that is cut in two, or a URL or a default that
/// may hold one.
fn is_suspect(line: &str) -> bool {
    let letters: String = line.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    SECRETS.iter().any(|secret| letters.contains(secret))
        || words.any(is_secret)
        || line.contains("://")
        || line.contains(['?', '@'])
        || line.contains(":-")
}

/// How far a value may reach: to the end of its line, of its quotes or brackets, or of the file.
fn len_of_value(value: &str, line_len: usize) -> usize {
    if value.starts_with(['[', '{']) {
        return len_of_brackets(value, line_len);
    }
    let quotes = ["\"\"\"", "'''"]
        .into_iter()
        .find(|quotes| value.starts_with(quotes));
    let Some(quotes) = quotes else {
        let first = value.get(..line_len).unwrap_or(value);
        return match first.trim_matches(['"', '\'', ' ', '\t', '\r', '\n']) {
            "" => len_of_lines(value, line_len),
            _ => first.trim_end().len(),
        };
    };
    let close = value
        .get(quotes.len()..)
        .and_then(|inner| inner.find(quotes));
    close.map_or(value.len(), |at| quotes.len() + at)
}

/// Through the lines that are no key and no header: what is left of text of several lines.
fn len_of_lines(value: &str, line_len: usize) -> usize {
    let mut len = 0;
    for line in value.split_inclusive('\n') {
        let is_other = line.contains('=') || line.starts_with('[');
        if len >= line_len && is_other {
            break;
        }
        len += line.len();
    }
    value.get(..len).unwrap_or(value).trim_end().len()
}

/// Through the lines until the brackets are closed, else to the next header.
fn len_of_brackets(value: &str, line_len: usize) -> usize {
    let (mut depth, mut len) = (0_usize, 0);
    for line in value.split_inclusive('\n') {
        if len > line_len && line.starts_with('[') {
            break;
        }
        len += line.len();
        let count = |signs: [char; 2]| line.matches(signs).count();
        depth = (depth + count(['[', '{'])).saturating_sub(count([']', '}']));
        if depth == 0 {
            break;
        }
    }
    value.get(..len).unwrap_or(value).trim_end().len()
}

/// Where the login of `scheme://user:password@host` stands: a token may be either of the two.
/// Of what is no URL, it has to be both.
pub(crate) fn login_of_url(url: &str, is_url: bool) -> Option<Range<usize>> {
    // also when the scheme is written wrong
    let authority = match url.find("://") {
        Some(at) => at + 3,
        None => url.find(|c| !matches!(c, '"' | '\''))?,
    };
    let end = url.rfind('@').filter(|end| *end > authority)?;
    let colon = url.get(authority..end)?.contains(':');
    (is_url || colon).then_some(authority..end)
}

/// Where the query of a URL stands, without quotes behind it.
pub(crate) fn query_of_url(url: &str) -> Option<Range<usize>> {
    let start = url.find('?')? + 1;
    let end = url.trim_end_matches(['"', '\'']).len();
    Some(start..end).filter(|query| !query.is_empty())
}

/// What keys of secrets contain.
const SECRETS: [&str; 13] = [
    "password",
    "passphrase",
    "pass",
    "pwd",
    "token",
    "bearer",
    "auth",
    "secret",
    "cred",
    "cookie",
    "signature",
    "private",
    "login",
];

/// Keys of tables and texts with secrets in them: brokers take a token for the name of a user.
const KEEPERS: [&str; 7] = [
    "users", "user", "username", "headers", "header", "psk", "sas",
];

/// Keys that open nothing: by them a destination sorts.
const OPEN_KEYS: [&str; 2] = ["partition_key", "routing_key"];

/// Keys of URLs and addresses.
const URL_KEYS: [&str; 5] = ["url", "uri", "connect", "endpoint", "address"];

/// Where tokens stand in the path of a URL, if they look like some: platforms let in who knows it.
pub(crate) fn tokens_of_path(url: &str) -> Vec<Range<usize>> {
    let Some(authority) = url.find("://").map(|at| at + 3) else {
        return Vec::new();
    };
    let behind = url.get(authority..).unwrap_or_default();
    let start = authority + behind.find('/').unwrap_or(behind.len());
    let end = query_of_url(url).map_or(url.len(), |query| query.start);
    let (mut found, mut from) = (Vec::new(), start);
    let ends = |(_, c): &(usize, char)| !is_of_token(*c);
    let path = url.get(start..end).unwrap_or_default();
    let signs = path.char_indices().filter(ends);
    let ends = signs.map(|(at, c)| (start + at, c)).chain([(end, '/')]);
    for (at, c) in ends {
        // `{name}` and `{name:-`, and `${name}`, are filled in
        let before = url.get(..from).unwrap_or_default();
        let opens = before.ends_with('{') || before.ends_with("{env:");
        let closes = c == '}' || url.get(at..).is_some_and(|behind| behind.starts_with(":-"));
        let is_name = opens && closes;
        if !is_name && looks_like_token(url.get(from..at).unwrap_or_default()) {
            found.push(from..at);
        }
        from = at + c.len_utf8();
    }
    found
}

fn is_of_token(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '%' | '+' | '=' | '!')
}

/// Whether a part of a path can be a token, and no word that says what is there: it has signs that
/// words of URLs do not have, or is longer than they are.
pub(crate) fn looks_like_token(part: &str) -> bool {
    let of_word = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.');
    part.len() >= TOKEN_MIN && (part.len() > WORD_MAX || !part.chars().all(of_word))
}

/// Shortest part of a path that is taken for a token, in bytes: `v1` and `api2` are none.
const TOKEN_MIN: usize = 6;

/// Longest part of a path that is taken for a word, in bytes.
const WORD_MAX: usize = 20;

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
        for key in [
            "passwrod", "passwort", "user", "usres", "auth", "headrs", "creds", "apikey",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "topic",
            "partition_key",
            "timeout",
            "name",
            "keep_alive",
            "type",
            "keep",
            "ack",
            "path",
            "set",
            "linger",
            "certificate",
            "server_name",
            "data",
            "every",
            "ident",
            "fields",
            "devices",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn the_login_and_the_query_of_a_url_are_found() {
        let login = |url: &'static str, is_url| login_of_url(url, is_url).map(|at| &url[at]);
        assert_eq!(login("mqtt://user:p@ss@host:1883", true), Some("user:p@ss"));
        assert_eq!(login("mqtt://token@host:1883", true), Some("token"));
        assert_eq!(login("http://host:80/a", true), None);
        assert_eq!(login("\"user:pw@host\"", false), Some("user:pw"));
        assert_eq!(login("\"ann@example.com\"", false), None);
        let query = |url: &'static str| query_of_url(url).map(|at| &url[at]);
        assert_eq!(query("\"https://h/a?b=c&d\""), Some("b=c&d"));
        assert_eq!(query("https://h/a?"), None);
    }

    #[test]
    fn what_looks_like_a_token_in_a_path_is_found() {
        let tokens = |url: &'static str| -> Vec<&str> {
            let found = tokens_of_path(url).into_iter();
            found.map(|at| &url[at]).collect()
        };
        for (url, wanted) in [
            (
                "https://h/api/v1/A1_TEST_TOKEN/telemetry",
                &["A1_TEST_TOKEN"][..],
            ),
            ("https://h:1/gw/abc123/{ident}?x=Y1234567", &["abc123"]),
            ("https://h/{ident}/{a.B12345:-none}/${env:TOKEN_1}", &[]),
            (
                "https://h/a{b:-Secret1}c/abcdefghijklmnopqrstu",
                &["-Secret1", "abcdefghijklmnopqrstu"],
            ),
            ("https://h/unclosed/{Secret1", &["Secret1"]),
            ("https://Host1234/", &[]),
            ("https://Host1234", &[]),
            ("/etc/Secret1", &[]),
            ("https://h/telemetry/data-points/v1.12", &[]),
        ] {
            assert_eq!(tokens(url), wanted, "{url}");
        }
    }

    #[test]
    fn a_text_that_names_a_secret_is_one() {
        for text in [
            "{\"api_key\":\"x\"}",
            "Bearer x",
            "token=x",
            "a, Password : x",
        ] {
            assert!(names_a_secret(text), "{text}");
        }
        for text in [
            "weir/{token}",
            "${file:/etc/weir/api.token}",
            "mqtts://host/pass",
            "a",
        ] {
            assert!(!names_a_secret(text), "{text}");
        }
    }

    #[test]
    fn a_comment_begins_outside_of_quotes() {
        assert_eq!(comment(r##"a = "#\"#" # b"##), Some(11));
        assert_eq!(comment("a = '#'"), None);
    }
}
