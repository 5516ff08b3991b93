//! `/log`: the daemon's own log, and how much of it there is.

use log::Level;
use serde::Deserialize;
use serde::Serialize;

/// How the log stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogReport {
    /// What is less important is left out: "error", "warn", "info", "debug" or "trace".
    pub level: String,
    /// The level of the configuration.
    pub configured: String,
    /// Where it goes.
    pub target: String,
    /// Lines that could not be written since the start.
    pub lost: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    level: Option<String>,
}

/// The level that a body asks for, null for the configured one; none where it does not.
pub(super) fn level(body: &[u8]) -> Option<Option<Level>> {
    match serde_json::from_slice(body).ok()? {
        Change { level: None } => Some(None),
        Change { level: Some(name) } => name.parse().ok().map(Some),
    }
}
