//! `weir check`: all that is wrong with the configuration.

use super::Exit;
use crate::config::{self, Severity};
use std::path::PathBuf;

/// Reads the configuration and prints what is wrong with it.
pub(super) fn check(file: Option<PathBuf>) -> Exit {
    let loaded = super::load(file);
    print!("{}", config::render(&loaded.diagnostics));
    let errors = config::count(&loaded.diagnostics, Severity::Error);
    let warnings = config::count(&loaded.diagnostics, Severity::Warning);
    if errors == 0 {
        let (channels, streams) = (loaded.config.channels.len(), loaded.config.streams.len());
        let parts = [
            (channels, "channel"),
            (streams, "stream"),
            (warnings, "warning"),
        ];
        println!(
            "ok: {}",
            parts.map(|(count, noun)| counted(count, noun)).join(", ")
        );
        Exit::Done
    } else {
        println!(
            "{}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        Exit::Usage
    }
}

/// `1 error`, `2 errors`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
