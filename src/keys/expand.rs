//! What `${…}` in a string is replaced by, so that one image serves a fleet and secrets stay out
//! of the file.
//!
//! | written | replaced by |
//! | --- | --- |
//! | `${env:NAME}`, `${env:NAME:-default}` | an environment variable |
//! | `${file:PATH}` | a file, white space and NUL trimmed |
//! | `${hostname}`, `${machine-id}` | as the system says |
//! | `${mac:eth0}` | the hardware address of an interface |
//!
//! What was put in is not looked at again. A `$` before anything but `{` is itself.

use super::environment::Environment;
use super::environment::HOSTNAME;
use std::io;
use std::ops::Range;
use std::path::Path;

/// A string with all its references replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// What is there instead.
    pub(crate) text: String,
    /// There was a reference; places in the text are not places in the file.
    pub(crate) changed: bool,
    /// Something came from a file or a variable: not to be shown.
    pub(crate) secret: bool,
}

/// A reference that cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Where it stands, in bytes of the string.
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Replaces every reference of `text`.
pub(crate) fn expand(text: &str, environment: &dyn Environment) -> Result<Expanded, Unknown> {
    let mut expanded = Expanded {
        text: String::new(),
        changed: false,
        secret: false,
    };
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        expanded.text.push_str(before);
        let start = text.len() - behind.len() - 2;
        let Some((reference, after)) = behind.split_once('}') else {
            return Err(Unknown {
                at: start..text.len(),
                message: "`${` is never closed".to_owned(),
                hint: None,
            });
        };
        let end = text.len() - after.len();
        let value = resolve(reference, environment).map_err(|(message, hint)| Unknown {
            at: start..end,
            message,
            hint,
        })?;
        expanded.text.push_str(&value);
        expanded.changed = true;
        expanded.secret |= reference.starts_with("file:") || reference.starts_with("env:");
        rest = after;
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

/// A message and a hint.
type Reason = (String, Option<String>);

/// The value of what stands between `${` and `}`.
fn resolve(reference: &str, environment: &dyn Environment) -> Result<String, Reason> {
    let (kind, name) = reference.split_once(':').unwrap_or((reference, ""));
    match (kind, name) {
        ("env", name) if !name.is_empty() => variable(name, environment),
        ("file", path) if !path.is_empty() => read(path, environment),
        ("hostname", "") => read(HOSTNAME, environment),
        ("machine-id", "") => read("/etc/machine-id", environment),
        ("mac", name) if is_interface(name) => {
            read(&format!("/sys/class/net/{name}/address"), environment)
        }
        _ => {
            // what is behind may be a default, and that a password
            let shown = reference
                .split_once(":-")
                .map_or(reference, |(name, _)| name);
            let message = format!("`${{{shown}}}` is not known");
            Err((message, Some(format!("known are {KNOWN}"))))
        }
    }
}

/// The value of `NAME` or `NAME:-default`.
fn variable(reference: &str, environment: &dyn Environment) -> Result<String, Reason> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    // as in a shell, a default also replaces a variable that is empty
    let value = environment
        .variable(name)
        .filter(|value| default.is_none() || !value.is_empty());
    value.or_else(|| default.map(str::to_owned)).ok_or_else(|| {
        let message = format!("the environment variable `{name}` is not set");
        (
            message,
            Some(format!(
                "set it, or write a default: `${{env:{name}:-default}}`"
            )),
        )
    })
}

/// The text of a file, trimmed.
fn read(path: &str, environment: &dyn Environment) -> Result<String, Reason> {
    let failed = |reason: String| (format!("`{path}` cannot be read: {reason}"), None);
    let bytes = environment
        .read(Path::new(path), VALUE_MAX)
        .map_err(|error| failed(plain(&error)))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("not UTF-8".to_owned()))?;
    Ok(text
        .trim_matches(|c: char| c.is_whitespace() || c == '\0')
        .to_owned())
}

/// An error as a person says it, without the number behind.
pub(crate) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether it names an interface, not a way to another file.
fn is_interface(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains('/')
}

const KNOWN: &str = "`${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`, `${hostname}`, \
                     `${machine-id}` and `${mac:eth0}`";

/// Longest file that a string may hold, in bytes.
const VALUE_MAX: usize = 64 * 1024;
