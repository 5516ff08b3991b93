//! Texts that follow a rule of their own: tokens, paths, templates, what MQTT carries.

use super::context::ValueError;
use crate::template::Template;
use std::path::PathBuf;

/// A token that fits into a header. What is wrong is not shown.
pub(crate) fn token(text: &str) -> Result<String, ValueError> {
    if text.is_empty() {
        return Err(
            ValueError::new("the token is empty").hint("leave the key out, or write a token")
        );
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            ValueError::new("a token has only ASCII characters without spaces")
                .hint("write one of letters and digits"),
        );
    }
    Ok(text.to_owned())
}

/// A text as MQTT carries it.
pub(crate) fn mqtt_text(text: &str) -> Result<String, ValueError> {
    if text.len() > usize::from(u16::MAX) || text.contains('\0') {
        return Err(ValueError::new(
            "MQTT carries at most 65535 bytes, and no NUL",
        ));
    }
    Ok(text.to_owned())
}

/// The path of a file, from the root.
pub(crate) fn path(text: &str) -> Result<PathBuf, ValueError> {
    if text.contains("-----BEGIN") || text.contains(char::is_control) {
        // what is in a file may be a key: from here on it would be shown as a path
        let error = ValueError::new("the name of a file stands here, not what is in it");
        return Err(error.hint("write it like `/etc/weir/client.pem`"));
    }
    if text.is_empty() || text.contains('\0') || text.ends_with('/') {
        return Err(
            ValueError::new("not the path of a file").hint("write it like `/var/lib/weir/ring`")
        );
    }
    Ok(PathBuf::from(text))
}

/// A template within a text of the file, of which it is the part from `start` on.
pub(crate) fn template(text: &str, start: usize) -> Result<Template, ValueError> {
    Template::parse(text).map_err(|error| {
        let at = start + error.at;
        ValueError::new(error.to_string())
            .at(at..at + error.len)
            .hint(
                "a parameter is written like `{ident}` or `{ident:-default}`, \
                 braces like `{{` and `}}`",
            )
    })
}
