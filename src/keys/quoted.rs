//! Texts and keys as TOML has them, for files that weir writes and for what it shows.

use serde_json::Value;

/// A text in quotes: a JSON string is a TOML one, but for one character.
pub(crate) fn quoted(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.replace('\u{7f}', "\\u007f")
}

/// A key, in quotes where it needs them.
pub(crate) fn quoted_key(key: &str) -> String {
    let of_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match !key.is_empty() && key.bytes().all(of_bare) {
        true => key.to_owned(),
        false => quoted(key),
    }
}
