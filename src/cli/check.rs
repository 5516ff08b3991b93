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
        println!("ok: {channels} channels, {streams} streams, {warnings} warnings");
        Exit::Done
    } else {
        println!("{errors} errors, {warnings} warnings");
        Exit::Usage
    }
}
